//! Whose copy is it? Twins, copies without a place, and answers that never came.

use crate::support::{Pair, facts, mail};
use hikyaku_core::ledger::{Intent, Ledger, Pairing, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Source;
use hikyaku_core::{ContentHash, Epoch, Flags, HeadDigest, Key, KeySet, MailboxInfo};
use hikyaku_testkit::memory::{Append, Epochs, MemoryAccount, Personality};

fn one_by_one(reports_keys: bool, epochs: Epochs) -> Personality {
    Personality {
        appends_batches: false,
        reports_keys,
        epochs,
        ..Personality::default()
    }
}

fn named(all: Vec<MailboxInfo>, name: &str) -> MailboxInfo {
    let found = all.into_iter().find(|info| info.name.to_string() == name);
    found.expect("the mailbox is there")
}

fn epoch_of(info: &MailboxInfo) -> Epoch {
    info.state.and_then(|state| state.epoch).expect("an epoch")
}

/// An earlier life has left its traces in the ledger, for one mailbox of the same name on both sides.
struct Earlier<'a> {
    pair: &'a Pair,
    pairing: Pairing,
    epoch: Epoch,
    destination_epoch: Epoch,
}

impl<'a> Earlier<'a> {
    async fn life(pair: &'a Pair, mailbox: &str) -> Self {
        let from = named(pair.source.mailboxes().await.expect("listed"), mailbox);
        let to = named(pair.destination.mailboxes().await.expect("listed"), mailbox);
        Self {
            pair,
            pairing: pair
                .ledger
                .pair(&from.name, &to.name)
                .await
                .expect("paired"),
            epoch: epoch_of(&from),
            destination_epoch: epoch_of(&to),
        }
    }

    /// It was about to append this message when it died.
    async fn intended(&self, key: u64, next: u64) {
        let intent = Intent {
            pairing: self.pairing.id,
            epoch: self.epoch,
            keys: std::iter::once(Key(key)).collect::<KeySet>(),
            destination_epoch: self.destination_epoch,
            destination_next: Key(next),
        };
        self.pair.ledger.intend(intent).await.expect("durable");
    }

    /// It heard that this message was stored, and not where.
    async fn acknowledged(&self, key: u64, octets: &[u8]) {
        let settled = Settled {
            epoch: self.epoch,
            key: Key(key),
            outcome: Outcome::Copied,
            stored: None,
            elsewhere: None,
            octets: octets.len() as u64,
            content: Some(ContentHash::of(octets)),
            head: Some(HeadDigest::of(octets)),
            flags: Flags::new(),
            date: None,
            verified: Verified::Acknowledged,
            code: None,
        };
        let (ledger, id) = (&self.pair.ledger, self.pairing.id);
        let settled = ledger.settle(id, vec![settled], Vec::new()).await;
        settled.expect("durable");
    }
}

/// Puts a message and takes it away again: its key stays used.
fn put_and_take(account: &MemoryAccount, mailbox: &str, octets: &[u8]) {
    let key = account.put(mailbox, "", 1, octets);
    account.remove(mailbox, key);
}

/// Two of three twins are there, at places without a meaning: the third takes neither for itself.
#[tokio::test(start_paused = true)]
async fn a_twin_takes_no_copy_of_another_for_its_own() {
    for reports_keys in [true, false] {
        for epochs in [Epochs::Zero, Epochs::Lasting] {
            let destination = one_by_one(reports_keys, epochs);
            let pair = Pair::between(Personality::default(), destination);
            for _ in 0..3 {
                pair.source.put("INBOX", "", 1, &mail(1, 300));
            }
            for _ in 0..2 {
                pair.destination.put("INBOX", "", 1, &mail(1, 300));
            }
            let earlier = Earlier::life(&pair, "INBOX").await;
            earlier.acknowledged(1, &mail(1, 300)).await;
            earlier.acknowledged(2, &mail(1, 300)).await;
            pair.copy_completely().await;
            pair.assert_equal();
            pair.assert_settled().await;
        }
    }
}

/// Something was taken away from one mailbox, and a twin of what is missing there is in another one: it belongs to
/// another message, of which only the intent is known, or the acknowledgement.
#[tokio::test(start_paused = true)]
async fn a_copy_of_another_mailbox_is_no_proof_of_a_move() {
    for is_acknowledged in [false, true] {
        let destination = one_by_one(false, Epochs::Lasting);
        let mut pair = Pair::between(Personality::default(), destination);
        pair.policy.lanes = 1;
        pair.source.put("A", "", 1, &mail(1, 300));
        pair.source.put("B", "", 1, &mail(1, 300));
        put_and_take(&pair.destination, "A", &mail(2, 300));
        pair.destination.put("B", "", 1, &mail(1, 300));
        Earlier::life(&pair, "A").await.intended(1, 1).await;
        let other = Earlier::life(&pair, "B").await;
        match is_acknowledged {
            true => other.acknowledged(1, &mail(1, 300)).await,
            false => other.intended(1, 1).await,
        }
        let report = pair.copy_completely().await;
        assert_eq!(report.tally().messages(Outcome::Copied), 2);
        pair.assert_equal();
        pair.assert_settled().await;
    }
}

/// Of two twins one was acknowledged and moved by its owner, the other was never stored: what was moved is the first.
#[tokio::test(start_paused = true)]
async fn what_was_moved_is_what_was_acknowledged() {
    for moved in [1, 2] {
        let destination = one_by_one(false, Epochs::Lasting);
        let pair = Pair::between(Personality::default(), destination);
        pair.source.put("INBOX", "", 1, &mail(1, 300));
        pair.source.put("INBOX", "", 1, &mail(1, 300));
        pair.destination.put("INBOX", "", 1, b"a stranger");
        put_and_take(&pair.destination, "INBOX", &mail(1, 300));
        pair.destination.put("片付け", "", 1, &mail(1, 300));
        let earlier = Earlier::life(&pair, "INBOX").await;
        earlier.acknowledged(moved, &mail(1, 300)).await;
        earlier.intended(3 - moved, 2).await;
        let report = pair.copy_completely().await;
        assert_eq!(report.tally().messages(Outcome::RemovedAtDestination), 1);
        assert_eq!(report.tally().messages(Outcome::Copied), 1);
        let there = facts(&pair.destination.messages("INBOX"));
        let there: Vec<&[u8]> = there.iter().map(|(octets, ..)| octets.as_slice()).collect();
        assert_eq!(there, [&mail(1, 300)[..], b"a stranger"]);
        assert_eq!(pair.destination.messages("片付け").len(), 1);
        pair.assert_settled().await;
    }
}

/// A flag that changes at the source between an append and the search for what became of it still follows.
#[tokio::test(start_paused = true)]
async fn a_flag_that_changes_during_a_doubt_follows() {
    for kind in [Append::StoreAndRefuse, Append::LoseAfter] {
        for (before, after) in [("\\Seen", "\\Seen \\Flagged work"), ("", "$label1")] {
            let pair = Pair::between(Personality::default(), one_by_one(true, Epochs::Lasting));
            let key = pair.source.put("INBOX", before, 1, &mail(1, 300));
            pair.destination.script_appends([kind.clone()]);
            let source = pair.source.clone();
            pair.destination
                .after_append(1, move |_| source.set_flags("INBOX", key, after));
            pair.copy_completely().await;
            pair.copy_completely().await;
            pair.assert_equal();
            pair.assert_settled().await;
        }
    }
}

/// What a doubt about an answer must not undo: a flag that was cleared at the source is cleared at the destination.
#[tokio::test(start_paused = true)]
async fn a_flag_that_is_cleared_during_a_refusal_is_cleared() {
    let pair = Pair::between(Personality::default(), one_by_one(true, Epochs::Lasting));
    let key = pair.source.put("INBOX", "\\Flagged work", 1, &mail(1, 300));
    pair.destination.script_appends([Append::StoreAndRefuse]);
    let source = pair.source.clone();
    pair.destination
        .after_append(1, move |_| source.set_flags("INBOX", key, "work"));
    pair.copy_completely().await;
    pair.copy_completely().await;
    pair.assert_equal();
    pair.assert_settled().await;
}

/// The destination gets other keys, and flags change at the source before that is seen: they still follow.
#[tokio::test(start_paused = true)]
async fn flags_follow_through_a_change_of_the_destination_s_keys() {
    let pair = Pair::between(Personality::default(), one_by_one(true, Epochs::Lasting));
    let first = pair.source.put("INBOX", "\\Flagged", 1, &mail(1, 300));
    let second = pair.source.put("INBOX", "", 2, &mail(2, 300));
    pair.copy_completely().await;
    pair.source.set_flags("INBOX", first, "work");
    pair.source.set_flags("INBOX", second, "\\Answered");
    pair.destination.renumber("INBOX");
    pair.copy_completely().await;
    pair.assert_equal();
    pair.assert_settled().await;
}
