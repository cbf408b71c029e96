//! SEARCH, ESEARCH (RFC 9051 §7.3.4) and VANISHED (RFC 7162 §3.2.10).

use super::cursor::Cursor;
use super::number::{MOST_RANGES, digits, is_message_number, ranges};
use crate::response::{Esearch, Response, Tag, UidRanges};

/// After the word SEARCH. A word that is no number is passed over.
pub(super) fn search(cursor: &mut Cursor<'_>) -> Response {
    let mut found = UidRanges::default();
    let mut modseq = None;
    loop {
        cursor.spaces();
        let Some(octet) = cursor.peek() else { break };
        if octet == b'(' {
            cursor.eat(b'(');
            cursor.spaces();
            if cursor.letters().eq_ignore_ascii_case(b"MODSEQ") {
                cursor.spaces();
                modseq = cursor.number();
            }
            continue;
        }
        let place = cursor.place();
        if let Some(number) = digits(cursor.atom()) {
            if is_message_number(number) && found.0.len() < MOST_RANGES {
                found.push(number, number);
            }
        } else if cursor.place() == place {
            // A parenthesis or a line feed.
            cursor.go_to(place + 1);
        }
    }
    Response::Search {
        found: found.to_set(),
        modseq,
    }
}

/// After the word ESEARCH.
pub(super) fn esearch(cursor: &mut Cursor<'_>) -> Esearch {
    let mut result = Esearch::default();
    if cursor.eat(b'(') {
        cursor.spaces();
        if cursor.letters().eq_ignore_ascii_case(b"TAG") {
            cursor.spaces();
            result.tag = cursor.astring().and_then(|tag| Tag::parse(&tag));
        }
        cursor.spaces();
        cursor.eat(b')');
    }
    loop {
        cursor.spaces();
        let name = cursor.atom();
        if name.is_empty() {
            return result;
        }
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"UID") {
            result.uid = true;
            continue;
        }
        cursor.spaces();
        let place = cursor.place();
        let value = cursor.atom();
        if is(b"ALL") {
            result.all = ranges(value).map(|set| set.to_set());
        } else if is(b"COUNT") {
            result.count = digits(value);
        } else if is(b"MIN") {
            result.min = digits(value);
        } else if is(b"MAX") {
            result.max = digits(value);
        } else if is(b"MODSEQ") {
            result.modseq = digits(value);
        } else {
            cursor.go_to(place);
            if !cursor.skip_value() {
                return result;
            }
        }
    }
}

/// After the word VANISHED; `None` when the set cannot be read.
pub(super) fn vanished(cursor: &mut Cursor<'_>) -> Option<Response> {
    let earlier = cursor.eat(b'(');
    if earlier {
        if !cursor.letters().eq_ignore_ascii_case(b"EARLIER") || !cursor.eat(b')') {
            return None;
        }
        cursor.spaces();
    }
    let uids = ranges(cursor.atom())?.to_set();
    Some(Response::Vanished { earlier, uids })
}
