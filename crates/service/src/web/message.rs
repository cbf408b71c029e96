//! `POST /jobs/{id}/message`: one message that was not copied, as a file. Its octets go from the source through this
//! process to the browser; nothing of them is kept.

mod reading;

use super::form::{Wrong, password};
use super::job::own;
use super::result::{file_name, subject_of};
use super::{Answer, Fields, Page, Rejection, SignedIn, later};
use crate::accounts;
use crate::job::Job;
use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Fault, MailboxName};
use hikyaku_net::Secret;
use hikyaku_text::page as f;
use hikyaku_text::page::again as a;
use hikyaku_text::page::result as t;
use hikyaku_view::ExceptionView;
use reading::{Read, Wanted};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Messages that are read at once, for everybody together.
static READERS: Semaphore = Semaphore::const_new(8);

/// How long somebody is told to wait when all are busy.
const BUSY: Duration = Duration::from_secs(60);

#[derive(Template)]
#[template(path = "message.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    cause: String,
    remedy: String,
    code: Option<&'static str>,
}

/// Sends the message.
pub(crate) async fn save(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = own(&who, &id).await?;
    let place: usize = fields
        .text("message")
        .parse()
        .map_err(|_| Rejection::Malformed)?;
    let (exception, wanted) = wanted(&job, place).ok_or(Rejection::NotFound)?;
    let reached = job
        .checked
        .as_ref()
        .and_then(|checked| checked.reached.as_ref());
    let reached = reached.ok_or(Rejection::NotFound)?;
    let secret = match secret(&who, &job, &fields).await? {
        Ok(secret) => secret,
        Err(wrong) => return refuse(&who, &job, wrong.text, String::new(), None),
    };
    later::may_try(&who, &job)?;
    let seat = READERS
        .try_acquire()
        .map_err(|_| Rejection::TooOften(BUSY))?;
    let brand = super::result_page::brand_of(&who, &job);
    let guard = accounts::guard_of(brand, who.app.guard());
    let accepted = job.order.source.accepted.as_ref();
    let choices = &job.order.choices;
    let way = accounts::source_way(reached, &secret, accepted, choices, &guard);
    let name = file_name(subject_of(exception), wanted.key.0, who.lang);
    let way = way.while_waited_for(1);
    let read = reading::begin(way, wanted, seat).await;
    who.app
        .audit(&who.owner, "message.save", who.client)
        .await?;
    match read {
        Ok(Some(read)) => send(read, &name),
        Ok(None) => refuse(&who, &job, t::message_gone(who.lang), String::new(), None),
        Err(fault) => refuse_for(&who, &job, &fault),
    }
}

/// The message at this place of the report, if it can be saved.
fn wanted(job: &Job, place: usize) -> Option<(&ExceptionView, Wanted)> {
    let report = job.report.as_ref().filter(|_| job.state.is_over())?;
    let exception = report.exceptions.get(place)?;
    let is_missing = |outcome: &Outcome| {
        let missing = [
            Outcome::FailedPermanent,
            Outcome::FailedTemporary,
            Outcome::Skipped,
        ];
        missing.contains(outcome)
    };
    let outcome = hikyaku_core::report::Exception::from(exception).outcome;
    outcome.filter(is_missing)?;
    let wanted = Wanted {
        mailbox: MailboxName::parse(&exception.mailbox)?,
        key: hikyaku_core::Key(exception.message?),
        heading: exception.heading.clone(),
    };
    Some((exception, wanted))
}

/// ④, as it is still kept or as it was typed.
async fn secret(
    who: &SignedIn,
    job: &Job,
    fields: &Fields,
) -> Result<Result<Secret, Wrong>, Fault> {
    if job.has_secrets
        && fields.text("source_password").is_empty()
        && let Some(secret) = who.jobs().secrets(job.id).await?.source
    {
        return Ok(Ok(secret));
    }
    let missing = a::password_missing(who.lang);
    Ok(password::read(
        fields,
        "source_password",
        "④",
        missing,
        who.lang,
    ))
}

fn send(read: Read, name: &str) -> Answer {
    let response = Response::builder()
        .header(CONTENT_TYPE, "message/rfc822")
        .header(CONTENT_LENGTH, read.octets)
        .header(CONTENT_DISPOSITION, attachment(name))
        .body(Body::from_stream(read.chunks));
    response.map_err(|_| Rejection::Fault(Fault::bug("a message has no head")))
}

/// RFC 6266: the name in ASCII for what is old, and in UTF-8 (RFC 8187) for everything else. The name holds letters,
/// digits, `-`, `_` and `.` only.
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii() { c } else { '_' })
        .collect();
    let mut full = String::new();
    for octet in name.bytes() {
        match octet {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => {
                full.push(char::from(octet))
            }
            _ => full.push_str(&format!("%{octet:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

fn refuse_for(who: &SignedIn, job: &Job, fault: &Fault) -> Answer {
    let told = f::tell(fault, who.lang);
    refuse(who, job, told.cause, told.remedy, Some(fault.code.short()))
}

fn refuse(
    who: &SignedIn,
    job: &Job,
    cause: String,
    remedy: String,
    code: Option<&'static str>,
) -> Answer {
    let view = View {
        page: who,
        job,
        cause,
        remedy,
        code,
    };
    who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::sample;
    use hikyaku_core::Code;
    use hikyaku_core::report::Report;

    #[test]
    fn a_file_name_survives_every_browser() {
        assert_eq!(
            attachment("a-7.eml"),
            "attachment; filename=\"a-7.eml\"; filename*=UTF-8''a-7.eml"
        );
        assert_eq!(
            attachment("請求-7.eml"),
            "attachment; filename=\"__-7.eml\"; filename*=UTF-8''%E8%AB%8B%E6%B1%82-7.eml"
        );
    }

    #[test]
    fn only_messages_that_were_not_copied_are_handed_out() {
        let mut vanished = sample::exception(Code::MessageUnreadable, "a", 3, "x");
        vanished.outcome = Some(Outcome::Vanished);
        let mut folder = sample::exception(Code::MailboxUnreadable, "b", 4, "x");
        folder.key = None;
        let report = Report {
            exceptions: vec![
                sample::exception(Code::MessageRefused, "受信/a", 9, "件名"),
                vanished,
                folder,
            ],
            ..sample::complete()
        };
        let job = sample::ended(&report);
        let (_, first) = wanted(&job, 0).expect("the first");
        assert_eq!(
            (first.mailbox.to_string().as_str(), first.key.0),
            ("受信/a", 9)
        );
        assert_eq!(
            first.heading.and_then(|h| h.subject).as_deref(),
            Some("件名")
        );
        for place in [1, 2, 3, usize::MAX] {
            assert!(wanted(&job, place).is_none(), "{place}");
        }
        let mut running = job;
        running.state = crate::job::State::Copying;
        assert!(wanted(&running, 0).is_none());
    }
}
