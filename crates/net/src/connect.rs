//! From an endpoint to a connected stream.

use crate::fault::{self, Phase};
use crate::guard::Guard;
use crate::race::{interleave, race};
use crate::socket::Socket;
use crate::stream::{PeerInfo, Stream};
use crate::{Buffers, Dialled, Endpoint, Security, diagnose, tls};
use hikyaku_core::Fault;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::timeout;

/// Addresses of names that resolved before: a long run outlives short failures
/// of the resolver.
static KNOWN: LazyLock<Mutex<HashMap<String, Vec<SocketAddr>>>> = LazyLock::new(Mutex::default);

/// Beyond this the memory of names starts afresh.
const MOST_KNOWN: usize = 1024;

const NO_ADDRESS: &str = "it has no address";

/// Connects: looks the name up, takes the first address that answers, and with
/// [`Security::ImplicitTls`] shakes hands.
///
/// With the other two the server's greeting has begun to arrive when this
/// returns, and is unread. Safe to cancel: everything is closed on drop.
///
/// # Faults
/// The N and T classes; each names the side and `host:port`.
pub async fn connect(endpoint: &Endpoint) -> Result<Stream, Fault> {
    if endpoint.dial.is_some() {
        return connect_through(endpoint).await;
    }
    let addresses = resolve(endpoint).await?;
    connect_to(endpoint, &addresses).await
}

/// The same with addresses from [`resolve`], perhaps checked in between; over TCP, whatever the endpoint's dialler.
/// The host of the endpoint still names the server for TLS.
///
/// # Faults
/// As [`connect`].
pub async fn connect_to(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<Stream, Fault> {
    let addresses = interleave(addresses);
    if addresses.is_empty() {
        return Err(fault::not_found(endpoint, NO_ADDRESS));
    }
    let (socket, address) = match &endpoint.guard {
        None => reach(endpoint, &addresses).await?,
        Some(guard) => reach_guarded(endpoint, guard, &addresses).await?,
    };
    begin(endpoint, socket, address).await
}

/// The first of these addresses that answers.
async fn reach(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
) -> Result<(Socket, SocketAddr), Fault> {
    let dialling = race(addresses, |address| async move {
        Ok((dial(address, endpoint.buffers).await?, address))
    });
    match timeout(endpoint.timeouts.connect, dialling).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(failures)) => Err(fault::unreachable(endpoint, &failures)),
        Err(_) => Err(fault::unanswered(endpoint, addresses)),
    }
}

/// The same for addresses that somebody else chose: what the guard refuses is never dialled, and looks as if
/// nobody listened there.
async fn reach_guarded(
    endpoint: &Endpoint,
    guard: &Guard,
    addresses: &[SocketAddr],
) -> Result<(Socket, SocketAddr), Fault> {
    let shortest = tokio::time::sleep(guard.shortest_failure());
    let allowed: Vec<SocketAddr> = addresses
        .iter()
        .copied()
        .filter(|address| guard.allows(address.ip(), address.port()))
        .collect();
    if allowed.len() < addresses.len() {
        tracing::info!(
            server = endpoint.server(),
            "the egress guard refuses addresses"
        );
    }
    if !allowed.is_empty()
        && let Ok(connected) = reach(endpoint, &allowed).await
    {
        return Ok(connected);
    }
    shortest.await;
    Err(fault::closed(endpoint))
}

/// Over whatever the endpoint's own dialler gives.
async fn connect_through(endpoint: &Endpoint) -> Result<Stream, Fault> {
    // For faults only: a dialler may know the host by name alone.
    let shown = SocketAddr::new(
        endpoint.address().unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
        endpoint.port,
    );
    match timeout(endpoint.timeouts.connect, open(endpoint, shown)).await {
        Ok(Ok((socket, address))) => begin(endpoint, socket, address).await,
        Ok(Err(error)) => Err(fault::unreachable(endpoint, &[(shown, error)])),
        Err(_) => Err(fault::unanswered(endpoint, &[shown])),
    }
}

/// From a connected socket to a stream.
async fn begin(endpoint: &Endpoint, socket: Socket, address: SocketAddr) -> Result<Stream, Fault> {
    let peer = PeerInfo { address, tls: None };
    match endpoint.security {
        Security::ImplicitTls => {
            let (stream, info) = tls::handshake(socket, endpoint, Phase::Implicit).await?;
            Ok(Stream::tls(stream, peer.with_tls(info)))
        }
        Security::StartTls | Security::Plain => {
            diagnose::await_greeting(&socket, endpoint, address).await?;
            Ok(Stream::tcp(socket, peer))
        }
    }
}

/// The addresses of the endpoint's host, in the system's order of preference.
/// When the resolver fails for a name that it knew before, the addresses of
/// that time are given again.
///
/// # Faults
/// `host.not_found`.
pub async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Fault> {
    if let Some(address) = endpoint.address() {
        return Ok(vec![SocketAddr::new(address, endpoint.port)]);
    }
    let looking = look_up(endpoint);
    let why = match timeout(endpoint.timeouts.connect, looking).await {
        Ok(Ok(addresses)) => {
            if !addresses.is_empty() {
                remember(endpoint, &addresses);
                return Ok(addresses);
            }
            NO_ADDRESS.to_owned()
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the resolver did not answer".to_owned(),
    };
    match recall(endpoint) {
        Some(addresses) => {
            tracing::warn!(
                server = endpoint.server(),
                why,
                "earlier addresses are used"
            );
            Ok(addresses)
        }
        None => Err(fault::not_found(endpoint, &why)),
    }
}

/// One lookup: where the guard says, or by the system.
async fn look_up(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = (endpoint.bare_host(), endpoint.port);
    match endpoint.guard.as_ref().and_then(Guard::resolver) {
        Some(lookup) => {
            let found = lookup.addresses(host).await?;
            Ok(found.into_iter().map(|ip| (ip, port).into()).collect())
        }
        None => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
    }
}

fn remember(endpoint: &Endpoint, addresses: &[SocketAddr]) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(endpoint.server(), addresses.to_vec());
}

fn recall(endpoint: &Endpoint) -> Option<Vec<SocketAddr>> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(&endpoint.server()).cloned()
}

/// One connection: by the endpoint's own dialler where it has one, else to this address.
pub(crate) async fn open(
    endpoint: &Endpoint,
    address: SocketAddr,
) -> io::Result<(Socket, SocketAddr)> {
    match &endpoint.dial {
        Some(dial) => {
            let Dialled { carrier, address } = dial.dial(endpoint).await?;
            Ok((Socket::carried(carrier), address))
        }
        None => {
            let refuses = |guard: &Guard| !guard.allows(address.ip(), address.port());
            if endpoint.guard.as_ref().is_some_and(refuses) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            Ok((dial(address, endpoint.buffers).await?, address))
        }
    }
}

/// One TCP connection with the options that a long transfer wants.
async fn dial(address: SocketAddr, buffers: Buffers) -> io::Result<Socket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Order matters: the receive window is negotiated while connecting.
    if let Some(octets) = buffers.send {
        socket.set_send_buffer_size(octets)?;
    }
    if let Some(octets) = buffers.receive {
        socket.set_recv_buffer_size(octets)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    // A NAT on the way forgets a connection that is silent while the other side is busy.
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    if let Err(error) = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "keepalive is not available");
    }
    Ok(Socket::new(stream))
}
