//! Coming in: mechanisms, masters, TLS, limits.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hikyaku_memserver::{Limits, MemServer, Options, Personality, Tls};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::client::{Client, End};
use crate::{server, start};

fn plain(authzid: &str, user: &str, password: &str) -> String {
    STANDARD.encode(format!("{authzid}\0{user}\0{password}"))
}

#[tokio::test]
async fn login_tells_capabilities_as_the_personality_does() {
    let (dovecot, _) = server(Personality::dovecot_like()).await;
    let answer = Client::connect(&dovecot).await.tagged("login u p").await;
    assert!(
        answer.starts_with("t OK [CAPABILITY IMAP4rev1 "),
        "{answer}"
    );
    let (courier, _) = server(Personality::courier_like()).await;
    let mut c = Client::connect(&courier).await;
    assert_eq!(
        c.tagged("login \"u\" {1}\r\np").await,
        "+ OK".replace("+ OK", "t OK Logged in")
    );
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_the_words_of_the_server() {
    for (personality, words) in [
        (
            Personality::dovecot_like(),
            "t NO [AUTHENTICATIONFAILED] Authentication failed.",
        ),
        (
            Personality::cyrus_like(),
            "t NO Login failed: authentication failure",
        ),
        (Personality::courier_like(), "t NO Login failed."),
        (
            Personality::gmail_like(),
            "t NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        ),
    ] {
        let (server, _) = server(personality).await;
        let mut c = Client::connect(&server).await;
        assert_eq!(c.tagged("login u wrong").await, words);
        assert_eq!(c.tagged("login nobody p").await, words);
        assert!(c.tagged("list \"\" *").await.starts_with("t "));
        c.ok("login u p").await;
    }
}

#[tokio::test]
async fn sasl_plain_and_login_work_with_and_without_initial_response() {
    let (server, _) = server(Personality::dovecot_like()).await;
    let message = plain("", "u", "p");
    Client::connect(&server)
        .await
        .ok(&format!("authenticate plain {message}"))
        .await;
    Client::connect(&server)
        .await
        .dialogue(&format!(
            "C: a authenticate PLAIN\nS: + \nC: {message}\nS: a OK..."
        ))
        .await;
    Client::connect(&server)
        .await
        .dialogue("C: a authenticate LOGIN\nS: + VXNlcm5hbWU6\nC: dQ==\nS: + UGFzc3dvcmQ6\nC: cA==\nS: a OK...")
        .await;
    Client::connect(&server)
        .await
        .dialogue("C: a authenticate plain\nS: + \nC: *\nS: a BAD...\nC: b login u p\nS: b OK...")
        .await;
}

#[tokio::test]
async fn a_master_enters_every_account_and_nobody_else_does() {
    let options = Options {
        masters: vec![("admin".into(), "secret".into())],
        ..Options::new(Personality::dovecot_like())
    };
    let (server, _) = start(options).await;
    server.add_account("v", "q");
    let mut c = Client::connect(&server).await;
    for refused in [
        plain("v", "u", "p"),
        plain("v", "admin", "wrong"),
        plain("nobody", "admin", "secret"),
        plain("", "admin", "secret"),
    ] {
        let answer = c.tagged(&format!("authenticate plain {refused}")).await;
        assert!(answer.starts_with("t NO"), "{answer}");
    }
    c.ok(&format!(
        "authenticate plain {}",
        plain("u", "admin", "secret")
    ))
    .await;
    Client::connect(&server)
        .await
        .ok(r#"login "v*admin" secret"#)
        .await;
    let mut c = Client::connect(&server).await;
    assert!(c.tagged(r#"login "v*u" p"#).await.starts_with("t NO"));
}

#[tokio::test]
async fn tokens_are_accepted_and_a_bad_one_gets_its_error_challenge() {
    let (server, account) = server(Personality::gmail_like()).await;
    account.set_tokens(&["good"]);
    let message = |token: &str| STANDARD.encode(format!("user=u\x01auth=Bearer {token}\x01\x01"));
    let bearer = STANDARD.encode("n,a=u,\x01host=h\x01port=1\x01auth=Bearer good\x01\x01");
    let mut c = Client::connect(&server).await;
    c.dialogue(&format!(
        "C: a authenticate xoauth2 {}\nS: + eyJzdGF0dXMiOi...\nC:\nS: a NO [AUTHENTICATIONFAILED]...",
        message("bad")
    ))
    .await;
    c.ok(&format!("authenticate xoauth2 {}", message("good")))
        .await;
    Client::connect(&server)
        .await
        .ok(&format!("authenticate oauthbearer {bearer}"))
        .await;
    account.set_tokens(&[]);
    let mut c = Client::connect(&server).await;
    c.dialogue(&format!(
        "C: a authenticate oauthbearer {bearer}\nS: + ...\nC: AQ==\nS: a NO..."
    ))
    .await;
}

/// HMAC by its definition (RFC 2104), so that client and server share no code.
fn hmac(hash: fn(&[u8]) -> Vec<u8>, key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = key.to_vec();
    block.resize(64, 0);
    let pad = |with: u8| -> Vec<u8> { block.iter().map(|b| b ^ with).collect() };
    hash(&[pad(0x5c), hash(&[&pad(0x36), message].concat())].concat())
}

#[tokio::test]
async fn scram_and_cram_prove_the_password_without_sending_it() {
    use md5::Md5;
    use sha2::{Digest as _, Sha256};
    let sha: fn(&[u8]) -> Vec<u8> = |m| Sha256::digest(m).to_vec();
    let md5: fn(&[u8]) -> Vec<u8> = |m| Md5::digest(m).to_vec();
    let (server, _) = server(Personality::dovecot_like()).await;
    for (password, accepted) in [("p", true), ("q", false)] {
        let mut c = Client::connect(&server).await;
        c.send(format!(
            "t authenticate scram-sha-256 {}\r\n",
            STANDARD.encode("n,,n=u,r=abc")
        ))
        .await;
        let first = STANDARD.decode(&c.line().await[2..]).unwrap();
        let first = String::from_utf8(first).unwrap();
        let fields: Vec<&str> = first.split(',').collect();
        let salt = STANDARD.decode(&fields[1][2..]).unwrap();
        assert!(fields[0].starts_with("r=abc") && fields[2] == "i=4096");
        let mut salted = hmac(
            sha,
            password.as_bytes(),
            &[&salt[..], &[0, 0, 0, 1]].concat(),
        );
        let mut round = salted.clone();
        for _ in 1..4096 {
            round = hmac(sha, password.as_bytes(), &round);
            salted.iter_mut().zip(&round).for_each(|(a, b)| *a ^= b);
        }
        let message = format!("n=u,r=abc,{first},c=biws,{}", fields[0]);
        let key = hmac(sha, &salted, b"Client Key");
        let signature = hmac(sha, &sha(&key), message.as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let last = format!("c=biws,{},p={}", fields[0], STANDARD.encode(proof));
        c.send(format!("{}\r\n", STANDARD.encode(last))).await;
        let answer = c.line().await;
        if accepted {
            let server_key = hmac(sha, &salted, b"Server Key");
            let own = format!(
                "v={}",
                STANDARD.encode(hmac(sha, &server_key, message.as_bytes()))
            );
            assert_eq!(answer, format!("+ {}", STANDARD.encode(own)));
            c.send("\r\n").await;
            assert!(c.line().await.starts_with("t OK"));
        } else {
            assert!(answer.starts_with("t NO"), "{answer}");
        }

        let mut c = Client::connect(&server).await;
        c.send("t authenticate cram-md5\r\n").await;
        let challenge = STANDARD.decode(&c.line().await[2..]).unwrap();
        let digest = hmac(md5, password.as_bytes(), &challenge);
        let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        c.send(format!("{}\r\n", STANDARD.encode(format!("u {digest}"))))
            .await;
        assert_eq!(c.line().await.starts_with("t OK"), accepted);
    }
}

#[tokio::test]
async fn mechanisms_that_are_not_told_are_refused() {
    let (server, _) =
        server(Personality::dovecot_like().without(&["AUTH=CRAM-MD5", "SASL-IR"])).await;
    let mut c = Client::connect(&server).await;
    assert!(!c.command("capability").await[0].contains("AUTH=CRAM-MD5"));
    assert!(c.tagged("authenticate cram-md5").await.starts_with("t NO"));
    assert!(
        c.tagged(&format!("authenticate plain {}", plain("", "u", "p")))
            .await
            .starts_with("t BAD")
    );
}

#[tokio::test]
async fn sessions_of_an_account_are_limited_as_the_server_does_it() {
    let limits = Limits {
        sessions_per_account: 1,
        ..Limits::default()
    };
    let with = |personality| Options {
        limits,
        ..Options::new(personality)
    };
    let (server, _) = start(with(Personality::dovecot_like())).await;
    let mut first = Client::logged_in(&server).await;
    let mut second = Client::connect(&server).await;
    assert!(second.tagged("login u p").await.starts_with("t NO [LIMIT]"));
    first.ok("logout").await;
    assert_eq!(first.rest().await.1, End::Closed);
    second.ok("login u p").await;

    let (server, _) = start(with(Personality::courier_like())).await;
    let _first = Client::logged_in(&server).await;
    let mut second = Client::connect(&server).await;
    second.send("t login u p\r\n").await;
    assert_eq!(second.rest().await, (String::new(), End::Closed));
}

#[tokio::test]
async fn one_connection_too_many_is_told_bye() {
    let options = Options {
        limits: Limits {
            connections: 1,
            ..Limits::default()
        },
        ..Options::new(Personality::dovecot_like())
    };
    let (server, _) = start(options).await;
    let _first = Client::connect(&server).await;
    let mut second = Client::silent(&server).await;
    assert_eq!(second.rest().await.0, "* BYE Too many connections\r\n");
}

#[tokio::test]
async fn secrets_stay_out_of_the_transcript() {
    let (server, _) = server(Personality::dovecot_like()).await;
    let mut c = Client::connect(&server).await;
    c.command("login u \"hunter 2\"").await;
    c.command(&format!("authenticate plain {}", plain("", "u", "hunter2")))
        .await;
    c.command("login u {7}\r\nhunter3").await;
    let transcript = server.transcript();
    let shown = format!("{transcript}{transcript:?}");
    assert!(
        !shown.contains("hunter") && !shown.contains(&plain("", "u", "hunter2")),
        "{shown}"
    );
    let arguments: Vec<&str> = transcript
        .entries
        .iter()
        .map(|e| e.arguments.as_str())
        .collect();
    assert_eq!(arguments, ["u ***", "PLAIN ***", "u ***{7}"]);
    assert!(transcript.entries.iter().all(|e| e.answer == Some("NO")));
}

fn certificate() -> (Arc<ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(config), TlsConnector::from(Arc::new(client)))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[tokio::test]
async fn starttls_forgets_what_came_before_it_and_then_lets_in() {
    let (config, connector) = certificate();
    let options = Options {
        tls: Tls::StartTls(config),
        plain_login: false,
        ..Options::new(Personality::dovecot_like())
    };
    let (server, _) = start(options).await;
    let mut c = Client::silent(&server).await;
    let greeting = c.line().await;
    assert!(
        greeting.contains(" STARTTLS LOGINDISABLED]") && !greeting.contains("AUTH="),
        "{greeting}"
    );
    assert!(
        c.tagged("login u p")
            .await
            .starts_with("t NO [PRIVACYREQUIRED]")
    );
    // The command behind STARTTLS was sent in the clear and must not be executed.
    c.send("t starttls\r\nx noop\r\n").await;
    assert!(c.line().await.starts_with("t OK"));
    let tls = connector
        .connect(localhost(), c.into_stream())
        .await
        .unwrap();
    let mut c = Client::over(tls);
    let told = c.command("capability").await;
    assert!(
        told[0].contains("AUTH=PLAIN") && !told[0].contains("STARTTLS"),
        "{told:?}"
    );
    assert!(c.tagged("starttls").await.starts_with("t BAD"));
    c.ok("login u p").await;
    assert!(!server.transcript().verbs().contains("NOOP"));
}

#[tokio::test]
async fn implicit_tls_greets_inside_tls() {
    let (config, connector) = certificate();
    let options = Options {
        tls: Tls::Implicit(config),
        plain_login: false,
        ..Options::new(Personality::dovecot_like())
    };
    let server = MemServer::start(options).await.unwrap();
    server.add_account("u", "p");
    let stream = Client::silent(&server).await.into_stream();
    let mut c = Client::over(connector.connect(localhost(), stream).await.unwrap());
    assert!(c.line().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
    c.ok("login u p").await;
}
