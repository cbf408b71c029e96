//! S6: もう一度.

use super::form::{Wrong, one_time_token};
use super::job::own;
use super::passwords::{self, Passwords};
use super::progress_page::eyes;
use super::result_page::brand_of;
use super::{Answer, Fields, Page, Rejection, SignedIn, later};
use crate::job::{Choices, Job, Kind, Rerun};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use hikyaku_text::Lang;
use hikyaku_text::page as f;
use hikyaku_text::page::again as t;
use hikyaku_text::page::form::wrong as w;
use hikyaku_text::page::result as r;

/// One way to copy again.
struct Way {
    name: &'static str,
    words: String,
    hint: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "again.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    of: String,
    ways: Vec<Way>,
    passwords: Passwords,
    token: String,
    wrongs: Vec<Wrong>,
}

/// `GET /jobs/{id}/again`.
pub(crate) async fn show(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = copy(&who, &id).await?;
    if job.order.source.upload().is_some() {
        // The file went with the job: it is uploaded again.
        return Ok(Redirect::to("/upload?again=1").into_response());
    }
    who.show(&view(&who, &job, None, one_time_token(), Vec::new()))
}

/// `POST /jobs/{id}/again`: a new job, which is checked and confirmed like the first one.
pub(crate) async fn send(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = copy(&who, &id).await?;
    if job.order.source.upload().is_some() {
        return Err(Rejection::NotPossible);
    }
    let token = later::token(&fields)?;
    let mut wrongs = Vec::new();
    let rerun = offered(&who, &job)
        .into_iter()
        .find(|rerun| name(*rerun) == fields.text("rerun"));
    if rerun.is_none() {
        wrongs.push(Wrong::at("rerun", t::choice_missing(who.lang)));
    }
    let secrets = passwords::read(&who, &job, &fields, &mut wrongs);
    let (Some(rerun), Some(secrets)) = (rerun, secrets) else {
        let view = view(&who, &job, Some(&fields), token.to_owned(), wrongs);
        return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    later::may_try(&who, &job)?;
    let choices = Choices {
        rerun,
        final_run: None,
        ..job.order.choices.clone()
    };
    let next = who
        .jobs()
        .again(&who.owner, job.id, choices, secrets, token)
        .await?;
    later::back_to(next)
}

/// A copy that is over. Taking back is not repeated.
async fn copy(who: &SignedIn, id: &str) -> Result<Job, Rejection> {
    let job = own(who, id).await?;
    match job.kind {
        Kind::Copy if job.state.is_over() => Ok(job),
        _ => Err(Rejection::NotPossible),
    }
}

/// What the plan of the job lets people choose; never nothing.
fn offered(who: &SignedIn, job: &Job) -> Vec<Rerun> {
    match brand_of(who, job).plan(&job.order.plan) {
        Some(plan) => plan.reruns.clone(),
        None => vec![Rerun::Differential],
    }
}

fn view<'a>(
    who: &'a SignedIn,
    job: &'a Job,
    fields: Option<&Fields>,
    token: String,
    wrongs: Vec<Wrong>,
) -> View<'a> {
    let offered = offered(who, job);
    let usual = brand_of(who, job)
        .plan(&job.order.plan)
        .map(|plan| plan.rerun);
    let chosen = match fields {
        Some(fields) => fields.text("rerun").to_owned(),
        None => name(usual.unwrap_or_default()).to_owned(),
    };
    let ways = offered.into_iter().map(|rerun| {
        let (words, hint) = words(rerun, who.lang);
        Way {
            name: name(rerun),
            words,
            hint,
            is_chosen: name(rerun) == chosen,
        }
    });
    View {
        page: who,
        job,
        of: t::again_of(
            &job.receipt,
            &super::result::source_of(job, eyes(who)),
            who.lang,
        ),
        ways: ways.collect(),
        passwords: Passwords::of(who, job, fields, &wrongs),
        token,
        wrongs,
    }
}

/// The name of a choice in forms.
fn name(rerun: Rerun) -> &'static str {
    match rerun {
        Rerun::Differential => "differential",
        Rerun::FreshReplace => "fresh_replace",
        Rerun::FreshFolder => "fresh_folder",
    }
}

fn words(rerun: Rerun, lang: Lang) -> (String, String) {
    match rerun {
        Rerun::Differential => (t::differential(lang), t::differential_hint(lang)),
        Rerun::FreshReplace => (t::fresh_replace(lang), t::fresh_replace_hint(lang)),
        Rerun::FreshFolder => (t::fresh_folder(lang), t::fresh_folder_hint(lang)),
    }
}
