//! The octets of generated messages, made while they are read.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use super::random::Random;
use crate::judge::{Content, date};

/// Where a message's octets come from.
#[derive(Debug, Clone)]
pub enum Body {
    /// They are at hand.
    Octets(Vec<u8>),
    /// They are computed: an ordinary message of exactly this size, different for every seed, CRLF at every line end.
    Computed {
        /// Decides subject, Message-ID and content.
        seed: u64,
        /// The size, at least 512.
        octets: u64,
    },
}

impl Body {
    /// The size in octets.
    pub fn length(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Computed { octets, .. } => *octets,
        }
    }

    /// The octets from the beginning.
    pub fn reader(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Octets(octets) => Box::new(octets.as_slice()),
            Self::Computed { seed, octets } => Box::new(Computed::new(*seed, *octets)),
        }
    }

    /// Length and SHA-256, and the octets if there are at most `keep`.
    pub fn content(&self, keep: u64) -> io::Result<Content> {
        Content::read(&mut self.reader(), self.length(), keep)
    }
}

/// Lines of 76 letters, as base64 has them.
const LINE: usize = 78;
const POOL_LINES: usize = 16 * 1024;

/// Lines from which all bodies are cut, so that making a message costs little more than copying it.
fn pool() -> Arc<Vec<u8>> {
    static POOL: OnceLock<Arc<Vec<u8>>> = OnceLock::new();
    let make = || {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut random = Random::new(0x6869_6b79_616b_7500);
        let mut pool = Vec::with_capacity(POOL_LINES * LINE);
        for _ in 0..POOL_LINES {
            for _ in 0..(LINE - 2) / 4 {
                let bits = random.bits();
                pool.extend((0..4).map(|index| LETTERS[(bits >> (index * 6) & 63) as usize]));
            }
            pool.extend_from_slice(b"\r\n");
        }
        Arc::new(pool)
    };
    Arc::clone(POOL.get_or_init(make))
}

struct Computed {
    random: Random,
    pool: Arc<Vec<u8>>,
    /// What is read next: a range of the header or of the pool.
    header: Vec<u8>,
    header_read: usize,
    from: usize,
    to: usize,
    /// Octets of the body that follow after this range.
    left: u64,
}

impl Computed {
    fn new(seed: u64, octets: u64) -> Self {
        let mut random = Random::new(seed);
        let mut header = header(seed, &mut random);
        let whole = usize::try_from(octets).unwrap_or(usize::MAX);
        header.truncate(whole);
        let left = octets - header.len() as u64;
        Self {
            random,
            pool: pool(),
            header,
            header_read: 0,
            from: 0,
            to: 0,
            left,
        }
    }
}

impl Read for Computed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.header_read < self.header.len() {
            let length = (self.header.len() - self.header_read).min(buffer.len());
            buffer[..length]
                .copy_from_slice(&self.header[self.header_read..self.header_read + length]);
            self.header_read += length;
            return Ok(length);
        }
        if self.from == self.to {
            if self.left == 0 {
                return Ok(0);
            }
            // Up to 200 lines from a random place; the last two are ends of lines, so that the size comes out exactly.
            let first = self.random.between(0, (POOL_LINES - 200) as u64) as usize * LINE;
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
            (self.from, self.to) = if wanted <= LINE {
                (first + LINE - wanted, first + LINE)
            } else if wanted <= 2 * LINE {
                (first + LINE - wanted / 2, first + LINE)
            } else {
                (first, first + ((wanted - LINE) / LINE).min(200) * LINE)
            };
            self.left -= (self.to - self.from) as u64;
        }
        let length = (self.to - self.from).min(buffer.len());
        buffer[..length].copy_from_slice(&self.pool[self.from..self.from + length]);
        self.from += length;
        Ok(length)
    }
}

/// The header of an ordinary message, ending with the blank line.
fn header(seed: u64, random: &mut Random) -> Vec<u8> {
    const SUBJECTS: [&str; 6] = [
        "Re: meeting on Friday",
        // "ご請求書の送付について" and "お問い合わせありがとうございます" as RFC 2047 words.
        "=?UTF-8?B?44GU6KuL5rGC5pu444Gu6YCB5LuY44Gr44Gk44GE44Gm?=",
        "=?UTF-8?B?44GK5ZWP44GE5ZCI44KP44Gb44GC44KK44GM44Go44GG44GU44GW44GE44G+44GZ?=",
        "Fwd: photographs",
        "[list] weekly digest",
        "Your order has been sent",
    ];
    let when = 1_262_304_000 + random.between(0, 473_385_600) as i64;
    let subject = SUBJECTS[random.between(0, SUBJECTS.len() as u64) as usize];
    format!(
        "Return-Path: <sender{sender}@example.com>\r\nDate: {date}\r\nFrom: Sender {sender} <sender{sender}@example.com>\r\n\
         To: reader@example.jp\r\nSubject: {subject}\r\nMessage-ID: <{seed:016x}@example.com>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        sender = random.between(1, 500),
        date = date::format(when).trim_start().replacen('-', " ", 2),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::Body;

    #[test]
    fn computed_messages_have_exactly_their_size_and_end_with_a_line_end() {
        for octets in (512..900).chain([2_048, 70_000, 1_000_003]) {
            let body = Body::Computed {
                seed: octets,
                octets,
            };
            let mut all = Vec::new();
            body.reader().read_to_end(&mut all).unwrap();
            assert_eq!((all.len() as u64, body.length()), (octets, octets));
            let text = String::from_utf8(all).unwrap();
            assert!(
                text.ends_with("\r\n") && text.contains("\r\n\r\n"),
                "{octets}: {text:?}"
            );
            assert_eq!(
                text.replace("\r\n", "").find(['\r', '\n']),
                None,
                "{octets}"
            );
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_message_and_another_seed_another() {
        let content = |seed| {
            Body::Computed {
                seed,
                octets: 5_000,
            }
            .content(0)
            .unwrap()
        };
        assert_eq!(content(1), content(1));
        assert_ne!(content(1), content(2));
    }
}
