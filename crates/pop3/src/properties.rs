//! What holds whatever a server sends, as functions over octets that panic where it does not.
//!
//! Fuzz targets and the tests beside the modules call the same functions. Not a part of the
//! product: compiled for tests and by cargo-fuzz only.

use crate::frame::{Framer, Next, Text};
use crate::identity::Names;
use crate::reply::{Capabilities, Reply, named, sized, timestamp};

/// Octets to message text, lists and answers.
pub fn octets(input: &[u8]) {
    let Some((seed, rest)) = input.split_first_chunk::<3>() else {
        return;
    };
    let announced = (seed[0] % 2 == 1).then_some(u64::from(seed[1]));
    text(rest, announced, usize::from(seed[2]) + 1);
    listing(rest);
    lines(rest);
}

/// The text of a message is the same in whatever portions it comes, has CRLF at the end of every
/// line, and no more octets than came, but for line ends.
pub(crate) fn text(octets: &[u8], announced: Option<u64>, portion: usize) {
    let whole = decode(octets, announced, octets.len().max(1));
    let parts = decode(octets, announced, portion);
    assert_eq!(whole, parts, "in portions of {portion}");
    let (text, has_ended) = whole;
    let lines = octets.iter().filter(|b| **b == b'\n').count();
    assert!(text.len() <= octets.len() + 2 * lines);
    let ends = memchr::memchr_iter(b'\n', &text);
    for end in ends {
        assert!(end > 0 && text[end - 1] == b'\r', "a bare line feed");
    }
    assert!(!has_ended || text.is_empty() || text.ends_with(b"\r\n"));
}

/// Text up to an end that an answer follows, and whether there was one.
fn decode(octets: &[u8], announced: Option<u64>, portion: usize) -> (Vec<u8>, bool) {
    let mut framer = Framer::new();
    framer.begin(announced);
    let mut out = Vec::new();
    let mut has_ended = false;
    for part in octets.chunks(portion) {
        framer.buffer().extend_from_slice(part);
        loop {
            if has_ended {
                match framer.next() {
                    Next::Answer => return (out, true),
                    Next::Unknown => break,
                    Next::Other => framer.resume(&mut out),
                }
            }
            has_ended = framer.text(&mut out) == Text::End;
            if !has_ended {
                break;
            }
        }
    }
    // What is held back because it may be the end depends on the portions.
    if !has_ended {
        let kept = memchr::memrchr(b'\n', &out).map_or(0, |at| at + 1);
        out.truncate(kept);
    }
    (out, has_ended)
}

/// Lists of sizes and names become keys that are all different, ascending, and can be stored.
pub(crate) fn listing(octets: &[u8]) {
    let mut names = Names::default();
    let mut sizes = Vec::new();
    for line in octets.split(|b| *b == b'\n') {
        if let Some((number, octets)) = sized(line) {
            sizes.push((number, octets));
        }
        if let Some((number, name)) = named(line) {
            names.take(number, name);
        }
    }
    sizes.sort_unstable();
    sizes.dedup_by_key(|size| size.0);
    let count = sizes.len();
    let listed = names.identify(sizes);
    assert_eq!(listed.entries.len(), count);
    assert!(
        listed
            .entries
            .windows(2)
            .all(|pair| pair[0].key < pair[1].key)
    );
    assert!(listed.entries.iter().all(|entry| entry.key.0 < 1 << 63));
    assert_eq!(listed.epoch.is_none(), listed.distrust.is_some());
}

/// Lines become answers and capabilities, or nothing.
fn lines(octets: &[u8]) {
    let mut framer = Framer::new();
    framer.buffer().extend_from_slice(octets);
    let mut told = Capabilities::known();
    while let Ok(Some(line)) = framer.line() {
        assert!(!line.contains(&b'\n'));
        told.take(&line);
        if let Some(reply) = Reply::parse(&line) {
            assert!(reply.text.len() <= 3 * line.len());
            timestamp(&reply.text);
            crate::words::refused(&reply, None);
            crate::words::login(&reply, false, None);
        }
    }
    told.expire();
    told.login_delay();
}

#[cfg(test)]
mod tests {
    //! The fuzz target's property without a fuzzer: its seeds, the seeds with edits, and octets
    //! of no kind.

    use hikyaku_testkit::corpus::Corpus;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CORPUS: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("pop3", "pop3"));

    #[test]
    fn holds_for_every_seed() {
        CORPUS.seeds().iter().for_each(|seed| super::octets(seed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn holds_for_seeds_with_edits(choices in prop::collection::vec(any::<u8>(), 0..80)) {
            super::octets(&CORPUS.mutated(&choices));
        }

        #[test]
        fn holds_for_any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            super::octets(&octets);
        }
    }
}
