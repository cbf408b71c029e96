//! Windows Live Mail.

use crate::support::{corpus, counts, golden, read};
use hikyaku_archive::Kind;

#[tokio::test]
async fn the_constructed_tree_has_its_folders_and_messages() {
    let Some(path) = corpus("wlm-constructed") else {
        return;
    };
    let folders = read(Kind::WindowsLiveMail, &path).await;
    assert_eq!(
        counts(&folders),
        [
            ("保存フォルダー/取引先", 3),
            ("受信トレイ", 3),
            ("送信済みアイテム", 3),
        ]
    );
    assert!(folders.iter().all(|f| f.faults.is_empty()));
    golden("wlm-constructed", &path, &folders);
}
