//! A file of the person's computer as the source of the page, from the form to the undo.

use crate::browser::Browser;
use crate::flows::is_over;
use crate::service::{NEW, Service, TARO};
use hikyaku_text::page::{again, confirm, result, upload};
use hikyaku_text::{Lang, notice, run};

/// A message as it is in the file, and as it has to arrive: octets, flags, seconds.
type Arrived = (String, Vec<String>, i64);

/// 2025-11-02 00:00:00 UTC, and what follows it every sixty days.
const FIRST: i64 = 1_762_041_600;
const SIXTY_DAYS: i64 = 60 * 86_400;

/// An mbox of messages that are sixty days apart, and what has to become of each.
fn mbox(dates: &[&str]) -> (Vec<u8>, Vec<Arrived>) {
    let (mut file, mut mails) = (String::new(), Vec::new());
    for (n, date) in dates.iter().enumerate() {
        let head = format!("Subject: {n}\nFrom: hana@example.jp\nMessage-ID: <{n}@x>\n");
        let text = format!("{head}\n本文 {n}\n");
        file += &format!("From hana@example.jp {date}\n{head}Status: RO\n\n本文 {n}\n\n");
        let seconds = FIRST + SIXTY_DAYS * i64::try_from(n).expect("few");
        mails.push((
            text.replace('\n', "\r\n"),
            vec!["\\Seen".to_owned()],
            seconds,
        ));
    }
    (file.into_bytes(), mails)
}

const DATES: [&str; 3] = [
    "Sun Nov  2 00:00:00 2025",
    "Thu Jan  1 00:00:00 2026",
    "Mon Mar  2 00:00:00 2026",
];

/// Everything at the destination, with its folder.
fn there(service: &Service) -> Vec<(String, Arrived)> {
    let snapshot = service.destination.snapshot();
    let all = snapshot.mailboxes.values().flat_map(|mailbox| {
        mailbox.messages.iter().map(|message| {
            let text = String::from_utf8_lossy(&message.body.bytes()).into_owned();
            let flags = message.flags.iter().cloned().collect();
            (mailbox.name.clone(), (text, flags, message.date.seconds))
        })
    });
    all.collect()
}

fn in_folder(name: &str, mails: &[Arrived]) -> Vec<(String, Arrived)> {
    let mails = mails.iter().cloned();
    mails.map(|mail| (name.to_owned(), mail)).collect()
}

/// Uploads a file with the form and orders it: where the job is.
async fn order(browser: &mut Browser, name: &str, content: &[u8], more: &[(&str, &str)]) -> String {
    let page = browser.get("/upload").await;
    let sent = browser
        .send_file(&page, "/uploads/plain", name, content)
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let path = sent.location().to_owned();
    let form = browser.get(&path).await;
    let mut fields = vec![("password", NEW), ("notify", "notify@example.com")];
    fields.extend(more);
    let sent = browser.submit(&form, &path, &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    sent.location().to_owned()
}

#[tokio::test]
async fn an_uploaded_file_is_copied_like_any_other_source_and_taken_back() {
    let service = Service::with(0).await;
    let mut browser = service.browser(TARO, "ja").await;
    let (file, mails) = mbox(&DATES);
    // Only a certain time, as with a server.
    let since = [("since", "2025-12-15")];
    let job = order(&mut browser, "古いメール.mbox", &file, &since).await;
    let start = format!("{job}/start");
    let plan = browser.until(&job, |page| page.has_form(&start)).await;
    assert!(plan.says("古いメール"), "{}", plan.text());
    assert!(!plan.says("final_run"), "a file gets no new mail");
    assert!(!plan.says(&confirm::not_switched(Lang::Ja)));
    service.confirm(&mut browser, &job).await;
    let done = browser.until(&job, is_over).await;
    assert_eq!(there(&service), in_folder("古いメール", &mails[1..]));
    for text in [
        result::done(Lang::Ja),
        upload::next_keep(Lang::Ja),
        upload::next_once_more(Lang::Ja),
        run::source_untouched(Lang::Ja),
    ] {
        assert!(done.says(&text), "{text}: {}", done.text());
    }
    assert!(!done.says(&result::retire(Lang::Ja)), "no account to close");
    // The file is gone, and the mail about the copy says so.
    let mail = notice::upload_deleted(Lang::Ja);
    browser.until("/mail", |page| page.says(&mail)).await;
    browser.until("/jobs", |_| service.uploads() == 0).await;

    // Once more: it has to be uploaded again, and only the difference is copied.
    let once_more = browser.get(&format!("{job}/again")).await;
    assert_eq!(once_more.location(), "/upload?again=1");
    let says = browser.get("/upload?again=1").await;
    assert!(says.says(&upload::again(Lang::Ja)), "{}", says.text());
    let second = order(&mut browser, "古いメール.mbox", &file, &[]).await;
    service.confirm(&mut browser, &second).await;
    let done = browser.until(&second, is_over).await;
    assert!(done.says("新しくコピー 1通"), "{}", done.text());
    let mut all = there(&service);
    all.sort_by_key(|(_, (_, _, seconds))| *seconds);
    assert_eq!(all, in_folder("古いメール", &mails));
    browser.until("/jobs", |_| service.uploads() == 0).await;

    // Taken back: what the person touched stays.
    let uids = service.destination.uids("古いメール");
    assert_eq!(uids.len(), 3);
    service
        .destination
        .set_flags("古いメール", uids[0], &["\\Seen", "\\Flagged"]);
    let path = format!("{second}/undo");
    let page = browser.get(&path).await;
    let says = again::undo_file("古いメール.mbox", Lang::Ja);
    assert!(page.says(&says), "{}", page.text());
    let fields = [("word", "取り消す"), ("password", NEW)];
    let refused = browser.submit(&page, &path, &fields).await;
    assert!(refused.status == 422 && refused.says(&again::undo_file_missing(Lang::Ja)));
    assert_eq!(there(&service).len(), 3);
    let fields = [&fields[..], &[("file", "1")]].concat();
    let sent = browser.submit(&page, &path, &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let undone = browser.until(sent.location(), is_over).await;
    assert!(
        undone.says("2通を取り除きました。1通はコピー先に残しています。"),
        "{}",
        undone.text()
    );
    let left = there(&service);
    assert_eq!(left.len(), 1);
    assert!(left[0].1.1.contains(&"\\Flagged".to_owned()), "{left:?}");
    // And the mail comes back with the next upload, once.
    let third = order(&mut browser, "古いメール.mbox", &file, &[]).await;
    service.confirm(&mut browser, &third).await;
    browser.until(&third, is_over).await;
    let mut texts: Vec<String> = there(&service)
        .into_iter()
        .map(|(_, mail)| mail.0)
        .collect();
    texts.sort();
    let mut expected: Vec<String> = mails.iter().map(|mail| mail.0.clone()).collect();
    expected.sort();
    assert_eq!(texts, expected);
    service.end().await;
}

#[tokio::test]
async fn what_counts_as_read_is_chosen() {
    let (file, mails) = mbox(&DATES);
    for (read, flags, told) in [
        ("", &["\\Seen"][..], None),
        ("read", &["\\Seen"], Some(confirm::all_read(Lang::Ja))),
        ("unread", &[], Some(confirm::all_unread(Lang::Ja))),
    ] {
        let service = Service::with(0).await;
        let mut browser = service.browser(TARO, "ja").await;
        let job = order(&mut browser, "a.mbox", &file, &[("read", read)]).await;
        let start = format!("{job}/start");
        let plan = browser.until(&job, |page| page.has_form(&start)).await;
        if let Some(told) = told {
            assert!(plan.says(&told), "{}", plan.text());
        }
        service.confirm(&mut browser, &job).await;
        browser.until(&job, is_over).await;
        let mut expected = mails.clone();
        for (_, known, _) in &mut expected {
            *known = flags.iter().map(|flag| (*flag).to_owned()).collect();
        }
        assert_eq!(there(&service), in_folder("a", &expected), "{read}");
        service.end().await;
    }
}
