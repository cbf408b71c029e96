//! Fault model 14 and I5: what a server says of its messages is compared with what it
//! said before, and no contradiction becomes a success.

use crate::host::{Host, Peer, letters, told};
use futures::StreamExt;
use hikyaku_core::traits::{Facts, Reader};
use hikyaku_core::{KeySet, Listing};

const DATE: &str = "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"";

fn told_of(messages: u32) -> String {
    format!("* {messages} EXISTS\n* OK [UIDVALIDITY 7] ok\n* OK [UIDNEXT 9] ok\n")
}

fn row(number: u32, uid: u32, text: &str) -> String {
    let octets = text.len();
    format!("* {number} FETCH (UID {uid} FLAGS () {DATE} BODY[] {{{octets}}}\n{text})\n")
}

/// The keys of a mailbox of so many messages, by a server that answers like this.
async fn keys<F>(messages: u32, play: impl FnOnce(Peer) -> F) -> Result<String, String>
where
    F: Future<Output = Peer>,
{
    let host = Host::start("ESEARCH").await;
    let (account, mut peer) = host
        .account(hikyaku_core::Side::Source, crate::host::INBOX)
        .await;
    let inbox = crate::host::inbox(&account).await;
    let told_of = told_of(messages);
    let (reader, ()) = tokio::join!(
        hikyaku_core::traits::Source::open(&account, &inbox),
        async {
            let tag = peer.hears("EXAMINE \"INBOX\"").await;
            peer.says(&format!("{told_of}{tag} OK [READ-ONLY] open\n"))
                .await;
        }
    );
    let mut reader = reader.expect("opened");
    let (keys, _peer) = tokio::join!(reader.keys(), play(peer));
    keys.map(|keys| keys.to_string())
        .map_err(|fault| told(&fault))
}

async fn search(peer: &mut Peer, found: &str) {
    let tag = peer.hears("UID SEARCH RETURN (ALL) ALL").await;
    let found = match found {
        "" => String::new(),
        found => format!(" ALL {found}"),
    };
    peer.says(&format!("* ESEARCH (TAG \"{tag}\") UID{found}\n{tag} OK\n"))
        .await;
}

async fn rows(peer: &mut Peer, uids: &[u32]) {
    let tag = peer.hears("UID FETCH 1:* (UID)").await;
    let rows: String = (1..)
        .zip(uids)
        .map(|(number, uid)| format!("* {number} FETCH (UID {uid})\n"))
        .collect();
    peer.says(&format!("{rows}{tag} OK\n")).await;
}

async fn noop(peer: &mut Peer, news: &str) {
    let tag = peer.hears("NOOP").await;
    peer.says(&format!("{news}{tag} OK\n")).await;
}

#[tokio::test]
async fn fewer_messages_than_exist_are_no_list_of_them() {
    let listed = keys(4, |mut peer| async move {
        search(&mut peer, "2,5:6").await;
        rows(&mut peer, &[2, 5, 6]).await;
        noop(&mut peer, "").await;
        search(&mut peer, "2,5:6").await;
        rows(&mut peer, &[2, 5, 6]).await;
        peer
    })
    .await;
    assert_eq!(listed, Err("mailbox.listing Mailbox again".to_owned()));
}

#[tokio::test]
async fn what_came_or_went_in_between_is_no_contradiction() {
    let listed = keys(4, |mut peer| async move {
        search(&mut peer, "2,5:6").await;
        rows(&mut peer, &[2, 5, 6]).await;
        noop(&mut peer, "* 2 EXPUNGE\n").await;
        search(&mut peer, "2,5:6").await;
        peer
    })
    .await;
    assert_eq!(listed, Ok("2,5:6".to_owned()));
    let listed = keys(3, |mut peer| async move {
        search(&mut peer, "2,5:6,8").await;
        rows(&mut peer, &[2, 5, 6, 8]).await;
        noop(&mut peer, "* 4 EXISTS\n").await;
        search(&mut peer, "2,5:6,8").await;
        peer
    })
    .await;
    assert_eq!(listed, Ok("2,5:6,8".to_owned()));
}

#[tokio::test]
async fn the_same_twice_and_in_any_order_is_counted_once() {
    let listed = keys(3, |mut peer| async move {
        search(&mut peer, "6,5,2,5:6,2").await;
        peer
    })
    .await;
    assert_eq!(listed, Ok("2,5:6".to_owned()));
    // Two rows of one UID are one message, and another is missing.
    let listed = keys(3, |mut peer| async move {
        search(&mut peer, "2,5,5").await;
        rows(&mut peer, &[5, 5, 2]).await;
        noop(&mut peer, "").await;
        search(&mut peer, "2,5,5").await;
        rows(&mut peer, &[5, 5, 2]).await;
        peer
    })
    .await;
    assert_eq!(listed, Err("mailbox.listing Mailbox again".to_owned()));
}

#[tokio::test]
async fn zero_and_numbers_beyond_all_are_no_keys() {
    for found in ["0,2,5", "2,5,4294967296", "2,5,*", "1:99999999999"] {
        let listed = keys(2, |mut peer| async move {
            search(&mut peer, found).await;
            rows(&mut peer, &[2, 5]).await;
            peer
        })
        .await;
        assert_eq!(listed, Ok("2,5".to_owned()), "{found}");
    }
}

#[tokio::test]
async fn a_mailbox_said_to_be_empty_is_not_believed_against_its_own_list() {
    let listed = keys(0, |mut peer| async move {
        search(&mut peer, "2,5").await;
        rows(&mut peer, &[2, 5]).await;
        noop(&mut peer, "").await;
        search(&mut peer, "2,5").await;
        rows(&mut peer, &[2, 5]).await;
        peer
    })
    .await;
    assert_eq!(listed, Err("mailbox.listing Mailbox again".to_owned()));
    let listed = keys(0, |mut peer| async move {
        search(&mut peer, "").await;
        peer
    })
    .await;
    assert_eq!(listed, Ok(String::new()));
}

/// Reads messages 2 and 5 while the server answers like this; and whether the
/// connection is of use afterwards.
async fn reading(answer: &str) -> Vec<String> {
    let host = Host::start("").await;
    let (_account, mut reader, mut peer) = host.reader(&told_of(3)).await;
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2,5"), async {
        let tag = peer.hears("UID FETCH 2,5 ").await;
        peer.says(&format!("{answer}{tag} OK\n")).await;
        drop(peer);
    });
    read
}

#[tokio::test]
async fn a_message_that_nobody_asked_for_is_nobodys() {
    let large = "y".repeat(300_000);
    for odd in [row(2, 4, "odd"), row(2, 4, &large)] {
        let read = reading(&format!("{}{odd}{}", row(1, 2, "a"), row(3, 5, "b"))).await;
        assert_eq!(read, ["2 a", "5 b"]);
    }
}

#[tokio::test]
async fn the_same_message_twice_is_one() {
    let (first, other) = (row(1, 2, "a"), row(1, 2, "another"));
    let read = reading(&format!("{first}{other}{}", row(3, 5, "b"))).await;
    assert_eq!(read, ["2 a", "5 b"]);
}

#[tokio::test]
async fn a_message_without_its_uid_is_no_message() {
    let bare = format!("* 2 FETCH (FLAGS () {DATE} BODY[] {{3}}\nodd)\n");
    let read = reading(&format!("{}{bare}", row(1, 2, "a"))).await;
    assert_eq!(read, ["2 a"], "the other is looked up by the engine");
}

/// A row of message 2 that announces another length than its text has.
fn lie(text: &str, announced: usize) -> String {
    format!("* 1 FETCH (UID 2 FLAGS () {DATE} BODY[] {{{announced}}}\n{text})\n")
}

#[tokio::test]
async fn a_text_shorter_or_longer_than_announced_is_never_handed_out() {
    let text = "Subject: a\r\n\r\nfirst (and last)\r\n";
    let honest = reading(&lie(&text.replace("\r\n", "\n"), text.len())).await;
    assert_eq!(honest.len(), 1, "{honest:?}");
    assert!(honest[0].starts_with("2 Subject"));
    for announced in (0..text.len()).chain(text.len() + 1..text.len() + 12) {
        let answer = lie(&text.replace("\r\n", "\n"), announced) + &row(3, 5, "b");
        let read = reading(&answer).await;
        assert!(
            !read
                .iter()
                .any(|line| line.starts_with("2 Subject") || *line == "2 "),
            "{announced} of {}: {read:?}",
            text.len()
        );
        let last = read.last().expect("something");
        assert!(
            last.contains("again") || last == "5 b",
            "{announced}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_text_that_swallows_a_part_of_the_next_row_is_never_handed_out() {
    let text = "Subject: a\r\n\r\nfirst (and last)\r\n";
    let next = row(3, 5, "b");
    // Up to the last octet of what follows: everything else the next row can lose.
    let most = next.replace('\n', "\r\n").len();
    for more in 1..most {
        let answer = lie(&text.replace("\r\n", "\n"), text.len() + more) + &next;
        let read = reading(&answer).await;
        assert_eq!(read, ["server.protocol Side again"], "{more}");
    }
}

#[tokio::test]
async fn a_large_text_that_swallows_a_part_of_the_next_row_is_never_complete() {
    let text = "0123456789abcde\n".repeat(20_000);
    let octets = 17 * 20_000;
    for more in [1, 3, 14, 20, 21, 26, 27, 28] {
        let read = reading(&(lie(&text, octets + more) + &row(3, 5, "b"))).await;
        // The message, and then the connection.
        assert_eq!(
            read,
            [
                "2 2 server.protocol Side again",
                "server.protocol Side again"
            ],
            "{more}"
        );
    }
}

#[tokio::test]
async fn a_large_text_shorter_or_longer_than_announced_is_never_complete() {
    let text = "0123456789abcde\n".repeat(20_000);
    let octets = 17 * 20_000;
    for announced in [
        octets - 17,
        octets - 16,
        octets - 3,
        octets - 1,
        octets + 1,
        octets + 4,
    ] {
        let answer = lie(&text, announced) + &row(3, 5, "b");
        let read = reading(&answer).await;
        let first = read.first().expect("something");
        assert!(first.contains("again"), "{announced}: {first:.60}");
    }
}

#[tokio::test]
async fn the_announced_size_of_a_message_decides_nothing() {
    let host = Host::start("").await;
    let (_account, mut reader, mut peer) = host.reader(&told_of(1)).await;
    let facts = Facts {
        octets: true,
        ..Facts::default()
    };
    let listed = list(reader.as_mut(), facts, async {
        let tag = peer.hears("UID FETCH 2,5 (UID RFC822.SIZE)").await;
        peer.says(&format!(
            "* 1 FETCH (UID 2 RFC822.SIZE 999)\n* 1 FETCH (UID 7 RFC822.SIZE 1)\n{tag} OK\n"
        ))
        .await;
        noop(&mut peer, "").await;
        let tag = peer.hears("UID SEARCH UID 5").await;
        peer.says(&format!("* SEARCH\n{tag} OK\n")).await;
    })
    .await;
    let listed: Vec<_> = listed.iter().map(|l| (l.key.0, l.octets)).collect();
    assert_eq!(listed, [(2, Some(999))], "and 7 was not asked for");
    let (read, ()) = tokio::join!(letters(reader.as_mut(), "2"), async {
        let tag = peer.hears("UID FETCH 2 ").await;
        peer.says(&format!("{}{tag} OK\n", row(1, 2, "short")))
            .await;
    });
    assert_eq!(read, ["2 short"]);
}

#[tokio::test]
async fn what_is_left_out_of_every_answer_and_still_found_is_not_gone() {
    for (found, expected) in [
        (
            "* SEARCH 5 77\n",
            vec!["2", "5 message.unreadable Message again"],
        ),
        ("* SEARCH\n", vec!["2"]),
    ] {
        let host = Host::start("").await;
        let (_account, mut reader, mut peer) = host.reader(&told_of(3)).await;
        let keys = KeySet::parse("2,5").expect("a set");
        let flow = reader.list(&keys, Facts::default()).collect::<Vec<_>>();
        let (listed, ()) = tokio::join!(flow, async {
            let tag = peer.hears("UID FETCH 2,5 ").await;
            peer.says(&format!("* 1 FETCH (UID 2)\n{tag} OK\n")).await;
            noop(&mut peer, "").await;
            let tag = peer.hears("UID SEARCH UID 5").await;
            peer.says(&format!("{found}{tag} OK\n")).await;
        });
        let listed: Vec<String> = listed
            .into_iter()
            .map(|item| match item {
                Ok(listing) => listing.key.to_string(),
                Err(fault) => told(&fault),
            })
            .collect();
        assert_eq!(listed, expected);
    }
}

async fn list(
    reader: &mut dyn Reader,
    facts: Facts,
    play: impl Future<Output = ()>,
) -> Vec<Listing> {
    let keys = KeySet::parse("2,5").expect("a set");
    let (listed, ()) = tokio::join!(reader.list(&keys, facts).collect::<Vec<_>>(), play);
    listed.into_iter().map(|l| l.expect("a listing")).collect()
}
