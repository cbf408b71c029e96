//! Messages with their content, in one pass.

use super::body::{self, Chunks};
use super::fetching::{Came, Fetching};
use super::opened::Opened;
use crate::connection::{Connection, Obituary, Row, excess};
use crate::encode::{BodyPart, FetchItem};
use crate::response::{Content, FetchRow, Reply};
use futures::stream::{self, StreamExt};
use hikyaku_core::traits::Flow;
use hikyaku_core::{Body, Code, Fault, Flags, InternalDate, Key, KeySet, Letter, Reach, Remedy};
use std::collections::{HashMap, VecDeque};

/// Messages in one command.
const WINDOW: u64 = 200;

/// Rows of messages that came in parts and are not complete.
const MOST_PARTS: usize = 4_096;

/// Octets of text in such rows: a message whose flags come later waits for them here.
const MOST_TEXT: usize = 16 << 20;

struct Reading<'a> {
    fetching: Fetching<'a>,
    obituary: Obituary,
    mailbox: String,
    /// Ready to be handed out.
    ready: VecDeque<Result<Letter, Fault>>,
    /// What is known of a message by its number, until its content is there.
    parts: HashMap<u64, FetchRow>,
    /// Octets of text in `parts`.
    text: usize,
    /// Large messages whose octets came before their facts: asked for once more, one
    /// at a time, now that the facts are known.
    alone: VecDeque<(Key, Facts)>,
    asked: Option<(Key, Facts)>,
    /// Messages that came without flags, and were asked for again.
    retried: KeySet,
    is_over: bool,
}

/// What is said of a message beside its octets.
#[derive(Clone)]
struct Facts {
    flags: Flags,
    date: Option<InternalDate>,
}

/// See [`hikyaku_core::traits::Reader::read`].
pub(super) fn read<'a>(opened: &'a Opened, keys: &KeySet) -> Flow<'a, Letter> {
    let connection: &Connection = opened.connection();
    let items = vec![
        FetchItem::Flags,
        FetchItem::InternalDate,
        FetchItem::Body(BodyPart::Whole),
    ];
    let reading = Reading {
        fetching: Fetching::new(connection, items, keys, WINDOW),
        obituary: connection.obituary(),
        mailbox: opened.mailbox().to_owned(),
        ready: VecDeque::new(),
        parts: HashMap::new(),
        text: 0,
        alone: VecDeque::new(),
        asked: None,
        retried: KeySet::new(),
        is_over: false,
    };
    stream::unfold(reading, |mut reading| async move {
        reading.next().await.map(|item| (item, reading))
    })
    .boxed()
}

impl Reading<'_> {
    async fn next(&mut self) -> Option<Result<Letter, Fault>> {
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
        if self.alone.is_empty() {
            self.fetching.top_up()?;
        } else if self.fetching.is_at_rest()
            && let Some((key, facts)) = self.alone.pop_front()
        {
            self.fetching.ask_alone(key)?;
            self.asked = Some((key, facts));
        }
        match self.fetching.next().await? {
            None => self.is_over = self.alone.is_empty(),
            Some(Came::Rows(rows)) => {
                for row in rows {
                    self.row(row)?;
                }
            }
            Some(Came::Large {
                row,
                octets,
                chunks,
            }) => self.large(row, octets, chunks).await,
            Some(Came::Window) => self.end_of_window(),
            Some(Came::Refused(key, reply)) => {
                self.asked = None;
                self.ready
                    .push_back(Err(unreadable(key, Some(&reply), &self.mailbox)));
            }
        }
        Ok(())
    }

    /// A row, complete or a part: servers may tell flags and content in two.
    fn row(&mut self, row: Row) -> Result<(), Fault> {
        let row = self.whole(row);
        let Some(content) = row.body() else {
            return self.keep(row);
        };
        match (row.uid, &row.flags, content) {
            (Some(key), Some(flags), Content::Held(octets)) => {
                if self.fetching.note(key) {
                    self.ready.push_back(Ok(Letter {
                        key,
                        flags: flags.clone(),
                        date: row.date,
                        body: Body::Held(octets.clone()),
                    }));
                }
            }
            // Its octets went already, and nobody could take them.
            (Some(key), Some(flags), Content::Streamed(_)) => {
                let is_due = self.fetching.wants(key) && !self.fetching.has(key);
                if is_due && !self.alone.iter().any(|(k, _)| *k == key) {
                    let facts = Facts {
                        flags: flags.clone(),
                        date: row.date,
                    };
                    self.alone.push_back((key, facts));
                }
            }
            (Some(key), _, Content::Nil) => {
                if self.fetching.note(key) {
                    self.ready
                        .push_back(Err(unreadable(key, None, &self.mailbox)));
                }
            }
            _ => return self.keep(row),
        }
        Ok(())
    }

    /// A row with what came before of the same message.
    fn whole(&mut self, row: Row) -> Row {
        match self.parts.remove(&row.number) {
            Some(part) => {
                self.text -= text(&part);
                match part.uid.is_none() || row.uid.is_none() || part.uid == row.uid {
                    true => merge(part, row),
                    false => row,
                }
            }
            None => row,
        }
    }

    fn keep(&mut self, row: Row) -> Result<(), Fault> {
        if row.number > 0 && self.parts.len() < MOST_PARTS {
            self.text += text(&row);
            if self.text > MOST_TEXT {
                return Err(excess(format!(
                    "more than {MOST_TEXT} octets of messages without their flags"
                )));
            }
            self.parts.insert(row.number, row);
        }
        Ok(())
    }

    async fn large(&mut self, row: Row, octets: u64, mut chunks: Chunks) {
        let known = self.whole(row);
        let facts = match (known.uid, known.flags) {
            // A date that cannot be read will not come later.
            (Some(key), Some(flags)) if known.date.is_some() || known.skipped > 0 => Some((
                key,
                Facts {
                    flags,
                    date: known.date,
                },
            )),
            // Asked for alone: no other message can come.
            (uid, _) => self.asked.take_if(|(key, _)| {
                uid.is_none_or(|uid| uid == *key) && self.fetching.only() == Some(*key)
            }),
        };
        match facts {
            Some((key, facts)) if self.fetching.note(key) => {
                let mailbox = self.mailbox.clone();
                self.ready.push_back(Ok(Letter {
                    key,
                    flags: facts.flags,
                    date: facts.date,
                    body: body::streamed(octets, chunks, key, mailbox, self.obituary.clone()),
                }));
            }
            // Let it pass; its row tells what it was, and it is asked for once more.
            _ => while chunks.recv().await.is_some() {},
        }
    }

    fn end_of_window(&mut self) {
        self.asked = None;
        self.text = 0;
        // Only messages whose content came and whose flags did not are of interest.
        let incomplete: Vec<Key> = self
            .parts
            .drain()
            .filter(|(_, row)| row.body().is_some())
            .filter_map(|(_, row)| row.uid)
            .collect();
        for key in incomplete {
            if self.fetching.has(key) {
                continue;
            }
            if self.retried.contains(key) {
                self.fetching.note(key);
                self.ready
                    .push_back(Err(unreadable(key, None, &self.mailbox)));
            } else {
                self.retried.insert(key);
                self.fetching.again(key);
            }
        }
    }
}

/// The later row's items, and the earlier one's where it has none.
pub(super) fn merge(earlier: FetchRow, later: FetchRow) -> FetchRow {
    let mut sections = earlier.sections;
    sections.extend(later.sections);
    FetchRow {
        number: later.number,
        uid: later.uid.or(earlier.uid),
        flags: later.flags.or(earlier.flags),
        date: later.date.or(earlier.date),
        octets: later.octets.or(earlier.octets),
        modseq: later.modseq.or(earlier.modseq),
        ids: later.ids.or(earlier.ids),
        skipped: later.skipped.max(earlier.skipped),
        complete: later.complete,
        sections,
    }
}

/// Octets that the texts of a row keep in memory.
pub(super) fn text(row: &FetchRow) -> usize {
    let held = row.sections.iter().map(|s| match &s.content {
        Content::Held(octets) => octets.len(),
        Content::Nil | Content::Streamed(_) => 0,
    });
    held.sum()
}

pub(super) fn unreadable(key: Key, reply: Option<&Reply>, mailbox: &str) -> Fault {
    let fault = Fault::new(
        Code::MessageUnreadable,
        Reach::Message,
        Remedy::Retry { after: None },
        "the server does not hand out this message",
    )
    .mailbox(mailbox)
    .message(key);
    match reply {
        Some(reply) => fault.said(reply.said()),
        None => fault,
    }
}
