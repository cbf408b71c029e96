//! Copies that do not simply reach their end: what is refused, what stops, what people hold up.

use crate::browser::Reply;
use crate::service::{NEW, OLD, Service, TARO, message};
use hikyaku_text::Lang;
use hikyaku_text::page::{progress, result};

/// A copy that is over, whatever came of it.
fn is_over(page: &Reply) -> bool {
    page.status == 200 && page.says(&result::more(Lang::En))
}

#[tokio::test]
async fn what_is_refused_is_named_and_can_be_saved_octet_by_octet() {
    let service = Service::with(3).await;
    let mut large = message(77);
    large.extend_from_slice(&b"0123456789abcdef\r\n".repeat(4_000));
    service.source.add_message("請求書", large.clone());
    service.destination.set_append_limit(Some(20_000));
    let mut browser = service.browser(TARO, "en").await;
    let job = service.start(&mut browser).await;
    let page = browser.until(&job, is_over).await;
    assert!(
        page.says("&#60;b&#62;77&#60;/b&#62;") && !page.says("<b>77</b>"),
        "{}",
        page.text()
    );
    assert!(page.says("Q302") || page.says("M501"), "{}", page.text());
    let csv = browser.get(&format!("{job}/report.csv")).await;
    assert!(csv.says("\"<b>77</b> \"\"../=1+1\"\"\""), "{}", csv.text());

    let path = format!("{job}/message");
    let missing = browser.submit(&page, &path, &[("message", "0")]).await;
    assert_eq!(missing.status, 422);
    let wrong = browser
        .submit(
            &page,
            &path,
            &[("message", "0"), ("source_password", "wrong")],
        )
        .await;
    assert!(
        wrong.status == 422 && wrong.says("href=\"/help/A201\""),
        "{}",
        wrong.text()
    );
    let saved = browser
        .submit(&page, &path, &[("message", "0"), ("source_password", OLD)])
        .await;
    assert_eq!(
        (saved.status, saved.header("content-type")),
        (200, "message/rfc822")
    );
    assert_eq!(
        saved.header("content-disposition"),
        "attachment; filename=\"b_77_b_1_1-3.eml\"; filename*=UTF-8''b_77_b_1_1-3.eml"
    );
    assert_eq!(saved.body, large);
    let none = browser
        .submit(&page, &path, &[("message", "1"), ("source_password", OLD)])
        .await;
    assert_eq!(none.status, 404);
    service.end().await;
}

#[tokio::test]
async fn what_its_owner_erases_is_gone_and_the_mail_stays() {
    let service = Service::with(3).await;
    let mut browser = service.browser(TARO, "ja").await;
    let job = service.start(&mut browser).await;
    let page = browser
        .until(&job, |page| page.says(&result::done(Lang::Ja)))
        .await;
    let path = format!("{job}/erase");
    assert!(page.says(&format!("href=\"{path}\"")), "{}", page.text());
    let question = browser.get(&path).await;
    assert!(question.says(&result::erase_means(Lang::Ja)) && question.has_form(&path));
    assert!(
        browser.get("/jobs").await.says(&job),
        "asking erases nothing"
    );
    let sent = browser.submit(&question, &path, &[]).await;
    assert_eq!((sent.status, sent.location()), (303, "/jobs"));
    assert!(!browser.get("/jobs").await.says(&job));
    for page in ["", "/report", "/report.csv", "/undo", "/erase"] {
        let found = browser.get(&format!("{job}{page}")).await;
        assert_eq!(found.status, 404, "{page}");
    }
    let there = service.destination.uids("INBOX").len() + service.destination.uids("請求書").len();
    assert_eq!(there, 3);

    // One that is not over cannot be erased.
    let waiting = service.order(&mut browser).await;
    let start = format!("{waiting}/start");
    let confirm = browser.until(&waiting, |page| page.has_form(&start)).await;
    let path = format!("{waiting}/erase");
    assert_eq!(browser.get(&path).await.location(), waiting);
    let refused = browser.send_token_of(&confirm, &path, &[]).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(browser.get(&waiting).await.has_form(&start));
    service.end().await;
}

#[tokio::test]
async fn a_source_is_found_by_the_name_that_its_owner_knows() {
    let service = Service::with(2).await;
    service
        .dns
        .set_addresses("imap.old.example.jp", &["127.0.0.1"]);
    let mut browser = service.browser(TARO, "en").await;
    let job = service
        .order_from(&mut browser, "imap.old.example.jp")
        .await;
    service.confirm(&mut browser, &job).await;
    let page = browser.until(&job, is_over).await;
    assert!(
        page.says("2 messages at the source = 2 newly copied") && page.says("imap.old.example.jp"),
        "{}",
        page.text()
    );
    service.end().await;
}

#[tokio::test]
async fn a_copy_that_stopped_goes_on_with_a_new_password() {
    let service = Service::with(5).await;
    let mut browser = service.browser(TARO, "en").await;
    let job = service.order(&mut browser).await;
    let start = format!("{job}/start");
    let confirm = browser.until(&job, |page| page.has_form(&start)).await;
    service.source.set_password("canary-old-8c2e-changed");
    browser.submit(&confirm, &start, &[]).await;
    let proceed = format!("{job}/proceed");
    let stopped = browser.until(&job, |page| page.has_form(&proceed)).await;
    assert!(
        stopped.says(&result::stopped(Lang::En)) && stopped.says("A201"),
        "{}",
        stopped.text()
    );
    service.source.set_password(OLD);
    let typed: &[(&str, &str)] = match stopped.says("name=\"source_password\"") {
        true => &[("password", NEW), ("source_password", OLD)],
        false => &[],
    };
    let sent = browser.submit(&stopped, &proceed, typed).await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, job.as_str()),
        "{}",
        sent.text()
    );
    let done = browser
        .until(&job, |page| page.says(&result::done(Lang::En)))
        .await;
    assert!(
        done.says("5 messages at the source = 5 newly copied"),
        "{}",
        done.text()
    );
    service.end().await;
}

#[tokio::test]
async fn a_copy_is_paused_resumed_and_cancelled() {
    let service = Service::with(5).await;
    let mut browser = service.browser(TARO, "en").await;
    let job = service.order(&mut browser).await;
    let (start, pause, resume) = (
        format!("{job}/start"),
        format!("{job}/pause"),
        format!("{job}/resume"),
    );
    let confirm = browser.until(&job, |page| page.has_form(&start)).await;
    // Nothing moves, so whatever is clicked is clicked in the middle.
    service.old.refuse_connections(true);
    browser.submit(&confirm, &start, &[]).await;
    let running = browser.until(&job, |page| page.has_form(&pause)).await;
    browser.submit(&running, &pause, &[]).await;
    let paused = browser
        .until(&job, |page| page.says(&progress::paused(Lang::En)))
        .await;
    service.old.refuse_connections(false);
    assert_eq!(browser.submit(&paused, &resume, &[]).await.location(), job);
    let done = browser
        .until(&job, |page| page.says(&result::done(Lang::En)))
        .await;
    assert!(
        done.says("5 messages at the source = 5 newly copied"),
        "{}",
        done.text()
    );

    let job = service.order(&mut browser).await;
    let (start, cancel) = (format!("{job}/start"), format!("{job}/cancel"));
    let confirm = browser.until(&job, |page| page.has_form(&start)).await;
    service.old.refuse_connections(true);
    browser.submit(&confirm, &start, &[]).await;
    browser
        .until(&job, |page| page.says(&format!("href=\"{cancel}\"")))
        .await;
    let question = browser.get(&cancel).await;
    assert!(question.says(&progress::cancel_question(Lang::En)) && question.has_form(&cancel));
    assert_eq!(
        browser.submit(&question, &cancel, &[]).await.location(),
        job
    );
    let page = browser
        .until(&job, |page| page.says(&result::cancelled(Lang::En)))
        .await;
    assert!(page.has_form("/lang") && page.says(&format!("href=\"{job}/again\"")));
    service.end().await;
}
