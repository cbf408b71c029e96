//! A POP3 server that does what a test says.

use hikyaku_core::Side;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_pop3::{Pop3Account, Pop3Options};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    /// In place of the length.
    pub(crate) announced: Option<u64>,
    /// In place of the text with its dots doubled and a lone dot behind it.
    pub(crate) wire: Option<Vec<u8>>,
    /// In place of the message.
    pub(crate) refused: Option<&'static str>,
}

impl Mail {
    pub(crate) fn new(name: &str, text: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
            ..Self::default()
        }
    }

    /// As octets on the wire make it; the text is what should come of them.
    pub(crate) fn wire(mut self, wire: impl Into<Vec<u8>>) -> Self {
        self.wire = Some(wire.into());
        self
    }

    pub(crate) fn announced(mut self, octets: u64) -> Self {
        self.announced = Some(octets);
        self
    }

    fn sent(&self, text: &[u8]) -> Vec<u8> {
        if let Some(wire) = &self.wire {
            return wire.clone();
        }
        let mut out = Vec::new();
        for line in text.split_inclusive(|b| *b == b'\n') {
            if line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    fn head(&self) -> &[u8] {
        let end = self.text.windows(4).position(|w| w == b"\r\n\r\n");
        &self.text[..end.map_or(self.text.len(), |at| at + 4)]
    }
}

/// What TOP does when whole messages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Top {
    Whole,
    /// Gives the header only.
    Cuts,
    /// Gives so many lines of the body at most.
    Lines(usize),
    Refused,
}

/// What becomes of a command that is sent before the one before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    Answered,
    /// The connection ends.
    Punished,
    /// From the second TOP on each answer waits until the next command is there.
    Awaited,
}

/// How the server behaves.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) greeting: String,
    /// `None`: CAPA is refused.
    pub(crate) capabilities: Option<Vec<&'static str>>,
    /// The same after login, where that differs.
    pub(crate) capabilities_inside: Option<Vec<&'static str>>,
    pub(crate) early: Early,
    /// Answers to logins, one after the other; then everybody with the password comes in.
    pub(crate) logins: VecDeque<&'static str>,
    pub(crate) password: &'static str,
    pub(crate) mails: Vec<Mail>,
    pub(crate) has_uidl: bool,
    /// Names change with the session.
    pub(crate) renames: bool,
    pub(crate) top: Top,
    /// The connection ends in the middle of this message, so many times.
    pub(crate) cuts: Option<(usize, usize)>,
    /// In place of the answer to a command, and then the end of the connection.
    pub(crate) instead: Option<(&'static str, Vec<u8>)>,
    /// After that answer the server is silent in place of gone.
    pub(crate) stalls: bool,
    /// Messages are deleted when they were retrieved and QUIT was said.
    pub(crate) deletes: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            greeting: "+OK ready".to_owned(),
            capabilities: Some(vec!["TOP", "UIDL", "USER", "PIPELINING"]),
            capabilities_inside: None,
            early: Early::Answered,
            logins: VecDeque::new(),
            password: "planted-secret",
            mails: Vec::new(),
            has_uidl: true,
            renames: false,
            top: Top::Whole,
            cuts: None,
            instead: None,
            stalls: false,
            deletes: false,
        }
    }
}

/// The server. It ends with the test.
pub(crate) struct Pop {
    port: u16,
    script: Arc<Mutex<Script>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Pop {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let script = Arc::new(Mutex::new(script));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (for_all, log) = (script.clone(), heard.clone());
        tokio::spawn(async move {
            let mut session = 0;
            while let Ok((stream, _)) = listener.accept().await {
                session += 1;
                let peer = Peer {
                    stream: BufReader::new(stream),
                    script: for_all.clone(),
                    heard: log.clone(),
                    session,
                    retrieved: Vec::new(),
                };
                tokio::spawn(peer.serve());
            }
        });
        Self {
            port,
            script,
            heard,
        }
    }

    /// With these messages and nothing odd.
    pub(crate) async fn with(mails: Vec<Mail>) -> Self {
        let script = Script {
            mails,
            ..Script::default()
        };
        Self::start(script).await
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no panic")
    }

    /// Every line that was heard, those of all connections.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }

    /// How often a command was heard that begins so.
    pub(crate) fn count(&self, begin: &str) -> usize {
        self.heard()
            .iter()
            .filter(|line| line.starts_with(begin))
            .count()
    }

    pub(crate) fn options(&self) -> Pop3Options {
        let mut endpoint = Endpoint::new("127.0.0.1", self.port, Security::Plain, Side::Source);
        // What a server does not answer at once it does not answer at all here.
        endpoint.timeouts.reply = Duration::from_millis(1_500);
        endpoint.timeouts.greeting = Duration::from_millis(1_500);
        endpoint.timeouts.probe = Duration::from_millis(500);
        Pop3Options::new(endpoint, Credentials::password("taro", "planted-secret"))
    }

    pub(crate) async fn account(&self) -> Pop3Account {
        Pop3Account::connect(self.options()).await.expect("login")
    }
}

struct Peer {
    stream: BufReader<TcpStream>,
    script: Arc<Mutex<Script>>,
    heard: Arc<Mutex<Vec<String>>>,
    session: usize,
    retrieved: Vec<String>,
}

impl Peer {
    async fn serve(mut self) {
        let greeting = self.script().greeting.clone();
        self.say(format!("{greeting}\r\n").as_bytes()).await;
        let mut is_in = false;
        let mut tops = 0;
        loop {
            let mut line = Vec::new();
            match self.stream.read_until(b'\n', &mut line).await {
                Ok(octets) if octets > 0 => {}
                _ => return,
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(line.ends_with("\r\n"), "a line end: {line:?}");
            let line = line.trim_end().to_owned();
            self.heard.lock().expect("no panic").push(line.clone());
            let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let instead = self.script().instead.clone();
            if let Some((_, answer)) = instead.filter(|(of, _)| *of == command) {
                self.say(&answer).await;
                if self.script().stalls {
                    // Until the client has had enough.
                    drop(self.stream.read_to_end(&mut Vec::new()).await);
                }
                return;
            }
            let script = self.script().clone();
            tops += usize::from(command == "TOP");
            match script.early {
                Early::Punished if !self.stream.buffer().is_empty() => return,
                // Whoever waits for the answer before the next command waits for ever.
                Early::Awaited if command == "TOP" && tops > 1 => {
                    drop(self.stream.fill_buf().await);
                }
                _ => {}
            }
            let inside = script.capabilities_inside.as_ref().filter(|_| is_in);
            let answer: Vec<u8> = match command {
                "CAPA" => match inside.or(script.capabilities.as_ref()) {
                    Some(lines) => listed(lines.iter().map(|line| line.to_string())),
                    None => b"-ERR what?\r\n".to_vec(),
                },
                "USER" => b"+OK\r\n".to_vec(),
                "PASS" => {
                    let scripted = self.script().logins.pop_front();
                    match scripted {
                        Some(line) => format!("{line}\r\n").into_bytes(),
                        None if rest == script.password => {
                            is_in = true;
                            b"+OK in\r\n".to_vec()
                        }
                        None => b"-ERR [AUTH] no\r\n".to_vec(),
                    }
                }
                "NOOP" => b"+OK\r\n".to_vec(),
                "QUIT" => {
                    self.say(b"+OK bye\r\n").await;
                    if script.deletes {
                        let retrieved = std::mem::take(&mut self.retrieved);
                        self.script()
                            .mails
                            .retain(|mail| !retrieved.contains(&mail.name));
                    }
                    return;
                }
                _ if !is_in => b"-ERR not in\r\n".to_vec(),
                "LIST" => listed(script.mails.iter().enumerate().map(|(n, mail)| {
                    let octets = mail.announced.unwrap_or(mail.text.len() as u64);
                    format!("{} {octets}", n + 1)
                })),
                "UIDL" if script.has_uidl => {
                    let session = self.session;
                    listed(script.mails.iter().enumerate().map(|(n, mail)| {
                        let name = &mail.name;
                        match script.renames {
                            true => format!("{} {name}-{session}", n + 1),
                            false => format!("{} {name}", n + 1),
                        }
                    }))
                }
                "RETR" | "TOP" => match self.message(&script, command, rest) {
                    Ok(answer) => answer,
                    Err(part) => {
                        self.say(&part).await;
                        return;
                    }
                },
                _ => b"-ERR what?\r\n".to_vec(),
            };
            self.say(&answer).await;
        }
    }

    /// `Err` with what is said before the connection ends.
    fn message(&mut self, script: &Script, command: &str, rest: &str) -> Result<Vec<u8>, Vec<u8>> {
        let mut words = rest
            .split(' ')
            .map(|word| word.parse::<usize>().unwrap_or(0));
        let number = words.next().unwrap_or(0);
        let lines = words.next();
        let Some(mail) = number.checked_sub(1).and_then(|n| script.mails.get(n)) else {
            return Ok(b"-ERR no such message\r\n".to_vec());
        };
        if let Some(refused) = mail.refused {
            return Ok(format!("{refused}\r\n").into_bytes());
        }
        if command == "TOP" && script.top == Top::Refused {
            return Ok(b"-ERR no TOP\r\n".to_vec());
        }
        let answer = |sent: Vec<u8>| [b"+OK here\r\n".to_vec(), sent].concat();
        if lines == Some(0) || (lines.is_some() && script.top == Top::Cuts) {
            let plain = Mail::default();
            return Ok(answer(plain.sent(mail.head())));
        }
        if let Some((cut, times)) = script
            .cuts
            .filter(|(cut, times)| *cut == number && *times > 0)
        {
            self.script().cuts = Some((cut, times - 1));
            let half = mail.text.len() / 2;
            return Err(answer(mail.text[..half].to_vec()));
        }
        if let (Top::Lines(most), "TOP") = (script.top, command) {
            let body = &mail.text[mail.head().len()..];
            let kept = body.split_inclusive(|b| *b == b'\n').take(most);
            let text = [mail.head(), &kept.collect::<Vec<_>>().concat()].concat();
            return Ok(answer(Mail::default().sent(&text)));
        }
        if command == "RETR" {
            self.retrieved.push(mail.name.clone());
        }
        Ok(answer(mail.sent(&mail.text)))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no panic")
    }

    async fn say(&mut self, octets: &[u8]) {
        // A client that is gone hears nothing.
        drop(self.stream.get_mut().write_all(octets).await);
    }
}

fn listed(lines: impl Iterator<Item = String>) -> Vec<u8> {
    let mut answer = b"+OK\r\n".to_vec();
    for line in lines {
        answer.extend_from_slice(line.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b".\r\n");
    answer
}
