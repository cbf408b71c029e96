//! The work on one mailbox, from opening both sides to its report.
//!
//! An attempt that breaks off (a lost connection, a throttled server) is simply made
//! again: all progress is in the ledger, and an attempt begins by asking it.

use crate::batch::Stub;
use crate::compare::{self, Compared, Now};
use crate::doubt::{self, Doubt, Settling};
use crate::flags;
use crate::job::Run;
use crate::matching::{self, Found, Match};
use crate::pace::Backoff;
use crate::prove::{self, Copied, Proof};
use crate::stop::Stop;
use crate::transfer::{self, Pass, Passed};
use futures::StreamExt;
use hikyaku_core::ledger::{Pairing, Settled, Verified};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::report::{Exception, MailboxReport, Note, Outcome, Tally};
use hikyaku_core::traits::{Facts, Reader, Writer};
use hikyaku_core::{
    Code, Epoch, Event, Fault, Key, KeySet, MailboxInfo, MailboxState, Reach, Remedy, Side,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Messages between two proofs; bounds what is remembered of them.
const WINDOW: u64 = 4_096;
/// Records in one durable write outside the pipeline.
const RECORDS: usize = 500;
/// Limits at or above this are as good as none: they cost a listing to obey.
const NO_LIMIT: u64 = 1 << 30;

/// What one mailbox came to.
pub(crate) struct Finished {
    pub(crate) report: MailboxReport,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) notes: Vec<Note>,
    pub(crate) differences: u64,
    pub(crate) retries: u64,
    /// Why it is not finished.
    pub(crate) unfinished: Option<Fault>,
    /// What a checkpoint can be made of, when every message is final.
    pub(crate) clean: Option<Clean>,
}

/// The half of a checkpoint that the source and the work itself give.
pub(crate) struct Clean {
    pub(crate) pairing: Pairing,
    pub(crate) source: MailboxState,
    pub(crate) keys: KeySet,
    pub(crate) stored: KeySet,
    pub(crate) tally: Tally,
}

/// Messages that are not there yet, with what is known of them and why.
type Failed = BTreeMap<Key, (Option<Stub>, Fault)>;

/// Works on one line of the plan until it is done, or as far as it goes.
pub(crate) async fn work(run: &Arc<Run>, line: &MailboxPlan) -> Finished {
    let mut work = Work::new(run.clone(), line);
    let mut backoff = Backoff::new(
        &run.policy.patience,
        run.seed ^ line.source.name.levels().len() as u64,
    );
    let mut tries_left = run.policy.patience.reconnects;
    let unfinished = loop {
        let before = work.finished.report.copied_now;
        let fault = match work.attempt().await {
            Ok(()) => break None,
            Err(fault) => fault.mailbox(&line.source.name),
        };
        run.observer.note(&Event::Fault(fault.clone()));
        run.note_loss(&fault);
        if work.finished.report.copied_now > before {
            tries_left = run.policy.patience.reconnects;
        }
        if run.stop.is_requested() {
            break Some(Stop::fault());
        }
        let Remedy::Retry { after } = fault.remedy else {
            break Some(fault);
        };
        if tries_left == 0 || fault.reach == Reach::Job {
            break Some(fault);
        }
        tries_left -= 1;
        work.finished.retries += 1;
        let wait = backoff.next(after);
        run.observer.note(&Event::Waiting {
            until_millis: run.clock.unix_millis() + wait.as_millis() as i64,
            because: fault.clone(),
        });
        if run.sleep(wait).await.is_err() {
            break Some(fault);
        }
        run.observer.note(&Event::Resumed);
    };
    work.close(unfinished)
}

struct Work<'a> {
    run: Arc<Run>,
    line: &'a MailboxPlan,
    finished: Finished,
    /// Messages with an outcome in the present attempt.
    tally: Tally,
    done: KeySet,
    stored: KeySet,
    flags_lost: BTreeMap<String, u64>,
    altered: Vec<Key>,
    dates_lost: u64,
}

impl<'a> Work<'a> {
    fn new(run: Arc<Run>, line: &'a MailboxPlan) -> Self {
        let report = MailboxReport {
            source: line.source.name.clone(),
            destination: line.destination.clone(),
            scanned: line.source.state.map_or(0, |s| s.messages),
            tally: Tally::default(),
            copied_now: 0,
            octets_now: 0,
            flags_updated: 0,
            read_back: 0,
        };
        Self {
            run,
            line,
            finished: Finished {
                report,
                exceptions: Vec::new(),
                notes: Vec::new(),
                differences: 0,
                retries: 0,
                unfinished: None,
                clean: None,
            },
            tally: Tally::default(),
            done: KeySet::new(),
            stored: KeySet::new(),
            flags_lost: BTreeMap::new(),
            altered: Vec::new(),
            dates_lost: 0,
        }
    }

    async fn attempt(&mut self) -> Result<(), Fault> {
        self.tally = Tally::default();
        self.done = KeySet::new();
        self.stored = KeySet::new();
        self.finished.exceptions.clear();
        let run = self.run.clone();
        let (info, mut pairing) = self.prepare().await?;
        let (mut reader, keys, mut writer, mut there) = self.open(&info).await?;
        self.finished.report.scanned = keys.len();
        let epoch = reader.state().epoch.unwrap_or(Epoch(0));
        let doubts = run.ledger.in_doubt(pairing.id).await?;
        if !doubts.is_empty() {
            let doubt = Doubt {
                run: &run,
                pairing: &pairing,
                destination: &info,
                epoch,
                settling: Settling::Lost,
            };
            let found = doubt.resolve(reader.as_mut(), doubts).await?;
            self.count_found(&found);
            writer = run.destination.write(&info).await?;
            there = writer.keys().await?;
            // The checkpoint, if any, is older than what was just recorded.
            pairing.checkpoint = None;
        }
        let destination_epoch = writer.state().epoch.unwrap_or(Epoch(0));
        let now = Now {
            epoch,
            keys: &keys,
            destination_epoch,
            there: &there,
        };
        let mut compared = compare::compare(&run, &pairing, &now).await?;
        let checkpoint = pairing.checkpoint.take();
        if checkpoint.is_some() && !(compared.todo.is_empty() && compared.removed.is_empty()) {
            run.ledger.checkpoint(pairing.id, None).await?;
        }
        self.tally = compared.tally;
        self.done = compared.done.clone();
        self.stored = compared.stored.clone();
        self.accept_removals(&pairing, &mut compared).await?;
        if compared.epoch_changed {
            self.finished.notes.push(Note::EpochChanged {
                mailbox: self.line.source.name.clone(),
                side: Side::Source,
            });
        }
        if compared.gone > 0 {
            self.finished.notes.push(Note::GoneAtSource {
                mailbox: self.line.source.name.clone(),
                messages: compared.gone,
            });
        }
        self.adopt(
            &pairing,
            &now,
            &mut compared,
            reader.as_mut(),
            writer.as_mut(),
        )
        .await?;
        let mut todo = std::mem::take(&mut compared.todo);
        self.leave_out(&mut todo, reader.as_mut()).await?;
        run.observer.note(&Event::MailboxStarted {
            mailbox: self.line.source.name.clone(),
            messages: keys.len(),
            to_copy: todo.len(),
        });
        let mut windows = todo.windows(WINDOW);
        if run.policy.newest_first {
            windows.reverse();
        }
        for window in windows {
            self.copy_window(
                &pairing,
                &info,
                &now,
                window,
                reader.as_mut(),
                writer.as_mut(),
            )
            .await?;
        }
        let since = checkpoint
            .as_ref()
            .filter(|c| c.source.epoch == Some(epoch) && run.source.abilities().tracks_changes)
            .and_then(|c| c.source.modseq);
        let updated = flags::follow(
            &run,
            &pairing,
            epoch,
            &compared.done,
            since,
            reader.as_mut(),
            writer.as_mut(),
        )
        .await?;
        self.finished.report.flags_updated += updated;
        self.name_exceptions(reader.as_mut()).await;
        self.offer_checkpoint(pairing, reader.state(), keys);
        Ok(())
    }

    /// The destination mailbox exists and the ledger knows the pairing.
    async fn prepare(&mut self) -> Result<(MailboxInfo, Pairing), Fault> {
        let line = self.line;
        let run = &self.run;
        let subscribe = run.wants_subscription(&line.source);
        let info = match &line.existing {
            Some(info) if info.selectable && (info.subscribed || !subscribe) => info.clone(),
            _ => {
                run.destination
                    .ensure(&line.destination, line.role, subscribe)
                    .await?
            }
        };
        let pairing = run
            .ledger
            .pair(&line.source.name, &line.destination)
            .await?;
        Ok((info, pairing))
    }

    async fn open(
        &self,
        info: &MailboxInfo,
    ) -> Result<(Box<dyn Reader>, KeySet, Box<dyn Writer>, KeySet), Fault> {
        let source = async {
            let mut reader = self.run.source.open(&self.line.source).await?;
            let keys = reader.keys().await?;
            Ok::<_, Fault>((reader, keys))
        };
        let destination = async {
            let mut writer = self.run.destination.write(info).await?;
            let keys = writer.keys().await?;
            Ok::<_, Fault>((writer, keys))
        };
        let ((reader, keys), (writer, there)) = futures::try_join!(source, destination)?;
        Ok((reader, keys, writer, there))
    }

    /// The destination's owner wins: what was taken away there stays away.
    async fn accept_removals(
        &mut self,
        pairing: &Pairing,
        compared: &mut Compared,
    ) -> Result<(), Fault> {
        let removed = std::mem::take(&mut compared.removed);
        if self.run.policy.recopy {
            for settled in removed {
                compared.todo.insert(settled.key);
            }
            return Ok(());
        }
        for chunk in removed.chunks(RECORDS) {
            let records: Vec<Settled> = chunk
                .iter()
                .map(|s| Settled {
                    outcome: Outcome::RemovedAtDestination,
                    stored: None,
                    ..s.clone()
                })
                .collect();
            self.record(pairing, records).await?;
        }
        Ok(())
    }

    /// Adopts what is at the destination already without a record of ours.
    async fn adopt(
        &mut self,
        pairing: &Pairing,
        now: &Now<'_>,
        compared: &mut Compared,
        reader: &mut dyn Reader,
        writer: &mut dyn Writer,
    ) -> Result<(), Fault> {
        let run = self.run.clone();
        if compared.todo.is_empty() || (now.there.is_empty() && compared.ghosts.is_empty()) {
            return Ok(());
        }
        let owned = run
            .ledger
            .owned(&pairing.destination, now.destination_epoch)
            .await?;
        let mut candidates = now.there.minus(&owned);
        candidates.extend(&compared.orphans);
        let found = matching::find(
            &run,
            reader,
            &compared.todo,
            writer,
            &candidates,
            &compared.ghosts,
        )
        .await?;
        for chunk in found.chunks(RECORDS) {
            let records = chunk
                .iter()
                .map(|m| adopted(m, now, &compared.orphans, &compared.replaced))
                .collect();
            self.record(pairing, records).await?;
        }
        self.note_altered(&found);
        for m in &found {
            compared.todo.remove(m.source.key);
        }
        Ok(())
    }

    /// Applies the rules that need facts of each message.
    async fn leave_out(&mut self, todo: &mut KeySet, reader: &mut dyn Reader) -> Result<(), Fault> {
        let run = self.run.clone();
        let limit = self.size_limit();
        if todo.is_empty() || !(run.policy.judges_messages() || limit.is_some()) {
            return Ok(());
        }
        let facts = Facts {
            date: run.policy.since.is_some() || run.policy.before.is_some(),
            octets: true,
            ..Facts::default()
        };
        let all = todo.clone();
        let mut flow = reader.list(&all, facts);
        while let Some(item) = flow.next().await {
            let listing = match item {
                Ok(listing) => listing,
                Err(fault) if fault.reach == Reach::Message => continue,
                Err(fault) => return Err(fault),
            };
            let octets = listing.octets.unwrap_or(0);
            if let Some(rule) = run.policy.skips_message(&listing) {
                todo.remove(listing.key);
                self.tally.add(Outcome::Skipped, 1, octets);
                if rule == hikyaku_core::policy::SkipRule::Size {
                    let limit = run.policy.max_octets.unwrap_or(0);
                    self.name(
                        listing.key,
                        Some(octets),
                        Some(Outcome::Skipped),
                        too_large(limit),
                    );
                }
            } else if let Some(limit) = limit.filter(|limit| octets > *limit) {
                todo.remove(listing.key);
                self.tally.add(Outcome::FailedPermanent, 1, octets);
                self.name(
                    listing.key,
                    Some(octets),
                    Some(Outcome::FailedPermanent),
                    too_large(limit),
                );
            }
        }
        Ok(())
    }

    fn size_limit(&self) -> Option<u64> {
        self.run
            .destination
            .abilities()
            .max_octets
            .filter(|limit| *limit < NO_LIMIT)
    }

    /// Copies one window: everything at once, then what was refused one by one, then
    /// without what servers are known to refuse.
    async fn copy_window(
        &mut self,
        pairing: &Pairing,
        info: &MailboxInfo,
        now: &Now<'_>,
        window: KeySet,
        reader: &mut dyn Reader,
        writer: &mut dyn Writer,
    ) -> Result<(), Fault> {
        let run = self.run.clone();
        let most = transfer::most_per_append(run.destination.abilities().appends_batches);
        let mut todo = window;
        let mut failed: Failed = BTreeMap::new();
        let (mut single, mut bare) = (most == 1, false);
        let mut stripped = KeySet::new();
        let mut tries_left = run.policy.patience.message_tries;
        let mut backoff = Backoff::new(&run.policy.patience, run.seed);
        loop {
            let pass = Pass {
                run: &run,
                mailbox: &self.line.source.name,
                pairing: pairing.id,
                epoch: now.epoch,
                destination_epoch: now.destination_epoch,
                next: writer.state().next.unwrap_or(Key(1)),
                most: if single { 1 } else { most },
                bare,
            };
            let mut passed = pass.carry(reader, writer, &todo).await;
            let refused = std::mem::take(&mut passed.refused);
            let broken = passed.broken.take();
            let unread = todo.minus(&passed.seen);
            let interrupted = broken.is_some();
            self.take_in(
                pairing,
                now,
                passed,
                interrupted,
                &mut failed,
                reader,
                writer,
            )
            .await?;
            if let Some(fault) = broken {
                return Err(fault);
            }
            let mut again = self
                .look_up_refused(pairing, info, now, refused, single, reader, &mut failed)
                .await?;
            self.look_up_unread(pairing, now, &unread, reader, &mut failed)
                .await?;
            let mut wait = None;
            failed.retain(|key, (stub, fault)| {
                if let (Remedy::Retry { after }, 1..) = (fault.remedy, tries_left) {
                    wait = wait.max(Some(after.unwrap_or_default()));
                    again.insert(*key);
                    false
                } else if !bare && !fault.is_temporary() && stub.as_ref().is_some_and(has_frills) {
                    stripped.insert(*key);
                    false
                } else {
                    true
                }
            });
            if again.is_empty() && (bare || stripped.is_empty()) {
                return self.give_up(pairing, now, failed).await;
            }
            self.finished.retries += 1;
            if let Some(after) = wait {
                tries_left -= 1;
                run.sleep(backoff.next(Some(after))).await?;
            }
            // First alone as it is; what is refused for good even so, without
            // keywords and dates that servers are known to refuse.
            single = true;
            bare |= again.is_empty();
            todo = if again.is_empty() {
                std::mem::take(&mut stripped)
            } else {
                again
            };
        }
    }

    /// Books what a pass brought and proves it, unless the pass was interrupted.
    #[allow(clippy::too_many_arguments)]
    async fn take_in(
        &mut self,
        pairing: &Pairing,
        now: &Now<'_>,
        passed: Passed,
        interrupted: bool,
        failed: &mut Failed,
        reader: &mut dyn Reader,
        writer: &mut dyn Writer,
    ) -> Result<(), Fault> {
        for (text, messages) in passed.flags_lost {
            *self.flags_lost.entry(text).or_default() += messages;
        }
        self.dates_lost += passed.dates_lost;
        for (key, fault) in passed.unreadable {
            failed.insert(key, (None, fault));
        }
        if interrupted {
            self.count(&passed.copied, &Proof::default());
            return Ok(());
        }
        let placed = place(&self.run, pairing, now, &passed.copied, writer).await?;
        for (_, key) in &placed {
            self.stored.insert(*key);
        }
        let copied: Vec<Copied<'_>> = passed
            .copied
            .iter()
            .filter_map(|(stub, key)| {
                let placed = || placed.iter().find(|(k, _)| *k == stub.key);
                let stored = key.or_else(|| placed().map(|(_, stored)| *stored))?;
                Some(Copied { stub, stored })
            })
            .collect();
        let proof = prove::prove(&self.run, pairing, now.epoch, &copied, reader, writer).await?;
        self.count(&passed.copied, &proof);
        // An OK without a message: the record must not claim one, and it goes again.
        let missing: Vec<Settled> = passed
            .copied
            .iter()
            .filter(|(stub, _)| proof.missing.iter().any(|(key, _)| *key == stub.key))
            .map(|(stub, _)| Settled {
                code: Some(Code::VerifyDifference),
                ..stub.settled(now.epoch, Outcome::FailedTemporary, None, Verified::No)
            })
            .collect();
        if !missing.is_empty() {
            self.run
                .ledger
                .settle(pairing.id, missing, Vec::new())
                .await?;
        }
        failed.extend(
            proof
                .missing
                .into_iter()
                .map(|(key, fault)| (key, (None, fault))),
        );
        self.finished.report.read_back += proof.read_back;
        self.dates_lost += proof.dates_lost;
        self.altered.extend(proof.altered);
        for (key, fault) in proof.different {
            self.finished.differences += 1;
            self.name(key, None, Some(Outcome::Copied), fault);
        }
        Ok(())
    }

    /// Counts what was copied, without what turned out to be missing.
    fn count(&mut self, copied: &[(Stub, Option<Key>)], proof: &Proof) {
        let missing: KeySet = {
            let mut keys: Vec<Key> = proof.missing.iter().map(|(key, _)| *key).collect();
            keys.sort_unstable();
            keys.into_iter().collect()
        };
        for (stub, key) in copied
            .iter()
            .filter(|(stub, _)| !missing.contains(stub.key))
        {
            self.tally.add(Outcome::Copied, 1, stub.octets);
            self.done.insert(stub.key);
            key.iter().for_each(|k| self.stored.insert(*k));
            self.finished.report.copied_now += 1;
            self.finished.report.octets_now += stub.octets;
        }
    }

    /// What was refused may have been stored all the same: it is looked up before
    /// anything is sent again. Returns the keys that go once more.
    #[allow(clippy::too_many_arguments)]
    async fn look_up_refused(
        &mut self,
        pairing: &Pairing,
        info: &MailboxInfo,
        now: &Now<'_>,
        refused: Vec<transfer::Refused>,
        single: bool,
        reader: &mut dyn Reader,
        failed: &mut Failed,
    ) -> Result<KeySet, Fault> {
        if refused.is_empty() {
            return Ok(KeySet::new());
        }
        let ids: Vec<_> = refused.iter().map(|r| r.intent).collect();
        let intents = self
            .run
            .ledger
            .in_doubt(pairing.id)
            .await?
            .into_iter()
            .filter(|(id, _)| ids.contains(id))
            .collect();
        let doubt = Doubt {
            run: &self.run,
            pairing,
            destination: info,
            epoch: now.epoch,
            settling: Settling::Answered,
        };
        let found = doubt.resolve(reader, intents).await?;
        self.count_found(&found);
        let mut again = KeySet::new();
        for r in refused {
            for stub in r.stubs {
                let key = stub.key;
                if let Some(m) = found.iter().find(|m| m.source.key == key) {
                    self.tally.add(Outcome::Copied, 1, m.source.octets);
                    self.done.insert(key);
                    if let Found::There { key, .. } = m.found {
                        self.stored.insert(key);
                    }
                } else if single {
                    failed.insert(key, (Some(stub), r.fault.clone()));
                } else {
                    again.insert(key);
                }
            }
        }
        Ok(again)
    }

    /// Keys that neither came nor failed by name: gone, or failed for now.
    async fn look_up_unread(
        &mut self,
        pairing: &Pairing,
        now: &Now<'_>,
        unread: &KeySet,
        reader: &mut dyn Reader,
        failed: &mut Failed,
    ) -> Result<(), Fault> {
        if unread.is_empty() {
            return Ok(());
        }
        let still = doubt::present(reader, unread).await?;
        let gone = unread.minus(&still);
        let records: Vec<Settled> = gone.iter().map(|k| doubt::vanished(now.epoch, k)).collect();
        for chunk in records.chunks(RECORDS) {
            self.record(pairing, chunk.to_vec()).await?;
        }
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
    async fn give_up(
        &mut self,
        pairing: &Pairing,
        now: &Now<'_>,
        failed: Failed,
    ) -> Result<(), Fault> {
        let failed: Vec<(Key, (Option<Stub>, Fault))> = failed.into_iter().collect();
        for chunk in failed.chunks(RECORDS) {
            let mut records = Vec::new();
            for (key, (stub, fault)) in chunk {
                let outcome = if fault.is_temporary() {
                    Outcome::FailedTemporary
                } else {
                    Outcome::FailedPermanent
                };
                let mut settled = match stub {
                    Some(stub) => stub.settled(now.epoch, outcome, None, Verified::No),
                    None => doubt::vanished(now.epoch, *key),
                };
                settled.outcome = outcome;
                settled.code = Some(fault.code);
                let octets = stub.as_ref().map(|s| s.octets);
                self.name(*key, octets, Some(outcome), fault.clone());
                records.push(settled);
            }
            self.record(pairing, records).await?;
        }
        Ok(())
    }

    /// Makes records durable, then counts them.
    async fn record(&mut self, pairing: &Pairing, records: Vec<Settled>) -> Result<(), Fault> {
        if records.is_empty() {
            return Ok(());
        }
        self.run
            .ledger
            .settle(pairing.id, records.clone(), Vec::new())
            .await?;
        for settled in &records {
            self.tally.add(settled.outcome, 1, settled.octets);
            if settled.outcome.is_final() {
                self.done.insert(settled.key);
            }
            if let Some((_, key)) = settled.stored {
                self.stored.insert(key);
            }
            self.run.observer.note(&Event::Settled {
                mailbox: self.line.source.name.clone(),
                outcome: settled.outcome,
                messages: 1,
                octets: settled.octets,
            });
        }
        Ok(())
    }

    /// Counts what the resolution of doubts found: copied by this run or its
    /// predecessor. The tally itself is rebuilt from the records.
    fn count_found(&mut self, found: &[Match]) {
        for m in found {
            self.finished.report.copied_now += 1;
            self.finished.report.octets_now += m.source.octets;
        }
        self.note_altered(found);
    }

    fn note_altered(&mut self, found: &[Match]) {
        let altered = found.iter().filter_map(|m| match m.found {
            Found::There { altered: true, .. } => Some(m.source.key),
            _ => None,
        });
        self.altered.extend(altered);
    }

    fn name(&mut self, key: Key, octets: Option<u64>, outcome: Option<Outcome>, fault: Fault) {
        let fault = fault.mailbox(&self.line.source.name).message(key);
        self.run.observer.note(&Event::Fault(fault.clone()));
        self.finished.exceptions.push(Exception {
            mailbox: self.line.source.name.clone(),
            key: Some(key),
            octets,
            head: None,
            outcome,
            fault,
        });
    }

    /// Fetches subject, date and sender of the exceptions, so that a person knows
    /// which messages are meant. Best effort.
    async fn name_exceptions(&mut self, reader: &mut dyn Reader) {
        const NAMED: usize = 200;
        for exception in self.finished.exceptions.iter_mut().take(NAMED) {
            let Some(key) = exception.key else { continue };
            match reader.head(key).await {
                Ok(head) => exception.head = head.map(|h| h.to_vec()),
                Err(fault) if fault.reach == Reach::Message => {}
                Err(_) => break,
            }
        }
    }

    fn offer_checkpoint(&mut self, pairing: Pairing, source: MailboxState, keys: KeySet) {
        let all_final = self.done.len() == keys.len() && self.tally.total() == keys.len();
        let every_key_known = self.stored.len()
            == self.tally.messages(Outcome::Copied) + self.tally.messages(Outcome::AlreadyThere);
        if all_final && every_key_known && self.finished.differences == 0 {
            self.finished.clean = Some(Clean {
                pairing,
                source,
                keys,
                stored: self.stored.clone(),
                tally: self.tally,
            });
        }
    }

    fn close(mut self, unfinished: Option<Fault>) -> Finished {
        let mailbox = self.line.source.name.clone();
        for (flags, messages) in std::mem::take(&mut self.flags_lost) {
            self.finished.notes.push(Note::FlagsLost {
                mailbox: mailbox.clone(),
                flags,
                messages,
            });
        }
        if !self.altered.is_empty() {
            self.altered.sort_unstable();
            self.altered.dedup();
            self.finished.notes.push(Note::Altered {
                mailbox: mailbox.clone(),
                messages: self.altered.len() as u64,
                keys: self.altered.iter().copied().take(100).collect(),
            });
        }
        if self.dates_lost > 0 {
            self.finished.notes.push(Note::DatesLost {
                mailbox: mailbox.clone(),
                messages: self.dates_lost,
            });
        }
        // What has no outcome yet when the work ends early is tried again next time.
        let left = self
            .finished
            .report
            .scanned
            .saturating_sub(self.tally.total());
        if unfinished.is_some() && left > 0 {
            self.tally.add(Outcome::FailedTemporary, left, 0);
        }
        if let Some(fault) = &unfinished {
            self.finished.exceptions.push(Exception {
                mailbox: mailbox.clone(),
                key: None,
                octets: None,
                head: None,
                outcome: None,
                fault: fault.clone(),
            });
        }
        self.finished.report.tally = self.tally;
        self.finished.unfinished = unfinished;
        self.run.observer.note(&Event::MailboxDone { mailbox });
        self.finished
    }
}

fn adopted(m: &Match, now: &Now<'_>, orphans: &KeySet, replaced: &KeySet) -> Settled {
    let (outcome, stored, verified) = match m.found {
        Found::There { key, altered } => {
            let ours = orphans.contains(key) || replaced.contains(m.source.key);
            (
                if ours {
                    Outcome::Copied
                } else {
                    Outcome::AlreadyThere
                },
                Some((now.destination_epoch, key)),
                if altered {
                    Verified::Header
                } else {
                    Verified::Full
                },
            )
        }
        Found::Ghost => (Outcome::RemovedAtDestination, None, Verified::No),
    };
    Settled {
        epoch: now.epoch,
        key: m.source.key,
        outcome,
        stored,
        octets: m.source.octets,
        content: Some(m.source.content),
        head: Some(m.source.head),
        flags: m.source.flags.clone(),
        date: m.source.date,
        verified,
        code: None,
    }
}

/// Finds the destination keys of messages whose append did not report them. They lie
/// in the order in which they were sent; only those that no record owns count.
async fn place(
    run: &Run,
    pairing: &Pairing,
    now: &Now<'_>,
    copied: &[(Stub, Option<Key>)],
    writer: &mut dyn Writer,
) -> Result<Vec<(Key, Key)>, Fault> {
    let unplaced: Vec<&Stub> = copied
        .iter()
        .filter(|(_, k)| k.is_none())
        .map(|(s, _)| s)
        .collect();
    if unplaced.is_empty() {
        return Ok(Vec::new());
    }
    let owned = run
        .ledger
        .owned(&pairing.destination, now.destination_epoch)
        .await?;
    let candidates = writer.keys().await?.minus(now.there).minus(&owned);
    let facts = Facts {
        head: true,
        ..Facts::default()
    };
    let mut free: Vec<(hikyaku_core::HeadDigest, Key)> = Vec::new();
    let mut flow = writer.list(&candidates, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => free.extend(listing.head.map(|h| (h, listing.key))),
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    drop(flow);
    let mut by_head: std::collections::HashMap<_, std::collections::VecDeque<Key>> =
        std::collections::HashMap::new();
    for (head, key) in free {
        by_head.entry(head).or_default().push_back(key);
    }
    let mut placed = Vec::new();
    let mut records = Vec::new();
    for stub in unplaced {
        let Some(print) = stub.digest.get() else {
            continue;
        };
        if let Some(key) = by_head.get_mut(&print.head).and_then(|q| q.pop_front()) {
            let stored = Some((now.destination_epoch, key));
            records.push(stub.settled(now.epoch, Outcome::Copied, stored, Verified::Acknowledged));
            placed.push((stub.key, key));
        }
    }
    for chunk in records.chunks(RECORDS) {
        run.ledger
            .settle(pairing.id, chunk.to_vec(), Vec::new())
            .await?;
    }
    Ok(placed)
}

/// Whether a message carries something that could be left off when it is refused.
fn has_frills(stub: &Stub) -> bool {
    let odd_date = stub.date.is_some_and(|d| !transfer::batch_safe(d.seconds));
    odd_date || stub.flags.keywords().next().is_some()
}

fn too_large(limit: u64) -> Fault {
    Fault::new(
        Code::MessageTooLarge,
        Reach::Message,
        Remedy::Skip,
        format!("the message is larger than {limit} octets"),
    )
    .on(Side::Destination)
}
