//! What is known of an upload beside its octets.

use crate::job::UploadId;
use crate::jobs::Owner;
use hikyaku_cell::wire::SawWire;
use hikyaku_view::FaultView;
use serde::{Deserialize, Serialize};

/// Stands in the place of a file's name in a directory and in the names of folders.
pub(super) const STEM: &str = "hikyaku-upload";

/// Longest ending of a name that is kept: some formats are known by it.
const ENDING: usize = 8;

/// See the module. Fields may be added with a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name in addresses.
    pub id: UploadId,
    /// Brand of its owner.
    pub brand: String,
    /// Address of its owner, in lower case.
    pub owner: String,
    /// What the person calls the file.
    pub name: String,
    /// Octets when it is whole.
    pub octets: u64,
    /// When it was changed last, as the browser said (milliseconds since 1970 UTC).
    pub modified: i64,
    /// When it was begun (milliseconds since 1970 UTC).
    pub created: i64,
    /// When something happened last (milliseconds since 1970 UTC).
    pub touched: i64,
    /// What it turned out to be, once it was looked into.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// The kind that is read: the only one, or the chosen one.
    #[serde(default)]
    pub kind: Option<String>,
    /// The job that reads it.
    #[serde(default)]
    pub job: Option<String>,
}

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// What lies there.
    Saw {
        /// In general.
        saw: SawWire,
        /// Its folders with their messages, where they could be listed soon enough.
        folders: Option<Vec<(String, Option<u64>)>>,
    },
    /// It cannot be read.
    Fault(Box<FaultView>),
}

impl Record {
    /// Whether it is this owner's.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.brand == owner.brand && self.owner == owner.key()
    }

    /// Name of the file in the upload's directory: ours, with the ending of the person's name where that is harmless.
    pub(super) fn file(&self) -> String {
        let ending = self.name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_plain = ending.bytes().all(|b| b.is_ascii_alphanumeric());
        match !ending.is_empty() && ending.len() <= ENDING && is_plain {
            true => format!("{STEM}.{}", ending.to_ascii_lowercase()),
            false => STEM.to_owned(),
        }
    }

    /// What a folder is called that has its name from the file's: the person's name for it without its ending.
    pub(super) fn stem(&self) -> String {
        let name = self.name.trim();
        match (name.rsplit_once('.'), self.file() == STEM) {
            (Some((stem, _)), false) if !stem.is_empty() => stem.to_owned(),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Record {
        Record {
            id: UploadId::random(),
            brand: "hikyaku".into(),
            owner: "taro@example.jp".into(),
            name: name.into(),
            octets: 1,
            modified: 0,
            created: 0,
            touched: 0,
            seen: None,
            kind: None,
            job: None,
        }
    }

    #[test]
    fn what_a_person_calls_a_file_never_becomes_a_path() {
        for (name, file, stem) in [
            ("受信トレイ.mbox", "hikyaku-upload.mbox", "受信トレイ"),
            ("Inbox", "hikyaku-upload", "Inbox"),
            ("profile.ZIP", "hikyaku-upload.zip", "profile"),
            ("../../etc/passwd", "hikyaku-upload", "../../etc/passwd"),
            ("a.b/../c", "hikyaku-upload", "a.b/../c"),
            (".mbox", "hikyaku-upload.mbox", ".mbox"),
            ("a.toolongending", "hikyaku-upload", "a.toolongending"),
            ("a.メール", "hikyaku-upload", "a.メール"),
            ("a.", "hikyaku-upload", "a."),
            ("CON.dbx", "hikyaku-upload.dbx", "CON"),
            ("a\0.eml", "hikyaku-upload.eml", "a\0"),
        ] {
            let record = named(name);
            assert_eq!(
                (record.file().as_str(), record.stem().as_str()),
                (file, stem)
            );
        }
    }
}
