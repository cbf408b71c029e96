//! Jobs as they are written down: columns for the queue, JSON for the rest.

use crate::job::{Checked, Job, JobId, Kind, Order, Progress, State, UndoPlan};
use hikyaku_core::Fault;
use hikyaku_ledger::service::JobRow;
use hikyaku_view::{FaultView, ReportView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Names of the texts of a job.
pub(crate) mod part {
    /// [`super::Head`].
    pub(crate) const HEAD: &str = "head";
    /// [`crate::job::Checked`].
    pub(crate) const CHECKED: &str = "checked";
    /// [`crate::job::Progress`].
    pub(crate) const PROGRESS: &str = "progress";
    /// [`super::Ending`].
    pub(crate) const ENDING: &str = "ending";
    /// [`super::Course`].
    pub(crate) const COURSE: &str = "course";
}

/// What a job is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    #[serde(default)]
    pub(crate) previous: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ending {
    pub(crate) report: Option<ReportView>,
    pub(crate) undo: Option<UndoPlan>,
    pub(crate) fault: Option<FaultView>,
}

/// What workers remember of their earlier attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Course {
    /// Both logins have succeeded once.
    pub(crate) signed_in: bool,
    /// Since when nothing could be done (milliseconds since 1970 UTC).
    pub(crate) waiting_since: Option<i64>,
    /// Attempts since then.
    pub(crate) attempts: u32,
    /// The person was told of this wait.
    pub(crate) told: bool,
    /// Messages that were accounted for when the wait began.
    pub(crate) done: u64,
    /// When the MX record was last asked for.
    pub(crate) asked: i64,
    /// Both accounts, as the ledger names them.
    pub(crate) accounts: Option<(String, String)>,
}

impl Course {
    /// What stays true when a job goes on anew.
    pub(crate) fn anew(self) -> Self {
        Self {
            signed_in: self.signed_in,
            accounts: self.accounts,
            ..Self::default()
        }
    }
}

/// A job from its row.
pub(crate) fn read(row: &JobRow) -> Result<Job, Fault> {
    let id = id_of(row)?;
    let head = head(row)?;
    let ending: Ending = text(row, part::ENDING)?.unwrap_or_default();
    let some = |moment: i64| (moment != 0).then_some(moment);
    Ok(Job {
        id,
        receipt: receipt(id),
        kind: head.kind,
        order: head.order,
        state: state(&row.state)?,
        paused: row.paused,
        checked: checked(row)?,
        progress: progress(row)?,
        report: ending.report,
        undo: ending.undo,
        fault: ending.fault,
        previous: head.previous.and_then(|id| id.parse().ok()),
        begins_millis: some(row.begins),
        has_secrets: row.has_secrets,
        created_millis: row.created,
        started_millis: some(row.started),
        ended_millis: some(row.ended),
    })
}

pub(crate) fn id_of(row: &JobRow) -> Result<JobId, Fault> {
    row.id
        .parse()
        .map_err(|_| Fault::bug("a job has an impossible name"))
}

pub(crate) fn head(row: &JobRow) -> Result<Head, Fault> {
    text(row, part::HEAD)?.ok_or_else(|| Fault::bug("a job has no order"))
}

pub(crate) fn checked(row: &JobRow) -> Result<Option<Checked>, Fault> {
    text(row, part::CHECKED)
}

pub(crate) fn progress(row: &JobRow) -> Result<Progress, Fault> {
    Ok(text(row, part::PROGRESS)?.unwrap_or_default())
}

pub(crate) fn course(row: &JobRow) -> Result<Course, Fault> {
    Ok(text(row, part::COURSE)?.unwrap_or_default())
}

fn text<T: DeserializeOwned>(row: &JobRow, part: &str) -> Result<Option<T>, Fault> {
    let Some(text) = row.parts.get(part) else {
        return Ok(None);
    };
    // The reason would quote the text.
    let read = serde_json::from_str(text);
    read.map(Some)
        .map_err(|_| Fault::bug(format!("the {part} of job {} cannot be read", row.id)))
}

/// A text for a row.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|error| Fault::bug(format!("a job cannot be written down: {error}")))
}

/// The column of a state.
pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Received => "received",
        State::Checking => "checking",
        State::Ready => "ready",
        State::Scheduled => "scheduled",
        State::Queued => "queued",
        State::Copying => "copying",
        State::Verifying => "verifying",
        State::Done => "done",
        State::DoneWithExceptions => "done_with_exceptions",
        State::Stopped => "stopped",
        State::Cancelled => "cancelled",
    }
}

/// Every state.
pub(crate) const STATES: [State; 11] = [
    State::Received,
    State::Checking,
    State::Ready,
    State::Scheduled,
    State::Queued,
    State::Copying,
    State::Verifying,
    State::Done,
    State::DoneWithExceptions,
    State::Stopped,
    State::Cancelled,
];

pub(crate) fn state(text: &str) -> Result<State, Fault> {
    let found = STATES.into_iter().find(|state| word(*state) == text);
    found.ok_or_else(|| Fault::bug("a job is in an impossible state"))
}

/// 受付番号: eight digits of the job's name, in a form that can be read out. Short, so it names a job only to its owner.
fn receipt(id: JobId) -> String {
    let text = id.to_string().to_uppercase();
    // The first digit carries three bits only.
    format!("{}-{}", &text[1..5], &text[5..9])
}

/// What limits by source host are counted by.
pub(crate) fn host_of(order: &Order) -> String {
    // Files of one name are no matter of one server.
    if let Some(id) = order.source.upload() {
        return format!("upload {id}");
    }
    let host = order.source.host.trim();
    let host = match host.is_empty() {
        true => order.source.address.rsplit('@').next().unwrap_or(""),
        false => host,
    };
    counted(host)
}

/// What limits by source account are counted by.
pub(crate) fn source_of(order: &Order) -> String {
    let login = order.source.login.as_deref();
    let login = login.unwrap_or(&order.source.address).trim();
    format!("{} {}", host_of(order), counted(login))
}

/// The account into which one job copies at a time.
pub(crate) fn destination_of(order: &Order) -> String {
    format!("{} {}", order.brand, counted(&order.destination))
}

/// What people write in either case, for a column: a database takes no NUL.
fn counted(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_word_which_is_that_of_its_json() {
        for known in STATES {
            let json = serde_json::to_string(&known).expect("written");
            assert_eq!(json, format!("\"{}\"", word(known)));
            assert_eq!(state(word(known)), Ok(known));
        }
        assert!(state("gone").is_err());
    }

    #[test]
    fn receipts_are_short_and_follow_from_the_name() {
        let id: JobId = "10123456789abcdefghjkmnpqr".parse().expect("a name");
        assert_eq!(receipt(id), "0123-4567");
    }
}
