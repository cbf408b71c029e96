//! Labels as mailboxes over one store of messages.

use hikyaku_memserver::{Account, MemServer, NewMessage, Personality};

use crate::client::Client;
use crate::server;

async fn gmail() -> (MemServer, Account, Client) {
    let (server, account) = server(Personality::gmail_like()).await;
    account.add_message(
        "INBOX",
        NewMessage::new("Subject: a\r\n\r\n").flags(&["\\Seen"]),
    );
    account.add_message("仕事", "Subject: b\r\n\r\n");
    account.add_message("INBOX", "Subject: b\r\n\r\n");
    let client = Client::logged_in(&server).await;
    (server, account, client)
}

#[tokio::test]
async fn all_mail_holds_each_message_once_with_its_labels() {
    let (_server, _, mut c) = gmail().await;
    let listed = c.ok("list \"\" \"[Gmail]/%\" return (special-use)").await;
    assert_eq!(
        listed[0],
        "* LIST (\\HasNoChildren \\All) \"/\" \"[Gmail]/All Mail\""
    );
    assert_eq!(listed.len(), 8);
    c.ok("examine \"[Gmail]/All Mail\"").await;
    let rows = c.ok("uid fetch 1:* (x-gm-labels)").await;
    assert_eq!(
        rows[..2],
        [
            "* 1 FETCH (UID 1 X-GM-LABELS (\"\\\\Inbox\"))",
            "* 2 FETCH (UID 2 X-GM-LABELS (&TtVOiw- \"\\\\Inbox\"))"
        ]
    );
    let ids = |rows: &[String]| -> Vec<String> {
        let rows = rows.iter().filter(|r| r.starts_with("* "));
        rows.map(|r| r.split("X-GM-MSGID ").nth(1).unwrap_or_default().to_owned())
            .collect()
    };
    let all = ids(&c.ok("uid fetch 1:* (x-gm-msgid)").await);
    c.ok("examine inbox").await;
    assert_eq!(ids(&c.ok("uid fetch 1:* (x-gm-msgid)").await), all);
    let rows = c.ok("uid fetch 2 (x-gm-labels)").await;
    assert_eq!(rows[0], "* 2 FETCH (UID 2 X-GM-LABELS (&TtVOiw-))");
    let found = c
        .ok(&format!(
            "uid search x-gm-msgid {}",
            all[1].trim_end_matches(')')
        ))
        .await;
    assert_eq!(found[0], "* SEARCH 2");
}

#[tokio::test]
async fn equal_messages_are_kept_once_without_a_word() {
    let (_server, account, mut c) = gmail().await;
    let again = c.ok("append INBOX {14}\r\nSubject: a\r\n\r\n").await;
    assert!(again.last().unwrap().contains(" 1]"), "{again:?}");
    c.ok("append \"[Gmail]/Sent Mail\" {14}\r\nSubject: a\r\n\r\n")
        .await;
    assert_eq!(account.uids("INBOX"), [1, 2]);
    assert_eq!(account.uids("[Gmail]/Sent Mail"), [1]);
    assert_eq!(account.uids("[Gmail]/All Mail"), [1, 2]);
}

#[tokio::test]
async fn flags_belong_to_the_message_and_stars_to_a_mailbox() {
    let (_server, account, mut c) = gmail().await;
    c.ok("select inbox").await;
    c.ok("uid store 2 +flags.silent (\\Flagged)").await;
    let shot = account.snapshot();
    assert!(
        shot.mailbox("仕事").unwrap().messages[0]
            .flags
            .contains("\\Flagged")
    );
    assert_eq!(account.uids("[Gmail]/Starred").len(), 1);
    c.ok("uid store 2 -flags.silent (\\Flagged)").await;
    assert!(account.uids("[Gmail]/Starred").is_empty());
}

#[tokio::test]
async fn labels_are_added_removed_and_expunged() {
    let (_server, account, mut c) = gmail().await;
    c.ok("select \"[Gmail]/All Mail\"").await;
    c.ok("uid store 1 +x-gm-labels.silent (New \\Sent)").await;
    c.ok("uid store 1 -x-gm-labels (\\Inbox)").await;
    assert_eq!(account.uids("New").len(), 1);
    assert_eq!(account.uids("[Gmail]/Sent Mail").len(), 1);
    assert_eq!(account.uids("INBOX"), [2]);
    account.expunge("INBOX", &[2]);
    let rows = c.ok("uid fetch 1:2 (x-gm-labels)").await;
    assert_eq!(rows[0], "* 1 FETCH (UID 1 X-GM-LABELS (New \"\\\\Sent\"))");
    assert_eq!(rows[1], "* 2 FETCH (UID 2 X-GM-LABELS (&TtVOiw-))");
}

#[tokio::test]
async fn odd_names_are_refused_and_case_is_ignored() {
    let (_server, _, mut c) = gmail().await;
    for (name, answer) in [
        ("\"a^b\"", "NO [CANNOT]"),
        ("\" a\"", "NO [CANNOT]"),
        ("\"a \"", "NO [CANNOT]"),
        ("\"a  b\"", "NO [CANNOT]"),
        ("Work", "OK"),
        ("WORK", "NO [ALREADYEXISTS]"),
    ] {
        let tagged = c.tagged(&format!("create {name}")).await;
        assert!(
            tagged.starts_with(&format!("t {answer}")),
            "{name}: {tagged}"
        );
    }
    assert!(
        c.tagged("append INBOX {35651585}")
            .await
            .starts_with("t NO [TOOBIG]")
    );
}
