//! Epochs, intents, proof, and many lanes at once.

use futures::future::join_all;
use hikyaku_core::ledger::{IntentId, Ledger, PairingId, Settled, Verified};
use hikyaku_core::{Code, Epoch, Key, KeySet};
use hikyaku_ledger::PairLedger;

use crate::support::{SOURCE, copied, intent, keys, mailbox};
use crate::{all, inbox, settle};

pub(crate) async fn epochs_keep_apart_and_in_order(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let of = |epoch: u64, key: u64| Settled {
        epoch: Epoch(epoch),
        ..copied(key)
    };
    assert_eq!(ledger.epochs(pairing).await.expect("none"), []);
    settle(&ledger, pairing, vec![of(30, 1), of(30, 2)]).await;
    settle(&ledger, pairing, vec![of(10, 1)]).await;
    settle(&ledger, pairing, vec![of(20, 1), of(30, 2), of(10, 2)]).await;
    assert_eq!(
        ledger.epochs(pairing).await.expect("listed"),
        [Epoch(30), Epoch(10), Epoch(20)]
    );
    assert_eq!(
        all(&ledger, pairing, Epoch(10)).await,
        [of(10, 1), of(10, 2)]
    );
    assert_eq!(all(&ledger, pairing, Epoch(20)).await, [of(20, 1)]);
}

pub(crate) async fn an_intent_is_in_doubt_until_it_is_settled(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let other = ledger
        .pair(&mailbox("other"), &mailbox("other"))
        .await
        .expect("made")
        .id;
    let first = ledger
        .intend(intent(pairing, "1:100,105"))
        .await
        .expect("intended");
    let second = ledger
        .intend(intent(pairing, "101:104"))
        .await
        .expect("intended");
    let elsewhere = ledger.intend(intent(other, "1")).await.expect("intended");
    let open = ledger.in_doubt(pairing).await.expect("open");
    assert_eq!(
        open,
        [
            (first, intent(pairing, "1:100,105")),
            (second, intent(pairing, "101:104"))
        ]
    );
    assert_eq!(
        ledger.in_doubt(other).await.expect("open"),
        [(elsewhere, intent(other, "1"))]
    );

    ledger
        .settle(pairing, vec![copied(101)], vec![second])
        .await
        .expect("settled");
    assert_eq!(
        ledger.in_doubt(pairing).await.expect("open"),
        [(first, intent(pairing, "1:100,105"))]
    );
    ledger
        .settle(pairing, Vec::new(), vec![first])
        .await
        .expect("settled");
    assert_eq!(ledger.in_doubt(pairing).await.expect("none"), []);
    let third = ledger.intend(intent(pairing, "7")).await.expect("intended");
    assert!(
        third > second && third > elsewhere,
        "a number is never used again"
    );
}

pub(crate) async fn an_unknown_intent_refuses_the_whole_settlement(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let other = ledger
        .pair(&mailbox("other"), &mailbox("other"))
        .await
        .expect("made")
        .id;
    let mine = ledger.intend(intent(pairing, "1")).await.expect("intended");
    let foreign = ledger.intend(intent(other, "1")).await.expect("intended");
    for closes in [
        vec![mine, foreign],
        vec![mine, mine],
        vec![mine, IntentId(i64::MAX)],
    ] {
        let fault = ledger
            .settle(pairing, vec![copied(1)], closes)
            .await
            .expect_err("refused");
        assert_eq!(fault.code, Code::Bug);
    }
    assert_eq!(all(&ledger, pairing, SOURCE).await, []);
    assert_eq!(ledger.epochs(pairing).await.expect("none"), []);
    assert_eq!(ledger.in_doubt(pairing).await.expect("open").len(), 1);
    assert_eq!(ledger.in_doubt(other).await.expect("open").len(), 1);
    let stranger = PairingId(i64::MAX);
    for fault in [
        ledger
            .settle(stranger, vec![copied(1)], Vec::new())
            .await
            .expect_err("no pairing"),
        ledger
            .settle(stranger, Vec::new(), Vec::new())
            .await
            .expect_err("no pairing"),
        ledger
            .intend(intent(stranger, "1"))
            .await
            .map(drop)
            .expect_err("no pairing"),
        ledger
            .checkpoint(stranger, None)
            .await
            .expect_err("no pairing"),
        ledger
            .prove(stranger, SOURCE, &keys("1"), Verified::Full)
            .await
            .expect_err("no pairing"),
        ledger
            .settle(
                pairing,
                vec![Settled {
                    key: Key(u64::MAX),
                    ..copied(1)
                }],
                Vec::new(),
            )
            .await
            .expect_err("too large"),
    ] {
        assert_eq!(fault.code, Code::Bug, "{fault}");
    }
}

pub(crate) async fn proof_is_raised_and_never_lowered(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    settle(&ledger, pairing, (1..=300).map(copied).collect()).await;
    settle(
        &ledger,
        pairing,
        vec![Settled {
            verified: Verified::Full,
            ..copied(4)
        }],
    )
    .await;
    let even: KeySet = (2..=298).step_by(2).map(Key).collect();
    ledger
        .prove(pairing, SOURCE, &even, Verified::Present)
        .await
        .expect("raised");
    ledger
        .prove(pairing, SOURCE, &keys("6"), Verified::Header)
        .await
        .expect("raised");
    ledger
        .prove(pairing, SOURCE, &keys("1:10"), Verified::Acknowledged)
        .await
        .expect("nothing to raise");
    ledger
        .prove(pairing, Epoch(1), &keys("1:300"), Verified::Full)
        .await
        .expect("another epoch");
    for record in all(&ledger, pairing, SOURCE).await {
        let verified = match record.key.0 {
            4 => Verified::Full,
            6 => Verified::Header,
            key if key % 2 == 0 && key < 300 => Verified::Present,
            _ => Verified::Acknowledged,
        };
        assert_eq!(
            record,
            Settled {
                verified,
                ..copied(record.key.0)
            }
        );
    }
}

pub(crate) async fn many_lanes_at_once_lose_nothing(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let lanes = (0..40).map(|lane| {
        let ledger = &ledger;
        async move {
            let (first, last) = (lane * 10 + 1, lane * 10 + 10);
            let intent = ledger
                .intend(intent(pairing, &format!("{first}:{last}")))
                .await?;
            ledger
                .settle(pairing, (first..=last).map(copied).collect(), vec![intent])
                .await?;
            // An answer means durable: what was settled is seen by the next reader.
            ledger
                .lookup(pairing, SOURCE, &KeySet::range(first..=last))
                .await
        }
    });
    for (lane, found) in (0..).zip(join_all(lanes).await) {
        assert_eq!(found.expect("settled").len(), 10, "lane {lane}");
    }
    assert_eq!(
        all(&ledger, pairing, SOURCE).await,
        (1..=400).map(copied).collect::<Vec<_>>()
    );
    assert_eq!(ledger.in_doubt(pairing).await.expect("none"), []);
}
