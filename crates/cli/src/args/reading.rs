//! How a source is read.

use super::LabelArgs;
use clap::Args;

/// The options about reading a source.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Reading {
    #[command(flatten)]
    pub(crate) labels: LabelArgs,
    /// Files and POP3 as source: mark every message as read.
    #[arg(long, conflicts_with = "unread")]
    pub(crate) read: bool,
    /// Files and POP3 as source: mark no message as read.
    #[arg(long)]
    pub(crate) unread: bool,
    /// POP3 as source: read also from a server that may delete what was read (EXPIRE 0).
    #[arg(long)]
    pub(crate) accept_deletion: bool,
}

impl Reading {
    /// What counts as read in files.
    pub(crate) fn seen_in_files(&self) -> hikyaku_archive::Seen {
        use hikyaku_archive::Seen;
        match (self.read, self.unread) {
            (true, _) => Seen::All,
            (false, true) => Seen::None,
            (false, false) => Seen::AsRecorded,
        }
    }

    /// What counts as read at a POP3 server, which does not tell.
    pub(crate) fn seen_over_pop3(&self) -> hikyaku_pop3::Seen {
        use hikyaku_pop3::Seen;
        match (self.read, self.unread) {
            (true, _) => Seen::All,
            (false, true) => Seen::None,
            (false, false) => Seen::AsRecorded,
        }
    }
}
