//! What an operator reads when the service cannot start.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const DESTINATION: &str = "[destination]\nhost = \"imap.example.jp\"\n";

/// Runs `serve` with this configuration until it gives up.
fn serve(config: &str, more: &[&str], files: &[(&str, &str)]) -> (i32, String) {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("config.toml"), config).unwrap();
    for (name, text) in files {
        fs::write(home.path().join(name), text).unwrap();
    }
    let Output { status, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_hikyaku"))
        .args(["serve", "--lang", "en", "--config"])
        .arg(home.path().join("config.toml"))
        .args(more)
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(stderr).unwrap();
    let said = said.replace(&home.path().display().to_string(), "HOME");
    (status.code().unwrap(), said)
}

/// A configuration, further arguments, files beside it, and what is said about it.
type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_keeps_the_service_from_starting_is_told_with_file_and_line() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let cases: [Case<'_>; 6] = [
        (
            "\nlissten = \"127.0.0.1:0\"\n",
            &[],
            &[],
            "HOME/config.toml:2: lissten",
        ),
        ("", &[], &[], "no server to copy to"),
        (
            DESTINATION,
            &["--listen", &taken],
            &[],
            "another program uses it",
        ),
        (
            "key_file = \"key\"\n[destination]\nhost = \"imap.example.jp\"\n",
            &["--listen", "127.0.0.1:0"],
            &[("key", "not a key")],
            "the key must be 32 octets in base64",
        ),
        (
            "brands = [\"brand.toml\"]\n",
            &[],
            &[("brand.toml", "id = \"x\"\nname = 7\n")],
            "HOME/brand.toml:2",
        ),
        (
            "state = \"config.toml/below\"\n[destination]\nhost = \"imap.example.jp\"\n",
            &["--listen", "127.0.0.1:0"],
            &[],
            "HOME/config.toml/below",
        ),
    ];
    for (config, more, files, says) in cases {
        let (exit, said) = serve(config, more, files);
        assert!(said.contains(says), "{says}: {said}");
        assert_eq!(exit, 1, "{said}");
    }
}
