//! What a server said, as types. Made by [`crate::parse::parse`], which never
//! fails: what cannot be understood is [`Response::Unknown`] or a missing item.
//!
//! Octets are shared with the read buffer wherever they lie in one piece.

mod code;
mod fetch;
mod mailbox;

pub(crate) use code::{Capabilities, ReplyCode, UidRanges};
pub(crate) use fetch::{BodySection, Content, FetchRow, MessageIds, SectionKind};
pub(crate) use mailbox::{
    ListAttributes, ListRow, MailboxStatus, Namespace, Namespaces, QuotaResource, QuotaRow,
};

use bytes::Bytes;
use hikyaku_core::{Flags, KeySet, Said, WireName};
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
