//! Keys that do not last.

use crate::support::{Pair, facts, fill, mail};
use hikyaku_core::report::{Note, Outcome};
use hikyaku_core::{Key, Side};
use hikyaku_testkit::memory::{Append, Epochs, Personality};

fn with(epochs: Epochs) -> Personality {
    Personality {
        epochs,
        ..Personality::default()
    }
}

fn unstable(report: &hikyaku_core::report::Report, mailbox: &str) -> Vec<Side> {
    let notes = report.notes.iter().filter_map(|note| match note {
        Note::EpochUnstable { mailbox: m, side } if m.to_string() == mailbox => Some(*side),
        _ => None,
    });
    notes.collect()
}

/// UIDVALIDITY 0 or new at every look, on either side or both: content decides, and
/// it is told once.
#[tokio::test(start_paused = true)]
async fn without_lasting_keys_content_decides() {
    for epochs in [Epochs::Zero, Epochs::NewAtEveryLook] {
        for (source, destination) in [
            (epochs, Epochs::Lasting),
            (Epochs::Lasting, epochs),
            (epochs, epochs),
        ] {
            let pair = Pair::between(with(source), with(destination));
            let messages = fill(&pair.source);
            let said = format!("{source:?} {destination:?}");
            let report = pair.copy_completely().await;
            assert_eq!(report.copied_now(), messages, "{said}");
            pair.assert_equal();
            for _ in 0..3 {
                let appended = pair.destination.seen().appended;
                // Keys may mean other messages each time.
                pair.source.renumber("INBOX");
                let report = pair.copy_completely().await;
                assert_eq!(report.copied_now(), 0, "{said}");
                assert_eq!(pair.destination.seen().appended, appended, "{said}");
                let mut expected = Vec::new();
                expected.extend((source != Epochs::Lasting).then_some(Side::Source));
                expected.extend((destination != Epochs::Lasting).then_some(Side::Destination));
                assert_eq!(unstable(&report, "受信トレイ/請求書"), expected, "{said}");
            }
            pair.source.put("INBOX", "", 9, &mail(5_000, 200));
            assert_eq!(pair.copy_completely().await.copied_now(), 1, "{said}");
            pair.assert_equal();
        }
    }
}

/// The connection is lost, and everything has other keys afterwards.
#[tokio::test(start_paused = true)]
async fn keys_that_change_in_the_middle_of_a_run_lose_and_double_nothing() {
    let kinds = [Append::LoseBefore, Append::LoseAfter, Append::LosePart(1)];
    for batches in [true, false] {
        for side in [Side::Source, Side::Destination] {
            for kind in &kinds {
                for at in 1..=6u64 {
                    let destination = Personality {
                        appends_batches: batches,
                        ..Personality::default()
                    };
                    let pair = Pair::between(Personality::default(), destination);
                    fill(&pair.source);
                    let good = (1..at).map(|_| Append::Store);
                    pair.destination.script_appends(good.chain([kind.clone()]));
                    let account = match side {
                        Side::Source => pair.source.clone(),
                        Side::Destination => pair.destination.clone(),
                    };
                    pair.destination.after_append(at, move |_| {
                        account.renumber("INBOX");
                        account.renumber("受信トレイ/請求書");
                    });
                    pair.copy_completely().await;
                    pair.assert_equal();
                    pair.assert_settled().await;
                }
            }
        }
    }
}

/// The process dies while the records are carried over to the new keys: what was not
/// carried over yet is not copied a second time.
#[tokio::test(start_paused = true)]
async fn dying_while_records_get_new_keys_doubles_nothing() {
    for side in [Side::Source, Side::Destination] {
        for write in 1..=6 {
            for after in [false, true] {
                let pair = Pair::new();
                for n in 1..=1_200 {
                    pair.source.put("INBOX", "", n as i64, &mail(n, 80));
                }
                pair.source.put("INBOX", "", 1, &mail(1, 80));
                pair.copy_completely().await;
                pair.destination.remove("INBOX", Key(7));
                pair.copy_completely().await;
                let kept = facts(&pair.destination.messages("INBOX"));
                let account = match side {
                    Side::Source => &pair.source,
                    Side::Destination => &pair.destination,
                };
                account.renumber("INBOX");
                pair.ledger.revive();
                pair.ledger.die_at(write, after);
                pair.copy().await.ok();
                pair.ledger.revive();
                let report = pair.copy_completely().await;
                let said = format!("{side:?} {write} {after}");
                assert_eq!(facts(&pair.destination.messages("INBOX")), kept, "{said}");
                assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
                pair.assert_settled().await;
            }
        }
    }
}
