//! `GET /jobs/{id}`: the screen of the state in which a job is.

use super::later::Screen;
use super::{Answer, Rejection, SignedIn, check, confirm, later};
use crate::job::{Job, JobId};
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
    match Screen::of(&job) {
        Screen::Check => check::show(&who, &job),
        Screen::Confirm => confirm::show(&who, &job),
        Screen::Progress | Screen::Result => later::show(who, job).await,
    }
}
