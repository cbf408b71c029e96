//! Message flags and keywords (RFC 9051 §2.3.2).

use std::collections::BTreeSet;
use std::fmt;

/// A system flag that can be stored. `\Recent` is not among them: no client can
/// set it (RFC 3501 §2.3.2), so nobody can copy it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Flag {
    /// `\Seen`: read.
    Seen = 1,
    /// `\Answered`.
    Answered = 2,
    /// `\Flagged`.
    Flagged = 4,
    /// `\Deleted`: marked for removal by a later EXPUNGE.
    Deleted = 8,
    /// `\Draft`.
    Draft = 16,
}

impl Flag {
    /// All five, in the order in which they are written.
    pub const ALL: [Flag; 5] = [
        Flag::Seen,
        Flag::Answered,
        Flag::Flagged,
        Flag::Deleted,
        Flag::Draft,
    ];

    /// As on the wire, backslash included.
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::Seen => "\\Seen",
            Flag::Answered => "\\Answered",
            Flag::Flagged => "\\Flagged",
            Flag::Deleted => "\\Deleted",
            Flag::Draft => "\\Draft",
        }
    }
}

/// A keyword: a flag that a user or client defined, such as `$label1`.
///
/// Compared without regard to ASCII case, as servers do; the first spelling is kept.
#[derive(Clone, Debug)]
pub struct Keyword(Box<str>);

impl Keyword {
    /// Any text; whether a server can take it is the encoder's question.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As the source spelled it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|b| b.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for byte in self.folded() {
            state.write_u8(byte);
        }
    }
}

/// The flags and keywords of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    system: u8,
    keywords: BTreeSet<Keyword>,
}

impl Flags {
    /// No flag at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.system == 0 && self.keywords.is_empty()
    }

    /// Whether the system flag is set.
    pub fn has(&self, flag: Flag) -> bool {
        self.system & flag as u8 != 0
    }

    /// Sets a system flag.
    pub fn set(&mut self, flag: Flag) {
        self.system |= flag as u8;
    }

    /// Clears a system flag.
    pub fn clear(&mut self, flag: Flag) {
        self.system &= !(flag as u8);
    }

    /// Sets a keyword.
    pub fn set_keyword(&mut self, keyword: Keyword) {
        self.keywords.insert(keyword);
    }

    /// Takes one flag as servers write it. `\Recent` and unknown flags that begin
    /// with a backslash are dropped: they cannot be stored. System flags are
    /// recognised in any case.
    pub fn add_wire(&mut self, text: &str) {
        match Flag::ALL
            .into_iter()
            .find(|f| f.as_str().eq_ignore_ascii_case(text))
        {
            Some(flag) => self.set(flag),
            None if text.starts_with('\\') || text.is_empty() => {}
            None => self.set_keyword(Keyword::new(text)),
        }
    }

    /// The system flags, in writing order.
    pub fn system(&self) -> impl Iterator<Item = Flag> + '_ {
        Flag::ALL.into_iter().filter(|f| self.has(*f))
    }

    /// The keywords, in the order of their folded spelling.
    pub fn keywords(&self) -> impl Iterator<Item = &Keyword> {
        self.keywords.iter()
    }

    /// Whether the keyword is set.
    pub fn has_keyword(&self, keyword: &Keyword) -> bool {
        self.keywords.contains(keyword)
    }

    /// What is set here and not in `other`.
    pub fn minus(&self, other: &Flags) -> Flags {
        Flags {
            system: self.system & !other.system,
            keywords: self.keywords.difference(&other.keywords).cloned().collect(),
        }
    }

    /// What is set in either.
    pub fn or(&self, other: &Flags) -> Flags {
        Flags {
            system: self.system | other.system,
            keywords: self.keywords.union(&other.keywords).cloned().collect(),
        }
    }

    /// What is set in both.
    pub fn and(&self, other: &Flags) -> Flags {
        Flags {
            system: self.system & other.system,
            keywords: self
                .keywords
                .intersection(&other.keywords)
                .cloned()
                .collect(),
        }
    }

    /// Reads the canonical text (see [`fmt::Display`]).
    pub fn parse(text: &str) -> Self {
        let mut flags = Self::new();
        for word in text.split(' ').filter(|w| !w.is_empty()) {
            flags.add_wire(word);
        }
        flags
    }
}

impl fmt::Display for Flags {
    /// The canonical text: system flags in writing order, then keywords, divided
    /// by single spaces. Keywords hold no space on any wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for flag in self.system() {
            write!(f, "{gap}{}", flag.as_str())?;
            gap = " ";
        }
        for keyword in self.keywords() {
            write!(f, "{gap}{}", keyword.as_str())?;
            gap = " ";
        }
        Ok(())
    }
}

/// Which flags a destination mailbox keeps: PERMANENTFLAGS (RFC 9051 §7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermanentFlags {
    /// The flags and keywords that are named.
    pub named: Flags,
    /// `\*`: new keywords may be made by using them.
    pub any_keyword: bool,
}

impl PermanentFlags {
    /// A mailbox that keeps everything.
    pub fn everything() -> Self {
        let mut named = Flags::new();
        for flag in Flag::ALL {
            named.set(flag);
        }
        Self {
            named,
            any_keyword: true,
        }
    }

    /// Divides flags into those that are kept and those that would be lost.
    pub fn divide(&self, flags: &Flags) -> (Flags, Flags) {
        let mut kept = flags.and(&self.named);
        if self.any_keyword {
            kept.keywords.clone_from(&flags.keywords);
        }
        let lost = flags.minus(&kept);
        (kept, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_and_unknown_backslash_flags_are_not_storable() {
        let flags = Flags::parse("\\seen \\Recent $Label1 \\XYZ NonJunk");
        assert_eq!(flags.to_string(), "\\Seen $Label1 NonJunk");
    }

    #[test]
    fn keywords_ignore_case_but_keep_their_spelling() {
        let mut flags = Flags::parse("Work");
        flags.add_wire("WORK");
        assert_eq!(flags, Flags::parse("work"));
        assert_eq!(flags.to_string(), "Work");
    }

    #[test]
    fn permanent_flags_say_what_would_be_lost() {
        let permanent = PermanentFlags {
            named: Flags::parse("\\Seen \\Deleted $Label1"),
            any_keyword: false,
        };
        let (kept, lost) = permanent.divide(&Flags::parse("\\Seen \\Flagged $label1 Work"));
        assert_eq!(kept, Flags::parse("\\Seen $label1"));
        assert_eq!(lost, Flags::parse("\\Flagged Work"));
        let (_, none) = PermanentFlags::everything().divide(&Flags::parse("\\Draft x y"));
        assert!(none.is_empty());
    }
}
