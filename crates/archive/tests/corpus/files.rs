//! Single messages, trees of them, and MH folders.

use crate::support::{corpus, counts, crlf, golden, read};
use hikyaku_archive::Kind;

#[tokio::test]
async fn single_messages_come_out_octet_for_octet() {
    for part in [
        "ja-test-mails",
        "mailcore2",
        "ruby-mail",
        "thunderbird",
        "thunderbird-smime",
    ] {
        let Some(path) = corpus(&format!("eml/{part}")) else {
            continue;
        };
        let folders = read(Kind::Eml, &path).await;
        let mut told: Vec<Vec<u8>> = folders
            .iter()
            .flat_map(|f| f.messages.iter().map(|m| m.octets.clone()))
            .collect();
        let mut wanted: Vec<Vec<u8>> = Vec::new();
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|e| e == "eml") {
                wanted.push(crlf(&std::fs::read(&file).unwrap()));
            }
        }
        told.sort();
        wanted.sort();
        assert_eq!(told.len(), wanted.len(), "{part}");
        assert!(told == wanted, "{part}");
        assert!(folders.iter().all(|f| f.faults.is_empty()), "{part}");
        golden(&format!("eml-{part}"), &path, &folders);
    }
}

#[tokio::test]
async fn japanese_and_damaged_messages_are_all_told() {
    let Some(path) = corpus("ja-constructed/eml") else {
        return;
    };
    let folders = read(Kind::Eml, &path).await;
    let told: usize = folders
        .iter()
        .map(|f| f.messages.len() + f.faults.len())
        .sum();
    assert_eq!(told, 59);
    golden("eml-ja-constructed", &path, &folders);
}

#[tokio::test]
async fn a_store_of_sylpheed_is_a_tree_of_mh_folders() {
    let Some(path) = corpus("sylpheed-mh/Mail") else {
        return;
    };
    let folders = read(Kind::Mh, &path).await;
    let with_mail: Vec<_> = counts(&folders)
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .collect();
    let mut numbers: Vec<usize> = with_mail.iter().map(|(_, n)| *n).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [6, 6, 7, 8, 11, 11], "{with_mail:?}");
    golden("mh-sylpheed", &path, &folders);
}
