//! Workers: they take jobs up, look at accounts, copy, and write down what became of it.
//!
//! ```text
//!  queue ─ claim ─► a task per job ─┬ check: both accounts are looked at   ─► Ready or Stopped
//!                      ▲            └ copy: the engine runs                ─► an end, later, or at rest
//!                      │ lease, fence, wishes
//!            beat: every second what people want, every few seconds the leases
//! ```
//!
//! A worker that loses a lease can write nothing more about the job or its messages (the fence is checked in the
//! transaction of every write), and its engine completes no append (the gate shuts with the lease). Start reading at
//! [`Worker::run`]; `verdict` decides what a run comes to.

mod checking;
mod copying;
mod ending;
mod held;
mod verdict;
mod world;

pub use world::{Accounts, Tell, World};

pub(crate) use ending::{Closing, is_begun, mail_key, owner_of, queue_final, waits_for_mx};
pub(crate) use verdict::Verdict;

use crate::jobs::rows::{self, part};
use crate::jobs::{Jobs, Secrets};
use crate::{schedule, sweep};
use futures::FutureExt;
use held::{Hand, Held};
use hikyaku_core::Fault;
use hikyaku_core::policy::Held as HeldOctets;
use hikyaku_engine::Stop;
use hikyaku_ledger::service::{Change, ClaimLimits, Guard, JobRow, Lane, Wish};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use verdict::Asked;

/// How much a worker does at once, and how long it may be silent.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Checks at once, over all workers. A check never waits behind copies.
    pub checks: ClaimLimits,
    /// Copies at once, over all workers.
    pub runs: ClaimLimits,
    /// Jobs of either kind in this process.
    pub hand: usize,
    /// Mailboxes of one job that are copied at once, at most.
    pub lanes: usize,
    /// Mailboxes of all jobs that are copied at once; every job has one at least.
    pub all_lanes: usize,
    /// Octets of message content that all jobs together keep in memory, about.
    pub memory: u64,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
    /// How often leases are renewed.
    pub renew: Duration,
    /// How often wishes and due jobs are looked for, where nobody in this process tells of them.
    pub beat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            checks: ClaimLimits {
                whole: 64,
                per_host: 8,
                per_source: 2,
                per_destination: 2,
                per_owner: 2,
            },
            runs: ClaimLimits {
                whole: 200,
                per_host: 50,
                per_source: 1,
                per_destination: 1,
                per_owner: 2,
            },
            hand: 256,
            lanes: 4,
            all_lanes: 128,
            memory: 128 * 1024 * 1024,
            lease: Duration::from_secs(15),
            renew: Duration::from_secs(5),
            beat: Duration::from_secs(1),
        }
    }
}

/// Takes jobs up and works on them.
pub struct Worker {
    context: Arc<Context>,
    hand: Hand,
}

/// What all jobs of a worker share.
struct Context {
    jobs: Jobs,
    world: Arc<dyn World>,
    limits: Limits,
    /// Names this worker in leases.
    name: String,
    /// The share of the memory that a job has now.
    held: HeldOctets,
}

impl Context {
    /// Divides what there is among so many jobs.
    fn share(&self, jobs: usize) {
        let jobs = u64::try_from(jobs.max(1)).unwrap_or(u64::MAX);
        self.held
            .set((self.limits.memory / jobs).clamp(LEAST_HELD, MOST_HELD));
    }

    /// How many mailboxes a job may work on that is one of so many.
    fn lanes(&self, jobs: usize) -> usize {
        let share = self.limits.all_lanes / jobs.max(1);
        share.clamp(1, self.limits.lanes.max(1))
    }
}

/// What a job needs to be any good.
const LEAST_HELD: u64 = 512 * 1024;

/// What a job can use.
const MOST_HELD: u64 = 8 * 1024 * 1024;

impl Worker {
    /// A worker on these jobs.
    pub fn new(jobs: Jobs, world: Arc<dyn World>, limits: Limits) -> Self {
        let name = format!("{} {:016x}", std::process::id(), rand::random::<u64>());
        let context = Context {
            jobs,
            world,
            limits,
            name,
            held: HeldOctets::default(),
        };
        Self {
            context: Arc::new(context),
            hand: Hand::default(),
        }
    }

    /// Works until it is asked to stop; then takes nothing new, stops what is under way cleanly and gives it back.
    ///
    /// # Errors
    /// A store that cannot be used at the start. Later it is tried again and again.
    pub async fn run(self, stop: Stop) -> Result<(), Fault> {
        let context = &self.context;
        let queue = context.jobs.store().queue();
        // Whoever serves alone knows that every lease is that of a process that is gone.
        let sole = context.jobs.store().sole(context.jobs.now())?;
        if sole.is_some() {
            let freed = queue.free_all(context.jobs.now()).await?;
            if freed > 0 {
                tracing::info!(
                    jobs = freed,
                    "jobs of a process that is gone are taken over"
                );
            }
        }
        let keeping = tokio::spawn(keep(Arc::clone(context), self.hand.clone()));
        let tending = tokio::spawn(tend(Arc::clone(context)));
        let _ended = (EndWithMe(keeping), EndWithMe(tending));
        let mut tasks = JoinSet::new();
        let mut work = context.jobs.inner.hub.work();
        let mut beat = tokio::time::interval(context.limits.beat);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !stop.is_requested() {
            work.mark_unchanged();
            if let Err(fault) = self.take_up(&mut tasks).await {
                tracing::warn!(%fault, "no job can be taken up");
            }
            tokio::select! {
                _ = work.changed() => {}
                _ = beat.tick() => {}
                Some(ended) = tasks.join_next() => report(ended),
                () = stop.requested() => {}
            }
        }
        self.hand.shut_down();
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
        if let Some(sole) = sole {
            sole.release().await;
        }
        Ok(())
    }

    /// Claims as long as there is something to claim.
    async fn take_up(&self, tasks: &mut JoinSet<()>) -> Result<(), Fault> {
        let context = &self.context;
        let limits = &context.limits;
        for (lane, within) in [(Lane::Check, limits.checks), (Lane::Run, limits.runs)] {
            while self.hand.len() < limits.hand {
                let began = context.jobs.inner.clock.monotonic();
                let now = context.jobs.now();
                let until = now + millis(limits.lease);
                let queue = context.jobs.store().queue();
                let claimed = queue.claim(lane, within, &context.name, now, until);
                let Some(row) = claimed.await? else {
                    break;
                };
                let clock = Arc::clone(&context.jobs.inner.clock);
                let held = Held::new(rows::id_of(&row)?, row.fence, clock, began + limits.lease);
                self.hand.take(&held);
                context.share(self.hand.len());
                held.wish(row.wish);
                let task = work(Arc::clone(context), self.hand.clone(), held, row);
                tasks.spawn(task);
            }
        }
        Ok(())
    }
}

/// Ends a task with whoever waits for it.
struct EndWithMe(tokio::task::JoinHandle<()>);

impl Drop for EndWithMe {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the work on a job ended in an impossible way");
    }
}

/// Renews leases and looks for wishes, apart from the engine: a machine that is busy must not lose its jobs.
async fn keep(context: Arc<Context>, hand: Hand) {
    let queue = context.jobs.store().queue();
    let clock = &context.jobs.inner.clock;
    let mut work = context.jobs.inner.hub.work();
    let mut renewed_at = clock.monotonic();
    let mut seen = context.jobs.now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(context.limits.beat) => {}
            _ = work.changed() => {}
        }
        let began = clock.monotonic();
        if began.saturating_sub(renewed_at) >= context.limits.renew && !hand.is_empty() {
            let (asked, now) = (hand.leases(), context.jobs.now());
            let until = now + millis(context.limits.lease);
            match queue.renew(asked.clone(), until).await {
                Ok(answer) => {
                    hand.renewed(&asked, &answer, began + context.limits.lease);
                    renewed_at = began;
                }
                // The gates shut by themselves when it takes too long.
                Err(fault) => tracing::warn!(%fault, "leases could not be renewed"),
            }
        } else if !hand.is_empty() {
            match queue.held_by(&context.name).await {
                Ok(answer) => hand.wishes(&answer),
                Err(fault) => tracing::debug!(%fault, "wishes could not be read"),
            }
        }
        seen = tell_of_others(&context.jobs, seen).await;
    }
}

/// Rings for jobs that people of this process look at and that another process works on.
async fn tell_of_others(jobs: &Jobs, seen: i64) -> i64 {
    let watched = jobs.inner.hub.watched();
    let now = jobs.now();
    if watched.is_empty() {
        return now;
    }
    // Clocks of machines differ a little, and a write takes a moment to be seen.
    let touched = jobs.store().queue().touched_since(seen - 2_000).await;
    for (id, _) in touched.unwrap_or_default() {
        if let Ok(id) = id.parse()
            && watched.contains(&id)
        {
            jobs.inner.hub.tell(id);
        }
    }
    now
}

/// Begins final runs whose time has come, and clears away what is old.
async fn tend(context: Arc<Context>) {
    let mut last_sweep = None;
    loop {
        if let Err(fault) = schedule::tend(&context.jobs, &*context.world).await {
            tracing::warn!(%fault, "final runs could not be looked at");
        }
        let now = context.jobs.inner.clock.monotonic();
        if last_sweep.is_none_or(|last| now.saturating_sub(last) >= sweep::EVERY) {
            last_sweep = Some(now);
            if let Err(fault) = sweep::sweep(&context.jobs, &*context.world).await {
                tracing::warn!(%fault, "what is old could not be cleared away");
            }
        }
        tokio::time::sleep(schedule::EVERY).await;
    }
}

/// Works on one job and writes down what became of it.
async fn work(context: Arc<Context>, hand: Hand, held: Held, row: JobRow) {
    let id = held.id();
    let lane = row.lane;
    let working = async {
        match (row.wish, lane) {
            (Wish::Cancel, _) | (Wish::Pause, Lane::Run) => at_once(&context, &held, &row).await,
            (_, Lane::Check) => checking::check(&context, &held, &row).await,
            (_, Lane::Run | Lane::Rest) => {
                let lanes = context.lanes(hand.len());
                copying::run(&context, &held, &row, lanes).await
            }
        }
    };
    let mut result = match AssertUnwindSafe(working).catch_unwind().await {
        Ok(result) => result,
        Err(_) => Err(Fault::bug("the work on a job panicked")),
    };
    if let Err(fault) = &result
        && !fault.is_temporary()
    {
        // Nobody shall run into the same again and again.
        tracing::error!(job = %id, %fault, "a job is given up");
        result = give_up(&context, &held, &row, fault).await;
    }
    if let Err(fault) = result {
        // Nothing is lost: the lease runs out, and whoever takes the job up goes on.
        tracing::warn!(job = %id, %fault, "what became of a job could not be written down");
    }
    hand.put_down(&held);
    if let Err(fault) = context.world.let_go(&context.jobs, id).await {
        // The next sweep finds it.
        tracing::debug!(job = %id, %fault, "what a job was read from could not be removed");
    }
    context.share(hand.len());
    context.jobs.inner.hub.end_live(id, held.fence());
    context.jobs.inner.hub.ring(id);
}

/// The person's wish was there before the work began.
async fn at_once(context: &Context, held: &Held, row: &JobRow) -> Result<(), Fault> {
    let verdict = match row.wish {
        Wish::Cancel => Verdict::Cancelled,
        Wish::Pause | Wish::None => Verdict::Paused,
    };
    close(context, held, row, &verdict).await
}

/// What time does not heal and no run could judge: the job stops.
async fn give_up(context: &Context, held: &Held, row: &JobRow, fault: &Fault) -> Result<(), Fault> {
    let verdict = verdict::of_fault(fault, Asked::Nothing, &rows::course(row)?, 0);
    close(context, held, row, &verdict).await
}

/// Writes an end down of which nothing else is known.
async fn close(
    context: &Context,
    held: &Held,
    row: &JobRow,
    verdict: &Verdict,
) -> Result<(), Fault> {
    let job = rows::read(row)?;
    let closing = Closing {
        jobs: &context.jobs,
        world: &*context.world,
        owner: owner_of(row),
        guard: Guard::Fence(held.fence()),
        fence: held.fence(),
        course: rows::course(row)?,
        progress: job.progress.clone(),
        report: None,
        undo: None,
        secrets: Secrets::default(),
        begun: is_begun(&job),
        job,
    };
    let change = closing.change(verdict)?;
    apply(context, held, change).await
}

/// How often a change is tried while the database is away.
const TRIES: u32 = 5;

/// Makes a change durable. One that comes too late, after another worker has the job, is no fault.
async fn apply(context: &Context, held: &Held, change: Change) -> Result<(), Fault> {
    let queue = context.jobs.store().queue();
    let mut tries = 0;
    loop {
        match queue.apply(change.clone()).await {
            Ok(true) => break,
            Ok(false) => {
                tracing::warn!(job = %held.id(), "another worker has taken the job over");
                held.lose();
                break;
            }
            Err(fault) if fault.is_temporary() && tries < TRIES => {
                tries += 1;
                tracing::debug!(%fault, "a change of a job is tried again");
                context.jobs.inner.clock.sleep(Duration::from_secs(1)).await;
            }
            Err(fault) => return Err(fault),
        }
    }
    context.jobs.inner.hub.tell(held.id());
    Ok(())
}

/// Replaces a text of the job; `false` when another worker has it.
async fn write(context: &Context, held: &Held, part: &str, body: String) -> Result<bool, Fault> {
    let queue = context.jobs.store().queue();
    let id = held.id().to_string();
    let now = context.jobs.now();
    let ours = queue.write_part(&id, held.fence(), part, body, now).await?;
    if !ours {
        held.lose();
    }
    Ok(ours)
}

/// Writes progress down.
async fn write_progress(
    context: &Context,
    held: &Held,
    progress: &crate::job::Progress,
) -> Result<bool, Fault> {
    write(context, held, part::PROGRESS, rows::json(progress)?).await
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
