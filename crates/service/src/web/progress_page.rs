//! S3 and S4: accepted, and how the copy is going.

use super::form::Wrong;
use super::job::own;
use super::passwords::Passwords;
use super::progress::{Controls, Progressing, progressing};
use super::shown::Eyes;
use super::{Answer, Fields, Page, SignedIn, later};
use crate::job::{Job, Kind, State};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use hikyaku_text::page as f;
use hikyaku_text::page::again as a;
use hikyaku_text::page::form::wrong as w;
use hikyaku_text::page::progress as t;

/// With whose eyes a page is made.
pub(crate) fn eyes(who: &SignedIn) -> Eyes {
    Eyes {
        lang: who.lang,
        now_millis: who.now_millis,
        moment: super::page::local_moment,
    }
}

#[derive(Template)]
#[template(path = "accepted.html")]
struct Accepted<'a> {
    page: &'a Page,
    job: &'a Job,
    see: String,
}

/// `GET /jobs/{id}/accepted`: the receipt.
pub(crate) async fn accepted(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = own(&who, &id).await?;
    let see = match job.state {
        _ if job.state.is_over() => t::see_result(who.lang),
        // Nothing has been accepted yet.
        State::Received | State::Checking | State::Ready => return later::back_to(job.id),
        _ => t::see_progress(who.lang),
    };
    who.show(&Accepted {
        page: &who,
        job: &job,
        see,
    })
}

#[derive(Template)]
#[template(path = "progress.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    seen: Progressing,
    receipt: String,
    source: String,
    passwords: Option<Passwords>,
    wrongs: Vec<Wrong>,
}

impl View<'_> {
    fn pauses(&self) -> bool {
        self.seen.controls == Controls::Pause
    }

    fn resumes(&self) -> bool {
        self.seen.controls == Controls::Resume
    }

    fn is_copy(&self) -> bool {
        self.job.kind == Kind::Copy
    }
}

/// `GET /jobs/{id}` of a job that is not over.
pub(crate) fn show(who: &SignedIn, job: &Job) -> Answer {
    who.show(&view(who, job, None, Vec::new()))
}

/// The same with what is wrong with the passwords that were typed.
pub(crate) fn show_wrong(who: &SignedIn, job: &Job, fields: &Fields, wrongs: Vec<Wrong>) -> Answer {
    who.show_as(
        StatusCode::UNPROCESSABLE_ENTITY,
        &view(who, job, Some(fields), wrongs),
    )
}

fn view<'a>(
    who: &'a SignedIn,
    job: &'a Job,
    fields: Option<&Fields>,
    wrongs: Vec<Wrong>,
) -> View<'a> {
    let seen = progressing(job, eyes(who));
    let asks = seen.controls == Controls::Resume && !job.has_secrets;
    View {
        page: who,
        job,
        receipt: t::receipt(&job.receipt, who.lang),
        source: super::result::source_of(job, eyes(who)),
        passwords: asks.then(|| Passwords::of(who, job, fields, &wrongs)),
        seen,
        wrongs,
    }
}
