//! POP3 from Dovecot, by the binary itself.

use hikyaku_testkit::servers::{self, Account, Kind, MailServer};
use std::process::{Command, Output, Stdio};

/// From POP3 of one account to IMAP of the other.
fn copy(server: &dyn MailServer, from: &Account, to: &Account, more: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    run(server, from, to, state.path(), more)
}

fn run(
    server: &dyn MailServer,
    from: &Account,
    to: &Account,
    state: &std::path::Path,
    more: &[&str],
) -> Output {
    let instance = server.instance();
    let ca = state.join("ca.pem");
    std::fs::write(&ca, &instance.identity().authority_pem).unwrap();
    let source = format!(
        "pop3s://{}@{}:{}",
        from.user,
        instance.host(),
        instance.pop3_tls_port()
    );
    let destination = format!(
        "imap+insecure://{}@127.0.0.1:{}",
        to.user,
        instance.address().port()
    );
    Command::new(env!("CARGO_BIN_EXE_hikyaku"))
        .args(["--lang", "en", "--state"])
        .arg(state)
        .args(["copy", &source, &destination, "--source-ca-file"])
        .arg(&ca)
        .args(["--source-password-env", "FROM"])
        .args(["--destination-password-env", "TO"])
        .args(more)
        .env_clear()
        .env("HOME", state)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("FROM", &from.password)
        .env("TO", &to.password)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn report(output: &Output) -> serde_json::Value {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

/// Octets and flags of INBOX, in order.
fn inbox(server: &dyn MailServer, account: &Account) -> Vec<(Vec<u8>, String)> {
    let mut judge = server.judge(account).unwrap();
    judge.keep_octets_up_to(1 << 20);
    let all = judge.snapshot().unwrap();
    let inbox = all.mailboxes.get(&b"INBOX"[..]).unwrap();
    let told = inbox.messages.iter().map(|message| {
        let flags: Vec<String> = message.flags.iter().cloned().collect();
        (message.content.octets().unwrap().to_vec(), flags.join(" "))
    });
    told.collect()
}

#[test]
fn mail_comes_over_pop3_once_and_the_mailbox_stays_as_it_was() {
    let server = servers::start(Kind::Dovecot).unwrap();
    let server = server.as_ref();
    let (from, to) = (
        server.create_account("taro").unwrap(),
        server.create_account("hanako").unwrap(),
    );
    let mut judge = server.judge(&from).unwrap();
    for n in 0..20 {
        let text = format!(
            "Message-ID: <{n}@x>\r\nDate: Wed, 17 Jul 1996 02:44:25 -0700\r\nSubject: {n}\r\n\r\n.\r\n..{n}\r\n"
        );
        let flags: [&str; 0] = [];
        let answer = judge.append("INBOX", &flags, None, text.as_bytes());
        let answer = answer.unwrap();
        answer.accepted().unwrap();
    }
    drop(judge);
    let before = inbox(server, &from);
    assert_eq!(before.len(), 20);
    let state = tempfile::tempdir().unwrap();
    let first = report(&run(server, &from, &to, state.path(), &["--json"]));
    assert_eq!(
        (&first["scanned"], &first["copied_now"]),
        (&20.into(), &20.into())
    );
    assert_eq!(first["servers"][0]["side"], "source");
    assert!(first["servers"][0]["tls"].is_string(), "{first}");
    let arrived = inbox(server, &to);
    // Older than a month: read, as POP3 does not tell.
    let expected: Vec<(Vec<u8>, String)> = before
        .iter()
        .map(|(octets, _)| (octets.clone(), "\\Seen".to_owned()))
        .collect();
    assert!(arrived == expected, "the same octets in the same order");
    assert!(inbox(server, &from) == before, "nothing is marked as read");
    let second = report(&run(server, &from, &to, state.path(), &["--json"]));
    assert_eq!(
        (&second["scanned"], &second["copied_now"]),
        (&20.into(), &0.into())
    );

    // Nothing counts as read where that was chosen.
    let other = server.create_account("jiro").unwrap();
    report(&copy(server, &from, &other, &["--unread", "--json"]));
    let flags: Vec<String> = inbox(server, &other).into_iter().map(|(_, f)| f).collect();
    assert_eq!(flags, vec![String::new(); 20]);

    let wrong = Account {
        password: "wrong".to_owned(),
        ..from.clone()
    };
    let refused = copy(server, &wrong, &to, &[]);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
}
