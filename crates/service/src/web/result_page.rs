//! S5: the result, and the ways on from there.

use super::form::{Wrong, one_time_token};
use super::job::own;
use super::passwords::{self, Passwords};
use super::progress_page::eyes;
use super::result::{Ended, ended};
use super::{Answer, Fields, Page, Rejection, SignedIn, later};
use crate::brand::Brand;
use crate::job::{Delivery, FinalRun, Job, Kind, State};
use crate::jobs::FINAL_RUN_MILLIS;
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use hikyaku_text::Day;
use hikyaku_text::page as f;
use hikyaku_text::page::again as a;
use hikyaku_text::page::form::wrong as w;
use hikyaku_text::page::result as t;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// One more run that is booked already.
struct Booked {
    words: String,
    address: String,
}

#[derive(Template)]
#[template(path = "result.html")]
struct View<'a> {
    page: &'a Page,
    job: &'a Job,
    ended: Ended,
    /// The fields of 続きから再開する; empty where the passwords are still kept.
    passwords: Option<Passwords>,
    /// The fields of the final run.
    booking: Option<Passwords>,
    may_wait_for_mx: bool,
    when: String,
    token: String,
    booked: Option<Booked>,
    save: Option<Passwords>,
    before: Option<String>,
    wrongs: Vec<Wrong>,
}

/// The brand that a job was ordered under.
pub(crate) fn brand_of<'a>(who: &'a SignedIn, job: &Job) -> &'a Brand {
    who.app
        .brands()
        .get(&job.order.brand)
        .unwrap_or(who.brand())
}

/// `GET /jobs/{id}` of a job that is over.
pub(crate) async fn show(who: &SignedIn, job: &Job) -> Answer {
    let view = view(who, job, None, Vec::new()).await?;
    who.show(&view)
}

async fn view<'a>(
    who: &'a SignedIn,
    job: &'a Job,
    fields: Option<&Fields>,
    wrongs: Vec<Wrong>,
) -> Result<View<'a>, Rejection> {
    let seen = ended(job, brand_of(who, job), eyes(who));
    let booked = match seen.ways.final_run {
        true => booked(who, job).await?,
        false => None,
    };
    let ways = seen.ways;
    let form = |wanted: bool| wanted.then(|| Passwords::of(who, job, fields, &wrongs));
    let delivery = job
        .checked
        .as_ref()
        .map_or(Delivery::Unknown, |checked| checked.delivery);
    let save = (seen.saves && !job.has_secrets).then(|| Passwords::of_source(who, job));
    Ok(View {
        page: who,
        job,
        passwords: form(ways.proceed && !job.has_secrets),
        booking: form(ways.final_run && booked.is_none()),
        may_wait_for_mx: delivery != Delivery::Here,
        when: fields
            .map(|fields| fields.trimmed("at").to_owned())
            .unwrap_or_default(),
        token: one_time_token(),
        booked,
        save,
        before: job
            .previous
            .filter(|_| job.kind == Kind::Undo)
            .map(|id| format!("/jobs/{id}")),
        ended: seen,
        wrongs,
    })
}

/// The final run that waits after this job.
async fn booked(who: &SignedIn, job: &Job) -> Result<Option<Booked>, Rejection> {
    let jobs = who.jobs().jobs(&who.owner).await?;
    let next = jobs
        .iter()
        .find(|next| next.previous == Some(job.id) && next.state == State::Scheduled);
    Ok(next.map(|next| {
        let day = Day(who.moment(next.begins_millis.unwrap_or(who.now_millis)));
        let words = match next.order.choices.final_run {
            Some(FinalRun::MxMoved) => a::final_run_is_mx(day, who.lang),
            _ => a::final_run_is_at(day, who.lang),
        };
        Booked {
            words,
            address: format!("/jobs/{}", next.id),
        }
    }))
}

/// `POST /jobs/{id}/proceed`: 続きから再開する.
pub(crate) async fn proceed(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = own(&who, &id).await?;
    // A second click finds it under way.
    if !job.state.is_over() {
        return later::back_to(job.id);
    }
    let mut secrets = None;
    if !job.has_secrets {
        let mut wrongs = Vec::new();
        secrets = passwords::read(&who, &job, &fields, &mut wrongs);
        if secrets.is_none() {
            let view = view(&who, &job, Some(&fields), wrongs).await?;
            return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
        }
    }
    later::may_try(&who, &job)?;
    who.jobs().proceed(&who.owner, job.id, secrets).await?;
    later::back_to(job.id)
}

/// `POST /jobs/{id}/schedule`: one more differential run by itself.
pub(crate) async fn schedule(who: SignedIn, Path(id): Path<String>, fields: Fields) -> Answer {
    let job = own(&who, &id).await?;
    let mut wrongs = Vec::new();
    let run = final_run(&fields, who.now_millis);
    if run.is_none() {
        wrongs.push(Wrong::at("at", a::final_run_when_wrong(who.lang)));
    }
    if !fields.has("consent") {
        wrongs.push(Wrong::at("consent", a::final_run_consent_missing(who.lang)));
    }
    let secrets = passwords::read(&who, &job, &fields, &mut wrongs);
    let (Some(run), Some(secrets), true) = (run, secrets, wrongs.is_empty()) else {
        let view = view(&who, &job, Some(&fields), wrongs).await?;
        return who.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    let token = later::token(&fields)?;
    later::may_try(&who, &job)?;
    let next = who
        .jobs()
        .schedule_again(&who.owner, job.id, run, secrets, token)
        .await?;
    later::back_to(next)
}

/// When it is to be: when the mail has moved, or at a time that is still to come and not too far away, in the zone of the
/// page.
fn final_run(fields: &Fields, now_millis: i64) -> Option<FinalRun> {
    if fields.text("when") == "mx" {
        return Some(FinalRun::MxMoved);
    }
    let moment: DateTime = fields.trimmed("at").parse().ok()?;
    let millis = moment
        .to_zoned(TimeZone::system())
        .ok()?
        .timestamp()
        .as_millisecond();
    let is_near = (now_millis..=now_millis.saturating_add(FINAL_RUN_MILLIS)).contains(&millis);
    is_near.then_some(FinalRun::At(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_run_is_within_thirty_days() {
        let zone = TimeZone::system();
        let now: DateTime = "2026-11-22T13:00".parse().expect("a time");
        let now = now
            .to_zoned(zone)
            .expect("a moment")
            .timestamp()
            .as_millisecond();
        let run = |body: &str| final_run(&Fields::parse(body.as_bytes()).expect("a form"), now);
        let minute = 60_000;
        assert_eq!(run("when=mx"), Some(FinalRun::MxMoved));
        assert_eq!(
            run("when=at&at=2026-11-22T13%3A01"),
            Some(FinalRun::At(now + minute))
        );
        assert_eq!(
            run("when=at&at=2026-12-22T12%3A59"),
            Some(FinalRun::At(now + FINAL_RUN_MILLIS - minute))
        );
        for wrong in [
            "",
            "when=at",
            "when=at&at=",
            "when=at&at=tomorrow",
            "when=at&at=2026-11-22T12%3A59",
            "when=at&at=2026-12-23T13%3A00",
            "when=at&at=2026-13-01T00%3A00",
            "when=at&at=9999-12-31T23%3A59",
        ] {
            assert_eq!(run(wrong), None, "{wrong}");
        }
    }
}
