//! A profile that Thunderbird itself wrote.

use crate::support::{corpus, golden, read};
use hikyaku_archive::Kind;

/// The Message-ID of a message, without its brackets.
fn id(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let line = text
        .lines()
        .find(|l| l.to_lowercase().starts_with("message-id:"));
    let id = line.and_then(|l| l.split('<').nth(1)?.split('>').next());
    id.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_profile_has_the_folders_messages_and_flags_that_thunderbird_shows() {
    let Some(path) = corpus("thunderbird-profile") else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("expected.json")).unwrap()).unwrap();
    let folders = read(Kind::Thunderbird, &path.join("profile")).await;
    let mut wanted = Vec::new();
    for folder in expected["folders"].as_array().unwrap() {
        let levels: Vec<&str> = folder["name"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap())
            .collect();
        let name: Vec<String> = levels.iter().map(|l| l.replace('/', "\\/")).collect();
        let mut messages = Vec::new();
        for message in folder["flags"].as_array().unwrap() {
            // Read 1, answered 2, marked 4 (nsMsgMessageFlags).
            let bits = message[1].as_u64().unwrap();
            let mut flags: Vec<String> = [(1, "\\Seen"), (2, "\\Answered"), (4, "\\Flagged")]
                .into_iter()
                .filter(|(bit, _)| bits & bit != 0)
                .map(|(_, flag)| flag.to_owned())
                .collect();
            let keywords = message[2]
                .as_str()
                .unwrap()
                .split(' ')
                .filter(|k| !k.is_empty());
            flags.extend(keywords.map(str::to_owned));
            flags.sort();
            messages.push(format!(
                "{} {}",
                message[0].as_str().unwrap(),
                flags.join(" ")
            ));
        }
        assert_eq!(messages.len() as u64, folder["total"].as_u64().unwrap());
        wanted.push((name.join("/"), messages));
    }
    wanted.sort();
    let mut told = Vec::new();
    for folder in &folders {
        assert_eq!(folder.faults, [""; 0]);
        let message = |m: &crate::support::Message| {
            let mut flags: Vec<&str> = m.flags.split(' ').filter(|f| !f.is_empty()).collect();
            flags.sort_unstable();
            format!("{} {}", id(&m.octets), flags.join(" "))
        };
        told.push((
            folder.name.clone(),
            folder.messages.iter().map(message).collect::<Vec<_>>(),
        ));
    }
    told.sort();
    assert_eq!(told, wanted);
    golden("thunderbird-profile", &path, &folders);
}
