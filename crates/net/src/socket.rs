//! A TCP socket that two halves share and a third party can cut off.

use futures::task::AtomicWaker;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One connected socket. Clones are the same socket, which closes when the last
/// one goes. At most one task reads and one task writes at a time.
#[derive(Clone, Debug)]
pub(crate) struct Socket(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tcp: TcpStream,
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// Cuts a connection off from any task, also after it was split.
///
/// Holding one does not keep the connection open.
#[derive(Clone, Debug)]
pub struct Resetter(Weak<Shared>);

impl Resetter {
    /// Aborts: whoever reads or writes gets `ConnectionAborted` at once, and
    /// when the halves are dropped the peer is sent RST instead of an orderly
    /// end, with nothing that was still queued. Does nothing on a connection
    /// that is closed already.
    pub fn reset(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.cut_off();
        }
    }
}

impl Shared {
    fn cut_off(&self) {
        if let Err(error) = self.tcp.set_zero_linger() {
            tracing::debug!(%error, "the socket cannot be closed by reset");
        }
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::Acquire) {
            return Err(io::Error::new(
                ErrorKind::ConnectionAborted,
                "the connection was reset from this side",
            ));
        }
        Ok(())
    }

    /// Parks the task without losing a cut that comes in between.
    fn park<T>(&self, waker: &AtomicWaker, cx: &Context<'_>) -> Poll<io::Result<T>> {
        waker.register(cx.waker());
        match self.check() {
            Ok(()) => Poll::Pending,
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            self.check()?;
            match self.tcp.poll_write_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return self.park(&self.writer, cx),
            }
            match write(&self.tcp) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self(Arc::new(Shared {
            tcp,
            cut: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }))
    }

    pub(crate) fn resetter(&self) -> Resetter {
        Resetter(Arc::downgrade(&self.0))
    }

    /// Waits for the first octets without taking them; empty at the end of the stream.
    pub(crate) async fn peek<'a>(&self, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let seen = self.0.tcp.peek(buffer).await?;
        Ok(&buffer[..seen])
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let shared = &*self.0;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            shared.check()?;
            match shared.tcp.poll_read_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return shared.park(&shared.reader, cx),
            }
            match shared.tcp.try_read_buf(buf) {
                Ok(_) => return Poll::Ready(Ok(())),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_with(cx, |tcp| tcp.try_write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_write_with(cx, |tcp| tcp.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.check()?;
        let result = socket2::SockRef::from(&self.0.tcp).shutdown(std::net::Shutdown::Write);
        Poll::Ready(match result {
            // The peer was faster; there is nothing left to end.
            Err(e) if e.kind() == ErrorKind::NotConnected => Ok(()),
            other => other,
        })
    }
}
