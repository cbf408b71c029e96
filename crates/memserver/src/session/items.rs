//! What FETCH can be asked for (RFC 9051 §6.4.5), and cutting it out of a message.

use bytes::{Bytes, BytesMut};

use super::Session;
use super::reply::Halt;
use crate::body::Body;
use crate::command::{Args, Malformed};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    ModSeq,
    EmailId,
    ThreadId,
    GmMsgId,
    GmThrId,
    GmLabels,
    Octets(Section),
}

/// Some octets of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// What the answer calls it, for example `BODY[HEADER]<0>`.
    pub(super) told: String,
    part: Part,
    /// Whether asking sets `\Seen`.
    pub(super) sets_seen: bool,
    partial: Option<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Header,
    Text,
    Fields { names: Vec<String>, except: bool },
}

/// Octets cut out of a message: copied, or a range still to be read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Held(Bytes),
    Range(u64, u64),
}

impl Session {
    pub(super) fn fetch_items(&self, args: &mut Args) -> Result<Vec<Item>, Halt> {
        if args.peek() == Some(b'(') {
            let mut refused = None;
            let items = args.list(|args| {
                self.fetch_item(args).map_err(|halt| {
                    refused = Some(halt);
                    Malformed
                })
            });
            return match (items, refused) {
                (Ok(items), _) => Ok(items),
                (Err(_), Some(halt)) => Err(halt),
                (Err(malformed), None) => Err(malformed.into()),
            };
        }
        for macro_name in ["ALL", "FAST", "FULL"] {
            if args.eat_word(macro_name) {
                // ENVELOPE and BODY, which ALL and FULL add, are not kept here.
                return Ok(vec![Item::Flags, Item::InternalDate, Item::Size]);
            }
        }
        Ok(vec![self.fetch_item(args)?])
    }

    fn fetch_item(&self, args: &mut Args) -> Result<Item, Halt> {
        let name = args.item()?;
        let whole = |told: &str, part, sets_seen| {
            Item::Octets(Section {
                told: told.to_owned(),
                part,
                sets_seen,
                partial: None,
            })
        };
        let item = match name.as_str() {
            "UID" => Item::Uid,
            "FLAGS" => Item::Flags,
            "INTERNALDATE" => Item::InternalDate,
            "RFC822.SIZE" => Item::Size,
            "RFC822" => whole("RFC822", Part::Whole, true),
            "RFC822.HEADER" => whole("RFC822.HEADER", Part::Header, false),
            "RFC822.TEXT" => whole("RFC822.TEXT", Part::Text, true),
            "BODY" | "BODY.PEEK" => return Ok(Item::Octets(section(args, name == "BODY")?)),
            "MODSEQ" if self.can("CONDSTORE") => Item::ModSeq,
            "EMAILID" if self.can("OBJECTID") => Item::EmailId,
            "THREADID" if self.can("OBJECTID") => Item::ThreadId,
            "X-GM-MSGID" if self.can("X-GM-EXT-1") => Item::GmMsgId,
            "X-GM-THRID" if self.can("X-GM-EXT-1") => Item::GmThrId,
            "X-GM-LABELS" if self.can("X-GM-EXT-1") => Item::GmLabels,
            _ => return Err(Halt::Malformed),
        };
        Ok(item)
    }
}

/// `[HEADER.FIELDS (DATE FROM)]<0.100>` after `BODY` or `BODY.PEEK`.
fn section(args: &mut Args, sets_seen: bool) -> Result<Section, Malformed> {
    args.expect(b'[')?;
    let (part, name) = match args.peek() {
        Some(b']') => (Part::Whole, String::new()),
        _ => {
            let name = args.item()?;
            match name.as_str() {
                "HEADER" => (Part::Header, name),
                "TEXT" => (Part::Text, name),
                "HEADER.FIELDS" | "HEADER.FIELDS.NOT" => {
                    args.space()?;
                    let names = args.list(Args::astring)?;
                    let names: Vec<String> = names
                        .iter()
                        .map(|n| String::from_utf8_lossy(n).into_owned())
                        .collect();
                    if names.is_empty() {
                        return Err(Malformed);
                    }
                    let told = format!("{name} ({})", names.join(" "));
                    let except = name.ends_with("NOT");
                    (Part::Fields { names, except }, told)
                }
                _ => return Err(Malformed),
            }
        }
    };
    args.expect(b']')?;
    let mut told = format!("BODY[{name}]");
    let mut partial = None;
    if args.eat(b'<') {
        let from = args.number()?;
        args.expect(b'.')?;
        let length = args.number()?;
        args.expect(b'>')?;
        if length == 0 {
            return Err(Malformed);
        }
        told.push_str(&format!("<{from}>"));
        partial = Some((from, length));
    }
    Ok(Section {
        told,
        part,
        sets_seen,
        partial,
    })
}

impl Section {
    pub(super) fn cut(&self, body: &Body) -> Cut {
        let limit = |length: u64| match self.partial {
            Some((from, count)) => (from.min(length), from.saturating_add(count).min(length)),
            None => (0, length),
        };
        let held = |octets: Bytes| {
            let (from, to) = limit(octets.len() as u64);
            // Both lie within a length that is a usize.
            Cut::Held(octets.slice(from as usize..to as usize))
        };
        match &self.part {
            Part::Whole => {
                let (from, to) = limit(body.octets());
                Cut::Range(from, to)
            }
            Part::Text => {
                let start = body.header().len() as u64;
                let (from, to) = limit(body.octets() - start);
                Cut::Range(start + from, start + to)
            }
            Part::Header => held(body.header()),
            Part::Fields { names, except } => held(fields(&body.header(), names, *except)),
        }
    }
}

/// The header fields of these names, or all others, and the empty line.
fn fields(header: &[u8], names: &[String], except: bool) -> Bytes {
    let mut kept = BytesMut::new();
    let mut keeping = false;
    for line in header.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            break;
        }
        if !matches!(text[0], b' ' | b'\t') {
            let name = text.split(|b| *b == b':').next().unwrap_or(text);
            let name = name.trim_ascii_end();
            let named = names
                .iter()
                .any(|n| n.as_bytes().eq_ignore_ascii_case(name));
            keeping = named != except;
        }
        if keeping {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(b"\r\n");
    kept.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_come_with_their_folded_lines() {
        let header = b"From: a\r\nSubject: b\r\n c\r\nTO : d\r\n\r\n";
        let of = |names: &[&str], except| {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            fields(header, &names, except)
        };
        assert_eq!(of(&["subject"], false), "Subject: b\r\n c\r\n\r\n");
        assert_eq!(of(&["to", "x"], false), "TO : d\r\n\r\n");
        assert_eq!(of(&["subject"], true), "From: a\r\nTO : d\r\n\r\n");
    }

    #[test]
    fn partial_sections_stay_within_the_message() {
        let mut args = Args::default();
        args.push_text(b"[]<4.100>");
        let section = section(&mut args, false).unwrap();
        assert_eq!(section.told, "BODY[]<4>");
        assert_eq!(
            section.cut(&Body::from("0123456".to_owned())),
            Cut::Range(4, 7)
        );
        assert_eq!(section.cut(&Body::from("01".to_owned())), Cut::Range(2, 2));
    }
}
