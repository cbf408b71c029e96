//! What is asked once more on a page of its own, so that nobody ends or erases anything by a slip, with or without
//! JavaScript.

use super::job::own;
use super::{Answer, Page, SignedIn, later};
use crate::job::{Job, Kind, State};
use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use hikyaku_text::page as f;
use hikyaku_text::page::progress as t;
use hikyaku_text::page::result as r;

#[derive(Template)]
#[template(path = "question.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    action: &'static str,
    question: String,
    means: String,
    yes: String,
    no: String,
    receipt: String,
}

/// `GET /jobs/{id}/cancel`: 中止?
pub(crate) async fn ask_to_cancel(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    if job.state.is_over() && job.state != State::Stopped {
        return later::back_to(job.id);
    }
    let lang = who.lang;
    let (question, means, yes) = match (job.state, job.kind) {
        (State::Scheduled, _) => (
            t::cancel_schedule_question(lang),
            t::cancel_schedule_means(lang),
            t::cancel_schedule_yes(lang),
        ),
        (_, Kind::Undo) => (
            t::cancel_undo_question(lang),
            t::cancel_undo_means(lang),
            t::cancel_yes(lang),
        ),
        (_, Kind::Copy) => (
            t::cancel_question(lang),
            t::cancel_means(lang),
            t::cancel_yes(lang),
        ),
    };
    who.show(&View {
        page: &who,
        job: &job,
        action: "cancel",
        question,
        means,
        yes,
        no: t::cancel_no(lang),
        receipt: t::receipt(&job.receipt, lang),
    })
}

/// `POST /jobs/{id}/cancel`: the answer.
pub(crate) async fn cancel(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    // Whoever clicks when it is done sees that it is.
    if !matches!(
        job.state,
        State::Done | State::DoneWithExceptions | State::Cancelled
    ) {
        who.jobs().cancel(&who.owner, job.id).await?;
        let_go(&who, &job).await;
    }
    later::back_to(job.id)
}

/// `GET /jobs/{id}/erase`: is all that is known of it to go?
pub(crate) async fn ask_to_erase(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    if !job.state.is_over() {
        return later::back_to(job.id);
    }
    let lang = who.lang;
    who.show(&View {
        page: &who,
        job: &job,
        action: "erase",
        question: r::erase_question(lang),
        means: r::erase_means(lang),
        yes: r::erase_yes(lang),
        no: r::erase_no(lang),
        receipt: t::receipt(&job.receipt, lang),
    })
}

/// `POST /jobs/{id}/erase`: the answer.
pub(crate) async fn erase(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    who.jobs().erase(&who.owner, job.id).await?;
    let_go(&who, &job).await;
    Ok(Redirect::to("/jobs").into_response())
}

/// What was uploaded for the job goes with it, at once. The next sweep finds what this did not.
async fn let_go(who: &SignedIn, job: &Job) {
    if let (Some(uploads), Some(_)) = (who.app.uploads(), job.order.source.upload())
        && let Err(fault) = uploads.let_go(&who.jobs(), job.id).await
    {
        tracing::debug!(job = %job.id, %fault, "the upload of a job could not be removed");
    }
}
