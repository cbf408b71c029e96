//! Fault model 23, S5: whatever a mailbox is called, it is asked for in the server's own
//! octets or not at all, and never mistaken for another.

use crate::host::{Host, Peer, told};
use hikyaku_core::Side;
use hikyaku_core::traits::Source;
use std::collections::BTreeSet;

/// A LIST row with a name in any octets.
fn literal_row(name: &[u8]) -> Vec<u8> {
    let mut row = format!("* LIST () \"/\" {{{}}}\r\n", name.len()).into_bytes();
    row.extend_from_slice(name);
    row.extend_from_slice(b"\r\n");
    row
}

/// Takes the name of a command, quoted or as a literal, in its own octets.
async fn name_of(peer: &mut Peer, command: &str) -> (String, Vec<u8>) {
    let line = peer.line().await;
    let (tag, rest) = line.split_once(' ').expect("a tag");
    let name = rest.strip_prefix(command).expect("the command").trim();
    if let Some(octets) = name.strip_prefix('{').and_then(|n| n.strip_suffix('}')) {
        peer.says("+ go on\n").await;
        let octets = peer.takes(octets.parse().expect("a number")).await;
        assert_eq!(peer.line().await, "", "the end of the command");
        return (tag.to_owned(), octets);
    }
    let inner = name
        .trim_matches('"')
        .replace("\\\"", "\"")
        .replace("\\\\", "\\");
    (tag.to_owned(), inner.into_bytes())
}

#[tokio::test]
async fn every_mailbox_is_opened_by_exactly_the_octets_it_was_listed_with() {
    let names: [&[u8]; 14] = [
        b"two\r\nh9 OK lines",
        b"../../etc/passwd",
        b"..",
        b"/",
        b"a//b",
        b"\x1b[2J\x1b]0;owned\x07",
        b"&ZZ",
        b"&AGE-",
        b"&2D3cAA-&2D3cAA",
        b"\xff\xfe raw",
        b"CON",
        b"inbox2 \"quoted\" \\",
        "請求書".as_bytes(),
        b"{5}",
    ];
    let host = Host::start("").await;
    let rows: Vec<u8> = names.iter().flat_map(|name| literal_row(name)).collect();
    let (account, mut peer) = tokio::join!(
        hikyaku_imap::ImapAccount::connect(host.options(Side::Source)),
        async {
            let mut peer = host.let_in().await;
            let tag = peer.hears("LIST").await;
            peer.sends(&rows).await;
            peer.says(&format!("{tag} OK\n")).await;
            peer
        }
    );
    let account = account.expect("login");
    let found = account.mailboxes().await.expect("mailboxes");
    let wires: BTreeSet<&[u8]> = found.iter().map(|m| m.wire.as_bytes()).collect();
    assert_eq!(wires, names.into_iter().collect::<BTreeSet<_>>());
    for mailbox in &found {
        let (opened, octets) = tokio::join!(account.open(mailbox), async {
            let (tag, octets) = name_of(&mut peer, "EXAMINE").await;
            peer.says(&format!("* 0 EXISTS\n{tag} OK\n")).await;
            octets
        });
        opened.expect("opened");
        assert_eq!(octets, mailbox.wire.as_bytes());
    }
}

#[tokio::test]
async fn a_name_that_no_command_can_carry_is_refused_by_name_and_nothing_is_sent() {
    let host = Host::start("").await;
    let (account, peer) = tokio::join!(
        hikyaku_imap::ImapAccount::connect(host.options(Side::Source)),
        async {
            let mut peer = host.let_in().await;
            let tag = peer.hears("LIST").await;
            peer.sends(&literal_row(b"nul\0inside")).await;
            peer.says(&format!("{tag} OK\n")).await;
            peer
        }
    );
    let account = account.expect("login");
    let found = account.mailboxes().await.expect("mailboxes");
    assert_eq!(found.len(), 1);
    let fault = account
        .open(&found[0])
        .await
        .map(drop)
        .expect_err("refused");
    assert!(fault.detail.contains("cannot be written"), "{fault}");
    assert!(fault.at.mailbox.is_some());
    drop(account);
    assert_eq!(peer.rest().await, "");
}

#[tokio::test]
async fn listed_twice_is_one_and_other_case_is_another() {
    let host = Host::start("").await;
    let rows = "* LIST () \"/\" INBOX\n* LIST () \"/\" inbox\n* LIST () \"/\" Sent\n\
                * LIST (\\Noselect) \"/\" Sent\n* LIST () \"/\" sent\n* LIST () \"/\" InBox\n";
    let (account, _peer) = host.account(Side::Source, rows).await;
    let found = account.mailboxes().await.expect("mailboxes");
    let found: Vec<(String, &[u8], bool)> = found
        .iter()
        .map(|m| (m.name.to_string(), m.wire.as_bytes(), m.selectable))
        .collect();
    let expected: [(String, &[u8], bool); 3] = [
        ("INBOX".into(), b"INBOX", true),
        ("Sent".into(), b"Sent", true),
        ("sent".into(), b"sent", true),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_referral_leads_nowhere() {
    let host = Host::start("").await;
    let rows = "* LIST (\\Remote) \"/\" far\n* LIST () \"/\" near\n";
    let (account, mut peer) = host.account(Side::Source, rows).await;
    let found = account.mailboxes().await.expect("mailboxes");
    let (opened, ()) = tokio::join!(account.open(&found[0]), async {
        let tag = peer.hears("EXAMINE \"far\"").await;
        peer.says(&format!(
            "{tag} NO [REFERRAL imap://evil.example/far] over there\n"
        ))
        .await;
    });
    let fault = opened.map(drop).expect_err("refused");
    assert_eq!(told(&fault), "mailbox.unreadable Mailbox");
    assert_eq!(fault.at.mailbox.as_deref(), Some("far"));
    assert!(host.is_alone(), "nobody went anywhere");
}
