//! What a worker needs of the world: how accounts are reached, what a check finds, which words a mail has. The rest of
//! the worker knows no brand and no configuration.

use crate::job::{Checked, Job, JobId, Order};
use crate::jobs::{Jobs, Secrets};
use crate::notice::NoticeKind;
use crate::origin::Way;
use futures::future::BoxFuture;
use hikyaku_core::policy::Policy;
use hikyaku_core::{AccountId, Fault};
use hikyaku_imap::ImapOptions;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::NewLetter;

/// Told whenever a check knows more.
pub type Tell<'a> = &'a (dyn Fn(&Checked) + Send + Sync);

/// Both accounts of a job, ready to be connected to.
pub struct Accounts {
    /// Identity of the account that is read.
    pub source: AccountId,
    /// How it is opened.
    pub way: Way,
    /// Identity of the account that is written.
    pub destination: AccountId,
    /// How it is reached.
    pub destination_options: ImapOptions,
}

/// See the module.
pub trait World: Send + Sync {
    /// Looks at both accounts. What is wrong is in the answer.
    fn check<'a>(
        &'a self,
        order: &'a Order,
        secrets: Secrets,
        store: &'a Store,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Checked>;

    /// How both accounts of a job are reached.
    ///
    /// # Errors
    /// A brand that is gone, a job that was never checked, a password that is missing.
    fn accounts(&self, job: &Job, secrets: &Secrets) -> Result<Accounts, Fault>;

    /// What is copied and how, by plan and choices.
    ///
    /// # Errors
    /// A brand or plan that is gone.
    fn policy(&self, job: &Job) -> Result<Policy, Fault>;

    /// The mail about a job as it stands; `None` where there is none of this kind. With the same key it is
    /// the same mail, of which there is one.
    ///
    /// # Errors
    /// A brand that is gone.
    fn mail(&self, job: &Job, kind: NoticeKind, key: &str) -> Result<Option<NewLetter>, Fault>;

    /// Whether mail for the address of this order is delivered to the destination already.
    fn is_moved<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, bool>;

    /// Whatever a job was read from that is over, and nobody else needs.
    fn let_go<'a>(&'a self, _: &'a Jobs, _: JobId) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    /// What else time takes away.
    fn sweep<'a>(&'a self, _: &'a Jobs) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    /// For how many days a job is kept that is over.
    fn retention_days(&self, order: &Order) -> u32;
}
