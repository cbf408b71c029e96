//! Accounts on real servers, and a POP3 client that says what a test wants said.

use hikyaku_core::Side;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Anchors, Endpoint, Security, Trust};
use hikyaku_pop3::{Pop3Account, Pop3Options};
use hikyaku_testkit::judge::MailboxSnapshot;
use hikyaku_testkit::servers::{Account, MailServer};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

pub(crate) fn options(
    server: &dyn MailServer,
    account: &Account,
    security: Security,
) -> Pop3Options {
    let instance = server.instance();
    let port = match security {
        Security::ImplicitTls => instance.pop3_tls_port(),
        Security::StartTls | Security::Plain => instance.pop3_port(),
    };
    let mut endpoint = Endpoint::new(instance.host(), port, security, Side::Source);
    let pem = instance.identity().authority_pem.as_bytes();
    endpoint.trust = Trust::WithAnchors(Anchors::from_pem(pem).expect("anchors"));
    let password = account.password.clone();
    Pop3Options::new(endpoint, Credentials::password(&account.user, password))
}

pub(crate) async fn connect(server: &dyn MailServer, account: &Account) -> Pop3Account {
    let options = options(server, account, Security::Plain);
    let connected = Pop3Account::connect(options).await;
    connected.unwrap_or_else(|fault| panic!("{fault:?}\n{}", server.instance().log_tail()))
}

/// Puts messages into INBOX, with these flags.
pub(crate) fn fill(server: &dyn MailServer, account: &Account, messages: &[(&str, Vec<u8>)]) {
    let mut judge = server.judge(account).expect("judge");
    for (flags, octets) in messages {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let date = Some("01-Feb-2024 10:00:00 +0900");
        let answer = judge.append("INBOX", &flags, date, octets).expect("append");
        answer.accepted().expect("taken");
    }
}

/// INBOX as the judge reads it over IMAP.
pub(crate) fn look(server: &dyn MailServer, account: &Account) -> MailboxSnapshot {
    let mut judge = server.judge(account).expect("judge");
    judge.keep_octets_up_to(64 << 20);
    let all = judge.snapshot().expect("a snapshot");
    all.mailboxes.get(&b"INBOX"[..]).expect("INBOX").clone()
}

/// Flags by message, in order.
pub(crate) fn flags(mailbox: &MailboxSnapshot) -> Vec<String> {
    let joined = |flags: &std::collections::BTreeSet<String>| {
        flags.iter().cloned().collect::<Vec<_>>().join(" ")
    };
    mailbox
        .messages
        .iter()
        .map(|message| joined(&message.flags))
        .collect()
}

/// A client of its own.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn log_in(server: &dyn MailServer, account: &Account) -> Self {
        let stream =
            TcpStream::connect(("127.0.0.1", server.instance().pop3_port())).expect("connected");
        let mut client = Self(BufReader::new(stream));
        client.line();
        client.says(&format!("USER {}", account.user));
        let answer = client.says(&format!("PASS {}", account.password));
        assert!(answer.starts_with("+OK"), "{answer}");
        client
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).expect("a line");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// Says it; the first line of the answer.
    pub(crate) fn says(&mut self, line: &str) -> String {
        let stream = self.0.get_mut();
        stream
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("written");
        self.line()
    }

    /// The lines up to the lone dot.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let line = || Some(self.line()).filter(|line| line != ".");
        std::iter::from_fn(line).collect()
    }
}
