//! What cannot be done, as a page that says why and what to do next.

use super::Page;
use super::fields::MOST_OCTETS;
use crate::jobs::JobError;
use askama::Template;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use futures::FutureExt;
use hikyaku_core::{Code, Fault};
use hikyaku_text::page as f;
use hikyaku_text::{About, Size};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How long an answer may take to begin.
const LONGEST: Duration = Duration::from_secs(60);

/// What a handler gives.
pub(crate) type Answer = Result<Response, Rejection>;

/// Why a request is not answered with what was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Rejection {
    /// Nothing is there, or it is somebody else's: nobody can tell which.
    NotFound,
    /// Nobody is signed in; the path to come back to.
    SignIn(String),
    /// The request does not come from a page that was shown, or from one that was shown long ago.
    Foreign,
    /// The body is too large.
    TooLarge,
    /// The body is not a form.
    NotAForm,
    /// The body cannot be read.
    Malformed,
    /// Too many tries; how long to wait.
    TooOften(Duration),
    /// The job is not in a state in which this could be done.
    NotPossible,
    /// It took too long.
    TookTooLong,
    /// Something is wrong that the person did not cause.
    Fault(Fault),
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        Rejection::Fault(fault)
    }
}

impl From<JobError> for Rejection {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Unknown => Rejection::NotFound,
            JobError::State(_) | JobError::SecretsNeeded => Rejection::NotPossible,
            JobError::Fault(fault) => Rejection::Fault(fault),
        }
    }
}

impl Rejection {
    fn status(&self) -> StatusCode {
        match self {
            Rejection::NotFound => StatusCode::NOT_FOUND,
            Rejection::SignIn(_) => StatusCode::SEE_OTHER,
            Rejection::Foreign => StatusCode::FORBIDDEN,
            Rejection::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Rejection::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Rejection::Malformed => StatusCode::BAD_REQUEST,
            Rejection::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Rejection::NotPossible => StatusCode::CONFLICT,
            Rejection::TookTooLong => StatusCode::SERVICE_UNAVAILABLE,
            Rejection::Fault(fault) if fault.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Rejection::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Heading and hint.
    fn words(&self, page: &Page) -> (String, String) {
        let lang = page.lang;
        match self {
            Rejection::NotFound | Rejection::SignIn(_) => {
                (f::not_found(lang), f::not_found_hint(lang))
            }
            Rejection::Foreign => (f::page_expired(lang), f::page_expired_hint(lang)),
            Rejection::TooLarge => (
                f::too_large(lang),
                f::too_large_hint(Size(MOST_OCTETS as u64), lang),
            ),
            Rejection::NotAForm | Rejection::Malformed => {
                (f::not_understood(lang), f::not_understood_hint(lang))
            }
            Rejection::TooOften(wait) => {
                (f::too_often(lang), f::too_often_hint(About(*wait), lang))
            }
            Rejection::NotPossible => (f::not_possible(lang), f::not_possible_hint(lang)),
            Rejection::TookTooLong => (f::took_too_long(lang), f::took_too_long_hint(lang)),
            Rejection::Fault(_) => (f::broken(lang), f::broken_hint(lang)),
        }
    }
}

impl IntoResponse for Rejection {
    /// Status alone: [`frame`] writes the page, which needs a language.
    fn into_response(self) -> Response {
        if let Rejection::SignIn(back) = &self {
            let mut query = String::from("/signin?next=");
            for octet in back.bytes() {
                match octet {
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'/' => {
                        query.push(char::from(octet));
                    }
                    _ => query.push_str(&format!("%{octet:02X}")),
                }
            }
            return Redirect::to(&query).into_response();
        }
        let mut response = self.status().into_response();
        if let Rejection::TooOften(wait) = &self {
            let seconds = wait.as_secs().max(1);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Whatever has no route.
pub(crate) async fn not_found() -> Rejection {
    Rejection::NotFound
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    page: &'a Page,
    heading: String,
    hint: String,
    code: Option<&'static str>,
}

/// Writes the page of whatever was rejected, by a handler or by the router itself; a panic becomes one too, and spares
/// the other requests.
pub(crate) async fn frame(page: Page, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match tokio::time::timeout(LONGEST, answering).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Rejection::Fault(Fault::bug("a request ended in a panic")).into_response(),
        Err(_) => Rejection::TookTooLong.into_response(),
    };
    let rejection = match response.extensions().get::<Rejection>() {
        Some(rejection) => rejection.clone(),
        None if response.headers().contains_key(CONTENT_TYPE)
            && !response.status().is_client_error() =>
        {
            return response;
        }
        // The router's own answers are a bare status or a line of English.
        None => match response.status() {
            StatusCode::NOT_FOUND => Rejection::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Rejection::NotPossible,
            StatusCode::REQUEST_TIMEOUT => Rejection::TookTooLong,
            StatusCode::BAD_REQUEST => Rejection::Malformed,
            _ => return response,
        },
    };
    if let Rejection::Fault(fault) = &rejection {
        // Without the query: it may hold a hand-over token.
        tracing::error!(path, code = %fault.code, "a request failed: {}", fault.detail);
    }
    let (heading, hint) = rejection.words(&page);
    let code = match &rejection {
        Rejection::Fault(fault) if fault.code != Code::Bug => Some(fault.code.short()),
        _ => None,
    };
    let template = Problem {
        page: &page,
        heading,
        hint,
        code,
    };
    let status = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
        _ => rejection.status(),
    };
    let text = template.render().unwrap_or_default();
    let mut written = (status, Html(text)).into_response();
    for kept in [RETRY_AFTER, ALLOW] {
        if let Some(value) = response.headers().get(&kept) {
            written.headers_mut().insert(kept, value.clone());
        }
    }
    written
}
