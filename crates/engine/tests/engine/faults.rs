//! Runs that die, are cut off or lied to: afterwards everything is there once.

use crate::support::{Pair, fill, mail};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Key};
use hikyaku_testkit::memory::{Append, Personality};
use std::time::Duration;

fn small_batches() -> Personality {
    Personality::default()
}

async fn dying_pair(single: bool) -> Pair {
    let destination = Personality {
        appends_batches: !single,
        ..small_batches()
    };
    let pair = Pair::between(Personality::default(), destination);
    fill(&pair.source);
    pair
}

/// For n = 1, 2, 3 …: the life ends just before and just after the n-th durable write.
#[tokio::test(start_paused = true)]
async fn dying_at_any_durable_write_loses_and_doubles_nothing() {
    for single in [false, true] {
        let undisturbed = dying_pair(single).await;
        undisturbed.copy_completely().await;
        let writes = undisturbed.ledger.revive();
        assert!(writes > 8, "{writes}");
        for n in 1..=writes {
            for after in [false, true] {
                let pair = dying_pair(single).await;
                pair.ledger.die_at(n, after);
                pair.copy().await.ok();
                pair.ledger.revive();
                pair.copy_completely().await;
                pair.assert_equal();
                pair.assert_settled().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dying_at_any_write_of_a_second_run_loses_and_doubles_nothing() {
    for n in 1..=14 {
        for after in [false, true] {
            let pair = dying_pair(false).await;
            pair.copy_completely().await;
            pair.ledger.revive();
            pair.source.put("INBOX", "", 5_000, &mail(501, 100));
            pair.source.put("INBOX", "", 5_001, &mail(502, 6_000));
            pair.source.set_flags("INBOX", Key(1), "\\Answered");
            pair.ledger.die_at(n, after);
            pair.copy().await.ok();
            pair.ledger.revive();
            pair.copy_completely().await;
            pair.assert_equal();
            pair.assert_settled().await;
        }
    }
}

/// Every kind of trouble at every append, with one or many messages in it.
#[tokio::test(start_paused = true)]
async fn trouble_at_any_append_loses_and_doubles_nothing() {
    let kinds = [
        Append::LoseBefore,
        Append::LoseAfter,
        Append::LosePart(1),
        Append::LosePart(2),
        Append::LandLater(Duration::from_secs(3)),
        Append::StoreAndRefuse,
        Append::Refuse,
    ];
    for single in [false, true] {
        let undisturbed = dying_pair(single).await;
        undisturbed.copy_completely().await;
        let appends = undisturbed.destination.seen().appends;
        for n in 0..appends {
            for kind in &kinds {
                let pair = dying_pair(single).await;
                let good = (0..n).map(|_| Append::Store);
                pair.destination.script_appends(good.chain([kind.clone()]));
                let report = pair.copy_completely().await;
                let found_stored = *kind == Append::StoreAndRefuse;
                assert!(found_stored || report.retries > 0, "{kind:?} at {n}");
                pair.assert_equal();
                pair.assert_settled().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_again_and_again_loses_and_doubles_nothing() {
    let pair = dying_pair(true).await;
    pair.destination.script_appends([
        Append::LoseAfter,
        Append::StoreAndRefuse,
        Append::LoseBefore,
        Append::LoseAfter,
        Append::LandLater(Duration::from_secs(1)),
        Append::LoseAfter,
        Append::Refuse,
        Append::LoseAfter,
    ]);
    pair.copy_completely().await;
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn an_append_that_lands_after_the_owner_moved_it_is_found_elsewhere() {
    let pair = Pair::new();
    pair.source.put("INBOX", "", 1, &mail(1, 100));
    pair.source.put("INBOX", "", 2, &mail(2, 100));
    pair.ledger.die_at(3, false);
    pair.copy().await.ok();
    pair.ledger.revive();
    // The message was stored; its record was not. The owner files it away.
    let stored = pair.destination.messages("INBOX");
    assert_eq!(stored.len(), 2);
    assert_eq!(pair.ledger.open_intents(), 1);
    pair.destination.remove("INBOX", stored[0].0);
    pair.destination.put("片付け", "", 1, &stored[0].1.octets);
    let report = pair.copy_completely().await;
    assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
    assert_eq!(pair.destination.messages("INBOX").len(), 1);
    assert_eq!(pair.destination.messages("片付け").len(), 1);
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_breaks_off_anywhere_loses_nothing() {
    for key in 1..=12 {
        let pair = dying_pair(false).await;
        pair.source.break_reads([Key(key), Key(key)]);
        pair.copy_completely().await;
        pair.assert_equal();
        pair.assert_settled().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read_is_named_and_tried_again() {
    let pair = dying_pair(false).await;
    pair.source.set_unreadable([Key(5)]);
    let report = pair.copy().await.expect("starts");
    assert!(report.adds_up() && !report.is_complete());
    assert_eq!(report.tally().failures(), 2);
    assert!(
        report
            .exceptions
            .iter()
            .all(|e| e.key == Some(Key(5)) && e.fault.code == Code::MessageUnreadable)
    );
    pair.source.set_unreadable([]);
    assert_eq!(pair.copy().await.expect("starts").tally().failures(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_ok_without_a_message_is_found_out_and_repaired() {
    let pair = dying_pair(true).await;
    pair.destination
        .script_appends([Append::Store, Append::Lie]);
    let report = pair.copy_completely().await;
    assert!(report.retries > 0);
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_a_state_from_which_the_next_run_goes_on() {
    let mut pair = dying_pair(false).await;
    pair.policy.bandwidth = Some(2_000);
    let stop = pair.stop.clone();
    let stopper = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.request();
    });
    let report = pair.copy().await.expect("starts");
    stopper.await.expect("stopper");
    assert_eq!(
        report.stopped.as_ref().map(|f| f.code),
        Some(Code::Interrupted)
    );
    assert!(report.adds_up(), "{report:#?}");
    let copied = report.copied_now();
    assert!(copied < report.scanned());
    pair.stop = hikyaku_engine::Stop::new();
    pair.policy.bandwidth = None;
    let report = pair.copy_completely().await;
    assert_eq!(report.copied_now() + copied, report.scanned());
    pair.assert_equal();
    pair.assert_settled().await;
}

#[tokio::test(start_paused = true)]
async fn giving_up_for_now_says_so_and_the_next_run_ends_it() {
    let pair = dying_pair(true).await;
    pair.destination
        .script_appends(vec![Append::LoseBefore; 40]);
    let report = pair.copy().await.expect("starts");
    assert!(report.adds_up() && !report.is_complete());
    assert!(report.unfinished > 0);
    assert!(report.tally().messages(Outcome::FailedTemporary) > 0);
    pair.destination.script_appends([]);
    for _ in 0..10 {
        pair.copy().await.expect("starts");
    }
    pair.assert_equal();
    pair.assert_settled().await;
}
