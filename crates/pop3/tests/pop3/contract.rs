//! The contract of all sources, held by POP3 at real servers.

use crate::accounts::{Client, connect, fill, look, options};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::mailbox::Quota;
use hikyaku_core::traits::{Ask, Reader, Source};
use hikyaku_core::{Abilities, Code, Fault, MailboxInfo, Remedy};
use hikyaku_net::Security;
use hikyaku_pop3::{Pop3Account, Pop3Options};
use hikyaku_testkit::contract::{Held, Message, source_without_flags};
use hikyaku_testkit::servers::{self, Account, Kind, MailServer};

/// An account whose every reader is a program of its own. Courier asks one program to leave ten
/// seconds between two logins, and keeps nobody to it; `a_second_login_waits_as_long_as_the_server_said`
/// shows that ours does.
struct Programs {
    first: Pop3Account,
    options: Pop3Options,
}

impl Source for Programs {
    fn abilities(&self) -> &Abilities {
        self.first.abilities()
    }

    fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
        self.first.mailboxes()
    }

    fn open<'a>(&'a self, mailbox: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
        async move {
            match self.first.open(mailbox).await {
                Err(Fault {
                    code: Code::ServerBusy,
                    remedy: Remedy::Retry { after: Some(_) },
                    ..
                }) => {
                    let other = Pop3Account::connect(self.options.clone()).await?;
                    other.open(mailbox).await
                }
                opened => opened,
            }
        }
        .boxed()
    }

    fn quota(&self) -> Ask<'_, Option<Quota>> {
        self.first.quota()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.first.close()
    }
}

/// Wed, 17 Jul 1996 02:44:25 -0700.
const ARRIVED: i64 = 837_596_665;

/// Ordinary, odd and long ones, and twins.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let long = format!("{}\r\n", "x".repeat(76)).repeat(130_000);
    let mut bodies = vec![
        String::new(),
        ".\r\n..\r\n.x\r\n\r\n.\r\n".to_owned(),
        "+OK\r\n.\r\n-ERR\r\n".to_owned(),
        "日本語の本文\r\n".to_owned(),
        long,
        "twin\r\n".to_owned(),
        "twin\r\n".to_owned(),
    ];
    bodies.extend((0..200).map(|n| "line\r\n".repeat(n)));
    let numbered = bodies.iter().enumerate();
    numbered
        .map(|(n, body)| {
            let n = if body == "twin\r\n" { 0 } else { n };
            let head = format!("Message-ID: <{n}@example.jp>\r\nSubject: {n}\r\n");
            let date = "Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n";
            ("", format!("{head}{date}\r\n{body}").into_bytes())
        })
        .collect()
}

/// What another client is given, in the server's order.
fn told(server: &dyn MailServer, account: &Account) -> Vec<Vec<u8>> {
    let mut client = Client::log_in(server, account);
    let count = messages().len();
    let all = (1..=count).map(|number| {
        assert!(
            client
                .says(&format!("TOP {number} 99999999"))
                .starts_with("+OK")
        );
        let lines = client.lines().into_iter();
        let text: String = lines
            .map(|line| format!("{}\r\n", line.strip_prefix('.').unwrap_or(&line)))
            .collect();
        text.into_bytes()
    });
    let all = all.collect();
    assert!(client.says("QUIT").starts_with("+OK"));
    all
}

fn sorted(mut all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    all.sort();
    all
}

async fn holds_at(kind: Kind) {
    let server = servers::start(kind).expect("server");
    let user = server.create_account("taro").expect("account");
    fill(server.as_ref(), &user, &messages());
    let before = look(server.as_ref(), &user);
    let told = told(server.as_ref(), &user);
    let sent = messages().into_iter().map(|(_, octets)| octets).collect();
    assert!(sorted(told.clone()) == sorted(sent), "{kind:?}");
    let message = |octets| Message::new("\\Seen", ARRIVED, octets);
    let held = Held::new("INBOX", told.into_iter().map(message).collect());
    let account = Programs {
        first: connect(server.as_ref(), &user).await,
        options: options(server.as_ref(), &user, Security::Plain),
    };
    source_without_flags(&account, &[held]).await;
    account.close().await;
    assert!(before == look(server.as_ref(), &user), "{kind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_on_dovecot_keeps_the_contract() {
    holds_at(Kind::Dovecot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_on_cyrus_keeps_the_contract() {
    holds_at(Kind::Cyrus).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_on_courier_keeps_the_contract() {
    holds_at(Kind::Courier).await;
}
