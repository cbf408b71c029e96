//! What may be said on a connection.
//!
//! **Invariant**: the source is never written. Every command passes
//! [`Access::allows`] on its way out, and the connections of a source are made with
//! [`Access::Reading`].

use crate::encode::Command;

/// What may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing that alters anything.
    Reading,
    /// Also what creates, appends and stores flags.
    Writing,
}

impl Access {
    /// Whether the command may be sent.
    pub(crate) fn allows(self, command: &Command) -> bool {
        match self {
            Access::Reading => !alters(command),
            Access::Writing => true,
        }
    }
}

/// Whether a command can change anything at the server. SELECT counts: it takes
/// `\Recent` away, and lets later commands write.
fn alters(command: &Command) -> bool {
    match command {
        Command::Select { .. }
        | Command::Create { .. }
        | Command::Subscribe(_)
        | Command::Store { .. }
        | Command::Append(_) => true,
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
        | Command::GetQuotaRoot(_) => false,
    }
}
