//! FETCH rows (RFC 9051 §7.5.2): the responses that come by the million.

use super::MAX_WORDS;
use super::cursor::{Cursor, Text};
use super::date::internal_date;
use super::number::is_message_number;
use crate::response::{BodySection, Content, FetchRow, MessageIds, SectionKind};
use bytes::Bytes;
use hikyaku_core::{Flags, Key};

/// After the word FETCH.
pub(super) fn row(cursor: &mut Cursor<'_>, number: u64) -> FetchRow {
    let mut row = FetchRow {
        number,
        ..FetchRow::default()
    };
    cursor.spaces();
    if !cursor.eat(b'(') {
        row.skipped = 1;
        return row;
    }
    let mut seen = Seen::default();
    // Whether the last thing read was a text.
    let mut is_at_text = false;
    loop {
        let is_behind_text = !row.sections.is_empty();
        let place = cursor.place();
        cursor.spaces();
        let blanks = cursor.place() - place;
        match cursor.peek() {
            None => return row,
            Some(b')') => {
                seen.is_torn |= is_at_text && blanks != 0;
                cursor.eat(b')');
                if cursor.is_done() {
                    row.complete = !seen.is_torn;
                    return row;
                }
                // A parenthesis too many does not cost what comes behind it.
                seen.is_torn |= is_behind_text;
            }
            Some(b'\n') => {
                cursor.pass_stray_literal();
                row.skipped += 1;
                seen.is_torn |= is_behind_text;
            }
            Some(_) => {
                seen.is_torn |= is_at_text && blanks != 1;
                let (skipped, texts) = (row.skipped, row.sections.len());
                let is_new = item(cursor, &mut row, &mut seen);
                seen.is_torn |= is_behind_text && !(is_new && row.skipped == skipped);
                is_at_text = row.sections.len() > texts;
            }
        }
    }
}

/// Which items a row has had, and whether one of its texts ended elsewhere than where it
/// was announced to end.
///
/// A literal that is announced too long takes octets of its own row, or of the next one,
/// whose rest then reads like items of this row; one that is too short leaves the end of
/// the text behind. So behind a text only what cannot be such a rest is believed: items
/// that are known, can be read and were not there before, the first behind exactly one
/// blank, and one parenthesis. A blank too few is not forgiven: it may be the last octet
/// of a text that was announced one octet too long, and one too many the last of a text
/// that was announced too short.
#[derive(Default)]
struct Seen {
    /// A bit for each [`Item`] that is no section.
    items: u32,
    is_torn: bool,
}

impl Seen {
    /// Whether an item is there for the first time.
    fn first(&mut self, item: Item) -> bool {
        let bit = 1 << item as u32;
        let is_new = self.items & bit == 0;
        self.items |= bit;
        is_new
    }
}

/// What the value of an item is.
#[derive(Clone, Copy)]
enum Item {
    Uid,
    Flags,
    Date,
    Octets,
    ModSeq,
    /// `BODY`, `BINARY`: with a section, or a structure that is not wanted.
    Section,
    /// RFC822 and its kin: sections by another name.
    OldWhole,
    OldHeader,
    OldText,
    GmailMessage,
    GmailThread,
    GmailLabels,
    EmailId,
    ThreadId,
    /// Known and not wanted.
    Ignored,
}

fn known(name: &[u8]) -> Option<Item> {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    // By length first: this runs for every item of every message.
    match name.len() {
        3 if is(b"UID") => Some(Item::Uid),
        4 if is(b"BODY") => Some(Item::Section),
        5 if is(b"FLAGS") => Some(Item::Flags),
        6 if is(b"MODSEQ") => Some(Item::ModSeq),
        6 if is(b"BINARY") => Some(Item::Section),
        6 if is(b"RFC822") => Some(Item::OldWhole),
        7 if is(b"EMAILID") => Some(Item::EmailId),
        7 if is(b"PREVIEW") => Some(Item::Ignored),
        8 if is(b"THREADID") => Some(Item::ThreadId),
        8 if is(b"ENVELOPE") || is(b"SAVEDATE") => Some(Item::Ignored),
        10 if is(b"X-GM-MSGID") => Some(Item::GmailMessage),
        10 if is(b"X-GM-THRID") => Some(Item::GmailThread),
        11 if is(b"X-GM-LABELS") => Some(Item::GmailLabels),
        11 if is(b"RFC822.SIZE") => Some(Item::Octets),
        11 if is(b"RFC822.TEXT") => Some(Item::OldText),
        11 if is(b"BINARY.SIZE") => Some(Item::Ignored),
        12 if is(b"INTERNALDATE") => Some(Item::Date),
        13 if is(b"BODYSTRUCTURE") => Some(Item::Ignored),
        13 if is(b"RFC822.HEADER") => Some(Item::OldHeader),
        _ => None,
    }
}

/// Reads one item; whatever it is, the cursor moves on. False when it was there before.
fn item(cursor: &mut Cursor<'_>, row: &mut FetchRow, seen: &mut Seen) -> bool {
    let start = cursor.place();
    let name = cursor.item_name();
    if name.is_empty() {
        // No item begins like this: one value of any kind, or a stray octet.
        row.skipped += 1;
        cursor.skip_value();
        if cursor.place() == start {
            cursor.go_to(start + 1);
        }
        return true;
    }
    let item = known(name);
    let section = if cursor.eat(b'[') {
        let place = cursor.place();
        let section = cursor.section();
        if section.is_none() {
            cursor.go_to(place);
        }
        section
    } else {
        None
    };
    let origin = origin(cursor);
    cursor.spaces();
    let value = cursor.place();
    let Some(item) = item else {
        row.skipped += 1;
        skip_unknown(cursor);
        return true;
    };
    let texts = row.sections.len();
    if read(cursor, row, item, section, origin).is_none() {
        row.skipped += 1;
        cursor.go_to(value);
        skip_unknown(cursor);
    }
    match row.sections.split_at(texts) {
        (before, [text]) => !before
            .iter()
            .any(|b| b.kind == text.kind && b.origin == text.origin),
        // BODY without a section is a structure.
        _ => section.is_some() || seen.first(item),
    }
}

/// Passes over the value of an unknown item, unless it has none and the next known
/// item follows at once.
fn skip_unknown(cursor: &mut Cursor<'_>) {
    let place = cursor.place();
    let next_item = known(cursor.item_name()).is_some();
    cursor.go_to(place);
    if !next_item {
        cursor.skip_value();
    }
}

/// `<n>` behind a section.
fn origin(cursor: &mut Cursor<'_>) -> Option<u64> {
    let place = cursor.place();
    if !cursor.eat(b'<') {
        return None;
    }
    let number = cursor.number();
    if !cursor.eat(b'>') {
        cursor.go_to(place);
        return None;
    }
    number
}

/// The value of a known item; `None` when it cannot be read.
fn read<'a>(
    cursor: &mut Cursor<'a>,
    row: &mut FetchRow,
    item: Item,
    section: Option<&'a [u8]>,
    origin: Option<u64>,
) -> Option<()> {
    match item {
        Item::Uid => {
            let uid = cursor.whole_number()?;
            if !is_message_number(uid) {
                return None;
            }
            row.uid.get_or_insert(Key(uid));
        }
        Item::Flags => {
            let (flags, dropped) = flag_list(cursor)?;
            row.skipped += dropped;
            row.flags.get_or_insert(flags);
        }
        Item::Date => {
            if !cursor.nil() {
                let date = match cursor.string()? {
                    Text::Held(text) => internal_date(&text)?,
                    Text::Streamed(_) => return None,
                };
                row.date.get_or_insert(date);
            }
        }
        Item::Octets => {
            row.octets.get_or_insert(cursor.whole_number()?);
        }
        Item::ModSeq => {
            let listed = cursor.eat(b'(');
            cursor.spaces();
            let modseq = cursor.whole_number()?;
            cursor.spaces();
            if listed && !cursor.eat(b')') {
                return None;
            }
            row.modseq.get_or_insert(modseq);
        }
        Item::Section => match section {
            Some(section) => {
                let kind = section_kind(cursor, section);
                push_section(cursor, row, kind, origin)?;
            }
            // BODY without brackets is a structure.
            None => return cursor.skip_value().then_some(()),
        },
        Item::OldWhole => push_section(cursor, row, SectionKind::Whole, None)?,
        Item::OldHeader => push_section(cursor, row, SectionKind::Header, None)?,
        Item::OldText => push_section(cursor, row, SectionKind::Text, None)?,
        Item::GmailMessage => ids(row).gmail_message = Some(cursor.whole_number()?),
        Item::GmailThread => ids(row).gmail_thread = Some(cursor.whole_number()?),
        Item::GmailLabels => ids(row).gmail_labels = Some(labels(cursor)?),
        Item::EmailId => ids(row).email_id = object_id(cursor)?,
        Item::ThreadId => ids(row).thread_id = object_id(cursor)?,
        Item::Ignored => return cursor.skip_value().then_some(()),
    }
    Some(())
}

fn ids(row: &mut FetchRow) -> &mut MessageIds {
    row.ids.get_or_insert_default()
}

fn push_section(
    cursor: &mut Cursor<'_>,
    row: &mut FetchRow,
    kind: SectionKind,
    origin: Option<u64>,
) -> Option<()> {
    let content = content(cursor)?;
    row.sections.push(BodySection {
        kind,
        origin,
        content,
    });
    Some(())
}

/// `nstring` or literal8.
fn content(cursor: &mut Cursor<'_>) -> Option<Content> {
    if cursor.nil() {
        return Some(Content::Nil);
    }
    Some(match cursor.string()? {
        Text::Held(octets) => Content::Held(octets),
        Text::Streamed(octets) => Content::Streamed(octets),
    })
}

fn section_kind<'a>(cursor: &Cursor<'a>, section: &'a [u8]) -> SectionKind {
    const FIELDS: &[u8] = b"HEADER.FIELDS";
    if section.is_empty() {
        SectionKind::Whole
    } else if section.eq_ignore_ascii_case(b"HEADER") {
        SectionKind::Header
    } else if section.eq_ignore_ascii_case(b"TEXT") {
        SectionKind::Text
    } else if section.len() > FIELDS.len()
        && section[..FIELDS.len()].eq_ignore_ascii_case(FIELDS)
        && matches!(section[FIELDS.len()], b' ' | b'(')
    {
        SectionKind::HeaderFields(cursor.share(&section[FIELDS.len()..]))
    } else {
        SectionKind::Other(cursor.share(section))
    }
}

/// A list of flags, and how many were left out because there are too many. `NIL`
/// counts as the empty list. Anything between blanks is a flag: servers let people
/// make keywords with brackets, stars and 8-bit octets.
pub(super) fn flag_list(cursor: &mut Cursor<'_>) -> Option<(Flags, u32)> {
    let mut flags = Flags::new();
    let mut dropped = 0;
    if cursor.nil() {
        return Some((flags, dropped));
    }
    if !cursor.eat(b'(') {
        return None;
    }
    let mut count = 0;
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Some((flags, dropped));
        }
        let flag = cursor.flag();
        if flag.is_empty() {
            // The response or its line ends inside the list.
            return None;
        }
        count += 1;
        if count > MAX_WORDS {
            dropped = 1;
        } else {
            match std::str::from_utf8(flag) {
                Ok(text) => flags.add_wire(text),
                Err(_) => flags.add_wire(&String::from_utf8_lossy(flag)),
            }
        }
    }
}

fn labels(cursor: &mut Cursor<'_>) -> Option<Vec<Bytes>> {
    let mut labels = Vec::new();
    if cursor.nil() {
        return Some(labels);
    }
    if !cursor.eat(b'(') {
        return None;
    }
    loop {
        cursor.spaces();
        if cursor.eat(b')') {
            return Some(labels);
        }
        let label = cursor.astring()?;
        if labels.len() < MAX_WORDS {
            labels.push(label);
        }
    }
}

/// `(id)`, `NIL`, or Cyrus's `(NIL)`; the inner `None` means that there is no such id.
fn object_id(cursor: &mut Cursor<'_>) -> Option<Option<String>> {
    if cursor.nil() {
        return Some(None);
    }
    let listed = cursor.eat(b'(');
    cursor.spaces();
    let id = if cursor.nil() {
        None
    } else {
        Some(String::from_utf8_lossy(&cursor.astring()?).into_owned())
    };
    cursor.spaces();
    (!listed || cursor.eat(b')')).then_some(id)
}
