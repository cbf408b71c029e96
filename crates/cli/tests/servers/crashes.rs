//! The process dies at each durable write of a copy between real servers; the next
//! run ends as an undisturbed one.

use crate::support::{Pair, assert_same};
use hikyaku_ledger::testing::Countdown;
use hikyaku_testkit::generate::{fill, profiles};
use hikyaku_testkit::judge::{CompareOptions, compare};
use hikyaku_testkit::proxy::{Action, At, Direction, Fault};
use hikyaku_testkit::servers::Kind;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_durable_write_loses_and_doubles_nothing() {
    let mut pair = Pair::between(Kind::Dovecot, Kind::Dovecot);
    let account = profiles::small_mixed(3, 24, 700_000, 3);
    fill(pair.source.server.as_ref(), &pair.source.account, &account).unwrap();
    let source = pair.source.snapshot();
    let mut n = 0;
    loop {
        n += 1;
        let mut died = false;
        for after in [false, true] {
            pair.renew(&format!("d{n}{}", if after { "after" } else { "before" }));
            let dying = std::sync::OnceLock::new();
            let first = pair
                .copy_with(&|ledger| {
                    let ledger = Arc::new(match after {
                        true => Countdown::stop_after(ledger, n),
                        false => Countdown::stop_before(ledger, n),
                    });
                    dying.get_or_init(|| ledger.clone());
                    ledger
                })
                .await;
            died |= dying.get().is_some_and(|d| d.is_dead());
            drop(first);
            let report = pair.copy_completely().await;
            assert_eq!(report.scanned(), 24, "write {n}");
            let differences = compare(
                &source,
                &pair.destination.snapshot(),
                &CompareOptions {
                    order: false,
                    ..CompareOptions::default()
                },
            );
            assert!(
                differences.is_empty(),
                "write {n}, after {after}: {}",
                differences.join("\n")
            );
            pair.assert_settled().await;
        }
        if !died {
            break;
        }
    }
    assert!(n > 10, "only {n} durable writes");
    assert_eq!(pair.source.snapshot(), source);
}

/// The run gives up at the first lost connection, as if it had been killed there; the
/// connection ends before, inside and after each APPEND.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_at_any_append_loses_and_doubles_nothing() {
    let mut pair = Pair::between(Kind::Dovecot, Kind::Dovecot);
    let account = profiles::small_mixed(4, 24, 700_000, 3);
    fill(pair.source.server.as_ref(), &pair.source.account, &account).unwrap();
    let source = pair.source.snapshot();
    let mut cuts = 0;
    for nth in 1.. {
        let command = |octets| At::AfterLine {
            contains: " APPEND ".to_owned(),
            nth,
            octets,
        };
        let before = |contains: &str| At::BeforeLine {
            contains: contains.to_owned(),
            nth,
        };
        let places = [
            (Direction::ToServer, before(" APPEND ")),
            (Direction::ToServer, command(0)),
            (Direction::ToServer, command(500)),
            (Direction::ToClient, before("[APPENDUID ")),
        ];
        let mut happened = 0;
        for (index, (direction, at)) in places.into_iter().enumerate() {
            pair.renew(&format!("a{nth}x{index}"));
            pair.destination.proxy.add_fault(Fault {
                direction,
                at,
                action: Action::Reset,
                connection: None,
            });
            pair.policy.patience.reconnects = 0;
            pair.policy.no_wait = true;
            let first = pair.copy().await;
            happened += pair.destination.proxy.faults_happened();
            assert_eq!(
                first.is_complete(),
                pair.destination.proxy.faults_happened() == 0,
                "APPEND {nth}, place {index}: {first:#?}"
            );
            pair.policy.patience.reconnects = 5;
            pair.policy.no_wait = false;
            let report = pair.copy_completely().await;
            assert_eq!(report.scanned(), 24);
            let options = CompareOptions {
                order: false,
                ..CompareOptions::default()
            };
            let differences = compare(&source, &pair.destination.snapshot(), &options);
            assert!(
                differences.is_empty(),
                "APPEND {nth}, place {index}: {}",
                differences.join("\n")
            );
            pair.assert_settled().await;
        }
        cuts += happened;
        if happened == 0 {
            break;
        }
    }
    assert!(cuts >= 12, "only {cuts} cuts");
    assert_same(&pair.source.snapshot(), &source);
}
