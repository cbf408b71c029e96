//! Looking for what is left to copy in the whole account of the destination.
//!
//! Some hosts move mail by themselves, and owners do. With
//! [`hikyaku_core::policy::Matching::Account`] a message that lies in any mailbox is there
//! already. A message that is taken for another one would be lost, so who may take what is
//! decided before anything is sent (docs/adr/0019):
//!
//! 1. the lanes look through the mapped mailboxes and settle doubts, as ever;
//! 2. then one line after the other looks through the rest of the account; each message is
//!    claimed by one durable record, which owns it like a copy;
//! 3. then the lanes copy what is left.
//!
//! No copy of this run is there when the account is looked through, so none can be taken
//! for somebody else's.

mod account;
mod look;

use crate::job;
use crate::lanes::{self, Done};
use crate::mailbox::{Finished, Until};
use crate::pace::Seat;
use crate::run::Run;
use account::Account;
use hikyaku_core::ledger::Settled;
use hikyaku_core::mapping::with_role;
use hikyaku_core::plan::{MailboxPlan, Plan};
use hikyaku_core::report::{Exception, Note, Outcome, Tally};
use hikyaku_core::{
    Code, Event, Fault, KeySet, MailboxInfo, MailboxName, Reach, Remedy, Role, Side,
};
use look::Look;
use std::collections::HashSet;
use std::sync::Arc;

/// Finds what lies elsewhere and records it. The results of the lines so far: those that
/// are not finished are not to be copied in this run, of the others what is nowhere.
///
/// # Errors
/// The destination cannot be listed.
pub(crate) async fn settle(run: &Arc<Run>, plan: &Plan) -> Result<Done, Fault> {
    let account = job::list(run).await?.destination;
    let is_empty = |info: &MailboxInfo| info.state.is_some_and(|s| s.messages == 0);
    let is_new = run.ledger.pairings().await?.is_empty();
    if is_new && account.iter().filter(|i| i.selectable).all(is_empty) {
        return Ok(Done::new());
    }
    let lines = plan.mailboxes.iter().enumerate();
    let lines: Vec<_> = lines.filter(|(_, line)| Run::is_work(line)).collect();
    // Where nothing is, nothing can be matched.
    let is_known = |line: &MailboxPlan| {
        line.pairing.is_some() || line.existing.as_ref().is_some_and(|info| !is_empty(info))
    };
    let known = lines.iter().filter(|(_, line)| is_known(line));
    let known = known.map(|&(n, line)| (n, line.clone(), Until::Adopted));
    let mut done = lanes::spread(run, known.collect()).await;
    let is_adopted = |done: &Done, n: usize| done.get(&n).is_some_and(|f| f.unfinished.is_none());
    let mut pending = HashSet::new();
    let mut unanswered = None;
    for (n, line) in &lines {
        if is_adopted(&done, *n) {
            continue;
        }
        // Its line may yet match what is there.
        pending.insert(line.destination.clone());
        if let Some(pairing) = &line.pairing
            && !run.ledger.in_doubt(pairing.id).await?.is_empty()
        {
            // What was sent may have been moved anywhere: nobody can tell whose it is.
            unanswered = Some(&line.destination);
        }
    }
    let barred = not_searched(&account);
    let mut account = Account::new(account, barred, pending);
    let mut seat = Seat::new(run.pace.clone());
    for (n, line) in &lines {
        if run.ended().is_some() || run.stop.is_requested() {
            break;
        }
        let mut first = match done.remove(n) {
            Some(first) if first.unfinished.is_some() => {
                done.insert(*n, first);
                continue;
            }
            Some(first) => first,
            None => untouched(line),
        };
        if let Some(mailbox) = unanswered {
            give_up(run, line, &mut first, no_answer(mailbox));
            done.insert(*n, first);
            continue;
        }
        let mut look = Look::new(run, line, &mut account, first.left.take());
        let failed =
            crate::attempts::persist(run, &mut seat, Some(&line.source.name), &mut look).await;
        let (sought, found) = look.end();
        first.sought = sought;
        for (found_in, messages) in found {
            first.note(Note::FoundElsewhere {
                mailbox: line.source.name.clone(),
                found_in,
                messages,
            });
        }
        if let Some(fault) = failed {
            give_up(run, line, &mut first, fault);
        }
        done.insert(*n, first);
    }
    Ok(done)
}

/// The plan with what the ledger knows by now.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn known(run: &Run, plan: &Plan) -> Result<Plan, Fault> {
    let mut plan = plan.clone();
    let pairings = run.ledger.pairings().await?;
    for line in plan.mailboxes.iter_mut().filter(|line| Run::is_work(line)) {
        let same = |p: &&hikyaku_core::ledger::Pairing| {
            p.source == line.source.name && p.destination == line.destination
        };
        line.pairing = pairings.iter().find(same).cloned();
    }
    Ok(plan)
}

/// Source keys of messages that were found in another mailbox and are no longer there.
pub(crate) async fn gone(run: &Run, found: &[Settled]) -> Result<KeySet, Fault> {
    if found.is_empty() {
        return Ok(KeySet::new());
    }
    let infos = run.destination.mailboxes().await?;
    let mut account = Account::new(infos, HashSet::new(), HashSet::new());
    let mut keys = Vec::new();
    for settled in found {
        if account.presence(run, settled).await? == account::Presence::Gone {
            keys.push(settled.key);
        }
    }
    keys.sort_unstable();
    Ok(keys.into_iter().collect())
}

/// The mailboxes that do not count. What lies in the trash is about to go, and nobody looks
/// for mail among the junk: a message that is only there is copied.
fn not_searched(account: &[MailboxInfo]) -> HashSet<MailboxName> {
    let left_out: Vec<&MailboxName> = [Role::Trash, Role::Junk]
        .into_iter()
        .flat_map(|role| with_role(account, role))
        .collect();
    let is_out = |info: &&MailboxInfo| {
        !info.selectable
            || info.role.is_some_and(Role::is_view)
            || left_out.iter().any(|out| info.name.is_within(out))
    };
    let out = account.iter().filter(is_out);
    out.map(|info| info.name.clone()).collect()
}

/// A line whose mapped mailbox is not there, or empty.
fn untouched(line: &MailboxPlan) -> Finished {
    let messages = line.source.state.map_or(0, |s| s.messages);
    Finished::of(line, messages, Tally::default(), None)
}

fn no_answer(mailbox: &MailboxName) -> Fault {
    let detail = "what was sent there has no answer yet, so nobody can tell what lies elsewhere";
    Fault::new(Code::MessageUnknown, Reach::Mailbox, Remedy::Skip, detail)
        .on(Side::Destination)
        .mailbox(mailbox)
}

/// Its messages are not copied in this run: they may be there already.
fn give_up(run: &Run, line: &MailboxPlan, finished: &mut Finished, fault: Fault) {
    let report = &mut finished.report;
    let left = report.scanned.saturating_sub(report.tally.total());
    report.tally.add(Outcome::FailedTemporary, left, 0);
    finished.exceptions.push(Exception {
        mailbox: line.source.name.clone(),
        key: None,
        octets: None,
        head: None,
        outcome: None,
        fault: fault.clone(),
    });
    finished.unfinished = Some(fault);
    lanes::heed(run, finished);
    run.observer.note(&Event::MailboxDone {
        mailbox: line.source.name.clone(),
    });
}
