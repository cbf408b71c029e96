//! Uploads on the disk: begun, filled, found, removed.

use super::{MOST_AT_ONCE, Record, Refusal, Upload, Uploads, Wanted, gone, job_of};
use crate::job::{JobId, State, UploadId};
use crate::jobs::rows;
use crate::jobs::{Jobs, Owner};
use bytes::Bytes;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Name of the record in the directory of an upload.
const ABOUT: &str = "about.json";

/// Longest name of a file that is kept, in characters.
const MOST_NAME: usize = 200;

const HOUR: i64 = 60 * 60 * 1000;

impl Uploads {
    /// Begins an upload, or goes on with the one of the same name, size and date that is not whole yet.
    ///
    /// # Errors
    /// Everything that the operator's limits say, and those of the disk.
    pub async fn begin(&self, owner: &Owner, wanted: Wanted) -> Result<Upload, Refusal> {
        let limits = self.limits();
        let most = wanted
            .most
            .map_or(limits.most_octets, |m| m.min(limits.most_octets));
        if wanted.octets == 0 {
            return Err(Refusal::Empty);
        }
        if wanted.octets > most {
            return Err(Refusal::TooLarge(most));
        }
        let name: String = wanted
            .name
            .chars()
            .filter(|c| !c.is_control())
            .take(MOST_NAME)
            .collect();
        let _alone = self.0.beginning.lock().await;
        let mut all = self.all().await?;
        let reserved: u64 = all
            .iter()
            .map(|u| u.record.octets.saturating_sub(u.held))
            .sum();
        all.retain(|upload| upload.record.is_of(owner));
        let known = all.iter().position(|upload| {
            let record = &upload.record;
            (&record.name, record.octets, record.modified)
                == (&name, wanted.octets, wanted.modified)
                && record.job.is_none()
        });
        if let Some(known) = known.map(|place| all.remove(place)) {
            match wanted.fresh {
                false => return Ok(known),
                true => self.remove(owner, known.record.id).await?,
            }
        }
        if all.len() >= limits.per_owner as usize {
            return Err(Refusal::TooMany(limits.per_owner));
        }
        let own: u64 = all.iter().map(|upload| upload.record.octets).sum();
        if own.saturating_add(wanted.octets) > limits.per_owner_octets {
            return Err(Refusal::TooMuch(limits.per_owner_octets));
        }
        let now = self.now();
        let record = Record {
            id: UploadId::random(),
            brand: owner.brand.clone(),
            owner: owner.key(),
            name,
            octets: wanted.octets,
            modified: wanted.modified,
            created: now,
            touched: now,
            seen: None,
            kind: None,
            job: None,
        };
        let (root, directory) = (self.0.root.clone(), self.directory(record.id));
        let made = record.clone();
        let needed = wanted
            .octets
            .saturating_add(reserved)
            .saturating_add(limits.reserve_octets);
        on_disk(move || {
            private(&root)?;
            if free(&root)?.is_some_and(|free| free < needed) {
                return Ok(false);
            }
            private(&directory)?;
            File::create(directory.join(made.file()))?.sync_all()?;
            write(&directory, &made).map(|()| true)
        })
        .await?
        .then_some(Upload { record, held: 0 })
        .ok_or(Refusal::NoRoom)
    }

    /// Takes octets at a place. What is there already has to be the same; the rest is added.
    ///
    /// # Errors
    /// [`Refusal::Offset`] beyond what is there or the end, [`Refusal::Other`] for other octets than are there.
    pub async fn put(
        &self,
        owner: &Owner,
        id: UploadId,
        at: u64,
        octets: Bytes,
    ) -> Result<Upload, Refusal> {
        let lock = self.lock(id).await;
        let upload = self.find(owner, id).await?;
        let Upload { mut record, held } = upload;
        let end = at.saturating_add(octets.len() as u64);
        if at > held || end > record.octets || octets.len() > MOST_AT_ONCE {
            return Err(Refusal::Offset(held));
        }
        record.touched = self.now();
        let (directory, written) = (self.directory(id), record.clone());
        let held = on_disk(move || {
            let path = directory.join(written.file());
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            let known = usize::try_from(held - at)
                .unwrap_or(usize::MAX)
                .min(octets.len());
            let mut there = vec![0; known];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut there)?;
            if there != octets[..known] {
                return Ok(None);
            }
            let rest = &octets[known..];
            if !rest.is_empty() {
                file.write_all(rest)?;
                file.sync_data()?;
            }
            write(&directory, &written)?;
            Ok(Some(held + rest.len() as u64))
        })
        .await?;
        drop(lock);
        let held = held.ok_or(Refusal::Other)?;
        Ok(Upload { record, held })
    }

    /// What is there is all of it: nobody knew before how much comes.
    ///
    /// # Errors
    /// [`Refusal::Empty`] where nothing came.
    pub async fn settle(&self, owner: &Owner, id: UploadId) -> Result<(), Refusal> {
        let lock = self.lock(id).await;
        let Upload { mut record, held } = self.find(owner, id).await?;
        if held == 0 {
            return Err(Refusal::Empty);
        }
        record.octets = held;
        self.write(record).await?;
        drop(lock);
        Ok(())
    }

    /// Removes an upload that no job reads.
    ///
    /// # Errors
    /// [`Refusal::Taken`] by a job.
    pub async fn remove(&self, owner: &Owner, id: UploadId) -> Result<(), Refusal> {
        let lock = self.lock(id).await;
        let upload = self.find(owner, id).await?;
        if upload.record.job.is_some() {
            return Err(Refusal::Taken);
        }
        self.clear(id).await?;
        drop(lock);
        Ok(())
    }

    /// A job reads it from now on, and it goes when the job is over.
    ///
    /// # Errors
    /// [`Refusal::Taken`] by another job.
    pub async fn assign(&self, owner: &Owner, id: UploadId, job: JobId) -> Result<(), Refusal> {
        self.assign_instead(owner, id, job, None).await
    }

    /// The same in the place of a job that never began.
    ///
    /// # Errors
    /// [`Refusal::Taken`] by another one than that.
    pub async fn assign_instead(
        &self,
        owner: &Owner,
        id: UploadId,
        job: JobId,
        instead_of: Option<JobId>,
    ) -> Result<(), Refusal> {
        let lock = self.lock(id).await;
        let Upload { mut record, .. } = self.find(owner, id).await?;
        match job_of(&record) {
            Some(known) if known == job => return Ok(()),
            Some(known) if instead_of != Some(known) => return Err(Refusal::Taken),
            Some(_) | None => record.job = Some(job.to_string()),
        }
        self.write(record).await?;
        drop(lock);
        Ok(())
    }

    /// Removes what nobody needs any more: uploads in which nothing happened for long, and those of jobs that are over.
    ///
    /// # Errors
    /// Those of the database; what the disk refuses is tried again next time.
    pub async fn sweep(&self, jobs: &Jobs) -> Result<(), Fault> {
        let all = match self.all().await {
            Ok(all) => all,
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(_) => return Ok(()),
        };
        let now = self.now();
        let limits = self.limits();
        for upload in all {
            // As it is now, and nobody changes it: a job may have taken it since.
            let lock = self.lock(upload.record.id).await;
            let Ok(Some(Upload { record, .. })) = self.read(upload.record.id).await else {
                continue;
            };
            let idle = now - record.touched > i64::from(limits.unfinished_hours) * HOUR;
            let is_over = match job_of(&record) {
                None => idle,
                Some(job) => is_over(jobs, job, now).await?,
            };
            if is_over {
                tracing::info!(upload = %record.id, "an upload that nobody needs any more was removed");
                if let Err(refusal) = self.clear(record.id).await {
                    tracing::warn!(upload = %record.id, ?refusal, "an upload could not be removed");
                }
            }
            drop(lock);
        }
        Ok(())
    }

    /// Removes the uploads of a job that is over.
    ///
    /// # Errors
    /// As [`Self::sweep`].
    pub async fn let_go(&self, jobs: &Jobs, job: JobId) -> Result<(), Fault> {
        let Ok(all) = self.all().await else {
            return Ok(());
        };
        for upload in all {
            if job_of(&upload.record) == Some(job)
                && is_over(jobs, job, self.now()).await?
                && let Err(refusal) = self.clear(upload.record.id).await
            {
                tracing::warn!(%job, ?refusal, "the upload of a job could not be removed");
            }
        }
        Ok(())
    }

    async fn clear(&self, id: UploadId) -> Result<(), Refusal> {
        let directory = self.directory(id);
        on_disk(move || match fs::remove_dir_all(directory) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        })
        .await
    }

    pub(super) async fn write(&self, record: Record) -> Result<(), Refusal> {
        let directory = self.directory(record.id);
        on_disk(move || write(&directory, &record)).await
    }

    pub(super) async fn read(&self, id: UploadId) -> Result<Option<Upload>, Refusal> {
        let directory = self.directory(id);
        on_disk(move || read(&directory)).await
    }

    pub(super) async fn all(&self) -> Result<Vec<Upload>, Refusal> {
        let root = self.0.root.clone();
        on_disk(move || {
            let entries = match fs::read_dir(root) {
                Ok(entries) => entries,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                Err(e) => return Err(e),
            };
            let mut all = Vec::new();
            for entry in entries {
                // What cannot be read is nobody's, and does not keep the others from being found.
                if let Ok(Some(upload)) = read(&entry?.path()) {
                    all.push(upload);
                }
            }
            Ok(all)
        })
        .await
    }
}

/// Whether nothing will be read for a job any more.
async fn is_over(jobs: &Jobs, job: JobId, now: i64) -> Result<bool, Fault> {
    let Some(row) = jobs.store().queue().find(&job.to_string()).await? else {
        return Ok(true);
    };
    Ok(match rows::state(&row.state)? {
        State::Done | State::DoneWithExceptions | State::Cancelled => true,
        // It may go on as long as its passwords are kept.
        State::Stopped => now - row.ended > crate::jobs::INACTIVE_MILLIS,
        _ => false,
    })
}

fn read(directory: &Path) -> io::Result<Option<Upload>> {
    let text = match fs::read(directory.join(ABOUT)) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    let Ok(record) = serde_json::from_slice::<Record>(&text) else {
        return Ok(None);
    };
    let held = fs::metadata(directory.join(record.file()))?.len();
    Ok(Some(Upload { record, held }))
}

/// The record is the old or the new one, whatever happens.
fn write(directory: &Path, record: &Record) -> io::Result<()> {
    let text = serde_json::to_vec(record).map_err(io::Error::other)?;
    let beside = directory.join("about.new");
    fs::write(&beside, text)?;
    fs::rename(beside, directory.join(ABOUT))
}

/// Makes a directory that only the owner of this process can enter.
fn private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// Octets that are free; `None` where the system does not tell.
#[cfg(unix)]
fn free(directory: &Path) -> io::Result<Option<u64>> {
    let told = rustix::fs::statvfs(directory)?;
    Ok(Some(told.f_bavail.saturating_mul(told.f_frsize)))
}

#[cfg(not(unix))]
fn free(_: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Does what blocks on a thread of its own.
async fn on_disk<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(act).await;
    let done = done.map_err(|e| Fault::bug(format!("uploads: {e}")))?;
    done.map_err(|e| match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Refusal::NoRoom,
        ErrorKind::NotFound => Refusal::Fault(gone()),
        _ => {
            let remedy = Remedy::AskUser;
            let why = format!("uploads: {e}");
            Refusal::Fault(Fault::new(Code::LedgerUnwritable, Reach::Job, remedy, why))
        }
    })
}
