//! Too little room, and messages that are too large.

use crate::person::{Person, START};
use crate::service::Service;
use crate::world::{Terms, World, messages, modest};
use hikyaku_testkit::judge::Judge;

#[tokio::test]
async fn without_enough_room_the_page_says_so_and_offers_what_fits() {
    let world = World::new(Terms {
        quota_kib: Some(2_000),
        ..Terms::default()
    });
    world.fill(&modest());
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.orders_right(&service, &world).await;
    person.sees("不足").await.unwrap();
    person.looks_right("ja").await;
    // 新しいものから入る分だけコピーする
    // Not without saying what is to be done about it.
    person.find(START).await.unwrap();
    person.follow(START).await.unwrap();
    person.sees("空き容量が足りません").await.unwrap();
    person.click("[name='fit']").await.unwrap();
    person.confirms().await;
    person.opens_the_progress().await;
    person
        .sees_one_of(&["コピーが終わりました", "コピーが中断しました"])
        .await
        .unwrap();
    person.looks_right("ja").await;
    let copied = messages(&world.destination_now());
    assert!((1..300).contains(&copied), "{copied} of 300 fit");
}

#[tokio::test]
async fn messages_that_are_too_large_are_named_before_and_after_and_can_be_downloaded() {
    let world = World::new(Terms {
        plan: "max_message = \"100K\"",
        ..Terms::default()
    });
    let large = format!(
        "Subject: =?utf-8?B?5aSn44GN44Gq5Zuz6Z2i?=\r\nDate: Mon, 1 Apr 2024 09:00:00 +0900\r\n\r\n{}",
        "x".repeat(70).repeat(3_000).as_str()
    );
    let large = wrap(&large);
    append(&mut world.old_judge(), &large);
    for n in 0..5 {
        append(
            &mut world.old_judge(),
            &format!("Subject: small {n}\r\n\r\ntext\r\n"),
        );
    }
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    person.orders_right(&service, &world).await;
    person.find(START).await.unwrap();
    person
        .sees("を超えるためコピーできないメール：1通")
        .await
        .unwrap();
    person.click("details.warn summary").await.unwrap();
    person.sees("大きな図面").await.unwrap();
    person.looks_right("ja").await;
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが終わりました").await.unwrap();
    person.sees("大きな図面").await.unwrap();
    person.looks_right("ja").await;
    assert_eq!(messages(&world.destination_now()), 5);

    person
        .fill("source_password", &world.source.password)
        .await
        .unwrap();
    person
        .click("form[action$='/message'] button")
        .await
        .unwrap();
    let (name, octets) = person.downloaded().await.unwrap();
    assert!(name.ends_with(".eml"), "{name}");
    assert!(octets == large.as_bytes(), "the file is the message");
}

/// Lines of 72 characters, as mail has.
fn wrap(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(72)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!("{head}\r\n\r\n{}\r\n", lines.join("\r\n"))
}

fn append(judge: &mut Judge, text: &str) {
    let flags: [&str; 0] = [];
    judge
        .append("INBOX", &flags, None, text.as_bytes())
        .unwrap()
        .accepted()
        .unwrap();
}
