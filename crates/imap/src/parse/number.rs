//! Numbers and sets of numbers.

use crate::response::UidRanges;

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
    let mut ranges = Ranges::default();
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
    }
    Some(ranges.0)
}

/// Whether it can be a UID or a sequence number.
pub(super) fn is_message_number(number: u64) -> bool {
    number > 0 && u32::try_from(number).is_ok()
}

/// Ranges on their way in.
#[derive(Default)]
pub(super) struct Ranges(pub(super) UidRanges);

impl Ranges {
    pub(super) fn push(&mut self, low: u64, high: u64) {
        match self.0.0.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(low) => last.1 = high,
            _ => self.0.0.push((low, high)),
        }
    }
}
