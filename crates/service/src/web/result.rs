//! How a job ended, in words: what the page and the printable report show.

mod named;
mod steps;
#[cfg(test)]
mod tests;

use super::retire::{Retire, retire};
use super::shown::{self, Eyes};
use crate::brand::Brand;
use crate::job::{Job, Kind, Protocol, State, UndoPlan};
use hikyaku_core::report::{Outcome, Report};
use hikyaku_core::{Code, Fault};
use hikyaku_text::page::{self, again, progress, result as words};
use hikyaku_text::{Count, Day, Mailboxes, Messages, Show, report, run};
pub(crate) use named::{Named, file_name, subject_of};
use std::collections::BTreeMap;
pub(crate) use steps::Steps;

/// Octets of the page that each of its parts may take.
const FOLDERS: usize = 11_000;
const LIST: usize = 15_000;
const NOTES: usize = 4_000;

/// Octets of a row beside its texts.
const ROW: usize = 200;

/// How it went, for the colour of the first box. Colour is never all that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Needs the person.
    Bad,
}

impl Mood {
    /// Its class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Mood::Good => "good",
            Mood::Warn => "warn",
            Mood::Bad => "bad",
        }
    }
}

/// A job that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// How it went.
    pub(crate) mood: Mood,
    /// How it ended.
    pub(crate) heading: String,
    /// Where from and where to, and when it ended.
    pub(crate) about: Vec<String>,
    /// The first sentences: what is proven, and the equation.
    pub(crate) lead: Vec<String>,
    /// Why it stopped.
    pub(crate) stop: Option<Stop>,
    /// What was not copied, by cause.
    pub(crate) causes: Vec<Cause>,
    /// The same by name.
    pub(crate) list: Vec<Named>,
    /// The sentences about those that are not shown.
    pub(crate) list_more: Vec<String>,
    /// Whether one of those that are shown can be saved as a file.
    pub(crate) saves: bool,
    /// What was done.
    pub(crate) facts: Vec<String>,
    /// Headings and rows of the table of folders.
    pub(crate) folders: Option<Folders>,
    /// What is worth telling without being a failure.
    pub(crate) notes: Vec<String>,
    /// The sentence about the notes that are not shown.
    pub(crate) notes_more: String,
    /// What to do next, after a copy that went well.
    pub(crate) steps: Option<Steps>,
    /// Whether the source may go: the verdict, then the reasons.
    pub(crate) retire: Option<(String, Vec<String>)>,
    /// Whether that source is a POP account, which mail programs have to be told about.
    pub(crate) leaves_pop: bool,
    /// What an undo took away.
    pub(crate) undone: Option<Undone>,
    /// Which ways on there are.
    pub(crate) ways: Ways,
}

/// Why a job stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// What happened, and where.
    pub(crate) cause: String,
    /// What to do.
    pub(crate) remedy: String,
    /// The server's own words.
    pub(crate) quote: Option<String>,
    /// The code for the help.
    pub(crate) code: &'static str,
}

/// One cause, for all that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// What happened.
    pub(crate) title: &'static str,
    /// The code for the help.
    pub(crate) code: &'static str,
    /// How many are concerned.
    pub(crate) count: String,
    /// What to do.
    pub(crate) remedy: &'static str,
    /// Who can.
    pub(crate) who: String,
}

/// A table of folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folders {
    /// Headings.
    pub(crate) headings: [&'static str; 6],
    /// Rows: two names, four counts.
    pub(crate) rows: Vec<[String; 6]>,
    /// The sentence about those that are not shown.
    pub(crate) more: String,
}

/// What an undo did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undone {
    /// The sum in words.
    pub(crate) sum: String,
    /// Rows: a name, three counts.
    pub(crate) rows: Vec<[String; 4]>,
    /// The sentence about those that are not shown.
    pub(crate) more: String,
}

/// Which ways on there are from the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// 続きから再開する.
    pub(crate) proceed: bool,
    /// Reports.
    pub(crate) report: bool,
    /// Run again.
    pub(crate) again: bool,
    /// Undo.
    pub(crate) undo: bool,
    /// One more run by itself.
    pub(crate) final_run: bool,
    /// Back to the form: nothing was ever copied.
    pub(crate) form: bool,
}

/// Looks at a job that is over.
pub(crate) fn ended(job: &Job, brand: &Brand, eyes: Eyes) -> Ended {
    let lang = eyes.lang;
    let report = job.report.as_ref().map(Report::from);
    let report = report.as_ref();
    let stop = stop(job, report, eyes);
    let exceptions = report.map_or(&[][..], |report| &report.exceptions);
    let (list, left) = shown::fitting(
        exceptions
            .iter()
            .enumerate()
            .map(|(place, one)| Named::of(place, one, lang)),
        LIST,
        Named::octets,
    );
    let mut list_more = Vec::new();
    if left > 0 {
        list_more.push(words::more_in_csv(Count(left), lang));
    }
    if exceptions.len() >= Report::MAX_EXCEPTIONS {
        list_more.push(words::more_than_kept(Count(exceptions.len() as u64), lang));
    }
    let notes = report.map_or(&[][..], |report| &report.notes);
    let pinned = job
        .report
        .iter()
        .flat_map(|view| &view.servers)
        .filter_map(|server| {
            let side = hikyaku_view::side(&server.side)?;
            let fingerprint = server.certificate.as_deref().filter(|_| server.pinned)?;
            Some(report::pinned(side, &server.server, fingerprint, lang))
        });
    let notes = notes
        .iter()
        .map(|note| report::note(note, lang))
        .chain(pinned);
    let notes = notes.map(|note| hikyaku_text::escape::clean(&note).into_owned());
    let (notes, notes_left) = shown::fitting(notes, NOTES, |note| 10 + shown::octets(note));
    let is_copy = job.kind == Kind::Copy;
    let finished = matches!(job.state, State::Done | State::DoneWithExceptions);
    Ended {
        mood: mood(job, report),
        heading: heading(job, report, eyes),
        about: about(job, eyes),
        lead: lead(job, report, eyes),
        stop,
        causes: causes(report, eyes),
        saves: job.order.source.upload().is_none() && list.iter().any(|named| named.saves),
        list,
        list_more,
        facts: report
            .filter(|_| is_copy)
            .map(|r| report::facts(r, lang))
            .unwrap_or_default(),
        folders: report
            .filter(|r| is_copy && !r.mailboxes.is_empty())
            .map(|r| folders(r, eyes)),
        notes,
        notes_more: match notes_left {
            0 => String::new(),
            left => words::more_in_csv(Count(left), lang),
        },
        steps: (is_copy && finished).then(|| Steps::of(job, report, brand, eyes)),
        // A file on somebody's computer is no account that could be closed.
        retire: (is_copy && report.is_some() && job.order.source.upload().is_none())
            .then(|| verdict(job, report, eyes)),
        leaves_pop: is_pop3(job),
        undone: job.undo.as_ref().map(|plan| undone(plan, Told::Done, eyes)),
        ways: ways(job, report),
    }
}

fn ways(job: &Job, report: Option<&Report>) -> Ways {
    let is_copy = job.kind == Kind::Copy;
    let began = job.started_millis.is_some();
    let finished = matches!(job.state, State::Done | State::DoneWithExceptions);
    // A file is gone with its copy: no run can read it by itself.
    let stays = job.order.source.upload().is_none();
    Ways {
        proceed: job.state == State::Stopped,
        report: is_copy && report.is_some(),
        again: is_copy && (finished || job.state == State::Cancelled),
        undo: is_copy && began,
        final_run: is_copy && finished && stays,
        form: !began,
    }
}

fn mood(job: &Job, report: Option<&Report>) -> Mood {
    match job.state {
        State::Done if report.is_none_or(|report| report.exceptions.is_empty()) => Mood::Good,
        State::Done | State::DoneWithExceptions | State::Cancelled => Mood::Warn,
        _ => Mood::Bad,
    }
}

fn heading(job: &Job, report: Option<&Report>, eyes: Eyes) -> String {
    let lang = eyes.lang;
    let missing = report.is_some_and(|report| {
        let tally = report.tally();
        tally.failures() > 0 || report.exceptions.iter().any(|e| e.key.is_some())
    });
    match (job.kind, job.state) {
        (Kind::Copy, State::Done) => words::done(lang),
        (Kind::Copy, State::DoneWithExceptions) if missing => words::done_with_exceptions(lang),
        (Kind::Copy, State::DoneWithExceptions) => words::done_with_remarks(lang),
        (Kind::Copy, State::Cancelled) => words::cancelled(lang),
        (Kind::Copy, _) if job.started_millis.is_none() => words::not_begun(lang),
        (Kind::Copy, _) => words::stopped(lang),
        (Kind::Undo, State::Done | State::DoneWithExceptions) => words::undone(lang),
        (Kind::Undo, State::Cancelled) => words::undo_cancelled(lang),
        (Kind::Undo, _) => words::undo_stopped(lang),
    }
}

/// The account that is read, as the person typed it or as it was found.
pub(crate) fn source_of(job: &Job, eyes: Eyes) -> String {
    let source = &job.order.source;
    let reached = job
        .checked
        .as_ref()
        .and_then(|checked| checked.reached.as_ref());
    let host = match (source.host.as_str(), reached) {
        ("", Some(reached)) => reached.host.as_str(),
        (host, _) => host,
    };
    let (address, host) = (shown::short(&source.address), shown::short(host));
    match host.is_empty() {
        true => address,
        false => progress::account_at(&address, &host, eyes.lang),
    }
}

fn about(job: &Job, eyes: Eyes) -> Vec<String> {
    let lang = eyes.lang;
    let destination = shown::short(&job.order.destination);
    let mut about = vec![
        progress::receipt(&job.receipt, lang),
        words::from_to(&source_of(job, eyes), &destination, lang),
    ];
    about.extend(
        job.ended_millis
            .map(|at| words::ended_at(Day((eyes.moment)(at)), lang)),
    );
    about
}

fn lead(job: &Job, report: Option<&Report>, eyes: Eyes) -> Vec<String> {
    let lang = eyes.lang;
    let mut lead = Vec::new();
    match (job.kind, report) {
        (Kind::Undo, _) => {}
        (Kind::Copy, Some(report))
            if matches!(job.state, State::Done | State::DoneWithExceptions) =>
        {
            lead.push(report::headline(report, lang));
            lead.push(report::equation(report, lang));
        }
        (Kind::Copy, Some(report)) => {
            let tally = report.tally();
            let sum = [
                Outcome::Copied,
                Outcome::AlreadyThere,
                Outcome::RemovedAtDestination,
            ];
            let there = sum
                .iter()
                .map(|outcome| tally.messages(*outcome))
                .sum::<u64>();
            lead.push(words::so_far(Messages(there), lang));
        }
        (Kind::Copy, None) if job.progress.messages_done > 0 => {
            lead.push(words::so_far(Messages(job.progress.messages_done), lang));
        }
        (Kind::Copy, None) => {}
    }
    if job.state == State::Stopped && job.kind == Kind::Copy && job.started_millis.is_some() {
        lead.push(words::goes_on_from_here(lang));
    }
    lead.push(run::source_untouched(lang));
    lead
}

fn stop(job: &Job, report: Option<&Report>, eyes: Eyes) -> Option<Stop> {
    if job.state != State::Stopped {
        return None;
    }
    let of_check = job
        .checked
        .as_ref()
        .and_then(|checked| checked.fault.as_ref());
    let fault = job.fault.as_ref().or(of_check).map(Fault::from);
    let fault = fault.or_else(|| report.and_then(|report| report.stopped.clone()))?;
    let told = page::tell(&fault, eyes.lang);
    let clean = |text: String| hikyaku_text::escape::clean(&text).into_owned();
    Some(Stop {
        cause: clean(told.cause),
        remedy: clean(told.remedy),
        quote: told.quote.map(clean),
        code: fault.code.short(),
    })
}

fn causes(report: Option<&Report>, eyes: Eyes) -> Vec<Cause> {
    let mut counts: BTreeMap<Code, u64> = BTreeMap::new();
    for exception in report.iter().flat_map(|report| &report.exceptions) {
        *counts.entry(exception.fault.code).or_default() += 1;
    }
    let cause = |(code, count): (Code, u64)| {
        let explained = page::explain(code, eyes.lang);
        Cause {
            title: explained.title,
            code: code.short(),
            count: Count(count).show(eyes.lang),
            remedy: explained.remedy,
            who: explained.who.show(eyes.lang),
        }
    };
    counts.into_iter().map(cause).collect()
}

fn folders(report: &Report, eyes: Eyes) -> Folders {
    let lang = eyes.lang;
    let rows = report.mailboxes.iter().map(|mailbox| {
        let of = |outcome| mailbox.tally.messages(outcome);
        let there =
            of(Outcome::Copied) + of(Outcome::AlreadyThere) + of(Outcome::RemovedAtDestination);
        let missing = of(Outcome::Skipped) + of(Outcome::Vanished) + mailbox.tally.failures();
        let count = |n| Count(n).show(lang);
        [
            shown::folder(&mailbox.source.to_string(), lang),
            shown::folder(&mailbox.destination.to_string(), lang),
            count(mailbox.scanned),
            count(mailbox.copied_now),
            count(there.saturating_sub(mailbox.copied_now)),
            count(missing),
        ]
    });
    let weigh = |row: &[String; 6]| ROW + row.iter().map(|cell| shown::octets(cell)).sum::<usize>();
    let (rows, left) = shown::fitting(rows, FOLDERS, weigh);
    Folders {
        headings: report::mailbox_headings(lang),
        rows,
        more: match left {
            0 => String::new(),
            left => words::more_in_csv(Count(left), lang),
        },
    }
}

/// Whether an undo is to be or has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It would do this.
    Planned,
    /// It has done this.
    Done,
}

/// The table of an undo.
pub(crate) fn undone(plan: &UndoPlan, told: Told, eyes: Eyes) -> Undone {
    let lang = eyes.lang;
    let sum = |of: fn(&crate::job::UndoLine) -> u64| plan.lines.iter().map(of).sum::<u64>();
    let removed = Messages(sum(|line| line.removed));
    let kept = Messages(sum(|line| line.touched + line.only_copy));
    let rows = plan.lines.iter().map(|line| {
        let count = |n| Count(n).show(lang);
        let name = shown::folder(&line.mailbox, lang);
        [
            name,
            count(line.removed),
            count(line.touched),
            count(line.only_copy),
        ]
    });
    let weigh = |row: &[String; 4]| ROW + row.iter().map(|cell| shown::octets(cell)).sum::<usize>();
    let (rows, left) = shown::fitting(rows, FOLDERS + LIST, weigh);
    Undone {
        sum: match told {
            Told::Planned => {
                again::undo_sum(removed, kept, Mailboxes(plan.lines.len() as u64), lang)
            }
            Told::Done => again::undone_sum(removed, kept, lang),
        },
        rows,
        more: match left {
            0 => String::new(),
            left => again::more_folders(Count(left), lang),
        },
    }
}

fn verdict(job: &Job, report: Option<&Report>, eyes: Eyes) -> (String, Vec<String>) {
    let lang = eyes.lang;
    let source = source_of(job, eyes);
    let (verdict, mut reasons) = match retire(job, report) {
        Retire::After { millis, messages } => {
            let day = Day((eyes.moment)(millis));
            (
                words::retire_safe(&source, Messages(messages), day, lang),
                Vec::new(),
            )
        }
        Retire::NotYet(reasons) => {
            let reasons = reasons
                .into_iter()
                .map(|reason| steps::reason(reason, lang));
            (words::retire_not_yet(&source, lang), reasons.collect())
        }
    };
    if is_pop3(job) {
        reasons.push(words::retire_pop3(lang));
    }
    (verdict, reasons)
}

/// Whether the source was read over POP3.
fn is_pop3(job: &Job) -> bool {
    let reached = job.checked.as_ref().and_then(|c| c.reached.as_ref());
    reached.is_some_and(|reached| reached.protocol == Protocol::Pop3)
}
