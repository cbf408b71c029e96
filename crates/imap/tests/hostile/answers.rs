//! Fault model 1, 2, 3, S4: answers at the wrong time, to the wrong command, and what may
//! be said of an append then.

use crate::common::{Door, append, letter};
use crate::host::{Host, Peer, inbox, told};
use hikyaku_core::traits::{Appended, Source};
use hikyaku_core::{Code, Side};

const OPEN: &str = "* 0 EXISTS\n* OK [UIDVALIDITY 7] ok\n* OK [UIDNEXT 1] ok\n";

/// What was said of an append of one message.
fn said(appended: &Appended) -> String {
    match appended {
        Appended::Stored { .. } => "stored".to_owned(),
        Appended::Refused(fault) => format!("refused {}", told(fault)),
        Appended::Unknown(fault) => format!("unknown {}", told(fault)),
    }
}

/// Appends one message of so many octets while the server plays its part.
async fn appending<F>(capabilities: &str, octets: usize, play: impl FnOnce(Peer) -> F) -> String
where
    F: Future<Output = Peer>,
{
    let host = Host::start(capabilities).await;
    let (account, mut writer, peer) = host.writer(OPEN).await;
    let message = letter(1, "\\Seen", 1_000_000_000, vec![b'x'; octets]);
    let (appended, peer) = tokio::join!(append(writer.as_mut(), vec![message]), play(peer));
    // Whatever was said, the server may be out of step: nothing is asked on it any more.
    drop(writer);
    let inbox = inbox(&account);
    let again = async { account.open(&inbox.await).await.map(drop) };
    let (reopened, ()) = tokio::join!(again, async {
        let mut fresh = host.let_in().await;
        let tag = fresh.hears("LIST").await;
        fresh
            .says(&format!("* LIST () \"/\" INBOX\n{tag} OK\n"))
            .await;
        let tag = fresh.hears("EXAMINE").await;
        fresh.says(&format!("{OPEN}{tag} OK\n")).await;
    });
    reopened.expect("on a new connection");
    assert_eq!(peer.rest().await, "", "nothing more is sent on the old one");
    said(&appended)
}

#[tokio::test]
async fn ok_before_the_literal_was_let_in_is_no_success() {
    let said = appending("", 5, |mut peer| async move {
        let tag = peer.hears("APPEND \"INBOX\"").await;
        peer.says(&format!("{tag} OK [APPENDUID 7 1] stored\n"))
            .await;
        peer
    })
    .await;
    assert_eq!(said, "refused 1 server.protocol Side again");
}

#[tokio::test]
async fn ok_in_the_middle_of_a_message_is_no_success() {
    const MUCH: usize = 64 << 20;
    // What was under way when the answer came still arrives; the end of it does not.
    let host = Host::start("LITERAL+").await;
    let (_account, mut writer, mut peer) = host.writer(OPEN).await;
    let message = letter(1, "\\Seen", 1_000_000_000, vec![b'x'; MUCH]);
    let (appended, came) = tokio::join!(append(writer.as_mut(), vec![message]), async {
        let tag = peer.hears("APPEND \"INBOX\"").await;
        let first = peer.takes(1000).await.len();
        peer.says(&format!("{tag} OK [APPENDUID 7 1] stored\n"))
            .await;
        first + peer.rest().await.len()
    });
    assert_eq!(said(&appended), "refused 1 link.lost Side again");
    assert!(came < MUCH, "{came} octets");
}

#[tokio::test]
async fn bad_with_a_message_under_way_ends_the_connection() {
    let said = appending("LITERAL+", 5, |mut peer| async move {
        let tag = peer.hears("APPEND \"INBOX\"").await;
        assert_eq!(peer.takes(7).await, b"xxxxx\r\n");
        peer.says(&format!("{tag} BAD what is this\n")).await;
        peer
    })
    .await;
    assert_eq!(said, "refused 1 message.refused Message");
}

#[tokio::test]
async fn exchange_throttles_with_bad_and_says_when_to_come_back() {
    let said = appending("LITERAL+", 5, |mut peer| async move {
        let tag = peer.hears("APPEND \"INBOX\"").await;
        peer.takes(7).await;
        peer.says(&format!(
            "{tag} BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds\n* BYE Connection closed. 14\n"
        ))
        .await;
        peer
    })
    .await;
    assert_eq!(said, "refused 1 server.busy Side again");
}

#[tokio::test]
async fn an_untagged_bad_with_a_message_under_way_ends_the_connection() {
    let said = appending("LITERAL+", 5, |mut peer| async move {
        peer.hears("APPEND \"INBOX\"").await;
        peer.takes(7).await;
        peer.says("* BAD syntax error in what you call a command\n")
            .await;
        peer
    })
    .await;
    assert_eq!(said, "unknown 1 server.protocol Side again");
}

#[tokio::test]
async fn a_tag_of_nobody_ends_the_connection() {
    for tag in ["h99", "a1", "h0", "H5"] {
        let said = appending("LITERAL+", 5, |mut peer| async move {
            peer.hears("APPEND \"INBOX\"").await;
            peer.takes(7).await;
            peer.says(&format!("{tag} OK [APPENDUID 7 1] stored\n"))
                .await;
            peer
        })
        .await;
        assert_eq!(said, "unknown 1 server.protocol Side again", "{tag}");
    }
}

#[tokio::test]
async fn a_continuation_that_nobody_waits_for_ends_the_connection() {
    let said = appending("LITERAL+", 5, |mut peer| async move {
        peer.hears("APPEND \"INBOX\"").await;
        peer.takes(7).await;
        peer.says("+ more please\n").await;
        peer
    })
    .await;
    assert_eq!(said, "unknown 1 server.protocol Side again");
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_the_append_unknown() {
    let host = Host::start("LITERAL+").await;
    let (_account, mut writer, mut peer) = host.writer(OPEN).await;
    let message = letter(1, "", 1_000_000_000, "text");
    let (appended, ()) = tokio::join!(append(writer.as_mut(), vec![message]), async {
        peer.hears("APPEND").await;
        peer.takes(6).await;
        drop(peer);
    });
    assert_eq!(said(&appended), "unknown 1 link.lost Side again");
}

#[tokio::test]
async fn one_refused_message_is_the_fault_of_that_message() {
    let host = Host::start("LITERAL+").await;
    let (_account, mut writer, mut peer) = host.writer(OPEN).await;
    for (answer, expected) in [
        (
            "NO Message contains NUL characters",
            "refused 1 message.refused Message",
        ),
        ("NO [TOOBIG] no", "refused 1 message.too_large Message"),
        (
            "NO [OVERQUOTA] Quota exceeded",
            "refused 1 quota.exceeded Side",
        ),
        (
            "NO [TRYCREATE] gone",
            "refused 1 mailbox.missing Mailbox again",
        ),
        ("NO [NOPERM] ACL", "refused 1 mailbox.read_only Mailbox"),
        ("NO [INUSE] try", "refused 1 server.busy Side again"),
        ("OK stored", "stored"),
    ] {
        let message = letter(1, "", 1_000_000_000, "text");
        let (appended, ()) = tokio::join!(append(writer.as_mut(), vec![message]), async {
            let tag = peer.hears("APPEND").await;
            peer.takes(6).await;
            peer.says(&format!("{tag} {answer}\n")).await;
        });
        assert_eq!(said(&appended), expected, "{answer}");
    }
}

#[tokio::test]
async fn an_answer_to_nothing_ends_an_idle_connection() {
    let host = Host::start("").await;
    let (account, mut peer) = host.account(Side::Source, crate::host::INBOX).await;
    let inbox = inbox(&account).await;
    peer.says("h77 OK I thought you said something\n").await;
    let opened = async { account.open(&inbox).await.map(drop) };
    // It may have gone out on the old connection first; then it is asked again.
    let (opened, ()) = tokio::join!(opened, async {
        let mut fresh = host.let_in().await;
        let tag = fresh.hears("EXAMINE").await;
        fresh.says(&format!("{OPEN}{tag} OK\n")).await;
    });
    opened.expect("on a new connection");
}

#[tokio::test]
async fn a_shut_gate_is_no_refusal_of_the_server() {
    let host = Host::start("LITERAL+").await;
    let (_account, mut writer, peer) = host.writer(OPEN).await;
    let message = letter(1, "", 1_000_000_000, "text");
    let pending = writer.append(vec![message], Door::open_for(0)).await;
    match pending.expect("queued").await {
        Appended::Refused(fault) => assert_eq!(fault.code, Code::Interrupted),
        other => panic!("{other:?}"),
    }
    drop((writer, _account));
    assert_eq!(peer.rest().await, "", "nothing was sent");
}
