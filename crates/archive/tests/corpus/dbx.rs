//! Outlook Express.

use crate::support::{corpus, counts, golden, read};
use hikyaku_archive::Kind;

#[tokio::test]
async fn a_set_of_files_has_the_names_of_its_folders() {
    let Some(path) = corpus("dbx/oe6-en-set") else {
        return;
    };
    let folders = read(Kind::OutlookExpress, &path).await;
    assert_eq!(counts(&folders), [("INBOX", 1), ("Outbox", 0)]);
    golden("dbx-oe6-en-set", &path, &folders);
}

#[tokio::test]
async fn one_file_has_the_messages_that_others_find_in_it() {
    let Some(path) = corpus("dbx/kde-test4.dbx") else {
        return;
    };
    let folders = read(Kind::OutlookExpress, &path).await;
    assert_eq!(counts(&folders), [("kde-test4", 3)]);
    golden("dbx-kde-test4", &path, &folders);
}

#[tokio::test]
async fn files_of_version_four() {
    for (name, messages) in [("kde-test1.mbx", 0), ("kde-test2.dbx", 1)] {
        let Some(path) = corpus(&format!("dbx/{name}")) else {
            return;
        };
        let folders = read(Kind::OutlookExpress, &path).await;
        let stem = name.split('.').next().unwrap();
        golden(&format!("dbx-{stem}"), &path, &folders);
        assert_eq!(counts(&folders), [(stem, messages)]);
    }
}
