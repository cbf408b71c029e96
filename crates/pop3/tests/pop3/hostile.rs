//! Servers that flood, stall and make no sense: memory and time are bounded, and the fault says
//! what it was.

use crate::pop::{Mail, Pop, Script};
use crate::support::{open, read};
use hikyaku_core::{Code, Fault, Reach};
use hikyaku_pop3::Pop3Account;

fn script(instead: (&'static str, Vec<u8>)) -> Script {
    let text = format!("Subject: x\r\n\r\n{}", "line\r\n".repeat(9));
    Script {
        mails: vec![Mail::new("a", text.clone()), Mail::new("b", text)],
        instead: Some(instead),
        ..Script::default()
    }
}

async fn at_the_door(script: Script) -> Fault {
    let pop = Pop::start(script).await;
    Pop3Account::connect(pop.options())
        .await
        .expect_err("a fault")
}

/// The fault that ends reading, and how many messages came before.
async fn while_reading(script: Script) -> (Fault, usize) {
    let pop = Pop::start(script).await;
    let mut options = pop.options();
    options.largest = 1 << 20;
    let account = Pop3Account::connect(options).await.expect("login");
    let mut reader = open(&account).await;
    let keys = reader.keys().await.expect("keys");
    let mut all = read(reader.as_mut(), &keys).await;
    let last = all.pop().expect("an end").expect_err("a fault");
    let before = all.len();
    assert!(all.into_iter().all(|item| item.is_ok()));
    (last, before)
}

#[tokio::test]
async fn floods_before_and_after_login_are_cut_off() {
    let line = vec![b'x'; 100_000];
    let many = b"+OK\r\n"
        .iter()
        .copied()
        .chain(b"X\r\n".repeat(1_000))
        .collect::<Vec<_>>();
    for script in [
        Script {
            greeting: format!("+OK {}", "x".repeat(100_000)),
            ..Script::default()
        },
        script(("CAPA", line.clone())),
        script(("CAPA", many)),
        script(("PASS", line.clone())),
        script(("LIST", [b"+OK\r\n1 ", &line[..]].concat())),
        script(("UIDL", [b"+OK\r\n1 ", &line[..]].concat())),
    ] {
        let what = script.instead.clone();
        let fault = at_the_door(script).await;
        assert_eq!(fault.code, Code::ServerExcess, "{:?}", what.map(|w| w.0));
        assert_eq!(fault.reach, Reach::Side);
    }
}

#[tokio::test]
async fn lists_that_make_no_sense_are_not_believed() {
    for list in [
        "1 20\r\n1 30\r\n",
        "x\r\n",
        "0 5\r\n",
        "1\r\n",
        "1 99999999999999999999999\r\n",
    ] {
        let answer = format!("+OK\r\n{list}.\r\n").into_bytes();
        let fault = at_the_door(script(("LIST", answer))).await;
        assert_eq!(fault.code, Code::ServerProtocol, "{list:?}");
    }
    // Messages that only one of the lists has, one of them ten million octets of it.
    let many: String = (1..700_000).map(|n| format!("{n} name-{n}\r\n")).collect();
    assert!(many.len() > 10_000_000);
    for list in ["1 a\r\n2 b\r\n3 c\r\n", "1 a\r\n1 b\r\n2 c\r\n", &many] {
        let answer = format!("+OK\r\n{list}.\r\n").into_bytes();
        let fault = at_the_door(script(("UIDL", answer))).await;
        assert_eq!(fault.code, Code::ServerProtocol);
    }
    let fault = at_the_door(script(("LIST", b"-ERR no\r\n".to_vec()))).await;
    assert_eq!(fault.code, Code::ServerRefused);
    let fault = at_the_door(script(("LIST", b"1 20\r\n".to_vec()))).await;
    assert_eq!(fault.code, Code::ServerProtocol);
}

#[tokio::test]
async fn silence_and_sudden_ends_are_told_apart() {
    for (of, answer, code) in [
        ("CAPA", &b""[..], Code::LinkLost),
        ("PASS", b"", Code::LinkLost),
        ("LIST", b"+OK\r\n1 20\r\n", Code::LinkLost),
        ("UIDL", b"+OK\r\n1 a", Code::LinkLost),
    ] {
        let fault = at_the_door(script((of, answer.to_vec()))).await;
        assert_eq!((fault.code, fault.is_temporary()), (code, true), "{of}");
    }
    for of in ["CAPA", "PASS", "LIST"] {
        let silent = Script {
            stalls: true,
            ..script((of, b"+OK\r\n1 2".to_vec()))
        };
        let fault = at_the_door(silent).await;
        assert_eq!(
            (fault.code, fault.is_temporary()),
            (Code::LinkSilent, true),
            "{of}"
        );
    }
    let silent = Script {
        stalls: true,
        ..script(("TOP", b"+OK\r\nSubject: x\r\n\r\n.".to_vec()))
    };
    let (fault, before) = while_reading(silent).await;
    assert_eq!((fault.code, before), (Code::LinkSilent, 0));
    assert!(fault.at.message.is_some(), "{fault:?}");
    // A port that nobody answers behind.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut options = Pop::with(Vec::new()).await.options();
    options.endpoint.port = listener.local_addr().expect("bound").port();
    let fault = Pop3Account::connect(options).await.expect_err("silence");
    assert_eq!((fault.code, fault.is_temporary()), (Code::LinkSilent, true));
}

#[tokio::test]
async fn a_message_without_end_ends_the_connection() {
    let endless = [b"+OK\r\n".to_vec(), b"more and more\r\n".repeat(200_000)].concat();
    let (fault, before) = while_reading(script(("TOP", endless))).await;
    assert_eq!((fault.code, before), (Code::ServerExcess, 0));
    assert!(
        fault.at.message.is_some(),
        "the message is named: {fault:?}"
    );
    let one_line = [b"+OK\r\n".to_vec(), vec![b'x'; 3 << 20]].concat();
    let (fault, before) = while_reading(script(("TOP", one_line))).await;
    assert_eq!((fault.code, before), (Code::ServerExcess, 0));
}

#[tokio::test]
async fn a_message_that_breaks_off_is_not_handed_out() {
    for answer in [
        &b"+OK\r\nSubject: x\r\n\r\nline\r\n"[..],
        b"+OK\r\nSubject: x\r\n\r\nline\r\n.",
        b"+OK",
    ] {
        let (fault, before) = while_reading(script(("TOP", answer.to_vec()))).await;
        assert_eq!(
            (fault.code, before),
            (Code::LinkLost, 0),
            "{}",
            answer.escape_ascii()
        );
        assert!(fault.at.message.is_some());
    }
    let (fault, before) = while_reading(script(("TOP", b"* OK what\r\n".to_vec()))).await;
    assert_eq!((fault.code, before), (Code::ServerProtocol, 0));
}
