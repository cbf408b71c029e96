//! Real mail servers, each started by the test that uses it and ended with it.
//!
//! Every instance lives in a directory of its own, listens on free loopback ports and has its own certificate
//! authority. Starting takes a fraction of a second; accounts are made while it runs. `cargo xtask test` installs the
//! packages beforehand; a server that is not there fails the test and says so, it never skips it.

mod courier;
mod cyrus;
mod dovecot;
mod oauth;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

pub use courier::{Courier, CourierOptions};
pub use cyrus::{Cyrus, CyrusOptions};
pub use dovecot::{Dovecot, DovecotOptions, Fsync, MailFormat};

use crate::certificates::{Identity, Shown};
use crate::judge::Judge;
use crate::process::{InstanceDirectory, Port, user_and_group};

/// Which server a test talks to, for the tables of what each one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Dovecot: the most capable.
    Dovecot,
    /// Cyrus: strict.
    Cyrus,
    /// Courier: old-fashioned.
    Courier,
}

impl Kind {
    /// All servers, for tests over every pair.
    pub const ALL: [Self; 3] = [Self::Dovecot, Self::Cyrus, Self::Courier];
}

/// A user of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub user: String,
    /// A password made for tests.
    pub password: String,
}

/// How an administrator logs in as a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminLogin {
    /// LOGIN with `user*admin` and the administrator's password (Dovecot's master users).
    MasterUser {
        /// The whole login name, `user*admin`.
        login: String,
        /// The administrator's password.
        password: String,
    },
    /// SASL with an authorisation identity besides the administrator's own name (RFC 4616).
    ProxyAuthorisation {
        /// Whose mail is opened.
        authorise_as: String,
        /// Who logs in.
        login: String,
        /// The administrator's password.
        password: String,
    },
}

/// What tests may ask of every server.
pub trait MailServer: std::fmt::Debug + Send {
    /// Which server this is.
    fn kind(&self) -> Kind;

    /// Ports, certificates and the directory of the instance.
    fn instance(&self) -> &Instance;

    /// Makes a new account, usable at once. The name is `name`, or `name@domain` where the server needs that.
    fn create_account(&self, name: &str) -> Result<Account>;

    /// Where the account's mail lies on disk, as near as the server keeps accounts apart.
    fn mail_directory(&self, account: &Account) -> PathBuf;

    /// How an administrator logs in as this account; `None` where the server has no such thing.
    fn admin_login(&self, account: &Account) -> Option<AdminLogin>;

    /// The separator that the instance was started with.
    fn separator(&self) -> char;

    /// The prefix of the personal namespace, such as `INBOX.`; empty where there is none.
    fn prefix(&self) -> &str;

    /// A judge logged in to the account, in clear text over loopback.
    fn judge(&self, account: &Account) -> Result<Judge> {
        Judge::connect(self.instance().address(), &account.user, &account.password).with_context(
            || {
                format!(
                    "{:?}; its log ends with:\n{}",
                    self.kind(),
                    self.instance().log_tail()
                )
            },
        )
    }
}

/// Starts a server of this kind with its ordinary options.
pub fn start(kind: Kind) -> Result<Box<dyn MailServer>> {
    Ok(match kind {
        Kind::Dovecot => Box::new(Dovecot::start(DovecotOptions::default())?),
        Kind::Cyrus => Box::new(Cyrus::start(CyrusOptions::default())?),
        Kind::Courier => Box::new(Courier::start(CourierOptions::default())?),
    })
}

/// What all instances have: a directory, ports, certificates.
#[derive(Debug)]
pub struct Instance {
    directory: InstanceDirectory,
    identity: Identity,
    imap: Port,
    imaps: Port,
    pop3: Port,
    pop3s: Port,
}

impl Instance {
    fn create(in_memory: bool, shown: Shown) -> Result<Self> {
        let directory = InstanceDirectory::create(in_memory)?;
        let identity = Identity::create(shown)?;
        fs::write(directory.path().join("ca.pem"), &identity.authority_pem)?;
        fs::write(directory.path().join("cert.pem"), &identity.certificate_pem)?;
        // Readable by the servers' own users; it protects nothing but this test.
        fs::write(directory.path().join("key.pem"), &identity.key_pem)?;
        fs::write(
            directory.path().join("both.pem"),
            format!("{}{}", identity.key_pem, identity.certificate_pem),
        )?;
        let reserve = Port::reserve;
        Ok(Self {
            directory,
            identity,
            imap: reserve()?,
            imaps: reserve()?,
            pop3: reserve()?,
            pop3s: reserve()?,
        })
    }

    /// The host name that the good certificate is for.
    pub fn host(&self) -> &'static str {
        "localhost"
    }

    /// The port for clear text and STARTTLS.
    pub fn port(&self) -> u16 {
        self.imap.number()
    }

    /// The port for implicit TLS.
    pub fn tls_port(&self) -> u16 {
        self.imaps.number()
    }

    /// The POP3 port for clear text and STLS.
    pub fn pop3_port(&self) -> u16 {
        self.pop3.number()
    }

    /// The POP3 port for implicit TLS.
    pub fn pop3_tls_port(&self) -> u16 {
        self.pop3s.number()
    }

    /// Where clear text is spoken, for the judge and for the proxy.
    pub fn address(&self) -> SocketAddr {
        self.imap.address()
    }

    /// Where implicit TLS is spoken.
    pub fn tls_address(&self) -> SocketAddr {
        self.imaps.address()
    }

    /// The certificate shown, its key and its authority.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A PEM file with the authority that signed a good certificate, for `--ca-file`.
    pub fn ca_file(&self) -> PathBuf {
        self.path().join("ca.pem")
    }

    /// The directory of the instance.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What the server wrote of late, for the error of a failed test.
    pub fn log_tail(&self) -> String {
        let mut tail = String::new();
        for file in ["output.log", "log/dovecot", "log/syslog"] {
            let text = fs::read(self.path().join(file)).unwrap_or_default();
            let start = text.len().saturating_sub(3_000);
            tail.push_str(&String::from_utf8_lossy(&text[start..]));
        }
        tail
    }

    /// The greeting of the server on the clear-text port, `None` while it does not answer.
    fn greeting(&self) -> Option<String> {
        let stream = TcpStream::connect(self.address()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        line.starts_with("* OK").then_some(line)
    }
}

/// The unprivileged user that owns the mail: `mail`, which every Debian system has.
pub(crate) fn mail_owner() -> Result<(u32, u32)> {
    user_and_group("mail")
}

/// Fails unless this process may start servers that change their user.
fn require_root() -> Result<()> {
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "real mail servers are started as root: run the tests with `cargo xtask test`, which takes care of it"
    );
    Ok(())
}

/// Fails with the next step when a program of the server is not there.
fn require_program(path: &Path) -> Result<()> {
    anyhow::ensure!(
        path.exists(),
        "{} is not installed: run `cargo xtask test`, which installs what the tests need",
        path.display()
    );
    Ok(())
}

/// A password that differs from account to account, so that a mix-up shows.
fn password_for(name: &str) -> String {
    format!("pw-of-{name}")
}
