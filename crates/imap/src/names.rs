//! Mailbox names between the wire and people (RFC 9051 §5.1).
//!
//! A name is divided into levels before it is decoded: a separator that is only
//! spelled inside modified UTF-7 divides nothing.

use crate::utf7;
use hikyaku_core::{MailboxName, WireName};

/// How a server spells names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameEncoding {
    /// Modified UTF-7 (RFC 3501 §5.1.3); raw 8-bit octets are read as UTF-8.
    Utf7,
    /// UTF-8, after ENABLE UTF8=ACCEPT or IMAP4rev2: an ampersand is an ampersand.
    Utf8,
}

/// The levels of a name, decoded. `None` for the empty name.
///
/// Different wire names can look the same to people (`&AC4-` is a full stop too), so
/// commands have to use the wire name.
pub(crate) fn decode_name(
    wire: &WireName,
    separator: Option<char>,
    encoding: NameEncoding,
) -> Option<MailboxName> {
    let octets = wire.as_bytes();
    if octets.is_empty() {
        return None;
    }
    let decode = |level: &[u8]| match (encoding, std::str::from_utf8(level)) {
        (NameEncoding::Utf8, Ok(text)) => text.to_owned(),
        _ => utf7::decode(level).text,
    };
    let mut buffer = [0; 4];
    let divider: &[u8] = separator.map_or(&[], |c| c.encode_utf8(&mut buffer).as_bytes());
    let levels = split(octets, divider, encoding);
    MailboxName::new(levels.into_iter().map(decode).collect())
}

/// The name as this server would spell it; `None` when it cannot.
///
/// A separator inside a level is spelled out in modified UTF-7 (most servers refuse
/// it, but none takes it for a further level); in UTF-8 there is no way.
pub(crate) fn encode_name(
    name: &MailboxName,
    separator: Option<char>,
    encoding: NameEncoding,
) -> Option<WireName> {
    let mut wire = Vec::new();
    for (n, level) in name.levels().iter().enumerate() {
        if n > 0 {
            wire.extend_from_slice(separator?.encode_utf8(&mut [0; 4]).as_bytes());
        }
        match encoding {
            NameEncoding::Utf8 => {
                if level
                    .chars()
                    .any(|c| c.is_control() || Some(c) == separator)
                {
                    return None;
                }
                wire.extend_from_slice(level.as_bytes());
            }
            NameEncoding::Utf7 => encode_level(&mut wire, level, separator),
        }
    }
    (!wire.is_empty()).then(|| WireName::new(wire))
}

fn encode_level(wire: &mut Vec<u8>, level: &str, separator: Option<char>) {
    let Some(separator) = separator else {
        wire.extend(utf7::encode(level));
        return;
    };
    for (n, piece) in level.split(separator).enumerate() {
        if n > 0 {
            wire.extend(utf7::encode_shifted(separator));
        }
        wire.extend(utf7::encode(piece));
    }
}

/// Divides octets at the divider, but not inside a shift sequence: a comma or a plus
/// sign may be both.
fn split<'a>(octets: &'a [u8], divider: &[u8], encoding: NameEncoding) -> Vec<&'a [u8]> {
    if divider.is_empty() {
        return vec![octets];
    }
    let mut levels = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < octets.len() {
        let rest = &octets[at..];
        if rest.starts_with(divider) {
            levels.push(&octets[start..at]);
            at += divider.len();
            start = at;
        } else if encoding == NameEncoding::Utf7 {
            at += utf7::shift_length(rest).unwrap_or(1);
        } else {
            at += 1;
        }
    }
    levels.push(&octets[start..]);
    levels
}

#[cfg(test)]
mod tests;
