//! Fault model 28, 29, 30, S1, S2: before and while logging in.

use crate::host::{Host, INBOX, Peer, told};
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Reach, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::Security;

#[tokio::test]
async fn a_refused_login_is_not_tried_again_wherever_the_server_points() {
    for (answer, code) in [
        ("NO [AUTHENTICATIONFAILED] no", Code::LoginRejected),
        (
            "NO [REFERRAL imap://evil.example/] try there",
            Code::LoginRejected,
        ),
        (
            "NO [AUTHENTICATIONFAILED] try again later",
            Code::LoginRejected,
        ),
        (
            "NO Application-specific password required",
            Code::LoginAppPassword,
        ),
        ("NO [CONTACTADMIN] switched off", Code::LoginDisabled),
    ] {
        let host = Host::start("").await;
        let options = host.options(Side::Source);
        let (account, rest) = tokio::join!(ImapAccount::connect(options), async {
            let (mut peer, tag) = host.greet().await;
            peer.says(&format!("{tag} {answer}\n")).await;
            peer.rest().await
        });
        let fault = account.expect_err("refused");
        assert_eq!(
            (fault.code, fault.is_temporary()),
            (code, false),
            "{answer}"
        );
        assert!(!format!("{fault:?}").contains("planted-secret"));
        assert_eq!(rest, "", "one try");
        assert!(host.is_alone(), "one connection");
    }
}

#[tokio::test]
async fn where_starttls_is_asked_for_nothing_is_said_to_one_who_logs_everybody_in() {
    let host = Host::start("").await;
    let mut options = host.options(Side::Source);
    options.endpoint.security = Security::StartTls;
    let (account, rest) = tokio::join!(ImapAccount::connect(options), async {
        let mut peer = host.accept().await;
        peer.says("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] come in\n")
            .await;
        peer.rest().await
    });
    assert_eq!(told(&account.expect_err("refused")), "tls.unavailable Side");
    assert_eq!(rest, "", "not even a question");
}

#[tokio::test]
async fn words_before_the_handshake_end_it() {
    let host = Host::start("").await;
    let mut options = host.options(Side::Source);
    options.endpoint.security = Security::StartTls;
    let (account, rest) = tokio::join!(ImapAccount::connect(options), async {
        let mut peer = host.accept().await;
        peer.says("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\n").await;
        let tag = peer.hears("STARTTLS").await;
        peer.says(&format!("{tag} OK go\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\n"))
            .await;
        peer.rest().await
    });
    assert_eq!(told(&account.expect_err("refused")), "tls.failed Side");
    assert!(!rest.contains("planted-secret") && !rest.contains("LOGIN"));
}

#[tokio::test]
async fn login_is_not_sent_where_it_is_disabled() {
    let host = Host::start("LOGINDISABLED").await;
    let (account, rest) = tokio::join!(ImapAccount::connect(host.options(Side::Source)), async {
        let mut peer = host.accept().await;
        let capabilities = "IMAP4rev1 LOGINDISABLED";
        peer.says(&format!("* OK [CAPABILITY {capabilities}] hi\n"))
            .await;
        let tag = peer.hears("CAPABILITY").await;
        peer.says(&format!("* CAPABILITY {capabilities}\n{tag} OK\n"))
            .await;
        peer.rest().await
    });
    assert_eq!(told(&account.expect_err("refused")), "login.mechanism Side");
    assert_eq!(rest, "");
}

#[tokio::test]
async fn the_address_that_answered_is_told() {
    let host = Host::start("").await;
    let named = host.options(Side::Source);
    let mut endpoint = named.endpoint.clone();
    // The name may stand for ::1 too, where nobody listens.
    endpoint.host = "localhost".to_owned();
    let options = ImapOptions { endpoint, ..named };
    let port = options.endpoint.port;
    let (account, _peer) = tokio::join!(ImapAccount::connect(options), host.begin(INBOX));
    let peer = account.expect("login").peer().expect("a peer");
    assert_eq!(peer.address.to_string(), format!("127.0.0.1:{port}"));
    assert_eq!(peer.tls, None);
}

#[tokio::test]
async fn a_refused_namespace_is_not_taken_for_no_prefix() {
    let rows = "* LIST () \".\" INBOX\n* LIST () \".\" INBOX.Sent\n";
    for refusal in ["NO not now", "NO [LIMIT] try again later", "BAD what"] {
        let host = Host::start("NAMESPACE").await;
        let (account, _peer) = tokio::join!(
            ImapAccount::connect(host.options(Side::Source)),
            refuse_once(
                &host,
                refusal,
                rows,
                "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\n",
                "OK"
            ),
        );
        let found = account
            .expect("login")
            .mailboxes()
            .await
            .expect("mailboxes");
        let names: Vec<String> = found.iter().map(|m| m.name.to_string()).collect();
        assert_eq!(names, ["INBOX", "Sent"], "{refusal}");

        let host = Host::start("NAMESPACE").await;
        let (account, _peer) = tokio::join!(
            ImapAccount::connect(host.options(Side::Source)),
            refuse_once(&host, refusal, rows, "", refusal),
        );
        let fault = account.expect_err("refused twice");
        assert_eq!(fault.reach, Reach::Side, "{refusal}");
        assert!(fault.is_temporary(), "{refusal}: {fault}");
    }
}

/// Refuses the first NAMESPACE, lists, and answers the second like this.
async fn refuse_once(host: &Host, refusal: &str, rows: &str, data: &str, end: &str) -> Peer {
    let mut peer = host.let_in().await;
    let namespace = peer.hears("NAMESPACE").await;
    let list = peer.hears("LIST \"\" \"*\"").await;
    peer.says(&format!("{namespace} {refusal}\n{rows}{list} OK\n"))
        .await;
    let again = peer.hears("NAMESPACE").await;
    peer.says(&format!("{data}{again} {end}\n")).await;
    peer
}
