//! What programs have written into an mbox about its messages.

use hikyaku_core::identity::header_fields;
use hikyaku_core::{Flag, Flags, Keyword};
use std::borrow::Cow;

/// Mozilla's message flags (`nsMsgMessageFlags`), as `X-Mozilla-Status` has them.
mod mozilla {
    pub(super) const READ: u32 = 0x0001;
    pub(super) const REPLIED: u32 = 0x0002;
    pub(super) const MARKED: u32 = 0x0004;
    pub(super) const EXPUNGED: u32 = 0x0008;
    pub(super) const FORWARDED: u32 = 0x1000;
    /// Marked as deleted on its IMAP server.
    pub(super) const IMAP_DELETED: u32 = 0x0020_0000;
    /// The five labels of old versions; in the upper half of the word.
    pub(super) const LABELS: u32 = 0x0E00_0000;
}

/// The state of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) flags: Flags,
    /// Whether any field tells what was read.
    pub(crate) is_recorded: bool,
    /// Deleted by its owner; the file was not compacted since.
    pub(crate) is_expunged: bool,
}

/// Reads the state fields of a header.
pub(crate) fn state(head: &[u8]) -> State {
    let mut state = State::default();
    for (name, value) in header_fields(head) {
        let text = String::from_utf8_lossy(value);
        let text = text.trim();
        let is = |field: &str| name.eq_ignore_ascii_case(field.as_bytes());
        if is("x-status") && is_of_kmail(text) {
            state.is_recorded = true;
            text.chars()
                .for_each(|letter| state.letter_of_kmail(letter));
        } else if is("status") || is("x-status") {
            state.is_recorded = true;
            text.chars().for_each(|letter| state.letter(letter));
        } else if is("x-mozilla-status") {
            if let Ok(bits) = u32::from_str_radix(text, 16) {
                state.is_recorded = true;
                state.mozilla(bits);
            }
        } else if is("x-mozilla-status2") {
            if let Ok(bits) = u32::from_str_radix(text, 16) {
                state.labels(bits);
            }
        } else if is("x-mozilla-keys") || is("x-keywords") {
            for word in text.split_ascii_whitespace() {
                state.flags.add_wire(word);
            }
        }
    }
    state
}

/// KMail repeats in X-Status what others keep in Status alone: new, unread, old or read.
fn is_of_kmail(text: &str) -> bool {
    text.contains(['N', 'U', 'O', 'R'])
}

impl State {
    /// A letter of Status or X-Status, as Berkeley mail, mutt and Pine write them.
    fn letter(&mut self, letter: char) {
        let flag = match letter {
            'R' => Flag::Seen,
            'A' => Flag::Answered,
            'F' => Flag::Flagged,
            'D' => Flag::Deleted,
            'T' => Flag::Draft,
            _ => return,
        };
        self.flags.set(flag);
    }

    /// A letter of KMail's X-Status: its F is "forwarded", and its T "has an attachment".
    fn letter_of_kmail(&mut self, letter: char) {
        match letter {
            'R' => self.flags.set(Flag::Seen),
            'A' => self.flags.set(Flag::Answered),
            'G' => self.flags.set(Flag::Flagged),
            'D' => self.flags.set(Flag::Deleted),
            'F' => self.flags.set_keyword(Keyword::new("$Forwarded")),
            _ => {}
        }
    }

    fn mozilla(&mut self, bits: u32) {
        self.is_expunged |= bits & mozilla::EXPUNGED != 0;
        for (bit, flag) in [
            (mozilla::READ, Flag::Seen),
            (mozilla::REPLIED, Flag::Answered),
            (mozilla::MARKED, Flag::Flagged),
        ] {
            if bits & bit != 0 {
                self.flags.set(flag);
            }
        }
        if bits & mozilla::FORWARDED != 0 {
            self.flags.set_keyword(Keyword::new("$Forwarded"));
        }
    }

    fn labels(&mut self, bits: u32) {
        let label = (bits & mozilla::LABELS) >> 25;
        if bits & mozilla::IMAP_DELETED != 0 {
            self.flags.set(Flag::Deleted);
        }
        if (1..=5).contains(&label) {
            let keyword = format!("$label{label}");
            self.flags.set_keyword(Keyword::new(&keyword));
        }
    }
}

/// The header with LF line ends, whatever ends them in the file.
pub(crate) fn lines(head: &[u8], end: u8) -> Cow<'_, [u8]> {
    match end {
        b'\r' => {
            let line = |b: &u8| if *b == b'\r' { b'\n' } else { *b };
            Cow::Owned(head.iter().map(line).collect())
        }
        _ => Cow::Borrowed(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(head: &str) -> (String, bool, bool) {
        let state = state(head.as_bytes());
        (
            state.flags.to_string(),
            state.is_recorded,
            state.is_expunged,
        )
    }

    #[test]
    fn states_of_every_writer() {
        for (head, flags, recorded, expunged) in [
            (
                "Status: RO\nX-Status: A\n\n",
                "\\Seen \\Answered",
                true,
                false,
            ),
            ("Status: O\n\n", "", true, false),
            (
                "Status: RO\nX-Status: FT\n\n",
                "\\Seen \\Flagged \\Draft",
                true,
                false,
            ),
            ("X-Status: D\n\n", "\\Deleted", true, false),
            // KMail: an attachment, forwarded, important.
            ("Status: RO\nX-Status: ORT\n\n", "\\Seen", true, false),
            (
                "X-Status: ORAFGC\n\n",
                "\\Seen \\Answered \\Flagged $Forwarded",
                true,
                false,
            ),
            ("X-Status: U\n\n", "", true, false),
            (
                "X-Keywords: $Forwarded NonJunk\n\n",
                "$Forwarded NonJunk",
                false,
                false,
            ),
            (
                "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 junk      \n\n",
                "\\Seen $label1 junk",
                true,
                false,
            ),
            ("X-Mozilla-Status: 0009\n\n", "\\Seen", true, true),
            (
                "X-Mozilla-Status: 1007\n\n",
                "\\Seen \\Answered \\Flagged $Forwarded",
                true,
                false,
            ),
            ("X-Mozilla-Status: zz\n\n", "", false, false),
            ("X-Mozilla-Status2: 04000000\n\n", "$label2", false, false),
            ("Subject: Status: R\n\nStatus: R\n", "", false, false),
        ] {
            assert_eq!(told(head), (flags.to_owned(), recorded, expunged), "{head}");
        }
    }
}
