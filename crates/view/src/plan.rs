//! The plan as an object.

use crate::words;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::plan::{MailboxPlan, NameChange, Plan, Step};
use hikyaku_core::policy::Reserve;
use serde::{Deserialize, Serialize};

/// What will happen to each source mailbox, in the order of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// Messages in mailboxes that are not skipped, as far as listed.
    pub messages: u64,
    /// Their octets, where the source tells them for every mailbox.
    pub octets: Option<u64>,
    /// Room at the destination, where its server tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomView>,
    /// One per source mailbox.
    pub mailboxes: Vec<MailboxPlanView>,
}

/// Room of an account, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomView {
    /// What the account may hold.
    pub limit: u64,
    /// What it holds.
    pub used: u64,
    /// What is free.
    pub free: u64,
    /// What a copy leaves free for new mail, as chosen.
    pub kept: u64,
    /// What a copy needs at most; absent where that is not known or nothing is to be copied.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub needed: Option<u64>,
    /// What is free after the copy; negative when it does not fit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<i64>,
    /// What is missing for the copy to fit beside what is kept free; zero when it fits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<u64>,
}

impl RoomView {
    /// The room that a quota gives to a copy of so many octets.
    pub fn new(quota: Quota, reserve: Reserve, needed: Option<u64>) -> Self {
        let (free, kept) = (quota.free(), reserve.of(quota.limit));
        let signed = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
        Self {
            limit: quota.limit,
            used: quota.used,
            free,
            kept,
            needed,
            left: needed.map(|needed| signed(free) - signed(needed)),
            missing: needed.map(|needed| needed.saturating_add(kept).saturating_sub(free)),
        }
    }
}

/// What will happen to one source mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxPlanView {
    /// Source mailbox.
    pub source: String,
    /// Destination mailbox; for skipped ones where it would go.
    pub destination: String,
    /// `copy`, `create_and_copy`, `unchanged` or `skip`.
    pub action: String,
    /// Why it is skipped: `not_selected`, `excluded`, `view`, `not_selectable`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// Special use of the destination mailbox.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// Why the names differ; empty when they are the same.
    pub changes: Vec<ChangeView>,
    /// Messages, where listed.
    pub messages: Option<u64>,
    /// Octets, where listed.
    pub octets: Option<u64>,
}

/// One reason why a name is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeView {
    /// Goes to the mailbox with this special use.
    Role {
        /// Which.
        role: String,
    },
    /// A mailbox of that name exists in another spelling.
    Spelling,
    /// A character is not possible there.
    Character {
        /// Which.
        character: char,
    },
    /// An edge of a level is not possible there.
    Edge,
    /// Too long, cut.
    Length,
    /// Too deep, levels joined.
    Depth,
    /// Another mailbox has the name, numbered.
    Collision,
    /// Prefixes of the namespaces differ.
    Prefix,
    /// Put below a mailbox that the user chose.
    Under,
    /// As in an earlier run.
    Earlier,
}

impl From<&NameChange> for ChangeView {
    fn from(change: &NameChange) -> Self {
        match change {
            NameChange::Role(role) => Self::Role {
                role: words::role(*role).to_owned(),
            },
            NameChange::Spelling => Self::Spelling,
            NameChange::Character(c) => Self::Character { character: *c },
            NameChange::Edge => Self::Edge,
            NameChange::Length => Self::Length,
            NameChange::Depth => Self::Depth,
            NameChange::Collision => Self::Collision,
            NameChange::Prefix => Self::Prefix,
            NameChange::Under => Self::Under,
            NameChange::Earlier => Self::Earlier,
        }
    }
}

impl From<&MailboxPlan> for MailboxPlanView {
    fn from(line: &MailboxPlan) -> Self {
        let (action, rule) = match line.step {
            Step::Copy { create: false } => ("copy", None),
            Step::Copy { create: true } => ("create_and_copy", None),
            Step::Unchanged => ("unchanged", None),
            Step::Skip(rule) => ("skip", Some(words::rule(rule).to_owned())),
        };
        let state = line.source.state;
        Self {
            source: line.source.name.to_string(),
            destination: line.destination.to_string(),
            action: action.to_owned(),
            rule,
            role: line.role.map(|r| words::role(r).to_owned()),
            changes: line.changes.iter().map(ChangeView::from).collect(),
            messages: state.map(|s| s.messages),
            octets: state.and_then(|s| s.octets),
        }
    }
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        Self {
            messages: plan.messages(),
            octets: plan.octets(),
            room: None,
            mailboxes: plan.mailboxes.iter().map(MailboxPlanView::from).collect(),
        }
    }
}
