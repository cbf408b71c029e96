//! Facts of messages without their content.

use super::fetching::{Came, Fetching};
use super::opened::Opened;
use super::reading::{merge, unreadable};
use crate::connection::{ROW_EVENTS, RowEvent};
use crate::encode::{BodyPart, ChangedSince, Command, Fetch, FetchItem, UidSet};
use crate::quirks::command_fault;
use crate::response::{BodySection, Content, FetchRow, SectionKind};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt};
use hikyaku_core::traits::{Facts, Flow};
use hikyaku_core::{Fault, HeadDigest, Key, KeySet, Listing};
use std::collections::{BTreeMap, HashMap, VecDeque};
use tokio::sync::mpsc;

/// Messages in one command: memory holds the rows of a window.
const WINDOW: u64 = 2_000;

/// The fields of [`HeadDigest::FIELDS`].
const HEAD: &[&str] = &["MESSAGE-ID", "DATE", "FROM", "SUBJECT"];

/// Most octets of header fields that are kept for naming a message.
const NAMING: usize = 64 * 1024;

struct Lister<'a> {
    fetching: Fetching<'a>,
    facts: Facts,
    mailbox: String,
    /// Rows of windows that are not over, by number.
    rows: HashMap<u64, FetchRow>,
    ready: VecDeque<Result<Listing, Fault>>,
    is_over: bool,
}

/// See [`hikyaku_core::traits::Reader::list`].
pub(super) fn list<'a>(opened: &'a Opened, keys: &KeySet, facts: Facts) -> Flow<'a, Listing> {
    let lister = Lister {
        fetching: Fetching::new(opened.connection(), items(facts), keys, WINDOW),
        facts,
        mailbox: opened.mailbox().to_owned(),
        rows: HashMap::new(),
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
            None => self.is_over = true,
            Some(Came::Rows(rows)) => {
                for row in rows {
                    let row = match self.rows.remove(&row.number) {
                        Some(part)
                            if part.uid.is_none() || row.uid.is_none() || part.uid == row.uid =>
                        {
                            merge(part, row)
                        }
                        _ => row,
                    };
                    self.rows.insert(row.number, row);
                }
            }
            Some(Came::Large { mut chunks, .. }) => while chunks.recv().await.is_some() {},
            Some(Came::Window) => self.end_of_window(),
            Some(Came::Refused(key, reply)) => {
                self.ready
                    .push_back(Err(unreadable(key, Some(&reply), &self.mailbox)));
            }
        }
        Ok(())
    }

    /// Servers answer in the order of the mailbox, but need not.
    fn end_of_window(&mut self) {
        let mut sorted: Vec<Listing> = self
            .rows
            .drain()
            .filter_map(|(_, row)| listing(&row, self.facts))
            .collect();
        sorted.sort_by_key(|l| l.key);
        for listing in sorted {
            if self.fetching.note(listing.key) {
                self.ready.push_back(Ok(listing));
            }
        }
    }
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

/// See [`hikyaku_core::traits::Reader::changed`].
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
    let begun = connection.fetch(&command, &to);
    stream::once(async move {
        begun?;
        let mut rows: BTreeMap<Key, Listing> = BTreeMap::new();
        collect(connection, events, to, "UID FETCH CHANGEDSINCE", |row| {
            if let Some(listing) = listing(&row, facts) {
                rows.insert(listing.key, listing);
            }
        })
        .await?;
        Ok(rows.into_values().map(Ok))
    })
    .flat_map(move |rows: Result<_, Fault>| match rows {
        Ok(rows) => stream::iter(rows).boxed(),
        Err(fault) => stream::iter([Err(fault.mailbox(&mailbox))]).boxed(),
    })
    .boxed()
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
    let mut keys = KeySet::new();
    collect(connection, events, to, "UID FETCH", |row| {
        keys.extend(
            &row.uid
                .map(|k| KeySet::range(k.0..=k.0))
                .unwrap_or_default(),
        );
    })
    .await?;
    Ok(keys)
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
    mut take: impl FnMut(FetchRow),
) -> Result<(), Fault> {
    // Only the command in flight holds the other end now: it ends with it.
    drop(to);
    while let Some(event) = events.recv().await {
        match event {
            RowEvent::Rows(rows) => rows.into_iter().for_each(&mut take),
            RowEvent::Large { mut chunks, .. } => while chunks.recv().await.is_some() {},
            RowEvent::Done { reply, .. } if reply.is_ok() => return Ok(()),
            RowEvent::Done { reply, .. } => return Err(command_fault(&reply, what)),
        }
    }
    Err(connection.fault())
}
