//! Sequence sets (RFC 9051 §9, sequence-set).

/// `*` stands for the largest number in use.
const STAR: u32 = u32::MAX;

/// Ranges as the client wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SequenceSet(Vec<(u32, u32)>);

impl SequenceSet {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let number = |text: &[u8]| -> Option<u32> {
            if text == b"*" {
                return Some(STAR);
            }
            let text = std::str::from_utf8(text).ok()?;
            let plain = !text.starts_with('+');
            text.parse().ok().filter(|n| plain && *n != 0)
        };
        let mut ranges = Vec::new();
        for part in text.split(|b| *b == b',') {
            let (from, to) = match memchr::memchr(b':', part) {
                Some(colon) => (number(&part[..colon])?, number(&part[colon + 1..])?),
                None => (number(part)?, number(part)?),
            };
            ranges.push((from, to));
        }
        Some(Self(ranges))
    }

    /// The numbers as ascending ranges that do not touch, `*` being `largest`.
    /// A range to `*` always contains `largest` (RFC 9051 §9, seq-range).
    pub(crate) fn ranges(&self, largest: u32) -> Vec<(u32, u32)> {
        let value = |n| if n == STAR { largest } else { n };
        let mut all: Vec<(u32, u32)> = self.0.iter().map(|(a, b)| (value(*a), value(*b))).collect();
        for (a, b) in &mut all {
            if *a > *b {
                std::mem::swap(a, b);
            }
        }
        merge(all)
    }
}

/// Sorts ranges and joins those that overlap or touch.
pub(crate) fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// The numbers of an ascending list that lie in ascending ranges.
pub(crate) fn within(numbers: &[u32], ranges: &[(u32, u32)]) -> Vec<u32> {
    let mut found = Vec::new();
    for (from, to) in ranges {
        let start = numbers.partition_point(|n| n < from);
        let end = numbers.partition_point(|n| n <= to);
        found.extend_from_slice(&numbers[start..end]);
    }
    found
}

/// The shortest sequence set of numbers in ascending order.
pub(crate) fn compact(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for n in numbers {
        match ranges.last_mut() {
            Some(last) if n == last.1.wrapping_add(1) => last.1 = n,
            _ => ranges.push((n, n)),
        }
    }
    let parts = ranges.iter().map(|(a, b)| match a == b {
        true => a.to_string(),
        false => format!("{a}:{b}"),
    });
    parts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_become_ascending_ranges() {
        for (text, largest, expected) in [
            ("1", 9, vec![(1, 1)]),
            ("3:1,7", 9, vec![(1, 3), (7, 7)]),
            ("2:*", 9, vec![(2, 9)]),
            ("12:*", 9, vec![(9, 12)]),
            ("*", 9, vec![(9, 9)]),
            ("1:2,3:5,5:6", 9, vec![(1, 6)]),
        ] {
            assert_eq!(
                SequenceSet::parse(text.as_bytes()).unwrap().ranges(largest),
                expected,
                "{text}"
            );
        }
        for bad in ["", "0", "1:", ":1", "a", "1,,2", "4294967296", "+1"] {
            assert_eq!(SequenceSet::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_found_and_written_as_ranges() {
        assert_eq!(within(&[1, 2, 5, 9], &[(2, 4), (6, 20)]), [2, 9]);
        assert_eq!(compact([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(compact([]), "");
    }
}
