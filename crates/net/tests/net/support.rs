//! Servers on loopback with certificates of every sort.

use hikyaku_core::Side;
use hikyaku_net::{Anchors, Endpoint, Fingerprint, Security, Stream, Timeouts, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An authority made for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::WithAnchors(Anchors::from_pem(self.pem.as_bytes()).unwrap())
    }

    pub(crate) fn sign(&self, name: &str) -> Identity {
        self.sign_for_years(name, 2020, 2120)
    }

    pub(crate) fn sign_for_years(&self, name: &str, from: i32, to: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(certificate.der(), &key)
    }
}

impl Identity {
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::new(certificate.der(), &key)
    }

    fn new(certificate: &CertificateDer<'static>, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_for(rustls::ALL_VERSIONS)
    }

    pub(crate) fn acceptor_for(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
                .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Runs `serve` for each connection to a fresh port of 127.0.0.1.
pub(crate) async fn server<F, S>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> S + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(serve(tcp));
        }
    });
    address
}

/// A TLS server that greets with the kind of its handshake and then echoes.
pub(crate) async fn tls_server(acceptor: TlsAcceptor) -> SocketAddr {
    server(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            use tokio::io::AsyncWriteExt;
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                let kind = tls.get_ref().1.handshake_kind();
                let greeting = format!("* OK {kind:?}\r\n");
                if tls.write_all(greeting.as_bytes()).await.is_ok() {
                    let (mut read, mut write) = tokio::io::split(tls);
                    tokio::io::copy(&mut read, &mut write).await.ok();
                }
            }
        }
    })
    .await
}

/// An endpoint whose phases are long enough for any machine.
pub(crate) fn endpoint(host: &str, port: u16, security: Security, trust: Trust) -> Endpoint {
    Endpoint {
        trust,
        timeouts: Timeouts {
            connect: Duration::from_secs(60),
            tls: Duration::from_secs(60),
            greeting: Duration::from_secs(60),
            probe: Duration::from_millis(1),
            reply: Duration::from_secs(60),
        },
        ..Endpoint::new(host, port, security, Side::Destination)
    }
}

pub(crate) async fn line(stream: &mut Stream) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, stream)
        .read_line(&mut line)
        .await
        .unwrap();
    line
}

/// What the client sent until it ended, and how it ended.
pub(crate) async fn drained(tcp: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    tcp.read_to_end(&mut all).await.map(|_| all)
}
