//! What holds for every listing.

use super::notation::{Case, show};
use crate::mailbox::MailboxInfo;
use crate::mapping::Mapped;
use crate::name::MailboxName;
use crate::plan::NameChange;
use std::collections::BTreeMap;

/// What holds for every input.
pub(super) fn laws(case: &Case) -> Result<(), String> {
    let mapped = case.map();
    // Total, and honest about changes.
    if mapped.len() != case.source.len() {
        return Err("not every mailbox is mapped".to_owned());
    }
    for (from, to) in case.source.iter().zip(&mapped) {
        if to.changes.is_empty() != (to.destination == from.name) {
            return Err(format!(
                "{} -> {} without a true reason",
                from.name,
                show(to)
            ));
        }
    }
    // Injective except where a role merges into a mailbox that was there.
    let mut goals: BTreeMap<&MailboxName, Vec<(&MailboxInfo, &Mapped)>> = BTreeMap::new();
    for (from, to) in case.source.iter().zip(&mapped) {
        let goal = goals.entry(&to.destination).or_default();
        if !goal
            .iter()
            .any(|(f, _)| (&f.name, &f.wire) == (&from.name, &from.wire))
        {
            goal.push((from, to));
        }
    }
    for (goal, from) in goals.iter().filter(|(_, from)| from.len() > 1) {
        let was_there = case.destination.iter().any(|d| d.name == **goal);
        let is_named = from.iter().any(|(_, m)| {
            m.changes
                .iter()
                .any(|c| matches!(c, NameChange::Role(_) | NameChange::Earlier))
        });
        if !was_there || !is_named || from.len() > 2 {
            return Err(format!("{goal} is the goal of {}", from.len()));
        }
    }
    // The order of listings does not matter.
    let reversed = |list: &[MailboxInfo]| list.iter().rev().cloned().collect::<Vec<_>>();
    let mut again = case.map_onto(&reversed(&case.source), &reversed(&case.destination));
    again.reverse();
    if again != mapped {
        return Err(format!("order matters: {again:?}"));
    }
    // A second run that has lost its ledger maps the same, whether or not the
    // destination keeps special uses.
    for tells_roles in [true, false] {
        let after = case.destination_after(&mapped, tells_roles);
        let second = case.map_onto(&case.source, &after);
        for (first, second) in mapped.iter().zip(&second) {
            if first.destination != second.destination {
                return Err(format!(
                    "{} becomes {} (roles told: {tells_roles})",
                    first.destination, second.destination
                ));
            }
        }
    }
    // What has been mapped stays as it is when it is mapped once more.
    if case.under.is_none() && case.pairings.is_empty() {
        let after = case.destination_after(&mapped, true);
        let names: Vec<MailboxInfo> = goals
            .keys()
            .map(|g| {
                let mut there = after.iter().find(|d| d.name == **g).expect("made").clone();
                there.selectable &= goals[g].iter().any(|(from, _)| from.selectable);
                let told = goals[g].iter().find_map(|(from, to)| to.role.or(from.role));
                there.role = there.role.or(told);
                there
            })
            .collect();
        for (from, to) in names.iter().zip(case.map_onto(&names, &after)) {
            if from.name != to.destination {
                return Err(format!(
                    "{} is mapped again to {}",
                    from.name, to.destination
                ));
            }
        }
    }
    Ok(())
}
