//! A message's octets on their way out: where LF ended a line CRLF does, nothing else changed.

use crate::disk::Disk;
use crate::{fault, head};
use bytes::{Bytes, BytesMut};
use hikyaku_core::Fault;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;

/// Up to this length a message is held: what the engine sends together with others.
pub(crate) const HELD: usize = 256 * 1024;

/// Length of the pieces in which longer ones are read.
const PIECE: usize = 128 * 1024;

/// Pieces of a message in order. An `Err` is the last.
pub type Pieces = Box<dyn Iterator<Item = Result<Bytes, Fault>> + Send>;

/// The octets of a message; lines end with CRLF.
pub enum Text {
    /// At hand; small.
    Held(Bytes),
    /// Read piece by piece.
    Streamed {
        /// Exactly so many octets will come, or a fault.
        octets: u64,
        /// The pieces.
        pieces: Pieces,
    },
}

/// Something that turns stored octets into a message's, besides the line ends.
///
/// Given pieces of any length, in order.
pub(crate) trait Sieve: Send {
    /// Takes the next octets; what comes of them is added to `out`.
    fn pass(&mut self, octets: &[u8], out: &mut Vec<u8>);

    /// The end: what was held back.
    fn finish(&mut self, out: &mut Vec<u8>);
}

impl Text {
    /// Of octets at hand, with any line ends.
    pub fn of(octets: &[u8]) -> Self {
        let mut out = OUT.take();
        let mut ends = LineEnds::of(line_end(octets));
        ends.pass(octets, &mut out);
        ends.finish(&mut out);
        Text::held(out)
    }

    /// Of octets that are read, from the beginning and as often as it is asked.
    ///
    /// A long message is read twice, once for its length: nothing of it is held.
    ///
    /// # Faults
    /// With [`hikyaku_core::Reach::Message`] when it cannot be read.
    pub fn read<R: Read + Send + 'static>(
        reopen: impl Fn() -> io::Result<R>,
    ) -> Result<Self, Fault> {
        Self::sieved(reopen, LineEnds::default)
    }

    /// Of a file that holds one message and may come from any computer.
    ///
    /// # Faults
    /// As [`Text::read`].
    pub(crate) fn of_file(path: &Path) -> Result<Self, Fault> {
        let disk = Disk::open(path).map_err(|e| fault::message(&e))?;
        let end = head::line_end(&disk).map_err(|e| fault::message(&e))?;
        Self::sieved(|| Ok(disk.part(0, disk.length())), || LineEnds::of(end))
    }

    /// The same through a sieve, which has to make the line ends too.
    pub(crate) fn sieved<R: Read + Send + 'static, S: Sieve + 'static>(
        reopen: impl Fn() -> io::Result<R>,
        sieve: impl Fn() -> S,
    ) -> Result<Self, Fault> {
        let mut first = Sieved::new(reopen().map_err(|e| fault::message(&e))?, sieve());
        let mut held = OUT.take();
        let mut octets = 0;
        loop {
            match first.piece() {
                Ok(Some(piece)) => {
                    octets += piece.len() as u64;
                    if octets <= HELD as u64 {
                        held.extend_from_slice(&piece);
                    }
                }
                Ok(None) => break,
                Err(e) => return Err(fault::message(&e)),
            }
        }
        if octets <= HELD as u64 {
            return Ok(Text::held(held));
        }
        let again = Sieved::new(reopen().map_err(|e| fault::message(&e))?, sieve());
        Ok(again.streamed(octets))
    }

    /// Through a sieve, with a length that the scan has counted.
    pub(crate) fn counted<R: Read + Send + 'static, S: Sieve + 'static>(
        octets: u64,
        reader: R,
        sieve: S,
    ) -> Result<Self, Fault> {
        let mut sieved = Sieved::new(reader, sieve);
        if octets > HELD as u64 {
            return Ok(sieved.streamed(octets));
        }
        // At most a quarter of a mebibyte; all of it in one piece where that is possible.
        sieved.next = usize::try_from(octets).unwrap_or(HELD).max(1);
        let mut held = OUT.take();
        sieved.raw = RAW.take();
        while sieved.more(&mut held).map_err(|e| fault::message(&e))? {}
        RAW.set(sieved.raw);
        match held.len() as u64 == octets {
            true => Ok(Text::held(held)),
            false => Err(fault::changed("the message has another length now")),
        }
    }

    /// Octets that came together in this thread's buffer, which is given back.
    fn held(mut out: Vec<u8>) -> Self {
        let octets = SLABS.with_borrow_mut(|slabs| slabs.keep(&out));
        // What grew for a long one does not stay.
        if out.capacity() <= 2 * HELD {
            out.clear();
            OUT.set(out);
        }
        Text::Held(octets)
    }

    /// Length in octets.
    pub fn octets(&self) -> u64 {
        match self {
            Text::Held(held) => held.len() as u64,
            Text::Streamed { octets, .. } => *octets,
        }
    }

    /// Up to `most` octets from its beginning.
    ///
    /// # Faults
    /// When they cannot be read.
    pub fn front(self, most: usize) -> Result<Bytes, Fault> {
        match self {
            Text::Held(held) => Ok(held.slice(..held.len().min(most))),
            Text::Streamed { pieces, .. } => {
                let mut front = Vec::new();
                for piece in pieces {
                    let piece = piece?;
                    let room = most - front.len();
                    front.extend_from_slice(&piece[..piece.len().min(room)]);
                    if front.len() == most {
                        break;
                    }
                }
                Ok(front.into())
            }
        }
    }

    /// All of it, however long: for tests and for small things only.
    ///
    /// # Faults
    /// When it cannot be read to its end.
    pub fn whole(self) -> Result<Bytes, Fault> {
        self.front(usize::MAX)
    }
}

/// Reads pieces and passes them through a sieve.
struct Sieved<R, S> {
    reader: R,
    sieve: S,
    raw: Vec<u8>,
    /// How much is read next: most messages are far shorter than a piece, and clean
    /// memory for one costs more than reading them.
    next: usize,
    is_over: bool,
}

/// Messages that are held follow each other in pieces of memory of this length.
const TOGETHER: usize = 512 * 1024;

/// So many of them are waited for at most, should one message stay when all others go.
const MOST_SLABS: usize = 64;

thread_local! {
    /// Where this thread reads stored octets: clean memory for each message costs about as much as reading it.
    static RAW: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };

    /// Where it makes the message of them.
    static OUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };

    /// Where the messages are held.
    static SLABS: RefCell<Slabs> = RefCell::default();
}

/// Memory for messages that are held, used again when they are gone. Each in memory of its own
/// length, given back by another thread and in another order, they would leave holes in it like
/// those of a sieve: half as much again.
#[derive(Default)]
struct Slabs {
    /// The one in use: what is free of it.
    slab: Option<BytesMut>,
    /// Oldest first.
    full: VecDeque<BytesMut>,
}

impl Slabs {
    fn keep(&mut self, octets: &[u8]) -> Bytes {
        let mut slab = match self.slab.take() {
            Some(slab) if slab.capacity() >= octets.len() => slab,
            full => {
                self.full.extend(full);
                self.fresh(TOGETHER.max(octets.len()))
            }
        };
        slab.extend_from_slice(octets);
        let kept = slab.split().freeze();
        self.slab = Some(slab);
        kept
    }

    /// One whose messages are all gone; mostly they go in the order in which they came.
    fn fresh(&mut self, length: usize) -> BytesMut {
        let reclaimed = self.full.front_mut().is_some_and(|s| s.try_reclaim(length));
        let oldest = match reclaimed || self.full.len() > MOST_SLABS {
            true => self.full.pop_front(),
            false => None,
        };
        oldest
            .filter(|_| reclaimed)
            .unwrap_or_else(|| BytesMut::with_capacity(length))
    }
}

/// Gives back the memory that this thread has kept for reading messages.
pub(crate) fn forget_memory() {
    RAW.take();
    OUT.take();
    SLABS.take();
}

/// Length of the first piece where nothing is known of the whole.
const FIRST: usize = 16 * 1024;

impl<R: Read + Send + 'static, S: Sieve + 'static> Sieved<R, S> {
    fn new(reader: R, sieve: S) -> Self {
        Self {
            reader,
            sieve,
            raw: Vec::new(),
            next: FIRST,
            is_over: false,
        }
    }

    /// The next piece; never empty.
    fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        while out.is_empty() && self.more(&mut out)? {}
        Ok((!out.is_empty()).then_some(out))
    }

    /// Reads once more; what comes of it is added. Whether there may be more after it.
    fn more(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        if self.raw.len() < self.next {
            self.raw.resize(self.next, 0);
        }
        let read = match self.reader.read(&mut self.raw) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(true),
            other => other?,
        };
        if read == self.raw.len() {
            self.next = (self.raw.len() * 4).min(PIECE);
        }
        match read {
            0 => {
                self.is_over = true;
                self.sieve.finish(out);
            }
            _ => {
                // Not where there is room: what was counted fits, and more would be held as long as the message.
                if out.capacity() - out.len() < read {
                    out.reserve(read + read / 32 + 2);
                }
                self.sieve.pass(&self.raw[..read], out);
            }
        }
        Ok(!self.is_over)
    }

    /// As a text of that length: a fault takes the place of what is more or less.
    fn streamed(mut self, octets: u64) -> Text {
        let mut left = octets;
        let mut is_over = false;
        let pieces = std::iter::from_fn(move || {
            if is_over {
                return None;
            }
            let piece = match self.piece() {
                Ok(Some(piece)) if piece.len() as u64 <= left => {
                    left -= piece.len() as u64;
                    Ok(Bytes::from(piece))
                }
                Ok(None) if left == 0 => {
                    is_over = true;
                    return None;
                }
                Ok(_) => Err(fault::changed("the message has another length now")),
                Err(e) => Err(fault::message(&e)),
            };
            is_over = piece.is_err();
            Some(piece)
        });
        Text::Streamed {
            octets,
            pieces: Box::new(pieces),
        }
    }
}

/// What ends the lines of a file that begins like this: CR where there are CRs and not one LF,
/// as old programs of the Mac wrote; LF, with or without a CR in front, everywhere else.
pub(crate) fn line_end(beginning: &[u8]) -> u8 {
    match memchr::memchr2(b'\r', b'\n', beginning) {
        Some(at) if memchr::memchr(b'\n', &beginning[at..]).is_none() => b'\r',
        _ => b'\n',
    }
}

/// Makes line ends CRLF.
///
/// Where LF ends lines, a CR without one is an octet of the message like any other, and stays:
/// so do servers that keep their mail in files, and a message is the same one in the file and on
/// the server. Where CR ends lines both become CRLF, alone or together.
#[derive(Debug)]
pub(crate) struct LineEnds {
    end: u8,
    /// The last octet was a CR: in a file of CRs one whose LF may still come.
    after_cr: bool,
}

impl Default for LineEnds {
    fn default() -> Self {
        Self::of(b'\n')
    }
}

impl LineEnds {
    /// Of a file in which `end` ends lines: LF or CR, as [`line_end`] tells.
    pub(crate) fn of(end: u8) -> Self {
        Self {
            end,
            after_cr: false,
        }
    }

    /// Every LF that has no CR gets one.
    fn feeds(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', octets) {
            let has_cr = match at.checked_sub(1) {
                Some(before) => octets[before] == b'\r',
                None => self.after_cr,
            };
            if !has_cr {
                out.extend_from_slice(&octets[from..at]);
                out.push(b'\r');
                from = at;
            }
        }
        out.extend_from_slice(&octets[from..]);
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
    }

    /// Every CR, LF and CRLF becomes CRLF.
    fn returns(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut rest = octets;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            if rest[0] == b'\n' {
                rest = &rest[1..];
            }
            out.extend_from_slice(b"\r\n");
        }
        while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
            out.extend_from_slice(&rest[..at]);
            let after = match (rest[at], rest.get(at + 1)) {
                (b'\r', Some(b'\n')) => at + 2,
                (b'\r', None) => {
                    self.after_cr = true;
                    return;
                }
                _ => at + 1,
            };
            out.extend_from_slice(b"\r\n");
            rest = &rest[after..];
        }
        out.extend_from_slice(rest);
    }
}

impl Sieve for LineEnds {
    fn pass(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match self.end {
            b'\r' => self.returns(octets, out),
            _ => self.feeds(octets, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) && self.end == b'\r' {
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_a_mac(pieces: &[&[u8]]) -> Vec<u8> {
        passed(LineEnds::of(b'\r'), pieces)
    }

    fn ends(pieces: &[&[u8]]) -> Vec<u8> {
        passed(LineEnds::default(), pieces)
    }

    fn passed(mut ends: LineEnds, pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in pieces {
            ends.pass(piece, &mut out);
        }
        ends.finish(&mut out);
        out
    }

    #[test]
    fn every_lf_becomes_crlf_and_nothing_else_changes() {
        assert_eq!(ends(&[b"a\nb\r\nc\rd"]), b"a\r\nb\r\nc\rd");
        assert_eq!(ends(&[b"a\r", b"\nb\r", b"c\r"]), b"a\r\nb\rc\r");
        assert_eq!(ends(&[b"a\r", b"", b"\nb"]), b"a\r\nb");
        assert_eq!(ends(&[b"\n\r\n\r"]), b"\r\n\r\n\r");
        assert_eq!(ends(&[b"one\rtwo\r\r\n\0"]), b"one\rtwo\r\r\n\0");
        assert_eq!(ends(&[]), b"");
    }

    #[test]
    fn where_cr_ends_lines_each_becomes_crlf() {
        assert_eq!(of_a_mac(&[b"a\nb\r\nc\rd"]), b"a\r\nb\r\nc\r\nd");
        let cut = of_a_mac(&[b"a\r", b"\nb\r", b"c\r"]);
        assert_eq!(cut, b"a\r\nb\r\nc\r\n");
        assert_eq!(of_a_mac(&[b"\n\r\n\r"]), b"\r\n\r\n\r\n");
        assert_eq!(of_a_mac(&[]), b"");
    }

    #[test]
    fn cr_ends_lines_where_there_is_no_lf() {
        for (beginning, end) in [
            (&b"A: b\r\rbody\r"[..], b'\r'),
            (b"A: b\r\n\r\nbody", b'\n'),
            (b"A: b\n\none\rtwo\n", b'\n'),
            (b"A: \rb\n", b'\n'),
            (b"A: b", b'\n'),
            (b"", b'\n'),
        ] {
            assert_eq!(line_end(beginning), end, "{beginning:?}");
        }
    }

    #[test]
    fn memory_is_used_again_when_its_messages_are_gone_and_not_before() {
        let mut slabs = Slabs::default();
        let message = |n: u8| vec![n; TOGETHER / 4];
        let kept: Vec<Bytes> = (0..8).map(|n| slabs.keep(&message(n))).collect();
        let places: Vec<*const u8> = kept.iter().map(|octets| octets.as_ptr()).collect();
        for (n, octets) in kept.iter().enumerate() {
            assert_eq!(octets, &message(n as u8), "{n}");
        }
        let mut kept = VecDeque::from(kept);
        kept.drain(..3);
        // One of the first slab is still there.
        let later = slabs.keep(&message(8));
        assert!(!places.contains(&later.as_ptr()));
        kept.pop_front();
        let (rest, again) = (slabs.keep(&vec![9; TOGETHER]), slabs.keep(&message(10)));
        assert!(
            places[..1].contains(&rest.as_ptr()),
            "the first slab, whole"
        );
        assert!(!places.contains(&again.as_ptr()));
        for (n, octets) in kept.iter().enumerate() {
            assert_eq!(octets, &message(n as u8 + 4), "{n}");
        }
        assert_eq!(slabs.keep(&[11; 2 * TOGETHER]).len(), 2 * TOGETHER);
        assert!(slabs.keep(b"").is_empty());
    }

    #[test]
    fn a_long_text_is_streamed_with_its_exact_length() {
        let stored: Vec<u8> = b"0123456789abcde\n".repeat(40_000);
        let expected = ends(&[&stored]);
        let text = Text::read({
            let stored = stored.clone();
            move || Ok(io::Cursor::new(stored.clone()))
        })
        .expect("readable");
        assert!(matches!(text, Text::Streamed { .. }));
        assert_eq!(text.octets(), expected.len() as u64);
        assert_eq!(text.whole().expect("readable"), expected);
        let lying = Text::counted(
            expected.len() as u64 + 1,
            io::Cursor::new(stored),
            LineEnds::default(),
        );
        let whole = lying.and_then(Text::whole);
        assert_eq!(
            whole.expect_err("too short").code,
            hikyaku_core::Code::ArchiveChanged
        );
    }

    proptest! {
        #[test]
        fn cuts_between_pieces_do_not_matter(
            octets in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'x')], 0..40),
            cut in 0usize..40,
            end in prop_oneof![Just(b'\r'), Just(b'\n')],
        ) {
            let cut = cut.min(octets.len());
            let all = |pieces: &[&[u8]]| passed(LineEnds::of(end), pieces);
            let whole = all(&[&octets]);
            prop_assert_eq!(&all(&[&octets[..cut], &octets[cut..]]), &whole);
            // Idempotent, and without any bare LF.
            prop_assert_eq!(&all(&[&whole]), &whole);
            let before = String::from_utf8(octets).expect("ASCII");
            let after = String::from_utf8(whole).expect("ASCII");
            prop_assert!(!after.replace("\r\n", "").contains('\n'));
            if end == b'\n' {
                prop_assert_eq!(after.replace("\r\n", "\n"), before.replace("\r\n", "\n"));
            } else {
                prop_assert!(!after.replace("\r\n", "").contains('\r'));
            }
        }
    }
}
