//! A POP3 server in this process that says what a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A message without a date, so that nothing is old.
pub(crate) const MAIL: &str = "Subject: a\r\n\r\nx\r\n";

/// The server; it ends with the test.
pub(crate) struct Pop {
    address: String,
    port: u16,
    desk: Arc<Desk>,
}

struct Desk {
    capabilities: &'static [&'static str],
    has_uidl: bool,
    messages: Vec<&'static str>,
    /// Every line that a client sent.
    heard: Mutex<Vec<String>>,
}

impl Pop {
    /// With these messages, at an address of this computer.
    pub(crate) fn at(
        address: &str,
        capabilities: &'static [&'static str],
        has_uidl: bool,
        messages: Vec<&'static str>,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let desk = Arc::new(Desk {
            capabilities,
            has_uidl,
            messages,
            heard: Mutex::default(),
        });
        let shared = desk.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let desk = shared.clone();
                std::thread::spawn(move || desk.session(&stream));
            }
        });
        Self {
            address: address.to_owned(),
            port,
            desk,
        }
    }

    pub(crate) fn locator(&self) -> String {
        format!("pop3+insecure://taro@{}:{}", self.address, self.port)
    }

    /// Every command that was sent, without its arguments.
    #[allow(dead_code, reason = "not every test file looks at what was sent")]
    pub(crate) fn verbs(&self) -> Vec<String> {
        let heard = self.desk.heard.lock().expect("not poisoned");
        let verb = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
        heard.iter().map(verb).collect()
    }
}

impl Desk {
    /// Answers until the client leaves.
    fn session(&self, stream: &TcpStream) {
        let mut out = stream;
        let mut say = |text: &str| out.write_all(text.as_bytes());
        if say("+OK ready\r\n").is_err() {
            return;
        }
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            self.heard.lock().expect("not poisoned").push(line.clone());
            if say(&self.answer(&line)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, line: &str) -> String {
        let numbered = |tell: &dyn Fn(usize, &str) -> String| {
            let lines = self.messages.iter().enumerate();
            let lines: String = lines.map(|(n, text)| tell(n + 1, text)).collect();
            format!("+OK\r\n{lines}.\r\n")
        };
        let mut words = line.split(' ');
        match words.next().unwrap_or_default() {
            "CAPA" => format!("+OK\r\n{}\r\n.\r\n", self.capabilities.join("\r\n")),
            "STAT" => {
                let octets: usize = self.messages.iter().map(|text| text.len()).sum();
                format!("+OK {} {octets}\r\n", self.messages.len())
            }
            "LIST" => numbered(&|n, text| format!("{n} {}\r\n", text.len())),
            "UIDL" if self.has_uidl => numbered(&|n, _| format!("{n} name-{n}\r\n")),
            "TOP" | "RETR" => {
                let number: Option<usize> = words.next().and_then(|n| n.parse().ok());
                let text = number.and_then(|n| self.messages.get(n - 1));
                text.map_or("-ERR no such message\r\n".to_owned(), |text| {
                    format!("+OK\r\n{text}.\r\n")
                })
            }
            "USER" | "PASS" | "NOOP" | "QUIT" => "+OK\r\n".to_owned(),
            _ => "-ERR unknown\r\n".to_owned(),
        }
    }
}
