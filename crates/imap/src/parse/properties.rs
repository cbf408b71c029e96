//! What holds for the parser whatever the octets are, and that it reads what a server
//! writes by the rules.

use super::parse;
use crate::frame::{Frame, FrameLimits, Framer};
use crate::response::{
    BodySection, Content, FetchRow, ListAttributes, ListRow, MailboxStatus, RawResponse, Reply,
    ReplyCode, ReplyKind, Response, SectionKind, StreamedLiteral, Tag, UidRanges,
};
use hikyaku_core::{Epoch, Flags, InternalDate, Key, KeySet, WireName};

/// The first octet chooses: the rest is what a server sent, or it says what a server that
/// keeps to the rules shall say (see [`Choices`]).
///
/// Nothing panics; what is understood is within its bounds and was in the octets; and
/// what was written by the rules is read as it was meant, whatever names, flags and
/// messages hold.
pub(crate) fn parser(input: &[u8]) {
    match input {
        [which, rest @ ..] if which % 2 == 1 => written(rest),
        [which, rest @ ..] => said(*which, rest),
        [] => {}
    }
}

/// Anything at all.
fn said(which: u8, wire: &[u8]) {
    let mut framer = Framer::new(FrameLimits {
        held: if which & 2 == 0 { 256 << 10 } else { 6 },
        ..FrameLimits::default()
    });
    framer.push([wire, b"\r\n"].concat());
    while let Ok(Some(frame)) = framer.next() {
        match frame {
            Frame::Response(raw) => is_sound(&raw),
            Frame::LiteralStart { head, .. } => is_sound(&head),
            Frame::LiteralChunk(_) | Frame::LiteralEnd => {}
        }
    }
    // What no framer would hand out.
    let places = wire
        .iter()
        .enumerate()
        .filter(|(_, octet)| **octet == b'\n');
    is_sound(&RawResponse {
        streamed: places
            .take(3)
            .map(|(at, _)| StreamedLiteral {
                at: at + 1,
                octets: u64::from(which),
            })
            .collect(),
        octets: wire.to_vec().into(),
    });
}

fn is_sound(raw: &RawResponse) {
    let response = parse(raw);
    assert_eq!(parse(raw), response);
    match &response {
        Response::Fetch(row) => is_sound_row(row, raw),
        Response::Search { found, .. } | Response::Vanished { uids: found, .. } => has_keys(found),
        Response::Esearch(found) => found.all.iter().for_each(has_keys),
        Response::Unknown { keyword } => assert!(keyword.chars().count() <= 40),
        Response::Status(reply) | Response::Tagged { reply, .. } => {
            let said = reply.said().to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
            if let Some(ReplyCode::AppendUid { uids, .. }) = &reply.code {
                has_keys(&uids.to_set());
            }
        }
        _ => {}
    }
}

fn is_sound_row(row: &FetchRow, raw: &RawResponse) {
    if let Some(uid) = row.uid {
        has_keys(&KeySet::range(uid.0..=uid.0));
    }
    for section in &row.sections {
        match &section.content {
            Content::Nil => {}
            Content::Held(octets) => assert!(octets.len() <= raw.octets.len()),
            Content::Streamed(octets) => {
                assert!(raw.streamed.iter().any(|s| s.octets == *octets));
            }
        }
    }
    if row.complete {
        assert_eq!(raw.octets.trim_ascii_end().last(), Some(&b')'));
    }
}

fn has_keys(keys: &KeySet) {
    let (first, last) = (keys.first(), keys.last());
    assert!(first.is_none_or(|key| key.0 > 0), "{keys:?}");
    assert!(
        last.is_none_or(|key| key.0 <= u64::from(u32::MAX)),
        "{keys:?}"
    );
}

/// A response by the rules, and its meaning.
fn written(choices: &[u8]) {
    let mut choices = Choices(choices);
    let mut wire = Vec::new();
    let meant = match choices.below(5) {
        0 => fetch(&mut choices, &mut wire),
        1 => list(&mut choices, &mut wire),
        2 => status(&mut choices, &mut wire),
        3 => numbers(&mut choices, &mut wire),
        _ => reply(&mut choices, &mut wire),
    };
    let mut framer = Framer::new(FrameLimits::default());
    framer.push([&wire, &b"\r\n* 5 EXISTS\r\n"[..]].concat());
    let mut next = || match framer.next() {
        Ok(Some(Frame::Response(raw))) => parse(&raw),
        other => panic!("{other:?} of {}", wire.escape_ascii()),
    };
    assert_eq!(next(), meant, "{}", wire.escape_ascii());
    assert_eq!(next(), Response::Exists(5), "{}", wire.escape_ascii());
}

/// Octets that decide; zeros when they are used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    fn below(&mut self, end: u8) -> u8 {
        self.octet() % end
    }

    fn is_so(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    /// A UID or sequence number.
    fn number(&mut self) -> u64 {
        let octets = [(); 4].map(|()| self.octet());
        u64::from(u32::from_be_bytes(octets)).max(1)
    }

    fn octets(&mut self, most: u8) -> Vec<u8> {
        let length = usize::from(self.below(most.saturating_add(1))).min(self.0.len());
        let (octets, rest) = self.0.split_at(length);
        self.0 = rest;
        octets.to_vec()
    }

    /// Some octets that a server could send as a string, in one of its forms.
    fn string(&mut self, wire: &mut Vec<u8>) -> Vec<u8> {
        let octets = self.octets(60);
        let is_quotable = !octets.iter().any(|b| matches!(b, b'\r' | b'\n' | 0));
        if self.is_so() && is_quotable {
            wire.push(b'"');
            for &octet in &octets {
                if matches!(octet, b'"' | b'\\') {
                    wire.push(b'\\');
                }
                wire.push(octet);
            }
            wire.push(b'"');
        } else {
            wire.extend(format!("{{{}}}\r\n", octets.len()).bytes());
            wire.extend_from_slice(&octets);
        }
        octets
    }

    fn set(&mut self, wire: &mut Vec<u8>) -> KeySet {
        let mut keys = KeySet::new();
        for n in 0..=self.below(4) {
            let (a, b) = (self.number(), self.number());
            if n > 0 {
                wire.push(b',');
            }
            if self.is_so() {
                wire.extend(format!("{a}:{b}").bytes());
                keys.insert_range(a.min(b)..=a.max(b));
            } else {
                wire.extend(a.to_string().bytes());
                keys.insert(Key(a));
            }
        }
        keys
    }
}

/// Values of items that nobody knows; what is in them must not be taken for an item.
const UNKNOWN: [&str; 6] = [
    "X-A 7 ",
    "X-B (UID 9 (FLAGS (\\Draft)) \")\") ",
    "X-C {7}\r\nUID 99) ",
    "X-D[HEADER (UID)]<3> \"UID 9\" ",
    "X-E NIL ",
    "ENVELOPE ((NIL) \"\\\"\\\\\" {2}\r\n)\n ()) ",
];

fn fetch(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Response {
    let mut row = FetchRow {
        number: choices.number(),
        complete: true,
        ..FetchRow::default()
    };
    wire.extend(format!("* {} FETCH (", row.number).bytes());
    for _ in 0..choices.below(8) {
        match choices.below(7) {
            0 if row.uid.is_none() => {
                let uid = choices.number();
                wire.extend(format!("UID {uid} ").bytes());
                row.uid = Some(Key(uid));
            }
            1 if row.flags.is_none() => row.flags = Some(flags(choices, wire)),
            2 if row.date.is_none() => row.date = date(choices, wire),
            3 if row.octets.is_none() => {
                let octets = choices.number();
                wire.extend(format!("RFC822.SIZE {octets} ").bytes());
                row.octets = Some(octets);
            }
            4 if row.modseq.is_none() => {
                let modseq = choices.number();
                wire.extend(format!("MODSEQ ({modseq}) ").bytes());
                row.modseq = Some(modseq);
            }
            // Behind a text nothing odd is believed: the text may have been longer.
            5 if row.sections.is_empty() => {
                let unknown = usize::from(choices.below(UNKNOWN.len() as u8));
                wire.extend(UNKNOWN[unknown].bytes());
                // The envelope is known, and not wanted.
                row.skipped += u32::from(unknown < 5);
            }
            _ => {
                let before = wire.len();
                let new = section(choices, wire);
                let is_same = |s: &BodySection| s.kind == new.kind && s.origin == new.origin;
                if row.sections.iter().any(is_same) {
                    wire.truncate(before);
                } else {
                    row.sections.push(new);
                }
            }
        }
    }
    if wire.ends_with(b" ") {
        wire.pop();
    }
    wire.push(b')');
    Response::Fetch(row)
}

fn flags(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Flags {
    const FLAGS: [&str; 6] = ["\\Seen", "\\DRAFT", "$Label1", "\\Recent", "a]b", "{3}"];
    let mut flags = Flags::new();
    wire.extend(b"FLAGS (");
    for n in 0..choices.below(5) {
        let flag = FLAGS[usize::from(choices.below(FLAGS.len() as u8))];
        if n > 0 {
            wire.push(b' ');
        }
        wire.extend(flag.bytes());
        flags.add_wire(flag);
    }
    wire.extend(b") ");
    flags
}

fn date(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Option<InternalDate> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let year = 1900 + u32::from(choices.octet());
    let (month, day) = (choices.below(12), 1 + choices.below(28));
    let (hour, minute, second) = (choices.below(24), choices.below(60), choices.below(60));
    let east = i16::from(choices.octet()) * 5 - 600;
    let sign = if east < 0 { '-' } else { '+' };
    let zone = east.abs();
    wire.extend(
        format!(
            "INTERNALDATE \"{day:2}-{}-{year} {hour:02}:{minute:02}:{second:02} {sign}{:02}{:02}\" ",
            MONTHS[usize::from(month)],
            zone / 60,
            zone % 60
        )
        .bytes(),
    );
    InternalDate::from_civil(
        (year.into(), u32::from(month) + 1, day.into()),
        (hour.into(), minute.into(), second.into()),
        east,
    )
}

fn section(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> BodySection {
    let (name, kind, origin) = match choices.below(5) {
        0 => ("BODY[] ", SectionKind::Whole, None),
        1 => ("RFC822.HEADER ", SectionKind::Header, None),
        2 => ("BODY[TEXT]<7> ", SectionKind::Text, Some(7)),
        3 => {
            let fields = (&b" (SUBJECT \"a]b\")"[..]).into();
            (
                "BODY[HEADER.FIELDS (SUBJECT \"a]b\")] ",
                SectionKind::HeaderFields(fields),
                None,
            )
        }
        _ => (
            "BODY[1.2.MIME] ",
            SectionKind::Other((&b"1.2.MIME"[..]).into()),
            None,
        ),
    };
    wire.extend(name.bytes());
    let content = if choices.below(8) == 0 {
        wire.extend(b"NIL");
        Content::Nil
    } else {
        Content::Held(choices.string(wire).into())
    };
    wire.push(b' ');
    BodySection {
        kind,
        origin,
        content,
    }
}

fn list(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Response {
    let attributes = ListAttributes {
        no_select: choices.is_so(),
        subscribed: choices.is_so(),
        has_children: Some(choices.is_so()),
        ..ListAttributes::default()
    };
    let word = |is_so, word: &'static str| if is_so { word } else { "" };
    let separator = [None, Some('/'), Some('.'), Some('\\'), Some('"'), Some('(')]
        [usize::from(choices.below(6))];
    let written = match separator {
        None => "NIL".to_owned(),
        Some(c @ ('\\' | '"')) => format!("\"\\{c}\""),
        Some(c) => format!("\"{c}\""),
    };
    wire.extend(
        format!(
            "* LIST ({}{}\\Has{}Children) {written} ",
            word(attributes.no_select, "\\Noselect "),
            word(attributes.subscribed, "\\Subscribed "),
            word(attributes.has_children == Some(false), "No"),
        )
        .bytes(),
    );
    let name = WireName::new(choices.string(wire));
    let child_info = if choices.is_so() {
        wire.extend(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        vec!["SUBSCRIBED".to_owned()]
    } else {
        Vec::new()
    };
    Response::List(ListRow {
        attributes,
        separator,
        name,
        child_info,
        old_name: None,
    })
}

fn status(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Response {
    wire.extend(b"* STATUS ");
    let mailbox = WireName::new(choices.string(wire));
    let mut number = || choices.is_so().then(|| choices.number());
    let (messages, next, epoch, modseq) = (number(), number(), number(), number());
    let item = |name: &str, value: Option<u64>| value.map(|n| format!("{name} {n}"));
    let items: Vec<String> = [
        item("MESSAGES", messages),
        item("UIDNEXT", next),
        item("UIDVALIDITY", epoch),
        item("HIGHESTMODSEQ", modseq),
    ]
    .into_iter()
    .flatten()
    .collect();
    wire.extend(format!(" ({})", items.join(" ")).bytes());
    Response::MailboxStatus(MailboxStatus {
        mailbox,
        messages,
        uid_next: next.map(Key),
        epoch: epoch.map(Epoch),
        unseen: None,
        modseq,
        octets: None,
        mailbox_id: None,
        append_limit: None,
    })
}

fn numbers(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Response {
    match choices.below(3) {
        0 => {
            let mut found = KeySet::new();
            wire.extend(b"* SEARCH");
            for _ in 0..choices.below(9) {
                let number = choices.number();
                wire.extend(format!(" {number}").bytes());
                found.insert(Key(number));
            }
            let modseq = choices.is_so().then(|| choices.number());
            if let Some(modseq) = modseq {
                wire.extend(format!(" (MODSEQ {modseq})").bytes());
            }
            Response::Search { found, modseq }
        }
        1 => {
            let tag = Tag(choices.number());
            wire.extend(format!("* ESEARCH (TAG \"{tag}\") UID ALL ").bytes());
            let all = choices.set(wire);
            let count = choices.number();
            wire.extend(format!(" COUNT {count}").bytes());
            Response::Esearch(crate::response::Esearch {
                tag: Some(tag),
                uid: true,
                all: Some(all),
                count: Some(count),
                ..Default::default()
            })
        }
        _ => {
            let earlier = choices.is_so();
            wire.extend(b"* VANISHED ");
            if earlier {
                wire.extend(b"(EARLIER) ");
            }
            let uids = choices.set(wire);
            Response::Vanished { earlier, uids }
        }
    }
}

fn reply(choices: &mut Choices<'_>, wire: &mut Vec<u8>) -> Response {
    let kind = [ReplyKind::Ok, ReplyKind::No, ReplyKind::Bad][usize::from(choices.below(3))];
    let tag = choices.is_so().then(|| Tag(choices.number()));
    match tag {
        Some(tag) => wire.extend(format!("{tag} {} ", kind.as_str()).bytes()),
        None => wire.extend(format!("* {} ", kind.as_str()).bytes()),
    }
    let (a, b) = (choices.number(), choices.number());
    let code = match choices.below(5) {
        0 => None,
        1 => Some((format!("UIDNEXT {a}"), ReplyCode::UidNext(Key(a)))),
        2 => Some(("OVERQUOTA".to_owned(), ReplyCode::OverQuota)),
        3 => Some((
            format!("APPENDUID {a} {b}"),
            ReplyCode::AppendUid {
                epoch: Epoch(a),
                uids: UidRanges(vec![(b, b)]),
            },
        )),
        _ => Some((
            "X-NEW (]) \"]\"".to_owned(),
            ReplyCode::Other("X-NEW".to_owned()),
        )),
    };
    if let Some((written, _)) = &code {
        wire.extend(format!("[{written}] ").bytes());
    }
    // Human text; a bracket would begin a code where there is none.
    let text: String = String::from_utf8_lossy(&choices.octets(40))
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    let text = format!("Text {text}.");
    wire.extend(text.bytes());
    let reply = Reply {
        kind,
        raw_code: code.as_ref().map(|(written, _)| written.clone()),
        code: code.map(|(_, code)| code),
        text,
    };
    match tag {
        Some(tag) => Response::Tagged {
            tag: Some(tag),
            reply,
        },
        None => Response::Status(reply),
    }
}
