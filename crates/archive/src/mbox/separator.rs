//! Lines that divide messages, and lines that only look like it.

use hikyaku_core::{InternalDate, arrival};

/// What a line may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// No divider.
    No,
    /// `From ` with a time, or Mozilla's `From -`: a divider behind an empty line, or in
    /// front of a header.
    Likely,
    /// `From ` alone, or with an address: a divider only behind an empty line and in
    /// front of a header.
    Maybe,
}

/// Looks at a line.
pub(crate) fn separator(line: &[u8]) -> Separator {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return Separator::No;
    };
    if date(line).is_some() {
        return Separator::Likely;
    }
    let mut words = rest
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    match (words.next(), words.next()) {
        (None, _) => Separator::Maybe,
        (Some(b"-"), None) => Separator::Likely,
        (Some(word), None) if word.contains(&b'@') => Separator::Maybe,
        _ => Separator::No,
    }
}

/// Whether the line's sender is the `-` of Mozilla, whose date is that of the download.
pub(crate) fn is_mozilla(line: &[u8]) -> bool {
    line.strip_prefix(b"From - ").is_some()
}

/// The date of a `From ` line, without a zone as if it were UTC (RFC 4155).
pub(crate) fn date(line: &[u8]) -> Option<InternalDate> {
    let line = line.get(..line.len().min(512))?.strip_prefix(b"From ")?;
    let words: Vec<&[u8]> = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    let is_time = |word: &[u8]| {
        let colon = word.iter().position(|b| *b == b':');
        colon.is_some_and(|at| matches!(at, 1 | 2) && word[..at].iter().all(u8::is_ascii_digit))
    };
    let time = words.iter().rposition(|word| is_time(word))?;
    // Weekday, day, month and maybe the year stand before the time.
    (2..=4).find_map(|before| {
        let from = time.checked_sub(before)?;
        let to = words.len().min(time + 4);
        let whole = words[from..to].join(&b' ');
        let short = words[from..words.len().min(time + 2)].join(&b' ');
        arrival::parse(&whole).or_else(|| arrival::parse(&short))
    })
}

/// Name and value of a line that begins a header field.
pub(crate) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', &line[..line.len().min(128)])?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|b| (33..127).contains(b));
    is_name.then(|| (name, &line[colon + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividers_are_told_from_prose() {
        for likely in [
            "From a@b.example Mon Apr  1 00:00:00 2024\n",
            "From MAILER-DAEMON Fri Jul  8 12:08:34 2011\r\n",
            "From - Fri Aug 24 11:55:47 2018\n",
            "From ???@??? Mon Apr 01 00:00:00 2024\n",
            "From 1795@xxx Mon Apr 01 00:00:00 +0000 2024\n",
            "From a b c@d Mon, 1 Apr 2024 00:00:00 +0900\n",
            "From a@b Mon Apr  1 00:00 2024 remote from c\n",
            "From a@b  Mon Apr  1 00:00:00 JST 2024",
            "From -\r\n",
        ] {
            assert_eq!(separator(likely.as_bytes()), Separator::Likely, "{likely}");
        }
        for maybe in ["From \n", "From a@b.example\n"] {
            assert_eq!(separator(maybe.as_bytes()), Separator::Maybe, "{maybe}");
        }
        for prose in [
            "From the start\n",
            "From Russia with love\n",
            "From: a@b\n",
            "From 10:00 on we meet\n",
            ">From a@b Mon Apr  1 00:00:00 2024\n",
            "from a@b Mon Apr  1 00:00:00 2024\n",
        ] {
            assert_eq!(separator(prose.as_bytes()), Separator::No, "{prose}");
        }
        let zoned = date(b"From a@b Mon Apr 01 00:00:00 +0900 2024\n").map(|d| d.to_string());
        assert_eq!(zoned.as_deref(), Some("2024-04-01T00:00:00+09:00"));
    }
}
