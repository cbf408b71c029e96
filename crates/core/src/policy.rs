//! What the user chose for a run.

use crate::date::InternalDate;
use crate::mailbox::{MailboxInfo, Role};
use crate::message::Listing;
use crate::name::MailboxName;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Why a message or mailbox is left out by a rule of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipRule {
    /// The mailbox is not among those asked for.
    NotSelected,
    /// The mailbox was excluded.
    Excluded,
    /// The mailbox only shows messages that live elsewhere.
    View,
    /// The mailbox holds no messages of its own (`\Noselect`).
    NotSelectable,
    /// Outside the chosen time.
    Date,
    /// Larger than the chosen limit or than the destination takes.
    Size,
}

/// Where a message that is still to copy is looked for at the destination, besides what the
/// ledger knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// In the mailbox that it is mapped to.
    #[default]
    Mapped,
    /// There first, then in every other mailbox of the account: for accounts in which mail
    /// is moved by its owner or, as some hosts do, by the server itself.
    Account,
}

/// What 最初から means: everything is copied again, as if nothing had been copied before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// Into the same mailboxes; when everything is copied and verified, own earlier copies
    /// that nobody touched and whose replacement is verified are taken back. Needs
    /// [`crate::traits::Undo`].
    Replace,
    /// Below this mailbox of the destination, which carries the date. Nothing is removed.
    Folder(MailboxName),
}

/// Everything that the user can choose about what is copied and how.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Only these mailboxes and what lies below them; empty means all.
    pub folders: Vec<MailboxName>,
    /// Not these, nor what lies below them.
    pub exclude: Vec<MailboxName>,
    /// Not exactly these; what lies below them is not concerned.
    pub without: Vec<MailboxName>,
    /// Only messages that arrived at this moment or later (UTC seconds).
    pub since: Option<i64>,
    /// Only messages that arrived before this moment (UTC seconds).
    pub before: Option<i64>,
    /// Larger messages are left out and listed (octets).
    pub max_octets: Option<u64>,
    /// Everything goes below this mailbox of the destination.
    pub under: Option<MailboxName>,
    /// Newest messages first, window by window.
    pub newest_first: bool,
    /// Copy again what the owner removed at the destination.
    pub recopy: bool,
    /// Copy everything again.
    pub fresh: Option<Fresh>,
    /// Nothing is looked up in the ledger; everything is matched by content.
    pub stateless: bool,
    /// Where else a message is looked for before it is copied.
    pub matching: Matching,
    /// Read back and compare every copied message.
    pub read_back: bool,
    /// Most mailboxes at once.
    pub lanes: usize,
    /// How much of message content all lanes together keep in memory.
    pub held: Held,
    /// Octets per second, over all lanes.
    pub bandwidth: Option<u64>,
    /// End the run instead of waiting for a server that asks for a pause.
    pub no_wait: bool,
    /// How much room the destination keeps.
    pub reserve: Reserve,
    /// Where the room does not suffice for all: copy what fits, INBOX first, newest
    /// first, instead of refusing to start.
    pub fit: bool,
    /// How patient the engine is.
    pub patience: Patience,
}

/// How much free space a copy leaves at the destination, so that new mail still
/// arrives there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reserve {
    /// The larger of 5 % and the smaller of 150 MB and 10 % of the limit.
    #[default]
    Usual,
    /// Nothing: the copy may fill the destination to its limit.
    Nothing,
}

impl Reserve {
    /// The least that stays free of a limit, in octets.
    pub fn of(self, limit: u64) -> u64 {
        match self {
            Reserve::Usual => (limit / 20).max((limit / 10).min(150_000_000)),
            Reserve::Nothing => 0,
        }
    }
}

/// Waiting times and counts; the defaults are those of the design.
#[derive(Clone, Debug)]
pub struct Patience {
    /// From the loss of a connection to the first look for what it left behind.
    pub doubt_settle: Duration,
    /// Between two looks that must be equal.
    pub doubt_interval: Duration,
    /// Tries of one message before it has failed for this run.
    pub message_tries: u32,
    /// Failures to connect in a row before the circuit opens.
    pub reconnects: u32,
    /// First wait before a reconnect; doubles up to `backoff_max`, with jitter.
    pub backoff: Duration,
    /// Longest wait before a reconnect.
    pub backoff_max: Duration,
    /// Longest wait for a server that asks for a pause and names no time.
    pub throttle_max: Duration,
    /// Waits after `reconnects` failures in a row, one after the other; when they are
    /// used up the run gives up for now.
    pub circuit: Vec<Duration>,
    /// Time without throttling after which one more lane is allowed again.
    pub regrow: Duration,
    /// Retries per operation that succeeded, over the whole side; beyond it every
    /// retry waits as if the circuit were open.
    pub retry_share: f64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            doubt_settle: Duration::from_secs(10),
            doubt_interval: Duration::from_secs(2),
            message_tries: 3,
            reconnects: 5,
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            throttle_max: Duration::from_secs(15 * 60),
            circuit: [1, 5, 15]
                .map(|minutes| Duration::from_secs(minutes * 60))
                .to_vec(),
            regrow: Duration::from_secs(60),
            retry_share: 0.1,
        }
    }
}

/// Octets of message content that a run keeps in memory before it reads no more: each of the
/// lanes that are at work has its part. Clones share the number, which may change while runs go
/// on: a process that works for many divides what it has.
#[derive(Clone, Debug)]
pub struct Held(Arc<AtomicU64>);

impl Held {
    /// So many octets.
    pub fn new(octets: u64) -> Self {
        Self(Arc::new(AtomicU64::new(octets)))
    }

    /// So many from now on.
    pub fn set(&self, octets: u64) {
        self.0.store(octets, Ordering::Relaxed);
    }

    /// So many now.
    pub fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new(8 * 1024 * 1024)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            exclude: Vec::new(),
            without: Vec::new(),
            since: None,
            before: None,
            max_octets: None,
            under: None,
            newest_first: false,
            recopy: false,
            fresh: None,
            stateless: false,
            matching: Matching::default(),
            read_back: false,
            lanes: 4,
            held: Held::default(),
            bandwidth: None,
            no_wait: false,
            reserve: Reserve::default(),
            fit: false,
            patience: Patience::default(),
        }
    }
}

impl Policy {
    /// The mailbox of the destination below which everything goes.
    pub fn below(&self) -> Option<&MailboxName> {
        match &self.fresh {
            Some(Fresh::Folder(folder)) => Some(folder),
            _ => self.under.as_ref(),
        }
    }

    /// Whether earlier copies are replaced.
    pub fn replaces(&self) -> bool {
        self.fresh == Some(Fresh::Replace)
    }

    /// Whether what the owner removed at the destination comes back.
    pub fn brings_back(&self) -> bool {
        self.recopy || self.fresh.is_some()
    }

    /// Whether a message that lies in any mailbox of the destination is there already. When
    /// everything is copied again, only the mapped mailbox counts.
    pub fn looks_elsewhere(&self) -> bool {
        self.matching == Matching::Account && self.fresh.is_none()
    }

    /// Whether a mailbox is left out, and by which rule. `has_real_copy` says that the
    /// messages of a view are also found in ordinary mailboxes.
    pub fn skips_mailbox(&self, mailbox: &MailboxInfo) -> Option<SkipRule> {
        let name = &mailbox.name;
        if self.exclude.iter().any(|e| name.is_within(e)) || self.without.contains(name) {
            return Some(SkipRule::Excluded);
        }
        if !self.folders.is_empty() && !self.folders.iter().any(|f| name.is_within(f)) {
            return Some(SkipRule::NotSelected);
        }
        if !mailbox.selectable {
            return Some(SkipRule::NotSelectable);
        }
        mailbox
            .role
            .is_some_and(Role::is_view)
            .then_some(SkipRule::View)
    }

    /// Whether a rule of this policy needs listings before bodies are read.
    pub fn judges_messages(&self) -> bool {
        self.since.is_some() || self.before.is_some() || self.max_octets.is_some()
    }

    /// Whether a message is left out, and by which rule. A message without a date
    /// is inside every chosen time.
    pub fn skips_message(&self, listing: &Listing) -> Option<SkipRule> {
        let outside = |date: InternalDate| {
            self.since.is_some_and(|s| date.seconds < s)
                || self.before.is_some_and(|b| date.seconds >= b)
        };
        if listing.date.is_some_and(outside) {
            return Some(SkipRule::Date);
        }
        let limit = self.max_octets?;
        (listing.octets? > limit).then_some(SkipRule::Size)
    }
}
