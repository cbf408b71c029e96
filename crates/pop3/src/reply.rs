//! Answers: their first line, what a server can do, and the lists of numbers.

use crate::command::Number;
use hikyaku_core::Said;
use std::time::Duration;

/// The first line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Whether it is `+OK`.
    pub(crate) is_ok: bool,
    /// The code in brackets, in capitals (RFC 2449 §8), such as `IN-USE` or `SYS/TEMP`.
    pub(crate) code: Option<String>,
    /// What else it says.
    pub(crate) text: String,
}

impl Reply {
    /// `None` when the line is no answer.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let (status, rest) = match text.split_once([' ', '\t']) {
            Some((status, rest)) => (status, rest.trim_start()),
            None => (text.trim_end(), ""),
        };
        let is_ok = match status.to_ascii_uppercase().as_str() {
            "+OK" => true,
            "-ERR" => false,
            _ => return None,
        };
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        // Codes stand in refusals only; a greeting may begin with anything.
        let (code, text) = match bracketed.filter(|(code, _)| !is_ok && is_code(code)) {
            Some((code, text)) => (Some(code.to_ascii_uppercase()), text.trim_start()),
            None => (None, rest),
        };
        Some(Self {
            is_ok,
            code,
            text: text.to_owned(),
        })
    }

    /// For faults.
    pub(crate) fn said(&self) -> Said {
        let status = if self.is_ok { "+OK" } else { "-ERR" };
        Said::new(status, self.code.as_deref(), &self.text)
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The timestamp of a greeting, for APOP (RFC 1939 §7): a message-id, and nothing else, so that
/// nobody who stands in between can choose it freely (CVE-2007-1558).
pub(crate) fn timestamp(greeting: &str) -> Option<&str> {
    let start = greeting.find('<')?;
    let end = start + greeting[start..].find('>')?;
    let inner = &greeting[start + 1..end];
    let (local, host) = inner.split_once('@')?;
    let is_atoms = |part: &str| {
        let is_fit = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.[]:".contains(&b);
        !part.is_empty() && part.bytes().all(is_fit)
    };
    (is_atoms(local) && is_atoms(host)).then(|| &greeting[start..=end])
}

/// Words of one capability that are kept.
const MOST_WORDS: usize = 100;

/// What a server says that it can do (RFC 2449).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Whether it said anything: old servers know no CAPA.
    pub(crate) are_known: bool,
    lines: Vec<Vec<String>>,
}

/// How long a server keeps what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expire {
    /// For ever, as far as POP3 is concerned.
    Never,
    /// So many days; with none, what is read may be deleted.
    Days(u64),
}

impl Capabilities {
    pub(crate) fn known() -> Self {
        Self {
            are_known: true,
            ..Self::default()
        }
    }

    /// Takes one line of the answer to CAPA.
    pub(crate) fn take(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).to_ascii_uppercase();
        let words = line.split_ascii_whitespace().take(MOST_WORDS);
        let words: Vec<String> = words.map(str::to_owned).collect();
        if !words.is_empty() {
            self.lines.push(words);
        }
    }

    fn arguments(&self, name: &str) -> Option<&[String]> {
        let found = self.lines.iter().find(|line| line[0] == name);
        found.map(|line| &line[1..])
    }

    /// Whether it has the capability, by its name in capitals.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.arguments(name).is_some()
    }

    /// The mechanisms that it offers.
    pub(crate) fn mechanisms(&self) -> &[String] {
        self.arguments("SASL").unwrap_or_default()
    }

    /// How long messages stay (RFC 2449 §6.7). What may differ by user before login is told
    /// again after it.
    pub(crate) fn expire(&self) -> Option<Expire> {
        let word = self.arguments("EXPIRE")?.first()?;
        match word.as_str() {
            "NEVER" => Some(Expire::Never),
            days => days.parse().ok().map(Expire::Days),
        }
    }

    /// The shortest time between two logins (RFC 2449 §6.5).
    pub(crate) fn login_delay(&self) -> Option<Duration> {
        let seconds: u64 = self.arguments("LOGIN-DELAY")?.first()?.parse().ok()?;
        // Nobody counts in more than days.
        Some(Duration::from_secs(seconds.min(24 * 60 * 60)))
    }
}

/// One line of LIST: a number and octets. More may follow.
pub(crate) fn sized(line: &[u8]) -> Option<(Number, u64)> {
    let mut words = words(line);
    let number = number(words.next()?)?;
    let octets = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    Some((number, octets))
}

/// One line of UIDL: a number and a name, which may be missing or have blanks in it.
pub(crate) fn named(line: &[u8]) -> Option<(Number, &[u8])> {
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace);
    let (word, name) = line.split_at(end.unwrap_or(line.len()));
    Some((number(word)?, name.trim_ascii()))
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|w| !w.is_empty())
}

fn number(word: &[u8]) -> Option<Number> {
    let number = std::str::from_utf8(word).ok()?.parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_read_as_servers_write_them() {
        let of = |line: &str| {
            let reply = Reply::parse(line.as_bytes())?;
            Some((reply.is_ok, reply.code, reply.text))
        };
        let some = |ok, code: Option<&str>, text: &str| {
            Some((ok, code.map(str::to_owned), text.to_owned()))
        };
        for (line, expected) in [
            ("+OK", some(true, None, "")),
            ("+ok  ready", some(true, None, "ready")),
            ("+OK [XCLIENT] ready", some(true, None, "[XCLIENT] ready")),
            ("-ERR", some(false, None, "")),
            ("-ERR [in-use] busy", some(false, Some("IN-USE"), "busy")),
            ("-ERR [SYS/TEMP] x", some(false, Some("SYS/TEMP"), "x")),
            ("-ERR [no code] x", some(false, None, "[no code] x")),
            ("-ERR [", some(false, None, "[")),
            ("+ challenge", None),
            ("* OK IMAP", None),
            ("+OKAY", None),
            ("", None),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }

    #[test]
    fn a_timestamp_is_a_message_id_and_nothing_else() {
        let told = "POP3 server ready <1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(timestamp(told), Some("<1896.697170952@dbc.mtview.ca.us>"));
        for odd in [
            "ready",
            "<a>",
            "<@b>",
            "<a@b",
            "<a\u{80}@b>",
            "<a b@c>",
            ">a@b<",
        ] {
            assert_eq!(timestamp(odd), None, "{odd}");
        }
    }

    #[test]
    fn capabilities_are_told_line_by_line() {
        let mut told = Capabilities::known();
        for line in [
            "TOP",
            "uidl",
            "SASL plain CRAM-MD5",
            "EXPIRE 0 USER",
            "LOGIN-DELAY 900",
            "",
            "X Y",
        ] {
            told.take(line.as_bytes());
        }
        assert!(told.has("TOP") && told.has("UIDL") && !told.has("STLS"));
        assert_eq!(told.mechanisms(), ["PLAIN", "CRAM-MD5"]);
        assert_eq!(told.expire(), Some(Expire::Days(0)));
        assert_eq!(told.login_delay(), Some(Duration::from_secs(900)));
        let mut other = Capabilities::known();
        for line in ["EXPIRE NEVER", "LOGIN-DELAY soon"] {
            other.take(line.as_bytes());
        }
        assert_eq!(
            (other.expire(), other.login_delay()),
            (Some(Expire::Never), None)
        );
        assert_eq!(Capabilities::default().expire(), None);
    }

    #[test]
    fn list_lines_with_blanks_and_extras() {
        assert_eq!(sized(b"1 120"), Some((1, 120)));
        assert_eq!(sized(b" 2  7 more "), Some((2, 7)));
        for bad in [
            &b"0 1"[..],
            b"1",
            b"x 1",
            b"1 x",
            b"",
            b"4294967296 1",
            b"1 -1",
        ] {
            assert_eq!(sized(bad), None, "{}", bad.escape_ascii());
        }
        assert_eq!(
            named(b"1 whqtswO00WBw418f9t5JxYwZ"),
            Some((1, &b"whqtswO00WBw418f9t5JxYwZ"[..]))
        );
        assert_eq!(named(b"2 a b"), Some((2, &b"a b"[..])));
        assert_eq!(named(b"3"), Some((3, &b""[..])));
        assert_eq!(named(b"x y"), None);
    }
}
