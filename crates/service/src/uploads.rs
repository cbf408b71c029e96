//! Files that people upload: kept while they come, looked into, read by a job, and removed.
//!
//! ```text
//!  begin ─► put … put ─► (all there) look ─► order ─► job reads it ─► removed
//!     └── nothing happens for a while: removed ──────────────┘
//! ```
//!
//! An upload is a directory of the state directory with a name of 128 random bits that only the owner of this process can
//! enter: `about.json` says what it is, `hikyaku-upload…` holds the octets, `spool` what is unpacked. How much is there is
//! the length of the file and nothing else, so that no crash can leave two opinions. What a person called the file is
//! text for people, never a path (S5). Parsing happens in another process: see [`hikyaku_cell`].

mod keep;
mod read;
mod record;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use read::MOST_FOLDERS;
pub use record::{Record, Seen};

use crate::config;
use crate::job::{JobId, UploadId};
use crate::jobs::Owner;
use hikyaku_cell::Spawn;
use hikyaku_core::traits::Clock;
use hikyaku_core::{AccountId, Code, Fault, Reach, Remedy, Side};
use hikyaku_text::escape::percent_user;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Most octets that come at once.
pub const MOST_AT_ONCE: usize = 4 << 20;

/// Octets before the end of what is there that have to come once more when somebody goes on: another file of the same
/// name, size and date is noticed by them.
pub const OVERLAP: u64 = 256 << 10;

/// All uploads of a service. Clones share everything.
#[derive(Clone)]
pub struct Uploads(Arc<Inner>);

struct Inner {
    root: PathBuf,
    limits: config::Uploads,
    clock: Arc<dyn Clock>,
    spawn: Arc<dyn Spawn>,
    /// One upload begins at a time: the limits hold for all together.
    beginning: tokio::sync::Mutex<()>,
    /// One change of an upload at a time.
    locks: Mutex<HashMap<UploadId, Arc<tokio::sync::Mutex<()>>>>,
}

/// An upload and how much of it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// What it is.
    pub record: Record,
    /// Octets that are there.
    pub held: u64,
}

impl Upload {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.held == self.record.octets
    }
}

/// What somebody wants to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What the file is called.
    pub name: String,
    /// Its octets.
    pub octets: u64,
    /// When it was changed last, as the browser says (milliseconds since 1970 UTC).
    pub modified: i64,
    /// Not to go on with what is there already.
    pub fresh: bool,
    /// The largest upload that the owner's plan allows, in octets.
    pub most: Option<u64>,
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such upload, or it is somebody else's: nobody can tell which.
    Unknown,
    /// A file may have so many octets.
    TooLarge(u64),
    /// All files of one person together may have so many octets.
    TooMuch(u64),
    /// One person may have so many uploads.
    TooMany(u32),
    /// The disk has no room for it.
    NoRoom,
    /// It is an empty file.
    Empty,
    /// It goes on elsewhere: so much is there.
    Offset(u64),
    /// What came is not what is there: another file.
    Other,
    /// A job reads it.
    Taken,
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Uploads {
    /// The uploads below this directory, which is made when there is one.
    pub fn new(
        root: PathBuf,
        limits: config::Uploads,
        clock: Arc<dyn Clock>,
        spawn: Arc<dyn Spawn>,
    ) -> Self {
        Self(Arc::new(Inner {
            root,
            limits,
            clock,
            spawn,
            beginning: tokio::sync::Mutex::default(),
            locks: Mutex::default(),
        }))
    }

    /// What the operator allows.
    pub fn limits(&self) -> config::Uploads {
        self.0.limits
    }

    fn now(&self) -> i64 {
        self.0.clock.unix_millis()
    }

    fn directory(&self, id: UploadId) -> PathBuf {
        self.0.root.join(id.to_string())
    }

    /// The right to change an upload.
    async fn lock(&self, id: UploadId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.locks.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody else has what only this map holds.
            locks.retain(|known, lock| *known == id || Arc::strong_count(lock) > 1);
            locks.entry(id).or_default().clone()
        };
        lock.lock_owned().await
    }

    /// An upload of this owner.
    ///
    /// # Errors
    /// [`Refusal::Unknown`].
    pub async fn find(&self, owner: &Owner, id: UploadId) -> Result<Upload, Refusal> {
        let found = self.read(id).await?;
        found
            .filter(|upload| upload.record.is_of(owner))
            .ok_or(Refusal::Unknown)
    }

    /// All uploads of this owner, the latest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn of(&self, owner: &Owner) -> Result<Vec<Upload>, Refusal> {
        let mut all = self.all().await?;
        all.retain(|upload| upload.record.is_of(owner));
        all.sort_by_key(|upload| std::cmp::Reverse((upload.record.created, upload.record.id)));
        Ok(all)
    }
}

/// The identity of an uploaded file that the ledger keeps: another upload of the same name is the same source, so that what
/// was copied of it is not copied again. Whether its mail is the same is found out message by message.
pub fn source_id(name: &str) -> AccountId {
    AccountId::new(format!("upload://{}", percent_user(name)))
}

/// The fault of a file that is not there any more.
fn gone() -> Fault {
    Fault::new(
        Code::ArchiveMissing,
        Reach::Job,
        Remedy::AskUser,
        "the uploaded file is not kept any more",
    )
    .on(Side::Source)
}

/// The job that reads an upload, as it is written down.
fn job_of(record: &Record) -> Option<JobId> {
    record.job.as_deref()?.parse().ok()
}
