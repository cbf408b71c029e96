//! Ends of jobs and their mails.

use super::{WIDE, add, claim, find, job};
use futures::future::join_all;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Change, Guard, Keep, Lane, Letter, NewJob, NewLetter};

fn letter(id: &str) -> NewLetter {
    NewLetter {
        message_id: format!("<{id}@example.jp>"),
        tenant: "brand".to_owned(),
        job: "one".to_owned(),
        kind: "success".to_owned(),
        recipient: "taro@example.jp".to_owned(),
        subject: "【重要】完了".to_owned(),
        body: "本文\n".to_owned(),
    }
}

fn end(fence: i64) -> Change {
    let mut change = Change::new("one", Guard::Fence(fence), 3_000);
    change.standing.state = Some("done".to_owned());
    change.standing.lane = Some(Lane::Rest);
    change.standing.ended = Some(3_000);
    change.release = true;
    change.secrets = Keep::Nothing;
    change.letters = vec![letter("end")];
    change.successor = Some(Box::new(job("two", "taro", "old")));
    change
}

pub(crate) async fn an_end_its_mail_and_the_wiping_are_one_transaction(store: Store) {
    let new = NewJob {
        secrets: vec![("source".to_owned(), b"sealed".to_vec())],
        secrets_until: i64::MAX,
        ..job("one", "taro", "old")
    };
    add(&store, new).await;
    let queue = store.queue();
    let held = claim(&store, "a", 2_000, WIDE).await.expect("claimed");
    // Whoever lost the job ends nothing, mails nothing, wipes nothing.
    assert_eq!(queue.apply(end(held.fence - 1)).await, Ok(false));
    assert!(find(&store, "one").await.has_secrets);
    assert_eq!(store.outbox().of_job("one").await, Ok(Vec::new()));
    assert_eq!(queue.find("two").await, Ok(None));

    // However often the same end is written, there is one mail of it.
    for _ in 0..2 {
        assert_eq!(queue.apply(end(held.fence)).await, Ok(true));
    }
    let ended = find(&store, "one").await;
    assert_eq!(
        (ended.state.as_str(), ended.ended, ended.has_secrets),
        ("done", 3_000, false)
    );
    assert_eq!(queue.secrets("one").await, Ok(Vec::new()));
    let mails = store.outbox().of_job("one").await.expect("listed");
    assert_eq!(mails.len(), 1);
    assert_eq!((&mails[0].letter, mails[0].tries), (&letter("end"), 0));
    assert_eq!(find(&store, "two").await.state, "queued");
}

pub(crate) async fn a_mail_is_taken_by_one_and_again_later(store: Store) {
    let outbox = store.outbox();
    for id in ["a", "b", "c"] {
        outbox.add(letter(id), 1_000).await.expect("added");
        outbox.add(letter(id), 1_500).await.expect("known");
    }
    assert_eq!(outbox.take(999, 5_000, 10).await, Ok(Vec::new()));
    let taken = join_all((0..6).map(|_| {
        let outbox = outbox.clone();
        async move { outbox.take(1_000, 5_000, 1).await.expect("asked") }
    }));
    let taken: Vec<Letter> = taken.await.into_iter().flatten().collect();
    let mut names: Vec<&str> = taken.iter().map(|l| &*l.letter.message_id).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["<a@example.jp>", "<b@example.jp>", "<c@example.jp>"]
    );
    assert!(taken.iter().all(|l| (l.tries, l.created) == (1, 1_000)));
    let number = |id: &str| {
        let id = format!("<{id}@example.jp>");
        let found = taken.iter().find(|l| l.letter.message_id == id);
        found.expect("taken").number
    };
    outbox.sent(number("a"), 2_000).await.expect("noted");
    outbox
        .later(number("b"), 9_000, "451")
        .await
        .expect("noted");
    outbox
        .give_up(number("c"), "550", 2_500)
        .await
        .expect("noted");
    assert_eq!(outbox.sent_since("taro@example.jp", 0).await, Ok(1));
    assert_eq!(outbox.sent_since("taro@example.jp", 2_001).await, Ok(0));
    assert_eq!(outbox.sent_since("hanako@example.jp", 0).await, Ok(0));
    // What has ended stays so, whoever says what.
    outbox.later(number("a"), 1, "late").await.expect("ignored");
    assert_eq!(outbox.take(8_999, 20_000, 10).await, Ok(Vec::new()));
    let again = outbox.take(9_000, 20_000, 10).await.expect("asked");
    assert_eq!(again.len(), 1);
    assert_eq!(
        (again[0].number, again[0].tries, again[0].code.as_str()),
        (number("b"), 2, "451")
    );
    // The process died while it sent: the same mail comes again.
    let again = outbox.take(20_000, 30_000, 10).await.expect("asked");
    assert_eq!((again.len(), again[0].tries), (1, 3));
    assert_eq!(again[0].letter, letter("b"));
    let all = outbox.latest(10).await.expect("listed");
    let ends: Vec<(i64, i64, &str)> = all
        .iter()
        .map(|l| (l.sent, l.ended, l.code.as_str()))
        .collect();
    assert_eq!(ends, [(0, 2_500, "550"), (0, 0, "451"), (2_000, 2_000, "")]);
}
