//! Paths in tokens that nothing has parsed: arguments of macros and attributes.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// A path and its place.
pub type Found = (Vec<String>, Span);

/// Whether `::` is at this place.
fn colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// The name after `::` at this place.
fn next(tokens: &[TokenTree], at: usize) -> Option<&Ident> {
    match tokens.get(at + 2) {
        Some(TokenTree::Ident(ident)) if colons(tokens, at) => Some(ident),
        _ => None,
    }
}

/// The paths of two or more segments, in groups, too.
pub fn paths(tokens: TokenStream) -> Vec<Found> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let external = at >= 2 && colons(&tokens, at - 2);
        at += 1;
        match token {
            TokenTree::Group(group) => found.extend(paths(group.stream())),
            TokenTree::Ident(first) if !external => {
                let mut path = vec![first.to_string()];
                while let Some(ident) = next(&tokens, at) {
                    path.push(ident.to_string());
                    at += 3;
                }
                if path.len() > 1 {
                    found.push((path, first.span()));
                }
            }
            _ => {}
        }
    }
    found
}

/// The paths that serde's attributes write as text.
pub fn paths_in_strings(tokens: TokenStream) -> Vec<Found> {
    let in_literal = |token: TokenTree| match token {
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let tokens: TokenStream = text.trim_matches('"').parse().ok()?;
            let (path, _) = paths(tokens).into_iter().next()?;
            Some((path, literal.span()))
        }
        _ => None,
    };
    tokens.into_iter().filter_map(in_literal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tokens: &str) -> Vec<String> {
        let found = paths(tokens.parse().unwrap());
        found.iter().map(|(path, _)| path.join("::")).collect()
    }

    #[test]
    fn paths_end_where_their_segments_end() {
        assert_eq!(
            written("a::b(c::d, e) + f::g::<h::I>()"),
            ["a::b", "c::d", "f::g", "h::I"]
        );
        assert_eq!(
            written("key: a::b, $crate::c::d, ::external::e"),
            ["a::b", "crate::c::d"]
        );
        assert!(written("alone, \"a::b\", x: y").is_empty());
    }
}
