//! Finding the source's server when nobody knows its name: what the domain's owner published (RFC 6186), the names that
//! most hosts use, and the host that takes the domain's mail. IMAP is better than POP3 in every respect: a server for
//! POP3 counts only where there is none for IMAP.
//!
//! Nothing secret is sent while looking. A server that was found signs people in only with a certificate that the system
//! trusts for the name under which it was found, unless that name belongs to the address's own domain and the person
//! accepts what is wrong; clear text is never used with a name that nobody typed.

use super::{WHILE_WAITED_FOR, is_same_server};
use crate::dns::Dns;
use crate::job::{Protocol, Transport};
use futures::future::join_all;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_net::guard::Guard;
use hikyaku_net::{Endpoint, Security, connect_to};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

/// A server that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Encryption.
    pub transport: Transport,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The name belongs to the domain that was asked about.
    pub is_own_name: bool,
    /// What it speaks.
    pub protocol: Protocol,
    /// Another protocol for which a server was found as well.
    pub beside: Option<Protocol>,
}

/// How good a find is; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Quality {
    /// With TLS and a certificate that is in order.
    Trusted,
    /// It greets; TLS comes later.
    Greets,
    /// With a certificate that has to be looked at.
    Questionable,
}

/// One place where a server may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    host: String,
    ways: Vec<(u16, Security)>,
    is_own_name: bool,
    protocol: Protocol,
}

/// Where the destination is: no place to look for the source.
pub(crate) struct Ours {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: u16,
}

impl Ours {
    fn is_at(&self, address: IpAddr, port: u16) -> bool {
        self.addresses.contains(&address) && is_same_server(port, self.port)
    }
}

/// Most places that are looked at.
const MOST: usize = 8;

/// Looks for the server of an address, for a form that is filled in: the name that belongs into the field ②.
///
/// # Errors
/// `host.not_found` when nothing answers.
pub async fn find(dns: &Dns, guard: &Guard, domain: &str) -> Result<Found, Fault> {
    discover(dns, guard, domain, None, None).await
}

/// The same, leaving the destination out; for one protocol only where somebody asked for that.
pub(crate) async fn discover(
    dns: &Dns,
    guard: &Guard,
    domain: &str,
    ours: Option<&Ours>,
    only: Option<Protocol>,
) -> Result<Found, Fault> {
    let of = |protocol| async move {
        match only.is_none_or(|only| only == protocol) {
            true => best(dns, guard, domain, ours, protocol).await,
            false => None,
        }
    };
    let (imap, pop3) = tokio::join!(of(Protocol::Imap), of(Protocol::Pop3));
    let beside = pop3.as_ref().map(|found| found.protocol);
    let found = match imap {
        Some(imap) => Some(Found { beside, ..imap }),
        None => pop3,
    };
    found.ok_or_else(|| nothing(domain))
}

/// The best server for a protocol.
async fn best(
    dns: &Dns,
    guard: &Guard,
    domain: &str,
    ours: Option<&Ours>,
    protocol: Protocol,
) -> Option<Found> {
    let candidates = candidates(dns, domain, protocol).await;
    let asked = candidates
        .iter()
        .map(|candidate| dns.addresses(&candidate.host));
    let resolved = join_all(asked).await;
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    for (candidate, addresses) in candidates.into_iter().zip(resolved) {
        let addresses = addresses.unwrap_or_default();
        if !addresses.is_empty() && seen.insert((candidate.host.clone(), candidate.ways.clone())) {
            places.push((candidate, addresses));
        }
    }
    places.truncate(MOST);
    let looks = places
        .iter()
        .map(|(candidate, addresses)| look(guard, candidate, addresses, ours));
    let found = join_all(looks).await.into_iter().flatten();
    // Of equals the first.
    let best = found.min_by_key(|(quality, _)| *quality);
    best.map(|(_, found)| found)
}

/// Where to look, most likely first.
async fn candidates(dns: &Dns, domain: &str, protocol: Protocol) -> Vec<Candidate> {
    let (ports, services, name) = match protocol {
        Protocol::Imap => ((993, 143), ("_imaps._tcp", "_imap._tcp"), "imap"),
        Protocol::Pop3 => ((995, 110), ("_pop3s._tcp", "_pop3._tcp"), "pop"),
    };
    let usual = || {
        let (tls, clear) = ports;
        vec![(tls, Security::ImplicitTls), (clear, Security::StartTls)]
    };
    let (tls, clear, mail) = tokio::join!(
        dns.service_hosts(services.0, domain),
        dns.service_hosts(services.1, domain),
        dns.mail_hosts(domain),
    );
    let is_own_name = |host: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let mut all = Vec::new();
    let published = [(tls, Security::ImplicitTls), (clear, Security::StartTls)];
    for (hosts, security) in published {
        for service in hosts.unwrap_or_default() {
            if !service.host.is_empty() {
                all.push(Candidate {
                    is_own_name: is_own_name(&service.host),
                    ways: vec![(service.port, security)],
                    host: service.host,
                    protocol,
                });
            }
        }
    }
    let guessed = [
        format!("{name}.{domain}"),
        format!("mail.{domain}"),
        domain.to_owned(),
    ];
    let delivered = mail.unwrap_or_default().into_iter().map(|mx| mx.host);
    for host in guessed
        .into_iter()
        .chain(delivered.filter(|host| !host.is_empty()))
    {
        all.push(Candidate {
            is_own_name: is_own_name(&host),
            ways: usual(),
            host,
            protocol,
        });
    }
    all
}

/// Whether a mail server answers there: the first of the ways that does.
async fn look(
    guard: &Guard,
    candidate: &Candidate,
    addresses: &[IpAddr],
    ours: Option<&Ours>,
) -> Option<(Quality, Found)> {
    for &(port, security) in &candidate.ways {
        let is_ours = |ip: &IpAddr| ours.is_some_and(|ours| ours.is_at(*ip, port));
        if !guard.allows_port(port) || addresses.iter().any(is_ours) {
            continue;
        }
        let endpoint = Endpoint {
            timeouts: WHILE_WAITED_FOR,
            guard: Some(guard.clone()),
            ..Endpoint::new(&candidate.host, port, security, Side::Source)
        };
        let places: Vec<SocketAddr> = addresses.iter().map(|ip| (*ip, port).into()).collect();
        let (transport, good) = match security {
            Security::ImplicitTls => (Transport::Tls, Quality::Trusted),
            _ => (Transport::StartTls, Quality::Greets),
        };
        let quality = match connect_to(&endpoint, &places).await {
            Ok(_) => good,
            Err(fault) if candidate.is_own_name && is_about_certificate(fault.code) => {
                Quality::Questionable
            }
            Err(_) => continue,
        };
        let found = Found {
            host: candidate.host.clone(),
            port,
            transport,
            addresses: addresses.to_vec(),
            is_own_name: candidate.is_own_name,
            protocol: candidate.protocol,
            beside: None,
        };
        return Some((quality, found));
    }
    None
}

/// Whether the connection failed only for what the certificate says.
pub(crate) fn is_about_certificate(code: Code) -> bool {
    matches!(
        code,
        Code::TlsName | Code::TlsUntrusted | Code::TlsExpired | Code::TlsPin
    )
}

fn nothing(domain: &str) -> Fault {
    Fault::new(
        Code::HostNotFound,
        Reach::Side,
        Remedy::AskUser,
        format!("no mail server was found for {domain}"),
    )
    .on(Side::Source)
}
