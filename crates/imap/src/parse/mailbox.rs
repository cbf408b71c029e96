//! STATUS (RFC 9051 §7.3.4), QUOTA and QUOTAROOT (RFC 9208), ID (RFC 2971).

use super::MAX_WORDS;
use super::cursor::Cursor;
use super::list::name_up_to;
use super::number::digits;
use crate::response::{MailboxStatus, QuotaResource, QuotaRow, Response};
use hikyaku_core::{Epoch, Key, WireName};

/// After the word STATUS; `None` when there is no name in it.
pub(super) fn status(cursor: &mut Cursor<'_>) -> Option<MailboxStatus> {
    let mailbox = name_up_to(cursor, before_last_list)?;
    let mut status = MailboxStatus {
        mailbox,
        messages: None,
        uid_next: None,
        epoch: None,
        unseen: None,
        modseq: None,
        octets: None,
        mailbox_id: None,
        append_limit: None,
    };
    cursor.spaces();
    if cursor.eat(b'(') {
        items(cursor, &mut status);
    }
    Some(status)
}

/// Where the list begins that ends the line: the items. A name that should have been
/// quoted may hold parentheses of its own.
fn before_last_list(line: &[u8]) -> usize {
    let mut depth = 0u32;
    for (at, octet) in line.iter().enumerate().rev() {
        match octet {
            b')' => depth += 1,
            b'(' if depth <= 1 => return at,
            b'(' => depth -= 1,
            _ => {}
        }
    }
    line.len()
}

fn items(cursor: &mut Cursor<'_>, status: &mut MailboxStatus) {
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return;
        }
        let name = cursor.atom();
        if name.is_empty() {
            // A value without a name, or the end.
            let place = cursor.place();
            if !cursor.skip_value() || cursor.place() == place {
                return;
            }
            continue;
        }
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        cursor.spaces();
        if is(b"MAILBOXID") {
            status.mailbox_id = mailbox_id(cursor);
            continue;
        }
        let number = cursor.whole_number();
        if number.is_none() {
            // Negative, beyond 64 bits, NIL, or of another kind.
            if !cursor.skip_value() {
                return;
            }
            continue;
        }
        if is(b"MESSAGES") {
            status.messages = number;
        } else if is(b"UIDNEXT") {
            status.uid_next = number.map(Key);
        } else if is(b"UIDVALIDITY") {
            status.epoch = number.map(Epoch);
        } else if is(b"UNSEEN") {
            status.unseen = number;
        } else if is(b"HIGHESTMODSEQ") {
            status.modseq = number.filter(|&modseq| modseq > 0);
        } else if is(b"SIZE") {
            status.octets = number;
        } else if is(b"APPENDLIMIT") {
            status.append_limit = number;
        }
    }
}

fn mailbox_id(cursor: &mut Cursor<'_>) -> Option<String> {
    let place = cursor.place();
    let listed = cursor.eat(b'(');
    cursor.spaces();
    let id = cursor.astring();
    cursor.spaces();
    if id.is_none() || (listed && !cursor.eat(b')')) {
        cursor.go_to(place);
        cursor.skip_value();
        return None;
    }
    id.map(|id| String::from_utf8_lossy(&id).into_owned())
}

/// After the word QUOTA. A missing list means that there is no limit.
pub(super) fn quota(cursor: &mut Cursor<'_>) -> Option<QuotaRow> {
    let mut row = QuotaRow {
        root: cursor.astring()?,
        resources: Vec::new(),
    };
    cursor.spaces();
    if !cursor.eat(b'(') {
        return Some(row);
    }
    loop {
        cursor.spaces();
        let name = cursor.atom();
        if name.is_empty() {
            return Some(row);
        }
        cursor.spaces();
        let usage = digits(cursor.atom());
        cursor.spaces();
        let limit = digits(cursor.atom());
        if let (Some(usage), Some(limit)) = (usage, limit)
            && row.resources.len() < MAX_WORDS
        {
            row.resources.push(QuotaResource {
                name: String::from_utf8_lossy(name).to_ascii_uppercase(),
                usage,
                limit,
            });
        }
    }
}

/// After the word QUOTAROOT.
pub(super) fn quota_root(cursor: &mut Cursor<'_>) -> Option<Response> {
    let mailbox = WireName::new(cursor.astring()?);
    let mut roots = Vec::new();
    loop {
        cursor.spaces();
        match cursor.astring() {
            Some(root) if roots.len() < MAX_WORDS => roots.push(root),
            Some(_) => {}
            None => return Some(Response::QuotaRoot { mailbox, roots }),
        }
    }
}

/// After the word ID.
pub(super) fn id(cursor: &mut Cursor<'_>) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    if cursor.nil() {
        return Some(fields);
    }
    if !cursor.eat(b'(') {
        return None;
    }
    let lossy = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    loop {
        cursor.spaces();
        // Either the closing parenthesis or something that is no field.
        let Some(field) = cursor.astring() else {
            return Some(fields);
        };
        cursor.spaces();
        if cursor.nil() {
            continue;
        }
        let Some(value) = cursor.astring() else {
            return Some(fields);
        };
        if fields.len() < MAX_WORDS {
            fields.push((lossy(&field), lossy(&value)));
        }
    }
}
