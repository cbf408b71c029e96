//! 中止: asked once more on a page of its own, so that nobody ends a copy by a slip, with or without JavaScript.

use super::job::own;
use super::{Answer, Page, SignedIn, later};
use crate::job::{Job, Kind, State};
use askama::Template;
use axum::extract::Path;
use hikyaku_text::page as f;
use hikyaku_text::page::progress as t;

#[derive(Template)]
#[template(path = "cancel.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    question: String,
    means: String,
    yes: String,
    receipt: String,
}

/// `GET /jobs/{id}/cancel`: the question.
pub(crate) async fn ask(who: SignedIn, Path(id): Path<String>) -> Answer {
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
    let receipt = t::receipt(&job.receipt, lang);
    who.show(&View {
        page: &who,
        job: &job,
        question,
        means,
        yes,
        receipt,
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
    }
    later::back_to(job.id)
}
