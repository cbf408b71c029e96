//! Whether the old account may be closed, and why not. Decided from what was proven, never from what is likely.

use crate::job::{Checked, Choices, Delivery, Job, Kind, State};
use hikyaku_core::report::{Note, Outcome, Report};

/// How long the old server is to be kept after everything has been proven, in milliseconds: answers of the domain name
/// system and mails that were delayed on their way are older than people think.
const GRACE: i64 = 14 * 86_400_000;

/// What can be said about the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Retire {
    /// It may go.
    After {
        /// Milliseconds since 1970 UTC.
        millis: i64,
        /// Messages that were proven.
        messages: u64,
    },
    /// It may not, for at least one reason.
    NotYet(Vec<Reason>),
}

/// The reason that so many messages are.
type Counted = fn(u64) -> Reason;

/// Why the source has to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The copy did not reach its end.
    NotEnded,
    /// Folders that were not finished.
    Unfinished(u64),
    /// Messages that are not at the destination.
    Missing(u64),
    /// Messages that differ.
    Differences(u64),
    /// Other exceptions.
    Remarks(u64),
    /// Messages left out by a rule.
    LeftOut(u64),
    /// Folders left out by choice.
    FoldersLeftOut(u64),
    /// Only a certain time was copied.
    Period,
    /// Only what fits was copied.
    OnlyWhatFits,
    /// Messages that arrived at the source during the copy.
    Arrived(u64),
    /// Mail is still delivered to the source.
    StillDelivered,
    /// Nobody knows where mail is delivered.
    DeliveryUnknown,
}

/// Decides about the source of a copy that is over.
pub(crate) fn retire(job: &Job, report: Option<&Report>) -> Retire {
    let mut reasons = Vec::new();
    let ended = matches!(job.state, State::Done | State::DoneWithExceptions);
    let (report, ended_millis) = match (report, job.ended_millis) {
        (Some(report), Some(millis)) if ended && job.kind == Kind::Copy => (report, millis),
        _ => return Retire::NotYet(vec![Reason::NotEnded]),
    };
    if report.stopped.is_some() || !report.adds_up() {
        reasons.push(Reason::NotEnded);
    }
    let tally = report.tally();
    let arrived = report.notes.iter().map(|note| match note {
        Note::Arrived { messages, .. } => *messages,
        _ => 0,
    });
    let missing = tally.failures() + tally.messages(Outcome::Vanished);
    // What failed has been counted as missing.
    let remarks = report.shortfalls().filter(|e| e.outcome.is_none()).count() as u64;
    let counted: [(u64, Counted); 6] = [
        (report.unfinished, Reason::Unfinished),
        (missing, Reason::Missing),
        (report.differences, Reason::Differences),
        (remarks, Reason::Remarks),
        (tally.messages(Outcome::Skipped), Reason::LeftOut),
        (arrived.sum(), Reason::Arrived),
    ];
    reasons.extend(
        counted
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, reason)| reason(*n)),
    );
    let (choices, checked) = (&job.order.choices, job.checked.as_ref());
    let folders = checked.map_or(0, |checked| left_out(checked, choices));
    if folders > 0 {
        reasons.push(Reason::FoldersLeftOut(folders));
    }
    if choices.since.is_some() || choices.before.is_some() {
        reasons.push(Reason::Period);
    }
    if choices.fit {
        reasons.push(Reason::OnlyWhatFits);
    }
    match checked.map_or(Delivery::Unknown, |checked| checked.delivery) {
        Delivery::Here => {}
        Delivery::Elsewhere => reasons.push(Reason::StillDelivered),
        Delivery::Unknown => reasons.push(Reason::DeliveryUnknown),
    }
    if !report.is_complete() && reasons.is_empty() {
        reasons.push(Reason::NotEnded);
    }
    match reasons.is_empty() {
        true => Retire::After {
            millis: ended_millis + GRACE,
            messages: report.scanned(),
        },
        false => Retire::NotYet(reasons),
    }
}

/// Folders with mail that the person, or the plan, left out. Those that only show mail of other folders, or cannot hold
/// any, are not missed.
fn left_out(checked: &Checked, choices: &Choices) -> u64 {
    let Some(plan) = &checked.plan else {
        return (choices.exclude.len() + choices.only.len()) as u64;
    };
    let is_out = |name: &String| {
        let hidden = checked.hidden.contains(name) && !choices.include.contains(name);
        let unchosen = !choices.only.is_empty() && !choices.only.contains(name);
        hidden || unchosen || choices.exclude.contains(name)
    };
    let by_rule = |rule: Option<&str>| matches!(rule, Some("excluded" | "not_selected"));
    let lost = plan.mailboxes.iter().filter(|line| {
        let holds_mail = line.messages != Some(0);
        let has_none = matches!(line.rule.as_deref(), Some("view" | "not_selectable"));
        let ticked = choices.include.contains(&line.source);
        holds_mail
            && !has_none
            && (is_out(&line.source) || (by_rule(line.rule.as_deref()) && !ticked))
    });
    lost.count() as u64
}

#[cfg(test)]
mod tests;
