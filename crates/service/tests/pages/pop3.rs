//! A POP3 server as the source of the page.

use crate::flows::is_over;
use crate::pop::{MAIL, Pop};
use crate::service::{NEW, OLD, SOURCE, Service, TARO};
use hikyaku_testkit::servers::{self, Account, Kind, MailServer};
use hikyaku_text::Lang;
use hikyaku_text::page::{confirm, result};

/// Octets and flags of INBOX, in order.
fn inbox(server: &dyn MailServer, account: &Account) -> Vec<(Vec<u8>, Vec<String>)> {
    let mut judge = server.judge(account).expect("a judge");
    judge.keep_octets_up_to(1 << 20);
    let all = judge.snapshot().expect("a snapshot");
    let inbox = all.mailboxes.get(&b"INBOX"[..]).expect("an inbox");
    let told = inbox.messages.iter().map(|message| {
        let octets = message.content.octets().expect("kept").to_vec();
        (octets, message.flags.iter().cloned().collect())
    });
    told.collect()
}

/// The same of the destination.
fn arrived(service: &Service) -> Vec<(Vec<u8>, Vec<String>)> {
    let snapshot = service.destination.snapshot();
    let full = snapshot
        .mailboxes
        .values()
        .filter(|m| !m.messages.is_empty());
    let full: Vec<_> = full.collect();
    let names: Vec<&str> = full.iter().map(|mailbox| mailbox.name.as_str()).collect();
    if full.is_empty() {
        return Vec::new();
    }
    assert_eq!(names, ["INBOX"]);
    let told = full[0].messages.iter().map(|message| {
        let flags = message.flags.iter().cloned().collect();
        (message.body.bytes().to_vec(), flags)
    });
    told.collect()
}

/// Sends the form; where the job is.
async fn order(browser: &mut crate::browser::Browser, more: &[(&str, &str)]) -> String {
    let form = browser.get("/copy").await;
    let mut fields = vec![("password", NEW), ("notify", "notify@example.com")];
    fields.extend(more);
    let sent = browser.submit(&form, "/copy", &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    sent.location().to_owned()
}

/// Agrees to what the check asks about: the certificate, or that there is no encryption.
async fn agree(browser: &mut crate::browser::Browser, job: &str) {
    let accept = format!("{job}/accept");
    let asked = browser.until(job, |page| page.has_form(&accept)).await;
    let accepted = browser.submit(&asked, &accept, &[("agree", "1")]).await;
    assert_eq!(accepted.status, 303, "{}", accepted.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_comes_from_a_real_pop3_server_and_stays_there_unread() {
    for kind in [Kind::Dovecot, Kind::Courier] {
        let server = servers::start(kind).expect("a server");
        let server = server.as_ref();
        let from = server.create_account("taro").expect("an account");
        let mut judge = server.judge(&from).expect("a judge");
        for n in 0..12 {
            let text = format!(
                "Message-ID: <{n}@x>\r\nDate: Wed, 17 Jul 1996 02:44:25 -0700\r\nSubject: {n}\r\n\r\n.\r\n..{n}\r\n"
            );
            let flags: [&str; 0] = [];
            let answer = judge.append("INBOX", &flags, None, text.as_bytes());
            answer.expect("an answer").accepted().expect("stored");
        }
        drop(judge);
        let before = inbox(server, &from);
        let port = server.instance().pop3_tls_port();
        let service = Service::reaching(0, &[port]).await;
        let mut browser = service.browser(TARO, "ja").await;
        let port = port.to_string();
        let fields = [
            ("source_host", "127.0.0.1"),
            ("source_port", port.as_str()),
            ("source_protocol", "pop3"),
            ("source_address", SOURCE),
            ("source_login", from.user.as_str()),
            ("source_password", from.password.as_str()),
        ];
        let job = order(&mut browser, &fields).await;
        agree(&mut browser, &job).await;
        let start = format!("{job}/start");
        let shown = browser.until(&job, |page| page.has_form(&start)).await;
        assert!(shown.says("12通"), "{}", shown.text());
        for text in [
            confirm::pop3(Lang::Ja),
            confirm::pop3_order(Lang::Ja),
            confirm::backup_made(Lang::Ja),
        ] {
            assert!(shown.says(&text), "{}", shown.text());
        }
        let hasty = browser.submit(&shown, &start, &[]).await;
        assert!(hasty.status == 422 && hasty.says(&confirm::backup_missing(Lang::Ja)));
        assert_eq!(arrived(&service), Vec::new());
        service.confirm(&mut browser, &job).await;
        let done = browser.until(&job, is_over).await;
        assert!(done.says(&result::done(Lang::Ja)), "{}", done.text());
        assert!(
            done.says("コピー元のメール 12通＝新しくコピー 12通"),
            "{}",
            done.text()
        );
        for text in [
            result::retire_pop3(Lang::Ja),
            result::retire_pop3_how(Lang::Ja),
        ] {
            assert!(done.says(&text), "{}", done.text());
        }
        // Older than a month: read, as POP does not tell.
        let mut expected: Vec<_> = before
            .iter()
            .map(|(octets, _)| (octets.clone(), vec!["\\Seen".to_owned()]))
            .collect();
        let mut came = arrived(&service);
        if kind == Kind::Courier {
            // It numbers what came within a second by the names of its files, where microseconds
            // have as many digits as they need.
            expected.sort();
            came.sort();
        }
        let texts = |mails: &[(Vec<u8>, Vec<String>)]| -> Vec<(String, Vec<String>)> {
            let text = |octets| String::from_utf8_lossy(octets).into_owned();
            let told = mails.iter().map(|(octets, f)| (text(octets), f.clone()));
            told.collect()
        };
        assert_eq!(texts(&came), texts(&expected), "{kind:?}");
        assert!(
            inbox(server, &from) == before,
            "nothing is marked as read, nothing is gone"
        );

        // Again: nothing new.
        let path = format!("{job}/again");
        let page = browser.get(&path).await;
        let passwords = [
            ("password", NEW),
            ("source_password", from.password.as_str()),
        ];
        let sent = browser.submit(&page, &path, &passwords).await;
        let second = sent.location().to_owned();
        service.confirm(&mut browser, &second).await;
        let done = browser.until(&second, is_over).await;
        assert!(
            done.says("コピー元のメール 12通＝前回までにコピー済み 12通"),
            "{}",
            done.text()
        );
        assert_eq!(arrived(&service).len(), 12);

        // Taken back: the server still has all of it.
        let path = format!("{second}/undo");
        let page = browser.get(&path).await;
        assert!(!page.says("name=\"file\""), "no file is asked about");
        let typed = [&passwords[..], &[("word", "取り消す")]].concat();
        let sent = browser.submit(&page, &path, &typed).await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        let undone = browser.until(sent.location(), is_over).await;
        assert!(
            undone.says("12通を取り除きました。0通はコピー先に残しています。"),
            "{}",
            undone.text()
        );
        assert_eq!(arrived(&service), Vec::new());
        assert!(inbox(server, &from) == before);

        // A wrong password is told as one.
        let mut wrong = fields;
        wrong[5].1 = "wrong-4711";
        let job = order(&mut browser, &wrong).await;
        agree(&mut browser, &job).await;
        let told = browser.until(&job, |page| page.says("A201")).await;
        assert!(!told.says("wrong-4711"), "{}", told.text());
        assert!(inbox(server, &from) == before);
        service.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_deletes_is_read_only_with_consent() {
    let pop = Pop::at(
        "127.0.0.1",
        &["TOP", "UIDL", "USER", "EXPIRE 0"],
        true,
        vec![MAIL],
    );
    let port = pop.locator().rsplit(':').next().expect("a port").to_owned();
    let service = Service::reaching(0, &[port.parse().expect("a number")]).await;
    let mut browser = service.browser(TARO, "ja").await;
    let mut fields = vec![
        ("source_host", "127.0.0.1"),
        ("source_port", port.as_str()),
        ("source_protocol", "pop3"),
        ("source_address", SOURCE),
        ("source_password", OLD),
    ];
    let job = order(&mut browser, &fields).await;
    agree(&mut browser, &job).await;
    let told = browser.until(&job, |page| page.says("S603")).await;
    assert!(!told.has_form(&format!("{job}/start")), "{}", told.text());
    assert_eq!(arrived(&service), Vec::new());
    assert!(
        !pop.verbs()
            .iter()
            .any(|verb| matches!(verb.as_str(), "TOP" | "RETR"))
    );

    fields.extend([("accept_deletion", "1"), ("read", "read")]);
    let job = order(&mut browser, &fields).await;
    agree(&mut browser, &job).await;
    let start = format!("{job}/start");
    let shown = browser.until(&job, |page| page.has_form(&start)).await;
    for text in [confirm::pop3_deletes(Lang::Ja), confirm::all_read(Lang::Ja)] {
        assert!(shown.says(&text), "{}", shown.text());
    }
    service.confirm(&mut browser, &job).await;
    let done = |page: &crate::browser::Reply| page.says(&result::done(Lang::Ja));
    browser.until(&job, done).await;
    // Without a date it would be unread.
    let seen = vec!["\\Seen".to_owned()];
    assert_eq!(arrived(&service), [(MAIL.as_bytes().to_vec(), seen)]);
    assert!(
        !pop.verbs()
            .iter()
            .any(|verb| matches!(verb.as_str(), "DELE" | "RETR"))
    );
    service.end().await;
}
