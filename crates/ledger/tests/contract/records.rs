//! Records: written, replaced, and found by either key.

use hikyaku_core::ledger::{Elsewhere, Ledger, PairingId, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Epoch, Flags, Key, KeySet, MailboxName};
use hikyaku_ledger::PairLedger;

use crate::support::{DESTINATION, SOURCE, copied, keys, mailbox, refused};
use crate::{all, inbox, settle};

pub(crate) async fn what_was_found_in_another_mailbox_is_told_and_owned_there(ledger: PairLedger) {
    let pairing = inbox(&ledger).await;
    let archive = mailbox("保管/2024");
    let found = |key: u64| Settled {
        outcome: Outcome::AlreadyThere,
        stored: Some((Epoch(0), Key(key + 1000))),
        elsewhere: Some(Elsewhere {
            mailbox: archive.clone(),
            epoch: DESTINATION,
        }),
        ..copied(key)
    };
    let records = vec![copied(1), found(2), copied(3), found(4)];
    settle(&ledger, pairing, records.clone()).await;
    assert_eq!(all(&ledger, pairing, SOURCE).await, records);
    let owned = |name: MailboxName| {
        let ledger = ledger.clone();
        async move { ledger.owned(&name, DESTINATION).await.expect("asked") }
    };
    assert_eq!(owned(archive.clone()).await, keys("1002,1004"));
    assert_eq!(owned(mailbox("INBOX")).await, keys("1001,1003"));
    let asked = keys("1001:1004");
    let here = ledger.lookup_stored(pairing, DESTINATION, &asked).await;
    assert_eq!(here.expect("asked"), [copied(1), copied(3)]);
    // Written again as it was read, and then taken back.
    settle(&ledger, pairing, vec![found(2)]).await;
    let gone = Settled {
        outcome: Outcome::RemovedAtDestination,
        stored: None,
        elsewhere: None,
        ..found(4)
    };
    settle(&ledger, pairing, vec![gone.clone()]).await;
    assert_eq!(
        all(&ledger, pairing, SOURCE).await,
        [copied(1), found(2), copied(3), gone]
    );
    assert_eq!(owned(archive.clone()).await, keys("1002"));
    // The mapping changes: what lies there is in the mapped mailbox from then on.
    ledger
        .pair(&mailbox("INBOX"), &archive)
        .await
        .expect("changed");
    let here = Settled {
        stored: Some((DESTINATION, Key(1002))),
        elsewhere: None,
        ..found(2)
    };
    let told = ledger.lookup(pairing, SOURCE, &keys("2")).await;
    assert_eq!(told.expect("asked"), [here]);
}

pub(crate) async fn every_field_of_a_record_comes_back(ledger: PairLedger) {
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

pub(crate) async fn settling_again_replaces_the_record(ledger: PairLedger) {
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

pub(crate) async fn of_equal_keys_in_one_settlement_the_last_stays(ledger: PairLedger) {
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

pub(crate) async fn records_are_read_page_by_page(ledger: PairLedger) {
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

pub(crate) async fn lookup_finds_exactly_the_keys(ledger: PairLedger) {
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

pub(crate) async fn lookup_takes_thousands_of_ranges_and_open_ends(ledger: PairLedger) {
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

pub(crate) async fn records_are_found_by_destination_key(ledger: PairLedger) {
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

pub(crate) async fn owned_unites_all_pairings_of_a_mailbox(ledger: PairLedger) {
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

pub(crate) async fn owned_counts_no_key_between_twins(ledger: PairLedger) {
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
