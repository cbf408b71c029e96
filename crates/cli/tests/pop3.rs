//! A POP3 server as a source, by the binary: what people are told and asked. Copies from real
//! servers are in `servers/pop3.rs`.

mod pair;
mod run;

use pair::held::{Held, held};
use pair::{Servers, run};
use run::{Home, Said};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// A message without a date, so that nothing is old.
const MAIL: &str = "Subject: a\r\n\r\nx\r\n";

/// A server with one message; answers its port.
fn serve(capabilities: &'static [&'static str], has_uidl: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || session(&stream, capabilities, has_uidl));
        }
    });
    port
}

/// Answers until the client leaves.
fn session(stream: &TcpStream, capabilities: &[&str], has_uidl: bool) {
    let mut out = stream;
    let mut say = |text: &str| out.write_all(text.as_bytes());
    if say("+OK ready\r\n").is_err() {
        return;
    }
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let answer = match line.split(' ').next().unwrap_or_default() {
            "CAPA" => format!("+OK\r\n{}\r\n.\r\n", capabilities.join("\r\n")),
            "STAT" => format!("+OK 1 {}\r\n", MAIL.len()),
            "LIST" => format!("+OK\r\n1 {}\r\n.\r\n", MAIL.len()),
            "UIDL" if has_uidl => "+OK\r\n1 name-1\r\n.\r\n".to_owned(),
            "TOP" | "RETR" => format!("+OK\r\n{MAIL}.\r\n"),
            "USER" | "PASS" | "NOOP" | "QUIT" => "+OK\r\n".to_owned(),
            _ => "-ERR unknown\r\n".to_owned(),
        };
        if say(&answer).is_err() {
            return;
        }
    }
}

fn copy(home: &Home, servers: &Servers, port: u16, more: &[&str]) -> Said {
    let from = format!("pop3+insecure://taro@127.0.0.1:{port}");
    let to = servers.destination();
    run(home, &pair::with_passwords("copy", &from, &to, more))
}

fn arrived(servers: &Servers) -> BTreeMap<String, Vec<String>> {
    let all = held(&servers.new.account("taro").expect("the account"));
    let texts = |all: Vec<Held>| all.into_iter().map(|m| m.octets).collect::<Vec<_>>();
    let all = all.into_iter().map(|(name, all)| (name, texts(all)));
    all.filter(|(_, texts)| !texts.is_empty()).collect()
}

fn inbox_only() -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([("INBOX".to_owned(), vec![MAIL.to_owned()])])
}

#[test]
fn a_server_that_may_delete_is_read_only_with_consent() {
    let (home, servers) = (Home::new(), Servers::start());
    let port = serve(&["TOP", "UIDL", "USER", "EXPIRE 0"], true);
    let said = copy(&home, &servers, port, &[]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("[S603]"), "{said:?}");
    assert!(said.err.contains("--accept-deletion"), "{said:?}");
    let japanese = copy(&home, &servers, port, &["--lang", "ja"]);
    assert!(japanese.err.contains("--accept-deletion"), "{japanese:?}");
    assert_eq!((servers.arrived(), home.has_ledger()), (0, false));

    let said = copy(&home, &servers, port, &["--accept-deletion"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(arrived(&servers), inbox_only());
}

#[test]
fn a_server_without_names_is_told_of_and_nothing_is_doubled() {
    let (home, servers) = (Home::new(), Servers::start());
    let port = serve(&["TOP", "USER"], false);
    for _ in 0..2 {
        let said = copy(&home, &servers, port, &[]);
        assert_eq!(said.exit, 0, "{said:?}");
        assert!(said.err.contains("no lasting names"), "{said:?}");
        assert_eq!(arrived(&servers), inbox_only());
    }
    let json = copy(&home, &servers, port, &["--json"]);
    assert_eq!((json.exit, json.err.as_str()), (0, ""), "{json:?}");
    let folders = [
        "folders",
        &format!("pop3+insecure://taro@127.0.0.1:{port}"),
        "--password-env",
        "PW",
    ];
    let folders = run(&home, &folders);
    assert_eq!(folders.exit, 0, "{folders:?}");
    assert!(
        folders.out.contains("INBOX") && folders.out.contains("1 message"),
        "{folders:?}"
    );
}
