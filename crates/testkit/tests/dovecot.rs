//! Dovecot really starts, takes mail from the judge and gives it back.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeSet;

use hikyaku_testkit::judge::{CompareOptions, Content, Judge, compare, date, name};
use hikyaku_testkit::servers::{AdminLogin, Dovecot, DovecotOptions, MailFormat, MailServer};

fn flags(flags: &[&str]) -> BTreeSet<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

#[test]
fn what_the_judge_appends_is_what_its_snapshot_shows() {
    let server = Dovecot::start(DovecotOptions::default()).unwrap();
    let account = server.create_account("alice").unwrap();
    let mut judge = server.judge(&account).unwrap();
    let invoices = name::encode("受信トレイ/請求書");
    judge.create(&invoices).unwrap().accepted().unwrap();
    judge.subscribe(&invoices).unwrap().accepted().unwrap();
    let octets = b"Subject: \xe6\x97\xa5\r\n\r\nbody\rwith a bare CR, no last line end";
    judge
        .append(
            &invoices,
            &["\\Seen", "\\Flagged", "$Forwarded"],
            Some(" 9-Mar-2003 07:00:00 +0900"),
            octets,
        )
        .unwrap()
        .accepted()
        .unwrap();
    let large = vec![b'x'; 1_500_000];
    judge
        .append(
            "INBOX",
            &[""; 0],
            Some("01-Jan-2020 00:00:00 +0000"),
            &large,
        )
        .unwrap()
        .accepted()
        .unwrap();
    let refused = judge
        .append("nowhere", &[""; 0], None, b"Subject: x\r\n\r\n")
        .unwrap();
    assert!(
        !refused.is_ok() && refused.text.starts_with("[TRYCREATE]"),
        "{refused:?}"
    );

    let account_before = judge.snapshot().unwrap();
    assert_eq!(
        (account_before.separator, account_before.prefix.as_str()),
        (Some('/'), "")
    );
    let names: Vec<_> = account_before
        .mailboxes
        .values()
        .map(|mailbox| mailbox.name.as_str())
        .collect();
    assert_eq!(names, ["受信トレイ", "受信トレイ/請求書", "INBOX"]);
    let mailbox = &account_before.mailboxes[&invoices];
    assert!(mailbox.subscribed && mailbox.is_selectable() && mailbox.uid_validity > 0);
    assert_eq!(mailbox.levels, ["受信トレイ", "請求書"]);
    assert_eq!(mailbox.uid_next, 2);
    let [message] = &mailbox.messages[..] else {
        panic!("{:?}", mailbox.messages)
    };
    assert_eq!(
        (message.uid, message.internal_date),
        (1, date::parse("8-Mar-2003 22:00:00 +0000").unwrap())
    );
    assert_eq!(message.flags, flags(&["$Forwarded", "\\Flagged", "\\Seen"]));
    assert_eq!(message.content.octets(), Some(&octets[..]));
    let message = &account_before.mailboxes[&b"INBOX"[..]].messages[0];
    assert_eq!(
        (message.content.length(), message.content.octets()),
        (1_500_000, None)
    );
    assert_eq!(message.content, Content::from(&large[..]));

    let again = server.judge(&account).unwrap().snapshot().unwrap();
    assert_eq!(again, account_before, "reading changes nothing");
    judge.select(&invoices).unwrap().accepted().unwrap();
    judge
        .store("1", "-FLAGS", &["\\Seen"])
        .unwrap()
        .accepted()
        .unwrap();
    let changed = judge.snapshot().unwrap();
    let differences = compare(&account_before, &changed, &CompareOptions::default());
    assert_eq!(
        differences,
        [
            "受信トレイ / 請求書: UID 1 should be ($Forwarded \\Flagged \\Seen) of 8-Mar-2003 22:00:00 +0000, \
          but is ($Forwarded \\Flagged) of 8-Mar-2003 22:00:00 +0000"
        ]
    );
}

#[test]
fn a_control_panel_layout_with_special_uses_quota_and_size_limit() {
    let server = Dovecot::start(DovecotOptions {
        separator: '.',
        prefix: "INBOX.".to_owned(),
        format: MailFormat::Mdbox,
        quota_kib: Some(1024),
        max_mail_size: Some(100_000),
        compress: true,
        in_memory: true,
        special_uses: vec![("Sent".to_owned(), "\\Sent".to_owned())],
        ..DovecotOptions::default()
    })
    .unwrap();
    let account = server.create_account("bob@example.jp").unwrap();
    let mut judge = server.judge(&account).unwrap();
    assert!(
        judge
            .capabilities()
            .unwrap()
            .contains(&"COMPRESS=DEFLATE".to_owned())
    );
    let refused = judge
        .append("INBOX", &[""; 0], None, &[b'x'; 100_001])
        .unwrap();
    assert!(
        !refused.is_ok() && refused.text.starts_with("[LIMIT]"),
        "{refused:?}"
    );
    let quota = judge.command("GETQUOTAROOT INBOX").unwrap();
    assert!(
        quota
            .lines
            .iter()
            .any(|line| line == "* QUOTA \"User quota\" (STORAGE 0 1024)"),
        "{quota:?}"
    );
    let snapshot = judge.snapshot().unwrap();
    assert_eq!(
        (snapshot.separator, snapshot.prefix.as_str()),
        (Some('.'), "INBOX.")
    );
    let sent = &snapshot.mailboxes[&b"INBOX.Sent"[..]];
    assert_eq!(
        (sent.levels.join("|").as_str(), sent.subscribed),
        ("Sent", true)
    );
    assert!(sent.attributes.contains("\\Sent"));
    assert!(server.mail_directory(&account).is_dir());
}

#[test]
fn accounts_are_made_while_the_server_runs_and_are_strangers_to_each_other() {
    let mut server = Dovecot::start(DovecotOptions::default()).unwrap();
    for name in ["one", "two", "three"] {
        let account = server.create_account(name).unwrap();
        server
            .judge(&account)
            .unwrap()
            .create(name)
            .unwrap()
            .accepted()
            .unwrap();
        let snapshot = server.judge(&account).unwrap().snapshot().unwrap();
        assert_eq!(snapshot.mailboxes.len(), 2, "INBOX and {name}");
    }
    let account = server.create_account("one").unwrap();
    let wrong = Judge::connect(server.instance().address(), "one", "wrong").unwrap_err();
    assert!(
        format!("{wrong:#}").contains("[AUTHENTICATIONFAILED]"),
        "{wrong:#}"
    );
    let unknown = Judge::connect(server.instance().address(), "nobody", "wrong").unwrap_err();
    assert!(
        format!("{unknown:#}").contains("[AUTHENTICATIONFAILED]"),
        "{unknown:#}"
    );
    let Some(AdminLogin::MasterUser { login, password }) = server.admin_login(&account) else {
        panic!()
    };
    let mut admin = Judge::connect(server.instance().address(), &login, &password).unwrap();
    let seen_by_admin = admin.snapshot().unwrap();
    assert!(seen_by_admin.mailboxes.contains_key(&b"one"[..]));
    server.restart().unwrap();
    assert_eq!(
        server.judge(&account).unwrap().snapshot().unwrap(),
        seen_by_admin
    );
}

#[test]
fn a_dropped_server_leaves_neither_processes_nor_files() {
    let server = Dovecot::start(DovecotOptions::default()).unwrap();
    let account = server.create_account("alice").unwrap();
    let mut judge = server.judge(&account).unwrap();
    let (address, path) = (
        server.instance().address(),
        server.instance().path().to_owned(),
    );
    drop(server);
    assert!(judge.command("NOOP").is_err(), "the session has ended");
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "nobody listens"
    );
    assert!(!path.exists());
}

#[test]
fn a_token_opens_the_account_until_it_is_revoked() {
    let server = Dovecot::start(DovecotOptions {
        oauth: true,
        ..DovecotOptions::default()
    })
    .unwrap();
    let account = server.create_account("alice").unwrap();
    let mut stranger = Judge::greet(server.instance().address()).unwrap();
    let capabilities = stranger.capabilities().unwrap();
    assert!(
        ["AUTH=XOAUTH2", "AUTH=OAUTHBEARER"]
            .iter()
            .all(|wanted| capabilities.contains(&(*wanted).to_owned()))
    );
    let token = server.issue_token(&account).unwrap();
    // "user=alice\x01auth=Bearer token-1-of-alice\x01\x01" in base64.
    assert_eq!(token, "token-1-of-alice");
    let response = "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0b2tlbi0xLW9mLWFsaWNlAQE=";
    stranger
        .command(format!("AUTHENTICATE XOAUTH2 {response}"))
        .unwrap()
        .accepted()
        .unwrap();
    assert_eq!(
        stranger.snapshot().unwrap(),
        server.judge(&account).unwrap().snapshot().unwrap()
    );
    server.revoke_token(&token);
    let mut stranger = Judge::greet(server.instance().address()).unwrap();
    // The server explains first and waits for an empty answer.
    assert!(
        stranger
            .command(format!("AUTHENTICATE XOAUTH2 {response}"))
            .is_err()
    );
    // Passwords still work beside it.
    assert_eq!(
        server
            .judge(&account)
            .unwrap()
            .snapshot()
            .unwrap()
            .mailboxes
            .len(),
        1
    );
}
