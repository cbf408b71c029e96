//! What a person sees after a mistake: one clear sentence, the next step, the right
//! exit code, and nothing written.

mod run;

use run::{Home, Said};

fn check(home: &Home, arguments: &[&str], exit: i32, cause: &str, next: &str) -> Said {
    let said = home.run(arguments);
    assert_eq!(said.exit, exit, "{arguments:?}: {said:?}");
    assert_eq!(said.out, "", "{arguments:?}");
    assert!(said.err.contains(cause), "{arguments:?}: {said:?}");
    assert!(said.err.contains(next), "{arguments:?}: {said:?}");
    assert!(
        !said.err.contains("planted"),
        "a password was shown: {said:?}"
    );
    assert!(!home.has_ledger(), "{arguments:?} wrote a ledger");
    said
}

#[test]
fn usage_mistakes_end_with_1_before_anything_is_asked() {
    let home = Home::new();
    let good = "imaps://u@mail.invalid";
    for (arguments, cause, next) in [
        (
            vec!["copy", "imasp://u@h", good],
            "no kind \"imasp://\"",
            "Did you mean imaps://?",
        ),
        (
            vec!["copy", good, "u@mail.invalid"],
            "does not say how to connect",
            "imaps://u@mail.invalid",
        ),
        (
            vec!["copy", "imaps://u:planted@h", good],
            "holds a password",
            "--source-password-file",
        ),
        (
            vec!["copy", "imaps://u@h:99999", good],
            "\"99999\" is no port",
            "imaps://taro@mail.example.jp:993",
        ),
        (
            vec!["plan", "pst:./x.pst", good],
            "\"pst\" is not in this version",
            "imaps://",
        ),
        (
            vec!["copy", good, "pop3s://u@h"],
            "\"pop3s://u@h\" can only be read",
            "hikyaku backup",
        ),
        (
            vec!["copy", good, "mbox:./x"],
            "\"mbox:./x\" can only be read",
            "hikyaku backup",
        ),
        (
            vec!["copy", "pop3s://u@h/INBOX", good],
            "POP3 has no folders",
            "Leave out",
        ),
        (
            vec!["copy", "mbox:", good],
            "no path follows \"mbox:\"",
            "mbox:./mail",
        ),
        (
            vec!["check", good],
            "nothing to compare with",
            "has to be a backup",
        ),
        (
            vec!["find", "/nonexistent/home"],
            "no file or folder \"/nonexistent/home\"",
            "Check the path",
        ),
        (
            vec!["check", "old:", good],
            "no account \"old\"",
            "[accounts.old]",
        ),
        (
            vec!["folders", "./mail"],
            "no file or folder \"./mail\"",
            "imaps://",
        ),
        (
            vec![
                "copy",
                good,
                "imaps://v@mail.invalid",
                "--since",
                "2024-02-01",
                "--before",
                "2024-01-01",
            ],
            "no message is inside",
            "dates",
        ),
        (
            vec!["explain", "A999"],
            "no error code \"A999\"",
            "hikyaku explain",
        ),
    ] {
        check(&home, &arguments, 1, cause, next);
    }
}

#[test]
fn the_same_in_japanese() {
    let home = Home::new();
    let good = "imaps://u@mail.invalid";
    for (arguments, cause, next) in [
        (
            vec!["--lang", "ja", "copy", "imasp://u@h", good],
            "という種類はありません",
            "「imaps://」ではありませんか",
        ),
        (
            vec!["--lang", "ja", "copy", "imaps://u:planted@h", good],
            "パスワードが含まれています",
            "--source-password-file",
        ),
        (
            vec!["--lang", "ja", "plan", "pst:./x.pst", good],
            "このバージョンではまだ使えません",
            "imaps://",
        ),
        (
            vec!["--lang", "ja", "copy", good, "pop3s://u@h"],
            "読み取り専用",
            "hikyaku backup",
        ),
        (
            vec!["--lang", "ja", "folders", "./mail"],
            "「./mail」というファイルやフォルダはありません",
            "パスをご確認ください",
        ),
    ] {
        check(&home, &arguments, 1, cause, next);
    }
}

#[test]
fn a_password_that_cannot_be_read_ends_with_1() {
    let home = Home::new();
    let (source, destination) = ("imaps://u@mail.invalid", "imaps://v@mail.invalid");
    for (option, value, cause) in [
        (
            "--source-password-file",
            "/nonexistent/pass",
            "/nonexistent/pass cannot be read: it does not exist",
        ),
        (
            "--source-password-file",
            "/",
            "cannot be read: it is a directory",
        ),
        (
            "--source-password-env",
            "HIKYAKU_TEST_UNSET",
            "HIKYAKU_TEST_UNSET for the source password is not set",
        ),
        (
            "--source-password-command",
            "echo planted; exit 7",
            "ended with exit code 7",
        ),
        (
            "--source-password-command",
            "true",
            "source password is empty",
        ),
    ] {
        check(
            &home,
            &["copy", source, destination, option, value],
            1,
            cause,
            "→",
        );
    }
    // Nobody to ask: a pipe instead of a terminal.
    check(
        &home,
        &["copy", source, destination],
        1,
        "no terminal",
        "--source-password-file",
    );
}

#[test]
fn clap_mistakes_end_with_1_and_help_with_0() {
    let home = Home::new();
    for arguments in [
        &["copy"][..],
        &["copy", "aa:", "bb:", "--source-password", "planted"],
        &["copy", "aa:", "bb:", "--since", "yesterday"],
        &["nonsense"],
        &["--lang", "de", "jobs"],
        &["backup", "imaps://u@h", "dir", "--format", "pst"],
        &["copy", "x", "imaps://u@h", "--read", "--unread"],
    ] {
        let said = home.run(arguments);
        assert_eq!((said.exit, said.out.as_str()), (1, ""), "{arguments:?}");
        assert!(
            said.err.contains("--help") || said.err.contains("Usage"),
            "{said:?}"
        );
    }
    for arguments in [&["--help"][..], &["copy", "--help"], &["--version"]] {
        let said = home.run(arguments);
        assert_eq!((said.exit, said.err.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn a_configuration_with_a_mistake_ends_with_1_and_names_the_line() {
    let home = Home::new();
    home.config(
        "lang = \"ja\"\n\n[accounts.old]\nlocator = \"imaps://u@h\"\npasword-file = \"x\"\n",
    );
    let said = home.run(&["--lang", "en", "config", "check"]);
    assert_eq!(said.exit, 1);
    assert!(said.err.contains("line 5"), "{said:?}");
    assert!(
        said.err.contains("Did you mean \"password-file\"?"),
        "{said:?}"
    );
    home.config("[accounts.old]\nlocator = \"imaps://u@h\"\npassword = \"planted\"\n");
    check(
        &home,
        &["config", "check"],
        1,
        "passwords are not kept",
        "password-file",
    );
    let named = ["--config", "/nonexistent.toml", "config", "check"];
    check(
        &home,
        &named,
        1,
        "/nonexistent.toml: the configuration cannot be read",
        "path",
    );
}

#[test]
fn a_sound_configuration_is_shown_without_secrets() {
    let home = Home::new();
    home.config(
        "[accounts.old]\nlocator = \"imaps://taro@old.example.jp\"\npassword-command = \"echo planted\"\n",
    );
    let said = home.run(&["config", "check"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert!(
        said.out
            .contains("old:  imaps://taro@old.example.jp  password-command"),
        "{said:?}"
    );
    assert!(!said.out.contains("planted"));
}
