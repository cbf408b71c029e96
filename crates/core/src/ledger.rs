//! The ledger: what is durable about one pair of accounts.
//!
//! Order of durability, which nothing may change: mailbox ensured → intent durable
//! → octets → tagged OK → settled durable → reported. Whatever is intended and
//! not settled is *in doubt* and is resolved before anything is appended again.

use crate::date::InternalDate;
use crate::fault::Code;
use crate::flags::Flags;
use crate::identity::{ContentHash, HeadDigest};
use crate::key::{Epoch, Key, KeySet};
use crate::mailbox::MailboxState;
use crate::name::MailboxName;
use crate::report::{Outcome, Tally};
use crate::traits::Ask;

/// Number of a pairing inside its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PairingId(pub i64);

/// Number of an intent inside its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntentId(pub i64);

/// One source mailbox and the destination mailbox into which it is copied.
/// Once made it stays: later runs map the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Its number.
    pub id: PairingId,
    /// Source mailbox.
    pub source: MailboxName,
    /// Destination mailbox.
    pub destination: MailboxName,
    /// Where both stood when everything was final, if that was ever so.
    pub checkpoint: Option<Checkpoint>,
}

/// A moment at which every message of a pairing had a final outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The source's state, from the command that opened the scan.
    pub source: MailboxState,
    /// The destination's state, read after the last append.
    pub destination: MailboxState,
    /// The source keys that were final.
    pub keys: KeySet,
    /// The destination keys that belong to them.
    pub stored: KeySet,
    /// The outcomes behind them.
    pub tally: Tally,
}

/// How far it is proven that a message is at the destination. Ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verified {
    /// Nothing is known.
    No = 0,
    /// The server said OK.
    Acknowledged = 1,
    /// Its key and octets are listed.
    Present = 2,
    /// Its header is the same.
    Header = 3,
    /// It was read back and has the same hash.
    Full = 4,
}

/// A mailbox of the destination to which no pairing of the message leads: it was found
/// there, or the mapping has changed since it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Elsewhere {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Its epoch when the message was stored or found.
    pub epoch: Epoch,
}

/// The durable record of one source message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Source epoch; zero when the source has none.
    pub epoch: Epoch,
    /// Source key.
    pub key: Key,
    /// What became of it.
    pub outcome: Outcome,
    /// Destination epoch and key, where known. The epoch is zero when the key is one of
    /// another mailbox than the pairing's.
    pub stored: Option<(Epoch, Key)>,
    /// The other mailbox that the key in `stored` belongs to, if it is one of another.
    pub elsewhere: Option<Elsewhere>,
    /// Octets as read; zero when it was never read.
    pub octets: u64,
    /// Hash of the octets as read.
    pub content: Option<ContentHash>,
    /// Digest of the chosen header fields.
    pub head: Option<HeadDigest>,
    /// The source's flags when last copied: the base from which later changes follow.
    pub flags: Flags,
    /// Arrival.
    pub date: Option<InternalDate>,
    /// How far it is proven.
    pub verified: Verified,
    /// Why, when it is not there.
    pub code: Option<Code>,
}

impl Settled {
    /// Whether taking this copy back was begun and its end is not known: the copy is
    /// there, perhaps with a deletion mark of ours, or it is gone.
    pub fn is_being_taken_back(&self) -> bool {
        self.code == Some(Code::UndoUnfinished) && self.stored.is_some()
    }

    /// The same record, durable before the first command that takes the copy back.
    #[must_use]
    pub fn being_taken_back(self) -> Self {
        Self {
            code: Some(Code::UndoUnfinished),
            ..self
        }
    }

    /// The same record when the copy is gone: the message is not at the destination, and
    /// the next copy brings it there.
    #[must_use]
    pub fn taken_back(self) -> Self {
        Self {
            outcome: Outcome::FailedTemporary,
            stored: None,
            verified: Verified::No,
            code: None,
            ..self
        }
    }
}

/// What is about to be appended: durable before the first octet leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Which pairing.
    pub pairing: PairingId,
    /// Source epoch; zero when the source has none.
    pub epoch: Epoch,
    /// Source keys of the batch.
    pub keys: KeySet,
    /// Destination epoch; zero when unknown.
    pub destination_epoch: Epoch,
    /// Destination UIDNEXT, or a lower bound of it: only keys from here on can be ours.
    pub destination_next: Key,
}

/// A handle for one pair of accounts and one job. Every answer means *durable*.
pub trait Ledger: Send + Sync {
    /// All pairings of the pair of accounts.
    fn pairings(&self) -> Ask<'_, Vec<Pairing>>;

    /// Finds or makes the pairing of a source mailbox. Where it exists with another
    /// destination it is changed to this one and its checkpoint is dropped.
    fn pair<'a>(
        &'a self,
        source: &'a MailboxName,
        destination: &'a MailboxName,
    ) -> Ask<'a, Pairing>;

    /// Records of one pairing and epoch with `key > after`, ascending, at most `limit`.
    fn known(
        &self,
        pairing: PairingId,
        epoch: Epoch,
        after: Option<Key>,
        limit: u32,
    ) -> Ask<'_, Vec<Settled>>;

    /// The records of exactly these source keys, ascending. Keys without one are left out.
    fn lookup<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>>;

    /// The records that own these destination keys, ascending by source key.
    fn lookup_stored<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
    ) -> Ask<'a, Vec<Settled>>;

    /// The destination keys of an epoch that records of *any* pairing own in this mailbox:
    /// what was copied there, or found there as a message of another mailbox.
    fn owned<'a>(&'a self, destination: &'a MailboxName, epoch: Epoch) -> Ask<'a, KeySet>;

    /// Epochs of the source in which this pairing has records, newest last.
    fn epochs(&self, pairing: PairingId) -> Ask<'_, Vec<Epoch>>;

    /// Writes an intent. One durable write serves all lanes that wait at the time.
    fn intend(&self, intent: Intent) -> Ask<'_, IntentId>;

    /// Writes records (replacing earlier ones of the same keys) and closes intents,
    /// in one transaction.
    fn settle(
        &self,
        pairing: PairingId,
        records: Vec<Settled>,
        closes: Vec<IntentId>,
    ) -> Ask<'_, ()>;

    /// Raises the proof of the records of these source keys; never lowers it.
    fn prove<'a>(
        &'a self,
        pairing: PairingId,
        epoch: Epoch,
        keys: &'a KeySet,
        level: Verified,
    ) -> Ask<'a, ()>;

    /// Intents of an earlier life, never closed, oldest first.
    fn in_doubt(&self, pairing: PairingId) -> Ask<'_, Vec<(IntentId, Intent)>>;

    /// Sets or drops the checkpoint.
    fn checkpoint(&self, pairing: PairingId, checkpoint: Option<Checkpoint>) -> Ask<'_, ()>;
}
