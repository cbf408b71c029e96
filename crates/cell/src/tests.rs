//! Parent and child over pipes in this process, with a stage manager between them who lets children die.

use crate::wire::{self, Answer, Ask, SawWire};
use crate::{Allowance, Archive, Cell, Link, Spawn, serve};
use futures::StreamExt;
use hikyaku_core::traits::{Reader, Source};
use hikyaku_core::{Code, Fault, Key, KeySet, MailboxName, Reach, Remedy};
use hikyaku_testkit::contract::{self, Held, Message};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{duplex, split};

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    /// The child ends.
    Ends,
    /// It answers something that was not asked.
    Raves,
    /// It says nothing for ever.
    Hangs,
}

/// Decides by the number of the child and the question whether the child dies of it.
type Script = dyn Fn(u32, &Ask) -> Option<Death> + Send + Sync;

/// Children in this process.
struct Stage {
    script: Arc<Script>,
    children: AtomicU32,
    asked: Arc<Mutex<Vec<(u32, Ask)>>>,
    directory: Mutex<Option<std::path::PathBuf>>,
}

impl Stage {
    fn new(script: impl Fn(u32, &Ask) -> Option<Death> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Arc::new(script),
            children: AtomicU32::new(0),
            asked: Arc::default(),
            directory: Mutex::default(),
        })
    }

    fn children(&self) -> u32 {
        self.children.load(Ordering::SeqCst)
    }
}

impl Spawn for Stage {
    fn spawn(&self, directory: &Path, _: Allowance) -> io::Result<Link> {
        let child = self.children.fetch_add(1, Ordering::SeqCst) + 1;
        *self.directory.lock().expect("no panic") = Some(directory.to_owned());
        let (parent, manager) = duplex(1 << 16);
        let (stage, actor) = duplex(1 << 16);
        let (from, to) = split(actor);
        tokio::spawn(serve(from, to));
        let (script, asked) = (self.script.clone(), self.asked.clone());
        let directory = directory.to_owned();
        tokio::spawn(async move {
            let (mut from, mut to) = split(manager);
            let (mut answers, mut asks) = split(stage);
            while let Ok(Some((ask, _))) = wire::read::<Ask>(&mut from).await {
                asked.lock().expect("no panic").push((child, ask.clone()));
                match script(child, &ask) {
                    None => {}
                    Some(Death::Ends) => return,
                    Some(Death::Raves) => {
                        wire::write(&mut to, &Answer::Piece, b"?").await.ok();
                        return;
                    }
                    Some(Death::Hangs) => std::future::pending().await,
                }
                // This process is not in the directory of the archive.
                let ask = there(ask, &directory);
                wire::write(&mut asks, &ask, &[]).await.expect("asked");
                let answered = wire::read::<Answer>(&mut answers).await;
                let Ok(Some((answer, raw))) = answered else {
                    return;
                };
                if wire::write(&mut to, &answer, &raw).await.is_err() {
                    return;
                }
            }
        });
        let (from, to) = split(parent);
        Ok(Link::of(from, to))
    }
}

fn there(ask: Ask, directory: &Path) -> Ask {
    let at = |path: String| directory.join(path).display().to_string();
    match ask {
        Ask::Look { path } => Ask::Look { path: at(path) },
        Ask::Open {
            kind,
            path,
            spool,
            now,
            most_unpacked,
            read,
        } => Ask::Open {
            kind,
            path: at(path),
            spool: at(spool),
            now,
            most_unpacked,
            read,
        },
        other => other,
    }
}

const NOW: i64 = 1_795_320_000;

fn archive(directory: &Path) -> Archive {
    Archive {
        directory: directory.to_owned(),
        file: "hikyaku-upload.mbox".to_owned(),
        title: "古いメール.mbox".to_owned(),
        folder: Some(("hikyaku-upload".to_owned(), "古いメール".to_owned())),
        kind: "mbox".to_owned(),
        now: NOW,
        most_unpacked: 1 << 30,
        read: None,
        allowance: Allowance {
            memory: 1 << 30,
            seconds: 60,
            file: 1 << 30,
        },
        patience: Duration::from_secs(600),
    }
}

/// Message `n`: every seventh is long enough to come piece by piece.
fn text(n: u64) -> String {
    let body = match n % 7 {
        0 => "0123456789abcdef\n".repeat(400_000),
        _ => format!("This is message {n}.\n"),
    };
    format!(
        "From: a@example.jp\nDate: Mon, 02 Nov 2026 09:00:{n:02} +0900\nMessage-ID: <{n}@example.jp>\nSubject: {n}\nStatus: RO\n\n{body}"
    )
}

/// An mbox of so many messages, and what it holds.
fn mbox(directory: &Path, count: u64) -> Vec<Held> {
    let mut file = String::new();
    let mut messages = Vec::new();
    for n in 1..=count {
        file += &format!(
            "From a@example.jp Mon Nov  2 00:00:{n:02} 2026\n{}\n",
            text(n)
        );
        let octets = text(n).replace("Status: RO\n", "").replace('\n', "\r\n");
        let seconds = 1_793_577_600 + i64::try_from(n).expect("small");
        messages.push(Message::new("\\Seen", seconds, octets));
    }
    std::fs::write(directory.join("hikyaku-upload.mbox"), file).expect("an archive");
    vec![Held::new("古いメール", messages)]
}

async fn opened(stage: &Arc<Stage>, directory: &Path) -> Cell {
    let opened = Cell::open(stage.clone(), archive(directory)).await;
    opened.expect("an archive")
}

async fn folder(cell: &Cell) -> Box<dyn Reader> {
    let info = cell.mailboxes().await.expect("folders").remove(0);
    cell.open(&info).await.expect("a folder")
}

/// Keys that came, and faults, in order; every body is read.
async fn all(reader: &mut dyn Reader) -> Vec<Result<Key, Fault>> {
    let keys = reader.keys().await.expect("keys");
    let mut flow = reader.read(&keys);
    let mut came = Vec::new();
    while let Some(letter) = flow.next().await {
        came.push(match letter {
            Ok(letter) => {
                let key = letter.key;
                contract::octets(letter.body).await.map(|_| key)
            }
            Err(fault) => Err(fault),
        });
    }
    came
}

#[tokio::test]
async fn an_archive_in_a_child_keeps_the_contract_of_all_sources() {
    let home = tempfile::tempdir().expect("a directory");
    let expected = mbox(home.path(), 20);
    let stage = Stage::new(|_, _| None);
    let cell = opened(&stage, home.path()).await;
    contract::source(&cell, &expected).await;
    assert_eq!(stage.children(), 1, "one child does it");
    cell.close().await;
    let left: Vec<_> = std::fs::read_dir(home.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["hikyaku-upload.mbox"], "what was unpacked is gone");
}

#[tokio::test]
async fn what_lies_there_is_seen_by_a_child() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 20);
    let stage = Stage::new(|child, _| (child == 1).then_some(Death::Ends));
    let saw = Cell::look(&*stage, &archive(home.path())).await;
    let SawWire::Found(found) = saw.expect("seen") else {
        panic!("an mbox");
    };
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind.as_str(), found[0].folders), ("mbox", 1));
    let stage = Stage::new(|_, _| Some(Death::Ends));
    let fault = Cell::look(&*stage, &archive(home.path())).await;
    let fault = fault.expect_err("nobody survives it");
    assert_eq!(
        (fault.code, fault.reach, fault.remedy, stage.children()),
        (Code::ArchiveDamaged, Reach::Job, Remedy::AskUser, 2)
    );
    assert_eq!(fault.at.server.as_deref(), Some("古いメール.mbox"));
}

/// A child that ends at any question, in any way, once: the next one goes on, and nothing is missing or twice.
#[tokio::test]
async fn a_death_at_any_question_costs_nothing() {
    dies_of_each(20, &[Death::Ends, Death::Raves]).await;
}

/// The same with one that says nothing any more. Few and short messages: time stands still while a thread works.
#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_at_any_question_costs_nothing() {
    dies_of_each(6, &[Death::Hangs]).await;
}

async fn dies_of_each(messages: u64, deaths: &[Death]) {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), messages);
    let stage = Stage::new(|_, _| None);
    let cell = opened(&stage, home.path()).await;
    let expected = all(&mut *folder(&cell).await).await;
    assert!(expected.iter().all(Result::is_ok) && expected.len() as u64 == messages);
    let questions = stage.asked.lock().expect("no panic").clone();
    for (at, (_, question)) in questions.iter().enumerate() {
        // In the middle of a long message is another test's matter.
        if matches!(question, Ask::Piece { .. }) {
            continue;
        }
        for &death in deaths {
            let count = Arc::new(AtomicU32::new(0));
            let stage = Stage::new(move |child, _| {
                let n = count.fetch_add(1, Ordering::SeqCst) as usize;
                (child == 1 && n == at).then_some(death)
            });
            let cell = opened(&stage, home.path()).await;
            let came = all(&mut *folder(&cell).await).await;
            assert_eq!(came, expected, "{death:?} at {at}: {question:?}");
            assert_eq!(stage.children(), 2, "{death:?} at {at}");
        }
    }
}

/// Whether a question would hand out the message under this key first.
fn begins_with(ask: &Ask, key: u64) -> bool {
    match ask {
        Ask::Read { keys, .. } => wire::keys_in(keys).expect("keys").first() == Some(Key(key)),
        _ => false,
    }
}

#[tokio::test]
async fn a_message_that_nobody_survives_is_named_and_the_rest_is_read() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 6);
    let stage = Stage::new(|_, _| None);
    let keys = all(&mut *folder(&opened(&stage, home.path()).await).await).await;
    let keys: Vec<Key> = keys.into_iter().map(|key| key.expect("well")).collect();
    let bad = keys[3];
    // Whoever is about to hand out the fourth message dies: of several at once, and of it alone.
    let next: Arc<Mutex<u64>> = Arc::default();
    let order = keys.clone();
    let stage = Stage::new(move |_, ask| {
        let mut next = next.lock().expect("no panic");
        match ask {
            Ask::Read { keys, .. } => {
                *next = wire::keys_in(keys)?.first()?.0;
                None
            }
            Ask::More { most, .. } => {
                let at = order.iter().position(|key| key.0 == *next)?;
                let told = &order[at..order.len().min(at + *most as usize)];
                let follows = order.get(at + *most as usize);
                *next = follows.map_or(u64::MAX, |key| key.0);
                told.contains(&bad).then_some(Death::Ends)
            }
            _ => None,
        }
    });
    let cell = opened(&stage, home.path()).await;
    let came = all(&mut *folder(&cell).await).await;
    let outcome: Vec<_> = came
        .iter()
        .map(|came| came.as_ref().map_err(|f| (f.code, f.reach, f.at.message)))
        .collect();
    let expected: Vec<_> = keys
        .iter()
        .map(|key| match *key == bad {
            false => Ok(key),
            true => Err((Code::ArchiveDamaged, Reach::Message, Some(bad))),
        })
        .collect();
    assert_eq!(outcome, expected);
    let fault = came[3].as_ref().expect_err("named");
    assert_eq!(fault.at.mailbox.as_deref(), Some("古いメール"));
}

#[tokio::test]
async fn a_child_that_ends_in_the_middle_of_a_message_is_told_and_then_named() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 8);
    let stage = Stage::new(|_, ask| matches!(ask, Ask::Piece { .. }).then_some(Death::Ends));
    let cell = opened(&stage, home.path()).await;
    let mut reader = folder(&cell).await;
    let keys: Vec<Key> = reader.keys().await.expect("keys").iter().collect();
    for _ in 0..2 {
        let came = all(&mut *reader).await;
        let fault = came[6].as_ref().expect_err("broken off");
        assert_eq!(
            (fault.reach, fault.remedy, fault.at.message),
            (Reach::Mailbox, Remedy::Retry { after: None }, Some(keys[6]))
        );
    }
    let came = all(&mut *reader).await;
    let fault = came[6].as_ref().expect_err("named");
    assert_eq!(
        (fault.code, fault.reach, fault.remedy, fault.at.message),
        (
            Code::ArchiveDamaged,
            Reach::Message,
            Remedy::Skip,
            Some(keys[6])
        )
    );
    assert_eq!(came[7], Ok(keys[7]), "what follows is read");
    assert_eq!(came.len(), 8);
    assert_eq!(stage.children(), 3);
}

#[tokio::test]
async fn an_archive_that_costs_too_many_children_is_given_up() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 40);
    let stage = Stage::new(|_, ask| matches!(ask, Ask::More { .. }).then_some(Death::Raves));
    let cell = opened(&stage, home.path()).await;
    let came = all(&mut *folder(&cell).await).await;
    let (last, named) = came.split_last().expect("faults");
    assert!(named.iter().all(|came| {
        let reach = came.as_ref().map_err(|fault| fault.reach);
        reach == Err(Reach::Message)
    }));
    let last = last.as_ref().expect_err("an end");
    assert_eq!((last.code, last.reach), (Code::ArchiveDamaged, Reach::Job));
    assert_eq!(stage.children(), 16);
}

#[tokio::test]
async fn keys_that_nobody_asked_for_are_not_believed() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 6);
    let stage = Stage::new(|_, _| None);
    let cell = opened(&stage, home.path()).await;
    let mut reader = folder(&cell).await;
    let keys = reader.keys().await.expect("keys");
    let beyond = KeySet::range(keys.last().expect("keys").0 + 1..=u64::MAX >> 2);
    assert_eq!(reader.read(&beyond).count().await, 0);
    assert!(
        stage
            .asked
            .lock()
            .expect("no panic")
            .iter()
            .all(|(_, ask)| { !matches!(ask, Ask::Read { .. }) || begins_with(ask, 0) })
    );
    let nobody = MailboxName::parse("nobody").expect("a name");
    let mut info = cell.mailboxes().await.expect("folders").remove(0);
    info.name = nobody;
    let Err(fault) = cell.open(&info).await else {
        panic!("there is no such folder");
    };
    assert_eq!(fault.code, Code::MailboxMissing);
}

/// Whoever reads is ahead of whoever takes the octets: a long message waits for its reader and is not taken for over.
#[tokio::test]
async fn a_reader_that_runs_ahead_of_long_messages_gets_all_of_them() {
    let home = tempfile::tempdir().expect("a directory");
    let expected = mbox(home.path(), 22);
    let stage = Stage::new(|_, _| None);
    let cell = opened(&stage, home.path()).await;
    let (letters, mut waiting) = tokio::sync::mpsc::channel(4);
    let reading = tokio::spawn(async move {
        let mut reader = folder(&cell).await;
        let keys = reader.keys().await.expect("keys");
        let mut flow = reader.read(&keys);
        while let Some(letter) = flow.next().await {
            letters.send(letter).await.expect("somebody listens");
        }
    });
    let mut came = Vec::new();
    while let Some(letter) = waiting.recv().await {
        // As far ahead as it can get before anything of this message is taken.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let letter = letter.expect("well");
        came.push(contract::octets(letter.body).await.expect("whole"));
    }
    reading.await.expect("no panic");
    let wanted: Vec<_> = expected[0].messages.iter().map(|m| &m.octets).collect();
    assert!(came.iter().collect::<Vec<_>>() == wanted, "{}", came.len());
    assert_eq!(stage.children(), 1);
}

/// Who gives up a long message in its middle goes on with the next one.
#[tokio::test]
async fn a_long_message_that_nobody_wants_to_its_end_is_left() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 15);
    let stage = Stage::new(|_, _| None);
    let cell = opened(&stage, home.path()).await;
    let mut reader = folder(&cell).await;
    let keys = reader.keys().await.expect("keys");
    let mut flow = reader.read(&keys);
    let mut came = Vec::new();
    while let Some(letter) = flow.next().await {
        let letter = letter.expect("well");
        came.push(letter.key);
        if let hikyaku_core::Body::Streamed { mut chunks, .. } = letter.body {
            chunks.next().await.expect("a piece").expect("well");
        }
    }
    assert_eq!(came, keys.iter().collect::<Vec<_>>());
    assert_eq!(stage.children(), 1);
}

/// A newer copy of the file: what was there keeps its key, also for the child that comes after one that died.
#[tokio::test]
async fn an_archive_that_grew_goes_on_from_the_earlier_look() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 6);
    let stage = Stage::new(|_, _| None);
    let earlier = folder(&opened(&stage, home.path()).await).await.state();
    assert!(earlier.modseq.is_some());
    mbox(home.path(), 9);
    // The first child dies of the first letters.
    let stage = Stage::new(|child, ask| {
        let dies = child == 1 && matches!(ask, Ask::More { .. });
        dies.then_some(Death::Ends)
    });
    let cell = opened(&stage, home.path()).await;
    let mut reader = folder(&cell).await;
    assert_ne!(reader.state().epoch, earlier.epoch);
    assert_eq!(reader.resume(&earlier).await, Ok(true));
    assert_eq!(reader.state().epoch, earlier.epoch);
    let came = all(&mut *reader).await;
    assert!(
        came.iter().all(Result::is_ok) && came.len() == 9,
        "{came:?}"
    );
    assert_eq!((stage.children(), reader.state().epoch), (2, earlier.epoch));
    // One that was written anew does not.
    let file = home.path().join("hikyaku-upload.mbox");
    let other = std::fs::read_to_string(&file)
        .expect("an archive")
        .replacen("Subject: 1", "Subject: one", 1);
    std::fs::write(&file, other).expect("written");
    let stage = Stage::new(|_, _| None);
    let mut reader = folder(&opened(&stage, home.path()).await).await;
    assert_eq!(reader.resume(&earlier).await, Ok(false));
    assert_ne!(reader.state().epoch, earlier.epoch);
}

#[tokio::test]
async fn a_message_lies_in_the_file_as_its_owner_calls_it() {
    let home = tempfile::tempdir().expect("a directory");
    mbox(home.path(), 2);
    let stage = Stage::new(|_, _| None);
    let mut reader = folder(&opened(&stage, home.path()).await).await;
    let first = reader.keys().await.expect("keys").first().expect("one");
    let file = reader.file(first).await.expect("told");
    let file = file.expect("it is there");
    assert!(file.starts_with("古いメール.mbox"), "{file}");
    let nowhere = Key(1 << 40);
    assert_eq!(reader.file(nowhere).await, Ok(None));
}

/// Of a directory with letters at its top and a folder that is called as its owner calls the whole.
#[tokio::test]
async fn folders_that_come_to_have_one_name_are_both_there() {
    let home = tempfile::tempdir().expect("a directory");
    let root = home.path().join("hikyaku-upload");
    for (file, n) in [
        ("1.eml", 1),
        ("古いメール/1.eml", 2),
        ("古いメール/下/1.eml", 3),
    ] {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().expect("above")).expect("room");
        std::fs::write(path, text(n)).expect("room");
    }
    let stage = Stage::new(|_, _| None);
    let archive = Archive {
        file: "hikyaku-upload".to_owned(),
        kind: "eml".to_owned(),
        ..archive(home.path())
    };
    let cell = Cell::open(stage, archive).await.expect("an archive");
    let mut told = Vec::new();
    for info in cell.mailboxes().await.expect("folders") {
        let mut reader = cell.open(&info).await.expect("a folder");
        let keys = reader.keys().await.expect("keys");
        let head = reader.head(keys.first().expect("one")).await.expect("read");
        let head = String::from_utf8(head.expect("there").to_vec()).expect("ASCII");
        let subject = head.lines().find(|line| line.starts_with("Subject"));
        told.push(format!("{}: {}", info.name, subject.expect("a subject")));
    }
    assert_eq!(
        told,
        [
            "古いメール: Subject: 2",
            "古いメール/下: Subject: 3",
            "古いメール (2): Subject: 1",
        ]
    );
}

#[cfg(unix)]
/// A child that is killed leaves nobody's mail in a place that nobody clears.
#[tokio::test]
async fn a_child_unpacks_in_the_directory_of_its_archive_only() {
    let home = tempfile::tempdir().expect("a directory");
    let program = crate::Program {
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), "echo $TMPDIR > told; env > all".into()],
    };
    let allowance = archive(home.path()).allowance;
    let mut link = program.spawn(home.path(), allowance).expect("a child");
    let ended = link.ask(&Ask::Folders, Duration::from_secs(600)).await;
    assert!(ended.is_err(), "it only tells");
    let told = std::fs::read_to_string(home.path().join("told")).expect("told");
    assert_eq!(Path::new(told.trim_end()), home.path());
    let all = std::fs::read_to_string(home.path().join("all")).expect("told");
    let cargo = std::env::vars().find(|(name, _)| name.starts_with("CARGO"));
    let (name, _) = cargo.expect("this test knows something");
    assert!(!all.contains(&name), "{all}");
}
