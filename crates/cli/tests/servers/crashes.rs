//! The process dies at each durable write of a copy between real servers; the next
//! run ends as an undisturbed one.

use crate::support::Pair;
use hikyaku_ledger::testing::Countdown;
use hikyaku_testkit::generate::{fill, profiles};
use hikyaku_testkit::judge::{CompareOptions, compare};
use hikyaku_testkit::servers::Kind;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_durable_write_loses_and_doubles_nothing() {
    let mut pair = Pair::between(Kind::Dovecot, Kind::Dovecot);
    let account = profiles::small_mixed(3, 40, 2_000_000, 4);
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
            assert_eq!(report.scanned(), 40, "write {n}");
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
