//! How a job is going, in words and figures: what the page shows and what its events carry.

use super::shown::{self, Eyes};
use crate::job::{FinalRun, Job, Kind, Progress, State};
use hikyaku_core::Fault;
use hikyaku_text::page::progress as words;
use hikyaku_text::{About, Count, Day, Messages, Share, Show, Size, run};
use std::time::Duration;

/// Octets of the page that the table of folders may take.
const ROOM: usize = 24_000;

/// Octets of a row beside its texts.
const ROW: usize = 160;

/// One look at a running job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progressing {
    /// What is going on.
    pub(crate) heading: String,
    /// How far: messages, time that is left, folder.
    pub(crate) line: String,
    /// Octets, where the source tells them.
    pub(crate) octets: String,
    /// What this run copied.
    pub(crate) copied: String,
    /// Why nothing happens and when it goes on, or what is to be expected.
    pub(crate) hint: String,
    /// Done and all, in octets or messages; `None` while nobody knows.
    pub(crate) bar: Option<(u64, u64)>,
    /// Which buttons there are.
    pub(crate) controls: Controls,
    /// The folders that are shown.
    pub(crate) folders: Vec<Folder>,
    /// The sentence about those that are not.
    pub(crate) more_folders: String,
}

/// What the person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controls {
    /// Pause or cancel.
    Pause,
    /// Resume or cancel.
    Resume,
    /// Cancel.
    Cancel,
}

impl Controls {
    /// Its word in the page and its events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Controls::Pause => "pause",
            Controls::Resume => "resume",
            Controls::Cancel => "cancel",
        }
    }
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Its name.
    pub(crate) name: String,
    /// Messages that it holds.
    pub(crate) messages: String,
    /// Messages that are accounted for.
    pub(crate) done: String,
    /// How it stands, in a word.
    pub(crate) word: String,
    /// How it stands: `finished`, `begun` or `open`.
    pub(crate) state: &'static str,
}

/// Looks at a job that is not over.
pub(crate) fn progressing(job: &Job, eyes: Eyes) -> Progressing {
    let lang = eyes.lang;
    let progress = &job.progress;
    let is_quiet = job.paused || matches!(job.state, State::Scheduled | State::Queued);
    let (folders, more) = folders(progress, eyes);
    Progressing {
        heading: heading(job, eyes),
        line: line(progress, is_quiet, eyes),
        octets: match progress.octets {
            0 => String::new(),
            all => words::octets_of(Size(progress.octets_done.min(all)), Size(all), lang),
        },
        copied: match (job.kind, progress.copied) {
            (Kind::Undo, _) | (_, 0) => String::new(),
            (Kind::Copy, copied) => words::copied_so_far(Messages(copied), lang),
        },
        hint: hint(job, eyes),
        bar: bar(progress),
        controls: match (job.state, job.paused) {
            (State::Scheduled, _) => Controls::Cancel,
            (_, true) => Controls::Resume,
            (_, false) => Controls::Pause,
        },
        folders,
        more_folders: match more {
            0 => String::new(),
            more => words::more_folders(Count(more), lang),
        },
    }
}

fn heading(job: &Job, eyes: Eyes) -> String {
    let lang = eyes.lang;
    let is_at_work = matches!(job.state, State::Copying | State::Verifying);
    match (job.state, job.kind) {
        (State::Scheduled, _) => words::scheduled(lang),
        _ if job.paused && is_at_work => words::pausing(lang),
        _ if job.paused => words::paused(lang),
        _ if job.progress.waiting.is_some() => words::waiting(lang),
        (State::Queued, _) => words::queued(lang),
        (State::Verifying, _) => words::verifying(lang),
        (_, Kind::Undo) => words::undoing(lang),
        _ if job.progress.folders.is_empty() && job.progress.messages == 0 => {
            words::connecting(lang)
        }
        _ => words::copying(lang),
    }
}

fn hint(job: &Job, eyes: Eyes) -> String {
    let lang = eyes.lang;
    match (&job.progress.waiting, job.state) {
        (_, State::Scheduled) => {
            let day = Day((eyes.moment)(job.begins_millis.unwrap_or(eyes.now_millis)));
            match job.order.choices.final_run {
                Some(FinalRun::MxMoved) => words::begins_after_the_switch(day, lang),
                _ => words::begins_at(day, lang),
            }
        }
        _ if job.paused => words::paused_hint(lang),
        (Some(waiting), _) => run::waiting(
            &Fault::from(&waiting.because),
            eyes.until(waiting.until_millis),
            lang,
        ),
        (None, State::Queued) => words::queued_hint(lang),
        (None, _) => String::new(),
    }
}

fn line(progress: &Progress, is_quiet: bool, eyes: Eyes) -> String {
    let lang = eyes.lang;
    if progress.messages == 0 {
        return String::new();
    }
    let done = Share(progress.messages_done.min(progress.messages));
    let all = Messages(progress.messages);
    // While nothing moves, neither is there a folder that is worked on nor a time that means anything.
    let moves = !is_quiet && progress.waiting.is_none();
    let left = progress.left_seconds.filter(|_| moves);
    let left = left.map(|seconds| About(Duration::from_secs(seconds)));
    let folder = progress.folder.as_deref().filter(|_| moves);
    let folder = folder.map(|name| shown::folder(name, lang));
    match (left, folder) {
        (Some(left), Some(folder)) => words::line_left_in(done, all, left, &folder, lang),
        (None, Some(folder)) => words::line_in(done, all, &folder, lang),
        (Some(left), None) => run::progress_left(done, all, left, lang),
        (None, None) => run::progress(done, all, lang),
    }
}

fn bar(progress: &Progress) -> Option<(u64, u64)> {
    let (done, all) = match progress.octets {
        0 => (progress.messages_done, progress.messages),
        octets => (progress.octets_done, octets),
    };
    (all > 0).then(|| (done.min(all), all))
}

fn folders(progress: &Progress, eyes: Eyes) -> (Vec<Folder>, u64) {
    let lang = eyes.lang;
    let rows = progress.folders.iter().map(|folder| {
        let (state, word) = match (folder.finished, folder.done) {
            (true, _) => ("finished", words::folder_finished(lang)),
            (false, 0) => ("open", words::folder_open(lang)),
            (false, _) => ("begun", words::folder_begun(lang)),
        };
        Folder {
            name: shown::folder(&folder.name, lang),
            messages: Count(folder.messages).show(lang),
            done: Count(folder.done.min(folder.messages)).show(lang),
            word,
            state,
        }
    });
    shown::fitting(rows, ROOM, |row| {
        ROW + shown::octets(&row.name) + row.word.len()
    })
}

/// How a job stands, in a word, for lists.
pub(crate) fn state_word(job: &Job, eyes: Eyes) -> String {
    let lang = eyes.lang;
    match job.state {
        _ if job.paused && !job.state.is_over() => words::state_paused(lang),
        State::Received => words::state_received(lang),
        State::Checking => words::state_checking(lang),
        State::Ready => words::state_ready(lang),
        State::Scheduled => words::state_scheduled(lang),
        State::Queued | State::Copying | State::Verifying if job.progress.waiting.is_some() => {
            words::state_waiting(lang)
        }
        State::Queued => words::state_queued(lang),
        State::Copying if job.kind == Kind::Undo => words::state_undoing(lang),
        State::Copying => words::state_copying(lang),
        State::Verifying => words::state_verifying(lang),
        State::Done => words::state_done(lang),
        State::DoneWithExceptions => words::state_exceptions(lang),
        State::Stopped => words::state_stopped(lang),
        State::Cancelled => words::state_cancelled(lang),
    }
}

#[cfg(test)]
mod tests;
