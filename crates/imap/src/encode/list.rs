//! LIST with its extensions, and the items of STATUS.

use super::EncodeError;
use super::command::name;
use super::wire::Pen;
use hikyaku_core::{Role, WireName};

/// LIST (RFC 9051 §6.3.9). Without selection, return options and further patterns it is
/// the plain command of RFC 3501.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// Selection options; only with LIST-EXTENDED.
    pub(crate) select: Vec<ListSelect>,
    /// Reference, usually empty.
    pub(crate) reference: WireName,
    /// Patterns; `%` and `*` are wildcards. More than one only with LIST-EXTENDED.
    pub(crate) patterns: Vec<Vec<u8>>,
    /// Return options; only with LIST-EXTENDED (and what each of them needs).
    pub(crate) returns: Vec<ListReturn>,
}

/// Which mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListSelect {
    Subscribed,
    RecursiveMatch,
    SpecialUse,
}

/// What is told about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListReturn {
    Subscribed,
    Children,
    SpecialUse,
    /// LIST-STATUS (RFC 5819): a STATUS row for each mailbox.
    Status(Vec<StatusItem>),
}

/// Items of STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusItem {
    Messages,
    UidNext,
    UidValidity,
    Unseen,
    HighestModSeq,
    /// RFC 8438: octets.
    Size,
    /// RFC 8474.
    MailboxId,
    /// RFC 7889.
    AppendLimit,
}

impl StatusItem {
    fn as_str(self) -> &'static str {
        match self {
            StatusItem::Messages => "MESSAGES",
            StatusItem::UidNext => "UIDNEXT",
            StatusItem::UidValidity => "UIDVALIDITY",
            StatusItem::Unseen => "UNSEEN",
            StatusItem::HighestModSeq => "HIGHESTMODSEQ",
            StatusItem::Size => "SIZE",
            StatusItem::MailboxId => "MAILBOXID",
            StatusItem::AppendLimit => "APPENDLIMIT",
        }
    }
}

impl List {
    /// The plain command with one pattern.
    pub(crate) fn plain(reference: WireName, pattern: impl Into<Vec<u8>>) -> Self {
        Self {
            select: Vec::new(),
            reference,
            patterns: vec![pattern.into()],
            returns: Vec::new(),
        }
    }

    pub(super) fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        if !self.select.is_empty() {
            pen.word(" ");
            write_list(pen, &self.select, |pen, option| {
                pen.word(match option {
                    ListSelect::Subscribed => "SUBSCRIBED",
                    ListSelect::RecursiveMatch => "RECURSIVEMATCH",
                    ListSelect::SpecialUse => "SPECIAL-USE",
                });
            });
        }
        name(pen, &self.reference)?;
        match self.patterns.as_slice() {
            [] => return Err(EncodeError::Empty),
            [pattern] => {
                pen.word(" ");
                pen.string(pattern, "the pattern")?;
            }
            patterns => {
                for (n, pattern) in patterns.iter().enumerate() {
                    pen.word(if n == 0 { " (" } else { " " });
                    pen.string(pattern, "the pattern")?;
                }
                pen.word(")");
            }
        }
        if !self.returns.is_empty() {
            pen.word(" RETURN ");
            write_list(pen, &self.returns, |pen, option| match option {
                ListReturn::Subscribed => pen.word("SUBSCRIBED"),
                ListReturn::Children => pen.word("CHILDREN"),
                ListReturn::SpecialUse => pen.word("SPECIAL-USE"),
                ListReturn::Status(items) => {
                    pen.word("STATUS ");
                    write_status_items(items, pen);
                }
            });
        }
        Ok(())
    }
}

pub(super) fn write_status_items(items: &[StatusItem], pen: &mut Pen) {
    write_list(pen, items, |pen, item| pen.word(item.as_str()));
}

/// A list in parentheses.
pub(super) fn write_list<T>(pen: &mut Pen, items: &[T], mut write: impl FnMut(&mut Pen, &T)) {
    pen.word("(");
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            pen.word(" ");
        }
        write(pen, item);
    }
    pen.word(")");
}

/// The attribute of a special use (RFC 6154 §2); INBOX has none.
pub(super) fn role_attribute(role: Role) -> Option<&'static str> {
    match role {
        Role::Inbox => None,
        Role::Sent => Some("\\Sent"),
        Role::Drafts => Some("\\Drafts"),
        Role::Archive => Some("\\Archive"),
        Role::Junk => Some("\\Junk"),
        Role::Trash => Some("\\Trash"),
        Role::All => Some("\\All"),
        Role::Flagged => Some("\\Flagged"),
        Role::Important => Some("\\Important"),
    }
}
