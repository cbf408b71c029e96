//! The adapter against Cyrus and Courier: names, odd messages, what the capabilities lead to.

mod common;

use common::{append, connect, find, letter, name, plain, read_all};
use hikyaku_core::traits::{Appended, Destination, Source};
use hikyaku_core::{Code, KeySet, Side};
use hikyaku_imap::{Compress, ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_testkit::servers::{
    AdminLogin, Courier, CourierOptions, Cyrus, CyrusOptions, Dovecot, DovecotOptions, MailServer,
};

fn message(text: &str) -> Vec<u8> {
    let head = "From: a@example.jp\r\nDate: Wed, 17 Jul 1996 02:44:25 -0700\r\nSubject: x\r\n";
    format!("{head}\r\n{text}\r\n").into_bytes()
}

/// Makes mailboxes with names that people have, appends to each and reads back.
async fn keeps_everything(options: ImapOptions, names: &[&str]) {
    let account = ImapAccount::connect(options).await.expect("login");
    account.mailboxes().await.expect("mailboxes");
    for (n, text) in names.iter().enumerate() {
        let made = account.ensure(&name(text), None, true).await.expect("made");
        assert!(made.selectable && made.subscribed, "{made:?}");
        let mut writer = account.write(&made).await.expect("opened");
        let large = "x".repeat(76) + "\r\n";
        let letters = [
            message(text),
            [message("large"), large.repeat(5_000).into_bytes()].concat(),
            message("twin"),
            message("twin"),
        ];
        let flags = ["\\Seen $Label1", "\\Flagged", "", "\\Draft work"];
        let sent: Vec<_> = letters.into_iter().zip(flags).collect();
        let letters = |range: std::ops::Range<usize>| {
            let of = |i: usize| {
                letter(
                    i as u64,
                    sent[i].1,
                    1_000_000_000 + i as i64,
                    sent[i].0.clone(),
                )
            };
            range.map(of).collect::<Vec<_>>()
        };
        let batches = if account.abilities().appends_batches {
            vec![letters(0..1), letters(1..4)]
        } else {
            (0..4).map(|i| letters(i..i + 1)).collect()
        };
        for batch in batches {
            let count = batch.len();
            match append(writer.as_mut(), batch).await {
                Appended::Stored { keys, .. } => {
                    assert_eq!(keys.map(|k| k.len()), Some(count), "UIDPLUS");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        let keys = writer.keys().await.expect("keys");
        assert_eq!(keys, KeySet::range(1..=4));
        let read: Vec<_> = read_all(writer.as_mut(), &keys)
            .await
            .into_iter()
            .map(|l| l.expect("a letter"))
            .collect();
        for (i, (there, (octets, flags))) in read.iter().zip(&sent).enumerate() {
            assert_eq!(&there.octets, octets, "{text} {i}");
            assert_eq!(there.flags, *flags);
            assert_eq!(there.seconds, Some(1_000_000_000 + i as i64));
        }
        drop(writer);
        // Again is the same.
        let again = account
            .ensure(&name(text), None, true)
            .await
            .expect("there");
        assert_eq!((&again.name, &again.wire), (&made.name, &made.wire), "{n}");
    }
    let mut listed: Vec<String> = account
        .mailboxes()
        .await
        .expect("listed")
        .iter()
        .filter(|m| m.selectable && m.subscribed)
        .map(|m| m.name.to_string())
        .collect();
    listed.retain(|l| names.contains(&l.as_str()));
    let mut wanted: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    wanted.sort();
    assert_eq!(listed, wanted);
    let inbox = find(&account, "INBOX").await;
    assert!(inbox.state.is_some(), "STATUS came along or was asked for");
    account.close().await;
}

const NAMES: &[&str] = &[
    "請求書",
    "受信/請求書/2024年",
    "Sent Items",
    "a&b",
    "Büro",
    "INBOX/child",
];

#[tokio::test]
async fn cyrus_keeps_everything() {
    for dotted in [false, true] {
        let server = Cyrus::start(CyrusOptions {
            dotted,
            ..CyrusOptions::default()
        })
        .expect("server");
        let user = server.create_account("taro").expect("account");
        for compress in [Compress::Off, Compress::Auto] {
            let options = plain(server.instance().port(), &user, Side::Destination);
            let names: Vec<String> = NAMES.iter().map(|n| format!("{n}{compress:?}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            keeps_everything(
                ImapOptions {
                    compress,
                    ..options
                },
                &names,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn courier_keeps_everything() {
    let server = Courier::start(CourierOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let options = plain(server.instance().port(), &user, Side::Destination);
    let names = [
        "請求書",
        "受信/請求書/2024年",
        "Sent Items",
        "a&b",
        "Büro",
        "✈️旅行😀",
    ];
    keeps_everything(options, &names).await;
}

#[tokio::test]
async fn dovecot_with_a_prefix_keeps_everything() {
    let server = Dovecot::start(DovecotOptions {
        separator: '.',
        prefix: "INBOX.".into(),
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    let options = plain(server.instance().port(), &user, Side::Destination);
    keeps_everything(options, &["請求書", "受信/請求書/2024年", "a&b", "😀"]).await;
    let account = connect(&server, &user, Side::Source).await.expect("login");
    let rules = &account.abilities().names;
    assert_eq!(
        (rules.separator, rules.prefix.as_slice()),
        (Some('.'), &["INBOX".to_owned()][..])
    );
}

#[tokio::test]
async fn dovecot_without_extensions_keeps_everything() {
    for capability in [
        "IMAP4rev1",
        "IMAP4rev1 UIDPLUS LITERAL-",
        "IMAP4rev1 UIDPLUS LITERAL- MULTIAPPEND NAMESPACE",
        "IMAP4rev1 UIDPLUS MULTIAPPEND LIST-EXTENDED ESEARCH CONDSTORE",
    ] {
        let server = Dovecot::start(DovecotOptions {
            capability: Some(capability.into()),
            ..DovecotOptions::default()
        })
        .expect("server");
        let user = server.create_account("taro").expect("account");
        let account = connect(&server, &user, Side::Destination)
            .await
            .expect("login");
        assert_eq!(
            account.abilities().reports_keys,
            capability.contains("UIDPLUS")
        );
        assert_eq!(
            account.abilities().appends_batches,
            capability.contains("MULTIAPPEND")
        );
        drop(account);
        // APPENDUID comes even where UIDPLUS is hidden.
        let options = plain(server.instance().port(), &user, Side::Destination);
        keeps_everything(options, &["請求書", "a/b"]).await;
    }
}

#[tokio::test]
async fn what_cyrus_refuses_is_refused_by_name_and_the_rest_goes_on() {
    let server = Cyrus::start(CyrusOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let made = account
        .ensure(&name("in"), None, false)
        .await
        .expect("made");
    let mut writer = account.write(&made).await.expect("opened");
    let bad = letter(5, "", 1_000_000_000, &b"From: a\r\n\r\na\0b\r\n"[..]);
    match append(writer.as_mut(), vec![bad]).await {
        Appended::Refused(fault) => {
            assert_eq!(
                (fault.code, fault.at.message.map(|k| k.0)),
                (Code::MessageRefused, Some(5))
            );
            assert!(fault.said.expect("words").text.contains("NUL"));
        }
        other => panic!("{other:?}"),
    }
    // In a batch nothing of it is stored, and the connection goes on.
    let batch = vec![
        letter(6, "", 1_000_000_000, message("a")),
        letter(7, "", 1_000_000_000, &b"From: a\r\n\r\nbare\n"[..]),
        letter(8, "", 1_000_000_000, message("b")),
    ];
    assert!(matches!(
        append(writer.as_mut(), batch).await,
        Appended::Refused(_)
    ));
    let good = letter(9, "", 1_000_000_000, message("c"));
    assert!(matches!(
        append(writer.as_mut(), vec![good]).await,
        Appended::Stored { .. }
    ));
    // Cyrus answers BAD to such a date: the message waited for it, alone.
    let old = letter(10, "", -1_000_000_000, message("d"));
    match append(writer.as_mut(), vec![old]).await {
        Appended::Refused(fault) => assert_eq!(fault.code, Code::MessageRefused),
        other => panic!("{other:?}"),
    }
    let good = letter(11, "", 1_000_000_000, message("e"));
    assert!(matches!(
        append(writer.as_mut(), vec![good]).await,
        Appended::Stored { .. }
    ));
    assert_eq!(writer.keys().await.expect("keys").len(), 2);
}

#[tokio::test]
async fn an_administrator_of_cyrus_acts_as_the_user() {
    let server = Cyrus::start(CyrusOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let Some(AdminLogin::ProxyAuthorisation {
        authorise_as,
        login,
        password,
    }) = server.admin_login(&user)
    else {
        panic!("Cyrus has proxy authorisation");
    };
    let mut options = plain(server.instance().port(), &user, Side::Source);
    options.credentials = Credentials::password(login, password).acting_as(authorise_as);
    let account = ImapAccount::connect(options).await.expect("login");
    assert_eq!(find(&account, "INBOX").await.name, name("INBOX"));
}

#[tokio::test]
async fn full_accounts_without_a_code_are_recognised() {
    let cyrus = Cyrus::start(CyrusOptions {
        quota_kib: Some(50),
        ..CyrusOptions::default()
    })
    .expect("server");
    let courier = Courier::start(CourierOptions {
        quota_octets: Some(50_000),
        ..CourierOptions::default()
    })
    .expect("server");
    let servers: [&dyn MailServer; 2] = [&cyrus, &courier];
    for server in servers {
        let user = server.create_account("taro").expect("account");
        let account = connect(server, &user, Side::Destination)
            .await
            .expect("login");
        let made = account
            .ensure(&name("in"), None, false)
            .await
            .expect("made");
        let mut writer = account.write(&made).await.expect("opened");
        // Courier lets the first one in that goes over the limit.
        let mut codes = Vec::new();
        for n in 0..2 {
            let large = [message("large"), b"x\r\n".repeat(20_000)].concat();
            match append(writer.as_mut(), vec![letter(n, "", 1_000_000_000, large)]).await {
                Appended::Refused(fault) => codes.push(fault.code),
                Appended::Stored { .. } => {}
                other @ Appended::Unknown(_) => panic!("{other:?}"),
            }
        }
        assert_eq!(
            codes.last(),
            Some(&Code::QuotaExceeded),
            "{:?}",
            server.kind()
        );
        let quota = account.quota().await.expect("asked").expect("a limit");
        assert!(quota.limit > 40_000 && quota.limit < 60_000, "{quota:?}");
    }
}
