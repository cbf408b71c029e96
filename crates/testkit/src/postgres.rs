//! A private PostgreSQL from Debian's package, for the ledger's tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{InstanceDirectory, Port, Running, run, user_and_group};

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "hikyaku";
const PASSWORD: &str = "pw-of-hikyaku";

/// A running PostgreSQL with one role, which owns every database of it. Nothing is flushed to disk.
#[derive(Debug)]
pub struct Postgres {
    // Order matters: the processes end before their directory goes.
    _running: Running,
    directory: InstanceDirectory,
    port: Port,
}

impl Postgres {
    /// Creates a cluster of its own, starts it on a free loopback port and waits until it takes connections.
    pub fn start() -> Result<Self> {
        ensure!(
            Path::new(PROGRAMS).join("postgres").exists(),
            "PostgreSQL 15 is not installed: run `cargo xtask test`, which installs what the tests need"
        );
        ensure!(
            rustix::process::geteuid().is_root(),
            "PostgreSQL is started as root, to leave it for another user: run the tests with `cargo xtask test`"
        );
        let directory = InstanceDirectory::create(false)?;
        let port = Port::reserve()?;
        let owner = user_and_group("postgres")?;
        let data = directory.subdirectory("data", 0o700, Some(owner))?;
        let sockets = directory.subdirectory("sockets", 0o755, Some(owner))?;
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD)?;
        run(Command::new("setpriv")
            .args(as_postgres())
            .arg(format!("{PROGRAMS}/initdb"))
            .args([
                "--username",
                USER,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
            ])
            .args(["--no-sync", "--no-instructions"])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data)
            .current_dir(&data))?;
        let configured = |command: &mut Command| {
            // The signal is asked for again because changing the user takes it back.
            command
                .args(["--pdeathsig", "KILL"])
                .args(as_postgres())
                .arg(format!("{PROGRAMS}/postgres"));
            command.arg("-D").arg(&data).arg("-k").arg(&sockets);
            command.args(["-h", "127.0.0.1", "-p", &port.number().to_string()]);
            for setting in [
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
                "shared_buffers=32MB",
                // In its directory, which goes with it: it is killed, and would leave it in /dev/shm.
                "dynamic_shared_memory_type=mmap",
            ] {
                command.args(["-c", setting]);
            }
        };
        let mut running = Running::start(Path::new("setpriv"), configured, directory.path())?;
        let log = directory.path().join("output.log");
        let said = |words: &str| fs::read_to_string(&log).unwrap_or_default().contains(words);
        running
            .wait_until(|| said("database system is ready to accept connections").then_some(()))
            .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self {
            _running: running,
            directory,
            port,
        })
    }

    /// The URL of the database `postgres`, which is empty.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Creates an empty database and returns its URL, so that tests may share one server.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let fine = name
            .bytes()
            .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_');
        ensure!(
            fine && !name.is_empty(),
            "{name:?} cannot be the name of a database here"
        );
        self.query(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url_of(name))
    }

    /// Runs SQL in the database `postgres` and returns the rows, one a line, columns divided by `|`.
    pub fn query(&self, sql: &str) -> Result<String> {
        let psql = format!("{PROGRAMS}/psql");
        let mut command = Command::new(psql);
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            USER,
            "-d",
            "postgres",
            "-c",
            sql,
        ]);
        command
            .arg("-h")
            .arg("127.0.0.1")
            .arg("-p")
            .arg(self.port.number().to_string());
        run(command
            .env("PGPASSWORD", PASSWORD)
            .current_dir(self.directory.path()))
    }

    fn url_of(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@{}/{database}",
            self.port.address()
        )
    }
}

/// Arguments of `setpriv` that make the following program run as the user of Debian's package.
fn as_postgres() -> [&'static str; 4] {
    [
        "--reuid=postgres",
        "--regid=postgres",
        "--init-groups",
        "--",
    ]
}
