//! Owners use their mailboxes while the copy goes on.

use crate::support::{Pair, facts, fill, mail};
use hikyaku_core::report::{Note, Outcome};
use hikyaku_core::{Flags, Key};
use hikyaku_testkit::memory::{Append, MemoryAccount, Personality};

fn kinds() -> [Personality; 3] {
    let plain = Personality {
        appends_batches: false,
        ..Personality::default()
    };
    let keyless = Personality {
        reports_keys: false,
        ..plain.clone()
    };
    [Personality::default(), plain, keyless]
}

fn pair_of(messages: u64, destination: Personality) -> Pair {
    let pair = Pair::between(Personality::default(), destination);
    for n in 1..=messages {
        pair.source.put("INBOX", "", n as i64, &mail(n, 300));
    }
    pair
}

fn take(account: &MemoryAccount, octets: &[u8]) -> Option<Key> {
    let all = account.messages("INBOX");
    let (key, _) = all.into_iter().find(|(_, m)| m.octets == octets)?;
    account.remove("INBOX", key);
    Some(key)
}

/// Moved away between the append and the proof: it is where its owner put it, once.
#[tokio::test(start_paused = true)]
async fn what_the_owner_moves_before_it_is_proven_is_not_copied_again() {
    for destination in kinds() {
        for n in 1..=5 {
            let pair = pair_of(5, destination.clone());
            let moved = mail(n, 300);
            let at = match destination.appends_batches {
                true => 1,
                false => n,
            };
            let octets = moved.clone();
            pair.destination.after_append(at, move |account| {
                take(account, &octets).expect("it was stored");
                account.put("片付け", "", 1, &octets);
            });
            let report = pair.copy_completely().await;
            assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
            assert_eq!(report.tally().messages(Outcome::Copied), 4);
            assert_eq!(pair.destination.messages("INBOX").len(), 4);
            assert_eq!(pair.destination.messages("片付け").len(), 1);
            pair.assert_settled().await;
        }
    }
}

/// Deleted between the append and the proof, on a server that says where it was.
#[tokio::test(start_paused = true)]
async fn what_the_owner_deletes_before_it_is_proven_is_not_copied_again() {
    for destination in &kinds()[..2] {
        for n in 1..=5 {
            let pair = pair_of(5, destination.clone());
            let octets = mail(n, 300);
            let at = match destination.appends_batches {
                true => 1,
                false => n,
            };
            pair.destination.after_append(at, move |account| {
                take(account, &octets).expect("it was stored");
            });
            let report = pair.copy_completely().await;
            assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
            assert_eq!(report.retries, 0);
            assert_eq!(pair.destination.messages("INBOX").len(), 4);
            assert_eq!(pair.destination.seen().appended, 5);
            pair.assert_settled().await;
        }
    }
}

/// Deleted while a later window is under way, with a lost connection after it.
#[tokio::test(start_paused = true)]
async fn what_the_owner_deletes_between_two_attempts_is_not_copied_again() {
    let pair = pair_of(6, kinds()[1].clone());
    pair.destination.script_appends([
        Append::Store,
        Append::Store,
        Append::Store,
        Append::LoseAfter,
    ]);
    let octets = mail(1, 300);
    pair.destination.after_append(4, move |account| {
        take(account, &octets).expect("it was stored");
    });
    let report = pair.copy_completely().await;
    // It was acknowledged and never seen there: only what was proven counts as taken away.
    assert!(report.retries > 0);
    assert_eq!(pair.ledger.open_intents(), 0);
    assert_eq!(report.scanned(), 6);
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_owner_reads_stays_read() {
    for destination in kinds() {
        let pair = pair_of(5, destination);
        pair.destination.after_append(1, |account| {
            let first = account.messages("INBOX")[0].0;
            account.set_flags("INBOX", first, "\\Seen \\Flagged");
        });
        pair.copy_completely().await;
        pair.assert_settled().await;
        let first = &pair.destination.messages("INBOX")[0].1;
        assert_eq!(first.flags, Flags::parse("\\Seen \\Flagged"));
        assert_eq!(pair.destination.messages("INBOX").len(), 5);
    }
}

/// An OK without a message is repaired in the same run, once: with batches, alone, and on
/// a server that does not say where it stored.
#[tokio::test(start_paused = true)]
async fn an_ok_without_a_message_is_repaired_once() {
    for destination in kinds() {
        let batches = destination.appends_batches;
        let pair = pair_of(5, destination);
        pair.destination.script_appends(match batches {
            true => vec![Append::Lie],
            false => vec![Append::Store, Append::Lie, Append::Store],
        });
        let report = pair.copy_completely().await;
        assert_eq!(report.tally().messages(Outcome::Copied), 5);
        assert_eq!(report.retries, 1);
        let sent = if batches { 10 } else { 6 };
        assert_eq!(pair.destination.seen().appended, sent);
        pair.assert_equal();
        pair.assert_settled().await;
    }
}

/// Mail that arrives at the source while the run goes on is copied by it.
#[tokio::test(start_paused = true)]
async fn what_arrives_meanwhile_is_copied_in_the_same_run() {
    let pair = Pair::new();
    let messages = fill(&pair.source);
    let source = pair.source.clone();
    pair.destination.after_append(1, move |_| {
        source.put("INBOX", "\\Seen", 5, &mail(7_001, 300));
        source.put("INBOX", "", 6, &mail(7_002, 5_000));
        source.put("空", "", 7, &mail(7_003, 300));
    });
    let report = pair.copy_completely().await;
    assert_eq!(report.scanned(), messages + 3);
    assert_eq!(report.copied_now(), messages + 3);
    assert!(
        !report
            .notes
            .iter()
            .any(|n| matches!(n, Note::Arrived { .. }))
    );
    pair.assert_equal();
    let opened = pair.source.seen().opened;
    pair.assert_settled().await;
    assert_eq!(
        pair.source.seen().opened,
        opened,
        "the checkpoint is of the end"
    );
}

/// Also in a mailbox in which there was nothing to do.
#[tokio::test(start_paused = true)]
async fn what_arrives_in_an_unchanged_mailbox_is_copied_too() {
    let pair = Pair::new();
    let messages = fill(&pair.source);
    pair.copy_completely().await;
    pair.source
        .put("受信トレイ/請求書", "", 5, &mail(7_000, 300));
    let source = pair.source.clone();
    let appends = pair.destination.seen().appends;
    pair.destination.after_append(appends + 1, move |_| {
        source.put("INBOX", "", 6, &mail(7_002, 300));
    });
    let report = pair.copy_completely().await;
    assert_eq!((report.copied_now(), report.scanned()), (2, messages + 2));
    pair.assert_equal();
    pair.assert_settled().await;
}

/// Too many to be a short pass: they are told, and come with the next run.
#[tokio::test(start_paused = true)]
async fn what_arrives_in_masses_is_told() {
    let pair = pair_of(3, Personality::default());
    let source = pair.source.clone();
    pair.destination.after_append(1, move |_| {
        for n in 0..1_500 {
            source.put("INBOX", "", 6, &mail(10_000 + n, 80));
        }
    });
    let report = pair.copy_completely().await;
    assert_eq!((report.copied_now(), report.scanned()), (3, 3));
    let arrived = report.notes.iter().find_map(|note| match note {
        Note::Arrived { messages, .. } => Some(*messages),
        _ => None,
    });
    assert_eq!(arrived, Some(1_500));
    pair.assert_heals().await;
}

/// A message that vanishes from the source before it is read has its own outcome.
#[tokio::test(start_paused = true)]
async fn what_vanishes_before_it_is_read_is_told() {
    let pair = pair_of(8, kinds()[1].clone());
    let source = pair.source.clone();
    // The connection is lost, and before the next look two messages are gone.
    pair.destination
        .script_appends([Append::Store, Append::LoseBefore]);
    pair.destination.after_append(2, move |_| {
        source.remove("INBOX", Key(7));
        source.remove("INBOX", Key(8));
    });
    let report = pair.copy_completely().await;
    assert_eq!(report.tally().failures(), 0);
    assert_eq!(
        facts(&pair.source.messages("INBOX")),
        facts(&pair.destination.messages("INBOX"))
    );
    pair.assert_settled().await;
}
