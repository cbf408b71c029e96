//! The gate before a literal.
//!
//! A server that answers BAD before a literal for which nobody waited reads the
//! literal's octets as commands: message text would run. So a message is sent
//! without waiting only when nothing in front of it can be refused as a syntax error.

use super::Style;
use super::append::{WireDate, WireFlags};
use hikyaku_core::{Keyword, WireName};
use std::ops::RangeInclusive;

/// Moments that every server in the field takes and keeps, UTC seconds: 1971 to 2037.
/// Outside, one answers BAD, one NO, one stores another date.
const PROVEN_DATES: RangeInclusive<i64> = 31_536_000..=2_145_916_799;

/// Longest keyword that every server takes, in octets (Dovecot's default).
const PROVEN_KEYWORD: usize = 50;

/// Longest mailbox name that is not worth a thought, in octets.
const PROVEN_NAME: usize = 1000;

/// Whether a literal with these words in front of it may be sent without waiting
/// for the server, as far as the words are concerned ([`super::LiteralMode`] has to
/// allow it too).
pub(crate) fn is_safe_without_waiting(
    style: Style,
    mailbox: &WireName,
    flags: &WireFlags,
    date: Option<&WireDate>,
) -> bool {
    is_plain_name(style, mailbox)
        && flags.flags().keywords().all(is_plain_keyword)
        && date.is_none_or(|d| PROVEN_DATES.contains(&d.date().seconds))
}

fn is_plain_name(style: Style, mailbox: &WireName) -> bool {
    let octets = mailbox.as_bytes();
    let fits = (1..=PROVEN_NAME).contains(&octets.len());
    let plain = octets.iter().all(|b| (0x20..0x7f).contains(b));
    let utf8 = style.utf8
        && std::str::from_utf8(octets).is_ok_and(|text| !text.chars().any(char::is_control));
    fits && (plain || utf8)
}

/// Stricter than an atom: what people and programs really use.
fn is_plain_keyword(keyword: &Keyword) -> bool {
    let octets = keyword.as_str().as_bytes();
    octets.len() <= PROVEN_KEYWORD
        && octets
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"$_-.+:/@#!&=~,".contains(b))
}
