//! Runs that begin by themselves: at a time, or when mail is delivered to the destination.

use crate::job::{Job, State};
use crate::jobs::Jobs;
use crate::jobs::rows::{self, part};
use crate::notice::NoticeKind;
use crate::worker::{World, mail_key, queue_final, waits_for_mx};
use hikyaku_core::Fault;
use hikyaku_ledger::service::{Change, Guard, JobRow, Keep, Lane, Standing};
use std::time::Duration;

/// How often it is looked whether a time has come.
pub(crate) const EVERY: Duration = Duration::from_secs(5);

/// How often the MX record of one job is asked for at most.
const ASK_MILLIS: i64 = 10 * 60 * 1000;

/// Scheduled jobs that are looked at in one go.
const MOST: u32 = 1_000;

/// What to do with a scheduled job: pure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Wait,
    Ask,
    Begin,
    Expire,
}

fn next(waits_for_mx: bool, begins: i64, asked: i64, now: i64) -> Next {
    match (waits_for_mx, now >= begins) {
        (true, true) => Next::Expire,
        // A clock that was set back keeps nobody waiting for ever.
        (true, false) if now - asked >= ASK_MILLIS || asked > now => Next::Ask,
        (true, false) => Next::Wait,
        (false, true) => Next::Begin,
        (false, false) => Next::Wait,
    }
}

/// Begins or ends what has come to its time.
pub(crate) async fn tend(jobs: &Jobs, world: &dyn World) -> Result<(), Fault> {
    let queue = jobs.store().queue();
    let scheduled = queue.in_state(rows::word(State::Scheduled), i64::MAX, MOST);
    for row in scheduled.await? {
        // Cancelled: a worker ends it.
        if row.lane != Lane::Rest {
            continue;
        }
        let job = rows::read(&row)?;
        let mut course = rows::course(&row)?;
        let (guard, now) = (Guard::Version(row.version), jobs.now());
        let change = match next(waits_for_mx(&job), row.begins, course.asked, now) {
            Next::Wait => continue,
            Next::Begin => queue_final(&job, guard, now)?,
            Next::Expire => expire(jobs, world, &row, &job)?,
            Next::Ask if world.is_moved(&job.order).await => queue_final(&job, guard, now)?,
            Next::Ask => {
                course.asked = now;
                let mut change = Change::new(row.id.clone(), guard, now);
                change.parts = vec![(part::COURSE.to_owned(), rows::json(&course)?)];
                change
            }
        };
        // Whoever changed it meanwhile is heard at the next look.
        if queue.apply(change).await? {
            jobs.inner.hub.ring(job.id);
        }
    }
    Ok(())
}

/// The MX record did not change in time: the passwords go, and the person is told.
fn expire(jobs: &Jobs, world: &dyn World, row: &JobRow, job: &Job) -> Result<Change, Fault> {
    let now = jobs.now();
    let mut change = Change::new(row.id.clone(), Guard::Version(row.version), now);
    change.standing = Standing {
        state: Some(rows::word(State::Cancelled).to_owned()),
        ended: Some(now),
        ..Standing::default()
    };
    change.secrets = Keep::Nothing;
    let ended = Job {
        state: State::Cancelled,
        ended_millis: Some(now),
        has_secrets: false,
        ..job.clone()
    };
    let key = mail_key(job, NoticeKind::Expired, row.fence);
    change
        .letters
        .extend(world.mail(&ended, NoticeKind::Expired, &key)?);
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_a_record_changes_or_patience_ends() {
        let minutes = |n: i64| n * 60 * 1000;
        let cases = [
            (false, 1_000, 0, 999, Next::Wait),
            (false, 1_000, 0, 1_000, Next::Begin),
            (true, minutes(99), 0, minutes(10), Next::Ask),
            (true, minutes(99), minutes(5), minutes(14), Next::Wait),
            (true, minutes(99), minutes(5), minutes(15), Next::Ask),
            (true, minutes(99), minutes(50), minutes(20), Next::Ask),
            (true, minutes(99), minutes(98), minutes(99), Next::Expire),
        ];
        for (mx, begins, asked, now, expected) in cases {
            assert_eq!(
                next(mx, begins, asked, now),
                expected,
                "{begins} {asked} {now}"
            );
        }
    }
}
