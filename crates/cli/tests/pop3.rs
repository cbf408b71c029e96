//! A POP3 server as a source, by the binary: what people are told and asked. Copies from real
//! servers are in `servers/pop3.rs`.

mod pair;
mod pop;
mod run;

use pair::held::{Held, held};
use pair::{Servers, run};
use pop::{MAIL, Pop};
use run::{Home, Said};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;

/// The same at an address of its own, where an IMAP server has its usual port too; `None` where
/// nobody may have that port.
fn serve_beside_imap(address: &str, greeting: &'static str) -> Option<Pop> {
    let imap = TcpListener::bind((address, 143)).ok()?;
    std::thread::spawn(move || {
        for mut stream in imap.incoming().map_while(Result::ok) {
            stream.write_all(greeting.as_bytes()).ok();
        }
    });
    Some(Pop::at(address, &["TOP", "UIDL", "USER"], true, vec![MAIL]))
}

fn serve(capabilities: &'static [&'static str], has_uidl: bool) -> Pop {
    Pop::at("127.0.0.1", capabilities, has_uidl, vec![MAIL])
}

fn copy(home: &Home, servers: &Servers, pop: &Pop, more: &[&str]) -> Said {
    let from = pop.locator();
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
    let pop = serve(&["TOP", "UIDL", "USER", "EXPIRE 0"], true);
    let said = copy(&home, &servers, &pop, &[]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("[S603]"), "{said:?}");
    assert!(said.err.contains("--accept-deletion"), "{said:?}");
    let japanese = copy(&home, &servers, &pop, &["--lang", "ja"]);
    assert!(japanese.err.contains("--accept-deletion"), "{japanese:?}");
    assert_eq!((servers.arrived(), home.has_ledger()), (0, false));

    let said = copy(&home, &servers, &pop, &["--accept-deletion"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(arrived(&servers), inbox_only());
}

#[test]
fn a_server_without_names_is_told_of_and_nothing_is_doubled() {
    let (home, servers) = (Home::new(), Servers::start());
    let pop = serve(&["TOP", "USER"], false);
    for _ in 0..2 {
        let said = copy(&home, &servers, &pop, &[]);
        assert_eq!(said.exit, 0, "{said:?}");
        assert!(said.err.contains("no lasting names"), "{said:?}");
        assert_eq!(arrived(&servers), inbox_only());
    }
    let json = copy(&home, &servers, &pop, &["--json"]);
    assert_eq!((json.exit, json.err.as_str()), (0, ""), "{json:?}");
    let folders = ["folders", &pop.locator(), "--password-env", "PW"];
    let folders = run(&home, &folders);
    assert_eq!(folders.exit, 0, "{folders:?}");
    assert!(
        folders.out.contains("INBOX") && folders.out.contains("1 message"),
        "{folders:?}"
    );
}

#[allow(clippy::print_stderr, reason = "whoever runs the tests has to know")]
fn skipped() {
    eprintln!("SKIPPED: port 143 cannot be had, so nothing stands beside POP3");
}

#[test]
fn imap_beside_pop3_is_said_to_be_better() {
    let (home, servers) = (Home::new(), Servers::start());
    let address = "127.41.41.1";
    let Some(pop) = serve_beside_imap(address, "* OK [CAPABILITY IMAP4rev1] ready\r\n") else {
        skipped();
        return;
    };
    let from = pop.locator();
    // STARTTLS is hoped for; whoever tries it is told where it is not offered.
    let written = format!("imap://taro@{address}");
    let to = servers.destination();
    for (command, lang) in [("plan", "en"), ("copy", "ja"), ("copy", "en")] {
        let arguments = pair::with_passwords(command, &from, &to, &["--lang", lang]);
        let said = run(&home, &arguments);
        assert_eq!(said.exit, 0, "{said:?}");
        let told: Vec<&str> = said.err.lines().filter(|l| l.contains(&written)).collect();
        assert_eq!(told.len(), 1, "{command} {lang}: {said:?}");
    }
    let json = run(
        &home,
        &pair::with_passwords("copy", &from, &to, &["--json"]),
    );
    assert_eq!((json.exit, json.err.as_str()), (0, ""), "{json:?}");
    let lines = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"));
    let lines: Vec<serde_json::Value> = lines.collect();
    let told: Vec<_> = lines
        .iter()
        .filter(|l| l["type"] == "imap_beside")
        .collect();
    assert_eq!(told.len(), 1, "{json:?}");
    assert_eq!(told[0]["account"], written);
    assert_eq!(lines.last().expect("a line")["type"], "report");
    let folders = run(&home, &["folders", &from, "--password-env", "PW"]);
    assert!(folders.err.contains(&written), "{folders:?}");
    assert_eq!(arrived(&servers), inbox_only());
}

#[test]
fn what_greets_otherwise_is_no_imap() {
    let (home, servers) = (Home::new(), Servers::start());
    let address = "127.41.41.2";
    let Some(pop) = serve_beside_imap(address, "220 ftp\r\n") else {
        skipped();
        return;
    };
    let from = pop.locator();
    let to = servers.destination();
    let said = run(&home, &pair::with_passwords("copy", &from, &to, &[]));
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(!said.err.contains("imap"), "{said:?}");
    assert_eq!(arrived(&servers), inbox_only());
}
