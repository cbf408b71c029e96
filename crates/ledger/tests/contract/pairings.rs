//! Mailboxes, where they go, and checkpoints.

use hikyaku_core::ledger::{Elsewhere, Ledger, Settled};
use hikyaku_core::{Epoch, Key, KeySet, MailboxName};
use hikyaku_ledger::PairLedger;

use crate::support::{DESTINATION, SOURCE, checkpoint, copied, keys, mailbox};
use crate::{all, inbox, settle};

pub(crate) async fn a_pairing_is_made_once_and_found_again(ledger: PairLedger) {
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

pub(crate) async fn pairings_keep_every_name(ledger: PairLedger) {
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

pub(crate) async fn mapping_anew_drops_the_checkpoint_and_the_places(ledger: PairLedger) {
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
    let elsewhere = Settled {
        stored: Some((Epoch(0), Key(1001))),
        elsewhere: Some(Elsewhere {
            mailbox: first.clone(),
            epoch: DESTINATION,
        }),
        ..copied(1)
    };
    assert_eq!(all(&ledger, made.id, SOURCE).await, [elsewhere]);
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

pub(crate) async fn a_checkpoint_is_set_replaced_and_dropped(ledger: PairLedger) {
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

pub(crate) async fn a_checkpoint_outlives_later_settlements(ledger: PairLedger) {
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
