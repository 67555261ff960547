//! Words that name a front end: the library below them must not know who uses it.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;

use crate::source::Source;

/// The front ends, and what only they have, as words of identifiers and texts.
const WORDS: &[&str] = &[
    "docker",
    "cni",
    "cnm",
    "libnetwork",
    "kubernetes",
    "k8s",
    "kubelet",
    "pod",
    "swarm",
    "containerd",
    "podman",
];

/// A file that needs such a word.
pub struct Exception {
    pub file: &'static str,
    pub word: &'static str,
    pub reason: &'static str,
}

/// The exceptions. One that nothing needs any more is a finding.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        file: "contrail-core/src/settings/table.rs",
        word: "docker",
        reason: "the default of `socketpath` is a path of Docker's",
    },
    Exception {
        file: "contrail-core/src/settings/table.rs",
        word: "cni",
        reason: "the default of `state_dir` is a path that installations have",
    },
    Exception {
        file: "contrail-core/src/settings/table.rs",
        word: "swarm",
        reason: "the help text of `scope` says what the value means there",
    },
];

/// The words in identifiers and texts, as `a_b`, `AB` and `a-b` spell them, with their lines.
fn words(tokens: TokenStream, found: &mut Vec<(String, usize)>) {
    for token in tokens {
        let line = token.span().start().line;
        let text = match token {
            TokenTree::Group(group) => {
                words(group.stream(), found);
                continue;
            }
            TokenTree::Punct(_) => continue,
            token => token.to_string(),
        };
        found.extend(split(&text).into_iter().map(|word| (word, line)));
    }
}

/// `DockerUser`, `docker_user`, `docker-user`: docker, user.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in text.chars() {
        let starts = !c.is_alphanumeric() || (c.is_uppercase() && after_lower);
        if starts {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Documentation is free to name examples.
fn without_documentation(tokens: TokenStream) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut hash = None;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => hash = Some(punct),
            TokenTree::Group(group) => {
                let documents = hash.is_some() && group.stream().to_string().starts_with("doc ");
                if documents {
                    hash = None;
                    continue;
                }
                kept.extend(hash.take().map(TokenTree::Punct));
                let mut inner =
                    Group::new(group.delimiter(), without_documentation(group.stream()));
                inner.set_span(group.span());
                kept.extend([TokenTree::Group(inner)]);
            }
            token => {
                kept.extend(hash.take().map(TokenTree::Punct));
                kept.extend([token]);
            }
        }
    }
    kept
}

/// The words that no exception allows, and the exceptions that nothing needs.
pub fn violations(source: &Source, exceptions: &[Exception]) -> Vec<String> {
    let mut used = vec![false; exceptions.len()];
    let mut findings = Vec::new();
    for (index, file) in source.files.iter().enumerate() {
        let name = source.name(index);
        let mut found = Vec::new();
        for item in &file.items {
            words(without_documentation(item.to_token_stream()), &mut found);
        }
        for (word, line) in found
            .into_iter()
            .filter(|(word, _)| WORDS.contains(&word.as_str()))
        {
            match exceptions
                .iter()
                .position(|e| e.file == name && e.word == word)
            {
                Some(exception) => used[exception] = true,
                None => findings.push(format!("  {name}:{line}: {word}")),
            }
        }
    }
    let idle = exceptions.iter().zip(used).filter(|(_, used)| !used);
    findings.extend(idle.map(|(e, _)| {
        format!(
            "  nothing needs the exception {} in {}: {}",
            e.word, e.file, e.reason
        )
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(split("DockerUser"), ["docker", "user"]);
        assert_eq!(
            split("\"/run/docker-network.sock\""),
            ["run", "docker", "network", "sock"]
        );
        assert_eq!(split("CNI_ARGS"), ["cni", "args"]);
        assert_eq!(split("icnidoc"), ["icnidoc"]);
    }

    #[test]
    fn a_word_outside_documentation_is_found_and_an_exception_must_be_needed() {
        let source = Source::of(&[(
            "lib.rs",
            "/// For Docker.\nstruct A { /** CNI */ cni_args: u8 }\nfn f() { log!(\"a pod\") }\n\
             #[cfg(test)] mod tests { const DOCKER: u8 = 1; }",
        )]);
        let exception = |word| Exception {
            file: "lib.rs",
            word,
            reason: "because",
        };
        assert_eq!(
            violations(&source, &[]),
            ["  lib.rs:2: cni", "  lib.rs:3: pod"]
        );
        let found = violations(&source, &[exception("cni"), exception("docker")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("nothing needs the exception docker in lib.rs: because"));
    }
}
