use super::authenticate::{Way, choose};
use super::*;
use crate::testing::{Peer, endpoint, pair};
use hikyaku_core::Side;
use tokio::net::TcpListener;

fn password() -> Credentials {
    Credentials::password("taro", "pencil-planted")
}

type Login = Result<Session, Fault>;

/// A login while the peer plays its part.
async fn log_in_with<F>(credentials: Credentials, script: impl FnOnce(Peer) -> F) -> (Login, Peer)
where
    F: Future<Output = Peer>,
{
    let (ours, peer) = pair(1 << 16);
    let endpoint = endpoint();
    let session = log_in_over(ours, &endpoint, &credentials, Access::Writing);
    tokio::join!(session, script(peer))
}

fn fault(session: Login) -> Fault {
    match session {
        Ok(_) => panic!("logged in"),
        Err(fault) => fault,
    }
}

#[tokio::test]
async fn one_round_trip_where_the_server_tells_enough() {
    let (session, _peer) = log_in_with(password(), |mut peer| async move {
        peer.says("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.\n")
            .await;
        assert_eq!(
            peer.hears().await,
            "h1 AUTHENTICATE PLAIN AHRhcm8AcGVuY2lsLXBsYW50ZWQ="
        );
        peer.says(
            "h1 OK [CAPABILITY IMAP4rev1 ID ENABLE CONDSTORE UTF8=ACCEPT NAMESPACE LITERAL+] in\n",
        )
        .await;
        assert_eq!(
            peer.hears().await.split(" \"version\"").next(),
            Some("h2 ID (\"name\" \"hikyaku\"")
        );
        assert_eq!(peer.hears().await, "h3 ENABLE CONDSTORE UTF8=ACCEPT");
        assert_eq!(peer.hears().await, "h4 NAMESPACE");
        peer.says("* ID (\"name\" \"Dovecot\")\nh2 OK\n* ENABLED UTF8=ACCEPT\nh3 OK\n")
            .await;
        peer.says("* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\nh4 OK\n")
            .await;
        peer
    })
    .await;
    let Session {
        connection, facts, ..
    } = session.expect("login");
    assert_eq!(facts.product, Product::Dovecot);
    assert!(facts.utf8 && facts.condstore);
    assert_eq!(facts.namespaces.personal.len(), 1);
    assert!(connection.style().utf8 && connection.is_clean());
    assert_eq!(
        connection.style().literals,
        crate::encode::LiteralMode::Plus
    );
}

#[tokio::test]
async fn an_old_server_is_asked_for_everything() {
    let (session, _peer) = log_in_with(password(), |mut peer| async move {
        peer.says("* OK hello\n").await;
        assert_eq!(peer.hears().await, "h1 CAPABILITY");
        peer.says("* CAPABILITY IMAP4rev1\nh1 OK\n").await;
        assert_eq!(peer.hears().await, "h2 LOGIN \"taro\" \"pencil-planted\"");
        peer.says("* NO [ALERT] Maintenance tonight\nh2 OK in\n")
            .await;
        assert_eq!(peer.hears().await, "h3 CAPABILITY");
        peer.says("* CAPABILITY IMAP4rev1 IDLE\nh3 OK\n").await;
        peer
    })
    .await;
    let facts = session.expect("login").facts;
    assert!(facts.can("IDLE") && !facts.utf8 && !facts.condstore);
}

#[tokio::test]
async fn a_mechanism_without_initial_response_waits_for_the_server() {
    let token = Credentials::token("taro", "tok");
    let (session, _peer) = log_in_with(token, |mut peer| async move {
        peer.says("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\n")
            .await;
        assert_eq!(peer.hears().await, "h1 AUTHENTICATE XOAUTH2");
        peer.says("+ \n").await;
        assert!(peer.hears().await.len() > 20);
        peer.says("+ eyJzdGF0dXMiOiI0MDEifQ==\n").await;
        assert_eq!(peer.hears().await, "");
        peer.says("h1 NO [AUTHENTICATIONFAILED] no\n").await;
        peer
    })
    .await;
    let fault = fault(session);
    assert_eq!(fault.remedy, Remedy::AskUser);
    assert!(
        matches!(fault.code, Code::LoginExpired | Code::LoginRejected),
        "{fault}"
    );
    assert_eq!(
        fault.said.expect("words").code.as_deref(),
        Some("AUTHENTICATIONFAILED")
    );
}

#[tokio::test]
async fn no_secret_leaves_where_login_is_disabled() {
    let (session, mut peer) = log_in_with(password(), |mut peer| async move {
        peer.says("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] hi\n")
            .await;
        // It did not offer a way, so it is asked once for the whole truth.
        assert_eq!(peer.hears().await, "h1 CAPABILITY");
        peer.says("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED STARTTLS\nh1 OK\n")
            .await;
        peer
    })
    .await;
    let fault = fault(session);
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::LoginMechanism, Remedy::AskUser)
    );
    assert!(fault.detail.contains("STARTTLS"));
    assert_eq!(peer.takes_all().await, "");
}

#[tokio::test]
async fn refusals_before_login_say_whether_to_come_back() {
    for (greeting, code, again) in [
        ("* BYE Too many connections", Code::ServerConnections, true),
        ("* BYE Server shutting down", Code::ServerBusy, true),
        ("HTTP/1.1 400 Bad Request", Code::ServerProtocol, false),
    ] {
        let (session, _peer) = log_in_with(password(), |mut peer| async move {
            peer.says(&format!("{greeting}\n")).await;
            peer
        })
        .await;
        let fault = fault(session);
        assert_eq!(
            (fault.code, fault.is_temporary()),
            (code, again),
            "{greeting}"
        );
    }
}

#[tokio::test]
async fn a_login_that_ends_in_silence_or_a_cut_can_be_tried_again() {
    let (session, _peer) = log_in_with(password(), |mut peer| async move {
        peer.says("* OK [CAPABILITY IMAP4rev1] hi\n").await;
        peer.hears().await;
        peer.says("h1 O").await;
        let (_, replacement) = pair(1);
        drop(std::mem::replace(&mut peer, replacement));
        peer
    })
    .await;
    assert_eq!(fault(session).code, Code::LinkLost);
}

#[tokio::test(start_paused = true)]
async fn a_silent_greeting_and_a_silent_login_are_noticed() {
    for greeting in [None, Some("* OK [CAPABILITY IMAP4rev1] hi\n")] {
        let (session, _peer) = log_in_with(password(), |mut peer| async move {
            if let Some(greeting) = greeting {
                peer.says(greeting).await;
            }
            peer
        })
        .await;
        let fault = fault(session);
        assert_eq!((fault.code, fault.is_temporary()), (Code::LinkSilent, true));
    }
}

/// A real socket, as TLS needs one.
async fn starttls_with(script: &[(&str, &str)]) -> Fault {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let endpoint = Endpoint::new("127.0.0.1", port, Security::StartTls, Side::Source);
    let wishes = Wishes {
        access: Access::Reading,
        compress: false,
        largest: u64::MAX,
    };
    let server = async {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut peer = Peer::over(stream);
        for (hears, says) in script {
            if !hears.is_empty() {
                assert_eq!(peer.hears().await, *hears);
            }
            peer.says(says).await;
        }
        peer.takes_all().await
    };
    let login = async {
        let credentials = password();
        log_in(&endpoint, &credentials, &wishes, nothing)
            .await
            .err()
            .expect("refused")
    };
    let (fault, rest) = tokio::join!(login, server);
    assert!(!rest.contains("pencil"), "{rest}");
    assert_eq!(fault.at.side, Some(Side::Source));
    fault
}

#[tokio::test]
async fn encryption_that_was_asked_for_is_never_done_without() {
    // Already logged in by somebody: not what was asked for.
    let fault = starttls_with(&[("", "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] come in\n")]).await;
    assert_eq!(fault.code, Code::TlsUnavailable);
    let fault = starttls_with(&[
        ("", "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n"),
        ("h1 STARTTLS", "h1 NO not today\n"),
    ])
    .await;
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::TlsUnavailable, Remedy::AskUser)
    );
    // Words slipped in behind the agreement would be believed after the handshake.
    let fault = starttls_with(&[
        ("", "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n"),
        (
            "h1 STARTTLS",
            "h1 OK go\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\n",
        ),
    ])
    .await;
    assert_eq!(fault.code, Code::TlsFailed);
}

#[test]
fn a_server_that_logs_everybody_in_is_refused_where_encryption_was_asked_for() {
    let said = |is_authenticated| Greeting {
        text: String::new(),
        is_authenticated,
        capabilities: None,
    };
    for (security, code) in [
        (Security::StartTls, Some(Code::TlsUnavailable)),
        (Security::ImplicitTls, Some(Code::LoginMechanism)),
        (Security::Plain, None),
    ] {
        assert_eq!(said(true).check(security).err().map(|f| f.code), code);
        assert_eq!(said(false).check(security), Ok(()));
    }
}

#[test]
fn the_best_way_that_both_know_is_chosen() {
    let caps = |text: &str| Capabilities(text.split(' ').map(str::to_owned).collect());
    let acting = password().acting_as("hanako");
    let token = Credentials::token("taro", "tok");
    for (offered, credentials, encrypted, way) in [
        (
            "SASL-IR AUTH=PLAIN AUTH=LOGIN",
            password(),
            true,
            Some(Way::Sasl("PLAIN")),
        ),
        ("AUTH=PLAIN", password(), true, Some(Way::Login)),
        ("", password(), true, Some(Way::Login)),
        (
            "LOGINDISABLED AUTH=PLAIN",
            password(),
            true,
            Some(Way::Sasl("PLAIN")),
        ),
        ("LOGINDISABLED SASL-IR AUTH=PLAIN", password(), false, None),
        (
            "LOGINDISABLED AUTH=CRAM-MD5",
            password(),
            false,
            Some(Way::Sasl("CRAM-MD5")),
        ),
        (
            "SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256",
            password(),
            false,
            Some(Way::Sasl("SCRAM-SHA-256")),
        ),
        (
            "SASL-IR AUTH=PLAIN",
            acting.clone(),
            true,
            Some(Way::Sasl("PLAIN")),
        ),
        ("AUTH=LOGIN", acting, true, None),
        (
            "SASL-IR AUTH=PLAIN AUTH=XOAUTH2",
            token.clone(),
            true,
            Some(Way::Sasl("XOAUTH2")),
        ),
        ("SASL-IR AUTH=PLAIN", token, true, None),
    ] {
        assert_eq!(
            choose(&caps(offered), &credentials, encrypted),
            way,
            "{offered}"
        );
    }
}
