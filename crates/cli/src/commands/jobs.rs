//! `hikyaku jobs` and `hikyaku forget`: what the ledger knows.

use super::Context;
use crate::args::ForgetArgs;
use crate::problem::{Failure, Problem};
use crate::terminal::{Align, Table};
use crate::{exit, figures, ledger, runtime, words};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Clock;
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_ledger::{PairId, PairSummary};
use hikyaku_text::{Count, Lang, Show};
use std::io::{self, BufRead, IsTerminal};

/// One line per pair of accounts.
pub(super) fn list(context: &Context) -> Result<u8, Failure> {
    let work = async {
        let pairs = match ledger::open_existing(context).await? {
            Some(store) => {
                let pairs = store.pairs().await?;
                store.close().await;
                pairs
            }
            None => Vec::new(),
        };
        if context.output.json {
            for pair in &pairs {
                context.output.result(&as_json(pair).to_string());
            }
        } else if pairs.is_empty() {
            context.output.note(words::no_jobs(context.output.lang));
        } else {
            context
                .output
                .result(&table(&pairs, context.output.lang).to_string());
        }
        Ok(exit::DONE)
    };
    runtime::block_on(context.output, Stop::new(), work)
}

fn there(pair: &PairSummary) -> u64 {
    pair.tally.messages(Outcome::Copied) + pair.tally.messages(Outcome::AlreadyThere)
}

fn table(pairs: &[PairSummary], lang: Lang) -> Table {
    let [job, source, destination, messages, failed, run, when, exit] = words::job_headings(lang);
    let mut table = Table::new([
        (job, Align::Right),
        (source, Align::Left),
        (destination, Align::Left),
        (messages, Align::Right),
        (failed, Align::Right),
        (run, Align::Left),
        (when, Align::Left),
        (exit, Align::Right),
    ]);
    for pair in pairs {
        let run = pair.last_run.as_ref();
        table.row([
            pair.id.0.to_string(),
            pair.source.to_string(),
            pair.destination.to_string(),
            Count(there(pair)).show(lang),
            Count(pair.tally.failures()).show(lang),
            run.map(|run| run.id.to_string()).unwrap_or_default(),
            run.map(|run| figures::record(run.started_millis))
                .unwrap_or_default(),
            run.and_then(|run| run.exit)
                .map_or_else(|| "-".to_owned(), |exit| exit.to_string()),
        ]);
    }
    table
}

/// The ledger's own listing is no part of the view's contract of runs.
fn as_json(pair: &PairSummary) -> serde_json::Value {
    let run = pair.last_run.as_ref();
    serde_json::json!({
        "type": "job",
        "job": pair.id.0,
        "source": pair.source.as_str(),
        "destination": pair.destination.as_str(),
        "folders": pair.mailboxes,
        "messages": there(pair),
        "failed": pair.tally.failures(),
        "last_run": run.map(|run| run.id.to_string()),
        "last_kind": run.map(|run| &run.kind),
        "started_millis": run.map(|run| run.started_millis),
        "ended_millis": run.and_then(|run| run.ended_millis),
        "exit": run.and_then(|run| run.exit),
    })
}

/// Removes a pair from the ledger, after a question.
pub(super) fn forget(context: &Context, args: &ForgetArgs) -> Result<u8, Failure> {
    let unknown = || Problem::UnknownRun(args.job.clone());
    let id: i64 = args.job.parse().map_err(|_| unknown())?;
    let work = async {
        let store = ledger::open_existing(context).await?.ok_or_else(unknown)?;
        let pairs = store.pairs().await?;
        let pair = pairs
            .iter()
            .find(|pair| pair.id.0 == id)
            .ok_or_else(unknown)?;
        if !args.yes && !agrees(context, pair)? {
            store.close().await;
            return Ok(exit::REFUSED);
        }
        let now = SystemClock::default().unix_millis();
        store.forget(PairId(id), now).await?;
        store.close().await;
        context.output.note(words::forgotten(context.output.lang));
        Ok(exit::DONE)
    };
    runtime::block_on(context.output, Stop::new(), work)
}

fn agrees(context: &Context, pair: &PairSummary) -> Result<bool, Problem> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Problem::Unconfirmed);
    }
    let (source, destination) = (pair.source.as_str(), pair.destination.as_str());
    context.output.note(&words::forget_question(
        source,
        destination,
        context.output.lang,
    ));
    let mut answer = String::new();
    input
        .lock()
        .read_line(&mut answer)
        .map_err(|_| Problem::Unconfirmed)?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "y" | "yes" | "はい"
    ))
}
