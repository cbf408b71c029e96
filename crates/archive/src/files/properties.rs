//! What holds whatever MH programs have noted.

use super::sequences::Notes;

/// Sequences up to the first zero octet, marks of Sylpheed behind it.
///
/// # Panics
/// Where the same notes tell different flags.
pub(crate) fn sequences(input: &[u8]) {
    let cut = memchr::memchr(0, input).unwrap_or(input.len());
    let read = || Notes::new(Some(&input[..cut]), input.get(cut + 1..));
    let (notes, again) = (read(), read());
    assert_eq!(notes, again);
    for number in [0, 1, 7, u32::MAX] {
        assert_eq!(notes.flags(number), again.flags(number));
    }
}
