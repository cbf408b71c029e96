//! A file that comes with a form, as browsers send it without JavaScript.

use super::security::{FORM, OWN};
use super::site::{Browser, CANARY, HANAKO, Reply, Site, TARO, owner};
use super::upload::MBOX;
use crate::job::SourceKind;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures::StreamExt;
use hikyaku_text::page::upload as t;
use hikyaku_text::{Lang, Size};

const BOUNDARY: &str = "----hikyakuFormBoundary7";

/// Fields as browsers send them: name, name of the file, content.
fn body(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, file, content) in fields {
        out.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: x/y"));
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        out.extend_from_slice(format!("{head}{}\r\n\r\n", file.unwrap_or_default()).as_bytes());
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    out
}

fn kind() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// Sends such a form, in pieces as a line brings them.
async fn send(browser: &mut Browser<'_>, kind: &str, origin: &str, octets: &[u8]) -> Reply {
    let pieces: Vec<Result<Bytes, std::io::Error>> = octets
        .chunks(1_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let request = browser
        .request("POST", "/uploads/plain")
        .header("content-type", kind)
        .header("content-length", octets.len())
        .header("origin", origin)
        .body(Body::from_stream(futures::stream::iter(pieces)));
    browser.send(request.expect("a request")).await
}

async fn upload(browser: &mut Browser<'_>, name: &str, content: &[u8]) -> Reply {
    let token = browser.csrf();
    let fields = [
        ("csrf", None, token.as_bytes()),
        ("file", Some(name), content),
    ];
    send(browser, &kind(), OWN, &body(&fields)).await
}

/// Names of the directories of uploads.
fn kept(site: &Site) -> Vec<String> {
    let root = site.state().join("uploads");
    let entries = std::fs::read_dir(root).into_iter().flatten();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    entries.map(name).collect()
}

#[tokio::test]
async fn a_file_comes_whole_with_a_form_and_is_ordered() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let page = taro.get("/upload").await;
    let form = "<form id=\"upload\" method=\"post\" action=\"/uploads/plain\" enctype=\"multipart/form-data\"";
    assert!(page.body.contains(form), "{}", page.body);
    assert!(page.body.contains(&t::without_script(Lang::Ja)));
    // Longer than what is written at once, with everything in it that looks like the form's own lines.
    let mut content = MBOX.to_vec();
    while content.len() < (5 << 20) {
        content.extend_from_slice(MBOX);
        content.extend_from_slice(b"\r\n------hikyakuFormBoundary\r\n\r\n--\r\n");
    }
    let sent = upload(&mut taro, "受信 %22a%22.mbox", &content).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let path = sent.location().to_owned();
    let id = path
        .strip_prefix("/uploads/")
        .expect("an upload")
        .to_owned();
    let file = site
        .state()
        .join("uploads")
        .join(&id)
        .join("hikyaku-upload.mbox");
    assert!(
        std::fs::read(file).expect("a file") == content,
        "octet by octet"
    );
    let shown = taro.get(&path).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains("受信 &#34;a&#34;"), "{}", shown.body);
    let fields = [
        ("token", "t"),
        ("password", CANARY),
        ("notify", "hanako@example.com"),
    ];
    let ordered = taro.post(&path, &fields).await;
    assert_eq!(ordered.status, StatusCode::SEE_OTHER, "{}", ordered.body);
    let jobs = site.jobs.jobs(&owner(TARO)).await.expect("jobs");
    let [job] = &jobs[..] else {
        panic!("one job: {jobs:?}")
    };
    let expected = SourceKind::Upload(id.parse().expect("a name"));
    assert_eq!(job.order.source.kind, expected);
    assert_eq!(kept(&site), [id]);
    let mut hanako = site.signed_in(HANAKO).await;
    assert_eq!(hanako.get(&path).await.status, StatusCode::NOT_FOUND);
    site.never_said(CANARY);
}

#[tokio::test]
async fn forged_forms_leave_nothing() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let token = taro.csrf();
    let file = ("file", Some("a.mbox"), MBOX);
    let good = body(&[("csrf", None, token.as_bytes()), file]);
    let evil = "https://evil.example";
    let cases: [(&str, &str, Vec<u8>, StatusCode); 9] = [
        (&kind(), evil, good.clone(), StatusCode::FORBIDDEN),
        (FORM, OWN, good.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            "text/plain",
            OWN,
            good.clone(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "multipart/form-data",
            OWN,
            good.clone(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            &kind(),
            OWN,
            body(&[("csrf", None, b"0"), file]),
            StatusCode::FORBIDDEN,
        ),
        (&kind(), OWN, body(&[file]), StatusCode::FORBIDDEN),
        // The token comes first, or nothing is taken in.
        (
            &kind(),
            OWN,
            body(&[file, ("csrf", None, token.as_bytes())]),
            StatusCode::FORBIDDEN,
        ),
        (
            &kind(),
            OWN,
            b"nothing of the kind".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            &kind(),
            OWN,
            body(&[("csrf", None, token.as_bytes()), ("other", None, MBOX)]),
            StatusCode::BAD_REQUEST,
        ),
    ];
    for (n, (kind, origin, body, status)) in cases.iter().enumerate() {
        let reply = send(&mut taro, kind, origin, body).await;
        assert_eq!(reply.status, *status, "{n}: {}", reply.body);
        assert_eq!(kept(&site), [""; 0], "{n}");
    }
    let mut nobody = site.browser();
    nobody.get("/signin").await;
    let away = upload(&mut nobody, "a.mbox", MBOX).await;
    assert!(away.location().starts_with("/signin"), "{}", away.body);
    assert_eq!(kept(&site), [""; 0]);
    assert_eq!(
        send(&mut taro, &kind(), OWN, &good).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_said_on_the_page_and_removed() {
    let most = 100_000;
    let site = Site::with(|_, config| {
        config.uploads.most_octets = most;
        config.uploads.per_owner = 1;
    })
    .await;
    let mut taro = site.signed_in(TARO).await;
    let large = vec![b'x'; 200_000];
    // Not much more than may come: only the octets themselves tell.
    let little = vec![b'x'; 100_001];
    for (name, content, status, text) in [
        (
            "",
            &b""[..],
            StatusCode::UNPROCESSABLE_ENTITY,
            t::file_missing(Lang::Ja),
        ),
        (
            "a.mbox",
            b"",
            StatusCode::UNPROCESSABLE_ENTITY,
            t::empty(Lang::Ja),
        ),
        (
            "a.mbox",
            &large,
            StatusCode::PAYLOAD_TOO_LARGE,
            t::too_large(Size(most), Lang::Ja),
        ),
        (
            "a.mbox",
            &little,
            StatusCode::PAYLOAD_TOO_LARGE,
            t::too_large(Size(most), Lang::Ja),
        ),
    ] {
        let reply = upload(&mut taro, name, content).await;
        assert_eq!(reply.status, status, "{name} {}", content.len());
        assert!(reply.body.contains(&text), "{text}: {}", reply.body);
        assert!(
            reply.body.contains("id=\"upload\""),
            "the form is there again"
        );
    }
    // What breaks off is gone, and does not count.
    let token = taro.csrf();
    let form = body(&[
        ("csrf", None, token.as_bytes()),
        ("file", Some("a.mbox"), &large[..90_000]),
    ]);
    for end in [50_000, form.len() - 10] {
        let reply = send(&mut taro, &kind(), OWN, &form[..end]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{end}");
    }
    // Nobody waits any more: the browser was closed in the middle.
    let held = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(
        form[..50_000].to_vec(),
    ))]);
    let request = taro
        .request("POST", "/uploads/plain")
        .header("content-type", kind())
        .header("content-length", form.len())
        .header("origin", OWN)
        .body(Body::from_stream(held.chain(futures::stream::pending())))
        .expect("a request");
    {
        let mut other = taro.clone();
        let sending = other.send(request);
        tokio::pin!(sending);
        while kept(&site).len() != 1 {
            let step = tokio::task::yield_now();
            tokio::select! {
                reply = &mut sending => panic!("{}", reply.body),
                () = step => {}
            }
        }
    }
    while !kept(&site).is_empty() {
        tokio::task::yield_now().await;
    }
    let sent = upload(&mut taro, "a.mbox", MBOX).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    // The limit of files at a time.
    let refused = upload(&mut taro, "b.mbox", MBOX).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(kept(&site).len(), 1);
}
