//! Logging in to a real Dovecot, in every way that it offers.

mod common;

use common::{connect, find, plain};
use hikyaku_core::traits::{Destination, Source};
use hikyaku_core::{Code, Reach, Remedy, Side};
use hikyaku_imap::{Compress, ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Anchors, Endpoint, Security, Trust};
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{
    Account, AdminLogin, Courier, CourierOptions, Dovecot, DovecotOptions, MailServer,
};

fn start(options: DovecotOptions) -> (Dovecot, Account) {
    let server = Dovecot::start(options).expect("server");
    let user = server.create_account("taro").expect("account");
    (server, user)
}

fn secured(server: &Dovecot, user: &Account, security: Security) -> ImapOptions {
    let instance = server.instance();
    let port = match security {
        Security::ImplicitTls => instance.tls_port(),
        Security::StartTls | Security::Plain => instance.port(),
    };
    let mut endpoint = Endpoint::new(instance.host(), port, security, Side::Destination);
    let pem = instance.identity().authority_pem.as_bytes();
    endpoint.trust = Trust::WithAnchors(Anchors::from_pem(pem).expect("anchors"));
    ImapOptions::new(
        endpoint,
        Credentials::password(&user.user, user.password.clone()),
    )
}

async fn works(options: ImapOptions) {
    let account = ImapAccount::connect(options).await.expect("login");
    let inbox = find(&account, "INBOX").await;
    let writer = account.write(&inbox).await.expect("opened");
    assert_eq!(writer.state().messages, 0);
    drop(writer);
    account.close().await;
}

#[tokio::test]
async fn logs_in_over_tls_starttls_and_clear_text() {
    let (server, user) = start(DovecotOptions::default());
    for security in [Security::ImplicitTls, Security::StartTls, Security::Plain] {
        works(secured(&server, &user, security)).await;
    }
}

#[tokio::test]
async fn compresses_where_the_server_offers_it() {
    let (server, user) = start(DovecotOptions {
        compress: true,
        ..DovecotOptions::default()
    });
    for security in [Security::ImplicitTls, Security::Plain] {
        let options = secured(&server, &user, security);
        works(ImapOptions {
            compress: Compress::Auto,
            ..options
        })
        .await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_never_shown() {
    let (server, mut user) = start(DovecotOptions::default());
    user.password = "planted-4711".into();
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).expect("proxy");
    let options = plain(proxy.port(), &user, Side::Source);
    assert!(!format!("{options:?}").contains("planted-4711"));
    let fault = ImapAccount::connect(options).await.expect_err("refused");
    assert_eq!(
        (fault.code, fault.reach, fault.remedy),
        (Code::LoginRejected, Reach::Side, Remedy::AskUser)
    );
    assert_eq!(fault.at.side, Some(Side::Source));
    assert_eq!(
        fault.at.server.as_deref(),
        Some(format!("127.0.0.1:{}", proxy.port()).as_str())
    );
    let said = fault.said.clone().expect("the server's words");
    assert_eq!(said.code.as_deref(), Some("AUTHENTICATIONFAILED"));
    assert!(!format!("{fault:?} {fault}").contains("planted-4711"));
    let tries = |c: &&String| c.starts_with("AUTHENTICATE") || c.starts_with("LOGIN");
    assert_eq!(proxy.commands().iter().filter(tries).count(), 1);
}

#[tokio::test]
async fn in_clear_text_the_password_stays_at_home() {
    let (server, user) = start(DovecotOptions::default());
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).expect("proxy");
    ImapAccount::connect(plain(proxy.port(), &user, Side::Source))
        .await
        .expect("login");
    let commands = proxy.commands();
    assert!(
        commands
            .iter()
            .any(|c| c.starts_with("AUTHENTICATE SCRAM-SHA-256")),
        "{commands:?}"
    );
    assert!(!commands.iter().any(|c| c.contains(&user.password)));
}

#[tokio::test]
async fn an_administrator_logs_in_as_the_user() {
    let (server, user) = start(DovecotOptions::default());
    let Some(AdminLogin::MasterUser { login, password }) = server.admin_login(&user) else {
        panic!("Dovecot has master users");
    };
    let mut options = secured(&server, &user, Security::ImplicitTls);
    options.credentials = Credentials::password(login, password.clone());
    works(options.clone()).await;
    let master = server
        .admin_login(&user)
        .map(|_| "admin")
        .expect("a master user");
    options.credentials = Credentials::password(master, password).acting_as(&user.user);
    works(options).await;
}

/// Two connections are let in; the third user of the account waits for one of them.
async fn goes_on_with_two(server: &dyn MailServer) {
    let user = server.create_account("hanako").expect("account");
    let account = connect(server, &user, Side::Source).await.expect("login");
    let inbox = find(&account, "INBOX").await;
    let first = account.open(&inbox).await.expect("first");
    let second = account.open(&inbox).await.expect("second");
    let mut third = account.open(&inbox);
    // Polled until it was refused by the server and waits.
    let early = tokio::time::timeout(std::time::Duration::from_secs(3), &mut third).await;
    assert!(early.is_err(), "there is no third connection");
    drop(first);
    let third = third.await.expect("the connection that was given back");
    drop((second, third));
}

#[tokio::test]
async fn fewer_connections_are_used_where_the_server_lets_in_fewer() {
    let server = Dovecot::start(DovecotOptions {
        max_userip_connections: 2,
        ..DovecotOptions::default()
    });
    goes_on_with_two(&server.expect("server")).await;
}

#[tokio::test]
async fn fewer_connections_are_used_where_the_server_hangs_up() {
    let server = Courier::start(CourierOptions {
        max_per_address: 2,
        ..CourierOptions::default()
    });
    goes_on_with_two(&server.expect("server")).await;
}

#[tokio::test]
async fn starttls_that_is_not_offered_costs_no_secret() {
    let (server, user) = start(DovecotOptions {
        extra: "ssl = no\n".into(),
        ..DovecotOptions::default()
    });
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).expect("proxy");
    let mut options = plain(proxy.port(), &user, Side::Source);
    options.endpoint.security = Security::StartTls;
    let fault = ImapAccount::connect(options).await.expect_err("refused");
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::TlsUnavailable, Remedy::AskUser)
    );
    assert_eq!(proxy.commands(), ["CAPABILITY"]);
}
