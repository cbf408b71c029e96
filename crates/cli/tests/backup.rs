//! Backups and back: the real binary, a server in memory and directories.

mod pair;
mod run;

use hikyaku_memserver::{Account, Date, NewMessage};
use pair::held::held;
use pair::{Servers, run};
use run::{Home, Said};
use std::fs;

/// Mail that is hard to keep.
fn fill(account: &Account) {
    let odd = [
        (
            "INBOX",
            "Subject: From\r\n\r\nFrom here\r\n>From there\r\n.\r\n",
        ),
        ("INBOX", "Subject: bare\r\n\r\nno last line end"),
        ("受信/a b/請求書~", "Subject: a\r\n\r\n日本語\r\n"),
        ("INBOX", "no header at all\r\n"),
    ];
    for (n, (mailbox, text)) in odd.into_iter().enumerate() {
        let seconds = 1_700_000_000 + n as i64 * 86_400;
        let message = NewMessage::new(text)
            .flags(&["\\Flagged", "$Label1"])
            .date(Date::utc(seconds));
        account.add_message(mailbox, message);
    }
    account.add_mailbox("空");
    account.subscribe("INBOX");
    account.subscribe("受信/a b/請求書~");
}

fn backup(home: &Home, servers: &Servers, directory: &str, more: &[&str]) -> Said {
    let from = servers.source();
    let mut arguments = vec!["backup", &from, directory, "--source-password-env", "PW"];
    arguments.extend(more);
    run(home, &arguments)
}

fn restore(home: &Home, servers: &Servers, directory: &str, more: &[&str]) -> Said {
    let to = servers.destination();
    let mut arguments = vec![
        "restore",
        directory,
        &to,
        "--destination-password-env",
        "PW",
    ];
    arguments.extend(more);
    run(home, &arguments)
}

fn copied_now(said: &Said) -> (u64, u64) {
    assert_eq!(said.exit, 0, "{said:?}");
    let last = said.out.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("an object");
    let number = |name: &str| last[name].as_u64().expect("a number");
    (number("scanned"), number("copied_now"))
}

#[test]
fn all_mail_comes_back_from_every_format() {
    for format in ["maildir", "mbox", "eml"] {
        let (home, servers) = (Home::new(), Servers::start());
        let account = servers.old.account("taro").expect("the account");
        fill(&account);
        let before = account.snapshot();
        let directory = home.path("saved");
        let said = backup(&home, &servers, &directory, &["--format", format]);
        assert_eq!(said.exit, 0, "{format}: {said:?}");
        let begins = format!("A new backup ({format}) is made in {directory}");
        assert!(said.err.contains(&begins), "{said:?}");
        assert!(
            said.out
                .contains("35 messages at the source = 35 newly copied"),
            "{said:?}"
        );
        assert!(said.out.contains("hikyaku check DIR"), "{said:?}");
        assert!(
            account.snapshot() == before,
            "{format}: the source is as it was"
        );

        // Again, with and without the format, and with a new message.
        let again = backup(&home, &servers, &directory, &["--json"]);
        assert_eq!(copied_now(&again), (35, 0), "{format}");
        account.add_message("INBOX", NewMessage::new("Subject: new\r\n\r\nx\r\n"));
        let again = backup(&home, &servers, &directory, &["--format", format, "--json"]);
        assert_eq!(copied_now(&again), (36, 1), "{format}");

        let from = servers.source();
        let arguments = [
            "check",
            &from,
            &directory,
            "--source-password-env",
            "PW",
            "--full",
        ];
        let check = run(&home, &arguments);
        assert_eq!(check.exit, 0, "{format}: {check:?}");
        assert!(check.out.contains("identical: 36 messages"), "{check:?}");
        let alone = run(&home, &["check", &directory]);
        assert_eq!(alone.exit, 0, "{format}: {alone:?}");
        assert!(
            alone.out.contains("The backup is whole: 36 messages"),
            "{alone:?}"
        );
        assert_eq!(
            alone.out.contains("sha256sum"),
            format != "mbox",
            "{alone:?}"
        );

        let plan = {
            let to = servers.destination();
            run(
                &home,
                &["plan", &directory, &to, "--destination-password-env", "PW"],
            )
        };
        assert_eq!((plan.exit, servers.arrived()), (0, 0), "{format}: {plan:?}");
        let said = restore(&home, &servers, &directory, &[]);
        assert_eq!(said.exit, 0, "{format}: {said:?}");
        assert!(
            said.out
                .contains("36 messages at the source = 36 newly copied"),
            "{said:?}"
        );
        let new = servers.new.account("taro").expect("the account");
        assert_eq!(held(&new), held(&account), "{format}");
        assert_eq!(
            new.snapshot().subscribed,
            account.snapshot().subscribed,
            "{format}"
        );
        let again = restore(&home, &servers, &directory, &["--json"]);
        assert_eq!(copied_now(&again), (36, 0), "{format}");

        // Moved to another place it is the same backup, also as a source of `copy`.
        fs::rename(home.root().join("saved"), home.root().join("moved")).expect("moved");
        let to = servers.destination();
        for source in [home.path("moved"), format!("backup:{}", home.path("moved"))] {
            let arguments = [
                "copy",
                &source,
                &to,
                "--destination-password-env",
                "PW",
                "--json",
            ];
            assert_eq!(copied_now(&run(&home, &arguments)), (36, 0), "{format}");
        }
    }
}

#[test]
fn damage_is_named_and_the_rest_is_restored() {
    let (home, servers) = (Home::new(), Servers::start());
    let directory = home.path("saved");
    let said = backup(&home, &servers, &directory, &["--format", "eml"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let inbox = home.root().join("saved/INBOX");
    let mut files: Vec<_> = fs::read_dir(&inbox)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 30);
    fs::write(&files[3], "Subject: other\r\n\r\nx\r\n").expect("a file");
    fs::write(inbox.join("note.txt"), "mine").expect("a file");

    let check = run(&home, &["check", &directory]);
    assert_eq!(check.exit, 3, "{check:?}");
    assert!(
        check.out.contains("As they were saved: 30 messages"),
        "{check:?}"
    );
    assert!(check.err.contains("Damaged message in INBOX"), "{check:?}");
    assert!(check.err.contains("note.txt"), "{check:?}");
    let json = run(&home, &["check", &directory, "--json"]);
    assert_eq!((json.exit, json.err.as_str()), (3, ""), "{json:?}");
    let lines: Vec<serde_json::Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let types: Vec<&str> = lines.iter().filter_map(|l| l["type"].as_str()).collect();
    assert_eq!(
        (types[0], types.last()),
        ("start", Some(&"backup")),
        "{types:?}"
    );
    let mut between = types[1..3].to_vec();
    between.sort_unstable();
    assert_eq!(between, ["backup_stranger", "fault"]);
    let last = lines.last().expect("a line");
    assert_eq!(
        (&last["whole"], &last["damaged"]),
        (&false.into(), &1.into())
    );

    let said = restore(&home, &servers, &directory, &[]);
    assert_eq!(said.exit, 3, "{said:?}");
    assert!(said.out.contains("[D818]"), "{said:?}");
    assert_eq!(servers.arrived(), 30);
}

#[test]
fn what_is_gone_from_a_backup_is_missed_when_it_is_checked_and_restored() {
    let (home, servers) = (Home::new(), Servers::start());
    let directory = home.path("saved here");
    let said = backup(&home, &servers, &directory, &["--format", "eml"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let folder = |name: &str| {
        let folders = fs::read_dir(home.root().join("saved here")).expect("a directory");
        let mut folders = folders.map(|entry| entry.expect("an entry").path());
        let is_it = |path: &std::path::PathBuf| path.to_string_lossy().contains(name);
        folders.find(is_it).expect("a folder")
    };
    // One message, and the list of the other folder.
    let inbox = fs::read_dir(folder("INBOX")).expect("a directory");
    let mut files = inbox.map(|entry| entry.expect("an entry").path());
    let is_message = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "eml");
    fs::remove_file(files.find(is_message).expect("a message")).expect("removed");
    fs::remove_file(folder("請求書").join("manifest.tsv")).expect("removed");

    let check = run(&home, &["check", &directory]);
    assert_eq!(check.exit, 3, "{check:?}");
    for part in [
        "As they were saved: 29 messages",
        "Damaged or gone: 1 message.",
        "damaged or gone: 1. Messages",
        // Can be pasted.
        "saved here' && sha256sum",
    ] {
        assert!(check.out.contains(part), "{part}: {check:?}");
    }
    assert!(check.err.contains("manifest.tsv is gone"), "{check:?}");
    let said = restore(&home, &servers, &directory, &[]);
    assert_eq!(said.exit, 3, "{said:?}");
    assert!(said.out.contains("[D818]"), "{said:?}");
    for part in ["the file of the message is gone", "manifest.tsv is gone"] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    assert_eq!(servers.arrived(), 29);
}

#[test]
fn a_backup_within_the_mail_that_it_saves_is_refused() {
    let home = Home::new();
    fs::create_dir(home.root().join("mail")).expect("a directory");
    home.file(
        "mail/Inbox",
        "From x Mon Apr  1 01:02:03 2024\nSubject: a\n\nx\n",
    );
    let (mail, within) = (home.path("mail"), home.path("mail/a/saved"));
    let said = home.run(&["backup", &mail, &within]);
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("lie within one another"), "{said:?}");
    assert!(!home.root().join("mail/a").exists(), "{said:?}");
    let saved = home.path("saved");
    assert_eq!(home.run(&["backup", &mail, &saved]).exit, 0);
    let part = format!("eml:{}", home.path("saved/INBOX"));
    let said = home.run(&["backup", &part, &saved, "--lang", "ja"]);
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("もう一方の中にあります"), "{said:?}");
}

#[test]
fn nothing_else_is_overwritten_and_nothing_begins_by_mistake() {
    let (home, servers) = (Home::new(), Servers::start());
    fs::create_dir(home.root().join("photos")).expect("a directory");
    home.file("photos/a.jpg", "x");
    let said = backup(&home, &servers, &home.path("photos"), &[]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("[D812]"), "{said:?}");
    let names = fs::read_dir(home.root().join("photos"))
        .expect("there")
        .count();
    assert_eq!(names, 1);

    // A wrong password begins nothing.
    let from = servers.source();
    let wrong = [
        "backup",
        &from,
        &home.path("saved"),
        "--source-password-command",
        "echo no",
    ];
    let said = run(&home, &wrong);
    assert_eq!(said.exit, 4, "{said:?}");
    assert!(!home.root().join("saved").exists());

    let said = backup(&home, &servers, &home.path("saved"), &["--format", "mbox"]);
    assert_eq!(said.exit, 0, "{said:?}");
    let other = backup(&home, &servers, &home.path("saved"), &["--format", "eml"]);
    assert_eq!(other.exit, 2, "{other:?}");
    assert!(other.err.contains("[D813]"), "{other:?}");

    // Comparing and copying never begin one; a path alone is no destination.
    let nowhere = home.path("nowhere");
    let at = format!("backup:{nowhere}");
    for command in ["check", "copy"] {
        let said = run(&home, &[command, &from, &at, "--source-password-env", "PW"]);
        assert_eq!(said.exit, 2, "{command}: {said:?}");
        assert!(said.err.contains("[D811]"), "{command}: {said:?}");
    }
    let photos = home.path("photos");
    let said = run(
        &home,
        &["copy", &from, &photos, "--source-password-env", "PW"],
    );
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("hikyaku backup SOURCE DIR"), "{said:?}");
    let said = restore(&home, &servers, &nowhere, &[]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("[D811]"), "{said:?}");
    assert!(!home.root().join("nowhere").exists());
    // Nothing is ever taken out of a backup.
    let saved = home.path("saved");
    let undo = run(
        &home,
        &[
            "undo",
            &from,
            &saved,
            "--source-password-env",
            "PW",
            "--yes",
        ],
    );
    assert_eq!(undo.exit, 2, "{undo:?}");
    assert!(undo.err.contains("[U601]"), "{undo:?}");
}

#[test]
fn a_plan_for_a_backup_that_is_not_begun_shows_what_would_be_saved() {
    let (home, servers) = (Home::new(), Servers::start());
    fs::create_dir(home.root().join("empty")).expect("a directory");
    let from = servers.source();
    let plan = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--source-password-env", "PW"]);
        run(&home, &all)
    };
    for directory in ["nowhere", "empty", "new/below"] {
        let path = home.path(directory);
        let at = format!("backup:{path}");
        for command in [
            vec!["plan", &from, &path],
            vec!["plan", &from, &at],
            vec!["copy", "-n", &from, &at],
            vec!["backup", "-n", &from, &path],
        ] {
            let said = plan(&command);
            assert_eq!(said.exit, 0, "{command:?}: {said:?}");
            assert!(said.out.contains("31 messages"), "{command:?}: {said:?}");
            let told = format!("There is no backup in {path} yet");
            assert!(said.err.contains(&told), "{command:?}: {said:?}");
        }
        let json = plan(&["plan", &from, &at, "--json"]);
        let last: serde_json::Value =
            serde_json::from_str(json.out.lines().last().expect("a line")).expect("an object");
        assert_eq!(last["type"], "plan", "{json:?}");
        assert!(last["room"]["free"].as_u64() > Some(0), "{json:?}");
    }
    assert!(!home.root().join("nowhere").exists() && !home.root().join("new").exists());
    let empty = fs::read_dir(home.root().join("empty")).expect("there");
    assert_eq!((empty.count(), home.has_ledger()), (0, false));

    // What is in the way is in the way of a plan too.
    home.file("empty/photo.jpg", "x");
    let path = home.path("empty");
    let said = plan(&["backup", "-n", &from, &path]);
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("[D812]"), "{said:?}");
    let said = plan(&["plan", &from, &path]);
    assert_eq!(said.exit, 1, "{said:?}");

    // And for one that was begun it tells what is new.
    let saved = home.path("saved");
    assert_eq!(backup(&home, &servers, &saved, &[]).exit, 0);
    let account = servers.old.account("taro").expect("the account");
    account.add_message("new", NewMessage::new("Subject: new\r\n\r\nx\r\n"));
    let said = plan(&["backup", "-n", &from, &saved]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(said.out.contains("new"), "{said:?}");
    assert!(!said.err.contains("There is no backup"), "{said:?}");
    assert_eq!(run(&home, &["check", &saved]).exit, 0);
}

#[test]
fn comparing_with_a_backup_only_reads_it() {
    let (home, servers) = (Home::new(), Servers::start());
    let saved = home.path("saved");
    assert_eq!(backup(&home, &servers, &saved, &[]).exit, 0);
    // Somebody else is adding to it.
    let writing = hikyaku_backup::BackupDestination::open(&saved, None).expect("the backup");
    let from = servers.source();
    let check = [
        "check",
        &from,
        &saved,
        "--source-password-env",
        "PW",
        "--full",
    ];
    let said = run(&home, &check);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(said.out.contains("identical: 31 messages"), "{said:?}");
    let busy = backup(&home, &servers, &saved, &[]);
    assert!(busy.err.contains("[D814]"), "{busy:?}");
    drop(writing);
}
