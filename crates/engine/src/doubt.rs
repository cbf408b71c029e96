//! Resolving what was intended and never settled.
//!
//! Between the durable intent and the durable record the outcome of an append is
//! unknown: the process may have died, the answer may have been lost, the server
//! may have stored and said NO. Before anything is appended to that mailbox again,
//! the destination is looked at: only keys from the intent's UIDNEXT on that no record
//! owns can be ours, and they are matched by content, one to one.

use crate::listing::contradiction;
use crate::matching::{self, Found, Match, Matches};
use crate::place::{place, unplaced};
use crate::run::Run;
use futures::StreamExt;
use hikyaku_core::ledger::{Intent, IntentId, Pairing, Settled, Verified};
use hikyaku_core::report::Outcome;
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{Epoch, Fault, Flags, Key, KeySet, MailboxInfo, MailboxName, Reach, Side};
use std::collections::HashMap;
use std::sync::Arc;

/// How long to wait before the first look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settling {
    /// The connection was lost: the server may still be storing what it had received.
    Lost,
    /// The server answered every append: it has settled.
    Answered,
}

/// Everything that is needed to look.
pub(crate) struct Doubt<'a> {
    pub(crate) run: &'a Arc<Run>,
    pub(crate) pairing: &'a Pairing,
    pub(crate) destination: &'a MailboxInfo,
    /// Source epoch of the mailbox as it is open now.
    pub(crate) epoch: Epoch,
    pub(crate) settling: Settling,
    /// The source's flags at the time when the messages were sent, where somebody remembers.
    pub(crate) sent: HashMap<Key, Flags>,
}

impl Doubt<'_> {
    /// Resolves the intents and closes them. Returns the source keys that turned out
    /// to be stored, with the messages that were altered.
    ///
    /// `source` must hold the source mailbox open; messages of another source epoch
    /// are left to matching by content later.
    pub(crate) async fn resolve(
        &self,
        source: &mut dyn Reader,
        intents: Vec<(IntentId, Intent)>,
    ) -> Result<Vec<Match>, Fault> {
        let Some(first) = intents.iter().map(|(_, i)| i.destination_next).min() else {
            return Ok(Vec::new());
        };
        let (mut there, all) = self.settled_view(first).await?;
        let epoch = there.state().epoch.unwrap_or(Epoch(0));
        let ledger = &self.run.ledger;
        let ids: Vec<IntentId> = intents.iter().map(|(id, _)| *id).collect();
        let mut wanted = KeySet::new();
        for (_, intent) in intents.iter().filter(|(_, i)| i.epoch == self.epoch) {
            wanted.extend(&intent.keys);
        }
        for settled in ledger.lookup(self.pairing.id, self.epoch, &wanted).await? {
            if settled.outcome.is_final() {
                wanted.remove(settled.key);
            }
        }
        let same_epoch = intents
            .iter()
            .all(|(_, i)| i.destination_epoch == epoch && epoch.0 != 0);
        let from = if same_epoch { first } else { Key(0) };
        let owned = ledger.owned(&self.pairing.destination, epoch).await?;
        let since: KeySet = KeySet::range(from.0..=u64::MAX).and(&all);
        let candidates = match epoch.0 == 0 && self.settling == Settling::Lost {
            // Keys without an epoch own nothing: all messages are matched together later.
            true => KeySet::new(),
            false => since.minus(&owned),
        };
        let run = self.run;
        let epochs = (self.epoch, epoch);
        let placed = place(
            run,
            self.pairing,
            epochs,
            source,
            there.as_mut(),
            &candidates,
        )
        .await?;
        let candidates = candidates.minus(&placed);
        let found = matching::find(run, source, &wanted, there.as_mut(), &candidates, &[]).await?;
        let mut matches = sure(found)?;
        let mut records: Vec<Settled> = matches
            .iter()
            .map(|m| Settled {
                flags: self.flags_sent(m),
                ..record(m, self.epoch, Some(epoch))
            })
            .collect();
        for m in &matches {
            wanted.remove(m.source.key);
        }
        let next = there.state().next.unwrap_or(first);
        let moved_away = same_epoch && next.0.saturating_sub(first.0) > since.len();
        drop(there);
        if moved_away && !wanted.is_empty() {
            // What is known to have been stored here, and is here no more, was moved before anything else was.
            let certain = unplaced(run, self.pairing, self.epoch).await?;
            let certain: KeySet = certain.into_keys().collect();
            let certain = certain.minus(&wanted);
            for m in self.find_elsewhere(source, &certain, &wanted).await? {
                records.push(record(&m, self.epoch, None));
                if wanted.remove(m.source.key) {
                    matches.push(m);
                }
            }
        }
        // What the source no longer has can never be appended again: its outcome
        // stays unknown, and it is recorded as vanished.
        let still: KeySet = present(source, &wanted).await?;
        for key in wanted.minus(&still).iter() {
            records.push(vanished(self.epoch, key));
        }
        ledger.settle(self.pairing.id, records, ids).await?;
        Ok(matches)
    }

    /// The destination after it has come to rest: two looks in a row that show the
    /// same keys from `first` on.
    async fn settled_view(&self, first: Key) -> Result<(Box<dyn Reader>, KeySet), Fault> {
        let clock = &self.run.clock;
        let patience = &self.run.policy.patience;
        let because = Fault::new(
            hikyaku_core::Code::MessageUnknown,
            Reach::Mailbox,
            hikyaku_core::Remedy::Retry { after: None },
            "the last answer was lost; the server is given time to finish storing",
        )
        .on(Side::Destination)
        .mailbox(&self.pairing.destination);
        if self.settling == Settling::Lost {
            let due = self.run.last_loss() + patience.doubt_settle;
            let left = due.saturating_sub(clock.monotonic());
            self.run.wait(left, &because).await?;
        }
        let mut before: Option<KeySet> = None;
        loop {
            let mut reader = self.run.destination.open(self.destination).await?;
            let keys = reader.keys().await?;
            if let Some(fault) = contradiction(reader.state(), &keys, Side::Destination) {
                return Err(fault);
            }
            let tail = KeySet::range(first.0..=u64::MAX).and(&keys);
            if self.settling == Settling::Answered || before.as_ref() == Some(&tail) {
                return Ok((reader, keys));
            }
            before = Some(tail);
            drop(reader);
            self.run.wait(patience.doubt_interval, &because).await?;
        }
    }

    /// The flags that the source had when a message was sent. Without memory of it, those that both sides have now:
    /// what else the source has is still to follow.
    fn flags_sent(&self, m: &Match) -> Flags {
        let sent = self.sent.get(&m.source.key).cloned();
        sent.unwrap_or_else(|| m.source.flags.and(&m.kept))
    }

    /// Looks through the other mailboxes of the destination: some hosts move mail by
    /// themselves, and owners do while it arrives. In each mailbox `first` come first.
    pub(crate) async fn find_elsewhere(
        &self,
        source: &mut dyn Reader,
        first: &KeySet,
        wanted: &KeySet,
    ) -> Result<Vec<Match>, Fault> {
        let (mut first, mut wanted) = (first.clone(), wanted.clone());
        let mut out = Vec::new();
        for info in self.run.destination.mailboxes().await? {
            let is_view = info.role.is_some_and(|r| r.is_view());
            if !info.selectable || is_view || info.name == self.destination.name {
                continue;
            }
            let mut reader = self.run.destination.open(&info).await?;
            let epoch = reader.state().epoch.unwrap_or(Epoch(0));
            let keys = reader.keys().await?;
            let mut candidates = self.unclaimed(&info.name, epoch, keys).await?;
            let (run, there) = (self.run, reader.as_mut());
            let found = matching::find(run, source, &first, there, &candidates, &[]).await?;
            for m in &found.found {
                first.remove(m.source.key);
                if let Found::There { key, .. } = m.found {
                    candidates.remove(key);
                }
            }
            out.extend(found.found);
            let there = reader.as_mut();
            let found = matching::find(run, source, &wanted, there, &candidates, &[]).await?;
            let found = sure(found)?;
            for m in &found {
                wanted.remove(m.source.key);
            }
            out.extend(found);
            if wanted.is_empty() {
                break;
            }
        }
        Ok(out)
    }

    /// Of these keys of another mailbox, those that no copy of another source mailbox can have: neither a recorded one,
    /// nor one whose answer is awaited or was lost, nor one whose place was never told.
    async fn unclaimed(
        &self,
        mailbox: &MailboxName,
        epoch: Epoch,
        keys: KeySet,
    ) -> Result<KeySet, Fault> {
        let ledger = &self.run.ledger;
        let mut free = keys;
        // In this order: an intent that is closed meanwhile has left its records.
        for pairing in ledger.pairings().await? {
            if pairing.destination != *mailbox || pairing.id == self.pairing.id {
                continue;
            }
            for (_, intent) in ledger.in_doubt(pairing.id).await? {
                let from = match intent.destination_epoch == epoch && epoch.0 != 0 {
                    true => intent.destination_next,
                    false => Key(0),
                };
                free = free.minus(&KeySet::range(from.0..=u64::MAX));
            }
            for past in ledger.epochs(pairing.id).await? {
                if !free.is_empty() && !unplaced(self.run, &pairing, past).await?.is_empty() {
                    free = KeySet::new();
                }
            }
        }
        Ok(free.minus(&ledger.owned(mailbox, epoch).await?))
    }
}

/// A doubt is not resolved while one of its messages cannot be compared.
fn sure(matches: Matches) -> Result<Vec<Match>, Fault> {
    match matches.unsure.first() {
        Some(key) => Err(Fault {
            reach: Reach::Mailbox,
            ..matching::unsure().message(key)
        }),
        None => Ok(matches.found),
    }
}

/// The record of a message that was found. Found in another mailbox than the one it
/// was sent to, it has no key of its own any more: its owner or host moved it.
fn record(m: &Match, epoch: Epoch, destination_epoch: Option<Epoch>) -> Settled {
    let (stored, altered) = match (m.found, destination_epoch) {
        (Found::There { key, altered }, Some(epoch)) => (Some((epoch, key)), altered),
        (Found::There { altered, .. }, None) => (None, altered),
        (Found::Ghost, _) => (None, false),
    };
    let outcome = match stored {
        Some(_) => Outcome::Copied,
        None => Outcome::RemovedAtDestination,
    };
    let verified = match (stored, altered) {
        (None, _) => Verified::No,
        (_, true) => Verified::Header,
        (_, false) => Verified::Full,
    };
    m.source.settled(epoch, outcome, stored, verified)
}

/// The record of a message that is no longer at the source and was never seen at the
/// destination.
pub(crate) fn vanished(epoch: Epoch, key: Key) -> Settled {
    Settled {
        epoch,
        key,
        outcome: Outcome::Vanished,
        stored: None,
        elsewhere: None,
        octets: 0,
        content: None,
        head: None,
        flags: hikyaku_core::Flags::new(),
        date: None,
        verified: Verified::No,
        code: None,
    }
}

/// Which of the keys the mailbox still has.
pub(crate) async fn present(reader: &mut dyn Reader, keys: &KeySet) -> Result<KeySet, Fault> {
    let mut out = KeySet::new();
    if keys.is_empty() {
        return Ok(out);
    }
    let mut flow = reader.list(keys, Facts::default());
    while let Some(item) = flow.next().await {
        match item {
            Ok(listing) => out.insert(listing.key),
            Err(fault) if fault.reach == Reach::Message => {
                fault.at.message.into_iter().for_each(|key| out.insert(key));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(out)
}
