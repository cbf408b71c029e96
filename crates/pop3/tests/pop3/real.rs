//! Dovecot, Cyrus and Courier as POP3 servers.

use crate::accounts::{Client, connect, fill, flags, look, options};
use crate::support::{Pair, open, read_all};
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Remedy, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_pop3::{Pop3Account, imap_beside};
use hikyaku_testkit::judge::MailboxSnapshot;
use hikyaku_testkit::servers::{self, Account, Dovecot, DovecotOptions, Kind, MailServer};
use std::sync::Arc;

fn message(n: usize, body: &str) -> Vec<u8> {
    let head = format!("Message-ID: <{n}@example.jp>\r\nFrom: a@example.jp\r\nSubject: {n}\r\n");
    format!("{head}Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n\r\n{body}").into_bytes()
}

/// Ordinary and odd ones, a large one among them.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let large = format!("{}\r\n", "x".repeat(76)).repeat(130_000);
    let mut all = vec![
        ("", message(0, "text\r\n")),
        ("\\Seen", message(1, ".\r\n..\r\n.x\r\n\r\n.\r\n")),
        ("\\Flagged", message(2, "+OK\r\n-ERR\r\n.\r\n+OK\r\n")),
        ("", message(3, "")),
        ("\\Seen \\Answered", message(4, "日本語の本文\r\n")),
        ("", message(5, &large)),
        ("", message(6, "twin\r\n")),
        ("", message(6, "twin\r\n")),
    ];
    all.extend((7..60).map(|n| ("", message(n, &"line\r\n".repeat(n)))));
    all
}

/// The octets of all messages.
fn contents(mailbox: &MailboxSnapshot) -> Vec<Vec<u8>> {
    let all = mailbox.messages.iter().filter_map(|m| m.content.octets());
    all.map(<[u8]>::to_vec).collect()
}

/// Dovecot and Cyrus have one order for POP3 and IMAP, Courier has two.
fn in_order(kind: Kind, mut octets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if kind == Kind::Courier {
        octets.sort();
    }
    octets
}

fn filled(kind: Kind) -> (Box<dyn MailServer>, Account) {
    let server = servers::start(kind).expect("server");
    let account = server.create_account("taro").expect("account");
    fill(server.as_ref(), &account, &messages());
    (server, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_octet_comes_and_the_mailbox_stays_as_it_was() {
    for kind in Kind::ALL {
        let (server, user) = filled(kind);
        let before = look(server.as_ref(), &user);
        for security in [Security::Plain, Security::StartTls, Security::ImplicitTls] {
            let options = options(server.as_ref(), &user, security);
            let account = Pop3Account::connect(options).await;
            let account =
                account.unwrap_or_else(|fault| panic!("{kind:?} {security:?}: {fault:?}"));
            assert_eq!(account.distrust(), None, "{kind:?}");
            let is_encrypted = account.peer().expect("connected").tls.is_some();
            assert_eq!(is_encrypted, security != Security::Plain);
            let all = read_all(&account).await;
            account.close().await;
            let octets: Vec<Vec<u8>> = all.iter().map(|plain| plain.octets.clone()).collect();
            assert!(
                in_order(kind, octets) == in_order(kind, contents(&before)),
                "{kind:?} {security:?}: POP3 and IMAP give the same octets"
            );
            assert_eq!(all.len(), messages().len());
            // Numbers of the server, not hashes.
            assert!(
                all.iter().all(|plain| plain.key < 1 << 32),
                "{kind:?}: {}",
                all[0].key
            );
            assert!(
                all.windows(2).all(|pair| pair[0].key < pair[1].key),
                "{kind:?}"
            );
            let date = Some("1996-07-17T02:44:25-07:00");
            assert!(
                all.iter()
                    .all(|plain| plain.date.as_deref() == date && plain.flags == "\\Seen")
            );
        }
        let after = look(server.as_ref(), &user);
        assert_eq!(
            flags(&before),
            flags(&after),
            "{kind:?}: nothing is marked as read"
        );
        assert!(before == after, "{kind:?}");
    }
}

/// What RETR and TOP leave behind, as IMAP sees it: why messages are read by TOP.
#[tokio::test(flavor = "multi_thread")]
async fn retr_marks_as_read_and_top_does_not() {
    let mut table = Vec::new();
    for kind in Kind::ALL {
        let server = servers::start(kind).expect("server");
        let user = server.create_account("taro").expect("account");
        let two = [("", message(1, "a\r\n")), ("", message(2, "b\r\n"))];
        fill(server.as_ref(), &user, &two);
        let mut client = Client::log_in(server.as_ref(), &user);
        assert!(client.says("RETR 1").starts_with("+OK"));
        client.lines();
        assert!(client.says("TOP 2 99999999").starts_with("+OK"));
        assert_eq!(
            client.lines().last().map(String::as_str),
            Some("b"),
            "{kind:?}"
        );
        assert!(client.says("QUIT").starts_with("+OK"));
        table.push((kind, flags(&look(server.as_ref(), &user))));
    }
    let row =
        |kind, retrieved: &str, topped: &str| (kind, vec![retrieved.to_owned(), topped.to_owned()]);
    assert_eq!(
        table,
        [
            row(Kind::Dovecot, "\\Seen", ""),
            row(Kind::Cyrus, "", ""),
            row(Kind::Courier, "\\Seen", ""),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_copy_into_dovecot_and_nothing_the_second_time() {
    let destination = Dovecot::start(DovecotOptions::default()).expect("server");
    for kind in Kind::ALL {
        let (server, user) = filled(kind);
        let before = look(server.as_ref(), &user);
        let to = destination
            .create_account(&format!("to-{kind:?}").to_lowercase())
            .expect("account");
        let endpoint = Endpoint::new(
            "127.0.0.1",
            destination.instance().port(),
            Security::Plain,
            Side::Destination,
        );
        let credentials = Credentials::password(&to.user, to.password.clone());
        let imap = ImapAccount::connect(ImapOptions::new(endpoint, credentials))
            .await
            .expect("login");
        let pair = Pair::into(imap);
        let count = messages().len() as u64;
        for expected in [count, 0] {
            let source = Arc::new(connect(server.as_ref(), &user).await);
            pair.copies(&source, expected).await;
            source.close().await;
        }
        let copied = look(&destination, &to);
        assert!(
            in_order(kind, contents(&before)) == in_order(kind, contents(&copied)),
            "{kind:?}: equal in every octet"
        );
        assert!(
            copied
                .messages
                .iter()
                .all(|m| m.internal_date == 837_596_665),
            "{kind:?}"
        );
        assert!(
            flags(&copied).iter().all(|flags| flags == "\\Seen"),
            "old mail counts as read"
        );
        // Mail comes and goes; the third run brings what is new.
        fill(server.as_ref(), &user, &[("", message(900, "new\r\n"))]);
        let mut judge = server.judge(&user).expect("judge");
        judge
            .select("INBOX")
            .expect("select")
            .accepted()
            .expect("ok");
        let gone = before.messages[3].uid.to_string();
        judge
            .expunge(&gone)
            .expect("expunge")
            .accepted()
            .expect("ok");
        drop(judge);
        let source = Arc::new(connect(server.as_ref(), &user).await);
        pair.copies(&source, 1).await;
        source.close().await;
        assert_eq!(
            look(&destination, &to).messages.len() as u64,
            count + 1,
            "{kind:?}"
        );
        assert_eq!(
            look(server.as_ref(), &user).messages.len() as u64,
            count,
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_as_such() {
    for kind in Kind::ALL {
        let server = servers::start(kind).expect("server");
        let user = server.create_account("taro").expect("account");
        for security in [Security::Plain, Security::ImplicitTls] {
            let mut options = options(server.as_ref(), &user, security);
            options.credentials = Credentials::password(&user.user, "wrong");
            let fault = Pop3Account::connect(options).await.expect_err("refused");
            assert_eq!(
                (fault.code, fault.remedy),
                (Code::LoginRejected, Remedy::AskUser),
                "{kind:?} {fault:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_mailbox_is_waited_for() {
    let server = Dovecot::start(DovecotOptions {
        extra: "protocol pop3 {\n  pop3_lock_session = yes\n}\n".to_owned(),
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    fill(&server, &user, &[("", message(1, "a\r\n"))]);
    let mut holder = Client::log_in(&server, &user);
    let options = options(&server, &user, Security::Plain);
    let fault = Pop3Account::connect(options.clone())
        .await
        .expect_err("locked");
    assert_eq!(fault.code, Code::MailboxLocked, "{fault:?}");
    assert!(matches!(fault.remedy, Remedy::Retry { after: Some(_) }));
    assert!(holder.says("QUIT").starts_with("+OK"));
    let account = Pop3Account::connect(options).await.expect("free again");
    assert_eq!(read_all(&account).await.len(), 1);
    // Our own second session comes in as soon as the first has said farewell.
    assert_eq!(read_all(&account).await.len(), 1);
    account.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecot_lets_in_by_every_mechanism() {
    let server = Dovecot::start(DovecotOptions {
        oauth: true,
        extra: "auth_mechanisms = $auth_mechanisms apop\n".to_owned(),
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    fill(&server, &user, &[("", message(1, "a\r\n"))]);
    let works = async |options| {
        let account = Pop3Account::connect(options).await.expect("login");
        assert_eq!(read_all(&account).await.len(), 1);
        account.close().await;
    };
    // SCRAM-SHA-256 in clear text, PLAIN in TLS.
    works(options(&server, &user, Security::Plain)).await;
    works(options(&server, &user, Security::StartTls)).await;
    let token = server.issue_token(&user).expect("token");
    let mut by_token = options(&server, &user, Security::ImplicitTls);
    by_token.credentials = Credentials::token(&user.user, token.clone());
    works(by_token.clone()).await;
    server.revoke_token(&token);
    let fault = Pop3Account::connect(by_token).await.expect_err("revoked");
    assert!(
        matches!(fault.code, Code::LoginExpired | Code::LoginRejected),
        "{fault:?}"
    );
    // An administrator in the place of the user.
    let mut as_admin = options(&server, &user, Security::ImplicitTls);
    as_admin.credentials = Credentials::password("admin", "pw-of-the-admin").acting_as(&user.user);
    works(as_admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_weaker_mechanisms_work_where_nothing_better_is_offered() {
    for mechanisms in [
        "cram-md5",
        "apop",
        "plain apop",
        "login",
        "plain",
        "scram-sha-1",
    ] {
        let server = Dovecot::start(DovecotOptions {
            extra: format!("auth_mechanisms = {mechanisms}\n"),
            ..DovecotOptions::default()
        })
        .expect("server");
        let user = server.create_account("taro").expect("account");
        let account = Pop3Account::connect(options(&server, &user, Security::Plain)).await;
        account
            .unwrap_or_else(|fault| panic!("{mechanisms}: {fault:?}"))
            .close()
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_ended_meanwhile_is_made_anew() {
    let (server, user) = filled(Kind::Dovecot);
    let account = connect(server.as_ref(), &user).await;
    let before = read_all(&account).await.len();
    drop(open(&account).await);
    assert_eq!(read_all(&account).await.len(), before);
    account.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_beside_pop3_is_found() {
    let server = servers::start(Kind::Dovecot).expect("server");
    let mut pop3 = Endpoint::new(
        "127.0.0.1",
        server.instance().pop3_port(),
        Security::Plain,
        Side::Source,
    );
    // Nothing listens on the usual ports of this machine's loopback.
    assert!(
        imap_beside(&pop3)
            .await
            .is_none_or(|found| [143, 993].contains(&found.port))
    );
    pop3.host = "name.invalid".to_owned();
    assert!(imap_beside(&pop3).await.is_none());
}
