//! The real program as a service, in a process of its own.

use crate::world::World;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running `hikyaku serve`.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    /// Address of the page, without a slash at its end.
    pub(crate) url: String,
    log: PathBuf,
}

/// How long the program may take to start or to end; only there so that nothing hangs.
const LIMIT: Duration = Duration::from_secs(60);

impl Service {
    /// Starts it on any free port and waits until it says where.
    pub(crate) fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(world: &World, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hikyaku"));
        command
            .args(["serve", "-vv", "--lang", "en", "--config"])
            .arg(world.file("config.toml"))
            .arg("--state")
            .arg(world.file("state"))
            .args(more)
            .env_clear()
            .env("HOME", world.directory())
            // The authority of the old server is one that the system knows.
            .env("SSL_CERT_FILE", ca_file(world));
        Self::launch(command, world.file("log"))
    }

    /// Starts a program that offers a page, and waits until it says where. What it says is added to the log.
    pub(crate) fn launch(mut command: Command, log: PathBuf) -> Self {
        let before = fs::read_to_string(&log).unwrap_or_default().len();
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut service = Self {
            child,
            url: String::new(),
            log,
        };
        service.url = service.wait(|service| {
            let said = service.said();
            let place = said.get(before..)?.find("http://")? + before;
            let whole = said[place..].contains('\n');
            let line = said[place..].lines().next()?;
            whole.then(|| line.trim().trim_end_matches('/').to_owned())
        });
        service
    }

    /// Ends it as a power cut would, and starts it again at the same address.
    pub(crate) fn kill_and_restart(mut self, world: &World) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.url.trim_start_matches("http://").to_owned();
        Self::start_with(world, &["--listen", &listen])
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end: {}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it has said this.
    pub(crate) fn says(&mut self, words: &str) {
        self.wait(|service| service.said().contains(words).then_some(()));
    }

    /// Everything it ever wrote to its outputs, earlier runs included.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn wait<T>(&mut self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "it ended: {}", self.said());
            assert!(
                Instant::now() < deadline,
                "it does not start: {}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[allow(clippy::print_stdout, reason = "shown with the failure of the test")]
impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let said = self.said();
            let last: Vec<&str> = said.lines().rev().take(40).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            println!("the service said at the end:\n{}", last.join("\n"));
        }
    }
}

fn ca_file(world: &World) -> PathBuf {
    use hikyaku_testkit::servers::MailServer;
    world.old.instance().ca_file()
}
