//! A client that knows nothing about IMAP: it sends octets and compares lines.

use std::time::Duration;

use hikyaku_memserver::MemServer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How long a test waits for octets that must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

impl Client {
    /// Connects and reads the greeting.
    pub(crate) async fn connect(server: &MemServer) -> Self {
        let mut client = Self::silent(server).await;
        let greeting = client.line().await;
        assert!(greeting.starts_with("* OK"), "{greeting}");
        client
    }

    /// Connects only.
    pub(crate) async fn silent(server: &MemServer) -> Self {
        Self::over(TcpStream::connect(server.address()).await.unwrap())
    }

    /// Speaks over a stream that is connected already.
    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: Vec::new(),
        }
    }

    /// Hands over the stream, for TLS to begin on it.
    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        assert!(self.buffer.is_empty());
        self.stream
    }

    /// Writes until everything is accepted or, for a peer that does not read,
    /// nothing moves for a while; true when all was accepted.
    pub(crate) async fn accepts(&mut self, octets: &[u8]) -> bool {
        let wait = Duration::from_secs(3);
        tokio::time::timeout(wait, self.stream.write_all(octets))
            .await
            .is_ok()
    }

    /// Connects and logs in as `u` with the password `p`.
    pub(crate) async fn logged_in(server: &MemServer) -> Self {
        let mut client = Self::connect(server).await;
        client.ok("login u p").await;
        client
    }

    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.unwrap();
    }

    /// A line without its CRLF; panics when none comes.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line = line.strip_suffix(b"\r\n").expect("lines end with CRLF");
                return String::from_utf8_lossy(line).into_owned();
            }
            assert!(
                self.more().await.is_ok(),
                "the connection ended: {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    async fn more(&mut self) -> Result<(), End> {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        match read.expect("the server says nothing") {
            Ok(0) => Err(End::Closed),
            Ok(_) => Ok(()),
            Err(_) => Err(End::Reset),
        }
    }

    /// Everything that comes until the end, and how it ends.
    pub(crate) async fn rest(&mut self) -> (String, End) {
        let end = loop {
            if let Err(end) = self.more().await {
                break end;
            }
        };
        let rest = String::from_utf8_lossy(&self.buffer).into_owned();
        self.buffer.clear();
        (rest, end)
    }

    /// Ends the sending side and reads to the end, whatever comes.
    pub(crate) async fn finish(mut self) {
        self.stream.shutdown().await.ok();
        self.rest_octets().await;
    }

    /// Every octet that comes until the end.
    pub(crate) async fn rest_octets(&mut self) -> Vec<u8> {
        while self.more().await.is_ok() {}
        std::mem::take(&mut self.buffer)
    }

    /// Reads until so many octets are there.
    pub(crate) async fn octets(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.more().await.is_ok());
        }
        self.buffer.drain(..count).collect()
    }

    /// True when nothing comes for a while. For tests on paused time.
    pub(crate) async fn is_silent(&mut self) -> bool {
        if !self.buffer.is_empty() {
            return false;
        }
        let wait = Duration::from_secs(10);
        tokio::time::timeout(wait, self.stream.read_buf(&mut self.buffer))
            .await
            .is_err()
    }

    /// Sends a command under the tag `t` and returns all lines of its answer.
    pub(crate) async fn command(&mut self, command: &str) -> Vec<String> {
        self.send(format!("t {command}\r\n")).await;
        self.answer().await
    }

    /// The lines up to the tagged one of `t`.
    pub(crate) async fn answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let tagged = line.starts_with("t ");
            lines.push(line);
            if tagged {
                return lines;
            }
        }
    }

    /// Like [`Client::command`]; the command must succeed.
    pub(crate) async fn ok(&mut self, command: &str) -> Vec<String> {
        let lines = self.command(command).await;
        assert!(
            lines.last().is_some_and(|l| l.starts_with("t OK")),
            "{command}: {lines:?}"
        );
        lines
    }

    /// The tagged line of a command.
    pub(crate) async fn tagged(&mut self, command: &str) -> String {
        self.command(command).await.pop().unwrap_or_default()
    }

    /// Plays a dialogue: `C: ` lines are sent, `S: ` lines must come; `...` in
    /// one stands for any text; `C:` and `S:` alone are empty lines.
    pub(crate) async fn dialogue(&mut self, script: &str) {
        for step in script
            .lines()
            .map(str::trim_start)
            .filter(|l| !l.is_empty())
        {
            let after = |sign: &str| {
                let rest = step.strip_prefix(sign)?;
                rest.is_empty().then_some("").or(rest.strip_prefix(' '))
            };
            if let Some(sent) = after("C:") {
                self.send(format!("{sent}\r\n")).await;
            } else if let Some(expected) = after("S:") {
                let line = self.line().await;
                assert!(
                    fits(&line, expected),
                    "\nexpected: {expected}\n    came: {line}\nin: {script}"
                );
            } else {
                panic!("neither C: nor S: in {step:?}");
            }
        }
    }
}

fn fits(line: &str, expected: &str) -> bool {
    let mut parts = expected.split("...");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}
