//! The work on one mailbox, from opening both sides to its report.
//!
//! An attempt that breaks off (a lost connection, a throttled server) is simply made
//! again: all progress is in the ledger, and an attempt begins by asking it.

mod adopt;
mod finished;
mod scene;
mod window;

pub(crate) use finished::{Clean, Finished};

use crate::compare::{self, Compared};
use crate::doubt::{Doubt, Settling};
use crate::flags;
use crate::job::Run;
use crate::pace::Backoff;
use crate::stop::Stop;
use futures::StreamExt;
use hikyaku_core::ledger::{PairingId, Settled};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::policy::SkipRule;
use hikyaku_core::report::{Exception, Note, Outcome, Tally};
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Code, Event, Fault, Key, KeySet, Reach, Remedy, Side};
use scene::Scene;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Messages between two proofs; bounds what is remembered of them.
const WINDOW: u64 = 4_096;
/// Records in one durable write outside the pipeline.
const RECORDS: usize = 500;
/// Limits at or above this are as good as none: obeying them would cost a listing.
const NO_LIMIT: u64 = 1 << 30;
/// Exceptions of one mailbox whose subject and date are fetched.
const NAMED: usize = 200;

/// Works on one line of the plan until it is done, or as far as it goes.
pub(crate) async fn work(run: &Arc<Run>, line: &MailboxPlan) -> Finished {
    let mut work = Work::new(run.clone(), line);
    let mut backoff = Backoff::new(&run.policy.patience, run.seed);
    let mut tries_left = run.policy.patience.reconnects;
    let unfinished = loop {
        let before = work.finished.report.copied_now;
        let fault = match work.attempt().await {
            Ok(()) => break None,
            Err(fault) => fault.mailbox(&line.source.name),
        };
        run.observer.note(&Event::Fault(fault.clone()));
        run.note_loss(&fault);
        if run.stop.is_requested() {
            break Some(Stop::fault());
        }
        if work.finished.report.copied_now > before {
            tries_left = run.policy.patience.reconnects;
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
            because: fault,
        });
        if let Err(stopped) = run.sleep(wait).await {
            break Some(stopped);
        }
        run.observer.note(&Event::Resumed);
    };
    work.close(unfinished)
}

struct Work<'a> {
    run: Arc<Run>,
    line: &'a MailboxPlan,
    finished: Finished,
    /// Outcomes in the present attempt.
    tally: Tally,
    /// Source keys with a final outcome.
    done: KeySet,
    /// Their destination keys.
    stored: KeySet,
    flags_lost: BTreeMap<String, u64>,
    altered: Vec<Key>,
    dates_lost: u64,
}

impl<'a> Work<'a> {
    fn new(run: Arc<Run>, line: &'a MailboxPlan) -> Self {
        let listed = line.source.state.map_or(0, |s| s.messages);
        Self {
            run,
            line,
            finished: Finished::of(line, listed, Tally::default(), None),
            tally: Tally::default(),
            done: KeySet::new(),
            stored: KeySet::new(),
            flags_lost: BTreeMap::new(),
            altered: Vec::new(),
            dates_lost: 0,
        }
    }

    async fn attempt(&mut self) -> Result<(), Fault> {
        let run = self.run.clone();
        self.finished.exceptions.clear();
        self.tally = Tally::default();
        let mut scene = Scene::open(&run, self.line).await?;
        self.finished.report.scanned = scene.keys.len();
        self.resolve_doubts(&mut scene).await?;
        let checkpoint = scene.pairing.checkpoint.clone();
        let mut compared = compare::compare(&run, &scene.pairing, &scene.now()).await?;
        if checkpoint.is_some() && !(compared.todo.is_empty() && compared.removed.is_empty()) {
            // It would outlive the changes that are about to be made.
            run.ledger.checkpoint(scene.pairing.id, None).await?;
        }
        self.tally = compared.tally;
        self.done = compared.done.clone();
        self.stored = compared.stored.clone();
        self.note_changes(&compared);
        self.accept_removals(scene.pairing.id, &mut compared)
            .await?;
        self.adopt(&mut scene, &mut compared).await?;
        let mut todo = std::mem::take(&mut compared.todo);
        self.leave_out(&mut todo, scene.reader.as_mut()).await?;
        run.observer.note(&Event::MailboxStarted {
            mailbox: self.line.source.name.clone(),
            messages: scene.keys.len(),
            to_copy: todo.len(),
        });
        let mut windows = todo.windows(WINDOW);
        if run.policy.newest_first {
            windows.reverse();
        }
        for window in windows {
            self.copy_window(&mut scene, window).await?;
        }
        let since = checkpoint
            .filter(|c| c.source.epoch == Some(scene.epoch))
            .filter(|_| run.source.abilities().tracks_changes)
            .and_then(|c| c.source.modseq);
        let updated = flags::follow(
            &run,
            &scene.pairing,
            scene.epoch,
            &compared.done,
            since,
            scene.reader.as_mut(),
            scene.writer.as_mut(),
        )
        .await?;
        self.finished.report.flags_updated += updated;
        self.name_exceptions(scene.reader.as_mut()).await;
        self.offer_checkpoint(scene);
        Ok(())
    }

    /// Looks up what an earlier life, or the last attempt, left without an answer.
    async fn resolve_doubts(&mut self, scene: &mut Scene) -> Result<(), Fault> {
        let intents = self.run.ledger.in_doubt(scene.pairing.id).await?;
        if intents.is_empty() {
            return Ok(());
        }
        let doubt = Doubt {
            run: &self.run,
            pairing: &scene.pairing,
            destination: &scene.info,
            epoch: scene.epoch,
            settling: Settling::Lost,
        };
        let found = doubt.resolve(scene.reader.as_mut(), intents).await?;
        self.count_found(&found);
        // The destination went on storing while it was waited for.
        scene.reopen_destination(&self.run).await?;
        // The checkpoint, if any, is older than what was just recorded.
        scene.pairing.checkpoint = None;
        Ok(())
    }

    fn note_changes(&mut self, compared: &Compared) {
        let mailbox = self.line.source.name.clone();
        if compared.epoch_changed {
            self.finished.notes.push(Note::EpochChanged {
                mailbox: mailbox.clone(),
                side: Side::Source,
            });
        }
        if !compared.replaced.is_empty() {
            self.finished.notes.push(Note::EpochChanged {
                mailbox: mailbox.clone(),
                side: Side::Destination,
            });
        }
        if compared.gone > 0 {
            self.finished.notes.push(Note::GoneAtSource {
                mailbox,
                messages: compared.gone,
            });
        }
    }

    /// Applies the rules that need facts of each message.
    async fn leave_out(&mut self, todo: &mut KeySet, reader: &mut dyn Reader) -> Result<(), Fault> {
        let policy = self.run.policy.clone();
        let limit = self.run.destination.abilities().max_octets;
        let limit = limit.filter(|limit| *limit < NO_LIMIT);
        if todo.is_empty() || !(policy.judges_messages() || limit.is_some()) {
            return Ok(());
        }
        let facts = Facts {
            date: policy.since.is_some() || policy.before.is_some(),
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
            let (outcome, too_large_for) = match policy.skips_message(&listing) {
                Some(SkipRule::Size) => (Outcome::Skipped, policy.max_octets),
                Some(_) => (Outcome::Skipped, None),
                None => match limit.filter(|limit| octets > *limit) {
                    Some(limit) => (Outcome::FailedPermanent, Some(limit)),
                    None => continue,
                },
            };
            todo.remove(listing.key);
            self.tally.add(outcome, 1, octets);
            if let Some(limit) = too_large_for {
                self.name(listing.key, Some(octets), Some(outcome), too_large(limit));
            }
        }
        Ok(())
    }

    /// Makes records durable, then counts them.
    async fn record(&mut self, pairing: PairingId, records: Vec<Settled>) -> Result<(), Fault> {
        for chunk in records.chunks(RECORDS) {
            self.run
                .ledger
                .settle(pairing, chunk.to_vec(), Vec::new())
                .await?;
        }
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
        for exception in self.finished.exceptions.iter_mut().take(NAMED) {
            let Some(key) = exception.key else { continue };
            match reader.head(key).await {
                Ok(head) => exception.head = head.map(|h| h.to_vec()),
                Err(fault) if fault.reach == Reach::Message => {}
                Err(_) => break,
            }
        }
    }
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
