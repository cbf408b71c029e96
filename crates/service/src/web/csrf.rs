//! What every change has to bring along: the token of a page that was shown, from this site, as a small form.
//!
//! The check stands in front of the router, so that no route can forget it.

use super::fields::{self, Fields};
use super::{Page, Rejection, upload};
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// The token that forms carry, made of the one in the cookie: whoever cannot read the cookie cannot know it, and it holds
/// as long as the cookie does, whatever happens to this process.
pub(crate) fn token_of(cookie: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"hikyaku csrf\0")
        .chain_update(cookie)
        .finalize();
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Lets reading pass, and changes with what they have to bring along.
pub(crate) async fn check(page: Page, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let verified = match (request.method(), request.uri()) {
        (method, address) if upload::is_chunk(method, address) => verified_chunk(&page, request),
        (method, address) if upload::is_plain(method, address) => verified_file(&page, request),
        _ => verified(&page, request).await,
    };
    match verified {
        Ok(request) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

async fn verified(page: &Page, request: Request) -> Result<Request, Rejection> {
    let (mut parts, body) = request.into_parts();
    if !is_form(&parts.headers) {
        return Err(Rejection::NotAForm);
    }
    if !is_own(&parts.headers, page.app.config().public_url.as_deref()) {
        return Err(Rejection::Foreign);
    }
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > fields::MOST_OCTETS as u64) {
        return Err(Rejection::TooLarge);
    }
    let body = tokio::time::timeout(PATIENCE, fields::collect(body)).await;
    let body = body.map_err(|_| Rejection::TookTooLong)??;
    let fields = Fields::parse(&body).ok_or(Rejection::Malformed)?;
    if !are_equal(fields.text("csrf"), &page.csrf) {
        return Err(Rejection::Foreign);
    }
    parts.extensions.insert(fields);
    Ok(Request::from_parts(parts, Body::empty()))
}

/// A part of a file is no form: it brings the token along in a header, which no form of another site can set.
fn verified_chunk(page: &Page, request: Request) -> Result<Request, Rejection> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text(CONTENT_TYPE.as_str()) != Some("application/octet-stream") {
        return Err(Rejection::NotAForm);
    }
    let is_own = is_own(headers, page.app.config().public_url.as_deref());
    match is_own && are_equal(text(upload::TOKEN).unwrap_or_default(), &page.csrf) {
        true => Ok(request),
        false => Err(Rejection::Foreign),
    }
}

/// A form with a file: nothing of it is read here. Its token is its first field, which whoever takes it in checks before
/// anything else.
fn verified_file(page: &Page, request: Request) -> Result<Request, Rejection> {
    let headers = request.headers();
    if !upload::is_announced(headers) {
        return Err(Rejection::NotAForm);
    }
    match is_own(headers, page.app.config().public_url.as_deref()) {
        true => Ok(request),
        false => Err(Rejection::Foreign),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Whether the browser says that the form stood on a page of this site. Old browsers say nothing; the token decides then.
fn is_own(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return true;
    };
    match public_url {
        Some(url) => origin.eq_ignore_ascii_case(url),
        None => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(HOST.as_str())
        }
    }
}

/// Compares in a time that depends on the length alone.
pub(crate) fn are_equal(a: &str, b: &str) -> bool {
    let differences = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = value.parse().expect("a value");
            (axum::http::HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    #[test]
    fn only_forms_of_this_site_are_taken() {
        let public = Some("https://mail.example.jp");
        for (sent, public, own) in [
            (&[][..], public, true),
            (&[("origin", "https://mail.example.jp")], public, true),
            (&[("origin", "https://MAIL.example.jp")], public, true),
            (&[("origin", "http://mail.example.jp")], public, false),
            (
                &[("origin", "https://mail.example.jp.evil.example")],
                public,
                false,
            ),
            (&[("origin", "https://evil.example")], public, false),
            (&[("origin", "null")], public, false),
            (&[("origin", "")], public, false),
            (&[("sec-fetch-site", "same-origin")], public, true),
            (&[("sec-fetch-site", "none")], public, true),
            (&[("sec-fetch-site", "same-site")], public, false),
            (&[("sec-fetch-site", "cross-site")], public, false),
            (
                &[
                    ("origin", "https://mail.example.jp"),
                    ("sec-fetch-site", "cross-site"),
                ],
                public,
                false,
            ),
            (
                &[
                    ("origin", "http://127.0.0.1:8080"),
                    ("host", "127.0.0.1:8080"),
                ],
                None,
                true,
            ),
            (
                &[
                    ("origin", "http://evil.example"),
                    ("host", "127.0.0.1:8080"),
                ],
                None,
                false,
            ),
            (
                &[("origin", "null"), ("host", "127.0.0.1:8080")],
                None,
                false,
            ),
            (&[("origin", "http://127.0.0.1:8080")], None, false),
        ] {
            assert_eq!(is_own(&headers(sent), public), own, "{sent:?} {public:?}");
        }
    }

    #[test]
    fn only_forms_are_forms() {
        for (kind, form) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true),
            ("text/plain", false),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            assert_eq!(is_form(&headers(&[("content-type", kind)])), form, "{kind}");
        }
        assert!(!is_form(&headers(&[])));
    }

    #[test]
    fn tokens_are_compared_as_a_whole() {
        let token = token_of("cookie");
        assert_eq!(token.len(), 64);
        assert!(are_equal(&token, &token_of("cookie")));
        for other in [
            "",
            "cookie",
            &token[1..],
            &format!("{token}0"),
            &token_of("cookie2"),
        ] {
            assert!(!are_equal(&token, other), "{other}");
        }
    }
}
