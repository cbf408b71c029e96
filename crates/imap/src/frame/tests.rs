use super::*;
use proptest::prelude::*;

/// Frames as values, with the chunks of a streamed literal joined: how the octets were
/// cut must not show.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Response(Vec<u8>, Vec<StreamedLiteral>),
    Start(Vec<u8>, u64),
    Octets(Vec<u8>),
    End,
    Error(FrameError),
}

fn take(framer: &mut Framer, seen: &mut Vec<Seen>) {
    loop {
        match framer.next() {
            Ok(None) => return,
            Ok(Some(Frame::Response(raw))) => {
                seen.push(Seen::Response(raw.octets.to_vec(), raw.streamed));
            }
            Ok(Some(Frame::LiteralStart { head, octets })) => {
                assert_eq!(head.streamed.last().map(|s| s.octets), Some(octets));
                seen.push(Seen::Start(head.octets.to_vec(), octets));
            }
            Ok(Some(Frame::LiteralChunk(chunk))) => {
                assert!(!chunk.is_empty(), "an empty chunk");
                match seen.last_mut() {
                    Some(Seen::Octets(octets)) => octets.extend_from_slice(&chunk),
                    _ => seen.push(Seen::Octets(chunk.to_vec())),
                }
            }
            Ok(Some(Frame::LiteralEnd)) => seen.push(Seen::End),
            Err(error) => {
                if seen.last() != Some(&Seen::Error(error)) {
                    seen.push(Seen::Error(error));
                }
                return;
            }
        }
    }
}

fn feed(limits: FrameLimits, chunks: impl IntoIterator<Item = Vec<u8>>) -> Vec<Seen> {
    let mut framer = Framer::new(limits);
    let mut seen = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        take(&mut framer, &mut seen);
    }
    seen
}

fn whole(limits: FrameLimits, wire: &[u8]) -> Vec<Seen> {
    feed(limits, [wire.to_vec()])
}

fn small() -> FrameLimits {
    FrameLimits {
        line: 60,
        text: 100,
        held: 8,
        held_total: 12,
        literal: 1000,
        streamed: 2,
    }
}

fn response(octets: &[u8]) -> Seen {
    Seen::Response(octets.to_vec(), Vec::new())
}

#[test]
fn lines_end_with_crlf_or_a_bare_line_feed() {
    assert_eq!(
        whole(
            FrameLimits::default(),
            b"* OK hi\r\n* 1 EXISTS\n\r\nh1 OK\r\n* tail"
        ),
        [
            response(b"* OK hi"),
            response(b"* 1 EXISTS"),
            response(b""),
            response(b"h1 OK"),
        ]
    );
}

#[test]
fn a_held_literal_stays_in_its_place() {
    for announced in ["{5}", "{5+}", "~{5}", "{0005}"] {
        let wire = format!("* 1 FETCH (BODY[] {announced}\r\na\r\n}} UID 7)\r\nh1 OK\r\n");
        let held = format!("* 1 FETCH (BODY[] {announced}\r\na\r\n}} UID 7)");
        assert_eq!(
            whole(FrameLimits::default(), wire.as_bytes()),
            [response(held.as_bytes()), response(b"h1 OK")],
            "{announced}"
        );
    }
}

#[test]
fn a_carriage_return_at_the_end_of_a_literal_is_no_line_end() {
    assert_eq!(
        whole(
            FrameLimits::default(),
            b"* 1 FETCH (BODY[] {1}\r\n\r\nh1 OK\r\n"
        ),
        [response(b"* 1 FETCH (BODY[] {1}\r\n\r"), response(b"h1 OK"),]
    );
}

#[test]
fn a_large_literal_passes_through_and_leaves_a_skeleton() {
    let wire = b"* 1 FETCH (UID 7 BODY[] {9}\r\n123\r\n6789 FLAGS ())\r\nh1 OK\r\n";
    let head = b"* 1 FETCH (UID 7 BODY[] {9}\r\n".to_vec();
    let skeleton = [&head[..], b" FLAGS ())"].concat();
    assert_eq!(
        whole(small(), wire),
        [
            Seen::Start(head.clone(), 9),
            Seen::Octets(b"123\r\n6789".to_vec()),
            Seen::End,
            Seen::Response(
                skeleton,
                vec![StreamedLiteral {
                    at: head.len(),
                    octets: 9
                }]
            ),
            response(b"h1 OK"),
        ]
    );
}

#[test]
fn what_exceeds_the_held_total_is_streamed() {
    let wire = b"* 1 FETCH (A {8}\r\n12345678 B {8}\r\nabcdefgh)\r\n";
    let seen = whole(small(), wire);
    assert!(
        matches!(&seen[..], [Seen::Start(head, 8), Seen::Octets(b), Seen::End, Seen::Response(..)]
            if head.ends_with(b"12345678 B {8}\r\n") && b == b"abcdefgh"),
        "{seen:?}"
    );
}

#[test]
fn human_text_announces_nothing() {
    for line in [
        "* NO mailbox does not exist: x{5}",
        "* ok [ALERT] quoting {12}",
        "* BYE {3}",
        "h12 NO Mailbox doesn't exist: x{5}",
        "h12 OK {5+}",
        "+ send {99}",
    ] {
        let wire = format!("{line}\r\n* 2 EXISTS\r\n");
        assert_eq!(
            whole(FrameLimits::default(), wire.as_bytes()),
            [response(line.as_bytes()), response(b"* 2 EXISTS")],
            "{line}"
        );
    }
}

#[test]
fn what_only_looks_like_an_announcement_is_text() {
    for line in [
        "* X {}", "* X {1 }", "* X 5}", "* X {-1}", "* X {5} ", "* X {+}", "* X }",
    ] {
        let wire = format!("{line}\r\n");
        assert_eq!(
            whole(FrameLimits::default(), wire.as_bytes()),
            [response(line.as_bytes())],
            "{line}"
        );
    }
}

#[test]
fn limits_are_typed_errors_that_stay() {
    let limits = small();
    let long_line = [&b"* "[..], &[b'x'; 80]].concat();
    let many = b"* A {1}\r\nx".repeat(20);
    for (wire, error) in [
        (long_line, FrameError::LineTooLong { limit: 60 }),
        (many, FrameError::ResponseTooLong { limit: 100 }),
        (
            b"* A {1001}\r\n".to_vec(),
            FrameError::LiteralTooLong {
                octets: 1001,
                limit: 1000,
            },
        ),
        (
            b"* A {184467440737095516160}\r\n".to_vec(),
            FrameError::LiteralTooLong {
                octets: u64::MAX,
                limit: 1000,
            },
        ),
        (
            b"* A {9}\r\n123456789 {9}\r\n123456789 {9}\r\n123456789\r\n".to_vec(),
            FrameError::TooManyLiterals { limit: 2 },
        ),
    ] {
        let mut framer = Framer::new(limits);
        framer.push(wire.clone());
        let found = loop {
            match framer.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error for {}", wire.escape_ascii()),
                Err(error) => break error,
            }
        };
        assert_eq!(found, error);
        framer.push(&b"* OK\r\n"[..]);
        assert_eq!(framer.next(), Err(error));
    }
}

#[test]
fn a_line_at_its_limit_passes() {
    for end in ["\n", "\r\n"] {
        let line = format!("* {}{end}", "x".repeat(58));
        assert_eq!(
            whole(small(), line.as_bytes()),
            [response(line.trim_end().as_bytes())]
        );
    }
}

#[test]
fn held_octets_are_those_of_the_read_buffer() {
    let chunk = Bytes::from_static(b"* 1 FETCH (BODY[] {3}\r\nabc)\r\n* 2 EXISTS\r\n");
    let inside = chunk.as_ptr_range();
    let mut framer = Framer::new(FrameLimits::default());
    framer.push(chunk);
    let mut count = 0;
    while let Ok(Some(Frame::Response(raw))) = framer.next() {
        assert!(inside.contains(&raw.octets.as_ptr()), "copied");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn a_streamed_chunk_is_a_slice_of_what_was_read() {
    let chunk = Bytes::from_static(b"* 1 FETCH (BODY[] {20}\r\n0123456789");
    let inside = chunk.as_ptr_range();
    let mut framer = Framer::new(small());
    framer.push(chunk);
    assert!(matches!(
        framer.next(),
        Ok(Some(Frame::LiteralStart { octets: 20, .. }))
    ));
    match framer.next() {
        Ok(Some(Frame::LiteralChunk(octets))) => assert!(inside.contains(&octets.as_ptr())),
        other => panic!("{other:?}"),
    }
    assert_eq!(framer.next(), Ok(None));
    assert!(framer.is_inside());
}

#[test]
fn the_rest_can_be_taken_back() {
    let mut framer = Framer::new(FrameLimits::default());
    framer.push(&b"h1 OK begin\r\n* INJ"[..]);
    framer.push(&b"ECTED\r\n"[..]);
    assert!(matches!(framer.next(), Ok(Some(Frame::Response(_)))));
    assert!(framer.is_inside());
    assert_eq!(framer.take_rest(), &b"* INJECTED\r\n"[..]);
    assert!(!framer.is_inside());
    assert_eq!(framer.next(), Ok(None));
    framer.push(&b"* OK\r\n"[..]);
    assert!(matches!(framer.next(), Ok(Some(Frame::Response(_)))));
}

#[test]
fn the_rest_holds_no_octet_of_a_finished_response() {
    // In the middle of a line that began in an earlier chunk.
    let mut framer = Framer::new(FrameLimits::default());
    framer.push(&b"* 1 EX"[..]);
    assert_eq!(framer.next(), Ok(None));
    framer.push(&b"ISTS\r\n\x78\x9c\x01"[..]);
    assert!(matches!(framer.next(), Ok(Some(Frame::Response(_)))));
    assert_eq!(framer.take_rest(), &b"\x78\x9c\x01"[..]);
}

/// Something like a dialogue, with literals of all kinds and hostile octets.
fn dialogue() -> impl Strategy<Value = Vec<u8>> {
    let literal = prop::collection::vec(any::<u8>(), 0..40).prop_map(|octets| {
        let mut wire = format!("{{{}}}\r\n", octets.len()).into_bytes();
        wire.extend(octets);
        wire
    });
    let piece = prop_oneof![
        Just(b"* 1 FETCH (UID 5 BODY[] ".to_vec()),
        Just(b"* OK done {7}".to_vec()),
        Just(b"h1 NO {3}".to_vec()),
        Just(b"* SEARCH 1 2 3".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b")\r\n".to_vec()),
        Just(b"~{4+}\r\n1\n3}".to_vec()),
        literal,
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn cut(wire: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|c| c.index(wire.len() + 1)).collect();
    places.extend([0, wire.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|w| wire[w[0]..w[1]].to_vec())
        .collect()
}

proptest! {
    #[test]
    fn how_the_octets_are_cut_does_not_matter(
        wire in dialogue(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        tight in any::<bool>(),
    ) {
        let limits = if tight { small() } else { FrameLimits { held: 20, ..FrameLimits::default() } };
        let expected = whole(limits, &wire);
        prop_assert_eq!(&feed(limits, wire.iter().map(|&b| vec![b])), &expected);
        prop_assert_eq!(&feed(limits, cut(&wire, &cuts)), &expected);
    }

    #[test]
    fn no_octet_is_lost_or_made_up(
        wire in dialogue(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let limits = FrameLimits { held: 20, ..FrameLimits::default() };
        let mut framer = Framer::new(limits);
        let mut out = Vec::new();
        // How much of the response under way was shown with a head already.
        let mut shown = 0;
        for chunk in cut(&wire, &cuts) {
            framer.push(chunk);
            loop {
                match framer.next() {
                    Ok(Some(Frame::Response(raw))) => {
                        out.extend(&raw.octets[shown..]);
                        shown = 0;
                    }
                    Ok(Some(Frame::LiteralStart { head, .. })) => {
                        out.extend(&head.octets[shown..]);
                        shown = head.octets.len();
                    }
                    Ok(Some(Frame::LiteralChunk(octets))) => out.extend(octets),
                    Ok(Some(Frame::LiteralEnd)) => {}
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                }
            }
        }
        out.extend(&framer.take_rest()[shown..]);
        // The ends of responses are taken off, and nothing else.
        let plain = |octets: &[u8]| -> Vec<u8> {
            octets.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect()
        };
        prop_assert_eq!(plain(&out), plain(&wire));
    }
}
