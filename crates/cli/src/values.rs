//! Values of options: amounts, rates and moments as people write them.

use hikyaku_core::MailboxName;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Octets: digits with one of `K`, `M`, `G`, `T`, always in steps of 1024, with or
/// without `B` or `iB` after it. `100M` is 104,857,600.
pub(crate) fn octets(text: &str) -> Result<u64, String> {
    let wrong = || "write a number with K, M or G (steps of 1024), such as 100M".to_owned();
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let shift = match unit
        .strip_suffix("ib")
        .or(unit.strip_suffix('b'))
        .unwrap_or(&unit)
    {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(1 << shift)
        .filter(|octets| *octets > 0)
        .ok_or_else(wrong)
}

/// Octets per second; `/s` may follow.
pub(crate) fn rate(text: &str) -> Result<u64, String> {
    let text = text.trim();
    octets(text.strip_suffix("/s").unwrap_or(text))
        .map_err(|_| "write octets per second with K, M or G, such as 2M".to_owned())
}

/// A moment in UTC seconds: a day (its midnight in this computer's zone) or RFC 3339.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    moment_in(text, TimeZone::system())
}

fn moment_in(text: &str, zone: TimeZone) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_second());
    }
    let day = Date::strptime("%Y-%m-%d", text)
        .or_else(|_| Date::strptime("%Y/%m/%d", text))
        .map_err(|_| {
            "write a day such as 2024-01-31, or a moment such as 2024-01-31T09:00:00+09:00"
                .to_owned()
        })?;
    let midnight: Zoned = day.to_zoned(zone).map_err(|e| e.to_string())?;
    Ok(midnight.timestamp().as_second())
}

/// A mailbox name: levels divided by `/`, a slash inside a level as `\/`.
pub(crate) fn mailbox(text: &str) -> Result<MailboxName, String> {
    // A closing slash is a slip, unless it is escaped.
    let trimmed = match text.strip_suffix('/') {
        Some(front) if !front.ends_with('\\') => front,
        _ => text,
    };
    MailboxName::parse(trimmed).ok_or_else(|| "a folder name is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_in_steps_of_1024() {
        for (text, value) in [
            ("1", 1),
            ("100M", 100 << 20),
            ("100 MB", 100 << 20),
            ("2GiB", 2 << 30),
            ("64k", 64 << 10),
            ("1T", 1 << 40),
        ] {
            assert_eq!(octets(text), Ok(value), "{text}");
        }
        for text in ["", "0", "M", "-1", "1.5G", "1X", "99999999T", "１００M"] {
            assert!(octets(text).is_err(), "{text}");
        }
        assert_eq!(rate("2M/s"), Ok(2 << 20));
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        let tokyo = TimeZone::fixed(jiff::tz::offset(9));
        for (text, seconds) in [
            ("2024-01-31", 1_706_626_800),
            ("2024/1/31", 1_706_626_800),
            ("2024-01-31T00:00:00Z", 1_706_659_200),
            ("2024-01-31T00:00:00+09:00", 1_706_626_800),
        ] {
            assert_eq!(moment_in(text, tokyo.clone()), Ok(seconds), "{text}");
        }
        for text in ["", "2024", "2024-02-30", "31.01.2024", "yesterday"] {
            assert!(moment_in(text, tokyo.clone()).is_err(), "{text}");
        }
    }

    #[test]
    fn mailbox_names_are_read_as_they_are_listed() {
        let levels = |text: &str| mailbox(text).map(|m| m.levels().to_vec());
        assert_eq!(
            levels("受信/請求書/"),
            Ok(vec!["受信".into(), "請求書".into()])
        );
        assert_eq!(levels(r"a\/b"), Ok(vec!["a/b".into()]));
        assert!(levels("").is_err());
    }
}
