//! Mail on this computer as one side: what it is, and as which account the ledger knows it.

use crate::output::Output;
use hikyaku_archive::{Kind, Look, Program, Recognised, look, recognise};
use hikyaku_backup::{BackupSource, Format};
use hikyaku_core::{AccountId, Code, Fault, Reach, Remedy, Side};
use hikyaku_text::escape::percent;
use hikyaku_text::{Lang, Mailboxes, Messages, Size, archive};
use hikyaku_view::{FoundView, Line, RecognisedView};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Mail in files.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// In which format.
    pub(crate) kind: Kind,
    /// Where; absolute, without links.
    pub(crate) path: PathBuf,
    /// What was found there, where nobody named the kind.
    found: Option<Recognised>,
}

/// A backup in a directory.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    /// Where.
    pub(crate) directory: PathBuf,
    /// In which format one is begun; as it is, or the usual one.
    pub(crate) format: Option<Format>,
    /// Whether one is begun where none is.
    pub(crate) begins: bool,
}

impl Files {
    /// Mail of a kind that somebody named.
    pub(crate) fn open(kind: Kind, path: &Path) -> Result<Self, Fault> {
        let path = path.canonicalize().map_err(|e| {
            let (code, detail) = (Code::ArchiveMissing, e.to_string());
            Fault::new(code, Reach::Job, Remedy::AskUser, detail)
                .on(Side::Source)
                .server(path.display().to_string())
        })?;
        Ok(Self {
            kind,
            path,
            found: None,
        })
    }

    /// Looks what lies at a path; says what was found.
    pub(crate) fn recognise(path: &Path, output: Output) -> Result<Self, Fault> {
        let placed = |fault: Fault| fault.on(Side::Source);
        let found = look(path).map_err(placed)?;
        if !output.json {
            output.note(&told(&found, output.lang).join("\n"));
        }
        let found = match found {
            Look::Found(found) => found,
            // The same look once more; it knows how to say why this is no archive.
            _ => recognise(path).map_err(placed)?,
        };
        Ok(Self {
            found: Some(found.clone()),
            ..Self::open(found.kind, path)?
        })
    }

    /// What was recognised, as a line of JSON.
    pub(super) fn tell_found(&self, output: Output) {
        if let Some(found) = &self.found {
            let view = RecognisedView {
                path: self.path.display().to_string(),
                found: found_view(found),
            };
            crate::json::line(output, &Line::Recognised(view));
        }
    }

    /// The kind and the path: a second run finds what the first one left in the ledger, from
    /// wherever it is started and however the path is written.
    pub(crate) fn account(&self) -> AccountId {
        let mut id = format!("{}://", self.kind);
        let octets = self.path.as_os_str().as_encoded_bytes();
        let stands = |c: char| c.is_ascii_alphanumeric() || "/-._~+=,:@".contains(c);
        for chunk in octets.utf8_chunks() {
            let text = match cfg!(windows) {
                true => chunk.valid().replace('\\', "/"),
                false => chunk.valid().to_owned(),
            };
            id += &percent(&text, stands);
            for octet in chunk.invalid() {
                // Writing to a String cannot fail.
                write!(id, "%{octet:02X}").ok();
            }
        }
        AccountId::new(id)
    }
}

impl Backup {
    /// The backup that is in a directory.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self {
            directory,
            format: None,
            begins: false,
        }
    }

    /// Whether mail in files lies in this directory, or this directory among the mail.
    pub(crate) fn is_among(&self, files: &Files) -> bool {
        let there = std::path::absolute(&self.directory).unwrap_or_else(|_| self.directory.clone());
        // The directory need not be there yet: what is there of its path is followed through links.
        let known = there
            .ancestors()
            .find_map(|known| Some((known, known.canonicalize().ok()?)));
        let directory = match known {
            Some((known, canonical)) => canonical.join(there.strip_prefix(known).unwrap_or(&there)),
            None => there.clone(),
        };
        directory.starts_with(&files.path) || files.path.starts_with(&directory)
    }

    /// The name that the backup has of itself; `None` where there is none yet.
    pub(crate) fn account(&self) -> Option<AccountId> {
        let backup = BackupSource::open(&self.directory).ok()?;
        Some(backup.account())
    }
}

/// What was found, as an object.
pub(crate) fn found_view(found: &Recognised) -> FoundView {
    FoundView {
        kind: found.kind.scheme().to_owned(),
        folders: found.folders,
        messages: found.messages,
        exact: found.is_exact,
        octets: found.octets,
    }
}

/// A mail program as the JSON and `hikyaku-text` name it.
pub(crate) fn name_of(program: Program) -> &'static str {
    match program {
        Program::Thunderbird => "thunderbird",
        Program::AppleMail => "applemail",
        Program::Outlook => "outlook",
        Program::WindowsLiveMail => "wlm",
        Program::WindowsMail => "windowsmail",
        Program::OutlookExpress => "dbx",
        Program::Becky => "becky",
        Program::Evolution => "evolution",
        Program::Kmail => "kmail",
        Program::Plain => "plain",
    }
}

/// What was found at a path, in sentences.
pub(crate) fn told(found: &Look, lang: Lang) -> Vec<String> {
    match found {
        Look::Found(found) => vec![counted(found, lang)],
        Look::Several(kinds) => {
            let line = |one: &Recognised| {
                let written = format!("{}:{}", one.kind, one.path.display());
                let kind = archive::kind(one.kind.scheme(), lang);
                archive::several_line(&written, kind, Messages(one.messages), lang)
            };
            let mut lines = vec![archive::several(lang)];
            lines.extend(kinds.iter().map(line));
            lines
        }
        Look::Outlook(files) => vec![archive::outlook(hikyaku_text::Count(*files), lang)],
        Look::Compressed => vec![archive::compressed(lang)],
        Look::Nothing { files: 0, .. } => vec![archive::empty(lang)],
        Look::Nothing { files, endings } => {
            let comma = match lang {
                Lang::Ja => "、",
                Lang::En => ", ",
            };
            let endings = endings.join(comma);
            vec![archive::nothing(
                hikyaku_text::Count(*files),
                &endings,
                lang,
            )]
        }
    }
}

fn counted(found: &Recognised, lang: Lang) -> String {
    let kind = archive::kind(found.kind.scheme(), lang);
    let (folders, messages) = (Mailboxes(found.folders), Messages(found.messages));
    let say = match found.is_exact {
        true => archive::found,
        false => archive::found_about,
    };
    say(kind, folders, messages, Size(found.octets), lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_archive_is_one_account_however_its_path_is_written() {
        let home = tempfile::tempdir().expect("a directory");
        let inside = home.path().join("古い メール");
        std::fs::create_dir(&inside).expect("a directory");
        std::fs::write(inside.join("a%b"), "From x\n").expect("a file");
        let straight = Files::open(Kind::Mbox, &inside.join("a%b")).expect("there");
        let crooked = inside.join("..").join("古い メール").join("a%b");
        let crooked = Files::open(Kind::Mbox, &crooked).expect("there");
        assert_eq!(straight.account(), crooked.account());
        let id = straight.account();
        assert!(id.as_str().starts_with("mbox:///"), "{id}");
        assert!(id.as_str().ends_with("/古い%20メール/a%25b"), "{id}");
        let missing = Files::open(Kind::Mbox, &inside.join("c")).expect_err("not there");
        assert_eq!(missing.code, Code::ArchiveMissing);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let account = |name: &[u8]| {
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(name));
            let kind = Kind::Maildir;
            let found = None;
            Files { kind, path, found }.account()
        };
        assert_eq!(account(b"/a\xff\xe3").as_str(), "maildir:///a%FF%E3");
        assert_ne!(account(b"/a\xff"), account("/a\u{fffd}".as_bytes()));
    }
}
