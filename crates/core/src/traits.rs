//! What an adapter is: the seams between the engine and the world.
//!
//! A [`Source`] has no method that could alter the origin; a [`Destination`] is a
//! source that can also create mailboxes and append. Neither can delete: that is
//! [`Undo`] alone, which no copy is given unless somebody asked for it.

use crate::fault::Fault;
use crate::flags::{Flags, PermanentFlags};
use crate::key::{Epoch, Key, KeySet};
use crate::mailbox::{Abilities, MailboxInfo, MailboxState, Quota, Role};
use crate::message::{Letter, Listing};
use crate::name::MailboxName;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;

/// A question that is answered once.
pub type Ask<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// A question that is answered piece by piece. An `Err` that reaches
/// [`crate::Reach::Message`] concerns one item and the stream goes on; any wider
/// reach was the last item.
pub type Flow<'a, T> = BoxStream<'a, Result<T, Fault>>;

/// An account that can be read.
pub trait Source: Send + Sync {
    /// What this side can do; known after login.
    fn abilities(&self) -> &Abilities;

    /// Every mailbox, sorted by name. Views ([`Role::is_view`]) are included.
    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>>;

    /// Opens a mailbox for reading only (EXAMINE). Waits for a free connection.
    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>>;

    /// Storage of the account; `None` where the side does not tell.
    fn quota(&self) -> Ask<'_, Option<Quota>>;

    /// Leaves politely. Calls after it fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Which facts a listing shall carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Flags and keywords.
    pub flags: bool,
    /// INTERNALDATE.
    pub date: bool,
    /// RFC822.SIZE.
    pub octets: bool,
    /// [`crate::HeadDigest`] of the chosen header fields.
    pub head: bool,
}

/// One opened mailbox. Holds its connection until it is dropped.
pub trait Reader: Send {
    /// The state as of the command that opened it: the only one from which a
    /// checkpoint may be made.
    fn state(&self) -> MailboxState;

    /// Takes up the numbering of an earlier look where everything that was there then
    /// still has its key: from then on [`Reader::state`] tells the earlier epoch. Whether
    /// it did.
    ///
    /// For sources that make their epochs from what they hold, such as a file that only
    /// grew at its end.
    fn resume<'a>(&'a mut self, _earlier: &'a MailboxState) -> Ask<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    /// All keys that the mailbox holds now.
    fn keys(&mut self) -> Ask<'_, KeySet>;

    /// Facts of the given messages, ascending by key. A message that is gone is left out.
    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing>;

    /// Flags of the messages whose flags changed after the mod-sequence (or which
    /// arrived after it). Only where [`Abilities::tracks_changes`].
    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing>;

    /// The given messages with flags, date and content, each at most once, in the
    /// source's order. A message that is gone is left out. Does not set `\Seen`.
    ///
    /// Dropping the flow before its end gives the connection up.
    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter>;

    /// The header fields Subject, Date, From and Message-ID of one message as
    /// octets, for naming it to a person; `None` when it is gone.
    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>>;

    /// Where one message lies, for a person: file and offset. `None` where the key is what
    /// people know it by (a UID), and when it is gone.
    fn file(&mut self, _key: Key) -> Ask<'_, Option<String>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// An account that can be written.
pub trait Destination: Source {
    /// Makes sure that the mailbox exists, with the special use where the server
    /// lets one be set, and is subscribed if asked. Idempotent.
    fn ensure<'a>(
        &'a self,
        name: &'a MailboxName,
        role: Option<Role>,
        subscribe: bool,
    ) -> Ask<'a, MailboxInfo>;

    /// Opens a mailbox for reading and appending (SELECT).
    fn write<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>>;
}

/// One mailbox opened at the destination.
pub trait Writer: Reader {
    /// Which flags this mailbox keeps.
    fn permanent_flags(&self) -> &PermanentFlags;

    /// Sends the letters, in order, as one append. Comes back as soon as they are
    /// queued; the [`Pending`] answer comes later, so several appends can be under way.
    ///
    /// More than one letter only where [`Abilities::appends_batches`], and then all
    /// of them held. The gate is asked before the octets that make the server
    /// store anything; when it is shut nothing is stored and the answer is a refusal.
    fn append(&mut self, letters: Vec<Letter>, gate: Arc<dyn Gate>) -> Ask<'_, Pending>;

    /// Adds and removes flags of messages that are there.
    fn store_flags<'a>(&'a mut self, changes: &'a [FlagChange]) -> Ask<'a, ()>;
}

/// The only thing that can delete, at the destination only: own copies can be taken back.
///
/// Apart from [`Destination`], so that an ordinary copy holds nothing that could remove a
/// message, not even by mistake. What may be removed is decided and made durable by the
/// engine before this is asked.
pub trait Undo: Send + Sync {
    /// Opens a mailbox for reading and removing.
    ///
    /// # Faults
    /// `undo.unsupported` where the server cannot remove exactly what is named (no
    /// UIDPLUS, RFC 4315): EXPUNGE alone would also take what its owner has marked.
    fn open_for_removal<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Remover>>;

    /// Leaves politely. Calls after it fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// One mailbox opened at the destination, from which named messages can be removed.
pub trait Remover: Reader {
    /// Which flags this mailbox keeps.
    fn permanent_flags(&self) -> &PermanentFlags;

    /// Removes these messages and no other: marks them and expunges exactly them. Those
    /// of them that are gone afterwards; one that somebody unmarked meanwhile stays.
    ///
    /// Nothing is done when the mailbox is not of that epoch. The gate is asked before
    /// the command that removes; when it is shut, what is marked stays marked.
    fn remove<'a>(
        &'a mut self,
        epoch: Epoch,
        keys: &'a KeySet,
        gate: &'a dyn Gate,
    ) -> Ask<'a, KeySet>;
}

/// The answer to an append, when it comes. Never lost: a connection that ends
/// resolves it as [`Appended::Unknown`].
pub type Pending = BoxFuture<'static, Appended>;

/// What became of one append.
#[derive(Debug)]
pub enum Appended {
    /// The server said OK. Places stand in the order of the letters; `None` where
    /// the server did not report them.
    Stored {
        /// Mailbox generation in which the keys are valid.
        epoch: Option<Epoch>,
        /// One per letter, or `None` without UIDPLUS.
        keys: Option<Vec<Key>>,
    },
    /// The server said NO or BAD, or nothing was sent. What was stored of a batch
    /// in spite of it has to be looked up.
    Refused(Fault),
    /// No answer. Anything between none and all of it may be stored.
    Unknown(Fault),
}

/// A change of flags at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// Key at the destination.
    pub key: Key,
    /// To set.
    pub add: Flags,
    /// To clear.
    pub remove: Flags,
}

/// The last permission before octets that cannot be taken back.
pub trait Gate: Send + Sync {
    /// Whether the append may be completed now: not cancelled, lease still held.
    fn is_open(&self) -> bool;
}

/// Time, passed in from outside so that whole runs can be simulated.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 UTC; for records only.
    fn unix_millis(&self) -> i64;

    /// Time since some fixed start; never goes back.
    fn monotonic(&self) -> Duration;

    /// Resolves after the duration.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
