//! INTERNALDATE (RFC 9051 §2.3.3).

use std::fmt;

/// The moment at which a message arrived, with the zone in which its server
/// named it. Two dates are the same moment when their `seconds` agree; servers
/// keep the moment and answer in their own zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InternalDate {
    /// UTC seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Minutes east of UTC, −1,439 … 1,439.
    pub offset_minutes: i16,
}

impl InternalDate {
    /// The moment in UTC.
    pub fn utc(seconds: i64) -> Self {
        Self {
            seconds,
            offset_minutes: 0,
        }
    }

    /// Calendar fields in the date's own zone:
    /// (year, month 1–12, day 1–31, hour, minute, second).
    pub fn civil(&self) -> (i64, u32, u32, u32, u32, u32) {
        // Moments beyond all calendars have fields, too: whoever made them did not ask.
        let offset = i64::from(self.offset_minutes) * 60;
        let local = self.seconds.saturating_add(offset);
        let days = local.div_euclid(86_400);
        let rest = local.rem_euclid(86_400) as u32;
        let (year, month, day) = civil_from_days(days);
        (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// From calendar fields in a zone; `None` when a field is out of its range.
    /// Second 60 counts as the first of the next minute.
    pub fn from_civil(
        (year, month, day): (i64, u32, u32),
        (hour, minute, second): (u32, u32, u32),
        offset_minutes: i16,
    ) -> Option<Self> {
        let fits = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60
            && (0..=9999).contains(&year)
            && offset_minutes.unsigned_abs() < 24 * 60;
        fits.then(|| Self {
            seconds: days_from_civil(year, month, day) * 86_400
                + i64::from(hour * 3600 + minute * 60 + second)
                - i64::from(offset_minutes) * 60,
            offset_minutes,
        })
    }
}

impl fmt::Display for InternalDate {
    /// ISO 8601 with the zone, for logs and reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let zone = self.offset_minutes.unsigned_abs();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
            zone / 60,
            zone % 60
        )
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date: years are counted from
/// March so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * from_march + 2) / 5 + 1) as u32;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    } as u32;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments() {
        for (date, time, zone, seconds) in [
            ((1970, 1, 1), (0, 0, 0), 0, 0),
            ((2000, 2, 29), (12, 0, 0), 540, 951_793_200),
            ((1996, 7, 17), (2, 44, 25), -420, 837_596_665),
            ((1969, 12, 31), (23, 59, 59), 0, -1),
        ] {
            let made = InternalDate::from_civil(date, time, zone);
            assert_eq!(made.map(|d| d.seconds), Some(seconds), "{date:?}");
        }
        assert_eq!(InternalDate::from_civil((2023, 2, 29), (0, 0, 0), 0), None);
        assert_eq!(
            InternalDate {
                seconds: 837_596_665,
                offset_minutes: -420
            }
            .to_string(),
            "1996-07-17T02:44:25-07:00"
        );
    }

    proptest! {
        #[test]
        fn civil_fields_lead_back_to_the_moment(seconds in -62_000_000_000i64..253_000_000_000, zone in -1439i16..1440) {
            let date = InternalDate { seconds, offset_minutes: zone };
            let (y, mo, d, h, mi, s) = date.civil();
            prop_assert_eq!(InternalDate::from_civil((y, mo, d), (h, mi, s), zone), Some(date));
        }
    }
}
