//! The inputs of the fuzz targets, for the tests that try the same properties without a fuzzer.
//!
//! Start reading at [`Corpus::of`].

use std::fs;
use std::path::{Path, PathBuf};

/// The seeds of one fuzz target, and the words of its dictionary.
#[derive(Debug)]
pub struct Corpus {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    /// Reads `fuzz/seeds/TARGET` and `fuzz/words/DICTIONARY.dict`.
    ///
    /// # Panics
    /// When there are none: a corpus that was moved tests nothing.
    pub fn of(target: &str, dictionary: &str) -> Self {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let directory = fuzz.join("seeds").join(target);
        let entries = fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let seeds: Vec<Vec<u8>> = paths
            .iter()
            .map(|path| {
                fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            })
            .collect();
        let dictionary = fuzz.join("words").join(dictionary).with_extension("dict");
        let words = fs::read_to_string(&dictionary)
            .unwrap_or_else(|error| panic!("{}: {error}", dictionary.display()))
            .lines()
            .filter_map(word)
            .collect::<Vec<_>>();
        assert!(
            !seeds.is_empty() && !words.is_empty(),
            "nothing for {target}"
        );
        Self { seeds, words }
    }

    /// The seeds, in the order of their names.
    pub fn seeds(&self) -> &[Vec<u8>] {
        &self.seeds
    }

    /// A seed with edits, both chosen by `choices`: four octets each. The same choices make the same
    /// input; fewer make a simpler one, so that a failure can be made smaller.
    pub fn mutated(&self, choices: &[u8]) -> Vec<u8> {
        let mut edits = choices.chunks(4).map(|edit| {
            let octet = |n: usize| edit.get(n).copied().unwrap_or(0);
            (
                octet(0),
                usize::from(octet(1)) << 8 | usize::from(octet(2)),
                octet(3),
            )
        });
        let (_, first, _) = edits.next().unwrap_or_default();
        let mut input = self.seeds[first % self.seeds.len()].clone();
        for (kind, place, value) in edits {
            let at = place % (input.len() + 1);
            let upto = input.len().min(at + usize::from(value) % 64);
            match kind % 7 {
                0 => input.insert(at, value),
                1 => drop(input.splice(at..at.saturating_add(1).min(input.len()), [value])),
                2 => drop(input.drain(at..upto)),
                // The dialogue ends here.
                3 => input.truncate(at),
                // The same again.
                4 => {
                    let piece = input[at..upto].to_vec();
                    drop(input.splice(at..at, piece));
                }
                5 => {
                    let word = self.words[usize::from(value) % self.words.len()].clone();
                    drop(input.splice(at..at, word));
                }
                // The end of another seed.
                _ => {
                    let other = &self.seeds[usize::from(value) % self.seeds.len()];
                    input.truncate(at);
                    input.extend_from_slice(&other[at % (other.len() + 1)..]);
                }
            }
        }
        input
    }
}

/// One line of a dictionary: `name="word"` with `\\`, `\"` and `\xAB`; `#` begins a comment.
fn word(line: &str) -> Option<Vec<u8>> {
    let (_, quoted) = line
        .trim()
        .split_once('"')
        .filter(|_| !line.starts_with('#'))?;
    let mut rest = quoted.strip_suffix('"')?.as_bytes();
    let mut word = Vec::new();
    while let Some((&octet, after)) = rest.split_first() {
        match (octet, after) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                word.push((digit(*high)? * 16 + digit(*low)?) as u8);
                rest = tail;
            }
            (b'\\', [escaped, tail @ ..]) => {
                word.push(*escaped);
                rest = tail;
            }
            _ => {
                word.push(octet);
                rest = after;
            }
        }
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_written_as_the_fuzzer_wants_them() {
        assert_eq!(word(r#"crlf="\x0d\x0A""#), Some(b"\r\n".to_vec()));
        assert_eq!(word(r#""a\"b\\""#), Some(br#"a"b\"#.to_vec()));
        assert_eq!(word("# none"), None);
        assert_eq!(word(""), None);
    }

    #[test]
    fn the_same_choices_make_the_same_input() {
        let corpus = Corpus {
            seeds: vec![b"abc".to_vec(), b"0123456789".to_vec()],
            words: vec![b"WORD".to_vec()],
        };
        assert_eq!(corpus.mutated(&[]), b"abc");
        assert_eq!(corpus.mutated(&[0, 0, 1]), b"0123456789");
        assert_eq!(corpus.mutated(&[0, 0, 0, 0, 0, 0, 1, b'x']), b"axbc");
        assert_eq!(corpus.mutated(&[0, 0, 0, 0, 5, 0, 3, 0]), b"abcWORD");
        assert_eq!(corpus.mutated(&[0, 0, 0, 0, 6, 0, 1, 1]), b"a123456789");
        assert_eq!(corpus.mutated(&[0, 0, 0, 0, 3, 0, 0, 0]), b"");
    }
}
