//! What one scan of a folder came to, in little memory: which keys there are, under which
//! epoch, and where a later scan can begin.

use crate::fault;
use crate::store::{Flow, Folder, Found, Start, Store};
use hikyaku_core::{Epoch, Fault, Key, KeySet, MailboxState, Reach};
use std::ops::ControlFlow;

/// A scan can begin again at every so many-th item.
const STRIDE: u64 = 256;

/// Derived epochs have 61 bits: the engine and the ledger need the rest.
const EPOCH_BITS: u32 = 61;

/// Keys beyond this are not remembered one by one.
const MOST_PRINTS: u64 = 1 << 26;

/// What a folder held when it was scanned.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) epoch: Epoch,
    /// Messages and unreadable items.
    pub(crate) keys: KeySet,
    pub(crate) stamp: Option<u64>,
    /// Where the scan broke off, under a key of its own.
    pub(crate) broken: Option<(Key, Fault)>,
    octets: u64,
    next: Key,
    starts: Vec<Start>,
    /// By key: four octets of what was found there. Empty where keys never change meaning.
    prints: Vec<u32>,
}

impl Survey {
    pub(crate) fn state(&self) -> MailboxState {
        MailboxState {
            epoch: Some(self.epoch),
            next: Some(self.next),
            messages: self.keys.len(),
            modseq: None,
            octets: Some(self.octets),
        }
    }

    /// The last place at or before the key at which a scan can begin.
    pub(crate) fn start(&self, key: Key) -> Start {
        let at = self.starts.partition_point(|start| start.key <= key);
        let nearest = at.checked_sub(1).and_then(|at| self.starts.get(at));
        nearest.copied().unwrap_or(Start::BEGINNING)
    }

    /// Whether this is what the survey saw under that key.
    pub(crate) fn is_same(&self, found: &Found) -> bool {
        let index = usize::try_from(found.key().0).unwrap_or(usize::MAX);
        self.prints
            .get(index)
            .is_none_or(|print| *print == 0 || *print == short(found))
    }
}

/// Scans the folder from its beginning.
///
/// # Faults
/// When nothing of it can be scanned. A scan that breaks off later leaves an unreadable
/// item in the place of the rest.
pub(crate) fn survey(
    store: &dyn Store,
    folder: &Folder,
    stamp: Option<u64>,
) -> Result<Survey, Fault> {
    let mut survey = Survey {
        epoch: Epoch(0),
        keys: KeySet::new(),
        stamp,
        broken: None,
        octets: 0,
        next: Key(1),
        starts: Vec::new(),
        prints: Vec::new(),
    };
    let mut chain = blake3::Hasher::new();
    let mut count = 0_u64;
    let mut take = |found: Found| -> Flow {
        let key = found.key();
        if count.is_multiple_of(STRIDE) {
            survey.starts.push(Start {
                key,
                at: found.at(),
            });
        }
        count += 1;
        survey.next = Key(key.0.saturating_add(1));
        chain.update(&identity(&found));
        if key.0 < MOST_PRINTS {
            let index = usize::try_from(key.0).unwrap_or(0);
            if survey.prints.len() <= index {
                survey.prints.resize(index + 1, 0);
            }
            survey.prints[index] = short(&found);
        }
        match found {
            Found::Message(item) => {
                survey.octets = survey.octets.saturating_add(item.octets);
                survey.keys.insert(key);
            }
            Found::Unreadable { .. } => survey.keys.insert(key),
            Found::Deleted { .. } => {}
        }
        ControlFlow::Continue(())
    };
    let own = match store.scan(folder, Start::BEGINNING, &mut take) {
        Ok(own) => own,
        Err(fault) if survey.keys.is_empty() => return Err(fault),
        Err(mut fault) => {
            let key = survey.next;
            fault.reach = Reach::Message;
            survey.next = Key(key.0 + 1);
            survey.keys.insert(key);
            survey.broken = Some((key, fault.message(key)));
            None
        }
    };
    match own {
        Some(epoch) => {
            survey.epoch = epoch;
            survey.prints = Vec::new();
        }
        None => {
            let mut eight = [0; 8];
            eight.copy_from_slice(&chain.finalize().as_bytes()[..8]);
            // Never 0, which would mean that keys cannot be trusted.
            survey.epoch = Epoch((u64::from_le_bytes(eight) >> (64 - EPOCH_BITS)).max(1));
        }
    }
    Ok(survey)
}

/// What makes it that message under that key.
fn identity(found: &Found) -> [u8; 24] {
    let (octets, mark) = match found {
        Found::Message(item) => (item.octets, item.mark),
        Found::Unreadable { .. } => (0, 0),
        Found::Deleted { octets, mark, .. } => (*octets, *mark),
    };
    let mut out = [0; 24];
    out[..8].copy_from_slice(&found.key().0.to_le_bytes());
    out[8..16].copy_from_slice(&octets.to_le_bytes());
    out[16..].copy_from_slice(&mark.to_le_bytes());
    out
}

/// Never 0.
fn short(found: &Found) -> u32 {
    let identity = identity(found);
    let mixed = crate::store::mark(&identity);
    ((mixed >> 32) as u32).max(1)
}

/// The fault for a key that means something else now.
pub(crate) fn renumbered() -> Fault {
    fault::changed("another message is at this place now")
}
