//! The adapter against a real Dovecot.

mod common;

use common::{append, connect, find, letter, name, read_all, write};
use hikyaku_core::traits::{Appended, Destination, Facts, Source};
use hikyaku_core::{Key, KeySet, Role, Side};
use hikyaku_testkit::judge::name::encode;
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};
use std::collections::BTreeSet;

const NONE: &[&str] = &[];

fn message(subject: &str, lines: usize) -> Vec<u8> {
    let mut text = format!("From: a@example.jp\r\nSubject: {subject}\r\n\r\n");
    for n in 0..lines {
        text.push_str(&format!("{n:060}\r\n"));
    }
    text.into_bytes()
}

#[tokio::test]
async fn mailboxes_are_listed_as_people_name_them() {
    let server = Dovecot::start(DovecotOptions {
        special_uses: vec![("Sent".into(), "\\Sent".into())],
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    let mut judge = server.judge(&user).expect("judge");
    let wire = encode("受信トレイ/請求書");
    judge
        .create(&wire)
        .expect("create")
        .accepted()
        .expect("created");
    judge
        .subscribe(&wire)
        .expect("subscribe")
        .accepted()
        .expect("subscribed");
    judge
        .append(&wire, NONE, None, &message("x", 1))
        .expect("append")
        .accepted()
        .expect("ok");

    let account = connect(&server, &user, Side::Source).await.expect("login");
    let found = account.mailboxes().await.expect("mailboxes");
    let names: Vec<String> = found.iter().map(|m| m.name.to_string()).collect();
    assert_eq!(names, ["INBOX", "Sent", "受信トレイ", "受信トレイ/請求書"]);
    let by_name = |text: &str| found.iter().find(|m| m.name == name(text)).expect("listed");
    assert_eq!(by_name("INBOX").role, Some(Role::Inbox));
    assert_eq!(by_name("Sent").role, Some(Role::Sent));
    let deep = by_name("受信トレイ/請求書");
    assert!(deep.selectable && deep.subscribed);
    assert!(!by_name("受信トレイ").selectable);
    let state = deep.state.expect("LIST-STATUS");
    assert_eq!((state.messages, state.next), (1, Some(Key(2))));
    assert!(state.modseq.is_some() && state.octets.is_some() && state.epoch.is_some());
    assert_eq!(account.mailboxes().await.expect("again"), found);
}

#[tokio::test]
async fn letters_are_read_and_appended_exactly() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let mut writer = write(&account, "箱/下").await;
    let letters = vec![
        letter(1, "\\Seen $Label1 Work", 1_000_000_000, message("one", 3)),
        letter(2, "", 1_100_000_000, &b"From: x\r\n\r\nno end of line"[..]),
        letter(
            3,
            "\\Flagged \\Deleted \\Draft \\Answered",
            1_200_000_000,
            message("three", 2_000),
        ),
    ];
    let sent = letters
        .iter()
        .map(|l| match &l.body {
            hikyaku_core::Body::Held(octets) => octets.to_vec(),
            hikyaku_core::Body::Streamed { .. } => unreachable!("held"),
        })
        .collect::<Vec<_>>();
    match append(writer.as_mut(), letters).await {
        Appended::Stored { epoch, keys } => {
            assert_eq!(epoch, writer.state().epoch);
            assert_eq!(keys, Some(vec![Key(1), Key(2), Key(3)]));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(writer.keys().await.expect("keys"), KeySet::range(1..=3));
    drop(writer);

    let reading = connect(&server, &user, Side::Source).await.expect("login");
    let info = find(&reading, "箱/下").await;
    let mut reader = reading.open(&info).await.expect("opened");
    assert_eq!(reader.state().messages, 3);
    let keys = reader.keys().await.expect("keys");
    assert_eq!(keys, KeySet::range(1..=3));
    let all = read_all(reader.as_mut(), &keys).await;
    let seen: Vec<_> = all.into_iter().map(|l| l.expect("a letter")).collect();
    assert_eq!(
        seen.iter().map(|l| l.octets.clone()).collect::<Vec<_>>(),
        sent
    );
    assert_eq!(
        seen.iter()
            .map(|l| (l.key, l.flags.as_str(), l.seconds))
            .collect::<Vec<_>>(),
        [
            (1, "\\Seen $Label1 Work", Some(1_000_000_000)),
            (2, "", Some(1_100_000_000)),
            (
                3,
                "\\Answered \\Flagged \\Deleted \\Draft",
                Some(1_200_000_000)
            ),
        ]
    );
    let mut listed = Vec::new();
    {
        let facts = Facts {
            flags: true,
            date: true,
            octets: true,
            head: true,
        };
        let mut flow = reader.list(&keys, facts);
        while let Some(item) = futures::StreamExt::next(&mut flow).await {
            listed.push(item.expect("a listing"));
        }
    }
    assert_eq!(
        listed.iter().map(|l| l.key.0).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    for (listing, sent) in listed.iter().zip(&sent) {
        assert_eq!(listing.octets, Some(sent.len() as u64));
        assert_eq!(listing.head, Some(hikyaku_core::HeadDigest::of(sent)));
    }
    let snapshot = server
        .judge(&user)
        .expect("judge")
        .snapshot()
        .expect("snapshot");
    let stored = &snapshot.mailboxes[&encode("箱/下")];
    let flags: BTreeSet<String> = ["$Label1", "Work", "\\Seen"].map(String::from).into();
    assert_eq!(
        stored.messages[0].flags, flags,
        "reading marks nothing as read"
    );
    assert!(stored.messages[1].flags.is_empty());
}
