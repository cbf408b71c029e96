//! What waits to be written: pieces of commands, in order.

use crate::encode::{Encoded, Part};
use crate::machine::{Machine, Sent};
use crate::response::Tag;
use bytes::{Buf, Bytes};
use hikyaku_core::message::{Body, BodyStream};
use hikyaku_core::traits::Gate;
use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

/// Most slices in one write.
const MOST_SLICES: usize = 64;

/// One command on its way to the writer.
pub(crate) struct Outgoing {
    pub(super) tag: Tag,
    pub(super) pieces: Vec<Piece>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} pieces", self.tag, self.pieces.len())
    }
}

/// A step of writing.
pub(super) enum Piece {
    /// A command begins.
    Begin(Tag),
    /// Octets as they are.
    Octets(Bytes),
    /// A synchronising literal was announced: not further before `+`. The machine
    /// is told once.
    Wait { tag: Tag, is_told: bool },
    /// Message text that is still on its way from elsewhere.
    Body {
        tag: Tag,
        left: u64,
        chunks: BodyStream,
    },
    /// A message of an append is complete.
    Literal(Tag),
    /// What follows makes the server store: only while the gate is open.
    Gate(Tag, Arc<dyn Gate>),
    /// A command is complete.
    End(Tag),
}

/// Puts the bodies and the gate of an append, if it is one, into their places.
pub(crate) fn outgoing(
    encoded: Encoded,
    bodies: Vec<Body>,
    gate: Option<&Arc<dyn Gate>>,
) -> Outgoing {
    let tag = encoded.tag;
    let mut pieces = Vec::with_capacity(encoded.parts.len() + bodies.len() + 3);
    let mut bodies = bodies.into_iter();
    pieces.push(Piece::Begin(tag));
    for part in encoded.parts {
        match part {
            Part::Octets(octets) => pieces.push(Piece::Octets(octets)),
            Part::Secret(secret) => {
                pieces.push(Piece::Octets(Bytes::copy_from_slice(secret.0.expose())));
            }
            Part::Wait => pieces.push(Piece::Wait {
                tag,
                is_told: false,
            }),
            // Bodies stand in the order of the messages.
            Part::Body { octets, .. } => {
                match bodies.next() {
                    Some(Body::Held(held)) => pieces.push(Piece::Octets(held)),
                    Some(Body::Streamed { chunks, .. }) => pieces.push(Piece::Body {
                        tag,
                        left: octets,
                        chunks,
                    }),
                    None => {}
                }
                pieces.push(Piece::Literal(tag));
            }
            Part::Commit => {
                if let Some(gate) = gate {
                    pieces.push(Piece::Gate(tag, Arc::clone(gate)));
                }
                pieces.push(Piece::Octets(Bytes::from_static(b"\r\n")));
            }
        }
    }
    pieces.push(Piece::End(tag));
    Outgoing { tag, pieces }
}

/// What the writer has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing is left.
    Nothing,
    /// There are octets (perhaps behind a gate).
    Write,
    /// Wait for permission.
    Wait(Tag),
    /// Get more of a streamed body.
    Body,
}

/// The queue of pieces.
#[derive(Default)]
pub(super) struct Queue {
    pieces: VecDeque<Piece>,
    /// The command of which some octets are written and some are not.
    inside: Option<Tag>,
}

impl Queue {
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.pieces.extend(outgoing.pieces);
    }

    pub(super) fn inside(&self) -> Option<Tag> {
        self.inside
    }

    /// The command of the closed gate at the front.
    pub(super) fn gate(&self) -> Option<Tag> {
        match self.pieces.front() {
            Some(Piece::Gate(tag, _)) => Some(*tag),
            _ => None,
        }
    }

    pub(super) fn next(&self) -> Next {
        for piece in &self.pieces {
            match piece {
                Piece::Octets(octets) if !octets.is_empty() => return Next::Write,
                Piece::Gate(..) => return Next::Write,
                Piece::Wait { tag, .. } => return Next::Wait(*tag),
                Piece::Body { .. } => return Next::Body,
                Piece::Begin(_) | Piece::Octets(_) | Piece::Literal(_) | Piece::End(_) => {}
            }
        }
        Next::Nothing
    }

    /// The octets that may be written now; none when a gate at the front is shut.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MOST_SLICES]) -> usize {
        let mut count = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Octets(octets) if octets.is_empty() => {}
                Piece::Octets(octets) => {
                    if count == MOST_SLICES {
                        break;
                    }
                    slices[count] = IoSlice::new(octets);
                    count += 1;
                }
                Piece::Gate(_, gate) if !gate.is_open() => break,
                Piece::Wait { .. } | Piece::Body { .. } => break,
                Piece::Gate(..) | Piece::Begin(_) | Piece::Literal(_) | Piece::End(_) => {}
            }
        }
        count
    }

    /// So many octets were written: tells the machine how far each command came.
    pub(super) fn advance<S>(&mut self, mut octets: usize, machine: &mut Machine<S>) {
        while let Some(front) = self.pieces.front_mut() {
            match front {
                Piece::Octets(piece) => {
                    let taken = piece.len().min(octets);
                    if let Some(tag) = self.inside.filter(|_| taken > 0) {
                        machine.wrote(tag, Sent::Part);
                    }
                    octets -= taken;
                    piece.advance(taken);
                    if !piece.is_empty() {
                        return;
                    }
                }
                Piece::Begin(tag) => self.inside = Some(*tag),
                Piece::Literal(tag) => machine.wrote(*tag, Sent::Literal),
                Piece::End(tag) => {
                    machine.wrote(*tag, Sent::All);
                    self.inside = None;
                }
                // With octets left it was open when they were offered.
                Piece::Gate(..) if octets > 0 => {}
                Piece::Wait { tag, is_told } => {
                    if !std::mem::replace(is_told, true) {
                        machine.announce(*tag);
                    }
                    return;
                }
                Piece::Gate(..) | Piece::Body { .. } => return,
            }
            self.pieces.pop_front();
        }
    }

    /// Goes on behind an announced literal.
    pub(super) fn permitted(&mut self, tag: Tag) {
        if matches!(self.pieces.front(), Some(Piece::Wait { tag: t, .. }) if *t == tag) {
            self.pieces.pop_front();
        }
    }

    /// Leaves the rest of a command away.
    pub(super) fn skip(&mut self, tag: Tag) {
        while let Some(piece) = self.pieces.pop_front() {
            if matches!(piece, Piece::End(t) if t == tag) {
                break;
            }
        }
        self.inside = None;
    }

    /// The streamed body at the front.
    pub(super) fn body(&mut self) -> Option<(Tag, &mut u64, &mut BodyStream)> {
        match self.pieces.front_mut() {
            Some(Piece::Body { tag, left, chunks }) => Some((*tag, left, chunks)),
            _ => None,
        }
    }

    /// Puts a chunk in front of the rest of its body.
    pub(super) fn chunk(&mut self, octets: Bytes) {
        self.pieces.push_front(Piece::Octets(octets));
    }

    /// The streamed body at the front is complete.
    pub(super) fn end_body(&mut self) {
        self.pieces.pop_front();
    }
}

/// An empty array for [`Queue::slices`].
pub(super) fn no_slices<'a>() -> [IoSlice<'a>; MOST_SLICES] {
    [IoSlice::new(&[]); MOST_SLICES]
}
