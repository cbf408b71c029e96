//! Copies that reach their end, once more, and taken back.

use crate::service::{HANAKO, NEW, OLD, Service, TARO};
use hikyaku_text::page::{again, progress, result};
use hikyaku_text::{Lang, report, run};

/// A copy or an undo that is over, whatever came of it.
pub(crate) fn is_over(page: &crate::browser::Reply) -> bool {
    page.has_form("/lang") && !page.says("id=\"bar\"") && !page.says("screen=check")
}

#[tokio::test]
async fn a_copy_is_followed_to_its_end_then_made_again_and_taken_back() {
    let service = Service::with(12).await;
    let mut browser = service.browser(TARO, "ja").await;
    let job = service.start(&mut browser).await;

    let accepted = browser.get(&format!("{job}/accepted")).await;
    assert!(accepted.says(&progress::accepted(Lang::Ja)) && accepted.says("notify@example.com"));
    let events = browser
        .events(&format!("{job}/events?screen=progress"), "")
        .await;
    let (last, before) = events.split_last().expect("events");
    assert_eq!(
        (last.0.as_str(), &last.2["location"]),
        ("go", &serde_json::json!(job))
    );
    for (name, id, data) in before {
        assert_eq!((name.as_str(), id.len()), ("progress", 16));
        assert!(data["heading"].is_string() && data["rows"].is_u64() && data["folders"].is_array());
    }

    let done = browser.get(&job).await;
    assert!(
        done.says(&result::done(Lang::Ja)) && done.says(&report::complete(Lang::Ja)),
        "{}",
        done.text()
    );
    assert!(done.says("コピー元のメール 12通＝新しくコピー 12通"));
    assert!(done.says(&run::source_untouched(Lang::Ja)) && done.says(&result::retire(Lang::Ja)));
    let printed = browser.get(&format!("{job}/report")).await;
    assert!(printed.status == 200 && printed.says("コピー元のメール 12通＝新しくコピー 12通"));
    let csv = browser.get(&format!("{job}/report.csv")).await;
    assert_eq!(
        csv.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert!(csv.text().starts_with("\u{feff}種類,"));
    assert!(
        csv.says("フォルダ,請求書,請求書,11,11,0,0,"),
        "{}",
        csv.text()
    );
    let list = browser.get("/jobs").await;
    assert!(list.says(&progress::state_done(Lang::Ja)) && list.says(&job));
    assert_eq!(service.destination.uids("請求書").len(), 11);

    // Once more: nothing is there twice.
    let path = format!("{job}/again");
    let page = browser.get(&path).await;
    for text in [
        again::differential(Lang::Ja),
        again::fresh_replace(Lang::Ja),
        again::fresh_folder(Lang::Ja),
    ] {
        assert!(page.says(&text), "{text}");
    }
    let missing = browser.submit(&page, &path, &[("password", NEW)]).await;
    assert!(missing.status == 422 && missing.says(&again::password_missing(Lang::Ja)));
    let passwords = [("password", NEW), ("source_password", OLD)];
    let sent = browser.submit(&page, &path, &passwords).await;
    let second = sent.location().to_owned();
    assert_ne!(second, job);
    assert_eq!(
        browser.submit(&page, &path, &passwords).await.location(),
        second,
        "two clicks are one"
    );
    service.confirm(&mut browser, &second).await;
    let done = browser.until(&second, is_over).await;
    assert!(
        done.says("コピー元のメール 12通＝前回までにコピー済み 12通"),
        "{}",
        done.text()
    );
    assert_eq!(service.destination.uids("請求書").len(), 11);

    // Taken back.
    let path = format!("{job}/undo");
    let page = browser.get(&path).await;
    assert!(
        page.says("取り除くメール：12通・残すメール：0通（フォルダ 2個）"),
        "{}",
        page.text()
    );
    let wrong = browser.submit(&page, &path, &passwords).await;
    assert!(wrong.status == 422 && wrong.says(&again::undo_word_wrong("取り消す", Lang::Ja)));
    let sent = browser
        .submit(
            &page,
            &path,
            &[
                ("word", "取り消す"),
                ("password", NEW),
                ("source_password", OLD),
            ],
        )
        .await;
    let undo = sent.location().to_owned();
    let undone = browser.until(&undo, is_over).await;
    assert!(undone.says(&result::undone(Lang::Ja)), "{}", undone.text());
    assert!(
        undone.says("12通を取り除きました。0通はコピー先に残しています。"),
        "{}",
        undone.text()
    );
    assert_eq!(
        service.destination.uids("請求書").len() + service.destination.uids("INBOX").len(),
        0
    );
    assert_eq!(service.source.uids("請求書").len(), 11);
    service.end().await;
}

#[tokio::test]
async fn nobody_sees_or_touches_the_job_of_somebody_else() {
    let service = Service::with(1).await;
    let mut taro = service.browser(TARO, "ja").await;
    let job = service.start(&mut taro).await;
    taro.until(&job, is_over).await;
    let own = taro.get(&job).await;
    let mut hanako = service.browser(HANAKO, "en").await;
    let mut nobody = crate::browser::Browser::new(service.address, "en");
    for page in [
        "",
        "/accepted",
        "/events",
        "/cancel",
        "/report",
        "/report.csv",
        "/again",
        "/undo",
        "/erase",
    ] {
        let path = format!("{job}{page}");
        let found = hanako.get(&path).await;
        assert_eq!(found.status, 404, "{path}");
        assert!(!found.says(TARO) && !found.says("old.example.jp"), "{path}");
        let found = nobody.get(&path).await;
        assert_eq!(
            (found.status, found.location()),
            (303, format!("/signin?next={path}").as_str())
        );
    }
    let csrf = hanako.get("/jobs").await;
    for action in [
        "pause", "resume", "cancel", "proceed", "schedule", "message", "again", "undo", "erase",
    ] {
        // Any form of a page of hers carries her token.
        let path = format!("{job}/{action}");
        let reply = hanako
            .send_token_of(&csrf, &path, &[("message", "0"), ("token", "t")])
            .await;
        assert_eq!(reply.status, 404, "{path}");
        let reply = hanako.send_token_of(&own, &path, &[("token", "t")]).await;
        assert_eq!(reply.status, 403, "{path}");
    }
    assert!(taro.get(&job).await.says(&result::done(Lang::Ja)));
    service.end().await;
}
