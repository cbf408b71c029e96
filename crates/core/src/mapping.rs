//! From the source's mailbox names to the destination's.

use crate::mailbox::Role;
use crate::name::MailboxName;
use crate::plan::{NameChange, Sides};

/// Where one source mailbox goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Destination name; unique among all results unless a role merges mailboxes.
    pub destination: MailboxName,
    /// Special use that the destination mailbox shall have.
    pub role: Option<Role>,
    /// How the name came about, sorted; empty when it is the same.
    pub changes: Vec<NameChange>,
}

/// Maps every source mailbox, in the order given.
pub fn map_names(sides: Sides<'_>, under: Option<&MailboxName>) -> Vec<Mapped> {
    let _ = under;
    sides
        .source
        .iter()
        .map(|m| Mapped {
            destination: m.name.clone(),
            role: m.role,
            changes: Vec::new(),
        })
        .collect()
}
