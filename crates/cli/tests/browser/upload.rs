//! Mail from a file of the person's computer: uploaded in parts, interrupted, continued, copied.

use crate::person::{CHECK_FILE, Person};
use crate::service::Service;
use crate::world::{NOTIFY, Terms, World};
use hikyaku_testkit::browser::BrowserOptions;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From here on the second part of an upload never gets an answer: the line is held until somebody cuts it.
const HOLD: &str = "(() => { const real = window.fetch; let parts = 0; \
    window.fetch = (what, how) => { \
        if (how && how.method === 'PUT' && ++parts === 2) { \
            document.body.dataset.held = '1'; return new Promise(() => {}); } \
        return real(what, how); }; return true; })()";

/// Where the parts of an upload began that this page sent.
const PARTS: &str = "(() => { const real = window.fetch; window.parts = []; \
    window.fetch = (what, how) => { \
        if (how && how.method === 'PUT') { window.parts.push(Number(String(what).split('at=')[1])); \
            sessionStorage.setItem('parts', JSON.stringify(window.parts)); } \
        return real(what, how); }; return true; })()";

/// A message as it is in the file, and as it has to arrive: octets, seconds, flags.
pub(crate) struct Mail {
    line: String,
    text: String,
    status: &'static str,
    seconds: i64,
    flags: BTreeSet<String>,
}

fn mail(n: u32) -> Mail {
    let (status, flags): (_, &[&str]) = match n % 3 {
        0 => ("RO", &["\\Seen"]),
        1 => ("O", &[]),
        _ => ("ROA", &["\\Seen", "\\Answered"]),
    };
    // Three megabytes in all, so that it comes in several parts.
    let body = format!("{n:04} メール移行の見本です。\n").repeat(if n.is_multiple_of(10) {
        8_000
    } else {
        20
    });
    let (minute, second) = (n / 60, n % 60);
    let text = format!(
        "From: Hana <hana@example.jp>\nTo: taro@example.jp\nSubject: mail {n}\nMessage-ID: <{n}@example.jp>\n\
         Date: Mon, 02 Nov 2026 09:{minute:02}:{second:02} +0900\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}"
    );
    let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    Mail {
        line: format!("From hana@example.jp Mon Nov  2 00:{minute:02}:{second:02} 2026\n"),
        text,
        status,
        // 2026-11-02 00:00:00 UTC.
        seconds: 1_793_577_600 + i64::from(n),
        flags,
    }
}

/// Writes an mbox as mail programs leave it, and says what is in it.
pub(crate) fn mbox(path: &Path) -> Vec<Mail> {
    let mails: Vec<Mail> = (1..=100).map(mail).collect();
    let mut file = String::new();
    for mail in &mails {
        let (head, body) = mail.text.split_once("\n\n").unwrap();
        file += &format!("{}{head}\nStatus: {}\n", mail.line, mail.status);
        if mail.status == "ROA" {
            file += "X-Status: A\n";
        }
        file += &format!("\n{body}\n");
    }
    fs::write(path, file).unwrap();
    mails
}

/// The destination holds exactly these, in this folder, each once.
fn assert_holds(world: &World, folder: &str, mails: &[Mail]) {
    let now = world.destination_now();
    let filled: Vec<&str> = now
        .mailboxes
        .values()
        .filter(|mailbox| !mailbox.messages.is_empty())
        .map(|mailbox| mailbox.name.as_str())
        .collect();
    assert_eq!(filled, [folder]);
    let there = now.mailboxes.values().find(|m| m.name == folder).unwrap();
    let seen: Vec<_> = there
        .messages
        .iter()
        .map(|message| {
            let octets = message.content.octets().expect("short enough to be kept");
            let text = String::from_utf8(octets.to_vec()).unwrap();
            (text, message.internal_date, message.flags.clone())
        })
        .collect();
    let expected: Vec<_> = mails
        .iter()
        .map(|mail| {
            let text = mail.text.replace('\n', "\r\n");
            (text, mail.seconds, mail.flags.clone())
        })
        .collect();
    assert_eq!(seen.len(), expected.len());
    for (n, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
        assert_eq!(seen, expected, "message {n}");
    }
}

impl Person {
    /// Chooses a file on the page of uploads, after this script.
    pub(crate) async fn chooses(&self, service: &Service, file: &Path, script: &str) {
        self.go(&format!("{}/upload", service.url)).await.unwrap();
        self.evaluate(script).await.unwrap();
        let field = self.find("#file").await.unwrap();
        field.send_keys(&file.display().to_string()).await.unwrap();
    }

    /// Begins the upload of what was chosen, and waits for what is said of it.
    pub(crate) async fn sends_the_file(&self) {
        self.click("#begin").await.unwrap();
        self.find("form[action$='/remove'] button").await.unwrap();
        self.arrives_where_files_are_ordered().await;
    }

    async fn arrives_where_files_are_ordered(&self) {
        self.until("the page of the file", || async {
            let address = self.address().await?;
            Ok(address.contains("/uploads/").then_some(()))
        })
        .await
        .unwrap();
    }

    /// Orders the file of the open page to be copied, to the result.
    async fn copies_the_file(&self, world: &World) {
        let password = &world.destination.password;
        self.fill("password", password).await.unwrap();
        self.fill("notify", NOTIFY).await.unwrap();
        self.follow(CHECK_FILE).await.unwrap();
        self.confirms().await;
        self.opens_the_progress().await;
    }
}

/// The service keeps no file any more.
async fn keeps_nothing(person: &Person, world: &World) {
    let uploads = world.file("state").join("uploads");
    person
        .until("the file is gone", || async {
            Ok((fs::read_dir(&uploads)?.count() == 0).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_is_uploaded_interrupted_continued_and_copied_whole() {
    let world = World::new(Terms::default());
    let file = world.file("古いメール.mbox");
    let mails = mbox(&file);
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.go(&service.url).await.unwrap();
    person.follow("main a[href='/upload']").await.unwrap();
    person.looks_right("ja").await;

    // The first part is there; before the second one the power goes.
    person.chooses(&service, &file, HOLD).await;
    person.click("#begin").await.unwrap();
    person.find("body[data-held]").await.unwrap();
    person.go("about:blank").await.unwrap();
    let service = service.kill_and_restart(&world);
    person.go(&format!("{}/upload", service.url)).await.unwrap();
    person.sees("まで届いています").await.unwrap();
    person.looks_right("ja").await;

    person.chooses(&service, &file, PARTS).await;
    person.sends_the_file().await;
    person.sees("フォルダ1個・メール").await.unwrap();
    let parts = person
        .evaluate("JSON.parse(sessionStorage.getItem('parts'))[0]")
        .await
        .unwrap();
    // A little of what was there came once more, and nothing before it.
    assert_eq!(parts, Value::from(1024 * 1024 - 256 * 1024));
    person.sees("古いメール").await.unwrap();
    person.sees("100通").await.unwrap();
    person.looks_right("ja").await;

    person.copies_the_file(&world).await;
    person.sees("コピーが完了しました").await.unwrap();
    person.sees("100通＝新しくコピー 100").await.unwrap();
    person.looks_right("ja").await;
    assert_holds(&world, "古いメール", &mails);
    let job = person.address().await.unwrap();

    // It is gone from the server, and the next copy begins with an upload that is a difference.
    keeps_nothing(&person, &world).await;
    person
        .sees_mail(
            &service,
            "アップロードされたファイルは、サーバーから削除しました",
        )
        .await;
    person.go(&job).await.unwrap();
    person.follow("main a[href$='/again']").await.unwrap();
    person
        .sees("前回のファイルはコピーの終了時に削除しました")
        .await
        .unwrap();
    person.chooses(&service, &file, PARTS).await;
    person.sends_the_file().await;
    person.copies_the_file(&world).await;
    person.sees("前回までにコピー済み 100通").await.unwrap();
    assert_holds(&world, "古いメール", &mails);

    // Taken back, though nobody but the person has the file any more.
    keeps_nothing(&person, &world).await;
    person.follow("main a[href$='/undo']").await.unwrap();
    person.sees("取り除くメール：100通").await.unwrap();
    person.looks_right("ja").await;
    person
        .fill("password", &world.destination.password)
        .await
        .unwrap();
    person.fill("word", "取り消す").await.unwrap();
    person.click("#file").await.unwrap();
    person
        .follow("form[action$='/undo'] .buttons button")
        .await
        .unwrap();
    person.sees("100通を取り除きました").await.unwrap();
    let left = world.destination_now();
    assert!(
        left.mailboxes
            .values()
            .all(|mailbox| mailbox.messages.is_empty())
    );
    assert_eq!(service.stop().code(), Some(0));
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_removed() {
    let world = World::new(Terms::default());
    let file = world.file("mail.pst");
    fs::write(&file, b"!BDN\0\0\0\0SM\x17\0\x13\0\x01\x01").unwrap();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.chooses(&service, &file, "true").await;
    person.sends_the_file().await;
    person
        .sees("まだ直接読み取ることができません")
        .await
        .unwrap();
    person.looks_right("ja").await;
    assert_eq!(
        person.count(CHECK_FILE).await.unwrap(),
        0,
        "nothing to order"
    );
    person
        .follow("form[action$='/remove'] button")
        .await
        .unwrap();
    keeps_nothing(&person, &world).await;
}

#[tokio::test]
async fn without_javascript_a_file_comes_with_the_form() {
    let world = World::new(Terms::default());
    let file = world.file("古いメール.mbox");
    let mails = mbox(&file);
    let service = Service::start(&world);
    let person = Person::sits_down(BrowserOptions {
        lang: "ja",
        script: false,
        ..BrowserOptions::default()
    })
    .await;
    person.signs_in(&service, &world).await;
    person.go(&format!("{}/upload", service.url)).await.unwrap();
    person
        .sees("途中で通信が途切れると、最初からやり直しになります")
        .await
        .unwrap();
    let field = person.find("#file").await.unwrap();
    field.send_keys(&file.display().to_string()).await.unwrap();
    person.sends_the_file().await;
    person.sees("フォルダ1個・メール").await.unwrap();
    person.copies_the_file(&world).await;
    person.sees("100通＝新しくコピー 100").await.unwrap();
    assert_holds(&world, "古いメール", &mails);
    keeps_nothing(&person, &world).await;
}
