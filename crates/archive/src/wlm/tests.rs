use super::*;
use std::ops::ControlFlow;

const NOW: i64 = 1_735_689_600;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn names(path: &Path) -> Vec<String> {
    let store = WindowsLiveMail::open(path, NOW).unwrap();
    store.folders.iter().map(|f| f.name.to_string()).collect()
}

#[test]
fn folders_of_one_account_have_its_names_and_of_several_stand_below_them() {
    let one = [
        (
            "Windows Live Mail/Example (taro) 0b1/受信トレイ/A-00000001.eml",
            "x",
        ),
        (
            "Windows Live Mail/Example (taro) 0b1/受信トレイ/winmail.fol",
            "",
        ),
        (
            "Windows Live Mail/Example (taro) 0b1/保存フォルダー/取引先 7d1/A-00000002.eml",
            "x",
        ),
        ("Windows Live Mail/Calendars/x.edb", "x"),
    ];
    let dir = tree(&one);
    let expected = ["保存フォルダー/取引先", "受信トレイ"];
    assert_eq!(names(dir.path()), expected);
    assert_eq!(names(&dir.path().join("Windows Live Mail")), expected);
    assert!(looks_like_one(&walk(dir.path()).unwrap().dirs));
    let folder = dir.path().join(one[2].0);
    assert_eq!(names(folder.parent().unwrap()), ["取引先"]);
    let mut two = one.to_vec();
    two.push((
        "Windows Live Mail/Gmail (hanako) c3f/account{1}.oeaccount",
        "<?xml version=\"1.0\"?><MessageAccount>\n<Account_Name type=\"SZ\">花子 &amp; 太郎</Account_Name></MessageAccount>",
    ));
    two.push((
        "Windows Live Mail/Gmail (hanako) c3f/Room 101/A-00000001.eml",
        "x",
    ));
    two.push((
        "Windows Live Mail/Gmail (hanako) c3f/Room g01/A-00000001.EML",
        "x",
    ));
    let dir = tree(&two);
    assert_eq!(
        names(dir.path()),
        [
            "Example (taro)/保存フォルダー/取引先",
            "Example (taro)/受信トレイ",
            "花子 & 太郎/Room",
            "花子 & 太郎/Room g01",
        ]
    );
}

#[test]
fn account_files_are_utf16() {
    let xml = "<MessageAccount><Account_Name type=\"SZ\">会社</Account_Name></MessageAccount>";
    let mut octets = vec![0xff, 0xfe];
    octets.extend(xml.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(account_in(&octets).as_deref(), Some("会社"));
    assert_eq!(account_in(b"<MessageAccount/>"), None);
    assert_eq!(account_in(b""), None);
}

#[test]
fn messages_come_in_the_order_of_their_numbers_with_dates() {
    let dir = tree(&[
        (
            "Inbox/0A-00000010.eml",
            "Date: Mon, 1 Apr 2024 09:00:00 +0900\nSubject: b\n\n1\n",
        ),
        (
            "Inbox/FF-00000002.eml",
            "Received: x; Tue, 2 Apr 2024 09:00:00 +0900\r\n\r\n2\r\n",
        ),
        ("Inbox/00-00000003.eml", ""),
        ("Inbox/winmail.fol", ""),
        ("Inbox/note.txt", "x"),
    ]);
    let store = WindowsLiveMail::open(dir.path(), NOW).unwrap();
    let folder = &store.folders[0];
    let mut told = Vec::new();
    let scanned = store.scan(folder, Start::BEGINNING, &mut |found| {
        told.push(match found {
            Found::Message(item) => {
                let text = store.open(folder, &item).and_then(Text::whole).unwrap();
                let date = item.date.unwrap();
                assert!(!item.seen_recorded);
                format!("{} {date} {}", item.key, String::from_utf8_lossy(&text))
            }
            Found::Unreadable { key, fault, .. } => format!("{key} {}", fault.code),
            Found::Deleted { .. } => unreachable!(),
        });
        ControlFlow::Continue(())
    });
    assert_eq!(scanned, Ok(None));
    assert_eq!(
        told,
        [
            "1 2024-04-02T09:00:00+09:00 Received: x; Tue, 2 Apr 2024 09:00:00 +0900\r\n\r\n2\r\n",
            "2 archive.damaged",
            "3 2024-04-01T09:00:00+09:00 Date: Mon, 1 Apr 2024 09:00:00 +0900\r\nSubject: b\r\n\r\n1\r\n",
        ]
    );
}

#[test]
fn a_tree_without_messages_is_refused() {
    let dir = tree(&[("Inbox/winmail.fol", "")]);
    let fault = WindowsLiveMail::open(dir.path(), NOW).unwrap_err();
    assert_eq!(fault.code, hikyaku_core::Code::ArchiveKind);
}
