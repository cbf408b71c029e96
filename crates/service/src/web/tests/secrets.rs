//! Where a password must never stand.

use super::security::{FORM, OWN, raw};
use super::site::{CANARY, SOURCE_CANARY, Site, TARO, form};
use axum::http::StatusCode;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// Keeps everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_password_is_in_no_page_no_log_and_no_database() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let listening = tracing::subscriber::set_default(subscriber);
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let page = browser.get("/copy").await;
    let token = page.field("token");
    let fields = [
        ("token", token.as_str()),
        ("password", CANARY),
        ("source_host", "imap.old.example"),
        ("source_address", TARO),
        ("source_password", SOURCE_CANARY),
        ("notify", "x"),
    ];
    // With a mistake first: the page comes back with what was typed, but for the passwords.
    let reply = browser.post("/copy", &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.body.contains("imap.old.example"));
    let mut fields = fields;
    fields[5].1 = "notify@example.com";
    let reply = browser.post("/copy", &fields).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    let job = reply.location().to_owned();
    // The same form again is the same job.
    assert_eq!(browser.post("/copy", &fields).await.location(), job);
    assert_eq!(site.count(TARO).await, 1);
    for path in [job.as_str(), "/copy", "/help"] {
        assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
    }
    // Wrong ones and ones in the wrong place.
    browser.get(&format!("/signin?next=/{CANARY}x")).await;
    site.browser()
        .get(&format!("/handover?token={SOURCE_CANARY}"))
        .await;
    let bad = form(&[("password", SOURCE_CANARY), ("csrf", "no")]);
    raw(&mut browser, "/copy", FORM, OWN, bad).await;
    site.jobs.store().close().await;
    drop(listening);
    site.never_said(SOURCE_CANARY);
    let log = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    assert!(
        !log.contains(SOURCE_CANARY) && !log.contains(CANARY),
        "{log}"
    );
    for entry in std::fs::read_dir(site.state()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let octets = std::fs::read(&path).unwrap_or_default();
        for canary in [CANARY, SOURCE_CANARY] {
            let found = octets
                .windows(canary.len())
                .any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} in {}", path.display());
        }
    }
}
