//! Where to connect, and under which conditions.

use crate::guard::Guard;
use crate::{Anchors, Dial, Fingerprint, Witness};
use hikyaku_core::Side;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One server and everything that decides how it is reached.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Name or address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Which certificates are accepted.
    pub trust: Trust,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// Socket buffer sizes.
    pub buffers: Buffers,
    /// Which account it serves: every fault says so.
    pub side: Side,
    /// Makes the connections instead of resolver and TCP; `None` for those.
    pub dial: Option<Arc<dyn Dial>>,
    /// Says which addresses may be connected to, and how names are looked up; `None` where
    /// whoever named the host may reach everything from this machine anyway. A dialler of
    /// its own is not asked about addresses.
    pub guard: Option<Guard>,
    /// Told of a certificate that a handshake refused.
    pub witness: Option<Witness>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first octet.
    ImplicitTls,
    /// Clear text up to a command after which TLS is required. The protocol does
    /// the asking and then calls [`Stream::start_tls`](crate::Stream::start_tls).
    StartTls,
    /// Clear text, only where a person wrote exactly that.
    Plain,
}

/// Which certificates are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Issuers that the system trusts; those of Mozilla where the system has none.
    System,
    /// The same, and these issuers.
    WithAnchors(Anchors),
    /// Exactly one certificate, whatever its name, dates and issuer.
    Pinned(Fingerprint),
}

/// The longest that each phase may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the name and reaching any of its addresses.
    pub connect: Duration,
    /// One TLS handshake.
    pub tls: Duration,
    /// Until the server's first octet.
    pub greeting: Duration,
    /// Silence on a clear-text connection after which a second connection tries
    /// whether the port expects TLS.
    pub probe: Duration,
    /// Silence while an answer is awaited. Kept here for the protocol's use.
    pub reply: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            // Some servers look the client's name up first, and that may time out itself.
            greeting: Duration::from_secs(60),
            probe: Duration::from_secs(4),
            // Opening a mailbox of a million messages is silent for minutes.
            reply: Duration::from_secs(300),
        }
    }
}

/// Socket buffer sizes in octets; `None` leaves them to the system, which
/// grows them with the delay of the path and is nearly always right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// `SO_SNDBUF`.
    pub send: Option<u32>,
    /// `SO_RCVBUF`.
    pub receive: Option<u32>,
}

impl Endpoint {
    /// An endpoint with the system's trust and the usual time-outs.
    pub fn new(host: impl Into<String>, port: u16, security: Security, side: Side) -> Self {
        Self {
            host: host.into(),
            port,
            security,
            trust: Trust::System,
            timeouts: Timeouts::default(),
            buffers: Buffers::default(),
            side,
            dial: None,
            guard: None,
            witness: None,
        }
    }

    /// `host:port` as faults and reports name it.
    pub fn server(&self) -> String {
        match self.address() {
            Some(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// The host without brackets.
    pub(crate) fn bare_host(&self) -> &str {
        self.host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(&self.host)
    }

    /// The host when it is an address already.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.bare_host().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_people_write_them() {
        let name =
            |host: &str| Endpoint::new(host, 993, Security::ImplicitTls, Side::Source).server();
        assert_eq!(name("mail.example.jp"), "mail.example.jp:993");
        assert_eq!(name("192.0.2.1"), "192.0.2.1:993");
        assert_eq!(name("2001:db8::1"), "[2001:db8::1]:993");
        assert_eq!(name("[2001:db8::1]"), "[2001:db8::1]:993");
    }
}
