//! What a guard lets through, what a refusal looks like, and answers of DNS that change.

use crate::support::{Authority, Identity, drained, endpoint, line, server, tls_server};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::{Code, Fault};
use hikyaku_net::guard::{Guard, Lookup, Network};
use hikyaku_net::{Endpoint, Presented, Security, Trust, Witness, connect, resolve};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn loopback() -> Network {
    "127.0.0.0/8".parse().unwrap()
}

#[test]
fn only_public_addresses_at_mail_ports_pass() {
    let guard = Guard::new();
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:200::1",
        "2400:3200::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ] {
        for port in [143, 993, 110, 995] {
            assert!(guard.allows(address(public), port), "{public} {port}");
        }
        for port in [0, 22, 25, 80, 465, 3306, 10143] {
            assert!(!guard.allows(address(public), port), "{public} {port}");
        }
    }
}

#[test]
fn every_address_that_is_not_public_is_refused() {
    let guard = Guard::new();
    for forbidden in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        // IPv6: unspecified, loopback, discard-only, link-local, site-local, ULA, multicast.
        "::",
        "::1",
        "100::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "ff02::1",
        // Documentation, benchmarks, ORCHID, AS112, segment routing.
        "2001:db8::1",
        "3fff::1",
        "2001:2::1",
        "2001:20::1",
        "2620:4f:8000::1",
        "5f00::1",
        // IPv4 in IPv6: mapped, compatible, translated, NAT64, local NAT64, 6to4, Teredo, ISATAP.
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "2001:0:808:808::1",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:127.0.0.1",
    ] {
        assert!(!guard.allows(address(forbidden), 993), "{forbidden}");
    }
}

#[test]
fn the_operators_networks_come_first_and_the_smallest_decides() {
    let network = |text: &str| text.parse::<Network>().unwrap();
    let guard = Guard::new()
        .allow([
            network("10.0.0.0/8"),
            network("192.168.7.7"),
            network("fd00:1::/32"),
        ])
        .deny([
            network("10.1.0.0/16"),
            network("8.8.8.0/24"),
            network("192.168.7.7"),
        ]);
    for (given, passes) in [
        ("10.2.0.1", true),
        ("::ffff:10.2.0.1", true),
        ("10.1.0.1", false),
        ("::ffff:10.1.0.1", false),
        ("8.8.8.8", false),
        ("8.8.4.4", true),
        // As small, and refused.
        ("192.168.7.7", false),
        ("192.168.7.8", false),
        ("fd00:1::1", true),
        ("fd00:2::1", false),
    ] {
        assert_eq!(guard.allows(address(given), 143), passes, "{given}");
        assert!(!guard.allows(address(given), 144), "ports count always");
    }
    let guard = guard.ports([2143]);
    assert!(guard.allows(address("10.2.0.1"), 2143) && !guard.allows(address("10.2.0.1"), 143));
    assert!(guard.allows_port(2143) && !guard.allows_port(143));
}

#[test]
fn addresses_of_this_machine_are_refused_and_others_are_not() {
    // The address that this machine would use towards the internet, if it has any: nothing is sent.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let guard = Guard::new();
    if socket.connect("8.8.8.8:9").is_ok() {
        let own = socket.local_addr().unwrap().ip();
        assert!(!guard.allows(own, 993), "{own}");
    }
    assert!(guard.allows(address("8.8.8.8"), 993));
}

/// An endpoint as the service makes it.
fn guarded(host: &str, port: u16, guard: Guard) -> Endpoint {
    Endpoint {
        guard: Some(guard),
        ..endpoint(host, port, Security::Plain, Trust::System)
    }
}

/// A server that counts who comes.
async fn counting() -> (SocketAddr, Arc<AtomicUsize>) {
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    let address = server(move |mut tcp| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            tcp.write_all(b"* OK ready\r\n").await.unwrap();
            drained(&mut tcp).await.ok();
        }
    })
    .await;
    (address, came)
}

async fn fault_and_time(endpoint: &Endpoint) -> (Fault, std::time::Duration) {
    let begun = Instant::now();
    let fault = connect(endpoint).await.unwrap_err();
    (fault, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn forbidden_looks_exactly_like_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Somebody listens, and the guard refuses: by its network, by its port.
    let by_network = guarded("127.0.0.1", port, Guard::new().ports([port]));
    let by_port = guarded("127.0.0.1", port, Guard::new().allow([loopback()]));
    let forbidden = fault_and_time(&by_network).await;
    assert_eq!(forbidden, fault_and_time(&by_port).await);
    // Nobody listens, and the guard would let it through.
    drop(listener);
    let open = Guard::new().ports([port]).allow([loopback()]);
    let closed = fault_and_time(&guarded("127.0.0.1", port, open)).await;
    assert_eq!(forbidden, closed);
    let (fault, time) = forbidden;
    assert_eq!(fault.code, Code::HostUnreachable);
    assert_eq!(fault.at.server, Some(format!("127.0.0.1:{port}")));
    assert_eq!(
        fault.detail,
        "no connection could be made; check the address, the port and any firewall"
    );
    assert_eq!(time.as_secs(), 1);
}

/// Gives one answer after the other; the last one again and again, or none any more.
#[derive(Debug)]
struct Changing {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
    then_fails: bool,
}

impl Changing {
    fn new(answers: &[&[&str]], then_fails: bool) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|a| address(a)).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: AtomicUsize::new(0),
            then_fails,
        })
    }
}

impl Lookup for Changing {
    fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 => None,
            1 if !self.then_fails => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        async { answer.ok_or_else(|| io::ErrorKind::TimedOut.into()) }.boxed()
    }
}

#[tokio::test]
async fn an_answer_that_changes_is_checked_at_every_connection() {
    let (address, came) = counting().await;
    // 127.0.0.1 is permitted, 127.0.0.2 is not; both reach the same listener if they are dialled.
    let dns = Changing::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]], false);
    let only = Network::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let guard = Guard::new()
        .ports([address.port()])
        .allow([only])
        .lookup(dns.clone());
    let endpoint = guarded("mail.example.test", address.port(), guard);
    let mut first = connect(&endpoint).await.unwrap();
    assert_eq!(line(&mut first).await, "* OK ready\r\n");
    let fault = connect(&endpoint).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
    let mut third = connect(&endpoint).await.unwrap();
    assert_eq!(line(&mut third).await, "* OK ready\r\n");
    // One lookup for each connection: what was checked is what was dialled.
    assert_eq!(dns.asked.load(Ordering::SeqCst), 3);
    assert_eq!(came.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn forbidden_addresses_beside_a_permitted_one_are_not_dialled() {
    let (address, came) = counting().await;
    let dns = Changing::new(&[&["127.0.0.2", "127.0.0.3", "127.0.0.1"]], false);
    let only = Network::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let guard = Guard::new()
        .ports([address.port()])
        .allow([only])
        .lookup(dns);
    let endpoint = guarded("several.example.test", address.port(), guard);
    let mut stream = connect(&endpoint).await.unwrap();
    assert_eq!(line(&mut stream).await, "* OK ready\r\n");
    assert_eq!(stream.peer().address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(came.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn remembered_addresses_are_checked_too() {
    let (address, came) = counting().await;
    let dns = Changing::new(&[&["127.0.0.1"]], true);
    let open = Guard::new()
        .ports([address.port()])
        .allow([loopback()])
        .lookup(dns.clone());
    let endpoint = guarded("remembered.example.test", address.port(), open.clone());
    drop(connect(&endpoint).await.unwrap());
    // The resolver fails, the addresses of before are used, and are still permitted.
    drop(connect(&endpoint).await.unwrap());
    assert_eq!(came.load(Ordering::SeqCst), 2);
    // And now they are not.
    let shut = guarded(
        "remembered.example.test",
        address.port(),
        open.deny([loopback()]),
    );
    assert_eq!(resolve(&shut).await.unwrap(), [address]);
    let fault = connect(&shut).await.unwrap_err();
    assert_eq!(fault.code, Code::HostUnreachable);
    assert_eq!(came.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_certificate_that_was_refused_can_be_shown() {
    let authority = Authority::new();
    let other = Identity::self_signed("pinned.example.test").fingerprint();
    let expired = authority.sign_for_years("localhost", 2000, 2001);
    for (identity, trust, code, names) in [
        (
            authority.sign("other.example.test"),
            authority.trust(),
            Code::TlsName,
            "other.example.test",
        ),
        (expired, authority.trust(), Code::TlsExpired, "localhost"),
        (
            Identity::self_signed("localhost"),
            authority.trust(),
            Code::TlsUntrusted,
            "localhost",
        ),
        (
            Identity::self_signed("localhost"),
            Trust::Pinned(other),
            Code::TlsPin,
            "localhost",
        ),
    ] {
        let address = tls_server(identity.acceptor()).await;
        let witness = Witness::default();
        let endpoint = Endpoint {
            witness: Some(witness.clone()),
            ..endpoint("localhost", address.port(), Security::ImplicitTls, trust)
        };
        let fault = connect(&endpoint).await.unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
        let refused = Presented {
            fingerprint: identity.fingerprint(),
            names: vec![names.to_owned()],
            code,
        };
        assert_eq!(witness.refused(), Some(refused));
    }
}
