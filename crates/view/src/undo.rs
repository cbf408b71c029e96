//! Taking back own copies, as objects.

use crate::fault::FaultView;
use crate::heading::Heading;
use crate::words;
use hikyaku_core::undo::{KeptCopy, UndoLine, UndoPlan, UndoReport};
use serde::{Deserialize, Serialize};

/// What taking back means for one destination mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoLineView {
    /// Destination mailbox.
    pub mailbox: String,
    /// Own copies that go, or went.
    pub removed: u64,
    /// Left: changed, moved or removed by their owner, or nobody can tell.
    pub touched: u64,
    /// Left: the source no longer has the message.
    pub only_copy: u64,
    /// Left: the new copy is not there or not verified.
    pub not_replaced: u64,
}

/// What taking back would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPlanView {
    /// Whether the destination can remove exactly what is named; if not, nothing goes.
    pub supported: bool,
    /// One per destination mailbox.
    pub mailboxes: Vec<UndoLineView>,
}

/// A copy that is left at the destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptView {
    /// Destination mailbox.
    pub mailbox: String,
    /// Its key (IMAP: UID) there.
    pub message: u64,
    /// `touched`, `only_copy` or `not_replaced`.
    pub why: String,
    /// What a person knows it by, where it could be read.
    pub heading: Option<Heading>,
}

/// What taking back came to: the last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoReportView {
    /// One per destination mailbox.
    pub mailboxes: Vec<UndoLineView>,
    /// What is still there and was left alone, by name.
    pub kept: Vec<KeptView>,
    /// Why it ended before its end, if it did.
    pub stopped: Option<FaultView>,
    /// Milliseconds from start to end.
    pub elapsed_millis: u64,
}

impl From<&UndoLine> for UndoLineView {
    fn from(line: &UndoLine) -> Self {
        Self {
            mailbox: line.mailbox.to_string(),
            removed: line.removed,
            touched: line.touched,
            only_copy: line.only_copy,
            not_replaced: line.not_replaced,
        }
    }
}

impl From<&UndoPlan> for UndoPlanView {
    fn from(plan: &UndoPlan) -> Self {
        Self {
            supported: plan.supported,
            mailboxes: plan.lines.iter().map(UndoLineView::from).collect(),
        }
    }
}

impl From<&KeptCopy> for KeptView {
    fn from(kept: &KeptCopy) -> Self {
        Self {
            mailbox: kept.mailbox.to_string(),
            message: kept.key.0,
            why: words::kept(kept.why).to_owned(),
            heading: kept.head.as_deref().map(Heading::of),
        }
    }
}

impl From<&UndoReport> for UndoReportView {
    fn from(report: &UndoReport) -> Self {
        Self {
            mailboxes: report.lines.iter().map(UndoLineView::from).collect(),
            kept: report.kept.iter().map(KeptView::from).collect(),
            stopped: report.stopped.as_ref().map(FaultView::from),
            elapsed_millis: report.elapsed_millis,
        }
    }
}
