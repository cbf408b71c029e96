//! The pipeline that carries letters from a reader to a writer.
//!
//! ```text
//!  reader.read ─► watch (hash) ─► batch ─► ledger.intend ─► writer.append ─► answer ─► ledger.settle ─► observers
//!       ▲                                     durable          queued          OK         durable
//!       └── no more is read while the octets held here are over the budget
//! ```
//!
//! All stages of one pass run in one task; several batches are in each stage at a
//! time, so neither side waits for a round trip or a disk. Order matters: an append
//! is queued only after its intent is durable, and a message counts as copied only
//! after its record is.

use crate::batch::{self, Batch, Most, Stub};
use crate::prints;
use crate::run::{Run, ends_everything};
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::ledger::{Intent, IntentId, PairingId, Verified};
use hikyaku_core::message::Letter;
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::{Appended, Reader, Writer};
use hikyaku_core::{Code, Epoch, Event, Fault, Flags, Key, KeySet, MailboxName, Reach, Side};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Batches whose answer is awaited at a time.
const ANSWERS: usize = 3;
/// Batches whose intent is being written at a time.
const INTENTS: usize = 2;

/// How one pass over some messages is made.
pub(crate) struct Pass<'a> {
    pub(crate) run: &'a Arc<Run>,
    pub(crate) mailbox: &'a MailboxName,
    pub(crate) pairing: PairingId,
    pub(crate) epoch: Epoch,
    pub(crate) destination_epoch: Epoch,
    /// Lower bound of the destination's UIDNEXT: as it was when the mailbox was opened. What
    /// appends report is not believed, or a wrong key would hide what comes after it.
    pub(crate) next: Key,
    /// Most messages in one append.
    pub(crate) most: usize,
    /// Without keywords, and without dates that servers are known to refuse.
    pub(crate) bare: bool,
}

/// What a pass came to.
#[derive(Default)]
pub(crate) struct Passed {
    /// Acknowledged and recorded.
    pub(crate) copied: Vec<(Stub, Option<Key>)>,
    /// Appends that were refused, with their still open intents.
    pub(crate) refused: Vec<Refused>,
    /// Messages that the source did not hand out.
    pub(crate) unreadable: Vec<(Key, Fault)>,
    /// Every key that came or failed by name.
    pub(crate) seen: KeySet,
    /// Keywords and flags that the destination does not keep, with message counts.
    pub(crate) flags_lost: BTreeMap<String, u64>,
    /// Messages that were sent without a date, or without the one they had.
    pub(crate) dates_lost: u64,
    /// Why the pass ended early. Whatever is intended and not settled is in doubt.
    pub(crate) broken: Option<Fault>,
    /// What was on its way, with its octets, when the destination's connection was lost.
    pub(crate) under_way: Vec<(Key, u64)>,
    /// What was to come when the source's connection was lost.
    pub(crate) expected: Option<Key>,
}

/// An append that the destination answered with NO or BAD.
pub(crate) struct Refused {
    pub(crate) intent: IntentId,
    pub(crate) stubs: Vec<Stub>,
    pub(crate) fault: Fault,
}

type Intending = BoxFuture<'static, (Batch, Result<IntentId, Fault>)>;
type Answering = BoxFuture<'static, (Vec<Stub>, Octets, IntentId, Appended)>;
/// Octets of one append.
#[derive(Clone, Copy)]
struct Octets {
    all: u64,
    /// Of these, held in memory here.
    held: u64,
}

type Settling = BoxFuture<'static, (Vec<(Stub, Option<Key>)>, Result<(), Fault>)>;

impl Pass<'_> {
    /// Carries the messages over. Returns when everything that was sent is answered
    /// or lost, and everything answered is durable.
    pub(crate) async fn carry(
        self,
        reader: &mut dyn Reader,
        writer: &mut dyn Writer,
        keys: &KeySet,
    ) -> Passed {
        let mut out = Passed::default();
        let permanent = writer.permanent_flags().clone();
        let mut letters = Some(reader.read(keys));
        let mut open = Batch::default();
        let mut waiting_letter: Option<(Letter, Stub)> = None;
        let mut held = 0u64;
        // The last letter whose octets are still coming, maybe.
        let mut streaming: Option<Stub> = None;
        let mut intending: FuturesOrdered<Intending> = FuturesOrdered::new();
        let mut answering: FuturesOrdered<Answering> = FuturesOrdered::new();
        let mut settling: FuturesUnordered<Settling> = FuturesUnordered::new();
        loop {
            let stopping = out.broken.is_some();
            if stopping {
                // Dropping the flow gives the source connection up; batches that were
                // not intended yet never existed.
                letters = None;
                open = Batch::default();
                waiting_letter = None;
            }
            // Asked each time: what a lane may hold can change meanwhile.
            let most_held = self.run.held_by_a_lane();
            let most = Most::of(self.most, most_held);
            let due = waiting_letter.is_some()
                || open.is_full(most)
                || (letters.is_none() && !open.is_empty());
            if due && intending.len() < INTENTS {
                if !open.is_empty() {
                    intending.push_back(self.intend(std::mem::take(&mut open)));
                }
                if let Some((letter, stub)) = waiting_letter.take() {
                    open.push(letter, stub);
                }
                continue;
            }
            let under_way = intending.len() + answering.len() + settling.len();
            if letters.is_none() && open.is_empty() && waiting_letter.is_none() && under_way == 0 {
                break;
            }
            let may_read = held < most_held && waiting_letter.is_none() && !due;
            tokio::select! {
                biased;
                Some((copied, result)) = settling.next(), if !settling.is_empty() => {
                    match result {
                        Ok(()) => self.tell(&mut out, copied),
                        Err(fault) => self.break_off(&mut out, fault),
                    }
                }
                Some((stubs, octets, intent, answer)) = answering.next(), if !answering.is_empty() => {
                    held = held.saturating_sub(octets.held);
                    self.run.room.landed(octets.all);
                    match answer {
                        Appended::Stored { epoch, keys } => {
                            settling.push(self.settle(stubs, intent, epoch, keys));
                        }
                        Appended::Refused(fault) => {
                            if fault.reach > Reach::Message {
                                self.break_off(&mut out, fault.clone().on(Side::Destination));
                            }
                            out.refused.push(Refused { intent, stubs, fault });
                        }
                        Appended::Unknown(fault) => {
                            let fault = fault.on(Side::Destination);
                            if fault.at.side == Some(Side::Source) {
                                // The octets stopped coming in the middle of the append.
                                let last = stubs.last().map(|stub| stub.key);
                                out.expected = out.expected.or(fault.at.message).or(last);
                            }
                            out.under_way.extend(stubs.iter().map(|s| (s.key, s.octets)));
                            self.break_off(&mut out, fault);
                        }
                    }
                }
                Some((batch, intent)) = intending.next(), if !intending.is_empty() && answering.len() < ANSWERS => {
                    match intent {
                        Err(fault) => self.break_off(&mut out, fault),
                        // The intent stays open: nothing was sent for it, which the
                        // next life finds out for itself.
                        Ok(_) if out.broken.is_some() => self.run.room.landed(batch.octets),
                        Ok(intent) => {
                            let octets = batch.octets;
                            match self.append(writer, batch, intent).await {
                                Ok(answer) => answering.push_back(answer),
                                Err(fault) => {
                                    self.run.room.landed(octets);
                                    self.break_off(&mut out, fault.on(Side::Destination));
                                }
                            }
                        }
                    }
                }
                item = next(&mut letters), if may_read && letters.is_some() => match item {
                    None => letters = None,
                    Some(Ok(letter)) => {
                        out.seen.insert(letter.key);
                        let octets = letter.body.octets();
                        self.run.bandwidth.take(octets).await;
                        let (letter, stub) = self.prepare(letter, &permanent, &mut out);
                        match letter.body {
                            hikyaku_core::Body::Held(_) => held += octets,
                            hikyaku_core::Body::Streamed { .. } => streaming = Some(stub.clone()),
                        }
                        if open.is_too_full_for(&letter, most) {
                            waiting_letter = Some((letter, stub));
                        } else {
                            open.push(letter, stub);
                        }
                    }
                    Some(Err(fault)) => match (fault.reach, fault.at.message) {
                        (Reach::Message, Some(key)) => {
                            out.seen.insert(key);
                            out.unreadable.push((key, fault));
                        }
                        _ => {
                            let fault = fault.on(Side::Source);
                            if fault.reach == Reach::Side && out.expected.is_none() {
                                let cut = streaming.take().filter(|s| s.digest.get().is_none());
                                let cut = fault.at.message.or(cut.map(|stub| stub.key));
                                out.expected = cut.or_else(|| keys.minus(&out.seen).first());
                            }
                            self.break_off(&mut out, fault);
                        }
                    }
                },
                () = self.run.stop.requested(), if !stopping => {
                    let reason = self.run.reason();
                    self.break_off(&mut out, reason);
                }
            }
        }
        out
    }

    /// Ends the pass. What ends the whole run ends it at once: no lane completes
    /// another append.
    fn break_off(&self, out: &mut Passed, fault: Fault) {
        let is_over = match fault.code {
            // The user wanted it so.
            Code::Interrupted => false,
            // What is on its way has its room; nothing more is sent.
            Code::QuotaReserve => {
                if !self.run.policy.fit {
                    self.run.room.close();
                }
                false
            }
            _ => fault.reach == Reach::Job || (ends_everything(&fault) && !fault.is_temporary()),
        };
        if is_over {
            self.run.end(&fault);
        }
        out.broken.get_or_insert(fault);
    }

    /// What goes out: flags that the destination keeps, a watched body.
    fn prepare(
        &self,
        letter: Letter,
        permanent: &PermanentFlags,
        out: &mut Passed,
    ) -> (Letter, Stub) {
        let observer = self.run.observer.clone();
        let (body, digest) = prints::watch(letter.body, move |octets| {
            observer.note(&Event::Sent { octets });
        });
        let stub = Stub {
            key: letter.key,
            flags: letter.flags.clone(),
            date: letter.date,
            octets: body.octets(),
            digest,
        };
        let (mut kept, mut lost) = permanent.divide(&letter.flags);
        let mut date = letter.date;
        if self.bare {
            let mut system = Flags::new();
            kept.system().for_each(|f| system.set(f));
            lost = lost.or(&kept.minus(&system));
            kept = system;
            date = date.filter(|d| is_safe_date(d.seconds));
        }
        if !lost.is_empty() {
            *out.flags_lost.entry(lost.to_string()).or_default() += 1;
        }
        if date.is_none() {
            out.dates_lost += 1;
        }
        let letter = Letter {
            key: letter.key,
            flags: kept,
            date,
            body,
        };
        (letter, stub)
    }

    fn intend(&self, batch: Batch) -> Intending {
        let run = self.run.clone();
        let intent = Intent {
            pairing: self.pairing,
            epoch: self.epoch,
            keys: batch.keys(),
            destination_epoch: self.destination_epoch,
            destination_next: self.next,
        };
        self.run.pace.done(Side::Source, 1);
        Box::pin(async move {
            // Room first: an intent that is not made leaves no doubt.
            if let Err(fault) = run.room.take(batch.octets).await {
                return (batch, Err(fault));
            }
            let id = run.ledger.intend(intent).await;
            if id.is_err() {
                run.room.landed(batch.octets);
            }
            (batch, id)
        })
    }

    async fn append(
        &self,
        writer: &mut dyn Writer,
        batch: Batch,
        intent: IntentId,
    ) -> Result<Answering, Fault> {
        let held = batch
            .letters
            .iter()
            .filter(|l| matches!(l.body, hikyaku_core::Body::Held(_)))
            .map(|l| l.body.octets())
            .sum();
        let octets = Octets {
            all: batch.octets,
            held,
        };
        let gate = Arc::new(self.run.stop.clone());
        let pending = writer.append(batch.letters, gate).await?;
        let stubs = batch.stubs;
        Ok(Box::pin(async move {
            let answer = pending.await;
            (stubs, octets, intent, answer)
        }))
    }

    fn settle(
        &self,
        stubs: Vec<Stub>,
        intent: IntentId,
        epoch: Option<Epoch>,
        keys: Option<Vec<Key>>,
    ) -> Settling {
        let epoch = epoch.unwrap_or(self.destination_epoch);
        let keys = keys.filter(|keys| keys.len() == stubs.len() && epoch == self.destination_epoch);
        let copied: Vec<(Stub, Option<Key>)> = stubs
            .into_iter()
            .enumerate()
            .map(|(n, stub)| (stub, keys.as_ref().map(|k| k[n])))
            .collect();
        let records = copied
            .iter()
            .map(|(stub, key)| {
                let stored = key.map(|k| (epoch, k));
                stub.settled(self.epoch, Outcome::Copied, stored, Verified::Acknowledged)
            })
            .collect();
        let ledger = self.run.ledger.clone();
        let pairing = self.pairing;
        Box::pin(async move {
            let result = ledger.settle(pairing, records, vec![intent]).await;
            (copied, result)
        })
    }

    fn tell(&self, out: &mut Passed, copied: Vec<(Stub, Option<Key>)>) {
        self.run.pace.done(Side::Destination, 1);
        self.run.observer.note(&Event::Settled {
            mailbox: self.mailbox.clone(),
            outcome: Outcome::Copied,
            messages: copied.len() as u64,
            octets: copied.iter().map(|(stub, _)| stub.octets).sum(),
        });
        out.copied.extend(copied);
    }
}

async fn next<T>(flow: &mut Option<futures::stream::BoxStream<'_, T>>) -> Option<T> {
    match flow {
        Some(flow) => flow.next().await,
        None => None,
    }
}

/// Whether every known server takes a date (mail-server survey: before 2 January
/// 1970 and beyond 2037 they answer BAD, NO or silently *now*).
pub(crate) fn is_safe_date(seconds: i64) -> bool {
    (86_400..2_145_916_800).contains(&seconds)
}

/// Most messages in one append to this destination.
pub(crate) fn most_per_append(appends_batches: bool) -> usize {
    if appends_batches { batch::MESSAGES } else { 1 }
}
