//! The report as text: whether everything is accounted for, what became of each
//! mailbox, what went wrong and what to do about it.

use crate::output;
use crate::terminal::{self, Align, Table};
use crate::words;
use hikyaku_core::report::{Exception, MailboxReport, Outcome, Report};
use hikyaku_core::{Code, Key};
use hikyaku_text::escape::clean;
use hikyaku_text::{Count, Lang, Messages, Show, Size, report as text};
use hikyaku_view::{Connected, Heading};
use std::collections::BTreeMap;

/// What the run was for: what to do next differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Copying from server to server.
    Copy,
    /// Copying from files or a backup.
    FromFiles,
    /// Copying into a backup.
    Backup,
    /// Comparing only.
    Check,
}

impl Kind {
    /// From the run's word and accounts, as the ledger keeps them.
    pub(crate) fn of(word: &str, source: &str, destination: &str) -> Self {
        let is_server = ["imap://", "pop3://"]
            .iter()
            .any(|scheme| source.starts_with(scheme));
        match word {
            "check" => Self::Check,
            _ if destination.starts_with("backup:") => Self::Backup,
            _ if is_server => Self::Copy,
            _ => Self::FromFiles,
        }
    }
}

/// Messages of one cause that are shown by name here; files hold all.
const SHOWN: usize = 20;

/// Widest subject that is shown whole.
const SUBJECT: usize = 60;

/// The whole report. `run` is the name by which it can be looked up.
pub(crate) fn report(
    report: &Report,
    servers: &[Connected],
    kind: Kind,
    run: Option<&str>,
    lang: Lang,
) -> String {
    let mut summary = text::summary(report, lang);
    let tally = report.tally();
    if kind == Kind::FromFiles && tally.messages(Outcome::AlreadyThere) > 0 {
        let only_here = Messages(tally.messages(Outcome::Copied));
        summary.push(hikyaku_text::archive::only_here(only_here, lang));
    }
    let mut parts = vec![summary.join("\n")];
    if !report.mailboxes.is_empty() {
        parts.push(table(report, lang).to_string().trim_end().to_owned());
    }
    if !report.exceptions.is_empty() {
        parts.push(exceptions(&report.exceptions, lang));
    }
    let replaced = hikyaku_text::undo::replaced(&report.replaced, lang);
    if !replaced.is_empty() {
        parts.push(replaced.join("\n"));
    }
    parts.extend(super::undo::kept(&report.kept, lang));
    let notes = report.notes.iter().map(|note| text::note(note, lang));
    let pinned = servers.iter().filter_map(|server| pinned(server, lang));
    let notes: Vec<String> = notes.chain(pinned).map(|n| format!("  {n}")).collect();
    if !notes.is_empty() {
        parts.push(format!(
            "{}\n{}",
            text::notes_follow(lang),
            notes.join("\n")
        ));
    }
    let mut end = Vec::new();
    match kind {
        Kind::Copy if report.is_complete() => end.push(words::after_the_switch(lang).to_owned()),
        Kind::Copy => end.push(hikyaku_text::run::source_untouched(lang)),
        Kind::FromFiles => {
            end.push(hikyaku_text::run::source_untouched(lang));
            end.push(hikyaku_text::archive::again(lang));
        }
        Kind::Backup => {
            end.push(hikyaku_text::run::source_untouched(lang));
            end.push(hikyaku_text::backup::again(lang));
        }
        Kind::Check => {}
    }
    end.extend(run.map(|run| words::run_name(run, lang)));
    if !end.is_empty() {
        parts.push(end.join("\n"));
    }
    let text = parts.join("\n\n");
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// The way around the checks of certificates, where somebody took it.
fn pinned(server: &Connected, lang: Lang) -> Option<String> {
    let side = hikyaku_view::side(&server.side)?;
    let fingerprint = server.certificate.as_deref().filter(|_| server.pinned)?;
    Some(text::pinned(side, &server.server, fingerprint, lang))
}

fn table(report: &Report, lang: Lang) -> Table {
    let align = [
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    let mut table = Table::new(text::mailbox_headings(lang).into_iter().zip(align));
    for mailbox in &report.mailboxes {
        table.row(row(mailbox, lang));
    }
    table
}

/// Source, destination, seen, copied now, there before, not copied.
fn row(mailbox: &MailboxReport, lang: Lang) -> [String; 6] {
    let of = |outcome| mailbox.tally.messages(outcome);
    let there = of(Outcome::Copied) + of(Outcome::AlreadyThere) + of(Outcome::RemovedAtDestination);
    let not_copied = of(Outcome::Skipped) + of(Outcome::Vanished) + mailbox.tally.failures();
    [
        mailbox.source.show(lang),
        mailbox.destination.show(lang),
        Count(mailbox.scanned).show(lang),
        Count(mailbox.copied_now).show(lang),
        Count(there.saturating_sub(mailbox.copied_now)).show(lang),
        Count(not_copied).show(lang),
    ]
}

/// Grouped by cause: what happened, what to do, and which messages.
fn exceptions(exceptions: &[Exception], lang: Lang) -> String {
    let mut groups: BTreeMap<Code, Vec<&Exception>> = BTreeMap::new();
    for exception in exceptions {
        groups
            .entry(exception.fault.code)
            .or_default()
            .push(exception);
    }
    let mut lines = vec![text::exceptions_follow(
        Count(exceptions.len() as u64),
        lang,
    )];
    for group in groups.values() {
        // The place differs from message to message and stands beside each.
        let mut fault = group[0].fault.clone();
        fault.at.mailbox = None;
        fault.at.message = None;
        fault.at.file = None;
        fault.said = None;
        fault.detail.clear();
        let told = output::told(&fault, lang);
        lines.extend(told.into_iter().map(|line| format!("  {line}")));
        for exception in group.iter().take(SHOWN) {
            lines.push(format!("      {}", name(exception, lang)));
        }
        if let Some(rest) = group.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
            lines.push(format!(
                "      {}",
                text::exceptions_more(Count(rest as u64), lang)
            ));
        }
    }
    lines.join("\n")
}

/// A message as people recognise it: folder, date, sender, subject, the file of an archive,
/// size; then what the server said about it.
fn name(exception: &Exception, lang: Lang) -> String {
    let mut parts = vec![exception.mailbox.show(lang)];
    let lacks_room = exception.fault.code == Code::QuotaReserve;
    let file = exception.fault.at.file.as_deref();
    match (&exception.head, exception.key) {
        (Some(head), _) => {
            let heading = Heading::of(head);
            parts.extend(heading.date);
            parts.extend(heading.from);
            let subject = heading.subject.unwrap_or_else(|| text::no_subject(lang));
            parts.push(terminal::shorten(&subject, SUBJECT).into_owned());
        }
        (None, Some(_)) if file.is_some() => {}
        (None, Some(key)) => parts.push(format!("UID {key}")),
        (None, None) if lacks_room => parts.push(text::without_room(lang)),
        (None, None) => parts.push(text::whole_mailbox(lang)),
    }
    parts.extend(file.map(str::to_owned));
    parts.extend(exception.octets.map(|octets| Size(octets).show(lang)));
    let line = parts.join("  ");
    let detail = without_place(&exception.fault.detail, file);
    match &exception.fault.said {
        Some(said) => format!("{line}  ({said})"),
        // Its detail says the same in English.
        None if lacks_room || detail.is_empty() => line,
        None => format!("{line}  ({detail})"),
    }
}

/// A detail whose place stands beside it already.
fn without_place<'a>(detail: &'a str, file: Option<&str>) -> &'a str {
    let reason = file.and_then(|file| detail.strip_prefix(file)?.strip_prefix(": "));
    reason.unwrap_or(detail)
}

/// The subject of a message, or what else it can be called.
pub(super) fn subject(head: Option<&[u8]>, key: Key, lang: Lang) -> String {
    let Some(head) = head else {
        return format!("UID {key}");
    };
    let subject = Heading::of(head).subject;
    let subject = subject.unwrap_or_else(|| text::no_subject(lang));
    terminal::shorten(&subject, SUBJECT).into_owned()
}

#[cfg(test)]
mod tests;
