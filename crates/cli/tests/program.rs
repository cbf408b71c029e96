//! The whole program against servers in this process: what it writes where, and how
//! it ends.

mod pair;
mod run;

use hikyaku_memserver::{Action, Rule};
use pair::{PASSWORD, Servers, copy, run, with_passwords};
use run::Home;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

#[test]
fn a_copy_arrives_is_reported_and_copies_nothing_twice() {
    let (home, servers) = (Home::new(), Servers::start());
    let (old, new) = (servers.source(), servers.destination());
    let plan = run(&home, &with_passwords("plan", &old, &new, &[]));
    assert_eq!(plan.exit, 0, "{plan:?}");
    assert!(plan.out.contains("請求書/2024年"), "{plan:?}");
    assert_eq!((servers.arrived(), home.has_ledger()), (0, false));

    let said = copy(&home, &servers, &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(servers.arrived(), 31);
    assert!(
        said.out
            .contains("31 messages at the source = 31 newly copied"),
        "{said:?}"
    );

    let again = copy(&home, &servers, &["--lang", "ja"]);
    assert_eq!(again.exit, 0, "{again:?}");
    assert_eq!(servers.arrived(), 31);
    assert!(
        again
            .out
            .contains("新しくコピーするメールはありませんでした"),
        "{again:?}"
    );

    let check = run(&home, &with_passwords("check", &old, &new, &["--full"]));
    assert_eq!(check.exit, 0, "{check:?}");
    assert!(check.out.contains("identical: 31 messages"), "{check:?}");

    let jobs = run(&home, &["jobs"]);
    assert!(
        jobs.out
            .contains(&format!("imap://taro@127.0.0.1:{}", servers.old.port())),
        "{jobs:?}"
    );
    let report = run(&home, &["report"]);
    assert!(report.out.contains("identical: 31 messages"), "{report:?}");
    let forget = run(&home, &["forget", "1"]);
    assert_eq!(forget.exit, 1, "nobody could be asked: {forget:?}");
    assert_eq!(run(&home, &["forget", "1", "--yes"]).exit, 0);
    assert_eq!(run(&home, &["jobs"]).out, "");
}

#[test]
fn json_is_one_object_per_line_with_the_report_last() {
    let (home, servers) = (Home::new(), Servers::start());
    let said = copy(&home, &servers, &["--json"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let lines: Vec<serde_json::Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let types: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["type"].as_str())
        .collect();
    assert_eq!(
        (types[0], types.last()),
        ("start", Some(&"report")),
        "{types:?}"
    );
    assert_eq!(types.iter().filter(|t| **t == "report").count(), 1);
    let report = lines.last().expect("a report");
    assert_eq!(report["complete"], true);
    assert_eq!(report["scanned"], 31);
    assert_eq!(said.err, "");

    let (old, new) = (
        "imap+insecure://taro@127.0.0.1:1".to_owned(),
        servers.destination(),
    );
    let failed = run(&home, &with_passwords("copy", &old, &new, &["--json"]));
    assert_eq!(failed.exit, 5, "{failed:?}");
    let last = failed.out.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("an object");
    assert_eq!(
        (&last["type"], &last["short"]),
        (&"fault".into(), &"N102".into())
    );
}

#[test]
fn filters_choose_what_is_copied() {
    let (home, servers) = (Home::new(), Servers::start());
    let said = copy(&home, &servers, &["--folder", "請求書", "--under", "旧"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let account = servers.new.account("taro").expect("the account");
    assert_eq!(
        (servers.arrived(), account.uids("旧/請求書/2024年").len()),
        (1, 1)
    );
    // What a person calls the inbox, and everything else left out.
    let said = copy(&home, &servers, &["--folder", "受信トレイ"]);
    assert_eq!(
        (said.exit, account.uids("INBOX").len()),
        (0, 30),
        "{said:?}"
    );
    let said = copy(
        &home,
        &servers,
        &["--exclude", "受信トレイ", "--exclude", "無い"],
    );
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.err.contains("no folder \"無い\" to exclude"),
        "{said:?}"
    );
    let (home, servers) = (Home::new(), Servers::start());
    let said = copy(&home, &servers, &["--before", "2000-01-01"]);
    assert_eq!((said.exit, servers.arrived()), (0, 0), "{said:?}");
    assert!(said.out.contains("31 left out"), "{said:?}");
}

#[test]
fn mistakes_about_servers_are_named_and_nothing_is_written() {
    let (home, servers) = (Home::new(), Servers::start());
    let (old, new) = (servers.source(), servers.destination());
    let closed = "imap+insecure://taro@127.0.0.1:1".to_owned();
    let unknown = "imaps://taro@no-such-host.invalid".to_owned();
    let tls = format!("imaps://taro@127.0.0.1:{}", servers.old.port());
    let starttls = format!("imap://taro@127.0.0.1:{}", servers.old.port());
    let nobody = format!("imap+insecure://hanako@127.0.0.1:{}", servers.old.port());
    let missing = format!("{old}/無いフォルダ");
    for (from, exit, code) in [
        (&closed, 5, "N102"),
        (&unknown, 5, "N101"),
        (&tls, 5, "T112"),
        (&starttls, 5, "T115"),
        (&nobody, 4, "A201"),
        (&missing, 2, "F311"),
    ] {
        for lang in ["en", "ja"] {
            let said = run(
                &home,
                &with_passwords("copy", from, &new, &["--lang", lang]),
            );
            assert_eq!(
                (said.exit, said.out.as_str()),
                (exit, ""),
                "{from}: {said:?}"
            );
            assert!(said.err.contains(&format!("[{code}]")), "{from}: {said:?}");
            assert!(said.err.contains("→"), "{from}: {said:?}");
            assert_eq!(
                said.err.contains("コピー元"),
                lang == "ja",
                "{from}: {said:?}"
            );
        }
        assert_eq!(servers.arrived(), 0, "{from}");
        if code != "F311" {
            assert!(!home.has_ledger(), "{from} wrote a ledger");
        }
    }
    let (source, wrong) = (servers.source(), servers.destination());
    let arguments = with_passwords("copy", &source, &wrong, &[]);
    let said = home.finish(home.command(&arguments).env("PW", "wrong"));
    assert_eq!(said.exit, 4, "{said:?}");
}

#[test]
fn the_ledger_cannot_be_kept_where_nobody_may_write() {
    let (home, servers) = (Home::new(), Servers::start());
    let file = home.file("a-file", "");
    let state = file.join("state");
    let said = copy(
        &home,
        &servers,
        &["--state", state.to_str().expect("a path")],
    );
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("--state"), "{said:?}");
    assert_eq!(servers.arrived(), 0);
}

/// A run that hangs inside its first APPEND, with its standard error to read.
fn hanging(home: &Home, servers: &Servers) -> Child {
    servers.new.play(Rule::on("APPEND", Action::Silence));
    let (old, new) = (servers.source(), servers.destination());
    let child = home
        .command(&with_passwords("copy", &old, &new, &[]))
        .env("PW", PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    while servers.new.hits().iter().sum::<u32>() == 0 {
        std::thread::yield_now();
    }
    child
}

#[test]
fn two_runs_into_one_account_exclude_each_other() {
    let (home, servers) = (Home::new(), Servers::start());
    let mut first = hanging(&home, &servers);
    let second = copy(&home, &servers, &[]);
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    assert_eq!(second.exit, 10, "{second:?}");
    assert!(second.err.contains("[D801]"), "{second:?}");
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_asks_and_the_second_ends() {
    use rustix::process::{Pid, Signal, kill_process};
    let (home, servers) = (Home::new(), Servers::start());
    let mut child = hanging(&home, &servers);
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a process");
    let interrupt = || {
        kill_process(pid, Signal::INT).expect("it runs");
    };
    interrupt();
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let asked = said.find(|line| line.as_ref().is_ok_and(|line| line.contains("Stopping")));
    assert!(asked.is_some());
    interrupt();
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(8));
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("[C904]")), "{rest:?}");
}

#[cfg(feature = "demo")]
#[test]
fn the_demo_proves_itself_and_ends_without_a_terminal() {
    let home = Home::new();
    for (lang, proven, again) in [
        (
            "en",
            "identical: 86 messages",
            "Copied in the second run: 0 messages",
        ),
        (
            "ja",
            "内容がすべて同じであることを確認したメール：86通",
            "2回目にコピーしたメール：0通",
        ),
    ] {
        let said = home.run(&["demo", "--lang", lang]);
        assert_eq!(said.exit, 0, "{said:?}");
        assert!(said.out.contains(proven), "{said:?}");
        assert!(said.err.contains(again), "{said:?}");
        assert!(
            !said.err.contains('\u{1b}'),
            "no control characters in a log: {said:?}"
        );
        assert!(!home.has_ledger());
    }
}
