//! `hikyaku demo` leaves a page open on which a newcomer finishes the whole flow with what the terminal says.

use crate::person::{CHECK, Person};
use crate::service::Service;
use std::process::Command;
use tempfile::TempDir;

#[tokio::test]
async fn a_newcomer_finishes_the_whole_flow_of_the_demo() {
    let home = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hikyaku"));
    command
        .args(["demo", "-vv", "--stay", "--lang", "ja"])
        .args(["--listen", "127.0.0.1:0"])
        .env_clear()
        .env("HOME", home.path());
    let mut service = Service::launch(command, home.path().join("log"));
    service.says("Ctrl-C");
    let said = service.said();
    let after = |word: &str| {
        let rest = &said[said.find(word).unwrap() + word.len()..];
        rest.split(['　', '\n', ' ']).next().unwrap().to_owned()
    };
    let (address, password) = (after("メールアドレス "), after("①パスワード "));
    let host = after("②サーバー名 ");

    let person = Person::reading("ja").await;
    person.go(&service.url).await.unwrap();
    person.follow("main a[href='/copy']").await.unwrap();
    person.types_sign_in(&address, &password).await;
    for (field, value) in [
        ("password", password.as_str()),
        ("source_host", &host),
        ("source_password", &password),
        ("notify", "me@example.com"),
    ] {
        person.fill(field, value).await.unwrap();
    }
    person.follow(CHECK).await.unwrap();
    person.click("#agree").await.unwrap();
    person
        .follow("form[action$='/accept'] button")
        .await
        .unwrap();
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが完了しました").await.unwrap();
    person.looks_right("ja").await;
    person.sees_mail(&service, "me@example.com").await;
    assert_eq!(service.stop().code(), Some(0));
}
