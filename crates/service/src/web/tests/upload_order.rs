//! What is chosen for an uploaded file, and how an order is changed before anything was copied.

use super::site::{Browser, CANARY, Reply, Site, TARO, owner};
use super::upload::{MBOX, begin, json, put};
use crate::job::{Checked, Choices, Job, JobId, Kind, Protocol, Reached, Rerun, State, Transport};
use axum::http::StatusCode;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_text::Lang;
use hikyaku_text::page::form::wrong;
use hikyaku_text::page::{again, confirm, upload};
use hikyaku_view::{FaultView, MailboxPlanView, PlanView};

/// An upload that is whole: the address of its page.
async fn uploaded(browser: &mut Browser<'_>, name: &str) -> String {
    let id = begin(browser, name, MBOX.len()).await;
    let whole = put(browser, &id, "0", MBOX).await;
    assert_eq!(json(&whole)["held"], MBOX.len());
    format!("/uploads/{id}")
}

async fn order(browser: &mut Browser<'_>, path: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("password", CANARY), ("notify", "hanako@example.com")];
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    if !fields.iter().any(|(name, _)| *name == "token") {
        fields.push(("token", "t"));
    }
    browser.post(path, &fields).await
}

async fn job_at(site: &Site, reply: &Reply) -> Job {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    let id = reply.location().strip_prefix("/jobs/").expect("a job");
    let (taro, id) = (owner(TARO), id.parse().expect("a name"));
    let found = site.jobs.job(&taro, id).await;
    found.expect("jobs").expect("a job")
}

fn checked() -> Checked {
    let line = MailboxPlanView {
        source: "受信".to_owned(),
        destination: "受信".to_owned(),
        action: "copy".to_owned(),
        rule: None,
        role: None,
        changes: Vec::new(),
        messages: Some(1),
        octets: Some(100),
    };
    Checked {
        plan: Some(PlanView {
            messages: 1,
            octets: Some(100),
            room: None,
            mailboxes: vec![line],
        }),
        ..Checked::default()
    }
}

#[tokio::test]
async fn a_file_is_ordered_with_the_same_choices_as_a_server() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let path = uploaded(&mut taro, "受信.mbox").await;
    let page = taro.get(&path).await;
    for name in ["since", "before"] {
        assert!(page.body.contains(&format!("name=\"{name}\"")), "{name}");
    }
    for rerun in ["differential", "fresh_replace", "fresh_folder"] {
        let radio = format!("name=\"rerun\" value=\"{rerun}\"");
        assert!(page.body.contains(&radio), "{}", page.body);
    }
    // Every wrong field is named, and what was typed stays.
    let typed = [
        ("since", "2026-03-01"),
        ("before", "2026-02-01"),
        ("rerun", "nothing"),
        ("notify", "nobody"),
    ];
    let refused = order(&mut taro, &path, &typed).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        wrong::dates_crossed(Lang::Ja),
        wrong::rerun_odd(Lang::Ja),
        wrong::notify_odd(Lang::Ja),
    ] {
        assert!(refused.body.contains(&text), "{text}: {}", refused.body);
    }
    for value in ["2026-03-01", "2026-02-01", "nobody"] {
        assert!(refused.body.contains(&format!("value=\"{value}\"")));
    }
    assert!(refused.body.contains("<details open>"), "{}", refused.body);
    assert_eq!(site.count(TARO).await, 0);

    let typed = [
        ("since", "2026-01-01"),
        ("before", "2026-02-01"),
        ("rerun", "fresh_folder"),
    ];
    let job = job_at(&site, &order(&mut taro, &path, &typed).await).await;
    let day = 86_400;
    let choices = job.order.choices;
    assert_eq!(
        choices.before.zip(choices.since).map(|(b, s)| b - s),
        Some(31 * day)
    );
    assert_eq!(
        Choices {
            since: None,
            before: None,
            ..choices
        },
        Choices {
            rerun: Rerun::FreshFolder,
            ..Choices::default()
        }
    );
    site.never_said(CANARY);
}

#[tokio::test]
async fn an_order_that_never_began_is_changed_without_another_upload() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let path = uploaded(&mut taro, "受信.mbox").await;
    let typed = [("since", "2026-01-01")];
    let first = job_at(&site, &order(&mut taro, &path, &typed).await).await;
    // While it is looked at nothing can be changed.
    let back = taro.get(&path).await;
    assert_eq!(back.location(), format!("/jobs/{}", first.id));
    assert_eq!(
        order(&mut taro, &path, &[("token", "u")]).await.location(),
        back.location()
    );
    assert_eq!(site.count(TARO).await, 1);

    for (n, state) in [(1, State::Ready), (2, State::Stopped)] {
        let jobs = site.jobs.jobs(&owner(TARO)).await.expect("jobs");
        let now: Vec<_> = jobs
            .iter()
            .filter(|j| j.state != State::Cancelled)
            .collect();
        let [now] = now[..] else {
            panic!("one order: {jobs:?}")
        };
        site.stand(now.id, &checked(), state).await;
        let form = taro.get(&format!("/copy?from={}", now.id)).await;
        assert_eq!(form.location(), path, "{state:?}");
        let page = taro.get(&path).await;
        assert!(page.body.contains("value=\"2026-01-01\""), "{}", page.body);
        assert!(page.body.contains("value=\"hanako@example.com\""));
        let token = format!("t{n}");
        let typed = [("since", "2026-01-01"), ("token", &token)];
        let next = job_at(&site, &order(&mut taro, &path, &typed).await).await;
        assert_ne!(next.id, now.id);
        let before = site.jobs.job(&owner(TARO), now.id).await.expect("jobs");
        assert_eq!(before.map(|job| job.state), Some(State::Cancelled));
        // The file is the new job's, and stays whatever becomes of the old one.
        let page = taro.get(&format!("/jobs/{}", now.id)).await;
        assert_eq!(page.status, StatusCode::OK);
        let held = taro.get(&format!("{path}/held")).await;
        assert_eq!(json(&held)["held"], MBOX.len());
    }
    // Cancelled by its owner: the file goes at once.
    let jobs = site.jobs.jobs(&owner(TARO)).await.expect("jobs");
    let last = jobs.iter().find(|job| job.state != State::Cancelled);
    let cancel = format!("/jobs/{}/cancel", last.expect("a job").id);
    let gone = taro.post(&cancel, &[]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(taro.get(&path).await.status, StatusCode::NOT_FOUND);
    let page = taro.get("/copy?from=x").await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn a_file_that_is_gone_is_uploaded_again_and_its_copy_can_be_taken_back() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let path = uploaded(&mut taro, "受信 <b>.mbox").await;
    let job = job_at(&site, &order(&mut taro, &path, &[]).await).await;
    site.stand(job.id, &checked(), State::Ready).await;
    site.jobs
        .start(&owner(TARO), job.id, job.order.choices.clone())
        .await
        .expect("started");
    site.stand(job.id, &checked(), State::Done).await;
    for from in ["again", "form"] {
        let address = match from {
            "again" => format!("/jobs/{}/again", job.id),
            _ => format!("/copy?from={}", job.id),
        };
        let to = taro.get(&address).await;
        assert_eq!(to.location(), "/upload?again=1", "{from}");
    }
    let said = taro.get("/upload?again=1").await;
    assert!(said.body.contains(&upload::again(Lang::Ja)));
    let result = taro.get(&format!("/jobs/{}", job.id)).await;
    let undo = format!("/jobs/{}/undo", job.id);
    assert!(result.body.contains(&undo), "{}", result.body);
    // Nothing was copied here, so there is nothing to ask.
    let page = taro.get(&undo).await;
    assert!(page.body.contains(&again::undo_nothing(Lang::Ja)));
    // Whoever does not say that they have the file gets nothing taken back.
    let fields = [("word", "取り消す"), ("password", CANARY), ("token", "v")];
    let refused = taro.post(&undo, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains(&again::undo_file_missing(Lang::Ja)));
    assert_eq!(site.count(TARO).await, 1);
    let fields = [&fields[..], &[("file", "1")]].concat();
    let undone = job_at(&site, &taro.post(&undo, &fields).await).await;
    assert_eq!((undone.kind, undone.previous), (Kind::Undo, Some(job.id)));
    site.never_said(CANARY);
}

/// A job from a POP3 server whose plan waits.
async fn from_pop(site: &Site, beside: Option<Protocol>, protocol: Protocol) -> JobId {
    let checked = Checked {
        reached: Some(Reached {
            host: "pop.old.example".to_owned(),
            port: 995,
            transport: Transport::Tls,
            login: TARO.to_owned(),
            protocol,
        }),
        beside,
        ..checked()
    };
    site.checked_job(TARO, checked, State::Ready).await
}

#[tokio::test]
async fn whoever_leaves_pop_says_first_that_there_is_a_backup() {
    let site = Site::new().await;
    for (lang, words) in [("ja", Lang::Ja), ("en", Lang::En)] {
        let mut taro = site.signed_in(TARO).await;
        taro.lang = lang;
        let job = from_pop(&site, None, Protocol::Pop3).await;
        let page = taro.get(&format!("/jobs/{job}")).await;
        for text in [
            confirm::backup_heading(words),
            confirm::backup_made(words),
            confirm::pop3_order(words),
            confirm::pop3(words),
        ] {
            assert!(page.body.contains(&text), "{text}: {}", page.body);
        }
        assert!(page.body.contains("href=\"/help#pop\""));
        assert!(!page.body.contains(&confirm::imap_beside(words)));
        let start = format!("/jobs/{job}/start");
        let seen = page.field("seen");
        let folders = [("seen", seen.as_str()), ("shown", "0"), ("folder", "0")];
        let refused = taro.post(&start, &folders).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(&confirm::backup_missing(words)));
        assert!(refused.body.contains("href=\"#backup\""));
        let state = async || {
            let found = site.jobs.job(&owner(TARO), job).await.expect("jobs");
            found.expect("a job").state
        };
        assert_eq!(state().await, State::Ready);
        let started = taro
            .post(&start, &[&folders[..], &[("backup", "1")]].concat())
            .await;
        assert_eq!(started.location(), format!("/jobs/{job}/accepted"));
        assert_eq!(state().await, State::Queued);
        let help = taro.get("/help").await;
        assert!(help.body.contains("id=\"pop\""));
    }
    // IMAP asks for none; which of two protocols was taken is said.
    let mut taro = site.signed_in(TARO).await;
    for (protocol, beside, text) in [
        (
            Protocol::Imap,
            Some(Protocol::Pop3),
            confirm::pop3_beside(Lang::Ja),
        ),
        (
            Protocol::Pop3,
            Some(Protocol::Imap),
            confirm::imap_beside(Lang::Ja),
        ),
    ] {
        let job = from_pop(&site, beside, protocol).await;
        let page = taro.get(&format!("/jobs/{job}")).await;
        assert!(page.body.contains(&text), "{}", page.body);
        let asks = page.body.contains(&confirm::backup_made(Lang::Ja));
        assert_eq!(asks, protocol == Protocol::Pop3);
    }
}

#[tokio::test]
async fn a_check_of_a_file_that_failed_leads_back_to_its_form() {
    let site = Site::new().await;
    let mut taro = site.signed_in(TARO).await;
    let path = uploaded(&mut taro, "a.mbox").await;
    let job = job_at(&site, &order(&mut taro, &path, &[]).await).await;
    let wrong = Fault::new(Code::LoginRejected, Reach::Job, Remedy::AskUser, "no")
        .on(hikyaku_core::Side::Destination);
    let checked = Checked {
        fault: Some(FaultView::from(&wrong)),
        ..Checked::default()
    };
    site.stand(job.id, &checked, State::Ready).await;
    let page = taro.get(&format!("/jobs/{}", job.id)).await;
    assert!(page.body.contains("A201"), "{}", page.body);
    let back = format!("/copy?from={}", job.id);
    assert!(page.body.contains(&back));
    assert_eq!(taro.get(&back).await.location(), path);
    let next = job_at(&site, &order(&mut taro, &path, &[("token", "u")]).await).await;
    assert_eq!(next.state, State::Received);
    assert_ne!(next.id, job.id);
}
