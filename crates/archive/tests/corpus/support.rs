//! Reading an archive to its end, and comparing it with a golden file.

use futures::StreamExt;
use hikyaku_archive::{Archive, ArchiveSource, Kind, Options};
use hikyaku_core::traits::{Facts, Source};
use hikyaku_core::{Body, Role};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// 2025-01-01: what "now" is for these tests. Files of the corpus are younger, so that
/// their times, which no copy keeps, are never taken for a date.
pub(crate) const NOW: i64 = 1_735_689_600;

/// A part of the corpus, or the project's own sample of the same name; says SKIPPED where
/// neither is there.
pub(crate) fn corpus(part: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = match std::env::var_os("HIKYAKU_CORPUS") {
        Some(root) => PathBuf::from(root),
        None => here.join("../../../shared/corpus"),
    };
    let known = [root.join(part), here.join("tests/samples").join(part)];
    let found = known.into_iter().find(|path| path.exists());
    if found.is_none() {
        skipped(part);
    }
    found
}

#[allow(clippy::print_stderr)]
fn skipped(part: &str) {
    eprintln!("SKIPPED: there is no corpus here with {part} (HIKYAKU_CORPUS)");
}

/// Unpacks a tar of the corpus.
pub(crate) fn unpacked(part: &str) -> Option<tempfile::TempDir> {
    let tar = corpus(part)?;
    let dir = tempfile::tempdir().unwrap();
    let done = std::process::Command::new("tar")
        .arg("-xf")
        .arg(&tar)
        .arg("-C")
        .arg(dir.path())
        .status()
        .unwrap();
    assert!(done.success());
    Some(dir)
}

/// One folder, read to its end.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    pub(crate) messages: Vec<Message>,
    /// What was named as unreadable, by code and detail.
    pub(crate) faults: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) flags: String,
    pub(crate) date: String,
    /// The same moment in UTC seconds.
    pub(crate) seconds: Option<i64>,
    pub(crate) octets: Vec<u8>,
}

pub(crate) fn options() -> Options {
    Options {
        now: NOW,
        ..Options::default()
    }
}

pub(crate) fn open(kind: Kind, path: &Path) -> ArchiveSource {
    Archive::open(kind, path, options()).unwrap_or_else(|fault| panic!("{path:?}: {fault}"))
}

/// Reads everything: twice, so that listing and reading agree.
pub(crate) async fn read(kind: Kind, path: &Path) -> Vec<Read> {
    read_source(&open(kind, path)).await
}

pub(crate) async fn read_source(source: &ArchiveSource) -> Vec<Read> {
    let mut out = Vec::new();
    for mailbox in source.mailboxes().await.unwrap() {
        let name = mailbox.name.to_string();
        let role = mailbox.role;
        let mut folder = Read {
            name,
            role,
            messages: Vec::new(),
            faults: Vec::new(),
        };
        if mailbox.selectable {
            read_folder(source, &mailbox, &mut folder).await;
        }
        out.push(folder);
    }
    out
}

async fn read_folder(
    source: &ArchiveSource,
    mailbox: &hikyaku_core::MailboxInfo,
    folder: &mut Read,
) {
    let mut reader = match source.open(mailbox).await {
        Ok(reader) => reader,
        Err(fault) => {
            folder.faults.push(fault.to_string());
            return;
        }
    };
    let keys = reader.keys().await.unwrap();
    assert_eq!(
        mailbox.state.unwrap().messages,
        keys.len(),
        "{}",
        folder.name
    );
    let facts = Facts {
        flags: true,
        date: true,
        octets: true,
        head: false,
    };
    let listed: Vec<_> = reader.list(&keys, facts).collect().await;
    let listed: Vec<_> = listed.into_iter().filter_map(Result::ok).collect();
    let mut letters = reader.read(&keys);
    let mut told = 0;
    while let Some(letter) = letters.next().await {
        told += 1;
        let letter = match letter {
            Ok(letter) => letter,
            Err(fault) => {
                folder.faults.push(fault.to_string());
                continue;
            }
        };
        let octets = match letter.body {
            Body::Held(octets) => octets.to_vec(),
            Body::Streamed { octets, mut chunks } => {
                let mut all = Vec::new();
                let mut broken = None;
                while let Some(chunk) = chunks.next().await {
                    match chunk {
                        Ok(chunk) => all.extend(chunk),
                        Err(fault) => broken = Some(fault),
                    }
                }
                if let Some(fault) = broken {
                    folder.faults.push(fault.to_string());
                    continue;
                }
                assert_eq!(octets, all.len() as u64);
                all
            }
        };
        let text = String::from_utf8_lossy(&octets).replace("\r\n", "");
        assert!(!text.contains('\n'), "a bare LF");
        let same = listed.iter().find(|l| l.key == letter.key).unwrap();
        assert_eq!(same.flags.as_ref(), Some(&letter.flags));
        assert_eq!(same.date, letter.date);
        folder.messages.push(Message {
            flags: letter.flags.to_string(),
            date: letter
                .date
                .map_or_else(|| "-".to_owned(), |d| d.to_string()),
            seconds: letter.date.map(|d| d.seconds),
            octets,
        });
    }
    assert_eq!(told, keys.len(), "every key has one outcome");
}

/// Names and numbers of messages.
pub(crate) fn counts(folders: &[Read]) -> Vec<(&str, usize)> {
    let count = |f: &'_ Read| f.messages.len();
    folders
        .iter()
        .map(|f| (f.name.as_str(), count(f)))
        .collect()
}

/// With CRLF where LF ends a line, independently of the code under test.
pub(crate) fn crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0;
    for octet in octets {
        if *octet == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(*octet);
        last = *octet;
    }
    out
}

/// Compares with `golden/NAME.txt`: a line per message with flags, date, length and the
/// beginning of the content's BLAKE3. `HIKYAKU_GOLDEN=write` writes the files anew.
pub(crate) fn golden(name: &str, root: &Path, folders: &[Read]) {
    let mut text = String::new();
    let root = root.display().to_string();
    for folder in folders {
        let role = folder
            .role
            .map_or_else(String::new, |r| format!(" [{r:?}]"));
        writeln!(text, "{}{role}", folder.name).unwrap();
        for message in &folder.messages {
            let hash = blake3::hash(&message.octets).to_hex();
            writeln!(
                text,
                "  {} {} {} ({})",
                message.date,
                message.octets.len(),
                &hash[..16],
                message.flags
            )
            .unwrap();
        }
        for fault in &folder.faults {
            writeln!(text, "  ! {}", fault.replace(&root, "…")).unwrap();
        }
    }
    golden_text(name, &text);
}

/// Compares a text with `golden/NAME.txt`, as [`golden`].
pub(crate) fn golden_text(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("HIKYAKU_GOLDEN").is_some_and(|v| v == "write") {
        std::fs::write(&file, text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{}", file.display());
}
