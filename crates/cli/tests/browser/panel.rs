//! As a hosting company runs it: people come from a control panel, and the result goes out by mail.

use crate::person::Person;
use crate::service::Service;
use crate::world::{ADDRESS, NOTIFY, World};
use hikyaku_net::Secret;
use hikyaku_service::web::{HandOver, sign};
use hikyaku_testkit::smtp::{Sink, Wanted};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

const KEY: &str = "a key that panel and page share: 6c1f8e";
const LOGIN: &str = "page@example.jp";
const PASSWORD: &str = "submission-password";

#[tokio::test]
async fn a_person_comes_from_the_control_panel_and_the_result_goes_by_mail() {
    let world = World::with_mail();
    let sink = Sink::start(Wanted {
        login: Some((LOGIN.to_owned(), PASSWORD.to_owned())),
        ..Wanted::default()
    })
    .unwrap();
    configure(&world, &sink);
    let service = Service::start(&world);
    let person = Person::reading("ja").await;

    let handed = format!("{}/handover?token={}", service.url, token("one"));
    person.go(&handed).await.unwrap();
    person.find("form[action='/signout']").await.unwrap();
    person.looks_right("ja").await;
    let address = person.address().await.unwrap();
    assert!(!address.contains("token"), "{address}");
    person.orders_right(&service, &world).await;
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
    let arrived = sink.wait_for(1).unwrap();
    assert_eq!(arrived.len(), 1);
    let mail = &arrived[0];
    assert_eq!(mail.to, [NOTIFY]);
    assert_eq!(mail.login.as_deref(), Some(LOGIN));
    assert!(mail.encrypted);
    assert_eq!(mail.header("To"), NOTIFY);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");

    // A token opens the page once.
    let other = Person::reading("ja").await;
    other.go(&handed).await.unwrap();
    other.sees("画面の有効期限が切れました").await.unwrap();
    assert_eq!(other.count("form[action='/signout']").await.unwrap(), 0);
    assert_eq!(service.stop().code(), Some(0));
    assert_eq!(sink.arrived().len(), 1);
}

/// What the control panel writes into the link.
fn token(nonce: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let handover = HandOver {
        brand: "test".to_owned(),
        plan: "standard".to_owned(),
        address: ADDRESS.to_owned(),
        expires: i64::try_from(now.as_secs()).unwrap() + 120,
        nonce: nonce.to_owned(),
    };
    sign(&handover, &Secret::from(KEY))
}

/// Mails are sent instead of shown, and the panel's key is known.
fn configure(world: &World, sink: &Sink) {
    fs::write(world.file("panel.key"), format!("{KEY}\n")).unwrap();
    fs::write(world.file("smtp.pass"), format!("{PASSWORD}\n")).unwrap();
    fs::write(world.file("smtp.pem"), sink.authority_pem()).unwrap();
    let usual = fs::read_to_string(world.file("config.toml")).unwrap();
    let config = usual.replace("catch_mail = true", "handover_secret_file = \"panel.key\"");
    assert_ne!(config, usual);
    let smtp = format!(
        "[smtp]\nhost = \"localhost\"\nport = {}\nsecurity = \"tls\"\nfrom = \"見本サーバー <noreply@example.jp>\"\n\
         user = \"{LOGIN}\"\npassword_file = \"smtp.pass\"\nca_file = \"smtp.pem\"\n",
        sink.port()
    );
    fs::write(world.file("config.toml"), format!("{config}\n{smtp}")).unwrap();
}
