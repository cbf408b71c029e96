//! Sets of UIDs in commands (RFC 9051 §9, `sequence-set`).

use super::EncodeError;
use super::wire::Pen;
use hikyaku_core::{Key, KeySet};

/// Longest text of a set in one command, in octets: well inside the 8,192 octets of a
/// command line that every server should take (RFC 7162 §4).
pub(crate) const MAX_SET_OCTETS: usize = 4000;

/// Largest UID.
const MAX_UID: u64 = u32::MAX as u64;

/// Messages that a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UidSet {
    /// These. Divide large ones with [`split_set`].
    Keys(KeySet),
    /// From this UID on, `n:*`. The highest message is always among them, even when its
    /// UID is below (RFC 9051 §6.4.9).
    From(Key),
}

impl From<KeySet> for UidSet {
    fn from(keys: KeySet) -> Self {
        UidSet::Keys(keys)
    }
}

impl UidSet {
    pub(super) fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        match self {
            UidSet::Keys(keys) => write_keys(keys, pen),
            UidSet::From(Key(key @ 1..=MAX_UID)) => {
                pen.number(*key);
                pen.word(":*");
                Ok(())
            }
            UidSet::From(_) => Err(EncodeError::BadSet),
        }
    }
}

/// Writes a set that is not empty and holds UIDs only.
pub(super) fn write_keys(keys: &KeySet, pen: &mut Pen) -> Result<(), EncodeError> {
    match (keys.first(), keys.last()) {
        (Some(Key(1..)), Some(Key(..=MAX_UID))) => {
            pen.word(&keys.to_string());
            Ok(())
        }
        _ => Err(EncodeError::BadSet),
    }
}

/// Divides a set, ascending, so that the text of each part has at most `octets` octets
/// (but always at least one range).
pub(crate) fn split_set(keys: &KeySet, octets: usize) -> Vec<KeySet> {
    let mut out: Vec<KeySet> = Vec::new();
    let mut current = KeySet::new();
    let mut used = 0;
    for range in keys.ranges() {
        let piece = KeySet::range(range.clone()).to_string().len() + 1;
        if used > 0 && used + piece > octets + 1 {
            out.push(std::mem::take(&mut current));
            used = 0;
        }
        used += piece;
        current.insert_range(range);
    }
    if !current.is_empty() {
        out.push(current);
    }
    out
}
