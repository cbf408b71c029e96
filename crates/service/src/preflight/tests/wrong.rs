//! What is wrong is told at its line, with its code, and in both languages.

use super::support::{ADDRESS, PASSWORD, Scene, code, lines, message, plain, remarkable, server};
use crate::job::CheckState::{Bad, Good, Notable, Open};
use crate::job::CheckStep::{Connection, DestinationLogin, Folders, Name, SourceLogin};
use crate::job::{Accepted, Checked, Transport};
use hikyaku_core::{Code, Side};
use hikyaku_memserver::{Action, MemServer, Options, Refusal, Rule, Script};
use hikyaku_net::Secret;
use hikyaku_text::{Lang, fault};
use tokio::net::TcpListener;

/// A source that says this to whoever logs in.
async fn refusing(words: &str) -> MemServer {
    let refusal = Action::Answer(Refusal::no(words));
    let rules = ["LOGIN", "AUTHENTICATE"].map(|verb| Rule::on(verb, refusal.clone()).always());
    server(plain().script(rules.into_iter().collect::<Script>())).await
}

async fn scene(source: &MemServer, destination: &MemServer) -> Scene {
    let mut scene = Scene::new(source.port(), destination.port()).await;
    scene.order.source.accepted = Some(Accepted::ClearText);
    scene
}

/// The code's title in both languages.
fn titles(code: &str) -> [&'static str; 2] {
    let code = Code::ALL.iter().find(|c| c.short() == code);
    let code = *code.expect("a code of the catalogue");
    Lang::ALL.map(|lang| fault::explain(code, lang).title)
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_with_its_reason() {
    let destination = server(plain()).await;
    for (words, short, ja, en) in [
        (
            "[AUTHENTICATIONFAILED] Authentication failed.",
            "A201",
            "ログインできません",
            "password",
        ),
        (
            "IMAP access is disabled for your account",
            "A204",
            "IMAP",
            "IMAP",
        ),
        (
            "[ALERT] Application-specific password required",
            "A202",
            "アプリ",
            "app password",
        ),
        (
            "[ALERT] Please log in via your web browser",
            "A203",
            "パスワード",
            "sign",
        ),
    ] {
        let source = refusing(words).await;
        let scene = scene(&source, &destination).await;
        let checked = scene.check().await;
        assert_eq!(code(&checked), Some(short), "{words}");
        let expected = [
            (Connection, Good, None),
            (SourceLogin, Bad, Some(short)),
            (DestinationLogin, Good, None),
            (Folders, Open, None),
        ];
        assert_eq!(lines(&checked)[1..5], expected, "{words}");
        let fault = checked.fault.as_ref().expect("a fault");
        assert_eq!(fault.side.as_deref(), Some("source"));
        let [told_ja, told_en] = Lang::ALL.map(|lang| {
            let code = Code::ALL
                .iter()
                .find(|c| c.short() == short)
                .expect("a code");
            let told = fault::explain(*code, lang);
            format!("{} {} {}", told.title, told.cause, told.remedy)
        });
        assert!(told_ja.contains(ja), "{told_ja}");
        assert!(
            told_en.to_lowercase().contains(&en.to_lowercase()),
            "{told_en}"
        );
        // Never a second try with the same password.
        let heard = source.transcript();
        let tries = heard.of("LOGIN").len() + heard.of("AUTHENTICATE").len();
        assert_eq!(tries, 1, "{heard}");
    }
}

#[tokio::test]
async fn both_sides_are_told_when_both_are_wrong() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let mut scene = scene(&source, &destination).await;
    scene.secrets.source = Some(Secret::from("wrong"));
    scene.secrets.destination = Some(Secret::from("wrong too"));
    let checked = scene.check().await;
    let logins = [
        (SourceLogin, Bad, Some("A201")),
        (DestinationLogin, Bad, Some("A201")),
    ];
    assert_eq!(lines(&checked)[2..4], logins);
    scene.secrets.source = Some(Secret::from(PASSWORD));
    let checked = scene.check().await;
    let sides = checked
        .fault
        .as_ref()
        .and_then(|fault| fault.side.as_deref());
    assert_eq!((code(&checked), sides), (Some("A201"), Some("destination")));
    assert_eq!(lines(&checked)[2], (SourceLogin, Good, None));
}

#[tokio::test]
async fn a_server_without_encryption_is_asked_about_before_any_password_leaves() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    source
        .account(ADDRESS)
        .expect("an account")
        .add_message("INBOX", message("a", 100));
    let mut scene = scene(&source, &destination).await;
    scene.order.source.accepted = None;
    let asked = scene.check().await;
    assert!(asked.clear_text && asked.certificate.is_none() && !asked.can_start());
    assert_eq!(code(&asked), None);
    assert_eq!(remarkable(&asked)[0], (Connection, Bad, Some("T115")));
    let heard = source.transcript();
    let tries = heard.of("LOGIN").len() + heard.of("AUTHENTICATE").len();
    assert_eq!(tries, 0, "{heard}");
    // Choosing clear text in the form is not the same as accepting it.
    scene.order.source.transport = Some(Transport::Clear);
    assert!(scene.check().await.clear_text);
    scene.order.source.accepted = Some(Accepted::ClearText);
    let accepted = scene.check().await;
    assert!(accepted.can_start() && !accepted.clear_text);
    assert_eq!(lines(&accepted)[1], (Connection, Notable, None));
}

#[tokio::test]
async fn a_server_that_takes_no_password_in_clear_text_is_told() {
    let source = server(Options {
        plain_login: false,
        ..plain()
    })
    .await;
    let destination = server(plain()).await;
    let checked = scene(&source, &destination).await.check().await;
    assert_eq!(code(&checked), Some("A206"));
    assert_eq!(lines(&checked)[2], (SourceLogin, Bad, Some("A206")));
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_without_a_reason() {
    let destination = server(plain()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    // Somebody listens there, but the guard does not let anybody through: by its network, by its port.
    let mut by_network = Scene::new(port, destination.port()).await;
    by_network.egress.allow.clear();
    let mut by_port = Scene::new(port, destination.port()).await;
    by_port.egress.ports = vec![993];
    let (network, other) = (by_network.check().await, by_port.check().await);
    drop(listener);
    // And here nobody listens.
    let closed = Scene::new(port, destination.port()).await.check().await;
    assert_eq!(
        lines(&closed)[..3],
        [
            (Name, Good, None),
            (Connection, Bad, Some("N102")),
            (SourceLogin, Open, None),
        ]
    );
    let told = |checked: &Checked| checked.fault.clone().expect("a fault");
    assert_eq!(told(&network), told(&closed));
    assert_eq!(told(&other), told(&closed));
    assert!(titles("N102")[0].contains("接続"), "{:?}", titles("N102"));
}

#[tokio::test]
async fn a_port_that_says_nothing_is_given_up() {
    let destination = server(plain()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let scene = Scene::new(port, destination.port()).await;
    let checked = scene.check().await;
    assert_eq!(remarkable(&checked)[0], (Connection, Bad, Some("N105")));
    assert_eq!(code(&checked), Some("N105"));
    drop(listener);
}

#[tokio::test]
async fn names_that_lead_nowhere_or_back_are_told() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    let mut scene = scene(&source, &destination).await;
    for (host, short) in [
        ("no-such.test", "N101"),
        ("not a name!", "N101"),
        ("127.1", "N101"),
        ("old.test:0", "N101"),
        ("http://old.test", "N101"),
    ] {
        scene.order.source.host = host.into();
        let checked = scene.check().await;
        assert_eq!(remarkable(&checked)[0], (Name, Bad, Some(short)), "{host}");
        assert_eq!(code(&checked), Some(short), "{host}");
    }
    // The trap: the name was switched to the new server already.
    scene.names.set_addresses("old.test", &["127.0.0.1"]);
    scene.order.source.host = format!("old.test:{}", destination.port());
    scene.egress.ports.push(destination.port());
    let trapped = scene.check().await;
    assert_eq!(remarkable(&trapped)[0], (Name, Bad, Some("N103")));
    assert_eq!(code(&trapped), Some("N103"));
    let side = trapped
        .fault
        .as_ref()
        .and_then(|fault| fault.side.as_deref());
    assert_eq!(side, Some(hikyaku_side(Side::Source)));
    // Another account of the same server is a source like any other.
    let other = destination.add_account("jiro@example.test", PASSWORD);
    other.add_message("INBOX", message("a", 100));
    scene.order.source.address = "jiro@example.test".into();
    assert!(scene.check().await.can_start());
    // Unless the login name is that of the destination after all.
    scene.order.source.login = Some(ADDRESS.to_uppercase());
    assert_eq!(code(&scene.check().await), Some("N103"));
}

fn hikyaku_side(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

#[tokio::test]
async fn a_source_without_mail_is_told() {
    let (source, destination) = (server(plain()).await, server(plain()).await);
    source
        .account(ADDRESS)
        .expect("an account")
        .add_mailbox("空");
    let checked = scene(&source, &destination).await.check().await;
    assert_eq!(lines(&checked)[4], (Folders, Bad, Some("S601")));
    assert_eq!((code(&checked), checked.can_start()), (Some("S601"), false));
}
