//! INTERNALDATE between the wire's text (RFC 3501 §9, date-time) and UTC seconds.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `" 9-Mar-2003 07:00:00 +0900"` as seconds since 1970 in UTC; `None` when it is not of that form.
pub fn parse(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let day: i64 = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(month))?;
    let year: i64 = date.next()?.parse().ok()?;
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (zone_hours, zone_minutes) = digits.split_at_checked(2)?;
    let offset =
        sign * (zone_hours.parse::<i64>().ok()? * 3600 + zone_minutes.parse::<i64>().ok()? * 60);
    Some(days(year, month as i64 + 1, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Writes UTC seconds as a quoted-string's content in the zone `+0000`.
pub fn format(seconds: i64) -> String {
    let (day_number, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // A first guess that is never too late.
    let mut year = 1970 + day_number.div_euclid(if day_number < 0 { 365 } else { 366 });
    while days(year + 1, 1, 1) <= day_number {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day_number {
        month += 1;
    }
    let day = day_number - days(year, month, 1) + 1;
    let name = MONTHS
        .get(usize::try_from(month - 1).unwrap_or_default())
        .copied()
        .unwrap_or("Jan");
    format!(
        "{day:2}-{name}-{year:04} {:02}:{:02}:{:02} +0000",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Days from 1 January 1970 to the given day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let leaps = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let in_year = before
        .get(usize::try_from(month - 1).unwrap_or_default())
        .copied()
        .unwrap_or(0)
        + i64::from(leap && month > 2)
        + day
        - 1;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + in_year
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn dates_become_utc_seconds() {
        for (text, seconds) in [
            (" 1-Jan-1970 00:00:00 +0000", 0),
            ("17-Jul-1996 02:44:25 -0700", 837_596_665),
            (" 9-Mar-2003 07:00:00 +0900", 1_047_160_800),
            ("29-Feb-2000 23:59:59 +0000", 951_868_799),
            ("31-Dec-2049 23:59:00 -1200", 2_524_651_140),
            ("31-Dec-1969 23:59:59 +0000", -1),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(parse(&format(seconds)), Some(seconds), "{text}");
        }
        assert_eq!(parse("yesterday"), None);
        assert_eq!(format(951_868_799), "29-Feb-2000 23:59:59 +0000");
    }
}
