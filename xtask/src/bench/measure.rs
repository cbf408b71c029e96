//! Running one program and telling what it used.
//!
//! The program is started by a small process of its own (this tool again, see [`measured`]): Linux counts the memory of
//! the process that forks as the child's peak, and this tool holds whole accounts in memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use wait4::Wait4;

/// The first argument that makes this tool the small process.
pub(super) const FLAG: &str = "--measured";

/// What a program used, from its start to its end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Usage {
    /// Wall time in seconds.
    pub(super) seconds: f64,
    /// Processor time of its own, in seconds.
    pub(super) user: f64,
    /// Processor time in the kernel, in seconds.
    pub(super) system: f64,
    /// Peak resident memory of its largest process, in octets.
    pub(super) peak: u64,
}

/// How the small process tells what happened.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    usage: Usage,
    /// `None` when it ended well.
    failure: Option<String>,
}

/// Runs `command` with its output in `log` and returns what it used; fails when it failed or took longer than `limit`,
/// with the end of its output.
///
/// Program, arguments, environment and directory are taken from `command`.
pub(super) fn run(command: &Command, log: &Path, limit: Duration) -> Result<Usage> {
    let told = log.with_extension("usage");
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut small = Command::new(std::env::current_exe()?);
    small
        .args(["bench", FLAG])
        .arg(&told)
        .arg(limit.as_secs().to_string())
        .arg(command.get_program())
        .args(command.get_args())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    if let Some(directory) = command.get_current_dir() {
        small.current_dir(directory);
    }
    let status = small.status().context("cannot run the measuring process")?;
    ensure!(status.success(), "the measuring process: {}", tail(log));
    let told: Told = serde_json::from_slice(&fs::read(&told)?)?;
    match told.failure {
        None => Ok(told.usage),
        Some(failure) => anyhow::bail!("{failure}: {}", tail(log)),
    }
}

/// The small process: `FILE SECONDS PROGRAM ARGUMENTS…`.
pub(super) fn measured(arguments: &[String]) -> Result<()> {
    let [file, limit, program, arguments @ ..] = arguments else {
        anyhow::bail!("{FLAG} is not for people");
    };
    let limit = Duration::from_secs(limit.parse()?);
    let started = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        // Cargo's, with directories that the loader would search for every library of the program.
        .env_remove("LD_LIBRARY_PATH")
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (ended, wait) = mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        let late = wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if let (true, Some(number)) = (late, number) {
            kill_process(number, Signal::KILL).ok();
        }
        late
    });
    let used = child.wait4()?;
    let seconds = started.elapsed().as_secs_f64();
    ended.send(()).ok();
    let late = guard.join().unwrap_or(false);
    let told = Told {
        usage: Usage {
            seconds,
            user: used.rusage.utime.as_secs_f64(),
            system: used.rusage.stime.as_secs_f64(),
            peak: used.rusage.maxrss,
        },
        failure: failure(used.status, late, limit),
    };
    fs::write(file, serde_json::to_vec(&told)?)?;
    Ok(())
}

fn failure(status: ExitStatus, late: bool, limit: Duration) -> Option<String> {
    if late {
        return Some(format!(
            "ended after {} s without a result",
            limit.as_secs()
        ));
    }
    (!status.success()).then(|| status.to_string())
}

/// The last words of a program, in one line.
fn tail(log: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let lines = lines.split_off(lines.len().saturating_sub(4));
    let mut text = lines.join(" / ");
    if let Some((end, _)) = text.char_indices().nth(400) {
        text.truncate(end);
    }
    text
}
