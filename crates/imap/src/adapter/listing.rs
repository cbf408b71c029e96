//! Facts of messages without their content.

use super::fetching::{Came, Fetching};
use super::opened::Opened;
use super::reading::{merge, text, unreadable};
use crate::connection::{ROW_EVENTS, Row, RowEvent, excess};
use crate::encode::{BodyPart, ChangedSince, Command, Fetch, FetchItem, UidSet};
use crate::quirks::command_fault;
use crate::response::{BodySection, Content, FetchRow, SectionKind, UidRanges};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt, TryStreamExt};
use hikyaku_core::traits::{Facts, Flow};
use hikyaku_core::{Fault, HeadDigest, Key, KeySet, Listing};
use std::collections::{BTreeMap, HashMap, VecDeque};
use tokio::sync::mpsc;

/// Messages in one command: memory holds the rows of a window.
const WINDOW: u64 = 2_000;

/// Octets of memory for the facts of messages whose windows are not over. What a server
/// means to answer takes a tenth: a few hundred octets for each message.
const MOST_WEIGHT: usize = 32 << 20;

/// Ranges of keys in one mailbox: that many messages with a gap behind each.
const MOST_RANGES: usize = 2 << 20;

/// The fields of [`HeadDigest::FIELDS`].
const HEAD: &[&str] = &["MESSAGE-ID", "DATE", "FROM", "SUBJECT"];

/// Most octets of header fields that are kept for naming a message.
const NAMING: usize = 64 * 1024;

struct Lister<'a> {
    opened: &'a Opened,
    fetching: Fetching<'a>,
    facts: Facts,
    mailbox: String,
    /// Rows of windows that are not over and lack something, by number.
    rows: HashMap<u64, FetchRow>,
    /// What is complete in windows that are not over.
    done: BTreeMap<Key, Listing>,
    /// Octets that both take, roughly.
    weight: usize,
    ready: VecDeque<Result<Listing, Fault>>,
    is_over: bool,
}

/// See [`hikyaku_core::traits::Reader::list`].
pub(super) fn list<'a>(opened: &'a Opened, keys: &KeySet, facts: Facts) -> Flow<'a, Listing> {
    let lister = Lister {
        opened,
        fetching: Fetching::new(opened.connection(), items(facts), keys, WINDOW),
        facts,
        mailbox: opened.mailbox().to_owned(),
        rows: HashMap::new(),
        done: BTreeMap::new(),
        weight: 0,
        ready: VecDeque::new(),
        is_over: false,
    };
    stream::unfold(lister, |mut lister| async move {
        lister.next().await.map(|item| (item, lister))
    })
    .boxed()
}

fn items(facts: Facts) -> Vec<FetchItem> {
    let mut items = Vec::new();
    if facts.flags {
        items.push(FetchItem::Flags);
    }
    if facts.date {
        items.push(FetchItem::InternalDate);
    }
    if facts.octets {
        items.push(FetchItem::Size);
    }
    if facts.head {
        items.push(FetchItem::Body(BodyPart::HeaderFields(HEAD)));
    }
    items
}

impl Lister<'_> {
    async fn next(&mut self) -> Option<Result<Listing, Fault>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.is_over {
                return None;
            }
            if let Err(fault) = self.advance().await {
                self.is_over = true;
                return Some(Err(fault.mailbox(&self.mailbox)));
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Fault> {
        self.fetching.top_up()?;
        match self.fetching.next().await? {
            None => {
                self.look_for_missing().await?;
                self.is_over = true;
            }
            Some(Came::Rows(rows)) => {
                for row in rows {
                    self.row(row)?;
                }
            }
            Some(Came::Large { mut chunks, .. }) => while chunks.recv().await.is_some() {},
            Some(Came::Window) => self.end_of_window(),
            Some(Came::Refused(key, reply)) => {
                self.fetching.note(key);
                self.ready
                    .push_back(Err(unreadable(key, Some(&reply), &self.mailbox)));
            }
        }
        Ok(())
    }

    /// A message that is left out is gone only if SEARCH does not find it either: some
    /// servers leave out what they cannot read. NOOP lets them tell first what went.
    async fn look_for_missing(&mut self) -> Result<(), Fault> {
        let missing = self.fetching.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.opened.search(&missing).await?;
        for key in found.and(&missing).iter() {
            self.ready
                .push_back(Err(unreadable(key, None, &self.mailbox)));
        }
        Ok(())
    }

    /// A row, complete or a part. One with all that was asked for becomes a listing at
    /// once, so that its octets need not be kept.
    fn row(&mut self, row: Row) -> Result<(), Fault> {
        let row = match self.rows.remove(&row.number) {
            Some(part) if part.uid.is_none() || row.uid.is_none() || part.uid == row.uid => {
                merge(part, row)
            }
            _ => row,
        };
        let is_wanted = |key: &Key| self.fetching.wants(*key) && !self.fetching.has(*key);
        if row.uid.is_some_and(|key| !is_wanted(&key)) {
            return Ok(());
        }
        self.weight += weight(&row);
        match listing(&row, self.facts).filter(|l| is_whole(l, self.facts)) {
            Some(listing) => {
                self.weight -= text(&row);
                self.done.insert(listing.key, listing);
            }
            None => drop(self.rows.insert(row.number, row)),
        }
        if self.weight > MOST_WEIGHT {
            return Err(excess(format!(
                "the facts of {WINDOW} messages take more than {MOST_WEIGHT} octets"
            )));
        }
        Ok(())
    }

    /// Servers answer in the order of the mailbox, but need not.
    fn end_of_window(&mut self) {
        self.weight = 0;
        let mut sorted = std::mem::take(&mut self.done);
        let parts = self
            .rows
            .drain()
            .filter_map(|(_, row)| listing(&row, self.facts));
        for part in parts {
            sorted.entry(part.key).or_insert(part);
        }
        for listing in sorted.into_values() {
            if self.fetching.note(listing.key) {
                self.ready.push_back(Ok(listing));
            }
        }
    }
}

/// Whether nothing is missing that was asked for.
fn is_whole(listing: &Listing, facts: Facts) -> bool {
    (listing.date.is_some() || !facts.date)
        && (listing.octets.is_some() || !facts.octets)
        && (listing.head.is_some() || !facts.head)
}

/// Octets that a row keeps in memory until its window is over, roughly.
fn weight(row: &FetchRow) -> usize {
    let keywords = row.flags.as_ref().map_or(0, |f| f.keywords().count());
    size_of::<FetchRow>() + text(row) + 64 * keywords
}

/// `None` for a row that does not say of which message it speaks, or lacks the flags
/// that were asked for: it was told by the server on its own.
fn listing(row: &FetchRow, facts: Facts) -> Option<Listing> {
    let key = row.uid?;
    if facts.flags && row.flags.is_none() {
        return None;
    }
    Some(Listing {
        key,
        flags: row.flags.clone().filter(|_| facts.flags),
        date: row.date.filter(|_| facts.date),
        octets: row.octets.filter(|_| facts.octets),
        head: fields(row)
            .filter(|_| facts.head)
            .map(|f| HeadDigest::of(f)),
    })
}

fn fields(row: &FetchRow) -> Option<&Bytes> {
    row.sections.iter().find_map(|section| match section {
        BodySection {
            kind: SectionKind::HeaderFields(_) | SectionKind::Header,
            content: Content::Held(octets),
            ..
        } => Some(octets),
        _ => None,
    })
}

/// See [`hikyaku_core::traits::Reader::changed`]. Row by row, since they may be as many
/// as there are messages.
pub(super) fn changed(opened: &Opened, modseq: u64) -> Flow<'_, Listing> {
    let facts = Facts {
        flags: true,
        ..Facts::default()
    };
    let mailbox = opened.mailbox().to_owned();
    let connection = opened.connection();
    let command = Command::Fetch(Fetch {
        uids: UidSet::From(Key(1)),
        items: items(facts),
        changed_since: Some(ChangedSince {
            modseq,
            vanished: false,
        }),
    });
    let (to, events) = mpsc::channel(ROW_EVENTS);
    let changes = Changes {
        asked: connection.fetch(&command, &to).map(drop),
        events,
        ready: VecDeque::new(),
    };
    stream::try_unfold(changes, move |mut changes| async move {
        std::mem::replace(&mut changes.asked, Ok(()))?;
        loop {
            if let Some(listing) = changes.ready.pop_front() {
                return Ok(Some((listing, changes)));
            }
            match changes.events.recv().await {
                None => return Err(connection.fault()),
                Some(RowEvent::Rows(rows)) => changes
                    .ready
                    .extend(rows.iter().filter_map(|row| listing(row, facts))),
                Some(RowEvent::Large { mut chunks, .. }) => while chunks.recv().await.is_some() {},
                Some(RowEvent::Done { reply, .. }) if reply.is_ok() => return Ok(None),
                Some(RowEvent::Done { reply, .. }) => {
                    return Err(command_fault(&reply, "UID FETCH CHANGEDSINCE"));
                }
            }
        }
    })
    .map_err(move |fault: Fault| fault.mailbox(&mailbox))
    .boxed()
}

/// What [`changed`] waits for.
struct Changes {
    asked: Result<(), Fault>,
    events: mpsc::Receiver<RowEvent>,
    ready: VecDeque<Listing>,
}

/// All keys, by FETCH: for servers whose SEARCH is missing or does not fit.
pub(super) async fn keys_by_fetch(opened: &Opened) -> Result<KeySet, Fault> {
    let connection = opened.connection();
    let command = Command::Fetch(Fetch {
        uids: UidSet::From(Key(1)),
        items: Vec::new(),
        changed_since: None,
    });
    let (to, events) = mpsc::channel(ROW_EVENTS);
    connection.fetch(&command, &to)?;
    // Sorted at the end: a server may answer in any order.
    let mut keys = UidRanges::default();
    collect(connection, events, to, "UID FETCH", |row| {
        if let Some(key) = row.uid {
            keys.push(key.0, key.0);
        }
        match keys.0.len() > MOST_RANGES {
            true => Err(excess(format!(
                "more than {MOST_RANGES} ranges of messages"
            ))),
            false => Ok(()),
        }
    })
    .await?;
    Ok(keys.to_set())
}

/// See [`hikyaku_core::traits::Reader::head`].
pub(super) async fn head(opened: &Opened, key: Key) -> Result<Option<Bytes>, Fault> {
    let connection = opened.connection();
    let command = Command::Fetch(Fetch {
        uids: UidSet::Keys(KeySet::range(key.0..=key.0)),
        items: vec![FetchItem::Body(BodyPart::HeaderFields(HEAD))],
        changed_since: None,
    });
    let (to, events) = mpsc::channel(ROW_EVENTS);
    connection.fetch(&command, &to)?;
    let mut found = None;
    collect(connection, events, to, "UID FETCH", |row| {
        if row.uid == Some(key)
            && let Some(octets) = fields(&row)
        {
            let octets = &octets[..octets.len().min(NAMING)];
            // A copy of its own: the read buffer must not live as long as this.
            found = Some(BytesMut::from(octets).freeze());
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// All rows of one command.
async fn collect(
    connection: &crate::connection::Connection,
    mut events: mpsc::Receiver<RowEvent>,
    to: mpsc::Sender<RowEvent>,
    what: &str,
    mut take: impl FnMut(FetchRow) -> Result<(), Fault>,
) -> Result<(), Fault> {
    // Only the command in flight holds the other end now: it ends with it.
    drop(to);
    while let Some(event) = events.recv().await {
        match event {
            RowEvent::Rows(rows) => rows.into_iter().try_for_each(&mut take)?,
            RowEvent::Large { mut chunks, .. } => while chunks.recv().await.is_some() {},
            RowEvent::Done { reply, .. } if reply.is_ok() => return Ok(()),
            RowEvent::Done { reply, .. } => return Err(command_fault(&reply, what)),
        }
    }
    Err(connection.fault())
}
