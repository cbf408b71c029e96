//! What is known of a job goes, because its time is over or because its owner wants it.

use super::rows;
use super::{JobError, Jobs, Owner, is_of};
use crate::job::JobId;
use hikyaku_core::{AccountId, Fault};
use hikyaku_ledger::service::JobRow;

impl Jobs {
    /// Removes all that is known of a job that is over: the order, its result and its report; with the owner's last job also
    /// what is known of single messages. The audit keeps that somebody did so.
    ///
    /// # Errors
    /// [`JobError::State`] while it is not over, or a worker still has it in hand.
    pub async fn erase(&self, owner: &Owner, id: JobId) -> Result<(), JobError> {
        let queue = self.inner.store.queue();
        let row = queue.find(&id.to_string()).await?;
        let row = row
            .filter(|row| is_of(row, owner))
            .ok_or(JobError::Unknown)?;
        let state = rows::state(&row.state)?;
        if !state.is_over() || !queue.forget(&row.id, self.now()).await? {
            return Err(JobError::State(state));
        }
        let note = self.audit(owner, id, "job.erase");
        self.inner.store.audit().note(note).await?;
        self.inner.hub.ring(id);
        Ok(self.forget_messages(&row).await?)
    }

    /// What is known of single messages goes with the owner's last job.
    pub(crate) async fn forget_messages(&self, row: &JobRow) -> Result<(), Fault> {
        let store = self.store();
        let others = store.queue().of_owner(&row.tenant, &row.owner, 1).await?;
        let Some((source, destination)) = rows::course(row)?.accounts.filter(|_| others.is_empty())
        else {
            return Ok(());
        };
        let (source, destination) = (AccountId::new(source), AccountId::new(destination));
        let pair = store.pair(&source, &destination).await?;
        store.forget(pair.id(), self.now()).await
    }
}
