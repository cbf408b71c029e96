//! Cookies: read from a request, written so that only this site's own requests carry them.

use super::App;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::AppendHeaders;
use cookie::{Cookie, SameSite};

/// The value of a cookie that was sent.
pub(crate) fn sent(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
}

/// A cookie of this site that ends with the browser.
pub(crate) fn passing(app: &App, name: &str, value: &str) -> Cookie<'static> {
    let cookie = Cookie::build((name.to_owned(), value.to_owned()));
    let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax);
    cookie.secure(app.is_https()).build()
}

/// A cookie of this site that stays for so many seconds; none at all takes it away.
pub(crate) fn kept(app: &App, name: &str, value: &str, seconds: i64) -> Cookie<'static> {
    let mut cookie = passing(app, name, value);
    cookie.set_max_age(cookie::time::Duration::seconds(seconds));
    cookie
}

/// The headers that set cookies.
pub(crate) fn set<const N: usize>(
    cookies: [Cookie<'static>; N],
) -> AppendHeaders<[(axum::http::HeaderName, HeaderValue); N]> {
    // Names and values are ours: digits, letters and dashes.
    AppendHeaders(cookies.map(|cookie| {
        let value = HeaderValue::try_from(cookie.to_string());
        (SET_COOKIE, value.unwrap_or(HeaderValue::from_static("")))
    }))
}
