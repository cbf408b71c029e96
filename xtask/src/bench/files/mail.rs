//! The mail that is read: mbox files, and a POP3 account on a Dovecot.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hikyaku_testkit::generate::{GeneratedAccount, GeneratedMessage, fill_maildir, profiles};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};

/// Decides the sizes of all messages and what is in them.
const SEED: u64 = 5;

fn account(messages: usize, octets: u64) -> GeneratedAccount {
    profiles::small_mixed(SEED, messages, octets, 1)
}

/// Mbox files with line feeds, as programs on Unix write them.
#[derive(Debug)]
pub(super) struct Mbox {
    /// The file; of several, their directory.
    pub(super) path: PathBuf,
}

impl Mbox {
    /// Makes files of so many messages together.
    pub(super) fn make(
        directory: &Path,
        files: usize,
        messages: usize,
        octets: u64,
    ) -> Result<Self> {
        let all = directory.join("mbox");
        fs::create_dir(&all)?;
        let account = account(messages, octets);
        let each: Vec<_> = account
            .mailboxes
            .iter()
            .flat_map(|mailbox| &mailbox.messages)
            .collect();
        let mut path = all.clone();
        for (number, some) in each.chunks(each.len().div_ceil(files).max(1)).enumerate() {
            path = all.join(format!("bench-{number}.mbox"));
            Self::write(&path, some)?;
        }
        let path = if files == 1 { path } else { all };
        Ok(Self { path })
    }

    fn write(path: &Path, messages: &[&GeneratedMessage]) -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut text = Vec::new();
        for message in messages {
            out.write_all(b"From taro@example.jp Mon Apr  1 00:00:00 2024\n")?;
            text.clear();
            message.body.reader().read_to_end(&mut text)?;
            for line in text.split_inclusive(|octet| *octet == b'\n') {
                match line.strip_suffix(b"\r\n") {
                    Some(line) => {
                        out.write_all(line)?;
                        out.write_all(b"\n")?;
                    }
                    None => out.write_all(line)?,
                }
            }
            if text.last() != Some(&b'\n') {
                out.write_all(b"\n")?;
            }
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// A POP3 account.
#[derive(Debug)]
pub(super) struct Pop {
    server: Dovecot,
    account: Account,
    messages: usize,
}

impl Pop {
    /// Starts a server with one account of so many messages, which has been read once.
    pub(super) fn start(messages: usize, octets: u64) -> Result<Self> {
        let server = Dovecot::start(DovecotOptions {
            in_memory: true,
            extra: "auth_mechanisms = plain login\n".to_owned(),
            ..DovecotOptions::default()
        })?;
        let user = server.create_account("taro")?;
        fill_maildir(&server, &user, &account(messages, octets))?;
        let pop = Self {
            server,
            account: user,
            messages,
        };
        pop.drain()?;
        Ok(pop)
    }

    pub(super) fn port(&self) -> u16 {
        self.server.instance().pop3_port()
    }

    pub(super) fn user(&self) -> &str {
        &self.account.user
    }

    pub(super) fn password(&self) -> &str {
        &self.account.password
    }

    /// Everything that the server gives, as fast as it gives it: every RETR at once, every octet thrown away.
    pub(super) fn drain(&self) -> Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.port()))?;
        let mut asking = stream.try_clone()?;
        let mut answers = BufReader::with_capacity(1 << 20, stream);
        answer(&mut answers)?;
        for line in [
            format!("USER {}\r\n", self.user()),
            format!("PASS {}\r\n", self.password()),
        ] {
            asking.write_all(line.as_bytes())?;
            answer(&mut answers)?;
        }
        let messages = self.messages;
        let asked = std::thread::spawn(move || {
            let mut asking = BufWriter::new(asking);
            (1..=messages).try_for_each(|number| write!(asking, "RETR {number}\r\n"))?;
            asking.write_all(b"QUIT\r\n")?;
            asking.flush()
        });
        let mut line = Vec::new();
        for _ in 0..messages {
            answer(&mut answers)?;
            loop {
                line.clear();
                let length = answers.read_until(b'\n', &mut line)?;
                ensure!(length > 0, "the server left in the middle of a message");
                if line == b".\r\n" {
                    break;
                }
            }
        }
        answer(&mut answers)?;
        let asked = asked.join().ok().context("asking panicked")?;
        asked.context("the server did not take the commands")
    }
}

fn answer(answers: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    ensure!(line.starts_with("+OK"), "the server said {line:?}");
    Ok(())
}

/// Messages in all Maildirs below a directory.
pub(super) fn in_maildirs(directory: &Path) -> Result<usize> {
    let mut messages = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let name = entry.file_name();
            messages += match name == "cur" || name == "new" {
                true => fs::read_dir(entry.path())?.count(),
                false => in_maildirs(&entry.path())?,
            };
        }
    }
    Ok(messages)
}
