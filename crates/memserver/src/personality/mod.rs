//! What a server is like, as data: its words, its abilities and its habits.
//!
//! Nothing here decides; the session asks. The presets follow what was measured
//! on real servers and can be changed field by field.

mod presets;

use crate::date::Date;

/// Everything in which this server differs from another. Start from a preset
/// and change what the test is about.
#[derive(Clone, Debug)]
pub struct Personality {
    /// For the people who read a failing test.
    pub name: &'static str,
    /// Text of the greeting.
    pub greeting: String,
    /// The answer to ID; `None` answers `NIL`.
    pub id: Option<Vec<(String, String)>>,
    /// Hierarchy separator; `None` is a flat server (LIST tells NIL).
    pub separator: Option<u8>,
    /// Personal prefix with its separator, for example `INBOX.`; may be empty.
    pub prefix: String,
    /// The namespaces of other users and the shared ones, as NAMESPACE tells them.
    pub foreign_namespaces: String,
    /// What CAPABILITY tells after login. A command whose capability is missing
    /// here is unknown to the server.
    pub capabilities: Vec<String>,
    /// What it tells before login, besides STARTTLS, LOGINDISABLED and AUTH=;
    /// `None`: the same as after.
    pub early_capabilities: Option<Vec<String>>,
    /// SASL mechanisms, told as `AUTH=…` before login.
    pub mechanisms: Vec<String>,
    /// Whether the greeting carries the capabilities.
    pub greets_with_capabilities: bool,
    /// Whether the answer to a login carries the capabilities.
    pub login_tells_capabilities: bool,
    /// The answer to an unknown command.
    pub unknown: Refusal,
    /// The answer to a command whose arguments make no sense.
    pub malformed: Refusal,
    /// The answer to a wrong password or token.
    pub login_failed: Refusal,
    /// The answer to one connection too many of one account; `None`: it closes.
    pub too_many: Option<Refusal>,
    /// The answer to a command that names a missing mailbox.
    pub no_mailbox: Refusal,
    /// What becomes of a literal that follows a command line already answered BAD.
    pub after_bad: AfterBad,
    /// What happens to message octets at APPEND.
    pub rewriting: Rewriting,
    /// Which mailbox names are taken.
    pub names: NameRules,
    /// What happens to INTERNALDATE.
    pub dates: DateRules,
    /// Over the quota of the account.
    pub over_quota: Limit,
    /// Over the size limit of one message.
    pub too_big: Limit,
    /// GETQUOTAROOT of an account without a limit.
    pub unlimited: Unlimited,
    /// Whether STATUS leaves out items it does not know instead of refusing.
    pub status_omits_unknown: bool,
    /// Whether SUBSCRIBE of a missing mailbox is refused.
    pub subscribe_needs_mailbox: bool,
    /// Whether `CREATE name (USE (…))` without the capability answers OK and
    /// ignores the attribute, instead of refusing.
    pub create_ignores_use: bool,
    /// Whether the LIST order is that of creation instead of sorted.
    pub unsorted_list: bool,
    /// How UIDVALIDITY is told.
    pub epochs: Epochs,
    /// Added to RFC822.SIZE wherever it is told: some servers estimate.
    pub size_error: i64,
    /// Whether FETCH tells UID last instead of where it was asked for.
    pub uid_last: bool,
    /// Whether a 64-bit `MODSEQ` and `X-GM-…` world exists where mailboxes are
    /// labels on one store and equal messages are kept once.
    pub gmail: bool,
}

/// A tagged answer that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// NO or BAD.
    pub bad: bool,
    /// Text after the status, response code included: `[TRYCREATE] …`.
    pub text: String,
}

impl Refusal {
    /// `NO text`.
    pub fn no(text: impl Into<String>) -> Self {
        Self {
            bad: false,
            text: text.into(),
        }
    }

    /// `BAD text`.
    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            bad: true,
            text: text.into(),
        }
    }
}

/// What becomes of a non-synchronising literal after its line was answered BAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterBad {
    /// Its octets are read as the next commands (measured on Dovecot).
    RunsAsCommands,
    /// Its octets are read and forgotten.
    Swallows,
    /// The connection is closed.
    Closes,
}

/// What happens to some octets of a message at APPEND.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Octets {
    /// Kept as they are.
    Keep,
    /// Replaced or mended as the field says.
    Change,
    /// The message is refused with `NO`.
    Refuse,
}

/// What APPEND does to messages.
#[derive(Clone, Debug)]
pub struct Rewriting {
    /// LF without CR before it; changed into CRLF.
    pub bare_lf: Octets,
    /// CR without LF after it; removed.
    pub bare_cr: Octets,
    /// NUL; changed into 0x80.
    pub nul: Octets,
    /// Octets above 127 in the header; changed into `X`.
    pub eight_bit_header: Octets,
    /// No CRLF at the end; one is added.
    pub no_final_newline: Octets,
    /// First line is no header field; `Change` keeps it.
    pub headerless: Octets,
    /// No octets at all; changed into CRLF.
    pub empty: Octets,
    /// A header line put before each message, with its CRLF.
    pub adds_header: Option<String>,
}

impl Rewriting {
    /// A server that keeps every octet.
    pub fn none() -> Self {
        Self {
            bare_lf: Octets::Keep,
            bare_cr: Octets::Keep,
            nul: Octets::Keep,
            eight_bit_header: Octets::Keep,
            no_final_newline: Octets::Keep,
            headerless: Octets::Keep,
            empty: Octets::Keep,
            adds_header: None,
        }
    }

    /// What is stored of a message that is appended; `None` when it is refused.
    pub fn stored(&self, message: impl Into<bytes::Bytes>) -> Option<bytes::Bytes> {
        crate::rewrite::rewrite(self, message.into()).ok()
    }
}

/// Which mailbox names CREATE takes.
#[derive(Clone, Debug)]
pub struct NameRules {
    /// The answer to a name that is not taken.
    pub refusal: Refusal,
    /// Octets that no name may contain.
    pub forbidden: &'static [u8],
    /// Characters outside the basic plane are refused (Courier, as modified UTF-7).
    pub basic_plane_only: bool,
    /// Whether raw 8-bit names are stored as they come.
    pub takes_raw: bool,
    /// Whether `&` may stand without being modified UTF-7.
    pub takes_bad_utf7: bool,
    /// Longest level, octets.
    pub level_octets: usize,
    /// Longest name, octets.
    pub name_octets: usize,
    /// Whether doubled, leading and trailing separators are folded into one or
    /// dropped instead of refused.
    pub folds_separators: bool,
    /// Whether a separator at the end is ignored (RFC 9051 §6.3.4).
    pub trailing_separator: bool,
    /// Whether missing parents become mailboxes instead of `\Noselect` levels.
    pub real_parents: bool,
    /// Whether a leading `~` or a level `..` is refused.
    pub file_system: bool,
    /// Whether leading, trailing and doubled blanks are refused.
    pub no_odd_blanks: bool,
    /// Whether names differ only by case are the same mailbox.
    pub ignores_case: bool,
}

/// What happens to INTERNALDATE at APPEND.
#[derive(Clone, Debug)]
pub struct DateRules {
    /// A moment before 1970.
    pub before_1970: Ancient,
    /// Whether the moment 0 becomes *now*.
    pub epoch_is_now: bool,
    /// Moments from here on become *now*.
    pub latest: Option<i64>,
    /// The zone in which dates are told; `None`: as they came.
    pub zone: Option<i16>,
}

/// What happens to a date before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ancient {
    /// Kept.
    Keep,
    /// Refused like a malformed command.
    Refuse,
    /// Taken as an unsigned 32-bit number of seconds (1960 becomes 2096).
    Wrap,
}

impl DateRules {
    /// What this server stores for a date a client gives; `None` refuses.
    pub fn store(&self, date: Date, now: Date) -> Option<Date> {
        let late = self.latest.is_some_and(|latest| date.seconds >= latest);
        let date = match self.before_1970 {
            _ if date.seconds >= 0 => date,
            Ancient::Keep => date,
            Ancient::Refuse => return None,
            Ancient::Wrap => Date {
                seconds: date.seconds.rem_euclid(1 << 32),
                ..date
            },
        };
        let now_instead = late || (self.epoch_is_now && date.seconds == 0);
        let date = if now_instead { now } else { date };
        Some(match self.zone {
            Some(zone) => date.in_zone(zone),
            None => date,
        })
    }
}

/// How a limit shows.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The answer.
    pub refusal: Refusal,
    /// Whether it comes before the literal, in place of `+`.
    pub before_literal: bool,
}

/// GETQUOTAROOT of an account without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlimited {
    /// No QUOTAROOT line at all (Dovecot).
    Nothing,
    /// A QUOTAROOT line without roots (Cyrus).
    NoRoots,
    /// `QUOTA "ROOT"` with no list after it (Courier, against the grammar).
    NoList,
}

/// How UIDVALIDITY is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epochs {
    /// Told, and lasting.
    Stable,
    /// Never told.
    Missing,
    /// Always 0, against the grammar.
    Zero,
    /// Another one in each session.
    NewEachLogin,
}

impl Personality {
    /// True when the capability is told after login; case does not matter.
    pub fn can(&self, capability: &str) -> bool {
        has(&self.capabilities, capability)
    }

    /// The same server without some capabilities, so that the commands behind
    /// them are unknown to it. `APPENDLIMIT` also removes `APPENDLIMIT=…`.
    #[must_use]
    pub fn without(mut self, capabilities: &[&str]) -> Self {
        let gone = |c: &String| {
            capabilities.iter().any(|w| {
                let value = c
                    .get(w.len()..)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
                c.get(..w.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(w))
                    && value
            })
        };
        self.capabilities.retain(|c| !gone(c));
        if let Some(early) = &mut self.early_capabilities {
            early.retain(|c| !gone(c));
        }
        self.mechanisms.retain(|m| {
            !capabilities
                .iter()
                .any(|w| w.eq_ignore_ascii_case(&format!("AUTH={m}")))
        });
        self
    }

    /// The same server with more capabilities.
    #[must_use]
    pub fn with(mut self, capabilities: &[&str]) -> Self {
        for capability in capabilities {
            match capability.strip_prefix("AUTH=") {
                Some(mechanism) => self.mechanisms.push(mechanism.to_owned()),
                None => self.capabilities.push((*capability).to_owned()),
            }
        }
        self
    }

    /// The longest message, as `APPENDLIMIT=…` tells it (RFC 7889).
    pub(crate) fn append_limit(&self) -> Option<u64> {
        let mut values = self.capabilities.iter().filter_map(|c| c.split_once('='));
        let (_, limit) = values.find(|(name, _)| name.eq_ignore_ascii_case("APPENDLIMIT"))?;
        limit.parse().ok()
    }

    pub(crate) fn prefix_octets(&self) -> &[u8] {
        self.prefix.as_bytes()
    }
}

/// True when a list of capabilities has this one.
pub(crate) fn has(list: &[String], capability: &str) -> bool {
    list.iter().any(|c| c.eq_ignore_ascii_case(capability))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_come_and_go_by_name() {
        let server = Personality::dovecot_like()
            .with(&["APPENDLIMIT=1000", "AUTH=XOAUTH2"])
            .without(&["APPENDLIMIT", "MOVE", "AUTH=PLAIN"]);
        assert!(!server.can("APPENDLIMIT=1000") && !server.can("move") && server.can("uidplus"));
        assert!(server.mechanisms.contains(&"XOAUTH2".to_owned()));
        assert!(!server.mechanisms.contains(&"PLAIN".to_owned()));
    }

    #[test]
    fn dates_are_stored_as_measured() {
        let now = Date::utc(1_800_000_000);
        let at =
            |p: Personality, seconds| p.dates.store(Date::utc(seconds), now).map(|d| d.seconds);
        assert_eq!(at(Personality::dovecot_like(), -1), Some(4_294_967_295));
        assert_eq!(at(Personality::dovecot_like(), 0), Some(0));
        assert_eq!(
            at(Personality::dovecot_like(), 2_524_651_140),
            Some(now.seconds)
        );
        assert_eq!(at(Personality::cyrus_like(), -1), None);
        assert_eq!(at(Personality::cyrus_like(), 0), Some(now.seconds));
        assert_eq!(
            at(Personality::courier_like(), 2_524_651_140),
            Some(2_524_651_140)
        );
    }
}
