use super::NameEncoding::{Utf7, Utf8};
use super::*;
use proptest::prelude::*;

fn decoded(wire: &[u8], separator: Option<char>, encoding: NameEncoding) -> Vec<String> {
    decode_name(&WireName::new(wire), separator, encoding)
        .map(|name| name.levels().to_vec())
        .unwrap_or_default()
}

#[test]
fn levels_are_divided_before_they_are_decoded() {
    assert_eq!(
        decoded(b"&U9dP4TDIMOwwpA-/&istsQmb4-", Some('/'), Utf7),
        ["受信トレイ", "請求書"]
    );
    assert_eq!(decoded(b"a&AC8-b/c", Some('/'), Utf7), ["a/b", "c"]);
    assert_eq!(decoded(b"INBOX.&AC4-x", Some('.'), Utf7), ["INBOX", ".x"]);
    // The comma belongs to the encoding here, and divides there.
    assert_eq!(decoded(b"&U,BTFw-,x", Some(','), Utf7), ["台北", "x"]);
    assert_eq!(decoded(b"a&b,c", Some(','), Utf7), ["a&b", "c"]);
    assert_eq!(decoded(b"a/b.c", None, Utf7), ["a/b.c"]);
    assert_eq!(decoded(b"a//b/", Some('/'), Utf7), ["a", "", "b", ""]);
    assert_eq!(decoded(b"inbox/x", Some('/'), Utf7), ["INBOX", "x"]);
    assert_eq!(decode_name(&WireName::new([]), Some('/'), Utf7), None);
}

#[test]
fn in_utf8_an_ampersand_is_an_ampersand() {
    assert_eq!(
        decoded("R&D/&U9dP-".as_bytes(), Some('/'), Utf8),
        ["R&D", "&U9dP-"]
    );
    assert_eq!(
        decoded("受信 & 😀".as_bytes(), Some('/'), Utf8),
        ["受信 & 😀"]
    );
    // Octets that are no UTF-8 in spite of it.
    assert_eq!(decoded(b"a/\xff", Some('/'), Utf8), ["a", "\u{ff}"]);
}

#[test]
fn a_name_that_a_server_cannot_spell_is_none() {
    let name = |levels: &[&str]| {
        MailboxName::new(levels.iter().map(|l| (*l).to_owned()).collect()).expect("levels")
    };
    assert_eq!(encode_name(&name(&["a", "b"]), None, Utf7), None);
    assert_eq!(encode_name(&name(&["a/b"]), Some('/'), Utf8), None);
    assert_eq!(encode_name(&name(&["a\r\nb"]), Some('/'), Utf8), None);
    assert_eq!(encode_name(&name(&[""]), Some('/'), Utf7), None);
    assert_eq!(
        encode_name(&name(&["a\r\nb", "c/d"]), Some('/'), Utf7),
        Some(WireName::new(&b"a&AA0ACg-b/c&AC8-d"[..]))
    );
}

proptest! {
    #[test]
    fn encoded_names_lead_back_to_their_levels(
        levels in prop::collection::vec("[ -~あ😀é/.,&\\-]{1,12}", 1..5),
        separator in prop::sample::select(vec!['/', '.', ',', '+', '\\']),
    ) {
        let name = MailboxName::new(levels).expect("levels");
        let wire = encode_name(&name, Some(separator), Utf7).expect("spelled");
        prop_assert!(wire.as_bytes().iter().all(|b| (0x20..0x7f).contains(b)));
        prop_assert_eq!(decode_name(&wire, Some(separator), Utf7), Some(name.clone()));
        if let Some(wire) = encode_name(&name, Some(separator), Utf8) {
            prop_assert_eq!(decode_name(&wire, Some(separator), Utf8), Some(name));
        }
    }

    #[test]
    fn no_octets_make_it_panic(
        wire in prop::collection::vec(any::<u8>(), 0..60),
        separator in prop::option::of(any::<char>()),
        utf8 in any::<bool>(),
    ) {
        let encoding = if utf8 { Utf8 } else { Utf7 };
        let name = decode_name(&WireName::new(wire.clone()), separator, encoding);
        prop_assert_eq!(name.is_none(), wire.is_empty());
    }
}
