//! Fault model 8, 9, 10, 11, 12: connections that end, and servers that fall silent.

use crate::common::letter;
use crate::host::{Host, INBOX, letters, told};
use hikyaku_core::traits::{Appended, Facts, Source};
use hikyaku_core::{KeySet, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_memserver::{Action, MemServer, NewMessage, Options, Personality, Point, Rule};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use std::time::Duration;

/// A patience that a test can wait for.
fn hasty(mut options: ImapOptions) -> ImapOptions {
    let short = Duration::from_millis(500);
    options.endpoint.timeouts.reply = short;
    options.endpoint.timeouts.greeting = short;
    options
}

async fn server(rules: Rule) -> (MemServer, ImapOptions) {
    let options = Options::new(Personality::dovecot_like());
    let server = MemServer::start(options.script(rules))
        .await
        .expect("server");
    let account = server.add_account("taro", "secret");
    for text in ["one", "two", "three"] {
        let text = format!("Subject: {text}\r\n\r\n{}\r\n", text.repeat(100));
        account.add_message("INBOX", NewMessage::new(text.into_bytes()));
    }
    let endpoint = Endpoint::new("127.0.0.1", server.port(), Security::Plain, Side::Source);
    let options = ImapOptions::new(endpoint, Credentials::password("taro", "secret"));
    (server, hasty(options))
}

/// Reads everything; what comes of the part that failed and then of another attempt.
async fn read_twice(rule: Rule) -> (Vec<String>, Vec<String>) {
    let (_server, options) = server(rule).await;
    let account = ImapAccount::connect(options).await.expect("login");
    let inbox = crate::host::inbox(&account).await;
    let mut tries = Vec::new();
    for _ in 0..2 {
        let mut reader = account.open(&inbox).await.expect("opened");
        let read = letters(reader.as_mut(), "1:3").await;
        let short = read.iter().map(|line| match line.split_once(" Subject: ") {
            Some((key, text)) => format!("{key} {}", text.len()),
            None => line.clone(),
        });
        tries.push(short.collect::<Vec<_>>());
    }
    let second = tries.pop().expect("two");
    (tries.pop().expect("two"), second)
}

#[tokio::test]
async fn a_source_that_goes_in_the_middle_of_a_message_gives_no_part_of_it() {
    let (_, whole) = read_twice(Rule::on_any(Action::Delay(Duration::ZERO))).await;
    assert_eq!(whole.len(), 3);
    for (action, code) in [
        (Action::Close, "link.lost"),
        (Action::Reset, "link.lost"),
        (Action::HalfClose, "link.lost"),
        (Action::Silence, "link.silent"),
        (Action::Stall, "link.silent"),
    ] {
        for octet in [0, 1, 100] {
            let rule = Rule::on("UID FETCH", action.clone())
                .at(Point::Body(octet))
                .uid(2);
            let (first, second) = read_twice(rule).await;
            let lost = format!("{code} Side again");
            assert_eq!(first, [whole[0].clone(), lost], "{action:?} at {octet}");
            assert_eq!(second, whole, "{action:?} at {octet}");
        }
    }
}

#[tokio::test]
async fn silence_before_an_answer_is_noticed() {
    for action in [Action::Silence, Action::NoAnswer] {
        let rule = Rule::on("UID FETCH", action.clone()).at(Point::Done);
        let (first, second) = read_twice(rule).await;
        assert_eq!(
            first.last().expect("an end"),
            "link.silent Side again",
            "{action:?}"
        );
        assert_eq!(second.len(), 3, "{action:?}");
    }
}

#[tokio::test]
async fn every_way_to_end_before_login_can_be_tried_again() {
    for action in [
        Action::Close,
        Action::Reset,
        Action::HalfClose,
        Action::Silence,
        Action::Bye("Server shutting down".to_owned()),
    ] {
        let (_server, options) = server(Rule::on_greeting(action.clone())).await;
        let fault = ImapAccount::connect(options.clone())
            .await
            .expect_err("ended");
        assert!(fault.is_temporary(), "{action:?}: {fault}");
        ImapAccount::connect(options).await.expect("the next time");
    }
}

#[tokio::test]
async fn autologout_of_an_idle_connection_costs_nothing() {
    let host = Host::start("").await;
    let (account, mut peer) = host.account(Side::Source, INBOX).await;
    let inbox = crate::host::inbox(&account).await;
    peer.says("* BYE Autologout; idle for too long\n").await;
    drop(peer);
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        let mut fresh = host.let_in().await;
        let tag = fresh.hears("EXAMINE").await;
        fresh.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
    });
    assert_eq!(opened.expect("opened").state().messages, 0);
}

#[tokio::test]
async fn a_message_that_is_gone_is_left_out_and_the_others_come() {
    let (server, options) = server(Rule::on_any(Action::Delay(Duration::ZERO))).await;
    let account = ImapAccount::connect(options).await.expect("login");
    let inbox = crate::host::inbox(&account).await;
    let mut reader = account.open(&inbox).await.expect("opened");
    assert_eq!(reader.keys().await.expect("keys"), KeySet::range(1..=3));
    let user = server.account("taro").expect("account");
    assert_eq!(user.expunge("INBOX", &[2]), 1);
    let read = letters(reader.as_mut(), "1:3").await;
    let keys: Vec<&str> = read.iter().map(|line| &line[..1]).collect();
    assert_eq!(keys, ["1", "3"]);
}

#[tokio::test]
async fn one_message_that_is_not_handed_out_is_named_and_the_others_come() {
    let host = Host::start("").await;
    let (_account, mut reader, mut peer) =
        host.reader("* 3 EXISTS\n* OK [UIDVALIDITY 7] ok\n").await;
    let row = |uid: u32| {
        let date = "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"";
        format!("* {uid} FETCH (UID {uid} FLAGS () {date} BODY[] {{1}}\na)\n")
    };
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "1:3"), async {
        let tag = peer.hears("UID FETCH 1:3").await;
        peer.says(&format!("{}{tag} NO some are broken\n", row(1)))
            .await;
        let two = peer.hears("UID FETCH 2 ").await;
        let three = peer.hears("UID FETCH 3 ").await;
        peer.says(&format!("{two} NO cannot read it\n{}{three} OK\n", row(3)))
            .await;
    });
    assert_eq!(read, ["1 a", "2 message.unreadable Message again", "3 a"]);
}

#[tokio::test]
async fn a_destination_that_stops_taking_is_noticed() {
    let host = Host::start("LITERAL+").await;
    let options = hasty(host.options(Side::Destination));
    let (account, mut peer) = tokio::join!(ImapAccount::connect(options), host.begin(INBOX));
    let account = account.expect("login");
    let inbox = crate::host::inbox(&account).await;
    let (writer, ()) = tokio::join!(
        hikyaku_core::traits::Destination::write(&account, &inbox),
        async {
            let tag = peer.hears("SELECT").await;
            peer.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
        }
    );
    let mut writer = writer.expect("opened");
    let message = letter(1, "", 1_000_000_000, vec![b'x'; 64 << 20]);
    let (appended, ()) = tokio::join!(
        crate::common::append(writer.as_mut(), vec![message]),
        async {
            peer.hears("APPEND").await;
        }
    );
    match appended {
        // Less than the message left, so nothing can be stored.
        Appended::Refused(fault) => assert_eq!(told(&fault), "1 link.silent Side again"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn facts_that_a_lost_connection_left_out_are_no_facts() {
    let rule = Rule::on("UID FETCH", Action::Close).at(Point::Row).nth(2);
    let (_server, options) = server(rule).await;
    let account = ImapAccount::connect(options).await.expect("login");
    let inbox = crate::host::inbox(&account).await;
    let mut reader = account.open(&inbox).await.expect("opened");
    let facts = Facts {
        flags: true,
        octets: true,
        ..Facts::default()
    };
    let keys = KeySet::range(1..=3);
    use futures::StreamExt;
    let listed: Vec<_> = reader.list(&keys, facts).collect().await;
    let last = listed
        .last()
        .expect("an end")
        .as_ref()
        .expect_err("a fault");
    assert_eq!(told(last), "link.lost Side again");
}
