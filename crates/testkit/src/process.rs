//! Processes, ports and directories of server instances, and the certainty that they end with the test.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// Directories of instances begin with this, below `/tmp` or `/dev/shm`.
const PREFIX: &str = "hikyaku-test-";

/// A directory of one server instance, reachable by every user and removed with the instance.
///
/// It does not lie in `TMPDIR`, because that is often below a home that the servers' users cannot enter. With
/// `HIKYAKU_KEEP=1` in the environment it is kept for inspection.
#[derive(Debug)]
pub(crate) struct InstanceDirectory {
    directory: Option<tempfile::TempDir>,
    path: PathBuf,
}

impl InstanceDirectory {
    /// Creates a directory on disk, or on the machine's tmpfs when `in_memory`.
    pub(crate) fn create(in_memory: bool) -> Result<Self> {
        let base = Path::new(if in_memory { "/dev/shm" } else { "/tmp" });
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(base)
            .with_context(|| {
                format!("cannot create an instance directory in {}", base.display())
            })?;
        let path = directory.path().to_owned();
        set_mode(&path, 0o755)?;
        let own = std::process::id();
        fs::write(
            path.join("owner"),
            format!("{own} {}\n", started_at(own).unwrap_or(0)),
        )?;
        Ok(Self {
            directory: Some(directory),
            path,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a directory below this one with the given mode and owner.
    pub(crate) fn subdirectory(
        &self,
        name: &str,
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        set_mode(&path, mode)?;
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(&path, Some(user), Some(group))
                .with_context(|| format!("cannot give {} to user {user}", path.display()))?;
        }
        Ok(path)
    }
}

impl Drop for InstanceDirectory {
    fn drop(&mut self) {
        if let Some(directory) = self.directory.take() {
            if std::env::var_os("HIKYAKU_KEEP").is_some() {
                drop(directory.keep());
            } else {
                // A file that cannot be removed must not turn a good test into a failed one; the sweep finds it later.
                directory.close().ok();
            }
        }
    }
}

/// Sets the permission bits of a file or directory.
pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

/// A loopback port held by this process until it is dropped.
///
/// Ports are taken from below the ephemeral range and guarded by a lock file each, so that test processes running side
/// by side never take the same one between looking and listening.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port on which nothing listens.
    pub(crate) fn reserve() -> Result<Self> {
        const FIRST: u32 = 12_000;
        const COUNT: u32 = 18_000;
        let locks = Path::new("/tmp/hikyaku-test-ports");
        if !locks.is_dir() {
            fs::create_dir_all(locks).context("cannot create the directory of port locks")?;
            set_mode(locks, 0o1777)?;
        }
        // Neighbouring processes start far apart, so most look-ups succeed at once.
        let start = std::process::id().wrapping_mul(7_919) % COUNT;
        for step in 0..COUNT {
            let number = u16::try_from(FIRST + (start + step) % COUNT).context("port range")?;
            let Ok(lock) = File::create(locks.join(number.to_string())) else {
                continue;
            };
            if lock.try_lock().is_err() {
                continue;
            }
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        bail!(
            "no free loopback port between {FIRST} and {}",
            FIRST + COUNT
        )
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}

/// A server process with everything it started, ended on drop.
///
/// The process leads a group of its own, which is killed as a whole, and the kernel kills the leader should the test
/// process die without dropping it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts `command` in a process group of its own; its output goes to `output.log` in the instance directory.
    ///
    /// Process number and start time are recorded in the directory for [`sweep`].
    pub(crate) fn start(
        program: &Path,
        configure: impl FnOnce(&mut Command),
        directory: &Path,
    ) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(directory.join("output.log"))?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .current_dir(directory)
            .process_group(0);
        configure(&mut command);
        let child = spawn_from_lasting_thread(command)
            .with_context(|| format!("cannot start {}", program.display()))?;
        let record = directory.join("processes");
        let known = fs::read_to_string(&record).unwrap_or_default();
        fs::write(
            record,
            format!(
                "{known}{} {}\n",
                child.id(),
                started_at(child.id()).unwrap_or(0)
            ),
        )?;
        Ok(Self { child })
    }

    /// Fails when the process has already ended.
    pub(crate) fn expect_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the server ended at once ({status})"),
        }
    }

    /// Waits until `ready` returns a value, failing when the process ends or twenty seconds have passed.
    pub(crate) fn wait_until<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            self.expect_alive()?;
            if let Some(value) = ready() {
                return Ok(value);
            }
            if Instant::now() > deadline {
                bail!("the server does not answer after twenty seconds");
            }
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    /// Kills the whole group and waits until the leader is gone.
    pub(crate) fn kill(&mut self) {
        // The leader has not been waited for before this, so its number cannot belong to anybody else.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(pid, Signal::KILL).ok();
            self.child.wait().ok();
            // Members that were busy in the kernel are given a moment to leave, so that the directory can be removed.
            let deadline = Instant::now() + Duration::from_secs(2);
            while group_runs(self.child.id()) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Spawns from a thread that lives as long as the process: the kernel's parent-death signal follows the thread that
/// spawned, and a test's own thread may end before its servers do.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Request = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, reply) in receiver {
                reply.send(command.spawn()).ok();
            }
        });
        sender
    });
    let gone = || io::Error::other("the thread that starts servers has ended");
    let (reply, answer) = mpsc::channel();
    spawner.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

/// Whether a process of the group still runs. Dead ones that nobody has waited for do not count: the system's first
/// process may take a second to do so.
fn group_runs(group: u32) -> bool {
    let group = group.to_string();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let Some((_, after_name)) = stat.rsplit_once(')') else {
                return false;
            };
            let mut fields = after_name.split_ascii_whitespace();
            let state = fields.next();
            fields.nth(1) == Some(&group) && !matches!(state, Some("Z" | "X"))
        })
}

/// The start time of a process in clock ticks since boot, which tells it from a later one with the same number.
fn started_at(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold blanks; the start time is field 22.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Ends what test processes that died left behind: their servers and their directories.
///
/// Only processes whose number and start time were recorded by this crate are touched. Returns how many directories
/// were removed.
pub(crate) fn sweep() -> usize {
    let mut removed = 0;
    for base in ["/tmp", "/dev/shm"] {
        for entry in fs::read_dir(base).into_iter().flatten().flatten() {
            let path = entry.path();
            let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            // A directory that is just being made has no owner written yet.
            let mut owners = recorded(&path.join("owner")).peekable();
            if !ours || owners.peek().is_none() || owners.any(is_alive) {
                continue;
            }
            for (pid, start) in recorded(&path.join("processes")) {
                if is_alive((pid, start))
                    && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
                {
                    kill_process_group(pid, Signal::KILL).ok();
                }
            }
            removed += usize::from(fs::remove_dir_all(&path).is_ok());
        }
    }
    removed
}

fn recorded(file: &Path) -> impl Iterator<Item = (u32, u64)> + use<> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let pairs: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let (pid, start) = line.split_once(' ')?;
            Some((pid.parse().ok()?, start.trim().parse().ok()?))
        })
        .collect();
    pairs.into_iter()
}

fn is_alive((pid, start): (u32, u64)) -> bool {
    started_at(pid) == Some(start)
}

/// The numbers of a user of this system and of its group.
pub(crate) fn user_and_group(name: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name));
    let mut fields = line
        .with_context(|| format!("this system has no user {name}"))?
        .split(':')
        .skip(2);
    let mut number = || fields.next().and_then(|field| field.parse::<u32>().ok());
    number()
        .zip(number())
        .with_context(|| format!("/etc/passwd has no numbers for {name}"))
}

/// Runs a command to its end and returns its standard output; a failure carries what it wrote to standard error.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    run_with_input(command, b"")
}

/// As [`run`], with `input` on standard input, so that secrets never stand in an argument list.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Result<String> {
    use std::io::Write;
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading its input says why in its own words below.
        stdin.write_all(input).ok();
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}): {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};

    use super::{InstanceDirectory, PREFIX, Running, started_at, sweep};

    #[test]
    fn a_sweep_ends_what_a_dead_test_process_left_and_nothing_else() {
        let living = InstanceDirectory::create(false).unwrap();
        let left = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        let mut ended = Command::new("true").spawn().unwrap();
        let owner = format!("{} {}\n", ended.id(), started_at(ended.id()).unwrap_or(0));
        ended.wait().unwrap();
        fs::write(left.join("owner"), owner).unwrap();
        let argument = |command: &mut Command| {
            command.arg("1000");
        };
        let mut server = Running::start("sleep".as_ref(), argument, &left).unwrap();
        // A process that took over a recorded number, but started later, is somebody else's.
        let mut other = Command::new("sleep")
            .arg("1000")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let record = left.join("processes");
        let recorded = fs::read_to_string(&record).unwrap();
        fs::write(&record, format!("{recorded}{} 1\n", other.id())).unwrap();

        sweep();
        assert!(!left.exists() && living.path().exists());
        assert!(
            server
                .wait_until::<()>(|| None)
                .unwrap_err()
                .to_string()
                .contains("ended")
        );
        assert!(
            other.try_wait().unwrap().is_none(),
            "the other process lives"
        );
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
