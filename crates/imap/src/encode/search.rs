//! UID SEARCH (RFC 9051 §6.4.4) with typed criteria.

use super::EncodeError;
use super::append::WireDate;
use super::list::write_list;
use super::set::UidSet;
use super::wire::Pen;
use hikyaku_core::Flag;

/// UID SEARCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    /// `RETURN (…)`: answered by ESEARCH; only with ESEARCH or IMAP4rev2. Empty asks the plain
    /// command, answered by SEARCH.
    pub(crate) returns: Vec<SearchReturn>,
    /// All of them have to hold; at least one.
    pub(crate) criteria: Vec<Criterion>,
}

/// What ESEARCH shall tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchReturn {
    All,
    Count,
    Min,
    Max,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    All,
    /// Messages with these UIDs.
    Uids(UidSet),
    /// Arrived on this day or later, in the server's zone.
    Since(WireDate),
    /// Arrived before this day, in the server's zone.
    Before(WireDate),
    /// More octets than.
    Larger(u32),
    /// Fewer octets than.
    Smaller(u32),
    /// Mod-sequence at least (RFC 7162 §3.1.5).
    ModSeq(u64),
    /// The flag is set.
    Has(Flag),
    /// The flag is not set.
    HasNot(Flag),
    /// The header field contains the text, which has to be printable ASCII.
    Header {
        field: &'static str,
        value: String,
    },
    Not(Box<Criterion>),
    Or(Box<Criterion>, Box<Criterion>),
}

impl Search {
    pub(super) fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        if !self.returns.is_empty() {
            pen.word(" RETURN ");
            write_list(pen, &self.returns, |pen, item| {
                pen.word(match item {
                    SearchReturn::All => "ALL",
                    SearchReturn::Count => "COUNT",
                    SearchReturn::Min => "MIN",
                    SearchReturn::Max => "MAX",
                });
            });
        }
        if self.criteria.is_empty() {
            return Err(EncodeError::Empty);
        }
        for criterion in &self.criteria {
            pen.word(" ");
            criterion.write(pen)?;
        }
        Ok(())
    }
}

impl Criterion {
    fn write(&self, pen: &mut Pen) -> Result<(), EncodeError> {
        match self {
            Criterion::All => pen.word("ALL"),
            Criterion::Uids(uids) => {
                pen.word("UID ");
                uids.write(pen)?;
            }
            Criterion::Since(date) => {
                pen.word("SINCE ");
                pen.word(&date.to_day());
            }
            Criterion::Before(date) => {
                pen.word("BEFORE ");
                pen.word(&date.to_day());
            }
            Criterion::Larger(octets) => {
                pen.word("LARGER ");
                pen.number(u64::from(*octets));
            }
            Criterion::Smaller(octets) => {
                pen.word("SMALLER ");
                pen.number(u64::from(*octets));
            }
            Criterion::ModSeq(modseq) => {
                pen.word("MODSEQ ");
                pen.number(*modseq);
            }
            Criterion::Has(flag) => pen.word(flag_word(*flag)),
            Criterion::HasNot(flag) => {
                pen.word("UN");
                pen.word(flag_word(*flag));
            }
            Criterion::Header { field, value } => {
                // Other characters would need a CHARSET, with which servers differ.
                if !value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
                    return Err(EncodeError::NotPrintable {
                        what: "the text to search for",
                    });
                }
                pen.word("HEADER ");
                pen.atom(field, "a header field")?;
                pen.word(" ");
                pen.string(value.as_bytes(), "the text to search for")?;
            }
            Criterion::Not(inner) => {
                pen.word("NOT ");
                inner.write(pen)?;
            }
            Criterion::Or(left, right) => {
                pen.word("OR ");
                left.write(pen)?;
                pen.word(" ");
                right.write(pen)?;
            }
        }
        Ok(())
    }
}

fn flag_word(flag: Flag) -> &'static str {
    match flag {
        Flag::Seen => "SEEN",
        Flag::Answered => "ANSWERED",
        Flag::Flagged => "FLAGGED",
        Flag::Deleted => "DELETED",
        Flag::Draft => "DRAFT",
    }
}
