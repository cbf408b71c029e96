//! What time takes away: passwords of jobs in which nothing happens, sessions, and jobs that were over long ago.

use crate::job::State;
use crate::jobs::Jobs;
use crate::jobs::rows::{self, Ending, part};
use crate::worker::World;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_ledger::service::{Change, Guard, JobRow, Lane, Standing, Wish};
use hikyaku_view::FaultView;
use std::time::Duration;

/// How often it is looked.
pub(crate) const EVERY: Duration = Duration::from_secs(60);

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How long the audit and mails that were sent are kept.
const KEPT_DAYS: i64 = 400;

/// Jobs that are looked at in one go, of each state.
const MOST: u32 = 500;

/// Clears away.
pub(crate) async fn sweep(jobs: &Jobs, world: &dyn World) -> Result<(), Fault> {
    if let Err(fault) = world.sweep(jobs).await {
        // The next sweep tries it again; the rest goes on.
        tracing::warn!(%fault, "uploads could not be swept");
    }
    let queue = jobs.store().queue();
    let now = jobs.now();
    let swept = queue.sweep(now, now - KEPT_DAYS * DAY).await?;
    for id in swept.wiped {
        tracing::info!(job = %id, "the passwords of a job in which nothing happened were removed");
        if let Some(row) = queue.find(&id).await?
            && let Some(change) = without_secrets(&row, now)?
        {
            queue.apply(change).await?;
        }
        if let Ok(id) = id.parse() {
            jobs.inner.hub.ring(id);
        }
    }
    for state in rows::STATES.into_iter().filter(|state| state.is_over()) {
        for row in queue.in_state(rows::word(state), now - DAY, MOST).await? {
            let kept = i64::from(world.retention_days(&rows::head(&row)?.order)) * DAY;
            if row.ended > 0 && now - row.ended > kept && queue.forget(&row.id, now).await? {
                jobs.forget_messages(&row).await?;
            }
        }
    }
    Ok(())
}

/// A job that cannot go on without passwords stops, so that the person is asked for them.
fn without_secrets(row: &JobRow, now: i64) -> Result<Option<Change>, Fault> {
    let state = rows::state(&row.state)?;
    if state.is_over() {
        return Ok(None);
    }
    let fault = Fault::new(
        Code::SecretUnreadable,
        Reach::Job,
        Remedy::AskUser,
        "the passwords were removed because nothing had happened for a day",
    );
    let ending = Ending {
        fault: Some(FaultView::from(&fault)),
        ..Ending::default()
    };
    let mut change = Change::new(row.id.clone(), Guard::Version(row.version), now);
    change.standing = Standing {
        state: Some(rows::word(State::Stopped).to_owned()),
        paused: Some(false),
        lane: Some(Lane::Rest),
        wish: Some(Wish::None),
        ended: Some(now),
        ..Standing::default()
    };
    change.parts = vec![(part::ENDING.to_owned(), rows::json(&ending)?)];
    Ok(Some(change))
}
