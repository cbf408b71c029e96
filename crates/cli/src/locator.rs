//! Locators: how a source or destination is written on the command line and in
//! the configuration. Pure text work; nothing is looked up here.
//!
//! Start reading at [`Locator::parse`].

mod escape;
#[cfg(test)]
mod tests;

pub(crate) use hikyaku_net::Host;

use hikyaku_archive::Kind;
use hikyaku_core::{AccountId, MailboxName};
use hikyaku_net::HostProblem;
use std::fmt;
use std::path::PathBuf;

/// One side of a copy, as written.
///
/// Its text form leads back: parsing what is displayed gives the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Locator {
    /// An account on a server.
    Server(ServerLocator),
    /// An account of a provider that signs in by OAuth.
    Provider {
        /// Which provider.
        provider: Provider,
        /// Mail address.
        user: String,
        /// One mailbox of it.
        mailbox: Option<MailboxName>,
    },
    /// Files on this computer.
    Archive {
        /// Format; `None` when it is to be recognised.
        kind: Option<ArchiveKind>,
        /// Where they are.
        path: PathBuf,
    },
    /// A name from the configuration.
    Saved {
        /// The name, without the colon.
        name: String,
        /// One mailbox of the account.
        mailbox: Option<MailboxName>,
    },
}

/// An account on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerLocator {
    /// Which protocol is spoken.
    pub(crate) protocol: Protocol,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// User name; never empty, never with a password.
    pub(crate) user: String,
    /// Which server.
    pub(crate) host: Host,
    /// TCP port, written or usual; never zero.
    pub(crate) port: u16,
    /// One mailbox of the account; always `None` for POP3.
    pub(crate) mailbox: Option<MailboxName>,
}

/// A protocol for reading mail from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// RFC 3501 and RFC 9051.
    Imap,
    /// RFC 1939.
    Pop3,
}

/// How a connection is protected. There is no falling back from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// TLS from the first octet.
    Tls,
    /// STARTTLS, required.
    StartTls,
    /// Nothing at all.
    Clear,
}

/// A provider whose accounts are reached by IMAP with OAuth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// Gmail and Google Workspace.
    Gmail,
    /// Microsoft 365 and Outlook.com.
    Microsoft,
}

/// What lies on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveKind {
    /// Mail in a format that can be read.
    Mail(Kind),
    /// A backup that this program made.
    Backup,
    /// Outlook PST or OST.
    Pst,
    /// Outlook MSG.
    Msg,
}

/// Why a text is no locator. Holds no part of the text that may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LocatorProblem {
    /// There is no text.
    Empty,
    /// A control character is in it.
    Control,
    /// `something://` that is not known; the nearest known one.
    Scheme(String, Option<&'static str>),
    /// `something:` that is neither a kind nor a saved name.
    Kind(String),
    /// An address without a scheme; a proposal.
    Bare(String),
    /// No user name before the `@`.
    User,
    /// A password stands after the user name.
    Password,
    /// No host after the `@`.
    HostMissing,
    /// Not a host name or address.
    Host(String),
    /// Not a port.
    Port(String),
    /// A `%` without two hexadecimal digits, or octets that are no UTF-8.
    Percent(String),
    /// A mailbox where the protocol has none.
    Mailbox,
    /// Nothing after `kind:`.
    Path(&'static str),
}

impl From<HostProblem> for LocatorProblem {
    fn from(problem: HostProblem) -> Self {
        match problem {
            HostProblem::Missing => Self::HostMissing,
            HostProblem::Host(text) => Self::Host(text),
            HostProblem::Port(text) => Self::Port(text),
        }
    }
}

/// `scheme://` of servers, in the order in which they are proposed.
const SERVERS: [(&str, Protocol, Security); 6] = [
    ("imaps", Protocol::Imap, Security::Tls),
    ("imap", Protocol::Imap, Security::StartTls),
    ("imap+insecure", Protocol::Imap, Security::Clear),
    ("pop3s", Protocol::Pop3, Security::Tls),
    ("pop3", Protocol::Pop3, Security::StartTls),
    ("pop3+insecure", Protocol::Pop3, Security::Clear),
];

const PROVIDERS: [(&str, Provider); 2] = [("gmail", Provider::Gmail), ("ms", Provider::Microsoft)];

impl Locator {
    /// Reads a locator. Does not look whether anything is there.
    pub(crate) fn parse(text: &str) -> Result<Self, LocatorProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocatorProblem::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(LocatorProblem::Control);
        }
        if let Some((scheme, rest)) = text.split_once("://")
            && !scheme.contains(['/', '@'])
        {
            return parse_server(scheme, rest).map(Self::Server);
        }
        match text.split_once(':') {
            Some((kind, rest)) if !kind.contains(['/', '\\']) => parse_kind(text, kind, rest),
            _ => parse_bare(text),
        }
    }

    /// The kind as people write it, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Server(server) => server.scheme(),
            Self::Provider { provider, .. } => provider.name(),
            Self::Archive { kind, .. } => kind.map_or("path", ArchiveKind::name),
            Self::Saved { .. } => "saved",
        }
    }
}

/// The text with `***` in place of what may be a password: what stands between the
/// first `:` of the account and its last `@`.
pub(crate) fn masked(text: &str) -> String {
    // Behind an account, `://` begins nothing.
    let start = match text.split_once("://") {
        Some((scheme, _)) if !scheme.contains(['/', '@', ':']) => scheme.len() + 3,
        _ => 0,
    };
    let (front, rest) = text.split_at(start);
    let (Some(colon), Some(at)) = (rest.find(':'), rest.rfind('@')) else {
        return text.to_owned();
    };
    if colon > at {
        return text.to_owned();
    }
    // `host:993/…@…` is a port, and the `@` belongs to the mailbox.
    let after = rest[colon + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
    if rest[..colon].contains('@') && after.starts_with('/') {
        return text.to_owned();
    }
    format!("{front}{}:***{}", &rest[..colon], &rest[at..])
}

/// Whether a text can be the name of a saved account: letters, digits, `-`, `_`
/// and `.`, at least two characters, and no kind of locator.
pub(crate) fn is_saved_name(name: &str) -> bool {
    let known = name.to_ascii_lowercase();
    name.chars().count() >= 2
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !SERVERS.iter().any(|s| s.0 == known)
        && ArchiveKind::from_name(&known).is_none()
        && !PROVIDERS.iter().any(|p| p.0 == known)
}

fn parse_kind(text: &str, kind: &str, rest: &str) -> Result<Locator, LocatorProblem> {
    let known = kind.to_ascii_lowercase();
    if let Some(archive) = ArchiveKind::from_name(&known) {
        return match rest {
            "" => Err(LocatorProblem::Path(archive.name())),
            path => Ok(Locator::Archive {
                kind: Some(archive),
                path: PathBuf::from(path),
            }),
        };
    }
    if let Some((_, provider)) = PROVIDERS.into_iter().find(|p| p.0 == known) {
        let (user, path) = split_path(rest);
        if user.contains(':') {
            return Err(LocatorProblem::Password);
        }
        let user = escape::decode(user)?;
        if user.is_empty() {
            return Err(LocatorProblem::User);
        }
        return Ok(Locator::Provider {
            provider,
            user,
            mailbox: parse_mailbox(path)?,
        });
    }
    let is_drive = kind.len() == 1 && rest.starts_with(['/', '\\']);
    if is_drive {
        return Ok(Locator::Archive {
            kind: None,
            path: PathBuf::from(text),
        });
    }
    if SERVERS.iter().any(|s| s.0 == known) {
        // `imaps:user@host` or `imaps:/user@host`: the slashes are missing.
        return Err(LocatorProblem::Kind(known));
    }
    if kind.contains('@') {
        // The text after the colon may be a port or a password: it is not repeated.
        return Err(LocatorProblem::Bare(format!("imaps://{kind}")));
    }
    let is_name = rest.is_empty() || rest.starts_with('/');
    if !is_name || !is_saved_name(kind) {
        return Err(LocatorProblem::Kind(kind.to_owned()));
    }
    Ok(Locator::Saved {
        name: kind.to_owned(),
        mailbox: parse_mailbox(rest.strip_prefix('/'))?,
    })
}

/// A text without any colon: a path, unless it looks like an address.
fn parse_bare(text: &str) -> Result<Locator, LocatorProblem> {
    let looks_like_path = text.contains(['/', '\\']) || text.starts_with('~') || text == ".";
    if text.contains('@') && !looks_like_path {
        return Err(LocatorProblem::Bare(format!("imaps://{text}")));
    }
    Ok(Locator::Archive {
        kind: None,
        path: PathBuf::from(text),
    })
}

fn parse_server(scheme: &str, rest: &str) -> Result<ServerLocator, LocatorProblem> {
    let known = scheme.to_ascii_lowercase();
    let Some((_, protocol, security)) = SERVERS.into_iter().find(|s| s.0 == known) else {
        let names = SERVERS.iter().map(|s| s.0);
        return Err(LocatorProblem::Scheme(
            known.clone(),
            crate::suggest::nearest(&known, names),
        ));
    };
    let (authority, path) = split_path(rest);
    let (user, server) = authority.rsplit_once('@').ok_or(LocatorProblem::User)?;
    if user.contains(':') {
        return Err(LocatorProblem::Password);
    }
    let user = escape::decode(user)?;
    if user.is_empty() {
        return Err(LocatorProblem::User);
    }
    let (host, port) = Host::parse(server)?;
    let mailbox = parse_mailbox(path)?;
    if protocol == Protocol::Pop3 && mailbox.is_some() {
        return Err(LocatorProblem::Mailbox);
    }
    Ok(ServerLocator {
        protocol,
        security,
        user,
        host,
        port: port.unwrap_or(usual_port(protocol, security)),
        mailbox,
    })
}

fn split_path(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((front, path)) => (front, Some(path)),
        None => (text, None),
    }
}

/// Levels divided by `/`, percent-decoded one by one; one closing `/` is allowed.
fn parse_mailbox(path: Option<&str>) -> Result<Option<MailboxName>, LocatorProblem> {
    let Some(path) = path.filter(|p| !p.is_empty()) else {
        return Ok(None);
    };
    let levels = path
        .strip_suffix('/')
        .unwrap_or(path)
        .split('/')
        .map(escape::decode)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(MailboxName::new(levels))
}

const fn usual_port(protocol: Protocol, security: Security) -> u16 {
    match (protocol, security) {
        (Protocol::Imap, Security::Tls) => 993,
        (Protocol::Imap, _) => 143,
        (Protocol::Pop3, Security::Tls) => 995,
        (Protocol::Pop3, _) => 110,
    }
}

impl ServerLocator {
    /// The scheme without `://`.
    pub(crate) fn scheme(&self) -> &'static str {
        SERVERS
            .iter()
            .find(|s| (s.1, s.2) == (self.protocol, self.security))
            .map_or("imaps", |s| s.0)
    }

    /// Host and port for messages; the port only where it is not the usual one.
    pub(crate) fn address(&self) -> String {
        if self.port == usual_port(self.protocol, self.security) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The identity of the account that is read or written: `owner` where somebody
    /// logs in on behalf of another, the user otherwise. Transport security plays
    /// no part, so that a change from STARTTLS to TLS keeps the ledger.
    pub(crate) fn account(&self, owner: Option<&str>) -> AccountId {
        let scheme = match self.protocol {
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
        };
        let usual = [Security::Tls, Security::StartTls].map(|s| usual_port(self.protocol, s));
        let user = escape::user(owner.unwrap_or(&self.user));
        let host = self.host.ascii();
        if usual.contains(&self.port) {
            AccountId::new(format!("{scheme}://{user}@{host}"))
        } else {
            AccountId::new(format!("{scheme}://{user}@{host}:{}", self.port))
        }
    }
}

impl Provider {
    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gmail => "gmail",
            Self::Microsoft => "ms",
        }
    }
}

impl ArchiveKind {
    /// By [`ArchiveKind::name`].
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "backup" => Some(Self::Backup),
            "pst" => Some(Self::Pst),
            "msg" => Some(Self::Msg),
            other => Kind::from_scheme(other).map(Self::Mail),
        }
    }

    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mail(kind) => kind.scheme(),
            Self::Backup => "backup",
            Self::Pst => "pst",
            Self::Msg => "msg",
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(server) => server.fmt(f),
            Self::Provider {
                provider,
                user,
                mailbox,
            } => {
                write!(f, "{}:{}", provider.name(), escape::user(user))?;
                write_mailbox(f, mailbox.as_ref())
            }
            Self::Archive { kind, path } => {
                if let Some(kind) = kind {
                    write!(f, "{}:", kind.name())?;
                }
                write!(f, "{}", path.display())
            }
            Self::Saved { name, mailbox } => {
                write!(f, "{name}:")?;
                write_mailbox(f, mailbox.as_ref())
            }
        }
    }
}

impl fmt::Display for ServerLocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = escape::user(&self.user);
        write!(f, "{}://{user}@{}", self.scheme(), self.address())?;
        write_mailbox(f, self.mailbox.as_ref())
    }
}

fn write_mailbox(f: &mut fmt::Formatter<'_>, mailbox: Option<&MailboxName>) -> fmt::Result {
    let Some(mailbox) = mailbox else {
        return Ok(());
    };
    for level in mailbox.levels() {
        write!(f, "/{}", escape::level(level))?;
    }
    // An empty last level needs its own closing slash to be seen.
    if mailbox.leaf().is_empty() {
        f.write_str("/")?;
    }
    Ok(())
}
