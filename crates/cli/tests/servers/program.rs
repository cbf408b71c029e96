//! The binary itself against a real server: its ledger is damaged, its disk fails, it is killed, it runs twice.

use crate::ground::{Ground, parallel, salt};
use hikyaku_testkit::disk::{Disk, Recording, Trouble};
use hikyaku_testkit::generate::Random;
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::Account;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary on its way from the source to an account.
fn copy(ground: &Ground, state: &Path, to: &Account) -> Command {
    copy_through(ground, state, to, ground.port())
}

/// The same, with the destination behind another port.
fn copy_through(ground: &Ground, state: &Path, to: &Account, port: u16) -> Command {
    let at =
        |account: &Account, port: u16| format!("imap+insecure://{}@127.0.0.1:{port}", account.user);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hikyaku"));
    command
        .args(["--lang", "en", "--state"])
        .arg(state)
        .args(["copy", &at(&ground.source, ground.port()), &at(to, port)])
        .args(["--source-password-env", "FROM"])
        .args(["--destination-password-env", "TO"])
        .env_clear()
        .env("HOME", state)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("FROM", &ground.source.password)
        .env("TO", &to.password)
        .stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs to the end with this exit code; answers what was said.
fn ends_with(mut command: Command, exit: i32, what: &str) -> String {
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(exit), "{what}: {said}");
    assert!(!said.contains("panicked"), "{what}: {said}");
    said
}

fn calls_of(mut command: Command, disk: &Disk, state: &Path, to: &Path) -> u64 {
    disk.record(&mut command, state, to);
    ends_with(command, 0, "undisturbed");
    Recording::read(to).unwrap().calls.len() as u64
}

fn duplicate(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A place in the files of a ledger, and what happens there.
#[derive(Debug)]
enum Damage {
    Flip(&'static str, u64),
    Cut(&'static str, u64),
    Zeros(&'static str, u64),
    Gone(&'static str),
}

impl Damage {
    fn strike(&self, state: &Path) {
        let path = |ending: &str| state.join(format!("ledger.sqlite{ending}"));
        let change = |ending: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let mut octets = fs::read(path(ending)).unwrap();
            change(&mut octets);
            fs::write(path(ending), octets).unwrap();
        };
        // Places count from the start and wrap at the end.
        match *self {
            Self::Flip(ending, at) => change(ending, &|octets| {
                let at = at as usize % octets.len();
                octets[at] ^= 1 << (at % 8);
            }),
            Self::Cut(ending, at) => change(ending, &|octets| {
                octets.truncate(at as usize % octets.len());
            }),
            Self::Zeros(ending, at) => change(ending, &|octets| {
                let at = at as usize % octets.len() / 4096 * 4096;
                let end = octets.len().min(at + 4096);
                octets[at..end].fill(0);
            }),
            Self::Gone(ending) => fs::remove_file(path(ending)).unwrap(),
        }
    }
}

fn set_aside(state: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(state).unwrap().map(|e| e.unwrap().path());
    entries
        .filter(|path| path.to_string_lossy().ends_with("-damaged"))
        .collect()
}

/// Whether the log holds something and its index is there too: SQLite takes the index away first.
fn is_left_open(state: &Path) -> bool {
    let log = fs::metadata(state.join("ledger.sqlite-wal"));
    log.is_ok_and(|log| log.len() > 4096) && state.join("ledger.sqlite-shm").exists()
}

/// After a whole copy the ledger is damaged: closed, and as a killed run leaves it. The next run reads it well or sets
/// it aside and matches, and copies nothing.
#[test]
fn a_damaged_ledger_is_read_well_or_set_aside_and_nothing_doubles() {
    let (ground, disk) = (Ground::new(5), Disk::build().unwrap());
    let to = ground.account("destination");
    let (closed, left) = (ground.state(), ground.state());
    ends_with(copy(&ground, closed.path(), &to), 0, "the copy");
    ground.assert_arrived(&to, "the copy");
    // A second ledger that knows everything, whose process is killed while it closes: the log is still there.
    let elsewhere = ground.state();
    let calls = {
        let spare = ground.state();
        let command = copy(&ground, spare.path(), &to);
        calls_of(
            command,
            &disk,
            spare.path(),
            &elsewhere.path().join("calls"),
        )
    };
    for back in 0..calls {
        let mut command = copy(&ground, left.path(), &to);
        disk.fail(&mut command, left.path(), Trouble::KillBefore, calls - back);
        command.output().unwrap();
        if is_left_open(left.path()) {
            break;
        }
    }
    assert!(is_left_open(left.path()));
    let before = ground.snapshot(&to);

    let mut random = Random::new(salt());
    let mut cases: Vec<(bool, Damage)> = Vec::new();
    let kinds: [fn(&'static str, u64) -> Damage; 3] = [Damage::Flip, Damage::Cut, Damage::Zeros];
    for kind in kinds {
        for _ in 0..6 {
            cases.push((false, kind("", random.bits() >> 1)));
        }
        for ending in ["-wal", "", "-shm"] {
            for _ in 0..2 {
                cases.push((true, kind(ending, random.bits() >> 1)));
            }
        }
    }
    cases.extend((0..100).step_by(9).map(|at| (false, Damage::Flip("", at))));
    cases.extend(["-wal", "-shm", ""].map(|ending| (true, Damage::Gone(ending))));
    let answers = parallel(&cases, |(is_left, damage)| {
        let state = ground.state();
        let from = if *is_left { left.path() } else { closed.path() };
        duplicate(from, state.path());
        damage.strike(state.path());
        let what = format!("{damage:?}, left by a killed run: {is_left}");
        let struck = fs::read(state.path().join("ledger.sqlite")).unwrap_or_default();
        let mut first = copy(&ground, state.path(), &to).output().unwrap();
        let mut told = said(&first);
        let met_on_the_way = matches!(first.status.code(), Some(2 | 8));
        if met_on_the_way {
            // The run after it deals with it.
            assert!(told.contains("[D802]"), "{what}: {told}");
            first = copy(&ground, state.path(), &to).output().unwrap();
            told = said(&first);
        }
        assert_eq!(first.status.code(), Some(0), "{what}: {told}");
        let aside = set_aside(state.path());
        if let [kept] = aside.as_slice() {
            assert!(told.contains("[D802]"), "{what}: {told}");
            assert!(told.contains(&kept.display().to_string()), "{what}: {told}");
            // A log that was left is folded in first, and a run that met the damage on its way had begun to write.
            let is_as_found = fs::read(kept).unwrap() == struck;
            assert!(*is_left || met_on_the_way || is_as_found, "{what}");
        }
        assert!(aside.len() <= 1, "{what}: {aside:?}");
        ends_with(copy(&ground, state.path(), &to), 0, &what);
        !aside.is_empty()
    });
    let renewed = answers.iter().filter(|renewed| **renewed).count();
    assert!(
        renewed >= 8,
        "only {renewed} of {} were set aside",
        cases.len()
    );
    assert_eq!(
        ground.snapshot(&to),
        before,
        "nothing was appended or changed"
    );
    ground.assert_source_untouched();
}

/// A sample of what `disk.rs` does, with the binary: exit codes, words, and its own patience with a doubt.
#[test]
fn the_binary_lives_through_kills_and_bad_disks() {
    let (ground, disk) = (Ground::new(6), Disk::build().unwrap());
    let (state, elsewhere) = (ground.state(), ground.state());
    let first = ground.account("undisturbed");
    let command = copy(&ground, state.path(), &first);
    let calls = calls_of(
        command,
        &disk,
        state.path(),
        &elsewhere.path().join("calls"),
    );
    let mut random = Random::new(salt());
    let troubles = [
        (Trouble::KillAfter, ""),
        (Trouble::KillTorn, ""),
        (Trouble::KillBefore, ""),
        (Trouble::NoSpaceOn, "[D804]"),
        (Trouble::IoOn, "[D805]"),
    ];
    let cases: Vec<(Trouble, &str, u64)> = troubles
        .iter()
        .flat_map(|(trouble, code)| [1, 2, 3].map(|third| (*trouble, *code, third)))
        .map(|(trouble, code, third)| {
            let place = random.between(calls * (third - 1) / 3 + 1, calls * third / 3);
            (trouble, code, place)
        })
        .collect();
    parallel(&cases, |(trouble, code, nth)| {
        let what = format!("{trouble:?} at {nth} of {calls}");
        let state = ground.state();
        let to = ground.account(&format!("b{trouble:?}{nth}").to_lowercase());
        let mut command = copy(&ground, state.path(), &to);
        disk.fail(&mut command, state.path(), *trouble, *nth);
        let output = command.output().unwrap();
        let told = said(&output);
        match output.status.code() {
            None => assert!(trouble.kills(), "{what}: {told}"),
            // Before anything was done, and on the way.
            Some(2 | 8) => assert!(!trouble.kills() && told.contains(code), "{what}: {told}"),
            // At the very end only: everything is there and recorded.
            Some(exit) => {
                assert_eq!(exit, 0, "{what}: {told}");
                ground.assert_arrived(&to, &what);
            }
        }
        ends_with(copy(&ground, state.path(), &to), 0, &what);
        ground.assert_arrived(&to, &what);
        let before = ground.snapshot(&to);
        ends_with(copy(&ground, state.path(), &to), 0, &what);
        assert_eq!(ground.snapshot(&to), before, "{what}");
    });
    ground.assert_source_untouched();
}

/// Where nothing may be written, the run says so before it begins.
#[test]
fn a_state_directory_without_room_is_refused_by_code() {
    let (ground, disk) = (Ground::new(8), Disk::build().unwrap());
    let to = ground.account("destination");
    for (trouble, code) in [
        (Trouble::NoSpaceOn, "[D804]"),
        (Trouble::QuotaOn, "[D804]"),
        (Trouble::IoOn, "[D805]"),
    ] {
        let state = ground.state();
        let mut command = copy(&ground, state.path(), &to);
        disk.fail(&mut command, state.path(), trouble, 1);
        let told = ends_with(command, 2, code);
        assert!(told.contains(code), "{told}");
    }
    let empty = ground.snapshot(&to);
    let messages: usize = empty.mailboxes.values().map(|m| m.messages.len()).sum();
    assert_eq!(messages, 0);
}

/// The second process is refused with the name of the first, whose right ends when it is killed.
#[test]
fn a_second_process_is_refused_by_name_and_a_killed_one_holds_nothing() {
    let ground = Ground::new(7);
    let to = ground.account("destination");
    let state = ground.state();
    // Slow enough to be met.
    let slow = ProxySettings {
        bandwidth: Some(20_000),
        ..ProxySettings::default()
    };
    let proxy = {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], ground.port()));
        Proxy::start(address, slow).unwrap()
    };
    let mut first = copy_through(&ground, state.path(), &to, proxy.port())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_secs(60);
    while !proxy
        .commands()
        .iter()
        .any(|c| c.contains(" APPEND ") || c.starts_with("APPEND"))
    {
        assert!(Instant::now() < limit, "{:?}", proxy.commands());
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut second = copy_through(&ground, state.path(), &to, proxy.port());
    second.arg("--verbose");
    let told = ends_with(second, 10, "the second");
    let name = format!("process {} since ", first.id());
    assert!(told.contains("[D801]") && told.contains(&name), "{told}");
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(told.contains(&format!(" on {}", machine.trim())), "{told}");
    first.kill().unwrap();
    first.wait().unwrap();
    let told = {
        // Another address would be another account.
        let mut third = copy_through(&ground, state.path(), &to, proxy.port());
        third.args(["--folder", "no-such-folder"]);
        said(&third.output().unwrap())
    };
    assert!(!told.contains("[D801]"), "{told}");
    ground.assert_source_untouched();
}

/// A password that was planted is in no file and no line of a run, whatever becomes of it (I10).
#[test]
fn no_file_of_a_run_holds_a_password() {
    let (ground, disk) = (Ground::new(9), Disk::build().unwrap());
    let to = ground.account("destination");
    let (state, elsewhere) = (ground.state(), ground.state());
    let calls = elsewhere.path().join("calls");
    let mut command = copy(&ground, state.path(), &to);
    command.arg("-vv").env("HIKYAKU_LOG", "trace");
    disk.record(&mut command, state.path(), &calls);
    let told = ends_with(command, 0, "the copy");
    // All that was ever written: the log that is gone at the end, too.
    let mut places = vec![("what was said".to_owned(), told.into_bytes())];
    let written = fs::read(&calls).unwrap();
    assert!(written.len() > 100_000, "{}", written.len());
    places.push(("all that was written".to_owned(), written));
    for account in [&ground.source, &to] {
        assert!(account.password.len() >= 8, "long enough to be no accident");
        for (place, octets) in &places {
            let password = account.password.as_bytes();
            let found = octets.windows(password.len()).any(|w| w == password);
            assert!(!found, "{place}");
        }
    }
}
