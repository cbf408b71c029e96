//! Cyrus really starts, takes mail from the judge and gives it back.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use hikyaku_testkit::judge::Judge;
use hikyaku_testkit::servers::{Cyrus, CyrusOptions, MailServer};

#[test]
fn an_account_is_usable_at_once_in_both_layouts() {
    for (dotted, separator, prefix, below) in [
        (false, '/', "", "請求書/a"),
        (true, '.', "INBOX.", "INBOX.請求書.a"),
    ] {
        let server = Cyrus::start(CyrusOptions {
            dotted,
            ..CyrusOptions::default()
        })
        .unwrap();
        let account = server.create_account("alice").unwrap();
        let mut judge = server.judge(&account).unwrap();
        let wire = hikyaku_testkit::judge::name::encode(below);
        judge.create(&wire).unwrap().accepted().unwrap();
        let octets = b"Subject: x\r\n\r\nbody";
        judge
            .append(&wire, &["\\Flagged", "$Forwarded"], None, octets)
            .unwrap()
            .accepted()
            .unwrap();
        let snapshot = judge.snapshot().unwrap();
        assert_eq!(
            (snapshot.separator, snapshot.prefix.as_str()),
            (Some(separator), prefix)
        );
        let mailbox = &snapshot.mailboxes[&wire];
        assert_eq!(mailbox.levels, ["請求書", "a"]);
        assert_eq!(mailbox.messages[0].content.octets(), Some(&octets[..]));
        assert!(mailbox.messages[0].flags.contains("$Forwarded"));
        assert!(
            server.mail_directory(&account).is_dir(),
            "{}",
            server.mail_directory(&account).display()
        );
    }
}

#[test]
fn limits_are_those_of_the_options() {
    let options = CyrusOptions {
        max_message_size: Some(5_000),
        quota_kib: Some(6),
        ..CyrusOptions::default()
    };
    let server = Cyrus::start(options).unwrap();
    let account = server.create_account("bob").unwrap();
    let mut judge = server.judge(&account).unwrap();
    let message = |octets: usize| [&b"Subject: x\r\n\r\n"[..], &vec![b'x'; octets]].concat();
    let refused = judge
        .append("INBOX", &[""; 0], None, &message(6_000))
        .unwrap();
    assert!(refused.text.starts_with("[TOOBIG]"), "{refused:?}");
    judge
        .append("INBOX", &[""; 0], None, &message(4_000))
        .unwrap()
        .accepted()
        .unwrap();
    let refused = judge
        .append("INBOX", &[""; 0], None, &message(4_000))
        .unwrap();
    assert_eq!(
        (
            refused.status.as_str(),
            refused.text.starts_with("Over quota")
        ),
        ("NO", true),
        "{refused:?}"
    );
    let wrong = Judge::connect(server.instance().address(), "bob", "wrong").unwrap_err();
    assert!(
        format!("{wrong:#}").contains("Login failed: authentication failure"),
        "{wrong:#}"
    );
}
