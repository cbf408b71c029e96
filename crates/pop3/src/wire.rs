//! One connection: commands out, lines and text in, within time.

use crate::command::Command;
use crate::frame::{Framer, LONGEST_LINE, Next, Text};
use crate::reply::Reply;
use crate::spool::Spool;
use crate::words::{confused, excess};
use bytes::{Bytes, BytesMut};
use hikyaku_core::Fault;
use hikyaku_net::{Endpoint, Secret, Stream};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

/// Octets that are asked of the socket at once.
const READ: usize = 64 << 10;

/// Longest silence before login is complete.
const PATIENCE: Duration = Duration::from_secs(60);

/// Silences in a row that are allowed while the server says something now and then.
const SILENCES: u32 = 5;

/// Octets that make up for [`SILENCES`]: slower is no link that carries mail.
const LIVELY: u64 = 4096;

/// See the module.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    framer: Framer,
    endpoint: Endpoint,
    /// Longest silence.
    patience: Duration,
    /// Time spent waiting, and how many octets came in that time.
    waited: Duration,
    came: u64,
}

impl Wire {
    /// Over a stream on which nothing was read. Patience is short until [`Self::is_in`].
    pub(crate) fn new(stream: Stream, endpoint: Endpoint) -> Self {
        Self {
            patience: endpoint.timeouts.reply.min(PATIENCE),
            stream,
            framer: Framer::new(),
            endpoint,
            waited: Duration::ZERO,
            came: 0,
        }
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Login is complete: large mailboxes may take their time.
    pub(crate) fn is_in(&mut self) {
        self.patience = self.endpoint.timeouts.reply;
    }

    /// Turns to TLS.
    pub(crate) async fn start_tls(mut self) -> Result<Self, Fault> {
        let unread = std::mem::take(self.framer.buffer());
        let stream = self.stream.start_tls(&self.endpoint, &unread).await?;
        Ok(Self::new(stream, self.endpoint))
    }

    /// Ends it without a word.
    pub(crate) fn reset(self) {
        self.stream.reset();
    }

    /// Sends commands in one write.
    pub(crate) async fn send(&mut self, commands: &[Command]) -> Result<(), Fault> {
        let lines: Vec<Secret> = commands.iter().map(Command::line).collect();
        for command in commands {
            tracing::trace!(server = %self.endpoint.server(), "C: {}", command.name());
        }
        let mut all = Vec::with_capacity(lines.iter().map(|line| line.expose().len()).sum());
        for line in &lines {
            all.extend_from_slice(line.expose());
        }
        self.write(&Secret::new(all)).await
    }

    /// Sends octets as they are: an answer to a challenge.
    pub(crate) async fn write(&mut self, octets: &Secret) -> Result<(), Fault> {
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all(octets.expose()).await?;
            stream.flush().await
        };
        match timeout(self.patience, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.endpoint.link_fault(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// Sends a command and reads the first line of its answer.
    pub(crate) async fn ask(&mut self, command: Command) -> Result<Reply, Fault> {
        self.send(&[command]).await?;
        self.reply().await
    }

    /// The first line of an answer.
    ///
    /// # Faults
    /// N class; `server.protocol` when something else comes.
    pub(crate) async fn reply(&mut self) -> Result<Reply, Fault> {
        let line = self.line().await?;
        Reply::parse(&line).ok_or_else(|| confused("something else came where an answer was due"))
    }

    /// The next line without its end.
    pub(crate) async fn line(&mut self) -> Result<BytesMut, Fault> {
        loop {
            let line = self.framer.line();
            match line.map_err(|_| excess(format!("a line of more than {LONGEST_LINE} octets")))? {
                Some(line) => return Ok(line),
                None => self.fill().await?,
            }
        }
    }

    /// The lines of an answer up to the lone dot, at most so many.
    pub(crate) async fn lines(
        &mut self,
        most: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Fault> {
        for _ in 0..=most {
            let line = self.line().await?;
            match line.strip_prefix(b".") {
                Some(b"") => return Ok(()),
                Some(rest) => each(rest),
                None => each(&line),
            }
        }
        Err(excess(format!("more than {most} lines in one answer")))
    }

    /// Whether an answer comes next.
    pub(crate) async fn is_answer_next(&mut self) -> Result<bool, Fault> {
        loop {
            match self.framer.next() {
                Next::Answer => return Ok(true),
                Next::Other => return Ok(false),
                Next::Unknown => self.fill().await?,
            }
        }
    }

    /// A message begins, announced with so many octets.
    pub(crate) fn begin(&mut self, announced: Option<u64>) {
        self.framer.begin(announced);
    }

    /// The lone dot was no end.
    pub(crate) fn resume(&mut self, spool: &mut Spool) {
        self.framer.resume(spool.buffer());
    }

    /// Takes the text that is there, without waiting for more. No message has more octets than
    /// `most`.
    pub(crate) async fn text(&mut self, spool: &mut Spool, most: u64) -> Result<Text, Fault> {
        let text = self.framer.text(spool.buffer());
        spool.settle().await?;
        if spool.octets() > most {
            return Err(excess(format!("a message of more than {most} octets")));
        }
        Ok(text)
    }

    /// Waits for more octets.
    pub(crate) async fn fill(&mut self) -> Result<(), Fault> {
        let buffer = self.framer.buffer();
        buffer.reserve(READ);
        let since = Instant::now();
        let read = match timeout(self.patience, self.stream.read_buf(buffer)).await {
            Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(octets)) => Ok(octets as u64),
            Ok(Err(error)) => Err(error),
            Err(_) => return Err(self.silent()),
        };
        let octets = read.map_err(|error: io::Error| self.endpoint.link_fault(&error))?;
        self.waited += since.elapsed();
        self.came += octets;
        if self.came >= LIVELY {
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        match self.waited >= self.patience * SILENCES {
            true => Err(self.silent()),
            false => Ok(()),
        }
    }

    fn silent(&self) -> Fault {
        self.endpoint.link_fault(&io::ErrorKind::TimedOut.into())
    }

    /// A challenge of a login, or the answer that ends it.
    pub(crate) async fn challenge(&mut self) -> Result<Turn, Fault> {
        let line = self.line().await?;
        match line.strip_prefix(b"+") {
            Some(rest) if rest.is_empty() || rest.starts_with(b" ") => {
                Ok(Turn::Challenge(Bytes::copy_from_slice(rest.trim_ascii())))
            }
            _ => Reply::parse(&line)
                .map(Turn::Done)
                .ok_or_else(|| confused("neither a challenge nor an answer")),
        }
    }
}

/// What comes while a login is under way.
pub(crate) enum Turn {
    /// A challenge, base64.
    Challenge(Bytes),
    /// The end.
    Done(Reply),
}
