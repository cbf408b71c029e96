//! Percent-encoding (RFC 3986 §2.1) in both directions, over Unicode text.

use super::LocatorProblem;
use hikyaku_text::escape;

/// Decodes every `%xx`; the result must be UTF-8 without control characters.
pub(super) fn decode(text: &str) -> Result<String, LocatorProblem> {
    let wrong = || LocatorProblem::Percent(text.to_owned());
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = after.get(..2).ok_or_else(wrong)?;
            let high = char::from(digits[0]).to_digit(16).ok_or_else(wrong)?;
            let low = char::from(digits[1]).to_digit(16).ok_or_else(wrong)?;
            octets.push((high * 16 + low) as u8);
            rest = &after[2..];
        } else {
            octets.push(first);
            rest = after;
        }
    }
    let decoded = String::from_utf8(octets).map_err(|_| wrong())?;
    if decoded.contains(['\0', '\r', '\n']) {
        return Err(LocatorProblem::Control);
    }
    Ok(decoded)
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
