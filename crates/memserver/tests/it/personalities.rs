//! What makes each server different from the others, as measured on real ones.

use hikyaku_memserver::{Account, Epochs, MemServer, Personality};

use crate::client::Client;
use crate::server;

async fn open(personality: Personality) -> (MemServer, Account, Client) {
    let (server, account) = server(personality).await;
    let client = Client::logged_in(&server).await;
    (server, account, client)
}

/// CREATE of each name: the first word of the answer.
async fn created(c: &mut Client, names: &[&str]) -> Vec<String> {
    let mut answers = Vec::new();
    for name in names {
        let octets = name.len();
        c.send(format!("t create {{{octets}}}\r\n")).await;
        assert_eq!(c.line().await, "+ OK");
        c.send(format!("{name}\r\n")).await;
        let answer = c.answer().await.remove(0);
        answers.push(answer[2..4].to_owned());
    }
    answers
}

const NAMES: [&str; 16] = [
    "a.b",
    "a/b",
    "a&-b",
    "a&b",
    "a%b",
    "a*b",
    "a\\b",
    "&ZeVnLIqe-",
    "日本語",
    "&2D3eAA-",
    " a ",
    "~a",
    "..",
    "d//e",
    "a\tb",
    "PLAIN",
];

#[tokio::test]
async fn dovecot_takes_names_as_measured() {
    let (_server, _, mut c) = open(Personality::dovecot_like()).await;
    let answers = created(&mut c, &NAMES).await.join(" ");
    assert_eq!(answers, "NO OK OK NO OK OK OK OK NO OK OK NO NO NO NO OK");
    let listed = c.ok("list \"\" a").await;
    assert_eq!(listed[0], "* LIST (\\Noselect \\HasChildren) \"/\" a");
    assert_eq!(
        c.tagged("create Sent (use (\\Sent))").await,
        "t OK Create completed."
    );
    assert_eq!(
        c.ok("list \"\" Sent").await[0],
        "* LIST (\\HasNoChildren) \"/\" Sent"
    );
}

#[tokio::test]
async fn cyrus_takes_names_as_measured() {
    let (_server, account, mut c) = open(Personality::cyrus_like()).await;
    let answers = created(&mut c, &NAMES).await.join(" ");
    assert_eq!(answers, "OK OK OK NO NO OK NO OK NO OK OK OK OK OK NO OK");
    assert_eq!(
        c.ok("list \"\" a").await[0],
        "* LIST (\\HasChildren) \"/\" a"
    );
    assert!(account.mailboxes().contains(&b"d/e"[..]));
    assert!(
        c.tagged("create Sent (use (\\Sent))")
            .await
            .starts_with("t OK")
    );
    assert_eq!(
        c.ok("list \"\" Sent").await[0],
        "* LIST (\\HasNoChildren \\Sent) \"/\" Sent"
    );
}

#[tokio::test]
async fn courier_takes_names_as_measured() {
    let (_server, account, mut c) = open(Personality::courier_like()).await;
    let names: Vec<String> = NAMES.iter().map(|n| format!("INBOX.{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answers = created(&mut c, &names).await.join(" ");
    assert_eq!(answers, "OK NO OK NO OK OK OK OK OK NO OK OK NO NO OK OK");
    assert_eq!(created(&mut c, &["Outside"]).await, ["NO"]);
    c.ok("create inbox.x").await;
    assert!(account.mailboxes().contains(&b"INBOX.x"[..]));
    assert_eq!(
        c.tagged("frobnicate").await,
        "t NO Error in IMAP command received by server."
    );
    assert_eq!(
        c.tagged("id nil").await,
        "t NO Error in IMAP command received by server."
    );
    c.ok("subscribe INBOX.missing").await;
    assert_eq!(
        c.ok("lsub \"\" *").await[0],
        "* LSUB () \".\" INBOX.missing"
    );
    let told = c.ok("namespace").await.remove(0);
    assert!(
        told.starts_with("* NAMESPACE ((\"INBOX.\" \".\")) NIL"),
        "{told}"
    );
}

#[tokio::test]
async fn courier_loses_the_connection_at_a_literal_it_did_not_offer() {
    let (_server, account, mut c) = open(Personality::courier_like()).await;
    c.send("t append INBOX {6+}\r\nA: b\r\n\r\n").await;
    assert!(
        c.rest()
            .await
            .0
            .starts_with("t NO Error in IMAP command received by server.\r\n")
    );
    assert!(account.uids("INBOX").is_empty());
}

#[tokio::test]
async fn a_bare_server_knows_nothing_beyond_rfc_3501() {
    let (_server, account, mut c) = open(Personality::bare_rev1()).await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    assert_eq!(c.ok("capability").await[0], "* CAPABILITY IMAP4rev1");
    for unknown in [
        "id nil",
        "enable condstore",
        "namespace",
        "idle",
        "getquotaroot inbox",
        "compress deflate",
        "unselect",
        "list (subscribed) \"\" *",
        "list \"\" * return (children)",
        "status inbox (highestmodseq)",
        "status inbox (size)",
        "select inbox (condstore)",
    ] {
        assert!(c.tagged(unknown).await.starts_with("t BAD"), "{unknown}");
    }
    c.ok("select inbox").await;
    for unknown in [
        "uid expunge 1",
        "uid move 1 inbox",
        "uid search return () all",
        "uid fetch 1 (emailid)",
        "uid fetch 1 (x-gm-msgid)",
        "uid fetch 1 (modseq)",
        "create x (use (\\Sent))",
    ] {
        assert!(c.tagged(unknown).await.starts_with("t BAD"), "{unknown}");
    }
    // No UIDPLUS: no code. UID comes last.
    c.send("t append INBOX {6}\r\n").await;
    assert_eq!(c.line().await, "+ OK");
    c.send("A: b\r\n\r\n").await;
    assert_eq!(c.answer().await.pop().unwrap(), "t OK Append completed.");
    assert_eq!(
        c.ok("uid fetch 1 flags").await[0],
        "* 1 FETCH (FLAGS (\\Recent) UID 1)"
    );
    assert_eq!(c.ok("list \"\" *").await[0], "* LIST () \"/\" INBOX");
}

#[tokio::test]
async fn without_multiappend_the_second_message_is_a_syntax_error() {
    let (_server, account, mut c) =
        open(Personality::dovecot_like().without(&["MULTIAPPEND"])).await;
    c.send("t append INBOX {6}\r\n").await;
    assert_eq!(c.line().await, "+ OK");
    c.send("A: b\r\n {6}\r\n").await;
    assert!(c.line().await.starts_with("t BAD"));
    assert!(account.uids("INBOX").is_empty());
}

#[tokio::test]
async fn messages_are_stored_as_each_server_stores_them() {
    let message = "A: \u{e9}\n\nx";
    for (personality, stored) in [
        (Personality::dovecot_like(), Some("A: \u{e9}\r\n\r\nx")),
        (Personality::cyrus_like(), None),
        (Personality::courier_like(), Some("A: \u{e9}\r\n\r\nx\r\n")),
        (Personality::bare_rev1(), Some(message)),
        (Personality::rev2(), Some(message)),
        (
            Personality::rewriter(),
            Some("X-Archived-By: rewriter\r\nA: XX\r\n\r\nx\r\n"),
        ),
    ] {
        let (_server, account, mut c) = open(personality).await;
        c.send(format!("t append INBOX {{{}}}\r\n", message.len()))
            .await;
        assert_eq!(c.line().await, "+ OK");
        c.send(format!("{message}\r\n")).await;
        let answer = c.answer().await.pop().unwrap();
        assert_eq!(answer.starts_with("t OK"), stored.is_some(), "{answer}");
        let shot = account.snapshot();
        let messages = &shot.mailbox("INBOX").unwrap().messages;
        let bodies: Vec<Vec<u8>> = messages.iter().map(|m| m.body.bytes().to_vec()).collect();
        let expected: Vec<Vec<u8>> = stored.iter().map(|s| s.as_bytes().to_vec()).collect();
        assert_eq!(bodies, expected);
    }
}

#[tokio::test]
async fn dates_of_long_ago_are_stored_as_each_server_does() {
    let append = |date: &str| format!("append INBOX \"{date}\" {{6}}");
    for (personality, before_1970, epoch) in [
        (Personality::dovecot_like(), Some(4_294_967_295), Some(0)),
        (Personality::cyrus_like(), None, None),
        (Personality::bare_rev1(), Some(-1), Some(0)),
    ] {
        let (_server, account, mut c) = open(personality).await;
        for (date, expected) in [
            ("31-Dec-1969 23:59:59 +0000", before_1970),
            ("01-Jan-1970 00:00:00 +0000", epoch),
        ] {
            account.delete_mailbox("INBOX");
            account.add_mailbox("INBOX");
            c.send(format!("t {}\r\n", append(date))).await;
            let answer = c.line().await;
            if answer == "+ OK" {
                c.send("A: b\r\n\r\n").await;
                c.answer().await;
            }
            let shot = account.snapshot();
            let kept = shot
                .mailbox("INBOX")
                .unwrap()
                .messages
                .first()
                .map(|m| m.date.seconds);
            match expected {
                Some(seconds) => assert_eq!(kept, Some(seconds)),
                // Cyrus refuses the first and takes the second for *now*.
                None => assert!(
                    kept.is_none_or(|seconds| seconds > 1_600_000_000),
                    "{kept:?}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn epochs_can_be_missing_zero_or_new() {
    for (epochs, expected) in [(Epochs::Missing, None), (Epochs::Zero, Some("0"))] {
        let (_server, _, mut c) = open(Personality {
            epochs,
            ..Personality::dovecot_like()
        })
        .await;
        let told = c.ok("examine inbox").await.join("\n");
        let epoch = told.split_once("UIDVALIDITY ").map(|(_, rest)| &rest[..1]);
        assert_eq!(epoch, expected);
    }
    let personality = Personality {
        epochs: Epochs::NewEachLogin,
        ..Personality::dovecot_like()
    };
    let (server, _, mut one) = open(personality).await;
    let mut other = Client::logged_in(&server).await;
    let line = "status inbox (uidvalidity)";
    assert_ne!(one.ok(line).await[0], other.ok(line).await[0]);
    let told = one.ok(line).await.remove(0);
    assert_eq!(one.ok(line).await[0], told);
    let epoch = told
        .trim_end_matches(')')
        .rsplit(' ')
        .next()
        .unwrap_or_default();
    let appended = one.ok("append INBOX {6+}\r\nA: b\r\n").await.remove(0);
    assert!(
        appended.contains(&format!("[APPENDUID {epoch} 1]")),
        "{appended}"
    );
}

#[tokio::test]
async fn sizes_can_be_estimates() {
    let (_server, account, mut c) = open(Personality {
        size_error: 3,
        ..Personality::dovecot_like()
    })
    .await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    c.ok("examine inbox").await;
    let row = c
        .ok("uid fetch 1 (rfc822.size body.peek[])")
        .await
        .remove(0);
    assert_eq!(row, "* 1 FETCH (UID 1 RFC822.SIZE 11 BODY[] {8}");
}

#[tokio::test]
async fn every_preset_copies_a_message_from_append_to_fetch() {
    for personality in Personality::all() {
        let name = personality.name;
        let adds = personality
            .rewriting
            .adds_header
            .clone()
            .unwrap_or_default();
        let (_server, account, mut c) = open(personality).await;
        let message = "Subject: x\r\n\r\ntext\r\n";
        c.send(format!("t append INBOX (\\Seen) {{{}}}\r\n", message.len()))
            .await;
        assert_eq!(c.line().await, "+ OK", "{name}");
        c.send(format!("{message}\r\n")).await;
        assert!(
            c.answer().await.pop().unwrap().starts_with("t OK"),
            "{name}"
        );
        c.ok("examine INBOX").await;
        let before = account.snapshot();
        let lines = c.ok("uid fetch 1:* (body.peek[])").await;
        let whole = lines.join("\r\n");
        assert!(
            whole.contains(&format!(
                "{{{}}}\r\n{adds}{message}",
                adds.len() + message.len()
            )),
            "{name}: {whole}"
        );
        assert_eq!(account.snapshot(), before, "{name}");
    }
}
