//! What the work on one mailbox came to.

use super::scene::Scene;
use super::{Sought, Until, Work};
use hikyaku_core::ledger::{Pairing, Settled};
use hikyaku_core::plan::MailboxPlan;
use hikyaku_core::report::{Exception, MailboxReport, Note, Outcome, Tally};
use hikyaku_core::{Event, Fault, KeySet, MailboxState};

/// The result of one line of the plan.
pub(crate) struct Finished {
    pub(crate) report: MailboxReport,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) notes: Vec<Note>,
    pub(crate) differences: u64,
    pub(crate) retries: u64,
    /// Why it is not finished.
    pub(crate) unfinished: Option<Fault>,
    /// What a checkpoint can be made of, when every message is final.
    pub(crate) clean: Option<Clean>,
    /// The source as it was when it was last opened.
    pub(crate) seen: Option<MailboxState>,
    /// What is left when the mapped mailbox has been looked through, until it is copied.
    pub(crate) left: Option<Left>,
    /// What may be copied of it, where the whole account counts.
    pub(crate) sought: Option<Sought>,
    /// What came up after it was finished and ends the whole run.
    pub(crate) ends_run: Option<Fault>,
}

/// What the mapped mailbox does not hold.
pub(crate) struct Left {
    /// The source as it was then.
    pub(crate) state: MailboxState,
    /// Source keys that are still to copy.
    pub(crate) todo: KeySet,
    /// Records of messages that were found in other mailboxes.
    pub(crate) elsewhere: Vec<Settled>,
}

/// The half of a checkpoint that the source and the work itself give.
pub(crate) struct Clean {
    pub(crate) pairing: Pairing,
    pub(crate) source: MailboxState,
    pub(crate) keys: KeySet,
    pub(crate) stored: KeySet,
    pub(crate) tally: Tally,
}

impl Finished {
    /// A result with nothing but outcomes.
    pub(crate) fn of(
        line: &MailboxPlan,
        scanned: u64,
        tally: Tally,
        unfinished: Option<Fault>,
    ) -> Self {
        Self {
            report: MailboxReport {
                source: line.source.name.clone(),
                destination: line.destination.clone(),
                scanned,
                tally,
                copied_now: 0,
                octets_now: 0,
                flags_updated: 0,
                read_back: 0,
            },
            exceptions: Vec::new(),
            notes: Vec::new(),
            differences: 0,
            retries: 0,
            unfinished,
            clean: None,
            seen: None,
            left: None,
            sought: None,
            ends_run: None,
        }
    }

    /// Notes something, once.
    pub(crate) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Takes over the result of a later look at the same mailbox: its outcomes stand for
    /// all messages, what was done adds up.
    pub(crate) fn continue_with(&mut self, mut later: Finished) {
        let had_differences = self.differences > 0;
        later.count_work_of(self);
        let names: Vec<Exception> = self.exceptions.drain(..).filter(is_about_a_copy).collect();
        later.exceptions.splice(0..0, names);
        for note in std::mem::take(&mut later.notes) {
            self.note(note);
        }
        later.notes = std::mem::take(&mut self.notes);
        later.clean = later.clean.filter(|_| !had_differences);
        *self = later;
    }

    /// Adds what another look at the same mailbox did.
    pub(crate) fn count_work_of(&mut self, other: &Finished) {
        self.report.copied_now += other.report.copied_now;
        self.report.octets_now += other.report.octets_now;
        self.report.flags_updated += other.report.flags_updated;
        self.report.read_back += other.report.read_back;
        self.differences += other.differences;
        self.retries += other.retries;
    }
}

/// Whether it names a message that is there, and not as it should be: no later attempt
/// looks at it again.
pub(super) fn is_about_a_copy(exception: &Exception) -> bool {
    exception.outcome == Some(Outcome::Copied)
}

impl Work<'_> {
    /// Keeps what a checkpoint needs, when every message is final and every
    /// destination key known.
    pub(super) fn offer_checkpoint(&mut self, scene: Scene) {
        self.finished.seen = Some(scene.reader.state());
        let all_final =
            self.done.len() == scene.keys.len() && self.tally.total() == scene.keys.len();
        let there =
            self.tally.messages(Outcome::Copied) + self.tally.messages(Outcome::AlreadyThere);
        if all_final && self.stored.len() == there && self.finished.differences == 0 {
            self.finished.clean = Some(Clean {
                source: scene.reader.state(),
                pairing: scene.pairing,
                keys: scene.keys,
                stored: self.stored.clone(),
                tally: self.tally,
            });
        }
    }

    /// Turns what was gathered into the result.
    pub(super) fn close(mut self, unfinished: Option<Fault>) -> Finished {
        let mailbox = self.line.source.name.clone();
        let notes = &mut self.finished.notes;
        for (flags, messages) in std::mem::take(&mut self.flags_lost) {
            notes.push(Note::FlagsLost {
                mailbox: mailbox.clone(),
                flags,
                messages,
            });
        }
        if !self.altered.is_empty() {
            self.altered.sort_unstable();
            self.altered.dedup();
            notes.push(Note::Altered {
                mailbox: mailbox.clone(),
                messages: self.altered.len() as u64,
                keys: self.altered.iter().copied().take(100).collect(),
            });
        }
        if self.dates_lost > 0 {
            notes.push(Note::DatesLost {
                mailbox: mailbox.clone(),
                messages: self.dates_lost,
            });
        }
        if let Some(fault) = &unfinished {
            // What has no outcome yet is tried again next time.
            let left = self
                .finished
                .report
                .scanned
                .saturating_sub(self.tally.total());
            self.tally.add(Outcome::FailedTemporary, left, 0);
            self.finished.exceptions.push(Exception {
                mailbox: mailbox.clone(),
                key: None,
                octets: None,
                head: None,
                outcome: None,
                fault: fault.clone(),
            });
        }
        self.finished.report.tally = self.tally;
        self.finished.unfinished = unfinished;
        let is_last = !matches!(self.until, Until::Adopted);
        if is_last || self.finished.unfinished.is_some() {
            self.run.observer.note(&Event::MailboxDone { mailbox });
        }
        self.finished
    }
}
