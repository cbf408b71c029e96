//! A private PostgreSQL server, reachable by a socket in its own directory, gone with the test.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use sqlx::{ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};

/// Debian keeps each major version's programs apart; the newest that is there serves.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed: apt-get install postgresql")?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .context("PostgreSQL is not installed: apt-get install postgresql")
}

pub(crate) struct Postgres {
    server: Child,
    directory: tempfile::TempDir,
    databases: AtomicU32,
}

impl Postgres {
    pub(crate) async fn start() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("hikyaku-ledger-pg-")
            .tempdir_in("/tmp")?;
        let data = directory.path().join("data");
        let is_root = is_root()?;
        if is_root {
            let (user, group) = owner_of_postgres()?;
            chown(directory.path(), Some(user), Some(group))?;
        }
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        let made = as_server(is_root, &programs()?.join("initdb"))
            .args([
                "--auth=trust",
                "--username=postgres",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut settings = std::fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))?;
        // The machine will not lose power during a test.
        writeln!(
            settings,
            "fsync = off\nlisten_addresses = ''\nshared_buffers = 16MB\nmax_connections = 40"
        )?;
        let server = as_server(is_root, &programs()?.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(directory.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.path().join("log"))?)
            .spawn()?;
        let mut made = Self {
            server,
            directory,
            databases: AtomicU32::new(0),
        };
        made.wait().await?;
        Ok(made)
    }

    async fn wait(&mut self) -> Result<()> {
        for _ in 0..300 {
            if self.administrator().await.is_ok() {
                return Ok(());
            }
            ensure!(
                self.server.try_wait()?.is_none(),
                "PostgreSQL ended: {}",
                self.log()
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("PostgreSQL does not answer: {}", self.log())
    }

    async fn administrator(&self) -> Result<PgConnection> {
        self.connection(&self.url("postgres")).await
    }

    /// A connection past the ledger.
    pub(crate) async fn connection(&self, url: &str) -> Result<PgConnection> {
        let options: PgConnectOptions = url.parse()?;
        Ok(options.disable_statement_logging().connect().await?)
    }

    /// The address of a new, empty database.
    pub(crate) async fn database(&self) -> Result<String> {
        let name = format!("ledger{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")));
        self.administrator().await?.execute(create).await?;
        Ok(self.url(&name))
    }

    fn url(&self, database: &str) -> String {
        let socket = self
            .directory
            .path()
            .display()
            .to_string()
            .replace('/', "%2F");
        format!("postgres://postgres@{socket}/{database}")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT would let it write a farewell into a directory that is about to go.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn is_root() -> Result<bool> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status
        .lines()
        .any(|line| line.split_whitespace().take(3).eq(["Uid:", "0", "0"])))
}

fn owner_of_postgres() -> Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users
        .lines()
        .find(|l| l.starts_with("postgres:"))
        .context("there is no user postgres")?;
    let mut numbers = line.split(':').skip(2);
    let mut number = || {
        numbers
            .next()
            .and_then(|n| n.parse().ok())
            .context("a line of /etc/passwd")
    };
    Ok((number()?, number()?))
}

/// PostgreSQL refuses to run as root. The kernel ends it with the test, however that ends.
fn as_server(is_root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command
        .arg(program)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/tmp");
    command
}
