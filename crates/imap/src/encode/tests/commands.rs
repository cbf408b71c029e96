//! What commands look like.

use super::*;

/// Every command with what it has to look like.
fn table() -> Vec<(Command, &'static str)> {
    let qresync = Qresync {
        epoch: Epoch(67_890_007),
        modseq: 90_060_115_194_045_000,
        known: None,
    };
    vec![
        (Command::Capability, "CAPABILITY"),
        (Command::Noop, "NOOP"),
        (Command::Logout, "LOGOUT"),
        (Command::StartTls, "STARTTLS"),
        (Command::Compress, "COMPRESS DEFLATE"),
        (Command::Namespace, "NAMESPACE"),
        (Command::Unselect, "UNSELECT"),
        (Command::Id(Vec::new()), "ID NIL"),
        (
            Command::Id(vec![
                ("name", "hikyaku".to_owned()),
                ("version", "0.1".to_owned()),
            ]),
            r#"ID ("name" "hikyaku" "version" "0.1")"#,
        ),
        (
            Command::Enable(vec![Extension::Qresync, Extension::Utf8Accept]),
            "ENABLE QRESYNC UTF8=ACCEPT",
        ),
        (
            Command::Enable(vec![Extension::Condstore, Extension::Imap4Rev2]),
            "ENABLE CONDSTORE IMAP4rev2",
        ),
        (
            Command::Authenticate {
                mechanism: "PLAIN".to_owned(),
                initial: Some(Secret::from("\0test\0test")),
            },
            "AUTHENTICATE PLAIN AHRlc3QAdGVzdA==",
        ),
        (
            Command::Authenticate {
                mechanism: "EXTERNAL".to_owned(),
                initial: Some(Secret::from("")),
            },
            "AUTHENTICATE EXTERNAL =",
        ),
        (
            Command::Authenticate {
                mechanism: "CRAM-MD5".to_owned(),
                initial: None,
            },
            "AUTHENTICATE CRAM-MD5",
        ),
        (
            Command::Login {
                user: "taro@example.jp".to_owned(),
                password: Secret::from(r#"p "w\ d"#),
            },
            r#"LOGIN "taro@example.jp" "p \"w\\ d""#,
        ),
        (Command::List(List::plain(name(""), "*")), r#"LIST "" "*""#),
        (
            Command::List(List {
                select: vec![
                    ListSelect::SpecialUse,
                    ListSelect::Subscribed,
                    ListSelect::RecursiveMatch,
                ],
                reference: name(""),
                patterns: vec![b"INBOX".to_vec(), b"%".to_vec()],
                returns: vec![
                    ListReturn::Subscribed,
                    ListReturn::SpecialUse,
                    ListReturn::Children,
                    ListReturn::Status(vec![StatusItem::Messages, StatusItem::UidNext]),
                ],
            }),
            r#"LIST (SPECIAL-USE SUBSCRIBED RECURSIVEMATCH) "" ("INBOX" "%") RETURN (SUBSCRIBED SPECIAL-USE CHILDREN STATUS (MESSAGES UIDNEXT))"#,
        ),
        (
            Command::Lsub {
                reference: name("INBOX."),
                pattern: b"*".to_vec(),
            },
            r#"LSUB "INBOX." "*""#,
        ),
        (
            Command::Status {
                mailbox: name("&U9dP4TDIMOwwpA-"),
                items: vec![
                    StatusItem::Messages,
                    StatusItem::UidNext,
                    StatusItem::UidValidity,
                    StatusItem::Unseen,
                    StatusItem::HighestModSeq,
                    StatusItem::Size,
                    StatusItem::MailboxId,
                    StatusItem::AppendLimit,
                ],
            },
            r#"STATUS "&U9dP4TDIMOwwpA-" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE MAILBOXID APPENDLIMIT)"#,
        ),
        (
            Command::Create {
                mailbox: name("Sent"),
                role: Some(Role::Sent),
            },
            r#"CREATE "Sent" (USE (\Sent))"#,
        ),
        (
            Command::Create {
                mailbox: name(r#"a "b\"#),
                role: Some(Role::Inbox),
            },
            r#"CREATE "a \"b\\""#,
        ),
        (Command::Subscribe(name("NIL")), r#"SUBSCRIBE "NIL""#),
        (
            Command::Examine {
                mailbox: name("INBOX"),
                opening: Opening::Plain,
            },
            r#"EXAMINE "INBOX""#,
        ),
        (
            Command::Select {
                mailbox: name("INBOX"),
                opening: Opening::Condstore,
            },
            r#"SELECT "INBOX" (CONDSTORE)"#,
        ),
        (
            Command::Examine {
                mailbox: name("INBOX"),
                opening: Opening::Qresync(qresync.clone()),
            },
            r#"EXAMINE "INBOX" (QRESYNC (67890007 90060115194045000))"#,
        ),
        (
            Command::Examine {
                mailbox: name("INBOX"),
                opening: Opening::Qresync(Qresync {
                    known: KeySet::parse("41,43:211"),
                    ..qresync
                }),
            },
            r#"EXAMINE "INBOX" (QRESYNC (67890007 90060115194045000 41,43:211))"#,
        ),
        (
            Command::Search(Search {
                returns: vec![
                    SearchReturn::All,
                    SearchReturn::Count,
                    SearchReturn::Min,
                    SearchReturn::Max,
                ],
                criteria: vec![Criterion::All],
            }),
            "UID SEARCH RETURN (ALL COUNT MIN MAX) ALL",
        ),
        (
            Command::Search(Search {
                returns: Vec::new(),
                criteria: vec![
                    Criterion::Uids(UidSet::From(Key(9))),
                    Criterion::Since(date(0)),
                    Criterion::Before(date(951_793_200)),
                    Criterion::Larger(10),
                    Criterion::Smaller(20),
                    Criterion::ModSeq(5),
                    Criterion::Has(Flag::Seen),
                    Criterion::HasNot(Flag::Deleted),
                    Criterion::Not(Box::new(Criterion::Has(Flag::Draft))),
                    Criterion::Or(
                        Box::new(Criterion::Has(Flag::Flagged)),
                        Box::new(Criterion::HasNot(Flag::Answered)),
                    ),
                    Criterion::Header {
                        field: "Message-ID",
                        value: r#"<a"b@c>"#.to_owned(),
                    },
                ],
            }),
            r#"UID SEARCH UID 9:* SINCE 1-Jan-1970 BEFORE 29-Feb-2000 LARGER 10 SMALLER 20 MODSEQ 5 SEEN UNDELETED NOT DRAFT OR FLAGGED UNANSWERED HEADER Message-ID "<a\"b@c>""#,
        ),
        (
            Command::Fetch(fetch(
                "1:3,7",
                &[
                    FetchItem::Body(BodyPart::Whole),
                    FetchItem::Flags,
                    FetchItem::InternalDate,
                    FetchItem::Size,
                    FetchItem::ModSeq,
                ],
            )),
            "UID FETCH 1:3,7 (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[])",
        ),
        (
            Command::Fetch(Fetch {
                changed_since: Some(ChangedSince {
                    modseq: 12_345,
                    vanished: true,
                }),
                ..fetch("1:4294967295", &[FetchItem::Flags])
            }),
            "UID FETCH 1:4294967295 (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)",
        ),
        (
            Command::Fetch(Fetch {
                uids: UidSet::From(Key(1)),
                items: vec![
                    FetchItem::Body(BodyPart::HeaderFields(&["MESSAGE-ID", "DATE"])),
                    FetchItem::Body(BodyPart::Header),
                    FetchItem::Partial {
                        part: BodyPart::Text,
                        offset: 5,
                        octets: 10,
                    },
                    FetchItem::GmailMessage,
                    FetchItem::GmailThread,
                    FetchItem::GmailLabels,
                    FetchItem::EmailId,
                    FetchItem::ThreadId,
                ],
                changed_since: Some(ChangedSince {
                    modseq: 1,
                    vanished: false,
                }),
            }),
            "UID FETCH 1:* (UID X-GM-MSGID X-GM-THRID X-GM-LABELS EMAILID THREADID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)] BODY.PEEK[HEADER] BODY.PEEK[TEXT]<5.10>) (CHANGEDSINCE 1)",
        ),
        (
            Command::Store {
                uids: keys("5"),
                change: StoreChange::Add,
                flags: wire_flags("\\Seen $Label1"),
            },
            "UID STORE 5 +FLAGS.SILENT (\\Seen $Label1)",
        ),
        (
            Command::Store {
                uids: keys("5:6"),
                change: StoreChange::Remove,
                flags: wire_flags("\\Flagged"),
            },
            "UID STORE 5:6 -FLAGS.SILENT (\\Flagged)",
        ),
        (
            Command::GetQuotaRoot(name("INBOX")),
            r#"GETQUOTAROOT "INBOX""#,
        ),
    ]
}

#[test]
fn every_command_looks_as_its_rfc_says() {
    for (command, expected) in table() {
        assert_eq!(
            wire_of(&command, style()).as_deref(),
            Ok(&*format!("h7 {expected}\r\n")),
            "{}",
            command.name()
        );
        assert!(expected.starts_with(command.name()));
    }
}

#[test]
fn another_implementation_understands_the_commands_that_it_knows() {
    use imap_codec::CommandCodec;
    use imap_codec::decode::Decoder as _;
    let mut refused = Vec::new();
    for (command, _) in table() {
        let wire = wire_of(&command, style()).expect("encoded");
        let decoded = CommandCodec::default().decode(wire.as_bytes());
        if !matches!(decoded, Ok((rest, _)) if rest.is_empty()) {
            refused.push(command.name());
        }
    }
    // One of each has an extension that it does not know; it knows the other LIST, CREATE,
    // UID SEARCH and UID FETCH.
    assert_eq!(
        refused,
        [
            "STARTTLS",
            "LIST",
            "STATUS",
            "CREATE",
            "UID SEARCH",
            "UID FETCH"
        ]
    );
}
