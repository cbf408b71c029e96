//! LIST, STATUS, SEARCH and the other data of a server.

use super::*;
use crate::response::{
    Esearch, ListAttributes, ListRow, MailboxStatus, Namespace, QuotaResource, QuotaRow,
};
use bytes::Bytes;
use hikyaku_core::{Epoch, Flags, Role};

fn list(line: impl AsRef<[u8]>) -> ListRow {
    match one(line.as_ref()) {
        Response::List(row) | Response::Lsub(row) => row,
        other => panic!("{}: {other:?}", line.as_ref().escape_ascii()),
    }
}

#[test]
fn names_in_a_list_come_in_every_dress() {
    for (text, name) in [
        ("INBOX", "INBOX"),
        ("\"INBOX\"", "INBOX"),
        ("\"\"", ""),
        ("NIL", "NIL"),
        ("{5}\r\na \"b\\", "a \"b\\"),
        ("\"a \\\"b\\\\\"", "a \"b\\"),
        ("\"日本\"", "日本"),
        ("&U9dP4TDIMOwwpA-", "&U9dP4TDIMOwwpA-"),
        ("~peter/mail/&U,BTFw-", "~peter/mail/&U,BTFw-"),
        // Names that somebody should have quoted.
        ("Foo Bar", "Foo Bar"),
        ("Foo (old) Bar", "Foo (old) Bar"),
        ("Foo (old)", "Foo (old)"),
        ("(odd)", "(odd)"),
        ("日本", "日本"),
        ("Foo Bar ", "Foo Bar"),
        ("{x", "{x"),
        // Quotes that somebody should have escaped.
        ("\"a\"b\"", "a\"b"),
        ("\"a \"quoted\" name\"", "a \"quoted\" name"),
        ("\"never closed", "never closed"),
        ("\"C:\\dir\"", "C:\\dir"),
        // A blank at the end.
        ("\"INBOX\" ", "INBOX"),
    ] {
        let row = list(format!("* LIST (\\HasNoChildren) \"/\" {text}"));
        assert_eq!(row.name, wire(name), "{text}");
        assert_eq!(row.separator, Some('/'), "{text}");
    }
}

#[test]
fn attributes_and_separators_are_understood() {
    let found = list(
        "* LIST (\\Noselect \\NonExistent \\NoInferiors \\HasChildren \\Subscribed \\Remote \\Sent \\Marked \\X) NIL x",
    );
    assert_eq!(
        found.attributes,
        ListAttributes {
            no_select: true,
            non_existent: true,
            no_inferiors: true,
            has_children: Some(true),
            subscribed: true,
            remote: true,
            roles: vec![Role::Sent],
            other: vec!["\\Marked".to_owned(), "\\X".to_owned()],
        }
    );
    assert!(!found.attributes.is_selectable());
    assert_eq!(found.separator, None);
    for (attribute, role) in [
        ("\\Drafts", Role::Drafts),
        ("\\Archive", Role::Archive),
        ("\\junk", Role::Junk),
        ("\\Spam", Role::Junk),
        ("\\Trash", Role::Trash),
        ("\\All", Role::All),
        ("\\AllMail", Role::All),
        ("\\Flagged", Role::Flagged),
        ("\\Starred", Role::Flagged),
        ("\\Important", Role::Important),
        ("\\Inbox", Role::Inbox),
    ] {
        let row = list(format!("* XLIST ({attribute} \\HasNoChildren) \".\" x"));
        assert_eq!(row.attributes.roles, [role], "{attribute}");
        assert_eq!(row.attributes.has_children, Some(false));
        assert!(row.attributes.is_selectable());
    }
    for (text, separator) in [
        ("\"\\\\\"", Some('\\')),
        ("\".\"", Some('.')),
        ("/", Some('/')),
        ("nil", None),
        ("\"\"", None),
    ] {
        assert_eq!(
            list(format!("* LSUB () {text} x")).separator,
            separator,
            "{text}"
        );
    }
}

#[test]
fn extension_data_of_a_list_row_is_not_part_of_its_name() {
    for (text, name, child_info, old_name) in [
        (
            "\"Foo\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            "Foo",
            vec!["SUBSCRIBED"],
            None,
        ),
        (
            "Foo (CHILDINFO (subscribed SPECIAL-USE))",
            "Foo",
            vec!["SUBSCRIBED", "SPECIAL-USE"],
            None,
        ),
        (
            "\"Foo\" (\"OLDNAME\" (\"Bar\"))",
            "Foo",
            vec![],
            Some("Bar"),
        ),
        (
            "Foo Bar (\"OLDNAME\" ({3}\r\nBaz))",
            "Foo Bar",
            vec![],
            Some("Baz"),
        ),
        (
            "{3}\r\nFoo (\"X-NEW\" (a (b)) \"OLDNAME\" (Bar) \"CHILDINFO\" (\"SUBSCRIBED\"))",
            "Foo",
            vec!["SUBSCRIBED"],
            Some("Bar"),
        ),
        (
            "\"Foo\" (\"CHILDINFO\" broken \"OLDNAME\" (Bar))",
            "Foo",
            vec![],
            Some("Bar"),
        ),
        ("\"Foo\" ()", "Foo", vec![], None),
    ] {
        let row = list(format!("* LIST () \"/\" {text}"));
        assert_eq!(row.name, wire(name), "{text}");
        assert_eq!(row.child_info, child_info, "{text}");
        assert_eq!(row.old_name, old_name.map(wire), "{text}");
    }
}

#[test]
fn status_items_are_read_one_by_one() {
    let empty = |mailbox: &str| MailboxStatus {
        mailbox: wire(mailbox),
        messages: None,
        uid_next: None,
        epoch: None,
        unseen: None,
        modseq: None,
        octets: None,
        mailbox_id: None,
        append_limit: None,
    };
    for (line, expected) in [
        (
            "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 7 UNSEEN 3 HIGHESTMODSEQ 7011231777 SIZE 5000000000 MAILBOXID (F22) APPENDLIMIT 257890 RECENT 1)",
            MailboxStatus {
                messages: Some(231),
                uid_next: Some(Key(44_292)),
                epoch: Some(Epoch(7)),
                unseen: Some(3),
                modseq: Some(7_011_231_777),
                octets: Some(5_000_000_000),
                mailbox_id: Some("F22".to_owned()),
                append_limit: Some(257_890),
                ..empty("blurdybloop")
            },
        ),
        (
            "* STATUS \"a b\" (DELETED 1 DELETED-STORAGE 8 X-NEW (a (b)) X-OLD \"5\" MESSAGES 5) ",
            MailboxStatus {
                messages: Some(5),
                ..empty("a b")
            },
        ),
        (
            "* STATUS Foo (old) Bar (MESSAGES 5)",
            MailboxStatus {
                messages: Some(5),
                ..empty("Foo (old) Bar")
            },
        ),
        (
            "* STATUS {3}\r\na(b (MESSAGES 5)",
            MailboxStatus {
                messages: Some(5),
                ..empty("a(b")
            },
        ),
        (
            "* STATUS x (SIZE -1 APPENDLIMIT NIL UIDNEXT 99999999999999999999999 HIGHESTMODSEQ 0 MAILBOXID () MESSAGES 5)",
            MailboxStatus {
                messages: Some(5),
                ..empty("x")
            },
        ),
        ("* STATUS x ()", empty("x")),
        ("* STATUS \"x\"", empty("x")),
    ] {
        assert_eq!(one(line), Response::MailboxStatus(expected), "{line}");
    }
}

#[test]
fn searches_give_sets() {
    let found = |text: &str, modseq| Response::Search {
        found: set(text),
        modseq,
    };
    for (line, expected) in [
        ("* SEARCH 2 3 6", found("2:3,6", None)),
        ("* SEARCH 6 3 2 3", found("2:3,6", None)),
        ("* SEARCH", found("", None)),
        ("* SEARCH ", found("", None)),
        (
            "* SEARCH 2 5 6 (MODSEQ 917162500)",
            found("2,5:6", Some(917_162_500)),
        ),
        ("* SEARCH (MODSEQ 5)", found("", Some(5))),
        ("* SEARCH 2 x 0 99999999999 -4 3 ", found("2:3", None)),
    ] {
        assert_eq!(one(line), expected, "{line}");
    }
}

#[test]
fn esearch_gives_what_was_asked_for() {
    for (line, expected) in [
        (
            "* ESEARCH (TAG \"h12\") UID ALL 1:17,21 COUNT 18 MIN 1 MAX 21 MODSEQ 1236",
            Esearch {
                tag: Some(Tag(12)),
                uid: true,
                all: Some(set("1:17,21")),
                count: Some(18),
                min: Some(1),
                max: Some(21),
                modseq: Some(1236),
            },
        ),
        (
            "* ESEARCH (TAG h12) UID COUNT 0",
            Esearch {
                tag: Some(Tag(12)),
                uid: true,
                count: Some(0),
                ..Esearch::default()
            },
        ),
        (
            "* ESEARCH (TAG \"A1\") ALL 21,19,5:3",
            Esearch {
                all: Some(set("3:5,19,21")),
                ..Esearch::default()
            },
        ),
        (
            "* ESEARCH UID X-NEW (a 5) PARTIAL (1:10 2,4) MIN 2",
            Esearch {
                uid: true,
                min: Some(2),
                ..Esearch::default()
            },
        ),
        ("* ESEARCH", Esearch::default()),
        (
            "* ESEARCH ALL * COUNT 5",
            Esearch {
                count: Some(5),
                ..Esearch::default()
            },
        ),
    ] {
        assert_eq!(one(line), Response::Esearch(expected), "{line}");
    }
}

#[test]
fn vanished_messages_are_a_set() {
    assert_eq!(
        one("* VANISHED (EARLIER) 300:310,405,411"),
        Response::Vanished {
            earlier: true,
            uids: set("300:310,405,411")
        }
    );
    assert_eq!(
        one("* VANISHED 4294967295:1"),
        Response::Vanished {
            earlier: false,
            uids: set("1:4294967295")
        }
    );
}

#[test]
fn counts_and_flags_of_a_mailbox() {
    assert_eq!(one("* 172 EXISTS"), Response::Exists(172));
    assert_eq!(one("* 0 exists "), Response::Exists(0));
    assert_eq!(one("* 5 RECENT "), Response::Recent(5));
    assert_eq!(one("* 44 EXPUNGE"), Response::Expunge(44));
    assert_eq!(
        one("* FLAGS (\\Answered \\Seen \\* $Label1 a[b)"),
        Response::Flags(Flags::parse("\\Answered \\Seen $Label1 a[b"))
    );
}

#[test]
fn namespaces_of_the_three_servers() {
    let one_of = |prefix: &str, separator| {
        vec![Namespace {
            prefix: wire(prefix),
            separator,
        }]
    };
    for (text, personal, others, shared) in [
        (
            "((\"\" \"/\")) NIL NIL",
            one_of("", Some('/')),
            vec![],
            vec![],
        ),
        (
            "((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))",
            one_of("INBOX.", Some('.')),
            vec![],
            [one_of("#shared.", Some('.')), one_of("shared.", Some('.'))].concat(),
        ),
        (
            "((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))",
            one_of("INBOX.", Some('.')),
            one_of("user.", Some('.')),
            one_of("", Some('.')),
        ),
        (
            "((\"\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\")) ) NIL",
            one_of("", Some('/')),
            vec![],
            vec![],
        ),
        (
            "((NIL NIL)) broken ((\"s/\" \"/\"))",
            one_of("", None),
            vec![],
            one_of("s/", Some('/')),
        ),
        ("", vec![], vec![], vec![]),
    ] {
        match one(format!("* NAMESPACE {text}")) {
            Response::Namespace(found) => {
                assert_eq!(
                    (found.personal, found.others, found.shared),
                    (personal, others, shared),
                    "{text}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn quotas_may_have_no_list_at_all() {
    let storage = |usage, limit| QuotaResource {
        name: "STORAGE".to_owned(),
        usage,
        limit,
    };
    for (line, root, resources) in [
        ("* QUOTA \"\" (STORAGE 10 512)", "", vec![storage(10, 512)]),
        (
            "* QUOTA \"User quota\" (storage 10 99999999999999)",
            "User quota",
            vec![storage(10, 99_999_999_999_999)],
        ),
        ("* QUOTA \"ROOT\"", "ROOT", vec![]),
        ("* QUOTA ROOT ()", "ROOT", vec![]),
        (
            "* QUOTA x (STORAGE 10 512 MESSAGE -1 5 X-NEW 1 2)",
            "x",
            vec![
                storage(10, 512),
                QuotaResource {
                    name: "X-NEW".to_owned(),
                    usage: 1,
                    limit: 2,
                },
            ],
        ),
    ] {
        assert_eq!(
            one(line),
            Response::Quota(QuotaRow {
                root: Bytes::from_static(root.as_bytes()),
                resources
            }),
            "{line}"
        );
    }
    for (line, roots) in [
        (
            "* QUOTAROOT INBOX \"User quota\" \"\"",
            vec!["User quota", ""],
        ),
        ("* QUOTAROOT INBOX", vec![]),
    ] {
        assert_eq!(
            one(line),
            Response::QuotaRoot {
                mailbox: wire("INBOX"),
                roots: roots.into_iter().map(Bytes::from).collect()
            },
            "{line}"
        );
    }
}

#[test]
fn capabilities_and_identities() {
    let Response::Capability(found) =
        one("* CAPABILITY imap4rev1 AUTH=PLAIN auth=xoauth2 LITERAL+ APPENDLIMIT=35882577 ")
    else {
        panic!("no capabilities");
    };
    assert!(found.has("IMAP4REV1") && found.has("LITERAL+") && !found.has("LITERAL"));
    assert_eq!(
        found.values("AUTH").collect::<Vec<_>>(),
        ["PLAIN", "XOAUTH2"]
    );
    assert_eq!(found.append_limit(), Some(35_882_577));
    match one("* ENABLED CONDSTORE QRESYNC") {
        Response::Enabled(found) => assert!(found.has("QRESYNC")),
        other => panic!("{other:?}"),
    }
    assert_eq!(one("* ENABLED"), Response::Enabled(Default::default()));
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    for (text, fields) in [
        ("NIL", vec![]),
        ("()", vec![]),
        (
            "(\"name\" \"Dovecot\" \"date\" NIL \"version\" {3}\r\n2.4) ",
            vec![pair("name", "Dovecot"), pair("version", "2.4")],
        ),
        ("(\"name\" \"x\" \"odd\")", vec![pair("name", "x")]),
    ] {
        assert_eq!(one(format!("* ID {text}")), Response::Id(fields), "{text}");
    }
}

#[test]
fn hostile_lists_do_not_take_long() {
    // Descending numbers, of which each would move all others in a sorted vector.
    let numbers: Vec<String> = (1..60_000u32)
        .rev()
        .step_by(2)
        .map(|n| n.to_string())
        .collect();
    match one(format!("* SEARCH {}", numbers.join(" "))) {
        Response::Search { found, .. } => assert_eq!(found.len(), 30_000),
        other => panic!("{other:?}"),
    }
    let nested = format!("* NAMESPACE {}", "((".repeat(100_000));
    assert_eq!(one(nested), Response::Namespace(Default::default()));
}
