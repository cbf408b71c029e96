//! Whatever comes, the server stays bounded, never panics, and serves the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hikyaku_memserver::{Options, Personality};

use crate::client::Client;
use crate::{server, start};

/// Counts panics in all threads from now on.
fn panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    std::panic::set_hook(Box::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    }));
    count
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

const PIECES: [&str; 64] = [
    "a ",
    "b ",
    "login u p",
    "select inbox",
    "examine inbox",
    "uid ",
    "fetch ",
    "1:*",
    "0",
    "4294967295",
    "*",
    ":",
    ",",
    " (flags body.peek[",
    "header.fields (",
    "]<0.",
    ")",
    "(",
    "\"",
    "\\",
    "\\Seen",
    " {3}\r\n",
    " {3+}\r\n",
    " {0+}\r\n",
    "abc",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "append INBOX ",
    "append ",
    "(\\Deleted) ",
    "\"01-Jan-2000 00:00:00 +0000\" ",
    "list ",
    "\"\" ",
    "%",
    " return (status (messages))",
    "store ",
    " +flags ",
    " flags.silent ",
    "search ",
    "not ",
    "or ",
    "all",
    "header x y",
    "copy ",
    "move ",
    "rename ",
    "create ",
    "delete ",
    "subscribe ",
    "status inbox (messages)",
    "enable qresync",
    "authenticate plain ",
    "AHUAcA==",
    "idle",
    "DONE",
    "noop",
    "close",
    "expunge",
    "(changedsince 1 vanished)",
    "(qresync (1 1))",
    "x-gm-labels (a b)",
    "\u{65e5}\u{672c}",
];

#[tokio::test]
async fn random_commands_never_panic_and_never_stop_the_server() {
    let panics = panics();
    let mut random = Random(42);
    for personality in Personality::all() {
        let name = personality.name;
        let (server, account) = server(personality).await;
        account.add_message("INBOX", "Subject: x\r\n\r\ntext\r\n");
        for _ in 0..60 {
            let mut sent = String::from("a login u p\r\nb select inbox\r\n");
            for _ in 0..random.below(60) {
                sent.push_str(PIECES[random.below(PIECES.len())]);
            }
            sent.push_str("\r\n");
            let mut c = Client::silent(&server).await;
            c.accepts(sent.as_bytes()).await;
            c.finish().await;
        }
        let mut c = Client::connect(&server).await;
        assert!(c.tagged("noop").await.starts_with("t OK"), "{name}");
    }
    assert_eq!(panics.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn random_octets_never_panic() {
    let panics = panics();
    let mut random = Random(7);
    let (server, _) = server(Personality::dovecot_like()).await;
    for _ in 0..300 {
        let octets: Vec<u8> = (0..random.below(300))
            .map(|_| random.below(256) as u8)
            .collect();
        let mut c = Client::silent(&server).await;
        c.accepts(&octets).await;
        c.finish().await;
    }
    Client::logged_in(&server).await.ok("noop").await;
    assert_eq!(panics.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_line_without_end_is_told_bye() {
    let (server, _) = server(Personality::dovecot_like()).await;
    let mut c = Client::connect(&server).await;
    c.accepts(&vec![b'x'; 200_000]).await;
    let (said, _) = c.rest().await;
    assert!(
        said.is_empty() || said.contains("BYE Command line too long"),
        "{said}"
    );
    let mut c = Client::connect(&server).await;
    c.send(format!("t {}", "x".repeat(70_000))).await;
    assert!(c.line().await.starts_with("* BYE Command line too long"));
}

#[tokio::test]
async fn a_literal_that_is_no_message_is_bounded() {
    let (server, _) = server(Personality::dovecot_like()).await;
    let mut c = Client::logged_in(&server).await;
    assert!(c.tagged("select {65537}").await.starts_with("t BAD"));
    assert!(c.tagged("append {999999999999}").await.starts_with("t BAD"));
    let huge = c.tagged("append INBOX {999999999999999}").await;
    assert_eq!(
        huge,
        "t NO [LIMIT] Requested allocation size exceeds the limit"
    );
    c.ok("noop").await;
}

#[tokio::test]
async fn nonsense_ends_with_bye_after_twenty() {
    let mut options = Options::new(Personality::dovecot_like());
    options.limits.bad_commands = 3;
    let (server, _) = start(options).await;
    let mut c = Client::connect(&server).await;
    c.dialogue("C: a x\nS: a BAD...\nC: b noop\nS: b OK...\nC: c x\nS: c BAD...\nC: d x\nS: d BAD...\nC: e x\nS: e BAD...\nS: * BYE...")
        .await;
}
