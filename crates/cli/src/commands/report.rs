//! `hikyaku report`: what a run came to, shown again.

use super::Context;
use crate::args::{Format, ReportArgs};
use crate::json::stored::{self, Stored};
use crate::problem::{Failure, Problem};
use crate::{exit, ledger, results, runtime, words};
use hikyaku_core::report::Report;
use hikyaku_core::undo::UndoReport;
use hikyaku_engine::Stop;
use hikyaku_ledger::{Run, RunId, Store};

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<u8, Failure> {
    let work = async {
        let wanted = args.run.as_deref();
        let unknown = || wanted.map_or(Problem::NoRun, |run| Problem::UnknownRun(run.to_owned()));
        let store = ledger::open_existing(context).await?.ok_or_else(unknown)?;
        let run = find(&store, wanted).await?.ok_or_else(unknown)?;
        let pairs = store.pairs().await?;
        store.close().await;
        let pair = pairs.iter().find(|pair| pair.id == run.pair);
        let accounts = pair.map_or(("", ""), |p| (p.source.as_str(), p.destination.as_str()));
        show(context, args.format, &run, accounts)
    };
    runtime::block_on(context.output, Stop::new(), work)
}

async fn find(store: &Store, wanted: Option<&str>) -> Result<Option<Run>, Failure> {
    let Some(wanted) = wanted else {
        return Ok(store.runs(1).await?.pop());
    };
    match wanted.parse::<RunId>() {
        Ok(id) => Ok(store.run(id).await?),
        Err(_) => Ok(None),
    }
}

fn show(
    context: &Context,
    format: Format,
    run: &Run,
    accounts: (&str, &str),
) -> Result<u8, Failure> {
    let (output, lang) = (context.output, context.output.lang);
    let format = if output.json { Format::Json } else { format };
    let name = run.id.to_string();
    match (stored::read(&run.summary), format) {
        (Stored::Nothing, _) => return Err(Problem::Unended(name).into()),
        (_, Format::Json) => output.result(&crate::json::safe(&run.summary)),
        (Stored::Fault(fault), _) => output.result(&crate::output::told(&fault, lang).join("\n")),
        (Stored::Backup(view), _) => {
            output.result(&super::backup::whether_whole(&view, lang));
        }
        (Stored::Undo(view), _) => {
            output.result(&results::undo_report(&UndoReport::from(&*view), lang));
        }
        (Stored::Report(view), Format::Csv) => output.result(&results::csv(&view)),
        (Stored::Report(view), Format::Text) => {
            let (source, destination) = accounts;
            let kind = results::Kind::of(&run.kind, source, destination);
            let report = Report::from(&*view);
            output.note(&words::run_of(
                &crate::figures::record(run.started_millis),
                lang,
            ));
            output.result(&results::report(
                &report,
                &view.servers,
                kind,
                Some(&name),
                lang,
            ));
        }
    }
    Ok(exit::DONE)
}
