//! A connection as its protocol sees it: octets in, octets out, whatever lies between.

use crate::deflate::{Deflate, Inflate};
use crate::fault::{self, Phase};
use crate::socket::{Resetter, Socket};
use crate::{Endpoint, Fingerprint, tls};
use hikyaku_core::Fault;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::BufReader;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// Whom one is talking to. Shown to people and kept in reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// The address that answered, of perhaps several.
    pub address: SocketAddr,
    /// The encryption; `None` on a clear-text connection.
    pub tls: Option<TlsInfo>,
}

/// What the TLS handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: &'static str,
    /// Name of the cipher suite.
    pub cipher: String,
    /// The server's own certificate.
    pub certificate: Fingerprint,
}

impl PeerInfo {
    pub(crate) fn with_tls(self, tls: TlsInfo) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }
}

/// A connection: TCP, TLS over it, and compression over either.
///
/// Writes go to the socket at once and, under TLS, become one record each:
/// collect small writes before. Under compression nothing leaves before
/// `flush`. Dropping a stream closes it without ceremony.
#[derive(Debug)]
pub struct Stream {
    layer: Layer,
    peer: PeerInfo,
    resetter: Resetter,
}

#[derive(Debug)]
enum Layer {
    Tcp(Socket),
    Tls(Box<TlsStream<BufReader<Socket>>>),
    Halves(ReadHalf, WriteHalf),
}

/// The reading half of a split [`Stream`].
#[derive(Debug)]
pub struct ReadHalf(Reading);

#[derive(Debug)]
enum Reading {
    Tcp(Socket),
    Tls(tokio::io::ReadHalf<TlsStream<BufReader<Socket>>>),
    Inflate(Box<Inflate<ReadHalf>>),
}

/// The writing half of a split [`Stream`]. Dropping it does not tell the peer
/// anything while the other half lives; `shutdown` does.
#[derive(Debug)]
pub struct WriteHalf(Writing);

#[derive(Debug)]
enum Writing {
    Tcp(Socket),
    Tls(tokio::io::WriteHalf<TlsStream<BufReader<Socket>>>),
    Deflate(Box<Deflate<WriteHalf>>),
}

impl Stream {
    pub(crate) fn tcp(socket: Socket, peer: PeerInfo) -> Self {
        Self {
            resetter: socket.resetter(),
            layer: Layer::Tcp(socket),
            peer,
        }
    }

    pub(crate) fn tls(stream: TlsStream<BufReader<Socket>>, peer: PeerInfo) -> Self {
        Self {
            resetter: stream.get_ref().0.get_ref().resetter(),
            layer: Layer::Tls(Box::new(stream)),
            peer,
        }
    }

    /// Whom one is talking to.
    pub fn peer(&self) -> &PeerInfo {
        &self.peer
    }

    /// Whether the octets are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.peer.tls.is_some()
    }

    /// Turns to TLS after the server agreed to it (RFC 9051 §6.2.1, RFC 2595 §4).
    ///
    /// `unread` is what the caller's buffer holds beyond the server's agreement.
    /// It must be empty: those octets were not protected, and an attacker could
    /// have put them there to be believed afterwards.
    ///
    /// # Faults
    /// The T class, `link.lost`, `link.silent`; `bug` on a stream that is not
    /// plain TCP.
    pub async fn start_tls(self, endpoint: &Endpoint, unread: &[u8]) -> Result<Self, Fault> {
        if !unread.is_empty() {
            return Err(fault::words_before_handshake(endpoint));
        }
        let Layer::Tcp(socket) = self.layer else {
            return Err(Fault::bug("STARTTLS on a connection that is not plain TCP"));
        };
        let (stream, info) = tls::handshake(socket, endpoint, Phase::Upgrade).await?;
        Ok(Self::tls(stream, self.peer.with_tls(info)))
    }

    /// Turns to compression (RFC 4978). `unread` is what the caller's buffer
    /// holds beyond the server's agreement: it is compressed already.
    pub fn deflate(self, unread: &[u8]) -> Self {
        let (peer, resetter) = (self.peer.clone(), self.resetter.clone());
        let (read, write) = self.split();
        Self {
            layer: Layer::Halves(read.inflate(unread), write.deflate()),
            peer,
            resetter,
        }
    }

    /// Aborts with RST, so that a peer in the middle of receiving something
    /// cannot take it for complete. Nothing queued is sent any more.
    pub fn reset(self) {
        self.resetter.reset();
    }

    /// A handle that can abort the connection from elsewhere.
    pub fn resetter(&self) -> Resetter {
        self.resetter.clone()
    }

    /// Two halves for two tasks.
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        match self.layer {
            Layer::Tcp(socket) => (
                ReadHalf(Reading::Tcp(socket.clone())),
                WriteHalf(Writing::Tcp(socket)),
            ),
            Layer::Tls(stream) => {
                let (read, write) = tokio::io::split(*stream);
                (ReadHalf(Reading::Tls(read)), WriteHalf(Writing::Tls(write)))
            }
            Layer::Halves(read, write) => (read, write),
        }
    }
}

impl ReadHalf {
    /// Decompresses from here on; `unread` as in [`Stream::deflate`].
    #[must_use]
    pub fn inflate(self, unread: &[u8]) -> Self {
        Self(Reading::Inflate(Box::new(Inflate::new(self, unread))))
    }
}

impl WriteHalf {
    /// Compresses from here on.
    #[must_use]
    pub fn deflate(self) -> Self {
        Self(Writing::Deflate(Box::new(Deflate::new(self))))
    }
}

impl Stream {
    fn reading(&mut self) -> &mut (dyn AsyncRead + Unpin) {
        match &mut self.layer {
            Layer::Tcp(io) => io,
            Layer::Tls(io) => io,
            Layer::Halves(io, _) => io,
        }
    }

    fn writing(&mut self) -> &mut (dyn AsyncWrite + Unpin) {
        match &mut self.layer {
            Layer::Tcp(io) => io,
            Layer::Tls(io) => io,
            Layer::Halves(_, io) => io,
        }
    }
}

impl ReadHalf {
    fn reading(&mut self) -> &mut (dyn AsyncRead + Unpin) {
        match &mut self.0 {
            Reading::Tcp(io) => io,
            Reading::Tls(io) => io,
            Reading::Inflate(io) => io,
        }
    }
}

impl WriteHalf {
    fn writing(&mut self) -> &mut (dyn AsyncWrite + Unpin) {
        match &mut self.0 {
            Writing::Tcp(io) => io,
            Writing::Tls(io) => io,
            Writing::Deflate(io) => io,
        }
    }
}

/// Passes the calls on to the layer.
macro_rules! delegate {
    (AsyncRead for $($type:ty),*) => {$(
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(self.get_mut().reading()).poll_read(cx, buf)
            }
        }
    )*};
    (AsyncWrite for $($type:ty),*) => {$(
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(self.get_mut().writing()).poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(self.get_mut().writing()).poll_write_vectored(cx, bufs)
            }

            /// A layer without gathering takes the first slice: still correct.
            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(self.get_mut().writing()).poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(self.get_mut().writing()).poll_shutdown(cx)
            }
        }
    )*};
}

delegate!(AsyncRead for Stream, ReadHalf);
delegate!(AsyncWrite for Stream, WriteHalf);
