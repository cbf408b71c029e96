//! Lines as they come over the wire, and what they mean.

use super::*;
use crate::frame::{Frame, FrameLimits, Framer};
use crate::response::{FetchRow, Reply, ReplyKind};
use hikyaku_core::{Key, KeySet, WireName};

mod bombs;
mod cutting;
mod data;
mod fetch;
mod oracle;
mod status;

/// All responses of some octets, which have to be complete. No literal is streamed.
fn all(wire: &[u8]) -> Vec<Response> {
    let mut framer = Framer::new(FrameLimits::default());
    framer.push(wire.to_vec());
    let mut out = Vec::new();
    while let Some(frame) = framer.next().expect("frames") {
        match frame {
            Frame::Response(raw) => out.push(parse(&raw)),
            other => panic!("{other:?}"),
        }
    }
    assert!(!framer.is_inside(), "incomplete: {}", wire.escape_ascii());
    out
}

/// The response of one line, given without its end.
fn one(line: impl AsRef<[u8]>) -> Response {
    let mut responses = all(&[line.as_ref(), b"\r\n"].concat());
    assert_eq!(responses.len(), 1, "{responses:?}");
    responses.remove(0)
}

fn row(line: impl AsRef<[u8]>) -> FetchRow {
    match one(line.as_ref()) {
        Response::Fetch(row) => row,
        other => panic!("{}: {other:?}", line.as_ref().escape_ascii()),
    }
}

fn reply(line: impl AsRef<[u8]>) -> Reply {
    match one(line.as_ref()) {
        Response::Status(reply) | Response::Tagged { reply, .. } => reply,
        other => panic!("{}: {other:?}", line.as_ref().escape_ascii()),
    }
}

fn set(text: &str) -> KeySet {
    KeySet::parse(text).expect("set")
}

fn wire(text: &str) -> WireName {
    WireName::new(text)
}
