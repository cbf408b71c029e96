//! Octets of a response to its type. Never fails and never panics: the unit of
//! failure is one item, so a message is not lost because a server wrote something
//! odd beside it.
//!
//! One file per family of responses. Start reading at [`parse`].

mod code;
mod cursor;
mod date;
mod fetch;
mod list;
mod mailbox;
mod number;
mod search;
mod status;

#[cfg(test)]
pub(crate) use date::internal_date;

use crate::response::{RawResponse, Response, Tag};
use cursor::Cursor;

/// Deepest nesting of parentheses that is followed.
const MAX_DEPTH: u32 = 64;

/// Most words of a list whose members are kept one by one: flags of a message,
/// attributes, namespaces, capabilities. What is beyond is passed over.
const MAX_WORDS: usize = 4096;

/// Understands one response. Of the head of a streamed literal
/// ([`crate::frame::Frame::LiteralStart`]) it gives what came before the literal, so that UID, flags
/// and date are known before the octets of the body.
pub(crate) fn parse(raw: &RawResponse) -> Response {
    let mut cursor = Cursor::new(raw);
    if cursor.eat(b'*') {
        cursor.spaces();
        return untagged(&mut cursor);
    }
    if cursor.eat(b'+') {
        cursor.eat(b' ');
        return Response::Continue(cursor.rest_shared());
    }
    let tag = cursor.word();
    cursor.spaces();
    if tag.is_empty() {
        return unknown(tag);
    }
    Response::Tagged {
        tag: Tag::parse(tag),
        reply: status::tagged(&mut cursor),
    }
}

fn untagged(cursor: &mut Cursor<'_>) -> Response {
    if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        return numbered(cursor);
    }
    if let Some(reply) = status::untagged(cursor) {
        return Response::Status(reply);
    }
    let word = cursor.word();
    cursor.spaces();
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if is("LIST") || is("XLIST") {
        list::list_row(cursor).map_or_else(|| unknown(word), Response::List)
    } else if is("LSUB") {
        list::list_row(cursor).map_or_else(|| unknown(word), Response::Lsub)
    } else if is("STATUS") {
        mailbox::status(cursor).map_or_else(|| unknown(word), Response::MailboxStatus)
    } else if is("SEARCH") {
        search::search(cursor)
    } else if is("ESEARCH") {
        Response::Esearch(search::esearch(cursor))
    } else if is("VANISHED") {
        search::vanished(cursor).unwrap_or_else(|| unknown(word))
    } else if is("FLAGS") {
        fetch::flag_list(cursor).map_or_else(|| unknown(word), |(flags, _)| Response::Flags(flags))
    } else if is("CAPABILITY") {
        Response::Capability(code::capabilities(cursor.rest()))
    } else if is("ENABLED") {
        Response::Enabled(code::capabilities(cursor.rest()))
    } else if is("NAMESPACE") {
        Response::Namespace(list::namespaces(cursor))
    } else if is("ID") {
        mailbox::id(cursor).map_or_else(|| unknown(word), Response::Id)
    } else if is("QUOTA") {
        mailbox::quota(cursor).map_or_else(|| unknown(word), Response::Quota)
    } else if is("QUOTAROOT") {
        mailbox::quota_root(cursor).unwrap_or_else(|| unknown(word))
    } else {
        unknown(word)
    }
}

/// `* n WORD …`.
fn numbered(cursor: &mut Cursor<'_>) -> Response {
    let number = cursor.number();
    cursor.spaces();
    let word = cursor.letters();
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    match number {
        // A row is worth having even when its sequence number is not readable.
        _ if is("FETCH") => Response::Fetch(fetch::row(cursor, number.unwrap_or(0))),
        Some(number) if is("EXISTS") => Response::Exists(number),
        Some(number) if is("RECENT") => Response::Recent(number),
        Some(number) if is("EXPUNGE") => Response::Expunge(number),
        _ => unknown(word),
    }
}

fn unknown(word: &[u8]) -> Response {
    let word = &word[..word.len().min(40)];
    Response::Unknown {
        keyword: String::from_utf8_lossy(word).to_ascii_uppercase(),
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
