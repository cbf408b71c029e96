//! From a connected stream to a logged-in connection: greeting → STARTTLS →
//! capabilities → authentication → COMPRESS → (pipelined) ID, ENABLE, NAMESPACE.
//!
//! Up to the end of authentication one command is in flight at a time and nobody
//! else uses the stream, so this is a plain dialogue. After it the tasks of
//! [`crate::connection`] take over.
//!
//! No secret leaves before TLS, where TLS is asked for; after STARTTLS nothing that was
//! said before counts.
//!
//! Start reading at [`log_in`].

mod authenticate;
mod dialogue;
mod facts;
#[cfg(test)]
mod tests;

pub(crate) use facts::Facts;

use crate::connection::{Access, Answer, Connection, Profile};
use crate::encode::{Command, Extension, Style};
use crate::frame::FrameLimits;
use crate::machine::Takes;
use crate::quirks::{Product, login_fault, throttled};
use crate::response::{Capabilities, Namespaces, Reply, ReplyCode, ReplyKind, Response};
use dialogue::Dialogue;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, PeerInfo, Security, Stream};
use tokio::sync::oneshot;

/// What a new connection shall be like.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    /// What may be sent on it.
    pub(crate) access: Access,
    /// Whether to compress where the server offers it.
    pub(crate) compress: bool,
    /// The largest message that is taken, in octets.
    pub(crate) largest: u64,
}

/// What is asked for in the same round trip that begins the session, made from what is
/// known after login (namespaces and product are not).
pub(crate) type Prelude = fn(&Facts) -> Vec<(Command, Takes)>;

/// No prelude.
pub(crate) fn nothing(_: &Facts) -> Vec<(Command, Takes)> {
    Vec::new()
}

/// A connection that is ready for use.
pub(crate) struct Session {
    /// The connection.
    pub(crate) connection: Connection,
    /// What is known of the server.
    pub(crate) facts: Facts,
    /// The answers to the prelude, in its order.
    pub(crate) answers: Vec<Answer>,
}

impl Wishes {
    fn limits(&self) -> FrameLimits {
        FrameLimits {
            literal: self.largest,
            ..FrameLimits::default()
        }
    }
}

/// Connects and logs in; whom one is talking to then. One round trip each for connecting, TLS and authentication;
/// two more where the server does not tell its capabilities by itself.
///
/// # Faults
/// The N, T, A and L classes, with the server's words. A refused login is never
/// tried again here.
pub(crate) async fn log_in(
    endpoint: &Endpoint,
    credentials: &Credentials,
    wishes: &Wishes,
    prelude: Prelude,
) -> Result<(Session, PeerInfo), Fault> {
    let placed = |fault: Fault| fault.on(endpoint.side).server(endpoint.server());
    establish(endpoint, credentials, wishes, prelude)
        .await
        .map_err(placed)
}

async fn establish(
    endpoint: &Endpoint,
    credentials: &Credentials,
    wishes: &Wishes,
    prelude: Prelude,
) -> Result<(Session, PeerInfo), Fault> {
    let stream = hikyaku_net::connect(endpoint).await?;
    tracing::debug!(
        server = %endpoint.server(),
        address = %stream.peer().address,
        "connected"
    );
    let mut dialogue = Dialogue::new(stream, endpoint.clone());
    let mut greeting = dialogue.greeting().await?;
    greeting.check(endpoint.security)?;
    if endpoint.security == Security::StartTls {
        dialogue = start_tls(dialogue, endpoint, greeting.capabilities.take()).await?;
    }
    let is_encrypted = dialogue.stream().is_encrypted();
    let capabilities =
        authenticate::authenticate(&mut dialogue, &mut greeting, credentials, is_encrypted).await?;
    if wishes.compress && capabilities.has("COMPRESS=DEFLATE") {
        dialogue = compress(dialogue, endpoint).await?;
    }
    let (stream, mut framer, last_tag) = dialogue.into_parts();
    framer.limit(wishes.limits());
    let peer = stream.peer().clone();
    let resetter = stream.resetter();
    let (read, write) = stream.split();
    let profile = Profile {
        endpoint: endpoint.clone(),
        access: wishes.access,
        last_tag,
        reset: Box::new(move || resetter.reset()),
    };
    let connection = Connection::start(read, write, framer, profile);
    let session = settle_in(connection, capabilities, &greeting.text, prelude).await?;
    Ok((session, peer))
}

/// The greeting.
pub(crate) struct Greeting {
    /// What it says.
    pub(crate) text: String,
    /// Whether it says that nobody has to log in.
    pub(crate) is_authenticated: bool,
    /// Capabilities, if it named them.
    pub(crate) capabilities: Option<Capabilities>,
}

impl Greeting {
    fn of(reply: Reply) -> Result<Self, Fault> {
        match reply.kind {
            ReplyKind::Ok | ReplyKind::Preauth => Ok(Self {
                is_authenticated: reply.kind == ReplyKind::Preauth,
                text: reply.text,
                capabilities: match reply.code {
                    Some(ReplyCode::Capability(capabilities)) => Some(capabilities),
                    _ => None,
                },
            }),
            ReplyKind::Bye | ReplyKind::No | ReplyKind::Bad => Err(login_fault(&reply, false)),
        }
    }
}

impl Greeting {
    /// Refuses PREAUTH where encryption was asked for (RFC 9051 §11.3): before STARTTLS
    /// anybody on the way can say it, and then mail would go in clear; in TLS it still
    /// leaves open whose mail this is.
    fn check(&self, security: Security) -> Result<(), Fault> {
        let code = match security {
            _ if !self.is_authenticated => return Ok(()),
            Security::Plain => return Ok(()),
            Security::StartTls => Code::TlsUnavailable,
            Security::ImplicitTls => Code::LoginMechanism,
        };
        Err(Fault::new(
            code,
            Reach::Side,
            Remedy::AskUser,
            "the server takes everybody for logged in before anybody said who (PREAUTH); nothing was sent",
        ))
    }
}

async fn start_tls(
    mut dialogue: Dialogue<Stream>,
    endpoint: &Endpoint,
    told: Option<Capabilities>,
) -> Result<Dialogue<Stream>, Fault> {
    let offers = |c: &Capabilities| c.has("STARTTLS");
    // Some greetings name only a part.
    let offered = told.as_ref().is_some_and(offers) || offers(&dialogue.capabilities().await?);
    if !offered {
        return Err(no_tls("the server does not offer STARTTLS"));
    }
    let answer = dialogue.ask(&Command::StartTls).await?;
    if !answer.reply.is_ok() {
        return Err(no_tls("the server refused STARTTLS").said(answer.reply.said()));
    }
    let (stream, mut framer, last_tag) = dialogue.into_parts();
    let stream = stream.start_tls(endpoint, &framer.take_rest()).await?;
    Ok(Dialogue::resume(stream, endpoint.clone(), framer, last_tag))
}

fn no_tls(detail: &str) -> Fault {
    Fault::new(
        Code::TlsUnavailable,
        Reach::Side,
        Remedy::AskUser,
        format!("{detail}: nothing secret was sent; try implicit TLS on port 993"),
    )
}

async fn compress(
    mut dialogue: Dialogue<Stream>,
    endpoint: &Endpoint,
) -> Result<Dialogue<Stream>, Fault> {
    let answer = dialogue.ask(&Command::Compress).await?;
    if !answer.reply.is_ok() {
        return Ok(dialogue);
    }
    let (stream, mut framer, last_tag) = dialogue.into_parts();
    let stream = stream.deflate(&framer.take_rest());
    Ok(Dialogue::resume(stream, endpoint.clone(), framer, last_tag))
}

/// The commands that every session begins with, in one round trip.
async fn settle_in(
    mut connection: Connection,
    capabilities: Capabilities,
    greeting: &str,
    prelude: Prelude,
) -> Result<Session, Fault> {
    let mut facts = Facts::new(capabilities);
    let id = facts
        .can("ID")
        .then(|| connection.submit(&identification(), Takes::ID))
        .transpose()?;
    let wanted = facts.extensions();
    let enable = (facts.can("ENABLE") && !wanted.is_empty())
        .then(|| connection.submit(&Command::Enable(wanted.clone()), Takes::ENABLED))
        .transpose()?;
    let namespace = facts
        .can("NAMESPACE")
        .then(|| connection.submit(&Command::Namespace, Takes::NAMESPACE))
        .transpose()?;
    let asked = prelude(&facts)
        .iter()
        .map(|(command, takes)| connection.submit(command, *takes))
        .collect::<Result<Vec<_>, _>>()?;
    let mut name = None;
    if let Some(id) = id {
        for response in connection.answer(id).await?.data {
            if let Response::Id(fields) = response {
                name = fields
                    .into_iter()
                    .find(|(field, _)| field.eq_ignore_ascii_case("name"))
                    .map(|(_, value)| value);
            }
        }
    }
    facts.product = Product::recognise(greeting, name.as_deref());
    if let Some(enable) = enable {
        let answer = connection.answer(enable).await?;
        // Cyrus answers a bare OK, and old servers NO: only what is named counts.
        for response in answer.data {
            if let Response::Enabled(names) = response {
                facts.enabled(&names);
            }
        }
        // RFC 7162 §3.1: naming CONDSTORE switches it on, whatever ENABLED lists.
        facts.condstore |= answer.reply.is_ok() && wanted.contains(&Extension::Condstore);
    }
    if let Some(namespace) = namespace {
        facts.namespaces = namespaces(&connection, namespace).await?;
    }
    connection.set_style(Style {
        literals: facts.literals(),
        utf8: facts.utf8,
    });
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(connection.answer(answer).await?);
    }
    Ok(Session {
        connection,
        facts,
        answers,
    })
}

/// The namespaces, from the answer to a question that was sent already.
///
/// A refusal is not taken for "there are none": a prefix that is unknown today and known
/// tomorrow would map the same mailboxes to other names, and their mail would be copied
/// twice. So it is asked once more, and then the login has failed for now. That holds for
/// BAD as well: no server is known that advertises NAMESPACE and never knows the command,
/// and names that come and go would be worse than a server that cannot be read.
///
/// # Faults
/// What the server says, as temporary.
async fn namespaces(
    connection: &Connection,
    asked: oneshot::Receiver<Result<Answer, Fault>>,
) -> Result<Namespaces, Fault> {
    let mut answer = connection.answer(asked).await?;
    if !answer.reply.is_ok() {
        let again = connection.submit(&Command::Namespace, Takes::NAMESPACE)?;
        answer = connection.answer(again).await?;
    }
    if !answer.reply.is_ok() {
        return Err(throttled(&answer.reply).unwrap_or_else(|| {
            Fault::new(
                Code::ServerProtocol,
                Reach::Side,
                Remedy::Retry { after: None },
                "the server does not tell its namespaces, so the names of mailboxes are unknown",
            )
            .said(answer.reply.said())
        }));
    }
    let told = answer.data.into_iter().rev().find_map(|data| match data {
        Response::Namespace(namespaces) => Some(namespaces),
        _ => None,
    });
    Ok(told.unwrap_or_default())
}

fn identification() -> Command {
    Command::Id(vec![
        ("name", "hikyaku".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ])
}

/// A session over any stream, for the tests of this crate: no TLS, no compression.
#[cfg(test)]
pub(crate) async fn log_in_over<S>(
    stream: S,
    endpoint: &Endpoint,
    credentials: &Credentials,
    access: Access,
) -> Result<Session, Fault>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut dialogue = Dialogue::new(stream, endpoint.clone());
    let mut greeting = dialogue.greeting().await?;
    let capabilities =
        authenticate::authenticate(&mut dialogue, &mut greeting, credentials, false).await?;
    let (stream, mut framer, last_tag) = dialogue.into_parts();
    framer.limit(FrameLimits::default());
    let (read, write) = tokio::io::split(stream);
    let profile = Profile {
        endpoint: endpoint.clone(),
        access,
        last_tag,
        reset: Box::new(|| {}),
    };
    let connection = Connection::start(read, write, framer, profile);
    settle_in(connection, capabilities, &greeting.text, nothing).await
}
