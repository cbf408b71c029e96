//! What the parts of one process tell each other about jobs, faster than by the database.

use crate::job::{JobId, Progress};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Bells of jobs, and how far those are that this process works on.
pub(crate) struct Hub {
    jobs: Mutex<HashMap<JobId, Entry>>,
    /// Rises when there may be something to do for a worker.
    work: watch::Sender<u64>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            jobs: Mutex::default(),
            work: watch::Sender::new(0),
        }
    }
}

struct Entry {
    bell: watch::Sender<u64>,
    live: Option<(i64, Progress)>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            bell: watch::Sender::new(0),
            live: None,
        }
    }
}

impl Hub {
    /// Rises with every change of the job.
    pub(crate) fn watch(&self, id: JobId) -> watch::Receiver<u64> {
        self.lock().entry(id).or_default().bell.subscribe()
    }

    /// The job changed, by somebody in this process: workers look at once.
    pub(crate) fn ring(&self, id: JobId) {
        self.tell(id);
        self.work.send_modify(|n| *n += 1);
    }

    /// The job changed; no worker has to look.
    pub(crate) fn tell(&self, id: JobId) {
        let mut jobs = self.lock();
        if let Some(entry) = jobs.get(&id) {
            entry.bell.send_modify(|n| *n += 1);
        }
        // Nobody looks at most jobs most of the time.
        jobs.retain(|_, entry| entry.live.is_some() || entry.bell.receiver_count() > 0);
    }

    /// How far the job is under this fence.
    pub(crate) fn set_live(&self, id: JobId, fence: i64, progress: Progress) {
        self.lock().entry(id).or_default().live = Some((fence, progress));
        self.tell(id);
    }

    /// The work under this fence is over; what counts is in the database.
    pub(crate) fn end_live(&self, id: JobId, fence: i64) {
        if let Some(entry) = self.lock().get_mut(&id)
            && entry.live.as_ref().is_some_and(|(at, _)| *at == fence)
        {
            entry.live = None;
        }
        self.tell(id);
    }

    /// How far the job is, where this process works on it under this fence.
    pub(crate) fn live(&self, id: JobId, fence: i64) -> Option<Progress> {
        let jobs = self.lock();
        let (at, progress) = jobs.get(&id)?.live.as_ref()?;
        (*at == fence).then(|| progress.clone())
    }

    /// Jobs that somebody looks at and that this process does not work on.
    pub(crate) fn watched(&self) -> Vec<JobId> {
        let jobs = self.lock();
        let elsewhere = jobs.iter().filter(|(_, entry)| entry.live.is_none());
        elsewhere.map(|(id, _)| *id).collect()
    }

    /// Rises with every [`Hub::ring`].
    pub(crate) fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Entry>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
