//! SEARCH and UID SEARCH, with ESEARCH's RETURN (RFC 9051 §6.4.4, RFC 4731).

use bytes::Bytes;

use super::fetch::gmail_id;
use super::reply::{Halt, Outcome, Reply};
use super::view::Selected;
use super::{Session, no_arguments};
use crate::body::header_end;
use crate::command::{Args, Malformed, Parsed};
use crate::date::{Date, parse_day};
use crate::seqset::compact;
use crate::store::Message;

/// Deepest nesting of NOT, OR and parentheses.
const DEPTH: u32 = 32;

enum Key {
    All,
    Sequence(Vec<(u32, u32)>),
    Uid(Vec<(u32, u32)>),
    Flag(&'static str, bool),
    Keyword(String, bool),
    Recent(bool),
    Header(String, Bytes),
    Body(Bytes),
    Text(Bytes),
    Arrived(Compare, i64),
    Sent(Compare, i64),
    Larger(u64),
    Smaller(u64),
    ModSeq(u64),
    GmMsgId(u64),
    EmailId(Vec<u8>),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

#[derive(Clone, Copy)]
enum Compare {
    Before,
    On,
    Since,
}

#[derive(Default)]
struct Returns {
    asked: bool,
    all: bool,
    count: bool,
    min: bool,
    max: bool,
}

impl Session {
    pub(super) fn search(&mut self, args: Args, by_uid: bool) -> Outcome {
        let mut args = args;
        args.space()?;
        let mut returns = Returns::default();
        if args.eat_word("RETURN") {
            if !self.can("ESEARCH") {
                return Err(Halt::Malformed);
            }
            args.space()?;
            returns = read_returns(&mut args)?;
            args.space()?;
        }
        if args.eat_word("CHARSET") {
            args.space()?;
            let charset = args.astring()?;
            if !charset.eq_ignore_ascii_case(b"UTF-8") && !charset.eq_ignore_ascii_case(b"US-ASCII")
            {
                return Err(Reply::no("[BADCHARSET (UTF-8 US-ASCII)] Unknown charset").into());
            }
            args.space()?;
        }
        let extended = returns.asked || self.rev2();
        let can_modseq = self.can("CONDSTORE");
        let (largest_sequence, largest_uid) = self.with_selected(|_, selected| {
            let count = u32::try_from(selected.uids.len()).unwrap_or(u32::MAX);
            (count, selected.uids.last().copied().unwrap_or(0))
        })?;
        let mut reader = Reader {
            args,
            largest_sequence,
            largest_uid,
            modseq_used: false,
            can_modseq,
        };
        let key = reader.keys(0)?;
        no_arguments(&reader.args)?;

        let modseq_used = reader.modseq_used;
        let (numbers, modseq) = self.with_selected(|store, selected| {
            let mut numbers = Vec::new();
            let mut highest = 0;
            let mailbox = store
                .mailbox(&selected.wire)
                .filter(|m| m.id == selected.id);
            // Both lists are in UID order, so that one walk over both suffices.
            let mut messages = mailbox.into_iter().flat_map(|m| &m.messages).peekable();
            for (uid, sequence) in selected.uids.iter().zip(1_u32..) {
                while messages.next_if(|m| m.uid < *uid).is_some() {}
                let Some(message) = messages.next_if(|m| m.uid == *uid) else {
                    continue;
                };
                if key.fits(message, sequence, selected) {
                    highest = highest.max(message.modseq);
                    numbers.push(if by_uid { *uid } else { sequence });
                }
            }
            (numbers, highest)
        })?;
        if modseq_used {
            self.enabled.condstore = true;
        }
        let modseq = Some(modseq).filter(|_| modseq_used && !numbers.is_empty());
        let line = match extended {
            true => extended_line(&self.command.tag, by_uid, &returns, &numbers, modseq),
            false => {
                let mut line = String::from("* SEARCH");
                for number in &numbers {
                    line.push(' ');
                    line.push_str(&number.to_string());
                }
                if let Some(modseq) = modseq {
                    line.push_str(&format!(" (MODSEQ {modseq})"));
                }
                line
            }
        };
        self.wire.put_line(line);
        Ok(Reply::ok("Search completed."))
    }
}

fn read_returns(args: &mut Args) -> Parsed<Returns> {
    let mut returns = Returns {
        asked: true,
        ..Returns::default()
    };
    let words = args.list(Args::word)?;
    // RFC 4731 §3.1: an empty list means ALL.
    returns.all = words.is_empty();
    for word in words {
        match word.as_str() {
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            _ => return Err(Malformed),
        }
    }
    Ok(returns)
}

fn extended_line(
    tag: &str,
    by_uid: bool,
    returns: &Returns,
    numbers: &[u32],
    modseq: Option<u64>,
) -> String {
    let mut line = format!("* ESEARCH (TAG \"{tag}\")");
    if by_uid {
        line.push_str(" UID");
    }
    if let Some(min) = numbers.first().filter(|_| returns.min) {
        line.push_str(&format!(" MIN {min}"));
    }
    if let Some(max) = numbers.last().filter(|_| returns.max) {
        line.push_str(&format!(" MAX {max}"));
    }
    if returns.count {
        line.push_str(&format!(" COUNT {}", numbers.len()));
    }
    if (returns.all || !returns.asked) && !numbers.is_empty() {
        line.push_str(&format!(" ALL {}", compact(numbers.iter().copied())));
    }
    if let Some(modseq) = modseq {
        line.push_str(&format!(" MODSEQ {modseq}"));
    }
    line
}

struct Reader {
    args: Args,
    largest_sequence: u32,
    largest_uid: u32,
    modseq_used: bool,
    can_modseq: bool,
}

impl Reader {
    /// Keys up to the end or a closing parenthesis; all must fit.
    fn keys(&mut self, depth: u32) -> Parsed<Key> {
        let mut keys = vec![self.key(depth)?];
        while self.args.eat(b' ') {
            keys.push(self.key(depth)?);
        }
        Ok(Key::And(keys))
    }

    fn key(&mut self, depth: u32) -> Parsed<Key> {
        if depth > DEPTH {
            return Err(Malformed);
        }
        match self.args.peek() {
            Some(b'(') => {
                self.args.expect(b'(')?;
                let keys = self.keys(depth + 1)?;
                self.args.expect(b')')?;
                return Ok(keys);
            }
            Some(b'0'..=b'9' | b'*') => {
                let set = self.args.sequence_set()?;
                return Ok(Key::Sequence(set.ranges(self.largest_sequence)));
            }
            _ => {}
        }
        let word = self.args.word()?;
        Ok(match word.as_str() {
            "ALL" => Key::All,
            "ANSWERED" => Key::Flag("\\Answered", true),
            "DELETED" => Key::Flag("\\Deleted", true),
            "DRAFT" => Key::Flag("\\Draft", true),
            "FLAGGED" => Key::Flag("\\Flagged", true),
            "SEEN" => Key::Flag("\\Seen", true),
            "UNANSWERED" => Key::Flag("\\Answered", false),
            "UNDELETED" => Key::Flag("\\Deleted", false),
            "UNDRAFT" => Key::Flag("\\Draft", false),
            "UNFLAGGED" => Key::Flag("\\Flagged", false),
            "UNSEEN" => Key::Flag("\\Seen", false),
            "RECENT" => Key::Recent(true),
            "OLD" => Key::Recent(false),
            "NEW" => Key::And(vec![Key::Recent(true), Key::Flag("\\Seen", false)]),
            "KEYWORD" => Key::Keyword(self.text()?, true),
            "UNKEYWORD" => Key::Keyword(self.text()?, false),
            "HEADER" => {
                let name = self.text()?;
                Key::Header(name, self.string()?)
            }
            "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" => Key::Header(word, self.string()?),
            "BODY" => Key::Body(self.string()?),
            "TEXT" => Key::Text(self.string()?),
            "BEFORE" => Key::Arrived(Compare::Before, self.day()?),
            "ON" => Key::Arrived(Compare::On, self.day()?),
            "SINCE" => Key::Arrived(Compare::Since, self.day()?),
            "SENTBEFORE" => Key::Sent(Compare::Before, self.day()?),
            "SENTON" => Key::Sent(Compare::On, self.day()?),
            "SENTSINCE" => Key::Sent(Compare::Since, self.day()?),
            "LARGER" => Key::Larger(self.number()?),
            "SMALLER" => Key::Smaller(self.number()?),
            "UID" => {
                self.args.space()?;
                Key::Uid(self.args.sequence_set()?.ranges(self.largest_uid))
            }
            "MODSEQ" if self.can_modseq => {
                self.modseq_used = true;
                self.args.space()?;
                if self.args.peek() == Some(b'"') {
                    // Which flag's mod-sequence is asked for makes no difference here.
                    self.args.string()?;
                    self.args.space()?;
                    self.args.word()?;
                    self.args.space()?;
                }
                Key::ModSeq(self.args.number()?)
            }
            "X-GM-MSGID" => Key::GmMsgId(self.number()?),
            "EMAILID" => Key::EmailId(self.string()?.to_vec()),
            "NOT" => {
                self.args.space()?;
                Key::Not(Box::new(self.key(depth + 1)?))
            }
            "OR" => {
                self.args.space()?;
                let one = self.key(depth + 1)?;
                self.args.space()?;
                Key::Or(Box::new(one), Box::new(self.key(depth + 1)?))
            }
            _ => return Err(Malformed),
        })
    }

    fn string(&mut self) -> Parsed<Bytes> {
        self.args.space()?;
        self.args.astring()
    }

    fn text(&mut self) -> Parsed<String> {
        String::from_utf8(self.string()?.to_vec()).map_err(|_| Malformed)
    }

    fn number(&mut self) -> Parsed<u64> {
        self.args.space()?;
        self.args.number()
    }

    fn day(&mut self) -> Parsed<i64> {
        parse_day(&self.string()?).ok_or(Malformed)
    }
}

impl Key {
    fn fits(&self, message: &Message, sequence: u32, selected: &Selected) -> bool {
        match self {
            Self::All => true,
            Self::Sequence(ranges) => ranges.iter().any(|(a, b)| (*a..=*b).contains(&sequence)),
            Self::Uid(ranges) => ranges.iter().any(|(a, b)| (*a..=*b).contains(&message.uid)),
            Self::Flag(name, set) => message.flags.has(name) == *set,
            Self::Keyword(name, set) => message.flags.has(name) == *set,
            Self::Recent(recent) => selected.is_recent(message.uid) == *recent,
            Self::Header(name, text) => header_contains(&message.body.header(), name, text),
            Self::Body(text) => {
                let octets = message.body.bytes();
                contains(&octets[header_end(&octets)..], text)
            }
            Self::Text(text) => contains(&message.body.bytes(), text),
            Self::Arrived(compare, day) => compare.fits(message.date.day(), *day),
            Self::Sent(compare, day) => {
                sent_day(&message.body.header()).is_some_and(|sent| compare.fits(sent, *day))
            }
            Self::Larger(octets) => message.body.octets() > *octets,
            Self::Smaller(octets) => message.body.octets() < *octets,
            Self::ModSeq(modseq) => message.modseq >= *modseq,
            Self::GmMsgId(id) => gmail_id(message.object) == *id,
            Self::EmailId(id) => format!("E{}", message.object).as_bytes() == id.as_slice(),
            Self::Not(key) => !key.fits(message, sequence, selected),
            Self::Or(one, other) => {
                one.fits(message, sequence, selected) || other.fits(message, sequence, selected)
            }
            Self::And(keys) => keys.iter().all(|key| key.fits(message, sequence, selected)),
        }
    }
}

impl Compare {
    fn fits(self, day: i64, limit: i64) -> bool {
        match self {
            Self::Before => day < limit,
            Self::On => day == limit,
            Self::Since => day >= limit,
        }
    }
}

/// Whether octets contain a text, without regard to the case of ASCII letters.
fn contains(octets: &[u8], text: &[u8]) -> bool {
    text.is_empty()
        || octets
            .windows(text.len())
            .any(|w| w.eq_ignore_ascii_case(text))
}

/// Whether a field of this name contains a text; an empty text asks for the field.
fn header_contains(header: &[u8], name: &str, text: &[u8]) -> bool {
    fields_named(header, name)
        .iter()
        .any(|value| contains(value, text))
}

/// The values of all fields of a name, unfolded.
fn fields_named(header: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for line in header.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => break,
            Some(b' ' | b'\t') => {
                if let Some(value) = found.last_mut().filter(|_| inside) {
                    value.extend_from_slice(line);
                }
            }
            Some(_) => {
                let colon = memchr::memchr(b':', line);
                let field = colon.map(|at| (line[..at].trim_ascii_end(), &line[at + 1..]));
                inside = field.is_some_and(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
                if let Some((_, value)) = field.filter(|_| inside) {
                    found.push(value.trim_ascii_start().to_vec());
                }
            }
        }
    }
    found
}

/// The day in the Date field, in its own zone.
fn sent_day(header: &[u8]) -> Option<i64> {
    let value = fields_named(header, "Date").into_iter().next()?;
    let text = String::from_utf8_lossy(&value).into_owned();
    let text = text.split_once(',').map_or(text.as_str(), |(_, rest)| rest);
    let mut words = text.split_ascii_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    parse_day(format!("{day}-{month}-{year}").as_bytes())
        .or_else(|| Date::parse(value.as_slice()).map(Date::day))
}
