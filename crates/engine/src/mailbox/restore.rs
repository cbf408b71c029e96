//! Copies that an undo was about to take back when it broke off: they stay.

use super::Work;
use super::scene::Scene;
use crate::compare::Compared;
use futures::StreamExt;
use hikyaku_core::ledger::Settled;
use hikyaku_core::traits::{Facts, FlagChange};
use hikyaku_core::{Fault, Flag, Flags, KeySet, Reach, Side};

impl Work<'_> {
    /// Takes the deletion marks of the undo off again, then records that the copies are
    /// there like any other.
    pub(super) async fn restore(
        &mut self,
        scene: &mut Scene,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        let half = std::mem::take(&mut compared.half_taken);
        if half.is_empty() {
            return Ok(());
        }
        let ours = half
            .iter()
            .filter(|record| !record.flags.has(Flag::Deleted));
        let mut keys: Vec<_> = ours.filter_map(|r| r.stored).map(|(_, key)| key).collect();
        keys.sort_unstable();
        let keys: KeySet = keys.into_iter().collect();
        let placed = |fault: Fault| fault.on(Side::Destination);
        let marked = marked(scene, &keys).await.map_err(placed)?;
        if !marked.is_empty() {
            scene.writer.store_flags(&marked).await.map_err(placed)?;
        }
        let whole = half.into_iter().map(|record| Settled {
            code: None,
            ..record
        });
        let ledger = &self.run.ledger;
        ledger
            .settle(scene.pairing.id, whole.collect(), Vec::new())
            .await
    }
}

/// The changes that take the marks off.
async fn marked(scene: &mut Scene, keys: &KeySet) -> Result<Vec<FlagChange>, Fault> {
    let facts = Facts {
        flags: true,
        ..Facts::default()
    };
    let mut mark = Flags::new();
    mark.set(Flag::Deleted);
    let mut changes = Vec::new();
    let mut flow = scene.writer.list(keys, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) if listing.flags.as_ref().is_some_and(|f| f.has(Flag::Deleted)) => {
                changes.push(FlagChange {
                    key: listing.key,
                    add: Flags::new(),
                    remove: mark.clone(),
                });
            }
            Ok(_) => {}
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(changes)
}
