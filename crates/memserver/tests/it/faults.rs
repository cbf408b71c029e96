//! Each scripted fault does what it says, and nothing else.

use std::time::Duration;

use bytes::Bytes;
use hikyaku_memserver::{
    Account, Action, MemServer, Options, Personality, Point, Refusal, Rule, Script,
};
use tokio::time::Instant;

use crate::client::{Client, End};
use crate::start;

const SECOND: Duration = Duration::from_secs(1);

async fn scripted(script: impl Into<Script>) -> (MemServer, Account) {
    start(Options::new(Personality::dovecot_like()).script(script)).await
}

/// Two messages in INBOX, and a session that has it open.
async fn reading(script: impl Into<Script>) -> (MemServer, Client) {
    let (server, account) = scripted(script).await;
    account.add_message("INBOX", "A: b\r\n\r\n0123456789\r\n");
    account.add_message("INBOX", "C: d\r\n\r\nsecond\r\n");
    let mut c = Client::logged_in(&server).await;
    c.ok("examine inbox").await;
    (server, c)
}

const APPEND: &str = "t append INBOX {6+}\r\nA: b\r\n\r\n";

#[tokio::test]
async fn an_append_refused_before_its_literal_stores_nothing_and_the_session_goes_on() {
    let rule = Rule::on("APPEND", Action::Answer(Refusal::no("[OVERQUOTA] full")))
        .at(Point::Line)
        .times(2);
    let (server, account) = scripted(rule).await;
    let mut c = Client::logged_in(&server).await;
    c.dialogue("C: a append INBOX {6}\nS: a NO [OVERQUOTA] full")
        .await;
    c.dialogue("C: b append INBOX {6+}\nC: x noop {3+}\nC: abc\nS: b NO [OVERQUOTA] full")
        .await;
    c.send(APPEND).await;
    assert!(c.answer().await[0].starts_with("t OK [APPENDUID"));
    assert_eq!(account.uids("INBOX"), [1]);
    assert_eq!(server.hits(), [2]);
    assert!(!server.transcript().verbs().contains("NOOP"));
}

#[tokio::test]
async fn a_refusal_after_reading_has_no_effect_and_one_after_executing_has() {
    for (point, stored) in [(Point::Read, 0), (Point::Done, 1)] {
        let rule = Rule::on("APPEND", Action::Answer(Refusal::no("[SERVERBUG] oops"))).at(point);
        let (server, account) = scripted(rule).await;
        let mut c = Client::logged_in(&server).await;
        c.send(APPEND).await;
        assert_eq!(c.answer().await, ["t NO [SERVERBUG] oops"]);
        assert_eq!(account.uids("INBOX").len(), stored);
    }
}

#[tokio::test]
async fn bad_before_a_literal_lets_the_message_text_run_as_commands() {
    let rule = Rule::on("APPEND", Action::Answer(Refusal::bad("broken"))).at(Point::Line);
    let (server, account) = scripted(rule).await;
    let mut c = Client::logged_in(&server).await;
    c.dialogue("C: a append INBOX {18+}\nC: x delete INBOX\nC: y noop\nS: a BAD broken\nS: x NO...\nS: y OK...").await;
    assert_eq!(server.transcript().of("DELETE").len(), 1);
    assert!(account.uids("INBOX").is_empty());
}

#[tokio::test]
async fn bye_is_said_and_the_connection_closed() {
    let (server, _) = scripted(Rule::on("NOOP", Action::Bye("[UNAVAILABLE] later".into()))).await;
    let mut c = Client::logged_in(&server).await;
    c.send("t noop\r\n").await;
    assert_eq!(
        c.rest().await,
        ("* BYE [UNAVAILABLE] later\r\n".to_owned(), End::Closed)
    );
    Client::logged_in(&server).await.ok("noop").await;
}

#[tokio::test]
async fn the_greeting_can_be_a_bye() {
    let rule = Rule::on_greeting(Action::Bye("too busy".into())).connection(2);
    let (server, _) = scripted(rule).await;
    Client::connect(&server).await;
    let mut c = Client::silent(&server).await;
    assert_eq!(
        c.rest().await,
        ("* BYE too busy\r\n".to_owned(), End::Closed)
    );
    Client::connect(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_delay_delays() {
    let (server, _) = scripted(Rule::on("NOOP", Action::Delay(5 * SECOND))).await;
    let mut c = Client::logged_in(&server).await;
    let before = Instant::now();
    c.ok("noop").await;
    assert!(before.elapsed() >= 5 * SECOND);
}

#[tokio::test]
async fn close_and_reset_end_the_connection_at_their_point() {
    for (action, end) in [(Action::Close, End::Closed), (Action::Reset, End::Reset)] {
        for (point, stored) in [
            (Point::Line, 0),
            (Point::Literal(5), 0),
            (Point::Read, 0),
            (Point::Done, 1),
        ] {
            let (server, account) = scripted(Rule::on("APPEND", action.clone()).at(point)).await;
            let mut c = Client::logged_in(&server).await;
            // The literal is left short where the point lies before its end, so that
            // nothing unread turns the close into a reset.
            let sent = match point {
                Point::Line => "t append INBOX {6}\r\n",
                Point::Literal(_) => "t append INBOX {6+}\r\nA: b\r",
                _ => APPEND,
            };
            c.send(sent).await;
            assert_eq!(c.rest().await, (String::new(), end_of(&end)), "{point:?}");
            assert_eq!(account.uids("INBOX").len(), stored, "{point:?}");
            assert_eq!(server.transcript().of("APPEND")[0].answer, None);
        }
    }
}

fn end_of(end: &End) -> End {
    match end {
        End::Closed => End::Closed,
        End::Reset => End::Reset,
    }
}

#[tokio::test]
async fn an_unfinished_append_stores_nothing() {
    let (server, account) = scripted(Script::new()).await;
    let whole = "t append INBOX {6+}\r\nA: b\r\n {6+}\r\nC: d\r\n";
    for cut in 0..=whole.len() {
        let mut c = Client::logged_in(&server).await;
        c.send(&whole[..cut]).await;
        drop(c);
    }
    let mut c = Client::logged_in(&server).await;
    c.send(format!("{whole}\r\n")).await;
    assert!(c.answer().await[0].contains(" 1:2]"));
    assert_eq!(account.uids("INBOX"), [1, 2]);
}

#[tokio::test]
async fn a_half_closed_connection_takes_octets_and_gives_none() {
    let (server, _) = scripted(Rule::on("NOOP", Action::HalfClose)).await;
    let mut c = Client::logged_in(&server).await;
    c.send("t noop\r\n").await;
    assert_eq!(c.rest().await, (String::new(), End::Closed));
    assert!(c.accepts(&vec![b'x'; 20_000_000]).await);
}

#[tokio::test(start_paused = true)]
async fn silent_and_stalled_servers_send_nothing() {
    for action in [Action::Silence, Action::Stall] {
        let (server, _) = scripted(Rule::on("NOOP", action)).await;
        let mut c = Client::logged_in(&server).await;
        c.send("t noop\r\n").await;
        assert!(c.is_silent().await);
        assert_eq!(server.hits(), [1]);
    }
}

#[tokio::test]
async fn a_silent_server_reads_on_and_a_stalled_one_does_not() {
    for (action, reads) in [(Action::Silence, true), (Action::Stall, false)] {
        let (server, _) = scripted(Rule::on("NOOP", action)).await;
        let mut c = Client::logged_in(&server).await;
        c.send("t noop\r\n").await;
        assert_eq!(c.accepts(&vec![b'x'; 20_000_000]).await, reads);
    }
}

#[tokio::test]
async fn tags_and_answers_can_be_wrong_or_missing() {
    let script = Script::new()
        .rule(Rule::on("NOOP", Action::WrongTag))
        .rule(Rule::on("NOOP", Action::NoAnswer).nth(2))
        .rule(
            Rule::on(
                "NOOP",
                Action::Send(Bytes::from_static(b"* \xff garbage (\r\n")),
            )
            .nth(3),
        );
    let (server, _) = scripted(script).await;
    let mut c = Client::logged_in(&server).await;
    c.dialogue(
        "C: a noop\nS: nobody-s-tag OK...\nC: b noop\nC: c noop\nS: * \u{fffd} garbage (\nS: c OK...\nC: d noop\nS: d OK...",
    )
    .await;
    assert_eq!(server.hits(), [1, 1, 1]);
}

#[tokio::test]
async fn endless_lines_and_literals_have_no_end() {
    for (action, start) in [
        (Action::EndlessLine, "* OK x"),
        (Action::EndlessLiteral, "* 1 FETCH (BODY[] {4294967295}"),
    ] {
        let (server, _) = scripted(Rule::on("NOOP", action)).await;
        let mut c = Client::logged_in(&server).await;
        c.send("t noop\r\n").await;
        let octets = c.octets(10_000_000).await;
        assert!(octets.starts_with(start.as_bytes()));
        assert!(!octets[start.len() + 2..].contains(&b'\n'));
    }
}

#[tokio::test]
async fn rows_can_be_missing_and_literals_can_lie() {
    let script = Script::new()
        .rule(Rule::on("UID FETCH", Action::DropRow).at(Point::Row).uid(1))
        .rule(
            Rule::on("UID FETCH", Action::LiteralLie(7))
                .at(Point::Row)
                .uid(1)
                .nth(2),
        )
        .rule(
            Rule::on("UID FETCH", Action::LiteralLie(-7))
                .at(Point::Row)
                .uid(2)
                .nth(2),
        );
    let (_server, mut c) = reading(script).await;
    let lines = c.ok("uid fetch 1:2 body.peek[]").await;
    assert_eq!(lines[0], "* 2 FETCH (UID 2 BODY[] {16}");
    let lines = c.ok("uid fetch 1:2 body.peek[]").await;
    assert_eq!(lines[0], "* 1 FETCH (UID 1 BODY[] {27}");
    assert_eq!(lines[5], "* 2 FETCH (UID 2 BODY[] {9}");
}

#[tokio::test]
async fn a_connection_closes_in_the_middle_of_a_message() {
    for (octet, expected) in [
        (0, ""),
        (9, "A: b\r\n\r\n0"),
        (1000, "A: b\r\n\r\n0123456789\r\n"),
    ] {
        let rule = Rule::on("UID FETCH", Action::Close)
            .at(Point::Body(octet))
            .uid(1);
        let (_server, mut c) = reading(rule).await;
        c.send("t uid fetch 1:2 body.peek[]\r\n").await;
        let (came, end) = c.rest().await;
        assert_eq!(
            came,
            format!("* 1 FETCH (UID 1 BODY[] {{20}}\r\n{expected}")
        );
        assert_eq!(end, End::Closed);
    }
}

#[tokio::test]
async fn an_answer_is_cut_at_any_octet_and_only_the_answer() {
    let (_server, mut c) = reading(Script::new()).await;
    let whole = c.ok("uid fetch 1 flags").await.join("\r\n") + "\r\n";
    for octet in 0..=whole.len() {
        let rule = Rule::on("UID FETCH", Action::Close)
            .at(Point::Answer(octet as u64))
            .nth(2);
        let (_server, mut c) = reading(rule).await;
        c.ok("uid fetch 1 flags").await;
        c.send("t uid fetch 1 flags\r\n").await;
        assert_eq!(c.rest().await, (whole[..octet].to_owned(), End::Closed));
    }
    // Beyond the answer nothing strikes, neither then nor later.
    let rule = Rule::on("UID FETCH", Action::Close).at(Point::Answer(whole.len() as u64 + 1));
    let (_server, mut c) = reading(rule).await;
    c.ok("uid fetch 1 flags").await;
    c.ok("uid fetch 1:2 body.peek[]").await;
}

#[tokio::test]
async fn a_connection_can_end_after_any_octet_sent_or_received() {
    let session =
        "a login u p\r\nb examine inbox\r\nc uid fetch 1:* (flags body.peek[])\r\nd logout\r\n";
    let fill = |account: &Account| account.add_message("INBOX", "A: b\r\n\r\ntext\r\n");
    let (server, account) = scripted(Script::new()).await;
    fill(&account);
    let mut c = Client::silent(&server).await;
    c.send(session).await;
    let (whole, _) = c.rest().await;
    let sent = server.transcript().connections[0].sent;
    assert_eq!(sent, whole.len() as u64);

    for octet in (0..sent).step_by(7) {
        let rule = Rule::on_any(Action::Close)
            .at(Point::Sent(octet))
            .connection(1);
        let (server, account) = scripted(rule).await;
        fill(&account);
        let mut c = Client::silent(&server).await;
        c.send(session).await;
        assert_eq!(c.rest().await.0, whole[..octet as usize]);
    }
    for octet in 0..session.len() as u64 {
        let rule = Rule::on_any(Action::Reset)
            .at(Point::Received(octet))
            .connection(1);
        let (server, account) = scripted(rule).await;
        fill(&account);
        let mut c = Client::silent(&server).await;
        c.send(session).await;
        assert_eq!(c.rest().await.1, End::Reset);
        let before = session[..octet as usize].matches('\n').count();
        assert_eq!(server.transcript().entries.len(), before, "{octet}");
    }
}

#[tokio::test]
async fn a_multiappend_can_be_stored_in_part() {
    let (server, account) = scripted(Rule::on("APPEND", Action::StoreOnly(2))).await;
    let mut c = Client::logged_in(&server).await;
    c.send("t append INBOX {2+}\r\na: {2+}\r\nb: {2+}\r\nc:\r\n")
        .await;
    assert!(c.answer().await[0].starts_with("t NO [SERVERBUG]"));
    assert_eq!(account.uids("INBOX"), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_append_can_land_after_its_client_has_gone() {
    let (server, account) = scripted(Rule::on("APPEND", Action::LandLater(3 * SECOND))).await;
    let mut c = Client::logged_in(&server).await;
    c.send(APPEND).await;
    assert_eq!(c.rest().await.1, End::Reset);
    assert!(account.uids("INBOX").is_empty());
    tokio::time::sleep(4 * SECOND).await;
    assert_eq!(account.uids("INBOX"), [1]);
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_server_can_drip_and_be_slow() {
    let (_server, mut c) = reading(Rule::on("UID FETCH", Action::Drip)).await;
    let lines = c.ok("uid fetch 1 body.peek[]").await;
    assert_eq!(lines[..3], ["* 1 FETCH (UID 1 BODY[] {20}", "A: b", ""]);

    let (_server, mut c) = reading(Rule::on("UID FETCH", Action::Throttle(10))).await;
    let before = Instant::now();
    let octets = c.ok("uid fetch 1 body.peek[]").await.join("\r\n").len() as u64 + 2;
    let least = octets / 10;
    assert!(
        before.elapsed() >= least as u32 * SECOND,
        "{:?}",
        before.elapsed()
    );
}

#[tokio::test]
async fn scripts_change_and_connections_drop_during_a_run() {
    let (server, _) = scripted(Script::new()).await;
    let mut c = Client::logged_in(&server).await;
    server.play(Rule::on_any(Action::Answer(Refusal::no("not now"))).always());
    assert_eq!(c.tagged("noop").await, "t NO not now");
    assert_eq!(c.tagged("noop").await, "t NO not now");
    server.play(Script::new());
    c.ok("noop").await;
    server.drop_connections();
    assert_ne!(c.rest().await.0, "t OK\r\n");
    server.refuse_connections(true);
    let mut refused = Client::silent(&server).await;
    assert_eq!(refused.rest().await.0, "");
    server.refuse_connections(false);
    Client::connect(&server).await;
}
