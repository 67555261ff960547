//! Mutations of texts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What parsers stumble over.
const TOKENS: [&[u8]; 26] = [
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
    b"\xef\xbb\xbf",
    b"../../etc/passwd",
    b"\0",
    b"::",
    b"/",
    b"%s",
    b"%(x)s",
    b"\n",
    b"\t#",
    b"\r\n",
    "é".as_bytes(),
    "\u{202e}".as_bytes(),
];

/// A change of a text. Places are relative to its length.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Put(Index, usize, &'static [u8]),
    Repeat(Index, usize),
    /// What follows is the end of another text.
    Continue(Index, Index, Index),
}

/// Texts of a corpus with up to five changes.
pub fn mutations(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    assert!(!corpus.is_empty());
    (any::<Index>(), vec(changes(), 1..=5)).prop_map(move |(text, changes)| {
        let mut text = text.get(&corpus).clone();
        changes
            .iter()
            .for_each(|change| apply(change, &mut text, &corpus));
        text
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let (place, length) = (any::<Index>, 0..16_usize);
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        place().prop_map(Change::Cut),
        (place(), length.clone()).prop_map(|(at, length)| Change::Remove(at, length)),
        (place(), length.clone(), select(&TOKENS[..]))
            .prop_map(|(at, length, token)| Change::Put(at, length, token)),
        (place(), length).prop_map(|(at, length)| Change::Repeat(at, length)),
        (place(), place(), place()).prop_map(|(at, other, from)| Change::Continue(at, other, from)),
    ]
}

fn apply(change: &Change, text: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    // A place behind the last byte is one, too.
    let size = text.len();
    let range = |at: &Index, length: &usize| {
        let at = at.index(size + 1);
        at..(at + length).min(size)
    };
    match change {
        Change::Flip(at, bit) if size > 0 => text[at.index(size)] ^= 1 << bit,
        Change::Flip(..) => {}
        Change::Cut(at) => text.truncate(at.index(size + 1)),
        Change::Remove(at, length) => drop(text.drain(range(at, length))),
        Change::Put(at, length, token) => {
            text.splice(range(at, length), token.iter().copied());
        }
        Change::Repeat(at, length) => {
            let range = range(at, length);
            let piece = text[range.clone()].to_vec();
            text.splice(range.start..range.start, piece);
        }
        Change::Continue(at, other, from) => {
            let other = other.get(corpus);
            text.truncate(at.index(size + 1));
            text.extend(&other[from.index(other.len() + 1)..]);
        }
    }
}
