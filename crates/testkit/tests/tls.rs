//! The certificates are good where they should be and bad where they should be, on every server.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use hikyaku_testkit::certificates::{Identity, Shown};
use hikyaku_testkit::judge::Judge;
use hikyaku_testkit::servers::{
    AdminLogin, Dovecot, DovecotOptions, Instance, Kind, MailServer, start,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Shakes hands and reads a line, or says why not.
fn greeting_over_tls(stream: TcpStream, instance: &Instance, ask: &[u8]) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(instance.ca_file()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(instance.host()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(ask).map_err(|error| error.to_string())?;
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        stream
            .read_exact(&mut octet)
            .map_err(|error| error.to_string())?;
        line.push(octet[0]);
    }
    Ok(String::from_utf8(line).unwrap())
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Reads the greeting, asks for TLS and reads the answer.
fn upgraded(port: u16, command: &[u8]) -> TcpStream {
    let mut stream = connect(port);
    let mut reader = BufReader::with_capacity(1, stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    stream.write_all(command).unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("OK"), "{line}");
    stream
}

#[test]
fn every_server_offers_tls_at_once_and_by_upgrade_for_imap_and_pop3() {
    for kind in Kind::ALL {
        let server = start(kind).unwrap();
        let instance = server.instance();
        let imap = greeting_over_tls(connect(instance.tls_port()), instance, b"").unwrap();
        assert!(imap.starts_with("* OK"), "{kind:?} {imap}");
        let imap = greeting_over_tls(
            upgraded(instance.port(), b"a1 STARTTLS\r\n"),
            instance,
            b"a2 NOOP\r\n",
        )
        .unwrap();
        assert!(imap.starts_with("a2 "), "{kind:?} {imap}");
        let pop3 = greeting_over_tls(connect(instance.pop3_tls_port()), instance, b"").unwrap();
        assert!(pop3.starts_with("+OK"), "{kind:?} {pop3}");
        let pop3 = greeting_over_tls(
            upgraded(instance.pop3_port(), b"STLS\r\n"),
            instance,
            b"CAPA\r\n",
        )
        .unwrap();
        assert!(pop3.starts_with("+OK"), "{kind:?} {pop3}");
    }
}

#[test]
fn a_bad_certificate_is_bad_for_its_own_reason() {
    for (shown, reason) in [
        (Shown::WrongName, "not valid for name"),
        (Shown::Expired, "expired"),
        (Shown::OtherAuthority, "UnknownIssuer"),
        (Shown::SelfSigned, "UnknownIssuer"),
    ] {
        let server = Dovecot::start(DovecotOptions {
            certificate: shown,
            ..DovecotOptions::default()
        })
        .unwrap();
        let instance = server.instance();
        let error = greeting_over_tls(connect(instance.tls_port()), instance, b"").unwrap_err();
        assert!(error.contains(reason), "{shown:?}: {error}");
    }
}

#[test]
fn secrets_and_pins_are_different_for_every_identity() {
    let [one, two] = [Shown::Good, Shown::Good].map(|shown| Identity::create(shown).unwrap());
    assert_ne!(one.pin, two.pin);
    assert_eq!(one.pin.len(), 64);
    assert!(!format!("{one:?}").contains("PRIVATE KEY"));
}

#[test]
fn an_administrator_logs_in_as_the_user_where_the_server_can() {
    for kind in Kind::ALL {
        let server = start(kind).unwrap();
        let account = server.create_account("alice").unwrap();
        let octets = b"Subject: for alice only\r\n\r\nx\r\n";
        let mut own = server.judge(&account).unwrap();
        own.append(
            "INBOX",
            &["\\Seen"],
            Some("01-Jan-2020 00:00:00 +0000"),
            octets,
        )
        .unwrap()
        .accepted()
        .unwrap();
        match server.admin_login(&account) {
            Some(login) => {
                let mut admin = Judge::connect_as(server.instance().address(), &login).unwrap();
                assert_eq!(
                    admin.snapshot().unwrap(),
                    own.snapshot().unwrap(),
                    "{kind:?}"
                );
                assert_eq!(
                    matches!(login, AdminLogin::MasterUser { .. }),
                    kind == Kind::Dovecot
                );
            }
            None => assert_eq!(kind, Kind::Courier),
        }
    }
}
