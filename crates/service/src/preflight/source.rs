//! Reaching the source: from what was typed to an account that is open, or to the one thing that has to be put right.

use super::Request;
use super::board::Board;
use crate::accounts::{self, Ours, Typed, TypedProblem, Way};
use crate::dns::{DnsProblem, split_address};
use crate::job::{Accepted, CheckStep, Protocol, Reached, SourceKind, Transport, UploadId};
use crate::origin::{self, Opened};
use crate::uploads;
use hikyaku_core::{AccountId, Code, Fault, Reach, Remedy, Side};
use hikyaku_net::{Endpoint, Witness};
use std::net::IpAddr;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A server whose name resolves.
struct Server {
    /// Name or address, without brackets.
    host: String,
    addresses: Vec<IpAddr>,
    protocol: Protocol,
    ways: Vec<Way>,
    /// Another protocol that was found with it.
    beside: Option<Protocol>,
    /// Whether nobody named a port.
    is_usual: bool,
    /// Whether somebody typed it, or it belongs to the address's own domain: then a person can judge a certificate.
    is_known: bool,
}

/// A source that is open.
pub(super) struct Source {
    /// To be looked at.
    pub(super) opened: Opened,
    /// The identity that the ledger keeps.
    pub(super) id: AccountId,
}

/// Opens the source. What is wrong, or has to be accepted, stands on the board when it is `None`.
pub(super) async fn open(request: &Request<'_>, board: &Board<'_>) -> Option<Source> {
    match &request.order.source.kind {
        SourceKind::Imap => open_server(request, board, None).await,
        SourceKind::Pop3 => open_server(request, board, Some(Protocol::Pop3)).await,
        SourceKind::Upload(id) => open_upload(request, *id, board).await,
    }
}

/// The source is a file that was uploaded.
async fn open_upload(request: &Request<'_>, id: UploadId, board: &Board<'_>) -> Option<Source> {
    board.begin(CheckStep::Archive);
    let opened = match request.uploads {
        Some(uploads) => {
            let read = request.order.choices.read;
            uploads.way(id, read).open().await
        }
        None => Err(Fault::bug("uploads are not offered here")),
    };
    match opened {
        Ok(opened) => {
            board.good(CheckStep::Archive);
            let id = uploads::source_id(&request.order.source.address);
            Some(Source { opened, id })
        }
        Err(fault) => {
            board.bad(CheckStep::Archive, &fault.on(Side::Source));
            None
        }
    }
}

/// What came of trying to connect.
enum Tried {
    Open(Source),
    /// What is wrong, or has to be accepted, stands on the board.
    Told,
    /// Nobody answered; why.
    Unreached(Fault),
}

/// The source is a server. Where nobody said which protocol it speaks, IMAP comes first, which is better in every respect,
/// and POP3 where IMAP does not answer.
async fn open_server(
    request: &Request<'_>,
    board: &Board<'_>,
    asked: Option<Protocol>,
) -> Option<Source> {
    board.begin(CheckStep::Name);
    let found = match find(request, asked).await {
        Ok(server) => server,
        Err(fault) => {
            board.bad(CheckStep::Name, &fault);
            return None;
        }
    };
    board.good(CheckStep::Name);
    board.change(|checked| checked.beside = found.beside);
    board.begin(CheckStep::Connection);
    // Whoever asked for POP3 may not know that there is something better. Where nothing was asked, IMAP was looked for.
    let is_named = !request.order.source.host.trim().is_empty();
    let imap =
        (found.protocol == Protocol::Pop3 && is_named).then(|| look_for_imap(request, &found));
    let first = match connect(request, board, &found, found.protocol).await {
        Tried::Open(source) => {
            if let Some(looking) = imap
                && let Ok(Ok(Some(_))) = timeout(WORTH_WAITING, looking).await
            {
                board.change(|checked| checked.beside = Some(Protocol::Imap));
            }
            return Some(source);
        }
        Tried::Told => return None,
        Tried::Unreached(fault) => fault,
    };
    let may_be_pop3 = asked.is_none() && found.protocol == Protocol::Imap && found.is_usual;
    if may_be_pop3 {
        let pop3 = Server {
            ways: accounts::ways(Protocol::Pop3, None, request.order.source.transport),
            ..found
        };
        match connect(request, board, &pop3, Protocol::Pop3).await {
            Tried::Open(source) => return Some(source),
            Tried::Told => return None,
            // What was asked for first is what is told.
            Tried::Unreached(_) => {}
        }
    }
    board.bad(CheckStep::Connection, &first);
    None
}

/// How long whoever answers late is waited for: it is only a hint.
const WORTH_WAITING: Duration = Duration::from_secs(2);

/// Looks whether an IMAP server answers beside this one, while other things happen. Nothing secret is sent.
fn look_for_imap(request: &Request<'_>, pop3: &Server) -> JoinHandle<Option<Endpoint>> {
    let way = pop3.ways.first();
    let (port, transport) = way.map_or((995, Transport::Tls), |way| (way.port, way.transport));
    let security = accounts::security(transport);
    let endpoint = Endpoint {
        guard: Some(accounts::guard_of(request.brand, request.guard)),
        ..Endpoint::new(&pop3.host, port, security, Side::Source)
    };
    tokio::spawn(async move { hikyaku_pop3::imap_beside(&endpoint).await })
}

/// The name is understood, resolves, and leads to another account than the destination.
async fn find(request: &Request<'_>, asked: Option<Protocol>) -> Result<Server, Fault> {
    let source = &request.order.source;
    let destination = &request.brand.destination.host;
    // Without an answer nothing can be compared, and the engine's own matching still doubles nothing.
    let ours = request.dns.addresses(destination).await.unwrap_or_default();
    let typed =
        Typed::parse(&source.host).map_err(|problem| not_a_server(&source.host, problem))?;
    let Some(typed) = typed else {
        return discover(request, &ours, asked).await;
    };
    let host = typed.host.bare();
    let addresses = match request.dns.addresses(&host).await {
        Ok(addresses) if addresses.is_empty() => {
            return Err(no_such_host(&host, "it has no address"));
        }
        Ok(addresses) => addresses,
        Err(DnsProblem::NotFound) => return Err(no_such_host(&host, "there is no such name")),
        Err(DnsProblem::Unanswered(why)) => return Err(no_such_host(&host, &why)),
    };
    let port = source.port.or(typed.port);
    let protocol = asked.unwrap_or(accounts::protocol_of(port));
    let server = Server {
        protocol,
        ways: accounts::ways(protocol, port, source.transport),
        beside: None,
        is_usual: port.is_none(),
        host,
        addresses,
        is_known: true,
    };
    match is_the_destination(request, &server, &ours) {
        true => Err(same_account(&server)),
        false => Ok(server),
    }
}

/// Nothing was typed.
async fn discover(
    request: &Request<'_>,
    ours: &[IpAddr],
    asked: Option<Protocol>,
) -> Result<Server, Fault> {
    let address = &request.order.source.address;
    let Some((_, domain)) = split_address(address) else {
        return Err(no_such_host("", "the address has no domain"));
    };
    let ours = Ours {
        addresses: ours.to_vec(),
        port: request.brand.destination.port,
    };
    let guard = accounts::guard_of(request.brand, request.guard);
    let found = accounts::discover(request.dns, &guard, &domain, Some(&ours), asked).await?;
    Ok(Server {
        protocol: found.protocol,
        beside: found.beside,
        is_usual: false,
        ways: vec![Way {
            port: found.port,
            transport: found.transport,
        }],
        host: found.host,
        addresses: found.addresses,
        is_known: found.is_own_name,
    })
}

/// Whether the name leads to the very account that is written: the trap of a name that was switched already. Another
/// account of the same server is a source like any other.
fn is_the_destination(request: &Request<'_>, server: &Server, ours: &[IpAddr]) -> bool {
    let order = request.order;
    let destination = &request.brand.destination;
    let login = destination.login.of(&order.destination);
    let is_same_account = order
        .source
        .address
        .eq_ignore_ascii_case(&order.destination)
        || login_of(request).eq_ignore_ascii_case(&login);
    let is_same_host = server.host.eq_ignore_ascii_case(&destination.host)
        || server
            .addresses
            .iter()
            .any(|address| ours.contains(address));
    let is_same_port = |way: &Way| accounts::is_same_server(way.port, destination.port);
    is_same_account && is_same_host && server.ways.iter().any(is_same_port)
}

/// The login name: the address, unless another one was asked for. Others are never tried by themselves: each wrong try
/// counts towards a lockout.
fn login_of<'a>(request: &Request<'a>) -> &'a str {
    let source = &request.order.source;
    match &source.login {
        Some(login) if !login.trim().is_empty() => login.trim(),
        _ => source.address.trim(),
    }
}

/// Tries the ways until one leads to a server that talks; a password is sent to one server only, and once.
async fn connect(
    request: &Request<'_>,
    board: &Board<'_>,
    server: &Server,
    protocol: Protocol,
) -> Tried {
    let accepted = request.order.source.accepted.as_ref();
    let mut ways = server.ways.clone();
    ways.reverse();
    let mut first: Option<Fault> = None;
    while let Some(way) = ways.pop() {
        let reached = Reached {
            host: server.host.clone(),
            port: way.port,
            transport: way.transport,
            login: login_of(request).to_owned(),
            protocol,
        };
        let witness = Witness::default();
        let way_in = match way_in(request, &reached, accepted, &witness) {
            Ok(way_in) => way_in,
            Err(fault) => {
                board.bad(CheckStep::SourceLogin, &fault);
                return Tried::Told;
            }
        };
        let fault = match way_in.open().await {
            Ok(opened) => {
                board.connected(opened.connected.clone());
                let id = accounts::source_id(&reached);
                signed_in(board, reached, accepted);
                return Tried::Open(Source { opened, id });
            }
            Err(fault) => fault,
        };
        match fault.code {
            Code::TlsName | Code::TlsUntrusted | Code::TlsExpired | Code::TlsPin => {
                match witness.refused() {
                    Some(shown) if server.is_known => {
                        board.ask_about_certificate(&shown, reached, &fault);
                    }
                    _ => board.bad(CheckStep::Connection, &fault),
                }
                return Tried::Told;
            }
            Code::TlsUnavailable => match way.in_clear(accepted) {
                Some(clear) if server.is_known => ways = vec![clear],
                None if server.is_known => {
                    board.ask_about_clear_text(reached, &fault);
                    return Tried::Told;
                }
                _ => {
                    board.bad(CheckStep::Connection, &fault);
                    return Tried::Told;
                }
            },
            Code::HostNotFound
            | Code::HostUnreachable
            | Code::LinkSilent
            | Code::LinkLost
            | Code::TlsFailed
            | Code::TlsMismatch => first = Some(more_telling(first, fault)),
            // The server was reached, and this is its answer.
            _ => {
                board.good(CheckStep::Connection);
                board.bad(CheckStep::SourceLogin, &fault);
                return Tried::Told;
            }
        }
    }
    Tried::Unreached(first.unwrap_or_else(|| Fault::bug("no way to the source was tried")))
}

fn way_in(
    request: &Request<'_>,
    reached: &Reached,
    accepted: Option<&Accepted>,
    witness: &Witness,
) -> Result<origin::Way, Fault> {
    let Some(secret) = &request.secrets.source else {
        return Err(Fault::new(
            Code::SecretUnreadable,
            Reach::Job,
            Remedy::AskUser,
            "the password of the source is not kept any more",
        )
        .on(Side::Source));
    };
    let guard = accounts::guard_of(request.brand, request.guard);
    let choices = &request.order.choices;
    let way = accounts::source_way(reached, secret, accepted, choices, &guard);
    Ok(way.while_waited_for(3).witnessed_by(witness))
}

/// The source is open; how, is worth a look where something was accepted.
fn signed_in(board: &Board<'_>, reached: Reached, accepted: Option<&Accepted>) {
    let is_bare = reached.transport == Transport::Clear;
    let is_pinned = matches!(accepted, Some(Accepted::Certificate(_)));
    board.change(|checked| checked.reached = Some(reached));
    match is_bare || is_pinned {
        true => board.notable(CheckStep::Connection, None),
        false => board.good(CheckStep::Connection),
    }
    board.good(CheckStep::SourceLogin);
}

/// Of what several ways met the first, unless that was silence and a later one says more.
fn more_telling(first: Option<Fault>, next: Fault) -> Fault {
    match first {
        Some(first) if first.code != Code::HostUnreachable => first,
        Some(first) if next.code == Code::HostUnreachable => first,
        _ => next,
    }
}

fn not_a_server(text: &str, problem: TypedProblem) -> Fault {
    let why = match problem {
        TypedProblem::Host => "it is neither a host name nor an address",
        TypedProblem::Port => "what follows the colon is no port",
    };
    no_such_host(&hikyaku_text::escape::clean(text), why)
}

fn no_such_host(host: &str, why: &str) -> Fault {
    let fault = Fault::new(
        Code::HostNotFound,
        Reach::Side,
        Remedy::AskUser,
        format!("no server: {why}"),
    )
    .on(Side::Source);
    match host.is_empty() {
        true => fault,
        false => fault.server(host.chars().take(255).collect::<String>()),
    }
}

fn same_account(server: &Server) -> Fault {
    Fault::new(
        Code::HostSame,
        Reach::Job,
        Remedy::AskUser,
        "the name leads to the account that is written",
    )
    .on(Side::Source)
    .server(&server.host)
}
