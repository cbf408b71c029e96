//! Moments in this computer's zone. How figures are written is the text's business.

use hikyaku_core::InternalDate;
use hikyaku_text::Until;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A moment (milliseconds since 1970 UTC) in this computer's zone.
pub(crate) fn local(unix_millis: i64) -> InternalDate {
    let seconds = unix_millis.div_euclid(1000);
    let offset = Timestamp::from_second(seconds).map(|moment| TimeZone::system().to_offset(moment));
    let minutes = offset.map_or(0, |offset| offset.seconds() / 60);
    InternalDate {
        seconds,
        offset_minutes: i16::try_from(minutes).unwrap_or(0),
    }
}

/// A moment to come, seen from another.
pub(crate) fn until(unix_millis: i64, now_millis: i64) -> Until {
    Until {
        at: local(unix_millis),
        now: local(now_millis),
    }
}

/// A record of a moment, down to the second: `2026-11-22 09:05:00`.
pub(crate) fn record(unix_millis: i64) -> String {
    let (year, month, day, hour, minute, second) = local(unix_millis).civil();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
