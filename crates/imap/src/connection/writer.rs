//! The writer task: takes commands, writes their pieces, waits where they must wait.

use super::outgoing::{Next, Outgoing, Queue, no_slices};
use super::{AppendEnd, Shared, Sink, shut_gate};
use crate::machine::{Permission, Sent};
use crate::response::{ReplyKind, Tag};
use futures::StreamExt;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Octets that are gathered into one buffer where the transport takes one slice at a time.
const SCRATCH: usize = 64 * 1024;

/// How long answers to what was sent before may take when the connection is about to be
/// given up.
const GRACE: Duration = Duration::from_secs(5);

/// Why writing cannot go on.
enum Stop {
    /// The transport failed.
    Io(io::Error),
    /// A gate was shut.
    Shut(Tag),
    /// The command was answered although it is not complete.
    Early(Tag),
    /// The octets of a message did not come as announced.
    Body(Tag, Fault),
}

struct Writer<W> {
    io: W,
    queue: Queue,
    shared: Arc<Shared>,
    scratch: Vec<u8>,
    unflushed: bool,
}

/// Writes until the connection ends.
pub(super) async fn run<W: AsyncWrite + Unpin>(
    io: W,
    mut commands: mpsc::UnboundedReceiver<Outgoing>,
    shared: Arc<Shared>,
) {
    let mut writer = Writer {
        io,
        queue: Queue::default(),
        shared,
        scratch: Vec::new(),
        unflushed: false,
    };
    if let Err(stop) = writer.serve(&mut commands).await {
        if let Stop::Shut(tag) | Stop::Body(tag, _) = &stop {
            let_others_finish(&writer.shared, *tag).await;
        }
        writer.give_up(stop);
    }
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn serve(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Outgoing>,
    ) -> Result<(), Stop> {
        loop {
            while let Ok(command) = commands.try_recv() {
                self.queue.push(command);
            }
            self.queue.advance(0, &mut self.shared.machine());
            match self.queue.next() {
                Next::Write => self.write().await?,
                Next::Wait(tag) => {
                    self.flush().await?;
                    self.await_permission(tag).await;
                }
                Next::Body => self.fill_body().await?,
                Next::Nothing => {
                    self.flush().await?;
                    match commands.recv().await {
                        Some(command) => self.queue.push(command),
                        None => return Ok(()),
                    }
                }
            }
        }
    }

    /// One write to the transport.
    async fn write(&mut self) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let mut nudged = pin!(shared.nudge.notified());
        std::future::poll_fn(|cx| {
            // An early answer wakes a writer that is stuck; the permit itself says nothing.
            if nudged.as_mut().poll(cx).is_ready() {
                nudged.set(shared.nudge.notified());
                let _ = nudged.as_mut().poll(cx);
            }
            // Order matters: the machine is held over the write, so that what it says
            // has left is exact whenever somebody else looks.
            let mut machine = shared.machine();
            if let Some(tag) = self.queue.inside()
                && machine.is_answered_early(tag)
            {
                return Poll::Ready(Err(Stop::Early(tag)));
            }
            let polled = self.poll_write(cx);
            if let Poll::Ready(Ok(written)) = polled {
                self.queue.advance(written, &mut machine);
            }
            polled.map_ok(drop)
        })
        .await?;
        self.shared.beat();
        self.unflushed = true;
        Ok(())
    }

    /// Gates are asked again at every attempt, so that none that was shut while the
    /// transport was full lets anything through.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Stop>> {
        let mut slices = no_slices();
        let count = self.queue.slices(&mut slices);
        let slices = &slices[..count];
        let Some(first) = slices.first() else {
            return match self.queue.gate() {
                Some(tag) => Poll::Ready(Err(Stop::Shut(tag))),
                None => Poll::Ready(Ok(0)),
            };
        };
        let io = Pin::new(&mut self.io);
        let polled = if count == 1 || first.len() >= SCRATCH {
            io.poll_write(cx, first)
        } else if io.is_write_vectored() {
            io.poll_write_vectored(cx, slices)
        } else {
            self.scratch.clear();
            for slice in slices {
                let room = SCRATCH - self.scratch.len();
                self.scratch
                    .extend_from_slice(&slice[..slice.len().min(room)]);
                if self.scratch.len() == SCRATCH {
                    break;
                }
            }
            io.poll_write(cx, &self.scratch)
        };
        match polled {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(Stop::Io(io::ErrorKind::WriteZero.into()))),
            Poll::Ready(Ok(written)) => Poll::Ready(Ok(written)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Stop::Io(error))),
            Poll::Pending => Poll::Pending,
        }
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        if std::mem::take(&mut self.unflushed) {
            self.io.flush().await.map_err(Stop::Io)?;
            self.shared.beat();
        }
        Ok(())
    }

    async fn await_permission(&mut self, tag: Tag) {
        loop {
            let nudged = self.shared.nudge.notified();
            let permission = self.shared.machine().permission(tag);
            match permission {
                Permission::Wait => nudged.await,
                Permission::Go => {
                    self.queue.permitted(tag);
                    return;
                }
                Permission::Gone => {
                    self.queue.skip(tag);
                    return;
                }
            }
        }
    }

    /// Gets the next chunk of the streamed body at the front.
    async fn fill_body(&mut self) -> Result<(), Stop> {
        let Some((tag, left, chunks)) = self.queue.body() else {
            return Ok(());
        };
        let next = match futures::poll!(chunks.next()) {
            Poll::Ready(next) => next,
            Poll::Pending => {
                // What is written so far can travel while we wait.
                if std::mem::take(&mut self.unflushed) {
                    self.io.flush().await.map_err(Stop::Io)?;
                }
                let _held = self.shared.hold();
                chunks.next().await
            }
        };
        match next {
            Some(Ok(chunk)) if chunk.len() as u64 <= *left => {
                // Not over with its last octet, but with the end of its stream: whoever
                // gives it may learn only behind that octet that its length was a lie.
                *left -= chunk.len() as u64;
                self.queue.chunk(chunk);
                Ok(())
            }
            Some(Ok(_)) => Err(Stop::Body(
                tag,
                length_fault("more octets came than were announced"),
            )),
            Some(Err(fault)) => Err(Stop::Body(tag, fault)),
            None if *left == 0 => {
                self.queue.end_body();
                Ok(())
            }
            None => {
                let detail = format!("{left} octets fewer came than were announced");
                Err(Stop::Body(tag, length_fault(detail)))
            }
        }
    }

    /// Settles the command that caused the stop as exactly as it is known, then
    /// gives the connection up.
    fn give_up(&self, stop: Stop) {
        let shared = &self.shared;
        match stop {
            Stop::Io(error) => shared.fail(shared.io_fault(&error)),
            Stop::Shut(tag) => {
                let fault = shut_gate();
                self.settle(tag, fault.clone());
                shared.fail(fault);
            }
            Stop::Body(tag, fault) => {
                self.settle(tag, fault);
                shared.fail(reset_fault(
                    "the octets of a message did not come as announced",
                ));
            }
            Stop::Early(tag) => {
                let taken = shared.machine().take_out(tag);
                match taken {
                    Some((flight, Some(reply))) if reply.kind == ReplyKind::No => {
                        shared.finish(flight.sink, tag, reply);
                    }
                    Some((flight, _)) => {
                        let fault = reset_fault("a command was answered before it was complete");
                        shared.abandon(flight.sink, flight.sent, &fault);
                    }
                    None => {}
                }
                shared.fail(reset_fault("a command was answered before it was complete"));
            }
        }
    }

    /// An append whose last line end was not written.
    fn settle(&self, tag: Tag, fault: Fault) {
        let taken = self.shared.machine().take_out(tag);
        let Some((flight, _)) = taken else { return };
        if let Sink::Append { to, .. } = flight.sink {
            let end = if flight.sent >= Sent::Literal {
                AppendEnd::Unknown(self.shared.placed(fault))
            } else {
                AppendEnd::NotSent(self.shared.placed(fault))
            };
            to.send(end).ok();
        }
    }
}

/// What was sent completely before the command that is given up may still be
/// answered: each answer that comes is one doubt less.
async fn let_others_finish(shared: &Shared, tag: Tag) {
    let others = async {
        loop {
            let nudged = shared.nudge.notified();
            if shared.machine().is_first(tag) {
                return;
            }
            nudged.await;
        }
    };
    timeout(GRACE, others).await.ok();
}

fn length_fault(detail: impl Into<String>) -> Fault {
    Fault::new(
        Code::MessageLength,
        Reach::Message,
        Remedy::Retry { after: None },
        detail,
    )
}

fn reset_fault(detail: &str) -> Fault {
    Fault::new(
        Code::LinkLost,
        Reach::Side,
        Remedy::Retry { after: None },
        format!("connection reset: {detail}"),
    )
}
