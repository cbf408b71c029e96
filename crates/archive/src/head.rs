//! The header of a message that is a file of its own.

use crate::disk::Disk;
use crate::text;
use std::io;
use std::path::Path;

/// Most octets of a header that are looked at.
const MOST: usize = 64 * 1024;

/// Most headers are shorter than this.
const FIRST: usize = 8 * 1024;

/// What ends the lines of a file with one message: decided from as much as a header may have.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn line_end(disk: &Disk) -> io::Result<u8> {
    let front = disk.octets_at(0, FIRST)?;
    match text::line_end(&front) {
        // Rare: worth a second look.
        b'\r' if front.len() == FIRST => Ok(text::line_end(&disk.octets_at(0, MOST)?)),
        end => Ok(end),
    }
}

/// The beginning of a file up to the first empty line. Where nothing but CRs ends lines they
/// have become LFs.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn of_file(path: &Path) -> io::Result<Vec<u8>> {
    of_disk(&Disk::open(path)?)
}

fn of_disk(disk: &Disk) -> io::Result<Vec<u8>> {
    let mut head = disk.octets_at(0, FIRST)?;
    if end(&head).is_none() && head.len() == FIRST {
        head = disk.octets_at(0, MOST)?;
    }
    if text::line_end(&head) == b'\r' {
        let returns = head.iter_mut().filter(|octet| **octet == b'\r');
        returns.for_each(|octet| *octet = b'\n');
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
        let at = line_start + memchr::memchr(b'\n', &octets[line_start..])?;
        if matches!(&octets[line_start..at], b"" | b"\r") {
            return Some(at + 1);
        }
        line_start = at + 1;
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
            ("A: b\r\rbody", "A: b\n\n"),
            ("A: b\r\rc\nD: e\n\nbody", "A: b\r\rc\nD: e\n\n"),
            ("\nbody", "\n"),
            ("A: b\n", "A: b\n"),
            ("", ""),
        ] {
            let disk = Disk::held(text.as_bytes());
            assert_eq!(of_disk(&disk).expect("held"), header.as_bytes());
        }
        let long = format!("A: {}\n\nbody", "x".repeat(20_000));
        let head = of_disk(&Disk::held(long.as_bytes())).expect("held");
        assert_eq!(head.len(), long.len() - 4);
    }
}
