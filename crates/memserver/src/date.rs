//! INTERNALDATE as this server reads and writes it (RFC 9051 §2.3.3).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The moment a message arrived and the zone it is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// UTC seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i16,
}

impl Date {
    /// The moment in UTC.
    pub fn utc(seconds: i64) -> Self {
        Self {
            seconds,
            offset_minutes: 0,
        }
    }

    /// The moment in another zone.
    pub fn in_zone(self, offset_minutes: i16) -> Self {
        Self {
            offset_minutes,
            ..self
        }
    }

    /// What the machine's clock says, in UTC.
    pub fn now() -> Self {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(_) => 0,
        };
        Self::utc(seconds)
    }

    /// `dd-Mon-yyyy hh:mm:ss +zzzz` without its quotes; the day may have one
    /// digit, or a space or a zero before it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim_start();
        let mut fields = text.split(' ');
        let (day, time, zone) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() {
            return None;
        }
        let days = parse_day(day.as_bytes())?;
        let mut clock = time.split(':');
        let (hour, minute, second) = (
            digits(clock.next()?, 2)?,
            digits(clock.next()?, 2)?,
            digits(clock.next()?, 2)?,
        );
        if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (sign, zone) = match zone.as_bytes().first()? {
            b'+' => (1, zone.get(1..)?),
            b'-' => (-1, zone.get(1..)?),
            _ => return None,
        };
        let zone = digits(zone, 4)?;
        let offset = sign * (zone / 100 * 60 + zone % 100);
        Some(Self {
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60,
            offset_minutes: i16::try_from(offset).ok()?,
        })
    }

    /// Days since 1970-01-01 of this date in its own zone.
    pub(crate) fn day(self) -> i64 {
        (self.seconds + i64::from(self.offset_minutes) * 60).div_euclid(86_400)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.seconds + i64::from(self.offset_minutes) * 60;
        let (year, month, day) = civil(local.div_euclid(86_400));
        let rest = local.rem_euclid(86_400);
        let zone = self.offset_minutes.unsigned_abs();
        write!(
            f,
            "{day:02}-{}-{year:04} {:02}:{:02}:{:02} {}{:02}{:02}",
            MONTHS[month],
            rest / 3600,
            rest / 60 % 60,
            rest % 60,
            if self.offset_minutes < 0 { '-' } else { '+' },
            zone / 60,
            zone % 60,
        )
    }
}

/// Days since 1970-01-01 of `d-Mon-yyyy`, as SEARCH and INTERNALDATE write it.
pub(crate) fn parse_day(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.splitn(3, '-');
    let day = digits(fields.next()?, 0)?;
    let month = fields.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let year = digits(fields.next()?, 4)?;
    let days = days_from_civil(year, month, day);
    (day >= 1 && civil(days) == (year, month, day)).then_some(days)
}

/// A number of exactly `width` digits, or of one or two when `width` is 0.
fn digits(text: &str, width: usize) -> Option<i64> {
    let fits = match width {
        0 => (1..=2).contains(&text.len()),
        n => text.len() == n,
    };
    if !fits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days since 1970-01-01; `month` counts from 0.
fn days_from_civil(year: i64, month: usize, day: i64) -> i64 {
    // Years begin in March so that the leap day comes last.
    let month = month as i64 + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// (year, month from 0, day) of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = (march + 2) % 12;
    let year = year + era * 400 + i64::from(month < 2);
    (year, usize::try_from(month).unwrap_or(0), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_and_write_the_same_moment() {
        for (text, seconds, written) in [
            (
                "01-Jan-1970 00:00:00 +0000",
                0,
                "01-Jan-1970 00:00:00 +0000",
            ),
            (
                " 9-Mar-2003 12:34:56 +0900",
                1_047_180_896,
                "09-Mar-2003 12:34:56 +0900",
            ),
            (
                "9-mar-2003 12:34:56 +0900",
                1_047_180_896,
                "09-Mar-2003 12:34:56 +0900",
            ),
            (
                "29-Feb-2000 23:59:59 -1130",
                951_910_199,
                "29-Feb-2000 23:59:59 -1130",
            ),
            (
                "31-Dec-1969 23:59:59 +0000",
                -1,
                "31-Dec-1969 23:59:59 +0000",
            ),
        ] {
            let date = Date::parse(text.as_bytes()).unwrap();
            assert_eq!(
                (date.seconds, date.to_string().as_str()),
                (seconds, written)
            );
        }
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in [
            "",
            "30-Feb-2000 00:00:00 +0000",
            "29-Feb-2001 00:00:00 +0000",
            "00-Jan-2000 00:00:00 +0000",
            "01-Foo-2000 00:00:00 +0000",
            "01-Jan-2000 24:00:00 +0000",
            "01-Jan-2000 00:00:00",
            "01-Jan-2000 00:00:00 0000",
            "01-Jan-20000 00:00:00 +0000",
            "01-Jan-2000 00:00:00 +0000 x",
            "01-Jan-2000 0:00:00 +0000",
            "01-Jan-2000 00:00:00 +é00",
        ] {
            assert_eq!(Date::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_survives() {
        for days in -146_097..146_097 {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
