//! What one line of the plan finds in the rest of the account.

use super::account::{Account, Presence, Seeker};
use crate::attempts::{Attempt, End};
use crate::mailbox::{Left, Sought};
use crate::matching::{self, Found, Match, heads, nothing_is_hidden};
use crate::pace::Seat;
use crate::run::Run;
use crate::stop::Stop;
use futures::future::{BoxFuture, FutureExt};
use hikyaku_core::ledger::{Elsewhere, Pairing, Settled, Verified};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::Reader;
use hikyaku_core::{
    Code, Epoch, Event, Fault, HeadDigest, Key, KeySet, MailboxName, MailboxState, Reach, Remedy,
    Side,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Messages that are looked for together.
const WINDOW: u64 = 4_096;
/// Records in one durable write.
const RECORDS: usize = 500;

/// Looking for the messages of one line.
pub(super) struct Look<'a> {
    run: &'a Arc<Run>,
    line: &'a MailboxPlan,
    account: &'a mut Account,
    /// The source as it was first seen; `None` until then.
    state: Option<MailboxState>,
    /// Source keys; `None` means all.
    wanted: Option<KeySet>,
    /// What was found in an earlier run, and not looked at yet in this one.
    known: Vec<Settled>,
    found: BTreeMap<MailboxName, u64>,
    /// Messages that could not be compared.
    unsure: KeySet,
    /// Whether everything was looked for.
    is_through: bool,
}

impl Attempt for Look<'_> {
    fn attempt<'a>(&'a mut self, _: &'a mut Seat) -> BoxFuture<'a, Result<End, Fault>> {
        async move { self.go().await.map(|()| End::Done) }.boxed()
    }

    fn progress(&self) -> u64 {
        self.found.values().sum()
    }

    fn again(&mut self) {}
}

impl<'a> Look<'a> {
    pub(super) fn new(
        run: &'a Arc<Run>,
        line: &'a MailboxPlan,
        account: &'a mut Account,
        left: Option<Left>,
    ) -> Self {
        let (state, wanted, known) = match left {
            Some(left) => (Some(left.state), Some(left.todo), left.elsewhere),
            None => (None, None, Vec::new()),
        };
        Self {
            run,
            line,
            account,
            state,
            wanted,
            known,
            found: BTreeMap::new(),
            unsure: KeySet::new(),
            is_through: false,
        }
    }

    /// What may be copied, where that is known, and how many messages this run found in
    /// which mailbox.
    pub(super) fn end(self) -> (Option<Sought>, BTreeMap<MailboxName, u64>) {
        let sought = match (self.state, self.wanted) {
            (Some(state), Some(wanted)) if self.is_through => Some(Sought {
                state,
                nowhere: wanted.minus(&self.unsure),
                unsure: self.unsure,
            }),
            _ => None,
        };
        (sought, self.found)
    }

    async fn go(&mut self) -> Result<(), Fault> {
        let run = self.run.clone();
        let ledger = &run.ledger;
        let pairing = ledger
            .pair(&self.line.source.name, &self.line.destination)
            .await?;
        self.look_at_known(&pairing).await?;
        let is_empty = match &self.wanted {
            Some(wanted) => wanted.is_empty(),
            None => self.line.source.state.is_some_and(|s| s.messages == 0),
        };
        if is_empty {
            self.state = self.state.or(self.line.source.state);
            self.wanted.get_or_insert_default();
            self.is_through = true;
            return Ok(());
        }
        self.account.prepare(&run).await?;
        let mut source = self.open_source().await?;
        let mut epoch = source.state().epoch.unwrap_or(Epoch(0));
        let known = self.state.or(self.line.source.state);
        if known.is_some_and(|known| known.epoch != Some(epoch)) {
            // Renumbered once, or at every look?
            drop(source);
            source = self.open_source().await?;
            let before = std::mem::replace(&mut epoch, source.state().epoch.unwrap_or(Epoch(0)));
            if epoch != before {
                epoch = Epoch(0);
            }
        }
        if epoch.0 == 0 {
            // Keys that do not last: nothing could be remembered of them.
            return Ok(());
        }
        let state = *self.state.get_or_insert(source.state());
        if state.epoch != Some(epoch) {
            let detail = "the source renumbered its messages while they were looked for in the whole account";
            let fault = Fault::new(Code::MailboxListing, Reach::Mailbox, Remedy::Skip, detail);
            return Err(fault.on(Side::Source));
        }
        let keys = source.keys().await?;
        let wanted = match &self.wanted {
            Some(wanted) => wanted.and(&keys),
            None => keys,
        };
        self.wanted = Some(wanted.clone());
        self.unsure = KeySet::new();
        for window in wanted.windows(WINDOW) {
            if run.stop.is_requested() {
                return Err(Stop::fault());
            }
            self.look_for(&pairing, epoch, source.as_mut(), &window)
                .await?;
        }
        self.is_through = true;
        Ok(())
    }

    async fn open_source(&self) -> Result<Box<dyn Reader>, Fault> {
        let opened = self.run.source.open(&self.line.source).await;
        opened.map_err(|fault| fault.on(Side::Source))
    }

    /// What its owner took away stays away; what has other keys now is looked for again.
    async fn look_at_known(&mut self, pairing: &Pairing) -> Result<(), Fault> {
        let mut records = Vec::new();
        for settled in &self.known {
            let outcome = match self.account.presence(self.run, settled).await? {
                Presence::There => continue,
                Presence::Gone => Outcome::RemovedAtDestination,
                Presence::Unknown => Outcome::FailedTemporary,
            };
            if outcome == Outcome::FailedTemporary
                && let Some(wanted) = &mut self.wanted
            {
                wanted.insert(settled.key);
            }
            records.push(Settled {
                outcome,
                stored: None,
                elsewhere: None,
                verified: Verified::No,
                ..settled.clone()
            });
        }
        for chunk in records.chunks(RECORDS) {
            let ledger = &self.run.ledger;
            ledger
                .settle(pairing.id, chunk.to_vec(), Vec::new())
                .await?;
        }
        self.known.clear();
        Ok(())
    }

    /// Looks for a window of messages, mailbox by mailbox.
    async fn look_for(
        &mut self,
        pairing: &Pairing,
        epoch: Epoch,
        source: &mut dyn Reader,
        window: &KeySet,
    ) -> Result<(), Fault> {
        let run = self.run.clone();
        let mut by_head: HashMap<HeadDigest, Vec<Key>> = HashMap::new();
        let each = |head, key| by_head.entry(head).or_default().push(key);
        let listed = heads(source, window, each).await?;
        nothing_is_hidden(source, &window.minus(&listed)).await?;
        let all = self.wanted.clone().unwrap_or_default();
        let seeker = Seeker {
            pairing: pairing.id,
            epoch,
            mapped: &self.line.destination,
            wanted: &all,
        };
        // How many of each head may still be taken, and where there are any.
        let mut most: HashMap<HeadDigest, u64> = HashMap::new();
        let mut places: BTreeMap<usize, (Vec<Key>, Vec<Key>)> = BTreeMap::new();
        for (head, ours) in &by_head {
            let free = self.account.free(*head, &seeker);
            if free.may_be_taken {
                ours.iter().for_each(|key| self.unsure.insert(*key));
            }
            if free.most == 0 {
                continue;
            }
            most.insert(*head, free.most);
            for (at, key) in free.places {
                let (theirs, wanted) = places.entry(at).or_default();
                theirs.push(key);
                if wanted.last() != ours.last() {
                    wanted.extend(ours);
                }
            }
        }
        for (at, (theirs, wanted)) in places {
            let wanted = set(wanted).and(&self.wanted.clone().unwrap_or_default());
            if wanted.is_empty() {
                continue;
            }
            let mut there = self.account.reopen(&run, at).await?;
            let candidates = set(theirs);
            let found =
                matching::find(&run, source, &wanted, there.as_mut(), &candidates, &[]).await?;
            drop(there);
            self.unsure.extend(&found.unsure);
            let mut claimed = Vec::new();
            for m in found.found {
                let Some(left) = most.get_mut(&m.source.head).filter(|left| **left > 0) else {
                    continue;
                };
                *left -= 1;
                claimed.push(m);
            }
            self.claim(pairing, epoch, at, &claimed).await?;
        }
        Ok(())
    }

    /// Records what was found; from then on it is nobody else's.
    async fn claim(
        &mut self,
        pairing: &Pairing,
        epoch: Epoch,
        at: usize,
        found: &[Match],
    ) -> Result<(), Fault> {
        let there = Elsewhere {
            mailbox: self.account.info(at).name.clone(),
            epoch: self.account.epoch(at),
        };
        let owned = |m: &Match| match m.found {
            Found::There { key, altered } => Some((key, altered)),
            Found::Ghost => None,
        };
        for chunk in found.chunks(RECORDS) {
            let records: Vec<Settled> = chunk
                .iter()
                .filter_map(|m| {
                    let (key, altered) = owned(m)?;
                    let verified = match altered {
                        true => Verified::Header,
                        false => Verified::Full,
                    };
                    let stored = Some((Epoch(0), key));
                    let record = m
                        .source
                        .settled(epoch, Outcome::AlreadyThere, stored, verified);
                    Some(Settled {
                        elsewhere: Some(there.clone()),
                        ..record
                    })
                })
                .collect();
            let ledger = &self.run.ledger;
            ledger
                .settle(pairing.id, records.clone(), Vec::new())
                .await?;
            for settled in records {
                let Some((_, key)) = settled.stored else {
                    continue;
                };
                self.account.take(at, key, (pairing.id, epoch, settled.key));
                if let Some(wanted) = &mut self.wanted {
                    wanted.remove(settled.key);
                }
                self.unsure.remove(settled.key);
                *self.found.entry(there.mailbox.clone()).or_default() += 1;
                self.run.observer.note(&Event::Settled {
                    mailbox: self.line.source.name.clone(),
                    outcome: settled.outcome,
                    messages: 1,
                    octets: settled.octets,
                });
            }
        }
        Ok(())
    }
}

fn set(mut keys: Vec<Key>) -> KeySet {
    keys.sort_unstable();
    keys.into_iter().collect()
}
