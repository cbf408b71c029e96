//! Earlier copies, set aside while everything is copied again.
//!
//! A record has room for one copy. Before a message is copied a second time, the record
//! of its first copy is kept under an epoch of its own, made of the source's epoch and one
//! bit that no server uses. To an ordinary run such records are what records of another
//! epoch always are: copies of ours, to be found again by content. So whatever happens in
//! between, nothing is doubled.

use hikyaku_core::ledger::{Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Epoch, Flags, Key, KeySet};

/// UIDVALIDITY has 32 bits; the ledger stores 63.
const ASIDE: u64 = 1 << 62;

/// Where records of this epoch are set aside.
pub(crate) fn aside(epoch: Epoch) -> Epoch {
    Epoch(epoch.0 | ASIDE)
}

/// The epoch of the source that is meant.
pub(crate) fn source_epoch(epoch: Epoch) -> Epoch {
    Epoch(epoch.0 & !ASIDE)
}

/// Whether records of this epoch were set aside.
pub(crate) fn is_aside(epoch: Epoch) -> bool {
    epoch.0 & ASIDE != 0
}

/// The key of the record that says how far copying everything again has come: no message
/// has it.
pub(crate) fn mark_key() -> KeySet {
    KeySet::range(0..=0)
}

/// That record: `open` from when all earlier copies are set aside until they are replaced.
pub(crate) fn mark(epoch: Epoch, open: bool) -> Settled {
    Settled {
        epoch: aside(epoch),
        key: Key(0),
        outcome: match open {
            true => Outcome::FailedTemporary,
            false => Outcome::Skipped,
        },
        stored: None,
        elsewhere: None,
        octets: 0,
        content: None,
        head: None,
        flags: Flags::new(),
        date: None,
        verified: Verified::No,
        code: open.then_some(Code::UndoUnfinished),
    }
}

/// Whether the mark says that everything is being copied again.
pub(crate) fn is_open(mark: &Settled) -> bool {
    mark.outcome == Outcome::FailedTemporary
}
