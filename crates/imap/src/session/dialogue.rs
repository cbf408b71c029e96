//! One command at a time over a stream that nobody else uses.

use super::Greeting;
use crate::connection::{Answer, excess};
use crate::encode::{Command, Encoded, Part, Style};
use crate::frame::{Frame, FrameLimits, Framer};
use crate::parse::parse;
use crate::quirks::login_fault;
use crate::response::{Capabilities, Reply, ReplyKind, Response, Tag};
use bytes::{Bytes, BytesMut};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Endpoint;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Longest silence before login is complete.
const PATIENCE: Duration = Duration::from_secs(60);

/// Silences within which a command must be answered, whatever is said in between.
const SILENCES: u32 = 3;

/// Most untagged responses to one command.
const MOST_DATA: usize = 200;

/// See the module.
pub(super) struct Dialogue<S> {
    stream: S,
    framer: Framer,
    buffer: BytesMut,
    endpoint: Endpoint,
    last: Tag,
}

/// What comes while an AUTHENTICATE is under way.
pub(super) enum Turn {
    /// A challenge, base64.
    Challenge(Bytes),
    /// The end.
    Done(Answer),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    pub(super) fn new(stream: S, endpoint: Endpoint) -> Self {
        let framer = Framer::new(FrameLimits::before_login());
        Self::resume(stream, endpoint, framer, Tag(0))
    }

    pub(super) fn resume(stream: S, endpoint: Endpoint, framer: Framer, last: Tag) -> Self {
        Self {
            stream,
            framer,
            buffer: BytesMut::new(),
            endpoint,
            last,
        }
    }

    pub(super) fn into_parts(self) -> (S, Framer, Tag) {
        (self.stream, self.framer, self.last)
    }

    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn patience(&self) -> Duration {
        self.endpoint.timeouts.reply.min(PATIENCE)
    }

    pub(super) async fn greeting(&mut self) -> Result<Greeting, Fault> {
        let patience = self.endpoint.timeouts.greeting;
        match within(patience, &self.endpoint.clone(), self.response(patience)).await? {
            Response::Status(reply) => Greeting::of(reply),
            _ => Err(protocol_fault(
                "the server does not greet like an IMAP server; check the port",
            )),
        }
    }

    /// Asks for the capabilities.
    pub(super) async fn capabilities(&mut self) -> Result<Capabilities, Fault> {
        let answer = self.ask(&Command::Capability).await?;
        capabilities_in(&answer)
            .ok_or_else(|| protocol_fault("the server does not tell its capabilities"))
    }

    /// Sends a command and waits for its end.
    pub(super) async fn ask(&mut self, command: &Command) -> Result<Answer, Fault> {
        let tag = self.begin(command).await?;
        match self.turn(tag).await? {
            Turn::Done(answer) => Ok(answer),
            Turn::Challenge(_) => Err(protocol_fault(
                "the server asks for more than was announced",
            )),
        }
    }

    /// Sends a command.
    pub(super) async fn begin(&mut self, command: &Command) -> Result<Tag, Fault> {
        let tag = Tag(self.last.0 + 1);
        self.last = tag;
        let encoded = command.encode(tag, Style::default()).map_err(|error| {
            Fault::new(
                Code::ConfigInvalid,
                Reach::Side,
                Remedy::AskUser,
                format!("{} cannot be written: {error}", command.name()),
            )
        })?;
        tracing::trace!(server = %self.endpoint.server(), "C: {}", encoded.shown());
        self.send(&encoded).await?;
        Ok(tag)
    }

    /// Waits for a challenge or the end.
    pub(super) async fn turn(&mut self, tag: Tag) -> Result<Turn, Fault> {
        let endpoint = self.endpoint.clone();
        within(self.patience() * SILENCES, &endpoint, self.listen(tag)).await
    }

    async fn listen(&mut self, tag: Tag) -> Result<Turn, Fault> {
        let mut data = Vec::new();
        loop {
            match self.response(self.patience()).await? {
                Response::Continue(challenge) => return Ok(Turn::Challenge(challenge)),
                Response::Tagged { tag: given, reply } if given == Some(tag) => {
                    return Ok(Turn::Done(Answer { reply, data }));
                }
                Response::Tagged { .. } => {
                    return Err(protocol_fault("an answer to a command that was not sent"));
                }
                Response::Status(Reply {
                    kind: ReplyKind::Bye,
                    ..
                }) if data.len() >= MOST_DATA => {
                    return Err(excess("too many answers to one command"));
                }
                Response::Status(reply) if reply.kind == ReplyKind::Bye => {
                    return Err(login_fault(&reply, false));
                }
                other if data.len() < MOST_DATA => data.push(other),
                _ => return Err(excess("too many answers to one command")),
            }
        }
    }

    /// Sends octets in one write.
    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        let patience = self.endpoint.timeouts.reply.min(PATIENCE);
        match timeout(patience, writing).await {
            Ok(written) => written.map_err(|e| self.endpoint.link_fault(&e)),
            Err(_) => Err(self.endpoint.link_fault(&io::ErrorKind::TimedOut.into())),
        }
    }

    async fn send(&mut self, encoded: &Encoded) -> Result<(), Fault> {
        let mut line = zeroed(encoded);
        for part in &encoded.parts {
            match part {
                Part::Octets(octets) => line.extend_from_slice(octets),
                Part::Secret(secret) => line.extend_from_slice(secret.0.expose()),
                Part::Wait => {
                    self.write(&line).await?;
                    line.clear();
                    match self.response(self.patience()).await? {
                        Response::Continue(_) => {}
                        Response::Tagged { reply, .. } => return Err(login_fault(&reply, false)),
                        Response::Status(reply) if reply.kind == ReplyKind::Bye => {
                            return Err(login_fault(&reply, false));
                        }
                        _ => return Err(protocol_fault("no continuation where one was due")),
                    }
                }
                Part::Body { .. } | Part::Commit => {
                    return Err(Fault::bug("an append before login"));
                }
            }
        }
        let written = self.write(&line).await;
        zeroize(&mut line);
        written
    }

    async fn response(&mut self, patience: Duration) -> Result<Response, Fault> {
        loop {
            let frame = self
                .framer
                .next()
                .map_err(|e| excess(format!("unreadable answer before login: {e}")))?;
            match frame {
                Some(Frame::Response(raw)) => return Ok(parse(&raw)),
                Some(_) => return Err(excess("a large literal before login")),
                None => {}
            }
            self.buffer.reserve(8 * 1024);
            let read = timeout(patience, self.stream.read_buf(&mut self.buffer)).await;
            match read {
                Ok(Ok(0)) => {
                    let error = io::ErrorKind::UnexpectedEof.into();
                    return Err(self.endpoint.link_fault(&error));
                }
                Ok(Ok(_)) => self.framer.push(self.buffer.split().freeze()),
                Ok(Err(error)) => return Err(self.endpoint.link_fault(&error)),
                Err(_) => {
                    let error = io::ErrorKind::TimedOut.into();
                    return Err(self.endpoint.link_fault(&error));
                }
            }
        }
    }
}

/// A part of the dialogue that must not take longer, however much is said.
async fn within<T>(
    patience: Duration,
    endpoint: &Endpoint,
    part: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match timeout(patience, part).await {
        Ok(ended) => ended,
        Err(_) => Err(endpoint.link_fault(&io::ErrorKind::TimedOut.into())),
    }
}

/// Capabilities that an answer names, in its code or beside it.
pub(super) fn capabilities_in(answer: &Answer) -> Option<Capabilities> {
    if let Some(crate::response::ReplyCode::Capability(capabilities)) = &answer.reply.code {
        return Some(capabilities.clone());
    }
    answer
        .data
        .iter()
        .rev()
        .find_map(|response| match response {
            Response::Capability(capabilities) => Some(capabilities.clone()),
            _ => None,
        })
}

/// A buffer that does not grow, so that no copy of a secret stays behind.
fn zeroed(encoded: &Encoded) -> Vec<u8> {
    let octets = encoded.parts.iter().map(|part| match part {
        Part::Octets(octets) => octets.len(),
        Part::Secret(secret) => secret.0.expose().len(),
        Part::Wait | Part::Body { .. } | Part::Commit => 0,
    });
    Vec::with_capacity(octets.sum())
}

fn zeroize(line: &mut Vec<u8>) {
    // The secret's own type overwrites what it is given.
    drop(hikyaku_net::Secret::new(std::mem::take(line)));
}

pub(super) fn protocol_fault(detail: &str) -> Fault {
    Fault::new(Code::ServerProtocol, Reach::Side, Remedy::AskUser, detail)
}
