//! Servers that ask for a pause, or have no room, or change the password in the middle:
//! what a person and a script see of it, and that nothing is lost or doubled.

mod pair;
mod run;

use hikyaku_memserver::{Action, NewMessage, Quota, Refusal, Rule, Script};
use pair::{PASSWORD, Servers, copy, run, with_passwords};
use run::{Home, Said};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Stdio};

fn objects(said: &Said) -> Vec<Value> {
    let lines = said.out.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect()
}

fn types(objects: &[Value]) -> Vec<&str> {
    objects.iter().filter_map(|o| o["type"].as_str()).collect()
}

/// The destination refuses the first login like this.
fn refuses_once(text: &str) -> Servers {
    let servers = Servers::start();
    let answer = Action::Answer(Refusal::no(text));
    servers.new.play(Rule::on("AUTHENTICATE", answer));
    servers
}

#[test]
fn a_server_that_is_busy_at_login_is_waited_for_in_sight() {
    for (lang, waits, goes_on, waited) in [
        (
            "en",
            "On hold (destination: Server is busy). It goes on by itself at ",
            "Going on.",
            "in all for the destination: Server is busy (once).",
        ),
        (
            "ja",
            "待機中です（コピー先：サーバーの制限または混雑）。",
            "再開しました。",
            "（コピー先：サーバーの制限または混雑・1回）",
        ),
    ] {
        let (home, servers) = (Home::new(), refuses_once("[UNAVAILABLE] Temporary failure"));
        let said = copy(&home, &servers, &["--lang", lang]);
        assert_eq!((said.exit, servers.arrived()), (0, 31), "{said:?}");
        assert_eq!(said.err.matches(waits).count(), 1, "{said:?}");
        assert_eq!(said.err.matches(goes_on).count(), 1, "{said:?}");
        assert!(said.out.contains(waited), "{said:?}");
        let report = run(&home, &["report", "--lang", lang]);
        assert!(report.out.contains(waited), "{report:?}");
        let csv = run(&home, &["report", "--format", "csv"]);
        assert!(
            csv.out.contains("L401,server.busy,destination,1,"),
            "{csv:?}"
        );
    }
}

#[test]
fn waits_at_login_are_events_and_stand_in_the_report() {
    let (home, servers) = (Home::new(), refuses_once("[LIMIT] Too many connections"));
    let said = copy(&home, &servers, &["--json"]);
    assert_eq!((said.exit, servers.arrived()), (0, 31), "{said:?}");
    let lines = objects(&said);
    assert_eq!(
        types(&lines)[..3],
        ["start", "waiting", "resumed"],
        "{said:?}"
    );
    assert_eq!(lines[1]["because"]["code"], "server.connections");
    assert_eq!(lines[1]["because"]["side"], "destination");
    let report = lines.last().expect("a report");
    assert_eq!(report["type"], "report");
    let waits = &report["waits"];
    assert_eq!(waits.as_array().map(Vec::len), Some(1), "{waits}");
    assert_eq!(waits[0]["code"], "server.connections");
    assert_eq!(
        (&waits[0]["side"], &waits[0]["times"]),
        (&"destination".into(), &1.into())
    );
    assert!(
        waits[0]["millis"]
            .as_u64()
            .is_some_and(|millis| millis >= 500),
        "{waits}"
    );
    assert_eq!(said.err, "");
}

#[test]
fn a_greeting_that_says_bye_is_waited_out() {
    for (bye, code) in [("Server busy", "L401"), ("Shutting down", "L401")] {
        let (home, servers) = (Home::new(), Servers::start());
        servers.old.play(Rule::on_greeting(Action::Bye(bye.into())));
        let said = copy(&home, &servers, &["--json"]);
        assert_eq!((said.exit, servers.arrived()), (0, 31), "{bye}: {said:?}");
        let lines = objects(&said);
        assert_eq!(lines[1]["type"], "waiting", "{bye}: {said:?}");
        assert_eq!(lines[1]["because"]["short"], code, "{bye}: {said:?}");
    }
}

#[test]
fn without_waiting_the_run_ends_with_7_and_the_next_one_copies_all() {
    for (text, code) in [
        ("[UNAVAILABLE] Temporary failure", "L401"),
        ("[LIMIT] Too many connections", "L402"),
    ] {
        for lang in ["en", "ja"] {
            let (home, servers) = (Home::new(), refuses_once(text));
            let said = copy(&home, &servers, &["--no-wait", "--lang", lang]);
            assert_eq!((said.exit, said.out.as_str()), (7, ""), "{said:?}");
            assert!(said.err.contains(&format!("[{code}]")), "{said:?}");
            assert!(said.err.contains("→"), "{said:?}");
            assert!(said.err.contains("--no-wait"), "{said:?}");
            assert_eq!(said.err.contains("コピー先"), lang == "ja", "{said:?}");
            assert_eq!((servers.arrived(), home.has_ledger()), (0, false));
            let again = copy(&home, &servers, &["--no-wait"]);
            assert_eq!((again.exit, servers.arrived()), (0, 31), "{again:?}");
        }
    }
    let (home, servers) = (Home::new(), refuses_once("[UNAVAILABLE] Temporary failure"));
    let said = copy(&home, &servers, &["--no-wait", "--json"]);
    assert_eq!(said.exit, 7, "{said:?}");
    let lines = objects(&said);
    assert_eq!(types(&lines), ["start", "fault"], "{said:?}");
    assert_eq!(lines[1]["short"], "L401");
}

#[test]
fn a_refused_login_is_tried_once_however_patient() {
    let (home, servers) = (Home::new(), Servers::start());
    let (old, new) = (servers.source(), servers.destination());
    let command = with_passwords("copy", &old, &new, &[]);
    let said = home.finish(home.command(&command).env("PW", "wrong"));
    assert_eq!(said.exit, 4, "{said:?}");
    let tries = [&servers.old, &servers.new].map(|s| s.transcript().of("AUTHENTICATE").len());
    assert!(tries.iter().all(|tries| *tries <= 1), "{tries:?}");
    assert!(tries.iter().sum::<usize>() >= 1, "{tries:?}");
    assert!(!said.err.contains("On hold"), "{said:?}");
}

#[test]
fn a_pause_in_the_middle_is_waited_out_and_told() {
    let (home, servers) = (Home::new(), Servers::start());
    let busy = Action::Answer(Refusal::no("[THROTTLED] Slow down, try again in 2 seconds"));
    servers.old.play(Rule::on("EXAMINE", busy));
    let said = copy(&home, &servers, &[]);
    assert_eq!((said.exit, servers.arrived()), (0, 31), "{said:?}");
    let begins = "On hold (source: Server is busy). It goes on by itself at ";
    assert_eq!(said.err.matches(begins).count(), 1, "{said:?}");
    assert_eq!(said.err.matches("Going on.").count(), 1, "{said:?}");
    let waited = "in all for the source: Server is busy (once).";
    assert!(said.out.contains(waited), "{said:?}");
}

#[test]
fn a_pause_in_the_middle_that_nobody_wants_ends_with_7() {
    for (lang, at_source) in [("en", false), ("ja", true)] {
        let (home, servers) = (Home::new(), Servers::start());
        let busy = Action::Answer(Refusal::no("[THROTTLED] Slow down, try again in 2 seconds"));
        match at_source {
            true => servers.old.play(Rule::on("EXAMINE", busy).always()),
            false => servers.new.play(Rule::on("APPEND", busy).always()),
        }
        let said = copy(&home, &servers, &["--no-wait", "--lang", lang]);
        assert_eq!((said.exit, servers.arrived()), (7, 0), "{said:?}");
        assert!(said.out.contains("[L401]"), "{said:?}");
        assert!(said.err.contains("--no-wait"), "{said:?}");
        let asked = if at_source { "約2秒" } else { "about 2 s" };
        assert!(said.err.contains(asked), "{said:?}");
        let jobs = run(&home, &["jobs", "--json"]);
        assert_eq!(objects(&jobs)[0]["exit"], 7, "{jobs:?}");
        servers.old.play(Script::new());
        servers.new.play(Script::new());
        let again = copy(&home, &servers, &[]);
        assert_eq!((again.exit, servers.arrived()), (0, 31), "{again:?}");
    }
}

/// A destination with room for so many octets.
fn with_room(octets: u64) -> Servers {
    let servers = Servers::start();
    let account = servers.new.account("taro").expect("the account");
    account.set_quota(Quota {
        octets: Some(octets),
        ..Quota::default()
    });
    servers
}

#[test]
fn room_is_shown_before_the_copy() {
    let (home, servers) = (Home::new(), with_room(100 << 20));
    let (old, new) = (servers.source(), servers.destination());
    let plan = |more: &[&str]| run(&home, &with_passwords("plan", &old, &new, more));
    let said = plan(&["--lang", "ja"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.out
            .contains("コピー先の空き容量：100MB → コピー後 100MB"),
        "{said:?}"
    );
    assert!(
        said.out
            .contains("新しいメールのために10MBを空けておきます。"),
        "{said:?}"
    );
    let said = plan(&["--fill"]);
    assert!(
        said.out.contains("100 MB → 100 MB after the copy"),
        "{said:?}"
    );
    assert!(!said.out.contains("kept free"), "{said:?}");
    let said = plan(&["--json"]);
    let lines = objects(&said);
    let room = &lines.last().expect("a plan")["room"];
    assert_eq!(
        (&room["limit"], &room["kept"]),
        (&104_857_600.into(), &10_485_760.into())
    );
    assert_eq!(
        (&room["free"], &room["missing"]),
        (&104_857_600.into(), &0.into())
    );
    let size = ["size", &new, "--password-env", "PW"];
    let said = run(&home, &size);
    assert!(
        said.out.contains("Space: 0 B of 100 MB used, 100 MB free"),
        "{said:?}"
    );
    let said = run(&home, &[&size[..], &["--json"]].concat());
    let lines = objects(&said);
    assert_eq!(lines.last().expect("room")["type"], "room", "{said:?}");
    assert!(!home.has_ledger());
}

#[test]
fn a_copy_without_room_is_refused_with_its_figures_and_both_ways_out() {
    for (lang, missing) in [("en", "are missing"), ("ja", "不足します")] {
        let (home, servers) = (Home::new(), with_room(1024));
        let said = copy(&home, &servers, &["--lang", lang]);
        assert_eq!((said.exit, servers.arrived()), (6, 0), "{said:?}");
        assert!(said.err.contains(missing), "{said:?}");
        for way in ["--fit", "--fill"] {
            assert!(said.err.contains(way), "{way}: {said:?}");
        }
        assert!(said.err.contains("[Q30"), "{said:?}");
    }
    let (home, servers) = (Home::new(), with_room(1024));
    let said = copy(&home, &servers, &["--json"]);
    assert_eq!(said.exit, 6, "{said:?}");
    let lines = objects(&said);
    let room = lines
        .iter()
        .find(|o| o["type"] == "room")
        .expect("the figures");
    assert!(
        room["missing"].as_u64().is_some_and(|octets| octets > 0),
        "{room}"
    );
    assert_eq!(lines.last().expect("an end")["type"], "fault", "{said:?}");
}

/// Ten large messages in the inbox and ten in another folder.
fn tight(octets: u64) -> Servers {
    let servers = with_room(octets);
    let account = servers.old.account("taro").expect("the account");
    for folder in ["INBOX", "請求書/2024年"] {
        for n in 0..10 {
            let lines = "a line of some text\r\n".repeat(4_700);
            let text = format!("Subject: large{n}\r\n\r\n{lines}");
            account.add_message(folder, NewMessage::new(text));
        }
    }
    servers
}

#[test]
fn what_fits_is_copied_the_inbox_first_and_the_newest_first() {
    for (lang, rest) in [
        ("en", "(what did not fit)"),
        ("ja", "（入りきらなかったメール）"),
    ] {
        // Seven of twenty large messages, and what is kept free.
        let (home, servers) = (Home::new(), tight(800_000));
        let refused = copy(&home, &servers, &[]);
        assert_eq!((refused.exit, servers.arrived()), (6, 0), "{refused:?}");
        let said = copy(&home, &servers, &["--fit", "--lang", lang]);
        assert_eq!(said.exit, 3, "{said:?}");
        assert!(
            said.out.contains("[Q303]") && said.out.contains(rest),
            "{said:?}"
        );
        let account = servers.new.account("taro").expect("the account");
        let shot = account.snapshot();
        let large = |name: &str| {
            let mailbox = shot.mailbox(name).expect("the folder");
            let subjects = mailbox.messages.iter().map(|message| {
                let octets = message.body.bytes();
                let text = String::from_utf8_lossy(&octets);
                text.lines().next().unwrap_or_default().to_owned()
            });
            let mut large: Vec<String> = subjects.filter(|s| s.contains("large")).collect();
            large.sort();
            (large, mailbox.messages.len())
        };
        let newest: Vec<String> = (3..10).map(|n| format!("Subject: large{n}")).collect();
        assert_eq!(large("INBOX"), (newest, 37), "{said:?}");
        assert_eq!(large("請求書/2024年"), (Vec::new(), 1), "{said:?}");
        // With more room the rest follows, and nothing comes twice.
        account.set_quota(Quota::default());
        let rest = copy(&home, &servers, &[]);
        assert_eq!((rest.exit, servers.arrived()), (0, 51), "{rest:?}");
    }
}

#[test]
fn filling_uses_what_is_kept_free() {
    // Everything fits, but nothing would stay free for new mail.
    let (home, servers) = (Home::new(), tight(2_100_000));
    let refused = copy(&home, &servers, &[]);
    assert_eq!((refused.exit, servers.arrived()), (6, 0), "{refused:?}");
    assert!(refused.err.contains("[Q303]"), "{refused:?}");
    let said = copy(&home, &servers, &["--fill"]);
    assert_eq!((said.exit, servers.arrived()), (0, 51), "{said:?}");
}

#[test]
fn both_sides_say_how_they_were_reached() {
    let (home, servers) = (Home::new(), Servers::start());
    let (old, new) = (servers.old.port(), servers.new.port());
    let said = copy(&home, &servers, &["-v"]);
    assert_eq!(said.exit, 0, "{said:?}");
    for (side, port) in [("source", old), ("destination", new)] {
        let line =
            format!("Connected to the {side} (127.0.0.1:{port}): 127.0.0.1:{port}, not encrypted");
        assert_eq!(said.err.matches(&line).count(), 1, "{line}: {said:?}");
    }
    let said = copy(&home, &servers, &["--json"]);
    let lines = objects(&said);
    let reached: Vec<&Value> = lines.iter().filter(|o| o["type"] == "connected").collect();
    assert_eq!(reached.len(), 2, "{said:?}");
    let report = lines.last().expect("a report");
    for (n, (side, port)) in [("source", old), ("destination", new)]
        .into_iter()
        .enumerate()
    {
        for object in [reached[n], &report["servers"][n]] {
            assert_eq!(object["side"], side);
            assert_eq!(object["server"], format!("127.0.0.1:{port}"));
            assert_eq!(object["address"], format!("127.0.0.1:{port}"));
            assert_eq!(
                (&object["tls"], &object["pinned"]),
                (&Value::Null, &Value::Null)
            );
        }
    }
}

#[test]
fn fewer_connections_are_remembered_for_the_next_run() {
    let home = Home::new();
    let servers = Servers::with(|mut options| {
        options.limits.sessions_per_account = 1;
        options
    });
    // The run is held until the server has turned a second connection away.
    let child = silent(&home, &servers, &home.file("old.pass", PASSWORD));
    let turned_away = || {
        let transcript = servers.new.transcript();
        let mut refused = transcript.entries.iter().filter(|e| e.answer == Some("NO"));
        refused.any(|e| transcript.connections[e.connection as usize - 1].ended)
    };
    while !turned_away() {
        std::thread::yield_now();
    }
    servers.old.drop_connections();
    let first = ended(child);
    assert_eq!((first.exit, servers.arrived()), (0, 31), "{first:?}");
    assert!(!first.err.contains("in an earlier run"), "{first:?}");
    let second = copy(&home, &servers, &["-v"]);
    assert_eq!((second.exit, servers.arrived()), (0, 31), "{second:?}");
    let remembered = "The destination let in 1 connections at a time in an earlier run";
    assert!(second.err.contains(remembered), "{first:?} {second:?}");
}

/// A run whose source falls silent inside its first FETCH, with a password file; it
/// continues once the connections are dropped.
fn silent(home: &Home, servers: &Servers, password: &Path) -> Child {
    let fetch = Rule::on("UID FETCH", Action::Silence);
    servers.old.play(fetch);
    let (old, new) = (servers.source(), servers.destination());
    let password = password.to_str().expect("a path");
    let more = [
        "--source-password-file",
        password,
        "--destination-password-env",
        "PW",
    ];
    let arguments = [&["copy", &old, &new][..], &more].concat();
    let child = home
        .command(&arguments)
        .env("PW", PASSWORD)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    while servers.old.hits().iter().sum::<u32>() == 0 {
        std::thread::yield_now();
    }
    child
}

fn ended(child: Child) -> Said {
    let output = child.wait_with_output().expect("it ends");
    Said {
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
        exit: output.status.code().unwrap_or(-1),
    }
}

#[test]
fn a_password_that_changes_in_the_middle_is_read_again() {
    let (home, servers) = (Home::new(), Servers::start());
    let file = home.file("old.pass", PASSWORD);
    let child = silent(&home, &servers, &file);
    let account = servers.old.account("taro").expect("the account");
    account.set_password("planted-0815");
    home.file("old.pass", "planted-0815");
    servers.old.drop_connections();
    let said = ended(child);
    assert_eq!((said.exit, servers.arrived()), (0, 31), "{said:?}");
    assert!(
        said.err.contains("The source no longer accepts the login"),
        "{said:?}"
    );
    assert!(
        said.err.contains("Going on with the new password"),
        "{said:?}"
    );
    assert!(!said.err.contains("planted") && !said.out.contains("planted"));
}

#[test]
fn without_a_new_password_the_run_ends_with_4_and_the_next_one_continues() {
    let (home, servers) = (Home::new(), Servers::start());
    let file = home.file("old.pass", PASSWORD);
    let child = silent(&home, &servers, &file);
    let account = servers.old.account("taro").expect("the account");
    account.set_password("planted-0815");
    servers.old.drop_connections();
    let said = ended(child);
    assert_eq!(said.exit, 4, "{said:?}");
    assert!(said.err.contains("There is no new password"), "{said:?}");
    assert!(said.out.contains("[A20"), "{said:?}");
    let before = servers.arrived();
    account.set_password(PASSWORD);
    let again = copy(&home, &servers, &[]);
    assert_eq!(
        (again.exit, servers.arrived()),
        (0, 31),
        "{before}: {again:?}"
    );
}
