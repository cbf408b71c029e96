//! The report as text: whether everything is accounted for, what became of each
//! mailbox, what went wrong and what to do about it.

use crate::figures;
use crate::terminal::{self, Align, Table};
use crate::words::report::{self as words, Ending};
use crate::words::{self as all_words, Lang};
use hikyaku_core::report::{Exception, MailboxReport, Outcome, Report};
use hikyaku_core::{Code, InternalDate};
use mail_parser::MessageParser;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Copying.
    Copy,
    /// Comparing only.
    Check,
}

/// Messages of one cause that are shown by name here; files hold all.
const SHOWN: usize = 20;

/// The whole report. `run` is the name by which it can be looked up.
pub(crate) fn report(report: &Report, kind: Kind, run: Option<&str>, lang: Lang) -> String {
    let ending = ending(report);
    let tally = report.tally();
    let listed = match ending {
        Ending::Different => report.differences,
        _ => (report.exceptions.len() as u64).max(tally.failures()),
    };
    let mut parts = vec![words::headline(ending, report.scanned(), listed, lang)];
    if let Some(fault) = &report.stopped {
        let advice = all_words::fault(fault, lang);
        parts.push(format!(
            "[{}] {}\n  → {}",
            fault.code.short(),
            advice.cause,
            advice.remedy
        ));
    }
    parts.push(sums(report, kind, lang));
    parts.push(table(report, lang).to_string().trim_end().to_owned());
    if !report.exceptions.is_empty() {
        parts.push(exceptions(
            &report.exceptions,
            run.unwrap_or_default(),
            lang,
        ));
    }
    if !report.notes.is_empty() {
        let notes = report
            .notes
            .iter()
            .map(|n| format!("  {}", words::note(n, lang)));
        let notes: Vec<String> = notes.collect();
        parts.push(format!("{}\n{}", words::notes(lang), notes.join("\n")));
    }
    let next = words::next_step(ending, kind == Kind::Copy, lang);
    let run_name = run
        .map(|run| words::run_name(run, lang))
        .unwrap_or_default();
    let mut end = vec![next.to_owned(), run_name];
    end.retain(|line| !line.is_empty());
    if !end.is_empty() {
        parts.push(end.join("\n"));
    }
    let lines = parts.join("\n\n");
    lines
        .lines()
        .map(terminal::clean)
        .collect::<Vec<_>>()
        .join("\n")
}

fn ending(report: &Report) -> Ending {
    if report.differences > 0 {
        Ending::Different
    } else if report.stopped.is_some() {
        Ending::Stopped
    } else if !report.exceptions.is_empty() {
        Ending::Exceptions
    } else if report.unfinished > 0 {
        Ending::Stopped
    } else if report.is_complete() {
        Ending::Complete
    } else {
        Ending::Exceptions
    }
}

fn sums(report: &Report, kind: Kind, lang: Lang) -> String {
    let tally = report.tally();
    let terms: Vec<(Outcome, u64)> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, tally.messages(outcome)))
        .filter(|(outcome, messages)| *messages > 0 || *outcome == Outcome::Copied)
        .collect();
    let equation = words::equation(report.scanned(), &terms, lang);
    let elapsed = Duration::from_millis(report.elapsed_millis);
    let elapsed = figures::duration(elapsed, lang);
    let now = match kind {
        Kind::Copy => {
            let flags = report.mailboxes.iter().map(|m| m.flags_updated).sum();
            words::this_run(
                report.copied_now(),
                report.octets_now(),
                flags,
                &elapsed,
                lang,
            )
        }
        Kind::Check => {
            let read_back = report.mailboxes.iter().map(|m| m.read_back).sum();
            words::this_check(read_back, &elapsed, lang)
        }
    };
    format!("{equation}\n{now}")
}

fn table(report: &Report, lang: Lang) -> Table {
    let headings = words::headings(lang);
    let last = headings.len() - 1;
    let mut table = Table::new(headings.into_iter().enumerate().map(|(n, heading)| {
        let is_name = n == 0 || n == last;
        (heading, if is_name { Align::Left } else { Align::Right })
    }));
    for mailbox in &report.mailboxes {
        table.row(row(mailbox));
    }
    table
}

fn row(mailbox: &MailboxReport) -> [String; 8] {
    let of = |outcome| mailbox.tally.messages(outcome);
    let shown = |count: u64| match count {
        0 => "-".to_owned(),
        count => figures::count(count),
    };
    [
        mailbox.source.to_string(),
        figures::count(mailbox.scanned),
        shown(of(Outcome::Copied) + of(Outcome::RemovedAtDestination)),
        shown(mailbox.copied_now),
        shown(of(Outcome::AlreadyThere)),
        shown(of(Outcome::Skipped) + of(Outcome::Vanished)),
        shown(mailbox.tally.failures()),
        match mailbox.source == mailbox.destination {
            true => String::new(),
            false => mailbox.destination.to_string(),
        },
    ]
}

/// Grouped by cause: what happened, what to do, and which messages.
fn exceptions(exceptions: &[Exception], run: &str, lang: Lang) -> String {
    let mut groups: BTreeMap<Code, Vec<&Exception>> = BTreeMap::new();
    for exception in exceptions {
        groups
            .entry(exception.fault.code)
            .or_default()
            .push(exception);
    }
    let mut text = words::problems(lang).to_owned();
    for (code, group) in groups {
        let advice = all_words::fault(&group[0].fault, lang);
        let many = words::many(group.len() as u64, lang);
        text += &format!(
            "\n  [{}] {many} {}\n    → {}",
            code.short(),
            advice.cause,
            advice.remedy
        );
        for exception in group.iter().take(SHOWN) {
            text += &format!("\n      {}", name(exception, lang));
        }
        if let Some(rest) = group.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
            text += &format!("\n      {}", words::more(rest as u64, run, lang));
        }
    }
    text
}

/// A message as people recognise it: folder, date, sender, subject, size.
fn name(exception: &Exception, lang: Lang) -> String {
    let mut parts = vec![exception.mailbox.to_string()];
    match (&exception.head, exception.key) {
        (Some(head), _) => {
            let head = Head::read(head);
            parts.extend(head.date);
            parts.extend(head.from);
            let subject = head
                .subject
                .unwrap_or_else(|| words::no_subject(lang).to_owned());
            parts.push(terminal::shorten(&subject, 60).into_owned());
        }
        (None, Some(key)) => parts.push(format!("UID {key}")),
        (None, None) => parts.push(words::whole_mailbox(lang).to_owned()),
    }
    parts.extend(exception.octets.map(|octets| figures::octets(octets, lang)));
    let separator = match lang {
        Lang::Ja => "　",
        Lang::En => "  ",
    };
    let text = parts.join(separator);
    match &exception.fault.said {
        Some(said) => format!("{text}  ({said})"),
        None => text,
    }
}

/// What names a message to a person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) date: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) subject: Option<String>,
}

impl Head {
    /// Decodes header fields in whatever character set they are.
    pub(crate) fn read(octets: &[u8]) -> Self {
        let Some(message) = MessageParser::new()
            .with_minimal_headers()
            .parse_headers(octets)
        else {
            return Self::default();
        };
        let from = message
            .from()
            .and_then(|from| from.first())
            .and_then(|from| {
                let name = from.name().or(from.address())?;
                Some(name.to_owned())
            });
        Self {
            date: message.date().map(|date| {
                let (year, month, day, ..) = InternalDate::utc(date.to_timestamp()).civil();
                format!("{year:04}-{month:02}-{day:02}")
            }),
            from,
            subject: message
                .subject()
                .map(str::to_owned)
                .filter(|s| !s.is_empty()),
        }
    }
}
