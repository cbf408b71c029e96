//! Many FETCH commands about many messages, several in flight.
//!
//! Keys are divided into windows, one command each. When a command is answered NO, the
//! messages of its window that did not come are asked for one by one; one that is
//! refused alone is told by name.

use crate::connection::{Connection, ROW_EVENTS, Row, RowEvent};
use crate::encode::{Command, Fetch, FetchItem, MAX_SET_OCTETS, UidSet, split_set};
use crate::quirks::throttled_fetch;
use crate::response::{Reply, Tag};
use hikyaku_core::{Fault, Key, KeySet};
use std::collections::VecDeque;
use tokio::sync::mpsc;

use super::body::Chunks;

/// Commands in flight: enough that the server never waits for us.
const IN_FLIGHT: usize = 4;

/// Windows that are made at a time.
const FAR: u64 = 1_000;

/// What came.
pub(super) enum Came {
    /// Rows, in the server's order.
    Rows(Vec<Row>),
    /// A large message begins.
    Large {
        row: Row,
        octets: u64,
        chunks: Chunks,
    },
    /// A window is over: nothing more comes for its keys.
    Window,
    /// The server refused this message, asked for alone.
    Refused(Key, Reply),
}

/// The commands of one pass over some messages.
pub(super) struct Fetching<'a> {
    connection: &'a Connection,
    items: Vec<FetchItem>,
    /// Not divided into windows yet: a server can claim four thousand million messages
    /// in one line.
    far: VecDeque<KeySet>,
    todo: VecDeque<KeySet>,
    window: u64,
    flights: VecDeque<(Tag, KeySet)>,
    /// The commands in flight hold the other end, and nobody else: when they are lost
    /// with their connection, the channel ends.
    to: mpsc::WeakSender<RowEvent>,
    events: mpsc::Receiver<RowEvent>,
    /// Keys that came; only those have to be asked for again that did not.
    came: KeySet,
    /// All keys of this pass: what a server tells of others is nobody's answer.
    wanted: KeySet,
}

impl<'a> Fetching<'a> {
    /// Windows of at most `window` messages.
    pub(super) fn new(
        connection: &'a Connection,
        items: Vec<FetchItem>,
        keys: &KeySet,
        window: u64,
    ) -> Self {
        let (to, events) = mpsc::channel(ROW_EVENTS);
        Self {
            connection,
            items,
            far: keys.windows(window.saturating_mul(FAR)).into(),
            todo: VecDeque::new(),
            window,
            flights: VecDeque::new(),
            to: to.downgrade(),
            events,
            came: KeySet::new(),
            wanted: keys.clone(),
        }
    }

    /// Notes that a key came; false when it had come before, or was never asked for.
    pub(super) fn note(&mut self, key: Key) -> bool {
        let is_new = self.wants(key) && !self.came.contains(key);
        if is_new {
            self.came.insert(key);
        }
        is_new
    }

    /// Whether a key belongs to this pass.
    pub(super) fn wants(&self, key: Key) -> bool {
        self.wanted.contains(key)
    }

    /// What did not come.
    pub(super) fn missing(&self) -> KeySet {
        self.wanted.minus(&self.came)
    }

    /// Whether a key came.
    pub(super) fn has(&self, key: Key) -> bool {
        self.came.contains(key)
    }

    /// Asks for one message again, alone.
    pub(super) fn again(&mut self, key: Key) {
        self.todo.push_front(KeySet::range(key.0..=key.0));
    }

    /// The one message that is being asked for, when there is no other.
    pub(super) fn only(&self) -> Option<Key> {
        match &self.flights.front()?.1 {
            keys if self.flights.len() == 1 && keys.len() == 1 => keys.first(),
            _ => None,
        }
    }

    /// Whether nothing is in flight.
    pub(super) fn is_at_rest(&self) -> bool {
        self.flights.is_empty()
    }

    /// Asks for one message while nothing else is in flight.
    pub(super) fn ask_alone(&mut self, key: Key) -> Result<(), Fault> {
        self.send(KeySet::range(key.0..=key.0))
    }

    /// Sends as many commands as may be in flight.
    pub(super) fn top_up(&mut self) -> Result<(), Fault> {
        while self.flights.len() < IN_FLIGHT
            && let Some(keys) = self.next_window()
        {
            self.send(keys)?;
        }
        Ok(())
    }

    fn next_window(&mut self) -> Option<KeySet> {
        if self.todo.is_empty()
            && let Some(keys) = self.far.pop_front()
        {
            let windows = keys.windows(self.window);
            let sets = windows
                .iter()
                .flat_map(|keys| split_set(keys, MAX_SET_OCTETS));
            self.todo.extend(sets);
        }
        self.todo.pop_front()
    }

    /// The next thing that comes for what is in flight; `None` when nothing is.
    ///
    /// # Errors
    /// The connection ended.
    pub(super) async fn next(&mut self) -> Result<Option<Came>, Fault> {
        if self.flights.is_empty() {
            return Ok(None);
        }
        match self.events.recv().await {
            None => Err(self.connection.fault()),
            Some(RowEvent::Rows(rows)) => Ok(Some(Came::Rows(rows))),
            Some(RowEvent::Large {
                row,
                octets,
                chunks,
            }) => Ok(Some(Came::Large {
                row,
                octets,
                chunks,
            })),
            Some(RowEvent::Done { tag, reply }) => self.done(tag, reply).map(Some),
        }
    }

    fn done(&mut self, tag: Tag, reply: Reply) -> Result<Came, Fault> {
        let at = self.flights.iter().position(|(t, _)| *t == tag);
        let Some((_, keys)) = at.and_then(|at| self.flights.remove(at)) else {
            return Ok(Came::Window);
        };
        if reply.is_ok() {
            return Ok(Came::Window);
        }
        // To ask for one after the other would be the opposite of a pause.
        if let Some(fault) = throttled_fetch(&reply) {
            return Err(self.connection.placed(fault));
        }
        let missing = keys.minus(&self.came);
        Ok(match missing.first() {
            Some(key) if keys.len() == 1 => Came::Refused(key, reply),
            _ => {
                // Order is kept: they go before everything that was not asked for yet.
                let ones: Vec<Key> = missing.iter().collect();
                for key in ones.into_iter().rev() {
                    self.again(key);
                }
                Came::Window
            }
        })
    }

    fn send(&mut self, keys: KeySet) -> Result<(), Fault> {
        let fetch = Command::Fetch(Fetch {
            uids: UidSet::Keys(keys.clone()),
            items: self.items.clone(),
            changed_since: None,
        });
        let to = match self.to.upgrade() {
            Some(to) => to,
            // Nothing is in flight, so nothing more can come through the old one.
            None => {
                let (to, events) = mpsc::channel(ROW_EVENTS);
                self.to = to.downgrade();
                self.events = events;
                to
            }
        };
        let tag = self.connection.fetch(&fetch, &to)?;
        self.flights.push_back((tag, keys));
        Ok(())
    }
}
