//! What the mail comes from: what was named, and what lies on this computer.

use super::super::Context;
use crate::args::LeavePopArgs;
use crate::problem::{Failure, Problem};
use crate::side::{Files, Place, Side};
use hikyaku_archive::{Look, MailStore};
use hikyaku_core::{AccountId, Side as Which};
use hikyaku_text::escape::clean;
use hikyaku_text::leave_pop as text;
use std::path::Path;

/// A source.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) side: Side,
    /// As people write it.
    pub(super) shown: String,
    /// Whether it is a server: those come first.
    pub(super) is_server: bool,
    /// What its part of the backup is called; the same in every run.
    pub(super) name: String,
}

impl Origin {
    fn new(side: Side) -> Self {
        let shown = side.shown();
        let (is_server, front) = match &side.place {
            Place::Imap(server) | Place::Pop3(server) => {
                let (user, host) = (&server.locator.user, &server.locator.host);
                (true, format!("{user}@{host}"))
            }
            Place::Files(files) => (false, format!("{}-{}", files.kind, leaf(&files.path))),
            Place::Backup(backup) => (false, format!("backup-{}", leaf(&backup.directory))),
        };
        let account = side.account().unwrap_or_else(|| AccountId::new(&shown));
        Self {
            name: name_of(&front, &account),
            side,
            shown,
            is_server,
        }
    }
}

/// Sources in the order of work: servers, then what lies on this computer; each once.
pub(super) fn collect(context: &Context, args: &LeavePopArgs) -> Result<Vec<Origin>, Failure> {
    let (config, output) = (&context.config, context.output);
    let mut sides = Vec::new();
    for written in &args.from {
        let options = args.source.options();
        sides.push(Side::resolve(
            Which::Source,
            written,
            options,
            config,
            output,
        )?);
    }
    let found = crate::paths::home().map(|home| hikyaku_archive::find(&home));
    let (mut others, mut outlook) = (Vec::new(), Vec::new());
    for store in found.iter().flatten() {
        if let Ok(Look::Outlook(_)) = store.look {
            outlook.push(store);
        }
        for files in files_of(store) {
            match is_among(&sides, &files) {
                true => {}
                false if args.find => sides.push(Side::files(Which::Source, files)),
                false => others.push(files),
            }
        }
    }
    if sides.is_empty() {
        return Err(Problem::NoSource.into());
    }
    if !output.json {
        let mut lines = Vec::new();
        if !others.is_empty() {
            lines.push(text::also_found(output.lang));
        }
        let others = others.iter();
        lines.extend(others.map(|files| {
            clean(&format!("  {}:{}", files.kind, files.path.display())).into_owned()
        }));
        let outlook = outlook.iter().map(|store| store.path.display().to_string());
        lines.extend(outlook.map(|path| text::outlook(&path, output.lang)));
        lines.iter().for_each(|line| output.note(line));
    }
    let mut origins: Vec<Origin> = Vec::new();
    for origin in sides.into_iter().map(Origin::new) {
        if origins.iter().all(|known| known.name != origin.name) {
            origins.push(origin);
        }
    }
    origins.sort_by_key(|origin| !origin.is_server);
    Ok(origins)
}

/// What can be read of a store.
fn files_of(store: &MailStore) -> Vec<Files> {
    let found = match &store.look {
        Ok(Look::Found(found)) => std::slice::from_ref(found),
        Ok(Look::Several(found)) => found.as_slice(),
        _ => &[],
    };
    let open = |found: &hikyaku_archive::Recognised| Files::open(found.kind, &found.path).ok();
    found.iter().filter_map(open).collect()
}

/// Whether a source has these files already, alone or among others.
fn is_among(sides: &[Side], files: &Files) -> bool {
    sides.iter().any(|side| match &side.place {
        Place::Files(known) => {
            known.path.starts_with(&files.path) || files.path.starts_with(&known.path)
        }
        Place::Imap(_) | Place::Pop3(_) | Place::Backup(_) => false,
    })
}

fn leaf(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Readable, and different for every account.
fn name_of(front: &str, account: &AccountId) -> String {
    const LONGEST: usize = 40;
    let readable = front.chars().take(LONGEST).map(|c| match c {
        c if c.is_alphanumeric() || "-_@.".contains(c) => c,
        _ => '_',
    });
    let digest = blake3::hash(account.as_str().as_bytes()).to_hex();
    format!("{}-{}", readable.collect::<String>(), &digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_a_part_of_the_backup_that_is_its_own() {
        let name = |front: &str, id: &str| name_of(front, &AccountId::new(id));
        let one = name("taro@pop.example.jp", "pop3://taro@pop.example.jp");
        assert!(one.starts_with("taro@pop.example.jp-"), "{one}");
        assert_eq!(
            one,
            name("taro@pop.example.jp", "pop3://taro@pop.example.jp")
        );
        assert_ne!(
            one,
            name("taro@pop.example.jp", "pop3://taro@pop.example.jp:1110")
        );
        let odd = name("mbox-../古い メール\u{202e}", "mbox:///x");
        assert!(odd.starts_with("mbox-.._古い_メール_-"), "{odd}");
        assert!(name(&"x".repeat(300), "mbox:///x").len() < 60);
    }
}
