//! Messages one after the other, with many commands under way.
//!
//! A message counts as whole when the answer to the next command follows its lone dot: a dot
//! that a server forgot to double is noticed so, and is text. After the last message a NOOP
//! brings that answer.
//!
//! Messages are asked for by TOP, because RETR marks them as read on many servers (Dovecot, Courier).
//! Until the first message has come whole, one is asked for at a time; one that is shorter than
//! announced, or that TOP does not give, is asked for again by RETR: either the server counts
//! otherwise, or the message is not to be had, or it is TOP that cuts or is refused, and then RETR
//! it is.

use crate::command::Command;
use crate::frame::Text;
use crate::identity::Entry;
use crate::opened::Opened;
use crate::session::Top;
use crate::spool::Spool;
use crate::words::{self, confused};
use hikyaku_core::identity::HeadDigest;
use hikyaku_core::{Fault, Key};
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;

/// Commands under way.
const UNDER_WAY: usize = 128;

/// How much of each message is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    /// All of it, at most so many octets; large ones wait in this directory.
    Whole(u64, Option<PathBuf>),
    /// The header.
    Head(u64),
}

impl Want {
    fn spool(&self, announced: u64) -> Spool {
        match self {
            Self::Whole(_, directory) => Spool::new(directory.clone(), announced),
            Self::Head(_) => Spool::beginning(HeadDigest::MAX_HEADER),
        }
    }

    fn most(&self) -> u64 {
        match self {
            Self::Whole(most, _) | Self::Head(most) => *most,
        }
    }
}

/// One message, as far as it was wanted.
pub(crate) type Got = (Entry, Spool);

/// What was sent and is not answered.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Message { entry: Entry, by_top: bool },
    Noop,
}

/// A message whose end was seen and not confirmed.
#[derive(Debug)]
struct Unconfirmed {
    entry: Entry,
    by_top: bool,
    spool: Spool,
}

/// See the module.
pub(crate) struct Reading<'a> {
    opened: &'a mut Opened,
    want: Want,
    todo: VecDeque<Entry>,
    sent: VecDeque<Sent>,
    unconfirmed: Option<Unconfirmed>,
    ready: VecDeque<Result<Got, Fault>>,
    /// Octets that TOP gave of messages that came short.
    short: HashMap<Key, u64>,
    /// Those that TOP did not give at all.
    refused: HashSet<Key>,
    /// To be asked for by RETR.
    by_retr: HashSet<Key>,
    /// Whether the last command sent was a NOOP.
    ends_with_noop: bool,
    /// Whether a command or a text is half sent or half read.
    is_half: bool,
    is_over: bool,
}

impl<'a> Reading<'a> {
    /// The messages, in this order.
    pub(crate) fn new(opened: &'a mut Opened, want: Want, todo: VecDeque<Entry>) -> Self {
        Self {
            opened,
            want,
            todo,
            sent: VecDeque::new(),
            unconfirmed: None,
            ready: VecDeque::new(),
            short: HashMap::new(),
            refused: HashSet::new(),
            by_retr: HashSet::new(),
            ends_with_noop: false,
            is_half: false,
            is_over: false,
        }
    }

    /// The next message, or why it did not come. A fault that reaches further than the message
    /// is the last item.
    pub(crate) async fn next(&mut self) -> Option<Result<Got, Fault>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.is_over {
                return None;
            }
            match self.advance().await {
                Ok(true) => {}
                Ok(false) => self.is_over = true,
                Err(fault) => {
                    self.is_over = true;
                    // The server left after a message, in place of the next answer.
                    let is_whole = |last: &Unconfirmed| last.spool.octets() >= last.entry.octets;
                    if let Some(last) = self.unconfirmed.take().filter(is_whole) {
                        self.ready.push_back(Ok((last.entry, last.spool)));
                    }
                    self.ready.push_back(Err(self.place(fault)));
                    self.opened.give_up();
                }
            }
        }
    }

    /// Names the message that was under way.
    fn place(&self, fault: Fault) -> Fault {
        let message = self.sent.iter().find_map(|sent| match sent {
            Sent::Message { entry, .. } => Some(entry.key),
            Sent::Noop => None,
        });
        match message {
            Some(key) => fault.message(key),
            None => fault,
        }
    }

    /// One answer further; whether there is more to come.
    async fn advance(&mut self) -> Result<bool, Fault> {
        self.ask().await?;
        let Some(sent) = self.sent.front().copied() else {
            return Ok(false);
        };
        let session = self.opened.session()?;
        if !session.wire.is_answer_next().await? {
            let Some(mut last) = self.unconfirmed.take() else {
                return Err(confused("something else came where an answer was due"));
            };
            session.wire.resume(&mut last.spool);
            self.receive(last).await?;
            return Ok(true);
        }
        if let Some(last) = self.unconfirmed.take() {
            self.confirm(last)?;
        }
        let session = self.opened.session()?;
        let reply = session.wire.reply().await?;
        let (entry, by_top) = match sent {
            Sent::Noop => {
                self.sent.pop_front();
                return Ok(true);
            }
            Sent::Message { entry, by_top } => (entry, by_top),
        };
        if !reply.is_ok {
            self.sent.pop_front();
            if by_top {
                // TOP or the message: RETR tells which.
                self.refused.insert(entry.key);
                self.again(entry);
            } else {
                self.ready.push_back(Err(words::message(&reply, entry.key)));
            }
            return Ok(true);
        }
        // A header has no announced length. Where sizes are not exact, mail that was made for it
        // could end itself at its announced one, and speak for the server behind that.
        let is_exact = matches!(self.want, Want::Whole(..)) && !session.counts_otherwise;
        let announced = is_exact.then_some(entry.octets);
        session.wire.begin(announced);
        let spool = self.want.spool(entry.octets);
        let last = Unconfirmed {
            entry,
            by_top,
            spool,
        };
        self.receive(last).await?;
        Ok(true)
    }

    /// Takes text up to a lone dot. The message stays under way until then.
    async fn receive(&mut self, mut last: Unconfirmed) -> Result<(), Fault> {
        self.is_half = true;
        let most = self.want.most();
        // Where the text goes on behind a lone dot, it was taken off before.
        let is_under_way =
            |sent: &Sent| matches!(sent, Sent::Message { entry, .. } if *entry == last.entry);
        let is_first = self.sent.front().is_some_and(is_under_way);
        loop {
            let session = self.opened.session()?;
            match session.wire.text(&mut last.spool, most).await? {
                Text::End => break,
                Text::More { is_doubtful } => {
                    if is_doubtful && self.sent.len() == usize::from(is_first) {
                        // Its answer shall tell.
                        self.send(1).await?;
                    }
                    self.opened.session()?.wire.fill().await?;
                }
            }
        }
        self.is_half = false;
        if is_first {
            self.sent.pop_front();
        }
        self.unconfirmed = Some(last);
        Ok(())
    }

    /// A message came whole; what its length tells of TOP.
    fn confirm(&mut self, last: Unconfirmed) -> Result<(), Fault> {
        let Unconfirmed {
            entry,
            by_top,
            spool,
        } = last;
        let session = self.opened.session()?;
        if self.refused.remove(&entry.key) && session.top == Top::Untried {
            session.top = Top::No;
        }
        if matches!(self.want, Want::Whole(..)) {
            let got = spool.octets();
            if by_top {
                let is_short = got < entry.octets;
                let is_very_short = got < entry.octets / 4 * 3;
                if is_very_short || (is_short && !session.announces_more) {
                    self.short.insert(entry.key, got);
                    self.again(entry);
                    return Ok(());
                }
                session.top = Top::Whole;
            } else if let Some(short) = self.short.remove(&entry.key) {
                let is_cut = got > short;
                session.announces_more |= !is_cut;
                session.top = match is_cut {
                    true => Top::No,
                    false => Top::Whole,
                };
            }
            // A last line end that the server forgot is given, and proves nothing.
            let exact = entry.octets..=entry.octets.saturating_add(2);
            session.counts_otherwise |= !exact.contains(&got);
        }
        self.ready.push_back(Ok((entry, spool)));
        Ok(())
    }

    fn again(&mut self, entry: Entry) {
        self.by_retr.insert(entry.key);
        self.todo.push_front(entry);
    }

    /// Keeps commands under way.
    async fn ask(&mut self) -> Result<(), Fault> {
        let session = self.opened.session()?;
        let is_trial = matches!(self.want, Want::Whole(..)) && session.top == Top::Untried;
        let most = match session.pipelines && !is_trial {
            true => UNDER_WAY,
            false => 1,
        };
        // In portions, so that a command does not cost a packet.
        let room = match self.sent.len() <= most / 2 {
            // Whether the first came whole is to be known before the second is asked for.
            true if is_trial && self.unconfirmed.is_some() => 0,
            true => most - self.sent.len(),
            false => return Ok(()),
        };
        self.send(room).await
    }

    /// Asks for as many messages as there is room for; behind the last one, or where there is no
    /// room and an end is to be confirmed, stands a NOOP.
    async fn send(&mut self, room: usize) -> Result<(), Fault> {
        let session = self.opened.session()?;
        let mut commands = Vec::new();
        while commands.len() < room {
            let Some(entry) = self.todo.pop_front() else {
                break;
            };
            let by_top = session.top != Top::No && !self.by_retr.contains(&entry.key);
            commands.push(match (&self.want, by_top) {
                (Want::Whole(..), true) => Command::Whole(entry.number),
                (Want::Head(_), true) => Command::Head(entry.number),
                (_, false) => Command::Retr(entry.number),
            });
            self.sent.push_back(Sent::Message { entry, by_top });
            self.ends_with_noop = false;
        }
        let is_last = commands.len() < room || (room == 0 && self.sent.is_empty());
        let is_open = !self.sent.is_empty() || self.unconfirmed.is_some() || self.is_half;
        if is_last && is_open && !self.ends_with_noop {
            commands.push(Command::Noop);
            self.sent.push_back(Sent::Noop);
            self.ends_with_noop = true;
        }
        if commands.is_empty() {
            return Ok(());
        }
        let was_half = std::mem::replace(&mut self.is_half, true);
        session.wire.send(&commands).await?;
        self.is_half = was_half;
        Ok(())
    }
}

impl Drop for Reading<'_> {
    /// What is under way would be taken for answers to others.
    fn drop(&mut self) {
        if self.is_half || !self.sent.is_empty() || self.unconfirmed.is_some() {
            self.opened.give_up();
        }
    }
}
