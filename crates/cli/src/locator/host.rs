//! The host part of a locator: names in any script, IPv4, IPv6 in brackets.

use super::LocatorProblem;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A server's name or address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// A name in its ASCII form (RFC 5891), lower case, without a closing dot.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// As resolvers, certificates and the ledger want it; IPv6 in brackets.
    pub(crate) fn ascii(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Self::Address(address) => address.to_string(),
        }
    }

    /// The name or address without brackets.
    pub(crate) fn bare(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Address(address) => address.to_string(),
        }
    }
}

impl fmt::Display for Host {
    /// As people write it: names in their own script where that leads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Name(name) = self {
            let (readable, sound) = idna::domain_to_unicode(name);
            if sound.is_ok() && name_from(&readable).as_ref() == Some(name) {
                return f.write_str(&readable);
            }
        }
        f.write_str(&self.ascii())
    }
}

/// Divides `host`, `host:port`, `[v6]` and `[v6]:port`.
pub(super) fn parse(text: &str) -> Result<(Host, Option<u16>), LocatorProblem> {
    let bad = || LocatorProblem::Host(text.to_owned());
    if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or_else(bad)?;
        let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if after.is_empty() => None,
            None => return Err(bad()),
        };
        return Ok((Host::Address(address.into()), port));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        // Without brackets its last group could be a port.
        return Err(LocatorProblem::Host(text.to_owned()));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(parse_port(port)?)),
        None => (text, None),
    };
    if host.is_empty() {
        return Err(LocatorProblem::HostMissing);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok((Host::Address(address.into()), port));
    }
    let name = name_from(host).ok_or_else(|| LocatorProblem::Host(host.to_owned()))?;
    // Full-width digits and dots can turn into an address only here.
    Ok(match name.parse::<Ipv4Addr>() {
        Ok(address) => (Host::Address(address.into()), port),
        Err(_) => (Host::Name(name), port),
    })
}

fn parse_port(text: &str) -> Result<u16, LocatorProblem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(LocatorProblem::Port(text.to_owned())),
    }
}

/// The ASCII form of a name; `None` when it is none. Underscores are let through:
/// they are found inside companies.
fn name_from(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text).ok()?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    // A last label of digits is a mistyped address (RFC 3696 §2).
    let last = name.rsplit('.').next()?;
    let fits = name.len() <= 253
        && name.split('.').all(label_fits)
        && !last.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| name.to_owned())
}
