//! What pages look like at their worst: hostile names, very many of them, both languages.

use super::site::{Site, TARO};
use crate::brand::{Brand, Destination};
use crate::job::{Checked, State, TooBig};
use axum::http::StatusCode;
use hikyaku_text::Lang;
use hikyaku_text::page::{check, confirm, entry, form, help};
use hikyaku_view::{ChangeView, Heading, MailboxPlanView, PlanView};
use std::path::Path;

const HOSTILE: &str = "<script>alert(\"1\")</script>'&\u{202e}gpj";

fn line(source: String) -> MailboxPlanView {
    MailboxPlanView {
        destination: format!("{source}_"),
        source,
        action: "create_and_copy".to_owned(),
        rule: None,
        role: None,
        changes: vec![ChangeView::Character { character: '<' }],
        messages: Some(1_234),
        octets: Some(1),
    }
}

fn too_big(n: u64) -> TooBig {
    let text = || Some(HOSTILE.repeat(20));
    let heading = Heading {
        subject: text(),
        from: text(),
        date: text(),
        message_id: None,
    };
    TooBig {
        mailbox: HOSTILE.repeat(9),
        key: n,
        octets: 200 << 20,
        heading: Some(heading),
    }
}

#[tokio::test]
async fn hostile_names_are_text_and_no_page_is_long() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let mailboxes: Vec<_> = (0..1_000)
        .map(|n| line(format!("{n}{}", HOSTILE.repeat(5))))
        .collect();
    let hidden = mailboxes
        .iter()
        .take(200)
        .map(|line| line.source.clone())
        .collect();
    let checked = Checked {
        plan: Some(PlanView {
            messages: 1_234_000,
            octets: Some(1 << 40),
            room: None,
            mailboxes,
        }),
        hidden,
        too_big: (0..1_000).map(too_big).collect(),
        too_big_count: 5_000,
        copied_before: 7,
        deletion_marks: 3,
        estimate_seconds: Some(86_400),
        ..Checked::default()
    };
    let id = site.checked_job(TARO, checked, State::Ready).await;
    for lang in ["ja", "en"] {
        browser.lang = lang;
        let page = browser.get(&format!("/jobs/{id}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.len() <= 50_000, "{} octets", page.body.len());
        assert!(
            page.body.contains(
                "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;\u{fffd}gpj"
            )
        );
        assert!(!page.body.contains("<script>") && !page.body.contains('\u{202e}'));
        assert!(page.body.matches("name=\"shown\"").count() > 20);
    }
}

#[tokio::test]
async fn what_is_typed_comes_back_as_text() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let token = browser.get("/copy").await.field("token");
    let attack = "\"><script>alert(1)</script>";
    for field in [
        "source_host",
        "source_address",
        "notify",
        "source_port",
        "source_transport",
        "source_login",
        "since",
        "rerun",
        "folders",
    ] {
        let reply = browser
            .post("/copy", &[("token", &token), (field, attack)])
            .await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(!reply.body.contains("<script>"), "{field}");
    }
    let reply = site.browser().get("/signin?next=/%22%3E%3Cscript%3E").await;
    assert!(!reply.body.contains("<script>"));
    let mut stranger = site.browser();
    stranger.get("/signin").await;
    let reply = stranger.post("/signin", &[("address", attack)]).await;
    assert!(reply.body.contains("&#34;&#62;&#60;script&#62;") && !reply.body.contains("<script>"));
}

#[tokio::test]
async fn the_switch_of_the_language_stays_on_the_page() {
    let site = Site::new().await;
    let mut browser = site.browser();
    assert!(
        browser
            .get("/help")
            .await
            .body
            .contains("<html lang=\"ja\">")
    );
    let reply = browser
        .post("/lang", &[("lang", "en"), ("back", "/help")])
        .await;
    assert_eq!(
        (reply.status, reply.location()),
        (StatusCode::SEE_OTHER, "/help")
    );
    let page = browser.get("/help").await;
    assert!(
        page.body.contains("<html lang=\"en\">") && page.body.contains(&help::heading(Lang::En))
    );
    let away = browser
        .post("/lang", &[("lang", "ja"), ("back", "//evil.example/")])
        .await;
    assert_eq!(away.location(), "/");
}

#[tokio::test]
async fn english_pages_have_no_japanese_in_them() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    browser.lang = "en";
    for path in ["/", "/signin", "/copy", "/help", "/help/A201", "/nothing"] {
        let body = browser
            .get(path)
            .await
            .body
            .replace("日本語", "")
            .replace("このページを日本語で表示する", "")
            .replace("このページをで表示する", "");
        let japanese: String = body
            .chars()
            .filter(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
            .collect();
        assert_eq!(japanese, "", "{path}");
    }
}

#[tokio::test]
async fn the_form_of_cpi_is_labelled_to_the_letter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../brands/cpi.toml");
    let text = std::fs::read_to_string(&path).expect("the brand");
    let cpi = Brand::parse(&text, &path).expect("a brand");
    let site = Site::with(|brand, _| {
        let destination = Destination {
            networks: Vec::new(),
            ..brand.destination.clone()
        };
        *brand = Brand {
            id: brand.id.clone(),
            destination,
            allow_destinations: Vec::new(),
            ..cpi
        };
    })
    .await;
    let mut browser = site.signed_in(TARO).await;
    let page = browser.get("/copy").await;
    for label in [
        "<h1>メールデータコピー</h1>",
        "<legend>コピー先</legend>",
        ">①メールパスワード</label>",
        "<legend>コピー元</legend>",
        ">②メールサーバー名 またはIPアドレス</label>",
        ">③メールアドレス</label>",
        ">④メールパスワード</label>",
        ">⑤コピー完了の通知先メールアドレス</label>",
        "<button>確認する</button>",
    ] {
        assert!(page.body.contains(label), "{label}: {}", page.body);
    }
    let help = browser.get("/help").await;
    for text in ["ビジネス スタンダード", "KWCメール", "●", "100MB"] {
        assert!(help.body.contains(text), "{text}");
    }
}

#[tokio::test]
async fn files_of_the_program_are_kept_by_browsers() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/").await;
    for (start, kind) in [
        ("/static/style.css?", "text/css; charset=utf-8"),
        ("/static/brand-hikyaku.css?", "text/css; charset=utf-8"),
        ("/static/icon.svg?", "image/svg+xml"),
    ] {
        let place = page
            .body
            .find(start)
            .unwrap_or_else(|| panic!("{start}: {}", page.body));
        let address = page.body[place..].split('"').next().unwrap_or_default();
        let file = browser.get(address).await;
        assert_eq!(
            (file.status, file.header("content-type")),
            (StatusCode::OK, kind),
            "{address}"
        );
        assert!(
            file.header("cache-control").contains("immutable"),
            "{address}"
        );
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(file.body.len() <= 12_000, "{address}");
        let old = browser.get(&format!("{start}0000")).await;
        assert_eq!(
            (old.status, old.header("cache-control")),
            (StatusCode::OK, "no-cache")
        );
    }
    assert_eq!(browser.get("/healthz").await.body, "ok\n");
}

/// Headings of the screens, which people and the guide call them by, differ from each other.
#[test]
fn screens_have_headings_of_their_own() {
    for lang in Lang::ALL {
        let mut headings = vec![
            entry::heading(lang),
            entry::sign_in(lang),
            check::heading(lang),
            confirm::heading(lang),
            help::heading(lang),
            form::details(lang),
        ];
        let count = headings.len();
        headings.sort();
        headings.dedup();
        assert_eq!(headings.len(), count, "{headings:?}");
    }
}
