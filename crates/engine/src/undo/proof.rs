//! Whether a copy is still what was put there.

use super::open::Open;
use crate::matching;
use crate::run::Run;
use futures::StreamExt;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::ledger::Settled;
use hikyaku_core::message::Listing;
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Fault, Flag, Flags, Key, KeySet, Reach};
use std::collections::HashMap;

/// What a look showed.
#[derive(Debug, Default)]
pub(crate) struct Proven {
    /// Untouched: same content, same flags.
    pub(crate) own: Vec<Settled>,
    /// Everything else.
    pub(crate) touched: Vec<Settled>,
}

/// What is asked of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Flags and content; records are of the present epoch of the source.
    All,
    /// Flags; the content was read a moment ago.
    Flags,
}

/// The destination keys of records.
pub(crate) fn keys_of(records: &[Settled]) -> KeySet {
    let mut keys: Vec<Key> = records.iter().filter_map(stored_key).collect();
    keys.sort_unstable();
    keys.into_iter().collect()
}

/// Where a record says that its copy is.
pub(crate) fn stored_key(record: &Settled) -> Option<Key> {
    record.stored.map(|(_, key)| key)
}

/// Looks the copies up. `source` reads what has to be read on both sides.
pub(crate) async fn prove(
    run: &Run,
    source: Option<&mut dyn Reader>,
    open: &mut Open,
    records: Vec<Settled>,
    ask: Ask,
) -> Result<Proven, Fault> {
    let mut proven = Proven::default();
    if records.is_empty() {
        return Ok(proven);
    }
    let permanent = open.permanent.clone();
    let listed = list(open.reader(), &keys_of(&records)).await?;
    let mut doubtful = Vec::new();
    for record in records {
        let listing = stored_key(&record).and_then(|key| listed.get(&key));
        match listing {
            Some(listing) if has_our_flags(&record, listing, &permanent) => {
                match ask == Ask::Flags || has_our_content(&record, listing) {
                    true => proven.own.push(record),
                    false => doubtful.push(record),
                }
            }
            // Hidden just now, gone just now, or with flags of its owner.
            _ => proven.touched.push(record),
        }
    }
    let read = read(run, source, open, doubtful).await?;
    proven.own.extend(read.own);
    proven.touched.extend(read.touched);
    Ok(proven)
}

async fn list(reader: &mut dyn Reader, keys: &KeySet) -> Result<HashMap<Key, Listing>, Fault> {
    let facts = Facts {
        flags: true,
        octets: true,
        head: true,
        ..Facts::default()
    };
    let mut listed = HashMap::new();
    let mut flow = reader.list(keys, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => {
                listed.insert(listing.key, listing);
            }
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(listed)
}

/// The flags are those that were stored, or followed since. A deletion mark of our own,
/// from an undo that broke off, changes nothing.
fn has_our_flags(record: &Settled, listing: &Listing, permanent: &PermanentFlags) -> bool {
    let Some(now) = &listing.flags else {
        return false;
    };
    let (ours, _) = permanent.divide(&record.flags);
    match record.is_being_taken_back() {
        true => unmarked(now) == unmarked(&ours),
        false => *now == ours,
    }
}

fn unmarked(flags: &Flags) -> Flags {
    let mut flags = flags.clone();
    flags.clear(Flag::Deleted);
    flags
}

fn has_our_content(record: &Settled, listing: &Listing) -> bool {
    listing.octets == Some(record.octets) && record.head.is_some() && listing.head == record.head
}

/// What size and header do not prove is read: the same octets, or what servers are known
/// to make of those of the source.
pub(crate) async fn read(
    run: &Run,
    source: Option<&mut dyn Reader>,
    open: &mut Open,
    doubtful: Vec<Settled>,
) -> Result<Proven, Fault> {
    let mut proven = Proven::default();
    if doubtful.is_empty() {
        return Ok(proven);
    }
    let keys = keys_of(&doubtful);
    let stored: HashMap<Key, _> = matching::read(run, open.reader(), &keys)
        .await?
        .into_iter()
        .map(|read| (read.key, read))
        .collect();
    let mut others = Vec::new();
    for record in doubtful {
        let read = stored_key(&record).and_then(|key| stored.get(&key));
        match read {
            Some(read) if record.content == Some(read.content) => proven.own.push(record),
            Some(read) => others.push((record, read)),
            None => proven.touched.push(record),
        }
    }
    let mut again: Vec<Key> = others.iter().map(|(record, _)| record.key).collect();
    again.sort_unstable();
    let again: KeySet = again.into_iter().collect();
    let originals: HashMap<Key, _> = match source {
        Some(source) => matching::read(run, source, &again).await?,
        None => Vec::new(),
    }
    .into_iter()
    .map(|read| (read.key, read))
    .collect();
    for (record, read) in others {
        let is_ours = originals.get(&record.key).is_some_and(|original| {
            record.content == Some(original.content) && read.is_form_of(original)
        });
        match is_ours {
            true => proven.own.push(record),
            false => proven.touched.push(record),
        }
    }
    Ok(proven)
}
