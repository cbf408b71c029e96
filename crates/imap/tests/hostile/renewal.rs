//! Fault model 27 on a real Dovecot: a secret that ends in the middle of a run.

use crate::common::find;
use crate::host::told;
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::traits::{Reader, Source};
use hikyaku_core::{Fault, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::{Credentials, Renewal};
use hikyaku_net::{Endpoint, Security};
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CHANGED: &str = "changed-in-the-middle-of-the-run";

/// Gives these, one after the other, and counts the questions.
#[derive(Debug, Default)]
struct Vault {
    secrets: Mutex<Vec<Credentials>>,
    asked: Mutex<Vec<String>>,
}

impl Vault {
    fn of(secrets: Vec<Credentials>) -> Arc<Self> {
        Arc::new(Self {
            secrets: Mutex::new(secrets),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a lock").clone()
    }
}

impl Renewal for Vault {
    fn renew<'a>(&'a self, refused: &'a Fault) -> BoxFuture<'a, Option<Credentials>> {
        self.asked.lock().expect("a lock").push(told(refused));
        let next = self.secrets.lock().expect("a lock").pop();
        async move { next }.boxed()
    }
}

fn options(port: u16, credentials: Credentials, vault: &Arc<Vault>) -> ImapOptions {
    let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, Side::Source);
    let mut options = ImapOptions::new(endpoint, credentials);
    options.lanes = 4;
    options.renewal = Some(vault.clone());
    options
}

/// Opens INBOX so many times at once, each on a connection of its own.
async fn lanes(account: &ImapAccount, count: usize) -> Vec<Result<Box<dyn Reader>, Fault>> {
    let inbox = find(account, "INBOX").await;
    futures::future::join_all((0..count).map(|_| account.open(&inbox))).await
}

/// A way to the server on which it does not offer OAUTHBEARER.
async fn without_oauthbearer(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let behind = TcpStream::connect(("127.0.0.1", server)).await;
            let (mut from_server, mut to_server) = behind.expect("the server").into_split();
            let (mut from_client, mut to_client) = client.into_split();
            tokio::spawn(async move {
                tokio::io::copy(&mut from_client, &mut to_server).await.ok();
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(octets @ 1..) = from_server.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..octets]);
                    let text = text.replace("AUTH=OAUTHBEARER", "AUTH=NOT-OFFERED");
                    if to_client.write_all(text.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_run_goes_on_with_a_new_token_by_oauthbearer() {
    renewed_token(false).await;
}

#[tokio::test]
async fn a_run_goes_on_with_a_new_token_by_xoauth2() {
    renewed_token(true).await;
}

async fn renewed_token(by_xoauth2: bool) {
    let server = Dovecot::start(DovecotOptions {
        oauth: true,
        ..DovecotOptions::default()
    })
    .expect("server");
    let user = server.create_account("taro").expect("account");
    let issue = || server.issue_token(&user).expect("a token");
    let (old, new) = (issue(), issue());
    let vault = Vault::of(vec![Credentials::token(&user.user, new.clone())]);
    let first = Credentials::token(&user.user, old.clone());
    let port = match by_xoauth2 {
        true => without_oauthbearer(server.instance().port()).await,
        false => server.instance().port(),
    };
    let account = ImapAccount::connect(options(port, first, &vault))
        .await
        .expect("login");
    server.revoke_token(&old);
    let open = lanes(&account, 4).await;
    let open: Result<Vec<_>, _> = open.into_iter().collect();
    assert_eq!(open.expect("all with the new token").len(), 4);
    assert_eq!(
        vault.asked(),
        ["login.expired Side"],
        "one question for all"
    );
    // That one ends as well, and nobody has another.
    server.revoke_token(&new);
    let more = lanes(&account, 5).await;
    let refused: Vec<_> = more.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(refused.iter().all(|f| told(f) == "login.expired Side"));
    assert_eq!(vault.asked().len(), 1 + refused.len().min(1));
}

#[tokio::test]
async fn a_run_goes_on_with_a_changed_password() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let vault = Vault::of(vec![Credentials::password(&user.user, CHANGED)]);
    let first = Credentials::password(&user.user, user.password.clone());
    let account = ImapAccount::connect(options(server.instance().port(), first, &vault))
        .await
        .expect("login");
    let users = server.instance().path().join("users").join(&user.user);
    let line = std::fs::read_to_string(&users).expect("the user");
    std::fs::write(&users, line.replace(&user.password, CHANGED)).expect("changed");
    // Dovecot looks at the file once a second.
    let until = Instant::now() + Duration::from_secs(60);
    let nobody = Vault::of(Vec::new());
    let knows = || {
        let changed = Credentials::password(&user.user, CHANGED);
        ImapAccount::connect(options(server.instance().port(), changed, &nobody))
    };
    while let Err(fault) = knows().await {
        assert!(Instant::now() < until, "{fault}");
    }
    let open: Result<Vec<_>, _> = lanes(&account, 4).await.into_iter().collect();
    assert_eq!(open.expect("all with the new password").len(), 4);
    assert_eq!(vault.asked(), ["login.rejected Side"]);
}

#[tokio::test]
async fn the_very_first_login_is_never_renewed() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let user = server.create_account("taro").expect("account");
    let right = Credentials::password(&user.user, user.password.clone());
    let vault = Vault::of(vec![right]);
    let wrong = Credentials::password(&user.user, "wrong");
    let fault = ImapAccount::connect(options(server.instance().port(), wrong, &vault))
        .await
        .expect_err("refused");
    assert_eq!(told(&fault), "login.rejected Side");
    assert_eq!(vault.asked(), [""; 0]);
}
