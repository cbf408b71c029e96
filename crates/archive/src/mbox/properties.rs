//! Every octet of a file is in an entry, or in an empty line between two; what a scan
//! counts is what comes out; a scan that begins at an entry tells the same from there.

use super::dialect::Dialect;
use super::filter::{Filter, MessageSieve, Quoting, is_blank};
use super::scan::Scan;
use super::separator::{self, Separator, separator};
use crate::disk::Disk;
use crate::text::Text;
use std::ops::ControlFlow;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    number: u64,
    start: u64,
    text: u64,
    length: u64,
    octets: u64,
    is_message: bool,
    head: Vec<u8>,
}

fn scan(disk: &Disk, dialect: Dialect, number: u64, at: u64) -> Vec<Seen> {
    let mut seen = Vec::new();
    Scan::new(disk, dialect, number, at)
        .run(&mut |entry| {
            seen.push(Seen {
                number: entry.number,
                start: entry.start,
                text: entry.text,
                length: entry.length,
                octets: entry.octets,
                is_message: entry.is_message,
                head: entry.head.to_vec(),
            });
            ControlFlow::Continue(())
        })
        .expect("octets at hand are readable");
    seen
}

/// Checks one file.
pub(crate) fn mbox(input: &[u8]) {
    let disk = Disk::held(input);
    let told = Dialect::of(&disk).expect("octets at hand are readable");
    for quoting in [told.quoting, Quoting::All, Quoting::None] {
        for counts_length in [told.counts_length, !told.counts_length] {
            let dialect = Dialect {
                quoting,
                counts_length,
                ..told
            };
            check(input, &disk, dialect);
        }
    }
}

/// A divider and the state fields of a header, each of any octets.
///
/// # Panics
/// Where a property does not hold.
pub(crate) fn fields(input: &[u8]) {
    let line = input.split(|b| *b == b'\n').next().unwrap_or_default();
    let kind = separator(line);
    assert!(kind == Separator::No || line.starts_with(b"From "));
    assert!(separator::date(line).is_none() || kind == Separator::Likely);
    let state = super::state(input);
    assert!(!state.is_expunged || state.is_recorded);
}

fn check(input: &[u8], disk: &Disk, dialect: Dialect) {
    let seen = scan(disk, dialect, 1, 0);
    let mut end = usize::try_from(dialect.start).expect("small");
    for (n, entry) in seen.iter().enumerate() {
        assert_eq!(entry.number, n as u64 + 1);
        let start = usize::try_from(entry.start).expect("small");
        let gap = &input[end..start];
        let blanks = gap.split_inclusive(|b| *b == dialect.end);
        assert!(blanks.clone().all(is_blank), "{entry:?}: {gap:?}");
        assert!(n == 0 || blanks.count() <= 1, "{entry:?}: {gap:?}");
        let text = usize::try_from(entry.text).expect("small");
        let divider = &input[start..text];
        assert!(divider.is_empty() || divider.starts_with(b"From "));
        end = text + usize::try_from(entry.length).expect("small");
        let filter = Filter::new(dialect.quoting, dialect.end, dialect.counts_length);
        let part = disk.part(entry.text, entry.length);
        let whole = Text::counted(entry.octets, part, MessageSieve::new(filter))
            .and_then(Text::whole)
            .expect("as counted");
        assert_eq!(whole.len() as u64, entry.octets);
        let mut feeds = memchr::memchr_iter(b'\n', &whole);
        assert!(
            feeds.all(|at| at > 0 && whole[at - 1] == b'\r'),
            "a lone LF"
        );
        let again = scan(disk, dialect, entry.number, entry.start);
        assert_eq!(again, seen[n..]);
    }
    let rest = input[end.min(input.len())..].split_inclusive(|b| *b == dialect.end);
    assert!(rest.clone().all(is_blank));
    assert!(seen.is_empty() || rest.count() <= 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file() -> impl Strategy<Value = Vec<u8>> {
        let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
        let line = prop_oneof![
            4 => Just(""),
            4 => Just("From a@b Mon Apr  1 00:00:00 2024"),
            1 => Just("From - "),
            1 => Just("From "),
            1 => Just("From a@b"),
            1 => Just("From prose"),
            2 => Just(">From a@b Mon Apr  1 00:00:00 2024"),
            1 => Just(">>From x"),
            2 => Just("Subject: x"),
            1 => Just(" fold"),
            1 => Just("Status: RO"),
            1 => Just("Content-Length: 0"),
            1 => Just("Content-Length: 1"),
            1 => Just("Content-Length: 8"),
            1 => Just("Content-Length: 47"),
            1 => Just("\u{feff}body"),
            1 => Just("bo\rdy"),
        ];
        let lines = prop::collection::vec((line, end.clone()), 0..30);
        (lines, end, any::<bool>()).prop_map(|(lines, one, is_mixed)| {
            let mut out = String::new();
            for (line, end) in lines {
                out += line;
                out += if is_mixed { end } else { one };
            }
            out.into_bytes()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn every_octet_of_a_file_of_lines_is_somewhere(file in file()) {
            mbox(&file);
        }

        #[test]
        fn every_octet_of_any_file_is_somewhere(file in prop::collection::vec(any::<u8>(), 0..200)) {
            mbox(&file);
        }
    }
}
