//! APPEND and MULTIAPPEND (RFC 9051 §6.3.12, RFC 3502), and what may stand in front of
//! a message: flags and dates as types that cannot hold anything else.

use super::command::name;
use super::gate::is_safe_without_waiting;
use super::wire::{Pen, is_atom};
use super::{EncodeError, Part, Style};
use hikyaku_core::{Flags, InternalDate, WireName};

/// Messages for one mailbox, stored by one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    /// Where to.
    pub(crate) mailbox: WireName,
    /// At least one; more only where the server has MULTIAPPEND.
    pub(crate) messages: Vec<AppendMessage>,
}

/// What is said about a message before its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppendMessage {
    /// Its flags.
    pub(crate) flags: WireFlags,
    /// Its arrival; without it the server takes the present.
    pub(crate) date: Option<WireDate>,
    /// Its length.
    pub(crate) octets: u64,
    /// Sent as `UTF8 (~{n}…)` (RFC 6855 §4): once UTF8=ACCEPT is enabled, messages
    /// with 8-bit octets in the header have to be.
    pub(crate) utf8: bool,
    /// Wait for the server's `+` even where the gate would let the message pass.
    pub(crate) wait: bool,
}

impl Append {
    /// Writes everything up to [`Part::Commit`]. A literal waits unless the server's
    /// mode and the gate both allow otherwise.
    pub(super) fn write(&self, pen: &mut Pen, style: Style) -> Result<(), EncodeError> {
        if self.messages.is_empty() {
            return Err(EncodeError::Empty);
        }
        pen.word("APPEND");
        name(pen, &self.mailbox)?;
        for (n, message) in self.messages.iter().enumerate() {
            if !message.flags.is_empty() {
                pen.word(" ");
                message.flags.write(pen);
            }
            if let Some(date) = &message.date {
                pen.word(" \"");
                pen.word(&date.to_text());
                pen.word("\"");
            }
            pen.word(if message.utf8 { " UTF8 (" } else { " " });
            let wait = message.wait
                || !style.literals.allows(message.octets)
                || !is_safe_without_waiting(
                    style,
                    &self.mailbox,
                    &message.flags,
                    message.date.as_ref(),
                );
            pen.announce(message.octets, message.utf8, wait);
            pen.part(Part::Body {
                message: n,
                octets: message.octets,
            });
            if message.utf8 {
                pen.word(")");
            }
        }
        pen.part(Part::Commit);
        Ok(())
    }
}

/// Flags that can be written: the five storable system flags and keywords that are
/// ASCII atoms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WireFlags(Flags);

impl WireFlags {
    /// The flags that can be written, and those that are lost because no IMAP command
    /// can name them.
    pub(crate) fn divide(flags: &Flags) -> (Self, Flags) {
        if flags.keywords().all(|k| is_atom(k.as_str().as_bytes())) {
            return (Self(flags.clone()), Flags::new());
        }
        let mut kept = Flags::new();
        for flag in flags.system() {
            kept.set(flag);
        }
        for keyword in flags.keywords() {
            if is_atom(keyword.as_str().as_bytes()) {
                kept.set_keyword(keyword.clone());
            }
        }
        let lost = flags.minus(&kept);
        (Self(kept), lost)
    }

    /// The flags.
    pub(crate) fn flags(&self) -> &Flags {
        &self.0
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a list in parentheses.
    pub(super) fn write(&self, pen: &mut Pen) {
        pen.word("(");
        // The canonical text is the wire's: names divided by single spaces.
        pen.word(&self.0.to_string());
        pen.word(")");
    }
}

/// A date that can be written: its year has four digits, its zone exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireDate(InternalDate);

impl WireDate {
    /// Widest zone in use, minutes: +14:00.
    const MAX_OFFSET: u16 = 14 * 60;

    /// `None` when the year is not within 1 … 9999. A zone that no place has is replaced
    /// by UTC; the moment stays.
    pub(crate) fn new(date: InternalDate) -> Option<Self> {
        let date = if date.offset_minutes.unsigned_abs() > Self::MAX_OFFSET {
            InternalDate::utc(date.seconds)
        } else {
            date
        };
        // Bounds first: calendar arithmetic on any 64-bit moment would overflow.
        let in_reach = (-62_135_500_000..253_402_400_000).contains(&date.seconds);
        (in_reach && (1..=9999).contains(&date.civil().0)).then_some(Self(date))
    }

    /// The moment and its zone.
    pub(crate) fn date(&self) -> InternalDate {
        self.0
    }

    /// `date-time` of RFC 9051 §9 without its quotes. The day has two digits:
    /// every known server takes that, also those that themselves write a space.
    pub(crate) fn to_text(self) -> String {
        let (year, month, day, hour, minute, second) = self.0.civil();
        let month = MONTHS[month as usize - 1];
        let sign = if self.0.offset_minutes < 0 { '-' } else { '+' };
        let zone = self.0.offset_minutes.unsigned_abs();
        format!(
            "{day:02}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} {sign}{:02}{:02}",
            zone / 60,
            zone % 60
        )
    }

    /// `date` of SEARCH: the day in the date's own zone.
    pub(super) fn to_day(self) -> String {
        let (year, month, day, ..) = self.0.civil();
        format!("{day}-{}-{year:04}", MONTHS[month as usize - 1])
    }
}

/// Names of months on the wire, whatever the people speak.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
