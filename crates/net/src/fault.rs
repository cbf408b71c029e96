//! From errors of sockets and TLS to faults: code, reach, remedy and the next step.

use crate::deflate::Bomb;
use crate::tls::{Refusal, Why};
use crate::{Endpoint, Presented};
use hikyaku_core::{Code, Fault, InternalDate, Reach, Remedy};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use rustls_pki_types::UnixTime;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// What led to the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// TLS from the first octet.
    Implicit,
    /// The server agreed to turn to TLS.
    Upgrade,
}

const RETRY: Remedy = Remedy::Retry { after: None };

impl Endpoint {
    /// The fault for an error while reading from or writing to the connection:
    /// `link.lost`, `link.silent` for `TimedOut`, `server.protocol` for data
    /// that cannot be decompressed or decrypted, `server.excess` for data that grows
    /// beyond all measure.
    pub fn link_fault(&self, error: &io::Error) -> Fault {
        match error.kind() {
            ErrorKind::TimedOut => at(
                self,
                Code::LinkSilent,
                RETRY,
                "no answer within the time-out",
            ),
            ErrorKind::InvalidData if error.get_ref().is_some_and(|e| e.is::<Bomb>()) => {
                at(self, Code::ServerExcess, RETRY, error.to_string())
            }
            ErrorKind::InvalidData => at(
                self,
                Code::ServerProtocol,
                RETRY,
                format!("the server sent octets that cannot be decoded: {error}"),
            ),
            ErrorKind::UnexpectedEof => at(
                self,
                Code::LinkLost,
                RETRY,
                "the server closed the connection",
            ),
            _ => at(
                self,
                Code::LinkLost,
                RETRY,
                format!("the connection broke: {error}"),
            ),
        }
    }
}

/// A fault of this endpoint. It reaches the whole side: whatever stops one
/// connection from being made stops the next one too.
pub(crate) fn at(
    endpoint: &Endpoint,
    code: Code,
    remedy: Remedy,
    detail: impl Into<String>,
) -> Fault {
    Fault::new(code, Reach::Side, remedy, detail)
        .on(endpoint.side)
        .server(endpoint.server())
}

fn ask(endpoint: &Endpoint, code: Code, detail: impl Into<String>) -> Fault {
    at(endpoint, code, Remedy::AskUser, detail)
}

pub(crate) fn not_found(endpoint: &Endpoint, why: &str) -> Fault {
    ask(
        endpoint,
        Code::HostNotFound,
        format!(
            "the name {} does not resolve ({why}): check its spelling and that this machine is online",
            endpoint.host
        ),
    )
}

pub(crate) fn unreachable(endpoint: &Endpoint, failures: &[(SocketAddr, io::Error)]) -> Fault {
    let list: Vec<String> = failures
        .iter()
        .map(|(address, error)| format!("{address} {}", describe(error)))
        .collect();
    let refused = failures
        .iter()
        .any(|(_, error)| error.kind() == ErrorKind::ConnectionRefused);
    let next = if refused {
        "nothing listens there: check the port"
    } else {
        "check the address, the network and any firewall"
    };
    at(
        endpoint,
        Code::HostUnreachable,
        RETRY,
        format!("{}; {next}", list.join(", ")),
    )
}

/// The fault of every connection that could not be made under a guard, whatever the reason: closed, silent or
/// forbidden. No address is named, so that nobody learns how names resolve inside the operator's network.
pub(crate) fn closed(endpoint: &Endpoint) -> Fault {
    at(
        endpoint,
        Code::HostUnreachable,
        RETRY,
        "no connection could be made; check the address, the port and any firewall",
    )
}

pub(crate) fn unanswered(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Fault {
    let list: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    at(
        endpoint,
        Code::HostUnreachable,
        RETRY,
        format!(
            "timed out: no answer from {} within {} s; check the port and any firewall",
            list.join(", "),
            endpoint.timeouts.connect.as_secs_f32()
        ),
    )
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "refused the connection".into(),
        ErrorKind::TimedOut => "timed out".into(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "cannot be reached".into(),
        _ => format!("failed ({error})"),
    }
}

pub(crate) fn clear_text_on_tls(endpoint: &Endpoint) -> Fault {
    ask(
        endpoint,
        Code::TlsMismatch,
        "the port answers in clear text, not with TLS: use STARTTLS on this port, or the port for implicit TLS",
    )
}

pub(crate) fn tls_on_clear_text(endpoint: &Endpoint) -> Fault {
    ask(
        endpoint,
        Code::TlsMismatch,
        "the port expects TLS from the first octet: use implicit TLS on this port, or the port for STARTTLS",
    )
}

pub(crate) fn no_greeting(endpoint: &Endpoint) -> Fault {
    at(
        endpoint,
        Code::LinkSilent,
        RETRY,
        format!(
            "connected, but the server did not greet within {} s and does not answer to TLS either; check the port",
            endpoint.timeouts.greeting.as_secs_f32()
        ),
    )
}

pub(crate) fn closed_at_once(endpoint: &Endpoint) -> Fault {
    at(
        endpoint,
        Code::LinkLost,
        RETRY,
        "the server closed the connection before its greeting; it may be busy or refuse this machine's address",
    )
}

pub(crate) fn words_before_handshake(endpoint: &Endpoint) -> Fault {
    ask(
        endpoint,
        Code::TlsFailed,
        "unencrypted octets arrived after STARTTLS was agreed on; somebody may be tampering with the connection",
    )
}

pub(crate) fn handshake_silent(endpoint: &Endpoint) -> Fault {
    at(
        endpoint,
        Code::LinkSilent,
        RETRY,
        format!(
            "the TLS handshake was not answered within {} s; check that this port speaks TLS",
            endpoint.timeouts.tls.as_secs_f32()
        ),
    )
}

/// The fault for a handshake that failed.
pub(crate) fn handshake(endpoint: &Endpoint, phase: Phase, error: &io::Error) -> Fault {
    match tls_error(error) {
        Some(error) => refused_handshake(endpoint, phase, error),
        None => at(
            endpoint,
            Code::LinkLost,
            RETRY,
            format!(
                "the server ended the connection during the TLS handshake ({error}); it may be busy, or too old for TLS 1.2"
            ),
        ),
    }
}

pub(crate) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn refused_handshake(endpoint: &Endpoint, phase: Phase, error: &Error) -> Fault {
    if let Some(refusal) = refusal(error) {
        let fault = refused_certificate(endpoint, refusal);
        if let Some(witness) = &endpoint.witness {
            witness.note(Presented {
                fingerprint: refusal.found,
                names: listed(&refusal.names),
                code: fault.code,
            });
        }
        return fault;
    }
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => match phase {
            Phase::Implicit => clear_text_on_tls(endpoint),
            Phase::Upgrade => words_before_handshake(endpoint),
        },
        Error::AlertReceived(AlertDescription::UnrecognisedName) => ask(
            endpoint,
            Code::TlsName,
            format!(
                "the server does not serve the name {}: check the host name",
                endpoint.host
            ),
        ),
        Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        )
        | Error::PeerIncompatible(_)
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => ask(
            endpoint,
            Code::TlsFailed,
            format!(
                "no common encryption ({error}): the server seems to offer only what is older than TLS 1.2; it has to be updated"
            ),
        ),
        other => ask(
            endpoint,
            Code::TlsFailed,
            format!("the TLS handshake failed: {other}; ask the server's operator with this text"),
        ),
    }
}

fn refusal(error: &Error) -> Option<&Refusal> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

fn refused_certificate(endpoint: &Endpoint, refusal: &Refusal) -> Fault {
    let found = refusal.found;
    let pin = "or, having checked that it is genuine, pin its fingerprint";
    match &refusal.why {
        Why::NotPinned(pinned) => ask(
            endpoint,
            Code::TlsPin,
            format!(
                "the server's certificate has SHA-256 {found}, pinned is {pinned}; ask the server's operator whether it was replaced, and pin the new one only then"
            ),
        ),
        Why::Invalid(CertificateError::NotValidForNameContext { presented, .. }) => ask(
            endpoint,
            Code::TlsName,
            format!(
                "the certificate is for {}, not for {}: use one of its names as host, {pin} {found}",
                names(presented),
                endpoint.bare_host()
            ),
        ),
        Why::Invalid(CertificateError::NotValidForName) => ask(
            endpoint,
            Code::TlsName,
            format!(
                "the certificate is not for {}: check the host name, {pin} {found}",
                endpoint.bare_host()
            ),
        ),
        Why::Invalid(CertificateError::ExpiredContext { not_after, .. }) => ask(
            endpoint,
            Code::TlsExpired,
            format!(
                "the certificate ended at {}: it has to be renewed (check this machine's clock too), {pin} {found}",
                date(not_after)
            ),
        ),
        Why::Invalid(CertificateError::NotValidYetContext { not_before, .. }) => ask(
            endpoint,
            Code::TlsExpired,
            format!(
                "the certificate begins at {}: check this machine's clock, {pin} {found}",
                date(not_before)
            ),
        ),
        Why::Invalid(CertificateError::Expired | CertificateError::NotValidYet) => ask(
            endpoint,
            Code::TlsExpired,
            format!("the certificate is not valid today: it has to be renewed, {pin} {found}"),
        ),
        Why::Invalid(error) => ask(
            endpoint,
            Code::TlsUntrusted,
            format!(
                "the certificate is not trusted ({error}): add its issuer as a trust anchor, {pin} {found}"
            ),
        ),
    }
}

/// The names of a certificate as part of a sentence.
fn names(presented: &[String]) -> String {
    let mut shown = listed(presented);
    if presented.len() > MOST_NAMES {
        shown.push(format!("{} more", presented.len() - MOST_NAMES));
    }
    if shown.is_empty() {
        return "no name that counts".into();
    }
    shown.join(", ")
}

/// Names of a certificate that are shown.
const MOST_NAMES: usize = 12;

/// `DnsName("a")` and `IpAddress(b)` as `a` and `b`, cleaned and bounded: the names come from outside.
fn listed(presented: &[String]) -> Vec<String> {
    let clean = |name: &String| {
        let inner = name
            .split_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')'))
            .unwrap_or(name);
        inner
            .trim_matches('"')
            .chars()
            .filter(|c| !c.is_control())
            .take(255)
            .collect()
    };
    presented.iter().take(MOST_NAMES).map(clean).collect()
}

fn date(time: &UnixTime) -> InternalDate {
    InternalDate::utc(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Security;
    use hikyaku_core::Side;

    #[test]
    fn names_of_a_certificate_are_cleaned_and_bounded() {
        let given = [
            "DnsName(\"a.example\")".to_owned(),
            "IpAddress(192.0.2.1)".into(),
        ];
        assert_eq!(names(&given), "a.example, 192.0.2.1");
        assert_eq!(names(&[]), "no name that counts");
        let many: Vec<String> = (0..40).map(|i| format!("DnsName(\"\u{1b}{i}\")")).collect();
        assert_eq!(
            names(&many),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28 more"
        );
    }

    #[test]
    fn errors_on_the_link_can_be_tried_again() {
        let endpoint = Endpoint::new("mail.example.jp", 993, Security::ImplicitTls, Side::Source);
        for (kind, code) in [
            (ErrorKind::TimedOut, Code::LinkSilent),
            (ErrorKind::ConnectionReset, Code::LinkLost),
            (ErrorKind::UnexpectedEof, Code::LinkLost),
            (ErrorKind::InvalidData, Code::ServerProtocol),
        ] {
            let fault = endpoint.link_fault(&kind.into());
            assert_eq!((fault.code, fault.reach), (code, Reach::Side));
            assert!(fault.is_temporary());
            assert_eq!(fault.at.server.as_deref(), Some("mail.example.jp:993"));
            assert_eq!(fault.at.side, Some(Side::Source));
        }
    }

    #[test]
    fn old_encryption_is_named() {
        let endpoint = Endpoint::new("old.example.jp", 993, Security::ImplicitTls, Side::Source);
        let alert = Error::AlertReceived(AlertDescription::ProtocolVersion);
        let error = io::Error::new(ErrorKind::InvalidData, alert);
        let fault = handshake(&endpoint, Phase::Implicit, &error);
        assert_eq!(
            (fault.code, fault.remedy),
            (Code::TlsFailed, Remedy::AskUser)
        );
        assert!(fault.detail.contains("older than TLS 1.2"), "{fault}");
    }
}
