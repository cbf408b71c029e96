//! An account in memory whose appends can fail in every way that a server can.

use super::behaviour::{Append, Epochs, Personality, Removal};
use super::opened::Opened;
use bytes::Bytes;
use futures::future::BoxFuture;
use hikyaku_core::mailbox::{NameRules, Quota};
use hikyaku_core::traits::{Ask, Destination, Reader, Remover, Source, Undo, Writer};
use hikyaku_core::{
    Abilities, Code, Epoch, Fault, Flags, InternalDate, Key, KeySet, MailboxInfo, MailboxName,
    MailboxState, Reach, Remedy, Role, WireName,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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

#[derive(Clone, Debug)]
pub(super) struct MemoryMailbox {
    pub(super) epoch: u64,
    pub(super) next: u64,
    pub(super) modseq: u64,
    role: Option<Role>,
    subscribed: bool,
    pub(super) messages: BTreeMap<u64, MemoryMessage>,
}

/// Something that the owner does at a certain moment.
type Deed = Box<dyn FnOnce(&MemoryAccount) + Send>;

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
    /// Questions for the quota.
    pub quotas: u64,
    /// Removals that reached the account: mailbox and keys.
    pub removals: Vec<(String, KeySet)>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) mailboxes: BTreeMap<MailboxName, MemoryMailbox>,
    pub(super) appends: VecDeque<Append>,
    pub(super) broken_reads: VecDeque<Key>,
    pub(super) unreadable: Vec<Key>,
    /// Reads that are refused so many times more.
    pub(super) refusals: BTreeMap<Key, u32>,
    /// The connection ends whenever one of these source keys is appended.
    pub(super) deadly_appends: Vec<Key>,
    /// The connection ends whenever one of these is read.
    pub(super) deadly_reads: Vec<Key>,
    deeds: BTreeMap<u64, Deed>,
    pub(super) removals: VecDeque<Removal>,
    /// What the owner does between mark and expunge, once.
    expunge_deed: Option<Deed>,
    opens: VecDeque<Option<Fault>>,
    listings: VecDeque<Fault>,
    down: Option<(Instant, Fault)>,
    /// After so many more opens it goes down for that time.
    goes_down: Option<(u64, Duration, Fault)>,
    hidden: (Vec<Key>, u32),
    tries: Vec<Instant>,
    pub(super) seen: Seen,
    epochs: u64,
}

/// The account. Clones share it.
#[derive(Clone)]
pub struct MemoryAccount {
    state: Arc<Mutex<State>>,
    pub(super) personality: Arc<Personality>,
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
                epochs: 100,
                ..State::default()
            })),
            personality: Arc::new(personality),
            abilities: Arc::new(abilities),
        };
        account.make("INBOX");
        account
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
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

    fn within<T>(&self, name: &str, act: impl FnOnce(&mut MemoryMailbox) -> T) -> T {
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
        self.within(name, |m| {
            let key = m.next;
            m.next += 1;
            m.messages.insert(key, message(m.modseq));
            Key(key)
        })
    }

    /// Takes a message out, as its owner would.
    pub fn remove(&self, name: &str, key: Key) {
        self.within(name, |m| m.messages.remove(&key.0));
    }

    /// Sets a message's flags, as its owner would.
    pub fn set_flags(&self, name: &str, key: Key, flags: &str) {
        self.within(name, |m| {
            let modseq = m.modseq;
            if let Some(message) = m.messages.get_mut(&key.0) {
                message.flags = Flags::parse(flags);
                message.modseq = modseq;
            }
        });
    }

    /// Gives the mailbox a new epoch and its messages new keys. Whoever has it open loses
    /// the connection.
    pub fn renumber(&self, name: &str) {
        let epoch = {
            let mut state = self.lock();
            state.epochs += 1;
            state.epochs
        };
        self.within(name, |m| {
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

    /// The next reads of this message are refused, so many times.
    pub fn refuse_reads(&self, key: Key, times: u32) {
        self.lock().refusals.insert(key, times);
    }

    /// The connection ends whenever the message with one of these source keys is appended.
    pub fn set_deadly_appends(&self, keys: impl IntoIterator<Item = Key>) {
        self.lock().deadly_appends = keys.into_iter().collect();
    }

    /// The connection ends whenever one of these is read.
    pub fn set_deadly_reads(&self, keys: impl IntoIterator<Item = Key>) {
        self.lock().deadly_reads = keys.into_iter().collect();
    }

    /// The next mailboxes that are opened fail like this; `None` opens as it should.
    pub fn script_opens(&self, script: impl IntoIterator<Item = Option<Fault>>) {
        self.lock().opens.extend(script);
    }

    /// The next listings of mailboxes fail like this.
    pub fn script_listings(&self, script: impl IntoIterator<Item = Fault>) {
        self.lock().listings.extend(script);
    }

    /// For so long nothing works: no connection, neither old nor new.
    pub fn go_down(&self, time: Duration, fault: Fault) {
        self.lock().down = Some((Instant::now() + time, fault));
    }

    /// Goes down, as in [`MemoryAccount::go_down`], when so many more mailboxes were opened.
    pub fn go_down_after(&self, opens: u64, time: Duration, fault: Fault) {
        self.lock().goes_down = Some((opens, time, fault));
    }

    /// Works again.
    pub fn go_up(&self) {
        self.lock().down = None;
    }

    /// From now on everything is as it should be.
    pub fn forget_scripts(&self) {
        let mut guard = self.lock();
        let state = std::mem::take(&mut *guard);
        *guard = State {
            mailboxes: state.mailboxes,
            tries: state.tries,
            seen: state.seen,
            epochs: state.epochs,
            ..State::default()
        };
    }

    /// The same account on a server that behaves otherwise.
    #[must_use]
    pub fn with(&self, personality: Personality) -> Self {
        let side = self.personality.side;
        let other = Self::new(Personality {
            side,
            ..personality
        });
        Self {
            state: self.state.clone(),
            ..other
        }
    }

    /// Whoever opens a mailbox the next so many times does not see these.
    pub fn hide(&self, keys: impl IntoIterator<Item = Key>, looks: u32) {
        self.lock().hidden = (keys.into_iter().collect(), looks);
    }

    /// The owner does something right after the n-th append from the start, counted from
    /// 1, and before its answer arrives.
    pub fn after_append(&self, append: u64, deed: impl FnOnce(&MemoryAccount) + Send + 'static) {
        self.lock().deeds.insert(append, Box::new(deed));
    }

    /// The next removals behave like this, then all is well.
    pub fn script_removals(&self, script: impl IntoIterator<Item = Removal>) {
        self.lock().removals.extend(script);
    }

    /// The owner does something when the next removal has marked its messages and not yet
    /// expunged them.
    pub fn before_expunge(&self, deed: impl FnOnce(&MemoryAccount) + Send + 'static) {
        self.lock().expunge_deed = Some(Box::new(deed));
    }

    pub(super) fn do_expunge_deed(&self) {
        let deed = self.lock().expunge_deed.take();
        if let Some(deed) = deed {
            deed(self);
        }
    }

    pub(super) fn do_deed(&self, append: u64) {
        let deed = self.lock().deeds.remove(&append);
        if let Some(deed) = deed {
            deed(self);
        }
    }

    /// When mailboxes were tried to be opened, in order.
    pub fn tries(&self) -> Vec<Instant> {
        self.lock().tries.clone()
    }

    /// Under which numbering the mailbox is now.
    pub(super) fn numbering(&self, name: &MailboxName) -> Option<u64> {
        self.lock().mailboxes.get(name).map(|m| m.epoch)
    }

    /// Whether the server works.
    pub(super) fn is_up(&self) -> Result<(), Fault> {
        match &self.lock().down {
            Some((until, fault)) if *until > Instant::now() => {
                Err(self.personality.placed(fault.clone()))
            }
            _ => Ok(()),
        }
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

    fn state_of(&self, mailbox: &MemoryMailbox, look: u64) -> MailboxState {
        let epoch = match self.personality.epochs {
            Epochs::Lasting => mailbox.epoch,
            Epochs::Zero => 0,
            Epochs::NewAtEveryLook => look,
        };
        MailboxState {
            epoch: Some(Epoch(epoch)),
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

    fn info(&self, name: &MailboxName, mailbox: &MemoryMailbox, look: u64) -> MailboxInfo {
        MailboxInfo {
            name: name.clone(),
            wire: WireName::new(name.to_string()),
            role: mailbox.role,
            selectable: true,
            subscribed: mailbox.subscribed,
            no_children: false,
            state: Some(self.state_of(mailbox, look)),
        }
    }

    fn opened(&self, info: &MailboxInfo) -> Result<Opened, Fault> {
        let placed = |fault| self.personality.placed(fault);
        self.lock().tries.push(Instant::now());
        self.is_up()?;
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(Some(fault)) = state.opens.pop_front() {
            return Err(placed(fault));
        }
        state.seen.opened += 1;
        state.epochs += 1;
        if let Some((opens, time, fault)) = &mut state.goes_down {
            *opens = opens.saturating_sub(1);
            if *opens == 0 {
                state.down = Some((Instant::now() + *time, fault.clone()));
                state.goes_down = None;
            }
        }
        let hidden = match state.hidden.1 {
            0 => Vec::new(),
            _ => {
                state.hidden.1 -= 1;
                state.hidden.0.clone()
            }
        };
        let mailbox = state.mailboxes.get(&info.name).ok_or_else(|| {
            placed(Fault::new(
                Code::MailboxMissing,
                Reach::Mailbox,
                Remedy::AskUser,
                "no such mailbox",
            ))
        })?;
        let now = self.state_of(mailbox, state.epochs);
        let born = mailbox.epoch;
        Ok(Opened::new(
            self.clone(),
            info.name.clone(),
            now,
            born,
            hidden,
        ))
    }

    fn octets(&self) -> u64 {
        let state = self.lock();
        let messages = state.mailboxes.values().flat_map(|m| m.messages.values());
        messages.map(|m| m.octets.len() as u64).sum()
    }

    /// Whether so much more is taken.
    pub(super) fn has_room(&self, octets: u64) -> bool {
        let limit = self.personality.full_at;
        limit.is_none_or(|limit| self.octets() + octets <= limit)
    }

    /// Stores letters; `Err` holds the server's words.
    pub(super) fn store(
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

impl Source for MemoryAccount {
    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        let up = self.is_up();
        let mut guard = self.lock();
        let state = &mut *guard;
        state.epochs += 1;
        let listed = match state.listings.pop_front() {
            Some(fault) => Err(self.personality.placed(fault)),
            None => Ok(state
                .mailboxes
                .iter()
                .map(|(name, mailbox)| self.info(name, mailbox, state.epochs))
                .collect()),
        };
        Box::pin(async move { up.and(listed) })
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        Box::pin(async move { Ok(Box::new(self.opened(mailbox)?) as Box<dyn Reader>) })
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        self.lock().seen.quotas += 1;
        let used = self.octets();
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
            if let Err(fault) = self.is_up() {
                self.lock().tries.push(Instant::now());
                return Err(fault);
            }
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
            Ok(self.info(name, &mailbox, epoch))
        })
    }

    fn write<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
        Box::pin(async move { Ok(Box::new(self.opened(mailbox)?) as Box<dyn Writer>) })
    }
}

impl Undo for MemoryAccount {
    fn open_for_removal<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Remover>> {
        Box::pin(async move {
            if !self.personality.reports_keys {
                return Err(self.personality.placed(Fault::new(
                    Code::UndoUnsupported,
                    Reach::Side,
                    Remedy::AskUser,
                    "no UIDPLUS",
                )));
            }
            Ok(Box::new(self.opened(mailbox)?) as Box<dyn Remover>)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}
