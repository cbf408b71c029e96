//! TLS: which certificates are accepted, and the handshake.

use crate::fault::{self, Phase};
use crate::socket::Socket;
use crate::stream::TlsInfo;
use crate::{Anchors, Endpoint, Fingerprint, Trust};
use hikyaku_core::{Code, Fault, Remedy};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, ProtocolVersion,
    RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Configurations by trust. They hold the sessions of earlier connections, which
/// is what makes the second connection to a server cheap; a session is only ever
/// resumed under the trust that accepted its certificate.
static CONFIGS: LazyLock<Mutex<HashMap<Trust, Arc<ClientConfig>>>> = LazyLock::new(Mutex::default);

/// A hosted service meets many pins; beyond this the cache starts afresh.
const MOST_CONFIGS: usize = 256;

/// Octets read from the socket at a time. By itself rustls asks for 4 KiB, which
/// costs four system calls for each record.
const READ_AHEAD: usize = 64 * 1024;

/// Shakes hands within `endpoint.timeouts.tls`.
///
/// # Faults
/// The T class, `link.lost` and `link.silent`.
pub(crate) async fn handshake(
    socket: Socket,
    endpoint: &Endpoint,
    phase: Phase,
) -> Result<(TlsStream<BufReader<Socket>>, TlsInfo), Fault> {
    let name = server_name(endpoint)?;
    let config = config(endpoint)?;
    let shaking =
        TlsConnector::from(config).connect(name, BufReader::with_capacity(READ_AHEAD, socket));
    let stream = match tokio::time::timeout(endpoint.timeouts.tls, shaking).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(fault::handshake(endpoint, phase, &error)),
        Err(_) => return Err(fault::handshake_silent(endpoint)),
    };
    let info = info(&stream).ok_or_else(|| Fault::bug("a TLS session without its facts"))?;
    Ok((stream, info))
}

fn server_name(endpoint: &Endpoint) -> Result<ServerName<'static>, Fault> {
    let host = endpoint.bare_host();
    // A final dot marks an absolute name for the resolver and is no part of SNI (RFC 6066 §3).
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host.to_owned()).map_err(|_| {
        fault::at(
            endpoint,
            Code::LocatorInvalid,
            Remedy::AskUser,
            format!(
                "{host:?} is not a host name; write names with other letters in their xn-- form"
            ),
        )
    })
}

fn info(stream: &TlsStream<BufReader<Socket>>) -> Option<TlsInfo> {
    let session = stream.get_ref().1;
    Some(TlsInfo {
        version: match session.protocol_version()? {
            ProtocolVersion::TLSv1_3 => "TLS 1.3",
            _ => "TLS 1.2",
        },
        cipher: format!("{:?}", session.negotiated_cipher_suite()?.suite()),
        certificate: Fingerprint::of(session.peer_certificates()?.first()?),
    })
}

fn config(endpoint: &Endpoint) -> Result<Arc<ClientConfig>, Fault> {
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = configs.get(&endpoint.trust) {
        return Ok(config.clone());
    }
    let config = build(&endpoint.trust).map_err(|e| {
        fault::at(
            endpoint,
            Code::ConfigInvalid,
            Remedy::AskUser,
            format!("the trust anchors cannot be used: {e}"),
        )
    })?;
    if configs.len() >= MOST_CONFIGS {
        configs.clear();
    }
    let config = Arc::new(config);
    configs.insert(endpoint.trust.clone(), config.clone());
    Ok(config)
}

fn build(trust: &Trust) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let rule = match trust {
        Trust::System => Rule::Issuers(issuers(None, &provider)?),
        Trust::WithAnchors(anchors) => Rule::Issuers(issuers(Some(anchors), &provider)?),
        Trust::Pinned(pin) => Rule::Pin(*pin),
    };
    let verifier = Verifier {
        rule,
        algorithms: provider.signature_verification_algorithms,
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// The platform's verifier; Mozilla's roots where the platform has none, as in
/// a bare container.
fn issuers(
    anchors: Option<&Anchors>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let extra = anchors.map_or(&[][..], Anchors::certificates);
    // Asked without the extra anchors first: with them an empty system store goes unnoticed.
    match rustls_platform_verifier::Verifier::new(provider.clone()) {
        Ok(system) if extra.is_empty() => Ok(Arc::new(system)),
        Ok(_) => Ok(Arc::new(
            rustls_platform_verifier::Verifier::new_with_extra_roots(
                extra.iter().cloned(),
                provider.clone(),
            )?,
        )),
        Err(error) => {
            tracing::info!(%error, "the system has no trust anchors, Mozilla's are used");
            mozilla(extra, provider)
        }
    }
}

fn mozilla(
    extra: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for anchor in extra {
        roots.add(anchor.clone())?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|e| Error::General(e.to_string()))?;
    Ok(verifier)
}

/// Why a certificate was refused, together with which one it was.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) found: Fingerprint,
    /// What it is for, as rustls names them.
    pub(crate) names: Vec<String>,
    pub(crate) why: Why,
}

#[derive(Debug)]
pub(crate) enum Why {
    /// Another one is pinned.
    NotPinned(Fingerprint),
    /// The rules of RFC 5280 and RFC 9525.
    Invalid(CertificateError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NotPinned(pin) => write!(f, "found {}, pinned {pin}", self.found),
            Why::Invalid(error) => write!(f, "{}: {error}", self.found),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    fn error(self) -> Error {
        CertificateError::Other(OtherError(Arc::new(self))).into()
    }
}

#[derive(Debug)]
struct Verifier {
    rule: Rule,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Rule {
    Issuers(Arc<dyn ServerCertVerifier>),
    Pin(Fingerprint),
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Fingerprint::of(leaf);
        match &self.rule {
            Rule::Pin(pin) if *pin == found => Ok(ServerCertVerified::assertion()),
            Rule::Pin(pin) => Err(Refusal {
                found,
                names: names_of(leaf),
                why: Why::NotPinned(*pin),
            }
            .error()),
            Rule::Issuers(issuers) => issuers
                .verify_server_cert(leaf, intermediates, name, ocsp, now)
                .map_err(|error| match error {
                    Error::InvalidCertificate(error) => Refusal {
                        found,
                        names: names_of(leaf),
                        why: Why::Invalid(error),
                    }
                    .error(),
                    other => other,
                }),
        }
    }

    // The signatures prove that the server holds the certificate's key: they
    // are checked under a pin as well.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The names that a certificate is for, as rustls lists them when it is compared with a name that nobody has.
fn names_of(leaf: &CertificateDer<'_>) -> Vec<String> {
    let nobodys = ServerName::try_from("no-such-name.invalid");
    let (Ok(parsed), Ok(nobodys)) = (ParsedCertificate::try_from(leaf), nobodys) else {
        return Vec::new();
    };
    match verify_server_name(&parsed, &nobodys) {
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) => presented,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mozillas_roots_stand_in_and_take_extra_anchors() {
        let provider = Arc::new(ring::default_provider());
        assert!(mozilla(&[], &provider).is_ok());
        let broken = CertificateDer::from(vec![1, 2, 3]);
        assert!(mozilla(&[broken], &provider).is_err());
    }
}
