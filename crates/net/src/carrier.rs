//! The seam for connections that are not made by this machine's own TCP: through a proxy, over a local socket, or
//! inside the process.

use crate::Endpoint;
use futures::future::BoxFuture;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};

/// Makes connections in place of the resolver and TCP. TLS, where the endpoint asks for it, is spoken over what it
/// gives, with the endpoint's host as the name that the certificate must bear.
pub trait Dial: Debug + Send + Sync {
    /// One new connection to the endpoint's server. Given up by dropping the answer: [`Endpoint`]'s time-out for
    /// connecting applies.
    ///
    /// # Errors
    /// As those of a socket: `ConnectionRefused` where nobody listens.
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, io::Result<Dialled>>;
}

/// A connection that a [`Dial`] made.
#[derive(Debug)]
pub struct Dialled {
    /// Carries the octets.
    pub carrier: Box<dyn Carrier>,
    /// Who answered, for reports.
    pub address: SocketAddr,
}

/// Carries the octets of one connection. Writes leave at once: there is nothing to flush.
pub trait Carrier: AsyncRead + AsyncWrite + Debug + Send + Unpin {
    /// Ends the connection so that the peer sees it broken off, not ended, and nothing that is still queued arrives.
    fn reset(&mut self);
}
