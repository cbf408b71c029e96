//! What one scan of a folder came to, in little memory: which keys there are, under which
//! epoch, and where a later scan can begin.

use crate::fault;
use crate::options::Options;
use crate::store::{Flow, Folder, Found, Item, Start, Store};
use hikyaku_core::{Epoch, Fault, Key, KeySet, MailboxState, Reach};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A scan can begin again at every so many-th item.
const STRIDE: u64 = 256;

/// Derived epochs have 61 bits: the engine and the ledger need the rest.
const EPOCH_BITS: u32 = 61;

/// So many messages are remembered one by one, in four octets each.
const MOST_PRINTS: usize = 1 << 26;

/// So many messages of all folders together are remembered whole, so that reading them needs
/// no second scan: some 150 octets each.
pub(crate) const MOST_ITEMS: usize = 1 << 15;

/// What a folder held when it was scanned.
#[derive(Clone, Debug)]
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
    /// Empty where keys never change meaning.
    prints: Prints,
    /// Of the flags of all messages.
    flags: u32,
    /// Everything that was found, where that is messages only and not too many.
    items: Option<Arc<Vec<Item>>>,
}

impl Survey {
    /// Every message, where they are remembered: as they are while the folder's stamp stays.
    pub(crate) fn items(&self) -> Option<&Arc<Vec<Item>>> {
        self.items.as_ref()
    }

    /// The same without its messages.
    pub(crate) fn without_items(self) -> Self {
        Self {
            items: None,
            ..self
        }
    }

    pub(crate) fn state(&self) -> MailboxState {
        MailboxState {
            epoch: Some(self.epoch),
            next: Some(self.next),
            messages: self.keys.len(),
            modseq: self.prints.up_to(self.next).map(|content| {
                // Content above: what `continues` asks for; flags below.
                u64::from(content) << 32 | u64::from(self.flags)
            }),
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
        let print = self.prints.get(found.key());
        print.is_none_or(|print| print == short(found))
    }

    /// Whether everything that the folder held in an earlier [`Survey::state`] is still
    /// there under its key. It may hold more behind it.
    pub(crate) fn continues(&self, earlier: &MailboxState) -> bool {
        let (Some(next), Some(then)) = (earlier.next, earlier.modseq) else {
            return false;
        };
        let now = self.prints.up_to(next);
        next <= self.next && now.is_some_and(|now| u64::from(now) == then >> 32)
    }

    /// The same, under an earlier epoch that it continues.
    pub(crate) fn under(&self, epoch: Epoch) -> Self {
        Self {
            epoch,
            ..self.clone()
        }
    }
}

/// Four octets of what was found under each key. Keys are mostly dense, and never have to
/// be: a folder may hold the messages 1 and 4000000000.
#[derive(Clone, Debug, Default)]
struct Prints {
    prints: Vec<u32>,
    /// First key of each run of keys without a gap, and which print is its.
    runs: Vec<(u64, usize)>,
}

impl Prints {
    /// Keys come in ascending order.
    fn push(&mut self, key: Key, print: u32) {
        if self.prints.len() >= MOST_PRINTS {
            return;
        }
        let index = self.prints.len();
        let continues = self
            .runs
            .last()
            .is_some_and(|(first, at)| first.checked_add((index - at) as u64) == Some(key.0));
        if !continues {
            self.runs.push((key.0, index));
        }
        self.prints.push(print);
    }

    /// How many keys are lower.
    fn below(&self, key: Key) -> usize {
        let run = self.runs.partition_point(|(first, _)| *first < key.0);
        let Some((first, at)) = run.checked_sub(1).and_then(|run| self.runs.get(run)) else {
            return 0;
        };
        let end = self.runs.get(run).map_or(self.prints.len(), |(_, at)| *at);
        let inside = usize::try_from(key.0 - first).unwrap_or(usize::MAX);
        at.saturating_add(inside).min(end)
    }

    fn get(&self, key: Key) -> Option<u32> {
        let next = Key(key.0.saturating_add(1));
        let index = self.below(key);
        (self.below(next) > index).then(|| self.prints[index])
    }

    /// Made of all keys below this one and what was found there; `None` when not all were
    /// remembered.
    fn up_to(&self, next: Key) -> Option<u32> {
        if self.prints.is_empty() || self.prints.len() >= MOST_PRINTS {
            return None;
        }
        let count = self.below(next);
        let mut hasher = blake3::Hasher::new();
        for print in &self.prints[..count] {
            hasher.update(&print.to_le_bytes());
        }
        Some(first_word(&hasher))
    }
}

fn first_word(hasher: &blake3::Hasher) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    u32::from_le_bytes(four)
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
    options: &Options,
) -> Result<Survey, Fault> {
    if let Some(why) = &folder.lost {
        return Err(why.clone());
    }
    let mut survey = Survey {
        epoch: Epoch(0),
        keys: KeySet::new(),
        stamp,
        broken: None,
        octets: 0,
        next: Key(1),
        starts: Vec::new(),
        prints: Prints::default(),
        flags: 0,
        items: None,
    };
    // Nothing is remembered of what could change without anybody noticing.
    let mut items = stamp.map(|_| Vec::new());
    let mut chain = blake3::Hasher::new();
    let mut flags = blake3::Hasher::new();
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
        survey.prints.push(key, short(&found));
        match (&found, &mut items) {
            // Files of a directory may be renamed and removed while they are read; what lies in
            // one file stays as long as that is the same.
            (Found::Message(item), Some(items))
                if items.len() < MOST_ITEMS && item.place.file.is_none() =>
            {
                items.push(item.clone());
            }
            _ => items = None,
        }
        match found {
            Found::Message(item) => {
                survey.octets = survey.octets.saturating_add(item.octets);
                survey.keys.insert(key);
                let seconds = item.date.map(|d| d.seconds);
                let shown = options.flags(item.flags, item.seen_recorded, seconds);
                flags.update(&key.0.to_le_bytes());
                flags.update(shown.to_string().as_bytes());
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
            items = None;
            None
        }
    };
    match own {
        Some(epoch) => {
            survey.epoch = epoch;
            survey.prints = Prints::default();
        }
        None => {
            let mut eight = [0; 8];
            eight.copy_from_slice(&chain.finalize().as_bytes()[..8]);
            // Never 0, which would mean that keys cannot be trusted.
            survey.epoch = Epoch((u64::from_le_bytes(eight) >> (64 - EPOCH_BITS)).max(1));
        }
    }
    survey.flags = first_word(&flags);
    survey.items = items.map(Arc::new);
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
