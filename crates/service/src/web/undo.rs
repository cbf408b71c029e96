//! S7: taking a copy back. What would go and what stays is shown first, and a word has to be typed.
//!
//! What is nowhere else stays. An uploaded file is gone with its copy, so nobody but the person can say that they still
//! have it: they have to.

use super::form::{Wrong, one_time_token};
use super::job::own;
use super::passwords::{self, Passwords};
use super::progress_page::eyes;
use super::result::{Told, Undone, undone};
use super::{Answer, Fields, Page, Rejection, SignedIn, later, shown};
use crate::job::{Job, Kind};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use hikyaku_text::Lang;
use hikyaku_text::page as f;
use hikyaku_text::page::again as t;
use hikyaku_text::page::form::wrong as w;

#[derive(Template)]
#[template(path = "undo.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    means: String,
    planned: Undone,
    has_any: bool,
    asked: String,
    /// Where the source is a file that is gone: the words by which the person says that they have it.
    file: Option<String>,
    has_file: bool,
    passwords: Passwords,
    token: String,
    wrongs: Vec<Wrong>,
}

/// `GET /jobs/{id}/undo`.
pub(crate) async fn show(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = copy(&who, &id).await?;
    let view = view(&who, &job, None, one_time_token(), Vec::new()).await?;
    who.show(&view)
}

/// `POST /jobs/{id}/undo`: a new job, which begins at once.
pub(crate) async fn send(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = copy(&who, &id).await?;
    let token = later::token(&fields)?;
    let mut wrongs = Vec::new();
    if !is_the_word(fields.trimmed("word")) {
        let word = t::undo_word(who.lang);
        wrongs.push(Wrong::at("word", t::undo_word_wrong(&word, who.lang)));
    }
    if job.order.source.upload().is_some() && !fields.has("file") {
        wrongs.push(Wrong::at("file", t::undo_file_missing(who.lang)));
    }
    let secrets = passwords::read(&who, &job, &fields, &mut wrongs);
    let (Some(secrets), true) = (secrets, wrongs.is_empty()) else {
        let view = view(&who, &job, Some(&fields), token.to_owned(), wrongs).await?;
        return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    later::may_try(&who, &job)?;
    let next = who.jobs().undo(&who.owner, job.id, secrets, token).await?;
    later::back_to(next)
}

/// The word in either language: the page may have been switched meanwhile.
fn is_the_word(typed: &str) -> bool {
    let typed = typed.trim_matches(['「', '」', '"']);
    Lang::ALL
        .iter()
        .any(|lang| typed.eq_ignore_ascii_case(&t::undo_word(*lang)))
}

/// A copy that began and is over.
async fn copy(who: &SignedIn, id: &str) -> Result<Job, Rejection> {
    let job = own(who, id).await?;
    match job.kind {
        Kind::Copy if job.state.is_over() && job.started_millis.is_some() => Ok(job),
        _ => Err(Rejection::NotPossible),
    }
}

async fn view<'a>(
    who: &'a SignedIn,
    job: &'a Job,
    fields: Option<&Fields>,
    token: String,
    wrongs: Vec<Wrong>,
) -> Result<View<'a>, Rejection> {
    let plan = who.jobs().undo_plan(&who.owner, job.id).await?;
    Ok(View {
        page: who,
        job,
        means: t::undo_means(&job.receipt, who.lang),
        has_any: plan.lines.iter().any(|line| line.removed > 0),
        planned: undone(&plan, Told::Planned, eyes(who)),
        asked: t::undo_type(&t::undo_word(who.lang), who.lang),
        file: (job.order.source.upload()).map(|_| {
            let name = shown::short(&job.order.source.address);
            t::undo_file(&name, who.lang)
        }),
        has_file: fields.is_some_and(|fields| fields.has("file")),
        passwords: Passwords::of(who, job, fields, &wrongs),
        token,
        wrongs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_is_the_word() {
        for typed in ["取り消す", "「取り消す」", "undo", "UNDO", "\"undo\""] {
            assert!(is_the_word(typed), "{typed}");
        }
        for typed in ["", "取り消", "取り消さない", "undo it", "はい", "yes"] {
            assert!(!is_the_word(typed), "{typed}");
        }
    }
}
