//! The jobs that a worker has in hand: their leases, and what is asked of them.

use super::verdict::Asked;
use crate::job::JobId;
use hikyaku_core::traits::Clock;
use hikyaku_engine::{Lease, Stop};
use hikyaku_ledger::service::{Renewed, Wish};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A job in hand. Clones share it.
#[derive(Clone)]
pub(crate) struct Held(Arc<Inner>);

struct Inner {
    id: JobId,
    fence: i64,
    /// Asks the engine to end, and shuts its gate with the lease.
    stop: Stop,
    lease: Lease,
    pause: AtomicBool,
    cancel: AtomicBool,
    shutdown: AtomicBool,
    lost: AtomicBool,
}

impl Held {
    pub(crate) fn new(id: JobId, fence: i64, clock: Arc<dyn Clock>, until: Duration) -> Self {
        let lease = Lease::new(clock);
        lease.hold_until(until);
        Self(Arc::new(Inner {
            id,
            fence,
            stop: Stop::with_lease(lease.clone()),
            lease,
            pause: AtomicBool::new(false),
            cancel: AtomicBool::new(false),
            shutdown: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        }))
    }

    pub(crate) fn id(&self) -> JobId {
        self.0.id
    }

    pub(crate) fn fence(&self) -> i64 {
        self.0.fence
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Takes a wish of the person.
    pub(crate) fn wish(&self, wish: Wish) {
        match wish {
            Wish::None => return,
            Wish::Pause => self.0.pause.store(true, Ordering::SeqCst),
            Wish::Cancel => self.0.cancel.store(true, Ordering::SeqCst),
        }
        self.0.stop.request();
    }

    /// This process ends.
    pub(crate) fn shut_down(&self) {
        self.0.shutdown.store(true, Ordering::SeqCst);
        self.0.stop.request();
    }

    /// Another worker has the job.
    pub(crate) fn lose(&self) {
        self.0.lost.store(true, Ordering::SeqCst);
        self.0.stop.request();
    }

    /// Why the engine was asked to end. To end is more than to rest.
    pub(crate) fn asked(&self) -> Asked {
        let is = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
        if is(&self.0.lost) {
            Asked::Lost
        } else if is(&self.0.cancel) {
            Asked::Cancel
        } else if is(&self.0.pause) {
            Asked::Pause
        } else if is(&self.0.shutdown) {
            Asked::Shutdown
        } else {
            Asked::Nothing
        }
    }
}

/// All jobs in hand.
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<Mutex<HashMap<JobId, Held>>>);

impl Hand {
    pub(crate) fn take(&self, held: &Held) {
        self.lock().insert(held.id(), held.clone());
    }

    /// Puts a job down, unless it has been taken again.
    pub(crate) fn put_down(&self, held: &Held) {
        let mut hand = self.lock();
        if hand
            .get(&held.id())
            .is_some_and(|h| h.fence() == held.fence())
        {
            hand.remove(&held.id());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Name and fence of every job.
    pub(crate) fn leases(&self) -> Vec<(String, i64)> {
        let hand = self.lock();
        hand.values()
            .map(|h| (h.id().to_string(), h.fence()))
            .collect()
    }

    /// Takes the answer to a renewal of these leases: they hold until `until`; whoever is missing is lost.
    pub(crate) fn renewed(&self, asked: &[(String, i64)], answer: &[Renewed], until: Duration) {
        for held in self.all() {
            let (id, fence) = (held.id().to_string(), held.fence());
            if !asked.iter().any(|(i, f)| (i, *f) == (&id, fence)) {
                continue;
            }
            match answer.iter().find(|r| (&r.id, r.fence) == (&id, fence)) {
                Some(renewed) => {
                    held.0.lease.hold_until(until);
                    held.wish(renewed.wish);
                }
                None => held.lose(),
            }
        }
    }

    /// Takes what people want.
    pub(crate) fn wishes(&self, answer: &[Renewed]) {
        for held in self.all() {
            let id = held.id().to_string();
            let mine = |r: &&Renewed| r.id == id && r.fence == held.fence();
            if let Some(renewed) = answer.iter().find(mine) {
                held.wish(renewed.wish);
            }
        }
    }

    pub(crate) fn shut_down(&self) {
        self.all().iter().for_each(Held::shut_down);
    }

    fn all(&self) -> Vec<Held> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
