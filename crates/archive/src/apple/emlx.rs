//! `.emlx`: one message with its length before it and a property list behind it.
//!
//! ```text
//! 2945······⏎          length of the message in octets
//! Return-Path: …⏎      the message, lines ended by LF
//! <?xml version=…      a property list: flags, date of arrival
//! ```
//!
//! Described by J. Zawinski, "emlx flags?" (2005), for the bits; the rest can be seen in
//! any such file. The length is wrong in files that other programs have edited; then the
//! property list tells where the message ends.

use std::io;

use hikyaku_core::{Flag, Flags, InternalDate, Keyword};

use super::plist::{self, Plist};
use crate::disk::Disk;

/// Longest first line that is a length.
const MAX_LENGTH_LINE: usize = 64;

/// A property list begins with one of these, at the start of a line.
const OPENINGS: [&[u8]; 3] = [b"<?xml", b"<!DOCTYPE plist", b"<plist"];

/// One message file, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Emlx {
    /// Where the message begins in the file, in octets.
    pub(crate) start: u64,
    /// Where it ends.
    pub(crate) end: u64,
    /// What Mail knows about it.
    pub(crate) facts: Facts,
}

/// What the property list says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Flags and keywords.
    pub(crate) flags: Flags,
    /// When it arrived.
    pub(crate) received: Option<InternalDate>,
    /// Whether flags are recorded at all.
    pub(crate) is_recorded: bool,
}

/// Why a file is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The first line is no length.
    NoLength,
    /// There is no message behind the length.
    Empty,
    /// Neither is the message as long as announced nor does a property list end it.
    Truncated,
}

impl Unfit {
    /// For the log.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::NoLength => "the first line is not a length",
            Self::Empty => "there is no message in the file",
            Self::Truncated => "the file is shorter than its first line says",
        }
    }
}

/// Takes a file apart without reading the message itself.
pub(crate) fn read(file: &Disk) -> io::Result<Result<Emlx, Unfit>> {
    let octets = file.length();
    let head = file.octets_at(0, MAX_LENGTH_LINE)?;
    let Some((start, length)) = length_line(&head) else {
        return Ok(Err(Unfit::NoLength));
    };
    let tail_octets = octets.saturating_sub(start).min(plist::MAX_OCTETS as u64);
    // The list stands where the length says, or else somewhere near the end.
    if let Some(end) = start.checked_add(length).filter(|end| *end <= octets) {
        let list = file.octets_at(end, plist::MAX_OCTETS)?;
        let trimmed = list.trim_ascii_start();
        if trimmed.is_empty() || OPENINGS.iter().any(|o| trimmed.starts_with(o)) {
            return Ok(finish(start, end, &list));
        }
    }
    let from = octets - tail_octets;
    let tail = file.octets_at(from, plist::MAX_OCTETS)?;
    match list_start(&tail, from == start) {
        Some(at) => Ok(finish(start, from + at as u64, &tail[at..])),
        None => Ok(Err(Unfit::Truncated)),
    }
}

fn finish(start: u64, end: u64, list: &[u8]) -> Result<Emlx, Unfit> {
    if start >= end {
        return Err(Unfit::Empty);
    }
    Ok(Emlx {
        start,
        end,
        facts: facts(&Plist::read(list)),
    })
}

/// Where the message begins and how long it says it is.
fn length_line(head: &[u8]) -> Option<(u64, u64)> {
    let line_end = memchr::memchr(b'\n', head)?;
    let digits = head[..line_end].trim_ascii();
    let fits = !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| fits)?;
    Some((line_end as u64 + 1, text.parse().ok()?))
}

/// Where the last property list begins: at the start of a line, and complete.
fn list_start(tail: &[u8], is_whole: bool) -> Option<usize> {
    let close = memchr::memmem::rfind(tail, b"</plist>")?;
    let at_line = |at: usize| match at {
        0 => is_whole,
        _ => tail[at - 1] == b'\n',
    };
    let last = |opening: &[u8]| {
        memchr::memmem::rfind_iter(&tail[..close], opening).find(|at| at_line(*at))
    };
    // The first line of the list is not always there; what stands before a later one
    // belongs to the list too.
    let plist = last(OPENINGS[2])?;
    let mut start = plist;
    for opening in [OPENINGS[1], OPENINGS[0]] {
        let before = last(opening).filter(|at| {
            *at < start && tail[*at..start].iter().filter(|o| **o == b'\n').count() <= 2
        });
        start = before.unwrap_or(start);
    }
    Some(start)
}

fn facts(list: &Plist) -> Facts {
    let received = list.number("date-received").filter(|seconds| *seconds > 0);
    let bits = list.number("flags");
    Facts {
        flags: flags(bits.unwrap_or(0)),
        received: received.map(InternalDate::utc),
        is_recorded: bits.is_some(),
    }
}

/// The bits that Mail keeps with every message.
fn flags(bits: i64) -> Flags {
    let mut flags = Flags::new();
    for (bit, flag) in [
        (0, Flag::Seen),
        (1, Flag::Deleted),
        (2, Flag::Answered),
        (4, Flag::Flagged),
        (6, Flag::Draft),
    ] {
        if bits & (1 << bit) != 0 {
            flags.set(flag);
        }
    }
    for (bit, keyword) in [(8, "$Forwarded"), (24, "$Junk"), (25, "$NotJunk")] {
        if bits & (1 << bit) != 0 {
            flags.set_keyword(Keyword::new(keyword));
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn read_octets(octets: &[u8]) -> Result<Emlx, Unfit> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(octets).unwrap();
        read(&Disk::open(file.path()).unwrap()).unwrap()
    }

    fn list(flags: i64) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"x\">\n\
             <plist version=\"1.0\">\n<dict>\n\t<key>date-received</key>\n\t<integer>1516985072</integer>\n\
             \t<key>flags</key>\n\t<integer>{flags}</integer>\n</dict>\n</plist>\n"
        )
    }

    #[test]
    fn message_and_facts_are_taken_apart() {
        let message = "Subject: x\n\nbody <plist> \n";
        let octets = format!("{:<10}\n{message}{}", message.len(), list(0x1_0200_0115));
        let emlx = read_octets(octets.as_bytes()).unwrap();
        assert_eq!(
            &octets[emlx.start as usize..emlx.end as usize],
            message,
            "{emlx:?}"
        );
        assert_eq!(
            emlx.facts,
            Facts {
                flags: Flags::parse("\\Seen \\Answered \\Flagged $Forwarded $NotJunk"),
                received: Some(InternalDate::utc(1_516_985_072)),
                is_recorded: true,
            }
        );
    }

    #[test]
    fn a_wrong_length_is_made_good_by_the_list() {
        let message = "Subject: x\n\nabout plists:\n<plist version=\"1.0\">\n</plist>\nend\n";
        for wrong in [3, message.len() + 1, message.len() + 10_000] {
            let octets = format!("{wrong:<10}\n{message}{}", list(1));
            let emlx = read_octets(octets.as_bytes()).unwrap();
            assert_eq!(&octets[emlx.start as usize..emlx.end as usize], message);
            assert_eq!(emlx.facts.flags, Flags::parse("\\Seen"));
        }
    }

    #[test]
    fn a_message_without_a_list_is_a_message() {
        let emlx = read_octets(b"5\nA: b\n").unwrap();
        assert_eq!((emlx.start, emlx.end), (2, 7));
        assert_eq!(emlx.facts, Facts::default());
    }

    #[test]
    fn what_is_no_message_is_said() {
        for (octets, unfit) in [
            (&b"this is an invalid.emlx structure\n"[..], Unfit::NoLength),
            (b"", Unfit::NoLength),
            (b"-5\nabc", Unfit::NoLength),
            (b"99999999999999999999\nabc", Unfit::NoLength),
            (b"0\n", Unfit::Empty),
            (b"12\nA: b\n", Unfit::Truncated),
        ] {
            assert_eq!(read_octets(octets), Err(unfit), "{}", octets.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_there_the_message_lies_inside_the_file(
            length in 0u64..80,
            octets in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'<'), any::<u8>()], 0..60),
            with_list: bool,
        ) {
            let mut all = format!("{length}\n").into_bytes();
            all.extend(&octets);
            if with_list {
                all.push(b'\n');
                all.extend(list(3).as_bytes());
            }
            if let Ok(emlx) = read_octets(&all) {
                prop_assert!(emlx.start < emlx.end && emlx.end <= all.len() as u64);
            } else {
                prop_assert!(!with_list || length == 0);
            }
        }
    }
}
