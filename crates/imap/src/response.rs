//! What a server said, as types. Made by [`crate::parse::parse`], which never
//! fails: what cannot be understood is [`Response::Unknown`] or a missing item.
//!
//! Octets are shared with the read buffer wherever they lie in one piece.

use bytes::Bytes;
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::mailbox::MailboxState;
use hikyaku_core::{Epoch, Flags, InternalDate, Key, KeySet, Role, Said, WireName};
use std::collections::BTreeSet;
use std::fmt;

/// One response as the framer hands it out: all its text, held literals in
/// place, without the last line end. The octets of streamed literals are left out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RawResponse {
    pub(crate) octets: Bytes,
    /// Literals that are not in `octets`, ascending by place.
    pub(crate) streamed: Vec<StreamedLiteral>,
}

/// Where a literal is missing from a [`RawResponse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamedLiteral {
    /// Offset just behind the line end of its announcement.
    pub(crate) at: usize,
    /// Announced length in octets.
    pub(crate) octets: u64,
}

impl fmt::Debug for RawResponse {
    /// The first line, shortened: message text never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.octets.split(|&b| b == b'\n').next().unwrap_or(&[]);
        write!(f, "{}", line[..line.len().min(200)].escape_ascii())?;
        if self.octets.len() > line.len() {
            write!(f, " … ({} octets)", self.octets.len())?;
        }
        Ok(())
    }
}

/// The tag of a command, unique on its connection: `h1`, `h2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u64);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h{}", self.0)
    }
}

impl Tag {
    /// Reads a tag of our own making; `None` for any other.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let digits = octets.strip_prefix(b"h")?;
        let starts_well = matches!(digits.first(), Some(b'1'..=b'9')) || digits == b"0";
        let text = std::str::from_utf8(digits).ok()?;
        (starts_well && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok().map(Tag))
            .flatten()
    }
}

/// One response of a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Response {
    /// The end of a command.
    Tagged {
        /// Which command; `None` when the tag is not of our making.
        tag: Option<Tag>,
        /// How it ended.
        reply: Reply,
    },
    /// `+`: the server waits for the rest of a command. The text is what follows,
    /// undecoded; challenges of AUTHENTICATE are base64.
    Continue(Bytes),
    /// Untagged `OK`, `NO`, `BAD`, `PREAUTH` or `BYE`; also the greeting.
    Status(Reply),
    /// `CAPABILITY`.
    Capability(Capabilities),
    /// `LIST`.
    List(ListRow),
    /// `LSUB`: a row of the subscriptions.
    Lsub(ListRow),
    /// `STATUS`.
    MailboxStatus(MailboxStatus),
    /// `NAMESPACE`.
    Namespace(Namespaces),
    /// `FLAGS`: what the mailbox knows; not what it keeps (that is
    /// [`ReplyCode::PermanentFlags`]).
    Flags(Flags),
    /// `EXISTS`: messages in the mailbox.
    Exists(u64),
    /// `RECENT`.
    Recent(u64),
    /// `EXPUNGE` of a sequence number.
    Expunge(u64),
    /// `VANISHED` (RFC 7162 §3.2.10): UIDs that are gone.
    Vanished {
        /// `(EARLIER)`: they went before this command; sequence numbers stay.
        earlier: bool,
        /// Which.
        uids: KeySet,
    },
    /// `FETCH`. Boxed rows would cost an allocation per message.
    Fetch(FetchRow),
    /// `SEARCH`: UIDs or sequence numbers, as asked for.
    Search {
        /// What was found.
        found: KeySet,
        /// Highest mod-sequence among them (RFC 7162 §3.1.5).
        modseq: Option<u64>,
    },
    /// `ESEARCH` (RFC 9051 §7.3.4).
    Esearch(Esearch),
    /// `ENABLED`.
    Enabled(Capabilities),
    /// `ID`; empty for `NIL`.
    Id(Vec<(String, String)>),
    /// `QUOTA`.
    Quota(QuotaRow),
    /// `QUOTAROOT`: the quota roots of a mailbox.
    QuotaRoot {
        /// The mailbox.
        mailbox: WireName,
        /// Its roots; empty when it has no limit.
        roots: Vec<Bytes>,
    },
    /// Anything else, or a response too broken to be any of the above: counted,
    /// kept in the transcript and ignored.
    Unknown {
        /// The word that names it, in capitals, shortened; may be empty.
        keyword: String,
    },
}

/// How a status response begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReplyKind {
    /// `OK`.
    Ok,
    /// `NO`.
    No,
    /// `BAD`; also a tagged line whose word is none of these.
    Bad,
    /// `PREAUTH`, in a greeting.
    Preauth,
    /// `BYE`.
    Bye,
}

impl ReplyKind {
    /// As on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ReplyKind::Ok => "OK",
            ReplyKind::No => "NO",
            ReplyKind::Bad => "BAD",
            ReplyKind::Preauth => "PREAUTH",
            ReplyKind::Bye => "BYE",
        }
    }
}

/// A status response: word, bracketed code and text, kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The word.
    pub(crate) kind: ReplyKind,
    /// The bracketed code, understood.
    pub(crate) code: Option<ReplyCode>,
    /// The bracketed code as it was written, without brackets.
    pub(crate) raw_code: Option<String>,
    /// Human text; octets that are not UTF-8 are replaced. From outside: escape it.
    pub(crate) text: String,
}

impl Reply {
    /// The server's words for a fault.
    pub(crate) fn said(&self) -> Said {
        Said::new(self.kind.as_str(), self.raw_code.as_deref(), &self.text)
    }

    /// Whether it is `OK`.
    pub(crate) fn is_ok(&self) -> bool {
        self.kind == ReplyKind::Ok
    }
}

/// Codes of RFC 9051 §7.1, RFC 5530 and the extensions that are spoken here.
/// Anything else, or one with unreadable arguments, is `Other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplyCode {
    Alert,
    AlreadyExists,
    /// UIDs of appended messages, in the order of the messages (RFC 4315 §3).
    AppendUid {
        epoch: Epoch,
        uids: UidRanges,
    },
    AuthenticationFailed,
    AuthorizationFailed,
    BadCharset,
    Cannot,
    Capability(Capabilities),
    ClientBug,
    Closed,
    CompressionActive,
    ContactAdmin,
    CopyUid {
        epoch: Epoch,
        from: UidRanges,
        to: UidRanges,
    },
    Corruption,
    Expired,
    ExpungeIssued,
    HasChildren,
    HighestModSeq(u64),
    InUse,
    Limit,
    /// OBJECTID (RFC 8474).
    MailboxId(String),
    /// UIDs or numbers whose UNCHANGEDSINCE failed (RFC 7162 §3.1.3).
    Modified(KeySet),
    NoModSeq,
    NonExistent,
    NoPerm,
    OverQuota,
    Parse,
    PermanentFlags(PermanentFlags),
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    Referral,
    ServerBug,
    /// Back-off words of providers: `THROTTLED`.
    Throttled,
    TooBig,
    TryCreate,
    UidNext(Key),
    UidNotSticky,
    UidValidity(Epoch),
    Unavailable,
    /// Sequence number of the first unseen message.
    Unseen(u64),
    UseAttr,
    /// Gmail: a page that the user must visit.
    WebAlert,
    /// The name of a code without a type of its own, in capitals.
    Other(String),
}

/// UID ranges in the order in which the server wrote them. Never expanded
/// without a bound: `1:4294967295` is one range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UidRanges(pub(crate) Vec<(u64, u64)>);

impl UidRanges {
    /// How many UIDs there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().fold(0u64, |sum, (low, high)| {
            sum.saturating_add(high - low).saturating_add(1)
        })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The UIDs, in the server's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Key> + '_ {
        self.0.iter().flat_map(|&(low, high)| (low..=high).map(Key))
    }

    /// The UIDs one by one when there are exactly `count` of them.
    pub(crate) fn exactly(&self, count: usize) -> Option<Vec<Key>> {
        (self.len() == count as u64).then(|| self.iter().collect())
    }

    /// As a set, which forgets the order.
    pub(crate) fn to_set(&self) -> KeySet {
        let mut ranges = self.0.clone();
        ranges.sort_unstable();
        let mut set = KeySet::new();
        for (low, high) in ranges {
            set.insert_range(low..=high);
        }
        set
    }
}

/// Capability names, in capitals; `KEY=VALUE` capabilities as one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) BTreeSet<String>);

impl Capabilities {
    /// Whether the capability (in capitals) is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The values of a `KEY=VALUE` capability, such as the mechanisms of `AUTH`.
    pub(crate) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0
            .iter()
            .filter_map(move |c| c.strip_prefix(key)?.strip_prefix('='))
    }

    /// `APPENDLIMIT=n` (RFC 7889): octets of the largest message for every mailbox.
    pub(crate) fn append_limit(&self) -> Option<u64> {
        self.values("APPENDLIMIT").find_map(|v| v.parse().ok())
    }
}

/// One row of LIST or LSUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListRow {
    /// Attributes.
    pub(crate) attributes: ListAttributes,
    /// Hierarchy separator; `None` for `NIL`.
    pub(crate) separator: Option<char>,
    /// The name in the server's octets; empty for the root of `LIST "" ""`.
    pub(crate) name: WireName,
    /// Selection criteria met by descendants (CHILDINFO, RFC 5258), in capitals.
    pub(crate) child_info: Vec<String>,
    /// OLDNAME (RFC 9051 §6.3.9.7): the name before a rename or a normalisation.
    pub(crate) old_name: Option<WireName>,
}

/// Attributes of a mailbox in LIST (RFC 9051 §7.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListAttributes {
    /// `\Noselect`.
    pub(crate) no_select: bool,
    /// `\NonExistent`; implies that it cannot be selected.
    pub(crate) non_existent: bool,
    /// `\Noinferiors`.
    pub(crate) no_inferiors: bool,
    /// `\HasChildren` (true), `\HasNoChildren` (false).
    pub(crate) has_children: Option<bool>,
    /// `\Subscribed`.
    pub(crate) subscribed: bool,
    /// `\Remote`.
    pub(crate) remote: bool,
    /// Special uses (RFC 6154), in the server's order; XLIST's spellings too.
    pub(crate) roles: Vec<Role>,
    /// Everything else, as written.
    pub(crate) other: Vec<String>,
}

impl ListAttributes {
    /// Whether it can hold messages.
    pub(crate) fn is_selectable(&self) -> bool {
        !self.no_select && !self.non_existent
    }
}

/// STATUS of one mailbox. An item is `None` when it was left out or unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxStatus {
    /// The mailbox.
    pub(crate) mailbox: WireName,
    /// MESSAGES.
    pub(crate) messages: Option<u64>,
    /// UIDNEXT.
    pub(crate) uid_next: Option<Key>,
    /// UIDVALIDITY.
    pub(crate) epoch: Option<Epoch>,
    /// UNSEEN: how many are unseen.
    pub(crate) unseen: Option<u64>,
    /// HIGHESTMODSEQ; zero means that the mailbox keeps none and becomes `None`.
    pub(crate) modseq: Option<u64>,
    /// SIZE (RFC 8438), octets.
    pub(crate) octets: Option<u64>,
    /// MAILBOXID (RFC 8474).
    pub(crate) mailbox_id: Option<String>,
    /// APPENDLIMIT (RFC 7889), octets.
    pub(crate) append_limit: Option<u64>,
}

impl MailboxStatus {
    /// As the engine's word; `None` when not even MESSAGES is known.
    pub(crate) fn state(&self) -> Option<MailboxState> {
        Some(MailboxState {
            epoch: self.epoch,
            next: self.uid_next,
            messages: self.messages?,
            modseq: self.modseq,
            octets: self.octets,
        })
    }
}

/// NAMESPACE (RFC 9051 §7.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// Of the user.
    pub(crate) personal: Vec<Namespace>,
    /// Of other users.
    pub(crate) others: Vec<Namespace>,
    /// Shared.
    pub(crate) shared: Vec<Namespace>,
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// Prefix in the server's octets, usually with the separator at its end.
    pub(crate) prefix: WireName,
    /// Hierarchy separator; `None` for a flat one.
    pub(crate) separator: Option<char>,
}

/// One row of FETCH. What the server left out, or wrote so that it cannot be
/// read, is `None`; the other items stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FetchRow {
    /// Sequence number; zero when unreadable.
    pub(crate) number: u64,
    /// UID.
    pub(crate) uid: Option<Key>,
    /// FLAGS without `\Recent` and other flags that nobody can store.
    pub(crate) flags: Option<Flags>,
    /// INTERNALDATE.
    pub(crate) date: Option<InternalDate>,
    /// RFC822.SIZE; a hint. Some servers answer below zero for large messages.
    pub(crate) octets: Option<u64>,
    /// MODSEQ.
    pub(crate) modseq: Option<u64>,
    /// `BODY[…]`, `BINARY[…]` and `RFC822…` items, in the server's order.
    pub(crate) sections: Vec<BodySection>,
    /// Gmail's and OBJECTID's items, where there is any.
    pub(crate) ids: Option<Box<MessageIds>>,
    /// Items that were passed over: unknown, or with an unreadable value.
    pub(crate) skipped: u32,
    /// Whether the closing parenthesis was reached. Of the head of a streamed
    /// literal it is false by nature; otherwise it means that the rest was broken.
    pub(crate) complete: bool,
}

impl FetchRow {
    /// The content of `BODY[]` (or `RFC822`), if there is one.
    pub(crate) fn body(&self) -> Option<&Content> {
        self.section(&SectionKind::Whole)
    }

    /// The content of the first section of that kind.
    pub(crate) fn section(&self, kind: &SectionKind) -> Option<&Content> {
        self.sections
            .iter()
            .find(|s| s.kind == *kind)
            .map(|s| &s.content)
    }
}

/// One `BODY[…]` item of FETCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BodySection {
    /// What the section is.
    pub(crate) kind: SectionKind,
    /// Offset of a partial answer, `<n>`.
    pub(crate) origin: Option<u64>,
    /// The octets.
    pub(crate) content: Content,
}

/// Section names, as far as they matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SectionKind {
    /// The whole message: `BODY[]`, `BINARY[]`, `RFC822`.
    Whole,
    /// `HEADER`, `RFC822.HEADER`.
    Header,
    /// `HEADER.FIELDS (…)`; the list as it was written.
    HeaderFields(Bytes),
    /// `TEXT`, `RFC822.TEXT`.
    Text,
    /// Parts and everything else, as written.
    Other(Bytes),
}

/// The content of a section.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// `NIL`: the server has no such text (for `BODY[]`: the message is gone).
    Nil,
    /// In memory.
    Held(Bytes),
    /// It went, or goes, through [`crate::frame::Frame::LiteralChunk`]; announced octets.
    Streamed(u64),
}

impl Content {
    /// Length in octets; `None` for `NIL`.
    pub(crate) fn octets(&self) -> Option<u64> {
        match self {
            Content::Nil => None,
            Content::Held(octets) => Some(octets.len() as u64),
            Content::Streamed(octets) => Some(*octets),
        }
    }
}

impl fmt::Debug for Content {
    /// The length only: message text never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Nil => f.write_str("Nil"),
            Content::Held(octets) => write!(f, "Held({} octets)", octets.len()),
            Content::Streamed(octets) => write!(f, "Streamed({octets} octets)"),
        }
    }
}

/// Identifiers beyond the UID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageIds {
    /// X-GM-MSGID.
    pub(crate) gmail_message: Option<u64>,
    /// X-GM-THRID.
    pub(crate) gmail_thread: Option<u64>,
    /// X-GM-LABELS in the server's octets: system labels begin with a backslash,
    /// others are modified UTF-7.
    pub(crate) gmail_labels: Option<Vec<Bytes>>,
    /// EMAILID (RFC 8474).
    pub(crate) email_id: Option<String>,
    /// THREADID (RFC 8474).
    pub(crate) thread_id: Option<String>,
}

/// ESEARCH (RFC 9051 §7.3.4, RFC 7162 §3.1.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Esearch {
    /// The command that it answers, when named and ours.
    pub(crate) tag: Option<Tag>,
    /// Whether the numbers are UIDs.
    pub(crate) uid: bool,
    /// ALL; `None` when nothing was found or not asked for.
    pub(crate) all: Option<KeySet>,
    /// COUNT.
    pub(crate) count: Option<u64>,
    /// MIN.
    pub(crate) min: Option<u64>,
    /// MAX.
    pub(crate) max: Option<u64>,
    /// MODSEQ.
    pub(crate) modseq: Option<u64>,
}

/// QUOTA of one root (RFC 9208).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QuotaRow {
    /// Name of the root.
    pub(crate) root: Bytes,
    /// Limits; empty when there is none (Courier then leaves the list away).
    pub(crate) resources: Vec<QuotaResource>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuotaResource {
    /// Name in capitals: `STORAGE` counts units of 1,024 octets, `MESSAGE` messages.
    pub(crate) name: String,
    /// In use.
    pub(crate) usage: u64,
    /// Allowed.
    pub(crate) limit: u64,
}
