//! LIST, LSUB (RFC 9051 §7.3.1, RFC 5258) and NAMESPACE (RFC 9051 §7.3.3).

use super::MAX_WORDS;
use super::cursor::{Cursor, Text, unescaped};
use crate::response::{ListAttributes, ListRow, Namespace, Namespaces};
use hikyaku_core::{Role, WireName};

/// After the word LIST or LSUB; `None` when there is no name in it.
pub(super) fn list_row(cursor: &mut Cursor<'_>) -> Option<ListRow> {
    let attributes = attributes(cursor)?;
    cursor.spaces();
    let separator = separator(cursor)?;
    cursor.spaces();
    let name = name_before_extensions(cursor)?;
    let mut row = ListRow {
        attributes,
        separator,
        name,
        child_info: Vec::new(),
        old_name: None,
    };
    cursor.spaces();
    if cursor.eat(b'(') {
        extensions(cursor, &mut row);
    }
    Some(row)
}

fn attributes(cursor: &mut Cursor<'_>) -> Option<ListAttributes> {
    let mut attributes = ListAttributes::default();
    if cursor.nil() {
        return Some(attributes);
    }
    if !cursor.eat(b'(') {
        return None;
    }
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Some(attributes);
        }
        let word = cursor.flag();
        if word.is_empty() {
            return None;
        }
        attribute(&mut attributes, word);
    }
}

fn attribute(attributes: &mut ListAttributes, word: &[u8]) {
    let name = word.strip_prefix(b"\\").unwrap_or(word);
    match name.to_ascii_lowercase().as_slice() {
        b"noselect" => attributes.no_select = true,
        b"nonexistent" => attributes.non_existent = true,
        b"noinferiors" => attributes.no_inferiors = true,
        b"haschildren" => attributes.has_children = Some(true),
        b"hasnochildren" => attributes.has_children = Some(false),
        b"subscribed" => attributes.subscribed = true,
        b"remote" => attributes.remote = true,
        lower => {
            if attributes.roles.len() + attributes.other.len() >= MAX_WORDS {
                return;
            }
            match role(lower) {
                Some(role) if attributes.roles.contains(&role) => {}
                Some(role) => attributes.roles.push(role),
                None => {
                    let text = String::from_utf8_lossy(word).into_owned();
                    attributes.other.push(text);
                }
            }
        }
    }
}

/// Special uses of RFC 6154 and RFC 8457, and the spellings of Gmail's older XLIST.
fn role(name: &[u8]) -> Option<Role> {
    Some(match name {
        b"inbox" => Role::Inbox,
        b"sent" => Role::Sent,
        b"drafts" => Role::Drafts,
        b"archive" => Role::Archive,
        b"junk" | b"spam" => Role::Junk,
        b"trash" => Role::Trash,
        b"all" | b"allmail" => Role::All,
        b"flagged" | b"starred" => Role::Flagged,
        b"important" => Role::Important,
        _ => return None,
    })
}

/// NIL or one character, quoted or not. The outer `None`: there is nothing.
fn separator(cursor: &mut Cursor<'_>) -> Option<Option<char>> {
    if cursor.nil() {
        return Some(None);
    }
    let text = cursor.astring()?;
    Some(String::from_utf8_lossy(&text).chars().next())
}

/// A mailbox name that may be followed by extension data. Names that should have
/// been quoted are taken as they are.
fn name_before_extensions(cursor: &mut Cursor<'_>) -> Option<WireName> {
    name_up_to(cursor, |line| {
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'(', &line[from..]) {
            let at = from + at;
            let after = line[at + 1..].trim_ascii_start();
            let after = after.strip_prefix(b"\"").unwrap_or(after);
            let is_extension = EXTENSIONS
                .iter()
                .any(|e| after.len() >= e.len() && after[..e.len()].eq_ignore_ascii_case(e));
            if is_extension && line[..at].ends_with(b" ") {
                return at;
            }
            from = at + 1;
        }
        line.len()
    })
}

const EXTENSIONS: [&[u8]; 2] = [b"CHILDINFO", b"OLDNAME"];

/// A mailbox name whose end on the line, when it is not a proper string, is found by
/// `end`.
pub(super) fn name_up_to(
    cursor: &mut Cursor<'_>,
    end: impl Fn(&[u8]) -> usize,
) -> Option<WireName> {
    let place = cursor.place();
    if matches!(cursor.peek()?, b'"' | b'{' | b'~') {
        match cursor.string() {
            Some(Text::Held(name)) if is_followed_well(cursor) => return Some(WireName::new(name)),
            Some(Text::Streamed(_)) => return None,
            _ => cursor.go_to(place),
        }
    }
    let line = cursor.line();
    let end = end(line);
    cursor.go_to(place + end);
    let name = line[..end].trim_ascii_end();
    // A quote inside quotes that nobody escaped: the outer ones are the quotes.
    let name = match name.strip_prefix(b"\"") {
        Some(inner) => unescaped(inner.strip_suffix(b"\"").unwrap_or(inner)),
        None => name.into(),
    };
    (!name.is_empty()).then(|| WireName::new(name))
}

/// Whether a string that was just read can have ended there.
fn is_followed_well(cursor: &Cursor<'_>) -> bool {
    let rest = cursor.rest();
    let after = rest.trim_ascii_start();
    after.is_empty() || (after.len() < rest.len() && after.starts_with(b"("))
}

/// Extension data behind the name: pairs of a tag and a value.
fn extensions(cursor: &mut Cursor<'_>, row: &mut ListRow) {
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return;
        }
        let Some(tag) = cursor.astring() else { return };
        cursor.spaces();
        let place = cursor.place();
        let known = if tag.eq_ignore_ascii_case(b"CHILDINFO") {
            strings(cursor).map(|strings| row.child_info = strings)
        } else if tag.eq_ignore_ascii_case(b"OLDNAME") {
            old_name(cursor).map(|name| row.old_name = Some(name))
        } else {
            None
        };
        if known.is_none() {
            cursor.go_to(place);
            if !cursor.skip_value() {
                return;
            }
        }
    }
}

fn strings(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut strings = Vec::new();
    if !cursor.eat(b'(') {
        return None;
    }
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Some(strings);
        }
        let text = cursor.astring()?;
        if strings.len() < MAX_WORDS {
            strings.push(String::from_utf8_lossy(&text).to_ascii_uppercase());
        }
    }
}

fn old_name(cursor: &mut Cursor<'_>) -> Option<WireName> {
    let listed = cursor.eat(b'(');
    cursor.spaces();
    let name = cursor.astring()?;
    cursor.spaces();
    (!listed || cursor.eat(b')')).then(|| WireName::new(name))
}

/// After the word NAMESPACE. What is missing or broken is empty.
pub(super) fn namespaces(cursor: &mut Cursor<'_>) -> Namespaces {
    let mut next = || {
        cursor.spaces();
        let place = cursor.place();
        namespace_list(cursor).unwrap_or_else(|| {
            cursor.go_to(place);
            cursor.skip_value();
            Vec::new()
        })
    };
    Namespaces {
        personal: next(),
        others: next(),
        shared: next(),
    }
}

fn namespace_list(cursor: &mut Cursor<'_>) -> Option<Vec<Namespace>> {
    let mut list = Vec::new();
    if cursor.nil() {
        return Some(list);
    }
    if !cursor.eat(b'(') {
        return None;
    }
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Some(list);
        }
        if !cursor.eat(b'(') {
            return None;
        }
        cursor.spaces();
        let prefix = if cursor.nil() {
            WireName::new([])
        } else {
            WireName::new(cursor.astring()?)
        };
        cursor.spaces();
        let separator = separator(cursor)?;
        // Extensions: a name and a list each.
        loop {
            cursor.spaces();
            if cursor.eat(b')') {
                break;
            }
            if !cursor.skip_value() {
                return None;
            }
        }
        if list.len() < MAX_WORDS {
            list.push(Namespace { prefix, separator });
        }
    }
}
