//! The commands of the documentation, typed by a program: the blocks after `<!-- run -->` of each page, in
//! one shell.

use std::env;
use std::process::Command;

use contrail_lab::sandbox;
use opencontrail_tests::pages::{Page, missing, pages, root, script, steps};
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::links;

/// The pages that must have commands: the marker could get lost.
const TYPED: [&str; 5] = [
    "docs/cni.md",
    "docs/lab.md",
    "docs/library.md",
    "docs/service-chains.md",
    "docs/settings.md",
];

#[test]
fn the_commands_of_each_page_print_what_it_says_and_leave_nothing() {
    let pages: Vec<Page> = pages()
        .into_iter()
        .filter(|page| !steps(&page.text, "run").is_empty())
        .collect();
    let paths: Vec<String> = pages.iter().map(|p| p.path.display().to_string()).collect();
    assert_eq!(paths, TYPED);
    sandbox::isolated(
        "commands::the_commands_of_each_page_print_what_it_says_and_leave_nothing",
        || pages.iter().for_each(type_commands),
    );
}

fn type_commands(page: &Page) {
    let before = links();
    let steps = steps(&page.text, "run");
    let programs = program("cni-opencontrail");
    let programs = programs.parent().unwrap().display().to_string();
    let path = env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", &script(&steps)])
        .current_dir(root())
        .env("PATH", format!("{programs}:{path}"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let page = page.path.display();
    assert!(output.status.success(), "{page}:\n{out}\n{err}");
    let missing = missing(&steps, &out);
    assert!(missing.is_empty(), "{page}:\n{}\n{err}", missing.join("\n"));
    assert_eq!(links(), before, "{page}:\n{out}\n{err}");
}
