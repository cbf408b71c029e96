//! The adapter against a real Dovecot.

mod common;

use common::{Door, append, connect, find, letter, name, plain, read_all, write};
use hikyaku_core::traits::{Appended, Destination, Facts, FlagChange, Source};
use hikyaku_core::{Flags, Key, KeySet, Role, Side};
use hikyaku_imap::ImapAccount;
use hikyaku_testkit::judge::name::encode;
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};
use std::collections::BTreeSet;
use std::io::{Read, Write};

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

/// Verbs that a source may hear; body items of FETCH have to be PEEK besides.
const READING: &[&str] = &[
    "CAPABILITY",
    "ID",
    "ENABLE",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
    "COMPRESS",
    "NAMESPACE",
    "LIST",
    "LSUB",
    "STATUS",
    "EXAMINE",
    "UID SEARCH",
    "UID FETCH",
    "NOOP",
    "GETQUOTAROOT",
    "UNSELECT",
    "LOGOUT",
];

#[tokio::test]
async fn the_source_hears_nothing_that_could_change_it() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let mut judge = server.judge(&user).expect("judge");
    judge
        .create("a")
        .expect("create")
        .accepted()
        .expect("created");
    for n in 0..5 {
        judge
            .append("a", NONE, None, &message("x", n))
            .expect("append")
            .accepted()
            .expect("ok");
    }
    let before = judge.snapshot().expect("before");
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).expect("proxy");
    let account = ImapAccount::connect(plain(proxy.port(), &user, Side::Source))
        .await
        .expect("login");
    account.mailboxes().await.expect("mailboxes");
    account.mailboxes().await.expect("again");
    account.quota().await.expect("quota");
    let info = find(&account, "a").await;
    let mut reader = account.open(&info).await.expect("opened");
    let keys = reader.keys().await.expect("keys");
    assert_eq!(read_all(reader.as_mut(), &keys).await.len(), 5);
    let head = reader.head(Key(1)).await.expect("head").expect("there");
    assert!(head.windows(10).any(|w| w == b"Subject: x"));
    assert_eq!(reader.head(Key(999)).await.expect("head"), None);
    let modseq = reader.state().modseq.expect("mod-sequences");
    judge
        .select("a")
        .expect("select")
        .accepted()
        .expect("selected");
    judge
        .store("3", "+FLAGS", &["\\Flagged"])
        .expect("store")
        .accepted()
        .expect("stored");
    let mut changed = Vec::new();
    {
        let mut flow = reader.changed(modseq);
        while let Some(item) = futures::StreamExt::next(&mut flow).await {
            let listing = item.expect("a listing");
            changed.push((listing.key.0, listing.flags.expect("flags").to_string()));
        }
    }
    assert_eq!(changed, [(3, "\\Flagged".to_owned())]);
    judge
        .store("3", "-FLAGS", &["\\Flagged"])
        .expect("store")
        .accepted()
        .expect("stored");
    drop(reader);
    // Even asked to, it does not write.
    let fault = account
        .ensure(&name("b"), None, true)
        .await
        .expect_err("not a destination");
    assert_eq!(fault.code, hikyaku_core::Code::Bug);
    assert!(account.write(&info).await.is_err());
    account.close().await;
    let commands = proxy.commands();
    for command in &commands {
        assert!(
            READING.iter().any(|verb| command.starts_with(verb)) || !command.contains(' '),
            "{command}"
        );
        assert!(!command.contains("BODY["), "{command}");
    }
    assert!(commands.iter().any(|c| c.starts_with("EXAMINE")));
    assert!(commands.iter().any(|c| c == "LOGOUT"));
    assert_eq!(
        server
            .judge(&user)
            .expect("judge")
            .snapshot()
            .expect("after"),
        before
    );
}

/// Text that is dangerous when a server takes it for commands.
fn poisoned() -> Vec<u8> {
    let mut text = b"From: a@example.jp\r\nSubject: x\r\n\r\n".to_vec();
    for n in 0..40 {
        text.extend_from_slice(format!("h{n} CREATE pwned\r\na{n} CREATE pwned{n}\r\n").as_bytes());
    }
    text.extend_from_slice(b"z DELETE victim\r\nz SUBSCRIBE pwned\r\n");
    text
}

/// The control of the test below: sent carelessly, the same text does run.
#[test]
fn message_text_runs_as_commands_when_it_is_sent_carelessly() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let mut stream = std::net::TcpStream::connect(server.instance().address()).expect("connected");
    let password = user.password.replace('\\', "\\\\").replace('"', "\\\"");
    let text = poisoned();
    let mut sent = format!("a LOGIN {} \"{password}\"\r\n", user.user).into_bytes();
    sent.extend_from_slice(format!("b APPEND INBOX (\\Weird) {{{}+}}\r\n", text.len()).as_bytes());
    sent.extend_from_slice(&text);
    sent.extend_from_slice(b"\r\nc LOGOUT\r\n");
    stream.write_all(&sent).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answers");
    let names = server
        .judge(&user)
        .expect("judge")
        .snapshot()
        .expect("snapshot")
        .mailboxes;
    assert!(
        names.contains_key(&b"pwned"[..]),
        "{}",
        answer.escape_ascii()
    );
}

#[tokio::test]
async fn message_text_never_runs_as_a_command() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    server
        .judge(&user)
        .expect("judge")
        .create("victim")
        .expect("create")
        .accepted()
        .expect("ok");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let mut writer = write(&account, "in").await;
    let long = format!("k{}", "x".repeat(300));
    let odd = |n: u64, flags: &str, seconds: i64| letter(n, flags, seconds, poisoned());
    let batches = vec![
        vec![odd(1, "\\Seen", 1_000_000_000)],
        vec![odd(2, "\\Seen a\"b c(d {12+} )x", 1_000_000_000)],
        vec![odd(3, &long, 1_000_000_000)],
        vec![odd(4, "", -90_000_000_000)],
        vec![odd(5, "", 999_999_999_999)],
        vec![odd(6, "", -5_000_000_000)],
        vec![
            odd(7, "", 1_000_000_000),
            odd(8, "日本語 ]x[", -5),
            odd(9, "\\Recent \\Weird", 4_000_000_000),
            odd(10, "$ok", 1_000_000_000),
        ],
    ];
    let mut stored = 0;
    let mut refused = Vec::new();
    for letters in batches {
        let (count, first) = (letters.len(), letters[0].key.0);
        match append(writer.as_mut(), letters).await {
            Appended::Stored { keys, .. } => {
                stored += count;
                assert_eq!(keys.map(|k| k.len()), Some(count));
            }
            Appended::Refused(fault) => {
                let code = fault.said.and_then(|s| s.code);
                refused.push((first, fault.code, code));
            }
            Appended::Unknown(fault) => panic!("unknown: {fault}"),
        }
    }
    let too_long = Some("CANNOT".to_owned());
    assert_eq!(refused, [(3, hikyaku_core::Code::MessageRefused, too_long)]);
    let snapshot = server
        .judge(&user)
        .expect("judge")
        .snapshot()
        .expect("snapshot");
    let names: Vec<&str> = snapshot
        .mailboxes
        .values()
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(names, ["INBOX", "in", "victim"]);
    let there = &snapshot.mailboxes[&b"in"[..]].messages;
    assert_eq!(there.len(), stored);
    assert!(
        there
            .iter()
            .all(|m| m.content.octets() == Some(&poisoned()))
    );
}

#[tokio::test]
async fn without_the_last_line_end_nothing_is_stored() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let mut writer = write(&account, "in").await;
    let letters = || {
        vec![
            letter(1, "", 1_000_000_000, message("one", 10)),
            letter(2, "", 1_000_000_000, message("two", 10)),
        ]
    };
    // Shut from the start: nothing leaves, and the connection is as good as before.
    let pending = writer
        .append(letters(), Door::open_for(0))
        .await
        .expect("queued");
    match pending.await {
        Appended::Refused(fault) => assert_eq!(fault.code, hikyaku_core::Code::Interrupted),
        other => panic!("{other:?}"),
    }
    assert_eq!(writer.keys().await.expect("keys"), KeySet::new());
    // Shut on the way: two complete literals are gone, so it has to be looked up.
    let pending = writer
        .append(letters(), Door::open_for(1))
        .await
        .expect("queued");
    match pending.await {
        Appended::Unknown(fault) => assert_eq!(fault.code, hikyaku_core::Code::Interrupted),
        other => panic!("{other:?}"),
    }
    // Nothing goes over a connection that was reset.
    match append(writer.as_mut(), letters()).await {
        Appended::Refused(fault) => assert_eq!(fault.code, hikyaku_core::Code::Interrupted),
        other => panic!("{other:?}"),
    }
    drop(writer);
    let mut again = write(&account, "in").await;
    assert_eq!(again.state().messages, 0);
    assert_eq!(again.keys().await.expect("keys"), KeySet::new());
}

#[tokio::test]
async fn a_large_message_streams_from_one_account_to_the_other() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let from = server.create_account("from").expect("account");
    let to = server.create_account("to").expect("account");
    let big = message("big", 330_000);
    let mut judge = server.judge(&from).expect("judge");
    for (n, text) in [message("small", 1), big.clone(), message("last", 2)]
        .iter()
        .enumerate()
    {
        let flags: &[&str] = if n == 1 { &["\\Seen", "$Big"] } else { &[] };
        let date = Some("17-Jul-1996 02:44:25 -0700");
        judge
            .append("INBOX", flags, date, text)
            .expect("append")
            .accepted()
            .expect("ok");
    }
    let source = connect(&server, &from, Side::Source).await.expect("login");
    let destination = connect(&server, &to, Side::Destination)
        .await
        .expect("login");
    let mut reader = source
        .open(&find(&source, "INBOX").await)
        .await
        .expect("opened");
    let mut writer = write(&destination, "INBOX").await;
    let keys = reader.keys().await.expect("keys");
    let mut kinds = Vec::new();
    {
        let mut flow = reader.read(&keys);
        while let Some(item) = futures::StreamExt::next(&mut flow).await {
            let letter = item.expect("a letter");
            kinds.push(matches!(letter.body, hikyaku_core::Body::Streamed { .. }));
            match append(writer.as_mut(), vec![letter]).await {
                Appended::Stored {
                    keys: Some(keys), ..
                } => assert_eq!(keys.len(), 1),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(kinds, [false, true, false]);
    let snapshot = |user| {
        server
            .judge(user)
            .expect("judge")
            .snapshot()
            .expect("snapshot")
    };
    let (there, here) = (snapshot(&to), snapshot(&from));
    assert_eq!(
        there.mailboxes[&b"INBOX"[..]].messages,
        here.mailboxes[&b"INBOX"[..]].messages
    );
    // The connection that carried it is as good as new.
    drop(reader);
    let mut reader = source
        .open(&find(&source, "INBOX").await)
        .await
        .expect("opened");
    assert_eq!(reader.keys().await.expect("keys"), KeySet::range(1..=3));
}

#[tokio::test]
async fn flags_are_added_and_removed() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let mut writer = write(&account, "in").await;
    let letters = (1..=3)
        .map(|n| letter(n, "\\Seen $A", 1_000_000_000, message("x", 1)))
        .collect();
    assert!(matches!(
        append(writer.as_mut(), letters).await,
        Appended::Stored { .. }
    ));
    let change = |key, add: &str, remove: &str| FlagChange {
        key: Key(key),
        add: Flags::parse(add),
        remove: Flags::parse(remove),
    };
    let changes = [
        change(1, "\\Flagged $B", ""),
        change(2, "", "\\Seen $A"),
        change(3, "$B", "$A"),
    ];
    writer.store_flags(&changes).await.expect("stored");
    let facts = Facts {
        flags: true,
        ..Facts::default()
    };
    let keys = KeySet::range(1..=9);
    let mut flow = writer.list(&keys, facts);
    let mut seen = Vec::new();
    while let Some(item) = futures::StreamExt::next(&mut flow).await {
        seen.push(item.expect("a listing").flags.expect("flags").to_string());
    }
    assert_eq!(seen, ["\\Seen \\Flagged $A $B", "", "\\Seen $B"]);
}

#[tokio::test]
async fn a_full_account_and_a_message_too_large_are_told_apart() {
    let server = Dovecot::start(DovecotOptions {
        quota_kib: Some(100),
        max_mail_size: Some(50_000),
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    let account = connect(&server, &user, Side::Destination)
        .await
        .expect("login");
    let quota = account.quota().await.expect("asked").expect("a limit");
    assert_eq!((quota.used, quota.limit), (0, 102_400));
    let mut writer = write(&account, "in").await;
    let refused = |appended| match appended {
        Appended::Refused(fault) => (fault.code, fault.at.message),
        other => panic!("{other:?}"),
    };
    let large = refused(append(writer.as_mut(), vec![letter(7, "", 0, message("x", 1_000))]).await);
    assert_eq!(large, (hikyaku_core::Code::MessageTooLarge, Some(Key(7))));
    drop(writer);
    let mut writer = write(&account, "in").await;
    for n in 0..2 {
        let fits = append(writer.as_mut(), vec![letter(n, "", 0, message("x", 700))]).await;
        assert!(matches!(fits, Appended::Stored { .. }), "{fits:?}");
    }
    let full = refused(append(writer.as_mut(), vec![letter(8, "", 0, message("x", 700))]).await);
    assert_eq!(full, (hikyaku_core::Code::QuotaExceeded, Some(Key(8))));
}
