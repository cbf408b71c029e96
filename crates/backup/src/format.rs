//! In which form a backup keeps its messages.

use std::fmt;

/// How messages lie on the disk. All three keep the same octets and the same manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// One file a message in a Maildir per folder: for servers and mail programs of Unix.
    #[default]
    Maildir,
    /// One file a folder, mboxrd: for programs that import mbox, and for disks that dislike
    /// many small files.
    Mbox,
    /// One `.eml` file a message: for opening single messages with any mail program.
    Eml,
}

impl Format {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Maildir, Self::Mbox, Self::Eml];

    /// As on the command line and in the files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maildir => "maildir",
            Self::Mbox => "mbox",
            Self::Eml => "eml",
        }
    }

    /// By [`Format::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
