//! Pauses, a killed server, a closed browser.

use crate::person::Person;
use crate::service::Service;
use crate::world::{World, messages};
use hikyaku_testkit::browser::BrowserOptions;

#[tokio::test]
async fn a_copy_is_paused_goes_on_and_is_exact() {
    let world = World::behind_a_narrow_line();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    some_mail_arrives(&person, &world).await;
    person.looks_right("ja").await;
    person.click("form[action$='/pause'] button").await.unwrap();
    person.sees("一時停止しています").await.unwrap();
    person.looks_right("ja").await;
    let paused = messages(&world.destination_now());
    assert!(paused < 300, "there was something left to copy");
    person
        .click("form[action$='/resume'] button")
        .await
        .unwrap();
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}

#[tokio::test]
async fn a_cancelled_copy_ends_with_a_mail_and_keeps_what_was_copied() {
    let world = World::behind_a_narrow_line();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    some_mail_arrives(&person, &world).await;
    person.follow("main a[href$='/cancel']").await.unwrap();
    person.sees("コピーを中止しますか").await.unwrap();
    person.looks_right("ja").await;
    person
        .click("form[action$='/cancel'] button")
        .await
        .unwrap();
    person.sees("コピーを中止しました").await.unwrap();
    person.looks_right("ja").await;
    let kept = messages(&world.destination_now());
    assert!((1..300).contains(&kept), "{kept} of 300");
    person.sees_mail(&service, "中止").await;
}

#[tokio::test]
async fn a_server_that_is_killed_goes_on_after_its_restart_while_the_page_stays_open() {
    let world = World::behind_a_narrow_line();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    some_mail_arrives(&person, &world).await;
    let service = service.kill_and_restart(&world);
    assert!(messages(&world.destination_now()) < 300);
    // Nobody touches the browser: the page finds the new process by itself.
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
    person.sees_mail(&service, "コピーが完了しました").await;
    assert_eq!(
        person
            .text()
            .await
            .unwrap()
            .matches("メールデータコピーが完了しました")
            .count(),
        1
    );
}

#[tokio::test]
async fn the_browser_is_closed_and_another_one_shows_the_result() {
    let world = World::behind_a_narrow_line();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    some_mail_arrives(&person, &world).await;
    person.leaves().await;

    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.go(&format!("{}/jobs", service.url)).await.unwrap();
    person.follow("main a[href^='/jobs/']").await.unwrap();
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}

#[tokio::test]
async fn without_scripts_everything_works_by_reloading() {
    let world = World::behind_a_narrow_line();
    let service = Service::start(&world);
    let person = Person::sits_down(BrowserOptions {
        script: false,
        ..BrowserOptions::default()
    })
    .await;
    person.starts_a_copy(&service, &world).await;
    some_mail_arrives(&person, &world).await;
    person
        .sees("この画面は5秒ごとに自動で更新されます")
        .await
        .unwrap();
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}

/// Waits until the new server holds a message.
async fn some_mail_arrives(person: &Person, world: &World) {
    person
        .until("a message at the new server", || async {
            Ok((messages(&world.destination_now()) > 0).then_some(()))
        })
        .await
        .unwrap();
}
