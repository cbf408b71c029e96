//! Lanes: how many mailboxes are worked on at once, and in which order.
//!
//! Source mailboxes that go into one destination mailbox are one piece of work: two
//! writers in one mailbox would be slower, and doubts there have one resolver.

use crate::arrivals;
use crate::job::Mode;
use crate::mailbox::{self, Finished, Until};
use crate::pace::Seat;
use crate::run::{Run, ends_everything};
use crate::undo::replace;
use hikyaku_core::ledger::Checkpoint;
use hikyaku_core::plan::{MailboxPlan, Plan, Step};
use hikyaku_core::report::{Outcome, Report, Tally};
use hikyaku_core::{Code, Event, Fault, MailboxInfo, MailboxName};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between the starts of the second lane and each further one.
const LANE_EVERY: Duration = Duration::from_millis(150);

/// One piece of work: the lines of the plan that go into one destination mailbox.
type Group = Vec<Task>;

/// A line of the plan by its number, and how far it is to be worked on.
pub(crate) type Task = (usize, MailboxPlan, Until);

/// Results by line of the plan.
pub(crate) type Done = BTreeMap<usize, Finished>;

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

/// Works the whole plan and adds it up. `before` is what was found out of its lines up to now.
pub(crate) async fn work(run: &Arc<Run>, plan: &Plan, mut before: Done) -> Report {
    let mut done = Done::new();
    let mut wanted = Vec::new();
    for (n, line) in plan.mailboxes.iter().enumerate() {
        match &line.step {
            Step::Skip(_) => {}
            Step::Unchanged => {
                done.insert(n, unchanged(run, line));
            }
            Step::Copy { .. } => match before.get_mut(&n) {
                Some(first) if first.unfinished.is_some() => {}
                Some(Finished { sought, .. }) => {
                    let sought = sought.take().map(Arc::new);
                    let until = sought.map_or(Until::Copied, Until::Sought);
                    wanted.push((n, line.clone(), until));
                }
                None => wanted.push((n, line.clone(), Until::Copied)),
            },
        }
    }
    if run.mode == Mode::Copy
        && let Err(fault) = pair_all(run, plan).await
    {
        run.end(&fault);
    }
    done.extend(spread(run, wanted).await);
    for (n, mut first) in before {
        match (first.unfinished.is_some(), done.remove(&n)) {
            (false, Some(later)) => first.continue_with(later),
            (false, None) => continue,
            (true, _) => {}
        }
        done.insert(n, first);
    }
    // What no lane reached has no outcome yet.
    let reason = run.reason();
    for (n, line) in plan.mailboxes.iter().enumerate() {
        if Run::is_work(line) && !done.contains_key(&n) {
            done.insert(n, mailbox_not_reached(line, &reason));
        }
    }
    let mut earlier = Report::default();
    let all_done = run.ended().is_none() && done.values().all(|f| f.unfinished.is_none());
    if run.mode == Mode::Copy
        && run.policy.replaces()
        && all_done
        && let Err(fault) = replace::finish(run, plan, &mut earlier).await
    {
        run.end(&fault);
    }
    if run.mode == Mode::Copy
        && let Err(fault) = close(run, plan, &mut done).await
    {
        // What arrived comes with the next run, and without a checkpoint it looks closer;
        // nothing is lost.
        run.observer.note(&Event::Fault(fault));
    }
    Report {
        replaced: earlier.replaced,
        kept: earlier.kept,
        ..add_up(done, run.ended())
    }
}

/// Works on these lines, as many at once as may be.
pub(crate) async fn spread(run: &Arc<Run>, tasks: Vec<Task>) -> Done {
    let mut done = Done::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut at: HashMap<MailboxName, usize> = HashMap::new();
    for task in tasks {
        let group = *at.entry(task.1.destination.clone()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(task);
    }
    let groups = doubts_last(run, groups).await;
    let lanes = run
        .policy
        .lanes
        .min(run.source.abilities().lanes)
        .min(run.destination.abilities().lanes)
        .clamp(1, groups.len().max(1));
    // What fits is decided mailbox by mailbox, INBOX first.
    let lanes = if run.policy.fit { 1 } else { lanes };
    run.pace.set_lanes(lanes);
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
            Ok(finished) => done.extend(finished),
            Err(error) => run.end(&Fault::bug(format!("a lane ended: {error}"))),
        }
    }
    done
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
async fn late_lane(run: Arc<Run>, queue: Arc<Queue>, number: usize) -> Vec<(usize, Finished)> {
    let later = LANE_EVERY * u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
    if !later.is_zero() {
        tokio::select! {
            _ = run.sleep(later) => {}
            () = queue.empty.cancelled() => return Vec::new(),
        }
    }
    lane(run, queue).await
}

async fn lane(run: Arc<Run>, queue: Arc<Queue>) -> Vec<(usize, Finished)> {
    let mut done = Vec::new();
    let mut seat = Seat::new(run.pace.clone());
    loop {
        let settled = tokio::select! {
            settled = seat.settle(&run.stop) => settled,
            () = queue.empty.cancelled() => return done,
        };
        let (Ok(()), Some(group)) = (settled, queue.next()) else {
            return done;
        };
        for (n, line, until) in group {
            if run.stop.is_requested() || run.ended().is_some() {
                return done;
            }
            let finished = match run.mode {
                Mode::Copy => mailbox::work(&run, &line, &until, &mut seat).await,
                Mode::Check(depth) => crate::check::work(&run, &line, depth, &mut seat).await,
            };
            heed(&run, &finished);
            done.push((n, finished));
        }
    }
}

/// Ends the run where what came up in one mailbox leaves the others no chance.
pub(crate) fn heed(run: &Run, finished: &Finished) {
    match finished.unfinished.as_ref().filter(|f| ends(run, f)) {
        Some(fault) if fault.code == Code::QuotaReserve => run.begin_nothing_new(fault),
        // The other lanes stop cleanly; what they have is settled.
        Some(fault) => run.end(fault),
        None => {}
    }
}

/// Whether the other mailboxes have no chance either.
fn ends(run: &Run, fault: &Fault) -> bool {
    let is_full_by_choice = run.policy.fit && fault.code == Code::QuotaReserve;
    ends_everything(fault) && !is_full_by_choice && fault.code != Code::Interrupted
}

/// Mailboxes with doubts come last: by then the server has had time to settle.
async fn doubts_last(run: &Run, groups: Vec<Group>) -> Vec<Group> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for group in groups {
        let mut doubtful = false;
        for (_, line, _) in &group {
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
    let mut finished = Finished::of(line, tally.total(), tally, None);
    finished.seen = line.source.state;
    finished
}

fn mailbox_not_reached(line: &MailboxPlan, reason: &Fault) -> Finished {
    let mut tally = Tally::default();
    let messages = line.source.state.map_or(0, |s| s.messages);
    tally.add(Outcome::FailedTemporary, messages, 0);
    Finished::of(line, messages, tally, Some(reason.clone()))
}

/// The end of a copy: what arrived meanwhile is followed, and where everything stands is
/// kept, for the mailboxes in which every message is final. Both sides are listed at once.
async fn close(run: &Arc<Run>, plan: &Plan, done: &mut Done) -> Result<(), Fault> {
    let is_clean = |done: &Done| done.values().any(|f| f.clean.is_some()) && !run.policy.stateless;
    let destination = async {
        match is_clean(done) {
            true => run.destination.mailboxes().await,
            false => Ok(Vec::new()),
        }
    };
    let (arrived, stands) = futures::join!(arrivals::look(run, plan), destination);
    let followed = match arrived {
        Ok(listed) => arrivals::follow_up(run, plan, listed, done).await,
        Err(fault) => {
            run.observer.note(&Event::Fault(fault));
            false
        }
    };
    if !is_clean(done) {
        return Ok(());
    }
    let stands = match followed {
        true => run.destination.mailboxes().await?,
        false => stands?,
    };
    checkpoint(run, done, stands).await
}

async fn checkpoint(run: &Run, done: &mut Done, stands: Vec<MailboxInfo>) -> Result<(), Fault> {
    let listed: HashMap<MailboxName, _> = stands
        .into_iter()
        .filter_map(|m| Some((m.name, m.state?)))
        .collect();
    let clean = done.values_mut().filter_map(|f| f.clean.take());
    let writes = clean.filter_map(|c| {
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

fn add_up(done: Done, stopped: Option<Fault>) -> Report {
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
