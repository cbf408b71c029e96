//! INTERNALDATE as servers write it (RFC 9051 §9, `date-time`).

use super::number::digits;
use hikyaku_core::InternalDate;

/// Reads `17-Jul-1996 02:44:25 -0700`. The day may have one digit, with or without
/// a blank or zero before it; a missing zone counts as UTC. `None` for anything else and for
/// days that no calendar has.
pub(crate) fn internal_date(text: &[u8]) -> Option<InternalDate> {
    let text = text.trim_ascii();
    let (day, rest) = split(text, b'-')?;
    let (month, rest) = split(rest, b'-')?;
    let (year, rest) = split(rest, b' ')?;
    let rest = rest.trim_ascii_start();
    let (time, zone) = split(rest, b' ').unwrap_or((rest, b""));
    let (hour, time) = split(time, b':')?;
    let (minute, second) = split(time, b':')?;
    let month = month_number(month)?;
    if year.len() != 4 || day.len() > 2 {
        return None;
    }
    InternalDate::from_civil(
        (i64::from(small(year)?), month, small(day)?),
        (small(hour)?, small(minute)?, small(second)?),
        offset_minutes(zone.trim_ascii())?,
    )
}

/// 1 to 12, of an English name in any case.
fn month_number(name: &[u8]) -> Option<u32> {
    let &[a, b, c] = name else { return None };
    let name = [a, b, c].map(|octet| octet.to_ascii_lowercase());
    Some(match &name {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|&octet| octet == at)?;
    Some((&text[..place], &text[place + 1..]))
}

fn small(text: &[u8]) -> Option<u32> {
    digits(text)?.try_into().ok()
}

fn offset_minutes(zone: &[u8]) -> Option<i16> {
    if zone.is_empty() || zone.eq_ignore_ascii_case(b"GMT") || zone.eq_ignore_ascii_case(b"UTC") {
        return Some(0);
    }
    let (sign, hhmm) = zone.split_first()?;
    if hhmm.len() != 4 {
        return None;
    }
    let (hours, minutes) = (small(&hhmm[..2])?, small(&hhmm[2..])?);
    let offset = i16::try_from(hours * 60 + minutes).ok()?;
    match sign {
        b'+' => Some(offset),
        b'-' => Some(-offset),
        _ => None,
    }
}
