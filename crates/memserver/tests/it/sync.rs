//! CONDSTORE, QRESYNC, COMPRESS, IDLE, and pipelining.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use hikyaku_memserver::Personality;

use crate::client::Client;
use crate::server;

#[tokio::test]
async fn only_what_changed_is_told_again() {
    let (server, account) = server(Personality::dovecot_like()).await;
    for _ in 0..5 {
        account.add_message("INBOX", "A: b\r\n\r\n");
    }
    let mut c = Client::logged_in(&server).await;
    let told = c.ok("examine inbox (condstore)").await.join("\n");
    assert!(told.contains("[HIGHESTMODSEQ 6]"), "{told}");
    account.set_flags("INBOX", 2, &["\\Seen"]);
    account.expunge("INBOX", &[4]);
    c.dialogue(
        r#"
        C: a uid fetch 1:* (flags) (changedsince 6)
        S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent) MODSEQ (7))
        S: * 4 EXPUNGE
        S: * 2 FETCH (FLAGS (\Seen \Recent) MODSEQ (7))
        S: a OK...
        C: b uid fetch 1:* flags (changedsince 6 vanished)
        S: b BAD...
        C: c enable qresync
        S: * ENABLED QRESYNC
        S: c OK...
        C: d uid fetch 1:* flags (changedsince 6 vanished)
        S: * VANISHED (EARLIER) 4
        S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent) MODSEQ (7))
        S: d OK...
        C: e examine inbox (qresync (1700000000 6 1:5))
        S: * OK [CLOSED]...
        S: * FLAGS ...
        S: * OK [PERMANENTFLAGS...
        S: * 4 EXISTS
        S: * 4 RECENT
        S: * OK [UNSEEN 1]...
        S: * OK [UIDVALIDITY 1700000000]...
        S: * OK [UIDNEXT 6]...
        S: * OK [HIGHESTMODSEQ 8]...
        S: * VANISHED (EARLIER) 4
        S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent) MODSEQ (7))
        S: e OK...
        "#,
    )
    .await;
    // Another epoch: the client's knowledge is worth nothing.
    let told = c.ok("examine inbox (qresync (5 6))").await.join("\n");
    assert!(!told.contains("VANISHED"), "{told}");
    account.expunge("INBOX", &[1, 2]);
    assert_eq!(c.ok("noop").await[0], "* VANISHED 1:2");
}

#[tokio::test]
async fn a_conditional_store_spares_what_changed_meanwhile() {
    let (server, account) = server(Personality::dovecot_like()).await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    account.add_message("INBOX", "A: b\r\n\r\n");
    let mut c = Client::logged_in(&server).await;
    c.ok("select inbox").await;
    account.set_flags("INBOX", 2, &["\\Flagged"]);
    let lines = c
        .ok("uid store 1:2 (unchangedsince 3) +flags.silent (\\Seen)")
        .await;
    assert_eq!(lines[0], "* 1 FETCH (UID 1 MODSEQ (5))");
    assert_eq!(
        lines.last().unwrap(),
        "t OK [MODIFIED 2] Conditional store failed."
    );
    assert!(
        !account.snapshot().mailbox("INBOX").unwrap().messages[1]
            .flags
            .contains("\\Seen")
    );
}

#[tokio::test]
async fn without_condstore_its_words_are_unknown() {
    let (server, account) =
        server(Personality::dovecot_like().without(&["CONDSTORE", "QRESYNC"])).await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    let mut c = Client::logged_in(&server).await;
    assert!(
        c.tagged("examine inbox (condstore)")
            .await
            .starts_with("t BAD")
    );
    assert!(
        !c.ok("examine inbox")
            .await
            .join("\n")
            .contains("HIGHESTMODSEQ")
    );
    for command in [
        "uid fetch 1 (modseq)",
        "uid fetch 1 flags (changedsince 1)",
        "status inbox (highestmodseq)",
        "uid search modseq 1",
    ] {
        assert!(c.tagged(command).await.starts_with("t BAD"), "{command}");
    }
    assert_eq!(
        c.command("enable condstore qresync").await,
        ["t OK Enabled."]
    );
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let (server, account) = server(Personality::dovecot_like()).await;
    let mut c = Client::connect(&server).await;
    let mut sent = String::from("0 login u p\r\n1 select inbox\r\n");
    for n in 2..500 {
        sent.push_str(&format!("{n} append INBOX {{6+}}\r\nA: b\r\n\r\n"));
    }
    sent.push_str("500 uid search all\r\n501 logout\r\n");
    c.send(sent).await;
    let (all, _) = c.rest().await;
    let tagged: Vec<usize> = all
        .lines()
        .filter_map(|l| l.split_once(' ')?.0.parse().ok())
        .collect();
    assert_eq!(tagged, (0..=501).collect::<Vec<_>>());
    assert_eq!(account.uids("INBOX").len(), 498);
    assert!(
        server
            .transcript()
            .entries
            .iter()
            .all(|e| e.answer == Some("OK"))
    );
}

#[tokio::test]
async fn idle_tells_news_at_once() {
    let (server, account) = server(Personality::dovecot_like()).await;
    let mut c = Client::logged_in(&server).await;
    c.ok("select inbox").await;
    c.dialogue("C: a idle\nS: + idling").await;
    account.add_message("INBOX", "A: b\r\n\r\n");
    c.dialogue("S: * 1 EXISTS\nS: * 1 RECENT").await;
    account.expunge("INBOX", &[1]);
    c.dialogue("S: * 1 EXPUNGE\nC: DONE\nS: a OK...\nC: b noop\nS: b OK...")
        .await;
}

#[tokio::test]
async fn compression_runs_both_ways() {
    let (server, account) = server(Personality::cyrus_like()).await;
    let text = "Subject: x\r\n\r\n".to_owned() + &"compressible ".repeat(20_000);
    account.add_message("INBOX", text.clone());
    let mut c = Client::logged_in(&server).await;
    assert!(c.tagged("compress deflate").await.starts_with("t OK"));
    let mut compress = Compress::new(Compression::default(), false);
    let mut decompress = Decompress::new(false);
    let mut pack = |text: &str| {
        let mut packed = Vec::with_capacity(text.len() + 1000);
        compress
            .compress_vec(text.as_bytes(), &mut packed, FlushCompress::Sync)
            .unwrap();
        packed
    };
    c.send(pack("a compress deflate\r\nb examine inbox\r\n"))
        .await;
    c.send(pack("c uid fetch 1 body.peek[]\r\nd logout\r\n"))
        .await;
    let packed = c.rest_octets().await;
    let mut plain = Vec::with_capacity(text.len() + 10_000);
    decompress
        .decompress_vec(&packed, &mut plain, FlushDecompress::Sync)
        .unwrap();
    let plain = String::from_utf8(plain).unwrap();
    assert!(
        plain.starts_with("a NO [COMPRESSIONACTIVE]"),
        "{}",
        &plain[..100]
    );
    assert!(plain.contains(&format!("BODY[] {{{}}}\r\n{text})\r\nc OK", text.len())));
    assert!(packed.len() < text.len() / 10);
}
