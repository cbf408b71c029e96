//! Every archive through whole runs of the engine: into a real Dovecot over IMAP, and into a
//! backup as Maildir. What arrives is compared with what the archive's own reader tells:
//! every message, flag, date and folder; the numbers are those of the corpus' own list.

mod arrival;
mod home;
mod made;
mod parts;

use crate::support::{Read, golden_text, options, read};
use arrival::Expected;
use hikyaku_archive::{Archive, ArchiveSource, Kind, recognise};
use hikyaku_backup::{BackupDestination, BackupSource, Format, check};
use hikyaku_core::MailboxName;
use hikyaku_core::policy::{Patience, Policy};
use hikyaku_core::report::{Note, Report};
use hikyaku_core::traits::{Destination, Source};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::contract;
use hikyaku_testkit::memory::MemoryLedger;
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// One archive, and how much of it there is.
pub(crate) struct Part {
    /// What it is called in the golden file.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    pub(crate) messages: usize,
    /// Items that are named and not copied.
    pub(crate) exceptions: usize,
}

/// A server for the parts of one test, and what became of them, for the golden file.
pub(crate) struct Journey {
    server: Dovecot,
    accounts: usize,
    told: String,
}

impl Journey {
    pub(crate) fn start() -> Self {
        let options = DovecotOptions {
            in_memory: true,
            ..DovecotOptions::default()
        };
        Self {
            server: Dovecot::start(options).expect("server"),
            accounts: 0,
            told: String::new(),
        }
    }

    /// Takes one archive to both destinations, twice.
    pub(crate) async fn take(&mut self, part: &Part) {
        let before = files(&part.path);
        assert!(!before.is_empty(), "{}", part.name);
        let recognised = recognise(&part.path).map(|r| r.kind);
        assert_eq!(recognised, Ok(part.kind), "{}", part.name);
        let folders = read(part.kind, &part.path).await;
        let messages: usize = folders.iter().map(|f| f.messages.len()).sum();
        let faults: usize = folders.iter().map(|f| f.faults.len()).sum();
        let counted = (messages, faults);
        assert_eq!(
            counted,
            (part.messages, part.exceptions),
            "{}: messages and exceptions",
            part.name
        );
        self.tell(part, &folders);
        self.arrives_in_a_backup(part, &folders).await;
        self.arrives_in_dovecot(part, &folders).await;
        assert!(
            files(&part.path) == before,
            "{} is as it was before",
            part.name
        );
    }

    /// Compares what was told of all parts with `golden/journey-NAME.txt`.
    pub(crate) fn end(self, name: &str) {
        golden_text(&format!("journey-{name}"), &self.told);
    }

    fn tell(&mut self, part: &Part, folders: &[Read]) {
        let Part {
            name,
            kind,
            messages,
            exceptions,
            ..
        } = part;
        let told = &mut self.told;
        writeln!(
            told,
            "{name}: {kind}, {messages} messages, {exceptions} exceptions"
        )
        .unwrap();
        for folder in folders {
            let octets: usize = folder.messages.iter().map(|m| m.octets.len()).sum();
            let count = folder.messages.len();
            writeln!(told, "  {} {count} {octets}", folder.name).unwrap();
        }
    }

    async fn arrives_in_a_backup(&self, part: &Part, folders: &[Read]) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("backup");
        let ledger = MemoryLedger::default();
        let mut names = BTreeMap::new();
        for run in 0..2 {
            let backup = BackupDestination::open(&path, Some(Format::Maildir)).expect("opened");
            let backup = Arc::new(backup);
            let report = copy(part, backup.clone(), &ledger).await;
            backup.close().await;
            let copied = if run == 0 { part.messages } else { 0 };
            assert_eq!(report.copied_now(), copied as u64, "{} {run}", part.name);
            assert_exceptions(part, &report, part.exceptions);
            names = destinations(&report);
        }
        let mut found = Vec::new();
        let checked = check(&path, &mut |finding| found.push(finding)).expect("checked");
        assert!(checked.is_whole() && found.is_empty(), "{found:#?}");
        let source = BackupSource::open(&path).expect("opened");
        let held = contract::held(&source).await;
        let wanted = Expected::of(folders, &names).held();
        assert_eq!(names_of(&held), names_of(&wanted), "{}", part.name);
        for (held, wanted) in held.iter().zip(&wanted) {
            assert_eq!(
                held.messages.len(),
                wanted.messages.len(),
                "{}",
                wanted.name
            );
            for (is, should) in held.messages.iter().zip(&wanted.messages) {
                assert_eq!(
                    (&is.flags, is.seconds),
                    (&should.flags, should.seconds),
                    "{}: {}",
                    part.name,
                    wanted.name
                );
                assert!(is.octets == should.octets, "{}: octets", part.name);
            }
        }
    }

    async fn arrives_in_dovecot(&mut self, part: &Part, folders: &[Read]) {
        self.accounts += 1;
        let account = self.server.create_account(&format!("to{}", self.accounts));
        let account = account.expect("account");
        let ledger = MemoryLedger::default();
        let mut names = BTreeMap::new();
        let refused = arrival::refused(folders);
        let altered = arrival::altered(folders);
        for run in 0..2 {
            let imap = Arc::new(connect(&self.server, &account).await);
            let report = copy(part, imap.clone(), &ledger).await;
            imap.close().await;
            let copied = if run == 0 { part.messages - refused } else { 0 };
            assert_eq!(report.copied_now(), copied as u64, "{} {run}", part.name);
            assert_exceptions(part, &report, part.exceptions + refused);
            let expected = if run == 0 { altered } else { 0 };
            assert_eq!(told_altered(&report), expected, "{} {run}", part.name);
            names = destinations(&report);
        }
        let mut judge = self.server.judge(&account).expect("judge");
        let found = judge.snapshot().expect("snapshot");
        let differences = Expected::of(folders, &names).differences(found);
        assert!(
            differences.is_empty(),
            "{}: {}",
            part.name,
            differences.join("\n")
        );
    }
}

/// A whole run with an archive that is opened anew, as another day.
async fn copy(part: &Part, destination: Arc<dyn Destination>, ledger: &MemoryLedger) -> Report {
    let source = open(part);
    let job = Job {
        source: Arc::new(source),
        destination,
        undo: None,
        ledger: Arc::new(ledger.clone()),
        observer: Arc::new(()),
        clock: Arc::new(SystemClock::default()),
        policy: Policy {
            patience: Patience {
                doubt_settle: Duration::ZERO,
                doubt_interval: Duration::ZERO,
                ..Patience::default()
            },
            ..Policy::default()
        },
        stop: Stop::new(),
        seed: 7,
    };
    let report = job.copy().await.expect("a run");
    assert!(report.adds_up(), "{}: {report:#?}", part.name);
    assert!(report.stopped.is_none(), "{}: {report:#?}", part.name);
    report
}

fn open(part: &Part) -> ArchiveSource {
    Archive::open(part.kind, &part.path, options()).expect("opened")
}

/// Everything that is not copied is named, and nothing else is wrong.
fn assert_exceptions(part: &Part, report: &Report, expected: usize) {
    assert_eq!(
        (report.exceptions.len(), report.differences),
        (expected, 0),
        "{}: {:#?}",
        part.name,
        report.exceptions
    );
    assert_eq!(
        report.is_complete(),
        expected == 0,
        "{}: {report:#?}",
        part.name
    );
}

/// How many messages are said to be stored with other octets than were sent.
fn told_altered(report: &Report) -> usize {
    let altered = |note: &Note| match note {
        Note::Altered { messages, .. } => *messages,
        _ => 0,
    };
    let total: u64 = report.notes.iter().map(altered).sum();
    usize::try_from(total).expect("few")
}

/// Where each folder went, as the report tells.
fn destinations(report: &Report) -> BTreeMap<String, MailboxName> {
    let lines = report.mailboxes.iter();
    lines
        .map(|m| (m.source.to_string(), m.destination.clone()))
        .collect()
}

fn names_of(held: &[contract::Held]) -> Vec<String> {
    held.iter().map(|h| h.name.to_string()).collect()
}

async fn connect(server: &Dovecot, account: &Account) -> ImapAccount {
    let port = server.instance().port();
    let side = hikyaku_core::Side::Destination;
    let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
    let credentials = Credentials::password(&account.user, account.password.clone());
    let options = ImapOptions::new(endpoint, credentials);
    ImapAccount::connect(options).await.expect("login")
}

/// Every file below a path (or the file itself) with its hash and its time.
fn files(path: &Path) -> BTreeMap<PathBuf, (String, std::time::SystemTime)> {
    let mut out = BTreeMap::new();
    let mut open = vec![path.to_owned()];
    while let Some(at) = open.pop() {
        let meta = std::fs::symlink_metadata(&at).unwrap();
        if meta.is_dir() {
            open.extend(std::fs::read_dir(&at).unwrap().map(|e| e.unwrap().path()));
        } else if meta.is_file() {
            let hash = blake3::hash(&std::fs::read(&at).unwrap()).to_string();
            out.insert(at, (hash, meta.modified().unwrap()));
        }
    }
    out
}
