//! The work on one mailbox, from opening both sides to its report.

mod adopt;
mod finished;
mod fit;
mod lost;
mod restore;
mod scene;
mod shut;
mod sought;
mod window;

pub(crate) use finished::{Finished, Left};
pub(crate) use sought::Sought;

use crate::attempts::{Attempt, End, persist};
use crate::compare::{self, Compared};
use crate::doubt::{Doubt, Settling};
use crate::flags;
use crate::listing::contradiction;
use crate::pace::Seat;
use crate::poison::Suspects;
use crate::run::Run;
use crate::undo::replace;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::ledger::{PairingId, Settled};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::policy::SkipRule;
use hikyaku_core::report::{Exception, Note, Outcome, Tally};
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Code, Event, Fault, Key, KeySet, Reach, Remedy, Side};
pub(crate) use scene::Scene;
use shut::Shut;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Messages between two proofs; bounds what is remembered of them.
const WINDOW: u64 = 4_096;
/// Records in one durable write outside the pipeline.
const RECORDS: usize = 500;
/// Limits at or above this are as good as none: obeying them would cost a listing.
const NO_LIMIT: u64 = 1 << 30;
/// Exceptions of one mailbox whose subject and date are fetched.
const NAMED: usize = 200;

/// How far a line is worked on.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    /// What is in the mapped mailbox already is known; nothing was sent.
    Adopted,
    /// Everything is there.
    Copied,
    /// Everything is there that was looked for in the whole account and is nowhere.
    Sought(Arc<Sought>),
}

/// Works on one line of the plan until it is done, or as far as it goes.
pub(crate) async fn work(
    run: &Arc<Run>,
    line: &MailboxPlan,
    until: &Until,
    seat: &mut Seat,
) -> Finished {
    let mut work = Work::new(run.clone(), line, until.clone());
    let unfinished = persist(run, seat, Some(&line.source.name), &mut work).await;
    work.close(unfinished)
}

struct Work<'a> {
    run: Arc<Run>,
    line: &'a MailboxPlan,
    until: Until,
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
    /// Messages on which connections die, over all attempts.
    suspects: Suspects,
    /// Sides whose keys do not last.
    unstable: Vec<Side>,
}

impl Attempt for Work<'_> {
    fn attempt<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>> {
        self.go(seat).boxed()
    }

    fn progress(&self) -> u64 {
        self.finished.report.copied_now
    }

    fn again(&mut self) {
        self.finished.retries += 1;
    }
}

impl<'a> Work<'a> {
    fn new(run: Arc<Run>, line: &'a MailboxPlan, until: Until) -> Self {
        let listed = line.source.state.map_or(0, |s| s.messages);
        Self {
            run,
            line,
            until,
            finished: Finished::of(line, listed, Tally::default(), None),
            tally: Tally::default(),
            done: KeySet::new(),
            stored: KeySet::new(),
            flags_lost: BTreeMap::new(),
            altered: Vec::new(),
            dates_lost: 0,
            suspects: Suspects::default(),
            unstable: Vec::new(),
        }
    }

    async fn go(&mut self, seat: &mut Seat) -> Result<End, Fault> {
        let run = self.run.clone();
        self.finished.exceptions.retain(finished::is_about_a_copy);
        self.tally = Tally::default();
        let again = self.finished.retries > 0;
        let mut scene = Scene::open(&run, self.line, again).await?;
        self.finished.report.scanned = scene.keys.len();
        self.unstable = scene.unstable(self.line);
        self.suspects.begin(scene.epoch);
        self.resolve_doubts(&mut scene).await?;
        if run.policy.replaces() {
            replace::set_aside(&run, &mut scene).await?;
        }
        let checkpoint = scene.pairing.checkpoint.clone();
        let mut compared = compare::compare(&run, &scene.pairing, &scene.now()).await?;
        self.restore(&mut scene, &mut compared).await?;
        self.place_old(&mut scene, &mut compared).await?;
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
        self.retire_records(&mut scene, &compared).await?;
        let mut todo = std::mem::take(&mut compared.todo);
        let rest = match &self.until {
            Until::Copied => Ok(()),
            Until::Adopted => {
                self.finished.left = Some(Left {
                    state: scene.reader.state(),
                    todo,
                    elsewhere: compared.elsewhere,
                });
                return Ok(End::Done);
            }
            Until::Sought(sought) => {
                let sought = sought.clone();
                self.keep_to(&sought, &mut scene, &mut todo).await?
            }
        };
        self.leave_out(&mut todo, scene.reader.as_mut()).await?;
        self.give_up_poison(&mut scene, &mut todo).await?;
        self.choose_what_fits(&mut todo, &mut scene).await?;
        run.observer.note(&Event::MailboxStarted {
            mailbox: self.line.source.name.clone(),
            messages: scene.keys.len(),
            to_copy: todo.len(),
        });
        let before = self.finished.report.copied_now;
        for window in self.windows(todo, &compared.failed) {
            if run.pace.wants_back() {
                return Ok(End::Yielded);
            }
            seat.pause(&run.stop).await?;
            match self.copy_window(&mut scene, seat, window).await {
                // The owner got mail meanwhile: what fits is chosen anew.
                Err(fault) if self.may_choose_again(&fault, before) => return Ok(End::Yielded),
                copied => copied?,
            }
            run.pace.progressed();
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
        if let Some(fault) = contradiction(scene.reader.state(), &scene.keys, Side::Source) {
            // What is listed is copied; what is not must not be forgotten.
            return Err(fault);
        }
        self.offer_checkpoint(scene);
        rest.map(|()| End::Done)
    }

    fn may_choose_again(&self, fault: &Fault, before: u64) -> bool {
        let is_room = self.run.policy.fit && fault.code == Code::QuotaReserve;
        is_room && self.finished.report.copied_now > before
    }

    /// In which portions the messages go: what failed in an earlier run after the others,
    /// suspects one by one at last.
    fn windows(&self, todo: KeySet, failed: &KeySet) -> Vec<KeySet> {
        let alone = self.suspects.alone().and(&todo);
        let others = todo.minus(&alone);
        let mut windows = others.minus(failed).windows(WINDOW);
        if self.run.policy.newest_first || self.run.policy.fit {
            windows.reverse();
        }
        windows.extend(others.and(failed).windows(WINDOW));
        windows.extend(alone.iter().map(|key| std::iter::once(key).collect()));
        windows
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
            sent: HashMap::new(),
        };
        let source = scene.reader.as_mut();
        // The mailbox is looked at through a connection of its own.
        scene.writer = Shut::writer(scene.writer.as_ref());
        let found = doubt.resolve(source, intents).await?;
        self.count_found(&found);
        // The destination went on storing while it was waited for.
        scene.reopen_destination(&self.run).await?;
        // The checkpoint, if any, is older than what was just recorded.
        scene.pairing.checkpoint = None;
        Ok(())
    }

    fn note_changes(&mut self, compared: &Compared) {
        let mailbox = self.line.source.name.clone();
        let changed = [
            (Side::Source, compared.epoch_changed),
            (Side::Destination, !compared.replaced.is_empty()),
        ];
        for (side, has_changed) in changed {
            let mailbox = mailbox.clone();
            if self.unstable.contains(&side) {
                self.finished.note(Note::EpochUnstable { mailbox, side });
            } else if has_changed {
                self.finished.note(Note::EpochChanged { mailbox, side });
            }
        }
        if compared.gone > 0 {
            self.finished.note(Note::GoneAtSource {
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

    /// Fetches subject, date, sender and file of the exceptions, so that a person knows
    /// which messages are meant. Best effort.
    async fn name_exceptions(&mut self, reader: &mut dyn Reader) {
        for exception in self.finished.exceptions.iter_mut().take(NAMED) {
            let Some(key) = exception.key else { continue };
            match reader.head(key).await {
                Ok(head) => exception.head = head.map(|h| h.to_vec()),
                Err(fault) if fault.reach == Reach::Message => {}
                Err(_) => break,
            }
            let place = &mut exception.fault.at;
            if place.file.is_none() {
                place.file = reader.file(key).await.ok().flatten();
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
