//! From a connected stream to a logged-in session that knows what the mailbox holds:
//! greeting → CAPA → STLS → CAPA → login → CAPA, LIST, UIDL.
//!
//! No secret leaves before TLS, where TLS is asked for; after STLS nothing that was said before
//! counts.

use crate::command::Command;
use crate::identity::{Listed, Names};
use crate::login::log_in;
use crate::reply::{Capabilities, Expire, Reply, named, sized, timestamp};
use crate::wire::Wire;
use crate::words;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, PeerInfo, Security};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Lines of CAPA.
const MOST_CAPABILITIES: usize = 500;

/// Messages of a mailbox: more than any server is known to hold in one.
const MOST_MESSAGES: usize = 2_000_000;

/// Until login is complete, whatever is said in between.
const LOGIN: Duration = Duration::from_secs(180);

/// For a farewell nobody waits long.
const FAREWELL: Duration = Duration::from_secs(5);

/// How messages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Top {
    /// By TOP; whether a whole message comes has to be seen.
    Untried,
    /// By TOP, which gives whole messages.
    Whole,
    /// By RETR: there is no TOP, or it cuts.
    No,
}

/// A session that is ready for use.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) wire: Wire,
    /// What the mailbox held at login; it stays so for the whole session.
    pub(crate) listed: Listed,
    /// Whether several commands may be under way (RFC 2449 §6.8).
    pub(crate) pipelines: bool,
    pub(crate) top: Top,
    /// Whether messages were seen that have not as many octets as announced.
    pub(crate) counts_otherwise: bool,
    /// Whether RETR gave no more of a message that came short by TOP.
    pub(crate) announces_more: bool,
    /// Whether mail that was read may be deleted at the end of a session.
    pub(crate) deletes: bool,
    /// The shortest time between two logins.
    pub(crate) login_delay: Option<Duration>,
    pub(crate) since: Instant,
}

/// Connects and logs in.
///
/// # Faults
/// The N, T, A and L classes, with the server's words; `source.deletes` unless that is accepted.
pub(crate) async fn establish(
    endpoint: &Endpoint,
    credentials: &Credentials,
    accepts_deletion: bool,
) -> Result<Session, Fault> {
    let stream = hikyaku_net::connect(endpoint).await?;
    let wire = Wire::new(stream, endpoint.clone());
    let entering = enter(wire, endpoint, credentials);
    let (wire, told) = match timeout(LOGIN, entering).await {
        Ok(entered) => entered?,
        Err(_) => return Err(endpoint.link_fault(&std::io::ErrorKind::TimedOut.into())),
    };
    settle_in(wire, told, accepts_deletion).await
}

/// Up to the end of the login.
async fn enter(
    mut wire: Wire,
    endpoint: &Endpoint,
    credentials: &Credentials,
) -> Result<(Wire, Capabilities), Fault> {
    let line = wire.line().await?;
    let Some(greeting) = Reply::parse(&line) else {
        let detail = "the server does not greet like a POP3 server; check the port";
        return Err(Fault {
            remedy: Remedy::AskUser,
            ..words::confused(detail)
        });
    };
    if !greeting.is_ok {
        return Err(words::greeting(&greeting));
    }
    let mut told = capabilities(&mut wire).await?;
    if endpoint.security == Security::StartTls {
        if told.are_known && !told.has("STLS") {
            return Err(no_tls("the server does not offer STLS"));
        }
        let reply = wire.ask(Command::Stls).await?;
        if !reply.is_ok {
            return Err(no_tls("the server refused STLS").said(reply.said()));
        }
        wire = wire.start_tls().await?;
        told = capabilities(&mut wire).await?;
    }
    log_in(&mut wire, credentials, &told, timestamp(&greeting.text)).await?;
    wire.is_in();
    Ok((wire, told))
}

fn no_tls(detail: &str) -> Fault {
    Fault::new(
        Code::TlsUnavailable,
        Reach::Side,
        Remedy::AskUser,
        format!("{detail}: nothing secret was sent; try implicit TLS on port 995"),
    )
}

async fn capabilities(wire: &mut Wire) -> Result<Capabilities, Fault> {
    wire.send(&[Command::Capa]).await?;
    read_capabilities(wire).await
}

/// An old server refuses CAPA: then nothing is known.
async fn read_capabilities(wire: &mut Wire) -> Result<Capabilities, Fault> {
    if !wire.reply().await?.is_ok {
        return Ok(Capabilities::default());
    }
    let mut told = Capabilities::known();
    wire.lines(MOST_CAPABILITIES, |line| told.take(line))
        .await?;
    Ok(told)
}

/// What the server can do after login, which may differ, and what the mailbox holds.
async fn settle_in(
    mut wire: Wire,
    before: Capabilities,
    accepts_deletion: bool,
) -> Result<Session, Fault> {
    let questions = [Command::Capa, Command::List, Command::Uidl];
    let at_once = before.has("PIPELINING");
    if at_once {
        wire.send(&questions).await?;
    } else {
        wire.send(&questions[..1]).await?;
    }
    let told = read_capabilities(&mut wire).await?;
    // Some tell only before login; what is not said a second time is not taken back.
    let expire = told.expire().or_else(|| before.expire());
    let told = if told.are_known { told } else { before };
    let deletes = expire == Some(Expire::Days(0));
    if deletes && !accepts_deletion {
        wire.reset();
        return Err(deletes_what_is_read());
    }
    if !at_once {
        wire.send(&questions[1..2]).await?;
    }
    let sizes = read_sizes(&mut wire, told.login_delay()).await?;
    if !at_once {
        wire.send(&questions[2..]).await?;
    }
    let names = read_names(&mut wire, &sizes).await?;
    Ok(Session {
        wire,
        listed: names.identify(sizes),
        pipelines: told.has("PIPELINING"),
        top: match told.are_known && !told.has("TOP") {
            true => Top::No,
            false => Top::Untried,
        },
        counts_otherwise: false,
        announces_more: false,
        deletes,
        login_delay: told.login_delay(),
        since: Instant::now(),
    })
}

fn deletes_what_is_read() -> Fault {
    Fault::new(
        Code::SourceDeletes,
        Reach::Side,
        Remedy::AskUser,
        "the server says EXPIRE 0 (RFC 2449 §6.7): it may delete what was read; nothing was read",
    )
}

async fn read_sizes(wire: &mut Wire, delay: Option<Duration>) -> Result<Vec<(u32, u64)>, Fault> {
    let reply = wire.reply().await?;
    if !reply.is_ok {
        return Err(words::refused(&reply, delay));
    }
    let mut sizes = Vec::new();
    let mut is_clear = true;
    let each = |line: &[u8]| match sized(line) {
        Some(size) => sizes.push(size),
        None => is_clear = line.trim_ascii().is_empty() && is_clear,
    };
    wire.lines(MOST_MESSAGES, each).await?;
    sizes.sort_unstable();
    // A message that is not understood would be left out without a word.
    if !is_clear || sizes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(words::confused("the list of messages makes no sense"));
    }
    Ok(sizes)
}

/// Names of the messages with these sizes, which are sorted by number, as far as there are any: a
/// server without UIDL refuses.
async fn read_names(wire: &mut Wire, sizes: &[(u32, u64)]) -> Result<Names, Fault> {
    let mut names = Names::default();
    if !wire.reply().await?.is_ok {
        return Ok(names);
    }
    let (mut is_clear, mut named_so_far) = (true, 0);
    let each = |line: &[u8]| {
        let Some((number, name)) = named(line) else {
            return;
        };
        named_so_far += 1;
        let is_listed = sizes.binary_search_by_key(&number, |size| size.0).is_ok();
        match is_listed && named_so_far <= sizes.len() {
            true => names.take(number, name),
            false => is_clear = false,
        }
    };
    wire.lines(MOST_MESSAGES, each).await?;
    // A message that only one of the lists has would be left out without a word.
    match is_clear {
        true => Ok(names),
        false => Err(words::confused("the two lists of messages disagree")),
    }
}

impl Session {
    /// Whether the server still is there.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let asked = self.wire.ask(Command::Noop);
        matches!(timeout(FAREWELL, asked).await, Ok(Ok(_)))
    }

    /// Says farewell, and waits a moment for the answer: some servers lock the mailbox until
    /// then. Where a farewell makes the server delete what was read, nothing is said.
    pub(crate) async fn leave(mut self) {
        if self.deletes {
            self.wire.reset();
            return;
        }
        let asked = self.wire.ask(Command::Quit);
        if !matches!(timeout(FAREWELL, asked).await, Ok(Ok(_))) {
            tracing::debug!("the server does not answer a farewell");
        }
    }

    pub(crate) fn peer(&self) -> &PeerInfo {
        self.wire.stream().peer()
    }
}
