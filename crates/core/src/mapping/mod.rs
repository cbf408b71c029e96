//! From the source's mailbox names to the destination's.
//!
//! Pure and total: every source mailbox gets a name that the destination can take,
//! the same one whatever the order in which servers list. Start reading at
//! [`map_names`]; `assign` holds the order of the rules, `roles` finds special uses,
//! `fit` knows what a single name may look like.

mod assign;
mod fit;
mod roles;
#[cfg(test)]
mod tests;
mod words;

use crate::mailbox::{MailboxInfo, Role};
use crate::name::MailboxName;
use crate::plan::{NameChange, Sides};

/// Where one source mailbox goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Destination name; unique among all results unless a role merges mailboxes.
    pub destination: MailboxName,
    /// Special use that the destination mailbox shall have.
    pub role: Option<Role>,
    /// How the name came about, sorted; empty exactly when it is the same.
    pub changes: Vec<NameChange>,
}

/// The mailboxes that have a special use: those of which the server says so, or where it says
/// so of none, those whose names say so.
pub fn with_role(mailboxes: &[MailboxInfo], role: Role) -> Vec<&MailboxName> {
    roles::candidates(mailboxes, role).0
}

/// Maps every source mailbox; the results stand in the order given.
///
/// The rules, first match wins:
/// 1. A pairing of an earlier run keeps its destination (with `under`, if it lies there).
/// 2. INBOX goes to INBOX.
/// 3. A special use goes to the destination mailbox that has it. Roles told by the servers
///    count first; where a side tells none of a kind, well-known names are looked for.
/// 4. Everything else follows its mapped parent and keeps its own level: an existing
///    mailbox of exactly that name, else one in another spelling, else a name that the
///    destination can take, numbered where another mailbox has it.
///
/// Below `under` neither INBOX nor special uses are merged with those of the destination.
pub fn map_names(sides: Sides<'_>, under: Option<&MailboxName>) -> Vec<Mapped> {
    let fresh = assign::assign(sides, under, false);
    if sides.pairings.is_empty() {
        return fresh;
    }
    // The ledger knows where a mailbox went, not why. Where the rules would choose the
    // same place today, they also know the reason.
    let mut kept = assign::assign(sides, under, true);
    for (kept, fresh) in kept.iter_mut().zip(fresh) {
        if kept.destination == fresh.destination {
            kept.changes = fresh.changes;
        }
    }
    kept
}
