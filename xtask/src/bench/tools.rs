//! The programs that are measured, each with the command an experienced person would give it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::limit::End;
use crate::step::{output, root};

/// A program, in the order in which the tables show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tool {
    /// What the servers allow; no program but this tool's own client.
    Limit,
    /// isync's mbsync.
    Mbsync,
    /// `doveadm backup`.
    Dsync,
    /// The product.
    Hikyaku,
}

impl Tool {
    pub(super) const ALL: [Self; 4] = [Self::Limit, Self::Mbsync, Self::Dsync, Self::Hikyaku];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Mbsync => "mbsync",
            Self::Dsync => "dsync",
            Self::Hikyaku => "hikyaku",
        }
    }

    /// Whether what vanished from the source vanishes from the destination too.
    pub(super) fn mirrors(self) -> bool {
        self == Self::Dsync
    }
}

/// What a program needs to know for one run.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) source: &'a End,
    pub(super) destination: &'a End,
    /// The configuration of the destination's Dovecot, for dsync.
    pub(super) server: &'a Path,
    /// Where the program keeps what it remembers; its own, and kept from run to run.
    pub(super) state: &'a Path,
}

/// Writes the program's files and makes the command; [`Tool::Limit`] has none.
pub(super) fn command(tool: Tool, task: &Task<'_>) -> Result<Option<Command>> {
    match tool {
        Tool::Limit => Ok(None),
        Tool::Mbsync => mbsync(task).map(Some),
        Tool::Dsync => dsync(task).map(Some),
        Tool::Hikyaku => hikyaku(task).map(Some),
    }
}

/// mbsync, asked for what it has nearest to a copy: new messages and flags towards the destination, mailboxes made,
/// arrival dates kept. Pipelining is unlimited, as is its default.
fn mbsync(task: &Task<'_>) -> Result<Command> {
    let account = |name: &str, end: &End| {
        format!(
            "IMAPAccount {name}\nHost {}\nPort {}\nUser {}\nPass \"{}\"\nSSLType None\nAuthMechs LOGIN\n\n\
             IMAPStore {name}\nAccount {name}\n\n",
            end.address.ip(),
            end.address.port(),
            end.user,
            end.password
        )
    };
    let boxes = task.state.join("boxes");
    fs::create_dir_all(&boxes)?;
    let text = format!(
        "{}{}Channel copy\nFar :source:\nNear :destination:\nPatterns INBOX *\nSync Pull New Flags\nCreate Near\n\
         CopyArrivalDate yes\nSyncState {}/\n",
        account("source", task.source),
        account("destination", task.destination),
        boxes.display()
    );
    let file = task.state.join("mbsyncrc");
    secret(&file, &text)?;
    let mut command = Command::new("mbsync");
    command
        .arg("--config")
        .arg(file)
        .args(["--quiet", "copy"])
        .env("HOME", task.state);
    Ok(command)
}

/// dsync as Dovecot's own guide to migration has it. It reads by IMAP and writes the destination's files itself.
fn dsync(task: &Task<'_>) -> Result<Command> {
    let server = fs::read_to_string(task.server)
        .with_context(|| format!("cannot read {}", task.server.display()))?;
    let text = format!(
        "{server}\nimapc_host = {}\nimapc_port = {}\nimapc_user = {}\nimapc_password = {}\n\
         imapc_features = rfc822.size fetch-headers\nmail_prefetch_count = 20\n",
        task.source.address.ip(),
        task.source.address.port(),
        task.source.user,
        task.source.password
    );
    let file = task.state.join("dsync.conf");
    secret(&file, &text)?;
    let mut command = Command::new("doveadm");
    command
        .arg("-c")
        .arg(file)
        .args(["backup", "-R", "-u", &task.destination.user, "imapc:"]);
    Ok(command)
}

/// hikyaku as a person would call it.
fn hikyaku(task: &Task<'_>) -> Result<Command> {
    let mut command = Command::new(hikyaku_program());
    command.arg("copy");
    for end in [task.source, task.destination] {
        command.arg(format!("imap+insecure://{}@{}", end.user, end.address));
    }
    command.arg("--state").arg(task.state.join("ledger"));
    for (side, end) in [("source", task.source), ("destination", task.destination)] {
        let file = task.state.join(format!("{side}-password"));
        secret(&file, &format!("{}\n", end.password))?;
        command.arg(format!("--{side}-password-file")).arg(file);
    }
    command
        .args(["--lang", "en"])
        .env("HOME", task.state)
        .env("XDG_CONFIG_HOME", task.state)
        .env_remove("HIKYAKU_LOG");
    Ok(command)
}

/// Where cargo puts the release build.
pub(super) fn hikyaku_program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path));
    target.join("release/hikyaku")
}

/// The versions of all programs, Dovecot's last.
pub(super) fn versions() -> Vec<String> {
    let first_line = |name: &str, command: &mut Command| {
        let text = output(command).unwrap_or_else(|_| "not there".to_owned());
        let line = text.lines().next().unwrap_or_default().trim();
        match line.starts_with(name) {
            true => line.to_owned(),
            false => format!("{name} {line}"),
        }
    };
    vec![
        first_line("hikyaku", Command::new(hikyaku_program()).arg("--version")),
        first_line("mbsync of", Command::new("mbsync").arg("--version")),
        first_line(
            "Dovecot (servers and dsync)",
            Command::new("dovecot").arg("--version"),
        ),
    ]
}

/// Writes a file that only its owner can read.
fn secret(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
