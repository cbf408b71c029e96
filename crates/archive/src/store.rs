//! What a format has to know, and nothing more.
//!
//! Calls block; the source runs them on threads of their own. A store holds no state of a
//! scan: what it needs to go on in the middle of a folder it has put into [`Item::at`].

use crate::text::Text;
use hikyaku_core::{Epoch, Fault, Flags, InternalDate, Key, MailboxName, Reach, Role};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whether a scan goes on.
pub type Flow = ControlFlow<()>;

/// A format's reader over one archive. It can only read.
pub trait Store: Send + Sync {
    /// Every folder, in any order. Cheap: no message is looked at.
    ///
    /// What cannot be entered is listed too ([`field@Folder::lost`]).
    ///
    /// # Faults
    /// When nothing of the archive can be read at all.
    fn folders(&self) -> Result<Vec<Folder>, Fault>;

    /// Tells each message or unreadable item of the folder, by ascending key, from
    /// `start` on: the first that is told has `start.key` or the next key after it.
    /// Ends early on `Break`.
    ///
    /// The answer is the generation of the keys where the format keeps one of its own
    /// (a UIDVALIDITY), so that a key never means another message. `None`: the source
    /// derives one from everything that is told ([`Item::mark`]).
    ///
    /// # Faults
    /// When the rest of the folder cannot be scanned. What was told before counts.
    fn scan(
        &self,
        folder: &Folder,
        start: Start,
        found: &mut dyn FnMut(Found) -> Flow,
    ) -> Result<Option<Epoch>, Fault>;

    /// The octets of one message that a scan told, with CRLF line ends.
    ///
    /// # Faults
    /// With [`hikyaku_core::Reach::Message`] when it cannot be read, or is not any more
    /// what the scan saw.
    fn open(&self, folder: &Folder, item: &Item) -> Result<Text, Fault>;

    /// Where one message lies, for a person: its file, and where in it the message begins if
    /// the file holds several.
    fn file_of(&self, folder: &Folder, item: &Item) -> String {
        let start = item.place.start;
        match item.place.file.as_deref() {
            None => at_offset(&folder.place, start),
            // A single file is a folder and its only message.
            Some(file) if folder.place.ends_with(file) => folder.place.display().to_string(),
            Some(file) if start == 0 => folder.place.join(file).display().to_string(),
            Some(file) => at_offset(&folder.place.join(file), start),
        }
    }

    /// Two equal stamps: nothing can have changed between, and a scan need not be
    /// repeated. `None` where that cannot be told cheaply.
    fn stamp(&self, _folder: &Folder) -> Option<u64> {
        None
    }
}

/// One folder of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Decoded name. Names that occur twice are told apart by the source.
    pub name: MailboxName,
    /// Special use, only where the format itself says so.
    pub role: Option<Role>,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Whether it is subscribed; true where the format knows no subscriptions.
    pub subscribed: bool,
    /// Where it lies: whatever the format wants to find it again with.
    pub place: PathBuf,
    /// Why nothing of it can be read, where that is known already: it is listed so that
    /// this is told, and never scanned.
    pub lost: Option<Fault>,
}

impl Folder {
    /// An ordinary folder.
    pub fn new(name: MailboxName, place: impl Into<PathBuf>) -> Self {
        Self {
            name,
            role: None,
            selectable: true,
            subscribed: true,
            place: place.into(),
            lost: None,
        }
    }

    /// With why nothing of it can be read.
    #[must_use]
    pub fn lost(mut self, why: Fault) -> Self {
        self.lost = Some(Fault {
            reach: Reach::Mailbox,
            ..why
        });
        self
    }

    /// With its special use.
    #[must_use]
    pub fn with_role(mut self, role: Option<Role>) -> Self {
        self.role = role;
        self
    }
}

/// Where a scan begins: at an item that an earlier scan told, or at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The item's key; nothing with a lower one is told.
    pub key: Key,
    /// The same item's [`Item::at`]; 0 says nothing.
    pub at: u64,
}

impl Start {
    /// The first item.
    pub const BEGINNING: Start = Start { key: Key(0), at: 0 };
}

/// What a scan comes upon.
#[derive(Clone, Debug)]
pub enum Found {
    /// A message.
    Message(Item),
    /// Something that should be a message and cannot be read. It has a key like any
    /// message, so that it is reported by name.
    Unreadable {
        /// Its key.
        key: Key,
        /// As [`Item::at`].
        at: u64,
        /// Where it is, for a person: path inside the archive, and offset.
        place: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A message that is still in the file and that its owner has deleted: not copied. It
    /// is told so that the numbers of the others stay when it is deleted.
    Deleted {
        /// Its key.
        key: Key,
        /// As [`Item::at`].
        at: u64,
        /// As [`Item::octets`].
        octets: u64,
        /// As [`Item::mark`].
        mark: u64,
    },
}

impl Found {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Found::Message(item) => item.key,
            Found::Unreadable { key, .. } | Found::Deleted { key, .. } => *key,
        }
    }

    /// Its place in the scan.
    pub fn at(&self) -> u64 {
        match self {
            Found::Message(item) => item.at,
            Found::Unreadable { at, .. } | Found::Deleted { at, .. } => *at,
        }
    }
}

/// One message, as a scan tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Number of the message in the folder's own order, from 1. Dense numbers cost
    /// least. It stays while the folder does not change, or only grows at its end.
    pub key: Key,
    /// Flags and keywords as recorded.
    pub flags: Flags,
    /// Whether the archive recorded what was read.
    pub seen_recorded: bool,
    /// When it arrived ([`hikyaku_core::arrival`] has the order of what is asked).
    pub date: Option<InternalDate>,
    /// Length with CRLF line ends, exactly if that is known, else as it lies there.
    pub octets: u64,
    /// Where a scan can begin again at this item: an offset, or 0 if the format does
    /// not need one.
    pub at: u64,
    /// Derived from what makes the message that message and no other (a part of its
    /// header, a file's name), never from its flags or the file's time.
    pub mark: u64,
    /// Where its octets are.
    pub place: Place,
}

impl Item {
    /// A message without flags.
    pub fn new(key: Key, octets: u64, place: Place) -> Self {
        Self {
            key,
            flags: Flags::new(),
            seen_recorded: false,
            date: None,
            octets,
            at: 0,
            mark: 0,
            place,
        }
    }
}

/// Where the octets of a message are, for the store that told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// A file of its own, relative to the folder or absolute, as the format likes.
    pub file: Option<Arc<std::path::Path>>,
    /// First octet inside the file.
    pub start: u64,
    /// Number of octets as they lie there.
    pub length: u64,
    /// Anything else that the format wants to know again (a dialect, a node).
    pub note: u64,
}

/// The [`Item::mark`] of octets or of a name.
pub fn mark(of: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&blake3::hash(of).as_bytes()[..8]);
    u64::from_le_bytes(eight)
}

/// A place inside a file, for a person.
pub(crate) fn at_offset(file: &Path, offset: u64) -> String {
    format!("{}, offset {offset}", file.display())
}
