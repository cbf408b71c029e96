use super::*;
use proptest::prelude::*;

#[test]
fn names_of_the_rfc_and_of_japanese_mailboxes() {
    for (wire, text) in [
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
        ("&U9dP4TDIMOwwpA-", "受信トレイ"),
        ("Hello&-World", "Hello&World"),
        ("&-", "&"),
        ("&2D3eAA-", "😀"),
        ("&AGE-", "a"),
        ("Entw&APw-rfe", "Entwürfe"),
        ("&AAk-", "\t"),
        ("&MEswmQ-", "か\u{3099}"),
    ] {
        let decoded = decode(wire.as_bytes());
        assert_eq!(decoded.text, text);
        // `&AGE-` spells what could stand for itself: readable, but not by the rules.
        assert_eq!(decoded.exact, wire != "&AGE-", "{wire}");
        if decoded.exact {
            assert_eq!(encode(text), wire.as_bytes());
        }
    }
}

#[test]
fn a_spelling_against_the_rules_is_read_and_reported() {
    for (wire, text) in [
        (&b"&AC4-"[..], "."),
        (b"&ZeU-&Zyw-", "日本"),
        (b"&AC8-x", "/x"),
        ("raw 日本".as_bytes(), "raw 日本"),
        (b"caf\xe9 \x93", "caf\u{e9} \u{93}"),
    ] {
        assert_eq!(
            decode(wire),
            Decoded {
                text: text.to_owned(),
                exact: false
            }
        );
    }
}

#[test]
fn what_cannot_be_decoded_is_shown_as_it_is() {
    for wire in [
        "a & b",    // no shift at all
        "R&D",      // no end
        "&A-",      // less than a character
        "&AGEA-",   // filling bits that are a digit
        "&AGF-",    // filling bits that are not zero
        "&2D0-",    // half of a pair
        "&3gDYPQ-", // a pair the wrong way round
        "&U9d/-",   // the solidus of ordinary base64
        "&U9dPoTDIMMw=-",
        "&&&&",
    ] {
        let decoded = decode(wire.as_bytes());
        assert_eq!(decoded.text, wire);
        assert!(!decoded.exact, "{wire}");
    }
}

proptest! {
    #[test]
    fn every_text_survives(text in ".{0,40}") {
        let wire = encode(&text);
        prop_assert!(wire.iter().all(|b| (0x20..0x7f).contains(b)));
        prop_assert_eq!(decode(&wire), Decoded { text, exact: true });
    }

    #[test]
    fn no_octets_make_it_panic(wire in prop::collection::vec(any::<u8>(), 0..60)) {
        let decoded = decode(&wire);
        prop_assert_eq!(decoded.exact, encode(&decoded.text) == wire);
    }

    #[test]
    fn almost_encoded_names_do_not_make_it_panic(wire in "[&A-D2,+/=\\- ]{0,30}") {
        let decoded = decode(wire.as_bytes());
        prop_assert_eq!(decoded.exact, encode(&decoded.text) == wire.as_bytes());
    }
}
