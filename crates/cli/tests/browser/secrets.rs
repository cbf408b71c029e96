//! No password is found anywhere afterwards.

use crate::person::{Form, Person};
use crate::service::Service;
use crate::world::World;
use std::fs;
use std::path::Path;

#[tokio::test]
async fn no_password_stands_in_a_log_a_file_or_a_page() {
    let world = World::with_mail();
    let service = Service::start(&world);
    let person = Person::reading("ja").await;
    person.signs_in(&service, &world).await;
    let wrong = Form {
        source_password: "canary-wrong-4711".to_owned(),
        ..Form::right(&world)
    };
    person.orders(&service, &wrong).await;
    person
        .sees("メールアドレスかパスワードが違います")
        .await
        .unwrap();
    let mut pages = person.source().await.unwrap();
    person.orders_right(&service, &world).await;
    person.find(crate::person::START).await.unwrap();
    pages += &person.source().await.unwrap();
    // While the job waits for its start the passwords are kept, sealed.
    let secrets = [
        "canary-wrong-4711",
        &world.source.password,
        &world.destination.password,
    ];
    assert_nowhere(&secrets, world.directory());
    person.confirms().await;
    person.opens_the_progress().await;
    person.sees("コピーが完了しました").await.unwrap();
    pages += &person.source().await.unwrap();
    person.sees_mail(&service, "コピーが完了しました").await;
    pages += &person.source().await.unwrap();
    for secret in secrets {
        assert!(!pages.contains(secret), "a page holds {secret}");
    }
    assert_nowhere(&secrets, world.directory());
    service.stop();
    assert_nowhere(&secrets, world.directory());
}

/// Looks through every file below the directory, logs and database included.
fn assert_nowhere(secrets: &[&str], directory: &Path) {
    let mut files = 0;
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            files += 1;
            let octets = fs::read(&path).unwrap();
            for secret in secrets {
                let found = octets
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
        }
    }
    assert!(files >= 4, "log, database, key and configuration: {files}");
}
