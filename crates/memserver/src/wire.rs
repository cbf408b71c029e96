//! Octets in and out of one connection: TLS, compression, pace, and the faults
//! that strike at an octet.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::faults::Action;

/// Output is sent when this much has gathered, or when input runs out.
const GATHERED: usize = 64 * 1024;
/// How much one read asks for.
const READ: usize = 64 * 1024;

/// The session is over: the peer has gone, or a fault ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop;

/// Why no line came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFault {
    /// The session is over.
    Stop,
    /// The line is longer than allowed; its end has not been found.
    TooLong,
}

impl From<Stop> for LineFault {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

/// One end of a connection inside this process, for [`MemServer::accept`](crate::MemServer::accept).
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {
    /// Breaks the connection off as RST does.
    fn reset(&mut self);
}

pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Carried(Box<dyn Carrier>),
}

impl Stream {
    pub(crate) fn tcp(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).ok();
        Self::Plain(tcp)
    }

    fn reset(self) {
        match self {
            Self::Plain(tcp) => tcp.set_zero_linger().ok(),
            Self::Tls(tls) => tls.get_ref().0.set_zero_linger().ok(),
            Self::Carried(mut carrier) => {
                carrier.reset();
                None
            }
        };
    }

    async fn read(&mut self, into: &mut BytesMut) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read_buf(into).await,
            Self::Tls(tls) => tls.read_buf(into).await,
            Self::Carried(carrier) => carrier.read_buf(into).await,
        }
    }

    async fn write(&mut self, octets: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(octets).await,
            Self::Tls(tls) => {
                tls.write_all(octets).await?;
                tls.flush().await
            }
            Self::Carried(carrier) => carrier.write_all(octets).await,
        }
    }

    async fn shutdown(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown().await,
            Self::Tls(tls) => tls.shutdown().await,
            Self::Carried(carrier) => carrier.shutdown().await,
        }
    }
}

#[derive(Clone, Copy)]
enum Pace {
    Free,
    Drip,
    Throttle(u64),
}

struct Trap {
    at: u64,
    action: Action,
    /// Belongs to the command at hand and is forgotten with it.
    passing: bool,
}

pub(crate) struct Wire {
    /// `None` after the end.
    stream: Option<Stream>,
    /// Octets the session may read.
    input: BytesMut,
    /// Decompressed octets behind a trap.
    held: BytesMut,
    /// Where the search for a line's end goes on.
    searched: usize,
    output: BytesMut,
    deflate: Option<(Box<Compress>, Box<Decompress>)>,
    pace: Pace,
    sent: u64,
    received: u64,
    on_sent: Vec<Trap>,
    on_received: Vec<Trap>,
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream: Some(stream),
            input: BytesMut::new(),
            held: BytesMut::new(),
            searched: 0,
            output: BytesMut::new(),
            deflate: None,
            pace: Pace::Free,
            sent: 0,
            received: 0,
            on_sent: Vec::new(),
            on_received: Vec::new(),
        }
    }

    /// Octets received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Octets sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Where the next octet of the output will stand.
    fn written(&self) -> u64 {
        self.sent + self.output.len() as u64
    }

    // ---- output ----

    /// Adds to the output; nothing is sent before the next flush.
    pub(crate) fn put(&mut self, octets: impl AsRef<[u8]>) {
        self.output.extend_from_slice(octets.as_ref());
    }

    /// Adds a line with its CRLF.
    pub(crate) fn put_line(&mut self, line: impl AsRef<[u8]>) {
        self.put(line);
        self.put(b"\r\n");
    }

    /// Strikes when so many octets after the present output have been sent, if
    /// they are sent before [`Wire::forget_passing`].
    pub(crate) fn trap_output(&mut self, ahead: u64, action: Action) {
        let at = self.written().saturating_add(ahead);
        self.on_sent.push(Trap {
            at,
            action,
            passing: true,
        });
    }

    /// Strikes when the connection has sent so many octets in all.
    pub(crate) fn trap_sent(&mut self, at: u64, action: Action) {
        self.on_sent.push(Trap {
            at,
            action,
            passing: false,
        });
    }

    /// Strikes when so many octets beyond those read by the session are there,
    /// if they come before [`Wire::forget_passing`].
    pub(crate) fn trap_input(&mut self, ahead: u64, action: Action) {
        let read = self.received - self.input.len() as u64;
        self.trap_arrival(read.saturating_add(ahead), action, true);
    }

    /// Strikes when the connection has received so many octets in all.
    pub(crate) fn trap_received(&mut self, at: u64, action: Action) {
        self.trap_arrival(at, action, false);
    }

    fn trap_arrival(&mut self, at: u64, action: Action, passing: bool) {
        // What lies behind the trap is not received yet.
        let ahead = self
            .received
            .saturating_sub(at)
            .min(self.input.len() as u64);
        let keep = self.input.len() - usize::try_from(ahead).unwrap_or(usize::MAX);
        let behind = self.input.split_off(keep);
        self.received -= behind.len() as u64;
        let mut held = behind;
        held.extend_from_slice(&self.held);
        self.held = held;
        self.searched = self.searched.min(self.input.len());
        self.on_received.push(Trap {
            at,
            action,
            passing,
        });
    }

    /// Forgets the traps of one command that lie beyond what it sent and received.
    pub(crate) fn forget_passing(&mut self) {
        let written = self.written();
        self.on_sent
            .retain(|trap| !trap.passing || trap.at <= written);
        self.on_received.retain(|trap| !trap.passing);
    }

    /// Sends the output if much of it has gathered.
    pub(crate) async fn relieve(&mut self) -> Result<(), Stop> {
        match self.output.len() >= GATHERED {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Sends all output, meeting the traps on its way.
    pub(crate) async fn flush(&mut self) -> Result<(), Stop> {
        loop {
            let next = self.on_sent.iter().map(|t| t.at).min();
            let free = match next {
                Some(at) => usize::try_from(at.saturating_sub(self.sent)).unwrap_or(usize::MAX),
                None => usize::MAX,
            };
            let octets = self.output.len().min(free);
            if octets > 0 {
                let chunk = self.output.split_to(octets).freeze();
                self.send(&chunk).await?;
                self.sent += octets as u64;
            }
            match next {
                Some(at) if at <= self.sent => {
                    let found = self.on_sent.iter().position(|t| t.at == at);
                    let Some(found) = found else { continue };
                    let trap = self.on_sent.remove(found);
                    self.perform(trap.action).await?;
                }
                _ if self.output.is_empty() => return Ok(()),
                _ => {}
            }
        }
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), Stop> {
        let packed = match &mut self.deflate {
            Some((compress, _)) => Some(pack(compress, octets)?),
            None => None,
        };
        let octets = packed.as_deref().unwrap_or(octets);
        match self.pace {
            Pace::Free => self.write(octets).await,
            Pace::Drip => {
                for octet in octets.chunks(1) {
                    self.write(octet).await?;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Pace::Throttle(rate) => {
                let rate = rate.max(1);
                // Ten portions a second, or one octet at a time below that.
                let portion = (rate / 10).max(1);
                let pause = Duration::from_secs_f64(portion as f64 / rate as f64);
                for piece in octets.chunks(usize::try_from(portion).unwrap_or(usize::MAX)) {
                    self.write(piece).await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            }
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), Stop> {
        let Some(stream) = &mut self.stream else {
            return Err(Stop);
        };
        stream.write(octets).await.map_err(|_| Stop)
    }

    // ---- input ----

    /// A line without its CRLF or LF, at most `limit` octets long.
    pub(crate) async fn line(&mut self, limit: usize) -> Result<Bytes, LineFault> {
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.input[self.searched..]) {
                let end = self.searched + found;
                if end > limit.saturating_add(1) {
                    return Err(LineFault::TooLong);
                }
                let mut line = self.input.split_to(end + 1);
                self.searched = 0;
                line.truncate(end);
                if line.last() == Some(&b'\r') {
                    line.truncate(end - 1);
                }
                return Ok(line.freeze());
            }
            self.searched = self.input.len();
            if self.searched > limit {
                return Err(LineFault::TooLong);
            }
            self.fill().await?;
        }
    }

    /// Exactly so many octets; they are taken into memory as they arrive.
    pub(crate) async fn octets(&mut self, count: u64) -> Result<Bytes, Stop> {
        self.searched = 0;
        let count = usize::try_from(count).map_err(|_| Stop)?;
        if count <= self.input.len() {
            // A copy: a slice would keep the whole read buffer alive.
            let octets = Bytes::copy_from_slice(&self.input[..count]);
            self.input.advance(count);
            return Ok(octets);
        }
        // The announced length is not believed before the octets are there.
        let mut gathered = BytesMut::with_capacity(count.min(1 << 20));
        while gathered.len() < count {
            if self.input.is_empty() {
                self.fill().await?;
            }
            let take = self.input.len().min(count - gathered.len());
            gathered.extend_from_slice(&self.input[..take]);
            self.input.advance(take);
        }
        Ok(gathered.freeze())
    }

    /// Reads so many octets and forgets them.
    pub(crate) async fn skip(&mut self, count: u64) -> Result<(), Stop> {
        self.searched = 0;
        let mut left = count;
        while left > 0 {
            if self.input.is_empty() {
                self.fill().await?;
            }
            let take = self
                .input
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            self.input.advance(take);
            left -= take as u64;
        }
        Ok(())
    }

    /// Waits for more input, sending the output first. Dropping the future
    /// loses nothing that has arrived.
    pub(crate) async fn fill(&mut self) -> Result<(), Stop> {
        self.flush().await?;
        loop {
            if let Some(at) = self.on_received.iter().position(|t| t.at <= self.received) {
                let trap = self.on_received.remove(at);
                self.perform(trap.action).await?;
                self.flush().await?;
                continue;
            }
            if !self.held.is_empty() {
                let next = self.on_received.iter().map(|t| t.at - self.received).min();
                let free = next.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
                let passed = self.held.split_to(self.held.len().min(free));
                self.received += passed.len() as u64;
                if self.input.is_empty() {
                    self.input = passed;
                } else {
                    self.input.extend_from_slice(&passed);
                }
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Stop> {
        let Some(stream) = &mut self.stream else {
            return Err(Stop);
        };
        match &mut self.deflate {
            None => {
                self.held.reserve(READ);
                match stream.read(&mut self.held).await {
                    Ok(1..) => Ok(()),
                    Ok(0) | Err(_) => Err(Stop),
                }
            }
            Some((_, decompress)) => {
                let mut packed = BytesMut::with_capacity(READ / 4);
                match stream.read(&mut packed).await {
                    Ok(1..) => unpack(decompress, &packed, &mut self.held),
                    Ok(0) | Err(_) => Err(Stop),
                }
            }
        }
    }

    // ---- changes of the connection ----

    /// Turns to TLS. Input that came before the handshake is thrown away
    /// (RFC 9051 §6.2.1).
    pub(crate) async fn start_tls(&mut self, acceptor: &TlsAcceptor) -> Result<(), Stop> {
        self.flush().await?;
        self.input.clear();
        self.held.clear();
        self.searched = 0;
        let Some(Stream::Plain(tcp)) = self.stream.take() else {
            return Err(Stop);
        };
        let tls = acceptor.accept(tcp).await.map_err(|_| Stop)?;
        self.stream = Some(Stream::Tls(Box::new(tls)));
        Ok(())
    }

    /// Turns to COMPRESS=DEFLATE (RFC 4978), both ways from the next octet on.
    pub(crate) async fn start_deflate(&mut self) -> Result<(), Stop> {
        self.flush().await?;
        let mut decompress = Box::new(Decompress::new(false));
        // What the client sent ahead is compressed already.
        self.received -= self.input.len() as u64;
        let mut early = std::mem::take(&mut self.input);
        early.extend_from_slice(&std::mem::take(&mut self.held));
        self.searched = 0;
        unpack(&mut decompress, &early, &mut self.held)?;
        self.deflate = Some((
            Box::new(Compress::new(Compression::fast(), false)),
            decompress,
        ));
        Ok(())
    }

    pub(crate) fn compresses(&self) -> bool {
        self.deflate.is_some()
    }

    /// Sends what there is and closes in an orderly way.
    pub(crate) async fn close(&mut self) {
        if self.flush().await.is_ok()
            && let Some(mut stream) = self.stream.take()
        {
            stream.shutdown().await.ok();
        }
        self.stream = None;
    }

    /// Does what an action does to a connection. Actions about answers and rows
    /// mean nothing here.
    pub(crate) async fn perform(&mut self, action: Action) -> Result<(), Stop> {
        match action {
            Action::Delay(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Action::Send(octets) => self.send(&octets).await,
            Action::Drip => {
                self.pace = Pace::Drip;
                Ok(())
            }
            Action::Throttle(rate) => {
                self.pace = Pace::Throttle(rate);
                Ok(())
            }
            Action::Bye(text) => {
                self.send(format!("* BYE {text}\r\n").as_bytes()).await?;
                self.end().await
            }
            Action::Close => self.end().await,
            Action::Reset | Action::LandLater(_) => {
                if let Some(stream) = self.stream.take() {
                    stream.reset();
                }
                Err(Stop)
            }
            Action::HalfClose => {
                if let Some(stream) = &mut self.stream {
                    stream.shutdown().await.ok();
                }
                self.drain().await
            }
            Action::Silence => self.drain().await,
            Action::Stall => std::future::pending().await,
            Action::EndlessLine => self.endless(b"* OK ").await,
            Action::EndlessLiteral => self.endless(b"* 1 FETCH (BODY[] {4294967295}\r\n").await,
            Action::Answer(_)
            | Action::WrongTag
            | Action::NoAnswer
            | Action::LiteralLie(_)
            | Action::DropRow
            | Action::StoreOnly(_) => Ok(()),
        }
    }

    async fn end(&mut self) -> Result<(), Stop> {
        if let Some(mut stream) = self.stream.take() {
            stream.shutdown().await.ok();
        }
        Err(Stop)
    }

    /// Reads until the peer goes, keeping nothing.
    async fn drain(&mut self) -> Result<(), Stop> {
        let mut ignored = BytesMut::with_capacity(READ);
        while let Some(stream) = &mut self.stream {
            ignored.clear();
            match stream.read(&mut ignored).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        Err(Stop)
    }

    async fn endless(&mut self, start: &[u8]) -> Result<(), Stop> {
        self.send(start).await?;
        let filler = vec![b'x'; READ];
        loop {
            self.send(&filler).await?;
        }
    }
}

/// Compresses to the end of a block, so that the peer can read everything.
fn pack(compress: &mut Compress, octets: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut packed = Vec::with_capacity(octets.len() / 2 + 64);
    let start = compress.total_in();
    loop {
        packed.reserve(16 * 1024);
        let done = usize::try_from(compress.total_in() - start).map_err(|_| Stop)?;
        compress
            .compress_vec(&octets[done..], &mut packed, FlushCompress::Sync)
            .map_err(|_| Stop)?;
        let all_in = compress.total_in() - start == octets.len() as u64;
        // Room left over means that the flush is complete.
        if all_in && packed.len() < packed.capacity() {
            return Ok(packed);
        }
    }
}

/// Decompresses everything; one read bounds how much that can be.
fn unpack(decompress: &mut Decompress, packed: &[u8], into: &mut BytesMut) -> Result<(), Stop> {
    let start = decompress.total_in();
    let mut piece = Vec::with_capacity(READ);
    loop {
        piece.clear();
        let done = usize::try_from(decompress.total_in() - start).map_err(|_| Stop)?;
        let status = decompress
            .decompress_vec(&packed[done..], &mut piece, FlushDecompress::Sync)
            .map_err(|_| Stop)?;
        into.extend_from_slice(&piece);
        let all_in = decompress.total_in() - start == packed.len() as u64;
        match status {
            Status::StreamEnd => return Err(Stop),
            _ if all_in && piece.len() < piece.capacity() => return Ok(()),
            Status::BufError if piece.is_empty() => return Ok(()),
            _ => {}
        }
    }
}
