//! What strangers, other customers and forged requests get from each address.

use super::site::{Browser, CANARY, HANAKO, HANDOVER_KEY, Reply, SOURCE_CANARY, Site, TARO};
use crate::config::Attempts;
use crate::job::{Checked, State};
use crate::web::{HandOver, sign};
use axum::body::Body;
use axum::http::StatusCode;
use hikyaku_core::traits::Clock;
use hikyaku_net::Secret;
use std::time::Duration;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const OWN: &str = "https://mail.example.jp";

/// Pages for everybody.
const OPEN: &[&str] = &[
    "/",
    "/signin",
    "/help",
    "/help/A201",
    "/help/a201",
    "/help/login.rejected",
];

/// Pages of somebody.
const OWNED: &[&str] = &["/copy", "/jobs"];

/// Pages of a job.
const OF_JOB: &[&str] = &[
    "",
    "/accepted",
    "/events",
    "/cancel",
    "/report",
    "/report.csv",
    "/again",
    "/undo",
    "/erase",
];

/// Changes of a job.
const CHANGES: &[&str] = &[
    "/accept",
    "/change",
    "/start",
    "/pause",
    "/resume",
    "/cancel",
    "/proceed",
    "/schedule",
    "/message",
    "/again",
    "/undo",
    "/erase",
];

/// Changes without a job.
const POSTS: &[&str] = &["/signin", "/signout", "/lang", "/copy"];

/// Every header that a page has, whatever it says.
fn assert_guarded(reply: &Reply, what: &str) {
    let policy = reply.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(reply.header(name), value, "{what}: {name}");
    }
    assert!(!reply.header("permissions-policy").is_empty(), "{what}");
    for forbidden in ["<script>", "style=", "onclick", "javascript:"] {
        assert!(!reply.body.contains(forbidden), "{what}: {forbidden}");
    }
    assert!(
        reply.body.len() <= 50_000,
        "{what}: {} octets",
        reply.body.len()
    );
}

pub(super) async fn raw(
    browser: &mut Browser<'_>,
    path: &str,
    kind: &str,
    origin: &str,
    body: impl Into<Body>,
) -> Reply {
    let request = browser
        .request("POST", path)
        .header("content-type", kind)
        .header("origin", origin);
    browser
        .send(request.body(body.into()).expect("a request"))
        .await
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_not_theirs() {
    let site = Site::new().await;
    let id = site
        .checked_job(TARO, Checked::default(), State::Ready)
        .await;
    let mut stranger = site.browser();
    let mut other = site.signed_in(HANAKO).await;
    for path in OPEN {
        let reply = stranger.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_guarded(&reply, path);
        assert!(!other.get(path).await.body.contains(TARO), "{path}");
    }
    for path in OWNED {
        let reply = stranger.get(path).await;
        let there = format!("/signin?next={path}");
        assert_eq!(
            (reply.status, reply.location()),
            (StatusCode::SEE_OTHER, there.as_str()),
            "{path}"
        );
        assert_guarded(&reply, path);
    }
    let pages = OF_JOB.iter().map(|path| (path, false));
    for (path, is_change) in pages.chain(CHANGES.iter().map(|path| (path, true))) {
        let (page, path) = (format!("/jobs/{id}"), format!("/jobs/{id}{path}"));
        let (strangers, others, back) = match is_change {
            true => (
                stranger.post(&path, &[]).await,
                other.post(&path, &[]).await,
                page,
            ),
            false => (
                stranger.get(&path).await,
                other.get(&path).await,
                path.clone(),
            ),
        };
        let there = format!("/signin?next={back}");
        assert_eq!(
            (strangers.status, strangers.location()),
            (StatusCode::SEE_OTHER, there.as_str()),
            "{path}"
        );
        assert_eq!(others.status, StatusCode::NOT_FOUND, "{path}");
        assert_guarded(&others, &path);
        assert!(!others.body.contains(TARO), "{path}");
    }
    for path in [
        "/jobs/",
        "/jobs/x",
        "/jobs/../copy",
        "/nothing",
        "/static/../Cargo.toml",
        "/static/none.css",
        "/mail",
        "/help/X999",
    ] {
        assert_eq!(
            other.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let job = site
        .jobs
        .job(&super::site::owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(job.state, State::Ready);
    assert_eq!((site.count(TARO).await, site.count(HANAKO).await), (1, 0));
}

#[tokio::test]
async fn a_change_needs_the_token_of_a_page_of_this_site() {
    let site = Site::new().await;
    let id = site
        .checked_job(TARO, Checked::default(), State::Ready)
        .await;
    let mut taro = site.signed_in(TARO).await;
    let hanako = site.signed_in(HANAKO).await;
    let own = taro.csrf();
    let secret = format!("&password={CANARY}&source_password={SOURCE_CANARY}&csrf={own}");
    let mut paths: Vec<String> = POSTS.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(CHANGES.iter().map(|path| format!("/jobs/{id}{path}")));
    // An address without such a change is no way round.
    paths.push("/help".to_owned());
    for path in &paths {
        let large = format!("a={}{secret}", "x".repeat(70_000));
        let cases: Vec<(&str, &str, &str, String, StatusCode)> = vec![
            (
                "no token",
                FORM,
                OWN,
                format!("password={CANARY}"),
                StatusCode::FORBIDDEN,
            ),
            (
                "an empty token",
                FORM,
                OWN,
                "csrf=".to_owned(),
                StatusCode::FORBIDDEN,
            ),
            (
                "a wrong token",
                FORM,
                OWN,
                format!("csrf={}", "0".repeat(64)),
                StatusCode::FORBIDDEN,
            ),
            (
                "another's token",
                FORM,
                OWN,
                format!("csrf={}", hanako.csrf()),
                StatusCode::FORBIDDEN,
            ),
            (
                "another site",
                FORM,
                "https://evil.example",
                format!("a=b{secret}"),
                StatusCode::FORBIDDEN,
            ),
            (
                "no site",
                FORM,
                "null",
                format!("a=b{secret}"),
                StatusCode::FORBIDDEN,
            ),
            (
                "another scheme",
                FORM,
                "http://mail.example.jp",
                format!("a=b{secret}"),
                StatusCode::FORBIDDEN,
            ),
            (
                "JSON",
                "application/json",
                OWN,
                format!("{{\"csrf\":\"{own}\"}}"),
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            (
                "plain text",
                "text/plain",
                OWN,
                format!("a=b{secret}"),
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            ("too large", FORM, OWN, large, StatusCode::PAYLOAD_TOO_LARGE),
            (
                "a broken escape",
                FORM,
                OWN,
                format!("a=%zz{secret}"),
                StatusCode::BAD_REQUEST,
            ),
            (
                "not UTF-8",
                FORM,
                OWN,
                format!("a=%ff{secret}"),
                StatusCode::BAD_REQUEST,
            ),
        ];
        for (what, kind, origin, body, status) in cases {
            let reply = raw(&mut taro, path, kind, origin, body).await;
            assert_eq!(reply.status, status, "{path}: {what}");
            assert_guarded(&reply, &format!("{path}: {what}"));
        }
        for method in ["PUT", "DELETE", "PATCH"] {
            let request = taro
                .request(method, path)
                .body(Body::empty())
                .expect("a request");
            assert_eq!(
                taro.send(request).await.status,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "{method} {path}"
            );
            let request = taro.request(method, path).header("content-type", FORM);
            let request = request
                .body(Body::from(format!("csrf={own}")))
                .expect("a request");
            assert_eq!(
                taro.send(request).await.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
    let reply = taro.post("/help", &[]).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    let job = site
        .jobs
        .job(&super::site::owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(job.state, State::Ready);
    assert_eq!(site.count(TARO).await, 1);
    assert_eq!(
        taro.get("/copy").await.status,
        StatusCode::OK,
        "still signed in"
    );
    site.never_said(CANARY);
    site.never_said(SOURCE_CANARY);
}

#[tokio::test]
async fn a_session_is_new_at_sign_in_and_ends() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let reply = browser.get("/signin").await;
    let set = reply.header("set-cookie");
    for part in [
        "__Host-hikyaku=",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Secure",
        "; Path=/",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let planted = browser.cookies.clone();
    browser
        .post("/signin", &[("address", TARO), ("password", CANARY)])
        .await;
    assert_ne!(browser.cookies, planted, "a known token would be signed in");
    let mut thief = site.browser();
    thief.cookies = planted;
    assert_eq!(thief.get("/copy").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/copy").await.status, StatusCode::OK);
    // A cookie that somebody made up is not taken over.
    let mut forged = site.browser();
    forged
        .cookies
        .insert("__Host-hikyaku".to_owned(), "known".to_owned());
    forged.get("/signin").await;
    assert_ne!(forged.cookies["__Host-hikyaku"], "known");

    let mut old = browser.clone();
    browser.post("/signout", &[]).await;
    assert_eq!(
        old.get("/copy").await.status,
        StatusCode::SEE_OTHER,
        "signed out everywhere with this token"
    );

    let mut idle = site.signed_in(TARO).await;
    site.clock.forward(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(idle.get("/copy").await.status, StatusCode::OK);
    site.clock.forward(Duration::from_secs(2 * 3600 + 1));
    assert_eq!(
        idle.get("/copy").await.status,
        StatusCode::SEE_OTHER,
        "idle for two hours"
    );

    let mut busy = site.signed_in(TARO).await;
    for _ in 0..11 {
        site.clock.forward(Duration::from_secs(3600));
        assert_eq!(busy.get("/copy").await.status, StatusCode::OK);
    }
    site.clock.forward(Duration::from_secs(3600));
    assert_eq!(
        busy.get("/copy").await.status,
        StatusCode::SEE_OTHER,
        "twelve hours are all"
    );
}

#[tokio::test]
async fn only_a_fresh_token_of_the_panel_hands_over() {
    let site = Site::new().await;
    let key = Secret::from(HANDOVER_KEY);
    let now = site.clock.unix_millis() / 1000;
    let good = |nonce: &str| HandOver {
        brand: crate::brand::BUILTIN.to_owned(),
        plan: "standard".to_owned(),
        address: TARO.to_owned(),
        expires: now + 60,
        nonce: nonce.to_owned(),
    };
    let token = sign(&good("n1"), &key);
    let mut browser = site.browser();
    let reply = browser.get(&format!("/handover?token={token}")).await;
    assert_eq!(
        (reply.status, reply.location()),
        (StatusCode::SEE_OTHER, "/copy")
    );
    let page = browser.get("/copy").await;
    assert!(page.body.contains(TARO) && !page.body.contains(&token));
    // Without a login of the brand, ① is asked for all the same.
    assert!(page.body.contains("name=\"password\""));

    let cases = [
        ("replayed", token),
        (
            "forged",
            sign(
                &good("n2"),
                &Secret::from("another key of thirty-two octets"),
            ),
        ),
        (
            "expired",
            sign(
                &HandOver {
                    expires: now - 1,
                    ..good("n3")
                },
                &key,
            ),
        ),
        (
            "too long",
            sign(
                &HandOver {
                    expires: now + 301,
                    ..good("n4")
                },
                &key,
            ),
        ),
        (
            "another brand",
            sign(
                &HandOver {
                    brand: "other".to_owned(),
                    ..good("n5")
                },
                &key,
            ),
        ),
        (
            "another plan",
            sign(
                &HandOver {
                    plan: "other".to_owned(),
                    ..good("n6")
                },
                &key,
            ),
        ),
        (
            "no address",
            sign(
                &HandOver {
                    address: "x\r\ny".to_owned(),
                    ..good("n7")
                },
                &key,
            ),
        ),
        ("nothing", String::new()),
    ];
    for (what, token) in cases {
        let mut browser = site.browser();
        let reply = browser.get(&format!("/handover?token={token}")).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{what}");
        assert_guarded(&reply, what);
        assert_eq!(
            browser.get("/copy").await.status,
            StatusCode::SEE_OTHER,
            "{what}"
        );
    }
}

#[tokio::test]
async fn guessing_is_slow() {
    let few = Attempts {
        per_address: 6,
        per_account: 3,
        per_source_account: 2,
        per_source_host: 100,
    };
    let site = Site::with(|_, config| config.attempts = few).await;
    let mut browser = site.browser();
    browser.get("/signin").await;
    for _ in 0..3 {
        let reply = browser
            .post("/signin", &[("address", TARO), ("password", "wrong")])
            .await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    // Not even the right one: otherwise guessing would go on in the dark.
    let reply = browser
        .post("/signin", &[("address", TARO), ("password", CANARY)])
        .await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        reply
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
    assert_guarded(&reply, "too often");
    assert!(
        reply.body.contains("しばらく") || reply.body.contains("約"),
        "{}",
        reply.body
    );
    let logins = site.server.transcript();
    assert!(!format!("{logins:?}").contains(CANARY));
    assert_eq!(site.count(TARO).await, 0);
}
