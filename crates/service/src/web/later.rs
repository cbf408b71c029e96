//! The screens from 【実行する】 on. Each of them is a module of its own.

use super::{Answer, App, Rejection, SignedIn};
use crate::job::Job;
use axum::Router;

/// Their routes.
pub(crate) fn routes() -> Router<App> {
    Router::new()
}

/// `GET /jobs/{id}` for a job that was begun, or that never will be.
pub(crate) async fn show(_who: SignedIn, _job: Job) -> Answer {
    Err(Rejection::NotFound)
}
