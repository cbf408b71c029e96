//! Numbers and sets of numbers.

use crate::response::UidRanges;

/// Most ranges that are kept of one answer: beyond the count of messages that such a
/// line can name in order, numbers are repeated.
pub(super) const MOST_RANGES: usize = 1 << 20;

/// Decimal digits only; `None` when there are none or the value exceeds 64 bits.
pub(super) fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// A sequence set without `*`, in the order in which it is written; one number that
/// is zero or beyond 32 bits spoils it. Ends of a range may stand in either order
/// (RFC 9051 §9); neighbours in ascending order are joined.
pub(super) fn ranges(text: &[u8]) -> Option<UidRanges> {
    let mut ranges = UidRanges::default();
    for part in text.split(|&b| b == b',') {
        let (low, high) = match memchr::memchr(b':', part) {
            Some(at) => (digits(&part[..at])?, digits(&part[at + 1..])?),
            None => {
                let number = digits(part)?;
                (number, number)
            }
        };
        let (low, high) = (low.min(high), low.max(high));
        if !is_message_number(low) || !is_message_number(high) {
            return None;
        }
        ranges.push(low, high);
        if ranges.0.len() > MOST_RANGES {
            return None;
        }
    }
    Some(ranges)
}

/// Whether it can be a UID or a sequence number.
pub(super) fn is_message_number(number: u64) -> bool {
    number > 0 && u32::try_from(number).is_ok()
}
