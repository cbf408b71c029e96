//! Copies of ours whose place the destination never told (no UIDPLUS).
//!
//! Nobody else may adopt them: a twin of the source that took such a copy for its own would be counted twice and
//! stored once.

use crate::compare::Pages;
use crate::matching::{self, Found, Matches};
use crate::run::Run;
use hikyaku_core::ledger::{Pairing, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Reader;
use hikyaku_core::{Epoch, Fault, KeySet};

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
    if run.destination.abilities().reports_keys || candidates.is_empty() || epoch.0 == 0 {
        return Ok(placed);
    }
    let mut unplaced = KeySet::new();
    let mut pages = Pages::new(run, pairing, epoch);
    while let Some(page) = pages.next().await? {
        let lost = page
            .iter()
            .filter(|s| s.outcome == Outcome::Copied && s.stored.is_none());
        lost.for_each(|settled| unplaced.insert(settled.key));
    }
    // What could not be read now is placed at another time.
    let Matches { found, .. } =
        matching::find(run, source, &unplaced, destination, candidates, &[]).await?;
    let mut records: Vec<Settled> = Vec::new();
    for m in &found {
        let Found::There { key, altered } = m.found else {
            continue;
        };
        let verified = match altered {
            true => Verified::Header,
            false => Verified::Full,
        };
        let stored = Some((destination_epoch, key));
        records.push(m.source.settled(epoch, Outcome::Copied, stored, verified));
        placed.insert(key);
    }
    if !records.is_empty() {
        run.ledger.settle(pairing.id, records, Vec::new()).await?;
    }
    Ok(placed)
}
