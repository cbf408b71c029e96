//! The way from the first page to 【実行する】.

use super::site::{CANARY, SOURCE_CANARY, Site, TARO, html, owner};
use crate::brand::Master;
use crate::job::{Accepted, CertificateQuestion, Checked, Choices, Delivery, FinalRun, State};
use crate::web::{HandOver, sign};
use axum::http::StatusCode;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Secret;
use hikyaku_text::page::{check, confirm, entry, form};
use hikyaku_text::{Lang, page};
use hikyaku_view::{FaultView, MailboxPlanView, PlanView, RoomView};

fn plan(missing: Option<u64>) -> PlanView {
    let line = |source: &str, rule: Option<&str>| MailboxPlanView {
        source: source.to_owned(),
        destination: source.to_owned(),
        action: if rule.is_some() { "skip" } else { "copy" }.to_owned(),
        rule: rule.map(ToOwned::to_owned),
        role: None,
        changes: Vec::new(),
        messages: Some(5),
        octets: Some(1_000),
    };
    let room = missing.map(|missing| RoomView {
        limit: 10_000,
        used: 9_000,
        free: 1_000,
        kept: 0,
        needed: Some(1_000 + missing),
        left: Some(-i64::try_from(missing).expect("few")),
        missing: Some(missing),
    });
    PlanView {
        messages: 10,
        octets: Some(2_000),
        room,
        mailboxes: vec![
            line("INBOX", None),
            line("請求書", None),
            line("Calendar", Some("excluded")),
        ],
    }
}

fn checked(missing: Option<u64>) -> Checked {
    Checked {
        plan: Some(plan(missing)),
        hidden: vec!["Calendar".to_owned()],
        delivery: Delivery::Elsewhere,
        ..Checked::default()
    }
}

#[tokio::test]
async fn a_person_gets_from_the_first_page_to_the_check() {
    for (name, lang) in [("ja", Lang::Ja), ("en", Lang::En)] {
        let site = Site::new().await;
        let mut browser = site.browser();
        browser.lang = name;
        let start = browser.get("/").await;
        assert!(start.body.contains(&format!("<html lang=\"{name}\">")));
        for text in [
            entry::from_server(lang),
            entry::from_computer_hint(lang),
            entry::continue_copy(lang),
        ] {
            assert!(start.body.contains(&html(&text)), "{text}");
        }
        assert_eq!(browser.get("/copy").await.location(), "/signin?next=/copy");
        let wrong = browser
            .post(
                "/signin",
                &[("address", TARO), ("password", "wrong"), ("next", "/copy")],
            )
            .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            wrong
                .body
                .contains(&html(page::explain(Code::LoginRejected, lang).cause)),
            "{}",
            wrong.body
        );
        assert!(
            wrong.body.contains("href=\"/help/A201\"")
                && wrong.body.contains(&format!("value=\"{TARO}\""))
        );
        let good = browser
            .post(
                "/signin",
                &[("address", TARO), ("password", CANARY), ("next", "/copy")],
            )
            .await;
        assert_eq!(
            (good.status, good.location()),
            (StatusCode::SEE_OTHER, "/copy")
        );
        let page = browser.get("/copy").await;
        for label in ["①", "②", "③", "④", "⑤"] {
            assert!(page.body.contains(label), "{label}");
        }
        for text in [
            form::source_host(lang),
            form::notify(lang),
            form::name_or_address(lang),
            form::agreement(lang),
            form::rerun_differential_hint(lang),
        ] {
            assert!(page.body.contains(&html(&text)), "{text}");
        }
        assert!(
            page.body.contains(&format!("value=\"{TARO}\"")),
            "③ is filled in"
        );
        let token = page.field("token");
        let sent = [
            ("token", token.as_str()),
            ("password", CANARY),
            ("source_host", ""),
            ("source_address", TARO),
            ("source_password", SOURCE_CANARY),
            ("notify", "notify@example.com"),
            ("rerun", "fresh_folder"),
            ("find", "1"),
        ];
        let sent = browser.post("/copy", &sent).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        let checking = browser.get(sent.location()).await;
        assert!(
            checking.body.contains(&html(&check::heading(lang)))
                && checking.body.contains("http-equiv=\"refresh\"")
        );
        let jobs = site.jobs.jobs(&owner(TARO)).await.expect("jobs");
        let [job] = jobs.as_slice() else {
            panic!("{} jobs", jobs.len())
        };
        let order = &job.order;
        assert_eq!(
            (order.source.host.as_str(), order.source.address.as_str()),
            ("", TARO)
        );
        assert_eq!(
            (order.notify.as_str(), order.lang.as_str()),
            ("notify@example.com", name)
        );
        assert_eq!(order.choices.rerun, crate::job::Rerun::FreshFolder);
        assert!(job.has_secrets);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_with_cause_and_next_step() {
    use form::wrong as w;
    let lang = Lang::Ja;
    let site = Site::with(|brand, _| brand.plans[0].lock_address = true).await;
    let mut browser = site.signed_in(TARO).await;
    let token = browser.get("/copy").await.field("token");
    let good = [
        ("password", CANARY),
        ("source_host", "imap.old.example"),
        ("source_address", TARO),
        ("source_password", SOURCE_CANARY),
        ("notify", "notify@example.com"),
    ];
    for (field, value, text) in [
        ("password", "", w::password_missing(lang)),
        ("password", "ｃａｎａｒｙ", w::full_width("①", lang)),
        ("source_host", "", w::host_missing(lang)),
        ("source_host", "taro@old.example", w::host_is_address(lang)),
        ("source_host", "http://old.example/", w::host_odd(lang)),
        ("source_address", "", w::address_missing(lang)),
        ("source_address", "taro", w::address_odd(lang)),
        ("source_address", "jiro@example.jp", w::address_locked(lang)),
        ("source_password", "", w::source_password_missing(lang)),
        (
            "source_password",
            "canary-77fa-source ",
            w::blanks("④", lang),
        ),
        ("source_password", "ｃａｎａｒｙ", w::full_width("④", lang)),
        ("notify", "", w::notify_missing(lang)),
        ("notify", "notify", w::notify_odd(lang)),
        ("source_port", "99999", w::port_odd(lang)),
        ("since", "yesterday", w::date_odd(lang)),
        ("rerun", "everything", w::rerun_odd(lang)),
        ("source_login", "a\r\nb", w::odd_characters(lang)),
    ] {
        let mut fields = vec![("token", token.as_str())];
        fields.extend(good.iter().filter(|(name, _)| *name != field));
        fields.push((field, value));
        let reply = browser.post("/copy", &fields).await;
        assert_eq!(
            reply.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{field} {value}"
        );
        let summary = reply.body.split("</ul>\n</div>").next().unwrap_or_default();
        let link = format!("<a href=\"#{field}\">{}</a>", html(&text));
        assert!(
            summary.contains("role=\"alert\" tabindex=\"-1\" autofocus")
                && reply.body.contains(&link),
            "{field} {value}: {}",
            reply.body
        );
        assert!(reply.body.contains(&format!("id=\"{field}\"")), "{field}");
        assert_eq!(
            reply.field("token"),
            token,
            "the token stays that of this form"
        );
        assert!(
            !reply.body.contains("ｃａｎａｒｙ"),
            "a password comes back"
        );
    }
    // Everything at once, in the order of the fields.
    let reply = browser.post("/copy", &[("token", token.as_str())]).await;
    let named: Vec<&str> = reply
        .body
        .split("<li><a href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(
        named,
        ["password", "source_host", "source_password", "notify"]
    );
    assert_eq!(site.count(TARO).await, 0);
    site.never_said(CANARY);
    site.never_said(SOURCE_CANARY);
}

#[tokio::test]
async fn the_confirmation_shows_the_plan_and_takes_a_yes() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let id = site.checked_job(TARO, checked(None), State::Ready).await;
    let (at, lang) = (format!("/jobs/{id}"), Lang::Ja);
    let page = browser.get(&at).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "メール 10通（2.0KB）・フォルダ 2個",
        "受信トレイ",
        "請求書",
        "Calendar",
        &confirm::hidden(lang),
        &confirm::not_switched(lang),
        &confirm::start(lang),
        "imap.old.example",
    ] {
        // The server is named once it was reached.
        if text != "imap.old.example" {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
    }
    assert!(
        page.body.contains("value=\"0\" checked") && !page.body.contains("value=\"2\" checked")
    );
    let seen = page.field("seen");
    let start = format!("{at}/start");
    let shown = [("shown", "0"), ("shown", "1"), ("shown", "2")];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        let mut all: Vec<(&str, String)> = vec![("seen", seen.clone())];
        all.extend(
            shown
                .iter()
                .chain(more)
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        all
    };
    for (more, text) in [
        (vec![], confirm::nothing_ticked(lang)),
        (
            vec![("folder", "0"), ("final_run", "moved")],
            confirm::final_run_consent_missing(lang),
        ),
        (
            vec![("folder", "0"), ("final_run", "at"), ("consent", "1")],
            confirm::final_run_time_odd(lang),
        ),
    ] {
        let fields = with(&more);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = browser.post(&start, &fields).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains(&text), "{text}");
    }
    let old = browser
        .post(&start, &[("seen", "old"), ("folder", "0")])
        .await;
    assert!(
        old.status == StatusCode::UNPROCESSABLE_ENTITY
            && old.body.contains(&confirm::plan_changed(lang))
    );

    let fields = with(&[
        ("folder", "0"),
        ("folder", "2"),
        ("final_run", "moved"),
        ("consent", "1"),
    ]);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let reply = browser.post(&start, &fields).await;
    assert_eq!(
        (reply.status, reply.location()),
        (StatusCode::SEE_OTHER, format!("{at}/accepted").as_str())
    );
    // The second click.
    assert_eq!(
        browser.post(&start, &fields).await.location(),
        format!("{at}/accepted")
    );
    let job = site
        .jobs
        .job(&owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(job.state, State::Queued);
    let expected = Choices {
        exclude: vec!["請求書".to_owned()],
        include: vec!["Calendar".to_owned()],
        final_run: Some(FinalRun::MxMoved),
        ..Choices::default()
    };
    assert_eq!(job.order.choices, expected);
}

#[tokio::test]
async fn what_does_not_fit_is_said_before() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let id = site
        .checked_job(TARO, checked(Some(1_024)), State::Ready)
        .await;
    let at = format!("/jobs/{id}");
    let page = browser.get(&at).await;
    assert!(
        page.body.contains("約1.0KB不足します") && page.body.contains("name=\"fit\""),
        "{}",
        page.body
    );
    let seen = page.field("seen");
    let fields = [("seen", seen.as_str()), ("shown", "0"), ("folder", "0")];
    let reply = browser.post(&format!("{at}/start"), &fields).await;
    assert!(
        reply.status == StatusCode::UNPROCESSABLE_ENTITY
            && reply.body.contains(&confirm::fit_missing(Lang::Ja))
    );
    let fields = [
        ("seen", seen.as_str()),
        ("shown", "0"),
        ("folder", "0"),
        ("fit", "1"),
    ];
    assert_eq!(
        browser.post(&format!("{at}/start"), &fields).await.status,
        StatusCode::SEE_OTHER
    );
    let job = site
        .jobs
        .job(&owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert!(job.order.choices.fit && job.state == State::Queued);
}

#[tokio::test]
async fn a_certificate_is_accepted_by_what_was_shown() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let lang = Lang::Ja;
    let pin = "0123456789abcdef".repeat(4);
    let asked = CertificateQuestion {
        short: "T111".to_owned(),
        names: vec!["<b>shared.old.example</b>".to_owned()],
        fingerprint: pin.clone(),
    };
    let state = Checked {
        certificate: Some(asked),
        ..Checked::default()
    };
    let id = site.checked_job(TARO, state, State::Ready).await;
    let (at, accept) = (format!("/jobs/{id}"), format!("/jobs/{id}/accept"));
    let page = browser.get(&at).await;
    for text in [
        "&#60;b&#62;shared.old.example",
        "01:23:45:67:89:AB:CD:EF",
        &check::certificate_stakes(lang),
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let reply = browser
        .post(&accept, &[("certificate", pin.as_str())])
        .await;
    assert!(
        reply.status == StatusCode::UNPROCESSABLE_ENTITY
            && reply.body.contains(&check::accept_missing(lang))
    );
    // Another one than the check has seen, or clear text that nobody was asked about.
    let other = "f".repeat(64);
    for fields in [
        [("certificate", other.as_str()), ("agree", "1")],
        [("clear_text", "1"), ("agree", "1")],
    ] {
        assert_eq!(browser.post(&accept, &fields).await.location(), at);
        let job = site
            .jobs
            .job(&owner(TARO), id)
            .await
            .expect("jobs")
            .expect("the job");
        assert_eq!((job.order.source.accepted, job.state), (None, State::Ready));
    }
    let reply = browser
        .post(&accept, &[("certificate", pin.as_str()), ("agree", "1")])
        .await;
    assert_eq!(reply.location(), at);
    let job = site
        .jobs
        .job(&owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(
        (job.order.source.accepted, job.state),
        (Some(Accepted::Certificate(pin)), State::Received)
    );
}

#[tokio::test]
async fn clear_text_is_accepted_only_by_name() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let id = site
        .checked_job(
            TARO,
            Checked {
                clear_text: true,
                ..Checked::default()
            },
            State::Ready,
        )
        .await;
    let (at, accept) = (format!("/jobs/{id}"), format!("/jobs/{id}/accept"));
    assert!(
        browser
            .get(&at)
            .await
            .body
            .contains(&check::clear_text_stakes(Lang::Ja))
    );
    assert_eq!(
        browser.post(&accept, &[("clear_text", "1")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        browser
            .post(&accept, &[("clear_text", "1"), ("agree", "1")])
            .await
            .location(),
        at
    );
    let job = site
        .jobs
        .job(&owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(
        (job.order.source.accepted, job.state),
        (Some(Accepted::ClearText), State::Received)
    );
}

#[tokio::test]
async fn a_check_that_failed_says_why_and_leads_back() {
    let site = Site::new().await;
    let mut browser = site.signed_in(TARO).await;
    let fault = Fault::new(Code::LoginRejected, Reach::Side, Remedy::AskUser, "no").said(
        hikyaku_core::Said::new("NO", None, "<script>alert(1)</script>"),
    );
    let state = Checked {
        fault: Some(FaultView::from(&fault)),
        ..Checked::default()
    };
    let id = site.checked_job(TARO, state, State::Stopped).await;
    let page = browser.get(&format!("/jobs/{id}")).await;
    let explained = page::explain(Code::LoginRejected, Lang::Ja);
    for text in [
        explained.cause,
        explained.remedy,
        "/help/A201",
        "&#60;script&#62;",
        &check::back_to_form(Lang::Ja),
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let form = browser.get(&format!("/copy?from={id}")).await;
    assert!(
        form.body.contains("value=\"imap.old.example\"")
            && form.body.contains("value=\"notify@example.com\"")
    );
    assert!(!form.body.contains(CANARY) && !form.body.contains(SOURCE_CANARY));
    let again = browser.post(&format!("/jobs/{id}/change"), &[]).await;
    assert_eq!(again.location(), format!("/jobs/{id}"));
    let job = site
        .jobs
        .job(&owner(TARO), id)
        .await
        .expect("jobs")
        .expect("the job");
    assert_eq!(job.state, State::Received);
}

#[tokio::test]
async fn whoever_is_handed_over_with_a_login_of_the_brand_types_one_password_less() {
    let site = Site::with(|brand, _| {
        let secret = Secret::from("the master's");
        brand.destination.master = Some(Master {
            user: "master".to_owned(),
            secret,
            separator: None,
        });
    })
    .await;
    let handover = HandOver {
        brand: crate::brand::BUILTIN.to_owned(),
        plan: "standard".to_owned(),
        address: TARO.to_owned(),
        expires: site.clock.unix_millis() / 1000 + 60,
        nonce: "n".to_owned(),
    };
    let token = sign(&handover, &Secret::from(super::site::HANDOVER_KEY));
    let mut browser = site.browser();
    browser.get(&format!("/handover?token={token}")).await;
    let page = browser.get("/copy").await;
    assert!(
        !page.body.contains("name=\"password\"")
            && page
                .body
                .contains(&form::password_not_needed(TARO, Lang::Ja))
    );
    let token = page.field("token");
    let fields = [
        ("token", token.as_str()),
        ("source_host", "imap.old.example"),
        ("source_address", TARO),
        ("source_password", SOURCE_CANARY),
        ("notify", "notify@example.com"),
    ];
    assert_eq!(
        browser.post("/copy", &fields).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(site.count(TARO).await, 1);
}
