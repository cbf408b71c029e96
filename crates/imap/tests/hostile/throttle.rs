//! Fault model 6: servers that ask for a pause, in their own words.

use crate::host::{Host, Peer, letters};
use futures::StreamExt;
use hikyaku_core::{Fault, KeySet, Remedy};
use std::time::Duration;

const OPEN: &str = "* 1 EXISTS\n* OK [UIDVALIDITY 7] ok\n";

/// The fault of a reading that is answered like this.
async fn fault_of<F>(play: impl FnOnce(Peer, String) -> F) -> Fault
where
    F: Future<Output = ()>,
{
    let host = Host::start("").await;
    let (_account, mut reader, mut peer) = host.reader(OPEN).await;
    let keys = KeySet::range(1..=1);
    let facts = hikyaku_core::traits::Facts::default();
    // The list of facts is a command of its own whose refusal is told as it is.
    let mut flow = reader.list(&keys, facts);
    let (item, ()) = tokio::join!(flow.next(), async {
        let tag = peer.hears("UID FETCH").await;
        play(peer, tag).await;
    });
    item.expect("an item").expect_err("a fault")
}

fn pause(fault: &Fault) -> (String, Option<u64>) {
    match fault.remedy {
        Remedy::Retry { after } => (
            fault.code.to_string(),
            after.map(|after: Duration| after.as_millis() as u64),
        ),
        _ => panic!("{fault}"),
    }
}

#[tokio::test]
async fn a_goodbye_with_a_reason_is_told_as_that() {
    for (words, code, after) in [
        (
            "Request is throttled. Suggested Backoff Time: 299910 milliseconds",
            "server.busy",
            Some(299_910),
        ),
        ("[THROTTLED] slow down", "server.busy", None),
        (
            "[UNAVAILABLE] try again in 2 minutes",
            "server.busy",
            Some(120_000),
        ),
        (
            "Account exceeded command or bandwidth limits.",
            "server.budget",
            None,
        ),
        (
            "Too many simultaneous connections",
            "server.connections",
            None,
        ),
        ("Connection closed. 14", "link.lost", None),
    ] {
        let fault = fault_of(|mut peer, _| async move {
            peer.says(&format!("* BYE {words}\n")).await;
        })
        .await;
        assert_eq!(pause(&fault), (code.to_owned(), after), "{words}");
        let said = fault.said.expect("the server's words");
        assert_eq!(said.status, "BYE");
    }
}

#[tokio::test]
async fn a_throttled_command_is_a_pause_of_the_side_and_no_broken_message() {
    for (answer, expected) in [
        (
            "NO Request is throttled. Suggested Backoff Time: 5000 milliseconds",
            "server.busy Side again",
        ),
        (
            "BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds",
            "server.busy Side again",
        ),
        (
            "NO [LIMIT] UID FETCH Rate limit hit.",
            "server.busy Side again",
        ),
        ("NO Server Unavailable. 15", "server.busy Side again"),
        (
            "NO [OVERQUOTA] Account exceeded command or bandwidth limits.",
            "server.budget Side again",
        ),
        (
            "BAD User is authenticated but not connected.",
            "server.busy Side again",
        ),
    ] {
        let host = Host::start("").await;
        let (_account, mut reader, mut peer) = host.reader(OPEN).await;
        let (read, ()) = tokio::join!(letters(reader.as_mut(), "1"), async {
            let tag = peer.hears("UID FETCH 1 ").await;
            peer.says(&format!("{tag} {answer}\n")).await;
        });
        assert_eq!(read, [expected], "{answer}");
    }
}
