//! Jobs that follow another one: once more, undone, once more by itself.

use super::rows::{self, Head};
use super::{
    FINAL_RUN_MILLIS, INACTIVE_MILLIS, JobError, Jobs, NewRow, Owner, Secrets, WHILE_BUSY, is_of,
    with_choices,
};
use crate::job::{Choices, FinalRun, Job, JobId, Kind, Rerun, State, UndoPlan};
use hikyaku_ledger::service::Lane;

impl Jobs {
    /// もう一度: a new job like this one, with other choices, which begins with its check.
    ///
    /// # Errors
    /// [`JobError::State`] while the first one is not over.
    pub async fn again(
        &self,
        owner: &Owner,
        id: JobId,
        choices: Choices,
        secrets: Secrets,
        token: &str,
    ) -> Result<JobId, JobError> {
        let job = self.ended(owner, id).await?;
        let head = Head {
            kind: Kind::Copy,
            order: with_choices(&job.order, choices),
            previous: Some(id.to_string()),
        };
        let new = NewRow {
            head,
            state: State::Received,
            lane: Lane::Check,
            secrets: &secrets,
            secrets_until: self.now() + INACTIVE_MILLIS,
        };
        Ok(self.add(owner, new, token, "job.again").await?)
    }

    /// What taking back would concern, by what the ledger knows; what the person touched shows when it is done.
    ///
    /// # Errors
    /// [`JobError::State`] while the job is not over.
    pub async fn undo_plan(&self, owner: &Owner, id: JobId) -> Result<UndoPlan, JobError> {
        let _job = self.ended(owner, id).await?;
        Ok(UndoPlan::default())
    }

    /// Takes back what was copied: a new job, which begins at once.
    ///
    /// # Errors
    /// [`JobError::State`] while the first one is not over.
    pub async fn undo(
        &self,
        owner: &Owner,
        id: JobId,
        secrets: Secrets,
        token: &str,
    ) -> Result<JobId, JobError> {
        let job = self.ended(owner, id).await?;
        let head = Head {
            kind: Kind::Undo,
            order: with_choices(&job.order, Choices::default()),
            previous: Some(id.to_string()),
        };
        let new = NewRow {
            head,
            state: State::Queued,
            lane: Lane::Run,
            secrets: &secrets,
            secrets_until: WHILE_BUSY,
        };
        Ok(self.add(owner, new, token, "job.undo").await?)
    }

    /// One more differential run by itself after a job that is over; its passwords are kept until it has run, at most
    /// 30 days.
    ///
    /// # Errors
    /// [`JobError::State`] while the first one is not over.
    pub async fn schedule_again(
        &self,
        owner: &Owner,
        id: JobId,
        run: FinalRun,
        secrets: Secrets,
        token: &str,
    ) -> Result<JobId, JobError> {
        let job = self.ended(owner, id).await?;
        let new = NewRow {
            head: final_head(&job, run),
            state: State::Scheduled,
            lane: Lane::Rest,
            secrets: &secrets,
            secrets_until: self.now() + FINAL_RUN_MILLIS,
        };
        let new_id = JobId::random();
        let mut row = self.new_job(owner, new_id, new, token, "job.schedule")?;
        row.begins = begins(run, self.now());
        use hikyaku_ledger::service::Added;
        match self.inner.store.queue().add(row).await? {
            Added::New => {
                self.inner.hub.ring(new_id);
                Ok(new_id)
            }
            Added::Known(known) => known.parse().map_err(|_| JobError::Unknown),
        }
    }

    /// The owner's job, once it is over.
    async fn ended(&self, owner: &Owner, id: JobId) -> Result<Job, JobError> {
        let row = self.inner.store.queue().find(&id.to_string()).await?;
        let row = row
            .filter(|row| is_of(row, owner))
            .ok_or(JobError::Unknown)?;
        let job = rows::read(&row)?;
        match job.state.is_over() {
            true => Ok(job),
            false => Err(JobError::State(job.state)),
        }
    }
}

/// What the final run of a job is about: the same, and only what is not there yet.
pub(crate) fn final_head(job: &Job, run: FinalRun) -> Head {
    let choices = Choices {
        rerun: Rerun::Differential,
        final_run: Some(run),
        ..job.order.choices.clone()
    };
    Head {
        kind: Kind::Copy,
        order: with_choices(&job.order, choices),
        previous: Some(job.id.to_string()),
    }
}

/// When a final run begins at the latest: never later than its passwords are kept.
pub(crate) fn begins(run: FinalRun, created: i64) -> i64 {
    let latest = created.saturating_add(FINAL_RUN_MILLIS);
    match run {
        FinalRun::At(moment) => moment.min(latest),
        FinalRun::MxMoved => latest,
    }
}
