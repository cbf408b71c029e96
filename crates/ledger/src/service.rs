//! What a service keeps beside the messages: its jobs, who is signed in, mails to be sent, and who did what.
//!
//! The ledger knows no page and no person: texts are opaque, moments are milliseconds since 1970 UTC and come from the
//! caller, and 0 means *never*. What stands here decides nothing about mail, so its rows carry no sums; passwords are
//! sealed before they come, and a row of them that was altered does not open.
//!
//! ```text
//!  Store::queue    ─► Queue     add · find · apply · claim · renew          (job, job_part, secret)
//!  Store::outbox   ─► Outbox    take what is due · sent · later · given up  (outbox)
//!  Store::sessions ─► Sessions  begin · find · touch · end · use once       (session, nonce)
//!  Store::audit    ─► Audit     note · list                                 (audit)
//! ```
//!
//! **Invariants**: a [`Change`] is one transaction, letters and secrets included · a claim raises the fence, and whoever
//! brings an older one changes nothing · two claims at the same time never exceed a limit.

mod audit;
mod change;
mod claim;
pub(crate) mod fence;
mod outbox;
mod queue;
mod session;
mod sweep;

pub use audit::{Audit, AuditRow};
pub use change::{Change, Guard, Keep, NewJob, Standing};
pub use claim::{ClaimLimits, Renewed};
pub use outbox::{Letter, NewLetter, Outbox};
pub use queue::{Added, JobRow, Lane, Queue, Wish};
pub use session::{NewSession, Session, Sessions};
pub use sweep::Swept;

use crate::Store;

impl Store {
    /// The jobs of a service.
    pub fn queue(&self) -> Queue {
        Queue(self.clone())
    }

    /// Mails to be sent.
    pub fn outbox(&self) -> Outbox {
        Outbox(self.clone())
    }

    /// Who is signed in.
    pub fn sessions(&self) -> Sessions {
        Sessions(self.clone())
    }

    /// Who did what.
    pub fn audit(&self) -> Audit {
        Audit(self.clone())
    }
}
