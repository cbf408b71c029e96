//! What observers are told: numbers and names, no sentences.

use crate::fault::Fault;
use crate::name::MailboxName;
use crate::plan::Plan;
use crate::report::{Outcome, Report};
use std::sync::Arc;

/// The parts of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Mailboxes of both sides are listed.
    Scan,
    /// The plan is made.
    Plan,
    /// Messages are copied, mailbox by mailbox.
    Transfer,
    /// What was copied is looked up again.
    Verify,
    /// Own copies are taken back.
    Undo,
}

/// One thing that happened. Mailboxes are source mailboxes.
#[derive(Clone, Debug)]
pub enum Event {
    /// A phase began.
    Phase(Phase),
    /// The plan is known.
    Planned(Arc<Plan>),
    /// A mailbox is being worked on.
    MailboxStarted {
        /// Which.
        mailbox: MailboxName,
        /// Messages that it holds.
        messages: u64,
        /// Messages of them that this run has to copy.
        to_copy: u64,
    },
    /// Octets of message content left for the destination; for rates only.
    Sent {
        /// How many since the last such event.
        octets: u64,
    },
    /// Outcomes became durable.
    Settled {
        /// Where.
        mailbox: MailboxName,
        /// Which outcome.
        outcome: Outcome,
        /// How many messages.
        messages: u64,
        /// Their octets.
        octets: u64,
    },
    /// Own copies were taken back.
    TakenBack {
        /// The source mailbox that they came from.
        mailbox: MailboxName,
        /// How many messages.
        messages: u64,
    },
    /// A mailbox has all its outcomes.
    MailboxDone {
        /// Which.
        mailbox: MailboxName,
    },
    /// Something failed; the run may go on.
    Fault(Fault),
    /// Nothing happens until a moment, for a reason.
    Waiting {
        /// Milliseconds since 1970 UTC.
        until_millis: i64,
        /// Why.
        because: Fault,
    },
    /// A wait is over.
    Resumed,
    /// How many mailboxes are worked on at once has changed, because a server asked
    /// for less or has been quiet since.
    Lanes {
        /// So many from now on.
        now: usize,
        /// So many at most in this run.
        most: usize,
    },
    /// The run ended.
    Done(Arc<Report>),
}

/// Someone who wants to know. Must be cheap, cannot fail and must not block.
pub trait Observer: Send + Sync {
    /// Takes notice.
    fn note(&self, event: &Event);
}

/// Tells several observers.
impl Observer for Vec<Arc<dyn Observer>> {
    fn note(&self, event: &Event) {
        for observer in self {
            observer.note(event);
        }
    }
}

/// Nobody.
impl Observer for () {
    fn note(&self, _: &Event) {}
}
