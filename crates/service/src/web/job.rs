//! `GET /jobs/{id}`: the screen of the state in which a job is.

use super::{Answer, Rejection, SignedIn, later};
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
    later::show(who, job).await
}
