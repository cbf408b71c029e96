//! The whole flow without a mouse.

use crate::person::{CHECK, Form, Person, START};
use crate::service::Service;
use crate::world::{ADDRESS, World};

const ENTER: &str = "\u{e007}";

#[tokio::test]
async fn the_whole_flow_is_walked_with_the_keyboard_alone() {
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.go(&format!("{}/signin", service.url)).await.unwrap();
    person.types_at("address", ADDRESS).await;
    person
        .types_at("password", &world.destination.password)
        .await;
    person.press(ENTER).await.unwrap();
    person.find("form[action='/signout']").await.unwrap();

    person.go(&format!("{}/copy", service.url)).await.unwrap();
    let form = Form::right(&world);
    person.types_at("password", &form.password).await;
    person.types_at("source_host", &form.source_host).await;
    person
        .types_at("source_password", &form.source_password)
        .await;
    person.types_at("notify", &form.notify).await;
    person.tab_to(CHECK).await.unwrap();
    assert_outlined(&person).await;
    person.press(ENTER).await.unwrap();

    person.find(START).await.unwrap();
    person.tab_to(START).await.unwrap();
    assert_outlined(&person).await;
    person.press(ENTER).await.unwrap();
    person.arrives("/accepted").await.unwrap();
    let job = person.address().await.unwrap().replace("/accepted", "");
    let link = format!("main a[href='{}']", crate::person::path(&job));
    person.tab_to(&link).await.unwrap();
    assert_outlined(&person).await;
    person.press(ENTER).await.unwrap();
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
}

/// Whoever has no mouse sees where the keyboard is.
async fn assert_outlined(person: &Person) {
    let style = person
        .evaluate(
            "(() => { const style = getComputedStyle(document.activeElement); \
             return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; })()",
        )
        .await
        .unwrap();
    assert_eq!(style, true);
}
