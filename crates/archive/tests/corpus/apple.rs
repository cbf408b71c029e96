//! Apple Mail: single message files, partial ones, and a constructed store.

use crate::support::{corpus, counts, crlf, golden, read};
use hikyaku_archive::Kind;
use hikyaku_core::Role;

fn has(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

#[tokio::test]
async fn a_cache_of_partial_messages_comes_back_with_its_attachments() {
    let Some(path) = corpus("emlx") else { return };
    let cache = path.join("applemail-imap-cache");
    let folders = read(Kind::AppleMail, &cache).await;
    assert_eq!(counts(&folders), [("applemail-imap-cache", 10)]);
    let messages = &folders[0].messages;
    // 114862 is whole; the converter of the corpus gives the same octets.
    let expected = std::fs::read(path.join("expected-eml-of-applemail-imap-cache/114862.eml"));
    let expected = crlf(&expected.unwrap());
    assert!(messages.iter().any(|m| m.octets == expected));
    // 114892 has four attachments: the base64 of the two large ones is the converter's,
    // which has the same line length.
    let expected =
        std::fs::read(path.join("expected-eml-of-applemail-imap-cache/114892.eml")).unwrap();
    let is_it = |m: &&crate::support::Message| {
        has(
            &m.octets,
            b"Message-Id: <4BBE1408-23D6-49EB-A4E9-86D9871F7719@philippkatz.de>",
        ) && !has(&m.octets, b"X-Apple-Content-Length")
    };
    let whole = messages.iter().find(is_it).unwrap();
    for name in ["original.doc", "image001.png"] {
        let file = std::fs::read(cache.join("Attachments/114892"));
        assert!(file.is_err(), "a directory");
        let block = block_after(&expected, name);
        assert!(block.len() > 30_000, "{name}: {}", block.len());
        assert!(has(&whole.octets, &block), "{name}");
    }
    assert!(
        has(&whole.octets, b"\r\n\r\nShort text.\n".as_slice())
            || has(&whole.octets, b"\r\n\r\nShort text.\r\n")
    );
    golden("emlx-cache", &path, &folders);
}

/// The base64 lines of the part whose header names the file, without the last line.
fn block_after(message: &[u8], name: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    let at = text.find(&format!("name=\"{name}\"")).unwrap();
    let start = at + text[at..].find("\r\n\r\n").unwrap() + 4;
    let end = start + text[start..].find("\r\n--").unwrap();
    text[start..end].trim_end().as_bytes().to_vec()
}

#[tokio::test]
async fn a_file_that_is_no_message_is_named_and_the_others_are_read() {
    let Some(path) = corpus("emlx") else { return };
    let dir = tempfile::tempdir().unwrap();
    let mailbox = dir.path().join("Test.mbox/Messages");
    std::fs::create_dir_all(&mailbox).unwrap();
    std::fs::copy(path.join("invalid.emlx"), mailbox.join("1.emlx")).unwrap();
    std::fs::copy(path.join("tika-testEMLX.emlx"), mailbox.join("2.emlx")).unwrap();
    let folders = read(Kind::AppleMail, dir.path()).await;
    assert_eq!(counts(&folders), [("Test", 1)]);
    golden("emlx-single", dir.path(), &folders);
}

#[tokio::test]
async fn a_store_has_the_messages_it_was_made_of() {
    let Some(path) = corpus("applemail-constructed") else {
        return;
    };
    let Some(ja) = corpus("ja-constructed") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("expected.json")).unwrap()).unwrap();
    let folders = read(Kind::AppleMail, &path.join("Mail")).await;
    let second = "5C1B2C6E-0D2B-4F0C-9E55-000000000001";
    let first = "taro@imap.example.jp";
    assert_eq!(
        counts(&folders),
        [
            (format!("{second}/送信済み").as_str(), 3),
            (format!("{first}/Archive/2024").as_str(), 3),
            (format!("{first}/INBOX").as_str(), 8),
        ]
    );
    let inbox = &folders[2];
    assert_eq!(inbox.role, Some(Role::Inbox));
    for item in expected["store"].as_array().unwrap() {
        let eml = std::fs::read(ja.join(item["eml"].as_str().unwrap())).unwrap();
        let bits = item["flags"].as_u64().unwrap();
        let mut flags = Vec::new();
        for (bit, name) in [
            (0, "\\Seen"),
            (2, "\\Answered"),
            (4, "\\Flagged"),
            (1, "\\Deleted"),
            (6, "\\Draft"),
        ] {
            if bits & (1 << bit) != 0 {
                flags.push(name);
            }
        }
        let octets = crlf(&eml);
        let mailbox = item["mailbox"].as_str().unwrap().replace(".mbox", "");
        let mailbox = mailbox.trim_start_matches("IMAP-");
        let folder = folders.iter().find(|f| f.name == mailbox).unwrap();
        let found = folder.messages.iter().find(|m| m.octets == octets);
        let found = found.unwrap_or_else(|| panic!("{item}"));
        assert_eq!(found.flags, flags.join(" "), "{item}");
    }
    // One partial message is whole again, the other says what it lacks.
    let attachment = std::fs::read(
        path.join("Mail/V10/IMAP-taro@imap.example.jp/INBOX.mbox/9B7A6C5D-1111-2222-3333-444455556666/Data/Attachments/9001/2/資料.bin"),
    )
    .unwrap();
    let joined: Vec<_> = inbox
        .messages
        .iter()
        .filter(|m| has(&m.octets, b"Subject: partial"))
        .collect();
    assert_eq!(joined.len(), 2);
    assert!(joined[0].octets.len() > attachment.len() * 4 / 3);
    assert!(has(&joined[1].octets, b"X-Apple-Content-Length: 1150"));
    assert_eq!(inbox.faults.len(), 1, "{:?}", inbox.faults);
    assert!(inbox.faults[0].starts_with("archive.partial: "));
    golden("applemail-store", &path, &folders);
}

#[tokio::test]
async fn exported_bundles_have_the_counts_of_their_maker() {
    let Some(path) = corpus("applemail-constructed") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("expected.json")).unwrap()).unwrap();
    let folders = read(Kind::AppleMail, &path.join("export")).await;
    let mut wanted: Vec<(String, usize)> = expected["export"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, n)| (name.replace(".mbox", ""), n.as_u64().unwrap() as usize))
        .collect();
    wanted.sort();
    let told: Vec<(String, usize)> = counts(&folders)
        .into_iter()
        .map(|(n, c)| (n.to_owned(), c))
        .collect();
    assert_eq!(told, wanted);
    golden("applemail-export", &path, &folders);
}
