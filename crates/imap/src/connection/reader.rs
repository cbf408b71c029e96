//! The reader task: octets to responses, responses to whoever waits for them.

use super::meter::{Meter, excess};
use super::{Row, RowEvent, Shared, Sink, deliver};
use crate::frame::{Frame, FrameError, Framer};
use crate::machine::{Broken, Route};
use crate::parse::parse;
use crate::response::{RawResponse, Reply, Response, SectionKind, Tag};
use bytes::{Bytes, BytesMut};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    /// The last row, until the response behind it proves that it ended where it said.
    last: Option<(mpsc::Sender<RowEvent>, Row, usize)>,
    /// The same for a body that was passed on.
    ending: Option<Streaming>,
    meter: Meter,
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
        last: None,
        ending: None,
        meter: Meter::default(),
    };
    let fault = match reader.serve().await {
        Ok(never) => match never {},
        Err(fault) => fault,
    };
    // Rows that came before the end are as good as any, also the last, unless what came
    // behind it was no response.
    if matches!(fault.code, Code::LinkLost | Code::LinkSilent) {
        reader.release().await.ok();
    }
    reader.hand_over().await.ok();
    let bodies = [reader.streaming.take(), reader.ending.take()];
    for Streaming(to) in bodies.into_iter().flatten() {
        if let Some(to) = to {
            to.send(Err(reader.shared.placed(fault.clone()))).await.ok();
        }
    }
    reader.shared.fail(fault);
}

enum Never {}

impl<R: AsyncRead + Unpin> Reader<R> {
    async fn serve(&mut self) -> Result<Never, Fault> {
        loop {
            while let Some(frame) = self.framer.next().map_err(unreadable)? {
                self.take(frame).await?;
            }
            self.hand_over().await?;
            self.check_pace()?;
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        if self.buffer.capacity() - self.buffer.len() < LEAST {
            self.buffer = BytesMut::with_capacity(READ);
        }
        let since = Instant::now();
        let mut look = since + self.shared.shortest();
        loop {
            match timeout_at(look, self.io.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) => return Err(self.shared.lost("the server closed the connection")),
                Ok(Ok(octets)) => {
                    let waited = self.shared.since(since).elapsed();
                    self.meter.came(octets, waited);
                    self.framer.push(self.buffer.split().freeze());
                    return Ok(());
                }
                Ok(Err(error)) => return Err(self.shared.io_fault(&error)),
                Err(_) => look = self.shared.silence(since)?,
            }
        }
    }

    /// A server that says something now and then but never answers is as good as silent.
    fn check_pace(&mut self) -> Result<(), Fault> {
        if !self.meter.is_too_slow(self.shared.shortest()) {
            return Ok(());
        }
        match self.shared.patience() {
            None => self.meter.rest(),
            Some(patience) if self.meter.is_too_slow(patience) => {
                return Err(self.shared.silent(self.meter.slowness()));
            }
            Some(_) => {}
        }
        Ok(())
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
        self.release().await?;
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

    /// The row that a streamed body belongs to has come to its end, or something else
    /// came in its place.
    async fn end_streaming(&mut self, is_row: bool) {
        match self.streaming.take() {
            Some(streaming) if is_row => self.ending = Some(streaming),
            Some(Streaming(Some(to))) => {
                let fault = protocol_fault("a message did not end with its row");
                to.send(Err(self.shared.placed(fault))).await.ok();
            }
            _ => {}
        }
    }

    /// Whether a response can be one: behind a literal whose length was a lie stands
    /// the rest of a message.
    fn check_start(&self, raw: &RawResponse) -> Result<(), Fault> {
        let is_behind_text = self.last.is_some() || self.ending.is_some();
        match raw.octets.first() {
            // An empty line belongs to nothing and hurts nobody.
            None | Some(b'*' | b'+' | b'h') => Ok(()),
            Some(_) if !is_behind_text => Ok(()),
            Some(_) => Err(protocol_fault(
                "behind a message stands no response: its announced length is wrong",
            )),
        }
    }

    async fn response(&mut self, raw: &RawResponse) -> Result<(), Fault> {
        self.check_start(raw)?;
        let response = parse(raw);
        check_end(&response)?;
        let is_row = matches!(&response, Response::Fetch(row) if row.complete);
        let ends_body = is_row && self.streaming.is_some();
        self.end_streaming(is_row).await;
        if !matches!(response, Response::Tagged { .. } | Response::Fetch(_)) {
            self.meter.keep(&raw.octets)?;
        }
        self.shared.count(&response);
        let exists = self.shared.exists.load(Ordering::Relaxed);
        self.meter.response(exists)?;
        let next = self.route(response)?;
        if !ends_body {
            self.ending = None;
        }
        self.release_row().await?;
        match next {
            Next::Nothing => {}
            Next::Nudge => self.shared.nudge.notify_one(),
            Next::Row(row) => self.collect(row, raw.octets.len()),
            Next::Switch(to, row) => {
                self.hand_over().await?;
                self.to = Some(to);
                self.collect(row, raw.octets.len());
            }
            Next::Done(sink, tag, reply) => {
                self.meter.answered();
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

    /// Keeps a row for its consumer; one with text only until the next response shows
    /// that the text ended where it said.
    fn collect(&mut self, row: Row, octets: usize) {
        if row.sections.is_empty() {
            self.push(row, octets);
        } else if let Some(to) = self.to.clone() {
            self.last = Some((to, row, octets));
        }
    }

    fn push(&mut self, row: Row, octets: usize) {
        self.octets += size_of::<Row>() + octets;
        self.rows.push(row);
    }

    /// The response that began is one: what came before it ended where it said.
    async fn release(&mut self) -> Result<(), Fault> {
        self.ending = None;
        self.release_row().await
    }

    async fn release_row(&mut self) -> Result<(), Fault> {
        let Some((to, row, octets)) = self.last.take() else {
            return Ok(());
        };
        if !self.to.as_ref().is_some_and(|open| open.same_channel(&to)) {
            self.hand_over().await?;
            self.to = Some(to);
        }
        self.push(row, octets);
        Ok(())
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
                // Exchange throttles with BAD, and then says when to come back.
                crate::quirks::throttled(&reply).unwrap_or_else(|| {
                    protocol_fault("BAD while message text was on its way: connection reset")
                        .said(reply.said())
                })
            }
            Broken::Tag(reply) => {
                protocol_fault("an answer to a command that was not sent: connection reset")
                    .said(reply.said())
            }
            Broken::Continuation => {
                protocol_fault("a continuation that nobody waited for: connection reset")
            }
            Broken::Hasty(reply) => {
                protocol_fault("OK to a command that was not sent yet: connection reset")
                    .said(reply.said())
            }
        }
    }
}

/// Whether a row with text ended like one. If not, its text is another than was announced,
/// and nobody knows where the next response begins.
fn check_end(response: &Response) -> Result<(), Fault> {
    match response {
        Response::Fetch(row) if !row.complete && !row.sections.is_empty() => Err(protocol_fault(
            "a message does not end with its row: its announced length is wrong",
        )),
        _ => Ok(()),
    }
}

/// The framing is lost.
fn unreadable(error: FrameError) -> Fault {
    excess(format!("unreadable answer: {error}"))
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
