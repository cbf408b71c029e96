//! Dialogues: `queue` puts a command in flight, `sent` says how far the writer came,
//! `S:` is a line of the server. What comes of each line is written behind it.

use super::*;
use crate::frame::{Frame, FrameLimits, Framer};
use crate::parse::parse;

fn responses(octets: &[u8], cuts: usize) -> Vec<Response> {
    let mut framer = Framer::new(FrameLimits::default());
    let mut out = Vec::new();
    for piece in octets.chunks(cuts.max(1)) {
        framer.push(piece.to_vec());
        while let Some(frame) = framer.next().expect("framed") {
            if let Frame::Response(raw) = frame {
                out.push(parse(&raw));
            }
        }
    }
    out
}

fn describe(route: Route<'_, &'static str>) -> String {
    match route {
        Route::Data(flight, _) => format!("data {}", flight.sink),
        Route::Done(flight, reply) => format!("done {} {}", flight.sink, reply.kind.as_str()),
        Route::GoOn => "go on".into(),
        Route::Early => "early".into(),
        Route::Idle(_) => "idle".into(),
        Route::Broken(Broken::Bye(_)) => "broken: bye".into(),
        Route::Broken(Broken::Bad(tag, _)) => {
            format!("broken: bad {}", tag.map_or("-".into(), |t| t.to_string()))
        }
        Route::Broken(Broken::Tag(_)) => "broken: tag".into(),
        Route::Broken(Broken::Continuation) => "broken: continuation".into(),
        Route::Broken(Broken::Hasty(_)) => "broken: hasty".into(),
    }
}

/// Plays the server's lines, whole and octet by octet: both have to lead to the same.
fn check(prepare: impl Fn(&mut Machine<&'static str>), dialogue: &[(&str, &str)]) {
    let text: String = dialogue
        .iter()
        .map(|(line, _)| format!("{line}\r\n"))
        .collect();
    for cuts in [usize::MAX, 7, 1] {
        let mut machine = Machine::new(Tag(0));
        prepare(&mut machine);
        let got: Vec<String> = responses(text.as_bytes(), cuts.min(text.len()))
            .into_iter()
            .map(|response| describe(machine.receive(response)))
            .collect();
        let wanted: Vec<&str> = dialogue.iter().map(|(_, route)| *route).collect();
        assert_eq!(got, wanted, "cut every {cuts}");
    }
}

fn queue(
    machine: &mut Machine<&'static str>,
    takes: Takes,
    carries_text: bool,
    sent: Sent,
    name: &'static str,
) -> Tag {
    let tag = machine.submit(takes, carries_text, name);
    machine.wrote(tag, sent);
    tag
}

#[test]
fn data_goes_to_the_oldest_command_that_wants_it() {
    check(
        |m| {
            queue(m, Takes::OPEN, false, Sent::All, "open");
            queue(m, Takes::SEARCH, false, Sent::All, "first search");
            queue(m, Takes::SEARCH, false, Sent::All, "second search");
            queue(m, Takes::FETCH, false, Sent::All, "fetch");
            queue(m, Takes::LIST, false, Sent::All, "list");
        },
        &[
            ("* 4 EXISTS", "data open"),
            ("* OK [UIDVALIDITY 1] x", "data open"),
            ("* OK Still here", "idle"),
            ("h1 OK x", "done open OK"),
            ("* 5 EXISTS", "idle"),
            ("* ESEARCH (TAG \"h3\") UID ALL 1", "data second search"),
            ("* SEARCH 1 2", "data first search"),
            ("* STATUS a (MESSAGES 1)", "data list"),
            ("* LIST () \"/\" a", "data list"),
            ("* 1 FETCH (UID 1)", "data fetch"),
            ("h3 NO x", "done second search NO"),
            ("h4 OK x", "done fetch OK"),
            ("* 1 FETCH (UID 1)", "idle"),
            ("* SOMETHING new", "idle"),
            ("* NO [ALERT] full soon", "idle"),
        ],
    );
}

#[test]
fn a_foreign_tag_and_an_unasked_bye_break_the_dialogue() {
    check(
        |m| {
            queue(m, Takes::NOTHING, false, Sent::All, "noop");
        },
        &[
            ("h2 OK x", "broken: tag"),
            ("A1 OK x", "broken: tag"),
            ("* BYE x", "broken: bye"),
            ("* BAD x", "idle"),
            ("+ x", "idle"),
            ("h1 BAD x", "done noop BAD"),
        ],
    );
    check(
        |m| {
            queue(m, Takes::BYE, false, Sent::All, "logout");
        },
        &[("* BYE x", "data logout"), ("h1 OK x", "done logout OK")],
    );
}

#[test]
fn bad_breaks_the_dialogue_while_text_is_in_flight() {
    let two = |m: &mut Machine<&'static str>| {
        queue(m, Takes::NOTHING, true, Sent::All, "append");
        queue(m, Takes::NOTHING, false, Sent::All, "noop");
    };
    check(two, &[("* BAD x", "broken: bad -")]);
    check(two, &[("h2 BAD x", "broken: bad h2")]);
    check(two, &[("h1 BAD x", "broken: bad h1")]);
    check(two, &[("+ x", "broken: continuation")]);
    check(
        two,
        &[("h1 NO x", "done append NO"), ("h2 BAD x", "done noop BAD")],
    );
    // Of an append that has not begun, no text is in flight.
    check(
        |m| {
            queue(m, Takes::NOTHING, false, Sent::All, "noop");
            queue(m, Takes::NOTHING, true, Sent::Nothing, "append");
        },
        &[("h1 BAD x", "done noop BAD")],
    );
}

#[test]
fn a_literal_that_waits_is_let_in_or_refused() {
    let waiting = |sent| {
        move |m: &mut Machine<&'static str>| {
            let tag = queue(m, Takes::NOTHING, true, sent, "append");
            m.announce(tag);
            assert_eq!(m.permission(tag), Permission::Wait);
        }
    };
    check(
        waiting(Sent::Part),
        &[("+ go", "go on"), ("+ again", "broken: continuation")],
    );
    check(waiting(Sent::Part), &[("h1 BAD x", "done append BAD")]);
    check(waiting(Sent::Part), &[("h1 NO x", "done append NO")]);
    // Its first message is gone already: a BAD may run it.
    check(waiting(Sent::Literal), &[("h1 BAD x", "broken: bad h1")]);

    let mut machine = Machine::new(Tag(4));
    let tag = machine.submit(Takes::NOTHING, true, "append");
    assert_eq!(tag, Tag(5));
    machine.announce(tag);
    for response in responses(b"+ go\r\n", 9) {
        machine.receive(response);
    }
    assert_eq!(machine.permission(tag), Permission::Go);
    assert_eq!(machine.permission(Tag(9)), Permission::Gone);
}

#[test]
fn an_answer_before_the_end_of_a_command_is_kept_for_the_writer() {
    let mut machine = Machine::new(Tag(0));
    let tag = machine.submit(Takes::NOTHING, true, "append");
    machine.wrote(tag, Sent::Part);
    let route = responses(b"h1 NO [TOOBIG] x\r\n", 99)
        .pop()
        .map(|r| describe(machine.receive(r)));
    assert_eq!(route.as_deref(), Some("early"));
    assert!(machine.is_answered_early(tag) && !machine.is_idle());
    let (flight, reply) = machine.take_out(tag).expect("in flight");
    assert_eq!(
        (flight.sent, reply.expect("its answer").kind),
        (Sent::Part, ReplyKind::No)
    );
    assert!(machine.is_idle());
}

#[test]
fn what_is_abandoned_comes_back_in_order_with_what_was_sent_of_it() {
    let mut machine = Machine::new(Tag(0));
    queue(&mut machine, Takes::NOTHING, true, Sent::All, "a");
    queue(&mut machine, Takes::NOTHING, true, Sent::Literal, "b");
    queue(&mut machine, Takes::NOTHING, true, Sent::Nothing, "c");
    // Never less than before.
    machine.wrote(Tag(2), Sent::Part);
    let left: Vec<_> = machine.abandon().map(|f| (f.sink, f.sent)).collect();
    assert_eq!(
        left,
        [("a", Sent::All), ("b", Sent::Literal), ("c", Sent::Nothing)]
    );
    assert!(machine.is_idle());
}

#[test]
fn an_ok_before_the_literal_was_let_in_is_no_success() {
    let announced = |m: &mut Machine<&'static str>| {
        let tag = queue(m, Takes::NOTHING, true, Sent::Part, "append");
        m.announce(tag);
    };
    check(announced, &[("h1 OK done already", "broken: hasty")]);
    check(announced, &[("h1 NO no room", "done append NO")]);
    let nothing_sent = |m: &mut Machine<&'static str>| {
        queue(m, Takes::NOTHING, false, Sent::Nothing, "queued");
    };
    check(nothing_sent, &[("h1 OK who asked", "early")]);
}
