//! What is known of a mailbox and of a side before any message is read.

use crate::key::{Epoch, Key};
use crate::name::{MailboxName, WireName};

/// The special use of a mailbox (RFC 6154), whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// INBOX itself.
    Inbox,
    /// `\Sent`.
    Sent,
    /// `\Drafts`.
    Drafts,
    /// `\Archive`.
    Archive,
    /// `\Junk`.
    Junk,
    /// `\Trash`.
    Trash,
    /// `\All`: a view of all messages, no container of its own.
    All,
    /// `\Flagged`: a view of flagged messages.
    Flagged,
    /// `\Important` (RFC 8457): a view.
    Important,
}

impl Role {
    /// Whether such a mailbox only shows messages that live elsewhere.
    pub fn is_view(self) -> bool {
        matches!(self, Role::All | Role::Flagged | Role::Important)
    }
}

/// Where a mailbox stands: the items of STATUS or of SELECT/EXAMINE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxState {
    /// UIDVALIDITY; `None` or zero means that keys cannot be trusted over time.
    pub epoch: Option<Epoch>,
    /// UIDNEXT: every message that arrives later gets at least this key.
    pub next: Option<Key>,
    /// MESSAGES or EXISTS.
    pub messages: u64,
    /// HIGHESTMODSEQ (RFC 7162), where the mailbox keeps one. Elsewhere a number made of
    /// everything that it holds, flags included. The same one: nothing has changed.
    pub modseq: Option<u64>,
    /// Sum of the sizes in octets (STATUS=SIZE, RFC 8438).
    pub octets: Option<u64>,
}

/// One mailbox as its side lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxInfo {
    /// Decoded name.
    pub name: MailboxName,
    /// The server's own spelling: what commands are sent with.
    pub wire: WireName,
    /// Special use, told by the server (never guessed from the name here).
    pub role: Option<Role>,
    /// Whether it can hold messages (not `\Noselect`, not `\NonExistent`).
    pub selectable: bool,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// Whether it cannot have children (`\Noinferiors`).
    pub no_children: bool,
    /// Its state when listed, where that came along (LIST-STATUS, RFC 5819).
    pub state: Option<MailboxState>,
}

/// What names a destination accepts: facts of its namespace, gathered by its adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRules {
    /// Hierarchy separator; `None` means a flat namespace.
    pub separator: Option<char>,
    /// Levels under which personal mailboxes live, such as `["INBOX"]` for the
    /// prefix `INBOX.`; empty for most.
    pub prefix: Vec<String>,
    /// Characters that no level may hold, besides the separator.
    pub forbidden: Vec<char>,
    /// Longest level in octets of its wire form.
    pub max_level_octets: usize,
    /// Longest whole name in octets of its wire form.
    pub max_name_octets: usize,
    /// Deepest nesting in levels.
    pub max_levels: usize,
    /// Whether a level may begin with `~` or `.` or be empty or blank-edged.
    pub strict_edges: bool,
    /// Whether characters outside the Basic Multilingual Plane are taken.
    pub astral: bool,
    /// Whether names that differ only in letter case are one mailbox.
    pub ignores_case: bool,
}

impl Default for NameRules {
    /// Rules that every known server satisfies for the separator `/`.
    fn default() -> Self {
        Self {
            separator: Some('/'),
            prefix: Vec::new(),
            forbidden: Vec::new(),
            max_level_octets: 250,
            max_name_octets: 900,
            max_levels: 60,
            strict_edges: true,
            astral: true,
            ignores_case: false,
        }
    }
}

/// What a side can do. The engine asks this, never who the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// How many mailboxes may be open at once, at most.
    pub lanes: usize,
    /// Largest message that it takes, in octets (APPENDLIMIT, RFC 7889).
    pub max_octets: Option<u64>,
    /// Whether appends report the new key (UIDPLUS, RFC 4315).
    pub reports_keys: bool,
    /// Whether several messages travel in one append (MULTIAPPEND, RFC 3502).
    pub appends_batches: bool,
    /// Whether changes of flags can be asked for by mod-sequence (CONDSTORE, RFC 7162).
    pub tracks_changes: bool,
    /// Whether listings carry sizes that are exactly those of the content.
    pub exact_sizes: bool,
    /// Which mailbox names it takes.
    pub names: NameRules,
}

impl Abilities {
    /// Those of a source that only hands messages out, with so many mailboxes at once.
    pub fn of_a_reader(lanes: usize) -> Self {
        Self {
            lanes,
            max_octets: None,
            reports_keys: false,
            appends_batches: false,
            tracks_changes: false,
            exact_sizes: false,
            names: NameRules::default(),
        }
    }
}

/// Storage of an account (QUOTA, RFC 9208), in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Octets in use.
    pub used: u64,
    /// Octets allowed.
    pub limit: u64,
}

impl Quota {
    /// Octets left; zero when over.
    pub fn free(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}
