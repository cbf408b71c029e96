//! Fetches the packages that the tests need, once for a machine.
//!
//! Dovecot, isync, PostgreSQL and Chromium are installed as usual. The packages of Cyrus and Courier exclude Dovecot's (each
//! claims to be *the* mail server of the machine), so theirs are only unpacked, into [`prefix`]: nothing of them is
//! configured and no service starts. `cargo xtask test` calls [`ensure`].

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{run, set_mode, sweep};

/// Installed as usual: a program that shows the package is there, and the package.
const ORDINARY: [(&str, &str); 9] = [
    ("/usr/sbin/dovecot", "dovecot-core"),
    ("/usr/lib/dovecot/imap", "dovecot-imapd"),
    ("/usr/lib/dovecot/pop3", "dovecot-pop3d"),
    ("/usr/bin/mbsync", "isync"),
    ("/usr/lib/postgresql/15/bin/initdb", "postgresql-15"),
    ("/usr/bin/setpriv", "util-linux"),
    (crate::browser::PROGRAM, "chromium"),
    (crate::browser::DRIVER, "chromium-driver"),
    // Pages in Japanese are looked at, and pictured.
    (
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "fonts-noto-cjk",
    ),
];

/// Unpacked aside: a name, a program that shows it is there, and the packages.
const ASIDE: [(&str, &str, &[&str]); 2] = [
    (
        "cyrus",
        "usr/lib/cyrus/bin/master",
        &[
            "cyrus-imapd",
            "cyrus-pop3d",
            "cyrus-clients",
            "sasl2-bin",
            "libsasl2-modules",
            "libsasl2-modules-db",
        ],
    ),
    (
        "courier",
        "usr/bin/imapd",
        &[
            "courier-imap",
            "courier-pop",
            "courier-authdaemon",
            "courier-authlib-userdb",
        ],
    ),
];

/// Raised when the way of unpacking changes, so that machines unpack again.
const RECIPE: &str = "1\n";

/// Where Cyrus and Courier are unpacked: `/var/lib/hikyaku-testkit`, or `HIKYAKU_TESTKIT` in the environment.
///
/// Every directory above must be open to every user, because the servers leave root before they run their parts.
pub fn prefix() -> PathBuf {
    std::env::var_os("HIKYAKU_TESTKIT")
        .map_or_else(|| PathBuf::from("/var/lib/hikyaku-testkit"), PathBuf::from)
}

/// Installs what is missing and removes what earlier, killed test runs left behind. `say` hears what is done.
///
/// With everything in place this takes a few milliseconds and changes nothing. It works as root or by `sudo` on a
/// Debian system; elsewhere it fails with the list of what to install by hand.
pub fn ensure(say: &mut dyn FnMut(&str)) -> Result<()> {
    ensure_with(&[], say)
}

/// The same with further packages, each behind a file that shows that it is there: what only a benchmark runs.
pub fn ensure_with(more: &[(&str, &str)], say: &mut dyn FnMut(&str)) -> Result<()> {
    if sweep() > 0 {
        say("removed what an earlier test run left behind");
    }
    let ordinary: Vec<&str> = ORDINARY
        .iter()
        .chain(more)
        .filter(|(program, _)| !Path::new(program).exists())
        .map(|(_, package)| *package)
        .collect();
    let aside: Vec<_> = ASIDE
        .iter()
        .filter(|(name, program, _)| !is_unpacked(name, program))
        .collect();
    if ordinary.is_empty() && aside.is_empty() {
        return Ok(());
    }
    require_apt(&ordinary)?;
    as_root(&["mkdir", "-p", &prefix().to_string_lossy()])?;
    let _lock = lock()?;
    if !ordinary.is_empty() {
        say(&format!("installing {} with apt-get", ordinary.join(", ")));
        install_ordinary(&ordinary)?;
    }
    for (name, program, packages) in aside {
        // Another run may have done it while this one waited for the lock.
        if !is_unpacked(name, program) {
            say(&format!(
                "unpacking {} into {}",
                packages.join(", "),
                prefix().display()
            ));
            unpack(name, packages).with_context(|| format!("cannot unpack {name}"))?;
        }
    }
    Ok(())
}

fn is_unpacked(name: &str, program: &str) -> bool {
    let stamp = fs::read_to_string(prefix().join(format!("{name}.recipe"))).unwrap_or_default();
    stamp == RECIPE && prefix().join(name).join(program).exists()
}

fn require_apt(ordinary: &[&str]) -> Result<()> {
    let unpacked: Vec<&str> = ASIDE
        .iter()
        .flat_map(|(_, _, packages)| packages.iter().copied())
        .collect();
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "the tests need Debian 12's packages, and this system has no apt-get. Missing: {}; besides, unpacked below \
             {} (dpkg -x): {}. Run the tests in a Debian 12 container instead",
            ordinary.join(" "),
            prefix().display(),
            unpacked.join(" ")
        );
    }
    if !is_root() && run(Command::new("sudo").args(["-n", "true"])).is_err() {
        bail!(
            "installing needs root. Run `cargo xtask test` as root, or allow sudo without a password, or install by \
             hand: apt-get install {}; and unpack below {}: {}",
            ordinary.join(" "),
            prefix().display(),
            unpacked.join(" ")
        );
    }
    Ok(())
}

/// Whether this process may install packages and start servers itself.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a command as root, by sudo where this process is not.
fn as_root(words: &[&str]) -> Result<String> {
    let mut command = if is_root() {
        Command::new("env")
    } else {
        Command::new("sudo")
    };
    if !is_root() {
        command.args(["-n", "env"]);
    }
    run(command
        .args(["DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"])
        .args(words))
}

fn lock() -> Result<File> {
    let path = PathBuf::from(format!(
        "/var/tmp/hikyaku-testkit-{}.lock",
        rustix::process::geteuid().as_raw()
    ));
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock()
        .context("cannot wait for another installation")?;
    Ok(file)
}

fn install_ordinary(packages: &[&str]) -> Result<()> {
    // Services of freshly installed packages would occupy the machine's ports; tests start their own.
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let keep_quiet = !policy.exists();
    if keep_quiet {
        as_root(&[
            "sh",
            "-c",
            "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d",
        ])?;
    }
    let mut words = vec!["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    words.extend_from_slice(packages);
    let installed = with_fresh_lists(|| as_root(&words));
    if keep_quiet {
        as_root(&["rm", "-f", "/usr/sbin/policy-rc.d"])?;
    }
    installed.with_context(|| format!("cannot install {}", packages.join(" ")))
}

/// Tries with the package lists at hand, then once more with fresh ones: a new container has none, an old one stale.
fn with_fresh_lists(mut attempt: impl FnMut() -> Result<String>) -> Result<()> {
    if attempt().is_err() {
        as_root(&["apt-get", "update", "-q"])?;
        attempt()?;
    }
    Ok(())
}

/// Downloads exactly the packages that are missing and unpacks them into a directory of their own.
fn unpack(name: &str, packages: &[&str]) -> Result<()> {
    let work = tempfile::Builder::new()
        .prefix("hikyaku-packages-")
        .tempdir_in("/var/tmp")?;
    // The user `_apt`, which downloads, must be able to enter.
    set_mode(work.path(), 0o755)?;
    let archives = work.path().join("archives");
    fs::create_dir_all(archives.join("partial"))?;
    let status = work.path().join("status");
    fs::write(
        &status,
        status_without_mail_servers(&fs::read_to_string("/var/lib/dpkg/status")?),
    )?;
    let (cache, state) = (
        format!("Dir::Cache::archives={}", archives.display()),
        format!("Dir::State::status={}", status.display()),
    );
    let mut words = vec![
        "apt-get",
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "--download-only",
    ];
    words.extend_from_slice(&["-o", &cache, "-o", &state]);
    words.extend_from_slice(packages);
    with_fresh_lists(|| as_root(&words))?;
    let target = prefix().join(name);
    let target_name = target.to_string_lossy();
    as_root(&["rm", "-rf", &target_name])?;
    as_root(&["mkdir", "-p", "-m", "755", &target_name])?;
    for entry in fs::read_dir(&archives)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            as_root(&["dpkg", "-x", &path.to_string_lossy(), &target_name])?;
        }
    }
    as_root(&["chmod", "755", &prefix().to_string_lossy(), &target_name])?;
    let stamp = prefix().join(format!("{name}.recipe"));
    as_root(&[
        "sh",
        "-c",
        &format!(
            "printf '{}' > '{}'",
            RECIPE.escape_default(),
            stamp.display()
        ),
    ])?;
    // What root downloaded only root may remove.
    as_root(&["rm", "-rf", &archives.to_string_lossy()])?;
    Ok(())
}

/// dpkg's list of installed packages without the mail servers, which exclude each other, and with a mail transfer
/// agent, which they ask for and the tests do not need.
fn status_without_mail_servers(status: &str) -> String {
    const LEFT_OUT: [&str; 6] = ["dovecot", "cyrus", "courier", "exim4", "postfix", "isync"];
    let mut kept: String = status
        .split_inclusive("\n\n")
        .filter(|stanza| {
            let name = stanza
                .lines()
                .find_map(|line| line.strip_prefix("Package: "))
                .unwrap_or_default();
            !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out))
        })
        .collect();
    if !kept.ends_with("\n\n") {
        kept.push('\n');
    }
    kept.push_str(
        "Package: hikyaku-testkit-mta\nStatus: install ok installed\nMaintainer: nobody <nobody@localhost>\n\
         Architecture: all\nVersion: 1\nProvides: mail-transport-agent\n\
         Description: stands for a mail transfer agent, which the tests do not need\n\n",
    );
    kept
}

#[cfg(test)]
mod tests {
    use super::status_without_mail_servers;

    #[test]
    fn the_status_copy_has_no_mail_server_and_a_mail_transfer_agent() {
        let status = "Package: adduser\nStatus: ok\n\nPackage: dovecot-core\nStatus: ok\n\nPackage: zip\nStatus: ok\n";
        let copy = status_without_mail_servers(status);
        let names: Vec<_> = copy
            .lines()
            .filter_map(|line| line.strip_prefix("Package: "))
            .collect();
        assert_eq!(names, ["adduser", "zip", "hikyaku-testkit-mta"]);
        assert!(copy.contains("Status: ok\n\nPackage: hikyaku-testkit-mta"));
    }
}
