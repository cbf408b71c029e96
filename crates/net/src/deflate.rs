//! COMPRESS=DEFLATE (RFC 4978): raw deflate in both directions, without an end.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::fmt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets of compressed input held at a time.
const INPUT: usize = 16 * 1024;

/// Compressed output beyond which nothing more is accepted until it has left.
const OUTPUT: usize = 32 * 1024;

/// How far octets may grow. Memory is bounded without it, since the reader sets
/// the pace; it ends a peer that makes us count zeros for ever.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Octets out for each octet in. Text reaches about 20.
    ratio: u64,
    /// Octets that are free of it: one message of a single repeated letter is
    /// legitimate mail, and compresses a thousandfold.
    free: u64,
}

const LIMITS: Limits = Limits {
    ratio: 200,
    free: 512 * 1024 * 1024,
};

/// Compressed octets that grow beyond all measure: inside the [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the compressed data grows beyond all measure")
    }
}

impl std::error::Error for Bomb {}

/// Decompresses what is read from `inner`.
///
/// `InvalidData` when the input is not deflate, goes on after its end, or grows
/// beyond all measure. It says so again on each later read.
pub(crate) struct Inflate<R> {
    inner: R,
    state: Decompress,
    input: Vec<u8>,
    /// Where the unread part of `input` begins.
    start: usize,
    /// The last call filled the reader's buffer: more may come out without input.
    more: bool,
    broken: Option<Broken>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
enum Broken {
    Data(&'static str),
    Bomb,
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Data(why) => io::Error::new(ErrorKind::InvalidData, why),
            Broken::Bomb => io::Error::new(ErrorKind::InvalidData, Bomb),
        }
    }
}

impl<R> Inflate<R> {
    /// `unread` are compressed octets that were read before `inner`'s next.
    pub(crate) fn new(inner: R, unread: &[u8]) -> Self {
        let mut input = Vec::with_capacity(INPUT.max(unread.len()));
        input.extend_from_slice(unread);
        Self {
            inner,
            state: Decompress::new(false),
            input,
            start: 0,
            more: false,
            broken: None,
            limits: LIMITS,
        }
    }

    /// Fills `output` as far as the input at hand reaches.
    fn inflate(&mut self, output: &mut [u8]) -> Result<usize, Broken> {
        let (in_before, out_before) = (self.state.total_in(), self.state.total_out());
        let input = &self.input[self.start..];
        let status = self
            .state
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| Broken::Data("the compressed data is damaged"))?;
        let taken = (self.state.total_in() - in_before) as usize;
        let made = (self.state.total_out() - out_before) as usize;
        self.start += taken;
        self.more = made == output.len();
        if status == Status::StreamEnd && made == 0 {
            return Err(Broken::Data(
                "the compressed stream was ended by the server",
            ));
        }
        if made == 0 && taken == 0 && self.start < self.input.len() {
            return Err(Broken::Data("the compressed data makes no progress"));
        }
        let Limits { ratio, free } = self.limits;
        if self.state.total_out() > free.saturating_add(self.state.total_in().saturating_mul(ratio))
        {
            return Err(Broken::Bomb);
        }
        Ok(made)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Inflate<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if let Some(why) = this.broken {
                return Poll::Ready(Err(why.into()));
            }
            if this.start < this.input.len() || this.more {
                match this.inflate(buf.initialize_unfilled()) {
                    Ok(0) => {}
                    Ok(made) => {
                        buf.advance(made);
                        return Poll::Ready(Ok(()));
                    }
                    Err(why) => this.broken = Some(why),
                }
                continue;
            }
            this.input.resize(INPUT, 0);
            this.start = INPUT;
            let mut chunk = ReadBuf::new(&mut this.input);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            let got = chunk.filled().len();
            if got == 0 {
                return Poll::Ready(Ok(()));
            }
            this.input.truncate(got);
            this.start = 0;
        }
    }
}

/// Compresses what is written, and sends it on `flush` so that the peer can
/// decompress all of it (a sync flush).
pub(crate) struct Deflate<W> {
    inner: W,
    state: Compress,
    output: Vec<u8>,
    /// Where the unsent part of `output` begins.
    start: usize,
    /// Something was accepted since the last sync flush.
    dirty: bool,
}

impl<W> Deflate<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            // Most of it is base64, from which the higher levels gain nothing.
            state: Compress::new(Compression::new(3), false),
            output: Vec::with_capacity(2 * OUTPUT),
            start: 0,
            dirty: false,
        }
    }

    /// Ends the current block on an octet boundary.
    fn sync(&mut self) -> io::Result<()> {
        while self.dirty {
            self.output.reserve(OUTPUT);
            self.state
                .compress_vec(&[], &mut self.output, FlushCompress::Sync)
                .map_err(io::Error::other)?;
            // Room left over means that nothing is held back any more.
            self.dirty = self.output.len() == self.output.capacity();
        }
        Ok(())
    }
}

impl<W: AsyncWrite + Unpin> Deflate<W> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.start < self.output.len() {
            let unsent = &self.output[self.start..];
            let sent = ready!(Pin::new(&mut self.inner).poll_write(cx, unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.start += sent;
        }
        self.output.clear();
        self.start = 0;
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Deflate<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.output.len() >= OUTPUT {
            ready!(this.poll_drain(cx))?;
        }
        let chunk = &buf[..buf.len().min(OUTPUT)];
        let before = this.state.total_in();
        while !chunk.is_empty() && this.state.total_in() == before {
            this.output.reserve(OUTPUT);
            this.state
                .compress_vec(chunk, &mut this.output, FlushCompress::None)
                .map_err(io::Error::other)?;
            this.dirty = true;
        }
        Poll::Ready(Ok((this.state.total_in() - before) as usize))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.sync()?;
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

// The buffers hold mail, and on the way out perhaps a password: they are not printed.
impl<R: fmt::Debug> fmt::Debug for Inflate<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inflate").field(&self.inner).finish()
    }
}

impl<W: fmt::Debug> fmt::Debug for Deflate<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deflate").field(&self.inner).finish()
    }
}

#[cfg(test)]
mod tests;
