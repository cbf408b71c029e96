//! The way out of POP, by the binary: a POP3 server and a file on this computer come together in
//! an IMAP account, one step after the other.

mod pair;
mod pop;
mod run;

use pair::held::held;
use pair::{Servers, run};
use pop::{MAIL, Pop};
use run::{Home, Said};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const SECOND: &str = "Subject: b\r\n\r\nonly at the server\r\n";

/// A POP3 server with two messages, and a file with the first of them and two more.
struct World {
    home: Home,
    servers: Servers,
    pop: Pop,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        fs::create_dir(home.root().join("old mail")).expect("a directory");
        home.file(
            "old mail/Inbox",
            &mbox(&["Subject: a\n\nx\n", "Subject: c\n\nmine\n"]),
        );
        home.file("old mail/Sent", &mbox(&["Subject: d\n\nsent\n"]));
        Self {
            home,
            servers: Servers::start(),
            pop: Pop::at(
                "127.0.0.1",
                &["TOP", "UIDL", "USER"],
                true,
                vec![MAIL, SECOND],
            ),
        }
    }

    /// From the server and the file, with a backup.
    fn leave(&self, more: &[&str]) -> Said {
        let (pop, files) = (
            self.pop.locator(),
            format!("mbox:{}", self.home.path("old mail")),
        );
        self.leave_from(&[&files, &pop], more)
    }

    fn leave_from(&self, sources: &[&str], more: &[&str]) -> Said {
        let (to, backup) = (self.servers.destination(), self.home.path("saved"));
        let mut arguments = vec!["leave-pop"];
        arguments.extend(sources);
        arguments.extend(["--to", &to, "--source-password-env", "PW", "--yes"]);
        if !more.contains(&"--have-backup") {
            arguments.extend(["--backup", &backup]);
        }
        if !more.contains(&"--destination-password-command") {
            arguments.extend(["--destination-password-env", "PW"]);
        }
        arguments.extend(more);
        run(&self.home, &arguments)
    }

    /// The same at a terminal, by somebody who types these lines and then leaves.
    #[cfg(target_os = "linux")]
    fn asked(&self, answers: &str, more: &[&str]) -> Said {
        use std::io::Write;
        use std::process::Stdio;
        let files = format!("mbox:{}", self.home.path("old mail"));
        let (pop, to) = (self.pop.locator(), self.servers.destination());
        let saved = self.home.path("saved");
        let arguments = [
            &[env!("CARGO_BIN_EXE_hikyaku"), "leave-pop", &files, &pop],
            &["--to", &to, "--backup", &saved][..],
            &["--source-password-env", "PW"],
            &["--destination-password-env", "PW"],
            more,
        ];
        let quoted: Vec<String> = arguments
            .concat()
            .iter()
            .map(|argument| format!("'{argument}'"))
            .collect();
        // Of the essential packages of Debian: a terminal in front of a program.
        let mut command = std::process::Command::new("script");
        command
            .args(["--quiet", "--return", "--command", &quoted.join(" ")])
            .arg("/dev/null")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.root())
            .env("TERM", "dumb")
            .env("PW", pair::PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("script runs");
        let mut keys = child.stdin.take().expect("a pipe");
        keys.write_all(answers.as_bytes()).expect("typed");
        drop(keys);
        let output = child.wait_with_output().expect("an end");
        Said {
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// Folder and text of everything that arrived.
    fn arrived(&self) -> Vec<(String, String)> {
        let account = self.servers.new.account("taro").expect("the account");
        let mut all = Vec::new();
        for (name, messages) in held(&account) {
            all.extend(messages.into_iter().map(|m| (name.clone(), m.octets)));
        }
        all.sort();
        all
    }

    /// The parts of the backup.
    fn parts(&self) -> Vec<PathBuf> {
        let parts = fs::read_dir(self.home.root().join("saved")).expect("a backup");
        let mut parts: Vec<_> = parts.map(|part| part.expect("a part").path()).collect();
        parts.sort();
        parts
    }
}

fn mbox(messages: &[&str]) -> String {
    let from = "From x Mon Apr  1 01:02:03 2024\n";
    messages
        .iter()
        .map(|text| format!("{from}{text}\n"))
        .collect()
}

fn everything() -> Vec<(String, String)> {
    let of = |folder: &str, text: &str| (folder.to_owned(), text.to_owned());
    let mut all = vec![
        of("INBOX", MAIL),
        of("INBOX", SECOND),
        of("INBOX", "Subject: c\r\n\r\nmine\r\n"),
        of("Sent", "Subject: d\r\n\r\nsent\r\n"),
    ];
    all.sort();
    all
}

fn lines(said: &Said) -> Vec<Value> {
    let lines = said.out.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("an object")).collect()
}

/// Where each of the texts begins, which is after the one before it.
fn in_this_order(text: &str, parts: &[&str]) {
    let mut at = 0;
    for part in parts {
        let found = text[at..].find(part);
        at += found.unwrap_or_else(|| panic!("{part:?} is not behind the others: {text}"));
    }
}

#[test]
fn everything_is_saved_copied_and_verified_in_this_order() {
    let world = World::new();
    let before = fs::read(world.home.root().join("old mail/Inbox")).expect("the file");
    let said = world.leave(&[]);
    assert_eq!(said.exit, 0, "{said:?}");
    in_this_order(
        &said.err,
        &[
            "Source: pop3+insecure://",
            "Source: /",
            "Step 1 of 5: a backup",
            "A new backup (maildir)",
            "A new backup (maildir)",
            "Step 2 of 5: check of the backup",
            "Step 3 of 5: copy",
            ": 2 messages",
            "Not at the server, only on this computer: 2 messages",
            "Step 4 of 5: look whether",
            "Step 5 of 5: which sources",
        ],
    );
    in_this_order(
        &said.out,
        &[
            "The backup is whole: 2 messages",
            "The backup is whole: 3 messages",
            "+ pop3+insecure://",
            "all its mail (2 messages) was found at the destination",
            "+ /",
            "all its mail (3 messages) was found at the destination",
            "Before you delete the POP account",
            "iPhone",
        ],
    );
    assert_eq!(world.arrived(), everything());
    // The sources are as they were.
    let verbs = world.pop.verbs();
    let harmless = [
        "CAPA", "USER", "PASS", "STAT", "LIST", "UIDL", "TOP", "NOOP", "QUIT",
    ];
    assert!(
        verbs.iter().all(|verb| harmless.contains(&verb.as_str())),
        "{verbs:?}"
    );
    let after = fs::read(world.home.root().join("old mail/Inbox")).expect("the file");
    assert_eq!(before, after);
    // Each source has its own part of the backup, and each is whole.
    let parts = world.parts();
    assert_eq!(parts.len(), 2, "{parts:?}");
    for (part, messages) in parts.iter().zip(["3 messages", "2 messages"]) {
        let check = world.home.run(&["check", &part.display().to_string()]);
        assert_eq!(check.exit, 0, "{check:?}");
        assert!(check.out.contains(messages), "{check:?}");
    }

    // Again: nothing is copied, and what was checked is said to be so.
    let snapshot = || {
        let account = world.servers.new.account("taro").expect("the account");
        account.snapshot()
    };
    let there = snapshot();
    let again = world.leave(&["--full"]);
    assert_eq!(again.exit, 0, "{again:?}");
    assert_eq!(again.err.matches("Checked at ").count(), 2, "{again:?}");
    assert!(!again.out.contains("The backup is whole"), "{again:?}");
    assert!(
        again.err.contains("only on this computer: 2 messages"),
        "{again:?}"
    );
    assert!(snapshot() == there, "nothing was touched");
    let japanese = world.leave(&["--lang", "ja"]);
    assert_eq!(japanese.exit, 0, "{japanese:?}");
    let told = "サーバーになく、パソコンだけにあったメール：2通";
    assert!(japanese.err.contains(told), "{japanese:?}");
    assert!(japanese.err.contains("【手順 5／5】"), "{japanese:?}");
    assert!(
        japanese.out.contains("使い終えて構いません"),
        "{japanese:?}"
    );

    let json = world.leave(&["--json"]);
    assert_eq!((json.exit, json.err.as_str()), (0, ""), "{json:?}");
    let lines = lines(&json);
    assert_eq!(lines[0]["command"], "leave_pop");
    let steps: Vec<String> = lines
        .iter()
        .filter(|line| line["type"] == "step")
        .map(|line| {
            format!(
                "{} {}",
                line["number"],
                line["state"].as_str().expect("a word")
            )
        })
        .collect();
    let twice = |n: u8, state: &str| vec![format!("{n} {state}"); 2];
    let wanted = [
        twice(1, "begins"),
        twice(2, "earlier"),
        twice(3, "begins"),
        twice(4, "begins"),
        vec!["5 begins".to_owned()],
    ];
    assert_eq!(steps, wanted.concat());
    let last = lines.last().expect("a line");
    assert_eq!(
        (&last["type"], &last["complete"]),
        (&"leave_pop".into(), &true.into())
    );
    for (source, messages) in [(0, 2), (1, 3)] {
        let source = &last["sources"][source];
        assert_eq!(source["may_retire"], true, "{last}");
        assert_eq!(
            (&source["messages"], &source["copied"], &source["missing"]),
            (&messages.into(), &2.into(), &0.into())
        );
    }
}

#[test]
fn a_step_that_fails_is_where_the_next_run_goes_on() {
    let world = World::new();
    let wrong = ["--destination-password-command", "echo no"];
    let said = world.leave(&wrong);
    assert_eq!(said.exit, 4, "{said:?}");
    in_this_order(
        &said.err,
        &["Step 3 of 5", "Step 3 is not finished", "[A201]"],
    );
    assert!(!said.err.contains("Step 4 of 5"), "{said:?}");
    assert!(!said.out.contains("given up"), "{said:?}");
    assert_eq!((world.arrived(), world.parts().len()), (Vec::new(), 2));

    let said = world.leave(&[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(said.err.matches("Checked at ").count(), 2, "{said:?}");
    assert_eq!(world.arrived(), everything());
}

#[test]
fn without_a_whole_backup_nothing_is_copied() {
    let world = World::new();
    let wrong = [
        "--destination-password-command",
        "echo no",
        "--format",
        "eml",
    ];
    assert_eq!(world.leave(&wrong).exit, 4);
    // A file of the backup is damaged, and it is looked at again because there is more mail.
    let part = &world.parts()[0];
    let is_message = |path: &Path| path.extension().is_some_and(|ending| ending == "eml");
    let files = fs::read_dir(part.join("INBOX")).expect("a folder");
    let mut files = files.map(|file| file.expect("a file").path());
    let file = files.find(|path| is_message(path)).expect("a message");
    fs::write(file, "Subject: other\r\n\r\n").expect("written");
    let more = mbox(&[
        "Subject: a\n\nx\n",
        "Subject: c\n\nmine\n",
        "Subject: e\n\nnew\n",
    ]);
    world.home.file("old mail/Inbox", &more);

    let said = world.leave(&[]);
    assert_eq!(said.exit, 3, "{said:?}");
    assert!(said.err.contains("Damaged message in INBOX"), "{said:?}");
    assert!(said.err.contains("Step 2 is not finished"), "{said:?}");
    assert!(!said.err.contains("Step 3 of 5"), "{said:?}");
    assert_eq!(world.arrived(), Vec::new());
    // It does not become whole by being asked again.
    let again = world.leave(&[]);
    assert_eq!((again.exit, world.arrived()), (3, Vec::new()), "{again:?}");
}

#[test]
fn a_source_with_mail_that_cannot_be_copied_has_to_stay() {
    let world = World::new();
    let id = "0A1B2C3D-0000-4000-8000-000000000001";
    let messages = world
        .home
        .root()
        .join(format!("Mail/V10/{id}/INBOX.mbox/{id}/Data/Messages"));
    fs::create_dir_all(&messages).expect("a directory");
    fs::write(messages.join("1.emlx"), "13\nSubject: m\n\nx").expect("a file");
    fs::write(messages.join("2.emlx"), "9999\nSubject: n\n\ny").expect("a file");
    let (pop, mac) = (world.pop.locator(), world.home.path("Mail"));
    let said = world.leave_from(&[&pop, &mac], &[]);
    assert_eq!(said.exit, 3, "{said:?}");
    in_this_order(
        &said.out,
        &[
            "+ pop3+insecure://",
            "It may be given up",
            "not found at the destination: 1 message",
        ],
    );
    assert!(said.out.contains("2.emlx"), "{said:?}");
    let texts: Vec<String> = world.arrived().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, [MAIL, SECOND, "Subject: m\r\n\r\nx"]);
    let json = world.leave_from(&[&pop, &mac], &["--json"]);
    assert_eq!(json.exit, 3, "{json:?}");
    let lines = lines(&json);
    let last = lines.last().expect("a line");
    assert_eq!(last["complete"], false, "{last}");
    let stays: Vec<_> = last["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| &s["missing"])
        .collect();
    assert_eq!(stays, [&Value::from(0), &Value::from(1)]);
}

#[test]
fn nobody_is_led_without_having_agreed() {
    let world = World::new();
    let (pop, to) = (world.pop.locator(), world.servers.destination());
    let asked = run(
        &world.home,
        &["leave-pop", &pop, "--to", &to, "--have-backup"],
    );
    assert_eq!(asked.exit, 1, "{asked:?}");
    assert!(asked.err.contains("--yes"), "{asked:?}");
    // Either a backup, or the word that there is one.
    let neither = run(&world.home, &["leave-pop", &pop, "--to", &to, "--yes"]);
    assert_eq!(neither.exit, 1, "{neither:?}");
    assert!(neither.err.contains("--backup"), "{neither:?}");
    let nothing = run(
        &world.home,
        &["leave-pop", "--to", &to, "--have-backup", "--yes", "--find"],
    );
    assert_eq!(nothing.exit, 1, "{nothing:?}");
    assert!(
        nothing.err.contains("No mail was found on this computer"),
        "{nothing:?}"
    );
    assert_eq!(
        (world.arrived(), world.home.has_ledger()),
        (Vec::new(), false)
    );
    assert!(world.pop.verbs().is_empty());

    let said = world.leave_from(&[&pop], &["--have-backup"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.err.contains("You have a backup of your own"),
        "{said:?}"
    );
    assert!(!world.home.root().join("saved").exists());
    assert_eq!(world.arrived().len(), 2);
}

#[test]
fn mail_on_this_computer_is_found_and_comes_along_where_that_is_wanted() {
    let world = World::new();
    let profile = world
        .home
        .root()
        .join(".thunderbird/abcd.default/Mail/pop.example.jp");
    fs::create_dir_all(&profile).expect("a directory");
    fs::write(profile.join("Inbox"), mbox(&["Subject: t\n\nbird\n"])).expect("a file");
    fs::write(profile.join("Inbox.msf"), "").expect("a file");
    let pop = world.pop.locator();
    let said = world.leave_from(&[&pop], &[]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.err.contains("There is more mail on this computer"),
        "{said:?}"
    );
    assert!(said.err.contains("thunderbird:/"), "{said:?}");
    assert_eq!(world.arrived().len(), 2);

    let said = world.leave_from(&[&pop], &["--find"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(!said.err.contains("There is more mail"), "{said:?}");
    assert!(
        said.err.contains("only on this computer: 1 message"),
        "{said:?}"
    );
    let arrived = world.arrived();
    let text = "Subject: t\r\n\r\nbird\r\n";
    assert!(
        arrived.iter().any(|(_, octets)| octets == text),
        "{arrived:?}"
    );
    assert_eq!(arrived.len(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn every_step_is_asked_for_and_can_be_stopped_at() {
    let world = World::new();
    let question = "Go on with this step?";
    let has_saved = || world.home.root().join("saved").exists();
    // Whoever says anything but yes, or nothing at all, has not agreed.
    for (step, answers) in [
        (1, "no\n"),
        (1, "\n"),
        (1, ""),
        (2, "yes\nno\n"),
        (3, "YES\ny\nnot yet\n"),
        (4, "yes\nyes\n はい \n"),
    ] {
        let said = world.asked(answers, &[]);
        assert_eq!(said.exit, 8, "{step} {said:?}");
        assert_eq!(said.out.matches(question).count(), step, "{said:?}");
        in_this_order(
            &said.out,
            &[&format!("Step {step} of 5"), question, "Stopped here"],
        );
        assert!(
            !said.out.contains(&format!("Step {} of 5", step + 1)),
            "{said:?}"
        );
        assert!(!said.out.contains("given up"), "{said:?}");
        assert_eq!(has_saved(), step > 1, "{said:?}");
        let wanted = if step > 3 { everything() } else { Vec::new() };
        assert_eq!(world.arrived(), wanted, "{said:?}");
    }
    let said = world.asked("はい\nはい\nはい\nはい\n", &["--lang", "ja"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(said.out.matches("この手順に進みますか？").count(), 4);
    assert_eq!(said.out.matches("使い終えて構いません").count(), 2);
    assert_eq!(world.arrived(), everything());
}

/// What a link leads to is not copied, so nobody may be told that everything was.
#[cfg(unix)]
#[test]
fn a_source_with_a_folder_that_was_not_looked_into_has_to_stay() {
    let world = World::new();
    let elsewhere = world.home.root().join("other disk");
    fs::create_dir(&elsewhere).expect("a directory");
    fs::write(elsewhere.join("More"), mbox(&["Subject: e\n\nmore\n"])).expect("a file");
    let link = world.home.root().join("old mail/More");
    std::os::unix::fs::symlink(elsewhere.join("More"), link).expect("linked");
    let json = world.leave(&["--json"]);
    let lines = lines(&json);
    let last = lines.last().expect("a line");
    assert_eq!(last["type"], "leave_pop", "{json:?}");
    let ends = [&last["sources"][0], &last["sources"][1]];
    let may_retire = ends.map(|end| &end["may_retire"]);
    assert_eq!(may_retire, [&Value::from(true), &Value::from(false)]);
    assert_eq!((json.exit, world.arrived()), (3, everything()), "{json:?}");
    let said = world.leave(&[]);
    assert!(said.out.contains("not followed"), "{said:?}");
    assert_eq!(said.out.matches("It may be given up").count(), 1);
    assert_eq!(said.out.matches("Do not give it up yet").count(), 1);
}
