//! Verifying without copying: the same comparison, with nothing sent.

use crate::attempts::{Attempt, End, persist};
use crate::compare::{self, Now, Pages};
use crate::elsewhere;
use crate::job::Depth;
use crate::mailbox::Finished;
use crate::matching::{self, Found};
use crate::pace::Seat;
use crate::prove::difference;
use crate::resume;
use crate::run::Run;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::ledger::{Pairing, PairingId, Settled, Verified};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::report::{Exception, Outcome, Tally};
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Code, Epoch, Event, Fault, Key, KeySet, MailboxInfo, Reach, Remedy, Side};
use std::collections::HashMap;
use std::sync::Arc;

/// Compares one mailbox on both sides.
pub(crate) async fn work(
    run: &Arc<Run>,
    line: &MailboxPlan,
    depth: Depth,
    seat: &mut Seat,
) -> Finished {
    let mut check = Check {
        run,
        line,
        depth,
        tally: Tally::default(),
        exceptions: Vec::new(),
        differences: 0,
        read_back: 0,
        retries: 0,
        scanned: line.source.state.map_or(0, |s| s.messages),
    };
    let unfinished = persist(run, seat, Some(&line.source.name), &mut check).await;
    if unfinished.is_some() {
        let left = check.scanned.saturating_sub(check.tally.total());
        check.tally.add(Outcome::FailedTemporary, left, 0);
    }
    run.observer.note(&Event::MailboxDone {
        mailbox: line.source.name.clone(),
    });
    let mut finished = Finished::of(line, check.scanned, check.tally, unfinished);
    finished.report.read_back = check.read_back;
    finished.exceptions = check.exceptions;
    finished.differences = check.differences;
    finished.retries = check.retries;
    finished
}

struct Check<'a> {
    run: &'a Arc<Run>,
    line: &'a MailboxPlan,
    depth: Depth,
    tally: Tally,
    exceptions: Vec<Exception>,
    differences: u64,
    read_back: u64,
    retries: u64,
    scanned: u64,
}

impl Attempt for Check<'_> {
    fn attempt<'a>(&'a mut self, _: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>> {
        self.tally = Tally::default();
        self.exceptions.clear();
        self.differences = 0;
        self.read_back = 0;
        let depth = self.depth;
        async move { self.look(depth).await.map(|()| End::Done) }.boxed()
    }

    fn progress(&self) -> u64 {
        0
    }

    fn again(&mut self) {
        self.retries += 1;
    }
}

impl Check<'_> {
    async fn look(&mut self, depth: Depth) -> Result<(), Fault> {
        let run = self.run;
        let opened = run.source.open(&self.line.source).await;
        let mut reader = opened.map_err(|fault| fault.on(Side::Source))?;
        run.pace.connected(Side::Source);
        let keys = reader.keys().await?;
        self.scanned = keys.len();
        run.observer.note(&Event::MailboxStarted {
            mailbox: self.line.source.name.clone(),
            messages: keys.len(),
            to_copy: 0,
        });
        let Some(existing) = &self.line.existing else {
            keys.iter().for_each(|key| self.miss(key));
            return Ok(());
        };
        let mut there = open_there(run, existing).await?;
        let there_keys = there.keys().await?;
        if let Some(pairing) = &self.line.pairing {
            resume::resume(run, pairing, reader.as_mut()).await?;
        }
        let now = Now {
            epoch: resume::epoch(reader.as_ref()),
            keys: &keys,
            destination_epoch: there.state().epoch.unwrap_or(Epoch(0)),
            there: &there_keys,
        };
        let pairing = self.line.pairing.clone().unwrap_or_else(|| Pairing {
            id: PairingId(0),
            source: self.line.source.name.clone(),
            destination: self.line.destination.clone(),
            checkpoint: None,
        });
        // Rows, not the checkpoint: a check trusts no summary.
        let pairing = Pairing {
            checkpoint: None,
            ..pairing
        };
        let compared = compare::compare(run, &pairing, &now).await?;
        let mut gone = KeySet::new();
        if !compared.elsewhere.is_empty() {
            // Some servers let in one connection only.
            drop(there);
            gone = elsewhere::gone(run, &compared.elsewhere).await?;
            there = open_there(run, existing).await?;
        }
        for settled in &compared.removed {
            self.tally
                .add(Outcome::RemovedAtDestination, 1, settled.octets);
        }
        self.look_at_known(
            depth,
            &pairing,
            &now,
            (&compared.done, &gone),
            reader.as_mut(),
            there.as_mut(),
        )
        .await?;
        let owned = run
            .ledger
            .owned(&pairing.destination, now.destination_epoch)
            .await?;
        let candidates = now.there.minus(&owned);
        let found = matching::find(
            run,
            reader.as_mut(),
            &compared.todo,
            there.as_mut(),
            &candidates,
            &[],
        )
        .await?;
        let mut missing = compared.todo.clone();
        for m in &found.found {
            missing.remove(m.source.key);
            self.tally.add(Outcome::AlreadyThere, 1, m.source.octets);
            self.read_back += u64::from(matches!(m.found, Found::There { altered: false, .. }));
        }
        missing.iter().for_each(|key| self.miss(key));
        Ok(())
    }

    /// The messages that the ledger knows to be there.
    async fn look_at_known(
        &mut self,
        depth: Depth,
        pairing: &Pairing,
        now: &Now<'_>,
        (done, gone): (&KeySet, &KeySet),
        reader: &mut dyn Reader,
        there: &mut dyn Reader,
    ) -> Result<(), Fault> {
        let mut pages = Pages::new(self.run, pairing, now.epoch);
        while let Some(page) = pages.next().await? {
            let page: Vec<Settled> = page.into_iter().filter(|s| done.contains(s.key)).collect();
            let here = page.iter().filter(|s| s.elsewhere.is_none());
            let by_stored: HashMap<Key, &Settled> =
                here.filter_map(|s| Some((s.stored?.1, s))).collect();
            let mut sorted: Vec<Key> = by_stored.keys().copied().collect();
            sorted.sort_unstable();
            let stored: KeySet = sorted.into_iter().collect();
            let suspicious = match depth {
                Depth::Full => stored.clone(),
                Depth::Listed => wrong_octets(there, &stored, &by_stored).await?,
            };
            let bad = self
                .read_back(&suspicious, &by_stored, reader, there)
                .await?;
            let mut good = KeySet::new();
            for settled in &page {
                let outcome = match gone.contains(settled.key) {
                    true => Outcome::RemovedAtDestination,
                    false => settled.outcome,
                };
                self.tally.add(outcome, 1, settled.octets);
                if bad.contains(settled.key) {
                    self.differences += 1;
                    self.exception(
                        settled.key,
                        settled.outcome,
                        difference("the destination holds other content than the source"),
                    );
                } else if settled.stored.is_some() && settled.elsewhere.is_none() {
                    good.insert(settled.key);
                }
            }
            let level = match depth {
                Depth::Full => Verified::Full,
                Depth::Listed => Verified::Present,
            };
            self.run
                .ledger
                .prove(pairing.id, now.epoch, &good, level)
                .await?;
        }
        Ok(())
    }

    /// Source keys whose stored content is neither that of the record nor a form of
    /// it that servers are known to make.
    async fn read_back(
        &mut self,
        suspicious: &KeySet,
        by_stored: &HashMap<Key, &Settled>,
        reader: &mut dyn Reader,
        there: &mut dyn Reader,
    ) -> Result<KeySet, Fault> {
        let mut other = HashMap::new();
        for read in matching::read(self.run, there, suspicious).await? {
            let Some(settled) = by_stored.get(&read.key) else {
                continue;
            };
            if settled.content == Some(read.content) {
                self.read_back += 1;
            } else {
                other.insert(settled.key, read);
            }
        }
        let mut keys: Vec<Key> = other.keys().copied().collect();
        keys.sort_unstable();
        let keys: KeySet = keys.into_iter().collect();
        let mut bad = keys.clone();
        for original in matching::read(self.run, reader, &keys).await? {
            if other
                .get(&original.key)
                .is_some_and(|r| r.is_form_of(&original))
            {
                bad.remove(original.key);
            }
        }
        Ok(bad)
    }

    fn miss(&mut self, key: Key) {
        self.tally.add(Outcome::FailedTemporary, 1, 0);
        self.differences += 1;
        let fault = Fault::new(
            Code::VerifyDifference,
            Reach::Message,
            Remedy::Retry { after: None },
            "the message is not at the destination",
        )
        .on(Side::Destination);
        self.exception(key, Outcome::FailedTemporary, fault);
    }

    fn exception(&mut self, key: Key, outcome: Outcome, fault: Fault) {
        self.exceptions.push(Exception {
            mailbox: self.line.source.name.clone(),
            key: Some(key),
            octets: None,
            head: None,
            outcome: Some(outcome),
            fault: fault.mailbox(&self.line.source.name).message(key),
        });
    }
}

async fn open_there(run: &Run, mailbox: &MailboxInfo) -> Result<Box<dyn Reader>, Fault> {
    let opened = run.destination.open(mailbox).await;
    let there = opened.map_err(|fault| fault.on(Side::Destination))?;
    run.pace.connected(Side::Destination);
    Ok(there)
}

async fn wrong_octets(
    there: &mut dyn Reader,
    keys: &KeySet,
    by_stored: &HashMap<Key, &Settled>,
) -> Result<KeySet, Fault> {
    let mut wrong = KeySet::new();
    let facts = Facts {
        octets: true,
        ..Facts::default()
    };
    let mut flow = there.list(keys, facts);
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => {
                let expected = by_stored.get(&listing.key).map(|s| s.octets);
                if listing.octets != expected {
                    wrong.insert(listing.key);
                }
            }
            Err(fault) if fault.reach == Reach::Message => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(wrong)
}
