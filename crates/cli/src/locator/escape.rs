//! Percent-encoding (RFC 3986 §2.1) in both directions, over Unicode text.

use super::LocatorProblem;
use hikyaku_text::escape;

/// Decodes every `%xx`; the result must be UTF-8 without control characters.
///
/// # Errors
/// [`LocatorProblem::Percent`] with what is wrong alone: what stands beside it may be a password.
pub(super) fn decode(text: &str) -> Result<String, LocatorProblem> {
    let mut octets = Vec::with_capacity(text.len());
    let mut escapes = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        octets.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let octet = octet(rest).ok_or_else(|| {
            let wrong: String = rest.chars().take(3).collect();
            LocatorProblem::Percent(wrong)
        })?;
        octets.push(octet);
        escapes.push_str(&rest[..3]);
        rest = &rest[3..];
    }
    octets.extend_from_slice(rest.as_bytes());
    let decoded = String::from_utf8(octets).map_err(|_| LocatorProblem::Percent(escapes))?;
    if decoded.contains(['\0', '\r', '\n']) {
        return Err(LocatorProblem::Control);
    }
    Ok(decoded)
}

/// The octet that the three characters at the beginning of a text stand for: `%` and two hexadecimal digits.
fn octet(text: &str) -> Option<u8> {
    let digit = |at: usize| char::from(*text.as_bytes().get(at)?).to_digit(16);
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

/// A user name: `@` and `*` stand as they are, `:` and `/` would divide.
pub(super) fn user(text: &str) -> String {
    escape::percent_user(text)
}

/// One level of a mailbox name.
pub(super) fn level(text: &str) -> String {
    escape::percent(text, |c| {
        c.is_ascii_alphanumeric() || "@-._~+=,:".contains(c)
    })
}
