//! How both accounts are reached: from what a person typed and what a brand says to options that sign in.
//!
//! The destination is the operator's own choice and is trusted; the source is named by a stranger, so every connection
//! to it goes through the egress guard. Start reading at [`source_options`]; `typed` reads the field ②, `ways` says which
//! ports and encryptions are tried, `discover` finds a server when ② is empty.

mod discover;
mod typed;
mod ways;

pub use discover::{Found, find};
pub(crate) use discover::{Ours, discover};
pub use typed::{Remarks, Typed, TypedProblem};
pub(crate) use ways::{Way, is_same_server, protocol_of, ways};

use crate::brand::{Brand, Master};
use crate::config::Egress;
use crate::dns::Dns;
use crate::job::{Accepted, Choices, Protocol, Reached, Transport};
use crate::origin;
use hikyaku_core::{AccountId, Code, Fault, Reach, Remedy, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::guard::Guard;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Anchors, Endpoint, Fingerprint, Secret, Security, Timeouts, Trust};
use hikyaku_pop3::{Pop3Options, Seen};
use hikyaku_text::escape::percent_user;
use std::sync::Arc;
use std::time::Duration;

/// While a person waits: what does not answer soon is told as not answering.
const WHILE_WAITED_FOR: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    tls: Duration::from_secs(3),
    greeting: Duration::from_secs(4),
    probe: Duration::from_millis(1_500),
    // A list of thousands of mailboxes takes its time, and so do servers before they refuse a password.
    reply: Duration::from_secs(45),
};

/// The longest that a sign-in may take, whatever the server does.
const LONGEST_SIGN_IN: Duration = Duration::from_secs(30);

/// The guard that the configuration describes, with names looked up by this resolver.
pub fn guard(egress: &Egress, dns: &Dns) -> Guard {
    guard_by_system(egress).lookup(Arc::new(dns.clone()))
}

/// The same with names looked up as this system does it.
pub fn guard_by_system(egress: &Egress) -> Guard {
    Guard::new()
        .ports(egress.ports.iter().copied())
        .allow(egress.allow.iter().copied())
        .deny(egress.deny.iter().copied())
}

/// The guard for sources of a brand: the networks of its destination are reached too.
pub fn guard_of(brand: &Brand, guard: &Guard) -> Guard {
    guard
        .clone()
        .allow(brand.destination.networks.iter().copied())
}

/// How the destination is reached: with the account's own password, or without one by the brand's master login.
///
/// # Errors
/// `config.invalid` for a brand without a host or whose file of issuers cannot be read; `secret.unreadable` when there is
/// neither a password nor a master login.
pub fn destination_options(
    brand: &Brand,
    address: &str,
    secret: Option<&Secret>,
) -> Result<ImapOptions, Fault> {
    let destination = &brand.destination;
    if destination.host.is_empty() {
        return Err(Fault::new(
            Code::ConfigInvalid,
            Reach::Job,
            Remedy::AskUser,
            "the brand names no destination",
        )
        .on(Side::Destination));
    }
    let security = security(destination.transport);
    let mut endpoint = Endpoint::new(
        &destination.host,
        destination.port,
        security,
        Side::Destination,
    );
    endpoint.trust = match (&destination.pin, &destination.ca_file) {
        (Some(pin), _) => Trust::Pinned(*pin),
        (None, Some(path)) => {
            let anchors = Anchors::from_file(path);
            Trust::WithAnchors(anchors.map_err(|fault| fault.on(Side::Destination))?)
        }
        (None, None) => Trust::System,
    };
    let login = destination.login.of(address);
    let credentials = match (secret, &destination.master) {
        (Some(secret), _) => Credentials::password(login, secret.clone()),
        (None, Some(master)) => by_master(&login, master),
        (None, None) => {
            return Err(Fault::new(
                Code::SecretUnreadable,
                Reach::Job,
                Remedy::AskUser,
                "the password of the destination is not kept any more, and the brand has no login of its own",
            )
            .on(Side::Destination)
            .server(endpoint.server()));
        }
    };
    Ok(ImapOptions::new(endpoint, credentials))
}

/// An administrator's login for an account.
fn by_master(login: &str, master: &Master) -> Credentials {
    match master.separator {
        Some(separator) => {
            let user = format!("{login}{separator}{}", master.user);
            Credentials::password(user, master.secret.clone())
        }
        None => Credentials::password(&master.user, master.secret.clone()).acting_as(login),
    }
}

/// How the source is reached, as the check found it. Clear text only where exactly that was accepted; a certificate that
/// was accepted is the only one that counts.
pub fn source_options(
    reached: &Reached,
    secret: &Secret,
    accepted: Option<&Accepted>,
    guard: &Guard,
) -> ImapOptions {
    let credentials = Credentials::password(&reached.login, secret.clone());
    ImapOptions::new(source_endpoint(reached, accepted, guard), credentials)
}

/// The same for whichever protocol the check found. A POP3 server that deletes what was read is read from only where
/// that was accepted.
pub fn source_way(
    reached: &Reached,
    secret: &Secret,
    accepted: Option<&Accepted>,
    choices: &Choices,
    guard: &Guard,
) -> origin::Way {
    match reached.protocol {
        Protocol::Imap => origin::Way::imap(source_options(reached, secret, accepted, guard)),
        Protocol::Pop3 => {
            let credentials = Credentials::password(&reached.login, secret.clone());
            let endpoint = source_endpoint(reached, accepted, guard);
            origin::Way::pop3(Pop3Options {
                accepts_deletion: choices.accept_deletion,
                seen: match choices.read {
                    None => Seen::AsRecorded,
                    Some(true) => Seen::All,
                    Some(false) => Seen::None,
                },
                ..Pop3Options::new(endpoint, credentials)
            })
        }
    }
}

fn source_endpoint(reached: &Reached, accepted: Option<&Accepted>, guard: &Guard) -> Endpoint {
    let security = match (reached.transport, accepted) {
        (Transport::Tls, _) => Security::ImplicitTls,
        (Transport::Clear, Some(Accepted::ClearText)) => Security::Plain,
        (Transport::StartTls | Transport::Clear, _) => Security::StartTls,
    };
    let mut endpoint = Endpoint::new(&reached.host, reached.port, security, Side::Source);
    if let Some(pin) = pinned(accepted) {
        endpoint.trust = Trust::Pinned(pin);
    }
    endpoint.guard = Some(guard.clone());
    endpoint
}

/// The certificate that was accepted. One that is written wrongly is none: the usual trust counts then.
fn pinned(accepted: Option<&Accepted>) -> Option<Fingerprint> {
    match accepted {
        Some(Accepted::Certificate(hexadecimal)) => hexadecimal.parse().ok(),
        Some(Accepted::ClearText) | None => None,
    }
}

/// Options for a person who waits for the answer: one mailbox at a time, and no long silence.
pub(crate) fn while_waited_for(options: ImapOptions, lanes: usize) -> ImapOptions {
    ImapOptions {
        endpoint: soon(options.endpoint),
        lanes,
        ..options
    }
}

/// A server from which an answer is wanted soon.
pub(crate) fn soon(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        timeouts: WHILE_WAITED_FOR,
        ..endpoint
    }
}

/// Whether an account of the destination opens with this password.
///
/// # Errors
/// Why not: the N, T, A and L classes, on the destination's side. Nothing is tried twice.
pub async fn sign_in(brand: &Brand, address: &str, secret: &Secret) -> Result<(), Fault> {
    let options = while_waited_for(destination_options(brand, address, Some(secret))?, 1);
    let server = options.endpoint.server();
    let signing_in = async {
        let account = ImapAccount::connect(options).await?;
        hikyaku_core::traits::Source::close(&account).await;
        Ok(())
    };
    match tokio::time::timeout(LONGEST_SIGN_IN, signing_in).await {
        Ok(ended) => ended,
        Err(_) => Err(too_long(Side::Destination, server)),
    }
}

/// The fault of a server that answers, but never comes to an end.
pub(crate) fn too_long(side: Side, server: String) -> Fault {
    Fault::new(
        Code::LinkSilent,
        Reach::Side,
        Remedy::Retry { after: None },
        "signing in took too long",
    )
    .on(side)
    .server(server)
}

/// The identity of the source that the ledger keeps. Encryption plays no part in it.
pub fn source_id(reached: &Reached) -> AccountId {
    identity(
        reached.protocol,
        &reached.login,
        &reached.host,
        reached.port,
    )
}

/// The identity of the destination that the ledger keeps.
pub fn destination_id(brand: &Brand, address: &str) -> AccountId {
    let destination = &brand.destination;
    let login = destination.login.of(address);
    identity(Protocol::Imap, &login, &destination.host, destination.port)
}

fn identity(protocol: Protocol, login: &str, host: &str, port: u16) -> AccountId {
    let user = percent_user(login);
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_lowercase(),
    };
    let scheme = match protocol {
        Protocol::Imap => "imap",
        Protocol::Pop3 => "pop3",
    };
    match (protocol, port) {
        (Protocol::Imap, 143 | 993) | (Protocol::Pop3, 110 | 995) => {
            AccountId::new(format!("{scheme}://{user}@{host}"))
        }
        (_, port) => AccountId::new(format!("{scheme}://{user}@{host}:{port}")),
    }
}

pub(crate) fn security(transport: Transport) -> Security {
    match transport {
        Transport::Tls => Security::ImplicitTls,
        Transport::StartTls => Security::StartTls,
        Transport::Clear => Security::Plain,
    }
}

#[cfg(test)]
mod tests;
