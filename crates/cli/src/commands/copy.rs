//! `hikyaku copy`, `plan` and `check`.

use super::Context;
use super::pair::{self, Connected, Ready, Sides, Use};
use crate::args::{self, CheckArgs, CopyArgs, Pair, PlanArgs};
use crate::output::{Output, told};
use crate::problem::{Failure, Problem};
use crate::progress::Progress;
use crate::side::Place;
use crate::{exit, figures, json, ledger, results, room, runtime};
use hikyaku_core::policy::{Fresh, Matching, Policy, Reserve};
use hikyaku_core::report::Report;
use hikyaku_core::traits::{Clock, Undo};
use hikyaku_core::{Fault, MailboxName, Observer};
use hikyaku_engine::{Depth, Job, Stop, SystemClock, patience};
use hikyaku_ledger::{PairLedger, PairSummary, Store};
use hikyaku_text::Lang;
use hikyaku_view::{Line, PlanView};
use std::sync::Arc;
use std::time::Duration;

/// `copy`.
pub(super) fn copy(context: &Context, args: &CopyArgs) -> Result<u8, Failure> {
    if args.dry_run {
        return plan(context, &args.plan);
    }
    let (sides, policy) = prepare(context, &args.plan, Use::Write)?;
    run(context, &sides, policy, Kind::Copy)
}

/// How a run ended.
pub(super) struct Done {
    pub(super) exit: u8,
    pub(super) report: Report,
}

/// Reads secrets, then works to the end or until somebody stops it.
pub(super) fn run(
    context: &Context,
    sides: &Sides,
    policy: Policy,
    kind: Kind,
) -> Result<u8, Failure> {
    run_to_report(context, sides, policy, kind).map(|done| done.exit)
}

/// The same, for whoever wants to know more than the exit code.
pub(super) fn run_to_report(
    context: &Context,
    sides: &Sides,
    policy: Policy,
    kind: Kind,
) -> Result<Done, Failure> {
    let ready = sides.ready(context)?;
    let stop = Stop::new();
    let work = execute(context, sides, ready, policy, kind, stop.clone());
    runtime::block_on(context.output, stop, work)
}

/// `check`.
pub(super) fn check(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    let Some(to) = &args.to else {
        return match super::backup::named(context, &args.from)? {
            Some(backup) => super::backup::check(context, &backup),
            None => Err(Problem::NothingToCompare.into()),
        };
    };
    let pair = Pair {
        from: args.from.clone(),
        to: to.clone(),
        reading: args.reading.clone(),
    };
    let (source, destination) = (args.source.options(), args.destination.options());
    // Nothing to compare with is a mistake, unlike nothing to plan for.
    let sides = Sides::resolve(context, &pair, source, destination, Use::Write)?;
    let policy = pair::policy(context, &args.filters, args.under.as_ref(), &sides)?;
    let depth = match args.full {
        true => Depth::Full,
        false => Depth::Listed,
    };
    run(context, &sides, policy, Kind::Check(depth))
}

/// What the ledger knows of both accounts; where that is nothing, an empty one in
/// memory, so that a plan leaves no trace.
pub(super) async fn look(
    context: &Context,
    connected: &Connected,
    stateless: bool,
) -> Result<(Store, PairLedger), Failure> {
    let (source, destination) = connected.accounts();
    let kept = match stateless {
        true => None,
        false => ledger::open_existing(context).await?,
    };
    if let Some(store) = kept {
        let pairs = store.pairs().await?;
        let same = |p: &PairSummary| (&p.source, &p.destination) == (source, destination);
        if pairs.iter().any(same) {
            let ledger = store.pair(source, destination).await?;
            return Ok((store, ledger));
        }
    }
    let store = Store::open_in_memory().await?;
    let ledger = store.pair(source, destination).await?;
    Ok((store, ledger))
}

/// `plan`: nothing is written anywhere.
pub(super) fn plan(context: &Context, args: &PlanArgs) -> Result<u8, Failure> {
    let (sides, policy) = prepare(context, args, Use::Look)?;
    plan_of(context, &sides, policy)
}

/// What a copy or a backup would do.
pub(super) fn plan_of(context: &Context, sides: &Sides, mut policy: Policy) -> Result<u8, Failure> {
    let ready = sides.ready(context)?;
    let stop = Stop::new();
    let work = async {
        sides.announce(context, "plan");
        let connected = ready.connect(context, &stop, Use::Look).await?;
        pair::spell(context, &connected, &mut policy).await?;
        let (store, ledger) = look(context, &connected, policy.stateless).await?;
        let reserve = policy.reserve;
        let undo = ready.undo();
        let job = job(
            &connected,
            undo,
            &ledger,
            Arc::new(()),
            policy,
            stop.clone(),
        );
        let plan = job.plan().await?;
        let needed = plan.needed();
        let room = room::look(&*connected.destination.side, reserve, needed).await;
        connected.source.tell_beside_at_last(context).await;
        connected.close().await;
        store.close().await;
        let (output, lang) = (context.output, context.output.lang);
        match output.json {
            true => json::line(
                output,
                &Line::Plan(PlanView {
                    room,
                    ..PlanView::from(&plan)
                }),
            ),
            false => output.result(&results::plan(&plan, room.as_ref(), lang)),
        }
        Ok(exit::DONE)
    };
    runtime::block_on(context.output, stop.clone(), work)
}

fn prepare(context: &Context, args: &PlanArgs, what_for: Use) -> Result<(Sides, Policy), Failure> {
    let (source, destination) = (args.source.options(), args.destination.options());
    let sides = Sides::resolve(context, &args.pair, source, destination, what_for)?;
    let policy = Policy {
        newest_first: args.newest_first,
        matching: matching(args.matching, &sides),
        stateless: args.stateless,
        recopy: args.recopy,
        fresh: args.fresh.map(|how| fresh(how, context.output.lang)),
        fit: args.fit,
        // New mail arrives at servers, not on disks.
        reserve: match args.fill || matches!(sides.destination.place, Place::Backup(_)) {
            true => Reserve::Nothing,
            false => Reserve::Usual,
        },
        ..pair::policy(context, &args.filters, args.under.as_ref(), &sides)?
    };
    Ok((sides, policy))
}

/// Where a message counts as there. Mail on computers and POP3 servers was mostly on other
/// computers and servers, too, and its owner has put it into other folders there.
fn matching(asked: Option<args::Matching>, sides: &Sides) -> Matching {
    match (asked, &sides.source.place, &sides.destination.place) {
        (Some(args::Matching::Mailbox), ..) => Matching::Mapped,
        (Some(args::Matching::Account), ..) => Matching::Account,
        (None, Place::Files(_) | Place::Pop3(_), Place::Imap(_)) => Matching::Account,
        (None, ..) => Matching::Mapped,
    }
}

/// What copying everything again means today.
fn fresh(how: args::Fresh, lang: Lang) -> Fresh {
    match how {
        args::Fresh::Replace => Fresh::Replace,
        args::Fresh::Folder => {
            let today = figures::record(SystemClock::default().unix_millis());
            let day = today.split(' ').next().unwrap_or_default();
            let name = hikyaku_text::undo::dated_folder(day, lang);
            let name = MailboxName::new(vec![name]);
            Fresh::Folder(name.unwrap_or_else(MailboxName::inbox))
        }
    }
}

/// What a run is for.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Copy,
    Backup,
    Restore,
    Check(Depth),
}

impl Kind {
    /// The word that the ledger keeps.
    fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Check(_) => "check",
        }
    }
}

/// Logs in, takes the right to work on the destination, runs, reports. Nothing is
/// written on this computer before both logins succeeded.
async fn execute(
    context: &Context,
    sides: &Sides,
    mut ready: Ready,
    mut policy: Policy,
    kind: Kind,
    stop: Stop,
) -> Result<Done, Failure> {
    let output = context.output;
    sides.announce(context, kind.word());
    // A ledger that is there knows how many connections the servers let in.
    let known = match policy.stateless {
        true => Some(ledger::open_stateless(context).await?),
        false => ledger::open_kept(context).await?,
    };
    if let Some(store) = &known {
        ready.recall(context, store).await;
    }
    let what_for = match kind {
        Kind::Copy | Kind::Backup | Kind::Restore => Use::Write,
        Kind::Check(_) => Use::Look,
    };
    let connected = ready.connect(context, &stop, what_for).await?;
    pair::spell(context, &connected, &mut policy).await?;
    let store = match known {
        Some(store) => store,
        None => ledger::open(context).await?,
    };
    let clock = SystemClock::default();
    let (source, destination) = connected.accounts();
    let ledger = store.pair(source, destination).await?;
    let hold = store.hold(&ledger, clock.unix_millis()).await?;
    let (now, seed) = (clock.unix_millis(), pair::seed());
    let run = store.begin_run(ledger.id(), kind.word(), now, seed).await?;
    let progress = Arc::new(Progress::start(output));
    ready.stage.open(&progress);
    let ledger = ledger.within(run);
    let reserve = policy.reserve;
    let undo = ready.undo();
    let job = job(
        &connected,
        undo.clone(),
        &ledger,
        progress.clone(),
        policy,
        stop,
    );
    let work = async {
        match kind {
            Kind::Copy | Kind::Backup | Kind::Restore => job.copy().await,
            Kind::Check(depth) => job.check(depth).await,
        }
    };
    let mut result = watch(&progress, work).await;
    if let Ok(report) = &mut result {
        patience::merge(&mut report.waits, &connected.waits);
    }
    let exit = exit::exit_code(&result, context.global.no_wait);
    let servers = &connected.servers;
    connected.source.tell_beside_at_last(context).await;
    // The report comes before anything that could still fail.
    match &result {
        Ok(report) if output.json => json::report(output, report, servers),
        Ok(report) => {
            let (run, lang) = (run.to_string(), output.lang);
            let kind = match sides.are_a_step {
                true => results::Kind::Check,
                false => results::Kind::of(kind.word(), source.as_str(), destination.as_str()),
            };
            let text = results::report(report, servers, kind, Some(&run), lang);
            output.result(&text);
        }
        Err(_) => {}
    }
    tell_end(&job, &result, exit, reserve, output).await;
    let keep = async {
        let summary = json::summary(&result, servers);
        let kept = store
            .end_run(run, &summary, exit, clock.unix_millis())
            .await;
        ready.remember(&store, &connected).await;
        hold.release().await;
        store.close().await;
        kept
    };
    let leave = async {
        if let Some(undo) = undo {
            undo.close().await;
        }
    };
    let (kept, (), ()) = tokio::join!(keep, connected.close(), leave);
    if let Err(fault) = kept {
        output.note(&told(&fault, output.lang).join("\n"));
    }
    let report = result?;
    Ok(Done { exit, report })
}

/// What the person needs to know about an end before the end, beside the report.
async fn tell_end(
    job: &Job,
    result: &Result<Report, Fault>,
    exit: u8,
    reserve: Reserve,
    output: Output,
) {
    let (Ok(Report {
        stopped: Some(fault),
        ..
    })
    | Err(fault)) = result
    else {
        return;
    };
    if let (Ok(_), exit::THROTTLED, false) = (result, exit, output.json) {
        output.note(&super::not_waiting(fault, output.lang));
    }
    // JSON ends with the report or the fault.
    let is_last = output.json && result.is_ok();
    if room::is_about_room(fault) && !is_last {
        let needed = job.plan().await.ok().and_then(|plan| plan.needed());
        if let Some(room) = room::look(&*job.destination, reserve, needed).await {
            room::say(&room, output);
        }
    }
}

pub(super) fn job(
    connected: &Connected,
    undo: Option<Arc<dyn Undo>>,
    ledger: &PairLedger,
    observer: Arc<dyn Observer>,
    policy: Policy,
    stop: Stop,
) -> Job {
    Job {
        source: connected.source.side.clone(),
        destination: connected.destination.side.clone(),
        undo,
        ledger: Arc::new(ledger.clone()),
        observer,
        clock: Arc::new(SystemClock::default()),
        policy,
        stop,
        seed: pair::seed(),
    }
}

/// Waits for the work while its progress is shown.
pub(super) async fn watch<T>(
    progress: &Progress,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::pin!(work);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = second.tick() => progress.tick(),
        }
    };
    progress.end();
    result
}
