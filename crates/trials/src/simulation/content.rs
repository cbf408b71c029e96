//! Messages, from plain to odd, each unlike all others unless it is meant to be a twin.

use bytes::Bytes;

use super::random::Random;

/// Stands in every body, so that message text in a log is noticed.
pub(super) const BODY_CANARY: &str = "kanarienvogel-im-brieftext";

/// Makes messages and remembers them, so that some can be made again.
pub(super) struct Contents {
    random: Random,
    made: Vec<Bytes>,
    next: u64,
    /// The destination adds fields to every header: what has neither names nor text could not be known again.
    all_named: bool,
}

impl Contents {
    pub(super) fn new(random: Random, all_named: bool) -> Self {
        Self {
            random,
            made: Vec::new(),
            next: 0,
            all_named,
        }
    }

    /// A message like those of real mailboxes, with the odd ones that real mailboxes have.
    pub(super) fn any(&mut self) -> Bytes {
        let kind = self.random.below(100);
        if kind < 10 && !self.made.is_empty() {
            return self.random.pick(&self.made).clone();
        }
        let octets = self.fresh_of(kind);
        self.made.push(octets.clone());
        octets
    }

    /// A message that no other is or will be equal to.
    pub(super) fn stranger(&mut self) -> Bytes {
        let kind = self.random.between(10, 99);
        self.fresh_of(kind)
    }

    fn fresh_of(&mut self, kind: u64) -> Bytes {
        self.next += 1;
        let n = self.next;
        let kind = match kind {
            22..26 if self.all_named => 99,
            kind => kind,
        };
        let octets = match kind {
            0..14 => self.with_id(n, &format!("{}@example.jp", n / 2), 300),
            14..18 => self.without_id(n),
            18..22 => format!("Subject: same head\r\n\r\n{BODY_CANARY} {n:06}\r\n").into_bytes(),
            22..24 => {
                format!("Message-ID: <only-head-{n}@example.jp>\r\nSubject: head {n}\r\n\r\n")
                    .into_bytes()
            }
            24..26 => format!("no header at all, {BODY_CANARY} {n}\r\n").into_bytes(),
            26..29 => {
                let mut octets = self.with_id(n, &format!("end-{n}@example.jp"), 200);
                octets.truncate(octets.len() - 2);
                octets
            }
            29..32 => {
                let octets = self.with_id(n, &format!("lf-{n}@example.jp"), 400);
                octets.into_iter().filter(|b| *b != b'\r').collect()
            }
            32..33 => self.spiced(n, b"bare \r return"),
            33..34 => self.spiced(n, b"a \0 NUL"),
            34..36 => self.spiced(n, "８ビットの本文".as_bytes()),
            36..39 => {
                let mut octets = b"Subject: ".to_vec();
                octets.extend_from_slice(b"\xc3\xa4 \xe8\xab\x8b");
                octets.extend_from_slice(
                    format!(" {n}\r\nMessage-ID: <raw-{n}@example.jp>\r\n\r\n{BODY_CANARY}\r\n")
                        .as_bytes(),
                );
                octets
            }
            39..43 => {
                let octets = self.random.spread(10_000, 300_000);
                self.with_id(n, &format!("large-{n}@example.jp"), octets)
            }
            _ => {
                let octets = self.random.spread(150, 4_000);
                self.with_id(n, &format!("{n}@example.jp"), octets)
            }
        };
        Bytes::from(octets)
    }

    fn without_id(&mut self, n: u64) -> Vec<u8> {
        let mut octets =
            format!("Subject: no identity {n}\r\nFrom: a@example.jp\r\n\r\n").into_bytes();
        self.lines(&mut octets, n, 300);
        octets
    }

    fn with_id(&mut self, n: u64, id: &str, size: u64) -> Vec<u8> {
        let mut octets = format!(
            "Message-ID: <{id}>\r\nDate: Mon, 1 Jan 2024 00:00:{:02} +0900\r\nFrom: Sender {n} <s{n}@example.jp>\r\n\
             Subject: message {n}\r\nMIME-Version: 1.0\r\n\r\n",
            n % 60
        )
        .into_bytes();
        self.lines(&mut octets, n, size);
        octets
    }

    fn spiced(&mut self, n: u64, spice: &[u8]) -> Vec<u8> {
        let mut octets = self.with_id(n, &format!("spiced-{n}@example.jp"), 200);
        octets.extend_from_slice(spice);
        octets.extend_from_slice(b"\r\n");
        octets
    }

    fn lines(&mut self, octets: &mut Vec<u8>, n: u64, size: u64) {
        octets.extend_from_slice(format!("{BODY_CANARY} of {n}\r\n").as_bytes());
        let mut line = 0;
        while (octets.len() as u64) < size {
            line += 1;
            let text = format!(
                "line {line} of {n}: {:016x} a1 LOGOUT b2 DELETE INBOX\r\n",
                self.random.next()
            );
            octets.extend_from_slice(text.as_bytes());
        }
    }
}
