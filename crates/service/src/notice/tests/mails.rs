//! The octets of a mail.

use super::*;
use crate::brand::{Brands, Words};
use crate::notice::message::{message, recipient};
use crate::notice::{Links, NoticeKind, letter};
use hikyaku_ledger::service::Letter;
use lettre::message::Mailbox;
use mail_parser::{HeaderValue, MessageParser};

fn row(brand: &Brand, job: &Job, kind: NoticeKind) -> Letter {
    let links = Links::new("https://copy.example.jp");
    Letter {
        number: 1,
        letter: letter(brand, job, kind, "1", &links).expect("this kind is wanted"),
        created: NOW,
        tries: 1,
        sent: 0,
        ended: 0,
        code: String::new(),
    }
}

fn source(brand: Brand, letter: &Letter) -> Result<String, &'static str> {
    let sender: Mailbox = "noreply@example.jp".parse().unwrap();
    let mail = message(letter, &Brands::of(vec![brand]), Some(&sender));
    let octets = mail.map_err(|e| e.0)?.formatted();
    Ok(String::from_utf8(octets).expect("a mail of encoded words is ASCII"))
}

#[test]
fn a_mail_has_every_header_that_it_needs_and_says_what_was_rendered() {
    let letter = row(&cpi(), &job("ja"), NoticeKind::Success);
    let text = source(cpi(), &letter).unwrap();
    assert!(text.is_ascii());
    let head = text.split("\r\n\r\n").next().unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split(':').next())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "List-Id",
            "MIME-Version",
            "Message-ID",
            "Subject",
            "To",
        ]
    );
    assert!(
        head.contains("Auto-Submitted: auto-generated\r\n"),
        "{head}"
    );
    assert!(
        head.contains("List-Id: <cpi.notices.cpi.example.jp>\r\n"),
        "{head}"
    );
    assert!(
        head.contains("Date: Sun, 22 Nov 2026 06:00:00 +0000\r\n"),
        "{head}"
    );
    assert!(
        head.contains("From: CPI <noreply@cpi.example.jp>\r\n"),
        "{head}"
    );
    assert!(head.contains("To: hanako@example.com\r\n"), "{head}");
    let parsed = MessageParser::default().parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some(letter.letter.subject.as_str()));
    let id = letter.letter.message_id.trim_matches(['<', '>']);
    assert_eq!(parsed.message_id(), Some(id));
    assert!(
        id.ends_with("@copy.example.jp") && !id.contains("0000"),
        "{id}"
    );
    let body = parsed.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(body.trim_end(), letter.letter.body.trim_end());
    assert!(matches!(
        parsed.header("Content-Type"),
        Some(HeaderValue::ContentType(t)) if t.ctype() == "text" && t.subtype() == Some("plain")
            && t.attribute("charset").is_some_and(|c| c.eq_ignore_ascii_case("utf-8"))
    ));
    assert_eq!(
        source(cpi(), &letter).unwrap(),
        text,
        "every try sends the same octets"
    );
}

#[test]
fn one_key_is_one_mail_and_another_key_another_one() {
    let links = Links::new("http://127.0.0.1:8080");
    let id = |job: &Job, kind, key| {
        let letter = letter(&Brand::builtin(), job, kind, key, &links).unwrap();
        letter.message_id
    };
    let first = id(&job("ja"), NoticeKind::Waiting, "1");
    assert!(first.ends_with("@127.0.0.1>"), "{first}");
    assert_eq!(id(&job("en"), NoticeKind::Waiting, "1"), first);
    assert_ne!(id(&job("ja"), NoticeKind::Waiting, "2"), first);
    assert_ne!(id(&job("ja"), NoticeKind::Success, "1"), first);
    let other = Job {
        id: JobId(8),
        ..job("ja")
    };
    assert_ne!(id(&other, NoticeKind::Waiting, "1"), first);
}

#[test]
fn that_an_order_was_received_is_told_only_where_the_brand_wants_it() {
    let links = Links::new("https://copy.example.jp");
    let mut brand = Brand::builtin();
    let accepted = |brand: &Brand| letter(brand, &job("ja"), NoticeKind::Accepted, "1", &links);
    assert_eq!(accepted(&brand), None);
    brand.notices.accepted = true;
    assert_eq!(
        accepted(&brand).map(|letter| letter.kind),
        Some("accepted".into())
    );
}

/// What a person typed as ⑤, and what an operator named the brand, may be anything.
#[test]
fn hostile_addresses_and_names_add_no_header_and_no_recipient() {
    let plain = source(
        Brand::builtin(),
        &row(&Brand::builtin(), &job("ja"), NoticeKind::Success),
    );
    let count = |text: &str| {
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.split("\r\n");
        lines.filter(|line| !line.starts_with([' ', '\t'])).count()
    };
    let headers = count(&plain.unwrap());
    for (to, sent_to) in [
        ("hanako@example.com", Some("hanako@example.com")),
        (" hanako@example.com ", Some("hanako@example.com")),
        ("花子@example.com", Some("花子@example.com")),
        ("hanako@例え.jp", Some("hanako@xn--r8jz45g.jp")),
        ("hanako@example.com\r\nBcc: victim@example.com", None),
        ("hanako@example.com\nRCPT TO:<victim@example.com>", None),
        ("hanako@example.com>,<victim@example.com", None),
        ("hanako@example.com, victim@example.com", None),
        ("\"a\r\nb\"@example.com", None),
        ("hanako", None),
        ("@example.com", None),
        ("hanako@", None),
        ("", None),
    ] {
        assert_eq!(
            recipient(to).map(|a| a.to_string()).as_deref(),
            sent_to,
            "{to:?}"
        );
        let mut brand = Brand::builtin();
        brand.name = Words::from("名前 \"x\"\r\nX-Evil: 1\u{202e}");
        let mut hostile = job("ja");
        hostile.order.notify = to.into();
        let letter = row(&brand, &hostile, NoticeKind::Success);
        let text = source(brand, &letter);
        match sent_to {
            None => assert_eq!(text, Err("address"), "{to:?}"),
            Some(_) => {
                let text = text.unwrap_or_else(|why| panic!("{to:?}: {why}"));
                assert_eq!(count(&text), headers, "{text}");
                assert!(!text.contains("\nX-Evil"), "{text}");
            }
        }
    }
}

#[test]
fn a_brand_without_a_sender_uses_the_configured_one_under_its_own_name() {
    let letter = row(&Brand::builtin(), &job("en"), NoticeKind::Success);
    let text = source(Brand::builtin(), &letter).unwrap();
    assert!(
        text.contains("From: hikyaku <noreply@example.jp>\r\n"),
        "{text}"
    );
    assert!(
        text.contains("List-Id: <hikyaku.notices.example.jp>\r\n"),
        "{text}"
    );
}
