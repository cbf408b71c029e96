//! Scripted faults: when which thing goes wrong.
//!
//! A script is a list of rules. A rule names the commands it is about, the point
//! in their life at which it strikes, the occurrences that it hits, and what
//! happens then. Each rule counts for itself, over all connections of the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::account::lock;
use crate::personality::Refusal;

/// The point at which a rule strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A connection is accepted; nothing is said yet.
    Greeting,
    /// The command's first line is read, its first literal not asked for.
    Line,
    /// So many octets after the command's first line have arrived: its literals
    /// and the lines between them. Only for commands with literals.
    Literal(u64),
    /// The command is complete and not executed.
    Read,
    /// The command is executed and its tagged answer not sent.
    Done,
    /// A FETCH row is about to be sent.
    Row,
    /// So many octets of a message's literal in a FETCH row have been sent; a
    /// number beyond its end means its end.
    Body(u64),
    /// So many octets of the answer to this command have been sent.
    Answer(u64),
    /// The connection has sent so many octets in all.
    Sent(u64),
    /// The connection has received so many octets in all.
    Received(u64),
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// This tagged answer instead of the server's own. At [`Point::Line`] and
    /// [`Point::Read`] the command has no effect, at [`Point::Done`] it has.
    Answer(Refusal),
    /// `* BYE text`, then close.
    Bye(String),
    /// Nothing for so long, then as usual (tokio's clock).
    Delay(Duration),
    /// The connection is closed in an orderly way.
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing more is sent, and the peer is told so; what it sends is ignored.
    HalfClose,
    /// Nothing more is sent; what the peer sends is read and ignored.
    Silence,
    /// Nothing more is sent or read.
    Stall,
    /// The tagged answer bears a tag nobody used.
    WrongTag,
    /// The tagged answer is never sent; the session goes on.
    NoAnswer,
    /// These octets are sent, as they are, before whatever comes next: a garbage
    /// line, untagged data, anything.
    Send(Bytes),
    /// A line that never ends.
    EndlessLine,
    /// A literal of 4 GiB that never ends.
    EndlessLiteral,
    /// At [`Point::Row`]: the message's literal announces so many octets more
    /// (or fewer) than follow.
    LiteralLie(i64),
    /// At [`Point::Row`]: the row is left out.
    DropRow,
    /// At [`Point::Read`] of an APPEND: only so many of its messages are stored,
    /// then it is answered NO.
    StoreOnly(usize),
    /// At [`Point::Read`] of an APPEND: the connection is reset at once, the
    /// messages are stored so much later.
    LandLater(Duration),
    /// From now on one octet per write.
    Drip,
    /// From now on at most so many octets per second, at least one.
    Throttle(u64),
}

/// One rule of a [`Script`].
#[derive(Clone, Debug)]
pub struct Rule {
    verb: Option<String>,
    connection: Option<u32>,
    mailbox: Option<Vec<u8>>,
    uid: Option<u32>,
    at: Point,
    nth: u32,
    times: Option<u32>,
    action: Action,
}

impl Rule {
    /// About commands of this verb (`APPEND`, `UID FETCH`, …), at [`Point::Read`],
    /// hitting the first of them once.
    pub fn on(verb: &str, action: Action) -> Self {
        Self {
            verb: Some(verb.to_ascii_uppercase()),
            ..Self::always_on(action)
        }
    }

    /// About every command, at [`Point::Read`], hitting the first once.
    pub fn on_any(action: Action) -> Self {
        Self {
            verb: None,
            ..Self::always_on(action)
        }
    }

    /// About connections as they are accepted.
    pub fn on_greeting(action: Action) -> Self {
        Self {
            at: Point::Greeting,
            ..Self::always_on(action)
        }
    }

    fn always_on(action: Action) -> Self {
        Self {
            verb: None,
            connection: None,
            mailbox: None,
            uid: None,
            at: Point::Read,
            nth: 1,
            times: Some(1),
            action,
        }
    }

    /// Strikes at this point.
    #[must_use]
    pub fn at(mut self, at: Point) -> Self {
        self.at = at;
        self
    }

    /// Begins with the k-th occurrence, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// Hits so many occurrences in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits every occurrence from the first counted one on.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Only on the n-th connection of the server, counted from 1.
    #[must_use]
    pub fn connection(mut self, connection: u32) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Only for this mailbox: the one the command names, else the selected one.
    /// On the wire.
    #[must_use]
    pub fn mailbox(mut self, wire: impl AsRef<[u8]>) -> Self {
        self.mailbox = Some(wire.as_ref().to_vec());
        self
    }

    /// Only for this UID; with [`Point::Row`] and [`Point::Body`].
    #[must_use]
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }
}

/// What goes wrong during a run.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<Rule>);

impl Script {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one rule more.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.0.push(rule);
        self
    }
}

impl From<Rule> for Script {
    fn from(rule: Rule) -> Self {
        Self(vec![rule])
    }
}

impl FromIterator<Rule> for Script {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

/// One moment at which rules may strike. The octets inside `point` do not
/// matter: the rule says at which octet it strikes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) point: Point,
    pub(crate) connection: u32,
    pub(crate) verb: &'a str,
    pub(crate) mailbox: Option<&'a [u8]>,
    pub(crate) uid: Option<u32>,
}

/// The script while it is played.
pub(crate) struct Director {
    /// False while there is no rule, so that the fast path takes no lock.
    busy: AtomicBool,
    rules: Mutex<Vec<Live>>,
}

struct Live {
    rule: Rule,
    seen: u32,
    hit: u32,
}

impl Director {
    pub(crate) fn new(script: Script) -> Self {
        let director = Self {
            busy: AtomicBool::new(false),
            rules: Mutex::new(Vec::new()),
        };
        director.play(script);
        director
    }

    /// Replaces the script; all counts begin anew.
    pub(crate) fn play(&self, script: Script) {
        let rules = script.0.into_iter();
        let live: Vec<Live> = rules
            .map(|rule| Live {
                rule,
                seen: 0,
                hit: 0,
            })
            .collect();
        let mut rules = lock(&self.rules);
        self.busy.store(!live.is_empty(), Ordering::Release);
        *rules = live;
    }

    /// How often each rule has struck, in the script's order.
    pub(crate) fn hits(&self) -> Vec<u32> {
        lock(&self.rules).iter().map(|live| live.hit).collect()
    }

    /// The actions of this moment, each with the octet at which it strikes.
    pub(crate) fn cue(&self, moment: Moment<'_>) -> Vec<(u64, Action)> {
        if !self.busy.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut actions = Vec::new();
        for live in lock(&self.rules)
            .iter_mut()
            .filter(|live| live.rule.is_about(moment))
        {
            live.seen += 1;
            let in_turn =
                live.seen >= live.rule.nth && live.rule.times.is_none_or(|times| live.hit < times);
            if in_turn {
                live.hit += 1;
                actions.push((live.rule.octet(), live.rule.action.clone()));
            }
        }
        actions
    }
}

impl Rule {
    fn is_about(&self, moment: Moment<'_>) -> bool {
        std::mem::discriminant(&self.at) == std::mem::discriminant(&moment.point)
            && self.verb.as_ref().is_none_or(|verb| verb == moment.verb)
            && self.connection.is_none_or(|c| c == moment.connection)
            && self
                .mailbox
                .as_ref()
                .is_none_or(|m| Some(m.as_slice()) == moment.mailbox)
            && self.uid.is_none_or(|uid| Some(uid) == moment.uid)
    }

    fn octet(&self) -> u64 {
        match self.at {
            Point::Literal(n)
            | Point::Body(n)
            | Point::Answer(n)
            | Point::Sent(n)
            | Point::Received(n) => n,
            Point::Greeting | Point::Line | Point::Read | Point::Done | Point::Row => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_counts_its_own_occurrences() {
        let append = |connection, mailbox: &'static [u8]| Moment {
            point: Point::Read,
            connection,
            verb: "APPEND",
            mailbox: Some(mailbox),
            uid: None,
        };
        let rule = Rule::on("append", Action::Close)
            .mailbox("A")
            .nth(2)
            .times(2);
        let director = Director::new(rule.into());
        let hits: Vec<usize> = [b"A", b"B", b"A", b"B", b"A", b"A"]
            .into_iter()
            .map(|mailbox| director.cue(append(1, mailbox)).len())
            .collect();
        assert_eq!(hits, [0, 0, 1, 0, 1, 0]);
        assert_eq!(director.hits(), [2]);
    }
}
