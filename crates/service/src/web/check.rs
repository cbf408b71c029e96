//! S1b: while both accounts are looked at, and what has to be decided or corrected before there is a plan.

use super::form::Wrong;
use super::told::{Told, told};
use super::{Answer, Fields, Rejection, SignedIn, job};
use crate::job::{
    Accepted, CertificateQuestion, CheckLine, CheckState, CheckStep, Checked, Job, State,
};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use hikyaku_net::Fingerprint;
use hikyaku_text::page as f;
use hikyaku_text::page::check as t;
use hikyaku_text::page::check as c;
use hikyaku_text::page::check::{Phase, Step};
use hikyaku_text::{Lang, escape};

/// Names of a certificate that are shown.
const MOST_NAMES: usize = 10;

/// One line of the list.
struct Line {
    class: &'static str,
    mark: &'static str,
    state: String,
    text: String,
    fault: Option<Told>,
}

/// The question about a certificate.
struct Question {
    explanation: String,
    names: Vec<String>,
    fingerprint: String,
    /// As it is sent back: what was shown is what is accepted.
    pin: String,
}

#[derive(Template)]
#[template(path = "check.html")]
struct View<'a> {
    page: &'a SignedIn,
    job: &'a Job,
    heading: String,
    lines: Vec<Line>,
    wrongs: Vec<Wrong>,
    running: bool,
    fault: Option<Told>,
    certificate: Option<Question>,
    clear_text: bool,
    can_retry: bool,
}

/// The screen of a job that has no plan to confirm.
pub(crate) fn show(who: &SignedIn, job: &Job) -> Answer {
    who.show(&view(who, job, Vec::new()))
}

fn view<'a>(who: &'a SignedIn, job: &'a Job, wrongs: Vec<Wrong>) -> View<'a> {
    let lang = who.lang;
    let nothing = Checked::default();
    let checked = job.checked.as_ref().unwrap_or(&nothing);
    let running = matches!(job.state, State::Received | State::Checking);
    let certificate = checked.certificate.as_ref().filter(|_| !running);
    let clear_text = checked.clear_text && certificate.is_none() && !running;
    let is_question = certificate.is_some() || clear_text;
    let fault = checked
        .fault
        .as_ref()
        .or(job.fault.as_ref())
        .filter(|_| !running && !is_question);
    let heading = match (running, is_question) {
        (true, _) => t::heading(lang),
        (false, true) => t::heading_question(lang),
        (false, false) => t::heading_stopped(lang),
    };
    View {
        heading,
        lines: lines(checked, lang),
        running,
        fault: fault.map(|fault| told(fault, lang)),
        certificate: certificate.map(|asked| question(asked, &job.order.source.host, lang)),
        clear_text,
        can_retry: !running && job.has_secrets,
        page: who,
        job,
        wrongs,
    }
}

fn lines(checked: &Checked, lang: Lang) -> Vec<Line> {
    let all = [
        CheckStep::Name,
        CheckStep::Connection,
        CheckStep::SourceLogin,
        CheckStep::DestinationLogin,
        CheckStep::Folders,
        CheckStep::Sizes,
        CheckStep::Space,
        CheckStep::Dns,
    ];
    let line = |step: CheckStep| {
        let open = CheckLine {
            step,
            state: CheckState::Open,
            fault: None,
        };
        let known = checked
            .lines
            .iter()
            .find(|line| line.step == step)
            .unwrap_or(&open);
        let (class, mark, state) = match known.state {
            CheckState::Open => ("is-open", "・", t::open(lang)),
            CheckState::Running => ("is-running", "…", t::running(lang)),
            CheckState::Good => ("is-good", "✓", t::good(lang)),
            CheckState::Notable => ("is-notable", "!", t::notable(lang)),
            CheckState::Bad => ("is-bad", "✗", t::bad(lang)),
        };
        let phase = match known.state {
            CheckState::Open | CheckState::Bad => Phase::Named,
            CheckState::Running => Phase::UnderWay,
            CheckState::Good | CheckState::Notable => Phase::Done,
        };
        Line {
            class,
            mark,
            state,
            text: t::step(words(step), phase, lang),
            fault: known.fault.as_ref().map(|fault| told(fault, lang)),
        }
    };
    match checked.lines.is_empty() {
        true => all.map(line).into(),
        // A file has other steps than a server.
        false => checked.lines.iter().map(|known| line(known.step)).collect(),
    }
}

fn words(step: CheckStep) -> Step {
    match step {
        CheckStep::Name => Step::Name,
        CheckStep::Connection => Step::Connection,
        CheckStep::Archive => Step::Archive,
        CheckStep::SourceLogin => Step::SourceLogin,
        CheckStep::DestinationLogin => Step::DestinationLogin,
        CheckStep::Folders => Step::Folders,
        CheckStep::Sizes => Step::Sizes,
        CheckStep::Space => Step::Space,
        CheckStep::Dns => Step::Dns,
    }
}

fn question(asked: &CertificateQuestion, host: &str, lang: Lang) -> Question {
    let explanation = match asked.short.as_str() {
        "T114" => t::certificate_expired(host, lang),
        "T111" => t::certificate_name(host, lang),
        _ => t::certificate_untrusted(host, lang),
    };
    let names = asked.names.iter().take(MOST_NAMES);
    Question {
        explanation,
        names: names.map(|name| escape::clean(name).into_owned()).collect(),
        fingerprint: in_pairs(&asked.fingerprint),
        pin: asked.fingerprint.clone(),
    }
}

/// A fingerprint as every other program shows it, however it was kept.
fn in_pairs(kept: &str) -> String {
    let read = kept.parse::<Fingerprint>();
    read.map_or_else(|_| kept.to_owned(), |fingerprint| fingerprint.to_string())
}

/// `POST /jobs/{id}/accept`: the certificate or the clear text that was shown, and nothing else.
pub(crate) async fn accept(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = job::own(&who, &id).await?;
    let checked = job.checked.clone().unwrap_or_default();
    let accepted = match (&checked.certificate, checked.clear_text) {
        (Some(asked), _) if fields.text("certificate") == asked.fingerprint => {
            Accepted::Certificate(asked.fingerprint.clone())
        }
        (None, true) if fields.has("clear_text") => Accepted::ClearText,
        // The server shows another one by now, or the page is old.
        _ => return back(&who, &job),
    };
    if !fields.has("agree") {
        let wrongs = vec![Wrong::at("agree", t::accept_missing(who.lang))];
        return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view(&who, &job, wrongs));
    }
    try_again(&who, &job)?;
    who.jobs().accept(&who.owner, job.id, accepted).await?;
    back(&who, &job)
}

/// `POST /jobs/{id}/change`: the same once more.
pub(crate) async fn again(who: SignedIn, Path(id): Path<String>) -> Answer {
    let job = job::own(&who, &id).await?;
    try_again(&who, &job)?;
    let choices = job.order.choices.clone();
    who.jobs().change(&who.owner, job.id, choices).await?;
    back(&who, &job)
}

fn try_again(who: &SignedIn, job: &Job) -> Result<(), Rejection> {
    who.may_try(&job.order.source.host, &job.order.source.address)
}

fn back(_: &SignedIn, job: &Job) -> Answer {
    Ok(Redirect::to(&format!("/jobs/{}", job.id)).into_response())
}
