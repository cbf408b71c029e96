//! Copies of ours whose place the destination never told (no UIDPLUS), or has no lasting name for (no UIDVALIDITY).
//!
//! Nobody else may adopt them: a twin of the source that took such a copy for its own would be counted twice and
//! stored once.

use crate::compare::Pages;
use crate::matching::{self, Found, Matches};
use crate::run::Run;
use hikyaku_core::ledger::{Pairing, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Reader;
use hikyaku_core::{Epoch, Fault, Key, KeySet};
use std::collections::BTreeMap;

/// The records of those copies, by source key.
pub(crate) async fn unplaced(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
) -> Result<BTreeMap<Key, Settled>, Fault> {
    let mut unplaced = BTreeMap::new();
    if epoch.0 == 0 {
        return Ok(unplaced);
    }
    let mut pages = Pages::new(run, pairing, epoch);
    while let Some(page) = pages.next().await? {
        let lost = page
            .into_iter()
            .filter(|s| s.outcome == Outcome::Copied && s.stored.is_none());
        unplaced.extend(lost.map(|settled| (settled.key, settled)));
    }
    Ok(unplaced)
}

/// Finds those copies among the candidates, by content and one to one, and records where they are. Returns their keys.
pub(crate) async fn place(
    run: &Run,
    pairing: &Pairing,
    (epoch, destination_epoch): (Epoch, Epoch),
    source: &mut dyn Reader,
    destination: &mut dyn Reader,
    candidates: &KeySet,
) -> Result<KeySet, Fault> {
    let mut placed = KeySet::new();
    if candidates.is_empty() {
        return Ok(placed);
    }
    let mut unplaced = unplaced(run, pairing, epoch).await?;
    let wanted: KeySet = unplaced.keys().copied().collect();
    // What could not be read now is placed at another time.
    let Matches { found, .. } =
        matching::find(run, source, &wanted, destination, candidates, &[]).await?;
    let mut records: Vec<Settled> = Vec::new();
    for m in &found {
        let (Found::There { key, altered }, Some(settled)) =
            (m.found, unplaced.remove(&m.source.key))
        else {
            continue;
        };
        let verified = match altered {
            true => Verified::Header,
            false => Verified::Full,
        };
        // The flags are those that were sent: what changed at the source since is still to follow.
        records.push(Settled {
            stored: Some((destination_epoch, key)),
            verified,
            ..settled
        });
        placed.insert(key);
    }
    if !records.is_empty() {
        run.ledger.settle(pairing.id, records, Vec::new()).await?;
    }
    Ok(placed)
}
