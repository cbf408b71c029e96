//! A second run, a fresh one, and taking everything back.

use crate::person::Person;
use crate::service::Service;
use crate::world::{World, messages};

#[tokio::test]
async fn a_second_run_copies_only_what_is_new_and_undo_takes_all_of_it_back() {
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    person.sees("コピーが完了しました").await.unwrap();

    // 差分
    person.follow("main a[href$='/again']").await.unwrap();
    person.looks_right("ja").await;
    person.again(&world, "differential").await;
    person
        .sees("300通＝前回までにコピー済み 300通")
        .await
        .unwrap();
    world.assert_copied();

    // 取り消し
    person.follow("main a[href$='/undo']").await.unwrap();
    person.looks_right("ja").await;
    person.fill("word", "取り消す").await.unwrap();
    person.types_passwords(&world).await;
    person
        .follow("form[action$='/undo'] .buttons button")
        .await
        .unwrap();
    person.sees("取り消しが完了しました").await.unwrap();
    person.looks_right("ja").await;
    assert_eq!(messages(&world.destination_now()), 0);
    assert_eq!(messages(&world.source_now()), 300);
}

#[tokio::test]
async fn a_fresh_run_replaces_its_own_copies_and_keeps_what_the_person_changed() {
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    person.sees("コピーが完了しました").await.unwrap();
    world.assert_copied();
    // In the meantime the person stars one of the copies: it is theirs now.
    let mut judge = world.new_judge();
    judge.select("INBOX").unwrap().accepted().unwrap();
    let first = world.destination_now().mailboxes[&b"INBOX"[..]].messages[0].clone();
    let is_starred = first.flags.contains("\\Flagged");
    let change = if is_starred { "-FLAGS" } else { "+FLAGS" };
    let changed = judge.store(&first.uid.to_string(), change, &["\\Flagged"]);
    changed.unwrap().accepted().unwrap();

    person.follow("main a[href$='/again']").await.unwrap();
    person.again(&world, "fresh_replace").await;
    person.sees("コピーが完了しました").await.unwrap();
    person.looks_right("ja").await;
    let mut after = world.destination_now();
    let inbox = &mut after.mailboxes.get_mut(&b"INBOX"[..]).unwrap().messages;
    let kept = inbox.iter().position(|message| message.uid == first.uid);
    let kept = inbox.remove(kept.unwrap());
    assert_eq!(kept.content, first.content);
    assert_ne!(kept.flags, first.flags);
    world.assert_holds(&after);
    assert_eq!(messages(&after), 300);
}

#[tokio::test]
async fn a_fresh_run_into_a_folder_leaves_the_first_copy_alone() {
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.starts_a_copy(&service, &world).await;
    person.sees("コピーが完了しました").await.unwrap();
    let before = world.destination_now();

    person.follow("main a[href$='/again']").await.unwrap();
    person.again(&world, "fresh_folder").await;
    person.sees("コピーが完了しました").await.unwrap();
    let after = world.destination_now();
    for (name, mailbox) in &before.mailboxes {
        assert_eq!(after.mailboxes[name].messages, mailbox.messages);
    }
    assert_eq!(messages(&after), 600);
}
