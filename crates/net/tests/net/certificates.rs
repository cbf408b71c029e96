//! Which certificates are accepted, and what a person is told about the others.

use crate::support::{Authority, Identity, endpoint, line, tls_server};
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_net::{Fingerprint, Security, Stream, Trust, connect_to};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "mail.example.test";

async fn try_connect(acceptor: TlsAcceptor, host: &str, trust: Trust) -> Result<Stream, Fault> {
    let address = tls_server(acceptor).await;
    let endpoint = endpoint(host, address.port(), Security::ImplicitTls, trust);
    connect_to(&endpoint, &[address]).await
}

/// The refusal, with what all refusals have in common checked.
async fn refusal(identity: &Identity, host: &str, trust: Trust) -> Fault {
    let fault = try_connect(identity.acceptor(), host, trust)
        .await
        .unwrap_err();
    assert_eq!(
        (fault.reach, fault.remedy),
        (Reach::Side, Remedy::AskUser),
        "{fault}"
    );
    assert_eq!(fault.at.side, Some(Side::Destination));
    assert!(
        fault
            .at
            .server
            .as_ref()
            .unwrap()
            .starts_with(&format!("{host}:"))
    );
    // With it a person can compare and pin.
    assert!(
        fault.detail.contains(&identity.fingerprint().to_string()),
        "{fault}"
    );
    fault
}

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_accepted_and_described() {
    let authority = Authority::new();
    let identity = authority.sign(HOST);
    let mut stream = try_connect(identity.acceptor(), HOST, authority.trust())
        .await
        .unwrap();
    assert_eq!(line(&mut stream).await, "* OK Some(Full)\r\n");
    assert!(stream.is_encrypted());
    let tls = stream.peer().tls.clone().unwrap();
    assert_eq!(tls.version, "TLS 1.3");
    assert_eq!(tls.certificate, identity.fingerprint());
    assert!(tls.cipher.starts_with("TLS13_"), "{}", tls.cipher);
    assert!(stream.peer().address.ip().is_loopback());
}

#[tokio::test]
async fn tls_1_2_is_still_spoken() {
    let authority = Authority::new();
    let acceptor = authority
        .sign(HOST)
        .acceptor_for(&[&rustls::version::TLS12]);
    let stream = try_connect(acceptor, HOST, authority.trust())
        .await
        .unwrap();
    assert_eq!(stream.peer().tls.as_ref().unwrap().version, "TLS 1.2");
}

#[tokio::test]
async fn a_certificate_for_an_address_is_accepted_for_that_address() {
    let authority = Authority::new();
    let identity = authority.sign("127.0.0.1");
    assert!(
        try_connect(identity.acceptor(), "127.0.0.1", authority.trust())
            .await
            .is_ok()
    );
    let fault = refusal(&identity, HOST, authority.trust()).await;
    assert_eq!(fault.code, Code::TlsName);
    assert!(
        fault
            .detail
            .contains("is for 127.0.0.1, not for mail.example.test"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_final_dot_of_the_host_does_not_change_its_certificate() {
    let authority = Authority::new();
    let acceptor = authority.sign(HOST).acceptor();
    assert!(
        try_connect(acceptor, "mail.example.test.", authority.trust())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_wrong_name_is_refused_and_the_right_one_told() {
    let authority = Authority::new();
    let identity = authority.sign("*.hosting.example");
    let fault = refusal(&identity, HOST, authority.trust()).await;
    assert_eq!(fault.code, Code::TlsName);
    assert!(
        fault
            .detail
            .contains("is for *.hosting.example, not for mail.example.test"),
        "{fault}"
    );
}

#[tokio::test]
async fn certificates_outside_their_dates_are_refused_with_the_date() {
    let authority = Authority::new();
    let old = authority.sign_for_years(HOST, 2000, 2001);
    let fault = refusal(&old, HOST, authority.trust()).await;
    assert_eq!(fault.code, Code::TlsExpired);
    assert!(
        fault.detail.contains("ended at 2001-01-01T00:00:00"),
        "{fault}"
    );
    let early = authority.sign_for_years(HOST, 2110, 2120);
    let fault = refusal(&early, HOST, authority.trust()).await;
    assert_eq!(fault.code, Code::TlsExpired);
    assert!(
        fault.detail.contains("begins at 2110-01-01T00:00:00"),
        "{fault}"
    );
}

#[tokio::test]
async fn an_unknown_issuer_is_refused() {
    let identity = Authority::new().sign(HOST);
    for trust in [Trust::System, Authority::new().trust()] {
        assert_eq!(
            refusal(&identity, HOST, trust).await.code,
            Code::TlsUntrusted
        );
    }
    let own = Identity::self_signed(HOST);
    assert_eq!(
        refusal(&own, HOST, Trust::System).await.code,
        Code::TlsUntrusted
    );
}

#[tokio::test]
async fn a_pin_accepts_its_certificate_whatever_name_and_issuer_it_has() {
    let identity = Identity::self_signed("somebody.else.example");
    let trust = Trust::Pinned(identity.fingerprint());
    let stream = try_connect(identity.acceptor(), HOST, trust).await.unwrap();
    assert_eq!(
        stream.peer().tls.as_ref().unwrap().certificate,
        identity.fingerprint()
    );
    let expired = Authority::new().sign_for_years("old.example", 2000, 2001);
    let trust = Trust::Pinned(expired.fingerprint());
    assert!(try_connect(expired.acceptor(), HOST, trust).await.is_ok());
}

#[tokio::test]
async fn a_pin_refuses_every_other_certificate_and_shows_both() {
    let identity = Identity::self_signed(HOST);
    let pin = Fingerprint::of(b"another certificate");
    let fault = refusal(&identity, HOST, Trust::Pinned(pin)).await;
    assert_eq!(fault.code, Code::TlsPin);
    assert!(fault.detail.contains(&pin.to_string()), "{fault}");
}

#[tokio::test]
async fn the_second_connection_resumes_the_session_and_names_its_certificate() {
    let authority = Authority::new();
    let identity = authority.sign(HOST);
    let address = tls_server(identity.acceptor()).await;
    let endpoint = endpoint(
        HOST,
        address.port(),
        Security::ImplicitTls,
        authority.trust(),
    );
    for kind in ["Full", "Resumed"] {
        let mut stream = connect_to(&endpoint, &[address]).await.unwrap();
        assert_eq!(line(&mut stream).await, format!("* OK Some({kind})\r\n"));
        let tls = stream.peer().tls.as_ref().unwrap();
        assert_eq!(tls.certificate, identity.fingerprint());
    }
}

#[tokio::test]
async fn a_session_is_not_resumed_under_another_trust() {
    let authority = Authority::new();
    let identity = authority.sign(HOST);
    let address = tls_server(identity.acceptor()).await;
    let trusting = endpoint(
        HOST,
        address.port(),
        Security::ImplicitTls,
        authority.trust(),
    );
    let mut stream = connect_to(&trusting, &[address]).await.unwrap();
    line(&mut stream).await;
    let doubting = endpoint(HOST, address.port(), Security::ImplicitTls, Trust::System);
    let fault = connect_to(&doubting, &[address]).await.unwrap_err();
    assert_eq!(fault.code, Code::TlsUntrusted);
}

#[tokio::test]
async fn a_host_that_cannot_be_a_name_is_told_as_such() {
    let authority = Authority::new();
    let acceptor = authority.sign(HOST).acceptor();
    let fault = try_connect(acceptor, "メール.example", authority.trust())
        .await
        .unwrap_err();
    assert_eq!(fault.code, Code::LocatorInvalid);
    assert!(fault.detail.contains("xn--"), "{fault}");
}
