//! Memory does not depend on the size of a message. Alone in its process, so that the measure is
//! its own.

use futures::StreamExt;
use hikyaku_core::traits::Source;
use hikyaku_core::{Body, Side};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_pop3::{Pop3Account, Pop3Options};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const LINE: [u8; 1_000] = {
    let mut line = [b'x'; 1_000];
    line[998] = b'\r';
    line[999] = b'\n';
    line
};

const LINES: usize = 100_000;

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

/// A server with one message, made while it is sent; the port.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = BufReader::new(stream);
        stream.write_all(b"+OK\r\n").await.expect("written");
        let mut line = String::new();
        while stream.read_line(&mut line).await.expect("read") > 0 {
            let answer: &[u8] = match line.split_whitespace().next() {
                Some("CAPA") => b"+OK\r\nTOP\r\nUSER\r\nPIPELINING\r\n.\r\n",
                Some("LIST") => b"+OK\r\n1 100000000\r\n.\r\n",
                Some("UIDL") => b"+OK\r\n1 one\r\n.\r\n",
                _ => b"+OK\r\n",
            };
            stream.write_all(answer).await.expect("written");
            if line.starts_with("TOP") {
                for _ in 0..LINES {
                    stream.write_all(&LINE).await.expect("written");
                }
                stream.write_all(b".\r\n").await.expect("written");
            }
            line.clear();
        }
    });
    port
}

#[tokio::test]
async fn a_message_larger_than_the_memory_it_takes() {
    let endpoint = Endpoint::new("127.0.0.1", serve().await, Security::Plain, Side::Source);
    let options = Pop3Options::new(endpoint, Credentials::password("taro", "secret"));
    let account = Pop3Account::connect(options).await.expect("login");
    let inbox = account.mailboxes().await.expect("listed").remove(0);
    let mut reader = account.open(&inbox).await.expect("opened");
    let keys = reader.keys().await.expect("keys");
    let before = peak();
    let mut flow = reader.read(&keys);
    let letter = flow.next().await.expect("a letter").expect("a letter");
    let Body::Streamed { octets, mut chunks } = letter.body else {
        panic!("held")
    };
    assert_eq!(octets, (LINES * LINE.len()) as u64);
    let mut left = octets;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("read");
        assert!(chunk.iter().all(|octet| b"x\r\n".contains(octet)));
        left -= chunk.len() as u64;
    }
    assert_eq!(left, 0);
    assert!(flow.next().await.is_none());
    // 8 MiB in memory before the disk is used, and the portions on their way.
    let grown = peak() - before;
    assert!(grown < 24_000_000, "{grown} octets more");
}
