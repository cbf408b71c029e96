//! What holds for mailbox names whatever the octets are.

use super::{decode, encode};
use crate::names::{NameEncoding, decode_name, encode_name};
use hikyaku_core::{MailboxName, WireName};

/// The first octet chooses the separator, the rest is a name: octets of a server, and, as
/// far as it is text, what a person wrote.
///
/// Every text survives encoding; what decodes exactly encodes to the same octets, and what
/// does not is reported, not altered in silence; commands get printable ASCII; and a
/// name leads back to the same levels on a server with the same separator.
pub(crate) fn utf7(input: &[u8]) {
    let [which, wire @ ..] = input else {
        return;
    };
    let separator =
        [Some('/'), Some('.'), None, Some('+'), Some('-'), Some('&')][usize::from(which % 6)];
    let decoded = decode(wire);
    assert_eq!(decoded.exact, encode(&decoded.text) == wire);
    if !wire.contains(&b'&') && wire.iter().all(|octet| (0x20..0x7f).contains(octet)) {
        assert!(
            decoded.exact && decoded.text.as_bytes() == wire,
            "ASCII is itself"
        );
    }
    survives(&decoded.text);
    survives(&String::from_utf8_lossy(wire));
    levels(&WireName::new(wire), separator);
}

fn survives(text: &str) {
    let wire = encode(text);
    assert!(wire.iter().all(|octet| (0x20..0x7f).contains(octet)));
    let back = decode(&wire);
    assert!(
        back.exact && back.text == text,
        "{text:?} became {:?}",
        back.text
    );
}

fn levels(wire: &WireName, separator: Option<char>) {
    let Some(name) = decode_name(wire, separator, NameEncoding::Utf7) else {
        assert!(wire.as_bytes().is_empty(), "a name without levels");
        return;
    };
    // An ampersand and a hyphen belong to the encoding: no server divides by them.
    if matches!(separator, Some('&' | '-')) {
        return;
    }
    let spelled = encode_name(&name, separator, NameEncoding::Utf7);
    let back = spelled.and_then(|wire| decode_name(&wire, separator, NameEncoding::Utf7));
    // The empty name has no octets.
    let is_empty = name.levels().len() == 1 && name.leaf().is_empty();
    let expected = (!is_empty && (separator.is_some() || name.levels().len() == 1)).then_some(name);
    assert_eq!(back, expected, "{wire:?}");
    if let Ok(text) = std::str::from_utf8(wire.as_bytes())
        && !text.contains(char::is_control)
    {
        as_utf8(text, separator);
    }
}

/// After ENABLE UTF8=ACCEPT a name is its text.
fn as_utf8(text: &str, separator: Option<char>) {
    let levels = match separator {
        Some(separator) => text.split(separator).map(str::to_owned).collect(),
        None => vec![text.to_owned()],
    };
    let wire = WireName::new(text);
    let decoded = decode_name(&wire, separator, NameEncoding::Utf8);
    let expected = MailboxName::new(levels).filter(|_| !text.is_empty());
    assert_eq!(decoded, expected, "{text:?}");
    // INBOX is one name however it is spelled; nothing else is changed.
    let back = decoded.and_then(|name| encode_name(&name, separator, NameEncoding::Utf8));
    assert!(
        back.is_none_or(|back| back.as_bytes().eq_ignore_ascii_case(text.as_bytes())),
        "{text:?}"
    );
}
