//! One open mailbox of an account in memory: a connection of its own.

use super::account::{MemoryAccount, MemoryMessage};
use super::behaviour::{Append, Removal, full, lost, refused};
use bytes::Bytes;
use futures::StreamExt;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::traits::{
    Appended, Ask, Facts, FlagChange, Flow, Gate, Pending, Reader, Remover, Writer,
};
use hikyaku_core::{
    Body, Code, Epoch, Fault, Flag, Flags, HeadDigest, InternalDate, Key, KeySet, Letter, Listing,
    MailboxName, MailboxState, Reach, Remedy,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One open mailbox.
pub(super) struct Opened {
    account: MemoryAccount,
    name: MailboxName,
    state: MailboxState,
    /// The numbering when it was opened.
    born: u64,
    dead: Arc<Mutex<bool>>,
    hidden: Vec<Key>,
}

impl Opened {
    pub(super) fn new(
        account: MemoryAccount,
        name: MailboxName,
        state: MailboxState,
        born: u64,
        hidden: Vec<Key>,
    ) -> Self {
        Self {
            account,
            name,
            state,
            born,
            dead: Arc::default(),
            hidden,
        }
    }

    fn lost(&self, detail: &str) -> Fault {
        self.account.personality.placed(lost(detail))
    }

    fn alive(&self) -> Result<(), Fault> {
        let is_renumbered = self.account.numbering(&self.name) != Some(self.born);
        if is_renumbered || self.account.is_up().is_err() {
            Self::kill(&self.dead);
        }
        match *self.dead.lock().unwrap_or_else(PoisonError::into_inner) {
            true => Err(self.lost("the connection has ended")),
            false => Ok(()),
        }
    }

    fn kill(dead: &Mutex<bool>) {
        *dead.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn current(&self) -> BTreeMap<u64, MemoryMessage> {
        self.account
            .lock()
            .mailboxes
            .get(&self.name)
            .map(|m| m.messages.clone())
            .unwrap_or_default()
            .into_iter()
            .filter(|(key, _)| !self.hidden.contains(&Key(*key)))
            .collect()
    }

    fn listing(key: u64, message: &MemoryMessage, facts: Facts) -> Listing {
        Listing {
            key: Key(key),
            flags: facts.flags.then(|| message.flags.clone()),
            date: message.date.filter(|_| facts.date),
            octets: facts.octets.then_some(message.octets.len() as u64),
            head: facts.head.then(|| HeadDigest::of(&message.octets)),
        }
    }
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        let keys = self
            .alive()
            .map(|()| self.current().into_keys().map(Key).collect());
        Box::pin(async move { keys })
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        if let Err(fault) = self.alive() {
            return futures::stream::iter([Err(fault)]).boxed();
        }
        let rows: Vec<_> = self
            .current()
            .iter()
            .filter(|(key, _)| keys.contains(Key(**key)))
            .map(|(key, message)| Ok(Self::listing(*key, message, facts)))
            .collect();
        futures::stream::iter(rows).boxed()
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        let facts = Facts {
            flags: true,
            ..Facts::default()
        };
        let rows: Vec<_> = self
            .current()
            .iter()
            .filter(|(_, message)| message.modseq > modseq)
            .map(|(key, message)| Ok(Self::listing(*key, message, facts)))
            .collect();
        futures::stream::iter(rows).boxed()
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        if let Err(fault) = self.alive() {
            return futures::stream::iter([Err(fault)]).boxed();
        }
        let mut rows = Vec::new();
        let streams_above = self.account.personality.streams_above;
        for (key, message) in self.current() {
            if !keys.contains(Key(key)) {
                continue;
            }
            let mut state = self.account.lock();
            state.seen.read += 1;
            let refusals = state.refusals.entry(Key(key)).or_default();
            let refused = std::mem::replace(refusals, refusals.saturating_sub(1)) > 0;
            if refused || state.unreadable.contains(&Key(key)) {
                let fault = Fault::new(
                    Code::MessageUnreadable,
                    Reach::Message,
                    Remedy::Retry { after: None },
                    "the server cannot read it",
                );
                let fault = self.account.personality.placed(fault);
                rows.push(Err(fault.message(Key(key))));
                continue;
            }
            let broken = match state.broken_reads.front() {
                Some(k) if k.0 == key => state.broken_reads.pop_front().is_some(),
                _ => state.deadly_reads.contains(&Key(key)),
            };
            drop(state);
            let octets = message.octets.clone();
            let body = if octets.len() > streams_above {
                let half = octets.len() / 2;
                let mut chunks = vec![Ok(octets.slice(..half))];
                chunks.push(match broken {
                    true => Err(self.lost("cut inside the literal")),
                    false => Ok(octets.slice(half..)),
                });
                Body::Streamed {
                    octets: octets.len() as u64,
                    chunks: futures::stream::iter(chunks).boxed(),
                }
            } else if broken {
                Self::kill(&self.dead);
                rows.push(Err(self.lost("cut between messages")));
                break;
            } else {
                Body::Held(octets)
            };
            rows.push(Ok(Letter {
                key: Key(key),
                flags: message.flags,
                date: message.date,
                body,
            }));
            if broken {
                Self::kill(&self.dead);
                rows.push(Err(self.lost("the connection has ended")));
                break;
            }
        }
        futures::stream::iter(rows).boxed()
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        let found = self
            .alive()
            .map(|()| self.current().remove(&key.0).map(|m| m.octets));
        Box::pin(async move { found })
    }
}

impl Writer for Opened {
    fn permanent_flags(&self) -> &PermanentFlags {
        &self.account.personality.permanent
    }

    fn append(&mut self, letters: Vec<Letter>, gate: Arc<dyn Gate>) -> Ask<'_, Pending> {
        let account = self.account.clone();
        let name = self.name.clone();
        let dead = self.dead.clone();
        let epoch = self.state.epoch;
        let born = self.born;
        let (action, number) = {
            let mut state = account.lock();
            state.seen.appends += 1;
            state.seen.appended += letters.len() as u64;
            let number = state.seen.appends;
            let action = state.appends.pop_front().unwrap_or(Append::Store);
            match letters
                .iter()
                .any(|l| state.deadly_appends.contains(&l.key))
            {
                true => (Append::LoseBefore, number),
                false => (action, number),
            }
        };
        let alive = self.alive();
        let pending: Pending = Box::pin(async move {
            if let Err(fault) = alive {
                return Appended::Unknown(fault);
            }
            let mut whole = Vec::new();
            for letter in letters {
                let octets = match letter.body {
                    Body::Held(octets) => octets.to_vec(),
                    Body::Streamed { octets, mut chunks } => {
                        let mut all = Vec::with_capacity(octets as usize);
                        while let Some(chunk) = chunks.next().await {
                            match chunk {
                                Ok(chunk) => all.extend_from_slice(&chunk),
                                Err(fault) => {
                                    Opened::kill(&dead);
                                    return Appended::Unknown(fault);
                                }
                            }
                        }
                        all
                    }
                };
                whole.push((letter.flags, letter.date, octets));
            }
            if !gate.is_open() {
                Opened::kill(&dead);
                let fault = account.personality.placed(lost("the gate was shut"));
                return Appended::Unknown(fault);
            }
            let is_dead = *dead.lock().unwrap_or_else(PoisonError::into_inner);
            if is_dead || account.numbering(&name) != Some(born) {
                Opened::kill(&dead);
                let fault = account.personality.placed(lost("the connection has ended"));
                return Appended::Unknown(fault);
            }
            let answer = account.act(action, &name, whole, &dead, epoch);
            account.do_deed(number);
            answer
        });
        // The server works whether or not anybody waits for its answer.
        let handle = tokio::spawn(pending);
        Box::pin(async move {
            Ok(Box::pin(async move {
                handle
                    .await
                    .unwrap_or_else(|e| Appended::Unknown(lost(&e.to_string())))
            }) as Pending)
        })
    }

    fn store_flags<'a>(&'a mut self, changes: &'a [FlagChange]) -> Ask<'a, ()> {
        Box::pin(async move {
            self.alive()?;
            let mut state = self.account.lock();
            let Some(mailbox) = state.mailboxes.get_mut(&self.name) else {
                return Ok(());
            };
            for change in changes {
                mailbox.modseq += 1;
                let modseq = mailbox.modseq;
                if let Some(message) = mailbox.messages.get_mut(&change.key.0) {
                    message.flags = message.flags.or(&change.add).minus(&change.remove);
                    message.modseq = modseq;
                }
            }
            Ok(())
        })
    }
}

impl Remover for Opened {
    fn permanent_flags(&self) -> &PermanentFlags {
        &self.account.personality.permanent
    }

    fn remove<'a>(
        &'a mut self,
        epoch: Epoch,
        keys: &'a KeySet,
        gate: &'a dyn Gate,
    ) -> Ask<'a, KeySet> {
        Box::pin(async move {
            self.alive()?;
            if self.state.epoch != Some(epoch) {
                return Err(Fault::bug(
                    "a removal from another generation of the mailbox",
                ));
            }
            let action = {
                let mut state = self.account.lock();
                let seen = (self.name.to_string(), keys.clone());
                state.seen.removals.push(seen);
                state.removals.pop_front().unwrap_or(Removal::Do)
            };
            let lose = || {
                Self::kill(&self.dead);
                Err(self.lost("the answer was lost"))
            };
            if action == Removal::LoseBefore {
                return lose();
            }
            self.account.mark(&self.name, keys);
            self.account.do_expunge_deed();
            let part = match action {
                Removal::LoseMarked => return lose(),
                Removal::LosePart(count) => keys.iter().take(count).collect(),
                _ => keys.clone(),
            };
            if !gate.is_open() {
                return lose();
            }
            self.account.expunge(&self.name, &part);
            if matches!(action, Removal::LosePart(_) | Removal::LoseAfter) {
                return lose();
            }
            let left: KeySet = self.current().into_keys().map(Key).collect();
            Ok(keys.minus(&left))
        })
    }
}

impl MemoryAccount {
    fn mark(&self, name: &MailboxName, keys: &KeySet) {
        let mut state = self.lock();
        let Some(mailbox) = state.mailboxes.get_mut(name) else {
            return;
        };
        mailbox.modseq += 1;
        let modseq = mailbox.modseq;
        for (key, message) in &mut mailbox.messages {
            if keys.contains(Key(*key)) {
                message.flags.set(Flag::Deleted);
                message.modseq = modseq;
            }
        }
    }

    fn expunge(&self, name: &MailboxName, keys: &KeySet) {
        let mut state = self.lock();
        let Some(mailbox) = state.mailboxes.get_mut(name) else {
            return;
        };
        mailbox.modseq += 1;
        mailbox
            .messages
            .retain(|key, message| !(keys.contains(Key(*key)) && message.flags.has(Flag::Deleted)));
    }

    fn act(
        &self,
        action: Append,
        name: &MailboxName,
        letters: Vec<(Flags, Option<InternalDate>, Vec<u8>)>,
        dead: &Mutex<bool>,
        epoch: Option<Epoch>,
    ) -> Appended {
        let retry = Remedy::Retry { after: None };
        let placed = |fault| self.personality.placed(fault);
        let lose = || {
            Opened::kill(dead);
            Appended::Unknown(placed(lost("the answer was lost")))
        };
        let octets: usize = letters.iter().map(|(.., octets)| octets.len()).sum();
        if action == Append::Store && !self.has_room(octets as u64) {
            return Appended::Refused(placed(full()));
        }
        match action {
            Append::Store => match self.store(name, &letters) {
                Ok(keys) => Appended::Stored {
                    epoch,
                    keys: self.personality.reports_keys.then_some(keys),
                },
                Err(words) => Appended::Refused(placed(refused(words, Remedy::Skip))),
            },
            Append::LoseBefore => lose(),
            Append::LoseAfter => {
                self.store(name, &letters).ok();
                lose()
            }
            Append::LosePart(count) => {
                self.store(name, &letters[..count.min(letters.len())]).ok();
                lose()
            }
            Append::LandLater(after) => {
                let (account, name) = (self.clone(), name.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    account.store(&name, &letters).ok();
                });
                lose()
            }
            Append::StoreAndRefuse => {
                self.store(name, &letters).ok();
                Appended::Refused(placed(refused("try again later", retry)))
            }
            Append::Refuse => Appended::Refused(placed(refused("try again later", retry))),
            Append::RefuseForGood => {
                Appended::Refused(placed(refused("not this one", Remedy::Skip)))
            }
            Append::Answer(fault) => Appended::Refused(placed(fault)),
            Append::End(fault) => {
                Opened::kill(dead);
                Appended::Unknown(placed(fault))
            }
            Append::Lie => Appended::Stored {
                epoch,
                keys: self.personality.reports_keys.then(|| {
                    (0..letters.len() as u64)
                        .map(|n| Key(900_000 + n))
                        .collect()
                }),
            },
        }
    }
}
