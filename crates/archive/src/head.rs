//! The header of a message that is a file of its own.

use crate::disk::Disk;
use std::io;
use std::path::Path;

/// Most octets of a header that are looked at.
const MOST: usize = 64 * 1024;

/// Most headers are shorter than this.
const FIRST: usize = 8 * 1024;

/// The beginning of a file up to the first empty line, with whatever line ends it has.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn of_file(path: &Path) -> io::Result<Vec<u8>> {
    of_disk(&Disk::open(path)?, 0)
}

/// The same from a position of an open file on.
pub(crate) fn of_disk(disk: &Disk, start: u64) -> io::Result<Vec<u8>> {
    let mut head = disk.octets_at(start, FIRST)?;
    if end(&head).is_none() && head.len() == FIRST {
        head = disk.octets_at(start, MOST)?;
    }
    if let Some(end) = end(&head) {
        head.truncate(end);
    }
    Ok(head)
}

/// Behind the first empty line.
fn end(octets: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    loop {
        let at = line_start + memchr::memchr2(b'\n', b'\r', &octets[line_start..])?;
        let length = match (octets[at], octets.get(at + 1)) {
            (b'\r', Some(b'\n')) => 2,
            _ => 1,
        };
        if at == line_start {
            return Some(at + length);
        }
        line_start = at + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_at_the_first_empty_line_of_any_kind() {
        for (text, header) in [
            ("A: b\n\nbody", "A: b\n\n"),
            ("A: b\r\n\r\nbody\n\n", "A: b\r\n\r\n"),
            ("A: b\r\rbody", "A: b\r\r"),
            ("\nbody", "\n"),
            ("A: b\n", "A: b\n"),
            ("", ""),
        ] {
            let disk = Disk::held(text.as_bytes());
            assert_eq!(of_disk(&disk, 0).expect("held"), header.as_bytes());
        }
        let long = format!("A: {}\n\nbody", "x".repeat(20_000));
        let head = of_disk(&Disk::held(long.as_bytes()), 0).expect("held");
        assert_eq!(head.len(), long.len() - 4);
    }
}
