//! The judge: a plain IMAP client of its own that fills mailboxes and reads back the truth.
//!
//! It speaks one command at a time over a clear-text loopback connection, uses synchronising literals only, sends raw
//! names and raw octets as they are given, and shares nothing with the product. Start reading at [`Judge`], then
//! [`AccountSnapshot`] and [`compare`].

mod compare;
mod content;
pub mod date;
pub mod name;
mod snapshot;
mod wire;

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub use compare::{CompareOptions, NameMap, Rewrite, compare};
pub use content::Content;
pub use snapshot::{AccountSnapshot, MailboxSnapshot, MessageSnapshot};
pub(crate) use wire::{Response, Value};

use crate::servers::AdminLogin;

/// A logged-in connection.
#[derive(Debug)]
pub struct Judge {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    tags: u32,
    keep: u64,
}

/// The outcome of a command, whether the server said OK or not.
#[must_use = "a refused command is an answer too: call `accepted` where refusal means a broken test"]
#[derive(Debug)]
pub struct Answer {
    /// `OK`, `NO` or `BAD`.
    pub status: String,
    /// What follows the status, response code included.
    pub text: String,
    /// The lines that came before, for what this type does not interpret. Literals are left out.
    pub lines: Vec<String>,
    pub(crate) untagged: Vec<Response>,
}

impl Answer {
    /// Whether the server said OK.
    pub fn is_ok(&self) -> bool {
        self.status == "OK"
    }

    /// Fails with the server's words unless it said OK.
    pub fn accepted(self) -> Result<()> {
        self.if_ok().map(drop)
    }

    /// The answer itself if the server said OK, else an error that quotes it.
    pub fn if_ok(self) -> Result<Self> {
        ensure!(
            self.is_ok(),
            "the server answered {} {}",
            self.status,
            self.text
        );
        Ok(self)
    }
}

impl Judge {
    /// Connects and logs in with LOGIN, or fails with the server's words.
    pub fn connect(address: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let mut judge = Self::greet(address)?;
        let [user, password] = [user, password].map(|word| Argument::from_octets(word.as_bytes()));
        judge
            .send(&[
                Argument::Raw(b"LOGIN "),
                user,
                Argument::Raw(b" "),
                password,
            ])?
            .accepted()
            .context("the judge cannot log in")?;
        Ok(judge)
    }

    /// Connects and logs in as an administrator in the place of a user.
    pub fn connect_as(address: SocketAddr, login: &AdminLogin) -> Result<Self> {
        match login {
            AdminLogin::MasterUser { login, password } => Self::connect(address, login, password),
            AdminLogin::ProxyAuthorisation {
                authorise_as,
                login,
                password,
            } => {
                let mut judge = Self::greet(address)?;
                // RFC 4616: authorisation identity, authentication identity and password, divided by NUL.
                let response = base64(format!("{authorise_as}\0{login}\0{password}").as_bytes());
                judge
                    .command(format!("AUTHENTICATE PLAIN {response}"))?
                    .accepted()
                    .context("the judge cannot log in")?;
                Ok(judge)
            }
        }
    }

    /// Connects and reads the greeting without logging in.
    pub fn greet(address: SocketAddr) -> Result<Self> {
        let writer = TcpStream::connect(address)
            .with_context(|| format!("the judge cannot connect to {address}"))?;
        writer.set_nodelay(true)?;
        writer.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut judge = Self {
            reader: BufReader::with_capacity(64 * 1024, writer.try_clone()?),
            writer,
            tags: 0,
            keep: 1 << 20,
        };
        let greeting = Response::read(&mut judge.reader, 0)?.text();
        ensure!(
            greeting.starts_with("* OK") || greeting.starts_with("* PREAUTH"),
            "greeting: {greeting}"
        );
        Ok(judge)
    }

    /// Keeps the octets of messages only up to this size from now on (1 MiB at first); larger ones are known by length
    /// and SHA-256. Zero saves the most memory.
    pub fn keep_octets_up_to(&mut self, limit: u64) {
        self.keep = limit;
    }

    /// Sends one line without literals, for what has no method of its own.
    pub fn command(&mut self, line: impl AsRef<[u8]>) -> Result<Answer> {
        self.send(&[Argument::Raw(line.as_ref())])
    }

    /// What the server says it can do, in upper case.
    pub fn capabilities(&mut self) -> Result<Vec<String>> {
        let answer = self.command("CAPABILITY")?.if_ok()?;
        let line = answer
            .lines
            .iter()
            .find(|line| line.starts_with("* CAPABILITY"))
            .context("no CAPABILITY line")?;
        Ok(line
            .split(' ')
            .skip(2)
            .map(str::to_ascii_uppercase)
            .collect())
    }

    /// CREATE with the name exactly as on the wire; [`name::encode`] makes one from text.
    pub fn create(&mut self, mailbox: impl AsRef<[u8]>) -> Result<Answer> {
        self.with_mailbox(b"CREATE ", mailbox.as_ref())
    }

    /// DELETE, the mailbox with its messages.
    pub fn delete(&mut self, mailbox: impl AsRef<[u8]>) -> Result<Answer> {
        self.with_mailbox(b"DELETE ", mailbox.as_ref())
    }

    /// RENAME.
    pub fn rename(&mut self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<Answer> {
        let [from, to] = [from.as_ref(), to.as_ref()].map(Argument::from_octets);
        self.send(&[Argument::Raw(b"RENAME "), from, Argument::Raw(b" "), to])
    }

    /// SUBSCRIBE.
    pub fn subscribe(&mut self, mailbox: impl AsRef<[u8]>) -> Result<Answer> {
        self.with_mailbox(b"SUBSCRIBE ", mailbox.as_ref())
    }

    /// UNSUBSCRIBE.
    pub fn unsubscribe(&mut self, mailbox: impl AsRef<[u8]>) -> Result<Answer> {
        self.with_mailbox(b"UNSUBSCRIBE ", mailbox.as_ref())
    }

    /// SELECT, for the scenarios that change messages.
    pub fn select(&mut self, mailbox: impl AsRef<[u8]>) -> Result<Answer> {
        self.with_mailbox(b"SELECT ", mailbox.as_ref())
    }

    /// APPEND of octets at hand. `flags` as on the wire (`\Seen`, `$Forwarded`), `date` as on the wire without quotes.
    ///
    /// A refusal, before the literal or after it, is an [`Answer`], not an error.
    pub fn append(
        &mut self,
        mailbox: impl AsRef<[u8]>,
        flags: &[impl AsRef<str>],
        date: Option<&str>,
        octets: &[u8],
    ) -> Result<Answer> {
        self.append_from(mailbox, flags, date, octets.len() as u64, &mut &*octets)
    }

    /// APPEND of `length` octets from a reader, for messages too large to hold.
    pub fn append_from(
        &mut self,
        mailbox: impl AsRef<[u8]>,
        flags: &[impl AsRef<str>],
        date: Option<&str>,
        length: u64,
        octets: &mut dyn Read,
    ) -> Result<Answer> {
        let mut middle = Vec::new();
        if !flags.is_empty() {
            let flags: Vec<&str> = flags.iter().map(AsRef::as_ref).collect();
            middle.extend_from_slice(format!(" ({})", flags.join(" ")).as_bytes());
        }
        if let Some(date) = date {
            middle.extend_from_slice(format!(" \"{date}\"").as_bytes());
        }
        middle.push(b' ');
        self.send(&[
            Argument::Raw(b"APPEND "),
            Argument::from_octets(mailbox.as_ref()),
            Argument::Raw(&middle),
            Argument::Stream(length, std::cell::RefCell::new(octets)),
        ])
    }

    /// UID STORE in the selected mailbox; `change` is `+FLAGS`, `-FLAGS` or `FLAGS`.
    pub fn store(&mut self, uids: &str, change: &str, flags: &[impl AsRef<str>]) -> Result<Answer> {
        let flags: Vec<&str> = flags.iter().map(AsRef::as_ref).collect();
        self.command(format!("UID STORE {uids} {change} ({})", flags.join(" ")))
    }

    /// Marks messages of the selected mailbox deleted and expunges everything so marked.
    pub fn expunge(&mut self, uids: &str) -> Result<Answer> {
        self.store(uids, "+FLAGS", &["\\Deleted"])?.accepted()?;
        self.command("EXPUNGE")
    }

    /// UID COPY from the selected mailbox.
    pub fn copy(&mut self, uids: &str, to: impl AsRef<[u8]>) -> Result<Answer> {
        let line = format!("UID COPY {uids} ");
        self.with_mailbox(line.as_bytes(), to.as_ref())
    }

    /// A command with a mailbox's name after it, such as `EXAMINE`.
    pub fn command_with_mailbox(
        &mut self,
        command: &str,
        mailbox: impl AsRef<[u8]>,
    ) -> Result<Answer> {
        self.with_mailbox(format!("{command} ").as_bytes(), mailbox.as_ref())
    }

    fn with_mailbox(&mut self, command: &[u8], mailbox: &[u8]) -> Result<Answer> {
        self.send(&[Argument::Raw(command), Argument::from_octets(mailbox)])
    }

    /// Sends a command, waiting for `+` before each literal, and reads up to its tagged answer.
    pub(crate) fn send(&mut self, arguments: &[Argument<'_>]) -> Result<Answer> {
        self.tags += 1;
        let tag = format!("j{}", self.tags);
        let mut pending = format!("{tag} ").into_bytes();
        let mut untagged = Vec::new();
        for argument in arguments {
            let (length, stream): (u64, &mut dyn Read) = match argument {
                Argument::Raw(octets) => {
                    pending.extend_from_slice(octets);
                    continue;
                }
                Argument::Quoted(octets) => {
                    pending.push(b'"');
                    for octet in *octets {
                        if matches!(octet, b'"' | b'\\') {
                            pending.push(b'\\');
                        }
                        pending.push(*octet);
                    }
                    pending.push(b'"');
                    continue;
                }
                Argument::Literal(octets) => (octets.len() as u64, &mut &**octets),
                Argument::Stream(length, stream) => (*length, &mut *stream.borrow_mut()),
            };
            pending.extend_from_slice(format!("{{{length}}}\r\n").as_bytes());
            self.writer.write_all(&pending)?;
            pending.clear();
            if let Some(answer) = self.answer(&tag, &mut untagged, true)? {
                return Ok(answer);
            }
            let sent = std::io::copy(&mut stream.take(length), &mut self.writer)?;
            ensure!(
                sent == length,
                "the message announced as {length} octets has only {sent}"
            );
        }
        pending.extend_from_slice(b"\r\n");
        self.writer.write_all(&pending)?;
        self.answer(&tag, &mut untagged, false)?
            .context("no tagged answer")
    }

    /// Reads until the tagged answer, or until `+` where one is awaited (`None`).
    fn answer(
        &mut self,
        tag: &str,
        untagged: &mut Vec<Response>,
        literal: bool,
    ) -> Result<Option<Answer>> {
        loop {
            let response = Response::read(&mut self.reader, self.keep)?;
            let line = response.text();
            if let Some(rest) = line
                .strip_prefix(tag)
                .and_then(|rest| rest.strip_prefix(' '))
            {
                let (status, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let untagged = std::mem::take(untagged);
                return Ok(Some(Answer {
                    status: status.to_ascii_uppercase(),
                    text: text.to_owned(),
                    lines: untagged.iter().map(Response::text).collect(),
                    untagged,
                }));
            }
            if line.starts_with('+') {
                ensure!(
                    literal,
                    "the server asks for more than was announced: {line}"
                );
                return Ok(None);
            }
            if line.to_ascii_uppercase().starts_with("* BYE") {
                bail!("the server ends the session: {line}");
            }
            untagged.push(response);
        }
    }
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * index) & 63) as usize]);
            text.push(if index <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

/// A piece of a command.
pub(crate) enum Argument<'a> {
    Raw(&'a [u8]),
    Quoted(&'a [u8]),
    Literal(&'a [u8]),
    Stream(u64, std::cell::RefCell<&'a mut dyn Read>),
}

impl<'a> Argument<'a> {
    /// A quoted string where the grammar allows one, else a literal.
    pub(crate) fn from_octets(octets: &'a [u8]) -> Self {
        if octets
            .iter()
            .all(|octet| matches!(octet, b' '..=b'~' | b'\t'))
        {
            Self::Quoted(octets)
        } else {
            Self::Literal(octets)
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (octets, text) in cases {
            assert_eq!(super::base64(octets.as_bytes()), text);
        }
    }
}
