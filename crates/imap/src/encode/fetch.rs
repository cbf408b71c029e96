//! UID FETCH. Every body item is a PEEK: reading never marks a message as read.

use super::EncodeError;
use super::list::write_list;
use super::set::UidSet;
use super::wire::{Pen, is_atom};

/// UID FETCH (RFC 9051 §6.4.5, §6.4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// Which messages.
    pub(crate) uids: UidSet,
    /// Which items. The UID comes always; bodies are asked for last, so that
    /// everything else is known before their octets come.
    pub(crate) items: Vec<FetchItem>,
    /// Only messages that changed.
    pub(crate) changed_since: Option<ChangedSince>,
}

/// CHANGEDSINCE (RFC 7162 §3.1.4.1, §3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangedSince {
    /// Only messages whose mod-sequence is higher.
    pub(crate) modseq: u64,
    /// Also tell what is gone; only after QRESYNC was enabled.
    pub(crate) vanished: bool,
}

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchItem {
    Flags,
    InternalDate,
    /// RFC822.SIZE.
    Size,
    ModSeq,
    /// `BODY.PEEK[…]`.
    Body(BodyPart),
    /// `BODY.PEEK[…]<offset.octets>`.
    Partial {
        part: BodyPart,
        offset: u64,
        octets: u32,
    },
    GmailMessage,
    GmailThread,
    GmailLabels,
    EmailId,
    ThreadId,
}

/// Which part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyPart {
    Whole,
    Header,
    /// Chosen header fields; the names must be atoms.
    HeaderFields(&'static [&'static str]),
    Text,
}

impl Fetch {
    pub(super) fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        pen.word(" ");
        self.uids.write(pen)?;
        pen.word(" (UID");
        let is_body =
            |item: &&FetchItem| matches!(item, FetchItem::Body(_) | FetchItem::Partial { .. });
        let before = self.items.iter().filter(|i| !is_body(i));
        for item in before.chain(self.items.iter().filter(is_body)) {
            pen.word(" ");
            item.write(pen)?;
        }
        pen.word(")");
        if let Some(since) = self.changed_since {
            pen.word(" (CHANGEDSINCE ");
            pen.number(since.modseq);
            pen.word(if since.vanished { " VANISHED)" } else { ")" });
        }
        Ok(())
    }
}

impl FetchItem {
    fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        match self {
            FetchItem::Flags => pen.word("FLAGS"),
            FetchItem::InternalDate => pen.word("INTERNALDATE"),
            FetchItem::Size => pen.word("RFC822.SIZE"),
            FetchItem::ModSeq => pen.word("MODSEQ"),
            FetchItem::Body(part) => part.write(pen)?,
            FetchItem::Partial {
                part,
                offset,
                octets,
            } => {
                part.write(pen)?;
                pen.word("<");
                pen.number(*offset);
                pen.word(".");
                pen.number(u64::from(*octets));
                pen.word(">");
            }
            FetchItem::GmailMessage => pen.word("X-GM-MSGID"),
            FetchItem::GmailThread => pen.word("X-GM-THRID"),
            FetchItem::GmailLabels => pen.word("X-GM-LABELS"),
            FetchItem::EmailId => pen.word("EMAILID"),
            FetchItem::ThreadId => pen.word("THREADID"),
        }
        Ok(())
    }
}

impl BodyPart {
    fn write(self, pen: &mut Pen) -> Result<(), EncodeError> {
        match self {
            BodyPart::Whole => pen.word("BODY.PEEK[]"),
            BodyPart::Header => pen.word("BODY.PEEK[HEADER]"),
            BodyPart::Text => pen.word("BODY.PEEK[TEXT]"),
            BodyPart::HeaderFields(fields) => {
                if !fields.iter().all(|f| is_atom(f.as_bytes())) {
                    return Err(EncodeError::NotAnAtom {
                        what: "a header field",
                    });
                }
                if fields.is_empty() {
                    return Err(EncodeError::Empty);
                }
                pen.word("BODY.PEEK[HEADER.FIELDS ");
                write_list(pen, fields, |pen, field| pen.word(field));
                pen.word("]");
            }
        }
        Ok(())
    }
}
