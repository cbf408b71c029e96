//! Runs the real binary in a home of its own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A home directory with nothing in it.
pub(crate) struct Home(TempDir);

/// What a run said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) exit: i32,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    /// The directory itself.
    #[allow(
        dead_code,
        reason = "not every test file looks at all that was written"
    )]
    pub(crate) fn root(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Writes the configuration.
    #[allow(dead_code, reason = "not every test file has one")]
    pub(crate) fn config(&self, text: &str) {
        let directory = self.0.path().join(".config/hikyaku");
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join("config.toml"), text).expect("a file");
    }

    /// Where the ledger is.
    #[allow(dead_code, reason = "not every test file keeps a ledger")]
    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.path().join(".local/state/hikyaku/ledger.sqlite")
    }

    /// Whether anything was kept.
    #[allow(dead_code, reason = "not every test file asks")]
    pub(crate) fn has_ledger(&self) -> bool {
        self.0.path().join(".local/state/hikyaku").exists()
    }

    /// The binary with the arguments, in a surrounding without settings.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hikyaku"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    #[allow(dead_code, reason = "not every test file runs without passwords")]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Said {
        self.finish(&mut self.command(arguments))
    }

    /// Runs a prepared command to its end.
    pub(crate) fn finish(&self, command: &mut Command) -> Said {
        let output = command.output().expect("the binary runs");
        Said {
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// The path of a file in the home, as text.
    #[allow(dead_code, reason = "not every test file keeps files")]
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A file in the home.
    #[allow(dead_code, reason = "not every test file keeps files")]
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}
