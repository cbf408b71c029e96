//! Jobs that follow another one: once more, undone, once more by itself.

use super::rows::{self, Head, part};
use super::{
    FINAL_RUN_MILLIS, INACTIVE_MILLIS, JobError, Jobs, NewRow, Owner, Secrets, WHILE_BUSY, is_of,
    with_choices,
};
use crate::job::{Choices, FinalRun, Job, JobId, Kind, Rerun, State, UndoLine, UndoPlan};
use hikyaku_core::AccountId;
use hikyaku_ledger::service::{JobRow, Lane};

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
        let (_, job) = self.ended(owner, id).await?;
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
        let (row, _) = self.ended(owner, id).await?;
        let Some((source, destination)) = rows::course(&row)?.accounts else {
            return Ok(UndoPlan::default());
        };
        let (source, destination) = (AccountId::new(source), AccountId::new(destination));
        let copies = self.inner.store.copies(&source, &destination).await?;
        let lines = copies.into_iter().map(|(mailbox, removed)| UndoLine {
            mailbox: mailbox.to_string(),
            removed,
            ..UndoLine::default()
        });
        Ok(UndoPlan {
            lines: lines.collect(),
        })
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
        let (row, job) = self.ended(owner, id).await?;
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
        let new_id = JobId::random();
        let mut new = self.new_job(owner, new_id, new, token, "job.undo")?;
        new.parts.extend(as_reached(row));
        Ok(self.add_row(new_id, new).await?)
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
        let (old, job) = self.ended(owner, id).await?;
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
        row.parts.extend(as_reached(old));
        Ok(self.add_row(new_id, row).await?)
    }

    /// The owner's job, once it is over.
    async fn ended(&self, owner: &Owner, id: JobId) -> Result<(JobRow, Job), JobError> {
        let row = self.inner.store.queue().find(&id.to_string()).await?;
        let row = row
            .filter(|row| is_of(row, owner))
            .ok_or(JobError::Unknown)?;
        let job = rows::read(&row)?;
        match job.state.is_over() {
            true => Ok((row, job)),
            false => Err(JobError::State(job.state)),
        }
    }
}

/// How the source was reached, and what is remembered of both accounts: for a job that begins without a check.
fn as_reached(row: JobRow) -> impl Iterator<Item = (String, String)> {
    let is_known = |name: &str| matches!(name, part::CHECKED | part::COURSE);
    row.parts
        .into_iter()
        .filter(move |(name, _)| is_known(name))
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
