//! When a message arrived, where no server tells: in archives, and over POP3.
//!
//! What an archive itself recorded comes first, then the topmost Received field that can
//! be understood (RFC 5321 §4.4), then Date (RFC 5322 §3.6.1), then the file's time. A
//! moment before 1980 or after tomorrow is nobody's arrival: the next one is asked.

use crate::InternalDate;
use crate::identity::header_fields;
use std::borrow::Cow;

/// 1980-01-01: before there was mail to archive.
const FIRST: i64 = 315_532_800;

/// A day, in seconds: how far clocks may be ahead.
const DAY: i64 = 86_400;

/// The arrival of a message.
///
/// `recorded` is the archive's own INTERNALDATE, `head` the beginning of the message with
/// any line ends, `file` the time of its file, `now` the present; times are in seconds
/// since 1970 UTC.
pub fn of(
    recorded: Option<InternalDate>,
    head: &[u8],
    file: Option<i64>,
    now: i64,
) -> Option<InternalDate> {
    let fits = |date: &InternalDate| is_plausible(date, now);
    recorded
        .filter(fits)
        .or_else(|| in_header(head, now))
        .or_else(|| file.map(InternalDate::utc).filter(fits))
}

/// Whether somebody can have received a message then.
pub fn is_plausible(date: &InternalDate, now: i64) -> bool {
    date.seconds >= FIRST && date.seconds <= now.saturating_add(DAY)
}

/// The date that the header tells: topmost Received, else Date.
pub fn in_header(head: &[u8], now: i64) -> Option<InternalDate> {
    let head = with_lines(head);
    let mut date = None;
    for (name, value) in header_fields(&head) {
        if name.eq_ignore_ascii_case(b"received") {
            let at = memchr::memrchr(b';', value).map_or(0, |at| at + 1);
            let received = parse(&value[at..]).filter(|d| is_plausible(d, now));
            if received.is_some() {
                return received;
            }
        } else if date.is_none() && name.eq_ignore_ascii_case(b"date") {
            date = parse(value).filter(|d| is_plausible(d, now));
        }
    }
    date
}

/// The header with line feeds, even where lines end with CR alone.
fn with_lines(head: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', head).is_some() || memchr::memchr(b'\r', head).is_none() {
        return Cow::Borrowed(head);
    }
    let line = |b: &u8| if *b == b'\r' { b'\n' } else { *b };
    Cow::Owned(head.iter().map(line).collect())
}

/// Reads a date in any of the forms that mail programs have written: RFC 5322 with its
/// obsolete zones, the C library's `asctime`, ISO 8601. Without a zone it counts as UTC.
pub fn parse(text: &[u8]) -> Option<InternalDate> {
    let text: String = without_comments(text);
    let mut parts = Parts::default();
    let mut words = text
        .split(|c: char| c.is_ascii_whitespace() || c == ',')
        .filter(|w| !w.is_empty())
        .take(16);
    words.try_for_each(|word| parts.take(word))?;
    parts.finish()
}

/// What is not in parentheses; anything beyond a sensible length is not a date.
fn without_comments(text: &[u8]) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for &octet in text.iter().take(512) {
        match octet {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && octet.is_ascii() => out.push(char::from(octet)),
            _ => {}
        }
    }
    out
}

#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<u32>,
    day: Option<u32>,
    time: Option<(u32, u32, u32)>,
    zone: Option<i16>,
    is_pm: Option<bool>,
}

impl Parts {
    /// `None` for a word that no date holds.
    fn take(&mut self, word: &str) -> Option<()> {
        let first = *word.as_bytes().first()?;
        if word.contains(':') {
            return self.take_time(word);
        }
        if self.time.is_some() && matches!(first, b'+' | b'-') {
            return self.take_offset(word);
        }
        if first.is_ascii_digit() {
            return self.take_number(word);
        }
        let lower = word.to_ascii_lowercase();
        let letters = lower.trim_end_matches('.');
        if let Some(month) = month(letters) {
            self.month.get_or_insert(month);
        } else if self.time.is_some() && matches!(letters, "am" | "pm") {
            self.is_pm = Some(letters == "pm");
        } else if is_weekday(letters) {
        } else if self.time.is_some() {
            // An unknown name of a zone is as good as none (RFC 5322 §4.3).
            let known = zone(letters).unwrap_or(0);
            self.zone.get_or_insert(known);
        } else {
            return None;
        }
        Some(())
    }

    fn take_number(&mut self, word: &str) -> Option<()> {
        if let Some((date, time)) = word.split_once(['T', 't'])
            && date.contains('-')
        {
            self.take_number(date)?;
            return self.take_time(time);
        }
        if word.contains(['-', '/']) {
            return self.take_joined(word);
        }
        let number: u32 = word.trim_end_matches('.').parse().ok()?;
        match word.len() {
            1 | 2 if self.day.is_none() => self.day = Some(number),
            2.. if self.year.is_none() => self.year = Some(full_year(number, word.len())),
            _ => return None,
        }
        Some(())
    }

    /// `2024-04-01`, `2024/4/1`, `1-Apr-2024`.
    fn take_joined(&mut self, word: &str) -> Option<()> {
        let mut parts = word.split(['-', '/']);
        let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (year, day) = if a.len() == 4 { (a, c) } else { (c, a) };
        self.month = month(&b.to_ascii_lowercase()).or_else(|| b.parse().ok());
        self.day = Some(day.parse().ok()?);
        self.year = Some(full_year(year.parse().ok()?, year.len()));
        self.month.map(|_| ())
    }

    /// `12:34`, `12:34:56`, `12:34:56.789Z`, `12:34:56+09:00`.
    fn take_time(&mut self, word: &str) -> Option<()> {
        if word.len() > 12 && word.as_bytes().get(4) == Some(&b'-') && word.contains('T') {
            return self.take_number(word);
        }
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')
            .unwrap_or(word.len());
        let (clock, zone) = word.split_at(end);
        let clock = clock.split('.').next()?;
        let mut numbers = clock.split(':').map(str::parse::<u32>);
        let hour = numbers.next()?.ok()?;
        let minute = numbers.next()?.ok()?;
        let second = numbers.next().unwrap_or(Ok(0)).ok()?;
        if numbers.next().is_some() || self.time.is_some() {
            return None;
        }
        self.time = Some((hour, minute, second));
        match zone.as_bytes().first() {
            None => Some(()),
            Some(b'+' | b'-') => self.take_offset(zone),
            Some(_) => self.take(zone),
        }
    }

    /// `+0900`, `-7:00`, `+09`.
    fn take_offset(&mut self, word: &str) -> Option<()> {
        let (sign, digits) = word.split_at(1);
        let digits: String = digits.chars().filter(|c| *c != ':').collect();
        let number: i16 = match digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            true => return None,
            false => digits.get(..digits.len().min(4))?.parse().ok()?,
        };
        let minutes = match digits.len() {
            1 | 2 => number * 60,
            _ => number / 100 * 60 + number % 100,
        };
        let minutes = if sign == "-" { -minutes } else { minutes };
        // What no place on Earth has says nothing.
        let minutes = if minutes.abs() < 24 * 60 { minutes } else { 0 };
        self.zone.get_or_insert(minutes);
        Some(())
    }

    fn finish(self) -> Option<InternalDate> {
        let (mut hour, minute, second) = self.time.unwrap_or((0, 0, 0));
        match self.is_pm {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        InternalDate::from_civil(
            (self.year?, self.month?, self.day?),
            (hour, minute, second),
            self.zone.unwrap_or(0),
        )
    }
}

/// Two and three digits as RFC 5322 §4.3 reads them.
fn full_year(number: u32, digits: usize) -> i64 {
    let year = i64::from(number);
    match digits {
        0..=2 if year < 50 => year + 2000,
        0..=3 => year + 1900,
        _ => year,
    }
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if word.len() < 3 {
        return None;
    }
    let at = MONTHS.iter().position(|m| m.starts_with(word))?;
    u32::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    word.len() >= 3 && DAYS.iter().any(|d| d.starts_with(word))
}

/// Minutes east of UTC of the zones that mail has named.
fn zone(word: &str) -> Option<i16> {
    let hours = match word {
        "ut" | "utc" | "gmt" | "z" | "wet" => 0,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        "cet" | "met" | "bst" => 1,
        "cest" | "mest" | "eet" => 2,
        "eest" | "msk" => 3,
        "jst" | "kst" => 9,
        _ => return None,
    };
    Some(hours * 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|d| d.to_string())
    }

    #[test]
    fn dates_in_the_forms_that_mail_has() {
        for (text, expected) in [
            (
                "Mon, 1 Apr 2024 09:08:07 +0900",
                "2024-04-01T09:08:07+09:00",
            ),
            (" 1 Apr 2024 09:08 JST", "2024-04-01T09:08:00+09:00"),
            (
                "Wed, 17 Jul 1996 02:44:25 -0700 (PDT)",
                "1996-07-17T02:44:25-07:00",
            ),
            ("Mon, 01 Apr 24 09:08:07 GMT", "2024-04-01T09:08:07+00:00"),
            ("1 Apr 99 9:08:07 EST", "1999-04-01T09:08:07-05:00"),
            ("Mon Apr  1 00:00:00 2024", "2024-04-01T00:00:00+00:00"),
            ("Mon Apr  1 00:00 2024", "2024-04-01T00:00:00+00:00"),
            (
                "Mon Apr  1 00:00:00 +0900 2024",
                "2024-04-01T00:00:00+09:00",
            ),
            ("Mon Apr  1 00:00:00 JST 2024", "2024-04-01T00:00:00+09:00"),
            ("2024-04-01T09:08:07Z", "2024-04-01T09:08:07+00:00"),
            ("2024-04-01T09:08:07.123+09:00", "2024-04-01T09:08:07+09:00"),
            ("2024/4/1 9:08:07 +0900", "2024-04-01T09:08:07+09:00"),
            ("1-Apr-2024 09:08:07 +0900", "2024-04-01T09:08:07+09:00"),
            (
                "Monday, April 1, 2024 9:08:07 PM",
                "2024-04-01T21:08:07+00:00",
            ),
            ("Mon, 1 Apr 2024 09:08:07 XYZ", "2024-04-01T09:08:07+00:00"),
            (
                "Mon, 1 Apr 2024 09:08:07 +9999",
                "2024-04-01T09:08:07+00:00",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "Mon, 31 Feb 2024 00:00:00 +0000",
            "1 Apr 2024 25:00:00",
            "12:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_archives_own_date_comes_first_then_received_then_date_then_the_file() {
        let now = 1_800_000_000;
        let ask = |recorded: Option<i64>, head: &str, file| {
            let recorded = recorded.map(InternalDate::utc);
            of(recorded, head.as_bytes(), file, now).map(|d| d.to_string())
        };
        let both = "Received: from a by b;\r\n Mon, 1 Apr 2024 10:00:00 +0900\r\n\
            Received: from c by a; Mon, 1 Apr 2024 09:59:00 +0900\r\n\
            Date: Mon, 1 Apr 2024 08:00:00 +0900\r\n\r\n";
        assert_eq!(
            ask(Some(1_000_000_000), both, Some(1)).as_deref(),
            Some("2001-09-09T01:46:40+00:00")
        );
        assert_eq!(
            ask(None, both, None).as_deref(),
            Some("2024-04-01T10:00:00+09:00")
        );
        // Recorded as 1970 or in the future is not recorded.
        for nonsense in [Some(0), Some(now + 200_000)] {
            assert_eq!(
                ask(nonsense, both, None).as_deref(),
                Some("2024-04-01T10:00:00+09:00")
            );
        }
        let broken = both.replace("10:00:00", "noon");
        assert_eq!(
            ask(None, &broken, None).as_deref(),
            Some("2024-04-01T09:59:00+09:00")
        );
        let date = "Subject: x\rDate: Mon, 1 Apr 2024 08:00:00 +0900\r\r";
        assert_eq!(
            ask(None, date, Some(1_000_000_000)).as_deref(),
            Some("2024-04-01T08:00:00+09:00")
        );
        assert_eq!(
            ask(None, "Date: never\n\n", Some(1_000_000_000)).as_deref(),
            Some("2001-09-09T01:46:40+00:00")
        );
        assert_eq!(ask(None, "x", None), None);
    }

    #[test]
    fn without_an_archive_the_topmost_received_counts_and_then_the_date() {
        let told = |head: &str| of(None, head.as_bytes(), None, 1_800_000_000);
        let told = |head: &str| told(head).map(|date| date.to_string());
        let date = "Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n";
        let received =
            "Received: from a by b; for c;\r\n\tThu, 1 Feb 2024 10:00:00 +0900 (JST)\r\n";
        let earlier = "Received: from x by a; Thu, 1 Feb 2024 09:00:00 +0900\r\n";
        let newest = Some("2024-02-01T10:00:00+09:00".to_owned());
        assert_eq!(told(&format!("{date}{received}{earlier}\r\n")), newest);
        assert_eq!(
            told(&format!("Received: by qmail\r\n{received}\r\n")),
            newest
        );
        assert_eq!(
            told(&format!("{date}\r\n")),
            Some("1996-07-17T02:44:25-07:00".to_owned())
        );
        assert_eq!(told(&format!("Subject: x\r\n\r\n{date}")), None);
        assert_eq!(told("Date: soon\r\n\r\n"), None);
        assert_eq!(told("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\n"), None);
        assert_eq!(told("Date: Thu, 1 Feb 2029 10:00:00 +0900\r\n\r\n"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _date = parse(&octets);
            let _arrival = of(None, &octets, None, 0);
            let now = 1_800_000_000;
            let _date = of(None, &[b"Date:", &octets[..]].concat(), None, now);
            let _received = of(None, &[b"Received: ;", &octets[..]].concat(), None, now);
        }

        #[test]
        fn what_looks_like_a_date_is_read_or_refused(text in "[0-9A-Za-z:+/ ,()T.-]{0,40}") {
            let _date = parse(text.as_bytes());
        }

        #[test]
        fn written_dates_are_read(seconds in 0i64..4_000_000_000, zone in -12i16..14) {
            let date = InternalDate { seconds, offset_minutes: zone * 60 };
            prop_assert_eq!(parse(date.to_string().as_bytes()), Some(date));
        }
    }
}
