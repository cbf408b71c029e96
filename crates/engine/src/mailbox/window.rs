//! Copying one window of messages, until each of them is there or failed by name.

use super::scene::Scene;
use super::shut::Shut;
use super::{RECORDS, Work};
use crate::batch::Stub;
use crate::doubt::{self, Doubt, Settling};
use crate::matching::{self, Found};
use crate::pace::{Backoff, Dice, Next, Seat};
use crate::prove::{self, Copied, Proof};
use crate::transfer::{self, Pass, Passed, Refused};
use futures::StreamExt;
use hikyaku_core::ledger::{Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Facts;
use hikyaku_core::{Code, Epoch, Fault, HeadDigest, Key, KeySet, Reach, Remedy, Side};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// Messages that are not there yet, with what is known of them and why.
type Failed = BTreeMap<Key, (Option<Stub>, Fault)>;

/// How the next pass is made.
struct Manner {
    /// One message per append.
    single: bool,
    /// Without keywords and dates that servers are known to refuse.
    bare: bool,
    /// Tries that are left for what failed for a passing reason.
    tries_left: u32,
    /// Refused for good as they are: to be tried bare.
    stripped: KeySet,
}

impl Work<'_> {
    /// Copies one window: together; then, what was refused, one by one; then, what is
    /// refused for good even so, without keywords and odd dates. A passing refusal is
    /// tried again as it is.
    pub(super) async fn copy_window(
        &mut self,
        scene: &mut Scene,
        seat: &mut Seat,
        window: KeySet,
    ) -> Result<(), Fault> {
        let run = self.run.clone();
        let patience = &run.policy.patience;
        let most = transfer::most_per_append(run.destination.abilities().appends_batches);
        let mut manner = Manner {
            single: most == 1,
            bare: false,
            tries_left: patience.message_tries.saturating_sub(1),
            stripped: KeySet::new(),
        };
        let mut backoff = Backoff::new(patience.backoff, patience.backoff_max);
        let mut dice = Dice::new(run.seed);
        let mut failed: Failed = BTreeMap::new();
        let mut todo = window;
        loop {
            let pass = Pass {
                run: &run,
                mailbox: &self.line.source.name,
                pairing: scene.pairing.id,
                epoch: scene.epoch,
                destination_epoch: scene.destination_epoch,
                next: scene.writer.state().next.unwrap_or(Key(1)),
                most: if manner.single { 1 } else { most },
                bare: manner.bare,
            };
            let mut passed = pass
                .carry(scene.reader.as_mut(), scene.writer.as_mut(), &todo)
                .await;
            let refused = std::mem::take(&mut passed.refused);
            let unread = todo.minus(&passed.seen);
            if let Some(fault) = &passed.broken {
                self.suspect(&passed, fault);
            }
            if let Some(fault) = self.take_in(scene, passed, &mut failed).await? {
                return Err(fault);
            }
            let mut again = self
                .look_up_refused(scene, refused, &manner, &mut failed)
                .await?;
            self.look_up_unread(scene, &unread, &mut failed).await?;
            let wait = sort_failed(&mut failed, &mut again, &mut manner);
            if again.is_empty() && (manner.bare || manner.stripped.is_empty()) {
                return self.give_up(scene, failed).await;
            }
            self.finished.retries += 1;
            if let Some((after, because)) = wait {
                if run.pace.retry(&because) == Next::GiveUp {
                    return Err(Fault {
                        reach: Reach::Side,
                        ..because
                    });
                }
                seat.pause(&run.stop).await?;
                let wait = backoff.next(Some(after), dice.part());
                run.wait(wait, &because).await?;
                if because.at.side == Some(Side::Source) && !self.unstable.contains(&Side::Source) {
                    // What this connection does not hand out, another one may.
                    scene.reopen_source(&run, self.line).await?;
                }
            }
            manner.single = true;
            if again.is_empty() {
                manner.bare = true;
                again = std::mem::take(&mut manner.stripped);
            }
            todo = again;
        }
    }

    /// Books what a pass brought and proves it. Returns why the pass ended early, if it
    /// did; then nothing more can be asked of these connections.
    async fn take_in(
        &mut self,
        scene: &mut Scene,
        passed: Passed,
        failed: &mut Failed,
    ) -> Result<Option<Fault>, Fault> {
        for (text, messages) in passed.flags_lost {
            *self.flags_lost.entry(text).or_default() += messages;
        }
        self.dates_lost += passed.dates_lost;
        for (key, fault) in passed.unreadable {
            failed.insert(key, (None, fault));
        }
        if passed.broken.is_some() {
            self.count(&passed.copied, &Missing::default());
            return Ok(passed.broken);
        }
        let (placed, nowhere) = self.place(scene, &passed.copied).await?;
        let copied: Vec<Copied<'_>> = passed
            .copied
            .iter()
            .filter_map(|(stub, key)| {
                let stored = key.or_else(|| placed.get(&stub.key).copied())?;
                Some(Copied { stub, stored })
            })
            .collect();
        let proof = self.prove(scene, &copied).await?;
        let missing = self.taken_away(scene, &proof.missing, nowhere, &passed.copied);
        let missing = missing.await?;
        self.count(&passed.copied, &missing);
        self.stored.extend(&placed.values().copied().collect());
        // An OK without a message: the record must not claim one, and it goes again.
        let records: Vec<Settled> = passed
            .copied
            .iter()
            .filter(|(stub, _)| missing.lies.contains(stub.key))
            .map(|(stub, _)| Settled {
                code: Some(Code::VerifyDifference),
                ..stub.settled(scene.epoch, Outcome::FailedTemporary, None, Verified::No)
            })
            .collect();
        if !records.is_empty() {
            self.run
                .ledger
                .settle(scene.pairing.id, records, Vec::new())
                .await?;
        }
        for key in missing.lies.iter() {
            failed.insert(key, (None, prove::missing(key)));
        }
        self.finished.report.read_back += proof.read_back;
        self.dates_lost += proof.dates_lost;
        self.altered.extend(proof.altered);
        for (key, fault) in proof.different {
            self.finished.differences += 1;
            self.name(key, None, Some(Outcome::Copied), fault);
        }
        Ok(None)
    }

    /// Proves the window. Some servers show what was appended only to those who open the
    /// mailbox anew: nothing counts as missing before that was tried.
    async fn prove(&self, scene: &mut Scene, copied: &[Copied<'_>]) -> Result<Proof, Fault> {
        let (pairing, epoch) = (scene.pairing.clone(), scene.epoch);
        for anew in [false, true] {
            if anew {
                scene.renew_writer(&self.run).await?;
            }
            let proof = prove::prove(
                &self.run,
                &pairing,
                epoch,
                copied,
                scene.reader.as_mut(),
                scene.writer.as_mut(),
            )
            .await?;
            if anew || proof.missing.is_empty() {
                return Ok(proof);
            }
        }
        Err(Fault::bug("a proof ends at its second look"))
    }

    /// Sorts what was acknowledged and is not there. A key below the destination's UIDNEXT
    /// was given to a message: its owner has taken it away since, and it stays away. Where
    /// no keys are told, UIDNEXT shows that something went, and the other mailboxes show
    /// whether it was this. Anything else was never stored.
    async fn taken_away(
        &mut self,
        scene: &mut Scene,
        missing: &[(Key, Key)],
        nowhere: KeySet,
        copied: &[(Stub, Option<Key>)],
    ) -> Result<Missing, Fault> {
        let mut out = Missing::default();
        if missing.is_empty() && nowhere.is_empty() {
            return Ok(out);
        }
        // What is only hidden now was not taken away.
        let mut stored: Vec<Key> = missing.iter().map(|(_, stored)| *stored).collect();
        stored.sort_unstable();
        let stored: KeySet = stored.into_iter().collect();
        matching::nothing_is_hidden(scene.writer.as_mut(), &stored).await?;
        let next = scene.writer.state().next;
        for (key, stored) in missing {
            match next.is_some_and(|next| *stored < next) {
                true => out.taken.insert(*key),
                false => out.lies.insert(*key),
            }
        }
        if !nowhere.is_empty() && something_went(scene).await? {
            let run = self.run.clone();
            scene.shut_destination();
            let doubt = Doubt {
                run: &run,
                pairing: &scene.pairing,
                destination: &scene.info,
                epoch: scene.epoch,
                settling: Settling::Answered,
                sent: HashMap::new(),
            };
            let found = doubt
                .find_elsewhere(scene.reader.as_mut(), &KeySet::new(), &nowhere)
                .await?;
            for m in found {
                out.taken.insert(m.source.key);
            }
            scene.renew_writer(&run).await?;
        }
        out.lies.extend(&nowhere.minus(&out.taken));
        let removed = Outcome::RemovedAtDestination;
        let records = copied
            .iter()
            .filter(|(stub, _)| out.taken.contains(stub.key))
            .map(|(stub, _)| stub.settled(scene.epoch, removed, None, Verified::No))
            .collect();
        self.record(scene.pairing.id, records).await?;
        Ok(out)
    }

    /// Counts what was copied, without what turned out to be missing.
    fn count(&mut self, copied: &[(Stub, Option<Key>)], missing: &Missing) {
        let there = |key| !missing.lies.contains(key) && !missing.taken.contains(key);
        for (stub, key) in copied.iter().filter(|(s, _)| there(s.key)) {
            self.tally.add(Outcome::Copied, 1, stub.octets);
            self.done.insert(stub.key);
            key.iter().for_each(|key| self.stored.insert(*key));
            self.finished.report.copied_now += 1;
            self.finished.report.octets_now += stub.octets;
            self.suspects.relax();
        }
    }

    /// What was refused may have been stored all the same: it is looked up before
    /// anything is sent again. Returns what goes again because it was refused together
    /// with others; what was refused alone is added to `failed`.
    async fn look_up_refused(
        &mut self,
        scene: &mut Scene,
        refused: Vec<Refused>,
        manner: &Manner,
        failed: &mut Failed,
    ) -> Result<KeySet, Fault> {
        let mut again = KeySet::new();
        if refused.is_empty() {
            return Ok(again);
        }
        let mut intents = self.run.ledger.in_doubt(scene.pairing.id).await?;
        intents.retain(|(id, _)| refused.iter().any(|r| r.intent == *id));
        let doubt = Doubt {
            run: &self.run,
            pairing: &scene.pairing,
            destination: &scene.info,
            epoch: scene.epoch,
            settling: Settling::Answered,
            sent: refused
                .iter()
                .flat_map(|r| &r.stubs)
                .map(|stub| (stub.key, stub.flags.clone()))
                .collect(),
        };
        let source = scene.reader.as_mut();
        scene.writer = Shut::writer(scene.writer.as_ref());
        let found = doubt.resolve(source, intents).await?;
        scene.renew_writer(&self.run).await?;
        self.count_found(&found);
        let found: HashMap<Key, _> = found.iter().map(|m| (m.source.key, m)).collect();
        for r in refused {
            for stub in r.stubs {
                match found.get(&stub.key).map(|m| m.found) {
                    Some(Found::There { key, .. }) => {
                        self.tally.add(Outcome::Copied, 1, stub.octets);
                        self.done.insert(stub.key);
                        self.stored.insert(key);
                    }
                    Some(Found::Ghost) => {}
                    None if manner.single => {
                        failed.insert(stub.key, (Some(stub), r.fault.clone()));
                    }
                    None => again.insert(stub.key),
                }
            }
        }
        Ok(again)
    }

    /// Keys that neither came nor failed by name: gone, or failed for now.
    async fn look_up_unread(
        &mut self,
        scene: &mut Scene,
        unread: &KeySet,
        failed: &mut Failed,
    ) -> Result<(), Fault> {
        if unread.is_empty() {
            return Ok(());
        }
        let mut still = doubt::present(scene.reader.as_mut(), unread).await?;
        if still.len() < unread.len() && !self.unstable.contains(&Side::Source) {
            // One look that leaves a message out is no proof that it is gone.
            let now = scene.reopen_source(&self.run.clone(), self.line).await?;
            still.extend(&unread.and(&now));
        }
        let gone = unread.minus(&still);
        let records = gone
            .iter()
            .map(|k| doubt::vanished(scene.epoch, k))
            .collect();
        self.record(scene.pairing.id, records).await?;
        for key in still.iter() {
            let fault = Fault::new(
                Code::MessageUnreadable,
                Reach::Message,
                Remedy::Retry { after: None },
                "the server lists the message and left it out of its answer",
            )
            .on(Side::Source)
            .message(key);
            failed.insert(key, (None, fault));
        }
        Ok(())
    }

    /// Records what failed for good, or for this run.
    async fn give_up(&mut self, scene: &mut Scene, failed: Failed) -> Result<(), Fault> {
        let mut records = Vec::new();
        for (key, (stub, fault)) in failed {
            let outcome = match fault.is_temporary() {
                true => Outcome::FailedTemporary,
                false => Outcome::FailedPermanent,
            };
            let blank = || doubt::vanished(scene.epoch, key);
            let settled = stub.as_ref().map_or_else(blank, |stub| {
                stub.settled(scene.epoch, outcome, None, Verified::No)
            });
            records.push(Settled {
                outcome,
                code: Some(fault.code),
                ..settled
            });
            let octets = stub.as_ref().map(|s| s.octets);
            self.name(key, octets, Some(outcome), fault);
        }
        self.record(scene.pairing.id, records).await
    }

    /// Finds the destination keys of messages whose append did not report them, by
    /// source key. They lie in the order in which they were sent; only those that no
    /// record owns count. Also says which have no place at all: nothing new is there
    /// that they could be, in whatever form.
    async fn place(
        &mut self,
        scene: &mut Scene,
        copied: &[(Stub, Option<Key>)],
    ) -> Result<(HashMap<Key, Key>, KeySet), Fault> {
        let mut placed = HashMap::new();
        let mut unplaced: Vec<&Stub> = copied
            .iter()
            .filter(|(_, key)| key.is_none())
            .map(|(stub, _)| stub)
            .collect();
        for anew in [false, true] {
            if unplaced.is_empty() {
                return Ok((placed, KeySet::new()));
            }
            if anew {
                // Some servers show what is new only to those who open the mailbox anew.
                scene.renew_writer(&self.run).await?;
            }
            let mut free = self.newcomers(scene).await?;
            let mut records = Vec::new();
            unplaced.retain(|stub| {
                let head = stub.digest.get().map(|print| print.head);
                let queue = head.and_then(|head| free.get_mut(&head));
                let Some(key) = queue.and_then(VecDeque::pop_front) else {
                    return true;
                };
                let stored = Some((scene.destination_epoch, key));
                let acknowledged = Verified::Acknowledged;
                records.push(stub.settled(scene.epoch, Outcome::Copied, stored, acknowledged));
                placed.insert(stub.key, key);
                false
            });
            for chunk in records.chunks(RECORDS) {
                let records = chunk.to_vec();
                let ledger = &self.run.ledger;
                ledger.settle(scene.pairing.id, records, Vec::new()).await?;
            }
            if free.values().any(|queue| !queue.is_empty()) {
                return Ok((placed, KeySet::new()));
            }
        }
        Ok((placed, unplaced.iter().map(|stub| stub.key).collect()))
    }

    /// What is new in the destination mailbox and owned by no record, by header.
    async fn newcomers(
        &self,
        scene: &mut Scene,
    ) -> Result<HashMap<HeadDigest, VecDeque<Key>>, Fault> {
        let ledger = &self.run.ledger;
        let owned = match scene.destination_epoch {
            Epoch(0) => self.stored.clone(),
            epoch => ledger.owned(&scene.pairing.destination, epoch).await?,
        };
        let candidates = scene.writer.keys().await?.minus(&scene.there).minus(&owned);
        let facts = Facts {
            head: true,
            ..Facts::default()
        };
        let mut free: HashMap<HeadDigest, VecDeque<Key>> = HashMap::new();
        let mut seen = KeySet::new();
        let mut flow = scene.writer.list(&candidates, facts);
        while let Some(item) = flow.next().await {
            match item {
                Ok(listing) => {
                    seen.insert(listing.key);
                    let queue = listing.head.map(|head| free.entry(head).or_default());
                    queue.into_iter().for_each(|q| q.push_back(listing.key));
                }
                Err(fault) if fault.reach == Reach::Message => {}
                Err(fault) => return Err(fault),
            }
        }
        drop(flow);
        // What is hidden now is not missing: it must not be sent again.
        matching::nothing_is_hidden(scene.writer.as_mut(), &candidates.minus(&seen)).await?;
        Ok(free)
    }
}

/// Whether the destination gave out more keys since the mailbox was opened than are there.
async fn something_went(scene: &mut Scene) -> Result<bool, Fault> {
    let (Some(first), Some(next)) = (scene.next, scene.writer.state().next) else {
        return Ok(true);
    };
    let keys = scene.writer.keys().await?;
    let visible = KeySet::range(first.0..=u64::MAX).and(&keys);
    Ok(next.0.saturating_sub(first.0) > visible.len())
}

/// What was acknowledged and is not there.
#[derive(Default)]
struct Missing {
    /// Never stored.
    lies: KeySet,
    /// Stored, and taken away by the owner.
    taken: KeySet,
}

/// Takes out of `failed` what is worth another try, and says how long to wait first, and why.
fn sort_failed(
    failed: &mut Failed,
    again: &mut KeySet,
    manner: &mut Manner,
) -> Option<(Duration, Fault)> {
    let mut wait: Option<(Duration, Fault)> = None;
    failed.retain(|key, (stub, fault)| {
        if let (Remedy::Retry { after }, 1..) = (fault.remedy, manner.tries_left) {
            let after = after.unwrap_or_default();
            let is_source = fault.at.side == Some(Side::Source);
            // The longest wait counts, and a message that was not read needs a new
            // connection whatever else there is.
            wait = match wait.take() {
                Some((longest, because)) if !is_source => Some((longest.max(after), because)),
                Some((longest, _)) => Some((longest.max(after), fault.clone())),
                None => Some((after, fault.clone())),
            };
            again.insert(*key);
            false
        } else if !manner.bare && !fault.is_temporary() && stub.as_ref().is_some_and(has_frills) {
            manner.stripped.insert(*key);
            false
        } else {
            true
        }
    });
    if wait.is_some() {
        manner.tries_left -= 1;
    }
    wait
}

/// Whether a message carries something that could be left off when it is refused.
fn has_frills(stub: &Stub) -> bool {
    let odd_date = stub
        .date
        .is_some_and(|d| !transfer::is_safe_date(d.seconds));
    odd_date || stub.flags.keywords().next().is_some()
}
