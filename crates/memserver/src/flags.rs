//! Message flags: the five a client can store, and keywords (RFC 9051 §2.3.2).

use std::collections::BTreeSet;
use std::sync::Arc;

/// The storable system flags in the order in which this server tells them.
pub(crate) const SYSTEM: [&str; 5] = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];

const DELETED: u8 = 1 << 2;
const SEEN: u8 = 1 << 3;

/// The flags of one message. Keywords compare without regard to case and keep
/// the spelling in which their mailbox first saw them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    system: u8,
    keywords: Vec<Arc<str>>,
}

impl PartialEq for Flags {
    fn eq(&self, other: &Self) -> bool {
        self.system == other.system
            && self.keywords.len() == other.keywords.len()
            && self.keywords.iter().all(|k| other.has_keyword(k))
    }
}

impl Flags {
    /// From the names as a test or a client writes them; `\Recent` and unknown
    /// system flags are left out.
    pub(crate) fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut flags = Self::default();
        for name in names {
            flags.insert(name.as_ref());
        }
        flags
    }

    /// Sets one flag by name.
    pub(crate) fn insert(&mut self, name: &str) {
        if let Some(bit) = system_bit(name) {
            self.system |= bit;
        } else if !name.starts_with('\\') && !self.has_keyword(name) {
            self.keywords.push(Arc::from(name));
        }
    }

    pub(crate) fn seen(&self) -> bool {
        self.system & SEEN != 0
    }

    pub(crate) fn deleted(&self) -> bool {
        self.system & DELETED != 0
    }

    /// True when the flag or keyword of this name is set.
    pub(crate) fn has(&self, name: &str) -> bool {
        match system_bit(name) {
            Some(bit) => self.system & bit != 0,
            None => self.has_keyword(name),
        }
    }

    fn has_keyword(&self, name: &str) -> bool {
        self.keywords.iter().any(|k| k.eq_ignore_ascii_case(name))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.system |= other.system;
        for keyword in &other.keywords {
            if !self.has_keyword(keyword) {
                self.keywords.push(keyword.clone());
            }
        }
    }

    pub(crate) fn remove(&mut self, other: &Self) {
        self.system &= !other.system;
        self.keywords.retain(|k| !other.has_keyword(k));
    }

    /// Keeps only what `allowed` names; `\*` there allows every keyword.
    pub(crate) fn restrict(&mut self, allowed: &[String]) {
        let any = allowed.iter().any(|a| a == "\\*");
        let named = Self::of(allowed);
        self.system &= named.system;
        self.keywords.retain(|k| any || named.has_keyword(k));
    }

    pub(crate) fn keywords_mut(&mut self) -> &mut Vec<Arc<str>> {
        &mut self.keywords
    }

    /// The names of the set flags, system flags first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let system = SYSTEM.iter().enumerate();
        system
            .filter(|(i, _)| self.system & (1 << i) != 0)
            .map(|(_, name)| *name)
            .chain(self.keywords.iter().map(AsRef::as_ref))
    }

    pub(crate) fn system_names(&self) -> BTreeSet<String> {
        self.names()
            .filter(|n| n.starts_with('\\'))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn keyword_names(&self) -> BTreeSet<String> {
        self.keywords.iter().map(|k| k.to_string()).collect()
    }
}

fn system_bit(name: &str) -> Option<u8> {
    let at = SYSTEM.iter().position(|s| s.eq_ignore_ascii_case(name))?;
    Some(1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_a_set_without_case() {
        let mut flags = Flags::of(["\\seen", "Work", "WORK", "\\Recent", "$Junk"]);
        assert_eq!(
            flags.names().collect::<Vec<_>>(),
            ["\\Seen", "Work", "$Junk"]
        );
        flags.remove(&Flags::of(["work", "\\Flagged"]));
        flags.add(&Flags::of(["\\Draft", "$junk"]));
        assert_eq!(flags, Flags::of(["$JUNK", "\\Draft", "\\Seen"]));
        flags.restrict(&["\\Seen".to_owned(), "\\*".to_owned()]);
        assert_eq!(flags, Flags::of(["$JUNK", "\\Seen"]));
    }
}
