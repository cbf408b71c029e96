//! Several processes on one ledger, and processes that are killed. The children are this test binary itself.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hikyaku_core::ledger::{Ledger, PairingId};
use hikyaku_core::{Code, MailboxName};
use hikyaku_ledger::{PairLedger, Store};
use support::{SOURCE, account, copied, intent};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Names the ledger to a child, and its part.
const LEDGER: &str = "HIKYAKU_TEST_LEDGER";
const PART: &str = "HIKYAKU_TEST_PART";

/// Records per settlement.
const BATCH: u64 = 10;

async fn inbox(store: &Store, source: &str) -> (PairLedger, PairingId) {
    let ledger = store
        .pair(&account(source), &account("a@new"))
        .await
        .expect("a pair");
    let id = ledger
        .pair(&MailboxName::inbox(), &MailboxName::inbox())
        .await
        .expect("a pairing")
        .id;
    (ledger, id)
}

/// The child: does nothing unless it was started by one of the tests below.
#[tokio::test]
async fn child() {
    let (Some(path), Ok(part)) = (std::env::var_os(LEDGER), std::env::var(PART)) else {
        return;
    };
    let store = Store::open(path).await.expect("a store");
    let mut out = std::io::stdout();
    let mut say = |line: String| {
        // The test runner leaves its own line open.
        out.write_all(
            format!(
                "
{line}
"
            )
            .as_bytes(),
        )
        .and_then(|()| out.flush())
        .expect("heard");
    };
    match part.as_str() {
        "hold" => {
            let (ledger, _) = inbox(&store, "a@old").await;
            let _hold = store.hold(&ledger, 1_700_000_000_000).await.expect("held");
            say(format!("held {}", std::process::id()));
            std::future::pending::<()>().await;
        }
        source => {
            let (ledger, pairing) = inbox(&store, source).await;
            for batch in 0.. {
                let first = batch * BATCH + 1;
                let set = format!("{first}:{}", first + BATCH - 1);
                let open = ledger
                    .intend(intent(pairing, &set))
                    .await
                    .expect("intended");
                say(format!("intended {batch}"));
                let records = (first..first + BATCH).map(copied).collect();
                ledger
                    .settle(pairing, records, vec![open])
                    .await
                    .expect("settled");
                say(format!("settled {batch}"));
            }
        }
    }
}

struct Worker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(ledger: &Path, part: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .args(["--exact", "child", "--nocapture"])
            .env(LEDGER, ledger)
            .env(PART, part)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a child");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self { process, lines }
    }

    /// The number behind the next line that begins with the word; `None` at the end.
    async fn hear(&mut self, word: &str) -> Option<u64> {
        while let Some(line) = self.lines.next_line().await.expect("text") {
            if let Some(number) = line.strip_prefix(word) {
                return number.trim().parse().ok();
            }
        }
        None
    }

    /// Kills it like a power switch; answers what it still said: (last intended, last settled).
    async fn kill(mut self) -> (Option<u64>, Option<u64>) {
        self.process.start_kill().expect("alive");
        let (mut intended, mut settled) = (None, None);
        while let Some(line) = self.lines.next_line().await.expect("text") {
            if let Some(number) = line.strip_prefix("intended ") {
                intended = number.parse().ok();
            } else if let Some(number) = line.strip_prefix("settled ") {
                settled = number.parse().ok();
            }
        }
        self.process.wait().await.expect("ended");
        (intended, settled)
    }
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.sqlite");
    (directory, path)
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    for after in [0, 1, 5, 12, 25, 40] {
        let (_directory, path) = directory();
        let mut worker = Worker::start(&path, "a@old");
        while worker.hear("settled ").await.expect("goes on") < after {}
        let (intended, settled) = worker.kill().await;
        let settled = settled.unwrap_or(after);
        let intended = intended.unwrap_or(settled);

        let store = Store::open(&path).await.expect("opens");
        store.check().await.expect("sound");
        let (ledger, pairing) = inbox(&store, "a@old").await;
        let known = ledger
            .known(pairing, SOURCE, None, 100_000)
            .await
            .expect("records");
        let count = known.len() as u64;
        assert_eq!(known, (1..=count).map(copied).collect::<Vec<_>>());
        // Whole batches; all that were acknowledged, and at most the one whose answer was on its way.
        assert_eq!(count % BATCH, 0);
        assert!(
            (settled + 1..=settled + 2).contains(&(count / BATCH)),
            "{count} records, {settled} settled"
        );
        let open = ledger.in_doubt(pairing).await.expect("open");
        assert!(open.len() <= 1, "{open:?}");
        if intended > settled && count / BATCH == settled + 1 {
            let first = intended * BATCH + 1;
            assert_eq!(
                open[0].1,
                intent(pairing, &format!("{first}:{}", first + BATCH - 1))
            );
        }
    }
}

#[tokio::test]
async fn processes_write_to_one_ledger_side_by_side() {
    let (_directory, path) = directory();
    let mut workers: Vec<(String, Worker)> = (0..3)
        .map(|n| format!("{n}@old"))
        .map(|source| (source.clone(), Worker::start(&path, &source)))
        .collect();
    for (_, worker) in &mut workers {
        while worker.hear("settled ").await.expect("goes on") < 20 {}
    }
    let mut least = Vec::new();
    for (source, worker) in workers {
        let settled = worker.kill().await.1.unwrap_or(20);
        least.push((source, (settled + 1) * BATCH));
    }
    let store = Store::open(&path).await.expect("opens");
    for (source, least) in least {
        let (ledger, pairing) = inbox(&store, &source).await;
        let known = ledger
            .known(pairing, SOURCE, None, 100_000)
            .await
            .expect("records");
        assert!(
            known.len() as u64 >= least,
            "{source}: {} of {least}",
            known.len()
        );
        assert_eq!(
            known,
            (1..=known.len() as u64).map(copied).collect::<Vec<_>>()
        );
    }
    store.check().await.expect("sound");
}

#[tokio::test]
async fn a_second_process_is_refused_by_name_until_the_first_is_gone() {
    let (_directory, path) = directory();
    let mut worker = Worker::start(&path, "hold");
    let process = worker.hear("held ").await.expect("held");

    let store = Store::open(&path).await.expect("opens");
    let (ledger, _) = inbox(&store, "a@old").await;
    // Another source into the same destination account is refused as well, another destination is not.
    let (merging, _) = inbox(&store, "b@old").await;
    for ledger in [&ledger, &merging] {
        let fault = store.hold(ledger, 0).await.expect_err("held");
        assert_eq!(fault.code, Code::LedgerBusy);
        assert!(fault.is_temporary(), "{fault}");
        let owner = format!("process {process} since 2023-11-14T22:13:20+00:00 on ");
        assert!(fault.detail.contains(&owner), "{fault}");
    }
    let elsewhere = store
        .pair(&account("a@old"), &account("c@new"))
        .await
        .expect("a pair");
    let _elsewhere = store
        .hold(&elsewhere, 0)
        .await
        .expect("another account is free");

    worker.kill().await;
    let hold = store
        .hold(&ledger, 0)
        .await
        .expect("a killed process holds nothing");
    let fault = store
        .hold(&merging, 0)
        .await
        .expect_err("held by this process");
    assert!(
        fault
            .detail
            .contains(&format!("process {} ", std::process::id())),
        "{fault}"
    );
    drop(hold);
    store.hold(&merging, 0).await.map(drop).expect("free again");
}

#[tokio::test]
async fn a_run_without_a_ledger_excludes_those_with_one_and_is_excluded() {
    let (directory, path) = directory();
    let session = directory.path().join("hikyaku");
    let kept = Store::open(&path).await.expect("a store");
    let memory = || async {
        let store = Store::open_in_memory().await.expect("a store");
        store.holding_beside(vec![path.clone(), session.clone()])
    };
    let (one, other) = (memory().await, memory().await);
    let (of_kept, of_one, of_other) = (
        inbox(&kept, "a@old").await.0,
        inbox(&one, "a@old").await.0,
        inbox(&other, "b@old").await.0,
    );
    let hold = one.hold(&of_one, 0).await.expect("free");
    for (store, ledger) in [(&kept, &of_kept), (&other, &of_other)] {
        let fault = store.hold(ledger, 0).await.expect_err("held");
        assert_eq!(fault.code, Code::LedgerBusy);
        let owner = format!("process {} ", std::process::id());
        assert!(fault.detail.contains(&owner), "{fault}");
    }
    hold.release().await;
    let hold = kept.hold(&of_kept, 0).await.expect("free again");
    one.hold(&of_one, 0).await.map(drop).expect_err("held");
    drop(hold);
    // A right that was had in part only was given back.
    other.hold(&of_other, 0).await.map(drop).expect("free");
}
