//! S2: the confirmation. What is shown here is what will happen; nothing has been copied yet.

mod chosen;
mod view;

use super::form::Wrong;
use super::{Answer, Fields, SignedIn, job};
use crate::job::{Checked, Job, Protocol, State};
use crate::jobs::JobError;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use hikyaku_text::page::confirm as t;
use sha2::{Digest, Sha256};

/// The screen of a job whose plan waits for a yes.
pub(crate) fn show(who: &SignedIn, job: &Job) -> Answer {
    who.show(&view::View::new(who, job, Vec::new(), None))
}

/// Changes with the folders that the plan shows: the boxes of a page are numbered by them.
fn seen(checked: &Checked) -> String {
    let mut digest = Sha256::new();
    for line in checked.plan.iter().flat_map(|plan| &plan.mailboxes) {
        digest.update(line.source.as_bytes());
        digest.update(b"\0");
        digest.update(line.destination.as_bytes());
        digest.update(b"\0");
    }
    let digest = digest.finalize();
    digest
        .iter()
        .take(16)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// `POST /jobs/{id}/start`: 【実行する】.
pub(crate) async fn start(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = job::own(&who, &id).await?;
    let accepted = || Ok(Redirect::to(&format!("/jobs/{}/accepted", job.id)).into_response());
    let Some(checked) = job.checked.as_ref().filter(|_| job.state == State::Ready) else {
        // The second of two clicks, or a page that is old.
        return match job.started_millis {
            Some(_) => accepted(),
            None => Ok(Redirect::to(&format!("/jobs/{}", job.id)).into_response()),
        };
    };
    let lang = who.lang;
    let mut wrongs = Vec::new();
    if fields.text("seen") != seen(checked) {
        wrongs.push(Wrong::at("", t::plan_changed(lang)));
    }
    if is_backup_asked(&job, checked) && !fields.has("backup") {
        wrongs.push(Wrong::at("backup", t::backup_missing(lang)));
    }
    let chosen = chosen::read(&job.order.choices, checked, &fields, who.now_millis, lang);
    let choices = match chosen {
        Ok(choices) if wrongs.is_empty() => choices,
        Ok(_) => return again(&who, &job, wrongs, &fields),
        Err(more) => {
            wrongs.extend(more);
            return again(&who, &job, wrongs, &fields);
        }
    };
    match who.jobs().start(&who.owner, job.id, choices).await {
        Ok(()) => accepted(),
        // A day later the passwords are gone, and the plan is old.
        Err(JobError::SecretsNeeded) => {
            Ok(Redirect::to(&format!("/copy?from={}", job.id)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the person has to say that there is a backup: what leaves POP may be nowhere else, and the order of safety
/// begins with it. Once is enough.
fn is_backup_asked(job: &Job, checked: &Checked) -> bool {
    let reached = checked.reached.as_ref();
    job.previous.is_none() && reached.is_some_and(|reached| reached.protocol == Protocol::Pop3)
}

fn again(who: &SignedIn, job: &Job, wrongs: Vec<Wrong>, fields: &Fields) -> Answer {
    let view = view::View::new(who, job, wrongs, Some(fields));
    who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
}
