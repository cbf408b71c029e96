//! Mailbox names: modified UTF-7 (RFC 3501 §5.1.3), levels, and LIST patterns.
//!
//! Names are kept as they are on the wire. A mailbox handle takes either such
//! a wire name or a name as people write it, with `/` between levels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How a test names a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// As people write it: Unicode, `/` between levels, no server prefix.
    Decoded(String),
    /// Exactly as on the wire, with the server's prefix and separator.
    Wire(Vec<u8>),
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self::Decoded(name.to_owned())
    }
}

impl From<&String> for Name {
    fn from(name: &String) -> Self {
        Self::Decoded(name.clone())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self::Decoded(name)
    }
}

impl From<&[u8]> for Name {
    fn from(name: &[u8]) -> Self {
        Self::Wire(name.to_vec())
    }
}

impl From<Vec<u8>> for Name {
    fn from(name: Vec<u8>) -> Self {
        Self::Wire(name)
    }
}

impl<const N: usize> From<&[u8; N]> for Name {
    fn from(name: &[u8; N]) -> Self {
        Self::Wire(name.to_vec())
    }
}

impl Name {
    /// The name on a wire with this separator and prefix. INBOX has no prefix.
    pub(crate) fn on_wire(&self, separator: Option<u8>, prefix: &[u8]) -> Vec<u8> {
        match self {
            Self::Wire(name) => inbox_folded(name, separator),
            Self::Decoded(name) if name.eq_ignore_ascii_case("INBOX") => b"INBOX".to_vec(),
            Self::Decoded(name) => {
                let mut wire = prefix.to_vec();
                for (i, level) in name.split('/').enumerate() {
                    match (i, separator) {
                        (0, _) => {}
                        (_, Some(separator)) => wire.push(separator),
                        (_, None) => wire.push(b'/'),
                    }
                    wire.extend(encode(level));
                }
                // `INBOX/x` on a server whose prefix is INBOX is that server's child.
                if !prefix.is_empty() && name.len() > 5 && name[..].starts_with("INBOX/") {
                    wire.drain(..prefix.len());
                }
                inbox_folded(&wire, separator)
            }
        }
    }
}

/// The name with its first level in capitals when that is INBOX.
pub(crate) fn inbox_folded(name: &[u8], separator: Option<u8>) -> Vec<u8> {
    let mut name = name.to_vec();
    let first = match separator.and_then(|s| memchr::memchr(s, &name)) {
        Some(end) => &mut name[..end],
        None => &mut name[..],
    };
    if first.eq_ignore_ascii_case(b"INBOX") {
        first.make_ascii_uppercase();
    }
    name
}

/// Modified UTF-7 of a name.
pub fn encode(name: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            unshift(&mut wire, &mut shifted);
            match c {
                '&' => wire.extend_from_slice(b"&-"),
                c => wire.push(c as u8),
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    unshift(&mut wire, &mut shifted);
    wire
}

fn unshift(wire: &mut Vec<u8>, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        wire.push(b'&');
        let text = STANDARD_NO_PAD.encode(&shifted).replace('/', ",");
        wire.extend_from_slice(text.as_bytes());
        wire.push(b'-');
        shifted.clear();
    }
}

/// The name that the modified UTF-7 in `wire` spells; `None` when it is not
/// the one right spelling of any name.
pub fn decode(wire: &[u8]) -> Option<String> {
    let mut name = String::new();
    let mut rest = wire;
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'&' => {
                let end = memchr::memchr(b'-', tail)?;
                let (inside, after) = (&tail[..end], &tail[end + 1..]);
                if inside.is_empty() {
                    name.push('&');
                } else {
                    let text: Vec<u8> = inside
                        .iter()
                        .map(|b| if *b == b',' { b'/' } else { *b })
                        .collect();
                    let octets = STANDARD_NO_PAD.decode(text).ok()?;
                    if octets.len() % 2 != 0 {
                        return None;
                    }
                    let units = octets
                        .chunks_exact(2)
                        .map(|u| u16::from_be_bytes([u[0], u[1]]));
                    for c in char::decode_utf16(units) {
                        name.push(c.ok()?);
                    }
                }
                rest = after;
            }
            b' '..=b'~' => {
                name.push(char::from(first));
                rest = tail;
            }
            _ => return None,
        }
    }
    // Only the canonical spelling counts, so that a name has one wire form.
    (encode(&name) == wire).then_some(name)
}

/// True when `name` matches a LIST pattern: `*` is anything, `%` anything but
/// the separator (RFC 9051 §6.3.9). Linear memory, at worst |name|·|pattern| steps.
pub(crate) fn matches(pattern: &[u8], name: &[u8], separator: Option<u8>) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for &p in pattern {
        match p {
            b'*' | b'%' => {
                for i in 0..name.len() {
                    let blocked = p == b'%' && Some(name[i]) == separator;
                    reached[i + 1] |= reached[i] && !blocked;
                }
            }
            _ => {
                for i in (0..name.len()).rev() {
                    reached[i + 1] = reached[i] && name[i] == p;
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

/// The names of all levels above `name`, outermost first.
pub(crate) fn parents(name: &[u8], separator: Option<u8>) -> impl Iterator<Item = &[u8]> {
    let ends = name.iter().enumerate();
    ends.filter(move |(i, b)| *i > 0 && Some(**b) == separator)
        .map(move |(i, _)| &name[..i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf7_follows_the_rfc_examples() {
        // RFC 3501 §5.1.3.
        for (name, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("受信トレイ", "&U9dP4TDIMOwwpA-"),
            ("A&B", "A&-B"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(name), wire.as_bytes());
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name));
        }
        for bad in [
            "&",
            "&U,B",
            "&Jjo!",
            "&U,BTFw-&ZeVnLIqe-",
            "&AGE-",
            "a\u{e9}",
            "&2D0-",
        ] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn patterns_stop_at_the_separator_only_for_percent() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a*", "a", true),
            ("*b", "a/b", true),
            ("a%b", "a/b", false),
            ("", "", true),
            ("", "a", false),
            ("INBOX.%", "INBOX.a.b", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes(), Some(b'/')),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_written_name_gets_prefix_separator_and_encoding() {
        let dot =
            |n: &str| String::from_utf8(Name::from(n).on_wire(Some(b'.'), b"INBOX.")).unwrap();
        assert_eq!(dot("inbox"), "INBOX");
        assert_eq!(dot("INBOX/x"), "INBOX.x");
        assert_eq!(dot("請求書/A&B"), "INBOX.&istsQmb4-.A&-B");
        assert_eq!(Name::from(b"inbox/x").on_wire(Some(b'/'), b""), b"INBOX/x");
        assert_eq!(
            parents(b"a/b/c", Some(b'/')).collect::<Vec<_>>(),
            [&b"a"[..], b"a/b"]
        );
    }
}
