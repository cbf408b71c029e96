//! Taking back own copies: what would go, what went, what was left alone and why.

use crate::fault::Fault;
use crate::key::Key;
use crate::name::MailboxName;

/// Why a copy of ours is left at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kept {
    /// Its owner changed, moved or removed it, or it cannot be shown that nobody did.
    Touched,
    /// The source no longer has the message: the copy may be the only one.
    OnlyCopy,
    /// It is the earlier copy of a message whose new copy is not there or not verified.
    NotReplaced,
}

/// What taking back means for one destination mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoLine {
    /// Destination mailbox.
    pub mailbox: MailboxName,
    /// Own copies that go, or went.
    pub removed: u64,
    /// Left: [`Kept::Touched`].
    pub touched: u64,
    /// Left: [`Kept::OnlyCopy`].
    pub only_copy: u64,
    /// Left: [`Kept::NotReplaced`].
    pub not_replaced: u64,
}

impl UndoLine {
    /// A line without figures.
    pub fn of(mailbox: &MailboxName) -> Self {
        Self {
            mailbox: mailbox.clone(),
            removed: 0,
            touched: 0,
            only_copy: 0,
            not_replaced: 0,
        }
    }

    /// Counts copies that stay.
    pub fn keep(&mut self, why: Kept, messages: u64) {
        match why {
            Kept::Touched => self.touched += messages,
            Kept::OnlyCopy => self.only_copy += messages,
            Kept::NotReplaced => self.not_replaced += messages,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.removed + self.kept() == 0
    }

    /// Copies that stay, for whatever reason.
    pub fn kept(&self) -> u64 {
        self.touched + self.only_copy + self.not_replaced
    }

    /// Adds another line of the same mailbox.
    pub fn merge(&mut self, other: &UndoLine) {
        self.removed += other.removed;
        self.touched += other.touched;
        self.only_copy += other.only_copy;
        self.not_replaced += other.not_replaced;
    }
}

/// What taking back would do. Made by looking only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoPlan {
    /// One line per destination mailbox that holds, or held, copies of ours; by name.
    pub lines: Vec<UndoLine>,
    /// Whether the destination can remove exactly what is named; if not, nothing goes.
    pub supported: bool,
}

impl UndoPlan {
    /// Copies that would go.
    pub fn removed(&self) -> u64 {
        self.lines.iter().map(|l| l.removed).sum()
    }

    /// Copies that would stay.
    pub fn kept(&self) -> u64 {
        self.lines.iter().map(UndoLine::kept).sum()
    }
}

/// A copy that stays, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCopy {
    /// Destination mailbox.
    pub mailbox: MailboxName,
    /// Its key there.
    pub key: Key,
    /// Why.
    pub why: Kept,
    /// Subject, Date, From and Message-ID as octets of a header, where they could be read.
    pub head: Option<Vec<u8>>,
}

/// What taking back came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoReport {
    /// One line per destination mailbox that holds, or held, copies of ours; by name.
    pub lines: Vec<UndoLine>,
    /// What is still there and was left alone, by name, at most [`UndoReport::MAX_KEPT`].
    pub kept: Vec<KeptCopy>,
    /// Why it ended before its end, if it did. The next time goes on.
    pub stopped: Option<Fault>,
    /// Milliseconds from start to end.
    pub elapsed_millis: u64,
}

impl UndoReport {
    /// Copies that a report holds by name.
    pub const MAX_KEPT: usize = 1_000;

    /// Copies that went.
    pub fn removed(&self) -> u64 {
        self.lines.iter().map(|l| l.removed).sum()
    }

    /// Copies that stay.
    pub fn kept(&self) -> u64 {
        self.lines.iter().map(UndoLine::kept).sum()
    }

    /// Counts into the line of a mailbox.
    pub fn line(&mut self, mailbox: &MailboxName) -> &mut UndoLine {
        line(&mut self.lines, mailbox)
    }
}

/// The line of a mailbox, kept in the order of names.
pub fn line<'a>(lines: &'a mut Vec<UndoLine>, mailbox: &MailboxName) -> &'a mut UndoLine {
    let at = match lines.binary_search_by(|l| l.mailbox.cmp(mailbox)) {
        Ok(at) => at,
        Err(at) => {
            lines.insert(at, UndoLine::of(mailbox));
            at
        }
    };
    &mut lines[at]
}
