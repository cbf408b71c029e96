//! What is in an upload: looked into once, and opened for jobs.

use super::record::STEM;
use super::{Record, Refusal, Seen, Upload, Uploads, gone};
use crate::job::UploadId;
use crate::jobs::Owner;
use crate::origin::{Files, Way};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_cell::wire::SawWire;
use hikyaku_cell::{Allowance, Archive, Cell};
use hikyaku_core::Fault;
use hikyaku_core::traits::Source;
use hikyaku_view::FaultView;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long somebody waits for a list of folders; the check before the plan lists them all the same.
const SOON: Duration = Duration::from_secs(20);

/// Files that are looked into at once, for everybody together: each costs a process.
static LOOKS: Semaphore = Semaphore::const_new(4);

/// Folders that are kept of that list.
pub(crate) const MOST_FOLDERS: usize = 500;

impl Uploads {
    /// What an upload is; the first time it is looked into.
    ///
    /// # Errors
    /// [`Refusal::Offset`] while it is not whole.
    pub async fn look(&self, owner: &Owner, id: UploadId) -> Result<Record, Refusal> {
        let lock = self.lock(id).await;
        let upload = self.find(owner, id).await?;
        if !upload.is_whole() {
            return Err(Refusal::Offset(upload.held));
        }
        let mut record = upload.record;
        if record.seen.is_none() {
            let seen = self.see(&record).await;
            if let Seen::Saw {
                saw: SawWire::Found(kinds),
                ..
            } = &seen
                && let [only] = kinds.as_slice()
            {
                record.kind = Some(only.kind.clone());
            }
            record.seen = Some(seen);
            self.write(record.clone()).await?;
        }
        drop(lock);
        Ok(record)
    }

    async fn see(&self, record: &Record) -> Seen {
        // The semaphore is never closed.
        let _seat = LOOKS.acquire().await;
        let archive = self.archive(record, None);
        let saw = match Cell::look(&*self.0.spawn, &archive).await {
            Ok(saw) => saw,
            Err(fault) => return Seen::Fault(Box::new(FaultView::from(&fault))),
        };
        let kind = match &saw {
            SawWire::Found(kinds) if kinds.len() == 1 => kinds[0].kind.clone(),
            _ => return Seen::Saw { saw, folders: None },
        };
        let archive = Archive { kind, ..archive };
        let listing = async {
            let cell = Cell::open(self.0.spawn.clone(), archive).await?;
            let told = cell.mailboxes().await;
            cell.close().await;
            told
        };
        let folders = match tokio::time::timeout(SOON, listing).await {
            Ok(Ok(told)) => Some(
                told.iter()
                    .filter(|info| info.selectable)
                    .take(MOST_FOLDERS)
                    .map(|info| {
                        let messages = info.state.map(|state| state.messages);
                        (info.name.to_string(), messages)
                    })
                    .collect(),
            ),
            Ok(Err(fault)) => return Seen::Fault(Box::new(FaultView::from(&fault))),
            Err(_) => None,
        };
        Seen::Saw { saw, folders }
    }

    /// Of several kinds in one file the one that is meant.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] for a kind that is not there.
    pub async fn choose(&self, owner: &Owner, id: UploadId, kind: &str) -> Result<(), Refusal> {
        let lock = self.lock(id).await;
        let Upload { mut record, .. } = self.find(owner, id).await?;
        let is_there = match &record.seen {
            Some(Seen::Saw {
                saw: SawWire::Found(kinds),
                ..
            }) => kinds.iter().any(|found| found.kind == kind),
            _ => false,
        };
        if !is_there {
            return Err(Refusal::Unknown);
        }
        record.kind = Some(kind.to_owned());
        self.write(record).await?;
        drop(lock);
        Ok(())
    }

    /// How the source of a job is opened that reads this upload; `read` says whether everything or nothing counts as
    /// read, whatever is recorded.
    pub fn way(&self, id: UploadId, read: Option<bool>) -> Way {
        Way::Files(Arc::new(One {
            uploads: self.clone(),
            id,
            read,
        }))
    }

    fn archive(&self, record: &Record, read: Option<bool>) -> Archive {
        let limits = self.limits();
        let archive = Archive {
            directory: self.directory(record.id),
            file: record.file(),
            title: record.name.clone(),
            folder: Some((STEM.to_owned(), record.stem())),
            kind: record.kind.clone().unwrap_or_default(),
            // What is old does not change while it is read.
            now: record.created / 1000,
            most_unpacked: limits.most_unpacked_octets,
            read,
            allowance: Allowance {
                memory: limits.memory_octets,
                seconds: 0,
                file: limits.most_unpacked_octets,
            },
            patience: Duration::ZERO,
        };
        archive.sized(record.octets)
    }
}

/// One upload, to be opened.
struct One {
    uploads: Uploads,
    id: UploadId,
    read: Option<bool>,
}

impl Files for One {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn Source>, Fault>> {
        async {
            let upload = match self.uploads.read(self.id).await {
                Ok(Some(upload)) if upload.is_whole() => upload,
                Ok(_) => return Err(gone()),
                Err(Refusal::Fault(fault)) => return Err(fault),
                Err(_) => return Err(gone()),
            };
            let archive = self.uploads.archive(&upload.record, self.read);
            let cell = Cell::open(self.uploads.0.spawn.clone(), archive).await?;
            Ok(Arc::new(cell) as Arc<dyn Source>)
        }
        .boxed()
    }
}
