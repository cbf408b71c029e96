//! FETCH rows, proper and odd.

use super::*;
use crate::response::{Content, MessageIds, SectionKind};
use bytes::Bytes;
use hikyaku_core::{Flags, InternalDate};

fn held(octets: &'static [u8]) -> Option<Content> {
    Some(Content::Held(Bytes::from_static(octets)))
}

#[test]
fn a_proper_row_is_read_completely() {
    // What looks like items inside the literal is content.
    let found = row(
        "* 23 FETCH (UID 4827313 FLAGS (\\Seen $Label1) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" \
         RFC822.SIZE 44827 MODSEQ (12121231000) BODY[] {15}\r\nUID 9 FLAGS )\r\n)",
    );
    assert_eq!(found.body().cloned(), held(b"UID 9 FLAGS )\r\n"));
    assert_eq!(
        found,
        FetchRow {
            number: 23,
            uid: Some(Key(4_827_313)),
            flags: Some(Flags::parse("\\Seen $Label1")),
            date: Some(InternalDate {
                seconds: 837_596_665,
                offset_minutes: -420
            }),
            octets: Some(44_827),
            modseq: Some(12_121_231_000),
            sections: found.sections.clone(),
            ids: None,
            skipped: 0,
            complete: true,
        }
    );
}

/// The row of a line that gives UID 5 and the flag \Seen beside something odd; and how
/// many items were passed over.
fn beside(odd: &str) -> (FetchRow, u32) {
    let found = row(format!("* 1 FETCH (UID 5 {odd} FLAGS (\\Seen))"));
    assert_eq!(found.uid, Some(Key(5)), "{odd}");
    assert_eq!(found.flags, Some(Flags::parse("\\Seen")), "{odd}");
    assert!(found.complete, "{odd}");
    let skipped = found.skipped;
    (found, skipped)
}

#[test]
fn unknown_items_are_passed_over_with_all_their_value() {
    for odd in [
        "X-NEW 5",
        "X-NEW atom",
        "X-NEW NIL",
        "X-NEW \"a ) b \\\" (\"",
        "X-NEW (a (b \"c)\" {3}\r\n)))) NIL)",
        "X-NEW {5}\r\nUID 9",
        "X-NEW ~{5}\r\nUID 9",
        "X-NEW[1.2 (A \"]\")]<5> \"x\"",
        "X-NEW ()",
        "X-NO-VALUE",
        "(a b)",
        "\"stray\"",
        "{3}\r\nabc",
    ] {
        let (found, skipped) = beside(odd);
        assert_eq!(skipped, 1, "{odd}");
        assert!(found.sections.is_empty(), "{odd}");
    }
}

#[test]
fn known_items_that_nobody_asked_for_are_passed_over() {
    for odd in [
        "ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 \\\"WG\\\" mtg\" ((\"T\" NIL \"g\" \"c.e\")) NIL NIL NIL ((NIL NIL {4}\r\nimap \"c\")) NIL NIL \"<B@c>\")",
        "BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)(\"TEXT\" \"PLAIN\" NIL NIL NIL \"BASE64\" 4554 73) \"MIXED\")",
        "BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 3028 92)",
        "BINARY.SIZE[1] 55",
        "SAVEDATE NIL",
        "SAVEDATE \"17-Jul-1996 02:44:25 -0700\"",
        "PREVIEW \"Hello\"",
        "PREVIEW {5}\r\nHello",
    ] {
        let (found, skipped) = beside(odd);
        assert_eq!(skipped, 0, "{odd}");
        assert!(found.sections.is_empty(), "{odd}");
    }
}

#[test]
fn a_known_item_with_an_unreadable_value_costs_only_itself() {
    for odd in [
        "RFC822.SIZE -1",
        "RFC822.SIZE 99999999999999999999999",
        "RFC822.SIZE NIL",
        "RFC822.SIZE (5)",
        "RFC822.SIZE 12x",
        "INTERNALDATE \"yesterday\"",
        "INTERNALDATE \"30-Feb-2020 00:00:00 +0000\"",
        "INTERNALDATE 5",
        "MODSEQ (x)",
        "MODSEQ ()",
        "X-GM-MSGID abc",
        "X-GM-LABELS abc",
        "BODY[] abc",
        "BODY[] (\"x\")",
        "RFC822 (x)",
        "EMAILID ()",
    ] {
        let (found, skipped) = beside(odd);
        assert_eq!(skipped, 1, "{odd}");
        assert_eq!(
            (found.octets, found.date, found.modseq),
            (None, None, None),
            "{odd}"
        );
        assert!(found.sections.is_empty(), "{odd}");
    }
    let found = row("* 1 FETCH (UID 0 FLAGS FLAGS (\\Seen))");
    assert_eq!((found.uid, found.skipped), (None, 2));
    assert_eq!(found.flags, Some(Flags::parse("\\Seen")));
}

#[test]
fn a_text_that_ends_elsewhere_than_it_said_makes_the_row_incomplete() {
    for (line, complete) in [
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc)", true),
        ("* 1 FETCH (BODY[] {3}\r\nabc UID 5)", true),
        ("* 1 FETCH (BODY[] {3}\r\nabc UID 5  FLAGS () ) ", true),
        (
            "* 1 FETCH (BODY[HEADER] {3}\r\nabc BODY[] {3}\r\nabc UID 5)",
            true,
        ),
        // Before a text, a lie about it can do nothing.
        (
            "* 1 FETCH (UID 5 FLAGS () FLAGS () X y BODY[] {3}\r\nabc)",
            true,
        ),
        // The blank, or the beginning of the next row, is in the text.
        ("* 1 FETCH (BODY[] {4}\r\nabc UID 5)", false),
        (
            "* 1 FETCH (UID 5 BODY[] {17}\r\nabc)\r\n* 2 FETCH (UID 6 BODY[] {3}\r\nabc)",
            false,
        ),
        (
            "* 1 FETCH (UID 5 FLAGS () BODY[] {28}\r\nabc)\r\n* 2 FETCH (UID 6 FLAGS () BODY[] {3}\r\nabc)",
            false,
        ),
        (
            "* 1 FETCH (UID 5 BODY[] {23}\r\nabc)\r\n* 2 FETCH (UID 6 BODY[] {3}\r\nabc)",
            false,
        ),
        (
            "* 1 FETCH (UID 5 BODY[] {17}\r\nabc)\r\n* 2 FETCH (FLAGS ()))",
            false,
        ),
        // The end of the text is left behind.
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabcdef)", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc\"def\")", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc )", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc))", false),
        ("* 1 FETCH (BODY[] {3}\r\nabc  UID 5)", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc word)", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc (a b))", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nabc RFC822.SIZE x)", false),
        ("* 1 FETCH (UID 5 BODY[] {3}\r\nab)", false),
    ] {
        let found = row(line);
        assert_eq!(
            (found.uid, found.complete),
            (Some(Key(5)), complete),
            "{line}"
        );
    }
}

#[test]
fn odd_spacing_is_no_obstacle() {
    for line in [
        "* 1 FETCH (UID 5 FLAGS (\\Seen))",
        "* 1 FETCH (UID 5  FLAGS  ( \\Seen ) )",
        "* 1 FETCH (UID 5 FLAGS (\\Seen) )",
        "* 1 FETCH (UID 5 FLAGS (\\Seen)) ",
        "* 1 FETCH ( UID 5 FLAGS(\\Seen))",
        "*  1  FETCH(UID 5 FLAGS (\\Seen))",
        "* 1 fetch (uid 5 flags (\\SEEN))",
    ] {
        let found = row(line);
        assert_eq!(
            (
                found.number,
                found.uid,
                found.flags,
                found.skipped,
                found.complete
            ),
            (1, Some(Key(5)), Some(Flags::parse("\\Seen")), 0, true),
            "{line}"
        );
    }
    let empty = row("* 7 FETCH ()");
    assert_eq!((empty.number, empty.complete, empty.skipped), (7, true, 0));
    // One parenthesis too many does not hide the rest.
    let found = row("* 1 FETCH (FLAGS (\\Seen)) UID 5)");
    assert_eq!((found.uid, found.complete), (Some(Key(5)), true));
}

#[test]
fn a_row_that_breaks_off_keeps_what_it_had() {
    for (line, uid) in [
        ("* 1 FETCH (UID 5 FLAGS (\\Seen", Some(Key(5))),
        ("* 1 FETCH (UID 5", Some(Key(5))),
        ("* 1 FETCH (UID", None),
        ("* 1 FETCH (", None),
        ("* 1 FETCH", None),
        ("* 1 FETCH (UID 5 BODY[", Some(Key(5))),
        ("* 1 FETCH (UID 5 BODY[] \"never closed", Some(Key(5))),
    ] {
        let found = row(line);
        assert_eq!((found.uid, found.complete), (uid, false), "{line}");
        assert_eq!(found.flags, None, "{line}");
    }
}

#[test]
fn flags_may_be_anything_that_somebody_made_a_keyword_of() {
    for (list, flags) in [
        ("()", ""),
        ("NIL", ""),
        ("(\\Recent \\Seen \\XYZ \\*)", "\\Seen"),
        (
            "(\\seen \\ANSWERED $MDNSent NonJunk)",
            "\\Seen \\Answered $MDNSent NonJunk",
        ),
        (
            "(a[b] c] [d *x %y \"q\" back\\slash {z})",
            "a[b] c] [d *x %y \"q\" back\\slash {z}",
        ),
        ("(日本 café)", "日本 café"),
        ("(a(b)", "a(b"),
    ] {
        let found = row(format!("* 1 FETCH (FLAGS {list} UID 5)"));
        assert_eq!(found.flags, Some(Flags::parse(flags)), "{list}");
        assert_eq!((found.uid, found.skipped), (Some(Key(5)), 0), "{list}");
    }
    let found = row(b"* 1 FETCH (FLAGS (\\Seen \xff\xfe) UID 5)");
    assert_eq!(found.flags, Some(Flags::parse("\\Seen \u{fffd}\u{fffd}")));
}

#[test]
fn flags_without_end_are_cut_and_counted() {
    let many: Vec<String> = (0..5000).map(|n| format!("k{n}")).collect();
    let found = row(format!("* 1 FETCH (FLAGS ({}) UID 5)", many.join(" ")));
    assert_eq!((found.uid, found.skipped), (Some(Key(5)), 1));
    assert_eq!(found.flags.map(|f| f.keywords().count()), Some(4096));
}

#[test]
fn sections_are_told_apart() {
    for (item, kind, origin, content) in [
        ("BODY[] {3}\r\nabc", SectionKind::Whole, None, held(b"abc")),
        ("BODY[] {0}\r\n", SectionKind::Whole, None, held(b"")),
        ("BODY[] \"\"", SectionKind::Whole, None, held(b"")),
        (
            "BODY[] \"a\\\"b\\\\c\"",
            SectionKind::Whole,
            None,
            held(b"a\"b\\c"),
        ),
        ("BODY[] NIL", SectionKind::Whole, None, Some(Content::Nil)),
        (
            "body[] ~{3}\r\na\0c",
            SectionKind::Whole,
            None,
            held(b"a\0c"),
        ),
        ("BODY[]{3}\r\nabc", SectionKind::Whole, None, held(b"abc")),
        ("RFC822 {3}\r\nabc", SectionKind::Whole, None, held(b"abc")),
        (
            "BINARY[] ~{2}\r\n\0\n",
            SectionKind::Whole,
            None,
            held(b"\0\n"),
        ),
        (
            "BODY[]<1000> {2}\r\nab",
            SectionKind::Whole,
            Some(1000),
            held(b"ab"),
        ),
        (
            "BODY[HEADER] {2}\r\n\r\n",
            SectionKind::Header,
            None,
            held(b"\r\n"),
        ),
        (
            "RFC822.HEADER {2}\r\n\r\n",
            SectionKind::Header,
            None,
            held(b"\r\n"),
        ),
        ("BODY[TEXT] \"x\"", SectionKind::Text, None, held(b"x")),
        ("RFC822.TEXT \"x\"", SectionKind::Text, None, held(b"x")),
        (
            "BODY[HEADER.FIELDS (MESSAGE-ID \"DA]TE\")] {2}\r\n\r\n",
            SectionKind::HeaderFields(Bytes::from_static(b" (MESSAGE-ID \"DA]TE\")")),
            None,
            held(b"\r\n"),
        ),
        (
            "BODY[HEADER.FIELDS ({4}\r\nA] B)] {2}\r\n\r\n",
            SectionKind::HeaderFields(Bytes::from_static(b" ({4}\r\nA] B)")),
            None,
            held(b"\r\n"),
        ),
        (
            "BODY[1.2.MIME] \"x\"",
            SectionKind::Other(Bytes::from_static(b"1.2.MIME")),
            None,
            held(b"x"),
        ),
        (
            "BODY[HEADER.FIELDS.NOT (A)] \"x\"",
            SectionKind::Other(Bytes::from_static(b"HEADER.FIELDS.NOT (A)")),
            None,
            held(b"x"),
        ),
    ] {
        let found = row(format!("* 1 FETCH ({item} UID 5)"));
        assert_eq!(
            (found.uid, found.skipped, found.complete),
            (Some(Key(5)), 0, true),
            "{item}"
        );
        let section = &found.sections[0];
        assert_eq!((&section.kind, section.origin), (&kind, origin), "{item}");
        assert_eq!(found.section(&kind).cloned(), content, "{item}");
    }
}

#[test]
fn identifiers_of_gmail_and_of_objectid_are_read() {
    let labels = |labels: &[&'static str]| {
        Some(
            labels
                .iter()
                .map(|&l| Bytes::from_static(l.as_bytes()))
                .collect(),
        )
    };
    for (items, ids) in [
        (
            "X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 X-GM-LABELS (\"\\\\Inbox\" \\Sent Important \"Muy Importante\" {5}\r\na ) b &MEI-)",
            MessageIds {
                gmail_message: Some(1_278_455_344_230_334_866),
                gmail_thread: Some(1_278_455_344_230_334_865),
                gmail_labels: labels(&[
                    "\\Inbox",
                    "\\Sent",
                    "Important",
                    "Muy Importante",
                    "a ) b",
                    "&MEI-",
                ]),
                ..MessageIds::default()
            },
        ),
        (
            "X-GM-LABELS ()",
            MessageIds {
                gmail_labels: labels(&[]),
                ..MessageIds::default()
            },
        ),
        (
            "EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9)",
            MessageIds {
                email_id: Some("M6d99ac3275bb4e".to_owned()),
                thread_id: Some("T64b478a75b7ea9".to_owned()),
                ..MessageIds::default()
            },
        ),
        ("THREADID (NIL)", MessageIds::default()),
        ("THREADID NIL", MessageIds::default()),
    ] {
        let found = row(format!("* 1 FETCH ({items} UID 5)"));
        assert_eq!((found.uid, found.skipped), (Some(Key(5)), 0), "{items}");
        assert_eq!(found.ids.as_deref(), Some(&ids), "{items}");
    }
}

#[test]
fn modseq_and_size_take_what_servers_send() {
    for (item, modseq, octets) in [
        ("MODSEQ (0)", Some(0), None),
        ("MODSEQ ( 624140003 )", Some(624_140_003), None),
        ("MODSEQ 5", Some(5), None),
        ("RFC822.SIZE 5368709120", None, Some(5_368_709_120)),
        ("RFC822.SIZE 0", None, Some(0)),
    ] {
        let (found, skipped) = beside(item);
        assert_eq!(
            (found.modseq, found.octets, skipped),
            (modseq, octets, 0),
            "{item}"
        );
    }
}

#[test]
fn dates_are_read_as_servers_write_them() {
    let date = |seconds, offset_minutes| {
        Some(InternalDate {
            seconds,
            offset_minutes,
        })
    };
    for (text, expected) in [
        ("17-Jul-1996 02:44:25 -0700", date(837_596_665, -420)),
        (" 9-Mar-2003 10:00:00 +0900", date(1_047_171_600, 540)),
        ("09-Mar-2003 10:00:00 +0900", date(1_047_171_600, 540)),
        ("9-Mar-2003 10:00:00 +0900", date(1_047_171_600, 540)),
        ("9-mar-2003 10:00:00  +0900", date(1_047_171_600, 540)),
        ("09-MAR-2003 01:00:00 GMT", date(1_047_171_600, 0)),
        ("09-Mar-2003 01:00:00", date(1_047_171_600, 0)),
        ("31-Dec-1969 23:59:59 +0000", date(-1, 0)),
        ("29-Feb-2000 12:00:60 +0000", date(951_825_660, 0)),
        ("31-Dec-2049 23:59:00 -1200", date(2_524_651_140, -720)),
        ("00-Jan-1900 00:00:00 +0000", None),
        ("29-Feb-2001 00:00:00 +0000", None),
        ("01-Foo-2001 00:00:00 +0000", None),
        ("01-Jan-01 00:00:00 +0000", None),
        ("001-Jan-2001 00:00:00 +0000", None),
        ("01-Jan-2001 24:00:00 +0000", None),
        ("01-Jan-2001 00:00 +0000", None),
        ("01-Jan-2001 00:00:00 +2400", None),
        ("09-Mar-2003 10:00:00 +0860", date(1_047_171_600, 540)),
        ("01-Jan-2001 00:00:00 0900", None),
        ("01-Jan-2001 00:00:00 JST", None),
        ("99999999999999999999-Jan-2001 00:00:00 +0000", None),
        ("", None),
        ("--", None),
    ] {
        let found = row(format!("* 1 FETCH (INTERNALDATE \"{text}\" UID 5)"));
        assert_eq!(found.date, expected, "{text}");
        assert_eq!(found.uid, Some(Key(5)), "{text}");
    }
}

#[test]
fn nesting_without_end_stops_the_row_and_keeps_what_came_before() {
    let deep = "(".repeat(100_000);
    let found = row(format!("* 1 FETCH (UID 5 X {deep}"));
    assert_eq!((found.uid, found.complete), (Some(Key(5)), false));
    let allowed = format!("{}{}", "(".repeat(64), ")".repeat(64));
    let (_, skipped) = beside(&format!("X {allowed}"));
    assert_eq!(skipped, 1);
}

#[test]
fn what_precedes_a_streamed_body_is_known_before_it() {
    let limits = FrameLimits {
        held: 3,
        ..FrameLimits::default()
    };
    let mut framer = Framer::new(limits);
    framer.push(
        &b"* 9 FETCH (UID 5 FLAGS (\\Seen) BODY[HEADER] {2}\r\nab BODY[] {4}\r\n(UID MODSEQ (7))\r\n"[..],
    );
    let Ok(Some(Frame::LiteralStart { head, octets: 4 })) = framer.next() else {
        panic!("no literal");
    };
    let Response::Fetch(before) = parse(&head) else {
        panic!("no row");
    };
    assert_eq!(
        (before.number, before.uid, before.modseq),
        (9, Some(Key(5)), None)
    );
    assert_eq!(before.flags, Some(Flags::parse("\\Seen")));
    assert_eq!(before.body(), Some(&Content::Streamed(4)));
    assert!(!before.complete);
    assert_eq!(
        framer.next(),
        Ok(Some(Frame::LiteralChunk(Bytes::from_static(b"(UID"))))
    );
    assert_eq!(framer.next(), Ok(Some(Frame::LiteralEnd)));
    let Ok(Some(Frame::Response(raw))) = framer.next() else {
        panic!("no skeleton");
    };
    let Response::Fetch(after) = parse(&raw) else {
        panic!("no row");
    };
    assert_eq!(
        after,
        FetchRow {
            modseq: Some(7),
            complete: true,
            ..before
        }
    );
    assert_eq!(after.section(&SectionKind::Header).cloned(), held(b"ab"));
}

#[test]
fn a_streamed_literal_of_another_response_is_no_row() {
    let limits = FrameLimits {
        held: 3,
        ..FrameLimits::default()
    };
    for (line, unknown) in [
        (&b"* LIST () \"/\" {4}\r\nabcd\r\n"[..], true),
        (b"* 1 FETCH (INTERNALDATE {4}\r\nabcd UID 5)\r\n", false),
        (b"* 1 FETCH (X-NEW {4}\r\nabcd UID 5)\r\n", false),
    ] {
        let mut framer = Framer::new(limits);
        framer.push(line);
        let Ok(Some(Frame::LiteralStart { head, .. })) = framer.next() else {
            panic!("no literal");
        };
        assert_eq!(!matches!(parse(&head), Response::Fetch(_)), unknown);
        let last = std::iter::from_fn(|| framer.next().ok().flatten()).last();
        let Some(Frame::Response(raw)) = last else {
            panic!("no skeleton");
        };
        match parse(&raw) {
            Response::Fetch(row) => assert_eq!((row.uid, row.skipped), (Some(Key(5)), 1)),
            other => assert!(unknown, "{other:?}"),
        }
    }
}
