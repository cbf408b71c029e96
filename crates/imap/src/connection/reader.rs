//! The reader task: octets to responses, responses to whoever waits for them.

use super::{PATIENCE, Row, RowEvent, Shared, Sink, deliver};
use crate::frame::{Frame, Framer};
use crate::machine::{Broken, Route};
use crate::parse::parse;
use crate::response::{Content, FetchRow, RawResponse, Reply, Response, SectionKind, Tag};
use bytes::{Bytes, BytesMut};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Room for one read, in octets.
const READ: usize = 256 * 1024;

/// Least room for which no new buffer is made.
const LEAST: usize = 32 * 1024;

/// Octets of rows that are collected before they are handed over.
const BATCH: usize = 256 * 1024;

/// Chunks of a streamed body that wait for their consumer.
const CHUNKS: usize = 4;

struct Reader<R> {
    io: R,
    framer: Framer,
    buffer: BytesMut,
    shared: Arc<Shared>,
    rows: Vec<Row>,
    octets: usize,
    to: Option<mpsc::Sender<RowEvent>>,
    streaming: Option<Streaming>,
}

/// A literal that is passed on while it arrives; `None`: nobody asked for it, its
/// octets are dropped.
struct Streaming(Option<mpsc::Sender<Result<Bytes, Fault>>>);

/// What to do with a response.
enum Next {
    Nothing,
    /// Wake the writer.
    Nudge,
    /// Collect a row.
    Row(Row),
    /// The same for another consumer.
    Switch(mpsc::Sender<RowEvent>, Row),
    /// Tell the end of a command.
    Done(Sink, Tag, Reply),
}

/// Reads until the connection ends.
pub(super) async fn run<R: AsyncRead + Unpin>(io: R, framer: Framer, shared: Arc<Shared>) {
    let mut reader = Reader {
        io,
        framer,
        buffer: BytesMut::new(),
        shared,
        rows: Vec::new(),
        octets: 0,
        to: None,
        streaming: None,
    };
    let fault = match reader.serve().await {
        Ok(never) => match never {},
        Err(fault) => fault,
    };
    // Rows that came before the end are as good as any.
    reader.hand_over().await.ok();
    if let Some(Streaming(Some(to))) = reader.streaming.take() {
        to.send(Err(reader.shared.placed(fault.clone()))).await.ok();
    }
    reader.shared.fail(fault);
}

enum Never {}

impl<R: AsyncRead + Unpin> Reader<R> {
    async fn serve(&mut self) -> Result<Never, Fault> {
        loop {
            while let Some(frame) = self
                .framer
                .next()
                .map_err(|e| protocol_fault(format!("unreadable answer: {e}")))?
            {
                self.take(frame).await?;
            }
            self.hand_over().await?;
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        if self.buffer.capacity() - self.buffer.len() < LEAST {
            self.buffer = BytesMut::with_capacity(READ);
        }
        let since = Instant::now();
        let mut look = since + PATIENCE;
        loop {
            match timeout_at(look, self.io.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) => return Err(self.shared.lost("the server closed the connection")),
                Ok(Ok(_)) => {
                    self.framer.push(self.buffer.split().freeze());
                    return Ok(());
                }
                Ok(Err(error)) => return Err(self.shared.io_fault(&error)),
                Err(_) => look = self.shared.silence(since)?,
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Fault> {
        match frame {
            Frame::Response(raw) => self.response(&raw).await,
            Frame::LiteralStart { head, octets } => self.begin(&head, octets).await,
            Frame::LiteralChunk(chunk) => {
                if let Some(Streaming(Some(to))) = &self.streaming {
                    // A letter that was dropped before its end gives the connection up.
                    to.send(Ok(chunk)).await.map_err(|_| given_up())?;
                }
                Ok(())
            }
            Frame::LiteralEnd => Ok(()),
        }
    }

    /// A literal begins that is not held. The message goes to its consumer now; what
    /// stands behind the literal is compared when it has come.
    async fn begin(&mut self, head: &RawResponse, octets: u64) -> Result<(), Fault> {
        self.end_streaming(false).await;
        self.streaming = Some(Streaming(None));
        let Response::Fetch(row) = parse(head) else {
            return Ok(());
        };
        let is_body = row
            .sections
            .last()
            .is_some_and(|s| s.kind == SectionKind::Whole && s.origin.is_none());
        if !is_body {
            return Ok(());
        }
        let consumer = match self.shared.machine().receive(Response::Fetch(row.clone())) {
            Route::Data(flight, _) => match &flight.sink {
                Sink::Rows(to) => Some(to.clone()),
                _ => None,
            },
            _ => None,
        };
        let Some(consumer) = consumer else {
            return Ok(());
        };
        self.hand_over().await?;
        let (to, chunks) = mpsc::channel(CHUNKS);
        self.streaming = Some(Streaming(Some(to)));
        consumer
            .send(RowEvent::Large {
                row,
                octets,
                chunks,
            })
            .await
            .map_err(|_| given_up())
    }

    /// The end of a streamed body is told only now, when the row that it belongs to has
    /// come to its end.
    async fn end_streaming(&mut self, is_row: bool) {
        if let Some(Streaming(Some(to))) = self.streaming.take()
            && !is_row
        {
            let fault = protocol_fault("a message did not end with its row");
            to.send(Err(self.shared.placed(fault))).await.ok();
        }
    }

    async fn response(&mut self, raw: &RawResponse) -> Result<(), Fault> {
        let response = parse(raw);
        self.end_streaming(matches!(response, Response::Fetch(_)))
            .await;
        self.shared.count(&response);
        match self.route(response)? {
            Next::Nothing => {}
            Next::Nudge => self.shared.nudge.notify_one(),
            Next::Row(row) => self.collect(row),
            Next::Switch(to, row) => {
                self.hand_over().await?;
                self.to = Some(to);
                self.collect(row);
            }
            Next::Done(sink, tag, reply) => {
                // A writer may be waiting for the `+` that this answer stands instead of.
                self.shared.nudge.notify_one();
                if let Sink::Rows(to) = &sink {
                    self.hand_over().await?;
                    to.send(RowEvent::Done { tag, reply }).await.ok();
                } else {
                    self.shared.finish(sink, tag, reply);
                }
            }
        }
        if self.octets >= BATCH {
            self.hand_over().await?;
        }
        Ok(())
    }

    /// Asks the machine, and does what can be done without waiting.
    fn route(&self, response: Response) -> Result<Next, Fault> {
        let mut machine = self.shared.machine();
        match machine.receive(response) {
            Route::Data(flight, response) => match (&mut flight.sink, response) {
                (Sink::Rows(to), Response::Fetch(row)) => match &self.to {
                    Some(open) if open.same_channel(to) => Ok(Next::Row(row)),
                    _ => Ok(Next::Switch(to.clone(), row)),
                },
                (sink, response) => {
                    deliver(sink, response)?;
                    Ok(Next::Nothing)
                }
            },
            Route::Done(flight, reply) => Ok(Next::Done(flight.sink, flight.tag, reply)),
            Route::GoOn | Route::Early => Ok(Next::Nudge),
            Route::Idle(response) => {
                self.shared.idle(&response);
                Ok(Next::Nothing)
            }
            Route::Broken(broken) => {
                drop(machine);
                Err(self.broken(broken))
            }
        }
    }

    fn collect(&mut self, row: Row) {
        self.octets += weight(&row);
        self.rows.push(row);
    }

    /// Hands the collected rows to their consumer, waiting while it is slow: that is
    /// what stops the server.
    async fn hand_over(&mut self) -> Result<(), Fault> {
        self.octets = 0;
        let Some(to) = self.to.take() else {
            return Ok(());
        };
        let rows = std::mem::take(&mut self.rows);
        to.send(RowEvent::Rows(rows)).await.map_err(|_| given_up())
    }

    fn broken(&self, broken: Broken) -> Fault {
        match broken {
            Broken::Bye(reply) => crate::quirks::bye_fault(&reply),
            Broken::Bad(tag, reply) => {
                let taken = tag.and_then(|tag| self.shared.machine().take_out(tag));
                if let Some((flight, _)) = taken {
                    self.shared.finish(flight.sink, flight.tag, reply.clone());
                }
                protocol_fault("BAD while message text was on its way: connection reset")
                    .said(reply.said())
            }
            Broken::Tag(reply) => {
                protocol_fault("an answer to a command that was not sent: connection reset")
                    .said(reply.said())
            }
            Broken::Continuation => {
                protocol_fault("a continuation that nobody waited for: connection reset")
            }
        }
    }
}

/// Octets that a row keeps in memory, roughly.
fn weight(row: &FetchRow) -> usize {
    let held = row.sections.iter().map(|s| match &s.content {
        Content::Held(octets) => octets.len(),
        Content::Nil | Content::Streamed(_) => 0,
    });
    256 + held.sum::<usize>()
}

fn given_up() -> Fault {
    Fault::new(
        Code::LinkLost,
        Reach::Side,
        Remedy::Retry { after: None },
        "the connection was given up in the middle of an answer",
    )
}

fn protocol_fault(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::ServerProtocol,
        Reach::Side,
        Remedy::Retry { after: None },
        detail,
    )
}
