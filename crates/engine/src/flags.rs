//! Flag changes at the source follow to the destination.
//!
//! The ledger remembers the source's flags as they were copied. What was set since
//! is set there, what was cleared since is cleared there, except `\Seen`: what the user
//! has read is never made unread. A flag is two-valued, so where the owner
//! changed it at the destination too it already has the wanted value.

use crate::compare::Pages;
use crate::run::Run;
use futures::StreamExt;
use hikyaku_core::flags::{Flag, PermanentFlags};
use hikyaku_core::ledger::{Pairing, Settled};
use hikyaku_core::traits::{Facts, FlagChange, Reader, Writer};
use hikyaku_core::{Epoch, Fault, Flags, Key, KeySet, Reach};
use std::collections::HashMap;

/// Messages whose flags are looked at together.
const WINDOW: u64 = 4_096;

/// Brings the flags of the `done` messages up to date; how many messages changed.
///
/// `since` is the mod-sequence of the checkpoint, where there is one: then only what
/// changed is asked for.
pub(crate) async fn follow(
    run: &Run,
    pairing: &Pairing,
    epoch: Epoch,
    done: &KeySet,
    since: Option<u64>,
    source: &mut dyn Reader,
    destination: &mut dyn Writer,
) -> Result<u64, Fault> {
    if done.is_empty() {
        return Ok(0);
    }
    let mut updated = 0;
    if let Some(modseq) = since {
        let now = collect(source.changed(modseq), done).await?;
        let keys: KeySet = {
            let mut keys: Vec<Key> = now.keys().copied().collect();
            keys.sort_unstable();
            keys.into_iter().collect()
        };
        for window in keys.windows(WINDOW) {
            let records = run.ledger.lookup(pairing.id, epoch, &window).await?;
            updated += apply(run, pairing, records, &now, destination).await?;
        }
        return Ok(updated);
    }
    let mut pages = Pages::new(run, pairing, epoch);
    let facts = Facts {
        flags: true,
        ..Facts::default()
    };
    while let Some(records) = pages.next().await? {
        let keys: KeySet = records.iter().map(|s| s.key).collect();
        let keys = keys.and(done);
        if keys.is_empty() {
            continue;
        }
        let now = collect(source.list(&keys, facts), done).await?;
        updated += apply(run, pairing, records, &now, destination).await?;
    }
    Ok(updated)
}

async fn collect(
    mut flow: hikyaku_core::traits::Flow<'_, hikyaku_core::Listing>,
    done: &KeySet,
) -> Result<HashMap<Key, Flags>, Fault> {
    let mut now = HashMap::new();
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) if done.contains(listing.key) => {
                if let Some(flags) = listing.flags {
                    now.insert(listing.key, flags);
                }
            }
            Ok(_) => {}
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(now)
}

async fn apply(
    run: &Run,
    pairing: &Pairing,
    records: Vec<Settled>,
    now: &HashMap<Key, Flags>,
    destination: &mut dyn Writer,
) -> Result<u64, Fault> {
    let permanent = destination.permanent_flags().clone();
    let epoch = destination.state().epoch;
    let mut changes = Vec::new();
    let mut fresh = Vec::new();
    for mut record in records {
        let Some(flags) = now.get(&record.key).filter(|f| **f != record.flags) else {
            continue;
        };
        let is_here = record.elsewhere.is_none();
        let stored = record.stored.filter(|(e, _)| is_here && Some(*e) == epoch);
        if let Some((_, key)) = stored {
            changes.extend(change(key, &record.flags, flags, &permanent));
        }
        record.flags = flags.clone();
        fresh.push(record);
    }
    if !changes.is_empty() {
        destination.store_flags(&changes).await?;
    }
    let updated = changes.len() as u64;
    if !fresh.is_empty() {
        run.ledger.settle(pairing.id, fresh, Vec::new()).await?;
    }
    Ok(updated)
}

fn change(key: Key, base: &Flags, now: &Flags, permanent: &PermanentFlags) -> Option<FlagChange> {
    let (mut add, _) = permanent.divide(&now.minus(base));
    // Nothing that is there is ever marked for deletion by a copy (traits::Undo alone may).
    add.clear(Flag::Deleted);
    let (mut remove, _) = permanent.divide(&base.minus(now));
    remove.clear(Flag::Seen);
    (!add.is_empty() || !remove.is_empty()).then_some(FlagChange { key, add, remove })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, now: &str, add: &str, remove: &str) {
        let change = change(
            Key(1),
            &Flags::parse(base),
            &Flags::parse(now),
            &PermanentFlags::everything(),
        );
        let (a, r) = change.map_or_else(Default::default, |c| {
            (c.add.to_string(), c.remove.to_string())
        });
        assert_eq!((a.as_str(), r.as_str()), (add, remove), "{base} → {now}");
    }

    #[test]
    fn changes_follow_but_nothing_becomes_unread() {
        check("", "\\Seen work", "\\Seen work", "");
        check("\\Seen \\Flagged", "\\Flagged", "", "");
        check(
            "\\Seen \\Flagged old",
            "\\Answered",
            "\\Answered",
            "\\Flagged old",
        );
        check("a", "A", "", "");
    }

    #[test]
    fn what_the_destination_does_not_keep_is_not_asked_for() {
        let permanent = PermanentFlags {
            named: Flags::parse("\\Seen"),
            any_keyword: false,
        };
        let change = change(
            Key(1),
            &Flags::new(),
            &Flags::parse("\\Flagged x"),
            &permanent,
        );
        assert_eq!(change, None);
    }
}
