//! The pictures of the user guide. `cargo xtask guide` keeps them; without it they are taken and thrown away, so that the
//! guide's scenes stay possible.

use crate::person::{Form, Person, START};
use crate::service::Service;
use crate::upload;
use crate::world::{NOTIFY, Terms, World, modest};
use hikyaku_testkit::browser::{BrowserOptions, Screen, Shot};
use hikyaku_testkit::certificates::Shown;
use hikyaku_testkit::judge::Judge;
use hikyaku_testkit::servers::{DovecotOptions, MailServer};
use std::path::PathBuf;
use tempfile::TempDir;

/// What stands in the pictures in place of what differs between machines.
const OLD_HOST: &str = "imap.old.example.jp";
/// The same for the new server.
const NEW_HOST: &str = "imap.new.example.jp";

#[tokio::test]
async fn the_guide_is_pictured_in_japanese() {
    the_guide_is_pictured("ja").await;
    the_question_is_pictured("ja").await;
    the_upload_is_pictured("ja").await;
}

#[tokio::test]
async fn the_guide_is_pictured_in_english() {
    the_guide_is_pictured("en").await;
    the_question_is_pictured("en").await;
    the_upload_is_pictured("en").await;
}

async fn the_guide_is_pictured(lang: &'static str) {
    let album = Album::of(lang);
    let world = World::new(Terms {
        bandwidth: Some(250_000),
        plan: "max_message = \"100K\"",
        ..Terms::default()
    });
    world.fill(&modest());
    too_large(&mut world.old_judge());
    let service = Service::start(&world);
    let person = Person::reading(lang).await;

    person.go(&service.url).await.unwrap();
    album.keep(&person, &world, "01-start").await;
    person.go(&format!("{}/signin", service.url)).await.unwrap();
    album.keep(&person, &world, "02-sign-in").await;
    person.signs_in(&service, &world).await;

    person.go(&format!("{}/copy", service.url)).await.unwrap();
    let form = Form::right(&world);
    for (name, value) in [
        ("password", form.password.as_str()),
        ("source_host", OLD_HOST),
        ("source_password", &form.source_password),
        ("notify", &form.notify),
    ] {
        person.fill(name, value).await.unwrap();
    }
    album.keep(&person, &world, "03-form").await;
    person.orders(&service, &form).await;
    person.find(START).await.unwrap();
    album.keep(&person, &world, "04-confirm").await;
    person.confirms().await;
    album.keep(&person, &world, "05-accepted").await;
    person.opens_the_progress().await;
    person
        .until("progress", || async {
            let done = person
                .evaluate("document.querySelector('progress')?.value")
                .await?;
            Ok(done.as_f64().filter(|done| *done > 0.0))
        })
        .await
        .unwrap();
    album.keep(&person, &world, "06-progress").await;
    person.find("main a[href$='/again']").await.unwrap();
    let job = person.address().await.unwrap();
    album.keep(&person, &world, "07-result").await;
    person.go(&format!("{job}/report")).await.unwrap();
    album.keep(&person, &world, "15-report").await;
    person.go(&format!("{job}/again")).await.unwrap();
    album.keep(&person, &world, "08-again").await;
    person.go(&format!("{job}/undo")).await.unwrap();
    album.keep(&person, &world, "09-undo").await;
    person.go(&format!("{}/jobs", service.url)).await.unwrap();
    album.keep(&person, &world, "10-list").await;
    person.sees_mail(&service, NOTIFY).await;
    album.keep(&person, &world, "11-mail").await;
    person.go(&format!("{}/help", service.url)).await.unwrap();
    // The help is long; its beginning shows what it is.
    person.looks_right(lang).await;
    album
        .keep_one(&person, &world, "12-help", Shot::Window)
        .await;

    let wrong = Form {
        source_password: "wrong-password".to_owned(),
        ..form
    };
    person.orders(&service, &wrong).await;
    person
        .find("main [href*='/help/A201'], main .bad, main [role='alert']")
        .await
        .unwrap();
    album.keep(&person, &world, "13-wrong-password").await;

    let night = Person::sits_down(BrowserOptions {
        lang,
        dark: true,
        ..BrowserOptions::default()
    })
    .await;
    night.signs_in(&service, &world).await;
    night.go(&job).await.unwrap();
    album
        .keep_one(&night, &world, "14-dark", Shot::Window)
        .await;
}

/// An old server whose certificate bears another name.
async fn the_question_is_pictured(lang: &'static str) {
    let world = World::new(Terms {
        old: DovecotOptions {
            certificate: Shown::WrongName,
            ..DovecotOptions::default()
        },
        ..Terms::default()
    });
    let service = Service::start(&world);
    let person = Person::reading(lang).await;
    person.signs_in(&service, &world).await;
    person.orders_right(&service, &world).await;
    person.find("#agree").await.unwrap();
    Album::of(lang)
        .keep(&person, &world, "16-certificate")
        .await;
}

/// A file of the person's computer.
async fn the_upload_is_pictured(lang: &'static str) {
    let album = Album::of(lang);
    let world = World::new(Terms::default());
    let name = match lang {
        "ja" => "受信トレイ.mbox",
        _ => "Inbox.mbox",
    };
    let file = world.file(name);
    upload::mbox(&file);
    let service = Service::start(&world);
    let person = Person::reading(lang).await;
    person.signs_in(&service, &world).await;
    person.chooses(&service, &file, "true").await;
    album.keep(&person, &world, "17-upload").await;
    person.sends_the_file().await;
    person.fill("notify", NOTIFY).await.unwrap();
    album.keep(&person, &world, "18-uploaded").await;
}

/// A message that the plan does not permit.
fn too_large(judge: &mut Judge) {
    let text = format!(
        "Subject: =?utf-8?B?5aSn44GN44Gq5Zuz6Z2i?=\r\nDate: Mon, 1 Apr 2024 09:00:00 +0900\r\n\r\n{}",
        "0123456789012345678901234567890123456789\r\n".repeat(3_000)
    );
    let date = "01-Apr-2024 09:00:00 +0900";
    judge
        .append("INBOX", &["\\Seen"], Some(date), text.as_bytes())
        .unwrap()
        .accepted()
        .unwrap();
}

/// Where the pictures go.
struct Album {
    directory: PathBuf,
    /// Where they are thrown away.
    _scratch: TempDir,
}

impl Album {
    fn of(lang: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let kept = std::env::var_os("HIKYAKU_GUIDE").map(PathBuf::from);
        Self {
            directory: kept.unwrap_or_else(|| scratch.path().to_owned()).join(lang),
            _scratch: scratch,
        }
    }

    /// Takes the page that is open in both widths.
    async fn keep(&self, person: &Person, world: &World, name: &str) {
        person.looks_right(self.lang()).await;
        self.keep_one(person, world, name, Shot::Page).await;
        person.show_on(Screen::Phone).await.unwrap();
        self.keep_one(person, world, &format!("{name}-phone"), Shot::Window)
            .await;
        person.show_on(Screen::Desktop).await.unwrap();
    }

    async fn keep_one(&self, person: &Person, world: &World, name: &str, shot: Shot) {
        let new_port = world.new.instance().tls_port();
        let disguise = disguise(&world.old_host(), new_port);
        person.evaluate(&disguise).await.unwrap();
        let path = self.directory.join(format!("{name}.png"));
        person.shoot(shot, &path).await.unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 2_000, "{name}");
    }

    fn lang(&self) -> &str {
        let lang = self.directory.file_name().and_then(|name| name.to_str());
        lang.unwrap_or_default()
    }
}

/// Replaces the old server's address in the page by one that means something to readers.
fn disguise(host: &str, new_port: u16) -> String {
    let (name, _) = host.split_once(':').unwrap();
    format!(
        "(() => {{
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {{
            const text = walk.currentNode;
            text.data = text.data.replaceAll('{host}', '{OLD_HOST}').replaceAll('{name}', '{OLD_HOST}')
              .replace(/http:\\/\\/127\\.0\\.0\\.1:\\d+/g, 'https://copy.example.jp').replaceAll('127.0.0.1', '{NEW_HOST}')
              .replaceAll('{new_port}', '993');
          }}
        }})()"
    )
}
