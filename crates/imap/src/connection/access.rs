//! What may be said on a connection.
//!
//! **Invariants**: the source is never written; nothing that copies can delete. Every
//! command passes [`Access::allows`] on its way out. The connections of a source are made
//! with [`Access::Reading`], those of a destination with [`Access::Writing`], and only those
//! of [`crate::ImapUndo`] with [`Access::Removing`].

use crate::encode::{Command, StoreChange};
use hikyaku_core::Flag;

/// What may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing that alters anything.
    Reading,
    /// Also what creates, appends and stores flags, except deletion marks.
    Writing,
    /// Nothing that alters anything but deletion marks, and the removal of named messages.
    Removing,
}

impl Access {
    /// Whether the command may be sent.
    pub(crate) fn allows(self, command: &Command) -> bool {
        match effect(command) {
            Effect::None => true,
            Effect::Opens => self != Access::Reading,
            Effect::Alters => self == Access::Writing,
            Effect::Removes => self == Access::Removing,
        }
    }
}

/// What a command can do to the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    None,
    /// It takes `\Recent` away, and lets later commands write.
    Opens,
    Alters,
    Removes,
}

fn effect(command: &Command) -> Effect {
    match command {
        Command::Select { .. } => Effect::Opens,
        // A deletion mark is half of a removal.
        Command::Store { change, flags, .. } => {
            match *change == StoreChange::Add && flags.flags().has(Flag::Deleted) {
                true => Effect::Removes,
                false => Effect::Alters,
            }
        }
        Command::Expunge(_) => Effect::Removes,
        Command::Create { .. } | Command::Subscribe(_) | Command::Append(_) => Effect::Alters,
        // Every body item of a FETCH is a PEEK by its type.
        Command::Fetch(_)
        | Command::Capability
        | Command::Noop
        | Command::Logout
        | Command::StartTls
        | Command::Compress
        | Command::Id(_)
        | Command::Enable(_)
        | Command::Authenticate { .. }
        | Command::Login { .. }
        | Command::Namespace
        | Command::List(_)
        | Command::Lsub { .. }
        | Command::Status { .. }
        | Command::Examine { .. }
        | Command::Unselect
        | Command::Search(_)
        | Command::GetQuotaRoot(_) => Effect::None,
    }
}
