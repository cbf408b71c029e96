//! The plan of a run, account level: which mailbox goes where, and why.
//!
//! The dry run, the confirmation and the executed run show the same value.

use crate::ledger::Pairing;
use crate::mailbox::{Abilities, MailboxInfo, MailboxState, Role};
use crate::name::MailboxName;
use crate::policy::{Policy, SkipRule};

/// Why a destination name is not the source's name, level by level.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameChange {
    /// Put into the mailbox that has this special use there.
    Role(Role),
    /// A mailbox of that name is there in another spelling (case or Unicode form).
    Spelling,
    /// A character that the destination cannot take was replaced.
    Character(char),
    /// Blanks, dots or tildes at an edge, or an empty level.
    Edge,
    /// A level or the name was too long and was cut.
    Length,
    /// The tree was too deep; the lowest levels were joined.
    Depth,
    /// Another source mailbox has the same destination name; a number was added.
    Collision,
    /// A prefix of the source's namespace was taken off or one of the destination's put on.
    Prefix,
    /// The user wants everything below another mailbox.
    Under,
    /// An earlier run mapped it so, and today's rules would choose otherwise.
    Earlier,
}

/// What happens to one source mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its messages are compared and copied.
    Copy {
        /// Whether the destination mailbox has to be made.
        create: bool,
    },
    /// Both sides still stand where the last run left them: nothing to do.
    Unchanged,
    /// Left out.
    Skip(SkipRule),
}

/// One line of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxPlan {
    /// Source mailbox.
    pub source: MailboxInfo,
    /// Where it goes; for skipped mailboxes where it would.
    pub destination: MailboxName,
    /// The destination mailbox, if it is there.
    pub existing: Option<MailboxInfo>,
    /// Special use that the destination mailbox shall have.
    pub role: Option<Role>,
    /// How the name came about; empty when it is the same.
    pub changes: Vec<NameChange>,
    /// What happens.
    pub step: Step,
    /// What the ledger knows.
    pub pairing: Option<Pairing>,
}

/// The whole plan, in the order in which mailboxes are worked on: INBOX, Sent,
/// the others by name, Junk and Trash last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One line per source mailbox.
    pub mailboxes: Vec<MailboxPlan>,
}

impl Plan {
    /// Messages in the mailboxes that are not skipped, where listed.
    pub fn messages(&self) -> u64 {
        self.copied()
            .filter_map(|m| m.source.state)
            .map(|s| s.messages)
            .sum()
    }

    /// Octets in the mailboxes that are not skipped, where every one of them tells.
    pub fn octets(&self) -> Option<u64> {
        self.copied()
            .map(|m| match m.source.state {
                Some(MailboxState { messages: 0, .. }) => Some(0),
                Some(state) => state.octets,
                None => None,
            })
            .sum()
    }

    /// Octets that have to be brought to the destination, at most; `None` where a mailbox does not tell its size.
    pub fn needed(&self) -> Option<u64> {
        let is_work = |line: &&MailboxPlan| matches!(line.step, Step::Copy { .. });
        let work = self.mailboxes.iter().filter(is_work);
        work.map(|line| {
            let state = line.source.state?;
            let octets = match state.messages {
                0 => 0,
                _ => state.octets?,
            };
            // What an earlier run brought is there already.
            let there = match (&line.pairing, &line.existing) {
                (Some(_), Some(there)) => there.state.and_then(|state| state.octets),
                _ => None,
            };
            Some(octets.saturating_sub(there.unwrap_or(0)))
        })
        .sum()
    }

    /// The lines that are not skipped.
    pub fn copied(&self) -> impl Iterator<Item = &MailboxPlan> {
        self.mailboxes
            .iter()
            .filter(|m| !matches!(m.step, Step::Skip(_)))
    }
}

/// What both sides and the ledger showed before planning.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Source mailboxes.
    pub source: &'a [MailboxInfo],
    /// Source abilities (its namespace prefix counts).
    pub source_abilities: &'a Abilities,
    /// Destination mailboxes.
    pub destination: &'a [MailboxInfo],
    /// Destination abilities.
    pub destination_abilities: &'a Abilities,
    /// Pairings of earlier runs: they keep their mapping.
    pub pairings: &'a [Pairing],
}

/// Makes the plan. Total: every source mailbox gets exactly one line, and no wish
/// of the policy can make it fail. The same input gives the same plan.
pub fn plan_mailboxes(sides: Sides<'_>, policy: &Policy) -> Plan {
    let mapped = crate::mapping::map_names(sides, policy.below());
    let mut mailboxes: Vec<MailboxPlan> = sides
        .source
        .iter()
        .zip(mapped)
        .map(|(source, mapped)| {
            let existing = sides
                .destination
                .iter()
                .find(|d| d.name == mapped.destination)
                .cloned();
            let pairing = sides
                .pairings
                .iter()
                .find(|p| p.source == source.name && p.destination == mapped.destination)
                .cloned();
            let step = match policy.skips_mailbox(source) {
                Some(rule) => Step::Skip(rule),
                None if is_unchanged(source, existing.as_ref(), pairing.as_ref(), policy) => {
                    Step::Unchanged
                }
                None => Step::Copy {
                    create: existing.as_ref().is_none_or(|e| !e.selectable),
                },
            };
            MailboxPlan {
                source: source.clone(),
                destination: mapped.destination,
                existing,
                role: mapped.role,
                changes: mapped.changes,
                step,
                pairing,
            }
        })
        .collect();
    mailboxes.sort_by(|a, b| {
        (rank(a), &a.source.name, &a.source.wire).cmp(&(rank(b), &b.source.name, &b.source.wire))
    });
    Plan { mailboxes }
}

fn rank(line: &MailboxPlan) -> u8 {
    if line.source.name.is_inbox() {
        return 0;
    }
    match line.role.or(line.source.role) {
        Some(Role::Inbox) => 0,
        Some(Role::Sent) => 1,
        Some(Role::Junk) => 3,
        Some(Role::Trash) => 4,
        _ => 2,
    }
}

/// Both sides still show the checkpoint. Without mod-sequences flags may have
/// changed unseen, so such a mailbox always counts as changed.
fn is_unchanged(
    source: &MailboxInfo,
    existing: Option<&MailboxInfo>,
    pairing: Option<&Pairing>,
    policy: &Policy,
) -> bool {
    let checkpoint = pairing.and_then(|p| p.checkpoint.as_ref());
    let (Some(checkpoint), Some(now), Some(there)) =
        (checkpoint, source.state, existing.and_then(|e| e.state))
    else {
        return false;
    };
    !policy.stateless
        && !policy.recopy
        && !policy.replaces()
        && !policy.read_back
        && same_state(&checkpoint.source, &now)
        && same_state(&checkpoint.destination, &there)
}

fn same_state(then: &MailboxState, now: &MailboxState) -> bool {
    then.epoch.is_some_and(|e| e.0 != 0)
        && then.modseq.is_some()
        && then.next.is_some()
        && (then.epoch, then.next, then.messages, then.modseq)
            == (now.epoch, now.next, now.messages, now.modseq)
}
