//! Fault model 7: servers that let in fewer connections than wanted.

use crate::host::{Host, INBOX, Peer, told};
use hikyaku_core::Side;
use hikyaku_core::traits::{Reader, Source};
use hikyaku_imap::{ImapAccount, ImapOptions};

const TOO_MANY: &str = "NO [LIMIT] Too many simultaneous connections";

async fn open(account: &ImapAccount, peer: &mut Peer) -> Box<dyn Reader> {
    let inbox = inbox_info();
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        let tag = peer.hears("EXAMINE").await;
        peer.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
    });
    opened.expect("opened")
}

fn inbox_info() -> hikyaku_core::MailboxInfo {
    hikyaku_core::MailboxInfo {
        name: crate::common::name("INBOX"),
        wire: hikyaku_core::WireName::new("INBOX"),
        role: None,
        selectable: true,
        subscribed: true,
        no_children: false,
        state: None,
    }
}

/// Wants another connection, is refused it, and goes on with the first.
async fn refused_and_served(
    host: &Host,
    account: &ImapAccount,
    first: (Box<dyn Reader>, &mut Peer),
    answer: &str,
) -> Box<dyn Reader> {
    let inbox = inbox_info();
    let (reader, peer) = first;
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        let (mut second, tag) = host.greet().await;
        // The one that works becomes free, so that it is there when the other is refused.
        drop(reader);
        if answer.is_empty() {
            drop(second);
        } else {
            second.says(&format!("{tag} {answer}\n")).await;
            second.rest().await;
        }
        let tag = peer.hears("EXAMINE").await;
        peer.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
    });
    opened.expect("opened on the first connection")
}

#[tokio::test]
async fn one_connection_too_many_is_done_without() {
    for answer in [TOO_MANY, "NO [ALERT] Too many connections", ""] {
        let host = Host::start("").await;
        let options = ImapOptions {
            lanes: 2,
            ..host.options(Side::Source)
        };
        let (account, peer) = tokio::join!(ImapAccount::connect(options), host.begin(INBOX));
        let (account, mut peer) = (account.expect("login"), peer);
        assert_eq!(account.connections(), None, "nobody was refused yet");
        let reader = open(&account, &mut peer).await;
        let first = (reader, &mut peer);
        let reader = refused_and_served(&host, &account, first, answer).await;
        // A refusal tells how many there may be; a lost link may have another cause.
        if answer.is_empty() {
            assert_eq!(account.connections(), Some(2));
            let first = (reader, &mut peer);
            drop(refused_and_served(&host, &account, first, answer).await);
        }
        assert_eq!(account.connections(), Some(1), "{answer}");
        assert!(host.is_alone());
    }
}

#[tokio::test]
async fn a_remembered_figure_is_begun_with() {
    let host = Host::start("").await;
    let options = ImapOptions {
        let_in: Some(1),
        ..host.options(Side::Source)
    };
    let (account, mut peer) = tokio::join!(ImapAccount::connect(options), host.begin(INBOX));
    let account = account.expect("login");
    assert_eq!(account.connections(), Some(1));
    let reader = open(&account, &mut peer).await;
    let inbox = inbox_info();
    let (opened, ()) = tokio::join!(account.open(&inbox), async {
        tokio::task::yield_now().await;
        drop(reader);
        let tag = peer.hears("EXAMINE").await;
        peer.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
    });
    assert_eq!(opened.expect("opened").state().messages, 0);
    assert!(host.is_alone(), "no second connection was tried");
}

#[tokio::test]
async fn with_none_working_it_is_said_and_can_be_tried_again() {
    let host = Host::start("").await;
    let (account, ()) = tokio::join!(ImapAccount::connect(host.options(Side::Source)), async {
        let (mut peer, tag) = host.greet().await;
        peer.says(&format!("{tag} {TOO_MANY}\n")).await;
        peer.rest().await;
    });
    let fault = account.expect_err("refused");
    assert_eq!(told(&fault), "server.connections Side again");
}
