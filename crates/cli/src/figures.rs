//! Numbers as people of each language read them. Sizes go in steps of 1024, like the
//! sizes of options.

use crate::words::Lang;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// With commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Octets with a unit, two or three digits.
pub(crate) fn octets(octets: u64, lang: Lang) -> String {
    let gap = match lang {
        Lang::Ja => "",
        Lang::En => " ",
    };
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut value = octets as f64;
    let mut unit = 0;
    // 999.5 would be shown as four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit > 0 && value < 9.95 {
        true => format!("{value:.1}{gap}{}", UNITS[unit]),
        false => format!("{value:.0}{gap}{}", UNITS[unit]),
    }
}

/// A length of time in its two largest units.
pub(crate) fn duration(duration: Duration, lang: Lang) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let tenths = duration.subsec_millis() / 100;
    match lang {
        Lang::Ja if hours > 0 => format!("{hours}時間{minutes}分"),
        Lang::Ja if minutes > 0 => format!("{minutes}分{rest}秒"),
        Lang::Ja => format!("{rest}.{tenths}秒"),
        Lang::En if hours > 0 => format!("{hours} h {minutes} min"),
        Lang::En if minutes > 0 => format!("{minutes} min {rest} s"),
        Lang::En => format!("{rest}.{tenths} s"),
    }
}

/// What is left, roughly: nobody believes seconds of an hour.
pub(crate) fn left(duration: Duration, lang: Lang) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds.div_ceil(60);
    match lang {
        Lang::Ja if minutes > 90 => format!("約{}時間", minutes.div_ceil(60)),
        Lang::Ja if seconds >= 60 => format!("約{minutes}分"),
        Lang::Ja => format!("約{seconds}秒"),
        Lang::En if minutes > 90 => format!("{} h", minutes.div_ceil(60)),
        Lang::En if seconds >= 60 => format!("{minutes} min"),
        Lang::En => format!("{seconds} s"),
    }
}

/// A moment (milliseconds since 1970 UTC) in this computer's zone.
pub(crate) fn moment(unix_millis: i64) -> String {
    local(unix_millis, "%Y-%m-%d %H:%M:%S")
}

/// The time of day of a moment in this computer's zone.
pub(crate) fn clock(unix_millis: i64) -> String {
    local(unix_millis, "%H:%M:%S")
}

fn local(unix_millis: i64, form: &str) -> String {
    match Timestamp::from_millisecond(unix_millis) {
        Ok(moment) => moment
            .to_zoned(TimeZone::system())
            .strftime(form)
            .to_string(),
        Err(_) => unix_millis.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_divided() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (10 << 10, "10 KB"),
            (100 << 20, "100 MB"),
            (3_435_973_837, "3.2 GB"),
            (1023 << 20, "1.0 GB"),
            (u64::MAX, "16777216 TB"),
        ] {
            assert_eq!(octets(number, Lang::En), text);
        }
        assert_eq!(octets(3_435_973_837, Lang::Ja), "3.2GB");
    }

    #[test]
    fn times_are_in_their_two_largest_units() {
        let of = |s, lang| duration(Duration::from_millis(s), lang);
        assert_eq!(of(1_450, Lang::En), "1.4 s");
        assert_eq!(of(61_000, Lang::Ja), "1分1秒");
        assert_eq!(of(3_660_000, Lang::En), "1 h 1 min");
        assert_eq!(left(Duration::from_secs(59), Lang::Ja), "約59秒");
        assert_eq!(left(Duration::from_secs(61), Lang::Ja), "約2分");
        assert_eq!(left(Duration::from_secs(6000), Lang::En), "2 h");
    }
}
