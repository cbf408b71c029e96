//! A DNS server of the test's own: UDP, a few records that can change at any time, every answer with a lifetime of zero.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// MX: preference and host; `.` for a domain that takes no mail (RFC 7505).
    Mail(u16, String),
    /// SRV: priority, weight, port and host; `.` for a service that is not offered (RFC 2782).
    Service(u16, u16, u16, String),
}

impl Record {
    fn kind(&self) -> u16 {
        match self {
            Self::Address(IpAddr::V4(_)) => 1,
            Self::Mail(..) => 15,
            Self::Address(IpAddr::V6(_)) => 28,
            Self::Service(..) => 33,
        }
    }

    fn data(&self) -> Vec<u8> {
        match self {
            Self::Address(IpAddr::V4(v4)) => v4.octets().to_vec(),
            Self::Address(IpAddr::V6(v6)) => v6.octets().to_vec(),
            Self::Mail(preference, host) => {
                let mut data = preference.to_be_bytes().to_vec();
                data.extend(wire_name(host));
                data
            }
            Self::Service(priority, weight, port, host) => {
                let mut data = Vec::new();
                for number in [priority, weight, port] {
                    data.extend(number.to_be_bytes());
                }
                data.extend(wire_name(host));
                data
            }
        }
    }
}

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct Dns {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By name in lower case, without a closing dot.
    names: Mutex<BTreeMap<String, Vec<Record>>>,
    asked: Mutex<Vec<String>>,
    is_silent: AtomicBool,
    is_over: AtomicBool,
}

impl Dns {
    /// Listens on a free port of 127.0.0.1 and knows no name.
    pub fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        let thread = std::thread::spawn(move || serve(&socket, &serving));
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the name has exactly these records; none at all still is a name.
    pub fn set(&self, name: &str, records: impl IntoIterator<Item = Record>) {
        lock(&self.shared.names).insert(name.to_lowercase(), records.into_iter().collect());
    }

    /// From now on the name has exactly these addresses.
    pub fn set_addresses(&self, name: &str, addresses: &[&str]) {
        let parse = |text: &&str| text.parse().map(Record::Address);
        let records: Result<Vec<_>, _> = addresses.iter().map(parse).collect();
        self.set(name, records.expect("addresses as the test wrote them"));
    }

    /// From now on there is no such name.
    pub fn remove(&self, name: &str) {
        lock(&self.shared.names).remove(&name.to_lowercase());
    }

    /// Whether questions are left without an answer.
    pub fn silence(&self, is_silent: bool) {
        self.shared.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// The names that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread; where that fails it ends with the process.
        let woken = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.send_to(&[], self.address));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            drop(thread.join());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(socket: &UdpSocket, shared: &Shared) {
    let mut packet = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut packet) {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        if shared.is_silent.load(Ordering::SeqCst) {
            continue;
        }
        if let Some(answer) = answer(&packet[..length], shared) {
            // A client that has gone does not matter.
            drop(socket.send_to(&answer, from));
        }
    }
}

/// The answer to a packet with one question (RFC 1035 §4.1); `None` for anything else.
fn answer(packet: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    let (name, end) = question(packet)?;
    let kind = u16::from_be_bytes(packet.get(end..end + 2)?.try_into().ok()?);
    let asked = packet.get(12..end + 4)?;
    lock(&shared.asked).push(name.clone());
    let names = lock(&shared.names);
    let records = names.get(&name);
    let fitting: Vec<&Record> = records
        .into_iter()
        .flatten()
        .filter(|record| record.kind() == kind)
        .collect();
    let mut answer = packet.get(..2)?.to_vec();
    // A response to a standard query, recursion available; NXDOMAIN for names that are not there.
    answer.extend([0x81, if records.is_some() { 0x80 } else { 0x83 }]);
    for count in [1, u16::try_from(fitting.len()).ok()?, 0, 0] {
        answer.extend(count.to_be_bytes());
    }
    answer.extend(asked);
    for record in fitting {
        // The name of the question, class IN, no lifetime.
        answer.extend([0xc0, 12]);
        answer.extend(record.kind().to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0]);
        let data = record.data();
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

/// The name that is asked for in lower case, and where it ends.
fn question(packet: &[u8]) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        match length {
            0 => return Some((labels.join(".").to_lowercase(), at)),
            1..=63 => {
                let label = packet.get(at..at + length)?;
                labels.push(String::from_utf8_lossy(label).into_owned());
                at += length;
            }
            _ => return None,
        }
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a label of a test is short"));
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(dns: &Dns, name: &str, kind: u16) -> Vec<u8> {
        let mut query = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(wire_name(name));
        query.extend(kind.to_be_bytes());
        query.extend([0, 1]);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(&query, dns.address()).expect("sent");
        let mut packet = [0; 512];
        let length = socket.recv(&mut packet).expect("an answer");
        assert_eq!(packet[..2], [7, 9]);
        packet[2..length].to_vec()
    }

    #[test]
    fn records_are_answered_and_can_change() {
        let dns = Dns::start().expect("a server");
        dns.set_addresses("Mail.example.test", &["127.0.0.7", "::1"]);
        let first = ask(&dns, "mail.EXAMPLE.test", 1);
        assert_eq!(first[..6], [0x81, 0x80, 0, 1, 0, 1]);
        assert_eq!(first[first.len() - 4..], [127, 0, 0, 7]);
        dns.set("mail.example.test", [Record::Mail(10, "mx.test".into())]);
        assert_eq!(
            ask(&dns, "mail.example.test", 1)[..6],
            [0x81, 0x80, 0, 1, 0, 0]
        );
        let mail = ask(&dns, "mail.example.test", 15);
        assert_eq!(mail[mail.len() - 11..], *b"\x00\x0a\x02mx\x04test\x00");
        dns.remove("mail.example.test");
        assert_eq!(ask(&dns, "mail.example.test", 1)[..2], [0x81, 0x83]);
        assert_eq!(dns.asked(), ["mail.example.test"; 4]);
    }
}
