//! Octets to responses: finds line ends and literals (RFC 9051 §4.3), without
//! I/O and without understanding anything else.
//!
//! A response with its held literals is one [`Bytes`]: a slice of the chunk that was
//! read where it lies in one, one copy otherwise. A literal above the threshold is
//! never held: it leaves in the chunks in which it arrived. Nothing is allocated
//! because of an announced length.
//!
//! Start reading at [`Framer::next`].

use crate::response::{RawResponse, StreamedLiteral};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;

/// How much is taken from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameLimits {
    /// Longest line text, in octets.
    pub(crate) line: usize,
    /// Most text of one response outside its literals, in octets.
    pub(crate) text: usize,
    /// Longest literal that is held in memory, in octets.
    pub(crate) held: u64,
    /// Most octets of literals that are held for one response; when they are used up,
    /// further literals are streamed.
    pub(crate) held_total: u64,
    /// Longest literal at all, in octets: the largest message, which is never held.
    pub(crate) literal: u64,
    /// Most streamed literals in one response.
    pub(crate) streamed: usize,
}

impl Default for FrameLimits {
    /// After login. The reasons for each figure are in ADR 0008.
    fn default() -> Self {
        Self {
            // All UIDs of a mailbox come in one line, and half a million that are not
            // neighbours take eight octets each.
            line: 8 << 20,
            text: 8 << 20,
            held: 256 << 10,
            held_total: 4 << 20,
            literal: FrameLimits::LARGEST_MESSAGE,
            streamed: 64,
        }
    }
}

impl FrameLimits {
    /// The largest message that IMAP4rev1 can announce (RFC 3501 §9, `number`).
    pub(crate) const LARGEST_MESSAGE: u64 = u32::MAX as u64;

    /// Before anybody logged in, a server has nothing large to say, and may be anyone.
    pub(crate) fn before_login() -> Self {
        Self {
            line: 64 << 10,
            text: 256 << 10,
            held: 64 << 10,
            held_total: 256 << 10,
            literal: 64 << 10,
            streamed: 0,
        }
    }
}

/// What the framer found, in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A complete response. If it had streamed literals, it is their skeleton.
    Response(RawResponse),
    /// A literal begins that will be streamed.
    LiteralStart {
        /// The response up to and including the announcement: `parse` reads from it
        /// the items that came before.
        head: RawResponse,
        /// Octets that will come as chunks.
        octets: u64,
    },
    /// The next octets of the streamed literal; never empty.
    LiteralChunk(Bytes),
    /// All octets came; the rest of the response follows.
    LiteralEnd,
}

/// The server broke the framing, so nothing after it can be understood: the
/// connection has to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a line is longer than {limit} octets")]
    LineTooLong { limit: usize },
    #[error("the text of one response is longer than {limit} octets")]
    ResponseTooLong { limit: usize },
    #[error("a literal of {octets} octets was announced, {limit} are allowed")]
    LiteralTooLong { octets: u64, limit: u64 },
    #[error("more than {limit} large literals in one response")]
    TooManyLiterals { limit: usize },
}

/// Cuts what is read from a connection into [`Frame`]s.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: FrameLimits,
    /// Chunks not looked at yet, behind `chunk`.
    waiting: VecDeque<Bytes>,
    /// The chunk under work: the response under way begins at `start` in it (or in
    /// `gathered`), everything before `at` has been looked at.
    chunk: Bytes,
    start: usize,
    at: usize,
    gathered: Gathered,
    state: State,
    /// Text octets of the line and of the response so far, line ends included.
    line: usize,
    text: usize,
    held: u64,
    streamed: Vec<StreamedLiteral>,
    failed: Option<FrameError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Line,
    Held { left: u64 },
    Streaming { left: u64 },
}

impl Framer {
    /// A framer at the start of a response.
    pub(crate) fn new(limits: FrameLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            chunk: Bytes::new(),
            start: 0,
            at: 0,
            gathered: Gathered::default(),
            state: State::Line,
            line: 0,
            text: 0,
            held: 0,
            streamed: Vec::new(),
            failed: None,
        }
    }

    /// Other limits from now on. What is under way has the new ones too.
    pub(crate) fn limit(&mut self, limits: FrameLimits) {
        self.limits = limits;
    }

    /// Takes what was read. Call [`Framer::next`] until it has nothing more before
    /// reading again: chunks wait here without a bound.
    pub(crate) fn push(&mut self, chunk: impl Into<Bytes>) {
        let chunk = chunk.into();
        if !chunk.is_empty() {
            self.waiting.push_back(chunk);
        }
    }

    /// The next frame; `None` when more octets are needed.
    ///
    /// # Errors
    /// The framing is lost; every further call gives the same error.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        loop {
            if self.at == self.chunk.len() {
                // A literal of no octets ends without a chunk, so states that are
                // complete are looked at before more octets are asked for.
                match self.state {
                    State::Streaming { left: 0 } => return Ok(Some(self.end_of_streamed())),
                    State::Held { left: 0 } => self.state = State::Line,
                    _ => {}
                }
                self.keep_rest();
                match self.waiting.pop_front() {
                    Some(next) => self.chunk = next,
                    None => return Ok(None),
                }
                (self.start, self.at) = (0, 0);
            }
            let step = match self.state {
                State::Line => self.line(),
                State::Held { left } => {
                    let here = self.available(left);
                    self.at += here;
                    self.state = match left - here as u64 {
                        0 => State::Line,
                        left => State::Held { left },
                    };
                    Ok(None)
                }
                State::Streaming { left: 0 } => Ok(Some(self.end_of_streamed())),
                State::Streaming { left } => {
                    let here = self.available(left);
                    let octets = self.chunk.slice(self.at..self.at + here);
                    self.at += here;
                    self.start = self.at;
                    self.state = State::Streaming {
                        left: left - here as u64,
                    };
                    Ok(Some(Frame::LiteralChunk(octets)))
                }
            };
            match step {
                Ok(None) => {}
                Ok(frame) => return Ok(frame),
                Err(error) => {
                    self.failed = Some(error);
                    return Err(error);
                }
            }
        }
    }

    /// Whether octets were taken that did not become a frame yet.
    #[cfg(test)]
    pub(crate) fn is_inside(&self) -> bool {
        self.text > 0
            || self.state != State::Line
            || self.at < self.chunk.len()
            || !self.waiting.is_empty()
    }

    /// Takes back everything that was not cut into frames yet, and starts anew.
    /// After STARTTLS it must be thrown away (RFC 9051 §11.3); after COMPRESS it is
    /// the beginning of the compressed octets.
    pub(crate) fn take_rest(&mut self) -> Bytes {
        self.keep_rest();
        for chunk in std::mem::take(&mut self.waiting) {
            self.gathered.push(chunk);
        }
        let rest = std::mem::take(&mut self.gathered).join();
        *self = Self::new(self.limits);
        rest
    }

    fn available(&self, left: u64) -> usize {
        let here = self.chunk.len() - self.at;
        usize::try_from(left).map_or(here, |left| left.min(here))
    }

    /// Moves what belongs to the response under way out of the chunk.
    fn keep_rest(&mut self) {
        let kept = self.chunk.split_off(self.start.min(self.chunk.len()));
        self.gathered.push(kept);
        self.chunk = Bytes::new();
        (self.start, self.at) = (0, 0);
    }

    fn end_of_streamed(&mut self) -> Frame {
        self.state = State::Line;
        Frame::LiteralEnd
    }

    fn line(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = &self.chunk[self.at..];
        let end = memchr::memchr(b'\n', rest);
        let here = end.map_or(rest.len(), |at| at + 1);
        self.at += here;
        self.line += here;
        self.text += here;
        // Two octets of a line are its end. The limit that was crossed first decides, so
        // that the error does not depend on how the octets were cut.
        let line_excess = self.line.saturating_sub(self.limits.line + 2);
        let text_excess = self.text.saturating_sub(self.limits.text + 2);
        if text_excess > line_excess {
            return Err(FrameError::ResponseTooLong {
                limit: self.limits.text,
            });
        }
        if line_excess > 0 {
            return Err(FrameError::LineTooLong {
                limit: self.limits.line,
            });
        }
        if end.is_none() {
            return Ok(None);
        }
        let announced = self.announced();
        let line = std::mem::take(&mut self.line);
        match announced {
            None => Ok(Some(Frame::Response(self.finish(line)))),
            Some(octets) if octets > self.limits.literal => Err(FrameError::LiteralTooLong {
                octets,
                limit: self.limits.literal,
            }),
            Some(octets) if self.can_hold(octets) => {
                self.held += octets;
                self.state = State::Held { left: octets };
                Ok(None)
            }
            Some(octets) => self.stream(octets).map(Some),
        }
    }

    fn can_hold(&self, octets: u64) -> bool {
        octets <= self.limits.held && self.held.saturating_add(octets) <= self.limits.held_total
    }

    /// The length that the line just ended announces.
    fn announced(&self) -> Option<u64> {
        let mut window = [0; ANNOUNCEMENT_MAX];
        let here = &self.chunk[self.start..self.at];
        let want = self.line.min(ANNOUNCEMENT_MAX);
        let tail = if here.len() >= want {
            &here[here.len() - want..]
        } else {
            self.gathered.tail(here, &mut window[..want])
        };
        let octets = announcement(tail)?;
        // Only the first line of a response can say that it is a status, whose human
        // text may end in anything.
        let is_first = self.line == self.text;
        (!is_first || self.may_have_literals()).then_some(octets)
    }

    fn may_have_literals(&self) -> bool {
        let mut head = [0; 16];
        let here = &self.chunk[self.start..self.at];
        may_have_literals(self.gathered.head(here, &mut head))
    }

    fn stream(&mut self, octets: u64) -> Result<Frame, FrameError> {
        if self.streamed.len() == self.limits.streamed {
            return Err(FrameError::TooManyLiterals {
                limit: self.limits.streamed,
            });
        }
        let skeleton = self.take_octets();
        self.streamed.push(StreamedLiteral {
            at: skeleton.len(),
            octets,
        });
        self.gathered.push_whole(skeleton.clone());
        self.state = State::Streaming { left: octets };
        Ok(Frame::LiteralStart {
            head: RawResponse {
                octets: skeleton,
                streamed: self.streamed.clone(),
            },
            octets,
        })
    }

    /// The octets of the response so far, in one piece.
    fn take_octets(&mut self) -> Bytes {
        let here = self.chunk.slice(self.start..self.at);
        self.start = self.at;
        if self.gathered.is_empty() {
            return here;
        }
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.push_whole(here);
        gathered.join()
    }

    /// `line` octets are the last line: a carriage return before them ends a literal.
    fn finish(&mut self, line: usize) -> RawResponse {
        let mut octets = self.take_octets();
        octets.truncate(octets.len() - 1);
        if line > 1 && octets.last() == Some(&b'\r') {
            octets.truncate(octets.len() - 1);
        }
        (self.text, self.held) = (0, 0);
        RawResponse {
            octets,
            streamed: std::mem::take(&mut self.streamed),
        }
    }
}

/// Longest announcement that is looked for, its line end included: `~{`, 20 digits,
/// `+}`, CRLF. More digits do not fit 64 bits; they would be leading zeros.
const ANNOUNCEMENT_MAX: usize = 32;

/// The length that a line announces at its end: `{n}` or `{n+}`, with or without the
/// tilde of a literal8, before CRLF or LF (which must be there).
pub(crate) fn announcement(line: &[u8]) -> Option<u64> {
    let line = &line[line.len().saturating_sub(ANNOUNCEMENT_MAX)..];
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let digits = line.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (before, digits) = line.split_at(line.len() - digits);
    if digits.is_empty() || before.last() != Some(&b'{') {
        return None;
    }
    // A length beyond 64 bits is still an announcement: a length that no limit allows.
    Some(digits.iter().fold(0u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

/// Whether a response that begins so can have literals. Status responses and
/// continuations end in human text, which may quote `{5}` out of a mailbox name.
fn may_have_literals(start: &[u8]) -> bool {
    let Some(rest) = start.strip_prefix(b"*") else {
        return false;
    };
    let rest = rest.trim_ascii_start();
    let word = rest
        .split(|b| !b.is_ascii_alphabetic())
        .next()
        .unwrap_or(&[]);
    !STATUS_WORDS.iter().any(|s| s.eq_ignore_ascii_case(word))
}

const STATUS_WORDS: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];

/// Pieces of a response that does not lie in one chunk.
///
/// Large pieces stay where they are; small ones are copied together, so that a
/// server that sends octet by octet does not cost a handle for each.
#[derive(Debug, Default)]
struct Gathered {
    pieces: Vec<Bytes>,
    small: BytesMut,
    octets: usize,
}

/// Below this, a piece is copied at once.
const SMALL: usize = 512;

impl Gathered {
    fn is_empty(&self) -> bool {
        self.octets == 0
    }

    fn push(&mut self, piece: Bytes) {
        if piece.len() < SMALL {
            self.octets += piece.len();
            self.small.extend_from_slice(&piece);
        } else {
            self.push_whole(piece);
        }
    }

    fn push_whole(&mut self, piece: Bytes) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
        }
        self.octets += piece.len();
        self.pieces.push(piece);
    }

    /// Everything in one piece: no copy when it is one already, else exactly one.
    fn join(mut self) -> Bytes {
        if !self.small.is_empty() {
            self.pieces.push(self.small.freeze());
        }
        if self.pieces.len() == 1
            && let Some(only) = self.pieces.pop()
        {
            return only;
        }
        let mut whole = BytesMut::with_capacity(self.octets);
        for piece in &self.pieces {
            whole.extend_from_slice(piece);
        }
        whole.freeze()
    }

    /// The last octets of what is gathered followed by `here`, as many as the window takes.
    fn tail<'a>(&self, here: &[u8], window: &'a mut [u8]) -> &'a [u8] {
        let mut left = window.len();
        let before = self.pieces.iter().rev().map(|p| &p[..]);
        for piece in [here, &self.small[..]].into_iter().chain(before) {
            let take = piece.len().min(left);
            window[left - take..left].copy_from_slice(&piece[piece.len() - take..]);
            left -= take;
            if left == 0 {
                break;
            }
        }
        &window[left..]
    }

    /// The first octets of what is gathered followed by `here`.
    fn head<'a>(&self, here: &[u8], window: &'a mut [u8]) -> &'a [u8] {
        let mut filled = 0;
        let gathered = self.pieces.iter().map(|p| &p[..]);
        for piece in gathered.chain([&self.small[..], here]) {
            let take = piece.len().min(window.len() - filled);
            window[filled..filled + take].copy_from_slice(&piece[..take]);
            filled += take;
            if filled == window.len() {
                break;
            }
        }
        &window[..filled]
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
