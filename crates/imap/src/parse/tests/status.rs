//! Status responses, codes and continuations.

use super::*;
use crate::response::{Capabilities, ReplyCode, UidRanges};
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::{Epoch, Flags};

#[test]
fn a_status_has_word_code_and_text() {
    for (line, kind, raw_code, text) in [
        (
            "* OK IMAP4rev2 server ready",
            ReplyKind::Ok,
            None,
            "IMAP4rev2 server ready",
        ),
        (
            "* PREAUTH IMAP4rev2 server logged in as Smith",
            ReplyKind::Preauth,
            None,
            "IMAP4rev2 server logged in as Smith",
        ),
        (
            "* BYE Autologout; idle for too long",
            ReplyKind::Bye,
            None,
            "Autologout; idle for too long",
        ),
        (
            "* OK [ALERT] System shutdown in 10 minutes",
            ReplyKind::Ok,
            Some("ALERT"),
            "System shutdown in 10 minutes",
        ),
        (
            "h932 NO Expunge failed",
            ReplyKind::No,
            None,
            "Expunge failed",
        ),
        (
            "h5 BAD Error in IMAP command",
            ReplyKind::Bad,
            None,
            "Error in IMAP command",
        ),
        ("* ok [alert]x", ReplyKind::Ok, Some("alert"), "x"),
        // Without text, or with nothing but a blank.
        ("* OK", ReplyKind::Ok, None, ""),
        ("h1 OK ", ReplyKind::Ok, None, ""),
        ("h1 NO [TRYCREATE]", ReplyKind::No, Some("TRYCREATE"), ""),
        // A code that is never closed.
        ("* OK [UIDNEXT 5", ReplyKind::Ok, Some("UIDNEXT 5"), ""),
        ("* NO [] empty", ReplyKind::No, Some(""), "empty"),
        // Text in other alphabets.
        (
            "h1 NO フォルダがありません",
            ReplyKind::No,
            None,
            "フォルダがありません",
        ),
        // Parentheses and quotes that do not balance: the first bracket ends the code.
        (
            "* NO [X-FOO (\"a] b",
            ReplyKind::No,
            Some("X-FOO (\"a"),
            "b",
        ),
        (
            "* OK [X-FOO \"a]\\\"b\" c] d",
            ReplyKind::Ok,
            Some("X-FOO \"a]\\\"b\" c"),
            "d",
        ),
    ] {
        let reply = reply(line);
        assert_eq!(
            (reply.kind, reply.raw_code.as_deref(), &*reply.text),
            (kind, raw_code, text),
            "{line}"
        );
    }
    assert_eq!(reply(b"* NO caf\xe9").text, "caf\u{fffd}");
}

#[test]
fn codes_are_typed_and_unknown_ones_keep_their_name() {
    let ranges = |ranges: &[(u64, u64)]| UidRanges(ranges.to_vec());
    let other = |name: &str| ReplyCode::Other(name.to_owned());
    for (text, code) in [
        (
            "APPENDUID 38505 3955",
            ReplyCode::AppendUid {
                epoch: Epoch(38_505),
                uids: ranges(&[(3955, 3955)]),
            },
        ),
        (
            "APPENDUID 38505 3955:3957,12",
            ReplyCode::AppendUid {
                epoch: Epoch(38_505),
                uids: ranges(&[(3955, 3957), (12, 12)]),
            },
        ),
        (
            "COPYUID 38505 304,319:320 3956:3958",
            ReplyCode::CopyUid {
                epoch: Epoch(38_505),
                from: ranges(&[(304, 304), (319, 320)]),
                to: ranges(&[(3956, 3958)]),
            },
        ),
        (
            "CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN",
            ReplyCode::Capability(Capabilities(
                ["IMAP4REV1", "LITERAL+", "AUTH=PLAIN"]
                    .map(str::to_owned)
                    .into(),
            )),
        ),
        (
            "PERMANENTFLAGS (\\Deleted \\Seen $Label1 \\*)",
            ReplyCode::PermanentFlags(PermanentFlags {
                named: Flags::parse("\\Deleted \\Seen $Label1"),
                any_keyword: true,
            }),
        ),
        (
            "PERMANENTFLAGS ()",
            ReplyCode::PermanentFlags(PermanentFlags::default()),
        ),
        (
            "PERMANENTFLAGS (a[b] c]d 日本 \\Foo)",
            ReplyCode::PermanentFlags(PermanentFlags {
                named: Flags::parse("a[b] c]d 日本"),
                any_keyword: false,
            }),
        ),
        (
            "UIDVALIDITY 3857529045",
            ReplyCode::UidValidity(Epoch(3_857_529_045)),
        ),
        ("UIDNEXT 4392", ReplyCode::UidNext(Key(4392))),
        ("UNSEEN 12", ReplyCode::Unseen(12)),
        (
            "HIGHESTMODSEQ 715194045007",
            ReplyCode::HighestModSeq(715_194_045_007),
        ),
        ("NOMODSEQ", ReplyCode::NoModSeq),
        ("MODIFIED 7,9", ReplyCode::Modified(set("7,9"))),
        (
            "MAILBOXID (F2212ea87-6097-4256-9d51-71338625)",
            ReplyCode::MailboxId("F2212ea87-6097-4256-9d51-71338625".to_owned()),
        ),
        ("READ-ONLY", ReplyCode::ReadOnly),
        ("read-write", ReplyCode::ReadWrite),
        ("TRYCREATE", ReplyCode::TryCreate),
        ("OVERQUOTA", ReplyCode::OverQuota),
        ("TOOBIG", ReplyCode::TooBig),
        ("LIMIT", ReplyCode::Limit),
        ("THROTTLED", ReplyCode::Throttled),
        ("UNAVAILABLE", ReplyCode::Unavailable),
        ("AUTHENTICATIONFAILED", ReplyCode::AuthenticationFailed),
        ("BADCHARSET (UTF-8 US-ASCII)", ReplyCode::BadCharset),
        ("COMPRESSIONACTIVE", ReplyCode::CompressionActive),
        ("X-UNKNOWN (a b) \"c\"", other("X-UNKNOWN")),
        // Known codes whose arguments cannot be read.
        ("UIDNEXT", other("UIDNEXT")),
        ("UIDNEXT x", other("UIDNEXT")),
        ("APPENDUID 1 0", other("APPENDUID")),
        ("APPENDUID 1 1:*", other("APPENDUID")),
        ("APPENDUID 1 5000000000", other("APPENDUID")),
        ("COPYUID 1 5", other("COPYUID")),
        ("HIGHESTMODSEQ 0", other("HIGHESTMODSEQ")),
        (
            "HIGHESTMODSEQ 99999999999999999999999",
            other("HIGHESTMODSEQ"),
        ),
    ] {
        assert_eq!(
            reply(format!("* OK [{text}] done")).code,
            Some(code),
            "{text}"
        );
    }
    assert_eq!(reply("* OK [] done").code, None);
    assert_eq!(reply("* OK plain [READ-ONLY]").code, None);
}

#[test]
fn uids_of_an_append_keep_the_order_of_the_messages() {
    let uids = |text: &str| match reply(format!("h1 OK [APPENDUID 1 {text}] done")).code {
        Some(ReplyCode::AppendUid { uids, .. }) => uids,
        other => panic!("{other:?}"),
    };
    let keys = |keys: &[u64]| Some(keys.iter().copied().map(Key).collect::<Vec<_>>());
    assert_eq!(uids("7:9").exactly(3), keys(&[7, 8, 9]));
    assert_eq!(uids("9,7,8").exactly(3), keys(&[9, 7, 8]));
    assert_eq!(uids("9,7:8").to_set(), set("7:9"));
    assert_eq!(uids("7:9").exactly(2), None);
    // Nothing is made of such a range but its ends.
    assert_eq!(uids("1:4294967295").len(), 4_294_967_295);
    assert_eq!(uids("1:4294967295").exactly(3), None);
}

#[test]
fn a_tagged_answer_ends_a_command_whatever_its_word_is() {
    for (line, tag, kind) in [
        ("h12 OK done", Some(Tag(12)), ReplyKind::Ok),
        ("h12 no", Some(Tag(12)), ReplyKind::No),
        ("h12 WHAT is this", Some(Tag(12)), ReplyKind::Bad),
        ("h12", Some(Tag(12)), ReplyKind::Bad),
        ("h012 OK", None, ReplyKind::Ok),
        ("A1 OK", None, ReplyKind::Ok),
        ("h99999999999999999999999 OK", None, ReplyKind::Ok),
    ] {
        match one(line) {
            Response::Tagged { tag: found, reply } => {
                assert_eq!((found, reply.kind), (tag, kind), "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn continuations_keep_their_text() {
    for (line, text) in [
        ("+ Ready for literal data", "Ready for literal data"),
        ("+ ", ""),
        ("+", ""),
        (
            "+ YGgGCSqGSIb3EgECAgIAb1kwV6ADAgEFoQMCAQ+iSzBJ",
            "YGgGCSqGSIb3EgECAgIAb1kwV6ADAgEFoQMCAQ+iSzBJ",
        ),
        ("+ {5}", "{5}"),
    ] {
        assert_eq!(one(line), Response::Continue(text.into()), "{line}");
    }
}

#[test]
fn lines_that_mean_nothing_are_named_and_passed_over() {
    for (line, keyword) in [
        ("", ""),
        ("*", ""),
        ("* ", ""),
        ("* X-SOMETHING (a b) {3}\r\nabc", "X-SOMETHING"),
        ("* okay then", "OKAY"),
        ("* NOOP", "NOOP"),
        ("* 5", ""),
        ("* 5 WHATEVER", "WHATEVER"),
        ("* 99999999999999999999999 EXISTS", "EXISTS"),
        ("* LIST", "LIST"),
        ("* LIST garbage", "LIST"),
        ("* STATUS", "STATUS"),
        ("* VANISHED (LATER) 5", "VANISHED"),
        ("* VANISHED *", "VANISHED"),
        ("* QUOTA", "QUOTA"),
        (&format!("* {}", "x".repeat(500)), &*"X".repeat(40)),
    ] {
        assert_eq!(
            one(line),
            Response::Unknown {
                keyword: keyword.to_owned()
            },
            "{line}"
        );
    }
}

#[test]
fn the_words_for_a_fault_are_kept_apart() {
    let said = reply("h1 NO [OVERQUOTA] Quota exceeded \x1b[2J").said();
    assert_eq!(
        (&*said.status, said.code.as_deref(), &*said.text),
        ("NO", Some("OVERQUOTA"), "Quota exceeded \u{fffd}[2J")
    );
}
