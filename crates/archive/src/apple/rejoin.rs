//! A `.partial.emlx` and its attachments as one message again.
//!
//! The message becomes a list of pieces: octets at hand, and files that are encoded while
//! they are read, so a large attachment is never held. Base64 is written with the line
//! length that gives the announced length, which is then the original octet for octet;
//! quoted-printable gives the same content, not always the same octets.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::holes::{Encoding, Hole, holes};

/// Lengths of a line of base64 that programs write, the usual one first.
const WIDTHS: [u64; 5] = [76, 72, 64, 60, 68];

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Octets at hand.
    Held(Vec<u8>),
    /// A file, to be written as base64.
    Base64 {
        /// The decoded content.
        file: PathBuf,
        /// Its length in octets.
        octets: u64,
        /// Characters in a line.
        width: u64,
        /// Whether a line end follows the last line.
        ends_line: bool,
    },
    /// A file, to be taken as it is.
    File {
        /// The content.
        file: PathBuf,
        /// Its length in octets.
        octets: u64,
    },
}

/// A message in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejoined {
    /// In order.
    pub(crate) pieces: Vec<Piece>,
    /// Numbers of the parts whose content is nowhere: never fetched from the server, or lost.
    pub(crate) missing: Vec<String>,
}

/// A content that was found: its file and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// How long it is.
    pub(crate) octets: u64,
}

/// Longest quoted-printable contents that are encoded, of one message together: they are held
/// while they are.
const MAX_QUOTED: u64 = 32 << 20;

/// Puts the contents back. `find` gives the content of a part by its number.
///
/// A part without content keeps its header as it is, so that nothing pretends to be whole.
///
/// # Errors
/// When a content cannot be read.
pub(crate) fn rejoin(
    text: &[u8],
    mut find: impl FnMut(&str) -> io::Result<Option<Content>>,
) -> io::Result<Rejoined> {
    let mut out = Rejoined::default();
    let mut held = Vec::new();
    let mut room = MAX_QUOTED;
    let mut at = 0;
    for hole in holes(text) {
        let Some(content) = find(&hole.part)? else {
            out.missing.push(hole.part);
            continue;
        };
        // The field that Mail added goes with the hole.
        held.extend(&text[at..hole.field.start]);
        held.extend(&text[hole.field.end..hole.at]);
        at = hole.at;
        match fill(&hole, content, &mut room)? {
            Piece::Held(octets) => held.extend(octets),
            piece => {
                out.pieces.push(Piece::Held(std::mem::take(&mut held)));
                out.pieces.push(piece);
            }
        }
        if hole.needs_line_end {
            held.push(b'\n');
        }
    }
    held.extend(&text[at..]);
    out.pieces.push(Piece::Held(held));
    Ok(out)
}

fn fill(hole: &Hole, Content { file, octets }: Content, room: &mut u64) -> io::Result<Piece> {
    Ok(match hole.encoding {
        Encoding::Base64 => {
            let (width, ends_line) = shape(octets, hole.announced);
            Piece::Base64 {
                file,
                octets,
                width,
                ends_line,
            }
        }
        Encoding::QuotedPrintable if octets <= *room => {
            *room -= octets;
            let mut content = Vec::new();
            File::open(&file)?.take(octets).read_to_end(&mut content)?;
            Piece::Held(quoted_printable(&content))
        }
        Encoding::QuotedPrintable => {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a quoted-printable part is too large",
            ));
        }
        Encoding::Plain => Piece::File { file, octets },
    })
}

/// The line length and the end that give the announced length, or the usual ones.
fn shape(octets: u64, announced: Option<u64>) -> (u64, bool) {
    // The line end behind the last line belongs to the boundary, and few programs write
    // another one.
    let mut choices = [false, true]
        .into_iter()
        .flat_map(|ends| WIDTHS.map(|width| (width, ends)));
    choices
        .find(|(width, ends)| Some(encoded_octets(octets, *width, *ends)) == announced)
        .unwrap_or((WIDTHS[0], false))
}

/// Length of base64 with LF line ends.
pub(crate) fn encoded_octets(octets: u64, width: u64, ends_line: bool) -> u64 {
    let chars = octets.div_ceil(3) * 4;
    let lines = chars.div_ceil(width);
    chars
        + if ends_line {
            lines
        } else {
            lines.saturating_sub(1)
        }
}

/// Writes content so that it can stand in a message (RFC 2045 §6.7); line ends of the
/// content stay line ends.
fn quoted_printable(content: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(content.len() + content.len() / 8);
    let mut column = 0;
    let mut rest = content.iter().peekable();
    while let Some(&octet) = rest.next() {
        if octet == b'\r' && rest.peek() == Some(&&b'\n') {
            continue;
        }
        if octet == b'\n' {
            out.push(b'\n');
            column = 0;
            continue;
        }
        let at_end = matches!(rest.peek(), None | Some(b'\n' | b'\r'));
        let stands = match octet {
            b' ' | b'\t' => !at_end,
            b'=' => false,
            other => other.is_ascii_graphic(),
        };
        let width = if stands { 1 } else { 3 };
        // 76 with the sign of the soft break; the last of a line needs none.
        if column + width > if at_end { 76 } else { 75 } {
            out.extend(b"=\n");
            column = 0;
        }
        if stands {
            out.push(octet);
        } else {
            out.extend([
                b'=',
                DIGITS[usize::from(octet >> 4)],
                DIGITS[usize::from(octet & 15)],
            ]);
        }
        column += width;
    }
    out
}

impl Rejoined {
    /// The pieces one after the other, with LF line ends where they were made here.
    pub(crate) fn reader(self) -> Pieces {
        Pieces {
            pieces: self.pieces.into_iter(),
            now: None,
        }
    }
}

/// Reads pieces in order.
#[derive(Debug)]
pub(crate) struct Pieces {
    pieces: std::vec::IntoIter<Piece>,
    now: Option<Now>,
}

#[derive(Debug)]
enum Now {
    Held(io::Cursor<Vec<u8>>),
    Base64(Encoder),
    File(File, u64),
}

impl Pieces {
    fn begin(piece: Piece) -> io::Result<Now> {
        Ok(match piece {
            Piece::Held(octets) => Now::Held(io::Cursor::new(octets)),
            Piece::Base64 {
                file,
                octets,
                width,
                ends_line,
            } => Now::Base64(Encoder {
                file: File::open(file)?,
                left: octets,
                width: width as usize,
                ends_line,
                column: 0,
                ready: Vec::new(),
                given: 0,
            }),
            Piece::File { file, octets } => Now::File(File::open(file)?, octets),
        })
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.now {
                None => 0,
                Some(Now::Held(octets)) => octets.read(into)?,
                Some(Now::Base64(encoder)) => encoder.read(into)?,
                Some(Now::File(file, left)) => {
                    let most = into.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let read = file.read(&mut into[..most])?;
                    if read == 0 && *left > 0 {
                        return Err(shrunk());
                    }
                    *left -= read as u64;
                    read
                }
            };
            if read > 0 {
                return Ok(read);
            }
            match self.pieces.next() {
                Some(piece) => self.now = Some(Self::begin(piece)?),
                None => return Ok(0),
            }
        }
    }
}

fn shrunk() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "an attachment became shorter while it was read",
    )
}

/// Base64 of a file with lines.
#[derive(Debug)]
struct Encoder {
    file: File,
    left: u64,
    width: usize,
    ends_line: bool,
    column: usize,
    ready: Vec<u8>,
    given: usize,
}

/// A multiple of three, so that no group is cut.
const CHUNK: usize = 48 * 1024;

impl Encoder {
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK);
        let mut raw = vec![0; most];
        self.file.read_exact(&mut raw).map_err(|_| shrunk())?;
        self.left -= most as u64;
        for group in raw.chunks(3) {
            if self.column >= self.width {
                self.ready.push(b'\n');
                self.column = 0;
            }
            self.ready.extend(four(group));
            self.column += 4;
        }
        if self.left == 0 && self.ends_line && self.column > 0 {
            self.ready.push(b'\n');
        }
        Ok(())
    }
}

impl Read for Encoder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = (self.ready.len() - self.given).min(into.len());
        into[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Up to three octets as four characters (RFC 4648 §4).
fn four(group: &[u8]) -> [u8; 4] {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
    let bits = at(0) << 16 | at(1) << 8 | at(2);
    let letter = |shift: u32| LETTERS[(bits >> shift & 63) as usize];
    [
        letter(18),
        letter(12),
        if group.len() > 1 { letter(6) } else { b'=' },
        if group.len() > 2 { letter(0) } else { b'=' },
    ]
}

#[cfg(test)]
#[path = "rejoin/tests.rs"]
mod tests;
