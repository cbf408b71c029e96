//! Lanes: how many mailboxes are worked on at once, and in which order.
//!
//! Source mailboxes that go into one destination mailbox are one piece of work: two
//! writers in one mailbox would be slower, and doubts there have one resolver.

use crate::job::{Mode, Run};
use crate::mailbox::{self, Clean, Finished};
use hikyaku_core::ledger::Checkpoint;
use hikyaku_core::plan::{MailboxPlan, Plan, Step};
use hikyaku_core::report::{Outcome, Report, Tally};
use hikyaku_core::{Event, Fault, MailboxName, Reach, Remedy};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between the starts of the second lane and each further one.
const LANE_EVERY: Duration = Duration::from_millis(150);

/// One piece of work: the lines of the plan that go into one destination mailbox.
type Group = Vec<(usize, MailboxPlan)>;

/// The work that no lane has taken yet.
struct Queue {
    groups: Mutex<VecDeque<Group>>,
    /// Cancelled when nothing is left, so that nobody waits for a lane to start.
    empty: CancellationToken,
}

impl Queue {
    fn next(&self) -> Option<Group> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let next = groups.pop_front();
        if groups.is_empty() {
            self.empty.cancel();
        }
        next
    }
}

/// Works the whole plan and adds it up.
pub(crate) async fn work(run: &Arc<Run>, plan: &Plan) -> Report {
    let mut done: BTreeMap<usize, Finished> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut at: HashMap<&MailboxName, usize> = HashMap::new();
    for (n, line) in plan.mailboxes.iter().enumerate() {
        match &line.step {
            Step::Skip(_) => {}
            Step::Unchanged => {
                done.insert(n, unchanged(run, line));
            }
            Step::Copy { .. } => {
                let group = *at.entry(&line.destination).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[group].push((n, line.clone()));
            }
        }
    }
    let groups = doubts_last(run, groups).await;
    let lanes = run
        .policy
        .lanes
        .min(run.source.abilities().lanes)
        .min(run.destination.abilities().lanes)
        .clamp(1, groups.len().max(1));
    let mut stopped: Option<Fault> = None;
    if run.mode == Mode::Copy
        && let Err(fault) = pair_all(run, plan).await
    {
        run.stop.request();
        stopped = Some(fault);
    }
    let queue = Arc::new(Queue {
        groups: Mutex::new(groups.into()),
        empty: CancellationToken::new(),
    });
    let mut tasks = JoinSet::new();
    for number in 0..lanes {
        tasks.spawn(late_lane(run.clone(), queue.clone(), number));
    }
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((finished, fault)) => {
                done.extend(finished);
                stopped = stopped.or(fault);
            }
            Err(error) => {
                stopped.get_or_insert_with(|| Fault::bug(format!("a lane ended: {error}")));
            }
        }
    }
    // What no lane reached has no outcome yet.
    let reason = stopped.clone().unwrap_or_else(crate::stop::Stop::fault);
    for (n, line) in plan.mailboxes.iter().enumerate() {
        if Run::is_work(line) && !done.contains_key(&n) {
            done.insert(n, mailbox_not_reached(line, &reason));
        }
    }
    if run.mode == Mode::Copy
        && let Err(fault) = checkpoint(run, &mut done).await
    {
        // Without a checkpoint the next run looks closer; nothing is lost.
        run.observer.note(&Event::Fault(fault));
    }
    add_up(done, stopped)
}

/// All pairings at once: one durable write instead of one per mailbox.
async fn pair_all(run: &Run, plan: &Plan) -> Result<(), Fault> {
    let new = plan
        .mailboxes
        .iter()
        .filter(|line| Run::is_work(line) && line.pairing.is_none());
    let pairs = new.map(|line| run.ledger.pair(&line.source.name, &line.destination));
    futures::future::try_join_all(pairs).await?;
    Ok(())
}

/// Lanes start low and grow while there is work: the first two at once, each further one a
/// little later. A short run on fast servers never pays for connections that it
/// does not need; a long line has all of them within its first seconds.
async fn late_lane(
    run: Arc<Run>,
    queue: Arc<Queue>,
    number: usize,
) -> (Vec<(usize, Finished)>, Option<Fault>) {
    let later = LANE_EVERY * u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
    if !later.is_zero() {
        tokio::select! {
            _ = run.sleep(later) => {}
            () = queue.empty.cancelled() => return (Vec::new(), None),
        }
    }
    lane(run, queue).await
}

async fn lane(run: Arc<Run>, queue: Arc<Queue>) -> (Vec<(usize, Finished)>, Option<Fault>) {
    let mut done = Vec::new();
    loop {
        let Some(group) = queue.next() else {
            return (done, None);
        };
        for (n, line) in group {
            if run.stop.is_requested() {
                return (done, None);
            }
            let finished = match run.mode {
                Mode::Copy => mailbox::work(&run, &line).await,
                Mode::Check(depth) => crate::check::work(&run, &line, depth).await,
            };
            let ends_all = finished.unfinished.clone().filter(ends_everything);
            done.push((n, finished));
            if let Some(fault) = ends_all {
                // The other lanes stop cleanly; what they have is settled.
                run.stop.request();
                return (done, Some(fault));
            }
        }
    }
}

/// Whether going on with other mailboxes is pointless.
fn ends_everything(fault: &Fault) -> bool {
    match fault.remedy {
        Remedy::AskUser => fault.reach >= Reach::Side,
        Remedy::Bug => true,
        Remedy::Retry { .. } => fault.reach >= Reach::Side,
        Remedy::Skip => fault.reach >= Reach::Job,
    }
}

/// Mailboxes with doubts come last: by then the server has had time to settle.
async fn doubts_last(run: &Run, groups: Vec<Group>) -> Vec<Group> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for group in groups {
        let mut doubtful = false;
        for (_, line) in &group {
            if let Some(pairing) = &line.pairing {
                let intents = run.ledger.in_doubt(pairing.id).await;
                doubtful |= intents.is_ok_and(|i| !i.is_empty());
            }
        }
        if doubtful {
            last.push(group);
        } else {
            first.push(group);
        }
    }
    first.extend(last);
    first
}

fn unchanged(run: &Run, line: &MailboxPlan) -> Finished {
    let tally = line
        .pairing
        .as_ref()
        .and_then(|p| p.checkpoint.as_ref())
        .map_or_else(Tally::default, |c| c.tally);
    run.observer.note(&Event::MailboxStarted {
        mailbox: line.source.name.clone(),
        messages: tally.total(),
        to_copy: 0,
    });
    run.observer.note(&Event::MailboxDone {
        mailbox: line.source.name.clone(),
    });
    Finished::of(line, tally.total(), tally, None)
}

fn mailbox_not_reached(line: &MailboxPlan, reason: &Fault) -> Finished {
    let mut tally = Tally::default();
    let messages = line.source.state.map_or(0, |s| s.messages);
    tally.add(Outcome::FailedTemporary, messages, 0);
    Finished::of(line, messages, tally, Some(reason.clone()))
}

/// Lists the destination once more and keeps where everything stands, for the
/// mailboxes in which every message is final.
async fn checkpoint(run: &Run, done: &mut BTreeMap<usize, Finished>) -> Result<(), Fault> {
    let mut clean: Vec<Clean> = done.values_mut().filter_map(|f| f.clean.take()).collect();
    if clean.is_empty() || run.policy.stateless {
        return Ok(());
    }
    let listed: HashMap<MailboxName, _> = run
        .destination
        .mailboxes()
        .await?
        .into_iter()
        .filter_map(|m| Some((m.name, m.state?)))
        .collect();
    let writes = clean.drain(..).filter_map(|c| {
        let destination = *listed.get(&c.pairing.destination)?;
        let checkpoint = Checkpoint {
            source: c.source,
            destination,
            keys: c.keys,
            stored: c.stored,
            tally: c.tally,
        };
        Some(run.ledger.checkpoint(c.pairing.id, Some(checkpoint)))
    });
    futures::future::try_join_all(writes).await?;
    Ok(())
}

fn add_up(done: BTreeMap<usize, Finished>, stopped: Option<Fault>) -> Report {
    let mut report = Report {
        stopped,
        ..Report::default()
    };
    for finished in done.into_values() {
        report.mailboxes.push(finished.report);
        let room = Report::MAX_EXCEPTIONS.saturating_sub(report.exceptions.len());
        report
            .exceptions
            .extend(finished.exceptions.into_iter().take(room));
        report.notes.extend(finished.notes);
        report.differences += finished.differences;
        report.retries += finished.retries;
        report.unfinished += u64::from(finished.unfinished.is_some());
    }
    report
}
