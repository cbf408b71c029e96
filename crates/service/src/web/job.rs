//! `GET /jobs/{id}`: the screen of the state in which a job is.

use super::{Answer, Rejection, SignedIn, check, confirm, later};
use crate::job::{Checked, Job, JobId, Kind, State};
use axum::extract::Path;

/// The job of an address, if it is the person's own.
///
/// # Errors
/// [`Rejection::NotFound`], also for what is no identity and for somebody else's job.
pub(crate) async fn own(who: &SignedIn, id: &str) -> Result<Job, Rejection> {
    let id: JobId = id.parse().map_err(|_| Rejection::NotFound)?;
    who.jobs()
        .job(&who.owner, id)
        .await?
        .ok_or(Rejection::NotFound)
}

/// `GET /jobs/{id}`.
pub(crate) async fn show(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    // Until the copy was begun there is only a plan to talk about.
    let is_unbegun = job.started_millis.is_none() && job.kind == Kind::Copy;
    let can_start = job.checked.as_ref().is_some_and(Checked::can_start);
    match job.state {
        State::Ready if can_start => confirm::show(&who, &job),
        State::Received | State::Checking | State::Ready => check::show(&who, &job),
        State::Stopped if is_unbegun => check::show(&who, &job),
        _ => later::show(who, job).await,
    }
}
