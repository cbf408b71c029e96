//! What folders are really called: the name of a file is a hash where the folder's own
//! name would not do as one.

use super::mork;
use crate::dirs::without_ending;
use crate::disk;
use hikyaku_core::Role;
use std::collections::HashMap;
use std::path::Path;
use unicode_normalization::UnicodeNormalization;

/// Mozilla's folder flags (`nsMsgFolderFlags`).
const ROLES: [(u64, Role); 6] = [
    (0x1000, Role::Inbox),
    (0x0200, Role::Sent),
    (0x0400, Role::Drafts),
    (0x0100, Role::Trash),
    (0x4000_0000, Role::Junk),
    (0x4000, Role::Archive),
];

/// What `folderCache.json` says of folders, by the path of their database in small pieces.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: HashMap<String, Cached>,
}

#[derive(Clone, Debug, Default)]
struct Cached {
    name: Option<String>,
    role: Option<Role>,
}

impl Cache {
    /// Of a profile; empty when there is none, or it cannot be understood.
    pub(crate) fn of(profile: &Path) -> Self {
        let read = disk::beside(&profile.join("folderCache.json"));
        let json: Option<serde_json::Value> =
            read.and_then(|text| serde_json::from_slice(&text).ok());
        let mut entries = HashMap::new();
        for (path, told) in json
            .as_ref()
            .and_then(|j| j.as_object())
            .into_iter()
            .flatten()
        {
            let text = told.get("folderName").and_then(|n| n.as_str());
            let flags = told.get("flags").and_then(serde_json::Value::as_u64);
            let flags = flags.unwrap_or(0);
            let role = ROLES.iter().find(|(bit, _)| flags & bit != 0);
            let cached = Cached {
                name: text.filter(|n| !n.is_empty()).map(str::to_owned),
                role: role.map(|(_, role)| *role),
            };
            entries.insert(tail(path), cached);
        }
        Self { entries }
    }

    fn get(&self, database: &Path) -> Option<&Cached> {
        self.entries.get(&tail(&database.to_string_lossy()))
    }

    /// The name of the folder with that database, and what it is for.
    pub(crate) fn name(&self, database: &Path) -> (String, Option<Role>) {
        let file = database.file_name().unwrap_or_default().to_string_lossy();
        let leaf: String = without_ending(&file, ".msf")
            .unwrap_or(&file)
            .nfc()
            .collect();
        let cached = self.get(database).cloned().unwrap_or_default();
        let name = match cached.name {
            Some(name) => name,
            None if is_hashed(&leaf) => in_database(database).unwrap_or(leaf),
            None => leaf,
        };
        (name, cached.role)
    }
}

/// The path below `Mail` or `ImapMail`, whatever computer it is of.
fn tail(path: &str) -> String {
    let path: String = path.replace('\\', "/").nfc().collect();
    let at = ["/ImapMail/", "/Mail/"]
        .iter()
        .filter_map(|root| path.rfind(root))
        .max();
    path[at.unwrap_or(0)..].to_owned()
}

/// Whether the name ends with eight hexadecimal digits.
fn is_hashed(leaf: &str) -> bool {
    let digits = leaf.bytes().rev().take(8);
    digits.len() == 8 && digits.into_iter().all(|b| b.is_ascii_hexdigit())
}

fn in_database(database: &Path) -> Option<String> {
    let octets = disk::beside(database)?;
    let rows = mork::rows(&octets, &["folderName"]);
    // The same at every look, should several rows have one.
    let named = rows.into_iter().filter_map(|(id, mut row)| {
        let name = row.remove("folderName")?;
        (!name.is_empty()).then_some((id.len(), id, name))
    });
    named.min().map(|(_, _, name)| name)
}

/// What a folder is for by the name of its file, which Thunderbird does not translate.
pub(crate) fn role(leaf: &str) -> Option<Role> {
    Some(match leaf {
        "Inbox" | "INBOX" => Role::Inbox,
        "Sent" => Role::Sent,
        "Drafts" => Role::Drafts,
        "Trash" => Role::Trash,
        "Junk" => Role::Junk,
        "Archives" => Role::Archive,
        _ => return None,
    })
}

/// What a folder of Gmail is for, below `[Gmail]`; English and Japanese.
pub(crate) fn gmail_role(name: &str) -> Option<Role> {
    Some(match name {
        "All Mail" | "すべてのメール" => Role::All,
        "Starred" | "スター付き" => Role::Flagged,
        "Important" | "重要" => Role::Important,
        "Sent Mail" | "送信済みメール" => Role::Sent,
        "Drafts" | "下書き" => Role::Drafts,
        "Spam" | "迷惑メール" => Role::Junk,
        "Trash" | "Bin" | "ゴミ箱" => Role::Trash,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_computer_are_the_same_below_mail() {
        for path in [
            "C:\\Users\\x\\Profiles\\y.default\\Mail\\Local Folders\\A.sbd\\B.msf",
            "/home/x/.thunderbird/y.default/Mail/Local Folders/A.sbd/B.msf",
            "/Mail/Local Folders/A.sbd/B.msf",
        ] {
            assert_eq!(tail(path), "/Mail/Local Folders/A.sbd/B.msf");
        }
    }

    #[test]
    fn only_hashes_are_looked_up() {
        assert!(is_hashed("A&B 4b9aa7a2"));
        assert!(is_hashed("メモd4b0643d"));
        assert!(!is_hashed("4b9aa7a"));
        assert!(!is_hashed("2024年度"));
    }
}
