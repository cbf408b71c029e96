//! Removing what is proven, in the order that survives a crash at any point.

use super::open::Open;
use super::proof::keys_of;
use crate::run::Run;
use hikyaku_core::ledger::{Pairing, Settled};
use hikyaku_core::{Event, Fault, KeySet};

/// Most copies between two durable records: what a crash leaves half-done.
pub(crate) const PORTION: usize = 500;

/// Removes these copies. How many went; those that somebody unmarked meanwhile stay, and
/// the next copy restores their records.
pub(crate) async fn remove(
    run: &Run,
    pairing: &Pairing,
    open: &mut Open,
    own: &[Settled],
) -> Result<KeySet, Fault> {
    let mut gone = KeySet::new();
    for portion in own.chunks(PORTION) {
        if run.stop.is_requested() {
            return Err(crate::stop::Stop::fault());
        }
        let keys = keys_of(portion);
        // Every record that owns one of these keys, of whatever epoch: one that was left
        // out would look like a copy that its owner removed.
        let owners = run
            .ledger
            .lookup_stored(pairing.id, open.epoch, &keys)
            .await?;
        let begun = owners.iter().cloned().map(Settled::being_taken_back);
        run.ledger
            .settle(pairing.id, begun.collect(), Vec::new())
            .await?;
        let went = open.remove(run, &keys).await?;
        book(run, pairing, owners, &went).await?;
        gone.extend(&went);
    }
    Ok(gone)
}

/// Records that these keys are gone, and tells it.
pub(crate) async fn book(
    run: &Run,
    pairing: &Pairing,
    owners: Vec<Settled>,
    went: &KeySet,
) -> Result<(), Fault> {
    if went.is_empty() {
        return Ok(());
    }
    let is_gone = |r: &Settled| r.stored.is_some_and(|(_, key)| went.contains(key));
    let taken: Vec<Settled> = owners
        .into_iter()
        .filter(is_gone)
        .map(Settled::taken_back)
        .collect();
    run.ledger.settle(pairing.id, taken, Vec::new()).await?;
    run.observer.note(&Event::TakenBack {
        mailbox: pairing.source.clone(),
        messages: went.len(),
    });
    Ok(())
}
