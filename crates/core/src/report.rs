//! Outcomes, and the equation that they must satisfy.

use crate::fault::{Code, Fault, Side};
use crate::key::Key;
use crate::name::MailboxName;
use crate::undo::{KeptCopy, UndoLine};
use std::fmt;

/// What became of one source message. Exactly one holds for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// Appended by hikyaku, in this run or an earlier one.
    Copied = 1,
    /// Found at the destination, put there by somebody else.
    AlreadyThere = 2,
    /// Left out by a rule that the user chose.
    Skipped = 3,
    /// Not there yet; tried again in the next run.
    FailedTemporary = 4,
    /// Refused for a reason that stays; can be tried again on request.
    FailedPermanent = 5,
    /// Gone from the source before it could be read.
    Vanished = 6,
    /// Copied earlier and since moved or deleted at the destination by its owner.
    RemovedAtDestination = 7,
}

impl Outcome {
    /// All, in the order of reports.
    pub const ALL: [Outcome; 7] = [
        Outcome::Copied,
        Outcome::AlreadyThere,
        Outcome::Skipped,
        Outcome::FailedTemporary,
        Outcome::FailedPermanent,
        Outcome::Vanished,
        Outcome::RemovedAtDestination,
    ];

    /// Stable name for files and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Copied => "copied",
            Outcome::AlreadyThere => "already-there",
            Outcome::Skipped => "skipped",
            Outcome::FailedTemporary => "failed-temporary",
            Outcome::FailedPermanent => "failed-permanent",
            Outcome::Vanished => "vanished",
            Outcome::RemovedAtDestination => "removed-at-destination",
        }
    }

    /// Whether a later run has nothing more to do for the message.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Outcome::Copied | Outcome::AlreadyThere | Outcome::RemovedAtDestination
        )
    }

    /// Whether it is an exception that keeps a run from being complete.
    pub fn is_failure(self) -> bool {
        matches!(self, Outcome::FailedTemporary | Outcome::FailedPermanent)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Messages and octets per outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    messages: [u64; 7],
    octets: [u64; 7],
}

impl Tally {
    /// Counts messages under an outcome.
    pub fn add(&mut self, outcome: Outcome, messages: u64, octets: u64) {
        self.messages[outcome as usize - 1] += messages;
        self.octets[outcome as usize - 1] += octets;
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Tally) {
        for outcome in Outcome::ALL {
            self.add(outcome, other.messages(outcome), other.octets(outcome));
        }
    }

    /// Messages with that outcome.
    pub fn messages(&self, outcome: Outcome) -> u64 {
        self.messages[outcome as usize - 1]
    }

    /// Octets of the messages with that outcome.
    pub fn octets(&self, outcome: Outcome) -> u64 {
        self.octets[outcome as usize - 1]
    }

    /// Messages with any outcome.
    pub fn total(&self) -> u64 {
        self.messages.iter().sum()
    }

    /// Messages that failed.
    pub fn failures(&self) -> u64 {
        self.messages(Outcome::FailedTemporary) + self.messages(Outcome::FailedPermanent)
    }
}

/// A message or mailbox that is not as it should be, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Source mailbox.
    pub mailbox: MailboxName,
    /// Source key; `None` when the whole mailbox is meant.
    pub key: Option<Key>,
    /// Octets, where known.
    pub octets: Option<u64>,
    /// Subject, Date, From and Message-ID as octets of a header, where they could be read.
    pub head: Option<Vec<u8>>,
    /// What became of it; `None` for a mailbox.
    pub outcome: Option<Outcome>,
    /// Why.
    pub fault: Fault,
}

/// Something worth telling that is no failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Flags that the destination mailbox does not keep.
    FlagsLost {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Canonical text of the flags.
        flags: String,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages that the server stored with other octets than were sent.
    Altered {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Source keys, at most the first hundred.
        keys: Vec<Key>,
        /// Messages concerned.
        messages: u64,
    },
    /// Arrival dates that could not be kept.
    DatesLost {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Messages concerned.
        messages: u64,
    },
    /// UIDVALIDITY changed since the last run; messages were matched by content.
    EpochChanged {
        /// Source mailbox.
        mailbox: MailboxName,
        /// On which side.
        side: Side,
    },
    /// The server gives the mailbox a new UIDVALIDITY at every look, or none: messages
    /// are recognised by content only.
    EpochUnstable {
        /// Source mailbox.
        mailbox: MailboxName,
        /// On which side.
        side: Side,
    },
    /// Messages that arrived at the source while the run went on.
    Arrived {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages of an earlier run that the source no longer has.
    GoneAtSource {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Messages concerned.
        messages: u64,
    },
    /// Messages that this run found in another mailbox of the destination than the one that
    /// they are mapped to; they were not copied.
    FoundElsewhere {
        /// Source mailbox.
        mailbox: MailboxName,
        /// Destination mailbox.
        found_in: MailboxName,
        /// Messages concerned.
        messages: u64,
    },
}

/// What one mailbox came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxReport {
    /// Source mailbox.
    pub source: MailboxName,
    /// Destination mailbox.
    pub destination: MailboxName,
    /// Messages that the source showed.
    pub scanned: u64,
    /// Their outcomes.
    pub tally: Tally,
    /// How many of the copied ones were copied in this run.
    pub copied_now: u64,
    /// Octets appended in this run.
    pub octets_now: u64,
    /// Messages whose flags were brought up to date in this run.
    pub flags_updated: u64,
    /// Messages whose stored octets were read back and are the same.
    pub read_back: u64,
}

impl MailboxReport {
    /// The equation: every scanned message has exactly one outcome.
    pub fn adds_up(&self) -> bool {
        self.scanned == self.tally.total()
    }
}

/// Time that a run spent waiting for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What was waited out.
    pub code: Code,
    /// On whose account, where one side was.
    pub side: Option<Side>,
    /// How often.
    pub times: u64,
    /// Milliseconds in all; waits of several lanes at one time count once.
    pub millis: u64,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every mailbox of the plan that was to be copied, in plan order.
    pub mailboxes: Vec<MailboxReport>,
    /// What is not as it should be, at most [`Report::MAX_EXCEPTIONS`]; all are counted.
    pub exceptions: Vec<Exception>,
    /// Worth telling.
    pub notes: Vec<Note>,
    /// Why the run ended before its end, if it did.
    pub stopped: Option<Fault>,
    /// Mailboxes that were not finished.
    pub unfinished: u64,
    /// Differences that verification found.
    pub differences: u64,
    /// Appends that were repeated after a refusal or a lost answer.
    pub retries: u64,
    /// What became of own earlier copies when everything was copied again, one line per
    /// destination mailbox; empty for any other run.
    pub replaced: Vec<UndoLine>,
    /// Own earlier copies that are still there, by name, at most [`crate::undo::UndoReport::MAX_KEPT`].
    pub kept: Vec<KeptCopy>,
    /// Waits, one entry per reason, in the order of their first.
    pub waits: Vec<Wait>,
    /// Milliseconds from start to end.
    pub elapsed_millis: u64,
}

impl Report {
    /// Exceptions that a report holds by name.
    pub const MAX_EXCEPTIONS: usize = 10_000;

    /// The sum over all mailboxes.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for mailbox in &self.mailboxes {
            sum.merge(&mailbox.tally);
        }
        sum
    }

    /// Messages that the source showed.
    pub fn scanned(&self) -> u64 {
        self.mailboxes.iter().map(|m| m.scanned).sum()
    }

    /// Messages copied in this run.
    pub fn copied_now(&self) -> u64 {
        self.mailboxes.iter().map(|m| m.copied_now).sum()
    }

    /// Octets appended in this run.
    pub fn octets_now(&self) -> u64 {
        self.mailboxes.iter().map(|m| m.octets_now).sum()
    }

    /// The equation over all mailboxes.
    pub fn adds_up(&self) -> bool {
        self.mailboxes.iter().all(MailboxReport::adds_up)
    }

    /// The exceptions that keep a run from being complete: all but the messages that a
    /// rule of the user left out, which are only listed.
    pub fn shortfalls(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions
            .iter()
            .filter(|e| e.outcome != Some(Outcome::Skipped))
    }

    /// Messages that a rule left out one by one and that are named for it: the other
    /// exceptions. (What lies in a mailbox that nobody wanted is not.)
    pub fn left_out(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions
            .iter()
            .filter(|e| e.outcome == Some(Outcome::Skipped))
    }

    /// Whether every message is accounted for, and none is missing but by a rule of
    /// the user.
    pub fn is_complete(&self) -> bool {
        self.adds_up()
            && self.stopped.is_none()
            && self.unfinished == 0
            && self.shortfalls().next().is_none()
            && self.differences == 0
            && self.tally().failures() == 0
    }
}
