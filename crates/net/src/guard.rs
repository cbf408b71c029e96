//! Where a service may connect to on behalf of people it does not know.
//!
//! A person names a server, and hikyaku connects to it from inside the operator's network. Without a guard
//! that is a way to reach what is behind the firewall, or to find out what is there. The guard is asked about
//! every address before every connection, reconnections included; only addresses that it was asked about are
//! connected to, so an answer of DNS that changes changes nothing. What it refuses looks like a port at which
//! nobody listens: same words, same time.

mod class;
mod network;

use futures::future::BoxFuture;
pub use network::{Network, NotANetwork};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// IMAP and POP3, in clear text and with TLS.
pub const USUAL_PORTS: [u16; 4] = [143, 993, 110, 995];

/// Looks names up, in place of the system.
pub trait Lookup: Send + Sync + fmt::Debug {
    /// The addresses of a name, in the order in which they are to be tried; empty where it has none.
    /// Given up by dropping the answer.
    ///
    /// # Errors
    /// `NotFound` when there is no such name, another one when nobody answers.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// Says which addresses may be connected to. Cheap to clone.
///
/// The operator's networks come first: of all that contain an address, the smallest one decides, and a
/// refusal before a permission. Whatever is in none of them has to be a public address that this machine
/// does not have itself. Ports count always.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Rules>);

#[derive(Clone, Debug)]
struct Rules {
    ports: BTreeSet<u16>,
    allowed: Vec<Network>,
    denied: Vec<Network>,
    lookup: Option<Arc<dyn Lookup>>,
    patience: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self::new()
    }
}

impl Guard {
    /// Public addresses only, at the [`USUAL_PORTS`].
    pub fn new() -> Self {
        Self(Arc::new(Rules {
            ports: USUAL_PORTS.into(),
            allowed: Vec::new(),
            denied: Vec::new(),
            lookup: None,
            patience: Duration::from_secs(1),
        }))
    }

    /// With these ports in place of the usual ones.
    #[must_use]
    pub fn ports(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.with(|rules| rules.ports = ports.into_iter().collect())
    }

    /// With these networks permitted, whatever they are.
    #[must_use]
    pub fn allow(self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.with(|rules| rules.allowed.extend(networks))
    }

    /// With these networks refused: addresses of the operator's own that are public.
    #[must_use]
    pub fn deny(self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.with(|rules| rules.denied.extend(networks))
    }

    /// With names looked up here.
    #[must_use]
    pub fn lookup(self, lookup: Arc<dyn Lookup>) -> Self {
        self.with(|rules| rules.lookup = Some(lookup))
    }

    /// With this shortest time in which a connection fails: longer than the round trip to any server, so that
    /// nobody can tell a refusal by the guard from one by a server.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|rules| rules.patience = patience)
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whether a connection may be made.
    pub fn allows(&self, address: IpAddr, port: u16) -> bool {
        if !self.0.ports.contains(&port) {
            return false;
        }
        let address = class::plain(address);
        let nearest = |networks: &[Network]| {
            let around = networks.iter().filter(|n| n.contains(address));
            around.map(|n| n.prefix() + 1).max().unwrap_or(0)
        };
        match (nearest(&self.0.allowed), nearest(&self.0.denied)) {
            (0, 0) => class::is_public(address) && !class::is_own(address),
            (allowed, denied) => allowed > denied,
        }
    }

    /// Whether connections to this port may be made at all.
    pub fn allows_port(&self, port: u16) -> bool {
        self.0.ports.contains(&port)
    }

    /// Where names are looked up; `None` for the system's resolver.
    pub fn resolver(&self) -> Option<&Arc<dyn Lookup>> {
        self.0.lookup.as_ref()
    }

    /// The shortest time in which a connection fails.
    pub(crate) fn shortest_failure(&self) -> Duration {
        self.0.patience
    }
}
