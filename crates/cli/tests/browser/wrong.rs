//! What is typed wrongly is told with its field, its cause and the next step, and can be mended on the spot.

use crate::person::{Form, Person, START};
use crate::service::Service;
use crate::world::{ADDRESS, Terms, World, messages, modest};
use hikyaku_testkit::certificates::Shown;
use hikyaku_testkit::servers::{DovecotOptions, MailServer};

#[tokio::test]
async fn a_wrong_password_at_the_sign_in_lets_nobody_in() {
    let world = World::new(Terms::default());
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.go(&format!("{}/signin", service.url)).await.unwrap();
    person.types_sign_in(ADDRESS, "wrong-password").await;
    person.sees("ログインできません").await.unwrap();
    person.looks_right("ja").await;
    person.go(&format!("{}/copy", service.url)).await.unwrap();
    person.find("[name='address']").await.unwrap();
    person
        .types_sign_in(ADDRESS, &world.destination.password)
        .await;
    // People come back to where they wanted to go.
    person.find("[name='source_password']").await.unwrap();
}

/// A mistake in the form, and what the page says about it.
struct Mistake {
    change: fn(&mut Form, &World),
    says: &'static str,
}

#[tokio::test]
async fn each_mistake_in_the_form_is_told_and_can_be_mended() {
    let mistakes = [
        Mistake {
            change: |form, _| form.source_password = "wrong-password".to_owned(),
            says: "メールアドレスかパスワードが違います",
        },
        Mistake {
            change: |form, _| form.source_host = "nowhere.invalid".to_owned(),
            says: "サーバー名が見つかりません",
        },
        Mistake {
            // A port that is free, so that nobody answers; the guard permits it.
            change: |form, _| form.source_host = "localhost:993".to_owned(),
            says: "サーバーに接続できません",
        },
        Mistake {
            change: |form, world| {
                form.source_host = format!("localhost:{}", world.new.instance().tls_port());
                form.source_password = world.destination.password.clone();
            },
            says: "コピー先と同じ",
        },
    ];
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    for mistake in mistakes {
        let mut form = Form::right(&world);
        (mistake.change)(&mut form, &world);
        person.orders(&service, &form).await;
        person.sees(mistake.says).await.unwrap();
        person.looks_right("ja").await;
        assert_eq!(person.count(START).await.unwrap(), 0, "{}", mistake.says);
    }
    assert_eq!(messages(&world.destination_now()), 0);

    person.orders_right(&service, &world).await;
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}

#[tokio::test]
async fn what_is_missing_is_named_at_the_top_and_the_keyboard_is_there() {
    let world = World::new(Terms::default());
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    let form = Form {
        password: String::new(),
        source_password: String::new(),
        notify: "これはアドレスではありません".to_owned(),
        ..Form::right(&world)
    };
    // The browser's own checks would keep the form from being sent.
    person.go(&format!("{}/copy", service.url)).await.unwrap();
    person.orders_unchecked(&form).await;
    person.sees("入力内容をご確認ください").await.unwrap();
    person.looks_right("ja").await;
    let wrong = person.count("[aria-invalid='true']").await.unwrap();
    assert_eq!(wrong, 3, "①, ④ and ⑤");
    let focused = person
        .evaluate("document.activeElement.getAttribute('role') || document.activeElement.className")
        .await
        .unwrap();
    assert_eq!(focused, "alert");
    // What was right stays; passwords never come back.
    let host = person.value("source_host").await.unwrap();
    assert_eq!(host, form.source_host);
    assert_eq!(person.value("source_password").await.unwrap(), "");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_shown_and_accepted_before_anything_is_sent() {
    let world = World::new(Terms {
        old: DovecotOptions {
            certificate: Shown::WrongName,
            ..DovecotOptions::default()
        },
        ..Terms::default()
    });
    world.fill(&modest());
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.orders_right(&service, &world).await;
    person.sees("somebody-else.example").await.unwrap();
    let shown = person.text().await.unwrap();
    let pin = world.old.instance().identity().pin.to_uppercase();
    let pairs: Vec<&str> = (0..pin.len() / 2).map(|n| &pin[2 * n..2 * n + 2]).collect();
    assert!(shown.contains(&pairs.join(":")), "the fingerprint: {shown}");
    person.looks_right("ja").await;
    assert_eq!(person.count(START).await.unwrap(), 0);
    // Not without the tick.
    let accept = "form[action$='/accept'] button";
    person.follow(accept).await.unwrap();
    person.sees("チェックを入れてください").await.unwrap();
    assert_eq!(person.count(START).await.unwrap(), 0);
    person.click("#agree").await.unwrap();
    person.follow(accept).await.unwrap();
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}
