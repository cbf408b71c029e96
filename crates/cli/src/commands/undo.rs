//! `hikyaku undo`: what would go, a question, and the removal.

use super::Context;
use super::copy::{job, look, watch};
use super::pair::{self, Connected, Ready, Sides, Use};
use crate::args::UndoArgs;
use crate::output::told;
use crate::problem::{Failure, Problem};
use crate::progress::Progress;
use crate::side::Place;
use crate::{exit, json, ledger, results, runtime};
use hikyaku_core::policy::Policy;
use hikyaku_core::traits::Clock;
use hikyaku_core::undo::UndoPlan;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_text::undo as text;
use hikyaku_view::{Line, UndoPlanView, UndoReportView};
use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;

/// `undo`.
pub(super) fn run(context: &Context, args: &UndoArgs) -> Result<u8, Failure> {
    let (source, destination) = (args.source.options(), args.destination.options());
    let sides = Sides::resolve(context, &args.pair, source, destination, Use::Write)?;
    if let Place::Backup(_) = sides.destination.place {
        let detail = "nothing is ever removed from a backup";
        let (reach, remedy) = (Reach::Job, Remedy::AskUser);
        let fault = Fault::new(Code::UndoUnsupported, reach, remedy, detail);
        return Err(fault.on(Side::Destination).into());
    }
    let ready = sides.ready(context)?;
    let stop = Stop::new();
    let work = async {
        sides.announce(context, "undo");
        let connected = ready.connect(context, &stop, Use::Write).await?;
        let done = work(context, args, &ready, &connected, &stop).await;
        connected.close().await;
        done
    };
    runtime::block_on(context.output, stop.clone(), work)
}

async fn work(
    context: &Context,
    args: &UndoArgs,
    ready: &Ready,
    connected: &Connected,
    stop: &Stop,
) -> Result<u8, Failure> {
    let output = context.output;
    let plan = plan(context, ready, connected, stop).await?;
    match output.json {
        true => json::line(output, &Line::UndoPlan(UndoPlanView::from(&plan))),
        false => output.result(&results::undo_plan(&plan, output.lang)),
    }
    if args.dry_run {
        return Ok(exit::DONE);
    }
    if !plan.supported {
        return Err(unsupported().into());
    }
    if plan.removed() == 0 {
        return Ok(exit::DONE);
    }
    if !args.yes && !agrees(context)? {
        output.note(&text::not_done(output.lang));
        return Ok(exit::REFUSED);
    }
    take_back(context, ready, connected, stop).await
}

/// What the ledger and both sides show; nothing is written.
async fn plan(
    context: &Context,
    ready: &Ready,
    connected: &Connected,
    stop: &Stop,
) -> Result<UndoPlan, Failure> {
    let (store, known) = look(context, connected, false).await?;
    let policy = Policy::default();
    let undo = ready.undo();
    let looking = job(connected, undo, &known, Arc::new(()), policy, stop.clone());
    let plan = looking.undo_plan().await;
    store.close().await;
    Ok(plan?)
}

async fn take_back(
    context: &Context,
    ready: &Ready,
    connected: &Connected,
    stop: &Stop,
) -> Result<u8, Failure> {
    let output = context.output;
    let store = ledger::open(context).await?;
    let clock = SystemClock::default();
    let (source, destination) = connected.accounts();
    let known = store.pair(source, destination).await?;
    let hold = store.hold(&known, clock.unix_millis()).await?;
    let (now, seed) = (clock.unix_millis(), pair::seed());
    let run = store.begin_run(known.id(), "undo", now, seed).await?;
    let known = known.within(run);
    let progress = Arc::new(Progress::start(output));
    ready.stage.open(&progress);
    let (undo, policy) = (ready.undo(), Policy::default());
    let taking = job(
        connected,
        undo.clone(),
        &known,
        progress.clone(),
        policy,
        stop.clone(),
    );
    let result = watch(&progress, taking.undo()).await;
    let exit = exit::of_undo(&result, context.global.no_wait);
    let line = match &result {
        Ok(report) => Line::UndoReport(Box::new(UndoReportView::from(report))),
        Err(fault) => Line::Fault(hikyaku_view::FaultView::from(fault)),
    };
    match &result {
        Ok(_) if output.json => json::line(output, &line),
        Ok(report) => output.result(&results::undo_report(report, output.lang)),
        Err(_) => {}
    }
    let ended = store
        .end_run(run, &line.to_string(), exit, clock.unix_millis())
        .await;
    hold.release().await;
    store.close().await;
    if let Some(undo) = undo {
        undo.close().await;
    }
    if let Err(fault) = ended {
        output.note(&told(&fault, output.lang).join("\n"));
    }
    result?;
    Ok(exit)
}

fn agrees(context: &Context) -> Result<bool, Problem> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Problem::Unconfirmed);
    }
    context.output.note(&text::really(context.output.lang));
    let mut answer = String::new();
    input
        .lock()
        .read_line(&mut answer)
        .map_err(|_| Problem::Unconfirmed)?;
    Ok(text::YES.contains(&answer.trim().to_lowercase().as_str()))
}

fn unsupported() -> Fault {
    Fault::new(
        Code::UndoUnsupported,
        Reach::Job,
        Remedy::AskUser,
        "the server has no UIDPLUS: EXPUNGE would take more than what is named",
    )
    .on(Side::Destination)
}
