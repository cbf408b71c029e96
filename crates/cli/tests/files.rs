//! Mail in files as a source: the real binary brings it to a server.

#[path = "files/computers.rs"]
mod computers;
mod pair;
mod run;

use pair::held::{Held, held};
use pair::{Servers, run};
use run::{Home, Said};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// 2024-04-01T01:02:03Z
const APRIL: i64 = 1_711_933_323;

fn put(root: &Path, name: &str, octets: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, octets).expect("a file");
}

/// From files to the destination.
fn copy(home: &Home, servers: &Servers, command: &str, from: &str, more: &[&str]) -> Said {
    let to = servers.destination();
    let mut arguments = vec![command, from, &to, "--destination-password-env", "PW"];
    arguments.extend(more);
    run(home, &arguments)
}

/// What arrived, without folders that hold nothing.
fn arrived(servers: &Servers) -> BTreeMap<String, Vec<Held>> {
    let mut all = held(&servers.new.account("taro").expect("the account"));
    all.retain(|_, messages| !messages.is_empty());
    all
}

/// The last line of a run with `--json`.
fn report(said: &Said) -> serde_json::Value {
    assert_eq!(said.exit, 0, "{said:?}");
    let last = said.out.lines().last().expect("a line");
    serde_json::from_str(last).expect("an object")
}

fn copies_nothing_again(home: &Home, servers: &Servers, from: &str, scanned: u64, more: &[&str]) {
    let before = servers.new.account("taro").expect("the account").snapshot();
    let mut arguments = vec!["--json"];
    arguments.extend(more);
    let report = report(&copy(home, servers, "copy", from, &arguments));
    assert_eq!(report["type"], "report");
    assert_eq!(
        (&report["scanned"], &report["copied_now"]),
        (&scanned.into(), &0.into())
    );
    assert_eq!(report["complete"], true);
    let after = servers.new.account("taro").expect("the account").snapshot();
    assert!(before == after, "nothing was touched");
}

fn mbox() -> String {
    let from = "From taro@example.jp Mon Apr  1 01:02:03 2024\n";
    let date = "Date: Mon, 1 Apr 2024 01:02:03 +0000\n";
    format!(
        "{from}Status: RO\nX-Status: A\n{date}Subject: one\n\ntext\n>From here\n\n\
         {from}Status: O\n{date}Subject: =?utf-8?B?44GC?=\n\n日本語\n\n"
    )
}

fn as_sent(subject: &str, body: &str) -> String {
    format!("Date: Mon, 1 Apr 2024 01:02:03 +0000\r\nSubject: {subject}\r\n\r\n{body}\r\n")
}

#[test]
fn an_mbox_arrives_whole_and_once() {
    let (home, servers) = (Home::new(), Servers::start());
    put(home.root(), "old.mbox", mbox());
    let path = home.path("old.mbox");
    let named = format!("mbox:{path}");

    let plan = copy(&home, &servers, "plan", &named, &[]);
    assert_eq!(plan.exit, 0, "{plan:?}");
    assert!(plan.out.contains("2 messages"), "{plan:?}");
    assert_eq!((servers.arrived(), home.has_ledger()), (0, false));

    let said = copy(&home, &servers, "copy", &named, &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.out
            .contains("2 messages at the source = 2 newly copied"),
        "{said:?}"
    );
    assert!(
        said.out.contains("Running the same command again"),
        "{said:?}"
    );
    let expected = vec![
        Held::new(
            &as_sent("one", "text\r\nFrom here"),
            "\\Answered \\Seen",
            APRIL,
        ),
        Held::new(&as_sent("=?utf-8?B?44GC?=", "日本語"), "", APRIL),
    ];
    assert_eq!(
        arrived(&servers),
        BTreeMap::from([("old".to_owned(), expected)])
    );
    assert_eq!(
        fs::read_to_string(&path).expect("there"),
        mbox(),
        "the source is as it was"
    );

    copies_nothing_again(&home, &servers, &named, 2, &[]);
    // Without the kind, and by another way to the same file, it is the same archive.
    let crooked = home.path("./../").trim_end_matches("./../").to_owned() + "./old.mbox";
    copies_nothing_again(&home, &servers, &crooked, 2, &[]);
    let again = copy(&home, &servers, "copy", &path, &["--lang", "ja"]);
    assert!(
        again.err.contains("mbox形式のデータが見つかりました"),
        "{again:?}"
    );

    let check = copy(&home, &servers, "check", &path, &["--full"]);
    assert_eq!(check.exit, 0, "{check:?}");
    assert!(check.out.contains("identical: 2 messages"), "{check:?}");
    let jobs = run(&home, &["jobs"]);
    assert_eq!(
        jobs.out.matches("mbox:///").count(),
        1,
        "one source: {jobs:?}"
    );

    // New mail at its end.
    let more = "From x Mon Apr  1 01:02:03 2024\nSubject: new\n\nx\n\n";
    fs::write(&path, mbox() + more).expect("a file");
    let grown = report(&copy(&home, &servers, "copy", &path, &["--json"]));
    assert_eq!(
        (&grown["scanned"], &grown["copied_now"]),
        (&3.into(), &1.into())
    );
    assert_eq!(servers.arrived(), 3);
}

#[test]
fn what_is_read_may_be_chosen() {
    for (option, flags) in [
        ("--read", ["\\Answered \\Seen", "\\Seen"]),
        ("--unread", ["\\Answered", ""]),
    ] {
        let (home, servers) = (Home::new(), Servers::start());
        put(home.root(), "old.mbox", mbox());
        let said = copy(&home, &servers, "copy", &home.path("old.mbox"), &[option]);
        assert_eq!(said.exit, 0, "{said:?}");
        let told: Vec<String> = arrived(&servers)["old"]
            .iter()
            .map(|m| m.flags.clone())
            .collect();
        assert_eq!(told, flags, "{option}");
    }
}

#[test]
fn a_maildir_arrives_with_folders_flags_and_dates() {
    let (home, servers) = (Home::new(), Servers::start());
    let root = home.root().join("Maildir");
    let message = |name: &str, seconds: u64, text: &str| {
        put(&root, name, text);
        let file = fs::File::options()
            .append(true)
            .open(root.join(name))
            .expect("there");
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(time).expect("a time");
    };
    for directory in [
        "cur",
        "new",
        "tmp",
        ".&U9ZfFVFI-.2024/new",
        ".&U9ZfFVFI-.2024/tmp",
    ] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    message(
        "cur/1711000000.M1.h:2,FS",
        1_711_000_000,
        "Subject: a\n\none\n",
    );
    message("new/1711000001.M2.h", 1_711_000_001, "Subject: b\n\ntwo\n");
    message(
        ".&U9ZfFVFI-.2024/cur/1711000002.M3.h:2,RS",
        1_711_000_002,
        "Subject: c\n\nthree",
    );

    let path = home.path("Maildir");
    let folders = run(&home, &["folders", &path]);
    assert_eq!(folders.exit, 0, "{folders:?}");
    assert!(folders.out.contains("取引先/2024"), "{folders:?}");
    assert!(
        folders.err.contains("This is mail of Maildir"),
        "{folders:?}"
    );
    let size = run(&home, &["size", &path, "--json"]);
    assert_eq!(size.exit, 0, "{size:?}");
    let counted: u64 = size
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object"))
        .filter_map(|line| line["messages"].as_u64())
        .sum();
    assert_eq!(counted, 3);

    let said = copy(&home, &servers, "copy", &path, &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    let inbox = vec![
        Held::new(
            "Subject: a\r\n\r\none\r\n",
            "\\Flagged \\Seen",
            1_711_000_000,
        ),
        Held::new("Subject: b\r\n\r\ntwo\r\n", "", 1_711_000_001),
    ];
    let three = Held::new(
        "Subject: c\r\n\r\nthree",
        "\\Answered \\Seen",
        1_711_000_002,
    );
    let mut told = arrived(&servers);
    // A last line without an end may get one: both are the message.
    for message in told.values_mut().flatten() {
        message.octets = message.octets.replace("three\r\n", "three");
    }
    let expected = [
        ("INBOX".to_owned(), inbox),
        ("取引先/2024".to_owned(), vec![three]),
    ];
    assert_eq!(told, BTreeMap::from(expected));
    copies_nothing_again(&home, &servers, &format!("maildir:{path}"), 3, &[]);
}

#[test]
fn stores_of_this_computer_are_listed() {
    let home = Home::new();
    let none = run(&home, &["find"]);
    assert_eq!((none.exit, none.out.as_str()), (0, ""), "{none:?}");
    assert!(none.err.contains("No mail was found"), "{none:?}");

    let root = home.root().join(".thunderbird/abcd.default");
    computers::profile(&root);
    put(
        home.root(),
        "AppData/Local/Microsoft/Outlook/taro.ost",
        "!BDN",
    );
    let said = run(&home, &["find"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let path = root.display().to_string();
    assert!(
        said.out.contains(&format!("Thunderbird: {path}")),
        "{said:?}"
    );
    assert!(said.out.contains("Outlook: "), "{said:?}");
    assert!(said.out.contains("cannot be read directly yet"), "{said:?}");
    let japanese = run(&home, &["find", "--lang", "ja"]);
    assert!(
        japanese
            .out
            .contains("このパソコンで見つかったメールデータ"),
        "{japanese:?}"
    );

    let json = run(&home, &["find", "--json"]);
    let lines: Vec<serde_json::Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    assert_eq!(lines.len(), 2, "{json:?}");
    assert_eq!(
        (&lines[0]["type"], &lines[0]["program"]),
        (&"store".into(), &"thunderbird".into())
    );
    assert_eq!(lines[0]["path"], path);
    assert_eq!(lines[0]["found"][0]["kind"], "thunderbird");
    assert_eq!(
        (&lines[1]["program"], &lines[1]["outlook_files"]),
        (&"outlook".into(), &1.into())
    );
    // Another computer's disk.
    let elsewhere = Home::new();
    let said = run(&elsewhere, &["find", &home.path("")]);
    assert!(said.out.contains("Thunderbird: "), "{said:?}");
}

#[test]
fn what_is_damaged_is_named_and_the_rest_arrives() {
    let (home, servers) = (Home::new(), Servers::start());
    let id = "0A1B2C3D-0000-4000-8000-000000000001";
    let messages = format!("Mail/V10/{id}/INBOX.mbox/{id}/Data/Messages");
    put(
        home.root(),
        &format!("{messages}/1.emlx"),
        "13\nSubject: a\n\nx",
    );
    put(
        home.root(),
        &format!("{messages}/2.emlx"),
        "9999\nSubject: b\n\ny",
    );
    let path = home.path("Mail");
    let said = copy(&home, &servers, "copy", &path, &[]);
    assert_eq!(said.exit, 3, "{said:?}");
    assert!(said.err.contains("This is mail of Apple Mail"), "{said:?}");
    assert!(said.out.contains("[R153]"), "{said:?}");
    let place = home.path(&format!("{messages}/2.emlx"));
    let line = said.out.lines().find(|line| line.contains("2.emlx"));
    let line = line.expect("the place is named");
    assert_eq!(line.matches(&place).count(), 1, "{line}");
    assert!(!line.contains("UID"), "{line}");
    let csv = run(&home, &["report", "--format", "csv"]);
    let row = csv.out.lines().find(|line| line.starts_with("exception,"));
    assert!(row.is_some_and(|row| row.ends_with(&place)), "{csv:?}");
    let arrived = arrived(&servers);
    let texts: Vec<&str> = arrived["INBOX"].iter().map(|m| m.octets.as_str()).collect();
    assert_eq!((arrived.len(), texts), (1, vec!["Subject: a\r\n\r\nx"]));
    let again = copy(&home, &servers, "copy", &path, &["--json"]);
    assert_eq!(again.exit, 3, "{again:?}");
    let last = again.out.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("an object");
    assert_eq!(
        (&last["copied_now"], &last["scanned"]),
        (&0.into(), &2.into())
    );
    assert_eq!(last["exceptions"][0]["fault"]["file"], place, "{last}");
    // What was found there, since nobody named the kind.
    let lines = again
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"));
    let lines: Vec<serde_json::Value> = lines.collect();
    assert_eq!(
        (
            &lines[0]["type"],
            &lines[1]["type"],
            &lines[1]["found"]["kind"]
        ),
        (&"start".into(), &"recognised".into(), &"applemail".into())
    );
    assert_eq!(
        (&lines[1]["path"], &lines[1]["found"]["messages"]),
        (&path.into(), &2.into())
    );
}

#[test]
fn a_message_that_cannot_be_copied_is_named_with_its_place_in_the_file() {
    let (home, servers) = (Home::new(), Servers::start());
    let large = format!("Subject: large\n\n{}\n", "x".repeat(4000));
    let front = "From x Mon Apr  1 01:02:03 2024\nSubject: small\n\nx\n\n";
    let text = format!("{front}From x Mon Apr  1 01:02:03 2024\n{large}\n");
    put(home.root(), "old.mbox", &text);
    let offset = text.find("Subject: large").expect("there");
    let place = format!("{}, offset {offset}", home.path("old.mbox"));
    let named = format!("mbox:{}", home.path("old.mbox"));
    let more = ["--max-message-size", "1000"];
    let said = copy(&home, &servers, "copy", &named, &more);
    assert_eq!((said.exit, servers.arrived()), (0, 1), "{said:?}");
    let line = said.out.lines().find(|line| line.contains("  large  "));
    assert!(line.is_some_and(|line| line.contains(&place)), "{said:?}");
    let csv = run(&home, &["report", "--format", "csv"]);
    let quoted = format!("\"{place}\"");
    let row = csv.out.lines().find(|line| line.starts_with("exception,"));
    assert!(row.is_some_and(|row| row.ends_with(&quoted)), "{csv:?}");
}

#[test]
fn mail_in_files_can_have_a_name_in_the_configuration() {
    let (home, servers) = (Home::new(), Servers::start());
    put(home.root(), "mail/old.mbox", mbox());
    put(home.root(), "mail/other.mbox", mbox());
    home.config(&format!(
        "[accounts.pc]\nlocator = '{}'\n[accounts.kind]\nlocator = 'mbox:~/mail'\n",
        home.path("mail")
    ));
    let said = copy(&home, &servers, "copy", "pc:/old", &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    let names: Vec<_> = arrived(&servers).into_keys().collect();
    assert_eq!(names, ["old"]);
    let said = copy(&home, &servers, "copy", "kind:", &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(servers.arrived(), 4);
    copies_nothing_again(&home, &servers, "pc:", 4, &[]);
    let check = run(&home, &["config", "check"]);
    assert!(check.out.contains("mbox:"), "{check:?}");
}

#[test]
fn what_is_no_mail_is_told_as_what_it_is() {
    let (home, servers) = (Home::new(), Servers::start());
    put(home.root(), "text/a.txt", "x");
    put(home.root(), "both/a.mbox", mbox());
    put(home.root(), "both/Maildir/cur/1.x:2,S", "Subject: x\n\nx\n");
    fs::create_dir_all(home.root().join("both/Maildir/new")).expect("a directory");
    fs::create_dir_all(home.root().join("empty")).expect("a directory");
    put(home.root(), "taro.pst", "!BDN");
    put(home.root(), "mail.tar.xz", b"\xfd7zXZ\0\0");
    for (name, told) in [
        (
            "text",
            "No mail was found at this path (1 files, mostly .txt)",
        ),
        ("empty", "There are no files at this path"),
        ("both", "There are several kinds of mail at this path"),
        ("mail.tar.xz", "This is a compressed file"),
        ("taro.pst", "They cannot be read directly yet"),
    ] {
        let said = copy(&home, &servers, "copy", &home.path(name), &[]);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{name}: {said:?}");
        assert!(said.err.contains(told), "{name}: {said:?}");
        assert!(said.err.contains("[R152]"), "{name}: {said:?}");
    }
    let missing = copy(
        &home,
        &servers,
        "copy",
        &format!("mbox:{}", home.path("x")),
        &[],
    );
    assert_eq!(missing.exit, 2, "{missing:?}");
    assert!(missing.err.contains("[R151]"), "{missing:?}");
    let wrong = copy(
        &home,
        &servers,
        "copy",
        &format!("dbx:{}", home.path("text/a.txt")),
        &[],
    );
    assert_eq!(wrong.exit, 2, "{wrong:?}");
    let json = copy(&home, &servers, "copy", &home.path("text"), &["--json"]);
    let last: serde_json::Value = serde_json::from_str(json.out.trim()).expect("an object");
    assert_eq!(
        (&last["type"], &last["short"]),
        (&"fault".into(), &"R152".into())
    );
    assert_eq!((servers.arrived(), home.has_ledger()), (0, false));
}

#[test]
fn a_damaged_message_does_not_keep_the_others_out_of_a_folder_with_mail() {
    let (home, servers) = (Home::new(), Servers::start());
    let account = servers.new.account("taro").expect("the account");
    account.add_message(
        "INBOX",
        hikyaku_memserver::NewMessage::new("Subject: there\r\n\r\nx\r\n"),
    );
    let id = "0A1B2C3D-0000-4000-8000-000000000001";
    let messages = format!("Mail/V10/{id}/INBOX.mbox/{id}/Data/Messages");
    let whole = "13\nSubject: a\n\nx";
    put(home.root(), &format!("{messages}/1.emlx"), whole);
    let damaged = "9999\nSubject: b\n\ny";
    put(home.root(), &format!("{messages}/2.emlx"), damaged);
    let path = home.path("Mail");
    for copied in [1, 0] {
        let said = copy(&home, &servers, "copy", &path, &["--json"]);
        assert_eq!(said.exit, 3, "{said:?}");
        let last = said.out.lines().last().expect("a line");
        let last: serde_json::Value = serde_json::from_str(last).expect("an object");
        assert_eq!(
            (&last["copied_now"], &last["exceptions"][0]["short"]),
            (&copied.into(), &"R153".into())
        );
        assert_eq!(last["waits"], serde_json::json!([]), "{last}");
        assert_eq!(servers.arrived(), 2);
    }
}
