//! Google Takeout.

use crate::support::{corpus, counts, crlf, golden, options, read, read_source};
use hikyaku_archive::{Archive, Kind, LabelPolicy, Options};
use hikyaku_core::Role;

#[tokio::test]
async fn japanese_labels_are_folders_and_flags() {
    let Some(path) = corpus("takeout-constructed") else {
        return;
    };
    let Some(ja) = corpus("ja-constructed") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("expected.json")).unwrap()).unwrap();
    let folders = read(Kind::Takeout, &path.join("Takeout")).await;
    let mut wanted = std::collections::BTreeMap::new();
    for item in expected["items"].as_array().unwrap() {
        let labels: Vec<&str> = item["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap())
            .collect();
        let has = |label: &str| labels.contains(&label);
        let folder = match () {
            () if has("取引先/サンプル商事") => "取引先/サンプル商事",
            () if has("チャット") => "チャット",
            () if has("受信トレイ") => "INBOX",
            () if has("送信済み") => "送信済み",
            () if has("下書き") => "下書き",
            () if has("迷惑メール") => "迷惑メール",
            () => "ゴミ箱",
        };
        let mut flags = Vec::new();
        if !has("未読") {
            flags.push("\\Seen");
        }
        if has("スター付き") {
            flags.push("\\Flagged");
        }
        if has("下書き") {
            flags.push("\\Draft");
        }
        let eml = std::fs::read(ja.join(item["eml"].as_str().unwrap())).unwrap();
        let messages: &mut Vec<(Vec<u8>, String)> = wanted.entry(folder).or_default();
        messages.push((crlf(&eml), flags.join(" ")));
    }
    let names: Vec<&str> = folders.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, wanted.keys().copied().collect::<Vec<_>>());
    let mut total = 0;
    for folder in &folders {
        assert_eq!(folder.faults, [""; 0]);
        let wanted = &wanted[folder.name.as_str()];
        assert_eq!(folder.messages.len(), wanted.len(), "{}", folder.name);
        for (message, (octets, flags)) in folder.messages.iter().zip(wanted) {
            assert_eq!(&message.flags, flags, "{}", folder.name);
            assert_eq!(
                String::from_utf8_lossy(message.octets.trim_ascii_end()),
                String::from_utf8_lossy(octets.trim_ascii_end()),
                "{}",
                folder.name
            );
            total += 1;
        }
    }
    assert_eq!(total, 24);
    let role = |name: &str| folders.iter().find(|f| f.name == name).unwrap().role;
    assert_eq!(role("送信済み"), Some(Role::Sent));
    assert_eq!(role("ゴミ箱"), Some(Role::Trash));
    assert_eq!(role("取引先/サンプル商事"), None);
    golden("takeout-constructed", &path, &folders);
}

#[tokio::test]
async fn a_real_export_in_portuguese() {
    let Some(path) = corpus("takeout/google-takeout-pt-1of2.mbox") else {
        return;
    };
    let folders = read(Kind::Takeout, &path).await;
    assert_eq!(counts(&folders), [("Pessoal/Test", 4)]);
    golden("takeout-pt", &path, &folders);
    let each = Options {
        labels: LabelPolicy::Each,
        ..options()
    };
    let each = Archive::open(Kind::Takeout, &path, each).unwrap();
    let each = read_source(&each).await;
    assert_eq!(counts(&each), [("Enviado", 1), ("Pessoal/Test", 4)]);
}
