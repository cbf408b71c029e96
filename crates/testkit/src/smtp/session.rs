//! One connection to the sink.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Arrived, Instead, Security, Shared, Stage, Wanted};

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

struct Session<'a> {
    wire: BufReader<Box<dyn Wire>>,
    wanted: &'a Wanted,
    shared: &'a Shared,
    encrypted: bool,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    wanted: &Wanted,
    shared: &Shared,
) -> io::Result<()> {
    let encrypted = wanted.security == Security::Tls;
    let wire: Box<dyn Wire> = match encrypted {
        true => Box::new(acceptor.accept(stream).await?),
        false => Box::new(stream),
    };
    let mut session = Session {
        wire: BufReader::new(wire),
        wanted,
        shared,
        encrypted,
        login: None,
        from: None,
        to: Vec::new(),
    };
    session
        .answer(Stage::Greeting, "220 sink.example ESMTP")
        .await?;
    while let Some(line) = session.line().await? {
        let verb = line.split(' ').next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => session.ehlo().await?,
            "STARTTLS" if !session.encrypted && wanted.security == Security::StartTls => {
                if session.answer(Stage::StartTls, "220 go ahead").await? {
                    let wire = session.wire.into_inner();
                    let wire: Box<dyn Wire> = Box::new(acceptor.accept(wire).await?);
                    session.wire = BufReader::new(wire);
                    session.encrypted = true;
                }
            }
            "AUTH" => session.auth(&line).await?,
            "MAIL" if !session.may_send() => session.say("530 5.7.0 log in first").await?,
            "MAIL" => {
                if session.answer(Stage::Mail, "250 2.1.0 ok").await? {
                    session.from = Some(address(&line));
                    session.to.clear();
                }
            }
            "RCPT" if session.from.is_none() => session.say("503 5.5.1 MAIL first").await?,
            "RCPT" => {
                if session.answer(Stage::Rcpt, "250 2.1.5 ok").await? {
                    session.to.push(address(&line));
                }
            }
            "DATA" if session.to.is_empty() => session.say("503 5.5.1 RCPT first").await?,
            "DATA" => session.data().await?,
            "QUIT" => {
                session.say("221 2.0.0 bye").await?;
                return session.wire.get_mut().shutdown().await;
            }
            "RSET" | "NOOP" => session.say("250 2.0.0 ok").await?,
            _ => session.say("500 5.5.2 what?").await?,
        }
    }
    Ok(())
}

impl Session<'_> {
    fn may_send(&self) -> bool {
        let encrypted = self.encrypted || self.wanted.security == Security::Clear;
        encrypted && (self.wanted.login.is_none() || self.login.is_some())
    }

    /// One line without its end; `None` when the client has gone.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        match self.wire.read_until(b'\n', &mut line).await? {
            0 => Ok(None),
            _ => Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned())),
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.wire
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        self.wire.flush().await
    }

    /// The right answer, or what the test wants instead; tells whether it was the right one.
    async fn answer(&mut self, stage: Stage, line: &str) -> io::Result<bool> {
        match self.shared.disturbed(stage) {
            None => self.say(line).await.map(|()| true),
            Some(Instead::Answer(line)) => self.say(line).await.map(|()| false),
            Some(Instead::Also(more)) => {
                self.say(&format!("{line}\r\n{more}")).await.map(|()| true)
            }
            Some(Instead::Silence) => {
                // Until the client gives up.
                while self.line().await?.is_some() {}
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Some(Instead::Cut | Instead::KeepAndCut) => {
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        let mut lines = vec!["sink.example".to_owned(), "8BITMIME".to_owned()];
        if !self.encrypted && self.wanted.security == Security::StartTls {
            lines.push("STARTTLS".to_owned());
        } else if self.wanted.login.is_some() {
            let mechanisms = match self.wanted.mechanisms {
                "" => "PLAIN LOGIN",
                mechanisms => mechanisms,
            };
            lines.push(format!("AUTH {mechanisms}"));
        }
        let last = lines.pop().unwrap_or_default();
        let mut answer: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        answer.push_str(&format!("250 {last}"));
        self.answer(Stage::Ehlo, &answer).await.map(drop)
    }

    async fn auth(&mut self, line: &str) -> io::Result<()> {
        let mut words = line.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let first = words.next().map(decoded);
        let given = match mechanism.as_str() {
            "PLAIN" => {
                let all = match first {
                    Some(all) => all,
                    None => self.ask("334 ").await?,
                };
                let mut parts = all.splitn(3, '\0').skip(1).map(str::to_owned);
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            "LOGIN" => {
                let user = match first {
                    Some(user) => user,
                    None => self.ask("334 VXNlcm5hbWU6").await?,
                };
                (user, self.ask("334 UGFzc3dvcmQ6").await?)
            }
            _ => return self.say("504 5.5.4 no such mechanism").await,
        };
        self.shared.lock().logins += 1;
        let right = self.wanted.login.as_ref() == Some(&given);
        let line = match right {
            true => "235 2.7.0 welcome",
            false => "535 5.7.8 wrong user name or password",
        };
        if self.answer(Stage::Auth, line).await? && right {
            self.login = Some(given.0);
        }
        Ok(())
    }

    async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.say(line).await?;
        let answer = self.line().await?;
        Ok(decoded(&answer.unwrap_or_default()))
    }

    async fn data(&mut self) -> io::Result<()> {
        if !self.answer(Stage::Data, "354 go on").await? {
            return Ok(());
        }
        let mut octets = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.wire.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            if line == b".\r\n" {
                break;
            }
            octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let arrived = Arrived {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            login: self.login.clone(),
            encrypted: self.encrypted,
            octets,
        };
        let keeps = {
            let inner = self.shared.lock();
            let next = inner.instead.iter().find(|(at, _)| *at == Stage::End);
            next.is_none_or(|(_, instead)| *instead == Instead::KeepAndCut)
        };
        if keeps {
            // Kept before it is answered: who sees the answer finds the message.
            self.shared.lock().arrived.push(arrived);
        }
        self.answer(Stage::End, "250 2.0.0 taken").await.map(drop)
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let rest = line.split_once('<').map_or("", |(_, rest)| rest);
    rest.split('>').next().unwrap_or_default().to_owned()
}

fn decoded(text: &str) -> String {
    let octets = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&octets).into_owned()
}
