//! Typed commands and the octets they become. There is none that deletes, and no way to make
//! a line end: what comes from outside is a [`Word`].

use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Secret;

/// More lines than any message has. RFC 1939 knows no "all"; this number is what fetchmail has
/// asked for since the nineties, so every server takes it.
const ALL_LINES: u32 = 99_999_999;

/// Longest word that is sent, in octets. RFC 2449 §4 lets a command have 255; user names and
/// passwords of that length exist, and servers take more.
const LONGEST_WORD: usize = 1024;

/// Number of a message in one session: positions, from one.
pub(crate) type Number = u32;

/// An argument from outside: no control characters, so no line end.
#[derive(Clone, Debug)]
pub(crate) struct Word(Secret);

impl Word {
    /// # Faults
    /// `config.invalid`, without the word itself: it may be a password.
    pub(crate) fn new(octets: &[u8]) -> Result<Self, Fault> {
        let refuse = |why: &str| {
            let detail = format!("the user name or the password {why}");
            Err(Fault::new(
                Code::ConfigInvalid,
                Reach::Side,
                Remedy::AskUser,
                detail,
            ))
        };
        if octets.iter().any(u8::is_ascii_control) {
            return refuse("contains a control character");
        }
        if octets.is_empty() || octets.len() > LONGEST_WORD {
            return refuse("is empty or too long");
        }
        Ok(Self(Secret::new(octets)))
    }
}

/// Every command that can be sent.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// What the server can do (RFC 2449).
    Capa,
    /// TLS from here on (RFC 2595).
    Stls,
    /// The user's name.
    User(Word),
    /// The password.
    Pass(Word),
    /// Name and digest (RFC 1939 §7).
    Apop(Word, Word),
    /// Begins an exchange (RFC 5034). The name is one of ours.
    Auth(&'static str),
    /// Gives an exchange up.
    Cancel,
    /// Numbers and sizes.
    List,
    /// Numbers and names.
    Uidl,
    /// A message. Many servers mark it as read.
    Retr(Number),
    /// A message, by asking for its header and all of its lines.
    Whole(Number),
    /// The header alone.
    Head(Number),
    /// Nothing; to hear whether the server is there, and where an answer ends.
    Noop,
    /// Farewell. Without a deletion before it, it deletes nothing.
    Quit,
}

impl Command {
    /// The line, with its end.
    pub(crate) fn line(&self) -> Secret {
        match self {
            Self::Capa => Secret::from("CAPA\r\n"),
            Self::Stls => Secret::from("STLS\r\n"),
            Self::User(name) => joined(&[b"USER ", name.0.expose()]),
            Self::Pass(password) => joined(&[b"PASS ", password.0.expose()]),
            Self::Apop(name, digest) => {
                joined(&[b"APOP ", name.0.expose(), b" ", digest.0.expose()])
            }
            Self::Auth(name) => joined(&[b"AUTH ", name.as_bytes()]),
            Self::Cancel => Secret::from("*\r\n"),
            Self::List => Secret::from("LIST\r\n"),
            Self::Uidl => Secret::from("UIDL\r\n"),
            Self::Retr(number) => Secret::from(format!("RETR {number}\r\n")),
            Self::Whole(number) => Secret::from(format!("TOP {number} {ALL_LINES}\r\n")),
            Self::Head(number) => Secret::from(format!("TOP {number} 0\r\n")),
            Self::Noop => Secret::from("NOOP\r\n"),
            Self::Quit => Secret::from("QUIT\r\n"),
        }
    }

    /// Its name, for logs and faults.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Capa => "CAPA",
            Self::Stls => "STLS",
            Self::User(_) => "USER",
            Self::Pass(_) => "PASS",
            Self::Apop(..) => "APOP",
            Self::Auth(_) | Self::Cancel => "AUTH",
            Self::List => "LIST",
            Self::Uidl => "UIDL",
            Self::Retr(_) => "RETR",
            Self::Whole(_) | Self::Head(_) => "TOP",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
        }
    }
}

/// One line, without a reallocation that would leave a copy of a secret behind.
fn joined(parts: &[&[u8]]) -> Secret {
    let mut line = Vec::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 2);
    for part in parts {
        line.extend_from_slice(part);
    }
    line.extend_from_slice(b"\r\n");
    Secret::new(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> Word {
        Word::new(text.as_bytes()).expect("a word")
    }

    fn all() -> Vec<Command> {
        vec![
            Command::Capa,
            Command::Stls,
            Command::User(word("taro")),
            Command::Pass(word("pass word")),
            Command::Apop(word("taro"), word("c4c9334bac560ecc979e58001b3e22fb")),
            Command::Auth("PLAIN"),
            Command::Cancel,
            Command::List,
            Command::Uidl,
            Command::Retr(7),
            Command::Whole(8),
            Command::Head(9),
            Command::Noop,
            Command::Quit,
        ]
    }

    #[test]
    fn commands_are_written_as_the_rfcs_say() {
        let lines: Vec<u8> = all()
            .iter()
            .flat_map(|c| c.line().expose().to_vec())
            .collect();
        assert_eq!(
            String::from_utf8(lines).expect("text"),
            "CAPA\r\nSTLS\r\nUSER taro\r\nPASS pass word\r\n\
             APOP taro c4c9334bac560ecc979e58001b3e22fb\r\nAUTH PLAIN\r\n*\r\nLIST\r\nUIDL\r\n\
             RETR 7\r\nTOP 8 99999999\r\nTOP 9 0\r\nNOOP\r\nQUIT\r\n"
        );
        for command in all() {
            assert!(!format!("{command:?}").contains("pass word"));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_one_command_stays_one_line(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(word) = Word::new(&octets) {
                for command in [Command::User(word.clone()), Command::Pass(word.clone()), Command::Apop(word.clone(), word)] {
                    let line = command.line();
                    let (last, before) = line.expose().split_last_chunk::<2>().map(|(b, l)| (l, b)).expect("a line");
                    prop_assert_eq!(last, b"\r\n");
                    prop_assert!(!before.iter().any(u8::is_ascii_control));
                }
            } else {
                prop_assert!(octets.is_empty() || octets.iter().any(u8::is_ascii_control));
            }
        }
    }
}
