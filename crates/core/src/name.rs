//! Names of mailboxes: as people write them, and as a server spelled them.

use std::fmt;

/// The decoded path of a mailbox, level by level, without any separator.
///
/// `INBOX` is always spelled in capitals when it is the only level (RFC 9051 §5.1).
/// Text form: levels joined by `/`; a `/` inside a level is shown as `\/`, a
/// backslash as `\\`, so that the text leads back to the same levels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName {
    levels: Vec<String>,
}

impl MailboxName {
    /// From levels; `None` when there is none. Empty levels are kept, as some
    /// servers have them.
    pub fn new(levels: Vec<String>) -> Option<Self> {
        if levels.is_empty() {
            return None;
        }
        let mut name = Self { levels };
        if name.levels[0].eq_ignore_ascii_case("INBOX") {
            name.levels[0] = "INBOX".to_owned();
        }
        Some(name)
    }

    /// The one name that every account has.
    pub fn inbox() -> Self {
        Self {
            levels: vec!["INBOX".to_owned()],
        }
    }

    /// Whether this is INBOX itself.
    pub fn is_inbox(&self) -> bool {
        self.levels.len() == 1 && self.levels[0] == "INBOX"
    }

    /// The levels, outermost first; never empty.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }

    /// The innermost level.
    pub fn leaf(&self) -> &str {
        self.levels.last().map_or("", String::as_str)
    }

    /// The name without its last level, if it has more than one.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.levels.split_last()?;
        Self::new(rest.to_vec())
    }

    /// This name with one more level.
    #[must_use]
    pub fn child(&self, level: &str) -> Self {
        let mut levels = self.levels.clone();
        levels.push(level.to_owned());
        Self { levels }
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &MailboxName) -> bool {
        self.levels.starts_with(&other.levels)
    }

    /// Reads the text form; `None` for the empty text.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let mut levels = vec![String::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let level = levels.last_mut()?;
            match c {
                '\\' => match chars.next() {
                    Some(escaped @ ('/' | '\\')) => level.push(escaped),
                    Some(other) => level.extend(['\\', other]),
                    None => level.push('\\'),
                },
                '/' => levels.push(String::new()),
                _ => level.push(c),
            }
        }
        Self::new(levels)
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, level) in self.levels.iter().enumerate() {
            if n > 0 {
                f.write_str("/")?;
            }
            for c in level.chars() {
                if matches!(c, '/' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// A mailbox's name in the octets of its own server: only the adapter that made
/// it may look inside.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireName(Vec<u8>);

impl WireName {
    /// Takes the octets as they came.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WireName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireName({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(levels: &[&str]) -> MailboxName {
        MailboxName::new(levels.iter().map(|l| (*l).to_owned()).collect()).expect("levels")
    }

    #[test]
    fn text_form_leads_back_to_the_levels() {
        for levels in [
            &["受信トレイ", "請求書"][..],
            &["a/b", "c\\d", "e\\"],
            &["", "x", ""],
            &["INBOX", "INBOX"],
        ] {
            let made = name(levels);
            assert_eq!(MailboxName::parse(&made.to_string()), Some(made.clone()));
            assert_eq!(made.levels(), levels);
        }
    }

    #[test]
    fn inbox_has_one_spelling_at_the_top_only() {
        assert!(name(&["inbox"]).is_inbox());
        assert_eq!(name(&["Inbox", "inbox"]).to_string(), "INBOX/inbox");
        assert!(name(&["inbox", "x"]).is_within(&MailboxName::inbox()));
    }
}
