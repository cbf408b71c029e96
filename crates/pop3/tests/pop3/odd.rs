//! Messages that are framed in odd ways, sizes that lie, and what TOP gives.

use crate::pop::{Early, Mail, Pop, Script, Top};
use crate::support::{open, read, texts};
use futures::StreamExt;
use hikyaku_core::traits::Facts;
use hikyaku_core::{Code, HeadDigest, KeySet, Reach};

const HEAD: &str = "Subject: odd\r\nDate: Thu, 1 Feb 2024 10:00:00 +0900\r\n\r\n";

fn mail(name: &str, body: &str) -> Mail {
    Mail::new(name, format!("{HEAD}{body}"))
}

/// As it comes from a server that frames in its own way.
fn framed(name: &str, wire: &str, body: &str) -> Mail {
    mail(name, body).wire(format!("{HEAD}{wire}"))
}

fn odd_ones() -> Vec<Mail> {
    vec![
        mail("a-plain", "text\r\n"),
        mail("b-dots", ".\r\n..\r\n.x\r\n"),
        framed("c-bare-lf", "one\ntwo\n.\n", "one\r\ntwo\r\n"),
        framed(
            "d-undoubled",
            ".x\r\n.\r\nrest\r\n.\r\n",
            ".x\r\n.\r\nrest\r\n",
        ),
        framed("e-two-dots", ".\n.\n.\n.\n", ".\r\n.\r\n.\r\n"),
        framed("f-no-end", "last.\r\n", "last\r\n").announced(HEAD.len() as u64 + 4),
        mail("g-empty", ""),
        Mail::new("h-nothing", ""),
        mail("i-long", &format!("{}\r\n", "x".repeat(300_000))),
        framed("j-no-end", "end.\r\n", "end\r\n").announced(HEAD.len() as u64 + 3),
    ]
}

fn expected(mails: &[Mail]) -> Vec<String> {
    let text = |mail: &Mail| String::from_utf8_lossy(&mail.text).into_owned();
    mails.iter().map(text).collect()
}

#[tokio::test]
async fn odd_framing_is_understood_with_and_without_pipelining() {
    for capabilities in [
        vec!["TOP", "UIDL", "USER", "PIPELINING"],
        vec!["TOP", "UIDL", "USER"],
        vec!["UIDL", "USER", "PIPELINING"],
    ] {
        let script = Script {
            capabilities: Some(capabilities.clone()),
            mails: odd_ones(),
            ..Script::default()
        };
        let pop = Pop::start(script).await;
        let account = pop.account().await;
        assert_eq!(
            texts(&account).await,
            expected(&odd_ones()),
            "{capabilities:?}"
        );
        assert_eq!(pop.count("RETR") == 0, capabilities.contains(&"TOP"));
    }
}

#[tokio::test]
async fn each_odd_message_can_be_the_last() {
    for odd in odd_ones() {
        let mails = vec![mail("a-plain", "text\r\n"), odd];
        let pop = Pop::with(mails.clone()).await;
        assert_eq!(texts(&pop.account().await).await, expected(&mails));
    }
}

#[tokio::test]
async fn a_size_that_lies_costs_one_second_look() {
    for (lie, retrieved) in [(1, 0), (-1, 1), (20, 0), (-20, 1)] {
        let announced = |body: &str| {
            let mail = mail(body, &format!("{body}{}\r\n", "x".repeat(200)));
            let octets = mail.text.len() as i64 - lie;
            mail.announced(octets as u64)
        };
        let mails: Vec<Mail> = ["a", "b", "c", "d"].map(announced).into();
        let pop = Pop::with(mails.clone()).await;
        assert_eq!(texts(&pop.account().await).await, expected(&mails), "{lie}");
        assert_eq!(pop.count("RETR"), retrieved, "{lie}: {:?}", pop.heard());
    }
}

#[tokio::test]
async fn a_top_that_cuts_is_not_believed() {
    let mails: Vec<Mail> = ["a", "b", "c"]
        .map(|name| mail(name, &"line\r\n".repeat(9)))
        .into();
    let pop = Pop::start(Script {
        mails: mails.clone(),
        top: Top::Cuts,
        ..Script::default()
    })
    .await;
    assert_eq!(texts(&pop.account().await).await, expected(&mails));
    assert_eq!(pop.count("TOP"), 1);
    assert_eq!(pop.count("RETR"), 3);
}

#[tokio::test]
async fn a_message_that_comes_far_too_short_is_asked_for_in_another_way() {
    // The first proves that TOP gives whole messages; the second is cut all the same.
    let cut = mail("b", &"line\r\n".repeat(50)).announced(10_000);
    let mails = vec![mail("a", "x\r\n"), cut, mail("c", "y\r\n")];
    let pop = Pop::with(mails.clone()).await;
    let mut all = texts(&pop.account().await).await;
    all.sort();
    let mut wanted = expected(&mails);
    wanted.sort();
    assert_eq!(all, wanted);
    assert_eq!(pop.count("RETR 2"), 1);
    assert_eq!(pop.count("RETR"), 1);
}

#[tokio::test]
async fn a_top_that_cuts_long_messages_only_is_noticed() {
    // Of the long one it gives more than three quarters, after it gave others whole.
    let mails: Vec<Mail> = [3, 100, 5, 7]
        .map(|lines| mail(&format!("m{lines}"), &"line\r\n".repeat(lines)))
        .into();
    let pop = Pop::start(Script {
        mails: mails.clone(),
        top: Top::Lines(90),
        ..Script::default()
    })
    .await;
    let mut all = texts(&pop.account().await).await;
    all.sort();
    let mut wanted = expected(&mails);
    wanted.sort();
    assert_eq!(all, wanted);
    assert_eq!(pop.count("RETR"), 1, "{:?}", pop.heard());
}

#[tokio::test]
async fn one_message_that_is_not_to_be_had_says_nothing_of_top() {
    let mut mails: Vec<Mail> = ["a", "b", "c"].map(|name| mail(name, "x\r\n")).into();
    mails[0].refused = Some("-ERR damaged");
    let pop = Pop::with(mails).await;
    let mut reader = open(&pop.account().await).await;
    let keys = reader.keys().await.expect("keys");
    let all = read(reader.as_mut(), &keys).await;
    let came = all.iter().filter(|item| item.is_ok()).count();
    assert_eq!((all.len(), came), (3, 2));
    // Only the damaged one may have been marked as read.
    let retrieved: Vec<String> = pop
        .heard()
        .into_iter()
        .filter(|line| line.starts_with("RETR"))
        .collect();
    assert_eq!(retrieved, ["RETR 1"]);
}

#[tokio::test]
async fn a_message_cannot_speak_for_a_server_that_counts_otherwise() {
    // Sizes count a line end as one octet, so a message can have a dot at its announced length,
    // and behind that what looks like an answer and another message.
    let bait = "bait.\r\n+OK\r\nSubject: forged\r\n\r\nforged\r\n";
    let announced = HEAD.len() as u64 + 4;
    let mails = vec![
        mail("a", "x\r\n").announced(HEAD.len() as u64),
        mail("b", bait).announced(announced),
        mail("c", "z\r\n").announced(HEAD.len() as u64),
    ];
    let pop = Pop::with(mails.clone()).await;
    assert_eq!(texts(&pop.account().await).await, expected(&mails));
}

#[tokio::test]
async fn without_top_everything_comes_by_retr() {
    for (capabilities, tops) in [(Some(vec!["UIDL", "USER"]), 0), (None, 1)] {
        let mails = vec![mail("a", "x\r\n"), mail("b", "y\r\n")];
        let pop = Pop::start(Script {
            capabilities,
            top: Top::Refused,
            mails: mails.clone(),
            ..Script::default()
        })
        .await;
        let account = pop.account().await;
        let mut reader = open(&account).await;
        let keys = reader.keys().await.expect("keys");
        let all = read(reader.as_mut(), &keys).await;
        let got: Vec<_> = all
            .into_iter()
            .map(|item| item.expect("a letter").octets)
            .collect();
        assert_eq!(
            got,
            mails
                .iter()
                .map(|mail| mail.text.clone())
                .collect::<Vec<_>>()
        );
        assert_eq!(pop.count("TOP"), tops);
        // Headers too.
        let first = keys.first().expect("a key");
        let head = reader.head(first).await.expect("asked").expect("there");
        let told = String::from_utf8_lossy(&head).into_owned();
        assert!(
            told.contains("Subject: odd\r\n") && told.contains("Date: Thu"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn many_commands_are_under_way_where_that_was_agreed() {
    let mails: Vec<Mail> = (0..300)
        .map(|n| mail(&format!("m{n:03}"), "x\r\n"))
        .collect();
    let pop = Pop::start(Script {
        mails: mails.clone(),
        early: Early::Awaited,
        ..Script::default()
    })
    .await;
    assert_eq!(texts(&pop.account().await).await, expected(&mails));
}

#[tokio::test]
async fn one_command_is_under_way_where_nothing_else_was_agreed() {
    let mails: Vec<Mail> = (0..20)
        .map(|n| mail(&format!("m{n:02}"), "x\r\n"))
        .collect();
    let pop = Pop::start(Script {
        capabilities: Some(vec!["TOP", "UIDL", "USER"]),
        mails: mails.clone(),
        early: Early::Punished,
        ..Script::default()
    })
    .await;
    assert_eq!(texts(&pop.account().await).await, expected(&mails));
    let tops: Vec<String> = pop
        .heard()
        .into_iter()
        .filter(|line| line.starts_with("TOP"))
        .collect();
    let wanted: Vec<String> = (1..=20).map(|n| format!("TOP {n} 99999999")).collect();
    assert_eq!(tops, wanted);
}

#[tokio::test]
async fn listings_carry_what_pop3_can_tell() {
    let mails = vec![
        mail("a", "x\r\n"),
        mail("b", ".\r\n"),
        Mail::new("c", "\r\nno header\r\n"),
    ];
    let pop = Pop::with(mails.clone()).await;
    let account = pop.account().await;
    let mut reader = open(&account).await;
    let state = reader.state();
    let total: usize = mails.iter().map(|mail| mail.text.len()).sum();
    assert_eq!((state.messages, state.octets), (3, Some(total as u64)));
    assert_eq!((state.next, state.modseq), (None, None));
    let keys = reader.keys().await.expect("keys");
    assert_eq!(keys.len(), 3);
    let octets = Facts {
        flags: true,
        octets: true,
        ..Facts::default()
    };
    let tops = pop.count("TOP");
    let listed: Vec<_> = reader
        .list(&keys, octets)
        .map(|item| item.expect("listed"))
        .collect()
        .await;
    assert_eq!(pop.count("TOP"), tops, "sizes are known");
    assert!(listed.windows(2).all(|pair| pair[0].key < pair[1].key));
    assert!(
        listed
            .iter()
            .all(|listing| listing.flags.is_none() && listing.octets.is_some())
    );
    let heads = Facts {
        head: true,
        date: true,
        ..Facts::default()
    };
    let listed: Vec<_> = reader
        .list(&keys, heads)
        .map(|item| item.expect("listed"))
        .collect()
        .await;
    let mut digests: Vec<_> = listed.iter().map(|listing| listing.head).collect();
    let mut wanted: Vec<_> = mails
        .iter()
        .map(|mail| Some(HeadDigest::of(&mail.text)))
        .collect();
    digests.sort();
    wanted.sort();
    assert_eq!(digests, wanted);
    assert_eq!(
        listed
            .iter()
            .filter(|listing| listing.date.is_some())
            .count(),
        2
    );
    assert_eq!(pop.count("RETR"), 0);
    assert!(reader.changed(1).next().await.is_none());
}

#[tokio::test]
async fn a_message_that_is_refused_is_named_and_the_others_come() {
    let mut mails = vec![mail("a", "x\r\n"), mail("b", "y\r\n"), mail("c", "z\r\n")];
    mails[1].refused = Some("-ERR [SYS/PERM] damaged");
    let pop = Pop::with(mails).await;
    let account = pop.account().await;
    let mut reader = open(&account).await;
    let keys = reader.keys().await.expect("keys");
    let all = read(reader.as_mut(), &keys).await;
    let bodies: Vec<_> = all.iter().filter_map(|item| item.as_ref().ok()).collect();
    assert_eq!(bodies.len(), 2);
    let fault = all
        .iter()
        .find_map(|item| item.as_ref().err())
        .expect("one is refused");
    assert_eq!(
        (fault.code, fault.reach),
        (Code::MessageUnreadable, Reach::Message)
    );
    let missing: KeySet = keys
        .iter()
        .filter(|key| bodies.iter().all(|plain| plain.key != key.0))
        .collect();
    assert_eq!(fault.at.message, missing.first());
    assert_eq!(fault.at.mailbox.as_deref(), Some("INBOX"));
    assert!(
        fault
            .said
            .as_ref()
            .is_some_and(|said| said.text == "damaged")
    );
}
