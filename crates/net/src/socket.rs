//! A socket, or what stands for one, that two halves share and a third party can cut off.

use crate::Carrier;
use bytes::{Buf, BytesMut};
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One connected socket. Clones are the same socket, which closes when the last
/// one goes. At most one task reads and one task writes at a time.
#[derive(Clone, Debug)]
pub(crate) struct Socket(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    way: Way,
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// What carries the octets.
#[derive(Debug)]
enum Way {
    Tcp(TcpStream),
    /// The lock is held during one poll only.
    Carried(Mutex<Carried>),
}

#[derive(Debug)]
struct Carried {
    carrier: Box<dyn Carrier>,
    /// What was looked at and not taken yet.
    ahead: BytesMut,
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
        match &self.way {
            Way::Tcp(tcp) => {
                if let Err(error) = tcp.set_zero_linger() {
                    tracing::debug!(%error, "the socket cannot be closed by reset");
                }
            }
            Way::Carried(carried) => lock(carried).carrier.reset(),
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
        write: impl Fn(&TcpStream) -> io::Result<usize>,
        carry: impl FnOnce(Pin<&mut dyn Carrier>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let tcp = match &self.way {
            Way::Tcp(tcp) => tcp,
            Way::Carried(carried) => {
                self.check()?;
                let written = carry(Pin::new(&mut *lock(carried).carrier), cx);
                return self.unless_cut(written, &self.writer, cx);
            }
        };
        loop {
            self.check()?;
            match tcp.poll_write_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return self.park(&self.writer, cx),
            }
            match write(tcp) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// A carrier's answer; the task that waits for it also waits for a cut.
    fn unless_cut<T>(
        &self,
        answer: Poll<io::Result<T>>,
        waker: &AtomicWaker,
        cx: &Context<'_>,
    ) -> Poll<io::Result<T>> {
        match answer {
            Poll::Pending => self.park(waker, cx),
            ready => ready,
        }
    }
}

fn lock(carried: &Mutex<Carried>) -> MutexGuard<'_, Carried> {
    carried.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self::over(Way::Tcp(tcp))
    }

    pub(crate) fn carried(carrier: Box<dyn Carrier>) -> Self {
        Self::over(Way::Carried(Mutex::new(Carried {
            carrier,
            ahead: BytesMut::new(),
        })))
    }

    fn over(way: Way) -> Self {
        Self(Arc::new(Shared {
            way,
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
        let seen = match &self.0.way {
            Way::Tcp(tcp) => tcp.peek(buffer).await?,
            Way::Carried(carried) => {
                poll_fn(|cx| self.look_ahead(carried, buffer.len(), cx)).await?;
                let ahead = &lock(carried).ahead;
                let seen = ahead.len().min(buffer.len());
                buffer[..seen].copy_from_slice(&ahead[..seen]);
                seen
            }
        };
        Ok(&buffer[..seen])
    }

    /// Reads up to so many octets of a carrier and keeps them for the next read.
    fn look_ahead(
        &self,
        carried: &Mutex<Carried>,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.check()?;
        let read = {
            let Carried { carrier, ahead } = &mut *lock(carried);
            if !ahead.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let mut octets = vec![0; most];
            let mut buffer = ReadBuf::new(&mut octets);
            let read = Pin::new(&mut **carrier).poll_read(cx, &mut buffer);
            ahead.extend_from_slice(buffer.filled());
            read
        };
        self.0.unless_cut(read, &self.0.reader, cx)
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
        let tcp = match &shared.way {
            Way::Tcp(tcp) => tcp,
            Way::Carried(carried) => {
                shared.check()?;
                let read = {
                    let Carried { carrier, ahead } = &mut *lock(carried);
                    if !ahead.is_empty() {
                        let taken = ahead.len().min(buf.remaining());
                        buf.put_slice(&ahead[..taken]);
                        ahead.advance(taken);
                        return Poll::Ready(Ok(()));
                    }
                    Pin::new(&mut **carrier).poll_read(cx, buf)
                };
                return shared.unless_cut(read, &shared.reader, cx);
            }
        };
        loop {
            shared.check()?;
            match tcp.poll_read_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return shared.park(&shared.reader, cx),
            }
            match tcp.try_read_buf(buf) {
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
        self.0.poll_write_with(
            cx,
            |tcp| tcp.try_write(buf),
            |carrier, cx| carrier.poll_write(cx, buf),
        )
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_with(
            cx,
            |tcp| tcp.try_write_vectored(bufs),
            |carrier, cx| carrier.poll_write_vectored(cx, bufs),
        )
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.check()?;
        let tcp = match &self.0.way {
            Way::Tcp(tcp) => tcp,
            Way::Carried(carried) => {
                return Pin::new(&mut *lock(carried).carrier).poll_shutdown(cx);
            }
        };
        let result = socket2::SockRef::from(tcp).shutdown(std::net::Shutdown::Write);
        Poll::Ready(match result {
            // The peer was faster; there is nothing left to end.
            Err(e) if e.kind() == ErrorKind::NotConnected => Ok(()),
            other => other,
        })
    }
}
