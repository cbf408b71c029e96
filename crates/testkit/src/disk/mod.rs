//! A disk that fails, tears or kills at the n-th write of a program, or records all that is written.
//!
//! A small library in C (`shim.c`) is put between a program and the C library by `LD_PRELOAD`. It counts the calls that
//! change files below one directory: writing, cutting, syncing, making, renaming and removing. Linux only, because of
//! `/proc` and the names of the calls; elsewhere [`Disk::build`] is a fault that says so. Start reading at [`Disk`];
//! [`Recording`] plays a recorded life back, up to a power cut.

mod recording;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

pub use recording::{Files, Recorded, Recording};

/// The library, built anew for this process and removed with it.
#[derive(Debug)]
pub struct Disk {
    directory: tempfile::TempDir,
}

/// What happens at a call. Calls are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The process dies instead of making the call.
    KillBefore,
    /// The process dies right after the call.
    KillAfter,
    /// Half of the octets are written, then the process dies.
    KillTorn,
    /// The disk is full at this call only.
    NoSpace,
    /// The disk is full from this call on.
    NoSpaceOn,
    /// Half of the octets are written, and the disk is full from then on.
    Torn,
    /// The person may not write more from this call on (EDQUOT).
    QuotaOn,
    /// The disk fails at this call only (EIO).
    Io,
    /// The disk fails from this call on.
    IoOn,
}

impl Trouble {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::KillBefore,
        Self::KillAfter,
        Self::KillTorn,
        Self::NoSpace,
        Self::NoSpaceOn,
        Self::Torn,
        Self::QuotaOn,
        Self::Io,
        Self::IoOn,
    ];

    /// Whether the process dies of it.
    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter | Self::KillTorn)
    }

    fn word(self) -> &'static str {
        match self {
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
            Self::KillTorn => "kill-torn",
            Self::NoSpace => "no-space",
            Self::NoSpaceOn => "no-space-on",
            Self::Torn => "torn",
            Self::QuotaOn => "quota-on",
            Self::Io => "io",
            Self::IoOn => "io-on",
        }
    }
}

impl Disk {
    /// Compiles the library with `cc`, which building the product asks for anyway.
    pub fn build() -> Result<Self> {
        ensure!(
            cfg!(target_os = "linux"),
            "faults of the disk can be made on Linux only"
        );
        let directory = tempfile::tempdir()?;
        let source = directory.path().join("shim.c");
        std::fs::write(&source, include_str!("shim.c"))?;
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
        compile.arg(directory.path().join("shim.so")).arg(&source);
        let output = compile.arg("-ldl").output().context("cc")?;
        ensure!(
            output.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Self { directory })
    }

    /// Makes the n-th call of a program below a directory go wrong.
    pub fn fail(&self, command: &mut Command, below: &Path, trouble: Trouble, nth: u64) {
        self.load(command, below, trouble.word());
        command.env("DISK_AT", nth.to_string());
    }

    /// Writes every call of a program below a directory to a file, which must not lie there itself; see [`Recording`].
    pub fn record(&self, command: &mut Command, below: &Path, to: &Path) {
        self.load(command, below, "none");
        command.env("DISK_RECORD", to);
    }

    fn load(&self, command: &mut Command, below: &Path, word: &str) {
        // The calls tell real paths.
        let below = below
            .canonicalize()
            .unwrap_or_else(|_| PathBuf::from(below));
        command
            .env("LD_PRELOAD", self.directory.path().join("shim.so"))
            .env("DISK_UNDER", below)
            .env("DISK_FAULT", word);
    }
}
