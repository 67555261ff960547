//! ARCHITECTURE.md, compared with the code: layers, import circles, seams, words and file lengths.

#![allow(clippy::unwrap_used)] // all of it is a test

mod circles;
mod document;
mod files;
mod layers;
mod references;
mod resolve;
mod scan;
mod seams;
mod source;
mod words;
mod workspace;

use document::Document;
use workspace::Workspace;

/// The document that the code is compared with.
const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

/// The crates that are checked; what is used for tests alone is not.
const CRATES: &[&str] = &[
    "contrail-core",
    "cni-opencontrail",
    "cnm-opencontrail",
    "contrail-lab",
    "service-chain",
    "walkthrough",
];

/// Fails with all findings, one per paragraph.
fn assert_none(what: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{what}: {}\n\n{}\n",
        findings.len(),
        findings.join("\n\n")
    );
}

#[test]
fn imports_point_to_lower_layers() {
    let document = Document::parse(ARCHITECTURE).unwrap();
    let workspace = Workspace::read();
    let findings: Vec<String> = workspace
        .targets(CRATES)
        .iter()
        .flat_map(|target| layers::violations(&target.source, document.layers(&target.name)))
        .collect();
    assert_none("imports against the layers of ARCHITECTURE.md", &findings);
}

#[test]
fn files_import_each_other_in_no_circle() {
    let workspace = Workspace::read();
    let findings: Vec<String> = workspace
        .targets(CRATES)
        .iter()
        .flat_map(|target| circles::circles(&target.source))
        .collect();
    assert_none("import circles", &findings);
}

#[test]
fn crates_depend_only_on_those_that_the_document_allows() {
    let document = Document::parse(ARCHITECTURE).unwrap();
    let workspace = Workspace::read();
    assert_none(
        "dependencies between crates",
        &workspace.dependencies_against(document.dependencies()),
    );
}

#[test]
fn features_gate_the_modules_that_the_document_and_lib_rs_name() {
    let document = Document::parse(ARCHITECTURE).unwrap();
    let workspace = Workspace::read();
    let core = workspace.target("contrail-core");
    let listed = document.layers(&core.name).unwrap();
    assert_none(
        "features of modules",
        &layers::ungated(&core.source, listed),
    );
    assert_none(
        "imports of modules that a feature may leave out",
        &layers::unimplied(&core.source, &workspace.features("contrail-core")),
    );
}

#[test]
fn each_effect_has_one_place() {
    let document = Document::parse(ARCHITECTURE).unwrap();
    let workspace = Workspace::read();
    let findings: Vec<String> = document
        .seams()
        .iter()
        .flat_map(|seam| seams::violations(&workspace.target(&seam.target).source, seam))
        .collect();
    assert_none("crates named outside their seam", &findings);
}

#[test]
fn the_core_names_no_front_end() {
    let workspace = Workspace::read();
    let core = workspace.target("contrail-core");
    assert_none(
        "words of front ends in contrail-core",
        &words::violations(&core.source, words::EXCEPTIONS),
    );
}

#[test]
fn no_file_is_longer_than_400_lines() {
    assert_none("long files", &files::long(&workspace::root()));
}

#[test]
fn every_link_of_the_document_leads_to_a_file() {
    assert!(files::links(ARCHITECTURE).len() > 20, "links are missing");
    assert_none(
        "links in ARCHITECTURE.md",
        &files::broken_links(ARCHITECTURE, &workspace::root()),
    );
}
