//! Messages on their way out, and the gate before their octets.

use super::*;

fn append(messages: Vec<AppendMessage>, style: Style) -> String {
    let command = Command::Append(Append {
        mailbox: name("Drafts"),
        messages,
    });
    wire_of(&command, style).expect("encoded")
}

#[test]
fn an_append_ends_with_its_commit() {
    assert_eq!(
        append(vec![message("\\Seen $Label1", 310)], plus()),
        "h7 APPEND \"Drafts\" (\\Seen $Label1) \"14-Nov-2023 22:13:20 +0000\" {310+}\r\n<body 0: 310><commit>"
    );
    let bare = AppendMessage {
        date: None,
        ..message("", 0)
    };
    assert_eq!(
        append(vec![bare], style()),
        "h7 APPEND \"Drafts\" {0}\r\n<wait><body 0: 0><commit>"
    );
}

#[test]
fn several_messages_share_one_commit() {
    assert_eq!(
        append(vec![message("", 10), message("\\Draft", 5000)], plus()),
        "h7 APPEND \"Drafts\" \"14-Nov-2023 22:13:20 +0000\" {10+}\r\n<body 0: 10> (\\Draft) \"14-Nov-2023 22:13:20 +0000\" {5000+}\r\n<body 1: 5000><commit>"
    );
}

#[test]
fn literal_minus_waits_above_its_limit() {
    let minus = Style {
        literals: LiteralMode::Minus,
        utf8: false,
    };
    assert!(append(vec![message("", 4096)], minus).contains("{4096+}\r\n<body"));
    assert!(append(vec![message("", 4097)], minus).contains("{4097}\r\n<wait><body"));
}

#[test]
fn a_message_with_utf8_headers_is_a_literal8_in_parentheses() {
    let utf8 = AppendMessage {
        utf8: true,
        ..message("", 9)
    };
    assert_eq!(
        append(vec![utf8.clone(), utf8], plus()),
        "h7 APPEND \"Drafts\" \"14-Nov-2023 22:13:20 +0000\" UTF8 (~{9+}\r\n<body 0: 9>) \"14-Nov-2023 22:13:20 +0000\" UTF8 (~{9+}\r\n<body 1: 9>)<commit>"
    );
}

#[test]
fn the_gate_lets_only_proven_words_pass_without_waiting() {
    let long = "k".repeat(51);
    for (flags, seconds, mailbox, passes) in [
        (
            "\\Seen \\Draft $Forwarded NonJunk label-1",
            1_700_000_000,
            "Drafts",
            true,
        ),
        ("", 31_536_000, "&U9dP4TDIMOwwpA-", true),
        ("", 2_145_916_799, "a \"b\\ c", true),
        ("", 31_535_999, "Drafts", false),
        ("", 2_145_916_800, "Drafts", false),
        ("a[b", 1_700_000_000, "Drafts", false),
        (&long, 1_700_000_000, "Drafts", false),
        ("", 1_700_000_000, "日本", false),
        ("", 1_700_000_000, "a\r\nb", false),
        ("", 1_700_000_000, "a\tb", false),
        ("", 1_700_000_000, "", false),
    ] {
        let flags = wire_flags(flags);
        let date = date(seconds);
        let mailbox = name(mailbox);
        assert_eq!(
            is_safe_without_waiting(plus(), &mailbox, &flags, Some(&date)),
            passes,
            "{flags:?} {seconds} {mailbox:?}"
        );
        let command = Command::Append(Append {
            mailbox,
            messages: vec![AppendMessage {
                flags,
                date: Some(date),
                octets: 5,
                utf8: false,
                wait: false,
            }],
        });
        let encoded = command.encode(TAG, plus()).expect("encoded");
        assert_eq!(encoded.is_immediate(), passes, "{encoded:?}");
    }
    let utf8 = Style {
        utf8: true,
        ..plus()
    };
    let none = WireFlags::default();
    assert!(is_safe_without_waiting(utf8, &name("日本"), &none, None));
    assert!(!is_safe_without_waiting(
        utf8,
        &name("日\u{85}本"),
        &none,
        None
    ));
    let patient = AppendMessage {
        wait: true,
        ..message("", 5)
    };
    assert!(append(vec![patient], plus()).contains("{5}\r\n<wait>"));
}

#[test]
fn keywords_that_no_command_can_name_are_reported_as_lost() {
    let mut flags = Flags::parse("\\Seen ok $also");
    for odd in [
        "a(b",
        "日本",
        "a b",
        "x]",
        "per%cent",
        "sta*r",
        "quo\"te",
        "back\\slash",
        "a\r\nb",
        "\u{7f}",
    ] {
        flags.set_keyword(Keyword::new(odd));
    }
    let (kept, lost) = WireFlags::divide(&flags);
    assert_eq!(kept.flags(), &Flags::parse("\\Seen ok $also"));
    assert_eq!(lost.keywords().count(), 10);
    assert_eq!(kept.flags().or(&lost), flags);
}

#[test]
fn dates_are_written_for_every_server() {
    let written = |seconds, offset_minutes| {
        WireDate::new(InternalDate {
            seconds,
            offset_minutes,
        })
        .map(WireDate::to_text)
    };
    assert_eq!(
        written(837_596_665, -420).as_deref(),
        Some("17-Jul-1996 02:44:25 -0700")
    );
    assert_eq!(written(0, 0).as_deref(), Some("01-Jan-1970 00:00:00 +0000"));
    assert_eq!(
        written(0, 540).as_deref(),
        Some("01-Jan-1970 09:00:00 +0900")
    );
    // No place is 23 hours off; the moment stays.
    assert_eq!(
        written(0, 1439).as_deref(),
        Some("01-Jan-1970 00:00:00 +0000")
    );
    for out_of_reach in [i64::MIN, i64::MAX, -62_135_596_801, 253_402_300_800] {
        assert_eq!(written(out_of_reach, 0), None, "{out_of_reach}");
    }
}
