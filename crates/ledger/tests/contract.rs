//! What every ledger promises, on every database.
//!
//! The checks know `hikyaku_core::ledger::Ledger` and nothing of the databases. Each has a pair of accounts of its own
//! in a store that all share, so that nothing may leak from pair to pair.

mod support;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use hikyaku_core::ledger::{IntentId, Ledger, PairingId, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Epoch, Flags, Key, KeySet, MailboxName};
use hikyaku_ledger::{PairLedger, Store};
use support::postgres::Postgres;
use support::{DESTINATION, SOURCE, account, checkpoint, copied, intent, keys, mailbox, refused};

type Check = fn(PairLedger) -> BoxFuture<'static, ()>;

macro_rules! checks {
    ($($name:ident,)*) => { [$((stringify!($name), |ledger| Box::pin($name(ledger)))),*] };
}

const CHECKS: [(&str, Check); 19] = checks![
    a_pairing_is_made_once_and_found_again,
    pairings_keep_every_name,
    mapping_anew_drops_the_checkpoint_and_the_places,
    a_checkpoint_is_set_replaced_and_dropped,
    a_checkpoint_outlives_later_settlements,
    every_field_of_a_record_comes_back,
    settling_again_replaces_the_record,
    of_equal_keys_in_one_settlement_the_last_stays,
    records_are_read_page_by_page,
    lookup_finds_exactly_the_keys,
    lookup_takes_thousands_of_ranges_and_open_ends,
    records_are_found_by_destination_key,
    owned_unites_all_pairings_of_a_mailbox,
    owned_counts_no_key_between_twins,
    epochs_keep_apart_and_in_order,
    an_intent_is_in_doubt_until_it_is_settled,
    an_unknown_intent_refuses_the_whole_settlement,
    proof_is_raised_and_never_lowered,
    many_lanes_at_once_lose_nothing,
];

async fn ledger_contract(store: &Store) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let pair = store
            .pair(
                &account(&format!("{name}@old")),
                &account(&format!("{name}@new")),
            )
            .await;
        let run = std::panic::AssertUnwindSafe(check(pair.expect("a pair")));
        if run.catch_unwind().await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "broken promises: {failed:?}");
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path().join("ledger.sqlite"))
        .await
        .expect("a store");
    ledger_contract(&store).await;
    store.check().await.expect("sound");
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    ledger_contract(&Store::open_in_memory().await.expect("a store")).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let server = Postgres::start().await.expect("PostgreSQL");
    let url = server.database().await.expect("a database");
    ledger_contract(&Store::connect(&url).await.expect("a store")).await;
}

async fn inbox(ledger: &PairLedger) -> PairingId {
    ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await
        .expect("a pairing")
        .id
}

async fn settle(ledger: &PairLedger, pairing: PairingId, records: Vec<Settled>) {
    ledger
        .settle(pairing, records, Vec::new())
        .await
        .expect("settled");
}

async fn all(ledger: &PairLedger, pairing: PairingId, epoch: Epoch) -> Vec<Settled> {
    ledger
        .known(pairing, epoch, None, 10_000)
        .await
        .expect("records")
}

async fn a_pairing_is_made_once_and_found_again(ledger: PairLedger) {
    let (source, destination) = (mailbox("受信トレイ/請求書"), mailbox("INBOX/請求書"));
    let made = ledger.pair(&source, &destination).await.expect("made");
    assert_eq!(
        (&made.source, &made.destination, &made.checkpoint),
        (&source, &destination, &None)
    );
    assert_eq!(
        ledger.pair(&source, &destination).await.expect("found"),
        made
    );
    assert_eq!(ledger.pairings().await.expect("listed"), [made]);
}

async fn pairings_keep_every_name(ledger: PairLedger) {
    let names: Vec<MailboxName> = [
        &["a/b", "c\\d"][..],
        &["", "x", ""],
        &["\0", "\\0"],
        &["'; --"],
        &["INBOX"],
        &["e\u{301}"],
        &["é"],
        &["A"],
        &["a"],
        &[""],
    ]
    .iter()
    .map(|levels| {
        MailboxName::new(levels.iter().map(|l| (*l).to_owned()).collect()).expect("levels")
    })
    .collect();
    for name in &names {
        ledger.pair(name, name).await.expect("made");
    }
    let listed = ledger.pairings().await.expect("listed");
    assert!(listed.iter().all(|p| p.source == p.destination));
    assert_eq!(
        listed.into_iter().map(|p| p.source).collect::<Vec<_>>(),
        names
    );
}

async fn mapping_anew_drops_the_checkpoint_and_the_places(ledger: PairLedger) {
    let (source, first, second) = (mailbox("a"), mailbox("b"), mailbox("c"));
    let made = ledger.pair(&source, &first).await.expect("made");
    settle(&ledger, made.id, vec![copied(1)]).await;
    ledger
        .checkpoint(made.id, Some(checkpoint()))
        .await
        .expect("set");

    let moved = ledger.pair(&source, &second).await.expect("changed");
    assert_eq!(
        (moved.id, &moved.destination, &moved.checkpoint),
        (made.id, &second, &None)
    );
    assert_eq!(ledger.pairings().await.expect("listed"), [moved]);
    // The copy stays where it is: nothing in the new mailbox may be taken for it.
    assert_eq!(
        all(&ledger, made.id, SOURCE).await,
        [Settled {
            stored: None,
            ..copied(1)
        }]
    );
    assert_eq!(
        ledger
            .lookup_stored(made.id, DESTINATION, &keys("1001"))
            .await
            .expect("none"),
        []
    );
    assert_eq!(
        ledger.owned(&second, DESTINATION).await.expect("none"),
        KeySet::new()
    );
    assert_eq!(
        ledger.owned(&first, DESTINATION).await.expect("still"),
        keys("1001")
    );

    ledger.pair(&source, &first).await.expect("changed back");
    assert_eq!(all(&ledger, made.id, SOURCE).await, [copied(1)]);
}

async fn a_checkpoint_is_set_replaced_and_dropped(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let mut later = checkpoint();
    later.source.messages = 5;
    later.stored = KeySet::new();
    for wanted in [Some(checkpoint()), Some(later), None, None] {
        ledger
            .checkpoint(pairing, wanted.clone())
            .await
            .expect("set");
        let listed = ledger.pairings().await.expect("listed");
        assert_eq!(listed[0].checkpoint, wanted);
        let found = ledger
            .pair(&MailboxName::inbox(), &MailboxName::inbox())
            .await
            .expect("found");
        assert_eq!(found.checkpoint, wanted);
    }
}

async fn a_checkpoint_outlives_later_settlements(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    ledger
        .checkpoint(pairing, Some(checkpoint()))
        .await
        .expect("set");
    settle(&ledger, pairing, vec![copied(8)]).await;
    assert_eq!(
        ledger.pairings().await.expect("listed")[0].checkpoint,
        Some(checkpoint())
    );
}

async fn every_field_of_a_record_comes_back(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let mut records: Vec<Settled> = Outcome::ALL
        .iter()
        .zip(1..)
        .map(|(outcome, key)| refused(key, *outcome))
        .collect();
    records.push(copied(8));
    records.push(Settled {
        head: None,
        verified: Verified::Full,
        code: Some(Code::MessageTooLarge),
        ..copied(9)
    });
    records.push(Settled {
        content: None,
        flags: Flags::new(),
        octets: 1 << 40,
        ..copied(10)
    });
    records.push(Settled {
        key: Key(i64::MAX as u64),
        stored: Some((Epoch(0), Key(0))),
        ..copied(11)
    });
    settle(&ledger, pairing, records.clone()).await;
    assert_eq!(all(&ledger, pairing, SOURCE).await, records);
}

async fn settling_again_replaces_the_record(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    settle(
        &ledger,
        pairing,
        vec![copied(1), refused(2, Outcome::FailedTemporary)],
    )
    .await;
    settle(
        &ledger,
        pairing,
        vec![refused(1, Outcome::RemovedAtDestination), copied(2)],
    )
    .await;
    assert_eq!(
        all(&ledger, pairing, SOURCE).await,
        [refused(1, Outcome::RemovedAtDestination), copied(2)]
    );
    assert_eq!(
        ledger
            .owned(&MailboxName::inbox(), DESTINATION)
            .await
            .expect("owned"),
        keys("1002")
    );
}

async fn of_equal_keys_in_one_settlement_the_last_stays(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    settle(
        &ledger,
        pairing,
        vec![
            copied(3),
            copied(1),
            refused(1, Outcome::Vanished),
            copied(2),
        ],
    )
    .await;
    assert_eq!(
        all(&ledger, pairing, SOURCE).await,
        [refused(1, Outcome::Vanished), copied(2), copied(3)]
    );
}

async fn records_are_read_page_by_page(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let records: Vec<Settled> = (0..137).map(|n| copied(n * 3)).collect();
    settle(&ledger, pairing, records.clone()).await;
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = ledger
            .known(pairing, SOURCE, after, 50)
            .await
            .expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        pages.push(page);
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 37]);
    assert_eq!(pages.concat(), records);
    assert_eq!(
        ledger
            .known(pairing, Epoch(5), None, 50)
            .await
            .expect("none"),
        []
    );
    assert_eq!(
        ledger
            .known(pairing, SOURCE, Some(Key(u64::MAX)), 50)
            .await
            .expect("none"),
        []
    );
    assert_eq!(
        ledger
            .known(PairingId(-1), SOURCE, None, 50)
            .await
            .expect("none"),
        []
    );
}

async fn lookup_finds_exactly_the_keys(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let other = ledger
        .pair(&mailbox("other"), &mailbox("other"))
        .await
        .expect("made")
        .id;
    settle(&ledger, pairing, (1..=20).map(copied).collect()).await;
    settle(&ledger, other, vec![copied(2)]).await;
    let found = ledger
        .lookup(pairing, SOURCE, &keys("0,2:4,9,19:30"))
        .await
        .expect("found");
    assert_eq!(found, [2, 3, 4, 9, 19, 20].map(copied));
    assert_eq!(
        ledger
            .lookup(pairing, SOURCE, &KeySet::new())
            .await
            .expect("none"),
        []
    );
    assert_eq!(
        ledger
            .lookup(pairing, Epoch(1), &keys("2"))
            .await
            .expect("none"),
        []
    );
}

async fn lookup_takes_thousands_of_ranges_and_open_ends(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    settle(&ledger, pairing, (1..=3000).map(copied).collect()).await;
    let every_second: KeySet = (1..=9000).step_by(2).map(Key).collect();
    let found = ledger
        .lookup(pairing, SOURCE, &every_second)
        .await
        .expect("found");
    assert_eq!(found, (1..=3000).step_by(2).map(copied).collect::<Vec<_>>());
    let odd_stored: KeySet = (1..=9000).step_by(2).map(|k| Key(k + 1000)).collect();
    assert_eq!(
        ledger
            .lookup_stored(pairing, DESTINATION, &odd_stored)
            .await
            .expect("found"),
        found
    );
    let rest = ledger
        .lookup(pairing, SOURCE, &KeySet::range(2999..=u64::MAX))
        .await
        .expect("found");
    assert_eq!(rest, [2999, 3000].map(copied));
}

async fn records_are_found_by_destination_key(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let elsewhere = ledger
        .pair(&mailbox("elsewhere"), &mailbox("elsewhere"))
        .await
        .expect("made")
        .id;
    let merged = ledger
        .pair(&mailbox("merged"), &MailboxName::inbox())
        .await
        .expect("made")
        .id;
    settle(
        &ledger,
        pairing,
        vec![copied(1), copied(2), refused(3, Outcome::Skipped)],
    )
    .await;
    // Destination order is not source order.
    settle(
        &ledger,
        pairing,
        vec![Settled {
            stored: Some((DESTINATION, Key(1))),
            ..copied(9)
        }],
    )
    .await;
    settle(&ledger, elsewhere, vec![copied(1)]).await;
    settle(&ledger, merged, vec![copied(5)]).await;
    let found = ledger
        .lookup_stored(pairing, DESTINATION, &keys("1,1002:2000"))
        .await
        .expect("found");
    assert_eq!(
        found,
        [
            copied(2),
            Settled {
                stored: Some((DESTINATION, Key(1))),
                ..copied(9)
            }
        ]
    );
    assert_eq!(
        ledger
            .lookup_stored(pairing, SOURCE, &keys("1:5000"))
            .await
            .expect("none"),
        []
    );
}

async fn owned_unites_all_pairings_of_a_mailbox(ledger: PairLedger) {
    let into = mailbox("Archive");
    let first = ledger.pair(&mailbox("2023"), &into).await.expect("made").id;
    let second = ledger.pair(&mailbox("2024"), &into).await.expect("made").id;
    let other = ledger
        .pair(&mailbox("other"), &mailbox("other"))
        .await
        .expect("made")
        .id;
    settle(&ledger, first, (1..=10).map(copied).collect()).await;
    settle(
        &ledger,
        second,
        (8..=12).chain(20..=20).map(copied).collect(),
    )
    .await;
    settle(
        &ledger,
        second,
        vec![Settled {
            stored: Some((Epoch(5), Key(77))),
            ..copied(30)
        }],
    )
    .await;
    settle(&ledger, other, vec![copied(15)]).await;
    assert_eq!(
        ledger.owned(&into, DESTINATION).await.expect("owned"),
        keys("1001:1012,1020")
    );
    assert_eq!(
        ledger.owned(&into, Epoch(5)).await.expect("owned"),
        keys("77")
    );
    assert_eq!(
        ledger
            .owned(&mailbox("unknown"), DESTINATION)
            .await
            .expect("none"),
        KeySet::new()
    );
}

async fn owned_counts_no_key_between_twins(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let at = |source: u64, stored: u64| Settled {
        stored: Some((DESTINATION, Key(stored))),
        ..copied(source)
    };
    settle(
        &ledger,
        pairing,
        vec![
            at(1, 5),
            at(2, 6),
            at(3, 6),
            at(4, 8),
            at(5, 8),
            at(6, 8),
            at(7, 12),
        ],
    )
    .await;
    assert_eq!(
        ledger
            .owned(&MailboxName::inbox(), DESTINATION)
            .await
            .expect("owned"),
        keys("5:6,8,12")
    );
}

async fn epochs_keep_apart_and_in_order(ledger: PairLedger) {
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

async fn an_intent_is_in_doubt_until_it_is_settled(ledger: PairLedger) {
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

async fn an_unknown_intent_refuses_the_whole_settlement(ledger: PairLedger) {
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

async fn proof_is_raised_and_never_lowered(ledger: PairLedger) {
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

async fn many_lanes_at_once_lose_nothing(ledger: PairLedger) {
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
