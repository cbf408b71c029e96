//! What `serve --config` reads.
//!
//! Every field has a default but the destination, so that a file of three lines is enough. Secrets never stand in it: a
//! key that ends in `_file` names a file whose first line counts, one that ends in `_env` an environment variable. No
//! other part of the environment is looked at. Relative paths start at the file's directory.

mod file;
#[cfg(test)]
mod tests;

use crate::brand::{Brands, Destination};
use crate::strict::{self, Problem};
pub use crate::values::{Network, SecretFrom};
use lettre::message::Mailbox;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Everything that the file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the page is served: `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The page's address as people write it, without a slash at its end; `None`: `http://` and [`Self::listen`].
    /// Links in mails begin with it, and `https://` makes cookies secure.
    pub public_url: Option<String>,
    /// Directory of the database and of the key; `None`: the caller's usual one.
    pub state: Option<PathBuf>,
    /// Address of a PostgreSQL database; `None`: SQLite in [`Self::state`].
    pub database: Option<Database>,
    /// The key that passwords are sealed with: 32 octets in base64; `None`: a file in [`Self::state`], made when missing.
    pub key: Option<SecretFrom>,
    /// Brand files, the usual one first; none: the built-in brand.
    pub brands: Vec<PathBuf>,
    /// Destination of the built-in brand.
    pub destination: Option<Destination>,
    /// The key that hand-over tokens of a control panel are signed with; `None`: there is no hand-over.
    pub handover_secret: Option<SecretFrom>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Mails are shown at `/mail` instead of being sent: for trying out.
    pub catch_mail: bool,
    /// How mails are sent; `None`: they wait in the outbox.
    pub smtp: Option<Smtp>,
    /// Which servers may be reached as a source.
    pub egress: Egress,
    /// How much is done at once.
    pub limits: Limits,
    /// How often somebody may try.
    pub attempts: Attempts,
    /// What may be uploaded.
    pub uploads: Uploads,
}

/// A database's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// Without a password.
    Url(String),
    /// With one.
    Secret(SecretFrom),
}

/// A server that takes mail for delivery (RFC 6409).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// Name or address.
    pub host: String,
    /// TCP port: 465 for TLS, else 587.
    pub port: u16,
    /// Encryption. Clear text only for a relay on this machine or behind a tunnel.
    pub security: SmtpSecurity,
    /// Login name; `None`: the relay knows this machine.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretFrom>,
    /// PEM file of issuers that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Sender where a brand names none.
    pub from: Mailbox,
    /// Most mails to one recipient in 24 hours; further ones wait.
    pub per_recipient_per_day: u32,
    /// Most mails in 24 hours; further ones wait.
    pub per_day: u32,
}

/// How the connection to the relay is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// TLS from the first octet.
    #[default]
    Tls,
    /// STARTTLS, required.
    StartTls,
    /// None.
    Clear,
}

/// What the egress guard is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Egress {
    /// Networks that are reached whatever the guard says of such addresses.
    pub allow: Vec<Network>,
    /// Networks that are never reached.
    pub deny: Vec<Network>,
    /// TCP ports that may be reached.
    pub ports: Vec<u16>,
    /// The server of DNS that is asked, in place of the machine's own.
    pub resolver: Option<SocketAddr>,
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            ports: vec![143, 993, 110, 995],
            resolver: None,
        }
    }
}

/// How much is done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Copies at once.
    pub jobs: u32,
    /// Checks before a plan at once.
    pub checks: u32,
    /// Copies at once from one source host.
    pub per_host: u32,
    /// Copies at once from one source account.
    pub per_account: u32,
    /// Copies at once of one person.
    pub per_owner: u32,
    /// Connections of one copy to each side.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            jobs: 200,
            checks: 32,
            per_host: 50,
            per_account: 1,
            per_owner: 4,
            connections: 4,
        }
    }
}

/// How often somebody may try, per hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Sign-ins and checks from one client address.
    pub per_address: u32,
    /// Sign-ins to one destination account.
    pub per_account: u32,
    /// Checks of one source account.
    pub per_source_account: u32,
    /// Checks at one source host.
    pub per_source_host: u32,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            per_address: 60,
            per_account: 20,
            per_source_account: 20,
            per_source_host: 600,
        }
    }
}

/// What may be uploaded, and what reading it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// Whether anything may be uploaded.
    pub offered: bool,
    /// Octets of one file. A plan may allow less.
    pub most_octets: u64,
    /// Octets of all files of one person.
    pub per_owner_octets: u64,
    /// Files of one person.
    pub per_owner: u32,
    /// Hours after which an upload is removed in which nothing happens.
    pub unfinished_hours: u32,
    /// Octets that stay free on the disk.
    pub reserve_octets: u64,
    /// Octets of memory that a process which reads one may use.
    pub memory_octets: u64,
    /// Octets that a packed file may come to.
    pub most_unpacked_octets: u64,
}

impl Default for Uploads {
    fn default() -> Self {
        const GIB: u64 = 1 << 30;
        Self {
            offered: true,
            most_octets: 10 * GIB,
            per_owner_octets: 20 * GIB,
            per_owner: 5,
            unfinished_hours: 48,
            reserve_octets: 2 * GIB,
            memory_octets: GIB,
            most_unpacked_octets: 40 * GIB,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            state: None,
            database: None,
            key: None,
            brands: Vec::new(),
            destination: None,
            handover_secret: None,
            trusted_proxies: Vec::new(),
            catch_mail: false,
            smtp: None,
            egress: Egress::default(),
            limits: Limits::default(),
            attempts: Attempts::default(),
            uploads: Uploads::default(),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// The first mistake, with its line and key.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        Self::parse(&strict::load(path)?, path)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first mistake, with its line and key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Problem> {
        file::parse(text, path)
    }

    /// The brands that it names. Where it names none, the built-in one with [`Self::destination`].
    ///
    /// # Errors
    /// A mistake in a brand file; no destination at all.
    pub fn load_brands(&self) -> Result<Brands, Problem> {
        if !self.brands.is_empty() {
            return Brands::load(&self.brands);
        }
        match &self.destination {
            Some(destination) => Ok(Brands::with_destination(destination.clone())),
            None => Err(Problem {
                path: PathBuf::from("--config"),
                line: None,
                key: "destination".to_owned(),
                why: "no server to copy to: name a brand file, or write a table `[destination]` with `host`"
                    .to_owned(),
            }),
        }
    }

    /// The page's address without a slash at its end.
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None => format!("http://{}", self.listen),
        }
    }
}
