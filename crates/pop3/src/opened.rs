//! The mailbox, open: listings, headers, letters.

use crate::account::{Seen, Shared, Slot, lock};
use crate::identity::Entry;
use crate::reading::{Got, Reading, Want};
use crate::session::Session;
use crate::spool::Spool;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use hikyaku_core::identity::header_fields;
use hikyaku_core::traits::{Ask, Facts, Flow, Reader};
use hikyaku_core::{
    Code, Fault, Flag, Flags, HeadDigest, Key, KeySet, Letter, Listing, MailboxName, MailboxState,
    Reach, Remedy, arrival,
};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// Days after which a message counts as read, where nothing else is known.
const OLD_DAYS: i64 = 30;

/// The mailbox, open. Holds the connection.
pub(crate) struct Opened {
    shared: Arc<Shared>,
    state: MailboxState,
    session: Option<Session>,
    slot: Option<OwnedMutexGuard<Slot>>,
}

impl Opened {
    /// Takes the connection over.
    pub(crate) fn new(
        shared: Arc<Shared>,
        state: MailboxState,
        session: Session,
        slot: OwnedMutexGuard<Slot>,
    ) -> Self {
        lock(&shared.known).is_open = true;
        Self {
            shared,
            state,
            session: Some(session),
            slot: Some(slot),
        }
    }

    /// # Faults
    /// `link.lost` after it was given up.
    pub(crate) fn session(&mut self) -> Result<&mut Session, Fault> {
        self.session.as_mut().ok_or_else(|| {
            let detail = "the connection was given up";
            let retry = Remedy::Retry { after: None };
            Fault::new(Code::LinkLost, Reach::Side, retry, detail)
        })
    }

    /// The session is of no use any more.
    pub(crate) fn give_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.wire.reset();
        }
    }

    /// The messages of these keys, ascending by key.
    fn entries(&mut self, keys: &KeySet) -> Result<Vec<Entry>, Fault> {
        let listed = &self.session()?.listed.entries;
        let wanted = listed.iter().filter(|entry| keys.contains(entry.key));
        Ok(wanted.copied().collect())
    }

    /// What comes of the messages, in this order.
    fn fetch<'a>(
        &'a mut self,
        want: Want,
        entries: Result<Vec<Entry>, Fault>,
    ) -> BoxStream<'a, Result<Got, Fault>> {
        let shared = Arc::clone(&self.shared);
        let entries = match entries {
            Ok(entries) => VecDeque::from(entries),
            Err(fault) => return stream::iter([Err(place(&shared, fault))]).boxed(),
        };
        let reading = Reading::new(self, want, entries);
        let items = stream::unfold(reading, |mut reading| async move {
            let item = reading.next().await?;
            Some((item, reading))
        });
        items
            .map(move |item| item.map_err(|fault| place(&shared, fault)))
            .boxed()
    }
}

fn place(shared: &Shared, fault: Fault) -> Fault {
    shared.place(fault).mailbox(MailboxName::inbox())
}

impl Reader for Opened {
    fn state(&self) -> MailboxState {
        self.state
    }

    fn keys(&mut self) -> Ask<'_, KeySet> {
        async move {
            let shared = Arc::clone(&self.shared);
            let session = self.session().map_err(|fault| place(&shared, fault))?;
            Ok(session
                .listed
                .entries
                .iter()
                .map(|entry| entry.key)
                .collect())
        }
        .boxed()
    }

    /// Flags are never told: POP3 has none, so none ever changes.
    fn list<'a>(&'a mut self, keys: &'a KeySet, facts: Facts) -> Flow<'a, Listing> {
        let entries = self.entries(keys);
        let listing = move |entry: Entry| Listing {
            key: entry.key,
            flags: None,
            date: None,
            octets: facts.octets.then_some(entry.octets),
            head: None,
        };
        match entries {
            Ok(entries) if !(facts.date || facts.head) => stream::iter(entries)
                .map(move |entry| Ok(listing(entry)))
                .boxed(),
            entries => {
                let now = self.shared.options.now;
                let want = Want::Head(self.shared.options.largest);
                let heads = self.fetch(want, entries);
                let told = move |(entry, spool): Got| Listing {
                    date: facts
                        .date
                        .then(|| arrival::of(None, spool.head(), None, now))
                        .flatten(),
                    head: facts.head.then(|| HeadDigest::of(spool.head())),
                    ..listing(entry)
                };
                heads.map(move |got| got.map(&told)).boxed()
            }
        }
    }

    fn changed(&mut self, _: u64) -> Flow<'_, Listing> {
        stream::empty().boxed()
    }

    fn read<'a>(&'a mut self, keys: &'a KeySet) -> Flow<'a, Letter> {
        let entries = self.entries(keys).map(|mut entries| {
            // The order of the mailbox, also where keys are hashes.
            entries.sort_unstable_by_key(|entry| entry.number);
            entries
        });
        let shared = Arc::clone(&self.shared);
        let want = Want::Whole(shared.options.largest, shared.options.spool.clone());
        let letters = self.fetch(want, entries).then(move |got| {
            let shared = Arc::clone(&shared);
            async move {
                let (entry, spool) = got?;
                letter(&shared, entry, spool)
                    .await
                    .map_err(|fault| place(&shared, fault))
            }
        });
        letters.boxed()
    }

    fn head(&mut self, key: Key) -> Ask<'_, Option<Bytes>> {
        async move {
            let only: KeySet = std::iter::once(key).collect();
            let entries = self.entries(&only);
            let want = Want::Head(self.shared.options.largest);
            let mut heads = self.fetch(want, entries);
            let Some((_, spool)) = heads.next().await.transpose()? else {
                return Ok(None);
            };
            // The answer that confirms the end.
            while heads.next().await.transpose()?.is_some() {}
            Ok(Some(naming(spool.head())))
        }
        .boxed()
    }
}

async fn letter(shared: &Shared, entry: Entry, spool: Spool) -> Result<Letter, Fault> {
    let options = &shared.options;
    let date = arrival::of(None, spool.head(), None, options.now);
    let is_old = date.is_some_and(|date| date.seconds < options.now - OLD_DAYS * 86_400);
    let is_read = match options.seen {
        Seen::AsRecorded => is_old,
        Seen::All => true,
        Seen::None => false,
    };
    let mut flags = Flags::new();
    if is_read {
        flags.set(Flag::Seen);
    }
    Ok(Letter {
        key: entry.key,
        flags,
        date,
        body: spool.into_body().await?,
    })
}

/// The header fields that name a message to a person.
fn naming(head: &[u8]) -> Bytes {
    let mut named = Vec::new();
    for (name, value) in header_fields(head) {
        let is_naming = |field: &&str| field.as_bytes().eq_ignore_ascii_case(name);
        if HeadDigest::FIELDS.iter().any(is_naming) {
            for part in [name, b":", value, b"\r\n"] {
                named.extend_from_slice(part);
            }
        }
    }
    named.extend_from_slice(b"\r\n");
    named.into()
}

impl Drop for Opened {
    /// The session ends with its reader: the next one wants to see what is there then.
    fn drop(&mut self) {
        lock(&self.shared.known).is_open = false;
        let (Some(session), Some(slot)) = (self.session.take(), self.slot.take()) else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                // Nobody else comes in before the farewell is said: some servers lock.
                runtime.spawn(async move {
                    session.leave().await;
                    drop(slot);
                });
            }
            Err(_) => session.wire.reset(),
        }
    }
}
