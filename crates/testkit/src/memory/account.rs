//! An account in memory whose appends can fail in every way that a server can.

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::mailbox::{NameRules, Quota};
use hikyaku_core::traits::{
    Appended, Ask, Destination, Facts, FlagChange, Flow, Gate, Pending, Reader, Source, Writer,
};
use hikyaku_core::{
    Abilities, Body, Code, Epoch, Fault, Flags, HeadDigest, InternalDate, Key, KeySet, Letter,
    Listing, MailboxInfo, MailboxName, MailboxState, Reach, Remedy, Role, Said, WireName,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMessage {
    /// Flags and keywords.
    pub flags: Flags,
    /// Arrival.
    pub date: Option<InternalDate>,
    /// Content.
    pub octets: Bytes,
    /// Mod-sequence of the last change.
    pub modseq: u64,
}

/// What an append does instead of simply storing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// As it should be.
    Store,
    /// The connection ends before anything is stored.
    LoseBefore,
    /// Everything is stored, the answer is lost.
    LoseAfter,
    /// The first messages of the batch are stored, then the connection ends.
    LosePart(usize),
    /// The connection ends; everything is stored some time later.
    LandLater(Duration),
    /// Everything is stored, and the answer is a temporary NO.
    StoreAndRefuse,
    /// Nothing is stored, and the answer is a temporary NO.
    Refuse,
    /// Nothing is stored; a permanent NO.
    RefuseForGood,
    /// OK, and nothing is stored.
    Lie,
}

/// How this server behaves.
#[derive(Clone)]
pub struct Personality {
    /// UIDPLUS.
    pub reports_keys: bool,
    /// MULTIAPPEND.
    pub appends_batches: bool,
    /// CONDSTORE.
    pub tracks_changes: bool,
    /// APPENDLIMIT.
    pub max_octets: Option<u64>,
    /// What becomes of stored octets; `Err` refuses the message for good.
    pub rewrite: fn(&[u8]) -> Result<Vec<u8>, &'static str>,
    /// What the mailboxes keep.
    pub permanent: PermanentFlags,
    /// Bodies longer than this are streamed.
    pub streams_above: usize,
    /// Mailboxes open at once.
    pub lanes: usize,
    /// Storage limit in octets.
    pub quota: Option<u64>,
}

impl Default for Personality {
    fn default() -> Self {
        Self {
            reports_keys: true,
            appends_batches: true,
            tracks_changes: true,
            max_octets: None,
            rewrite: |octets| Ok(octets.to_vec()),
            permanent: PermanentFlags::everything(),
            streams_above: 2_000,
            lanes: 4,
            quota: None,
        }
    }
}

#[derive(Clone, Debug)]
struct MemoryMailbox {
    epoch: u64,
    next: u64,
    modseq: u64,
    role: Option<Role>,
    subscribed: bool,
    messages: BTreeMap<u64, MemoryMessage>,
}

/// What the outside did, for assertions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Appends that reached the account.
    pub appends: u64,
    /// Messages inside them.
    pub appended: u64,
    /// Mailboxes opened for reading or writing.
    pub opened: u64,
    /// Bodies handed out.
    pub read: u64,
}

struct State {
    mailboxes: BTreeMap<MailboxName, MemoryMailbox>,
    appends: VecDeque<Append>,
    broken_reads: VecDeque<Key>,
    unreadable: Vec<Key>,
    seen: Seen,
    epochs: u64,
}

/// The account. Clones share it.
#[derive(Clone)]
pub struct MemoryAccount {
    state: Arc<Mutex<State>>,
    personality: Arc<Personality>,
    abilities: Arc<Abilities>,
}

impl MemoryAccount {
    /// An account with an empty INBOX.
    pub fn new(personality: Personality) -> Self {
        let abilities = Abilities {
            lanes: personality.lanes,
            max_octets: personality.max_octets,
            reports_keys: personality.reports_keys,
            appends_batches: personality.appends_batches,
            tracks_changes: personality.tracks_changes,
            exact_sizes: true,
            names: NameRules::default(),
        };
        let account = Self {
            state: Arc::new(Mutex::new(State {
                mailboxes: BTreeMap::new(),
                appends: VecDeque::new(),
                broken_reads: VecDeque::new(),
                unreadable: Vec::new(),
                seen: Seen::default(),
                epochs: 100,
            })),
            personality: Arc::new(personality),
            abilities: Arc::new(abilities),
        };
        account.make("INBOX");
        account
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).unwrap_or_else(MailboxName::inbox)
    }

    /// Makes a subscribed mailbox, if it is not there.
    pub fn make(&self, name: &str) {
        let mut state = self.lock();
        state.epochs += 1;
        let epoch = state.epochs;
        state
            .mailboxes
            .entry(Self::name(name))
            .or_insert_with(|| MemoryMailbox {
                epoch,
                next: 1,
                modseq: 1,
                role: None,
                subscribed: true,
                messages: BTreeMap::new(),
            });
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut MemoryMailbox) -> T) -> T {
        self.make(name);
        let mut state = self.lock();
        let mailbox = state
            .mailboxes
            .get_mut(&Self::name(name))
            .expect("made just now");
        mailbox.modseq += 1;
        act(mailbox)
    }

    /// Puts a message in, as its owner would; its key.
    pub fn put(&self, name: &str, flags: &str, seconds: i64, octets: &[u8]) -> Key {
        let message = |modseq| MemoryMessage {
            flags: Flags::parse(flags),
            date: Some(InternalDate::utc(seconds)),
            octets: Bytes::copy_from_slice(octets),
            modseq,
        };
        self.with(name, |m| {
            let key = m.next;
            m.next += 1;
            m.messages.insert(key, message(m.modseq));
            Key(key)
        })
    }

    /// Takes a message out, as its owner would.
    pub fn remove(&self, name: &str, key: Key) {
        self.with(name, |m| m.messages.remove(&key.0));
    }

    /// Sets a message's flags, as its owner would.
    pub fn set_flags(&self, name: &str, key: Key, flags: &str) {
        self.with(name, |m| {
            let modseq = m.modseq;
            if let Some(message) = m.messages.get_mut(&key.0) {
                message.flags = Flags::parse(flags);
                message.modseq = modseq;
            }
        });
    }

    /// Gives the mailbox a new epoch and its messages new keys.
    pub fn renumber(&self, name: &str) {
        let epoch = {
            let mut state = self.lock();
            state.epochs += 1;
            state.epochs
        };
        self.with(name, |m| {
            m.epoch = epoch;
            let old = std::mem::take(&mut m.messages);
            m.next = 1;
            for (_, message) in old {
                m.messages.insert(m.next, message);
                m.next += 1;
            }
        });
    }

    /// The next appends behave like this, then all is well.
    pub fn script_appends(&self, script: impl IntoIterator<Item = Append>) {
        self.lock().appends.extend(script);
    }

    /// The source connection ends in the middle of each of these messages, once.
    pub fn break_reads(&self, keys: impl IntoIterator<Item = Key>) {
        self.lock().broken_reads.extend(keys);
    }

    /// These messages are refused whenever they are read.
    pub fn set_unreadable(&self, keys: impl IntoIterator<Item = Key>) {
        self.lock().unreadable.extend(keys);
    }

    /// What was done so far.
    pub fn seen(&self) -> Seen {
        self.lock().seen.clone()
    }

    /// Every message of a mailbox, by key.
    pub fn messages(&self, name: &str) -> Vec<(Key, MemoryMessage)> {
        self.lock()
            .mailboxes
            .get(&Self::name(name))
            .map(|m| {
                m.messages
                    .iter()
                    .map(|(k, m)| (Key(*k), m.clone()))
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Names of all mailboxes, with their subscription.
    pub fn names(&self) -> Vec<(String, bool)> {
        self.lock()
            .mailboxes
            .iter()
            .map(|(n, m)| (n.to_string(), m.subscribed))
            .collect()
    }

    fn state_of(&self, mailbox: &MemoryMailbox) -> MailboxState {
        MailboxState {
            epoch: Some(Epoch(mailbox.epoch)),
            next: Some(Key(mailbox.next)),
            messages: mailbox.messages.len() as u64,
            modseq: self.personality.tracks_changes.then_some(mailbox.modseq),
            octets: Some(
                mailbox
                    .messages
                    .values()
                    .map(|m| m.octets.len() as u64)
                    .sum(),
            ),
        }
    }

    fn info(&self, name: &MailboxName, mailbox: &MemoryMailbox) -> MailboxInfo {
        MailboxInfo {
            name: name.clone(),
            wire: WireName::new(name.to_string()),
            role: mailbox.role,
            selectable: true,
            subscribed: mailbox.subscribed,
            no_children: false,
            state: Some(self.state_of(mailbox)),
        }
    }

    fn opened(&self, info: &MailboxInfo) -> Result<Opened, Fault> {
        let mut state = self.lock();
        state.seen.opened += 1;
        let mailbox = state.mailboxes.get(&info.name).ok_or_else(|| {
            Fault::new(
                Code::MailboxMissing,
                Reach::Mailbox,
                Remedy::AskUser,
                "no such mailbox",
            )
        })?;
        Ok(Opened {
            account: self.clone(),
            name: info.name.clone(),
            state: self.state_of(mailbox),
            dead: Arc::new(Mutex::new(false)),
        })
    }

    /// Stores letters; `Err` holds the server's words.
    fn store(
        &self,
        name: &MailboxName,
        letters: &[(Flags, Option<InternalDate>, Vec<u8>)],
    ) -> Result<Vec<Key>, &'static str> {
        let mut rewritten = Vec::new();
        for (_, _, octets) in letters {
            rewritten.push((self.personality.rewrite)(octets)?);
        }
        let mut state = self.lock();
        let mailbox = state.mailboxes.get_mut(name).ok_or("no such mailbox")?;
        let mut keys = Vec::new();
        for ((flags, date, _), octets) in letters.iter().zip(rewritten) {
            mailbox.modseq += 1;
            let key = mailbox.next;
            mailbox.next += 1;
            let message = MemoryMessage {
                flags: self.personality.permanent.divide(flags).0,
                date: date.or(Some(InternalDate::utc(1_900_000_000))),
                octets: octets.into(),
                modseq: mailbox.modseq,
            };
            mailbox.messages.insert(key, message);
            keys.push(Key(key));
        }
        Ok(keys)
    }
}

fn lost(detail: &str) -> Fault {
    Fault::new(
        Code::LinkLost,
        Reach::Side,
        Remedy::Retry { after: None },
        detail,
    )
}

fn refused(words: &str, remedy: Remedy) -> Fault {
    Fault::new(Code::MessageRefused, Reach::Message, remedy, "refused")
        .said(Said::new("NO", None, words))
}

impl Source for MemoryAccount {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        let state = self.lock();
        let all = state
            .mailboxes
            .iter()
            .map(|(name, mailbox)| self.info(name, mailbox))
            .collect();
        Box::pin(async move { Ok(all) })
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(async move { Ok(Box::new(self.opened(mailbox)?) as Box<dyn Reader>) })
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        let used = self
            .lock()
            .mailboxes
            .values()
            .flat_map(|m| m.messages.values())
            .map(|m| m.octets.len() as u64)
            .sum();
        let quota = self.personality.quota.map(|limit| Quota { used, limit });
        Box::pin(async move { Ok(quota) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Destination for MemoryAccount {
    fn ensure<'a>(
        &'a self,
        name: &'a MailboxName,
        role: Option<Role>,
        subscribe: bool,
    ) -> Ask<'a, MailboxInfo> {
        Box::pin(async move {
            let mut state = self.lock();
            state.epochs += 1;
            let epoch = state.epochs;
            let mailbox = state
                .mailboxes
                .entry(name.clone())
                .or_insert_with(|| MemoryMailbox {
                    epoch,
                    next: 1,
                    modseq: 1,
                    role,
                    subscribed: false,
                    messages: BTreeMap::new(),
                });
            mailbox.subscribed |= subscribe;
            let mailbox = mailbox.clone();
            Ok(self.info(name, &mailbox))
        })
    }

    fn write<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
        Box::pin(async move { Ok(Box::new(self.opened(mailbox)?) as Box<dyn Writer>) })
    }
}

/// One open mailbox: a connection of its own.
struct Opened {
    account: MemoryAccount,
    name: MailboxName,
    state: MailboxState,
    dead: Arc<Mutex<bool>>,
}

impl Opened {
    fn alive(&self) -> Result<(), Fault> {
        match *self.dead.lock().unwrap_or_else(PoisonError::into_inner) {
            true => Err(lost("the connection has ended")),
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
            if state.unreadable.contains(&Key(key)) {
                let fault = Fault::new(
                    Code::MessageUnreadable,
                    Reach::Message,
                    Remedy::Skip,
                    "the server cannot read it",
                );
                rows.push(Err(fault.message(Key(key))));
                continue;
            }
            let broken = match state.broken_reads.front() {
                Some(k) if k.0 == key => state.broken_reads.pop_front().is_some(),
                _ => false,
            };
            drop(state);
            let octets = message.octets.clone();
            let body = if octets.len() > streams_above {
                let half = octets.len() / 2;
                let mut chunks = vec![Ok(octets.slice(..half))];
                chunks.push(match broken {
                    true => Err(lost("cut inside the literal")),
                    false => Ok(octets.slice(half..)),
                });
                Body::Streamed {
                    octets: octets.len() as u64,
                    chunks: futures::stream::iter(chunks).boxed(),
                }
            } else if broken {
                Self::kill(&self.dead);
                rows.push(Err(lost("cut between messages")));
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
                rows.push(Err(lost("the connection has ended")));
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
        let action = {
            let mut state = account.lock();
            state.seen.appends += 1;
            state.seen.appended += letters.len() as u64;
            state.appends.pop_front().unwrap_or(Append::Store)
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
                return Appended::Unknown(lost("the gate was shut"));
            }
            account.act(action, &name, whole, &dead, epoch)
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

impl MemoryAccount {
    fn act(
        &self,
        action: Append,
        name: &MailboxName,
        letters: Vec<(Flags, Option<InternalDate>, Vec<u8>)>,
        dead: &Mutex<bool>,
        epoch: Option<Epoch>,
    ) -> Appended {
        let retry = Remedy::Retry { after: None };
        let lose = || {
            Opened::kill(dead);
            Appended::Unknown(lost("the answer was lost"))
        };
        match action {
            Append::Store => match self.store(name, &letters) {
                Ok(keys) => Appended::Stored {
                    epoch,
                    keys: self.personality.reports_keys.then_some(keys),
                },
                Err(words) => Appended::Refused(refused(words, Remedy::Skip)),
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
                Appended::Refused(refused("try again later", retry))
            }
            Append::Refuse => Appended::Refused(refused("try again later", retry)),
            Append::RefuseForGood => Appended::Refused(refused("not this one", Remedy::Skip)),
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
