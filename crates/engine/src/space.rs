//! Before the start: whether what is to be copied has room.

use crate::compare::Pages;
use crate::room::Free;
use crate::run::Run;
use hikyaku_core::ledger::Pairing;
use hikyaku_core::plan::{MailboxPlan, Plan};
use hikyaku_core::report::{Outcome, Tally};
use hikyaku_core::{Epoch, Fault};

/// Refuses to start what cannot end. What is there already, or left out by a rule, is
/// never counted as if it had to be copied: the estimate errs towards starting, and
/// the room is watched while copying.
///
/// # Errors
/// `quota.exceeded` or `quota.reserve` with the octets that are missing; those of asking.
pub(crate) async fn check(run: &Run, plan: &Plan) -> Result<(), Fault> {
    let most: u64 = plan
        .mailboxes
        .iter()
        .filter(|line| Run::is_work(line))
        .map(|line| {
            line.source
                .state
                .and_then(|s| s.octets)
                .unwrap_or(u64::MAX / 4096)
        })
        .fold(0, u64::saturating_add);
    if most == 0 {
        return Ok(());
    }
    let Some(free) = run.room.ask().await? else {
        return Ok(());
    };
    if run.policy.fit || most <= free.room() {
        return Ok(());
    }
    refuse(run, plan, free).await
}

async fn refuse(run: &Run, plan: &Plan, free: Free) -> Result<(), Fault> {
    let mut needed = 0u64;
    for line in plan.mailboxes.iter().filter(|line| Run::is_work(line)) {
        needed = needed.saturating_add(least(run, line).await?);
    }
    match free.refuses(needed) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// Octets of this mailbox that have to be copied for certain.
async fn least(run: &Run, line: &MailboxPlan) -> Result<u64, Fault> {
    let Some(octets) = line.source.state.and_then(|s| s.octets) else {
        return Ok(0);
    };
    let there = line.existing.as_ref().and_then(|e| e.state);
    let is_empty = match (&line.existing, there) {
        (None, _) => true,
        (Some(_), state) => state.is_some_and(|s| s.messages == 0),
    };
    if run.policy.judges_messages() {
        return Ok(0);
    }
    let Some(pairing) = &line.pairing else {
        // Without records what is there may be the same messages.
        return Ok(if is_empty { octets } else { 0 });
    };
    if let Some(checkpoint) = &pairing.checkpoint
        && !run.policy.replaces()
    {
        let same = checkpoint.source.epoch == line.source.state.and_then(|s| s.epoch);
        return Ok(match same {
            true => octets.saturating_sub(done(&checkpoint.tally)),
            false => 0,
        });
    }
    let Some(epoch) = line.source.state.and_then(|s| s.epoch) else {
        return Ok(0);
    };
    if run.policy.replaces() && !crate::undo::replace::is_under_way(run, pairing, epoch).await? {
        return Ok(if is_empty {
            octets
        } else {
            octets.saturating_sub(found(run, pairing, epoch).await?)
        });
    }
    let mut tally = Tally::default();
    let mut pages = Pages::new(run, pairing, epoch);
    while let Some(page) = pages.next().await? {
        for settled in page {
            tally.add(settled.outcome, 1, settled.octets);
        }
    }
    let is_ours = there.is_none_or(|state| state.messages <= tally.messages(Outcome::Copied));
    Ok(match is_empty || is_ours {
        true => octets.saturating_sub(done(&tally)),
        false => 0,
    })
}

/// Octets of what others put there: it is not copied again.
async fn found(run: &Run, pairing: &Pairing, epoch: Epoch) -> Result<u64, Fault> {
    let (mut octets, mut pages) = (0, Pages::new(run, pairing, epoch));
    while let Some(page) = pages.next().await? {
        let there = page.iter().filter(|r| r.outcome == Outcome::AlreadyThere);
        octets += there.map(|r| r.octets).sum::<u64>();
    }
    Ok(octets)
}

fn done(tally: &Tally) -> u64 {
    Outcome::ALL
        .into_iter()
        .filter(|outcome| outcome.is_final())
        .map(|outcome| tally.octets(outcome))
        .sum()
}
