//! What ends a run before its end, and the run after it.

use crate::support::{Pair, fill, mail};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_engine::SystemClock;
use hikyaku_testkit::memory::{Append, Personality};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

fn single() -> Personality {
    Personality {
        appends_batches: false,
        ..Personality::default()
    }
}

fn login(code: Code) -> Fault {
    Fault::new(code, Reach::Side, Remedy::AskUser, "scripted")
}

fn many_mailboxes(pair: &Pair) {
    for mailbox in ["INBOX", "a", "b", "c", "d", "e"] {
        for n in 0..20u64 {
            let octets = mail(n, 250);
            pair.source.put(mailbox, "\\Seen", n as i64, &octets);
        }
    }
}

/// The password is changed, the token expires: both sides stop, and nothing is
/// asked or sent any more.
#[tokio::test(start_paused = true)]
async fn a_login_that_ends_in_the_middle_stops_both_sides_cleanly() {
    for code in [Code::LoginExpired, Code::LoginRejected] {
        for at in [0, 1, 7, 50] {
            let pair = Pair::between(Personality::default(), single());
            many_mailboxes(&pair);
            let good = (0..at).map(|_| Append::Store);
            let end = Append::End(login(code));
            pair.destination.script_appends(good.chain([end]));
            let report = pair.copy_somehow().await;
            assert_eq!(report.stopped.as_ref().map(|f| f.code), Some(code));
            // Four lanes may have had a few appends each under way.
            let seen = pair.destination.seen();
            assert!(seen.appends <= at + 1 + 4 * 5, "{seen:?} after {at}");
            assert_eq!(report.retries, 0, "logins are never tried again");
            assert!(pair.heard.waits().is_empty());
            assert_eq!(
                report.tally().messages(Outcome::Copied),
                report.copied_now(),
                "everything that was answered is settled"
            );
            pair.assert_heals().await;
        }
        // At the source, when a mailbox is opened.
        let pair = Pair::between(Personality::default(), single());
        many_mailboxes(&pair);
        pair.source.script_opens([None, None, Some(login(code))]);
        let tries = pair.source.tries().len();
        let report = pair.copy_somehow().await;
        assert_eq!(report.stopped.as_ref().map(|f| f.code), Some(code));
        assert!(pair.source.tries().len() <= tries + 5);
        pair.assert_heals().await;
    }
}

/// The disk is full, the ledger cannot be written, another process took it: at every
/// durable write, before and after it took effect.
#[tokio::test(start_paused = true)]
async fn a_ledger_that_fails_stops_the_run_before_another_append() {
    for code in [Code::DiskFull, Code::LedgerUnwritable, Code::LedgerBusy] {
        for remedy in [Remedy::AskUser, Remedy::Retry { after: None }] {
            let undisturbed = Pair::between(Personality::default(), single());
            fill(&undisturbed.source);
            undisturbed.copy_completely().await;
            let writes = undisturbed.ledger.revive();
            for write in (1..=writes).step_by(3) {
                for after in [false, true] {
                    let pair = Pair::between(Personality::default(), single());
                    fill(&pair.source);
                    let fault = Fault::new(code, Reach::Job, remedy, "scripted");
                    pair.ledger.fail_at(write, after, fault);
                    let copied = pair.copy().await;
                    let said = format!("{code} {remedy:?} at {write} {after}");
                    // Nothing was sent whose intent was not durable.
                    let records = pair.ledger.records();
                    let known = records.iter().filter(|r| r.stored.is_some()).count() as u64;
                    let intended = known + pair.ledger.open_intents() as u64;
                    assert!(pair.destination.seen().appended <= intended, "{said}");
                    if let Ok(report) = copied {
                        assert!(report.adds_up(), "{said}");
                        let stopped = report.stopped.as_ref().map(|f| f.code);
                        let only_checkpoint = report.tally().failures() == 0;
                        assert!(stopped == Some(code) || only_checkpoint, "{said}");
                    }
                    pair.ledger.revive();
                    pair.assert_heals().await;
                }
            }
        }
    }
}

/// A clock that shows any time it likes, while time passes as always.
struct Drunk {
    sober: SystemClock,
    turn: AtomicI64,
}

impl Clock for Drunk {
    fn unix_millis(&self) -> i64 {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        [
            0,
            4_102_444_800_000,
            -5_000,
            1_700_000_000_000,
            i64::MAX / 4,
        ][turn as usize % 5]
    }

    fn monotonic(&self) -> Duration {
        self.sober.monotonic()
    }

    fn sleep(&self, duration: Duration) -> futures::future::BoxFuture<'static, ()> {
        self.sober.sleep(duration)
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_changes_nothing() {
    let run = async |clock: Option<Arc<dyn Clock>>| {
        let mut pair = Pair::between(Personality::default(), single());
        pair.clock = clock;
        fill(&pair.source);
        pair.destination.script_appends([
            Append::Store,
            Append::LoseAfter,
            Append::Store,
            Append::Refuse,
            Append::LandLater(Duration::from_secs(3)),
        ]);
        let report = pair.copy_completely().await;
        pair.assert_equal();
        pair.assert_settled().await;
        (report.tally(), report.retries, report.waits)
    };
    let drunk = Drunk {
        sober: SystemClock::default(),
        turn: AtomicI64::new(0),
    };
    assert_eq!(run(Some(Arc::new(drunk))).await, run(None).await);
}
