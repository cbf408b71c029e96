//! What a person may choose about reading an archive.

use crate::mbox::Quoting;
use hikyaku_core::{Flag, Flags, MailboxName};
use std::path::PathBuf;

/// Whether messages count as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// As the archive recorded it; where it recorded nothing, what is older than
    /// [`Seen::OLD_DAYS`] days counts as read.
    #[default]
    AsRecorded,
    /// Everything is read (`--read`).
    All,
    /// Nothing is read (`--unread`).
    None,
}

impl Seen {
    /// From which age a message counts as read where nothing is recorded.
    pub const OLD_DAYS: i64 = 30;
}

/// How the labels of a Google Takeout become folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelPolicy {
    /// Every message once, in the folder of its first label: one of `priority` (or below
    /// it), in that order; else the owner's own, deepest and then by name; else Inbox,
    /// Sent, Drafts. A message without any is archived mail and goes to *Archive*.
    One {
        /// Labels that come first. Gmail's own may be named `INBOX`, `Sent`, `Drafts`.
        priority: Vec<MailboxName>,
    },
    /// Every message once per label.
    Each,
}

impl Default for LabelPolicy {
    fn default() -> Self {
        Self::One {
            priority: Vec::new(),
        }
    }
}

/// How an archive is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether messages count as read.
    pub seen: Seen,
    /// The present, in seconds since 1970 UTC: what "old" and "in the future" mean.
    pub now: i64,
    /// Where packed files are unpacked while they are read; the system's own place for
    /// temporary files unless it is told.
    pub spool: Option<PathBuf>,
    /// How lines that begin with `From ` are hidden in mbox files, if somebody knows
    /// better than their beginning tells.
    pub quoting: Option<Quoting>,
    /// How labels become folders.
    pub labels: LabelPolicy,
    /// Most octets that a packed file may come to when unpacked.
    pub most_unpacked: u64,
}

impl Default for Options {
    fn default() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            seen: Seen::default(),
            now: now.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0)),
            spool: None,
            quoting: None,
            labels: LabelPolicy::default(),
            most_unpacked: 256 << 30,
        }
    }
}

impl Options {
    /// The flags under the choice of [`Options::seen`].
    ///
    /// `recorded` says whether the archive knows at all what was read; `seconds` is the
    /// message's date.
    pub(crate) fn flags(&self, mut flags: Flags, recorded: bool, seconds: Option<i64>) -> Flags {
        let is_old = seconds.is_some_and(|s| s < self.now - Seen::OLD_DAYS * 86_400);
        match self.seen {
            Seen::All => flags.set(Flag::Seen),
            Seen::None => flags.clear(Flag::Seen),
            Seen::AsRecorded if !recorded && is_old => flags.set(Flag::Seen),
            Seen::AsRecorded => {}
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_read_is_recorded_or_chosen_or_old() {
        let options = |seen| Options {
            seen,
            now: 100 * 86_400,
            ..Options::default()
        };
        let read = |seen, flags: &str, recorded, day: i64| {
            let flags = options(seen).flags(Flags::parse(flags), recorded, Some(day * 86_400));
            flags.to_string()
        };
        assert_eq!(read(Seen::AsRecorded, "\\Flagged", true, 1), "\\Flagged");
        assert_eq!(read(Seen::AsRecorded, "", false, 69), "\\Seen");
        assert_eq!(read(Seen::AsRecorded, "", false, 71), "");
        assert_eq!(read(Seen::All, "x", true, 99), "\\Seen x");
        assert_eq!(read(Seen::None, "\\Seen x", true, 1), "x");
        assert_eq!(
            options(Seen::AsRecorded).flags(Flags::new(), false, None),
            Flags::new()
        );
    }
}
