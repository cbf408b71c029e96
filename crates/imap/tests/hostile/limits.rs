//! S3 and I9: whatever a server sends, it is cut off, and told as what it is.

use crate::host::{FEW_WORDS, Host, INBOX, Peer, letters, told};
use hikyaku_core::Side;
use hikyaku_core::traits::Source;
use hikyaku_imap::{ImapAccount, ImapOptions};

const OPEN: &str = "* 3 EXISTS\n* OK [UIDVALIDITY 7] ok\n* OK [UIDNEXT 9] ok\n";

/// Reads three messages while the server floods; what the reader gives.
async fn flooded<F>(flood: impl FnOnce(Peer) -> F) -> Vec<String>
where
    F: Future<Output = ()>,
{
    let host = Host::start("").await;
    let (_account, mut reader, mut peer) = host.reader(OPEN).await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "1:3"), async {
        peer.hears("UID FETCH").await;
        flood(peer).await;
    });
    read
}

/// Sends the same until the client goes away.
async fn endlessly(mut peer: Peer, start: &str, more: &[u8]) {
    peer.sends(start.as_bytes()).await;
    while peer.sends(more).await {}
}

const EXCESS: &str = "server.excess Side again";

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let read = flooded(|peer| endlessly(peer, "* OK ", &[b'x'; 64 << 10])).await;
    assert_eq!(read, [EXCESS]);
}

#[tokio::test]
async fn a_literal_beyond_all_numbers_is_cut() {
    for announced in ["4294967296", "99999999999999999999999999"] {
        let start = format!("* 1 FETCH (UID 1 FLAGS () BODY[] {{{announced}}}\r\n");
        let read = flooded(|peer| endlessly(peer, &start, &[b'x'; 64 << 10])).await;
        assert_eq!(read, [EXCESS], "{announced}");
    }
}

#[tokio::test]
async fn a_message_beyond_what_the_user_allows_is_cut() {
    let host = Host::start("").await;
    let options = ImapOptions {
        largest: 1_000_000,
        ..host.options(Side::Source)
    };
    let (account, mut peer) = tokio::join!(ImapAccount::connect(options), host.begin(INBOX));
    let account = account.expect("login");
    let inbox = crate::host::inbox(&account).await;
    let (reader, ()) = tokio::join!(account.open(&inbox), async {
        let tag = peer.hears("EXAMINE").await;
        peer.says(&format!("{OPEN}{tag} OK\n")).await;
    });
    let mut reader = reader.expect("opened");
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "1:3"), async {
        peer.hears("UID FETCH").await;
        let start = "* 1 FETCH (UID 1 FLAGS () BODY[] {1000001}\r\n";
        endlessly(peer, start, &[b'x'; 1 << 10]).await;
    });
    assert_eq!(read, [EXCESS]);
}

#[tokio::test]
async fn responses_without_end_to_one_command_are_cut() {
    let lines = "* OK still at it\r\n* 2 FETCH (FLAGS ())\r\n".repeat(2_000);
    let read = flooded(|peer| endlessly(peer, "", lines.as_bytes())).await;
    assert_eq!(read, [EXCESS]);
}

#[tokio::test]
async fn rows_that_never_become_messages_are_cut() {
    // Text without flags: it would have to be kept until they come.
    let text = "x".repeat(200_000);
    let mut number = 0;
    let read = flooded(|mut peer| async move {
        loop {
            number += 1;
            let row = format!("* {number} FETCH (UID 1 BODY[] {{200000}}\r\n{text})\r\n");
            if !peer.sends(row.as_bytes()).await {
                return;
            }
        }
    })
    .await;
    assert_eq!(read, [EXCESS]);
}

#[tokio::test]
async fn literals_without_end_in_one_response_are_cut() {
    let part = format!("BODY[1] {{300000}}\r\n{} ", "x".repeat(300_000));
    let read = flooded(|peer| endlessly(peer, "* 1 FETCH (UID 1 ", part.as_bytes())).await;
    assert_eq!(read, [EXCESS]);
}

/// Connects while the server answers LIST with so many rows.
async fn listed(rows: usize) -> Result<usize, String> {
    let host = Host::start("").await;
    let (account, ()) = tokio::join!(ImapAccount::connect(host.options(Side::Source)), async {
        let mut peer = host.let_in().await;
        let tag = peer.hears("LIST").await;
        let mut text = String::new();
        for number in 0..rows {
            text.push_str(&format!("* LIST () \"/\" \"box {number}\"\r\n"));
            if text.len() > 1 << 16 {
                peer.sends(text.as_bytes()).await;
                text.clear();
            }
        }
        text.push_str(&format!("{tag} OK all of them\r\n"));
        peer.sends(text.as_bytes()).await;
    });
    match account {
        Ok(account) => Ok(account.mailboxes().await.expect("listed").len()),
        Err(fault) => Err(told(&fault)),
    }
}

#[tokio::test]
async fn a_hundred_thousand_mailboxes_are_enough() {
    assert_eq!(listed(100_000).await, Ok(100_000));
    assert_eq!(listed(100_001).await, Err("server.excess Side".to_owned()));
    assert_eq!(listed(300_000).await, Err(EXCESS.to_owned()));
}

#[tokio::test]
async fn before_login_nobody_says_much() {
    let long = "x".repeat(70_000);
    for greeting in [
        format!("* OK {long}\r\n"),
        format!("* OK [CAPABILITY IMAP4rev1] hi {{70000}}\r\n* LIST () {{70000}}\r\n{long}"),
        format!(
            "* OK [CAPABILITY IMAP4rev1 {FEW_WORDS}] hi\r\n{}",
            "* OK x\r\n".repeat(300)
        ),
    ] {
        let host = Host::start("").await;
        let (account, ()) = tokio::join!(ImapAccount::connect(host.options(Side::Source)), async {
            let mut peer = host.accept().await;
            peer.sends(greeting.as_bytes()).await;
            peer.rest().await;
        });
        let fault = account.expect_err("cut");
        assert_eq!(told(&fault), EXCESS, "{fault}");
    }
}
