//! How what became of a job is written down: one change with its mail, its secrets and its successor.

use super::verdict::{TOLD, Verdict, wants_sign_in};
use super::world::World;
use crate::job::{Choices, FinalRun, Job, JobId, Kind, Progress, State, UndoPlan, Waiting};
use crate::jobs::rows::{self, Course, Ending, part};
use crate::jobs::{
    FINAL_RUN_MILLIS, INACTIVE_MILLIS, Jobs, NewRow, Owner, Secrets, WHILE_BUSY, again,
};
use crate::notice::NoticeKind;
use hikyaku_core::Fault;
use hikyaku_ledger::service::{
    AuditRow, Change, Guard, JobRow, Keep, Lane, NewJob, NewLetter, Standing, Wish,
};
use hikyaku_view::{FaultView, ReportView};

/// A job that comes to an end, and what is known of it.
pub(crate) struct Closing<'a> {
    pub(crate) jobs: &'a Jobs,
    pub(crate) world: &'a dyn World,
    /// As it was before.
    pub(crate) job: Job,
    pub(crate) owner: Owner,
    pub(crate) guard: Guard,
    /// Tells mails about several ends of one job apart.
    pub(crate) fence: i64,
    pub(crate) course: Course,
    pub(crate) progress: Progress,
    pub(crate) report: Option<ReportView>,
    pub(crate) undo: Option<UndoPlan>,
    /// For a successor.
    pub(crate) secrets: Secrets,
    /// Whether the person had said yes: then an end is told by mail.
    pub(crate) begun: bool,
}

impl Closing<'_> {
    /// What is written for a verdict.
    pub(crate) fn change(self, verdict: &Verdict) -> Result<Change, Fault> {
        match verdict {
            Verdict::Done => self.end(State::Done, None),
            Verdict::Partly => self.end(State::DoneWithExceptions, None),
            Verdict::Stopped(fault) => self.end(State::Stopped, Some(fault.clone())),
            Verdict::Cancelled => self.end(State::Cancelled, None),
            Verdict::Later(after, because) => {
                let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                self.later(after, because)
            }
            Verdict::Paused => self.rest(),
            Verdict::Back | Verdict::Lost => self.give_back(),
        }
    }

    fn base(&self) -> Change {
        let mut change = Change::new(self.job.id.to_string(), self.guard, self.jobs.now());
        change.release = true;
        change
    }

    fn end(mut self, state: State, fault: Option<FaultView>) -> Result<Change, Fault> {
        let now = self.jobs.now();
        self.progress.waiting = None;
        self.progress.left_seconds = None;
        self.progress.folder = None;
        self.progress.at_millis = now;
        let mut change = self.base();
        change.standing = Standing {
            state: Some(rows::word(state).to_owned()),
            paused: Some(false),
            lane: Some(Lane::Rest),
            due: Some(0),
            wish: Some(Wish::None),
            ended: Some(now),
            ..Standing::default()
        };
        // Nothing is known to be worth keeping of a run that was not begun.
        let report = self.report.take().or_else(|| self.job.report.clone());
        let ending = Ending {
            report,
            undo: self.undo.take(),
            fault,
        };
        change.parts = vec![
            (part::ENDING.to_owned(), rows::json(&ending)?),
            (part::PROGRESS.to_owned(), rows::json(&self.progress)?),
            (part::COURSE.to_owned(), rows::json(&self.course)?),
        ];
        change.secrets = match state {
            State::Stopped => Keep::Until(now + INACTIVE_MILLIS),
            _ => Keep::Nothing,
        };
        let ended = Job {
            state,
            paused: false,
            progress: self.progress.clone(),
            report: ending.report,
            undo: ending.undo,
            fault: ending.fault,
            ended_millis: Some(now),
            has_secrets: state == State::Stopped,
            ..self.job.clone()
        };
        if self.begun {
            let kind = kind_of(&ended, &self.course);
            change.letters.extend(self.mail(&ended, kind)?);
        }
        change.successor = self.successor(&ended)?.map(Box::new);
        change.audit = Some(self.audit(rows::word(state)));
        Ok(change)
    }

    /// The run that follows a copy by itself, with its passwords.
    fn successor(&self, ended: &Job) -> Result<Option<NewJob>, Fault> {
        let is_copied = matches!(ended.state, State::Done | State::DoneWithExceptions);
        let Some(run) = ended.order.choices.final_run.filter(|_| is_copied) else {
            return Ok(None);
        };
        if self.secrets.is_empty() {
            return Ok(None);
        }
        let now = self.jobs.now();
        let new = NewRow {
            head: again::final_head(ended, run),
            state: State::Scheduled,
            lane: Lane::Rest,
            secrets: &self.secrets,
            secrets_until: now.saturating_add(FINAL_RUN_MILLIS),
        };
        let id = JobId::random();
        let token = format!("after {}", ended.id);
        let mut job = self
            .jobs
            .new_job(&self.owner, id, new, &token, "job.schedule")?;
        job.begins = again::begins(run, now);
        // How the source was reached is known already.
        let checked = ended.checked.as_ref().map(rows::json).transpose()?;
        job.parts
            .extend(checked.map(|json| (part::CHECKED.to_owned(), json)));
        let course = self.course.clone().anew();
        job.parts
            .push((part::COURSE.to_owned(), rows::json(&course)?));
        Ok(Some(job))
    }

    /// It is tried again after a while.
    fn later(mut self, after: i64, because: &FaultView) -> Result<Change, Fault> {
        let now = self.jobs.now();
        let until = now.saturating_add(after);
        let done = self.progress.messages_done;
        if done > self.course.done || self.course.waiting_since.is_none() {
            // Something was achieved since the last time.
            self.course = Course {
                waiting_since: Some(now),
                done,
                ..self.course.anew()
            };
        }
        self.course.attempts += 1;
        self.progress.waiting = Some(Waiting {
            until_millis: until,
            because: because.clone(),
        });
        self.progress.left_seconds = None;
        self.progress.at_millis = now;
        let mut change = self.base();
        change.standing.state = Some(rows::word(State::Queued).to_owned());
        change.standing.lane = Some(Lane::Run);
        change.standing.due = Some(until);
        let since = self.course.waiting_since.unwrap_or(now);
        let is_long = u128::try_from(until - since).is_ok_and(|wait| wait > TOLD.as_millis());
        if is_long && !self.course.told {
            self.course.told = true;
            let waiting = Job {
                state: State::Queued,
                progress: self.progress.clone(),
                ..self.job.clone()
            };
            change
                .letters
                .extend(self.mail(&waiting, NoticeKind::Waiting)?);
        }
        change.parts = self.texts()?;
        Ok(change)
    }

    /// It rests until the person wants it to go on.
    fn rest(mut self) -> Result<Change, Fault> {
        let now = self.jobs.now();
        self.progress.waiting = None;
        self.progress.left_seconds = None;
        let mut change = self.base();
        change.standing = Standing {
            // Nobody is at work any more: a page that shows "copying" would say that the pause is still to come.
            state: Some(rows::word(State::Queued).to_owned()),
            paused: Some(true),
            lane: Some(Lane::Rest),
            due: Some(0),
            wish: Some(Wish::None),
            ..Standing::default()
        };
        change.parts = self.texts()?;
        change.secrets = Keep::Until(now.saturating_add(INACTIVE_MILLIS));
        Ok(change)
    }

    /// Somebody else goes on.
    fn give_back(mut self) -> Result<Change, Fault> {
        self.progress.waiting = None;
        self.progress.left_seconds = None;
        let mut change = self.base();
        change.standing.state = Some(rows::word(State::Queued).to_owned());
        change.standing.due = Some(0);
        change.parts = self.texts()?;
        Ok(change)
    }

    fn texts(&self) -> Result<Vec<(String, String)>, Fault> {
        Ok(vec![
            (part::PROGRESS.to_owned(), rows::json(&self.progress)?),
            (part::COURSE.to_owned(), rows::json(&self.course)?),
        ])
    }

    fn mail(&self, job: &Job, kind: NoticeKind) -> Result<Option<NewLetter>, Fault> {
        self.world.mail(job, kind, &mail_key(job, kind, self.fence))
    }

    fn audit(&self, what: &str) -> AuditRow {
        AuditRow {
            happened: self.jobs.now(),
            who: "service".to_owned(),
            what: format!("job.{what}"),
            job: self.job.id.to_string(),
            address: String::new(),
        }
    }
}

/// The mail about a wait that goes on while the job stays in hand.
pub(crate) fn tell_of_wait(
    jobs: &Jobs,
    world: &dyn World,
    job: &Job,
    fence: i64,
    course: &mut Course,
) -> Result<Change, Fault> {
    course.told = true;
    let mut change = Change::new(job.id.to_string(), Guard::Fence(fence), jobs.now());
    change.letters.extend(world.mail(
        job,
        NoticeKind::Waiting,
        &mail_key(job, NoticeKind::Waiting, fence),
    )?);
    change.parts = vec![(part::COURSE.to_owned(), rows::json(course)?)];
    Ok(change)
}

/// Names a mail: of one kind there is one each time that somebody took the job up.
pub(crate) fn mail_key(job: &Job, kind: NoticeKind, fence: i64) -> String {
    format!("{}.{fence}.{}", job.id, kind.as_str())
}

/// Whose job it is, by its row.
pub(crate) fn owner_of(row: &JobRow) -> Owner {
    Owner {
        brand: row.tenant.clone(),
        address: row.owner.clone(),
    }
}

/// Whether the person had said yes.
pub(crate) fn is_begun(job: &Job) -> bool {
    job.started_millis.is_some() || job.kind == Kind::Undo || job.state == State::Scheduled
}

fn kind_of(job: &Job, course: &Course) -> NoticeKind {
    match (job.state, &job.fault) {
        (State::Done | State::DoneWithExceptions, _) if job.kind == Kind::Undo => {
            NoticeKind::Undone
        }
        (State::Done, _) => NoticeKind::Success,
        (State::DoneWithExceptions, _) => NoticeKind::Partly,
        (State::Cancelled, _) => NoticeKind::Cancelled,
        (_, Some(fault)) if wants_sign_in(fault, course) => NoticeKind::SignInAgain,
        _ => NoticeKind::Failure,
    }
}

/// A final run whose time has come: queued like any other, without another one after it.
pub(crate) fn queue_final(job: &Job, guard: Guard, now: i64) -> Result<Change, Fault> {
    let mut change = Change::new(job.id.to_string(), guard, now);
    change.standing = Standing {
        state: Some(rows::word(State::Queued).to_owned()),
        lane: Some(Lane::Run),
        due: Some(0),
        started: Some(now),
        ..Standing::default()
    };
    let mut order = job.order.clone();
    order.choices = Choices {
        final_run: None,
        ..order.choices
    };
    let head = rows::Head {
        kind: job.kind,
        order,
        previous: job.previous.map(|id| id.to_string()),
    };
    change.parts = vec![(part::HEAD.to_owned(), rows::json(&head)?)];
    change.secrets = Keep::Until(WHILE_BUSY);
    Ok(change)
}

/// Whether a final run waits for the MX record.
pub(crate) fn waits_for_mx(job: &Job) -> bool {
    job.order.choices.final_run == Some(FinalRun::MxMoved)
}
