mod access;
mod slow;

use super::*;
use crate::encode::{
    Append, AppendMessage, BodyPart, Fetch, FetchItem, LiteralMode, UidSet, WireFlags,
};
use crate::response::Content;
use crate::testing::{Peer, connected, open_for, open_gate};
use futures::StreamExt;
use hikyaku_core::{Key, KeySet, WireName};

const WIDE: usize = 1 << 20;

fn held(text: &str) -> Body {
    Body::Held(Bytes::copy_from_slice(text.as_bytes()))
}

fn append_of(bodies: &[Body]) -> Command {
    Command::Append(Append {
        mailbox: WireName::new("in"),
        messages: bodies
            .iter()
            .map(|body| AppendMessage {
                flags: WireFlags::default(),
                date: None,
                octets: body.octets(),
                utf8: false,
                wait: false,
            })
            .collect(),
    })
}

fn append(connection: &Connection, bodies: Vec<Body>) -> oneshot::Receiver<AppendEnd> {
    append_through(connection, bodies, &open_gate())
}

fn append_through(
    connection: &Connection,
    bodies: Vec<Body>,
    gate: &Arc<dyn Gate>,
) -> oneshot::Receiver<AppendEnd> {
    let command = append_of(&bodies);
    connection
        .append(&command, bodies, gate, Room::default())
        .expect("queued")
}

async fn end(end: oneshot::Receiver<AppendEnd>) -> String {
    match end.await.expect("told") {
        AppendEnd::Answered(reply) => format!("{} {}", reply.kind.as_str(), reply.text),
        AppendEnd::NotSent(fault) => format!("not sent: {}", fault.code),
        AppendEnd::Unknown(fault) => format!("unknown: {}", fault.code),
    }
}

fn fetch_of(keys: &str) -> Command {
    Command::Fetch(Fetch {
        uids: UidSet::Keys(KeySet::parse(keys).expect("a set")),
        items: vec![FetchItem::Flags, FetchItem::Body(BodyPart::Whole)],
        changed_since: None,
    })
}

fn rows() -> (mpsc::Sender<RowEvent>, mpsc::Receiver<RowEvent>) {
    mpsc::channel(ROW_EVENTS)
}

/// Waits until the connection has noticed its end.
async fn ended(connection: &Connection) -> Fault {
    while connection.is_alive() {
        tokio::task::yield_now().await;
    }
    connection.fault()
}

#[tokio::test]
async fn commands_travel_together_and_answers_find_them() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let first = connection
        .submit(&Command::Noop, Takes::NOTHING)
        .expect("queued");
    let status = Command::Status {
        mailbox: WireName::new("a"),
        items: vec![crate::encode::StatusItem::Messages],
    };
    let second = connection.submit(&status, Takes::STATUS).expect("queued");
    assert_eq!(peer.hears().await, "h1 NOOP");
    assert_eq!(peer.hears().await, "h2 STATUS \"a\" (MESSAGES)");
    peer.says("* STATUS a (MESSAGES 7)\n* XODD stuff\nh2 OK two\nh1 OK one\n")
        .await;
    let second = connection.answer(second).await.expect("answered");
    assert_eq!(second.reply.text, "two");
    assert_eq!(second.data.len(), 1);
    let first = connection.answer(first).await.expect("answered");
    assert!(first.data.is_empty());
    assert!(connection.is_clean());
}

#[tokio::test]
async fn a_refusal_instead_of_the_continuation_ends_the_append_only() {
    let (connection, mut peer) = connected(LiteralMode::Synchronising, WIDE);
    let full = append(&connection, vec![held("secret text")]);
    let next = append(&connection, vec![held("ok")]);
    assert_eq!(peer.hears().await, "h1 APPEND \"in\" {11}");
    peer.says("h1 NO [OVERQUOTA] full\n").await;
    assert_eq!(end(full).await, "NO full");
    assert_eq!(peer.hears().await, "h2 APPEND \"in\" {2}");
    peer.says("+ go on\n").await;
    assert_eq!(peer.takes(4).await, "ok\r\n");
    peer.says("h2 OK done\n").await;
    assert_eq!(end(next).await, "OK done");
    assert!(connection.is_clean());
}

#[tokio::test]
async fn a_bad_instead_of_the_continuation_is_no_danger() {
    let (connection, mut peer) = connected(LiteralMode::Synchronising, WIDE);
    let append = append(&connection, vec![held("text")]);
    peer.hears().await;
    peer.says("h1 BAD what?\n").await;
    assert_eq!(end(append).await, "BAD what?");
    assert!(connection.is_clean());
}

#[tokio::test]
async fn bad_while_text_is_in_flight_resets_and_leaves_the_rest_in_doubt() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let first = append(&connection, vec![held("one")]);
    let second = append(&connection, vec![held("two")]);
    for line in [
        "h1 APPEND \"in\" {3+}",
        "one",
        "h2 APPEND \"in\" {3+}",
        "two",
    ] {
        assert_eq!(peer.hears().await, line);
    }
    peer.says("h1 BAD what?\n").await;
    assert_eq!(end(first).await, "BAD what?");
    assert_eq!(end(second).await, "unknown: server.protocol");
    assert_eq!(ended(&connection).await.code, Code::ServerProtocol);
    assert_eq!(peer.takes_all().await, "");
    assert!(connection.submit(&Command::Noop, Takes::NOTHING).is_err());
}

#[tokio::test]
async fn strange_answers_while_text_is_in_flight_reset() {
    for strange in ["h9 OK what\n", "x OK what\n", "* BAD what\n", "+ what\n"] {
        let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
        let append = append(&connection, vec![held("one")]);
        peer.hears().await;
        peer.hears().await;
        peer.says(strange).await;
        assert_eq!(end(append).await, "unknown: server.protocol", "{strange}");
        ended(&connection).await;
    }
}

#[tokio::test]
async fn what_was_not_sent_is_not_in_doubt() {
    // The peer takes 50 octets and goes away.
    let (connection, mut peer) = connected(LiteralMode::Plus, 50);
    let inside = append(&connection, vec![held(&"x".repeat(500))]);
    let behind = append(&connection, vec![held("two")]);
    peer.hears().await;
    drop(peer);
    assert_eq!(end(inside).await, "not sent: link.lost");
    assert_eq!(end(behind).await, "not sent: link.lost");
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_in_doubt() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let append = append(&connection, vec![held("one"), held("two")]);
    assert_eq!(peer.hears().await, "h1 APPEND \"in\" {3+}");
    assert_eq!(peer.hears().await, "one {3+}");
    assert_eq!(peer.hears().await, "two");
    drop(peer);
    assert_eq!(end(append).await, "unknown: link.lost");
    assert_eq!(
        ended(&connection).await.at.server.as_deref(),
        Some("mail.example.jp:143")
    );
}

#[tokio::test]
async fn a_shut_gate_keeps_the_last_line_end_back() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let append = append_through(&connection, vec![held("one"), held("two")], &open_for(0));
    assert_eq!(end(append).await, "unknown: run.interrupted");
    drop(connection);
    assert_eq!(
        peer.takes_all().await,
        "h1 APPEND \"in\" {3+}\r\none {3+}\r\ntwo"
    );
}

#[tokio::test]
async fn a_gate_that_shuts_while_the_line_is_full_keeps_the_last_line_end_back() {
    let (connection, mut peer) = connected(LiteralMode::Plus, 40);
    // Open at the first attempt, shut at the later ones.
    let append = append_through(&connection, vec![held(&"x".repeat(60))], &open_for(1));
    let sent = tokio::join!(peer.takes_all(), async {
        let told = end(append).await;
        drop(connection);
        told
    });
    assert_eq!(
        sent.0,
        format!("h1 APPEND \"in\" {{60+}}\r\n{}", "x".repeat(60))
    );
    assert_eq!(sent.1, "unknown: run.interrupted");
}

fn streamed(octets: u64, chunks: Vec<Result<&'static str, Fault>>) -> Body {
    let chunks = chunks
        .into_iter()
        .map(|c| c.map(|t| Bytes::from_static(t.as_bytes())));
    Body::Streamed {
        octets,
        chunks: futures::stream::iter(chunks.collect::<Vec<_>>()).boxed(),
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_completed() {
    let lost = || {
        Fault::new(
            Code::LinkLost,
            Reach::Side,
            Remedy::Retry { after: None },
            "lost",
        )
    };
    for (chunks, told, sent) in [
        (vec![Ok("abc"), Err(lost())], "not sent: link.lost", "abc"),
        (vec![Ok("abc")], "not sent: message.length", "abc"),
        (
            vec![Ok("abc"), Ok("defg")],
            "not sent: message.length",
            "abc",
        ),
        // The last octet came, and then what was behind it was wrong.
        (
            vec![Ok("abcde"), Err(lost())],
            "not sent: link.lost",
            "abcde",
        ),
    ] {
        let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
        let append = append(&connection, vec![streamed(5, chunks)]);
        assert_eq!(end(append).await, told);
        drop(connection);
        assert_eq!(
            peer.takes_all().await,
            format!("h1 APPEND \"in\" {{5+}}\r\n{sent}")
        );
    }
}

#[tokio::test]
async fn a_streamed_body_arrives_whole() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let append = append(
        &connection,
        vec![streamed(5, vec![Ok("ab"), Ok(""), Ok("cde")])],
    );
    assert_eq!(peer.hears().await, "h1 APPEND \"in\" {5+}");
    assert_eq!(peer.takes(7).await, "abcde\r\n");
    peer.says("h1 OK done\n").await;
    assert_eq!(end(append).await, "OK done");
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_body_resets() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let (to, chunks) = mpsc::channel::<Result<Bytes, Fault>>(1);
    let body = Body::Streamed {
        octets: 10,
        chunks: futures::stream::unfold(chunks, |mut chunks| async {
            chunks.recv().await.map(|chunk| (chunk, chunks))
        })
        .boxed(),
    };
    let large = append(&connection, vec![body]);
    let behind = append(&connection, vec![held("two")]);
    to.send(Ok(Bytes::from_static(b"abc")))
        .await
        .expect("taken");
    assert_eq!(peer.hears().await, "h1 APPEND \"in\" {10+}");
    assert_eq!(peer.takes(3).await, "abc");
    peer.says("h1 NO [TOOBIG] too large\n").await;
    // Another chunk may still come; then the writer looks.
    to.send(Ok(Bytes::from_static(b"d"))).await.ok();
    assert_eq!(end(large).await, "NO too large");
    assert_eq!(end(behind).await, "not sent: link.lost");
    drop(connection);
    assert!(!peer.takes_all().await.contains('\n'));
}

#[tokio::test]
async fn bye_ends_everything_with_the_servers_words() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let noop = connection
        .submit(&Command::Noop, Takes::NOTHING)
        .expect("queued");
    peer.hears().await;
    peer.says("* BYE Server busy, try again later\n").await;
    let fault = connection.answer(noop).await.expect_err("gone");
    assert_eq!((fault.code, fault.is_temporary()), (Code::ServerBusy, true));
    let said = fault.said.expect("words");
    assert_eq!(said.to_string(), "BYE Server busy, try again later");
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_only_when_an_answer_is_due() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    tokio::time::sleep(std::time::Duration::from_secs(100_000)).await;
    assert!(connection.is_alive());
    let asked = Instant::now();
    let noop = connection
        .submit(&Command::Noop, Takes::NOTHING)
        .expect("queued");
    assert_eq!(peer.hears().await, "h1 NOOP");
    let fault = connection.answer(noop).await.expect_err("silent");
    assert_eq!(fault.code, Code::LinkSilent);
    assert!(asked.elapsed() >= PATIENCE && asked.elapsed() < PATIENCE * 2);
}

#[tokio::test(start_paused = true)]
async fn opening_a_mailbox_may_take_longer() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let examine = Command::Examine {
        mailbox: WireName::new("huge"),
        opening: crate::encode::Opening::Plain,
    };
    let asked = Instant::now();
    let opened = connection.submit(&examine, Takes::OPEN).expect("queued");
    assert_eq!(peer.hears().await, "h1 EXAMINE \"huge\"");
    let fault = connection.answer(opened).await.expect_err("silent");
    assert_eq!(fault.code, Code::LinkSilent);
    let patience = crate::testing::endpoint().timeouts.reply;
    assert!(patience > PATIENCE * 2, "the test means something");
    assert!(asked.elapsed() >= patience && asked.elapsed() < patience * 2);
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_leaves_earlier_appends_their_answers() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let first = append(&connection, vec![held("one")]);
    let lost = append(&connection, vec![streamed(5, vec![Ok("abc")])]);
    for line in ["h1 APPEND \"in\" {3+}", "one", "h2 APPEND \"in\" {5+}"] {
        assert_eq!(peer.hears().await, line);
    }
    assert_eq!(peer.takes(3).await, "abc");
    peer.says("h1 OK stored\n").await;
    assert_eq!(end(first).await, "OK stored");
    assert_eq!(end(lost).await, "not sent: message.length");
    ended(&connection).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_not_the_silence_of_the_destination() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let patience = crate::testing::endpoint().timeouts.reply;
    let slow = futures::stream::unfold(0, move |n| async move {
        tokio::time::sleep(patience * 3).await;
        (n < 4).then(|| (Ok(Bytes::from_static(b"x")), n + 1))
    });
    let body = Body::Streamed {
        octets: 4,
        chunks: slow.boxed(),
    };
    let append = append(&connection, vec![body]);
    assert_eq!(peer.hears().await, "h1 APPEND \"in\" {4+}");
    assert_eq!(peer.takes(6).await, "xxxx\r\n");
    peer.says("h1 OK done\n").await;
    assert_eq!(end(append).await, "OK done");
}

/// All row events up to the end of the command.
async fn told(events: &mut mpsc::Receiver<RowEvent>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            RowEvent::Rows(rows) => all.extend(rows.iter().map(|row| {
                let body = match row.body() {
                    Some(Content::Held(octets)) => octets.escape_ascii().to_string(),
                    Some(Content::Streamed(octets)) => format!("({octets})"),
                    Some(Content::Nil) | None => "-".to_owned(),
                };
                format!("{} {body}", row.uid.map_or(0, |k| k.0))
            })),
            RowEvent::Large {
                row,
                octets,
                mut chunks,
            } => {
                let mut taken = 0;
                let mut end = "whole";
                while let Some(chunk) = chunks.recv().await {
                    match chunk {
                        Ok(chunk) => taken += chunk.len(),
                        Err(_) => end = "broken",
                    }
                }
                all.push(format!(
                    "{} {taken} of {octets} {end}",
                    row.uid.map_or(0, |k| k.0)
                ));
            }
            RowEvent::Done { reply, .. } => {
                all.push(reply.kind.as_str().to_owned());
                break;
            }
        }
    }
    all
}

async fn says_large(peer: &mut Peer, head: &str, octets: usize, tail: &str) {
    peer.says(&format!(
        "{head}{{{octets}}}\n{}{tail}\n",
        "y".repeat(octets)
    ))
    .await;
}

#[tokio::test]
async fn rows_come_in_order_and_large_ones_as_streams() {
    let (connection, mut peer) = connected(LiteralMode::Plus, 1000);
    let (to, mut events) = rows();
    connection.fetch(&fetch_of("1:3"), &to).expect("queued");
    let server = async {
        assert_eq!(
            peer.hears().await,
            "h1 UID FETCH 1:3 (UID FLAGS BODY.PEEK[])"
        );
        peer.says("* 1 FETCH (UID 1 FLAGS () BODY[] {2}\nab)\n")
            .await;
        says_large(&mut peer, "* 2 FETCH (UID 2 FLAGS () BODY[] ", 300_000, ")").await;
        peer.says("* 3 FETCH (UID 3 FLAGS () BODY[] \"c\")\nh1 OK done\n")
            .await;
    };
    let (told, ()) = tokio::join!(told(&mut events), server);
    assert_eq!(
        told,
        [
            "1 ab",
            "2 300000 of 300000 whole",
            "2 (300000)",
            "3 c",
            "OK"
        ]
    );
    assert!(connection.is_clean());
}

#[tokio::test]
async fn a_stream_ends_broken_when_the_row_or_the_connection_does() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let (to, mut events) = rows();
    connection.fetch(&fetch_of("1:3"), &to).expect("queued");
    drop(to);
    peer.hears().await;
    // A second literal where the end of the row is due.
    let head = "* 1 FETCH (UID 1 FLAGS () BODY[] ";
    says_large(&mut peer, head, 300_000, " BODY[TEXT] {300001}").await;
    peer.says(&format!("{})\n", "t".repeat(300_001))).await;
    peer.says(&format!(
        "* 2 FETCH (UID 2 FLAGS () BODY[] {{300000}}\n{}",
        "y".repeat(200_000)
    ))
    .await;
    drop(peer);
    let told = told(&mut events).await;
    assert_eq!(told[0], "1 300000 of 300000 broken");
    assert_eq!(
        told.last().map(String::as_str),
        Some("2 200000 of 300000 broken")
    );
    assert_eq!(ended(&connection).await.code, Code::LinkLost);
}

#[tokio::test]
async fn giving_up_a_stream_gives_up_the_connection() {
    let (connection, mut peer) = connected(LiteralMode::Plus, 1000);
    let (to, mut events) = rows();
    connection.fetch(&fetch_of("1"), &to).expect("queued");
    peer.hears().await;
    let server = tokio::spawn(async move {
        let line = format!(
            "* 1 FETCH (UID 1 FLAGS () BODY[] {{300000}}\n{}",
            "y".repeat(300_000)
        );
        peer.says(&line).await;
    });
    let large = events.recv().await;
    assert!(matches!(large, Some(RowEvent::Large { .. })));
    drop(large);
    assert_eq!(ended(&connection).await.code, Code::LinkLost);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_stops_the_server() {
    let (connection, mut peer) = connected(LiteralMode::Plus, 1000);
    let (to, mut events) = rows();
    connection.fetch(&fetch_of("1:400"), &to).expect("queued");
    drop(to);
    peer.hears().await;
    let row = format!("BODY[] {{100000}}\n{})\n", "z".repeat(100_000));
    let mut said = 0;
    loop {
        said += 1;
        let line = format!("* {said} FETCH (UID {said} FLAGS () {row}");
        let wait = std::time::Duration::from_secs(1);
        if tokio::time::timeout(wait, peer.says(&line)).await.is_err() {
            break;
        }
        assert!(said < 400, "everything was taken in");
    }
    // Bounded by octets: a few batches of a quarter of a mebibyte each.
    assert!(said < 20, "{said} rows of 100 kB are held");
    drop(connection);
    let mut rows = 0;
    while let Some(RowEvent::Rows(batch)) = events.recv().await {
        rows += batch.len();
    }
    assert!(rows > 0 && rows <= said);
}
