//! What the three servers make of a message and of a date, as measured on Dovecot 2.3, Cyrus 3.6 and Courier 5.0.

use std::time::SystemTime;

use crate::servers::Kind;

/// What is there after an APPEND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The same octets.
    Exact,
    /// Other octets, though the server said OK.
    Rewritten(Vec<u8>),
    /// Nothing: the server said NO.
    Refused,
}

/// What a server stores when it is given these octets.
pub fn stored(server: Kind, octets: &[u8]) -> Stored {
    let result = match server {
        Kind::Dovecot => dovecot(octets),
        Kind::Cyrus => cyrus(octets),
        Kind::Courier => Some(courier(octets)),
    };
    match result {
        None => Stored::Refused,
        Some(result) if result == octets => Stored::Exact,
        Some(result) => Stored::Rewritten(result),
    }
}

/// Whether a server keeps this moment, in UTC seconds, as INTERNALDATE. What it does otherwise differs: *now*, another
/// year, or a refusal.
///
/// Dovecot makes *now* of what lies more than some hours ahead; the other two do so with the first second of 1970.
pub fn keeps_date(server: Kind, seconds: i64) -> bool {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    match server {
        Kind::Dovecot => seconds >= 0 && seconds.cast_unsigned() <= now.as_secs() + 3_600,
        Kind::Cyrus | Kind::Courier => seconds > 0,
    }
}

/// Whether a server takes this flag; with one it does not take, an APPEND is refused as a whole.
pub fn takes_flag(server: Kind, flag: &str) -> bool {
    match server {
        Kind::Dovecot | Kind::Cyrus => !flag.eq_ignore_ascii_case("\\Recent"),
        Kind::Courier => {
            let number = flag.bytes().all(|octet| octet.is_ascii_digit());
            !(flag.eq_ignore_ascii_case("\\Recent") || flag.contains('~') || number)
        }
    }
}

/// Bare LF becomes CRLF, NUL becomes 0x80, of several CRs before LF one is lost, as is one at the end; no message may
/// be empty.
fn dovecot(octets: &[u8]) -> Option<Vec<u8>> {
    if octets.is_empty() {
        return None;
    }
    // Dovecot keeps LF on disk: the CR of CRLF goes, and comes back where the line has none left.
    let mut on_disk = Vec::with_capacity(octets.len());
    for (at, octet) in octets.iter().enumerate() {
        let before_line_end = matches!(octets.get(at + 1), Some(b'\n') | None);
        match octet {
            b'\r' if before_line_end => {}
            0 => on_disk.push(0x80),
            _ => on_disk.push(*octet),
        }
    }
    Some(with_crlf(&on_disk))
}

/// Strict: no NUL, no bare LF, a header; 8-bit octets in the header become `X`.
fn cyrus(octets: &[u8]) -> Option<Vec<u8>> {
    if octets.is_empty()
        || octets.contains(&0)
        || with_crlf(octets) != octets
        || !starts_with_header(octets)
    {
        return None;
    }
    let header = octets
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or(octets.len());
    let mut mended = octets.to_vec();
    for octet in &mut mended[..header] {
        if !octet.is_ascii() {
            *octet = b'X';
        }
    }
    Some(mended)
}

/// CRLF at every line end, the last one included; bare CR goes.
fn courier(octets: &[u8]) -> Vec<u8> {
    let mut mended: Vec<u8> = octets
        .iter()
        .copied()
        .filter(|octet| *octet != b'\r')
        .collect();
    if mended.last() != Some(&b'\n') {
        mended.push(b'\n');
    }
    with_crlf(&mended)
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(octets.len());
    let mut before = 0;
    for octet in octets {
        if *octet == b'\n' && before != b'\r' {
            mended.push(b'\r');
        }
        mended.push(*octet);
        before = *octet;
    }
    mended
}

/// Whether the first line is a header field.
fn starts_with_header(octets: &[u8]) -> bool {
    let line = octets
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or_default();
    line.contains(&b':') || line == b"\r"
}
