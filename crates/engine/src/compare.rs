//! What the ledger knows of a mailbox against what both sides show now.

use crate::job::Mode;
use crate::run::Run;
use hikyaku_core::ledger::{Pairing, Settled, Verified};
use hikyaku_core::report::{Outcome, Tally};
use hikyaku_core::{ContentHash, Epoch, Fault, HeadDigest, Key, KeySet};
use std::collections::HashMap;

/// Records per page: bounds memory, costs one query each.
const PAGE: u32 = 4_096;

/// The comparison: every source key is in exactly one of `done`, `removed` and `todo`.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Final outcomes that still hold.
    pub(crate) done: KeySet,
    /// Destination keys of the done ones, where known.
    pub(crate) stored: KeySet,
    /// Done ones that were only acknowledged, without a key.
    pub(crate) unplaced: KeySet,
    /// The outcomes of `done`.
    pub(crate) tally: Tally,
    /// Recorded as there, and no longer there.
    pub(crate) removed: Vec<Settled>,
    /// Acknowledged once, never seen there, and not there now; part of `todo`.
    pub(crate) unproven: KeySet,
    /// Of `todo`, those whose record claims that they are there.
    pub(crate) stale: KeySet,
    /// Failed by name in an earlier run or attempt; part of `todo`.
    pub(crate) failed: KeySet,
    /// To be matched or copied.
    pub(crate) todo: KeySet,
    /// Done ones that were found in another mailbox than the mapped one.
    pub(crate) elsewhere: Vec<Settled>,
    /// Done ones that an undo was about to take back when it broke off.
    pub(crate) half_taken: Vec<Settled>,
    /// Recorded as there under keys of another destination epoch.
    pub(crate) replaced: KeySet,
    /// Of these, those that somebody else had put there.
    pub(crate) replaced_foreign: KeySet,
    /// Recorded messages that the source no longer has.
    pub(crate) gone: u64,
    /// Content of messages that the owner removed, recorded in another source epoch.
    pub(crate) ghosts: Vec<(HeadDigest, ContentHash)>,
    /// Content of messages that are recorded as removed in this epoch.
    pub(crate) accepted: Vec<(HeadDigest, ContentHash)>,
    /// Destination keys that records of another source epoch own: free to be matched.
    pub(crate) orphans: KeySet,
    /// Of these, those of messages that somebody else put there.
    pub(crate) foreign: KeySet,
    /// Whether records exist for other source epochs only.
    pub(crate) epoch_changed: bool,
}

impl Compared {
    /// A message that counted as done is to do again.
    pub(crate) fn forget(&mut self, settled: &Settled) {
        if self.done.remove(settled.key) {
            self.tally = without(&self.tally, settled);
            self.todo.insert(settled.key);
            self.stale.insert(settled.key);
        }
    }
}

/// What both sides hold now.
pub(crate) struct Now<'a> {
    pub(crate) epoch: Epoch,
    pub(crate) keys: &'a KeySet,
    pub(crate) destination_epoch: Epoch,
    pub(crate) there: &'a KeySet,
}

/// Compares. Loads no rows for what a checkpoint already tells.
pub(crate) async fn compare(
    run: &Run,
    pairing: &Pairing,
    now: &Now<'_>,
) -> Result<Compared, Fault> {
    let mut out = match from_checkpoint(run, pairing, now).await? {
        Some(compared) => compared,
        None => from_records(run, pairing, now).await?,
    };
    out.todo = now.keys.minus(&out.done);
    for settled in &out.removed {
        out.todo.remove(settled.key);
    }
    Ok(out)
}

async fn from_checkpoint(
    run: &Run,
    pairing: &Pairing,
    now: &Now<'_>,
) -> Result<Option<Compared>, Fault> {
    let Some(checkpoint) = &pairing.checkpoint else {
        return Ok(None);
    };
    let valid = now.epoch.0 != 0
        && now.destination_epoch.0 != 0
        && checkpoint.source.epoch == Some(now.epoch)
        && checkpoint.destination.epoch == Some(now.destination_epoch)
        && !run.policy.recopy
        && !run.policy.replaces();
    if !valid {
        return Ok(None);
    }
    let mut out = Compared {
        done: checkpoint.keys.and(now.keys),
        stored: checkpoint.stored.and(now.there),
        tally: checkpoint.tally,
        ..Compared::default()
    };
    let ledger = &run.ledger;
    let gone = checkpoint.keys.minus(now.keys);
    out.gone = gone.len();
    for settled in ledger.lookup(pairing.id, now.epoch, &gone).await? {
        out.tally = without(&out.tally, &settled);
        if let Some((_, key)) = settled.stored {
            out.stored.remove(key);
        }
    }
    let missing = checkpoint.stored.minus(now.there);
    for settled in ledger
        .lookup_stored(pairing.id, now.destination_epoch, &missing)
        .await?
    {
        if settled.epoch == now.epoch && out.done.remove(settled.key) {
            out.tally = without(&out.tally, &settled);
            out.removed.push(settled);
        }
    }
    Ok(Some(out))
}

async fn from_records(run: &Run, pairing: &Pairing, now: &Now<'_>) -> Result<Compared, Fault> {
    let mut out = Compared::default();
    let mut any = false;
    // A check reports what was decided; a copy goes by what is wanted today.
    let counts_elsewhere = run.policy.looks_elsewhere() || run.mode != Mode::Copy;
    if now.epoch.0 != 0 {
        let mut pages = Pages::new(run, pairing, now.epoch);
        while let Some(page) = pages.next().await? {
            any = true;
            for settled in page {
                match settled.outcome == Outcome::AlreadyThere
                    && settled.elsewhere.is_some()
                    && counts_elsewhere
                    && now.keys.contains(settled.key)
                {
                    true => {
                        keep(&mut out, &settled);
                        out.elsewhere.push(settled);
                    }
                    false => sort_in(&mut out, settled, now, run.policy.brings_back()),
                }
            }
        }
    }
    if out.done.len() + out.removed.len() as u64 == now.keys.len() {
        return Ok(out);
    }
    let history: Vec<Epoch> = run.ledger.epochs(pairing.id).await?;
    let old: Vec<Epoch> = history
        .into_iter()
        .filter(|epoch| *epoch != now.epoch || now.epoch.0 == 0)
        .collect();
    out.epoch_changed = !any && !old.is_empty();
    let mut past = Past::default();
    for epoch in old {
        let mut pages = Pages::new(run, pairing, epoch);
        let mut ghosts = HashMap::new();
        while let Some(page) = pages.next().await? {
            for settled in page {
                past.remember(&mut ghosts, &settled, now);
            }
        }
        past.keep_most(ghosts);
    }
    past.tell(&mut out);
    if run.policy.replaces() {
        // Only what others put there is there already; what was removed comes back.
        out.orphans = out.foreign.clone();
        out.ghosts.clear();
    }
    Ok(out)
}

/// Whether the message was proven to be where its record says, in the present epoch of the
/// destination. What was only acknowledged may never have been there.
fn was_seen(settled: &Settled, now: &Now<'_>) -> bool {
    let is_present = settled.verified > Verified::Acknowledged;
    let stored = settled.stored.filter(|_| is_present);
    stored.is_some_and(|(epoch, _)| epoch == now.destination_epoch)
}

/// Removed messages by header and content: how many of each.
type Removed = HashMap<(HeadDigest, ContentHash), usize>;

/// What records of other source epochs tell. Their keys are history, their content is
/// not. An attempt to carry them over may have broken off half-way: what it wrote
/// under the present epoch is not told twice.
#[derive(Default)]
struct Past {
    there: Vec<Key>,
    /// Of these, those that are copies of ours.
    ours: Vec<Key>,
    ghosts: Removed,
}

impl Past {
    fn remember(&mut self, ghosts: &mut Removed, settled: &Settled, now: &Now<'_>) {
        if settled.elsewhere.is_some() {
            // Its key means nothing in this mailbox.
            return;
        }
        let there = settled
            .stored
            .filter(|(epoch, key)| *epoch == now.destination_epoch && now.there.contains(*key));
        match (there, settled.outcome, settled.head, settled.content) {
            (Some((_, key)), ..) => {
                self.there.push(key);
                if settled.outcome != Outcome::AlreadyThere {
                    self.ours.push(key);
                }
            }
            // Taken back by an undo that broke off: nobody else removed it.
            _ if settled.is_being_taken_back() => {}
            (None, outcome, Some(head), Some(content))
                if outcome.is_final()
                    && (outcome == Outcome::RemovedAtDestination || was_seen(settled, now)) =>
            {
                *ghosts.entry((head, content)).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Each epoch carried the ghosts of the one before over: they are the same ones.
    fn keep_most(&mut self, of_one_epoch: Removed) {
        for (content, count) in of_one_epoch {
            let known = self.ghosts.entry(content).or_default();
            *known = count.max(*known);
        }
    }

    fn tell(mut self, out: &mut Compared) {
        let set = |mut keys: Vec<Key>| -> KeySet {
            keys.sort_unstable();
            keys.into_iter().collect()
        };
        out.orphans = set(self.there).minus(&out.stored);
        out.foreign = out.orphans.minus(&set(self.ours));
        for content in &out.accepted {
            if let Some(count) = self.ghosts.get_mut(content) {
                *count = count.saturating_sub(1);
            }
        }
        for (content, count) in self.ghosts {
            out.ghosts.extend(std::iter::repeat_n(content, count));
        }
    }
}

fn sort_in(out: &mut Compared, settled: Settled, now: &Now<'_>, recopy: bool) {
    if !now.keys.contains(settled.key) {
        out.gone += u64::from(settled.outcome.is_final());
        return;
    }
    let placed = settled
        .stored
        .filter(|(epoch, _)| *epoch == now.destination_epoch && epoch.0 != 0);
    match settled.outcome {
        Outcome::Copied | Outcome::AlreadyThere => match (placed, settled.stored) {
            (Some((_, key)), _) if now.there.contains(key) => {
                out.stored.insert(key);
                if settled.is_being_taken_back() {
                    out.half_taken.push(settled.clone());
                }
                keep(out, &settled);
            }
            (Some(_), _) if settled.is_being_taken_back() => out.stale.insert(settled.key),
            (Some(_), _) if settled.verified <= Verified::Acknowledged => {
                out.unproven.insert(settled.key);
                out.stale.insert(settled.key);
            }
            (Some(_), _) => out.removed.push(settled),
            (None, Some(_)) => {
                out.replaced.insert(settled.key);
                if settled.outcome == Outcome::AlreadyThere {
                    out.replaced_foreign.insert(settled.key);
                }
                out.stale.insert(settled.key);
            }
            (None, None) => {
                if settled.verified <= Verified::Acknowledged {
                    out.unplaced.insert(settled.key);
                }
                keep(out, &settled);
            }
        },
        Outcome::RemovedAtDestination if !recopy => {
            out.accepted.extend(settled.head.zip(settled.content));
            keep(out, &settled);
        }
        // Not there yet, or wanted again: to do.
        Outcome::FailedTemporary | Outcome::FailedPermanent => out.failed.insert(settled.key),
        Outcome::RemovedAtDestination => out.stale.insert(settled.key),
        Outcome::Skipped | Outcome::Vanished => {}
    }
}

fn keep(out: &mut Compared, settled: &Settled) {
    out.done.insert(settled.key);
    out.tally.add(settled.outcome, 1, settled.octets);
}

fn without(tally: &Tally, settled: &Settled) -> Tally {
    let mut out = Tally::default();
    for outcome in Outcome::ALL {
        let (mut messages, mut octets) = (tally.messages(outcome), tally.octets(outcome));
        if outcome == settled.outcome {
            messages = messages.saturating_sub(1);
            octets = octets.saturating_sub(settled.octets);
        }
        out.add(outcome, messages, octets);
    }
    out
}

/// The records of one pairing and epoch, page by page.
pub(crate) struct Pages<'a> {
    run: &'a Run,
    pairing: &'a Pairing,
    epoch: Epoch,
    after: Option<Key>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(run: &'a Run, pairing: &'a Pairing, epoch: Epoch) -> Self {
        Self {
            run,
            pairing,
            epoch,
            after: None,
            ended: false,
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Settled>>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let page = self
            .run
            .ledger
            .known(self.pairing.id, self.epoch, self.after, PAGE)
            .await?;
        self.after = page.last().map(|s| s.key);
        self.ended = (page.len() as u32) < PAGE;
        Ok((!page.is_empty()).then_some(page))
    }
}
