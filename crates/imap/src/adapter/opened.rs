//! One mailbox, opened on one connection.

use super::pool::Lease;
use super::{append, listing, reading};
use crate::connection::{Answer, Connection};
use crate::encode::{Command, Criterion, Opening, Search, SearchReturn, StoreChange, UidSet};
use crate::encode::{MAX_SET_OCTETS, WireFlags, split_set};
use crate::machine::Takes;
use crate::quirks::command_fault;
use crate::response::{ReplyCode, Response};
use crate::session::Facts as ServerFacts;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::traits::{Ask, Facts, FlagChange, Flow, Gate, Pending, Reader, Writer};
use hikyaku_core::{
    Code, Fault, Flags, Key, KeySet, Letter, Listing, MailboxInfo, MailboxState, Reach, Remedy,
    WireName,
};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// STORE commands in flight at a time.
const STORES_IN_FLIGHT: usize = 32;

/// Messages that a plain SEARCH may name, at eleven octets each, within one line.
const SEARCHABLE: u64 = 500_000;

/// How a mailbox is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// For reading: EXAMINE.
    Examine,
    /// For appending too: SELECT.
    Select,
}

/// What the opening command told.
pub(super) struct Begun {
    state: MailboxState,
    permanent: PermanentFlags,
    /// All keys, asked for in the same round trip.
    keys: Option<oneshot::Receiver<Result<Answer, Fault>>>,
}

/// See the module.
pub(super) struct Opened {
    lease: Lease,
    name: String,
    wire: WireName,
    state: MailboxState,
    permanent: PermanentFlags,
    keys: Option<oneshot::Receiver<Result<Answer, Fault>>>,
    /// Whether nothing can have happened since it was opened.
    is_fresh: bool,
    /// Whether something was appended that this session may not have been told of.
    has_appended: bool,
    pub(super) window: append::Window,
}

/// Opens a mailbox, and asks for its keys in the same round trip where that is one line.
pub(super) async fn begin(
    lease: &Lease,
    mailbox: &MailboxInfo,
    mode: Mode,
) -> Result<Begun, Fault> {
    let (connection, facts) = (lease.connection(), lease.facts());
    let wire = mailbox.wire.clone();
    let opening = if facts.tracks_changes() && !facts.condstore {
        Opening::Condstore
    } else {
        Opening::Plain
    };
    let command = match mode {
        Mode::Examine => Command::Examine {
            mailbox: wire,
            opening,
        },
        Mode::Select => Command::Select {
            mailbox: wire,
            opening,
        },
    };
    let opened = connection.submit(&command, Takes::OPEN)?;
    let keys = facts
        .can("ESEARCH")
        .then(|| connection.submit(&all_keys(), Takes::SEARCH))
        .transpose()?;
    let answer = connection.answer(opened).await?;
    if !answer.reply.is_ok() {
        // Its answer is of no use, but the connection is clean only after it.
        if let Some(keys) = keys {
            drop(connection.answer(keys).await);
        }
        return Err(unreadable(&answer));
    }
    if mode == Mode::Select && answer.reply.code == Some(ReplyCode::ReadOnly) {
        return Err(Fault::new(
            Code::MailboxReadOnly,
            Reach::Mailbox,
            Remedy::AskUser,
            "the destination opens this mailbox for reading only",
        )
        .said(answer.reply.said()));
    }
    let (state, permanent) = told(&answer, facts);
    Ok(Begun {
        state,
        permanent,
        keys,
    })
}

fn unreadable(answer: &Answer) -> Fault {
    let fault = command_fault(&answer.reply, "opening the mailbox");
    match fault.code {
        Code::ServerRefused => Fault {
            code: Code::MailboxUnreadable,
            remedy: Remedy::AskUser,
            ..fault
        },
        _ => fault,
    }
}

/// Reads what SELECT and EXAMINE tell.
fn told(answer: &Answer, facts: &ServerFacts) -> (MailboxState, PermanentFlags) {
    let mut state = MailboxState::default();
    // RFC 9051 §7.1: without the code, every flag is permanent.
    let mut permanent = PermanentFlags::everything();
    let mut code = |code: &Option<ReplyCode>| match code {
        Some(ReplyCode::UidValidity(epoch)) => state.epoch = Some(*epoch),
        Some(ReplyCode::UidNext(next)) => state.next = Some(*next),
        Some(ReplyCode::HighestModSeq(modseq)) if facts.tracks_changes() => {
            state.modseq = Some(*modseq).filter(|m| *m > 0);
        }
        Some(ReplyCode::NoModSeq) => state.modseq = None,
        Some(ReplyCode::PermanentFlags(flags)) => permanent = flags.clone(),
        _ => {}
    };
    let mut messages = 0;
    for response in &answer.data {
        match response {
            Response::Status(reply) => code(&reply.code),
            Response::Exists(count) => messages = *count,
            _ => {}
        }
    }
    code(&answer.reply.code);
    state.messages = messages;
    (state, permanent)
}

fn all_keys() -> Command {
    Command::Search(Search {
        returns: vec![SearchReturn::All],
        criteria: vec![Criterion::All],
    })
}

impl Opened {
    pub(super) fn new(lease: Lease, mailbox: &MailboxInfo, begun: Begun) -> Self {
        Self {
            lease,
            name: mailbox.name.to_string(),
            wire: mailbox.wire.clone(),
            state: begun.state,
            permanent: begun.permanent,
            keys: begun.keys,
            is_fresh: true,
            has_appended: false,
            window: append::Window::new(),
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.lease.connection()
    }

    /// Whether the answer to a search is a few ranges, not every message by its number.
    pub(super) fn can_search_in_ranges(&self) -> bool {
        self.lease.facts().can("ESEARCH")
    }

    /// As faults name it.
    pub(super) fn mailbox(&self) -> &str {
        &self.name
    }

    pub(super) fn wire(&self) -> &WireName {
        &self.wire
    }

    pub(super) fn permanent(&self) -> &PermanentFlags {
        &self.permanent
    }

    /// Something is about to be appended: what was asked for at opening is out of date.
    pub(super) fn will_change(&mut self) {
        self.keys = None;
        self.is_fresh = false;
        self.has_appended = true;
    }

    /// Lets the server tell what arrived. Courier shows a session its own appends only
    /// after a NOOP; it travels ahead of the next command.
    fn refresh(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.has_appended) {
            // Its answer is of no interest, only that it comes first.
            drop(self.connection().submit(&Command::Noop, Takes::NOTHING)?);
        }
        Ok(())
    }

    /// All keys, of which there have to be as many as EXISTS says. SEARCH where it
    /// answers in ranges, else FETCH; and FETCH where SEARCH does not agree: some
    /// servers search an index that lags. When neither agrees, both are asked once more
    /// after a NOOP: something may have come or gone in between.
    async fn all_keys(&mut self) -> Result<KeySet, Fault> {
        let first = match self.keys.take() {
            Some(asked) => Evidence::of(self.connection().answer(asked).await?),
            None if self.is_fresh => None,
            None => {
                self.search_after_noop(self.lease.facts().can("ESEARCH"))
                    .await?
            }
        };
        self.is_fresh = false;
        if let Some(keys) = self.agreed(first).await? {
            return Ok(keys);
        }
        // Without ESEARCH the answer names every message: one line must hold it.
        let can_search =
            self.lease.facts().can("ESEARCH") || self.connection().exists() <= SEARCHABLE;
        let again = self.search_after_noop(can_search).await?;
        match self.agreed(again).await? {
            Some(keys) => Ok(keys),
            None => Err(Fault::new(
                Code::MailboxListing,
                Reach::Mailbox,
                Remedy::Retry { after: None },
                format!(
                    "the server tells of {} messages, and names others whenever it is asked which",
                    self.connection().exists()
                ),
            )),
        }
    }

    /// Which of these messages SEARCH finds, after a NOOP; none where it does not answer.
    pub(super) async fn search(&self, keys: &KeySet) -> Result<KeySet, Fault> {
        let mut found = KeySet::new();
        for keys in split_set(keys, MAX_SET_OCTETS) {
            let criterion = Criterion::Uids(UidSet::Keys(keys));
            let answer = self.ask_after_noop(Some(criterion)).await?;
            if let Some(Evidence(some)) = answer {
                found.extend(&some);
            }
        }
        Ok(found)
    }

    /// What arrived or went is told by the answer to NOOP, and counts.
    async fn search_after_noop(&mut self, can_search: bool) -> Result<Option<Evidence>, Fault> {
        self.has_appended = false;
        self.ask_after_noop(can_search.then_some(Criterion::All))
            .await
    }

    async fn ask_after_noop(
        &self,
        criterion: Option<Criterion>,
    ) -> Result<Option<Evidence>, Fault> {
        let noop = self.connection().submit(&Command::Noop, Takes::NOTHING)?;
        let returns = match self.lease.facts().can("ESEARCH") {
            true => vec![SearchReturn::All],
            false => Vec::new(),
        };
        let asked = criterion
            .map(|criterion| {
                let criteria = vec![criterion];
                let search = Command::Search(Search { returns, criteria });
                self.connection().submit(&search, Takes::SEARCH)
            })
            .transpose()?;
        self.connection().answer(noop).await?;
        match asked {
            Some(asked) => Ok(Evidence::of(self.connection().answer(asked).await?)),
            None => Ok(None),
        }
    }

    /// The keys, if EXISTS agrees with what SEARCH found or else with what FETCH tells.
    async fn agreed(&self, found: Option<Evidence>) -> Result<Option<KeySet>, Fault> {
        let exists = || self.connection().exists();
        match found {
            Some(Evidence(keys)) if keys.len() == exists() => return Ok(Some(keys)),
            // Some servers refuse a FETCH when there is nothing to fetch.
            None if exists() == 0 => return Ok(Some(KeySet::new())),
            _ => {}
        }
        match listing::keys_by_fetch(self).await {
            Ok(keys) => Ok((keys.len() == exists()).then_some(keys)),
            Err(fault) if fault.code == Code::ServerRefused && exists() == 0 => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Adds and removes, one command for all messages with the same change.
    async fn store(&self, changes: &[FlagChange]) -> Result<(), Fault> {
        let mut groups: HashMap<(bool, Flags), KeySet> = HashMap::new();
        for change in changes {
            for (is_add, flags) in [(true, &change.add), (false, &change.remove)] {
                let (kept, _) = self.permanent.divide(flags);
                let (kept, _) = WireFlags::divide(&kept);
                if !kept.is_empty() {
                    groups
                        .entry((is_add, kept.flags().clone()))
                        .or_default()
                        .insert(change.key);
                }
            }
        }
        // In the order of the messages, so that equal runs say equal things.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((is_add, _), keys)| (keys.first(), *is_add));
        let commands = groups.into_iter().flat_map(|((is_add, flags), keys)| {
            let (flags, _) = WireFlags::divide(&flags);
            split_set(&keys, MAX_SET_OCTETS)
                .into_iter()
                .map(move |keys| Command::Store {
                    uids: UidSet::Keys(keys),
                    change: if is_add {
                        StoreChange::Add
                    } else {
                        StoreChange::Remove
                    },
                    flags: flags.clone(),
                })
        });
        let connection = self.connection();
        futures::stream::iter(commands)
            .map(|command| {
                let queued = connection.submit(&command, Takes::NOTHING);
                async move { connection.answer(queued?).await }
            })
            .buffered(STORES_IN_FLIGHT)
            .try_for_each(|answer| async move {
                if answer.reply.is_ok() {
                    Ok(())
                } else {
                    Err(command_fault(&answer.reply, "UID STORE"))
                }
            })
            .await
    }
}

/// What a SEARCH found.
pub(super) struct Evidence(KeySet);

impl Evidence {
    pub(super) fn keys(self) -> KeySet {
        self.0
    }

    /// `None` when the server did not say.
    pub(super) fn of(answer: Answer) -> Option<Self> {
        if !answer.reply.is_ok() {
            return None;
        }
        answer.data.into_iter().find_map(|r| match r {
            Response::Esearch(found) => Some(Self(found.all.unwrap_or_default())),
            Response::Search { found, .. } => Some(Self(found)),
            _ => None,
        })
    }
}

/// A flow that is over before it began.
fn ended<T: Send + 'static>(fault: Fault) -> Flow<'static, T> {
    futures::stream::iter([Err(fault)]).boxed()
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        async move {
            let keys = self.all_keys().await;
            keys.map_err(|fault| fault.mailbox(&self.name))
        }
        .boxed()
    }

    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        match self.refresh() {
            Ok(()) => listing::list(self, keys, facts),
            Err(fault) => ended(fault),
        }
    }

    fn changed(&mut self, modseq: u64) -> Flow<'_, Listing> {
        match self.refresh() {
            Ok(()) => listing::changed(self, modseq),
            Err(fault) => ended(fault),
        }
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        match self.refresh() {
            Ok(()) => reading::read(self, keys),
            Err(fault) => ended(fault),
        }
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        async move {
            self.refresh()?;
            let head = listing::head(self, key).await;
            head.map_err(|fault| fault.mailbox(&self.name).message(key))
        }
        .boxed()
    }
}

impl Writer for Opened {
    fn permanent_flags(&self) -> &PermanentFlags {
        &self.permanent
    }

    fn append(&mut self, letters: Vec<Letter>, gate: Arc<dyn Gate>) -> Ask<'_, Pending> {
        append::append(self, letters, gate).boxed()
    }

    fn store_flags<'a>(&'a mut self, changes: &'a [FlagChange]) -> Ask<'a, ()> {
        async move {
            let stored = self.store(changes).await;
            stored.map_err(|fault| fault.mailbox(&self.name))
        }
        .boxed()
    }
}
