//! What a server tells about a message, as types.

use bytes::Bytes;
use hikyaku_core::{Flags, InternalDate, Key};
use std::fmt;

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
    /// literal it is false by nature; otherwise it means that the rest was broken, or
    /// that a text may have ended elsewhere than its announcement said.
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
