//! What all lanes of one run share.

use crate::batch;
use crate::job::{Job, Mode};
use crate::pace::{Bandwidth, Pace};
use crate::room::Room;
use crate::stop::Stop;
use hikyaku_core::ledger::Ledger;
use hikyaku_core::plan::{MailboxPlan, Step};
use hikyaku_core::policy::Policy;
use hikyaku_core::traits::{Clock, Destination, Source, Undo};
use hikyaku_core::{Fault, MailboxInfo, Observer, Reach, Remedy};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One run of a job.
pub(crate) struct Run {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) destination: Arc<dyn Destination>,
    /// What can take own copies back.
    pub(crate) undo: Option<Arc<dyn Undo>>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Policy,
    pub(crate) stop: Stop,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) pace: Arc<Pace>,
    pub(crate) room: Room,
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    /// The source has no subscriptions at all: then everything is subscribed, so that
    /// mail programs show it.
    subscribe_all: AtomicBool,
    /// When a connection was last lost; the start of the run stands for the end of
    /// an earlier one that died.
    lost: Mutex<Duration>,
    /// What ended the run before its end.
    ended: Mutex<Option<Fault>>,
}

impl Run {
    pub(crate) fn new(job: &Job, mode: Mode) -> Arc<Self> {
        let pace = Pace::new(
            &job.policy,
            job.clock.clone(),
            job.observer.clone(),
            job.seed,
        );
        Arc::new(Self {
            source: job.source.clone(),
            destination: job.destination.clone(),
            undo: job.undo.clone(),
            ledger: job.ledger.clone(),
            observer: job.observer.clone(),
            clock: job.clock.clone(),
            bandwidth: Bandwidth::new(job.policy.bandwidth, job.clock.clone()),
            pace,
            room: Room::new(job.destination.clone(), job.policy.reserve),
            policy: Policy {
                // An earlier copy goes only for one that was read back.
                read_back: job.policy.read_back || job.policy.replaces(),
                ..job.policy.clone()
            },
            stop: job.stop.child(),
            seed: job.seed,
            mode,
            subscribe_all: AtomicBool::new(false),
            lost: Mutex::new(job.clock.monotonic()),
            ended: Mutex::new(None),
        })
    }

    pub(crate) fn subscribe_all(&self, all: bool) {
        self.subscribe_all.store(all, Ordering::Relaxed);
    }

    pub(crate) fn wants_subscription(&self, source: &MailboxInfo) -> bool {
        source.subscribed || self.subscribe_all.load(Ordering::Relaxed)
    }

    pub(crate) fn last_loss(&self) -> Duration {
        *lock(&self.lost)
    }

    pub(crate) fn note_loss(&self, fault: &Fault) {
        if fault.reach >= Reach::Side {
            *lock(&self.lost) = self.clock.monotonic();
        }
    }

    /// Ends the run for a reason: nothing new is begun, no append is completed any more,
    /// what is under way is settled or left in doubt. The first reason counts.
    pub(crate) fn end(&self, fault: &Fault) {
        lock(&self.ended).get_or_insert_with(|| fault.clone());
        self.stop.request();
    }

    /// Begins nothing new, and lets what is under way come to its end.
    pub(crate) fn begin_nothing_new(&self, fault: &Fault) {
        lock(&self.ended).get_or_insert_with(|| fault.clone());
    }

    /// Octets of message content that a lane may keep in memory now: its part of what the run may.
    pub(crate) fn held_by_a_lane(&self) -> u64 {
        let part = self.policy.held.octets() / self.pace.at_work() as u64;
        part.max(batch::SMALL)
    }

    /// Why nothing more shall be done: what ended the run, else the user's wish.
    pub(crate) fn reason(&self) -> Fault {
        self.ended().unwrap_or_else(Stop::fault)
    }

    /// What ended the run, if something did.
    pub(crate) fn ended(&self) -> Option<Fault> {
        lock(&self.ended).clone()
    }

    /// Sleeps, unless a stop is asked for.
    pub(crate) async fn sleep(&self, duration: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = self.clock.sleep(duration) => Ok(()),
            () = self.stop.requested() => Err(Stop::fault()),
        }
    }

    /// A wait for a reason, told and counted, unless a stop is asked for.
    pub(crate) async fn wait(&self, duration: Duration, because: &Fault) -> Result<(), Fault> {
        self.pace.wait(duration, because, &self.stop).await
    }

    /// Whether the line is worked on in this run.
    pub(crate) fn is_work(line: &MailboxPlan) -> bool {
        matches!(line.step, Step::Copy { .. })
    }
}

/// Whether going on with other mailboxes is pointless.
pub(crate) fn ends_everything(fault: &Fault) -> bool {
    match fault.remedy {
        Remedy::AskUser | Remedy::Retry { .. } => fault.reach >= Reach::Side,
        Remedy::Bug => true,
        Remedy::Skip => fault.reach >= Reach::Job,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
