//! Memory does not depend on the size of a message. Alone in its process, so that the
//! measure is its own.

mod common;

use common::{Door, connect, find};
use futures::StreamExt;
use hikyaku_core::traits::{Appended, Destination, Source};
use hikyaku_core::{Body, KeySet, Side};
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};
use std::io::Read;

const OCTETS: u64 = 60_000_000;

/// The most memory that this process ever had, in octets.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .expect("a peak");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<u64>().expect("a number") * 1024
}

#[tokio::test]
async fn a_message_larger_than_the_memory_it_takes() {
    let server = Dovecot::start(DovecotOptions::default()).expect("server");
    let from = server.create_account("from").expect("account");
    let to = server.create_account("to").expect("account");
    {
        let mut judge = server.judge(&from).expect("judge");
        let head: &[u8] = b"From: a@example.jp\r\nSubject: large\r\n\r\n";
        let mut whole = head.chain(Lines(0)).take(OCTETS);
        let none: &[&str] = &[];
        let answer = judge.append_from("INBOX", none, None, OCTETS, &mut whole);
        answer.expect("append").accepted().expect("ok");
    }
    let source = connect(&server, &from, Side::Source).await.expect("login");
    let destination = connect(&server, &to, Side::Destination)
        .await
        .expect("login");
    let mut reader = source
        .open(&find(&source, "INBOX").await)
        .await
        .expect("opened");
    let inbox = find(&destination, "INBOX").await;
    let mut writer = destination.write(&inbox).await.expect("opened");
    let keys = KeySet::range(1..=1);
    let before = peak();
    {
        let mut flow = reader.read(&keys);
        let letter = flow.next().await.expect("a letter").expect("a letter");
        assert_eq!(letter.body.octets(), OCTETS);
        assert!(matches!(letter.body, Body::Streamed { .. }));
        let pending = writer
            .append(vec![letter], Door::open())
            .await
            .expect("queued");
        assert!(matches!(pending.await, Appended::Stored { .. }));
        assert!(flow.next().await.is_none());
    }
    let grown = peak() - before;
    assert!(grown < 8_000_000, "{grown} octets more");
}

/// Lines without end.
struct Lines(usize);

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for octet in buffer.iter_mut() {
            *octet = match self.0 % 1000 {
                998 => b'\r',
                999 => b'\n',
                _ => b'x',
            };
            self.0 += 1;
        }
        Ok(buffer.len())
    }
}
