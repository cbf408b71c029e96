//! What goes wrong at the door and on the way, as the engine sees it.

use crate::pop::{Mail, Pop, Script};
use crate::support::{inbox, open, read, read_all, texts};
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::traits::Source;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Security;
use hikyaku_net::sasl::{Credentials, Renewal};
use hikyaku_pop3::{Distrust, Pop3Account, Seen};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn mails(names: &[&str]) -> Vec<Mail> {
    names
        .iter()
        .map(|name| Mail::new(name, format!("Subject: {name}\r\n\r\n{name}\r\n")))
        .collect()
}

async fn refused(pop: &Pop) -> Fault {
    let fault = Pop3Account::connect(pop.options())
        .await
        .expect_err("refused");
    assert_eq!(fault.at.side, Some(hikyaku_core::Side::Source), "{fault:?}");
    assert!(fault.at.server.is_some(), "{fault:?}");
    assert!(!format!("{fault:?}").contains("planted-secret"));
    fault
}

#[tokio::test]
async fn a_refusal_at_the_door_says_what_helps() {
    let seconds = |n| Remedy::Retry {
        after: Some(Duration::from_secs(n)),
    };
    for (line, code, remedy) in [
        (
            "-ERR [IN-USE] locked by another session",
            Code::MailboxLocked,
            seconds(30),
        ),
        (
            "-ERR [LOGIN-DELAY] too early",
            Code::ServerBusy,
            seconds(60),
        ),
        (
            "-ERR [SYS/TEMP] disk",
            Code::ServerBusy,
            Remedy::Retry { after: None },
        ),
        (
            "-ERR [SYS/PERM] not enabled for POP access",
            Code::LoginPopDisabled,
            Remedy::AskUser,
        ),
        ("-ERR [AUTH] no", Code::LoginRejected, Remedy::AskUser),
        ("-ERR no", Code::LoginRejected, Remedy::AskUser),
    ] {
        let pop = Pop::start(Script {
            logins: VecDeque::from([line]),
            ..Script::default()
        })
        .await;
        let fault = refused(&pop).await;
        assert_eq!(
            (fault.code, fault.remedy, fault.reach),
            (code, remedy, Reach::Side),
            "{line}"
        );
        assert_eq!(pop.count("PASS"), 1, "{line}");
    }
    for (greeting, code) in [
        ("-ERR too many connections", Code::ServerConnections),
        ("-ERR go away", Code::ServerBusy),
        ("* OK IMAP4rev1", Code::ServerProtocol),
        ("220 smtp", Code::ServerProtocol),
    ] {
        let pop = Pop::start(Script {
            greeting: greeting.to_owned(),
            ..Script::default()
        })
        .await;
        assert_eq!(refused(&pop).await.code, code, "{greeting}");
        assert_eq!(pop.heard(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn nothing_secret_is_said_without_the_encryption_that_was_asked_for() {
    for capabilities in [Some(vec!["USER", "TOP"]), Some(vec!["USER", "STLS"]), None] {
        let pop = Pop::start(Script {
            capabilities,
            ..Script::default()
        })
        .await;
        let mut options = pop.options();
        options.endpoint.security = Security::StartTls;
        let fault = Pop3Account::connect(options).await.expect_err("no TLS");
        assert_eq!(fault.code, Code::TlsUnavailable);
        assert!(
            pop.heard()
                .iter()
                .all(|line| line == "CAPA" || line == "STLS"),
            "{:?}",
            pop.heard()
        );
    }
    // Words that somebody put behind the agreement, to be believed afterwards.
    let pop = Pop::start(Script {
        capabilities: Some(vec!["STLS"]),
        instead: Some(("STLS", b"+OK begin\r\n+OK in\r\n".to_vec())),
        ..Script::default()
    })
    .await;
    let mut options = pop.options();
    options.endpoint.security = Security::StartTls;
    let fault = Pop3Account::connect(options)
        .await
        .expect_err("tampered with");
    assert!(
        matches!(fault.code, Code::TlsFailed | Code::LinkLost),
        "{fault:?}"
    );
}

#[tokio::test]
async fn names_and_passwords_cannot_become_commands() {
    for (user, password) in [
        ("taro\r\nDELE 1", "x"),
        ("taro", "x\r\nDELE 1"),
        ("ta\0ro", "x"),
        ("", "x"),
    ] {
        let pop = Pop::with(mails(&["a"])).await;
        let mut options = pop.options();
        options.credentials = Credentials::password(user, password);
        let fault = Pop3Account::connect(options).await.expect_err("not sent");
        assert_eq!(fault.code, Code::ConfigInvalid);
        assert_eq!(pop.heard(), ["CAPA"]);
    }
}

#[tokio::test]
async fn a_server_that_deletes_what_is_read_is_not_read_from_unless_somebody_agreed() {
    let script = Script {
        capabilities: Some(vec!["TOP", "UIDL", "USER", "EXPIRE 0"]),
        mails: mails(&["a", "b"]),
        deletes: true,
        ..Script::default()
    };
    let pop = Pop::start(script.clone()).await;
    let fault = refused(&pop).await;
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::SourceDeletes, Remedy::AskUser)
    );
    assert!(
        pop.count("TOP") + pop.count("RETR") + pop.count("QUIT") == 0,
        "{:?}",
        pop.heard()
    );

    let mut options = pop.options();
    options.accepts_deletion = true;
    let account = Pop3Account::connect(options).await.expect("agreed");
    assert_eq!(texts(&account).await.len(), 2);
    account.close().await;
    // No farewell, so nothing is deleted all the same.
    assert_eq!(pop.count("QUIT"), 0);
    assert_eq!(pop.script().mails.len(), 2);

    // Said before login and not again after it: it is not taken back.
    let pop = Pop::start(Script {
        capabilities_inside: Some(vec!["TOP", "UIDL", "USER"]),
        ..script.clone()
    })
    .await;
    assert_eq!(refused(&pop).await.code, Code::SourceDeletes);
    assert_eq!(pop.count("LIST"), 0);
    let pop = Pop::start(Script {
        capabilities_inside: Some(vec!["TOP", "UIDL", "USER", "EXPIRE NEVER"]),
        ..script.clone()
    })
    .await;
    assert_eq!(texts(&pop.account().await).await.len(), 2);

    // What may differ by user is asked again after login; days and never are no matter.
    for harmless in ["EXPIRE NEVER", "EXPIRE 30", "EXPIRE"] {
        let pop = Pop::start(Script {
            capabilities: Some(vec!["TOP", "UIDL", "USER", harmless]),
            ..script.clone()
        })
        .await;
        assert_eq!(texts(&pop.account().await).await.len(), 2, "{harmless}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_reader_and_the_next_sees_what_is_there_then() {
    let pop = Pop::with(mails(&["a"])).await;
    let account = pop.account().await;
    assert_eq!(texts(&account).await.len(), 1);
    pop.script().mails.extend(mails(&["b"]));
    let info = inbox(&account).await;
    assert_eq!(
        info.state.expect("a state").messages,
        2,
        "a look at what arrived"
    );
    assert_eq!(texts(&account).await.len(), 2);
    account.close().await;
    assert_eq!(pop.count("USER"), 2, "the look serves the reader too");
    assert_eq!(pop.count("QUIT"), 2);
    assert!(account.open(&info).await.is_err(), "it was closed");
    assert!(
        pop.heard().iter().all(|line| !line.starts_with("DELE")),
        "nothing deletes"
    );
}

#[tokio::test]
async fn while_a_reader_is_open_the_mailbox_is_listed_as_it_was() {
    let pop = Pop::with(mails(&["a"])).await;
    let account = pop.account().await;
    let reader = open(&account).await;
    pop.script().mails.extend(mails(&["b"]));
    assert_eq!(inbox(&account).await.state.expect("a state").messages, 1);
    drop(reader);
}

#[tokio::test]
async fn a_flow_that_is_left_early_costs_the_session_and_nothing_else() {
    let names: Vec<String> = (0..40).map(|n| format!("m{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let pop = Pop::with(mails(&names)).await;
    let account = pop.account().await;
    let mut reader = open(&account).await;
    let keys = reader.keys().await.expect("keys");
    {
        use futures::StreamExt;
        let mut flow = reader.read(&keys);
        // The first comes alone, then many are under way.
        flow.next().await.expect("one").expect("a letter");
        flow.next().await.expect("another").expect("a letter");
    }
    let fault = reader.keys().await.expect_err("given up");
    assert_eq!((fault.code, fault.is_temporary()), (Code::LinkLost, true));
    let rest = read(reader.as_mut(), &keys).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].as_ref().expect_err("given up").code, Code::LinkLost);
    drop(reader);
    assert_eq!(read_all(&account).await.len(), 40);
}

#[tokio::test]
async fn a_second_login_waits_as_long_as_the_server_said() {
    let pop = Pop::start(Script {
        capabilities: Some(vec!["TOP", "UIDL", "USER", "LOGIN-DELAY 900"]),
        mails: mails(&["a"]),
        ..Script::default()
    })
    .await;
    let account = pop.account().await;
    assert_eq!(texts(&account).await.len(), 1);
    let info = inbox(&account).await;
    let fault = account.open(&info).await.err().expect("too early");
    assert_eq!(fault.code, Code::ServerBusy);
    let Remedy::Retry { after: Some(after) } = fault.remedy else {
        panic!("{fault:?}")
    };
    assert!(after > Duration::from_secs(800) && after <= Duration::from_secs(900));
    assert_eq!(pop.count("USER"), 1, "nobody knocked");
}

/// Hands out one secret, once.
#[derive(Debug)]
struct Vault(&'static str, AtomicUsize);

impl Renewal for Vault {
    fn renew<'a>(&'a self, _: &'a Fault) -> BoxFuture<'a, Option<Credentials>> {
        let is_first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
        let credentials = is_first.then(|| Credentials::password("taro", self.0));
        async move { credentials }.boxed()
    }
}

#[tokio::test]
async fn a_password_that_was_changed_is_asked_for_once() {
    for (given, works) in [("new", true), ("wrong", false)] {
        let pop = Pop::with(mails(&["a"])).await;
        let vault = Arc::new(Vault(given, AtomicUsize::new(0)));
        let mut options = pop.options();
        options.renewal = Some(vault.clone());
        let account = Pop3Account::connect(options).await.expect("login");
        let info = inbox(&account).await;
        drop(account.open(&info).await.expect("the first session"));
        pop.script().password = "new";
        for _ in 0..2 {
            let opened = account.open(&info).await;
            match works {
                true => drop(opened.expect("renewed")),
                false => assert_eq!(opened.err().map(|f| f.code), Some(Code::LoginRejected)),
            }
        }
        assert_eq!(vault.1.load(Ordering::SeqCst), 1, "{given}");
        let passwords = pop
            .heard()
            .into_iter()
            .filter(|line| line.starts_with("PASS"));
        let tried: Vec<String> = passwords.skip(1).take(2).collect();
        assert_eq!(
            tried,
            ["PASS planted-secret".to_owned(), format!("PASS {given}")]
        );
    }
}

#[tokio::test]
async fn the_first_password_is_tried_once_and_never_again() {
    let pop = Pop::start(Script {
        logins: VecDeque::from(["-ERR [AUTH] no"]),
        ..Script::default()
    })
    .await;
    let vault = Arc::new(Vault("other", AtomicUsize::new(0)));
    let mut options = pop.options();
    options.renewal = Some(vault.clone());
    let fault = Pop3Account::connect(options).await.expect_err("refused");
    assert_eq!(fault.code, Code::LoginRejected);
    assert_eq!((pop.count("PASS"), vault.1.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn what_counts_as_read_is_old_or_chosen() {
    let dated = |name: &str, date: &str| {
        let head = format!(
            "Received: from a by b; {date}\r\nDate: Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\n"
        );
        Mail::new(name, head)
    };
    let mails = vec![
        dated("a", "Thu, 1 Feb 2024 10:00:00 +0900"),
        dated("b", "Fri, 1 Mar 2024 10:00:00 +0900"),
        Mail::new("c", "Subject: no date\r\n\r\n"),
    ];
    let pop = Pop::with(mails).await;
    for (seen, flags) in [
        (Seen::AsRecorded, ["\\Seen", "", ""]),
        (Seen::All, ["\\Seen"; 3]),
        (Seen::None, [""; 3]),
    ] {
        let mut options = pop.options();
        options.seen = seen;
        // 12 March 2024.
        options.now = 1_710_200_000;
        let account = Pop3Account::connect(options).await.expect("login");
        let all = read_all(&account).await;
        assert_eq!(
            all.iter()
                .map(|plain| plain.flags.as_str())
                .collect::<Vec<_>>(),
            flags
        );
        let dates: Vec<_> = all.iter().map(|plain| plain.date.as_deref()).collect();
        let wanted = [
            Some("2024-02-01T10:00:00+09:00"),
            Some("2024-03-01T10:00:00+09:00"),
            None,
        ];
        assert_eq!(dates, wanted);
    }
}

#[tokio::test]
async fn names_that_do_not_last_are_told() {
    let distrust = async |script: Script| {
        let pop = Pop::start(script).await;
        let account = pop.account().await;
        drop(open(&account).await);
        inbox(&account).await;
        (
            account.distrust(),
            inbox(&account).await.state.and_then(|state| state.epoch),
        )
    };
    let some = mails(&["a", "b"]);
    let normal = Script {
        mails: some.clone(),
        ..Script::default()
    };
    let (why, epoch) = distrust(normal.clone()).await;
    assert!(why.is_none() && epoch.is_some());
    let without = Script {
        has_uidl: false,
        ..normal.clone()
    };
    assert_eq!(distrust(without).await, (Some(Distrust::Missing), None));
    let changing = Script {
        renames: true,
        ..normal.clone()
    };
    assert_eq!(distrust(changing).await, (Some(Distrust::Changed), None));
    let mut unlike = normal.clone();
    unlike.mails[1].name = "a".to_owned();
    unlike.mails[1].text.push(b'x');
    assert_eq!(distrust(unlike).await, (Some(Distrust::Repeated), None));
    let mut positions = normal;
    positions.mails[0].name = "1".to_owned();
    positions.mails[1].name = "2".to_owned();
    assert_eq!(distrust(positions).await, (Some(Distrust::Positions), None));
}
