//! Mail in files: what is on a computer, and whether a backup is whole.

use crate::fault::FaultView;
use serde::{Deserialize, Serialize};

/// Mail that a program keeps on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreView {
    /// The program: `thunderbird`, `applemail`, `outlook`, `wlm`, `windowsmail`, `dbx`, `becky`,
    /// `evolution`, `kmail`, or `plain` for a folder that no program owns.
    pub program: String,
    /// Where it is; a source of `hikyaku copy`.
    pub path: String,
    /// What is in it, one entry for each kind; empty where nothing can be read.
    pub found: Vec<FoundView>,
    /// Data files of Outlook, which cannot be read yet: how many.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outlook_files: Option<u64>,
    /// Why it cannot be looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<FaultView>,
}

/// What lies at a path whose kind nobody named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecognisedView {
    /// Where.
    pub path: String,
    /// What is there.
    pub found: FoundView,
}

/// Mail of one kind in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundView {
    /// How it is written in front of the path: `mbox`, `maildir`, …
    pub kind: String,
    /// Folders.
    pub folders: u64,
    /// Messages.
    pub messages: u64,
    /// Whether the messages were counted; else they are estimated by size.
    pub exact: bool,
    /// Octets of the files.
    pub octets: u64,
}

/// Whether a backup is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupView {
    /// Where it is.
    pub directory: String,
    /// `maildir`, `mbox` or `eml`.
    pub format: String,
    /// Whether everything is there as it was written.
    pub whole: bool,
    /// Folders.
    pub folders: u64,
    /// Messages that are as they were written.
    pub messages: u64,
    /// Of these, in octets.
    pub octets: u64,
    /// Messages that are changed, cut short or gone.
    pub damaged: u64,
    /// Lines of lists that are not as they were written.
    pub damaged_lines: u64,
    /// Files that do not belong to the backup.
    pub strangers: u64,
}
