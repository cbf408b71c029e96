//! The check before the plan: both accounts are looked at, and the person sees it line by line.

use super::held::Held;
use super::verdict::Asked;
use super::{Context, apply, close, write};
use crate::job::{Checked, State};
use crate::jobs::INACTIVE_MILLIS;
use crate::jobs::rows::{self, Course, Ending, part};
use hikyaku_core::Fault;
use hikyaku_ledger::service::{Change, Guard, JobRow, Keep, Lane, Standing, Wish};
use tokio::sync::watch;

/// Looks at both accounts.
pub(super) async fn check(context: &Context, held: &Held, row: &JobRow) -> Result<(), Fault> {
    let mut change = Change::new(
        row.id.clone(),
        Guard::Fence(held.fence()),
        context.jobs.now(),
    );
    change.standing.state = Some(rows::word(State::Checking).to_owned());
    apply(context, held, change).await?;
    let head = rows::head(row)?;
    let secrets = context.jobs.secrets(held.id()).await?;
    let (teller, mut told) = watch::channel(None);
    let tell = |checked: &Checked| {
        teller.send_replace(Some(checked.clone()));
    };
    let looking = async {
        let looking = context
            .world
            .check(&head.order, secrets, context.jobs.store(), &tell);
        tokio::pin!(looking);
        loop {
            // Both go on at once: the check may be about to get a connection to the database that telling waits for.
            let telling = async {
                if told.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                let now = told.borrow_and_update().clone();
                if let Some(checked) = now {
                    write(context, held, part::CHECKED, rows::json(&checked)?).await?;
                    context.jobs.inner.hub.tell(held.id());
                }
                Ok::<_, Fault>(())
            };
            tokio::select! {
                checked = &mut looking => break Ok(Some(checked)),
                () = held.stop().requested() => break Ok(None),
                told = telling => told?,
            }
        }
    };
    // Order matters: the check is over, and holds nothing any more, when its end is written down.
    let looked: Result<Option<Checked>, Fault> = looking.await;
    match looked? {
        Some(checked) => end(context, held, row, &checked).await,
        None => stop(context, held, row).await,
    }
}

async fn end(context: &Context, held: &Held, row: &JobRow, checked: &Checked) -> Result<(), Fault> {
    let now = context.jobs.now();
    let state = match checked.fault {
        Some(_) => State::Stopped,
        None => State::Ready,
    };
    let mut change = Change::new(row.id.clone(), Guard::Fence(held.fence()), now);
    change.release = true;
    change.standing = Standing {
        state: Some(rows::word(state).to_owned()),
        lane: Some(Lane::Rest),
        due: Some(0),
        // Whoever wants it cancelled now can say so again and is heard at once.
        wish: Some(Wish::None),
        host: checked.reached.as_ref().map(|r| r.host.to_lowercase()),
        ended: (state == State::Stopped).then_some(now),
        ..Standing::default()
    };
    change.parts = vec![(part::CHECKED.to_owned(), rows::json(checked)?)];
    if let Some(fault) = &checked.fault {
        let ending = Ending {
            fault: Some(fault.clone()),
            ..Ending::default()
        };
        change
            .parts
            .push((part::ENDING.to_owned(), rows::json(&ending)?));
    }
    if state == State::Ready {
        // A login that is refused from now on had worked.
        let course = Course {
            signed_in: true,
            ..rows::course(row)?
        };
        change
            .parts
            .push((part::COURSE.to_owned(), rows::json(&course)?));
    }
    change.secrets = Keep::Until(now + INACTIVE_MILLIS);
    match held.asked() {
        Asked::Cancel => return stop(context, held, row).await,
        _ => apply(context, held, change).await,
    }
}

/// The person does not want it any more, or this process ends.
async fn stop(context: &Context, held: &Held, row: &JobRow) -> Result<(), Fault> {
    match held.asked() {
        Asked::Cancel => close(context, held, row, &super::Verdict::Cancelled).await,
        Asked::Lost => Ok(()),
        Asked::Nothing | Asked::Pause | Asked::Shutdown => {
            let now = context.jobs.now();
            let mut change = Change::new(row.id.clone(), Guard::Fence(held.fence()), now);
            change.release = true;
            change.standing.state = Some(rows::word(State::Received).to_owned());
            change.standing.due = Some(0);
            change.standing.wish = Some(Wish::None);
            apply(context, held, change).await
        }
    }
}
