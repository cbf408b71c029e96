//! The endpoint at which Dovecot asks whether a token is good (RFC 7662): a few lines of HTTP in the test process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// Tokens and whose they are. The thread that answers lives as long as the process.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    port: u16,
    users: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Tokens {
    pub(super) fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let tokens = Self {
            port: listener.local_addr()?.port(),
            users: Arc::default(),
        };
        let answering = tokens.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tokens = answering.clone();
                // A caller that goes away in the middle has its own error to tell.
                std::thread::spawn(move || tokens.answer(&stream).ok());
            }
        });
        Ok(tokens)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Makes a token for a user.
    pub(super) fn issue(&self, user: &str) -> String {
        let mut users = self.users();
        let token = format!("token-{}-of-{user}", users.len() + 1);
        users.insert(token.clone(), user.to_owned());
        token
    }

    /// Makes a token worthless.
    pub(super) fn revoke(&self, token: &str) {
        self.users().remove(token);
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one connection, request after request.
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut reader = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let body = String::from_utf8_lossy(&body).into_owned();
            let token = body
                .split('&')
                .find_map(|pair| pair.strip_prefix("token="))
                .map(decoded);
            let users = self.users();
            let json = match token.and_then(|token| users.get(&token)) {
                Some(user) => format!("{{\"active\": true, \"username\": \"{user}\"}}"),
                None => "{\"active\": false}".to_owned(),
            };
            drop(users);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
            (&*stream).write_all(
                format!("{head}\r\nContent-Length: {}\r\n\r\n{json}", json.len()).as_bytes(),
            )?;
        }
    }
}

/// Undoes the percent-encoding of a form value.
fn decoded(value: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hexadecimal = rest
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match (
            first,
            hexadecimal.and_then(|digits| u8::from_str_radix(digits, 16).ok()),
        ) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &rest[2..];
            }
            (b'+', _) => octets.push(b' '),
            _ => octets.push(*first),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
