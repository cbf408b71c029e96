//! Reaching a server: addresses, ports, and ports that speak something else.

use crate::support::{Authority, drained, endpoint, line, server, tls_server};
use hikyaku_core::{Code, Fault, Remedy, Side};
use hikyaku_net::{Security, Trust, connect, connect_to};
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

async fn greeter() -> SocketAddr {
    server(|mut tcp| async move {
        tcp.write_all(b"* OK ready\r\n").await.unwrap();
        drained(&mut tcp).await.ok();
    })
    .await
}

/// A port at which nothing listens: it was ours a moment ago.
async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn answers(octets: &'static [u8], security: Security) -> Fault {
    let address = server(move |mut tcp| async move {
        tcp.write_all(octets).await.unwrap();
        drained(&mut tcp).await.ok();
    })
    .await;
    let endpoint = endpoint("mail.example.test", address.port(), security, Trust::System);
    connect_to(&endpoint, &[address]).await.unwrap_err()
}

#[tokio::test]
async fn a_clear_text_greeting_is_left_for_the_protocol() {
    let address = greeter().await;
    let endpoint = endpoint("127.0.0.1", address.port(), Security::Plain, Trust::System);
    let mut stream = connect(&endpoint).await.unwrap();
    assert_eq!(line(&mut stream).await, "* OK ready\r\n");
    assert_eq!(stream.peer().address, address);
    assert!(!stream.is_encrypted());
}

#[tokio::test]
async fn names_are_looked_up() {
    let address = greeter().await;
    let endpoint = endpoint("localhost", address.port(), Security::Plain, Trust::System);
    let stream = connect(&endpoint).await.unwrap();
    assert_eq!(stream.peer().address, address);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    // RFC 2606 §2 keeps this one free for ever.
    let endpoint = endpoint(
        "no-such-host.invalid",
        993,
        Security::ImplicitTls,
        Trust::System,
    );
    let fault = connect(&endpoint).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::HostNotFound, Remedy::AskUser)
    );
    assert!(fault.detail.contains("no-such-host.invalid"), "{fault}");
    assert_eq!(fault.at.server.as_deref(), Some("no-such-host.invalid:993"));
    assert_eq!(fault.at.side, Some(Side::Destination));
}

#[tokio::test]
async fn a_host_without_addresses_is_named() {
    let endpoint = endpoint(
        "mail.example.test",
        993,
        Security::ImplicitTls,
        Trust::System,
    );
    let fault = connect_to(&endpoint, &[]).await.unwrap_err();
    assert_eq!(fault.code, Code::HostNotFound);
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let address = closed_port().await;
    let endpoint = endpoint(
        "127.0.0.1",
        address.port(),
        Security::ImplicitTls,
        Trust::System,
    );
    let fault = connect(&endpoint).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
    assert!(fault.is_temporary());
    let expected =
        format!("{address} refused the connection; nothing listens there: check the port");
    assert_eq!(fault.detail, expected);
}

#[tokio::test]
async fn a_living_ipv4_address_is_found_behind_a_dead_ipv6_one() {
    let living = greeter().await;
    // Nothing listens at the IPv6 address, or the machine has none at all.
    let dead = SocketAddr::from((Ipv6Addr::LOCALHOST, closed_port().await.port()));
    let endpoint = endpoint(
        "mail.example.test",
        living.port(),
        Security::Plain,
        Trust::System,
    );
    let stream = connect_to(&endpoint, &[dead, living]).await.unwrap();
    assert_eq!(stream.peer().address, living);
}

#[tokio::test]
async fn no_answer_at_all_is_told_apart_from_a_refusal() {
    // A full backlog drops what comes: the address is silent without leaving the machine.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let attempt = tokio::net::TcpStream::connect(address);
        if let Ok(Ok(queued)) = tokio::time::timeout(Duration::from_millis(50), attempt).await {
            waiting.push(queued);
        }
    }
    let mut endpoint = endpoint("127.0.0.1", address.port(), Security::Plain, Trust::System);
    endpoint.timeouts.connect = Duration::from_millis(50);
    let fault = connect(&endpoint).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
    assert!(fault.is_temporary());
    assert!(
        fault
            .detail
            .starts_with(&format!("timed out: no answer from {address}")),
        "{fault}"
    );
}

#[tokio::test]
async fn tls_on_a_clear_text_port_is_recognised() {
    for greeting in [
        &b"* OK ready\r\n"[..],
        b"+OK ready\r\n",
        b"220 mail\r\n",
        b"SSH-2.0-x\r\n",
    ] {
        let fault = answers(greeting, Security::ImplicitTls).await;
        assert_eq!(
            (fault.code, fault.remedy),
            (Code::TlsMismatch, Remedy::AskUser),
            "{fault}"
        );
        assert!(fault.detail.contains("answers in clear text"), "{fault}");
    }
}

#[tokio::test]
async fn clear_text_on_a_tls_port_is_recognised_though_both_sides_wait() {
    let authority = Authority::new();
    let address = tls_server(authority.sign("mail.example.test").acceptor()).await;
    // Also where the certificate would not be accepted.
    for trust in [authority.trust(), Trust::System] {
        for security in [Security::StartTls, Security::Plain] {
            let endpoint = endpoint("mail.example.test", address.port(), security, trust.clone());
            let fault = connect_to(&endpoint, &[address]).await.unwrap_err();
            assert_eq!(
                (fault.code, fault.remedy),
                (Code::TlsMismatch, Remedy::AskUser),
                "{fault}"
            );
            assert!(
                fault.detail.contains("expects TLS from the first octet"),
                "{fault}"
            );
        }
    }
}

#[tokio::test]
async fn a_tls_alert_instead_of_a_greeting_is_recognised() {
    let fault = answers(b"\x15\x03\x01\x00\x02\x02\x28", Security::Plain).await;
    assert_eq!(fault.code, Code::TlsMismatch);
}

#[tokio::test]
async fn a_server_that_only_knows_old_encryption_is_named() {
    let address = server(|mut tcp| async move {
        let mut hello = [0; 5];
        tcp.read_exact(&mut hello).await.unwrap();
        // Alert: fatal, protocol_version (RFC 5246 §7.2).
        tcp.write_all(b"\x15\x03\x01\x00\x02\x02\x46")
            .await
            .unwrap();
        drained(&mut tcp).await.ok();
    })
    .await;
    let endpoint = endpoint(
        "old.example",
        address.port(),
        Security::ImplicitTls,
        Trust::System,
    );
    let fault = connect_to(&endpoint, &[address]).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::TlsFailed, Remedy::AskUser)
    );
    assert!(fault.detail.contains("older than TLS 1.2"), "{fault}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let address = server(|mut tcp| async move {
        drained(&mut tcp).await.ok();
    })
    .await;
    for security in [Security::ImplicitTls, Security::StartTls, Security::Plain] {
        let mut endpoint = endpoint("mail.example.test", address.port(), security, Trust::System);
        endpoint.timeouts.tls = Duration::from_millis(20);
        endpoint.timeouts.greeting = Duration::from_millis(60);
        let fault = connect_to(&endpoint, &[address]).await.unwrap_err();
        assert_eq!(fault.code, Code::LinkSilent, "{fault}");
        assert!(fault.is_temporary());
    }
}

#[tokio::test]
async fn a_slow_greeting_outlives_the_probe() {
    let probed = Arc::new(Notify::new());
    let arrivals = Arc::new(AtomicUsize::new(0));
    let address = server(move |mut tcp| {
        let first = arrivals.fetch_add(1, Ordering::Relaxed) == 0;
        let probed = probed.clone();
        async move {
            if first {
                probed.notified().await;
                tcp.write_all(b"* OK slow\r\n").await.unwrap();
            } else {
                tcp.write_all(b"* OK probe\r\n").await.unwrap();
            }
            drained(&mut tcp).await.ok();
            probed.notify_one();
        }
    })
    .await;
    let endpoint = endpoint(
        "mail.example.test",
        address.port(),
        Security::StartTls,
        Trust::System,
    );
    let mut stream = connect_to(&endpoint, &[address]).await.unwrap();
    assert_eq!(line(&mut stream).await, "* OK slow\r\n");
}

#[tokio::test]
async fn a_server_that_hangs_up_at_once_can_be_tried_again() {
    let address = server(|tcp| async move { drop(tcp) }).await;
    for security in [Security::ImplicitTls, Security::StartTls] {
        let endpoint = endpoint("mail.example.test", address.port(), security, Trust::System);
        let fault = connect_to(&endpoint, &[address]).await.unwrap_err();
        assert_eq!(fault.code, Code::LinkLost, "{fault}");
        assert!(fault.is_temporary());
    }
}
