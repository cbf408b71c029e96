//! Keys of messages inside one mailbox, and sets of them.

use std::fmt;
use std::ops::RangeInclusive;

/// A message's key inside one mailbox and one [`Epoch`]: an IMAP UID, an offset
/// in an archive. Ascending keys are the mailbox's own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u64);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation of a mailbox's keys: UIDVALIDITY (RFC 9051 §2.3.1.1) or an
/// archive's equivalent. Keys of different epochs have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of keys as sorted, disjoint, non-adjacent inclusive ranges.
///
/// Its text form is the sequence set of RFC 9051 §9 (`1:3,7`), which is also how
/// the ledger stores it. Memory is 16 octets per range, so a mailbox of a million
/// messages without gaps costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    ranges: Vec<(u64, u64)>,
}

impl KeySet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of the keys of one range; empty when the range is.
    pub fn range(range: RangeInclusive<u64>) -> Self {
        let mut set = Self::new();
        if !range.is_empty() {
            set.ranges.push((*range.start(), *range.end()));
        }
        set
    }

    /// Whether there is no key in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many keys there are.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(low, high)| high - low + 1).sum()
    }

    /// The lowest key.
    pub fn first(&self) -> Option<Key> {
        self.ranges.first().map(|r| Key(r.0))
    }

    /// The highest key.
    pub fn last(&self) -> Option<Key> {
        self.ranges.last().map(|r| Key(r.1))
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> + '_ {
        self.ranges.iter().map(|&(low, high)| low..=high)
    }

    /// All keys, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Key> + '_ {
        self.ranges().flatten().map(Key)
    }

    /// Whether the key is in the set; O(log ranges).
    pub fn contains(&self, key: Key) -> bool {
        let at = self.ranges.partition_point(|&(_, high)| high < key.0);
        self.ranges.get(at).is_some_and(|&(low, _)| low <= key.0)
    }

    /// Adds one key; O(1) when keys come in ascending order.
    pub fn insert(&mut self, key: Key) {
        self.insert_range(key.0..=key.0);
    }

    /// Adds all keys of a range.
    pub fn insert_range(&mut self, range: RangeInclusive<u64>) {
        if range.is_empty() {
            return;
        }
        let (low, high) = (*range.start(), *range.end());
        match self.ranges.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(low) => {
                last.1 = high;
                return;
            }
            Some(last) if last.1 >= low => {}
            _ => {
                self.ranges.push((low, high));
                return;
            }
        }
        // Somewhere in the middle: replace every range that touches this one.
        let start = self
            .ranges
            .partition_point(|&(_, h)| h.saturating_add(1) < low);
        let end = self
            .ranges
            .partition_point(|&(l, _)| l <= high.saturating_add(1));
        let mut merged = (low, high);
        if let Some(first) = self.ranges.get(start).filter(|_| start < end) {
            merged.0 = merged.0.min(first.0);
        }
        if start < end {
            merged.1 = merged.1.max(self.ranges[end - 1].1);
        }
        self.ranges.splice(start..end, [merged]);
    }

    /// Takes one key out; whether it was there.
    pub fn remove(&mut self, key: Key) -> bool {
        let at = self.ranges.partition_point(|&(_, high)| high < key.0);
        let Some(&(low, high)) = self.ranges.get(at).filter(|r| r.0 <= key.0) else {
            return false;
        };
        let left = (low < key.0).then(|| (low, key.0 - 1));
        let right = (key.0 < high).then(|| (key.0 + 1, high));
        self.ranges.splice(at..=at, left.into_iter().chain(right));
        true
    }

    /// The keys that are here and not in `other`.
    pub fn minus(&self, other: &KeySet) -> KeySet {
        let mut out = KeySet::new();
        let mut theirs = other.ranges.iter().peekable();
        for &(low, high) in &self.ranges {
            let mut from = low;
            loop {
                while theirs.peek().is_some_and(|r| r.1 < from) {
                    theirs.next();
                }
                match theirs.peek() {
                    Some(&&(l, h)) if l <= high => {
                        if l > from {
                            out.ranges.push((from, l - 1));
                        }
                        if h >= high {
                            break;
                        }
                        from = h + 1;
                    }
                    _ => {
                        out.ranges.push((from, high));
                        break;
                    }
                }
            }
        }
        out
    }

    /// The keys that are in both.
    pub fn and(&self, other: &KeySet) -> KeySet {
        let mut out = KeySet::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.ranges.get(i), other.ranges.get(j)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                out.ranges.push((low, high));
            }
            if a.1 < b.1 {
                i += 1;
            } else {
                j += 1;
            }
        }
        out
    }

    /// Adds all keys of the other set.
    pub fn extend(&mut self, other: &KeySet) {
        for range in other.ranges() {
            self.insert_range(range);
        }
    }

    /// The first `count` keys; the rest stays here.
    pub fn take_front(&mut self, count: u64) -> KeySet {
        let mut front = KeySet::new();
        let mut left = count;
        while left > 0 && !self.ranges.is_empty() {
            let (low, high) = self.ranges[0];
            let here = high - low + 1;
            if here <= left {
                front.ranges.push((low, high));
                self.ranges.remove(0);
                left -= here;
            } else {
                front.ranges.push((low, low + left - 1));
                self.ranges[0].0 = low + left;
                left = 0;
            }
        }
        front
    }

    /// Splits into sets of at most `size` keys each, ascending.
    pub fn windows(&self, size: u64) -> Vec<KeySet> {
        let mut out = Vec::new();
        let mut current = KeySet::new();
        let mut room = size.max(1);
        for &(low, high) in &self.ranges {
            let mut from = low;
            loop {
                let take = room.min(high - from + 1);
                current.ranges.push((from, from + take - 1));
                room -= take;
                if room == 0 {
                    out.push(std::mem::take(&mut current));
                    room = size.max(1);
                }
                if from + (take - 1) == high {
                    break;
                }
                from += take;
            }
        }
        if !current.is_empty() {
            out.push(current);
        }
        out
    }

    /// Reads the text form (`1:3,7`); the empty text is the empty set.
    ///
    /// `None` for anything else, a descending range included.
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::new();
        if text.is_empty() {
            return Some(set);
        }
        for part in text.split(',') {
            let (low, high) = part.split_once(':').unwrap_or((part, part));
            let (low, high) = (low.parse().ok()?, high.parse().ok()?);
            if low > high {
                return None;
            }
            set.insert_range(low..=high);
        }
        Some(set)
    }
}

impl FromIterator<Key> for KeySet {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let mut set = Self::new();
        for key in keys {
            set.insert(key);
        }
        set
    }
}

impl fmt::Display for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, &(low, high)) in self.ranges.iter().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            if low == high {
                write!(f, "{low}")?;
            } else {
                write!(f, "{low}:{high}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn model(set: &KeySet) -> BTreeSet<u64> {
        set.iter().map(|k| k.0).collect()
    }

    fn keys() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0u64..60, 0..40)
    }

    proptest! {
        #[test]
        fn set_operations_agree_with_a_plain_set(a in keys(), b in keys(), n in 1u64..20) {
            let (sa, sb): (KeySet, KeySet) =
                (a.iter().copied().map(Key).collect(), b.iter().copied().map(Key).collect());
            let (ma, mb): (BTreeSet<u64>, BTreeSet<u64>) = (a.into_iter().collect(), b.into_iter().collect());
            prop_assert_eq!(model(&sa), ma.clone());
            prop_assert_eq!(sa.len(), ma.len() as u64);
            prop_assert_eq!(model(&sa.minus(&sb)), ma.difference(&mb).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(model(&sa.and(&sb)), ma.intersection(&mb).copied().collect::<BTreeSet<_>>());
            let mut union = sa.clone();
            union.extend(&sb);
            prop_assert_eq!(model(&union), ma.union(&mb).copied().collect::<BTreeSet<_>>());
            let windows = sa.windows(n);
            prop_assert!(windows.iter().all(|w| w.len() <= n && !w.is_empty()));
            prop_assert_eq!(windows.iter().flat_map(model).collect::<Vec<_>>(), ma.iter().copied().collect::<Vec<_>>());
            let mut rest = sa.clone();
            let front = rest.take_front(n);
            prop_assert_eq!(front.len(), n.min(ma.len() as u64));
            prop_assert!(front.last() < rest.first() || rest.is_empty() || front.is_empty());
            prop_assert_eq!(KeySet::parse(&sa.to_string()), Some(sa.clone()));
            for key in 0..60 {
                prop_assert_eq!(sa.contains(Key(key)), ma.contains(&key));
                let mut without = sa.clone();
                prop_assert_eq!(without.remove(Key(key)), ma.contains(&key));
                prop_assert!(!without.contains(Key(key)));
                prop_assert_eq!(without.len() + u64::from(ma.contains(&key)), ma.len() as u64);
            }
            // Ranges never touch: the text form is canonical.
            prop_assert!(sa.ranges.windows(2).all(|w| w[0].1 + 1 < w[1].0));
        }
    }

    #[test]
    fn text_form_refuses_what_is_not_a_set() {
        for bad in ["x", "1:", "3:1", "1,,2", "*", "-1"] {
            assert_eq!(KeySet::parse(bad), None, "{bad}");
        }
    }
}
