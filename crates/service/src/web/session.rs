//! Sessions: a random token in a cookie, its hash in the database.
//!
//! Everybody has a token, signed in or not: the forms of the sign-in are bound to it. Signing in makes a new one.

use super::{App, Page, cookies, csrf, lang, limits};
use crate::jobs::Owner;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, HOST, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;
use hikyaku_core::Fault;
use hikyaku_ledger::service::NewSession;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A session ends when it was not used for so long.
const IDLE_MILLIS: i64 = 2 * 3600 * 1000;

/// A session ends after so long, used or not.
const WHOLE_MILLIS: i64 = 12 * 3600 * 1000;

/// Its use is noted this often.
const NOTED_MILLIS: i64 = 60 * 1000;

/// Octets of a token.
const LENGTH: usize = 32;

/// What is kept of how somebody came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Identity of the account's plan.
    pub(crate) plan: String,
    /// Whether a control panel handed them over.
    #[serde(default)]
    pub(crate) handed_over: bool,
}

/// The cookie's name. The prefix binds it to this host and to TLS (RFC 6265bis §4.1.3.2).
fn name(app: &App) -> &'static str {
    match app.is_https() {
        true => "__Host-hikyaku",
        false => "hikyaku",
    }
}

fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; LENGTH]>())
}

fn hash(token: &str) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(b"hikyaku session\0")
        .chain_update(token)
        .finalize();
    digest.to_vec()
}

/// Makes the [`Page`] of a request.
pub(crate) async fn know(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    // Only what was made here: somebody may have put a short or known one there.
    let token = cookies::sent(headers, name(&app)).filter(|token| {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|octets| octets.len() == LENGTH)
    });
    let is_new = token.is_none();
    let token = token.unwrap_or_else(new_token);
    let now_millis = app.now_millis();
    let found = match is_new {
        true => None,
        false => find(&app, &token, now_millis)
            .await
            .unwrap_or_else(|fault| {
                tracing::error!(code = %fault.code, "sessions cannot be read: {}", fault.detail);
                None
            }),
    };
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let (owner, session) = found.unzip();
    let brand = match &owner {
        Some(Owner { brand, .. }) => brand.clone(),
        None => app.brands().at_host(without_port(host)).id.clone(),
    };
    let accept = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let page = Page {
        lang: lang::choose(cookies::sent(headers, lang::COOKIE).as_deref(), accept),
        brand,
        owner,
        session,
        csrf: csrf::token_of(&token),
        path: shown_path(request.uri()),
        client: client(&request, &app),
        now_millis,
        app: app.clone(),
    };
    request.extensions_mut().insert(page);
    let mut response = next.run(request).await;
    if is_new && !response.headers().contains_key(SET_COOKIE) {
        let cookie = cookies::passing(&app, name(&app), &token).to_string();
        if let Ok(value) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

async fn find(app: &App, token: &str, now_millis: i64) -> Result<Option<(Owner, Session)>, Fault> {
    let hash = hash(token);
    let Some(found) = app.sessions().find(&hash, now_millis).await? else {
        return Ok(None);
    };
    let is_known = app.brands().get(&found.session.tenant).is_some();
    let session = serde_json::from_str(&found.session.body).ok();
    if now_millis - found.seen > IDLE_MILLIS || !is_known || session.is_none() {
        app.sessions().end(&hash).await?;
        return Ok(None);
    }
    if now_millis - found.seen > NOTED_MILLIS {
        app.sessions().touch(&hash, now_millis).await?;
    }
    let owner = Owner {
        brand: found.session.tenant,
        address: found.session.owner,
    };
    Ok(session.map(|session| (owner, session)))
}

/// Begins a session under a new token, and ends the one before.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    owner: &Owner,
    session: &Session,
) -> Result<Cookie<'static>, Fault> {
    end(app, headers).await?;
    let (token, now_millis) = (new_token(), app.now_millis());
    let body = serde_json::to_string(session);
    let new = NewSession {
        hash: hash(&token),
        tenant: owner.brand.clone(),
        owner: owner.address.clone(),
        csrf: String::new(),
        body: body.map_err(|e| Fault::bug(format!("session: {e}")))?,
        expires: now_millis + WHOLE_MILLIS,
    };
    app.sessions().begin(new, now_millis).await?;
    Ok(cookies::passing(app, name(app), &token))
}

/// Ends the session of a request; the cookie gets a new token of nobody.
pub(crate) async fn end(app: &App, headers: &HeaderMap) -> Result<Cookie<'static>, Fault> {
    if let Some(token) = cookies::sent(headers, name(app)) {
        app.sessions().end(&hash(&token)).await?;
    }
    Ok(cookies::passing(app, name(app), &new_token()))
}

/// The page on which a form stood, by the address it was sent to.
pub(crate) fn page_of(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("jobs"), Some(id)) => format!("/jobs/{id}"),
        (Some("copy"), None) => "/copy".to_owned(),
        (Some("uploads"), _) => "/upload".to_owned(),
        _ => "/".to_owned(),
    }
}

/// Where the switch of the language comes back to. A hand-over is over once it was answered, and its token is in no page.
fn shown_path(address: &Uri) -> String {
    match address.path() {
        "/handover" => "/".to_owned(),
        path => address
            .path_and_query()
            .map_or(path, |path| path.as_str())
            .to_owned(),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Who is at the other end: what the connection says, or the last address in `X-Forwarded-For` that is not one of our
/// own proxies.
fn client(request: &Request, app: &App) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let lines = request.headers().get_all("x-forwarded-for").iter();
    let forwarded: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let proxies = &app.config().trusted_proxies;
    limits::client(peer, &forwarded, |address| {
        proxies.iter().any(|network| network.contains(address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_a_page() {
        for (path, page) in [
            ("/jobs/abc/pause", "/jobs/abc"),
            ("/jobs/abc", "/jobs/abc"),
            ("/copy", "/copy"),
            ("/copy/x", "/"),
            ("/signout", "/"),
            ("/", "/"),
        ] {
            assert_eq!(page_of(path), page, "{path}");
        }
        assert_eq!(without_port("mail.example.jp:8080"), "mail.example.jp");
        assert_eq!(without_port("mail.example.jp"), "mail.example.jp");
        assert_eq!(without_port("[::1]:80"), "[::1]");
        assert_eq!(hash("a").len(), 32);
        assert_ne!(hash("a"), hash("b"));
        assert_ne!(new_token(), new_token());
    }
}
