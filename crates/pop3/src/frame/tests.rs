use super::*;
use proptest::prelude::*;

/// Decodes the answer to RETR, up to a lone dot that an answer follows, in portions of a size.
fn decode(stream: &[u8], announced: Option<u64>, portion: usize) -> Option<Vec<u8>> {
    let mut framer = Framer::new();
    framer.begin(announced);
    let mut out = Vec::new();
    let mut has_ended = false;
    for part in stream.chunks(portion.max(1)) {
        framer.buffer().extend_from_slice(part);
        loop {
            if has_ended {
                match framer.next() {
                    Next::Answer => return Some(out),
                    Next::Unknown => break,
                    Next::Other => framer.resume(&mut out),
                }
            }
            has_ended = framer.text(&mut out) == Text::End;
            if !has_ended {
                break;
            }
        }
    }
    None
}

/// In whole and octet by octet.
fn check(stream: &str, announced: Option<u64>, text: &str) {
    for portion in [1, 2, 3, 5, 1000] {
        let out = decode(stream.as_bytes(), announced, portion);
        let out = out.map(|out| String::from_utf8(out).expect("text"));
        assert_eq!(out.as_deref(), Some(text), "{stream:?} by {portion}");
    }
}

#[test]
fn dots_are_undoubled_and_line_ends_are_crlf() {
    check(
        "a: b\r\n\r\n..\r\n...x\r\n.\r\n+OK\r\n",
        None,
        "a: b\r\n\r\n.\r\n..x\r\n",
    );
    check("a: b\n\n..\nx\n.\n+OK\n", None, "a: b\r\n\r\n.\r\nx\r\n");
    check("a\rb\r\r\n.\r\n-ERR x\r\n", None, "a\rb\r\r\n");
    check(".\r\n+OK\r\n", None, "");
    check("\r\n.\r\n+OK\r\n", None, "\r\n");
}

#[test]
fn a_dot_that_was_not_doubled_is_text() {
    check(".x\r\n.\ry\r\n.\r\n+OK\r\n", None, ".x\r\n.\ry\r\n");
    // A lone dot in the middle: what follows is no answer.
    check("a\r\n.\r\nb\r\n.\r\n+OK\r\n", None, "a\r\n.\r\nb\r\n");
    check("a\n.\n.\n.\n+OK\n", None, "a\r\n.\r\n.\r\n");
    check("a\r\n.\r\n-E\r\n.\r\n-ERR no\r\n", None, "a\r\n.\r\n-E\r\n");
}

#[test]
fn a_missing_last_line_end_is_noticed_by_the_announced_length() {
    check(
        "a: b\r\n\r\nlast.\r\n+OK\r\n",
        Some(12),
        "a: b\r\n\r\nlast\r\n",
    );
    check("x.\n-ERR\n", Some(1), "x\r\n");
    // The same words in the middle are text.
    check(
        "last.\r\nmore\r\n.\r\n+OK\r\n",
        Some(4),
        "last.\r\nmore\r\n",
    );
    // With the announced length of the whole nothing is in doubt.
    check("last.\r\n.\r\n+OK\r\n", Some(7), "last.\r\n");
    check("last.\r\n.\r\n+OK\r\n", Some(4), "last.\r\n");
}

#[test]
fn an_end_that_only_the_next_answer_can_tell_is_called_doubtful() {
    let mut framer = Framer::new();
    framer.begin(Some(4));
    framer.buffer().extend_from_slice(b"last.\r\n");
    let mut out = Vec::new();
    assert_eq!(framer.text(&mut out), Text::More { is_doubtful: true });
    framer.buffer().extend_from_slice(b"+OK\r\n");
    assert_eq!(framer.text(&mut out), Text::End);
    assert_eq!(out, b"last\r\n");
}

#[test]
fn lines_come_whole_and_not_too_long() {
    let mut framer = Framer::new();
    framer.buffer().extend_from_slice(b"+OK a\r\n+OK b\n+O");
    let line = |framer: &mut Framer| framer.line().expect("short").map(|l| l.to_vec());
    assert_eq!(line(&mut framer), Some(b"+OK a".to_vec()));
    assert_eq!(line(&mut framer), Some(b"+OK b".to_vec()));
    assert_eq!(line(&mut framer), None);
    framer.buffer().extend_from_slice(b"K\r\n");
    assert_eq!(line(&mut framer), Some(b"+OK".to_vec()));
    framer
        .buffer()
        .extend_from_slice(&vec![b'x'; LONGEST_LINE + 1]);
    assert_eq!(framer.line(), Err(TooLong));
}

/// Message text as it is, and as a server that follows RFC 1939 sends it.
fn sent(lines: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut wire) = (Vec::new(), Vec::new());
    for line in lines {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        for octets in [&mut text, &mut wire] {
            octets.extend_from_slice(line);
            octets.extend_from_slice(b"\r\n");
        }
    }
    wire.extend_from_slice(b".\r\n+OK\r\n");
    (text, wire)
}

proptest! {
    #[test]
    fn what_a_server_sends_comes_out_as_it_was(
        lines in prop::collection::vec(prop::collection::vec(prop::sample::select(b".\rab+OK-E\0\xff".to_vec()), 0..8), 0..8),
        portion in 1usize..9,
        announced in prop::option::of(0u64..60),
    ) {
        let (text, wire) = sent(&lines);
        // A length that lies can only mislead where an answer follows inside of the text.
        let misleading = text.windows(5).any(|w| w == b".\r\n+O" || w == b".\r\n-E");
        let announced = announced.filter(|_| !misleading).or(Some(text.len() as u64));
        prop_assert_eq!(decode(&wire, announced, portion), Some(text));
    }

    #[test]
    fn portions_make_no_difference(
        octets in prop::collection::vec(prop::sample::select(b".\r\n+OK-ERx".to_vec()), 0..60),
        portion in 1usize..9,
        announced in prop::option::of(0u64..20),
    ) {
        crate::properties::text(&octets, announced, portion);
    }
}
