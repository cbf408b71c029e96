//! Which formats are read, by name.

use std::fmt;

macro_rules! kinds {
    ($($variant:ident $scheme:literal $doc:literal;)*) => {
        /// A format of mail on disk.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// All of them, in the order in which they are told to a person.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// How it is written in front of a path, as in `mbox:PATH`.
            pub fn scheme(self) -> &'static str {
                match self { $(Kind::$variant => $scheme,)* }
            }
        }
    };
}

kinds! {
    Mbox "mbox" " One mbox file in any dialect, or a folder of them.";
    Maildir "maildir" " Maildir, Maildir++ or a tree of Maildirs.";
    Thunderbird "thunderbird" " A Thunderbird profile: folder, zip or tar.";
    AppleMail "applemail" " An exported `.mbox` bundle, or `~/Library/Mail`.";
    Eml "eml" " One `.eml` file, or a tree of them.";
    Mh "mh" " A tree of MH folders (numbered files).";
    Takeout "takeout" " Google Takeout: zip, tar, folder or mbox with labels.";
    WindowsLiveMail "wlm" " A Windows Live Mail tree.";
    OutlookExpress "dbx" " Outlook Express `.dbx` (5, 6) or `.mbx` (4), or a folder of them.";
    Becky "becky" " A Becky! mailbox folder.";
    Hidemaru "hidemaru" " A 秀丸メール folder.";
}

impl Kind {
    /// By [`Kind::scheme`].
    pub fn from_scheme(scheme: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.scheme() == scheme)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_scheme() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_scheme(kind.scheme()), Some(*kind));
        }
        assert_eq!(Kind::from_scheme("imaps"), None);
    }
}
