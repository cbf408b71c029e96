//! The octets of a large message while they arrive.

use crate::connection::Obituary;
use bytes::Bytes;
use futures::Stream;
use futures::stream::{BoxStream, StreamExt};
use hikyaku_core::{Body, Code, Fault, Key, Reach, Remedy};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// What the reader task passes on.
pub(super) type Chunks = mpsc::Receiver<Result<Bytes, Fault>>;

struct Arriving {
    chunks: Chunks,
    left: u64,
    key: Key,
    mailbox: String,
    obituary: Obituary,
    is_over: bool,
}

/// A body of exactly that many octets. Dropping it before its end ends the connection.
pub(super) fn streamed(
    octets: u64,
    chunks: Chunks,
    key: Key,
    mailbox: String,
    obituary: Obituary,
) -> Body {
    let arriving = Arriving {
        chunks,
        left: octets,
        key,
        mailbox,
        obituary,
        is_over: false,
    };
    let chunks: BoxStream<'static, _> = arriving.boxed();
    Body::Streamed { octets, chunks }
}

impl Arriving {
    fn fail(&mut self, fault: Fault) -> Poll<Option<Result<Bytes, Fault>>> {
        self.is_over = true;
        let fault = fault.mailbox(&self.mailbox).message(self.key);
        Poll::Ready(Some(Err(fault)))
    }
}

impl Stream for Arriving {
    type Item = Result<Bytes, Fault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        match this.chunks.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) if chunk.len() as u64 <= this.left => {
                this.left -= chunk.len() as u64;
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Ok(_))) => this.fail(Fault::new(
                Code::MessageLength,
                Reach::Message,
                Remedy::Retry { after: None },
                "more octets came than were announced",
            )),
            Poll::Ready(Some(Err(fault))) => this.fail(fault),
            Poll::Ready(None) if this.left == 0 => {
                this.is_over = true;
                Poll::Ready(None)
            }
            Poll::Ready(None) => {
                let fault = this.obituary.fault();
                this.fail(fault)
            }
        }
    }
}
