//! One mail to the operator's mail server, by submission (RFC 6409).

use super::careful::Careful;
use crate::config::{Smtp, SmtpSecurity};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Secret;
use hikyaku_text::escape;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A mail server that takes mails for delivery.
#[derive(Clone)]
pub struct Relay {
    host: String,
    port: u16,
    security: SmtpSecurity,
    login: Option<(String, Secret)>,
    tls: Option<TlsParameters>,
    from: Mailbox,
    patience: Patience,
}

/// The longest that each phase of a delivery may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a TCP connection stands and the server has greeted, TLS included.
    pub connect: Duration,
    /// One answer. RFC 5321 §4.5.3.2 grants more; a relay of the operator's own is nearer, and the next try comes.
    pub reply: Duration,
    /// The answer to the end of a message.
    pub data: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            reply: Duration::from_secs(60),
            // Filters look at the whole message before they answer.
            data: Duration::from_secs(300),
        }
    }
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The relay cannot be used now: nothing is wrong with the mail, and another one would fare no better.
    Relay(Said),
    /// Not this mail now.
    Later(Said),
    /// Never this mail.
    Never(Said),
}

/// In which phase, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `connect`, `tls`, `auth`, `mail`, `rcpt`, `data` or `end`.
    pub phase: &'static str,
    /// Answer code; `None` where there was no answer.
    pub code: Option<u16>,
    /// For the operator's log, at most 200 characters; empty where the phase could quote a secret.
    pub text: String,
}

impl Said {
    /// Phase and code, such as `rcpt 550`: what is kept in the row.
    pub fn brief(&self) -> String {
        match self.code {
            Some(code) => format!("{} {code}", self.phase),
            None => self.phase.to_owned(),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.brief())?;
        match self.text.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.text),
        }
    }
}

impl Relay {
    /// The relay of a configuration; reads its password and its private authority.
    ///
    /// # Faults
    /// `config.invalid` for what cannot be read.
    pub fn new(smtp: &Smtp) -> Result<Self, Fault> {
        let login = match (&smtp.user, &smtp.password) {
            (Some(user), Some(from)) => Some((user.clone(), from.read().map_err(invalid)?)),
            _ => None,
        };
        let tls = match smtp.security {
            SmtpSecurity::Clear => None,
            SmtpSecurity::Tls | SmtpSecurity::StartTls => Some(tls_of(smtp)?),
        };
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            security: smtp.security,
            login,
            tls,
            from: smtp.from.clone(),
            patience: Patience::default(),
        })
    }

    /// The same with other limits of time.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The sender where a brand names none.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands one mail over. It was taken when this is `Ok`; when the connection ended before the last answer it may have
    /// been, and the next try has the same Message-ID.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn deliver(&self, message: &Message) -> Result<(), Refusal> {
        let mut connection = self.connected().await?;
        let taken = self.send(&mut connection, message).await;
        // What is said after the last answer changes nothing any more.
        tokio::spawn(async move { timeout(Duration::from_secs(10), connection.abort()).await });
        taken
    }

    /// A connection that is encrypted as it has to be, and logged in.
    async fn connected(&self) -> Result<AsyncSmtpConnection, Refusal> {
        let name = ClientId::default();
        let limit = self.patience.connect;
        let server = (self.host.as_str(), self.port);
        let mut connection = match self.security {
            SmtpSecurity::Tls => {
                let tls = self.tls.clone();
                let connect =
                    AsyncSmtpConnection::connect_tokio1(server, Some(limit), &name, tls, None);
                answered("connect", limit, connect).await
            }
            SmtpSecurity::StartTls | SmtpSecurity::Clear => {
                let stream = reached(limit, server).await.map_err(Refusal::Relay)?;
                let stream = Box::new(Careful::new(stream));
                let connect = AsyncSmtpConnection::connect_with_transport(stream, &name);
                answered("connect", limit, connect).await
            }
        }
        .map_err(Refusal::Relay)?;
        if self.security == SmtpSecurity::StartTls
            && let Some(tls) = self.tls.clone()
        {
            answered("tls", limit, connection.starttls(tls, &name))
                .await
                .map_err(Refusal::Relay)?;
        }
        if let Some((user, secret)) = &self.login {
            let password = String::from_utf8_lossy(secret.expose()).into_owned();
            let credentials = Credentials::new(user.clone(), password);
            let auth = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            answered("auth", self.patience.reply, auth)
                .await
                .map_err(|said| {
                    let text = String::new();
                    Refusal::Relay(Said { text, ..said })
                })?;
        }
        Ok(connection)
    }

    async fn send(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), Refusal> {
        let envelope = message.envelope();
        let mut parameters = Vec::new();
        let addresses = envelope.from().into_iter().chain(envelope.to());
        if addresses.into_iter().any(|a| !a.to_string().is_ascii()) {
            if !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                let text = "the address needs SMTPUTF8, which the relay does not offer".to_owned();
                return Err(Refusal::Never(Said {
                    phase: "mail",
                    code: None,
                    text,
                }));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let reply = self.patience.reply;
        let mail = connection.command(Mail::new(envelope.from().cloned(), parameters));
        answered("mail", reply, mail).await.map_err(refused)?;
        for to in envelope.to() {
            let rcpt = connection.command(Rcpt::new(to.clone(), Vec::new()));
            answered("rcpt", reply, rcpt).await.map_err(refused)?;
        }
        let data = connection.command(Data);
        answered("data", reply, data).await.map_err(refused)?;
        let octets = message.formatted();
        let end = connection.message(&octets);
        answered("end", self.patience.data, end)
            .await
            .map_err(refused)?;
        Ok(())
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({}:{})", self.host, self.port)
    }
}

fn tls_of(smtp: &Smtp) -> Result<TlsParameters, Fault> {
    let mut tls = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca_file {
        let wrong = |why: String| invalid(format!("{}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        let certificate = Certificate::from_pem(&pem).map_err(|e| wrong(e.to_string()))?;
        tls = tls.add_root_certificate(certificate);
    }
    tls.build().map_err(|e| invalid(e.to_string()))
}

fn invalid(detail: String) -> Fault {
    Fault::new(Code::ConfigInvalid, Reach::Job, Remedy::AskUser, detail)
}

/// What an answer code means for the mail, from MAIL on (RFC 5321 §4.2.1).
fn refused(said: Said) -> Refusal {
    match said.code {
        // The relay wants a login or encryption: the operator has to change something, not the recipient.
        Some(530 | 538) => Refusal::Relay(said),
        // It closes: a fresh connection later.
        Some(421) | None => Refusal::Relay(said),
        Some(500..) => Refusal::Never(said),
        Some(_) => Refusal::Later(said),
    }
}

/// A TCP connection.
async fn reached(limit: Duration, server: (&str, u16)) -> Result<TcpStream, Said> {
    let text = match timeout(limit, TcpStream::connect(server)).await {
        Ok(Ok(stream)) => return Ok(stream),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    Err(Said {
        phase: "connect",
        code: None,
        text,
    })
}

/// Waits for an answer, but not for ever.
async fn answered<T>(
    phase: &'static str,
    limit: Duration,
    answer: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Said> {
    let error = match timeout(limit, answer).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(_) => {
            return Err(Said {
                phase,
                code: None,
                text: "no answer".to_owned(),
            });
        }
    };
    let code = error.status().map(u16::from);
    let text: String = escape::clean(&error.to_string())
        .chars()
        .take(200)
        .collect();
    Err(Said { phase, code, text })
}
