//! Mutations of texts, each given by a number.

use opencontrail_tests::random::Random;

/// What parsers stumble over.
const TOKENS: [&[u8]; 20] = [
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"../../etc/passwd",
    b"\0",
    b"::",
    b"/",
    b"%s",
    b"\n",
];

/// The mutation with this number of some text of the corpus.
pub fn mutation(corpus: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let mut text = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        change(&mut text, corpus, &mut random);
    }
    text
}

fn change(text: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(text.len());
    let end = (at + random.below(16)).min(text.len());
    match random.below(6) {
        0 if !text.is_empty() => text[at] ^= 1 << random.below(8),
        1 => text.truncate(at),
        2 => drop(text.drain(at..end)),
        3 => {
            let token = TOKENS[random.below(TOKENS.len())];
            text.splice(at..end, token.iter().copied());
        }
        4 => {
            let piece = text[at..end].to_vec();
            text.splice(at..at, piece);
        }
        _ => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len());
            text.truncate(at);
            text.extend(&other[from..]);
        }
    }
}
