//! `hikyaku backup`, `hikyaku restore`, and `hikyaku check` of a backup alone.

use super::Context;
use super::copy::{self, Kind};
use super::pair::{self, Sides};
use crate::account::AccountOptions;
use crate::args::{BackupArgs, Reading, RestoreArgs};
use crate::output::told;
use crate::problem::Failure;
use crate::side::{Backup, Place, Side};
use crate::{exit, json, runtime};
use hikyaku_backup::{BackupSource, Checked, Finding, Format};
use hikyaku_core::policy::{Policy, Reserve};
use hikyaku_core::{Fault, Side as Which};
use hikyaku_engine::Stop;
use hikyaku_text::{Count, Lang, Mailboxes, Messages, Size, backup as text};
use hikyaku_view::{BackupView, FaultView, Line};
use std::path::Path;

/// `backup`.
pub(super) fn backup(context: &Context, args: &BackupArgs) -> Result<u8, Failure> {
    let (config, options) = (&context.config, args.source.options());
    let source = Side::resolve(Which::Source, &args.from, options, config, context.output)?;
    let destination = Backup {
        directory: args.directory.clone(),
        format: args.format,
        begins: true,
    };
    let destination = Side::backup(Which::Destination, destination);
    let sides = Sides::of(source, destination, &args.reading)?;
    let policy = Policy {
        // New mail arrives at servers, not on disks.
        reserve: Reserve::Nothing,
        ..pair::policy(context, &args.filters, None, &sides)?
    };
    match args.dry_run {
        true => copy::plan_of(context, &sides, policy),
        false => copy::run(context, &sides, policy, Kind::Backup),
    }
}

/// `restore`.
pub(super) fn restore(context: &Context, args: &RestoreArgs) -> Result<u8, Failure> {
    let source = Backup::at(args.directory.clone());
    // Without one nobody is asked for a password.
    BackupSource::open(&source.directory).map_err(|f| f.on(Which::Source))?;
    let source = Side::backup(Which::Source, source);
    let (config, options) = (&context.config, args.destination.options());
    let destination = Side::resolve(
        Which::Destination,
        &args.to,
        options,
        config,
        context.output,
    )?;
    let sides = Sides::of(source, destination, &Reading::default())?;
    let policy = pair::policy(context, &args.filters, args.under.as_ref(), &sides)?;
    copy::run(context, &sides, policy, Kind::Restore)
}

/// The backup that a text of the command line names, to be compared with its own list.
pub(super) fn named(context: &Context, text: &str) -> Result<Option<Backup>, Failure> {
    let (config, options) = (&context.config, AccountOptions::default());
    let side = Side::resolve(Which::Source, text, options, config, context.output)?;
    Ok(match side.place {
        Place::Backup(backup) => Some(backup),
        Place::Imap(_) | Place::Pop3(_) | Place::Files(_) => None,
    })
}

/// `check` of a backup alone.
pub(super) fn check(context: &Context, backup: &Backup) -> Result<u8, Failure> {
    let (_, is_whole) = check_to_view(context, backup)?;
    Ok(match is_whole {
        true => exit::DONE,
        false => exit::EXCEPTIONS,
    })
}

/// The same; the last line of its JSON, and whether everything is as it was saved.
pub(super) fn check_to_view(context: &Context, backup: &Backup) -> Result<(Line, bool), Failure> {
    let (output, lang) = (context.output, context.output.lang);
    let account = backup.account();
    json::start(output, "check", account.as_ref(), None);
    let directory = backup.directory.clone();
    let work = async move {
        let checking = tokio::task::spawn_blocking(move || {
            let format = BackupSource::open(&directory)?.format();
            let mut tell = |finding: Finding| match output.json {
                true => json::line(output, &as_line(&finding)),
                false => output.note(&sentence(&finding, lang)),
            };
            let checked = hikyaku_backup::check(&directory, &mut tell)?;
            Ok((directory, format, checked))
        });
        let checked = checking.await;
        let checked: Result<_, Fault> =
            checked.unwrap_or_else(|e| Err(Fault::bug(format!("checking a backup: {e}"))));
        let (directory, format, checked) = checked?;
        let line = Line::Backup(view(&directory, format, &checked));
        match output.json {
            true => json::line(output, &line),
            false => output.result(&summary(&directory, format, &checked, lang)),
        }
        Ok((line, checked.is_whole()))
    };
    runtime::block_on(output, Stop::new(), work)
}

fn sentence(finding: &Finding, lang: Lang) -> String {
    match finding {
        Finding::Damaged {
            mailbox: Some(mailbox),
            fault,
        } => text::damaged(mailbox, &fault.detail, lang),
        Finding::Damaged {
            mailbox: None,
            fault,
        } => told(fault, lang).join("\n"),
        Finding::Line {
            mailbox,
            path,
            number,
        } => {
            let number = Count(u64::from(*number));
            text::damaged_line(mailbox, number, &path.display().to_string(), lang)
        }
        Finding::Stranger(path) => text::stranger(&path.display().to_string(), lang),
    }
}

fn as_line(finding: &Finding) -> Line {
    match finding {
        Finding::Damaged { fault, .. } => Line::Fault(FaultView::from(fault)),
        Finding::Line {
            mailbox,
            path,
            number,
        } => Line::BackupLine {
            mailbox: mailbox.to_string(),
            file: path.display().to_string(),
            line: *number,
        },
        Finding::Stranger(path) => Line::BackupStranger {
            file: path.display().to_string(),
        },
    }
}

fn summary(directory: &Path, format: Format, checked: &Checked, lang: Lang) -> String {
    let mut lines = vec![whether_whole(&view(directory, format, checked), lang)];
    if format != Format::Mbox {
        lines.push(text::sums(&quoted(directory), lang));
    }
    lines.join("\n")
}

/// Whether a backup is as it was saved.
pub(super) fn whether_whole(checked: &BackupView, lang: Lang) -> String {
    let (messages, size) = (Messages(checked.messages), Size(checked.octets));
    if checked.whole {
        return text::whole(messages, size, Mailboxes(checked.folders), lang);
    }
    let mut lines = vec![match checked.damaged {
        0 => text::as_saved(messages, size, lang),
        damaged => text::not_whole(messages, size, Messages(damaged), lang),
    }];
    if checked.damaged_lines > 0 {
        lines.push(text::lists_damaged(Count(checked.damaged_lines), lang));
    }
    lines.join("\n")
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/-._~+=,:@".contains(c);
    match !text.is_empty() && !text.starts_with(['-', '~']) && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn view(directory: &Path, format: Format, checked: &Checked) -> BackupView {
    BackupView {
        directory: directory.display().to_string(),
        format: format.as_str().to_owned(),
        whole: checked.is_whole(),
        folders: checked.folders,
        messages: checked.messages,
        octets: checked.octets,
        damaged: checked.damaged,
        damaged_lines: checked.damaged_lines,
        strangers: checked.strangers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_can_be_pasted_into_a_shell() {
        for (path, written) in [
            ("/home/taro/backup", "/home/taro/backup"),
            ("/media/外付け/backup", "/media/外付け/backup"),
            ("my backup", "'my backup'"),
            ("taro's $(rm)", "'taro'\\''s $(rm)'"),
            ("-x", "'-x'"),
        ] {
            assert_eq!(quoted(Path::new(path)), written);
        }
    }
}
