//! A run: both accounts are connected to, the engine copies, progress is told, and the result is judged.

use super::ending::{mail_key, tell_of_wait};
use super::held::Held;
use super::verdict::{self, Asked, TOLD};
use super::world::Accounts;
use super::{Closing, Context, apply, is_begun, millis, owner_of, write_progress};
use crate::job::{Job, Kind, Progress, Rerun, State, UndoLine, UndoPlan};
use crate::jobs::rows::{self, Course, part};
use crate::jobs::{Jobs, Secrets};
use crate::notice::NoticeKind;
use crate::origin::{Opened, Way, connected};
use crate::progress::Tracker;
use hikyaku_core::policy::Patience;
use hikyaku_core::report::{Report, Wait};
use hikyaku_core::traits::{Source, Undo};
use hikyaku_core::undo::UndoReport;
use hikyaku_core::{Code, Event, Fault, Observer, Side};
use hikyaku_engine::Remembered;
use hikyaku_engine::patience::{self, Calm};
use hikyaku_imap::{ImapAccount, ImapUndo};
use hikyaku_ledger::service::{Change, Guard, JobRow};
use hikyaku_ledger::{Hold, PairLedger, RunId};
use hikyaku_view::{Connected, ReportView};
use std::sync::Arc;
use std::time::Duration;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How often progress becomes durable at most.
const DURABLE: Duration = Duration::from_secs(2);

/// How often progress is told to those who look at least, so that the time that is left stays true.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) held: &'a Held,
    pub(super) job: Job,
    course: Course,
    secrets: Secrets,
    tracker: Arc<Tracker>,
    seed: u64,
    /// Mailboxes at once.
    lanes: usize,
}

/// What a run has come to, beside its result.
#[derive(Default)]
struct Found {
    servers: Vec<Connected>,
    waits: Vec<Wait>,
}

/// What the engine comes back with.
enum Outcome {
    Copied(Report),
    TakenBack(UndoReport),
}

/// Both accounts, connected, and the right to work on them.
pub(super) struct Both {
    pub(super) source: Opened,
    pub(super) destination: Arc<ImapAccount>,
    pub(super) undo: Option<Arc<dyn Undo>>,
    pub(super) ledger: PairLedger,
    /// Host and port of both, as they were asked for.
    servers: [Option<String>; 2],
    run: RunId,
    hold: Hold,
}

/// Runs the engine for a job and writes down what became of it.
pub(super) async fn run(
    context: &Context,
    held: &Held,
    row: &JobRow,
    lanes: usize,
) -> Result<(), Fault> {
    let mut run = Run {
        context,
        held,
        job: rows::read(row)?,
        course: rows::course(row)?,
        secrets: Secrets::default(),
        tracker: Arc::new(Tracker::default()),
        seed: rand::random(),
        lanes,
    };
    run.begin().await?;
    let mut found = Found::default();
    let result = match context.jobs.secrets(held.id()).await {
        Ok(secrets) => {
            run.secrets = secrets;
            run.attempt(&mut found).await
        }
        Err(fault) => Err(fault),
    };
    run.end(row, result, found).await
}

impl Run<'_> {
    fn jobs(&self) -> &Jobs {
        &self.context.jobs
    }

    /// The job is being worked on, and waits no longer.
    async fn begin(&mut self) -> Result<(), Fault> {
        let now = self.jobs().now();
        let fence = self.held.fence();
        let mut change = Change::new(self.job.id.to_string(), Guard::Fence(fence), now);
        change.standing.state = Some(rows::word(State::Copying).to_owned());
        change.standing.due = Some(0);
        change.standing.started = self.job.started_millis.is_none().then_some(now);
        self.job.started_millis.get_or_insert(now);
        self.job.state = State::Copying;
        self.job.progress.waiting = None;
        // Always the same mail: it goes once, where the brand wants it at all.
        if self.job.kind == Kind::Copy {
            let key = mail_key(&self.job, NoticeKind::Accepted, 0);
            let world = &self.context.world;
            let accepted = world.mail(&self.job, NoticeKind::Accepted, &key)?;
            change.letters.extend(accepted);
        }
        let progress = rows::json(&self.job.progress)?;
        change.parts = vec![(part::PROGRESS.to_owned(), progress)];
        apply(self.context, self.held, change).await
    }

    /// Connects and lets the engine work, while progress is told.
    async fn attempt(&mut self, found: &mut Found) -> Result<Outcome, Fault> {
        let accounts = self.context.world.accounts(&self.job, &self.secrets)?;
        let named = [&accounts.source, &accounts.destination].map(ToString::to_string);
        let [source, destination] = named;
        self.course.accounts = Some((source, destination));
        let tracker = Arc::clone(&self.tracker);
        let mut shown = Shown::new(self.job.progress.clone(), self.course.clone());
        let connecting = self.connect(accounts, &tracker, found);
        let both = self.watch(connecting, &mut shown).await?;
        shown.course.signed_in = true;
        let working = self.work(&both, &tracker);
        let result = self.watch(working, &mut shown).await;
        self.course = shown.course;
        self.part(both, &result).await;
        result
    }

    async fn work(&self, both: &Both, tracker: &Arc<Tracker>) -> Result<Outcome, Fault> {
        let mut policy = self.context.world.policy(&self.job)?;
        policy.lanes = self.lanes;
        policy.held = self.context.held.clone();
        let job = hikyaku_engine::Job {
            source: both.source.source.clone(),
            destination: both.destination.clone(),
            undo: both.undo.clone(),
            ledger: Arc::new(both.ledger.clone()),
            observer: Arc::clone(tracker) as Arc<dyn Observer>,
            clock: Arc::clone(&self.jobs().inner.clock),
            policy,
            stop: self.held.stop().clone(),
            seed: self.seed,
        };
        match self.job.kind {
            Kind::Copy => job.copy().await.map(Outcome::Copied),
            Kind::Undo => job.undo().await.map(Outcome::TakenBack),
        }
    }

    /// Logs in on both sides, with patience, and takes the right to work on the destination.
    async fn connect(
        &self,
        accounts: Accounts,
        tracker: &Tracker,
        found: &mut Found,
    ) -> Result<Both, Fault> {
        let jobs = self.jobs();
        let store = jobs.store();
        let pair = store.pair(&accounts.source, &accounts.destination).await?;
        // Before any login: whoever works there now may use all connections that the server lets in.
        let hold = store.hold(&pair, jobs.now()).await?;
        let way = accounts.way.lanes(self.lanes);
        // A number that cannot be read is learnt again.
        let let_in = match way.server() {
            Some(server) => store.let_in(&server, jobs.now()).await.ok().flatten(),
            None => None,
        };
        let way = way.let_in(let_in);
        let mut options = accounts.destination_options;
        options.lanes = self.lanes;
        let server = options.endpoint.server();
        options.let_in = store.let_in(&server, jobs.now()).await.ok().flatten();
        let to_write = || async {
            let account = ImapAccount::connect(options.clone()).await?;
            let peer = account.peer();
            Ok((account, peer))
        };
        let ((source, mut waits), ((destination, peer), more)) = tokio::try_join!(
            self.log_in(|| self.open_source(&way, &pair), Side::Source, tracker),
            self.log_in(to_write, Side::Destination, tracker),
        )?;
        patience::merge(&mut waits, &more);
        found.waits = waits;
        found.servers = [
            source.connected.clone(),
            peer.map(|peer| connected(&options.endpoint, &peer)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let kind = match self.job.kind {
            Kind::Copy => "copy",
            Kind::Undo => "undo",
        };
        let run = store
            .begin_run(pair.id(), kind, jobs.now(), self.seed)
            .await?;
        let ledger = pair
            .within(run)
            .fenced(&self.job.id.to_string(), self.held.fence());
        let removes = match self.job.kind {
            Kind::Undo => true,
            Kind::Copy => self.job.order.choices.rerun == Rerun::FreshReplace,
        };
        let undo = match removes {
            true => Some(Arc::new(ImapUndo::new(options)) as Arc<dyn Undo>),
            false => None,
        };
        Ok(Both {
            source,
            destination: Arc::new(destination),
            undo,
            servers: [way.server(), Some(server)],
            ledger,
            run,
            hold,
        })
    }

    /// Opens what is read. To take back what came from a file that is gone, the ledger stands in for it: the person has
    /// said that they still have the file.
    async fn open_source(&self, way: &Way, pair: &PairLedger) -> Result<Opened, Fault> {
        match (self.job.kind, way.open().await) {
            (Kind::Undo, Err(fault)) if fault.code == Code::ArchiveMissing => Ok(Opened {
                source: Arc::new(Remembered::new(Arc::new(pair.clone()))),
                imap: None,
                connected: None,
            }),
            (_, opened) => opened,
        }
    }

    async fn log_in<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        open: impl FnMut() -> F,
        side: Side,
        tracker: &Tracker,
    ) -> Result<(T, Vec<Wait>), Fault> {
        let calm = Calm {
            patience: &Patience::default(),
            no_wait: false,
            clock: &*self.jobs().inner.clock,
            tell: &|event: &Event| tracker.note(event),
            stop: self.held.stop(),
            seed: self.seed,
        };
        let connected = patience::connect(&calm, open);
        tokio::select! {
            connected = connected => connected.map_err(|fault| fault.on(side)),
            // A server that says nothing is not waited for when nobody wants it any more.
            () = self.held.stop().requested() => Err(interrupted()),
        }
    }

    /// Leaves both sides and says how the run ended.
    async fn part(&self, both: Both, result: &Result<Outcome, Fault>) {
        let store = self.jobs().store();
        let let_in = [both.source.connections(), both.destination.connections()];
        for (server, let_in) in both.servers.iter().zip(let_in) {
            if let (Some(server), Some(connections)) = (server, let_in) {
                // It only saves the next run some refusals.
                let now = self.jobs().now();
                store.remember_let_in(server, connections, now).await.ok();
            }
        }
        let is_well = match result {
            Ok(Outcome::Copied(report)) => report.is_complete(),
            Ok(Outcome::TakenBack(report)) => report.stopped.is_none(),
            Err(_) => false,
        };
        let exit = u8::from(!is_well);
        let ended = store.end_run(both.run, "", exit, self.jobs().now());
        if let Err(fault) = ended.await {
            tracing::warn!(job = %self.job.id, %fault, "the end of a run could not be written down");
        }
        both.hold.release().await;
        let removing = async {
            if let Some(undo) = &both.undo {
                undo.close().await;
            }
        };
        tokio::join!(
            both.source.source.close(),
            both.destination.close(),
            removing
        );
    }

    /// Waits for some work while progress is told: at once to those who look, now and then durably.
    async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
        shown: &mut Shown,
    ) -> Result<T, Fault> {
        tokio::pin!(work);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // Both go on at once: the work may be about to get a connection to the database that telling waits for.
            let told = async {
                look.tick().await;
                self.show(shown).await;
            };
            tokio::select! {
                result = &mut work => return result,
                () = told => {}
            }
        }
    }

    async fn show(&self, shown: &mut Shown) {
        let clock = &self.jobs().inner.clock;
        let now = clock.monotonic();
        let changes = self.tracker.changes();
        if changes == shown.changes && now.saturating_sub(shown.told) < TOLD_EVERY {
            return;
        }
        let at = self.jobs().now();
        let progress = shown.with(self.tracker.progress(at, now));
        let id = self.job.id;
        self.jobs()
            .inner
            .hub
            .set_live(id, self.held.fence(), progress.clone());
        let is_news = changes != shown.changes;
        (shown.changes, shown.told) = (changes, now);
        if is_news && now.saturating_sub(shown.written) >= DURABLE {
            shown.written = now;
            if let Err(fault) = write_progress(self.context, self.held, &progress).await {
                tracing::debug!(job = %id, %fault, "progress could not be written down");
            }
        }
        if self.tracker.is_through() && !shown.through {
            shown.through = true;
            let mut change = Change::new(id.to_string(), Guard::Fence(self.held.fence()), at);
            change.standing.state = Some(rows::word(State::Verifying).to_owned());
            if let Err(fault) = apply(self.context, self.held, change).await {
                tracing::debug!(job = %id, %fault, "a state could not be written down");
            }
        }
        let is_long = |until: i64| until - at > millis(TOLD);
        if !shown.course.told && self.tracker.waits_until().is_some_and(is_long) {
            let job = Job {
                progress,
                ..self.job.clone()
            };
            let told = tell_of_wait(
                self.jobs(),
                &*self.context.world,
                &job,
                self.held.fence(),
                &mut shown.course,
            );
            let written = match told {
                Ok(change) => apply(self.context, self.held, change).await,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = written {
                tracing::warn!(job = %id, %fault, "a mail about a wait could not be written down");
            }
        }
    }

    /// Judges the result and writes the end down.
    async fn end(
        mut self,
        row: &JobRow,
        result: Result<Outcome, Fault>,
        found: Found,
    ) -> Result<(), Fault> {
        let asked = self.held.asked();
        if asked == Asked::Lost {
            tracing::warn!(job = %self.job.id, "another worker has taken the job over");
            return Ok(());
        }
        let now = self.jobs().now();
        let (mut report, mut undo) = (None, None);
        let verdict = match result {
            Ok(Outcome::Copied(mut copied)) => {
                patience::merge(&mut copied.waits, &found.waits);
                let mut view = ReportView::from(&copied);
                view.servers = found.servers;
                report = Some(view);
                verdict::of_copy(&Ok(copied), asked, &self.course, now)
            }
            Ok(Outcome::TakenBack(taken)) => {
                undo = Some(taken_back(&taken));
                verdict::of_undo(&Ok(taken), asked, &self.course, now)
            }
            Err(fault) => verdict::of_copy(&Err(fault), asked, &self.course, now),
        };
        let mono = self.jobs().inner.clock.monotonic();
        let mut progress = self.tracker.progress(now, mono);
        match &report {
            Some(report) => account_for(&mut progress, report),
            // Nothing was begun: what is known from earlier attempts stays.
            None if progress.messages == 0 => progress = self.job.progress.clone(),
            None => {}
        }
        let closing = Closing {
            jobs: &self.context.jobs,
            world: &*self.context.world,
            owner: owner_of(row),
            guard: Guard::Fence(self.held.fence()),
            fence: self.held.fence(),
            course: std::mem::take(&mut self.course),
            progress,
            report,
            undo,
            secrets: std::mem::take(&mut self.secrets),
            begun: is_begun(&self.job),
            // Whoever asked meanwhile for a final run is heard.
            job: self.latest().await?,
        };
        let change = closing.change(&verdict)?;
        tracing::info!(job = %self.job.id, state = ?change.standing.state, "a run ended");
        apply(self.context, self.held, change).await
    }

    /// The job with what was changed about it while it ran.
    async fn latest(&self) -> Result<Job, Fault> {
        let queue = self.jobs().store().queue();
        match queue.find(&self.job.id.to_string()).await? {
            Some(row) => rows::read(&row),
            None => Ok(self.job.clone()),
        }
    }
}

/// What was shown of a run so far.
struct Shown {
    /// Of the attempts before, for as long as this one has no plan.
    before: Progress,
    course: Course,
    changes: u64,
    told: Duration,
    written: Duration,
    through: bool,
}

impl Shown {
    fn new(before: Progress, course: Course) -> Self {
        Self {
            before,
            course,
            changes: u64::MAX,
            told: Duration::ZERO,
            written: Duration::ZERO,
            through: false,
        }
    }

    /// What is shown: while nothing is planned yet, what was known before.
    fn with(&self, now: Progress) -> Progress {
        match now.messages == 0 && now.folders.is_empty() {
            true => Progress {
                waiting: now.waiting,
                left_seconds: None,
                at_millis: now.at_millis,
                ..self.before.clone()
            },
            false => now,
        }
    }
}

fn taken_back(report: &UndoReport) -> UndoPlan {
    let lines = report.lines.iter().map(|line| UndoLine {
        mailbox: line.mailbox.to_string(),
        removed: line.removed,
        touched: line.touched,
        only_copy: line.only_copy,
    });
    UndoPlan {
        lines: lines.collect(),
    }
}

/// Brings progress and report together: a report counts what arrived meanwhile, too.
fn account_for(progress: &mut Progress, report: &ReportView) {
    let failed = report.outcomes.failed_temporary.messages;
    progress.messages = report.scanned;
    progress.messages_done = report.scanned.saturating_sub(failed);
    progress.copied = report.copied_now;
    if report.stopped.is_none() && failed == 0 {
        progress.octets_done = progress.octets;
    }
}

fn interrupted() -> Fault {
    use hikyaku_core::{Code, Reach, Remedy};
    Fault::new(
        Code::Interrupted,
        Reach::Job,
        Remedy::Retry { after: None },
        "the run was asked to stop before both sides were connected",
    )
}
