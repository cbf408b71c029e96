//! What a person does with a job.
//!
//! What an action does in which state is decided by pure functions here; [`Jobs::act`] makes it durable.

use super::rows::{self, Ending, Head, part};
use super::{INACTIVE_MILLIS, JobError, Jobs, Owner, Secrets, WHILE_BUSY, is_of, with_choices};
use crate::job::{Accepted, Choices, FinalRun, Job, JobId, Kind, Order, State};
use hikyaku_core::Fault;
use hikyaku_ledger::service::{Change, Guard, JobRow, Keep, Lane, Standing, Wish};

/// How often an action is decided anew because somebody else was faster.
const TRIES: usize = 16;

/// A job as it was read for an action.
pub(super) struct Found {
    pub(super) row: JobRow,
    pub(super) job: Job,
    /// Whether a worker has it in hand.
    pub(super) busy: bool,
    pub(super) now: i64,
}

/// What an action comes to.
pub(super) enum Deed {
    /// It is so already.
    Nothing,
    /// This is written.
    Write(Box<Change>),
}

impl Found {
    pub(super) fn change(&self) -> Change {
        Change::new(
            self.row.id.clone(),
            Guard::Version(self.row.version),
            self.now,
        )
    }

    fn wrong(&self) -> JobError {
        JobError::State(self.job.state)
    }

    /// The person wants something of whoever has the job in hand.
    fn wish(&self, wish: Wish) -> Deed {
        // To end is more than to rest.
        if self.row.wish as u8 >= wish as u8 {
            return Deed::Nothing;
        }
        let mut change = self.change();
        change.standing.wish = Some(wish);
        Deed::Write(Box::new(change))
    }

    /// Both accounts are looked at (again).
    fn check(&self, order: Order) -> Result<Deed, JobError> {
        if !self.row.has_secrets {
            return Err(JobError::SecretsNeeded);
        }
        let mut change = self.change();
        change.standing = Standing {
            state: Some(rows::word(State::Received).to_owned()),
            lane: Some(Lane::Check),
            due: Some(0),
            wish: Some(Wish::None),
            host: Some(rows::host_of(&order)),
            ended: Some(0),
            ..Standing::default()
        };
        change.parts = vec![(part::HEAD.to_owned(), self.head(order)?)];
        change.without = vec![part::CHECKED.to_owned(), part::ENDING.to_owned()];
        change.secrets = Keep::Until(self.now + INACTIVE_MILLIS);
        Ok(Deed::Write(Box::new(change)))
    }

    /// It is run as soon as there is room.
    fn queue(&self) -> Change {
        let mut change = self.change();
        change.standing = Standing {
            state: Some(rows::word(State::Queued).to_owned()),
            paused: Some(false),
            lane: Some(Lane::Run),
            due: Some(0),
            wish: Some(Wish::None),
            ended: Some(0),
            ..Standing::default()
        };
        change.without = vec![part::ENDING.to_owned()];
        change.secrets = Keep::Until(WHILE_BUSY);
        change
    }

    fn head(&self, order: Order) -> Result<String, Fault> {
        rows::json(&Head {
            kind: self.job.kind,
            order,
            previous: self.job.previous.map(|id| id.to_string()),
        })
    }

    /// What workers remember begins anew.
    fn fresh_course(&self) -> Result<(String, String), Fault> {
        let course = rows::course(&self.row)?.anew();
        Ok((part::COURSE.to_owned(), rows::json(&course)?))
    }

    /// Whether it was never begun: then going on means to look at both accounts again.
    fn is_unbegun(&self) -> bool {
        self.job.started_millis.is_none() && self.job.kind == Kind::Copy
    }
}

impl Jobs {
    /// A certificate or clear text was accepted: both accounts are looked at again.
    ///
    /// # Errors
    /// [`JobError::State`] once the copy has begun.
    pub async fn accept(
        &self,
        owner: &Owner,
        id: JobId,
        accepted: Accepted,
    ) -> Result<(), JobError> {
        self.act(owner, id, "job.accept", |found| {
            let mut order = found.job.order.clone();
            order.source.accepted = Some(accepted.clone());
            recheck(found, order)
        })
        .await
    }

    /// Other choices: both accounts are looked at again.
    ///
    /// # Errors
    /// [`JobError::State`] once the copy has begun.
    pub async fn change(&self, owner: &Owner, id: JobId, choices: Choices) -> Result<(), JobError> {
        self.act(owner, id, "job.change", |found| {
            let order = with_choices(&found.job.order, choices.clone());
            recheck(found, order)
        })
        .await
    }

    /// 【実行する】. A second time it changes nothing.
    ///
    /// # Errors
    /// [`JobError::State`] while there is no plan that can be begun, [`JobError::SecretsNeeded`] a day later.
    pub async fn start(&self, owner: &Owner, id: JobId, choices: Choices) -> Result<(), JobError> {
        self.act(owner, id, "job.start", |found| begin(found, &choices))
            .await
    }

    /// It rests until it is resumed.
    ///
    /// # Errors
    /// [`JobError::State`] before it is queued and when it is over.
    pub async fn pause(&self, owner: &Owner, id: JobId) -> Result<(), JobError> {
        self.act(owner, id, "job.pause", |found| match found.job.state {
            State::Queued | State::Copying | State::Verifying if found.job.paused => {
                Ok(Deed::Nothing)
            }
            State::Queued | State::Copying | State::Verifying if found.busy => {
                Ok(found.wish(Wish::Pause))
            }
            State::Queued | State::Copying | State::Verifying => {
                let mut change = found.change();
                change.standing.paused = Some(true);
                change.standing.lane = Some(Lane::Rest);
                change.secrets = Keep::Until(found.now + INACTIVE_MILLIS);
                Ok(Deed::Write(Box::new(change)))
            }
            _ => Err(found.wrong()),
        })
        .await
    }

    /// It goes on.
    ///
    /// # Errors
    /// [`JobError::State`] where it is over, [`JobError::SecretsNeeded`] after a day: then see [`Jobs::proceed`].
    pub async fn resume(&self, owner: &Owner, id: JobId) -> Result<(), JobError> {
        self.act(owner, id, "job.resume", |found| match found.job.state {
            State::Queued | State::Copying | State::Verifying => {
                if found.busy && found.row.wish == Wish::Pause {
                    let mut change = found.change();
                    change.standing.wish = Some(Wish::None);
                    return Ok(Deed::Write(Box::new(change)));
                }
                if !found.job.paused {
                    return Ok(Deed::Nothing);
                }
                if !found.row.has_secrets {
                    return Err(JobError::SecretsNeeded);
                }
                let mut change = found.queue();
                change.parts.push(found.fresh_course()?);
                Ok(Deed::Write(Box::new(change)))
            }
            _ => Err(found.wrong()),
        })
        .await
    }

    /// It ends; what was copied stays.
    ///
    /// # Errors
    /// [`JobError::State`] when it is done.
    pub async fn cancel(&self, owner: &Owner, id: JobId) -> Result<(), JobError> {
        self.act(owner, id, "job.cancel", end_it).await
    }

    /// 続きから再開する: goes on where it stopped, with these passwords or those that are still kept.
    ///
    /// # Errors
    /// [`JobError::State`] when there is nothing to go on with, [`JobError::SecretsNeeded`] when none are kept or given.
    pub async fn proceed(
        &self,
        owner: &Owner,
        id: JobId,
        secrets: Option<Secrets>,
    ) -> Result<(), JobError> {
        let sealed = match secrets.filter(|secrets| !secrets.is_empty()) {
            Some(secrets) => Some(self.seal(id, &secrets)?),
            None => None,
        };
        self.act(owner, id, "job.proceed", |found| {
            go_on(found, sealed.clone())
        })
        .await
    }

    /// One more differential run by itself, once this one has succeeded; for a job that is scheduled, at another time.
    /// The passwords are then kept so long. For a job that is over see [`Jobs::schedule_again`].
    ///
    /// # Errors
    /// [`JobError::State`] for a job that is over.
    pub async fn schedule(&self, owner: &Owner, id: JobId, run: FinalRun) -> Result<(), JobError> {
        self.act(owner, id, "job.schedule", |found| {
            if found.job.state.is_over() || found.job.kind == Kind::Undo {
                return Err(found.wrong());
            }
            let mut choices = found.job.order.choices.clone();
            choices.final_run = Some(run);
            let mut change = found.change();
            if found.job.state == State::Scheduled {
                change.standing.begins = Some(super::again::begins(run, found.row.created));
            }
            let order = with_choices(&found.job.order, choices);
            change.parts = vec![(part::HEAD.to_owned(), found.head(order)?)];
            Ok(Deed::Write(Box::new(change)))
        })
        .await
    }

    /// Reads the job, decides, writes; again when somebody else was faster.
    pub(super) async fn act(
        &self,
        owner: &Owner,
        id: JobId,
        what: &str,
        decide: impl Fn(&Found) -> Result<Deed, JobError>,
    ) -> Result<(), JobError> {
        let queue = self.inner.store.queue();
        for _ in 0..TRIES {
            let row = queue.find(&id.to_string()).await?;
            let row = row
                .filter(|row| is_of(row, owner))
                .ok_or(JobError::Unknown)?;
            let now = self.now();
            let found = Found {
                job: rows::read(&row)?,
                busy: row.is_leased(now),
                row,
                now,
            };
            let Deed::Write(mut change) = decide(&found)? else {
                return Ok(());
            };
            change.audit = Some(self.audit(owner, id, what));
            if queue.apply(*change).await? {
                self.inner.hub.ring(id);
                return Ok(());
            }
        }
        Err(Fault::bug("a job changes faster than anybody can act on it").into())
    }
}

fn recheck(found: &Found, order: Order) -> Result<Deed, JobError> {
    match found.job.state {
        State::Received | State::Ready => found.check(order),
        State::Stopped if found.is_unbegun() => found.check(order),
        // Whoever looks now would tell of the old order.
        _ => Err(found.wrong()),
    }
}

fn begin(found: &Found, choices: &Choices) -> Result<Deed, JobError> {
    match found.job.state {
        State::Ready
            if found
                .job
                .checked
                .as_ref()
                .is_some_and(|c| c.can_start_with(choices.fit)) =>
        {
            if !found.row.has_secrets {
                return Err(JobError::SecretsNeeded);
            }
            let mut change = found.queue();
            let order = with_choices(&found.job.order, choices.clone());
            change.parts = vec![
                (part::HEAD.to_owned(), found.head(order)?),
                found.fresh_course()?,
            ];
            change.standing.started = Some(found.now);
            Ok(Deed::Write(Box::new(change)))
        }
        State::Queued
        | State::Copying
        | State::Verifying
        | State::Done
        | State::DoneWithExceptions => Ok(Deed::Nothing),
        _ => Err(found.wrong()),
    }
}

fn end_it(found: &Found) -> Result<Deed, JobError> {
    let mut change = found.change();
    match found.job.state {
        State::Cancelled => Ok(Deed::Nothing),
        State::Done | State::DoneWithExceptions => Err(found.wrong()),
        _ if found.busy => Ok(found.wish(Wish::Cancel)),
        // It was begun and no mail has told of an end yet: a worker ends it, with its mail.
        State::Queued | State::Copying | State::Verifying | State::Scheduled => {
            change.standing = Standing {
                lane: Some(Lane::Check),
                due: Some(0),
                wish: Some(Wish::Cancel),
                ..Standing::default()
            };
            Ok(Deed::Write(Box::new(change)))
        }
        State::Received | State::Checking | State::Ready | State::Stopped => {
            change.standing = Standing {
                state: Some(rows::word(State::Cancelled).to_owned()),
                lane: Some(Lane::Rest),
                wish: Some(Wish::None),
                paused: Some(false),
                ended: Some(found.now),
                ..Standing::default()
            };
            let ending = Ending {
                fault: None,
                report: found.job.report.clone(),
                undo: found.job.undo.clone(),
            };
            change.parts = vec![(part::ENDING.to_owned(), rows::json(&ending)?)];
            change.secrets = Keep::Nothing;
            Ok(Deed::Write(Box::new(change)))
        }
    }
}

fn go_on(found: &Found, sealed: Option<Vec<(String, Vec<u8>)>>) -> Result<Deed, JobError> {
    if sealed.is_none() && !found.row.has_secrets {
        return Err(JobError::SecretsNeeded);
    }
    let mut change = match found.job.state {
        State::Stopped | State::Cancelled | State::Ready if found.is_unbegun() => {
            if found.job.state == State::Cancelled {
                return Err(found.wrong());
            }
            let mut change = found.change();
            change.standing = Standing {
                state: Some(rows::word(State::Received).to_owned()),
                lane: Some(Lane::Check),
                due: Some(0),
                wish: Some(Wish::None),
                ended: Some(0),
                ..Standing::default()
            };
            change.without = vec![part::CHECKED.to_owned(), part::ENDING.to_owned()];
            change.secrets = Keep::Until(found.now + INACTIVE_MILLIS);
            change
        }
        State::Stopped | State::DoneWithExceptions => found.queue(),
        State::Queued | State::Copying | State::Verifying if found.job.paused => found.queue(),
        State::Received | State::Checking | State::Queued | State::Copying | State::Verifying => {
            return Ok(Deed::Nothing);
        }
        _ => return Err(found.wrong()),
    };
    change.parts.push(found.fresh_course()?);
    if let Some(sealed) = sealed {
        let until = match &change.secrets {
            Keep::Until(until) => *until,
            _ => WHILE_BUSY,
        };
        change.secrets = Keep::These(sealed, until);
    }
    Ok(Deed::Write(Box::new(change)))
}
