//! Courier really starts, takes mail from the judge and gives it back.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use hikyaku_testkit::judge::name;
use hikyaku_testkit::servers::{Courier, CourierOptions, MailServer};

#[test]
fn an_account_is_usable_at_once() {
    let server = Courier::start(CourierOptions::default()).unwrap();
    for user in ["alice", "bob@example.jp"] {
        let account = server.create_account(user).unwrap();
        let mut judge = server.judge(&account).unwrap();
        let wire = name::encode("INBOX.請求書.a");
        judge.create(&wire).unwrap().accepted().unwrap();
        judge.subscribe(&wire).unwrap().accepted().unwrap();
        let octets = b"Subject: x\r\n\r\nbody\r\n";
        judge
            .append(&wire, &["\\Flagged", "$Forwarded"], None, octets)
            .unwrap()
            .accepted()
            .unwrap();
        let snapshot = judge.snapshot().unwrap();
        assert_eq!(
            (snapshot.separator, snapshot.prefix.as_str()),
            (Some('.'), "INBOX.")
        );
        let mailbox = &snapshot.mailboxes[&wire];
        assert_eq!(
            (mailbox.levels.join("|").as_str(), mailbox.subscribed),
            ("請求書|a", true)
        );
        assert_eq!(mailbox.messages[0].content.octets(), Some(&octets[..]));
        assert!(mailbox.messages[0].flags.contains("$Forwarded"));
        assert!(server.mail_directory(&account).is_dir());
    }
}

#[test]
fn limits_are_those_of_the_options() {
    let server = Courier::start(CourierOptions {
        quota_octets: Some(10_000),
        max_per_address: 2,
        ..CourierOptions::default()
    })
    .unwrap();
    let account = server.create_account("bob").unwrap();
    let mut judge = server.judge(&account).unwrap();
    let message = [&b"Subject: x\r\n\r\n"[..], &[b'x'; 6_000], b"\r\n"].concat();
    judge
        .append("INBOX", &[""; 0], None, &message)
        .unwrap()
        .accepted()
        .unwrap();
    let refused = judge.append("INBOX", &[""; 0], None, &message).unwrap();
    assert_eq!(
        (refused.status.as_str(), refused.text.as_str()),
        ("NO", "[ALERT] You exceeded your mail quota.")
    );
    let second = server.judge(&account).unwrap();
    assert!(
        server.judge(&account).is_err(),
        "a third connection is closed"
    );
    drop(second);
}
