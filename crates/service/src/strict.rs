//! TOML files in which every mistake is found before anything happens, with its line and its key.

use hikyaku_core::{Code, Fault, Reach, Remedy};
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Names under which people try to write a secret itself.
const SECRETS: [&str; 8] = [
    "password",
    "pass",
    "passwd",
    "secret",
    "token",
    "key",
    "master_password",
    "handover_secret",
];

/// Why a file cannot be used: for the operator, in English.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Which file.
    pub path: PathBuf,
    /// Line, from 1; `None` when the whole file is meant.
    pub line: Option<usize>,
    /// The key with the tables that it is in, such as `destination.port`; empty when the whole file is meant.
    pub key: String,
    /// What is wrong. Never a secret.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.why)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Fault::new(
            Code::ConfigInvalid,
            Reach::Job,
            Remedy::AskUser,
            problem.to_string(),
        )
    }
}

/// A file while it is read.
pub(crate) struct Document<'t> {
    text: &'t str,
    path: &'t Path,
}

impl<'t> Document<'t> {
    /// The text of a file; a byte order mark does not count.
    pub(crate) fn new(text: &'t str, path: &'t Path) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, path }
    }

    /// Everything in it; keys that mean nothing are a problem.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::from_str(self.text).map_err(|error| {
            let message = first_line(error.message());
            self.problem(error.span(), &message)
        })
    }

    /// A path as the file writes it: relative ones start at the file's directory.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// What is wrong with a key that could be read, such as `destination.port` or `plans.1.rerun`.
    pub(crate) fn wrong(&self, key: &str, why: impl Into<String>) -> Problem {
        let table = DeTable::parse(self.text).ok();
        let span = table.and_then(|table| {
            let mut parts = key.split('.');
            let value = parts.next().and_then(|first| table.get_ref().get(first))?;
            span_of(value, parts)
        });
        Problem {
            path: self.path.to_owned(),
            line: span.map(|s| self.line_of(s.start)),
            key: key.to_owned(),
            why: why.into(),
        }
    }

    fn problem(&self, span: Option<Range<usize>>, message: &str) -> Problem {
        let table = DeTable::parse(self.text).ok();
        let key = match (&span, &table) {
            (Some(span), Some(table)) if !span.is_empty() => key_at(table.get_ref(), span),
            _ => String::new(),
        };
        Problem {
            path: self.path.to_owned(),
            line: span.map(|s| self.line_of(s.start)),
            key,
            why: unknown_field(message).unwrap_or_else(|| message.to_owned()),
        }
    }

    fn line_of(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at);
        let before = before.unwrap_or(self.text.as_bytes());
        before.iter().filter(|&&b| b == b'\n').count() + 1
    }
}

/// Reads a file into memory.
pub(crate) fn load(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|e| Problem {
        path: path.to_owned(),
        line: None,
        key: String::new(),
        why: format!("cannot be read: {e}"),
    })
}

/// Where a value is written; the key of a table that is missing is its parent.
fn span_of<'p>(
    value: &Spanned<DeValue<'_>>,
    mut parts: impl Iterator<Item = &'p str>,
) -> Option<Range<usize>> {
    let Some(part) = parts.next() else {
        return Some(value.span());
    };
    let below = match value.get_ref() {
        DeValue::Table(table) => table.get(part),
        DeValue::Array(array) => part.parse().ok().and_then(|n: usize| array.get(n)),
        _ => None,
    };
    match below {
        Some(below) => span_of(below, parts),
        None => Some(value.span()),
    }
}

/// The deepest key whose own text or value holds the place.
fn key_at(table: &DeTable<'_>, place: &Range<usize>) -> String {
    let holds = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    for (key, value) in table.iter() {
        if holds(key.span()) {
            return key.get_ref().to_string();
        }
        let below = inside(value, place);
        if !below.is_empty() {
            return format!("{}.{below}", key.get_ref());
        }
        if holds(value.span()) {
            return key.get_ref().to_string();
        }
    }
    String::new()
}

/// The same below a value: a table that is written with a header of its own has the span of the header only.
fn inside(value: &Spanned<DeValue<'_>>, place: &Range<usize>) -> String {
    match value.get_ref() {
        DeValue::Table(table) => key_at(table, place),
        DeValue::Array(array) => {
            for (n, element) in array.iter().enumerate() {
                let below = inside(element, place);
                if !below.is_empty() {
                    return format!("{n}.{below}");
                }
                let span = element.span();
                if span.start <= place.start && place.end <= span.end {
                    return n.to_string();
                }
            }
            String::new()
        }
        _ => String::new(),
    }
}

/// The words for a key that means nothing here, made of serde's message: "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, expected) = rest.split_once('`')?;
    if SECRETS.contains(&name) {
        return Some(format!(
            "a secret must not stand in this file: use `{name}_file` or `{name}_env`"
        ));
    }
    let known = expected.split('`').skip(1).step_by(2);
    Some(match nearest(name, known) {
        Some(like) => format!("there is no key `{name}` here; did you mean `{like}`?"),
        None => format!("there is no key `{name}` here{}", expected.trim_end()),
    })
}

/// The candidate that a slip or two turn into the word, if there is one.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(word, c), c))
        .filter(|(slips, _)| *slips <= most)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// The parser's first line, without what it quotes of the file below.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}
