//! What strangers, other customers, forged and odd requests get from the addresses of uploads, and the way to an order.

use super::security::{FORM, OWN};
use super::site::{Browser, CANARY, HANAKO, Reply, Site, TARO, owner};
use crate::job::{JobId, SourceKind, State};
use crate::uploads::MOST_AT_ONCE;
use crate::web::upload::TOKEN;
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::Value;

pub(super) const MBOX: &[u8] =
    b"From a@example.jp Mon Nov  2 00:00:00 2026\nFrom: a@example.jp\nSubject: 1\n\nText\n\n";

pub(super) fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{} {}", reply.status, reply.body))
}

pub(super) async fn begin(browser: &mut Browser<'_>, name: &str, octets: usize) -> String {
    let fields = [
        ("name", name),
        ("octets", &octets.to_string()),
        ("modified", "7"),
    ];
    let reply = browser.post("/uploads", &fields).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    json(&reply)["id"].as_str().expect("an id").to_owned()
}

/// A part of a file as the script of the page sends it.
pub(super) async fn put(browser: &mut Browser<'_>, id: &str, at: &str, octets: &[u8]) -> Reply {
    let token = browser.csrf();
    let request = browser
        .request("PUT", &format!("/uploads/{id}/data?at={at}"))
        .header("content-type", "application/octet-stream")
        .header("origin", OWN)
        .header(TOKEN, token)
        .body(Body::from(octets.to_vec()));
    browser.send(request.expect("a request")).await
}

#[tokio::test]
async fn an_upload_becomes_an_order() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let start = taro.get("/").await;
    assert!(start.body.contains("href=\"/upload\""), "{}", start.body);
    let id = begin(&mut taro, "受信 <b>.mbox", MBOX.len()).await;
    let half = put(&mut taro, &id, "0", &MBOX[..40]).await;
    assert_eq!(
        (half.status, json(&half)["held"].as_u64()),
        (StatusCode::OK, Some(40))
    );
    let held = taro.get(&format!("/uploads/{id}/held")).await;
    assert_eq!(json(&held)["held"], 40);
    let listed = taro.get("/upload").await;
    assert!(listed.body.contains("まで届いています"), "{}", listed.body);
    assert!(!listed.body.contains("<b>.mbox"), "names are text");
    assert!(listed.body.len() < 50_000);
    // It is not looked into before it is whole.
    let early = taro.get(&format!("/uploads/{id}")).await;
    assert_eq!(
        (early.status, early.location()),
        (StatusCode::SEE_OTHER, "/upload")
    );
    let again = begin(&mut taro, "受信 <b>.mbox", MBOX.len()).await;
    assert_eq!(again, id, "the same file goes on");
    let whole = put(&mut taro, &id, "40", &MBOX[40..]).await;
    assert_eq!(json(&whole)["held"], MBOX.len());

    let page = taro.get(&format!("/uploads/{id}")).await;
    assert!(page.body.contains("フォルダ1個・メール"), "{}", page.body);
    assert!(page.body.contains("1通"), "{}", page.body);
    let path = format!("/uploads/{id}");
    let wrong = taro
        .post(&path, &[("token", "t"), ("notify", "nobody")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("href=\"#password\"") && wrong.body.contains("href=\"#notify\""));
    assert_eq!(site.count(TARO).await, 0);
    let fields = [
        ("token", "t"),
        ("password", CANARY),
        ("notify", "hanako@example.com"),
    ];
    let sent = taro.post(&path, &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let job: JobId = sent
        .location()
        .strip_prefix("/jobs/")
        .expect("a job")
        .parse()
        .expect("a name");
    let job = site
        .jobs
        .job(&owner(TARO), job)
        .await
        .expect("jobs")
        .expect("a job");
    assert_eq!(job.state, State::Received);
    assert_eq!(
        job.order.source.kind,
        SourceKind::Upload(id.parse().expect("a name"))
    );
    assert_eq!(job.order.source.address, "受信 <b>.mbox");
    // A second click is the same order; the file is the job's.
    let twice = taro.post(&path, &fields).await;
    assert_eq!(twice.location(), sent.location());
    let remove = taro.post(&format!("{path}/remove"), &[]).await;
    assert_eq!(remove.status, StatusCode::CONFLICT);
    assert_eq!(site.count(TARO).await, 1);
    site.never_said(CANARY);
}

#[tokio::test]
async fn nobody_else_reaches_an_upload() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let id = begin(&mut taro, "a.mbox", 100).await;
    let path = format!("/uploads/{id}");
    // Nobody is signed in.
    let mut nobody = site.browser();
    nobody.get("/signin").await;
    for get in ["/upload".to_owned(), path.clone(), format!("{path}/held")] {
        let reply = nobody.get(&get).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{get}");
        assert!(reply.location().starts_with("/signin"), "{get}");
    }
    for post in [
        "/uploads".to_owned(),
        path.clone(),
        format!("{path}/remove"),
    ] {
        let reply = nobody
            .post(&post, &[("name", "a"), ("octets", "1"), ("modified", "0")])
            .await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{post}");
    }
    assert_eq!(
        put(&mut nobody, &id, "0", b"x").await.status,
        StatusCode::SEE_OTHER
    );
    // Somebody else is; one that there never was looks the same.
    let mut hanako = site.signed_in(HANAKO).await;
    let never = JobId::random().to_string();
    for id in [&id, &never, "../a", "x"] {
        for get in [format!("/uploads/{id}"), format!("/uploads/{id}/held")] {
            assert_eq!(
                hanako.get(&get).await.status,
                StatusCode::NOT_FOUND,
                "{get}"
            );
        }
        for post in [format!("/uploads/{id}"), format!("/uploads/{id}/remove")] {
            let reply = hanako.post(&post, &[("token", "t")]).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{post}");
        }
        assert_eq!(
            put(&mut hanako, id, "0", b"x").await.status,
            StatusCode::NOT_FOUND,
            "{id}"
        );
    }
    assert!(!hanako.get("/upload").await.body.contains("a.mbox"));
    let held = taro.get(&format!("{path}/held")).await;
    assert_eq!(json(&held)["held"], 0, "nothing was written");
}

#[tokio::test]
async fn forged_and_odd_parts_are_refused() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let id = begin(&mut taro, "a.mbox", 10 << 20).await;
    let data = format!("/uploads/{id}/data?at=0");
    let token = taro.csrf();
    let octets = "application/octet-stream";
    for (kind, token, origin, status) in [
        (octets, "", OWN, StatusCode::FORBIDDEN),
        (octets, "0", OWN, StatusCode::FORBIDDEN),
        (
            octets,
            &token,
            "https://evil.example",
            StatusCode::FORBIDDEN,
        ),
        (FORM, &token, OWN, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            "text/plain",
            &token,
            OWN,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (octets, &token, OWN, StatusCode::OK),
    ] {
        let request = taro
            .request("PUT", &data)
            .header("content-type", kind)
            .header("origin", origin)
            .header(TOKEN, token)
            .body(Body::from("0123"));
        let reply = taro.send(request.expect("a request")).await;
        assert_eq!(reply.status, status, "{kind} {token} {origin}");
    }
    // No other address takes what is no form, whatever it calls itself.
    for path in ["/jobs/x/data", "/uploads", "/copy"] {
        let request = taro
            .request("PUT", path)
            .header("content-type", octets)
            .header(TOKEN, &token)
            .body(Body::from("x"));
        let reply = taro.send(request.expect("a request")).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
    for at in ["", "x", "-1", "18446744073709551616"] {
        assert_eq!(
            put(&mut taro, &id, at, b"4").await.status,
            StatusCode::BAD_REQUEST,
            "{at}"
        );
    }
    for at in ["5", "18446744073709551615", "9999999999"] {
        let reply = put(&mut taro, &id, at, b"4").await;
        let told = json(&reply);
        assert_eq!(
            (reply.status, told["reason"].as_str(), told["held"].as_u64()),
            (StatusCode::CONFLICT, Some("offset"), Some(4)),
            "{at}"
        );
    }
    let other = put(&mut taro, &id, "0", b"01x3").await;
    assert_eq!(json(&other)["reason"], "other");
    let same = put(&mut taro, &id, "0", b"0123").await;
    assert_eq!(json(&same)["held"], 4);
    let large = put(&mut taro, &id, "4", &vec![0; MOST_AT_ONCE + 1]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let held = taro.get(&format!("/uploads/{id}/held")).await;
    assert_eq!(json(&held)["held"], 4);
    for (name, octets, modified, status) in [
        ("", "1", "0", StatusCode::BAD_REQUEST),
        ("a", "x", "0", StatusCode::BAD_REQUEST),
        ("a", "-1", "0", StatusCode::BAD_REQUEST),
        ("a", "1", "99999999999999999999", StatusCode::BAD_REQUEST),
        ("a", "0", "0", StatusCode::UNPROCESSABLE_ENTITY),
        (
            "a",
            "9223372036854775807",
            "0",
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ] {
        let fields = [("name", name), ("octets", octets), ("modified", modified)];
        let reply = taro.post("/uploads", &fields).await;
        assert_eq!(reply.status, status, "{name} {octets} {modified}");
    }
}

#[tokio::test]
async fn uploads_are_begun_only_so_often_and_only_where_they_are_offered() {
    let site = Site::with(|_, config| config.attempts.per_account = 3).await;
    let mut taro = site.signed_in(TARO).await;
    let fields = [("name", "a"), ("octets", "1"), ("modified", "0")];
    for _ in 0..3 {
        assert_eq!(taro.post("/uploads", &fields).await.status, StatusCode::OK);
    }
    let refused = taro.post("/uploads", &fields).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);

    let site = Site::with(|_, config| config.uploads.offered = false).await;
    let mut taro = site.signed_in(TARO).await;
    let start = taro.get("/").await;
    assert!(!start.body.contains("href=\"/upload\""), "{}", start.body);
    assert_eq!(taro.get("/upload").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        taro.post("/uploads", &fields).await.status,
        StatusCode::NOT_FOUND
    );
}
