//! Tar files (POSIX.1-2017, pax; GNU's long names), plain or compressed with gzip, and
//! single files compressed with gzip.
//!
//! Read from the beginning to the end, in little memory: nothing that the file says makes
//! anything here larger than a name may be.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use hikyaku_core::{Fault, Reach, Remedy};

use super::{Packed, Spool, levels};
use crate::dirs::{name_of, without_ending};
use crate::fault;

/// Octets of a header, and what everything is filled up to.
const BLOCK: usize = 512;
/// Longest record about the next file that is read, in octets: names.
const MOST_ABOUT: u64 = 64 * 1024;

/// Whether the file begins as gzip does.
pub(super) fn is_gzip(path: &Path) -> bool {
    let mut first = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == [0x1f, 0x8b]
}

/// Whether what is in the file begins as a tar does.
pub(super) fn is_tar(path: &Path, is_gzip: bool) -> bool {
    let mut block = [0; BLOCK];
    let read = open(path, is_gzip).and_then(|mut file| file.read_exact(&mut block));
    read.is_ok() && Header::of(&block).is_some_and(|h| h.is_some())
}

fn open(path: &Path, is_gzip: bool) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 17, File::open(path)?);
    Ok(match is_gzip {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    })
}

/// Unpacks the one file that is compressed; it is called as the packed one is, without the
/// ending.
///
/// # Faults
/// Those of [`super::unpack`].
pub(super) fn unpack_one(path: &Path, spool: &mut Spool<'_>) -> Result<(), Fault> {
    let name = path.file_name().map(name_of).unwrap_or_default();
    let stem = without_ending(&name, ".gz").unwrap_or(&name);
    let level = levels(stem.as_bytes()).unwrap_or_else(|| vec!["mail".to_owned()]);
    let mut from = open(path, true).map_err(|e| fault::missing(path, &e))?;
    spool.file(&level, &mut from)?;
    match spool.out.left_out.pop() {
        // There is nothing else in it.
        Some((_, fault)) => Err(unreadable(path, fault)),
        None => Ok(()),
    }
}

/// Unpacks the files that are wanted. Where the archive breaks off, what came before is
/// there, and the rest is named as left out.
///
/// # Faults
/// Those of [`super::unpack`].
pub(super) fn unpack(
    path: &Path,
    is_gzip: bool,
    spool: &mut Spool<'_>,
    wanted: &dyn Fn(&Packed) -> bool,
) -> Result<(), Fault> {
    let from = open(path, is_gzip).map_err(|e| fault::missing(path, &e))?;
    let mut entries = Entries::new(from);
    let mut index = 0;
    loop {
        let mut entry = match entries.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(error) if index == 0 => {
                return Err(unreadable(path, fault::damaged(error.to_string())));
            }
            Err(error) => {
                let name = path.file_name().map(name_of).unwrap_or_default();
                let detail = format!("everything behind file {index} of the archive: {error}");
                spool.leave_out(name, fault::damaged(detail));
                return Ok(());
            }
        };
        index += 1;
        let Some(levels) = levels(&entry.name) else {
            // The directory that was packed itself, as `./`.
            if entry.kind != Kind::Directory {
                let name = match entry.name.is_empty() {
                    true => format!("file {index}"),
                    false => String::from_utf8_lossy(&entry.name).into_owned(),
                };
                let why = "it would lie outside of the archive, or has no usable name";
                spool.leave_out(name, fault::damaged(why));
            }
            continue;
        };
        match entry.kind {
            Kind::Directory => spool.directory(&levels)?,
            // A program that reads its own directory would not follow them either.
            Kind::Link => {}
            Kind::Other => {
                let why = "a file with holes, which is not read from a tar";
                spool.leave_out(levels.join("/"), fault::damaged(why));
            }
            Kind::File => {
                let file = Packed {
                    levels,
                    octets: entry.octets,
                    index,
                };
                if wanted(&file) {
                    spool.file(&file.levels, &mut entry)?;
                }
            }
        }
    }
}

fn unreadable(path: &Path, fault: Fault) -> Fault {
    Fault {
        reach: Reach::Job,
        remedy: Remedy::AskUser,
        ..fault
    }
    .server(path.display().to_string())
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// A block that begins an entry.
struct Header {
    name: Vec<u8>,
    octets: u64,
    flag: u8,
}

impl Header {
    /// `None` when the block is no header; `Some(None)` for one of zeros, which ends the
    /// archive.
    fn of(block: &[u8; BLOCK]) -> Option<Option<Self>> {
        if block.iter().all(|o| *o == 0) {
            return Some(None);
        }
        let sum: u64 = block.iter().enumerate().fold(0, |sum, (at, octet)| {
            // The sum itself counts as blanks.
            let octet = if (148..156).contains(&at) {
                b' '
            } else {
                *octet
            };
            sum + u64::from(octet)
        });
        if number(&block[148..156])? != sum {
            return None;
        }
        let text =
            |field: &[u8]| -> Vec<u8> { field.iter().copied().take_while(|o| *o != 0).collect() };
        let mut name = text(&block[345..500]);
        let has_prefix = block[257..265] == *b"ustar\x0000" && !name.is_empty();
        match has_prefix {
            true => name.push(b'/'),
            false => name.clear(),
        }
        name.extend(text(&block[..100]));
        Some(Some(Self {
            name,
            octets: number(&block[124..136])?,
            flag: block[156],
        }))
    }
}

/// A number in octal digits, or in GNU's form for large ones: the highest bit, then octets.
fn number(field: &[u8]) -> Option<u64> {
    if let [first @ (0x80 | 0xff), rest @ ..] = field {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let is_small = *first == 0x80 && high.iter().all(|o| *o == 0);
        return is_small.then(|| u64::from_be_bytes(low.try_into().unwrap_or_default()));
    }
    let digits = field.iter().copied().filter(|o| !matches!(o, 0 | b' '));
    digits
        .into_iter()
        .try_fold(0_u64, |sum, digit| match digit {
            b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
            _ => None,
        })
}

/// The entries of a tar, one after the other.
struct Entries<R> {
    inner: R,
    /// Octets until the next header: of the content, and behind it.
    left: u64,
    padding: u64,
}

/// One entry; reads its content.
struct Entry<'a, R> {
    name: Vec<u8>,
    octets: u64,
    kind: Kind,
    entries: &'a mut Entries<R>,
}

impl<R: Read> Entries<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            left: 0,
            padding: 0,
        }
    }

    /// The next one; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Entry<'_, R>>> {
        let (mut long_name, mut long_octets) = (None, None);
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            self.left = header.octets;
            let padding = |octets: u64| (BLOCK as u64 - octets % BLOCK as u64) % BLOCK as u64;
            self.padding = padding(header.octets);
            match header.flag {
                b'L' => {
                    long_name = self.about()?.map(|mut name| {
                        name.truncate(name.iter().position(|o| *o == 0).unwrap_or(name.len()));
                        name
                    });
                }
                b'x' => {
                    let about = self.about()?.unwrap_or_default();
                    for (key, value) in pax(&about) {
                        match key {
                            b"path" => long_name = Some(value.to_vec()),
                            b"size" => {
                                let text = std::str::from_utf8(value).ok();
                                long_octets = text.and_then(|t| t.parse().ok());
                            }
                            _ => {}
                        }
                    }
                }
                // About all that follow, or about a link.
                b'g' | b'K' => {}
                flag => {
                    let octets = long_octets.unwrap_or(header.octets);
                    let kind = match flag {
                        0 | b'0' | b'7' => Kind::File,
                        b'5' => Kind::Directory,
                        b'1' | b'2' | b'3' | b'4' | b'6' => Kind::Link,
                        _ => Kind::Other,
                    };
                    // Links have no content, whatever length they tell.
                    self.left = if kind == Kind::Link { 0 } else { octets };
                    self.padding = padding(self.left);
                    let name = long_name.unwrap_or(header.name);
                    // Before POSIX a directory was told by the end of its name.
                    let is_old = kind == Kind::File && name.ends_with(b"/");
                    return Ok(Some(Entry {
                        kind: if is_old { Kind::Directory } else { kind },
                        name,
                        octets,
                        entries: self,
                    }));
                }
            }
        }
    }

    /// Behind what is left of the entry before; `None` at the end.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let rest = self.left.saturating_add(self.padding);
        let passed = io::copy(&mut (&mut self.inner).take(rest), &mut io::sink())?;
        if passed < self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (self.left, self.padding) = (0, 0);
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.inner.read(&mut block[filled..]) {
                // Some programs write no empty blocks at the end.
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let no_header = || io::Error::new(io::ErrorKind::InvalidData, "no header of a tar");
        Header::of(&block).ok_or_else(no_header)
    }

    /// A record about the next file; `None` when it is too long to hold names.
    fn about(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.left > MOST_ABOUT {
            return Ok(None);
        }
        let mut about = Vec::new();
        (&mut self.inner).take(self.left).read_to_end(&mut about)?;
        if (about.len() as u64) < self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = 0;
        Ok(Some(about))
    }
}

impl<R: Read> Read for Entry<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let entries = &mut *self.entries;
        let most = usize::try_from(entries.left).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = entries.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        entries.left -= read as u64;
        Ok(read)
    }
}

/// The records of a pax header: `LENGTH KEY=VALUE` and a line feed each.
fn pax(about: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut out = Vec::new();
    let mut rest = about;
    while let Some(blank) = rest.iter().position(|o| *o == b' ') {
        let length = std::str::from_utf8(&rest[..blank]).ok();
        let length: Option<usize> = length.and_then(|t| t.parse().ok());
        let Some(record) = length.and_then(|l| rest.get(blank + 1..l)) else {
            break;
        };
        rest = &rest[length.unwrap_or(rest.len())..];
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(equals) = record.iter().position(|o| *o == b'=') {
            out.push((&record[..equals], &record[equals + 1..]));
        }
    }
    out
}

#[cfg(test)]
#[path = "tars/tests.rs"]
mod tests;
