//! What an earlier run proved of a backup. It is kept where all runs are: in the ledger.

use super::super::{Context, pair};
use crate::json::stored::{self, Stored};
use crate::problem::Failure;
use crate::side::Backup;
use crate::{exit, ledger, runtime};
use hikyaku_core::AccountId;
use hikyaku_core::traits::Clock;
use hikyaku_engine::{Stop, SystemClock};
use hikyaku_ledger::Run;
use hikyaku_view::Line;

/// The word of such a run.
const CHECKED: &str = "check_backup";

/// Runs that are looked through.
const MOST: u32 = 500;

/// When the backup was found whole, if nothing came into it since; milliseconds since 1970 UTC.
pub(super) fn checked(
    context: &Context,
    source: &AccountId,
    backup: &Backup,
) -> Result<Option<i64>, Failure> {
    let Some(destination) = backup.account() else {
        return Ok(None);
    };
    let work = async {
        let Some(store) = ledger::open_kept(context).await? else {
            return Ok(None);
        };
        let pairs = store.pairs().await?;
        let same = |p: &&hikyaku_ledger::PairSummary| {
            (&p.source, &p.destination) == (source, &destination)
        };
        let pair = pairs.iter().find(same).map(|p| p.id);
        let runs = store.runs(MOST).await?;
        store.close().await;
        let of_pair = runs.iter().filter(|run| Some(run.pair) == pair);
        Ok(still_holds(of_pair))
    };
    runtime::block_on(context.output, Stop::new(), work)
}

/// Newest first: a good check, with nothing behind it but runs that found nothing to do.
fn still_holds<'a>(runs: impl Iterator<Item = &'a Run>) -> Option<i64> {
    for run in runs {
        match run.kind.as_str() {
            CHECKED => return run.ended_millis.filter(|_| run.exit == Some(exit::DONE)),
            // It reads and writes nothing.
            "check" => {}
            _ => {
                let Stored::Report(report) = stored::read(&run.summary) else {
                    return None;
                };
                let flags: u64 = report.mailboxes.iter().map(|m| m.flags_updated).sum();
                if report.copied_now > 0 || flags > 0 || report.stopped.is_some() {
                    return None;
                }
            }
        }
    }
    None
}

/// Keeps what a check came to.
pub(super) fn remember(
    context: &Context,
    source: &AccountId,
    backup: &Backup,
    line: &Line,
    exit: u8,
) -> Result<(), Failure> {
    let Some(destination) = backup.account() else {
        return Ok(());
    };
    let work = async {
        let store = ledger::open(context).await?;
        let clock = SystemClock::default();
        let pair = store.pair(source, &destination).await?;
        let (now, seed) = (clock.unix_millis(), pair::seed());
        let run = store.begin_run(pair.id(), CHECKED, now, seed).await?;
        let ended = store
            .end_run(run, &line.to_string(), exit, clock.unix_millis())
            .await;
        store.close().await;
        Ok(ended?)
    };
    runtime::block_on(context.output, Stop::new(), work)
}
