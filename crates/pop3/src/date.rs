//! When a message arrived. POP3 does not tell, so its own header has to: the topmost Received
//! was written by the server that took it last, Date by whoever sent it.

use hikyaku_core::InternalDate;
use hikyaku_core::identity::header_fields;
use mail_parser::DateTime;

/// 1980-01-01: before there was mail that a POP3 server keeps today.
const FIRST: i64 = 315_532_800;

/// A day, in seconds: how far clocks may be ahead.
const DAY: i64 = 86_400;

/// From the beginning of a message; `now` in seconds since 1970 UTC. A moment at which nobody
/// can have received it does not count.
pub(crate) fn arrival(head: &[u8], now: i64) -> Option<InternalDate> {
    let is_plausible =
        |date: &InternalDate| (FIRST..=now.saturating_add(DAY)).contains(&date.seconds);
    let date = |value| date(value).filter(is_plausible);
    let mut sent = None;
    for (name, value) in header_fields(head) {
        if name.eq_ignore_ascii_case(b"received") {
            // RFC 5321 §4.4: the date follows the last semicolon.
            let at = memchr::memrchr(b';', value).map(|at| at + 1);
            if let Some(date) = at.and_then(|at| date(&value[at..])) {
                return Some(date);
            }
        } else if name.eq_ignore_ascii_case(b"date") && sent.is_none() {
            sent = date(value);
        }
    }
    sent
}

fn date(value: &[u8]) -> Option<InternalDate> {
    let text = String::from_utf8_lossy(value);
    let date = DateTime::parse_rfc822(text.trim()).filter(DateTime::is_valid)?;
    let zone = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
    InternalDate::from_civil(
        (date.year.into(), date.month.into(), date.day.into()),
        (date.hour.into(), date.minute.into(), date.second.into()),
        if date.tz_before_gmt { -zone } else { zone },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000;

    fn of(head: &str) -> Option<String> {
        arrival(head.as_bytes(), NOW).map(|date| date.to_string())
    }

    #[test]
    fn the_topmost_received_counts_and_then_the_date() {
        let date = "Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n";
        let received =
            "Received: from a by b; for c;\r\n\tThu, 1 Feb 2024 10:00:00 +0900 (JST)\r\n";
        let earlier = "Received: from x by a; Thu, 1 Feb 2024 09:00:00 +0900\r\n";
        let newest = Some("2024-02-01T10:00:00+09:00".to_owned());
        assert_eq!(of(&format!("{date}{received}{earlier}\r\n")), newest);
        assert_eq!(of(&format!("Received: by qmail\r\n{received}\r\n")), newest);
        assert_eq!(
            of(&format!("{date}\r\n")),
            Some("1996-07-17T02:44:25-07:00".to_owned())
        );
        assert_eq!(of(&format!("Subject: x\r\n\r\n{date}")), None);
        assert_eq!(of("Date: soon\r\n\r\n"), None);
        assert_eq!(of("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\n"), None);
        assert_eq!(of("Date: Thu, 1 Feb 2029 10:00:00 +0900\r\n\r\n"), None);
    }

    proptest! {
        #[test]
        fn any_header_is_looked_at(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            arrival(&octets, NOW);
            arrival(&[b"Date:", &octets[..]].concat(), NOW);
            arrival(&[b"Received: ;", &octets[..]].concat(), NOW);
        }
    }
}
