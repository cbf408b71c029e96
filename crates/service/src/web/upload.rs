//! S0, second choice: a file of the person's computer is uploaded part by part, then looked into, then ordered.
//!
//! `POST /uploads` begins one or finds what is there of it, `PUT /uploads/{id}/data?at=N` adds a part, `GET
//! /uploads/{id}/held` says how much is there: these three speak JSON with the script of the page. The rest are pages. A
//! part is no form: the check of changing requests lets it pass with the page's token in a header ([`TOKEN`]).
//!
//! Without the script the form brings the whole file at once (`plain.rs`).

mod order;
mod parts;
mod plain;
mod screens;

pub(crate) use plain::{is_announced, is_plain};

use super::{Answer, App, Fields, Rejection, SignedIn, csrf};
use crate::job::{Job, Kind, State, UploadId};
use crate::uploads::{MOST_AT_ONCE, Refusal, Upload, Uploads, Wanted};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use hikyaku_text::page::upload as t;
use hikyaku_text::{Count, Lang, Size};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The header that brings the page's token along with a part of a file.
pub(crate) const TOKEN: &str = "x-hikyaku-token";

/// Parts that come at once, for everybody together: so much memory they take.
static PARTS: Semaphore = Semaphore::const_new(16);

/// How long a part may take to arrive.
const PATIENCE: Duration = Duration::from_secs(50);

/// How long somebody is told to wait when all are busy.
const BUSY: Duration = Duration::from_secs(2);

/// The addresses of uploads.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/upload", get(screens::choose))
        .route("/uploads", post(begin))
        .route("/uploads/plain", post(plain::send))
        .route("/uploads/{id}", get(screens::found).post(order::send))
        .route("/uploads/{id}/held", get(held))
        .route("/uploads/{id}/data", put(add))
        .route("/uploads/{id}/remove", post(remove))
}

/// Whether a request brings a part of a file.
pub(crate) fn is_chunk(method: &Method, address: &Uri) -> bool {
    let path = address.path().strip_prefix("/uploads/");
    *method == Method::PUT && path.is_some_and(|path| path.ends_with("/data"))
}

/// Whether a job may give its upload to another one: it stands still, and never began.
pub(crate) fn is_replaceable(job: &Job) -> bool {
    let stands = matches!(job.state, State::Ready | State::Stopped);
    stands && job.started_millis.is_none() && job.kind == Kind::Copy
}

/// Whether this is the token of the page that was shown.
fn is_of_page(who: &SignedIn, token: &str) -> bool {
    csrf::are_equal(token, &who.csrf)
}

fn uploads(who: &SignedIn) -> Result<Uploads, Rejection> {
    who.app.uploads().cloned().ok_or(Rejection::NotFound)
}

fn id(text: &str) -> Result<UploadId, Rejection> {
    text.parse().map_err(|_| Rejection::NotFound)
}

/// `POST /uploads`.
async fn begin(who: SignedIn, fields: Fields) -> Answer {
    let uploads = uploads(&who)?;
    who.app.limits().upload(who.client, &who.owner)?;
    let number = |name: &str| fields.text(name).parse().map_err(|_| Rejection::Malformed);
    let name = fields.text("name");
    if name.is_empty() {
        return Err(Rejection::Malformed);
    }
    let wanted = Wanted {
        name: name.to_owned(),
        octets: number("octets")?,
        modified: i64::try_from(number("modified")?).map_err(|_| Rejection::Malformed)?,
        fresh: fields.has("fresh"),
        most: who.plan().max_upload_octets,
    };
    let begun = uploads.begin(&who.owner, wanted).await;
    if begun.as_ref().is_ok_and(|upload| upload.held == 0) {
        who.app
            .audit(&who.owner, "upload.begin", who.client)
            .await?;
    }
    tell(begun, who.lang)
}

/// `GET /uploads/{id}/held`.
async fn held(who: SignedIn, Path(text): Path<String>) -> Answer {
    let found = uploads(&who)?.find(&who.owner, id(&text)?).await;
    tell(found, who.lang)
}

/// `PUT /uploads/{id}/data?at=N`.
async fn add(
    who: SignedIn,
    Path(text): Path<String>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let (uploads, id) = (uploads(&who)?, id(&text)?);
    let query = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let at: u64 = query.text("at").parse().map_err(|_| Rejection::Malformed)?;
    // Before anything is taken in: whoever may not, sends for nothing.
    if let Err(refusal) = uploads.find(&who.owner, id).await {
        return tell(Err(refusal), who.lang);
    }
    let _seat = PARTS.try_acquire().map_err(|_| Rejection::TooOften(BUSY))?;
    let octets = tokio::time::timeout(PATIENCE, to_bytes(body, MOST_AT_ONCE)).await;
    let octets = octets.map_err(|_| Rejection::TookTooLong)?;
    let octets = octets.map_err(|_| Rejection::TooLarge)?;
    tell(uploads.put(&who.owner, id, at, octets).await, who.lang)
}

/// `POST /uploads/{id}/remove`.
async fn remove(who: SignedIn, Path(text): Path<String>) -> Answer {
    match uploads(&who)?.remove(&who.owner, id(&text)?).await {
        Ok(()) => {
            who.app
                .audit(&who.owner, "upload.remove", who.client)
                .await?;
            Ok(Redirect::to("/upload").into_response())
        }
        Err(refusal) => Err(rejection(refusal)),
    }
}

/// A refusal as a page.
fn rejection(refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::Unknown => Rejection::NotFound,
        Refusal::TooLarge(_) => Rejection::TooLarge,
        Refusal::Fault(fault) => Rejection::Fault(fault),
        _ => Rejection::NotPossible,
    }
}

/// What the script is told.
fn tell(done: Result<Upload, Refusal>, lang: Lang) -> Answer {
    let refusal = match done {
        Ok(upload) => {
            let told = serde_json::json!({
                "id": upload.record.id,
                "held": upload.held,
                "octets": upload.record.octets,
            });
            return Ok(Json(told).into_response());
        }
        Err(refusal) => refusal,
    };
    if let Refusal::Offset(held) = refusal {
        let told = serde_json::json!({ "reason": "offset", "held": held });
        return Ok((StatusCode::CONFLICT, Json(told)).into_response());
    }
    let (status, reason, error) = told(&refusal, lang);
    let told = serde_json::json!({ "reason": reason, "error": error });
    let answer: Response = (status, Json(told)).into_response();
    Ok(answer)
}

/// A refusal: its status, its name for the script, and a sentence.
fn told(refusal: &Refusal, lang: Lang) -> (StatusCode, &'static str, String) {
    match refusal {
        Refusal::Unknown => (StatusCode::NOT_FOUND, "unknown", t::gone(lang)),
        Refusal::Empty => (StatusCode::UNPROCESSABLE_ENTITY, "empty", t::empty(lang)),
        Refusal::TooLarge(most) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            t::too_large(Size(*most), lang),
        ),
        Refusal::TooMuch(most) => (
            StatusCode::CONFLICT,
            "too_much",
            t::too_much(Size(*most), lang),
        ),
        Refusal::TooMany(most) => (
            StatusCode::CONFLICT,
            "too_many",
            t::too_many(Count(u64::from(*most)), lang),
        ),
        Refusal::NoRoom => (
            StatusCode::INSUFFICIENT_STORAGE,
            "no_room",
            t::no_room(lang),
        ),
        Refusal::Other => (StatusCode::CONFLICT, "other", t::other(lang)),
        Refusal::Taken => (StatusCode::CONFLICT, "taken", t::taken(lang)),
        Refusal::Offset(_) => (StatusCode::CONFLICT, "offset", t::broken(lang)),
        Refusal::Fault(fault) => {
            tracing::error!(code = %fault.code, "an upload failed: {}", fault.detail);
            (StatusCode::INTERNAL_SERVER_ERROR, "broken", t::broken(lang))
        }
    }
}
