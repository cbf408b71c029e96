use super::*;
use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, WINDOWS_1252};
use proptest::prelude::*;

fn octets(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (octets, _, lost) = encoding.encode(text);
    assert!(!lost, "{text}");
    octets.into_owned()
}

#[test]
fn encoded_words_as_they_occur() {
    for (value, text) in [
        ("=?utf-8?B?6KuL5rGC5pu4?=", "請求書"),
        ("=?ISO-2022-JP?B?GyRCQEE1YT1xGyhC?=", "請求書"),
        ("=?UTF-8?Q?=E8=AB=8B=E6=B1=82_2024?=", "請求 2024"),
        ("Re: =?utf-8?b?6KuL?= =?utf-8?b?5rGC?= end", "Re: 請求 end"),
        // A character cut in two by the end of a word, and a fold between them.
        ("=?utf-8?B?6KuL5rE=?=\r\n =?UTF-8?B?guabuA==?=", "請求書"),
        ("=?utf-8?Q?=E8=AB?= =?utf-8?Q?=8B?=", "請"),
        ("=?cp932?B?kL+LgY+R?=", "請求書"),
        ("=?iso-2022-jp-3?B?GyQoT0BBNWE9cRsoQg==?=", "請求書"),
        ("=?eucJP?Q?=C0=C1=B5=E1=BD=F1?=", "請求書"),
        ("=?x-sjis*ja?B?h0CHig==?=", "①㈱"),
        // Declared wrongly.
        ("=?us-ascii?B?kL+LgY+R?=", "請求書"),
        ("=?utf-8?B?kL+LgY+R?=", "請求書"),
        ("=?iso-8859-1?Q?Andr=E9?= Lemoine", "André Lemoine"),
        ("=?utf-7?Q?+istsQmb4-?=", "請求書"),
        ("a=?utf-8?q?b?=c", "abc"),
        ("=?utf-8?q?a b?=", "a b"),
        // No encoded words.
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?B?abc", "=?utf-8?B?abc"),
        ("1 =? 2", "1 =? 2"),
        ("=?no-such-set?Q?abc=E9?=", "abcé"),
        ("=?utf-8?B?=E?=", ""),
        ("  a\r\n\t b  ", "a b"),
        ("", ""),
    ] {
        assert_eq!(decode(value.as_bytes()), text, "{value}");
    }
}

#[test]
fn raw_octets_are_understood() {
    let text = "【重要】請求書のご送付につきまして（テスト）";
    for encoding in [SHIFT_JIS, EUC_JP, ISO_2022_JP, UTF_8] {
        assert_eq!(decode(&octets(encoding, text)), text, "{}", encoding.name());
    }
    for (encoding, text) in [
        (SHIFT_JIS, "Re: 表示 テスト"),
        (SHIFT_JIS, "会議の件"),
        (EUC_JP, "会議の件"),
        (ISO_2022_JP, "Re: =?件名 ①"),
        (WINDOWS_1252, "André Müller"),
    ] {
        assert_eq!(decode(&octets(encoding, text)), text, "{}", encoding.name());
    }
    // Nothing is lost where nothing is understood.
    assert_eq!(
        decode(b"ab\xff\xfe\xff c\x80\x80\xa0"),
        "ab\\xff\\xfe\\xff c\\x80\\x80\\xa0"
    );
}

#[test]
fn a_header_becomes_a_heading() {
    let mut header = b"Received: x\r\nDate: Tue, 5 Mar 2024 09:08:07 +0900\r\nFrom: \"=?utf-8?B?5bGx55Sw?=\" <taro@example.jp>\r\nSUBJECT: ".to_vec();
    header.extend(octets(SHIFT_JIS, "会議の件"));
    header.extend(b"\r\nMessage-ID: <1@example.jp>\r\nSubject: second\r\n\r\nSubject: body\r\n");
    assert_eq!(
        Heading::of(&header),
        Heading {
            subject: Some("会議の件".into()),
            from: Some("\"山田\" <taro@example.jp>".into()),
            date: Some("2024-03-05T09:08:07+09:00".into()),
            message_id: Some("<1@example.jp>".into()),
        }
    );
    assert_eq!(
        Heading::of(b"Subject: \r\nDate: gestern\r\n"),
        Heading {
            date: Some("gestern".into()),
            ..Heading::default()
        }
    );
    assert_eq!(Heading::of(b""), Heading::default());
}

#[test]
fn long_texts_are_cut() {
    let long = decode("あ".repeat(100_000).as_bytes());
    assert_eq!(long.chars().count(), LONGEST + 1);
}

proptest! {
    #[test]
    fn any_octets_have_a_heading(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        Heading::of(&octets);
        decode(&octets);
    }

    #[test]
    fn any_encoded_word_is_read(label in "[a-z0-9-]{0,12}", body in prop::collection::vec(prop::sample::select(b"ABab12+/=_?\x1b$( ".to_vec()), 0..60), kind in "[bqBQx]") {
        let mut value = format!("=?{label}?{kind}?").into_bytes();
        value.extend(body);
        value.extend(b"?=");
        decode(&value);
    }

    #[test]
    fn japanese_in_any_encoding_comes_back(text in "[ぁ-んァ-ヶ一-十亜-熙A-Za-z0-9 ]{4,20}") {
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let (sjis, _, lost) = SHIFT_JIS.encode(&text);
        prop_assume!(!lost);
        let word = format!("=?shift_jis?B?{}?=", base64_of(&sjis));
        prop_assert_eq!(decode(word.as_bytes()), text);
    }
}

fn base64_of(octets: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(octets)
}
