//! Which source mailbox and which destination mailbox have the same special use.

use super::words;
use crate::mailbox::{MailboxInfo, Role};
use crate::name::MailboxName;
use std::collections::HashSet;

/// The roles that decide about names. `\Flagged` and `\Important` only show messages
/// that live elsewhere: nothing is ever put into them.
const ROLES: [Role; 7] = [
    Role::Inbox,
    Role::Sent,
    Role::Drafts,
    Role::Archive,
    Role::Junk,
    Role::Trash,
    Role::All,
];

/// One special use: the source mailbox that has it, and the destination mailbox, if any.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub role: Role,
    pub source: MailboxName,
    pub destination: Option<MailboxName>,
}

/// At most one match per role; each mailbox is in at most one.
///
/// Where one side offers several mailboxes for a role, a pair of the same name is
/// preferred: it merges nothing. A destination mailbox that only its name makes a
/// candidate is left to the source mailbox of that very name.
pub(super) fn matches(source: &[MailboxInfo], destination: &[MailboxInfo]) -> Vec<Match> {
    let names: HashSet<&MailboxName> = source.iter().map(|m| &m.name).collect();
    let inbox = MailboxName::inbox();
    ROLES
        .into_iter()
        .filter_map(|role| {
            let (from, _) = candidates(source, role);
            let (mut to, is_told) = candidates(destination, role);
            if role == Role::Inbox {
                // Every account has one, listed or not.
                to = vec![&inbox];
            }
            let first = *from.first()?;
            let same = |name: &&MailboxName| to.contains(name);
            // Only its name makes it a candidate, and it is not another one's by name.
            let vacant = to.iter().copied().find(|name| !names.contains(name));
            let (source, destination) = if is_told || role == Role::Inbox {
                let source = from.iter().copied().find(same).unwrap_or(first);
                let equal = Some(source).filter(same);
                (source, equal.or(to.first().copied()))
            } else if same(&first) || vacant.is_some() {
                (first, Some(first).filter(same).or(vacant))
            } else {
                let equal = from.iter().copied().find(same);
                (equal.unwrap_or(first), equal)
            };
            let (source, destination) = (source.clone(), destination.cloned());
            (!source.is_inbox()).then_some(Match {
                role,
                source,
                destination,
            })
        })
        // A view is a place to put mail only where the destination has the same view.
        .filter(|m| !m.role.is_view() || m.destination.is_some())
        .collect()
}

/// The mailboxes that have or may have a role, best first, and whether the server told so.
pub(super) fn candidates(mailboxes: &[MailboxInfo], role: Role) -> (Vec<&MailboxName>, bool) {
    let mut told: Vec<&MailboxName> = mailboxes
        .iter()
        .filter(|m| m.selectable)
        .filter(|m| match m.name.is_inbox() {
            true => role == Role::Inbox,
            false => m.role == Some(role),
        })
        .map(|m| &m.name)
        .collect();
    if !told.is_empty() {
        told.sort_by_key(|n| (!n.is_inbox(), n.levels().len(), *n));
        return (told, true);
    }
    let mut guessed: Vec<_> = mailboxes
        .iter()
        .filter(|m| m.selectable && m.role.is_none())
        .filter_map(|m| {
            let level = level_of_system_mailbox(&m.name)?;
            let (guess, rank) = words::guess(level)?;
            let is_here = role != Role::Inbox || m.name.levels().len() == 1;
            (guess == role && is_here).then_some((m.name.levels().len(), rank, &m.name))
        })
        .collect();
    guessed.sort();
    (guessed.into_iter().map(|g| g.2).collect(), false)
}

/// The level to look at where a mailbox lies in a place for special mailboxes: at the
/// top, below INBOX, or in Gmail's own container. A `Sent` deep in somebody's
/// project tree is an ordinary mailbox.
fn level_of_system_mailbox(name: &MailboxName) -> Option<&str> {
    match name.levels() {
        [only] => Some(only),
        [above, level] if above == "INBOX" || is_reserved_container(above) => Some(level),
        _ => None,
    }
}

/// Gmail's container for its own mailboxes: nothing else can be made in there.
pub(super) fn is_reserved_container(level: &str) -> bool {
    matches!(level, "[Gmail]" | "[Google Mail]")
}
