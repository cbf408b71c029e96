//! One line of a manifest: fields divided by tabs, the last of them a sum of the others.

use super::VERSION;
use crate::format::Format;
use crate::names::{escape, hexadecimal, unescaped};
use hikyaku_core::{Flags, InternalDate, Key, MailboxName, Role};
use sha2::{Digest, Sha256};

/// A line that was written whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The first line.
    Head {
        /// Of the lines.
        version: u32,
        /// Of the messages.
        format: Format,
        /// Generation of the keys; never zero.
        epoch: u32,
    },
    /// The folder's own name, level by level.
    Folder(MailboxName),
    /// Special use.
    Role(Option<Role>),
    /// Whether it is subscribed.
    Subscribed(bool),
    /// A message.
    Message(Record),
    /// The flags of a message from here on.
    Flags(Key, Flags),
    /// Something that a later version of the same format says; passed over.
    Other,
}

/// Everything that is known of a message beside its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) sha256: [u8; 32],
    pub(crate) octets: u64,
    pub(crate) date: Option<InternalDate>,
    pub(crate) place: Place,
    pub(crate) flags: Flags,
}

/// Where the octets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file below the folder's directory; a Maildir's flags do not belong to its name.
    File(String),
    /// In the folder's mbox, quoted: first octet, and how many.
    Span {
        /// From the start of the file.
        offset: u64,
        /// With their quotes.
        octets: u64,
    },
}

const ROLES: [(&str, Role); 9] = [
    ("inbox", Role::Inbox),
    ("sent", Role::Sent),
    ("drafts", Role::Drafts),
    ("archive", Role::Archive),
    ("junk", Role::Junk),
    ("trash", Role::Trash),
    ("all", Role::All),
    ("flagged", Role::Flagged),
    ("important", Role::Important),
];

impl Line {
    /// The line with its end.
    pub(crate) fn write(&self) -> String {
        let mut out = String::with_capacity(192);
        match self {
            Self::Head {
                version,
                format,
                epoch,
            } => fields(
                &mut out,
                &[
                    "hikyaku-manifest",
                    &version.to_string(),
                    format.as_str(),
                    &epoch.to_string(),
                ],
            ),
            Self::Folder(name) => {
                fields(&mut out, &["folder"]);
                name.levels()
                    .iter()
                    .for_each(|level| fields(&mut out, &[level]));
            }
            Self::Role(role) => {
                let named = ROLES.iter().find(|(_, r)| Some(*r) == *role);
                fields(&mut out, &["role", named.map_or("-", |(name, _)| name)]);
            }
            Self::Subscribed(is) => {
                fields(&mut out, &["subscribed", if *is { "yes" } else { "no" }])
            }
            Self::Message(record) => {
                let Record {
                    key,
                    sha256,
                    octets,
                    date,
                    place,
                    flags,
                } = record;
                let place = match place {
                    Place::File(name) => name.clone(),
                    Place::Span { offset, octets } => format!("{offset}+{octets}"),
                };
                let date = date.map_or_else(|| "-".to_owned(), written);
                let (key, octets) = (key.to_string(), octets.to_string());
                let (sum, flags) = (hexadecimal(sha256), flags.to_string());
                fields(
                    &mut out,
                    &["message", &key, &sum, &octets, &date, &place, &flags],
                );
            }
            Self::Flags(key, flags) => {
                fields(&mut out, &["flags", &key.to_string(), &flags.to_string()]);
            }
            Self::Other => {}
        }
        let sum = sum(out.as_bytes());
        out.push('\t');
        out.push_str(&sum);
        out.push('\n');
        out
    }

    /// Reads a line without its end; `None` when it is not as it was written.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let (line, said) = line.rsplit_once('\t')?;
        if said != sum(line.as_bytes()) {
            return None;
        }
        let mut fields = line.split('\t');
        let kind = fields.next()?;
        let mut next = || fields.next();
        Some(match kind {
            "hikyaku-manifest" => Self::Head {
                version: next()?.parse().ok()?,
                format: Format::from_name(next()?)?,
                epoch: next()?.parse().ok().filter(|epoch| *epoch != 0)?,
            },
            "folder" => {
                let levels: Option<Vec<String>> = fields.map(unescaped).collect();
                Self::Folder(MailboxName::new(levels?)?)
            }
            "role" => {
                let word = next()?;
                Self::Role(ROLES.iter().find(|(name, _)| *name == word).map(|r| r.1))
            }
            "subscribed" => Self::Subscribed(next()? == "yes"),
            "message" => Self::Message(Record {
                key: key(next()?)?,
                sha256: digest(next()?)?,
                octets: next()?.parse().ok()?,
                date: read(next()?)?,
                place: place(&unescaped(next()?)?)?,
                flags: Flags::parse(&unescaped(next()?)?),
            }),
            "flags" => Self::Flags(key(next()?)?, Flags::parse(&unescaped(next()?)?)),
            _ => Self::Other,
        })
    }

    /// The head that a new manifest begins with.
    pub(crate) fn head(format: Format, epoch: u32) -> Self {
        Self::Head {
            version: VERSION,
            format,
            epoch,
        }
    }
}

fn fields(out: &mut String, all: &[&str]) {
    for field in all {
        if !out.is_empty() {
            out.push('\t');
        }
        match field.chars().any(|c| c == '%' || c.is_control()) {
            false => out.push_str(field),
            true => {
                for c in field.chars() {
                    match c == '%' || c.is_control() {
                        true => escape(c.encode_utf8(&mut [0; 4]).bytes(), out),
                        false => out.push(c),
                    }
                }
            }
        }
    }
}

/// A line with its end, as somebody would write it who knows how the sum is made.
#[cfg(any(test, fuzzing))]
pub(crate) fn sealed(line: &[u8]) -> Vec<u8> {
    [line, b"\t", sum(line).as_bytes(), b"\n"].concat()
}

/// The first eight digits of the SHA-256.
fn sum(line: &[u8]) -> String {
    hexadecimal(&Sha256::digest(line)[..4])
}

fn key(text: &str) -> Option<Key> {
    // Keys are numbers of messages in one folder.
    text.parse::<u32>().ok().map(|key| Key(u64::from(key)))
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (n, octet) in out.iter_mut().enumerate() {
        *octet = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(out)
}

/// A file's name never leads out of its directory: the manifest may have been made by anybody.
fn place(text: &str) -> Option<Place> {
    let span = text.split_once('+').and_then(|(offset, octets)| {
        Some(Place::Span {
            offset: offset.parse().ok()?,
            octets: octets.parse().ok()?,
        })
    });
    let is_safe = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    span.or_else(|| {
        let safe = !text.is_empty() && text.split('/').all(is_safe) && text.split('/').count() <= 2;
        safe.then(|| Place::File(text.to_owned()))
    })
}

/// ISO 8601 where a year has four digits, else `@` seconds and minutes of the zone.
fn written(date: InternalDate) -> String {
    match (0..=9_999).contains(&date.civil().0) {
        true => date.to_string(),
        false => format!("@{}{:+}", date.seconds, date.offset_minutes),
    }
}

fn read(text: &str) -> Option<Option<InternalDate>> {
    if text == "-" {
        return Some(None);
    }
    if let Some(rest) = text.strip_prefix('@') {
        let at = rest.rfind(['+', '-']).filter(|at| *at > 0)?;
        let offset: i16 = rest[at..].parse().ok()?;
        return (offset.unsigned_abs() < 24 * 60).then_some(Some(InternalDate {
            seconds: rest[..at].parse().ok()?,
            offset_minutes: offset,
        }));
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let sign = if text.get(19..20)? == "-" { -1 } else { 1 };
    let minutes = i16::try_from(number(20, 22)? * 60 + number(23, 25)?).ok()?;
    let date = (i64::from(number(0, 4)?), number(5, 7)?, number(8, 10)?);
    let time = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    InternalDate::from_civil(date, time, sign * minutes).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> Record {
        Record {
            key: Key(7),
            sha256: [0xab; 32],
            octets: 1_234,
            date: Some(InternalDate {
                seconds: 1_626_225_630,
                offset_minutes: 540,
            }),
            place: Place::File("cur/1626225630.00000007.1f.hikyaku,S=1234".to_owned()),
            flags: Flags::parse("\\Seen $Label1 仕事"),
        }
    }

    #[test]
    fn a_line_as_it_stands_in_the_file() {
        let line = Line::Message(record()).write();
        let sum = &line[line.len() - 9..line.len() - 1];
        assert_eq!(
            line,
            format!(
                "message\t7\t{}\t1234\t2021-07-14T10:20:30+09:00\tcur/1626225630.00000007.1f.hikyaku,S=1234\t\\Seen $Label1 仕事\t{sum}\n",
                "ab".repeat(32)
            )
        );
        let span = Record {
            place: Place::Span {
                offset: 10,
                octets: 20,
            },
            date: None,
            ..record()
        };
        assert!(Line::Message(span).write().contains("\t-\t10+20\t"));
    }

    #[test]
    fn a_line_that_is_not_whole_is_none() {
        let line = Line::Message(record()).write();
        let line = line.trim_end().as_bytes();
        assert!(Line::parse(line).is_some());
        for end in 0..line.len() {
            assert_eq!(Line::parse(&line[..end]), None, "{end}");
        }
        for at in 0..line.len() {
            let mut other = line.to_vec();
            other[at] ^= 1;
            assert_eq!(Line::parse(&other), None, "{at}");
        }
        assert_eq!(Line::parse(&[0; 100]), None);
    }

    #[test]
    fn a_manifest_from_anybody_names_no_file_elsewhere() {
        for bad in [
            "../x",
            "/etc/passwd",
            "cur/../x",
            "a/b/c",
            "C:x",
            "a\\b",
            "",
            "cur/",
            ".",
        ] {
            assert_eq!(place(bad), None, "{bad}");
        }
        assert_eq!(place("cur/x"), Some(Place::File("cur/x".to_owned())));
    }

    /// Found by the fuzzer, and beside it.
    #[test]
    fn dates_that_no_clock_shows_are_refused_or_kept() {
        assert_eq!(read("@-1-2540"), None);
        for seconds in [i64::MIN, i64::MAX] {
            let date = InternalDate::utc(seconds);
            assert_eq!(read(&written(date)), Some(Some(date)));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            key in any::<u32>(), sha256 in any::<[u8; 32]>(), octets in any::<u64>(),
            date in prop::option::of((-400_000_000_000i64..400_000_000_000, -1439i16..1440)),
            keywords in prop::collection::vec("[^ \\\\\u{0}-\u{20}][^ ]{0,8}", 0..4),
            levels in prop::collection::vec(any::<String>(), 1..4),
            span in any::<(u64, u64)>(), in_file in any::<bool>(),
        ) {
            let place = match in_file {
                true => Place::File("cur/a.b,S=1".to_owned()),
                false => Place::Span { offset: span.0, octets: span.1 },
            };
            let mut flags = Flags::parse("\\Seen \\Draft");
            keywords.iter().for_each(|k| flags.add_wire(k));
            let date = date.map(|(seconds, offset_minutes)| InternalDate { seconds, offset_minutes });
            let record = Record { key: Key(u64::from(key)), sha256, octets, date, place, flags: flags.clone() };
            let name = MailboxName::new(levels).expect("levels");
            for line in [
                Line::Message(record),
                Line::Flags(Key(u64::from(key)), flags),
                Line::Folder(name),
                Line::Role(Some(Role::Sent)),
                Line::Role(None),
                Line::Subscribed(key % 2 == 0),
                Line::head(Format::Mbox, key.max(1)),
            ] {
                let written = line.write();
                prop_assert_eq!(written.matches('\n').count(), 1);
                prop_assert_eq!(Line::parse(written.trim_end_matches('\n').as_bytes()), Some(line));
            }
        }

        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            Line::parse(&octets);
            let line = [octets.as_slice(), b"\t"].concat();
            let summed = [line.as_slice(), sum(&octets).as_bytes()].concat();
            Line::parse(&summed);
        }
    }
}
