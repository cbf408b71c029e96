//! The screens of a job from 【実行する】: which address is which.

use super::job::own;
use super::{Answer, App, Fields, Rejection, SignedIn};
use super::{again, events, list, message, progress_page, question, report, result_page, undo};
use crate::job::{Checked, Job, JobId, Kind, State};
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};

/// Their addresses.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/jobs", get(list::show))
        .route("/jobs/{id}/accepted", get(progress_page::accepted))
        .route("/jobs/{id}/events", get(events::show))
        .route("/jobs/{id}/pause", post(pause))
        .route("/jobs/{id}/resume", post(resume))
        .route(
            "/jobs/{id}/cancel",
            get(question::ask_to_cancel).post(question::cancel),
        )
        .route(
            "/jobs/{id}/erase",
            get(question::ask_to_erase).post(question::erase),
        )
        .route("/jobs/{id}/proceed", post(result_page::proceed))
        .route("/jobs/{id}/schedule", post(result_page::schedule))
        .route("/jobs/{id}/report", get(report::show))
        .route("/jobs/{id}/report.csv", get(report::csv))
        .route("/jobs/{id}/message", post(message::save))
        .route("/jobs/{id}/again", get(again::show).post(again::send))
        .route("/jobs/{id}/undo", get(undo::show).post(undo::send))
}

/// `GET /jobs/{id}` once the copy was ordered: its progress, then its result.
pub(crate) async fn show(who: SignedIn, job: Job) -> Answer {
    match job.state.is_over() {
        true => result_page::show(&who, &job).await,
        false => progress_page::show(&who, &job),
    }
}

/// Counts a login at the job's source.
pub(crate) fn may_try(who: &SignedIn, job: &Job) -> Result<(), Rejection> {
    let source = &job.order.source;
    who.may_try(&source.host, &source.address)
}

/// Longest one-time token of a form that is taken, in octets.
const MOST_TOKEN: usize = 64;

/// The token that makes two clicks on one button one order.
pub(crate) fn token(fields: &Fields) -> Result<&str, Rejection> {
    let token = fields.text("token");
    match token.is_empty() || token.len() > MOST_TOKEN {
        true => Err(Rejection::Malformed),
        false => Ok(token),
    }
}

/// The page of a job.
pub(crate) fn back_to(job: JobId) -> Answer {
    Ok(Redirect::to(&format!("/jobs/{job}")).into_response())
}

/// `POST /jobs/{id}/pause`.
async fn pause(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    // Whoever clicks when it is over sees that it is.
    if !job.state.is_over() {
        who.jobs().pause(&who.owner, job.id).await?;
    }
    back_to(job.id)
}

/// `POST /jobs/{id}/resume`; with passwords where those of the job were wiped.
async fn resume(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = own(&who, &id).await?;
    if job.state.is_over() {
        return back_to(job.id);
    }
    if job.has_secrets {
        who.jobs().resume(&who.owner, job.id).await?;
        return back_to(job.id);
    }
    let mut wrongs = Vec::new();
    match super::passwords::read(&who, &job, &fields, &mut wrongs) {
        Some(secrets) => {
            may_try(&who, &job)?;
            who.jobs()
                .proceed(&who.owner, job.id, Some(secrets))
                .await?;
            back_to(job.id)
        }
        None => progress_page::show_wrong(&who, &job, &fields, wrongs),
    }
}

/// Which screen a job has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// The check.
    Check,
    /// The confirmation.
    Confirm,
    /// The progress.
    Progress,
    /// The result.
    Result,
}

impl Screen {
    /// The screen of a job as it stands.
    pub(crate) fn of(job: &Job) -> Self {
        let is_unbegun = job.started_millis.is_none() && job.kind == Kind::Copy;
        // Where only room is missing, the confirmation is where the person says what is to be done about it.
        let can_start = |checked: &Checked| checked.can_start_with(true);
        let can_start = job.checked.as_ref().is_some_and(can_start);
        match job.state {
            State::Ready if can_start => Screen::Confirm,
            State::Received | State::Checking | State::Ready => Screen::Check,
            State::Stopped if is_unbegun => Screen::Check,
            State::Scheduled | State::Queued | State::Copying | State::Verifying => {
                Screen::Progress
            }
            State::Done | State::DoneWithExceptions | State::Stopped | State::Cancelled => {
                Screen::Result
            }
        }
    }
}
