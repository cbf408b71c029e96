//! Everything goes well, in both languages.

use crate::person::Person;
use crate::service::Service;
use crate::world::{NOTIFY, World, messages};

/// What the pages say in a language.
struct Words {
    lang: &'static str,
    check: &'static str,
    start: &'static str,
    accepted: &'static str,
    done: &'static str,
    equation: &'static str,
    subject: &'static str,
}

#[tokio::test]
async fn a_copy_goes_well_in_japanese() {
    a_copy_goes_well(Words {
        lang: "ja",
        check: "確認する",
        start: "実行する",
        accepted: "受け付けました",
        done: "コピーが完了しました",
        equation: "300通＝新しくコピー 300",
        subject: "【見本サーバー】メールデータコピーが完了しました",
    })
    .await;
}

#[tokio::test]
async fn a_copy_goes_well_in_english() {
    a_copy_goes_well(Words {
        lang: "en",
        check: "Check",
        start: "Start",
        accepted: "Accepted",
        done: "The copy is complete",
        equation: "300",
        subject: "Sample Hosting",
    })
    .await;
}

async fn a_copy_goes_well(words: Words) {
    let world = World::with_mail();
    let before = world.source_now();
    let service = Service::start(&world);
    let person = Person::reading(words.lang).await;
    person.go(&service.url).await.unwrap();
    person.looks_right(words.lang).await;
    person.go(&format!("{}/signin", service.url)).await.unwrap();
    person.looks_right(words.lang).await;
    person.signs_in(&service, &world).await;
    person.go(&format!("{}/copy", service.url)).await.unwrap();
    person.sees(words.check).await.unwrap();
    person.looks_right(words.lang).await;

    person.orders_right(&service, &world).await;
    person.sees(words.start).await.unwrap();
    person.looks_right(words.lang).await;
    person.confirms().await;
    person.sees(words.accepted).await.unwrap();
    person.sees(NOTIFY).await.unwrap();
    person.looks_right(words.lang).await;

    person.opens_the_progress().await;
    person.sees(words.done).await.unwrap();
    person.sees(words.equation).await.unwrap();
    person.looks_right(words.lang).await;
    world.assert_copied();
    assert_eq!(messages(&world.destination_now()), 300);
    assert_eq!(world.source_now(), before, "the source is only read");

    person.go(&format!("{}/jobs", service.url)).await.unwrap();
    person.looks_right(words.lang).await;
    person.go(&format!("{}/help", service.url)).await.unwrap();
    person.looks_right(words.lang).await;
    person.sees_mail(&service, words.subject).await;
    person.looks_right(words.lang).await;
    assert_eq!(service.stop().code(), Some(0));
}
