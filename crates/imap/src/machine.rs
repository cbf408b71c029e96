//! Which command does a response belong to, and when is the dialogue broken?
//!
//! Sans-IO: knows the commands in flight in the order in which they were queued,
//! gets responses, says where each goes. Sinks are opaque, so the tests use words
//! where the connection uses channels.
//!
//! Two rules come from measurement and guard the mailbox (see ARCHITECTURE): after
//! a `BAD` while octets of literals are in flight the server may be reading message
//! text as commands, so the connection is over at once; and an answer to a command
//! that is not completely written is kept back until the writer has said how far
//! it came.
//!
//! Start reading at [`Machine::receive`].

use crate::response::{Reply, ReplyKind, Response, Tag};
use std::collections::VecDeque;

/// Kinds of untagged data that a command wants, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Takes(u16);

impl Takes {
    pub(crate) const NOTHING: Takes = Takes(0);
    pub(crate) const FETCH: Takes = Takes(1);
    /// LIST, and STATUS that comes with it.
    pub(crate) const LIST: Takes = Takes(1 << 1 | 1 << 3);
    pub(crate) const LSUB: Takes = Takes(1 << 2);
    pub(crate) const STATUS: Takes = Takes(1 << 3);
    /// SEARCH and ESEARCH.
    pub(crate) const SEARCH: Takes = Takes(1 << 4);
    pub(crate) const QUOTA: Takes = Takes(1 << 5);
    /// What SELECT and EXAMINE tell: EXISTS, FLAGS and the codes of untagged OK.
    pub(crate) const OPEN: Takes = Takes(1 << 6);
    pub(crate) const CAPABILITY: Takes = Takes(1 << 7);
    pub(crate) const NAMESPACE: Takes = Takes(1 << 8);
    pub(crate) const ID: Takes = Takes(1 << 9);
    pub(crate) const ENABLED: Takes = Takes(1 << 10);
    /// BYE is the answer, not the end of the world.
    pub(crate) const BYE: Takes = Takes(1 << 11);

    fn meets(self, other: Takes) -> bool {
        self.0 & other.0 != 0
    }

    fn of(response: &Response) -> Self {
        match response {
            Response::Fetch(_) => Self::FETCH,
            Response::List(_) => Self(1 << 1),
            Response::Lsub(_) => Self::LSUB,
            Response::MailboxStatus(_) => Self::STATUS,
            Response::Search { .. } | Response::Esearch(_) => Self::SEARCH,
            Response::Quota(_) | Response::QuotaRoot { .. } => Self::QUOTA,
            Response::Flags(_) | Response::Exists(_) => Self::OPEN,
            Response::Capability(_) => Self::CAPABILITY,
            Response::Namespace(_) => Self::NAMESPACE,
            Response::Id(_) => Self::ID,
            Response::Enabled(_) => Self::ENABLED,
            Response::Status(reply) => match reply.kind {
                ReplyKind::Ok if reply.code.is_some() => Self::OPEN,
                ReplyKind::Bye => Self::BYE,
                ReplyKind::Ok | ReplyKind::No | ReplyKind::Bad | ReplyKind::Preauth => {
                    Self::NOTHING
                }
            },
            Response::Recent(_)
            | Response::Expunge(_)
            | Response::Vanished { .. }
            | Response::Unknown { .. }
            | Response::Tagged { .. }
            | Response::Continue(_) => Self::NOTHING,
        }
    }
}

/// How much of a command has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sent {
    /// Not an octet.
    Nothing,
    /// Some, but no complete literal: the server can have stored nothing.
    Part,
    /// At least one complete literal of an append, but not the last line end.
    Literal,
    /// Everything.
    All,
}

/// One command in flight.
#[derive(Debug)]
pub(crate) struct Flight<S> {
    /// Its tag.
    pub(crate) tag: Tag,
    /// How much of it has left. Exact: the writer holds the machine while it writes.
    pub(crate) sent: Sent,
    /// Where its answer goes.
    pub(crate) sink: S,
    takes: Takes,
    /// Whether octets that are not a command line belong to it (message text).
    carries_text: bool,
    /// Whether the writer waits for `+`.
    waits: bool,
    /// Its end, while it is not completely written.
    early: Option<Reply>,
}

/// Where a response goes.
#[derive(Debug)]
pub(crate) enum Route<'a, S> {
    /// Data for a command in flight.
    Data(&'a mut Flight<S>, Response),
    /// The command is over.
    Done(Flight<S>, Reply),
    /// The writer may go on: see [`Machine::permission`].
    GoOn,
    /// The command was answered before it was completely written: the writer has to
    /// look (see [`Machine::is_answered_early`]).
    Early,
    /// Of no interest to a command in flight.
    Idle(Response),
    /// The dialogue is broken; the connection has to be reset.
    Broken(Broken),
}

/// Why the dialogue cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The server said BYE on its own.
    Bye(Reply),
    /// `BAD` while message text was in flight; the tag of the command, if it had one.
    Bad(Option<Tag>, Reply),
    /// A tag that is not in flight.
    Tag(Reply),
    /// `+` while message text was in flight and nobody waited for it.
    Continuation,
    /// `OK` to a command whose announced literal the server had not let in: whatever it
    /// means, it does not mean that the command was carried out.
    Hasty(Reply),
}

/// The commands in flight.
#[derive(Debug)]
pub(crate) struct Machine<S> {
    flights: VecDeque<Flight<S>>,
    last: u64,
}

impl<S> Machine<S> {
    /// Nothing in flight; the next tag follows `last`.
    pub(crate) fn new(last: Tag) -> Self {
        Self {
            flights: VecDeque::new(),
            last: last.0,
        }
    }

    /// Whether no command is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// A new command: its tag. Call in the order in which commands are queued.
    pub(crate) fn submit(&mut self, takes: Takes, carries_text: bool, sink: S) -> Tag {
        self.last += 1;
        let tag = Tag(self.last);
        self.flights.push_back(Flight {
            tag,
            sent: Sent::Nothing,
            sink,
            takes,
            carries_text,
            waits: false,
            early: None,
        });
        tag
    }

    /// The writer came so far with a command.
    pub(crate) fn wrote(&mut self, tag: Tag, sent: Sent) {
        if let Some(at) = self.position(tag) {
            let flight = &mut self.flights[at];
            flight.sent = flight.sent.max(sent);
        }
    }

    /// The writer announced a synchronising literal and waits for `+`.
    pub(crate) fn announce(&mut self, tag: Tag) {
        if let Some(at) = self.position(tag) {
            self.flights[at].waits = true;
        }
    }

    /// Whether the writer may go on behind an announced literal.
    pub(crate) fn permission(&self, tag: Tag) -> Permission {
        match self.position(tag).map(|at| self.flights[at].waits) {
            Some(true) => Permission::Wait,
            Some(false) => Permission::Go,
            None => Permission::Gone,
        }
    }

    /// Whether a command that the writer is in the middle of was answered: it must
    /// not be completed, and cannot be taken back but by a reset.
    pub(crate) fn is_answered_early(&self, tag: Tag) -> bool {
        self.position(tag)
            .is_some_and(|at| self.flights[at].early.is_some())
    }

    /// Whether nothing is in flight that was queued before a command.
    pub(crate) fn is_first(&self, tag: Tag) -> bool {
        self.flights.front().is_none_or(|f| f.tag >= tag)
    }

    /// Whether the oldest command may take long by its nature: the server has to go
    /// through a whole mailbox, or all of them, before it says the first word.
    pub(crate) fn is_slow(&self) -> bool {
        const SLOW: Takes =
            Takes(Takes::OPEN.0 | Takes::SEARCH.0 | Takes::LIST.0 | Takes::STATUS.0);
        self.flights.front().is_some_and(|f| f.takes.meets(SLOW))
    }

    /// Takes a command out of flight, with its early answer if there is one, to
    /// settle it before everything else is given up.
    pub(crate) fn take_out(&mut self, tag: Tag) -> Option<(Flight<S>, Option<Reply>)> {
        let at = self.position(tag)?;
        let mut flight = self.flights.remove(at)?;
        let reply = flight.early.take();
        Some((flight, reply))
    }

    /// The tag that the next command will get.
    pub(crate) fn next_tag(&self) -> Tag {
        Tag(self.last + 1)
    }

    /// Says where a response goes.
    pub(crate) fn receive(&mut self, response: Response) -> Route<'_, S> {
        match response {
            Response::Tagged { tag, reply } => self.tagged(tag, reply),
            Response::Continue(_) => {
                if let Some(flight) = self.flights.iter_mut().find(|f| f.waits) {
                    flight.waits = false;
                    Route::GoOn
                } else if self.has_text_in_flight() {
                    Route::Broken(Broken::Continuation)
                } else {
                    Route::Idle(response)
                }
            }
            Response::Status(reply) if reply.kind == ReplyKind::Bye && !self.wants(Takes::BYE) => {
                Route::Broken(Broken::Bye(reply))
            }
            Response::Status(reply)
                if reply.kind == ReplyKind::Bad && self.has_text_in_flight() =>
            {
                Route::Broken(Broken::Bad(None, reply))
            }
            data => self.untagged(data),
        }
    }

    /// Where the answers of everything in flight go.
    pub(crate) fn sinks(&self) -> impl Iterator<Item = &S> {
        self.flights.iter().map(|f| &f.sink)
    }

    /// Everything in flight, in order; the machine is empty afterwards.
    pub(crate) fn abandon(&mut self) -> impl Iterator<Item = Flight<S>> + use<S> {
        std::mem::take(&mut self.flights).into_iter()
    }

    fn tagged(&mut self, tag: Option<Tag>, reply: Reply) -> Route<'_, S> {
        let Some(at) = tag.and_then(|tag| self.position(tag)) else {
            return Route::Broken(Broken::Tag(reply));
        };
        if reply.kind == ReplyKind::Bad && self.has_text_in_flight() {
            return Route::Broken(Broken::Bad(tag, reply));
        }
        let flight = &mut self.flights[at];
        if flight.sent < Sent::All && !flight.waits {
            flight.early = Some(reply);
            return Route::Early;
        }
        if flight.waits && reply.is_ok() {
            return Route::Broken(Broken::Hasty(reply));
        }
        match self.flights.remove(at) {
            Some(flight) => Route::Done(flight, reply),
            None => Route::Early,
        }
    }

    fn untagged(&mut self, response: Response) -> Route<'_, S> {
        let wanted = Takes::of(&response);
        let named = match &response {
            Response::Esearch(found) => found.tag,
            _ => None,
        };
        let flight = self
            .flights
            .iter_mut()
            .find(|f| f.takes.meets(wanted) && named.is_none_or(|tag| tag == f.tag));
        match flight {
            Some(flight) => Route::Data(flight, response),
            None => Route::Idle(response),
        }
    }

    /// Message text left, or may leave any moment, and its command is unanswered.
    /// A command whose first literal the server has not yet let in carries none.
    fn has_text_in_flight(&self) -> bool {
        self.flights.iter().any(|f| {
            f.carries_text && f.sent >= Sent::Part && (!f.waits || f.sent >= Sent::Literal)
        })
    }

    fn wants(&self, what: Takes) -> bool {
        self.flights.iter().any(|f| f.takes.meets(what))
    }

    fn position(&self, tag: Tag) -> Option<usize> {
        self.flights.iter().position(|f| f.tag == tag)
    }
}

/// Whether a writer that announced a synchronising literal may send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Not yet.
    Wait,
    /// Yes.
    Go,
    /// No: the command was answered instead; the rest of it must not be sent.
    Gone,
}

#[cfg(test)]
mod tests;
