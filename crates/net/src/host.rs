//! The host of a server as people write it: names in any script, IPv4, IPv6 in brackets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A server's name or address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in its ASCII form (RFC 5891), lower case, without a closing dot.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text names no host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostProblem {
    /// There is nothing before the port.
    Missing,
    /// This is neither a name nor an address.
    Host(String),
    /// This is no port.
    Port(String),
}

impl Host {
    /// Divides `host`, `host:port`, `[v6]` and `[v6]:port`.
    ///
    /// Only the dotted form of an IPv4 address is one: what old libraries also take for
    /// addresses (`127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`) is refused, not looked up.
    ///
    /// # Errors
    /// See [`HostProblem`].
    pub fn parse(text: &str) -> Result<(Self, Option<u16>), HostProblem> {
        let bad = || HostProblem::Host(text.to_owned());
        if let Some(rest) = text.strip_prefix('[') {
            let (address, after) = rest.split_once(']').ok_or_else(bad)?;
            let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(parse_port(port)?),
                None if after.is_empty() => None,
                None => return Err(bad()),
            };
            return Ok((Self::Address(address.into()), port));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            // Without brackets its last group could be a port.
            return Err(bad());
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        if host.is_empty() {
            return Err(HostProblem::Missing);
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok((Self::Address(address.into()), port));
        }
        let name = ascii_name(host).ok_or_else(|| HostProblem::Host(host.to_owned()))?;
        // Full-width digits and dots can turn into an address only here.
        Ok(match name.parse::<Ipv4Addr>() {
            Ok(address) => (Self::Address(address.into()), port),
            Err(_) if has_numeric_end(&name) => return Err(HostProblem::Host(host.to_owned())),
            Err(_) => (Self::Name(name), port),
        })
    }

    /// A name alone, as of a mail address.
    pub fn name(text: &str) -> Option<String> {
        ascii_name(text).filter(|name| !has_numeric_end(name))
    }

    /// As resolvers, certificates and the ledger want it; IPv6 in brackets.
    pub fn ascii(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Self::Address(address) => address.to_string(),
        }
    }

    /// The name or address without brackets.
    pub fn bare(&self) -> String {
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
            if sound.is_ok() && ascii_name(&readable).as_ref() == Some(name) {
                return f.write_str(&readable);
            }
        }
        f.write_str(&self.ascii())
    }
}

fn parse_port(text: &str) -> Result<u16, HostProblem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(HostProblem::Port(text.to_owned())),
    }
}

/// The ASCII form of a name; `None` when it is none. Underscores are let through:
/// they are found inside companies.
fn ascii_name(text: &str) -> Option<String> {
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
    let fits = name.len() <= 253 && name.split('.').all(label_fits);
    fits.then(|| name.to_owned())
}

/// Whether the last label is a number, decimal or hexadecimal: a mistyped address
/// (RFC 3696 §2), which some resolvers would take for another.
fn has_numeric_end(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<String> {
        let (host, port) = Host::parse(text).ok()?;
        Some(match port {
            Some(port) => format!("{} {port}", host.ascii()),
            None => host.ascii(),
        })
    }

    #[test]
    fn every_usual_spelling_is_read() {
        for (text, read) in [
            ("Mail.Example.JP", "mail.example.jp"),
            ("mail.example.jp.", "mail.example.jp"),
            ("mail.example.jp:143", "mail.example.jp 143"),
            ("日本語.jp", "xn--wgv71a119e.jp"),
            ("mail_1.example.jp", "mail_1.example.jp"),
            ("203.0.113.5:993", "203.0.113.5 993"),
            ("２０３。０。１１３。５", "203.0.113.5"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("[2001:db8::1]:993", "[2001:db8::1] 993"),
        ] {
            assert_eq!(host(text).as_deref(), Some(read), "{text}");
        }
    }

    #[test]
    fn numbers_that_old_libraries_take_for_addresses_are_refused() {
        for text in [
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "1.2.3.4.5",
            "256.1.1.1",
            "mail.0x",
            "mail.42",
            "2001:db8::1",
            "[fe80::1%eth0]",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
        assert_eq!(Host::name("example.42"), None);
        assert_eq!(Host::name("例え.jp").as_deref(), Some("xn--r8jz45g.jp"));
    }
}
