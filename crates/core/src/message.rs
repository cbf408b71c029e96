//! Messages on their way: listings without bodies, letters with them.

use crate::date::InternalDate;
use crate::fault::Fault;
use crate::flags::Flags;
use crate::identity::HeadDigest;
use crate::key::Key;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::fmt;

/// The facts of one message without its body. Which of them are filled is what
/// the scan asked for ([`crate::traits::Facts`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Key inside the mailbox.
    pub key: Key,
    /// Flags, when asked for.
    pub flags: Option<Flags>,
    /// Arrival, when asked for and parseable.
    pub date: Option<InternalDate>,
    /// RFC822.SIZE as reported: a hint, not a fact.
    pub octets: Option<u64>,
    /// Digest of the chosen header fields, when asked for.
    pub head: Option<HeadDigest>,
}

/// A message with its content, as it leaves the source.
///
/// Dropping a letter whose streamed body was not read to its end makes the
/// connection that carried it useless; its adapter closes it.
#[derive(Debug)]
pub struct Letter {
    /// Key inside the source mailbox.
    pub key: Key,
    /// Flags at the moment of reading.
    pub flags: Flags,
    /// Arrival; `None` when the source has none that can be understood.
    pub date: Option<InternalDate>,
    /// The octets.
    pub body: Body,
}

/// Chunks of a body in order. An `Err` is the last item.
pub type BodyStream = BoxStream<'static, Result<Bytes, Fault>>;

/// The octets of a message: all at hand, or on their way with a known length.
pub enum Body {
    /// Held in memory; small.
    Held(Bytes),
    /// Exactly `octets` octets will come through the stream, or it ends with a fault.
    Streamed {
        /// Announced length.
        octets: u64,
        /// The chunks.
        chunks: BodyStream,
    },
}

impl Body {
    /// Length in octets.
    pub fn octets(&self) -> u64 {
        match self {
            Body::Held(bytes) => bytes.len() as u64,
            Body::Streamed { octets, .. } => *octets,
        }
    }
}

impl fmt::Debug for Body {
    /// The length only: message text never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Body::Held(_) => "Held",
            Body::Streamed { .. } => "Streamed",
        };
        write!(f, "{kind}({} octets)", self.octets())
    }
}
