//! A last look at the source: what arrived while the run went on.
//!
//! One listing of the source tells for all mailboxes; only those that grew are
//! opened once more.

use crate::lanes::Done;
use crate::mailbox::{self, Finished, Until};
use crate::pace::Seat;
use crate::run::Run;
use hikyaku_core::plan::{Plan, Step};
use hikyaku_core::report::Note;
use hikyaku_core::{Fault, MailboxInfo, MailboxName, MailboxState};
use std::collections::HashMap;
use std::sync::Arc;

/// More than this is no short pass: it is left to the next run.
const FEW: u64 = 1_000;

/// The source as it is at the end, where anybody wants to know.
///
/// # Errors
/// The source cannot be listed. What was done before is not touched by it.
pub(crate) async fn look(run: &Run, plan: &Plan) -> Result<Vec<MailboxInfo>, Fault> {
    let is_over = run.stop.is_requested() || run.ended().is_some();
    if is_over || !plan.mailboxes.iter().any(Run::is_work) {
        return Ok(Vec::new());
    }
    tokio::select! {
        listed = run.source.mailboxes() => listed,
        () = run.stop.requested() => Ok(Vec::new()),
    }
}

/// Copies what arrived in the mailboxes that are finished. Whether there was any.
pub(crate) async fn follow_up(
    run: &Arc<Run>,
    plan: &Plan,
    listed: Vec<MailboxInfo>,
    done: &mut Done,
) -> bool {
    let now: HashMap<MailboxName, MailboxState> = listed
        .into_iter()
        .filter_map(|info| Some((info.name, info.state?)))
        .collect();
    let mut seat = Seat::new(run.pace.clone());
    let mut any = false;
    for (n, line) in plan.mailboxes.iter().enumerate() {
        let (Some(finished), Some(now)) = (done.get_mut(&n), now.get(&line.source.name)) else {
            continue;
        };
        let (Some(seen), Some(planned)) = (finished.seen, line.source.state) else {
            continue;
        };
        let arrived = arrived(&planned, now).min(arrived(&seen, now));
        if arrived == 0 || matches!(line.step, Step::Skip(_)) || finished.unfinished.is_some() {
            continue;
        }
        // Where the whole account counts, what arrived has to be looked for first.
        let few = arrived <= FEW && !run.policy.looks_elsewhere();
        let few = few && run.ended().is_none() && !run.stop.is_requested();
        let later = match few {
            true => Some(mailbox::work(run, line, &Until::Copied, &mut seat).await),
            false => None,
        };
        any = true;
        follow(finished, later, &line.source.name, arrived);
        if let Some(fault) = finished.ends_run.take() {
            run.end(&fault);
        }
    }
    any
}

/// How many messages came between two looks, at most; none where that cannot be told.
fn arrived(then: &MailboxState, now: &MailboxState) -> u64 {
    if then.epoch.is_none_or(|epoch| epoch.0 == 0) || then.epoch != now.epoch {
        return 0;
    }
    match (then.next, now.next) {
        (Some(then), Some(now_next)) => now_next.0.saturating_sub(then.0).min(now.messages),
        _ => now.messages.saturating_sub(then.messages),
    }
}

/// Adds the second look to the first. Where it came to nothing the first one stands.
fn follow(first: &mut Finished, later: Option<Finished>, mailbox: &MailboxName, arrived: u64) {
    first.clean = None;
    match later {
        Some(later) if later.unfinished.is_none() => first.continue_with(later),
        other => {
            if let Some(later) = other {
                first.count_work_of(&later);
                first.ends_run = later.unfinished.filter(crate::run::ends_everything);
            }
            first.notes.push(Note::Arrived {
                mailbox: mailbox.clone(),
                messages: arrived,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::{Epoch, Key};

    fn state(epoch: u64, next: Option<u64>, messages: u64) -> MailboxState {
        MailboxState {
            epoch: Some(Epoch(epoch)),
            next: next.map(Key),
            messages,
            ..MailboxState::default()
        }
    }

    #[test]
    fn arrivals_are_told_by_the_next_key_or_else_by_number() {
        let then = state(7, Some(10), 5);
        assert_eq!(arrived(&then, &state(7, Some(10), 5)), 0);
        assert_eq!(arrived(&then, &state(7, Some(13), 8)), 3);
        assert_eq!(arrived(&then, &state(7, Some(13), 2)), 2, "some went again");
        assert_eq!(arrived(&then, &state(8, Some(13), 8)), 0, "another epoch");
        assert_eq!(arrived(&state(7, None, 5), &state(7, Some(9), 6)), 1);
        assert_eq!(arrived(&state(0, Some(1), 5), &state(0, Some(9), 6)), 0);
    }
}
