//! What may never be seen: passwords, in whatever the program writes; and what may
//! never act: texts of servers and messages, on a terminal or in a spreadsheet.

mod pair;
mod run;

use hikyaku_memserver::{Action, NewMessage, Refusal, Rule};
use pair::{PASSWORD, Servers, copy, run, with_passwords};
use run::{Home, Said};
use std::path::Path;

/// The password as it is, and as base64 makes it visible inside a longer text: at any
/// of the three places where it can begin.
fn forms() -> Vec<String> {
    let mut forms = vec![PASSWORD.to_owned(), PASSWORD.to_uppercase()];
    for before in 0..3 {
        let mut octets = vec![0u8; before];
        octets.extend(PASSWORD.as_bytes());
        let encoded = base64(&octets);
        // Letters that also hold bits of what stands before or behind say nothing.
        let (first, last) = ((before * 8).div_ceil(6), octets.len() * 8 / 6);
        forms.push(encoded[first..last].to_owned());
    }
    forms
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = octets
        .iter()
        .flat_map(|o| (0..8).rev().map(move |bit| o >> bit & 1))
        .peekable();
    let mut out = String::new();
    while bits.peek().is_some() {
        let letter = (0..6).fold(0, |sum, _| sum << 1 | bits.next().unwrap_or(0));
        out.push(char::from(LETTERS[usize::from(letter)]));
    }
    out
}

fn assert_silent(what: &str, octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for form in forms() {
        assert!(!text.contains(&form), "{what} holds the password as {form}");
    }
}

fn assert_all_silent(home: &Home, said: &[Said]) {
    for said in said {
        assert_silent("standard output", said.out.as_bytes());
        assert_silent("standard error", said.err.as_bytes());
    }
    let mut files = 0;
    walk(home.root(), &mut |path| {
        files += 1;
        let octets = std::fs::read(path).expect("a file");
        assert_silent(&path.display().to_string(), &octets);
    });
    assert!(files > 0, "the ledger was looked at");
}

fn walk(directory: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => walk(&path, each),
            false => each(&path),
        }
    }
}

#[test]
fn the_password_is_looked_for_in_every_form() {
    assert_eq!(base64(b"\0taro\0planted-4711"), "AHRhcm8AcGxhbnRlZC00NzEx");
    let sasl = base64(b"\0taro\0planted-4711");
    assert!(
        forms().iter().any(|form| sasl.contains(form)),
        "{:?}",
        forms()
    );
}

/// Every way through the program, with the most talkative log there is.
#[test]
fn no_output_log_or_file_holds_a_password() {
    let home = Home::new();
    let servers = Servers::start();
    let (old, new) = (servers.source(), servers.destination());
    let talk = |arguments: &[&str], password: &str| {
        let mut command = home.command(arguments);
        home.finish(command.env("PW", password).env("HIKYAKU_LOG", "trace"))
    };
    let mut said = Vec::new();

    // Right, with and without JSON; every mechanism that the server offers.
    said.push(talk(
        &with_passwords("copy", &old, &new, &["-vv"]),
        PASSWORD,
    ));
    assert_eq!(said[0].exit, 0, "{said:?}");
    assert!(said[0].err.len() > 1000, "there is a log: {said:?}");
    said.push(talk(
        &with_passwords("copy", &old, &new, &["-vv", "--json"]),
        PASSWORD,
    ));
    assert_eq!(said[1].exit, 0, "{said:?}");

    // Refused: it is the right one of another account.
    servers.new.add_account("hanako", "another");
    let wrong = format!("imap+insecure://hanako@127.0.0.1:{}", servers.new.port());
    said.push(talk(
        &with_passwords("copy", &old, &wrong, &["-vv"]),
        PASSWORD,
    ));
    assert_eq!(said[2].exit, 4, "{said:?}");
    said.push(talk(
        &with_passwords("copy", &old, &wrong, &["-vv", "--json"]),
        PASSWORD,
    ));

    // A server that asks for a pause.
    let busy = Refusal::no("[UNAVAILABLE] try again later");
    servers
        .new
        .play(Rule::on("AUTHENTICATE", Action::Answer(busy)).always());
    let impatient = with_passwords("copy", &old, &new, &["-vv", "--no-wait"]);
    said.push(talk(&impatient, PASSWORD));
    assert_eq!(said[4].exit, 7, "{said:?}");
    servers.new.play(hikyaku_memserver::Script::new());

    // What is kept, shown again.
    for arguments in [
        &["jobs"][..],
        &["jobs", "--json"],
        &["report"],
        &["report", "--format", "json"],
        &["report", "--format", "csv"],
    ] {
        said.push(talk(arguments, PASSWORD));
        assert_eq!(said.last().map(|s| s.exit), Some(0), "{said:?}");
    }
    said.push(talk(
        &["size", &new, "--password-env", "PW", "-vv"],
        PASSWORD,
    ));
    // A command that holds it, and one that fails after printing it.
    let printing = format!("printf {PASSWORD}; exit 3");
    let file = [
        "--source-password-command",
        &printing,
        "--destination-password-env",
        "PW",
    ];
    let mut arguments = vec!["copy", &old, &new, "-vv"];
    arguments.extend(file);
    said.push(talk(&arguments, PASSWORD));
    assert_eq!(said.last().map(|s| s.exit), Some(1), "{said:?}");
    assert_all_silent(&home, &said);
}

const HOSTILE: &str = "=HYPERLINK(\"http://x\")\u{1b}]0;title\u{7}\u{202e}gpj";

/// A server's refusal, a subject, a sender and a folder that try to act.
fn hostile() -> Servers {
    let servers = Servers::start();
    let account = servers.old.account("taro").expect("the account");
    let text = format!("Subject: {HOSTILE}\r\nFrom: @SUM(1)\u{9b}2J <a@b>\r\n\r\nx\r\n");
    account.add_message("+cmd\u{202e}", NewMessage::new(text));
    let refusal = Refusal::no(format!("[CANNOT] {HOSTILE}"));
    servers
        .new
        .play(Rule::on("APPEND", Action::Answer(refusal)).always());
    servers
}

fn assert_tame(what: &str, text: &str) {
    let bad = text
        .chars()
        .find(|c| *c != '\n' && *c != '\r' && hikyaku_text::escape::is_unseen(*c));
    let at_start = text.starts_with('\u{feff}');
    assert!(bad.is_none() || at_start, "{what}: {bad:?} in {text}");
    assert!(
        !text
            .trim_start_matches('\u{feff}')
            .contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
        "{what}"
    );
}

#[test]
fn hostile_texts_act_nowhere() {
    let (home, servers) = (Home::new(), hostile());
    for lang in ["en", "ja"] {
        let said = copy(
            &home,
            &servers,
            &["--lang", lang, "--folder", "+cmd\u{202e}"],
        );
        assert_eq!(said.exit, 3, "{said:?}");
        assert_tame("text", &said.out);
        assert_tame("notes", &said.err);
        assert!(
            said.out.contains("HYPERLINK"),
            "what was said is shown: {said:?}"
        );
    }
    let csv = run(&home, &["report", "--format", "csv"]);
    assert_eq!(csv.exit, 0, "{csv:?}");
    assert_tame("CSV", &csv.out);
    let exception = csv
        .out
        .lines()
        .find(|line| line.starts_with("exception"))
        .expect("an exception");
    for formula in ["\"'=HYPERLINK", "\"'@SUM", "\"'+cmd"] {
        assert!(exception.contains(formula), "{formula}: {exception}");
    }
    let plain = run(&home, &["report"]);
    assert_tame("the report again", &plain.out);
    let json = run(&home, &["report", "--format", "json"]);
    assert_tame("JSON", &json.out);
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("an object");
    let heading = &report["exceptions"][0]["heading"];
    assert_eq!(heading["subject"], HOSTILE, "nothing is lost: {heading}");
    let streamed = copy(&home, &servers, &["--json", "--folder", "+cmd\u{202e}"]);
    assert_tame("the stream", &streamed.out);
    assert!(
        streamed
            .out
            .lines()
            .all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok())
    );
    let verbose = copy(&home, &servers, &["-vv", "--folder", "+cmd\u{202e}"]);
    assert_tame("the log", &verbose.err);
}
