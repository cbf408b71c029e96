//! Whole copies from a scripted server: trouble on the way, and what the second run finds.

use crate::pop::{Mail, Pop, Script};
use crate::support::Pair;
use hikyaku_core::report::Outcome;
use std::collections::VecDeque;
use std::sync::Arc;

fn mail(name: &str) -> Mail {
    let head = format!("Message-ID: <{name}@example.jp>\r\nSubject: {name}\r\n");
    Mail::new(
        name,
        format!("{head}Date: Thu, 1 Feb 2024 10:00:00 +0900\r\n\r\n{name}\r\n.\r\n"),
    )
}

fn mails(count: usize) -> Vec<Mail> {
    (0..count).map(|n| mail(&format!("m{n:03}"))).collect()
}

fn sorted(mut texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    texts.sort();
    texts
}

fn texts(mails: &[Mail]) -> Vec<Vec<u8>> {
    mails.iter().map(|mail| mail.text.clone()).collect()
}

/// Two sessions of programs are two accounts.
async fn account(pop: &Pop) -> Arc<hikyaku_pop3::Pop3Account> {
    Arc::new(pop.account().await)
}

#[tokio::test]
async fn a_second_run_copies_nothing_and_a_third_what_is_new() {
    let pop = Pop::with(mails(300)).await;
    let pair = Pair::in_memory();
    pair.copies(&account(&pop).await, 300).await;
    assert_eq!(
        pair.there(),
        texts(&mails(300)),
        "in the order of the mailbox"
    );
    pair.copies(&account(&pop).await, 0).await;
    let read = pop.count("TOP");
    pair.copies(&account(&pop).await, 0).await;
    assert_eq!(pop.count("TOP"), read, "nothing is read for nothing");
    pop.script().mails.remove(7);
    pop.script().mails.extend([mail("new-1"), mail("new-2")]);
    pair.copies(&account(&pop).await, 2).await;
    assert_eq!(pair.there().len(), 302);
    assert_eq!(pop.count("RETR"), 0);
    assert!(pop.heard().iter().all(|line| !line.starts_with("DELE")));
}

#[tokio::test]
async fn names_that_do_not_last_double_nothing_and_lose_nothing() {
    let base = Script {
        mails: mails(25),
        ..Script::default()
    };
    let mut positions = base.clone();
    for (n, mail) in positions.mails.iter_mut().enumerate() {
        mail.name = (n + 1).to_string();
    }
    let mut unlike = base.clone();
    unlike.mails[3].name = unlike.mails[4].name.clone();
    unlike.mails[3].text.extend_from_slice(b"longer\r\n");
    let without = Script {
        has_uidl: false,
        ..base.clone()
    };
    let changing = Script {
        renames: true,
        ..base
    };
    for script in [without, changing, positions, unlike] {
        let wanted = texts(&script.mails);
        let pop = Pop::start(script).await;
        let pair = Pair::in_memory();
        pair.copies(&account(&pop).await, 25).await;
        for _ in 0..2 {
            pair.copies(&account(&pop).await, 0).await;
        }
        assert_eq!(sorted(pair.there()), sorted(wanted.clone()));
        // One goes, two come: every position means another message now.
        pop.script().mails.remove(0);
        pop.script().mails.extend([mail("new-1"), mail("new-2")]);
        pair.copies(&account(&pop).await, 2).await;
        let all = [wanted, texts(&[mail("new-1"), mail("new-2")])].concat();
        assert_eq!(sorted(pair.there()), sorted(all));
    }
}

#[tokio::test]
async fn a_host_that_names_its_messages_anew_doubles_nothing() {
    let pop = Pop::with(mails(25)).await;
    let pair = Pair::in_memory();
    pair.copies(&account(&pop).await, 25).await;
    // Of every form there is, and numbers that were given to others before.
    for form in [
        "moved-{}",
        "00000{}4f3b2c1d",
        "1395846984.{}",
        "1395846985.{}",
        "UID{}-77",
        "1{}",
        "2{}",
    ] {
        for (n, mail) in pop.script().mails.iter_mut().enumerate() {
            mail.name = form.replace("{}", &format!("{}", 101 + n));
        }
        pair.copies(&account(&pop).await, 0).await;
    }
    assert_eq!(sorted(pair.there()), sorted(texts(&mails(25))));
}

#[tokio::test]
async fn twins_stay_twins() {
    for names in [["a", "b", "c"], ["a", "a", "a"]] {
        let twin = |name: &&str| Mail::new(name, mail("twin").text);
        let pop = Pop::with(names.iter().map(twin).collect()).await;
        let pair = Pair::in_memory();
        pair.copies(&account(&pop).await, 3).await;
        pair.copies(&account(&pop).await, 0).await;
        assert_eq!(pair.there().len(), 3, "{names:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_inside_messages_loses_and_doubles_nothing() {
    for cut in [1, 2, 30, 60] {
        let pop = Pop::start(Script {
            mails: mails(60),
            cuts: Some((cut, 2)),
            ..Script::default()
        })
        .await;
        let pair = Pair::in_memory();
        let report = pair.run(&account(&pop).await).await;
        assert!(report.is_complete(), "{cut}: {report:#?}");
        assert_eq!(sorted(pair.there()), sorted(texts(&mails(60))), "{cut}");
        pair.copies(&account(&pop).await, 0).await;
    }
}

#[tokio::test]
async fn a_passing_refusal_in_the_middle_of_a_run_is_waited_for() {
    let pop = Pop::start(Script {
        mails: mails(20),
        cuts: Some((10, 1)),
        // The second login, after the connection broke.
        logins: VecDeque::new(),
        ..Script::default()
    })
    .await;
    let pair = Pair::in_memory();
    let source = account(&pop).await;
    pop.script().logins = VecDeque::from(["-ERR [SYS/TEMP] in a moment"]);
    let report = pair.run(&source).await;
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(sorted(pair.there()), sorted(texts(&mails(20))));
    assert!(pop.count("PASS") >= 3);
}

#[tokio::test]
async fn a_message_that_is_never_handed_out_is_named_and_the_others_are_copied() {
    let mut all = mails(5);
    all[2].refused = Some("-ERR damaged");
    let pop = Pop::with(all.clone()).await;
    let pair = Pair::in_memory();
    let report = pair.run(&account(&pop).await).await;
    assert!(!report.is_complete());
    let failed = report.tally().messages(Outcome::FailedTemporary)
        + report.tally().messages(Outcome::FailedPermanent);
    assert_eq!((report.copied_now(), failed), (4, 1));
    assert_eq!(pair.there().len(), 4);
    // Mended at the server: the next run brings it.
    pop.script().mails[2].refused = None;
    pair.copies(&account(&pop).await, 1).await;
    assert_eq!(sorted(pair.there()), sorted(texts(&mails(5))));
}

#[tokio::test]
async fn an_empty_mailbox_is_copied_and_filled_later() {
    let pop = Pop::with(Vec::new()).await;
    let pair = Pair::in_memory();
    pair.copies(&account(&pop).await, 0).await;
    pop.script().mails = mails(3);
    pair.copies(&account(&pop).await, 3).await;
    pair.copies(&account(&pop).await, 0).await;
}
