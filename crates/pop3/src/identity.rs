//! From what a server calls its messages (UIDL) to the keys by which the ledger knows them.
//!
//! A key has to be the same in every session, and an epoch has to change when keys begin to
//! mean other messages. How both are made, and why so, is in `docs/adr/0015-pop3-keys.md`:
//! - Names that are made of a generation and a number (Dovecot, Cyrus, Courier) give both.
//! - Of other names a hash is the key, behind the time where the name begins with one. Their
//!   epoch hangs on one *anchor* among them, the name with the least hash: it stays as long as
//!   most names do, and is another one when all of them are.
//! - Names that cannot be trusted give no epoch. Then content decides, in every run.

use crate::command::Number;
use hikyaku_core::{Epoch, Key};

/// Longest name that is taken for one, in octets. RFC 1939 allows 70.
const LONGEST_NAME: usize = 512;

/// Bits of an epoch, and of a key that is a hash. The engine and the ledger use the bits above.
const BITS: u64 = (1 << 62) - 1;

/// Bits of the hash behind a time.
const SHORT: u32 = 30;

/// Why messages are known by their content only, and every run reads them anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distrust {
    /// The server has no UIDL, or does not name every message.
    Missing,
    /// Unlike messages have one name.
    Repeated,
    /// The names are the positions in the mailbox: they move when a message is deleted.
    Positions,
    /// The names were all others a moment ago.
    Changed,
}

/// One message as a session numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Key for the ledger.
    pub(crate) key: Key,
    /// Number in this session.
    pub(crate) number: Number,
    /// Octets as announced.
    pub(crate) octets: u64,
}

/// What a mailbox holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Ascending by key.
    pub(crate) entries: Vec<Entry>,
    /// The generation of the keys; `None` when they do not last.
    pub(crate) epoch: Option<Epoch>,
    /// Why they do not.
    pub(crate) distrust: Option<Distrust>,
}

/// What is kept of a name.
#[derive(Clone, Copy, Debug)]
struct Name {
    number: Number,
    hash: u128,
    parts: Option<Parts>,
    seconds: Option<u32>,
    is_position: bool,
}

/// A name that says which number it is, and in which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    form: Form,
    generation: u64,
    uid: u64,
}

/// How such a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `0000000a4f3b2c1d`: Dovecot's `%08Xu%08Xv`.
    Hex,
    /// `1395846984.17`: Cyrus.
    Dotted,
    /// `UID17-1395846984`: Courier.
    Dashed,
    /// `17`: several. It names no generation.
    Bare,
}

/// Names as they come.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<Name>);

impl Names {
    /// Takes one; an unusable one is as good as none.
    pub(crate) fn take(&mut self, number: Number, name: &[u8]) {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return;
        }
        self.0.push(Name {
            number,
            hash: hash(&[name]),
            parts: parts(name),
            seconds: seconds(name),
            is_position: decimal(name) == Some(u64::from(number)),
        });
    }

    /// The keys of messages with these sizes.
    pub(crate) fn identify(mut self, mut sizes: Vec<(Number, u64)>) -> Listed {
        sizes.sort_unstable();
        self.0.sort_by_key(|name| name.number);
        self.0.dedup_by_key(|name| name.number);
        let mut wanted = sizes.iter().map(|size| size.0).peekable();
        self.0.retain(|name| {
            while wanted.next_if(|number| *number < name.number).is_some() {}
            wanted.next_if_eq(&name.number).is_some()
        });
        match self.keys(&sizes) {
            Ok((mut entries, epoch)) => {
                entries.sort_unstable_by_key(|entry| entry.key);
                Listed {
                    entries,
                    epoch: Some(epoch),
                    distrust: None,
                }
            }
            Err(why) => Listed::distrusted(sizes, why),
        }
    }

    /// Names and sizes are sorted by number; no name is for a message without a size.
    fn keys(&self, sizes: &[(Number, u64)]) -> Result<(Vec<Entry>, Epoch), Distrust> {
        let names = &self.0;
        if names.len() != sizes.len() {
            return Err(Distrust::Missing);
        }
        if !names.is_empty() && names.iter().all(|name| name.is_position) {
            return Err(Distrust::Positions);
        }
        let which = occurrences(names, sizes)?;
        let parts = common_parts(names).filter(|_| which.iter().all(|nth| *nth == 0));
        let entry = |n: usize| Entry {
            key: match parts {
                Some(_) => Key(names[n].parts.map_or(0, |parts| parts.uid)),
                None => opaque(&names[n], which[n]),
            },
            number: sizes[n].0,
            octets: sizes[n].1,
        };
        let entries: Vec<Entry> = (0..sizes.len()).map(entry).collect();
        let mut keys: Vec<Key> = entries.iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Distrust::Repeated);
        }
        let form = parts.map_or(u64::MAX, |parts| parts.form as u64);
        let generation = match parts {
            Some(parts) if parts.form != Form::Bare => u128::from(parts.generation),
            _ => anchor(names, sizes),
        };
        let told = hash(&[b"epoch", &form.to_be_bytes(), &generation.to_be_bytes()]);
        Ok((entries, Epoch((told as u64 & BITS).max(1))))
    }
}

impl Listed {
    /// Messages whose keys are their positions: good for one look.
    pub(crate) fn distrusted(sizes: Vec<(Number, u64)>, why: Distrust) -> Self {
        let entry = |(number, octets): (Number, u64)| Entry {
            key: Key(number.into()),
            number,
            octets,
        };
        Self {
            entries: sizes.into_iter().map(entry).collect(),
            epoch: None,
            distrust: Some(why),
        }
    }

    /// The same with keys that are not trusted.
    pub(crate) fn distrust(self, why: Distrust) -> Self {
        let mut sizes: Vec<_> = self.entries.iter().map(|e| (e.number, e.octets)).collect();
        sizes.sort_unstable();
        Self::distrusted(sizes, why)
    }

    /// Whether there is mail in both and no key is in both: then names do not last.
    pub(crate) fn is_unlike(&self, earlier: &[Key]) -> bool {
        let is_known = |entry: &Entry| earlier.binary_search(&entry.key).is_ok();
        self.epoch.is_some()
            && !earlier.is_empty()
            && !self.entries.is_empty()
            && !self.entries.iter().any(is_known)
    }
}

/// How many messages before this one have the same name. RFC 1939 §7 lets identical messages
/// share one; messages that are not even of one size are not identical.
fn occurrences(names: &[Name], sizes: &[(Number, u64)]) -> Result<Vec<u32>, Distrust> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|n| (names[*n].hash, *n));
    let mut nth = vec![0; names.len()];
    for pair in order.windows(2) {
        let (before, this) = (pair[0], pair[1]);
        if names[before].hash == names[this].hash {
            if sizes[before].1 != sizes[this].1 {
                return Err(Distrust::Repeated);
            }
            nth[this] = nth[before] + 1;
        }
    }
    Ok(nth)
}

/// Form and generation, where all names have the same.
fn common_parts(names: &[Name]) -> Option<Parts> {
    let first = names.first()?.parts?;
    let is_same = |name: &Name| {
        name.parts
            .is_some_and(|p| (p.form, p.generation) == (first.form, first.generation))
    };
    names.iter().all(is_same).then_some(first)
}

/// The name with the least hash, and the size of its message: names that are bare numbers may
/// be given out again, to other messages.
fn anchor(names: &[Name], sizes: &[(Number, u64)]) -> u128 {
    let sized = names
        .iter()
        .zip(sizes)
        .map(|(name, size)| (name.hash, size.1));
    let Some((name, octets)) = sized.min() else {
        return 0;
    };
    hash(&[&name.to_be_bytes(), &octets.to_be_bytes()])
}

fn opaque(name: &Name, nth: u32) -> Key {
    let hash = hash(&[&name.hash.to_be_bytes(), &nth.to_be_bytes()]) as u64;
    Key(match name.seconds {
        Some(seconds) => (u64::from(seconds) << SHORT) | (hash & ((1 << SHORT) - 1)),
        None => (1 << 62) | (hash & BITS),
    })
}

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(first)
}

/// What a name is made of. Each name of a form has exactly one such reading, and each reading
/// is of exactly one name.
fn parts(name: &[u8]) -> Option<Parts> {
    let found = |form, generation, uid| Parts {
        form,
        generation,
        uid,
    };
    let small = |number: u64| u32::try_from(number).is_ok();
    if let (16, Some(uid), Some(generation)) = (name.len(), hex(name.get(..8)?), hex(&name[8..])) {
        return (uid > 0).then(|| found(Form::Hex, generation, uid));
    }
    if let Some(uid) = decimal(name) {
        return (0 < uid && uid <= BITS).then(|| found(Form::Bare, 0, uid));
    }
    let divided = |octets: &[u8], mark: u8| {
        let at = octets.iter().position(|b| *b == mark)?;
        Some((decimal(&octets[..at])?, decimal(&octets[at + 1..])?))
    };
    let parts = match name.strip_prefix(b"UID") {
        Some(rest) => divided(rest, b'-').map(|(uid, gen_)| found(Form::Dashed, gen_, uid)),
        None => divided(name, b'.').map(|(gen_, uid)| found(Form::Dotted, gen_, uid)),
    };
    parts.filter(|parts| parts.uid > 0 && small(parts.uid) && small(parts.generation))
}

/// Eight lower-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u64> {
    let is_digit = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    if digits.len() != 8 || !digits.iter().all(is_digit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A number as it is written without leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit)
        && (digits == b"0" || digits.first().is_some_and(|b| *b != b'0'));
    is_plain
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
        .flatten()
}

/// The time at which a name begins, as names of Maildir files do: then keys are in the order
/// in which mail came.
fn seconds(name: &[u8]) -> Option<u32> {
    let end = name.iter().position(|b| !b.is_ascii_digit())?;
    (9..=10)
        .contains(&end)
        .then(|| decimal(&name[..end]))
        .flatten()?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests;
