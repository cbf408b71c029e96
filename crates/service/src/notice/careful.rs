//! A connection on which nothing that came before the handshake is heard after it.
//!
//! lettre reads ahead. What somebody on the way sends behind the answer to STARTTLS would be in its buffer when TLS
//! begins, and be taken for answers of the server whose certificate was just proven. So from the command on octets are
//! handed out one by one: whatever follows the answer stays unread, meets the handshake, and breaks it.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The command as it goes over the wire.
const COMMAND: &[u8] = b"STARTTLS\r\n";

/// A clear-text connection that is about to be encrypted.
#[derive(Debug)]
pub(super) struct Careful {
    stream: TcpStream,
    /// The command was sent, and nothing after it.
    answer_is_due: bool,
}

impl Careful {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            answer_is_due: false,
        }
    }
}

impl AsyncRead for Careful {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.answer_is_due {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut octet = [0];
        let mut one = ReadBuf::new(&mut octet);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut one);
        if matches!(read, Poll::Ready(Ok(()))) {
            buffer.put_slice(one.filled());
        }
        read
    }
}

impl AsyncWrite for Careful {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answer_is_due = octets == COMMAND;
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Careful {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
