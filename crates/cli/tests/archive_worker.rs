//! The real program as the process that reads an archive: what it hands out, and what becomes of one that dies.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use futures::StreamExt;
use hikyaku_cell::{Allowance, Archive, Cell, Program, Spawn};
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Fault, Reach};
use hikyaku_testkit::contract::{self, Held, Message};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn program() -> Arc<Program> {
    Arc::new(Program {
        path: env!("CARGO_BIN_EXE_hikyaku").into(),
        arguments: vec!["archive-worker".into()],
    })
}

fn archive(directory: &Path, memory: u64) -> Archive {
    Archive {
        directory: directory.to_owned(),
        file: "hikyaku-upload.mbox".to_owned(),
        title: "a.mbox".to_owned(),
        folder: Some(("hikyaku-upload".to_owned(), "a".to_owned())),
        kind: "mbox".to_owned(),
        now: 1_795_320_000,
        most_unpacked: 1 << 30,
        read: None,
        allowance: Allowance {
            memory,
            seconds: 60,
            file: 1 << 30,
        },
        patience: Duration::from_secs(60),
    }
}

fn mbox(directory: &Path) -> Vec<Held> {
    let (mut file, mut messages) = (String::new(), Vec::new());
    for n in 1..=50_i64 {
        let body = "text\n".repeat(if n == 30 { 2_000_000 } else { 3 });
        let head = format!("From: a@example.jp\nMessage-ID: <{n}@example.jp>\nSubject: {n}\n");
        file += &format!(
            "From a@example.jp Mon Nov  2 00:00:{n:02} 2026\n{head}Status: RO\n\n{body}\n"
        );
        let octets = format!("{head}\n{body}").replace('\n', "\r\n");
        messages.push(Message::new("\\Seen", 1_793_577_600 + n, octets));
    }
    fs::write(directory.join("hikyaku-upload.mbox"), file).unwrap();
    vec![Held::new("a", messages)]
}

#[tokio::test]
async fn the_program_reads_an_archive_for_itself_as_any_source_is_read() {
    let home = tempfile::tempdir().unwrap();
    let expected = mbox(home.path());
    let cell = Cell::open(program(), archive(home.path(), 1 << 30));
    let cell = cell.await.unwrap();
    contract::source(&cell, &expected).await;
    cell.close().await;
}

#[tokio::test]
async fn a_process_with_too_little_memory_ends_and_the_archive_is_named() {
    let home = tempfile::tempdir().unwrap();
    mbox(home.path());
    // Not enough to begin with.
    let refused = Cell::open(program(), archive(home.path(), 8 << 20)).await;
    let fault: Fault = refused.err().unwrap();
    assert_eq!(
        (fault.code, fault.reach, fault.at.server.as_deref()),
        (Code::ArchiveDamaged, Reach::Job, Some("a.mbox"))
    );
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_is_followed_by_another() {
    use rustix::process::{Pid, Signal, kill_process};
    let home = tempfile::tempdir().unwrap();
    let expected = mbox(home.path());
    let cell = Cell::open(program(), archive(home.path(), 1 << 30));
    let cell = cell.await.unwrap();
    let info = cell.mailboxes().await.unwrap().remove(0);
    let mut reader = cell.open(&info).await.unwrap();
    let keys = reader.keys().await.unwrap();
    let (mut read, mut rest) = (Vec::new(), keys);
    let mut broken = 0;
    while !rest.is_empty() {
        let asked = rest.clone();
        let mut flow = reader.read(&asked);
        while let Some(letter) = flow.next().await {
            let letter = letter.unwrap();
            let seconds = letter.date.map(|date| date.seconds);
            let octets = match contract::octets(letter.body).await {
                Ok(octets) => octets,
                // The long one was on its way: it is asked for again.
                Err(fault) => {
                    assert!(fault.is_temporary(), "{fault:?}");
                    broken += 1;
                    break;
                }
            };
            rest.remove(letter.key);
            read.push(Message {
                flags: letter.flags,
                seconds,
                octets,
            });
            if read.len() == 5 {
                // Its directory is its own.
                let child = children_in(home.path()).pop().unwrap();
                kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
            }
        }
    }
    assert_eq!(broken, 1);
    assert_eq!(read, expected[0].messages, "all of them, each once");
}

/// Processes that work in this directory.
fn children_in(directory: &Path) -> Vec<i32> {
    let directory = directory.canonicalize().unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let id = entry.file_name().to_str()?.parse().ok()?;
        let here = fs::read_link(entry.path().join("cwd")).ok()?;
        (here == directory).then_some(id)
    });
    all.collect()
}

#[tokio::test]
async fn a_process_knows_nothing_of_the_one_that_began_it() {
    let home = tempfile::tempdir().unwrap();
    mbox(home.path());
    let allowance = archive(home.path(), 1 << 30).allowance;
    let link = program().spawn(home.path(), allowance).unwrap();
    let child = children_in(home.path()).pop().unwrap();
    let about = |what: &str| fs::read_to_string(format!("/proc/{child}/{what}")).unwrap();
    // Until it has begun it is a copy of this one.
    while !about("cmdline").contains("archive-worker") {
        std::thread::yield_now();
    }
    let expected = format!("MALLOC_ARENA_MAX=2\0TMPDIR={}\0", home.path().display());
    assert_eq!(about("environ"), expected);
    drop(link);
}
