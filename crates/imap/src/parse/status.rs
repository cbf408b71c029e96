//! Status responses (RFC 9051 §7.1).

use super::code;
use super::cursor::Cursor;
use crate::response::{Reply, ReplyKind};
use std::borrow::Cow;

/// After a tag. A word that is no status counts as BAD: the command has ended, and
/// not well.
pub(super) fn tagged(cursor: &mut Cursor<'_>) -> Reply {
    let place = cursor.place();
    match kind(cursor.letters()) {
        Some(kind @ (ReplyKind::Ok | ReplyKind::No | ReplyKind::Bad)) => reply(kind, cursor),
        _ => {
            cursor.go_to(place);
            reply(ReplyKind::Bad, cursor)
        }
    }
}

/// After `*`; `None`, and the cursor stays, when another response follows.
pub(super) fn untagged(cursor: &mut Cursor<'_>) -> Option<Reply> {
    let place = cursor.place();
    match kind(cursor.letters()) {
        // `OKAY` and `NO-SUCH` are other words.
        Some(kind)
            if cursor
                .peek()
                .is_none_or(|b| matches!(b, b' ' | b'\t' | b'[')) =>
        {
            Some(reply(kind, cursor))
        }
        _ => {
            cursor.go_to(place);
            None
        }
    }
}

fn kind(word: &[u8]) -> Option<ReplyKind> {
    [
        ReplyKind::Ok,
        ReplyKind::No,
        ReplyKind::Bad,
        ReplyKind::Preauth,
        ReplyKind::Bye,
    ]
    .into_iter()
    .find(|kind| kind.as_str().as_bytes().eq_ignore_ascii_case(word))
}

fn reply(kind: ReplyKind, cursor: &mut Cursor<'_>) -> Reply {
    // One blank only: behind two, a bracket belongs to the text.
    cursor.eat(b' ');
    let mut rest = cursor.rest();
    let mut raw_code = None;
    if let Some(inside) = rest.strip_prefix(b"[") {
        let end = code_end(inside);
        raw_code = Some(&inside[..end]);
        rest = inside.get(end + 1..).unwrap_or(&[]).trim_ascii_start();
    }
    Reply {
        kind,
        code: raw_code.and_then(code::code),
        raw_code: raw_code.map(|code| lossy(code.trim_ascii()).into_owned()),
        text: lossy(rest).into_owned(),
    }
}

fn lossy(octets: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(octets)
}

/// Where the code ends. A bracket inside parentheses or quotes does not end it; when they do not
/// balance, the first bracket does, and without any the whole line is code.
fn code_end(text: &[u8]) -> usize {
    let mut depth = 0u32;
    let mut quoted = false;
    let mut octets = text.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'\\' if quoted => {
                octets.next();
            }
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b']' if !quoted && depth == 0 => return at,
            _ => {}
        }
    }
    memchr::memchr(b']', text).unwrap_or(text.len())
}
