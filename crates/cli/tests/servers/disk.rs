//! The process dies at each of its writes and at each APPEND of a copy between real accounts, or its disk fails there;
//! the next run ends as an undisturbed one. Linux only.
//!
//! A process of its own runs the product's engine, ledger and IMAP with the patience of a loopback; `program.rs` does a
//! few of the same with the binary and its own patience.

use crate::ground::{Ground, parallel, salt};
use crate::support::quick;
use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::Source;
use hikyaku_core::{AccountId, Fault, Side};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_ledger::Store;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::disk::{Disk, Recording, Trouble};
use hikyaku_testkit::generate::Random;
use hikyaku_testkit::proxy::{Action, At, Direction, Fault as Break, Proxy, ProxySettings};
use hikyaku_testkit::servers::Account;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tells a child what to copy, one item a line.
const COPY: &str = "HIKYAKU_TEST_COPY";

/// Makes every case instead of a sample: `all`.
const CASES: &str = "HIKYAKU_CRASHES";

/// Cases of the sample.
const SAMPLE: usize = 150;

/// What is copied from where to where, and the directory of the ledger.
struct Errand {
    state: String,
    /// Of the source's server, and of the destination's.
    ports: [u16; 2],
    source: Account,
    destination: Account,
}

impl Errand {
    fn write(&self) -> String {
        let (from, to) = (&self.source, &self.destination);
        let ports = self.ports.map(|port| port.to_string());
        let items = [
            &self.state,
            &ports[0],
            &ports[1],
            &from.user,
            &from.password,
            &to.user,
            &to.password,
        ];
        items.map(String::as_str).join("\n")
    }

    fn read(text: &str) -> Self {
        let mut items = text.lines().map(str::to_owned);
        let mut item = || items.next().unwrap();
        Self {
            state: item(),
            ports: [item().parse().unwrap(), item().parse().unwrap()],
            source: Account {
                user: item(),
                password: item(),
            },
            destination: Account {
                user: item(),
                password: item(),
            },
        }
    }

    async fn connect(&self, side: Side) -> Result<Arc<ImapAccount>, Fault> {
        let (account, port) = match side {
            Side::Source => (&self.source, self.ports[0]),
            Side::Destination => (&self.destination, self.ports[1]),
        };
        let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
        let credentials = Credentials::password(&account.user, account.password.clone());
        ImapAccount::connect(ImapOptions::new(endpoint, credentials))
            .await
            .map(Arc::new)
    }

    /// What the program does, with quick patience.
    async fn run(&self) -> Result<Report, Fault> {
        let file = Path::new(&self.state).join("ledger.sqlite");
        let (store, aside) = Store::open_or_renew(file, 0).await?;
        assert!(aside.is_none(), "{aside:?}");
        let account = |account: &Account| AccountId::new(format!("imap://{}", account.user));
        let (from, to) = (account(&self.source), account(&self.destination));
        let ledger = store.pair(&from, &to).await?;
        let hold = store.hold(&ledger, 0).await?;
        let run = store.begin_run(ledger.id(), "copy", 0, 1).await?;
        let (source, destination) =
            tokio::try_join!(self.connect(Side::Source), self.connect(Side::Destination))?;
        let job = Job {
            source: source.clone(),
            destination: destination.clone(),
            undo: None,
            ledger: Arc::new(ledger.within(run)),
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: Policy {
                patience: quick(),
                ..Policy::default()
            },
            stop: Stop::new(),
            seed: 11,
        };
        let report = job.copy().await;
        tokio::join!(source.close(), destination.close());
        let kept = store.end_run(run, "{}", 0, 0).await;
        hold.release().await;
        store.close().await;
        let report = report?;
        if report.stopped.is_none() {
            kept?;
        }
        Ok(report)
    }

    fn run_here(&self) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let report = runtime.block_on(self.run()).unwrap();
        assert!(report.adds_up(), "{report:#?}");
        report
    }

    fn child(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "disk::child", "--nocapture"])
            .env(COPY, self.write());
        command
    }
}

/// The child: does nothing unless it was started by the test below. Its last line says how it ended.
#[test]
fn child() {
    use std::io::Write;
    let Ok(text) = std::env::var(COPY) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let end = match runtime.block_on(Errand::read(&text).run()) {
        Ok(report) => match &report.stopped {
            Some(fault) => format!("{:?}: {}", fault.code, fault.detail),
            None if report.is_complete() => "complete".to_owned(),
            None => format!("incomplete: {report:?}"),
        },
        Err(fault) => format!("{:?}: {}", fault.code, fault.detail),
    };
    let line = format!("\nended {end}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// How the child ended; `None` when it was killed.
fn end(mut command: Command) -> Option<String> {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("ended ").map(str::to_owned))
}

fn errand(ground: &Ground, state: &Path, name: &str) -> Errand {
    Errand {
        state: state.display().to_string(),
        ports: [ground.port(); 2],
        source: ground.source.clone(),
        destination: ground.account(name),
    }
}

/// One case: the run with trouble, the next one, and one more. Answers how the first ended.
fn check(ground: &Ground, disk: &Disk, trouble: Trouble, nth: u64) -> String {
    let state = ground.state();
    let errand = errand(
        ground,
        state.path(),
        &format!("{trouble:?}{nth}").to_lowercase(),
    );
    let mut command = errand.child();
    disk.fail(&mut command, state.path(), trouble, nth);
    let ended = end(command);
    let what = format!("{trouble:?} at {nth}: {ended:?}");
    let word = ended.as_deref().unwrap_or("killed");
    let word = word.split(':').next().unwrap_or_default().to_owned();
    let expected: &[&str] = match trouble {
        Trouble::KillBefore | Trouble::KillAfter | Trouble::KillTorn => &["killed", "complete"],
        Trouble::Io | Trouble::IoOn => &["LedgerUnwritable", "complete"],
        Trouble::NoSpaceOn | Trouble::Torn | Trouble::QuotaOn => &["DiskFull", "complete"],
        Trouble::NoSpace => &["DiskFull", "LedgerUnwritable", "complete"],
    };
    assert!(expected.contains(&word.as_str()), "{what}");
    let report = errand.run_here();
    assert!(report.is_complete(), "{what}: {report:#?}");
    assert_eq!(report.scanned(), 24, "{what}");
    if word == "complete" {
        assert_eq!(report.copied_now(), 0, "{what}: {report:#?}");
    }
    ground.assert_arrived(&errand.destination, &what);
    let report = errand.run_here();
    assert_eq!(report.copied_now(), 0, "{what}: {report:#?}");
    ground.assert_arrived(&errand.destination, &what);
    word
}

#[test]
#[allow(clippy::print_stderr, reason = "how to make it again")]
fn any_trouble_of_the_disk_at_any_write_loses_and_doubles_nothing() {
    let (ground, disk) = (Ground::new(3), Disk::build().unwrap());
    let (state, elsewhere) = (ground.state(), ground.state());
    let undisturbed = errand(&ground, state.path(), "undisturbed");
    let mut command = undisturbed.child();
    let to = elsewhere.path().join("calls");
    disk.record(&mut command, state.path(), &to);
    assert_eq!(end(command).as_deref(), Some("complete"));
    ground.assert_arrived(&undisturbed.destination, "undisturbed");
    let calls = Recording::read(&to).unwrap().calls.len() as u64;
    assert!(calls > 150, "{calls}");

    let mut cases: Vec<(Trouble, u64)> = Vec::new();
    for trouble in Trouble::ALL {
        cases.extend((1..=calls).map(|nth| (trouble, nth)));
    }
    let salt = salt();
    let wanted = std::env::var(CASES).unwrap_or_default();
    match wanted.parse::<usize>() {
        _ if wanted == "all" => {}
        // Every so many-th case, from a first one that changes with the commit.
        step => {
            let step = step.unwrap_or(cases.len() / SAMPLE).max(1);
            let first = Random::new(salt).between(0, step as u64) as usize;
            cases = cases.into_iter().skip(first).step_by(step).collect();
        }
    }
    eprintln!(
        "{calls} calls, {} cases, salt {salt}: {cases:?}",
        cases.len()
    );
    let ends = parallel(&cases, |(trouble, nth)| {
        check(&ground, &disk, *trouble, *nth)
    });
    let mut counts = BTreeMap::<String, u32>::new();
    for end in ends {
        *counts.entry(end).or_default() += 1;
    }
    eprintln!("ends: {counts:?}");
    assert!(counts["killed"] as usize > cases.len() / 6, "{counts:?}");
    ground.assert_source_untouched();
}

/// Where a run is killed, around the n-th APPEND.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Before,
    AfterTheCommand,
    InsideTheMessage,
    BeforeTheAnswer,
}

/// The run is killed when the n-th APPEND has come so far; answers whether there was one.
fn kill_at_append(ground: &Ground, nth: u32, moment: Moment) -> bool {
    let what = format!("{moment:?}, APPEND {nth}");
    let state = ground.state();
    let name = format!("k{moment:?}{nth}").to_lowercase();
    let address = SocketAddr::from(([127, 0, 0, 1], ground.port()));
    let proxy = Proxy::start(address, ProxySettings::default()).unwrap();
    let mut errand = errand(ground, state.path(), &name);
    errand.ports[1] = proxy.port();
    let before = |contains: &str| At::BeforeLine {
        contains: contains.to_owned(),
        nth,
    };
    let after = |octets| At::AfterLine {
        contains: " APPEND ".to_owned(),
        nth,
        octets,
    };
    let (direction, at) = match moment {
        Moment::Before => (Direction::ToServer, before(" APPEND ")),
        Moment::AfterTheCommand => (Direction::ToServer, after(0)),
        Moment::InsideTheMessage => (Direction::ToServer, after(500)),
        Moment::BeforeTheAnswer => (Direction::ToClient, before("[APPENDUID ")),
    };
    proxy.add_fault(Break {
        direction,
        at,
        action: Action::Silence,
        connection: None,
    });
    let mut command = errand.child();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // The silence keeps the run where it is until it is killed.
    let limit = Instant::now() + Duration::from_secs(50);
    let happened = loop {
        if proxy.faults_happened() > 0 {
            child.kill().unwrap();
            child.wait().unwrap();
            break true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{what}: {status}");
            break proxy.faults_happened() > 0;
        }
        assert!(Instant::now() < limit, "{what}: nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    };
    // Nothing of the killed run is on its way any more.
    proxy.cut_all();
    let report = errand.run_here();
    assert!(report.is_complete(), "{what}: {report:#?}");
    assert_eq!(report.scanned(), 24, "{what}");
    ground.assert_arrived(&errand.destination, &what);
    assert_eq!(errand.run_here().copied_now(), 0, "{what}");
    ground.assert_arrived(&errand.destination, &what);
    happened
}

#[test]
#[allow(clippy::print_stderr, reason = "how many there were")]
fn killed_at_any_append_loses_and_doubles_nothing() {
    let ground = Ground::new(4);
    let moments = [
        Moment::Before,
        Moment::AfterTheCommand,
        Moment::InsideTheMessage,
        Moment::BeforeTheAnswer,
    ];
    // There are as many as messages at most: the last moments never come.
    let cases: Vec<(u32, Moment)> = (1..=25)
        .flat_map(|nth| moments.map(|moment| (nth, moment)))
        .collect();
    let happened = parallel(&cases, |(nth, moment)| {
        kill_at_append(&ground, *nth, *moment)
    });
    let kills = happened.iter().filter(|h| **h).count();
    eprintln!("{kills} kills");
    assert!(kills >= 12, "only {kills} kills");
    assert!(!happened[96..].contains(&true), "all were tried");
    ground.assert_source_untouched();
}
