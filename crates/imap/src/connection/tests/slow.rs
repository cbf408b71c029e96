//! I9: silence, drips and endless talk, in virtual time.

use super::*;
use std::time::Duration;

/// What a connection's fault says, and after how many seconds, while the server says
/// the same again and again at this pace, after a beginning.
async fn talking(command: &Command, takes: Takes, start: &str, again: &str) -> (String, u64) {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let begun = Instant::now();
    let (to, mut rows) = rows();
    let answer = match takes {
        Takes::FETCH => {
            connection.fetch(command, &to).expect("queued");
            None
        }
        takes => Some(connection.submit(command, takes).expect("queued")),
    };
    drop(to);
    peer.hears().await;
    peer.says(start).await;
    let talk = async {
        loop {
            tokio::time::sleep(Duration::from_secs(30)).await;
            if !again.is_empty() {
                peer.says(again).await;
            }
        }
    };
    let end = async {
        match answer {
            Some(answer) => connection.answer(answer).await.map(drop),
            None => {
                while let Some(event) = rows.recv().await {
                    if let RowEvent::Large { mut chunks, .. } = event {
                        while chunks.recv().await.is_some() {}
                    }
                }
                Err(connection.fault())
            }
        }
    };
    let ended = tokio::select! {
        ended = end => ended,
        () = talk => unreachable!("it talks without end"),
    };
    let fault = ended.expect_err("a fault");
    (fault.code.to_string(), begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_within_a_minute_or_five() {
    let silent = |seconds| ("link.silent".to_owned(), seconds);
    assert_eq!(
        talking(&Command::Noop, Takes::NOTHING, "", "").await,
        silent(60)
    );
    assert_eq!(
        talking(&fetch_of("1"), Takes::FETCH, "* 1 FETCH (", "").await,
        silent(60)
    );
    let open = Command::Examine {
        mailbox: WireName::new("in"),
        opening: crate::encode::Opening::Plain,
    };
    assert_eq!(talking(&open, Takes::OPEN, "", "").await, silent(300));
}

#[tokio::test(start_paused = true)]
async fn a_drip_is_no_answer() {
    for (start, drip) in [
        ("* OK ", "x"),
        ("* 1 FETCH (UID 1 FLAGS () BODY[] {1000000}\n", "x"),
        ("* 1 FETCH (UID 1 FLAGS () BODY[] {100000}\n", "x"),
        ("", "* OK Still here\n"),
        ("", "* 3 EXISTS\n"),
    ] {
        let (code, seconds) = talking(&fetch_of("1"), Takes::FETCH, start, drip).await;
        assert_eq!(code, "link.silent", "{drip}");
        assert!((300..=360).contains(&seconds), "{seconds} s of {drip}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_that_answers_is_waited_for() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    for _ in 0..20 {
        let answer = connection
            .submit(&Command::Noop, Takes::NOTHING)
            .expect("queued");
        let tag = peer.hears().await;
        let tag = tag.split(' ').next().expect("a tag").to_owned();
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_secs(50)).await;
            peer.says("* OK Still here\n").await;
        }
        peer.says(&format!("{tag} OK\n")).await;
        assert!(
            connection
                .answer(answer)
                .await
                .expect("an answer")
                .reply
                .is_ok()
        );
    }
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    peer.says("* OK Nobody asked\n").await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(connection.is_clean(), "an idle one may be silent");
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_with_mail_on_it_is_a_line() {
    let (connection, mut peer) = connected(LiteralMode::Plus, WIDE);
    let (to, mut rows) = rows();
    connection.fetch(&fetch_of("1"), &to).expect("queued");
    drop(to);
    peer.hears().await;
    // Two kilobits a second for an hour.
    let reading = async {
        let mut octets = 0;
        while let Some(event) = rows.recv().await {
            if let RowEvent::Large { mut chunks, .. } = event {
                while let Some(chunk) = chunks.recv().await {
                    octets += chunk.expect("octets").len();
                }
            }
        }
        octets
    };
    let sending = async {
        peer.says("* 1 FETCH (UID 1 FLAGS () BODY[] {900000}\n")
            .await;
        for _ in 0..90 {
            tokio::time::sleep(Duration::from_secs(40)).await;
            peer.says(&"x".repeat(10_000)).await;
        }
        peer.says(")\nh1 OK\n").await;
    };
    let (octets, ()) = tokio::join!(reading, sending);
    assert_eq!(octets, 900_000);
    assert!(connection.is_clean());
}
