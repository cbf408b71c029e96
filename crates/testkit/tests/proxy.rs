//! The proxy breaks a dialogue where it was told to, and nowhere else.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hikyaku_testkit::judge::Judge;
use hikyaku_testkit::proxy::{
    Action, At, Direction, Fault, Line, Piece, Place, Proxy, ProxySettings,
};
use hikyaku_testkit::servers::{Dovecot, DovecotOptions, MailServer};

/// A client and a server socket with a proxy between them.
struct Pair {
    proxy: Proxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

fn pair(settings: ProxySettings) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap(), settings).unwrap();
    let (client, server) = connect(&proxy, &listener);
    Pair {
        proxy,
        listener,
        client,
        server,
    }
}

fn connect(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for socket in [&client, &server] {
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        socket
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
    }
    (client, server)
}

fn with(direction: Direction, at: At, action: Action) -> ProxySettings {
    let fault = Fault {
        direction,
        at,
        action,
        connection: None,
    };
    ProxySettings {
        faults: vec![fault],
        ..ProxySettings::default()
    }
}

/// Everything up to the end, and whether that was a reset.
fn read_all(socket: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut octets = Vec::new();
    match socket.read_to_end(&mut octets) {
        Ok(_) => (octets, false),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (octets, true),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn without_faults_everything_passes_both_ways_and_ends_pass_too() {
    let Pair {
        proxy,
        mut client,
        mut server,
        ..
    } = pair(ProxySettings::default());
    client.write_all(b"a1 NOOP\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut server), (b"a1 NOOP\r\n".to_vec(), false));
    server.write_all(b"* BYE\r\na1 OK\r\nhalf").unwrap();
    drop(server);
    assert_eq!(
        read_all(&mut client),
        (b"* BYE\r\na1 OK\r\nhalf".to_vec(), false)
    );
    assert_eq!(
        (
            proxy.octets(Direction::ToServer),
            proxy.octets(Direction::ToClient)
        ),
        (9, 18)
    );
    let line = |direction, text: &str| Line {
        connection: 0,
        direction,
        text: text.to_owned(),
    };
    assert_eq!(
        proxy.transcript(),
        [
            line(Direction::ToServer, "a1 NOOP"),
            line(Direction::ToClient, "* BYE"),
            line(Direction::ToClient, "a1 OK")
        ]
    );
}

#[test]
fn a_cut_passes_exactly_the_octets_before_it() {
    for (action, reset) in [(Action::Close, false), (Action::Reset, true)] {
        let Pair {
            proxy,
            mut client,
            mut server,
            ..
        } = pair(with(Direction::ToClient, At::Octets(100_001), action));
        server.write_all(&vec![b'x'; 150_000]).unwrap();
        let (octets, was_reset) = read_all(&mut client);
        assert_eq!((octets.len(), was_reset), (100_001, reset));
        assert_eq!(read_all(&mut server), (Vec::new(), reset));
        assert_eq!(proxy.faults_happened(), 1);
    }
}

#[test]
fn a_connection_can_end_before_its_first_octet_and_the_next_one_lives() {
    let Pair {
        proxy,
        listener,
        mut client,
        ..
    } = pair(with(Direction::ToClient, At::Octets(0), Action::Close));
    assert_eq!(read_all(&mut client), (Vec::new(), false));
    let (mut client, mut server) = connect(&proxy, &listener);
    server.write_all(b"* OK\r\n").unwrap();
    drop(server);
    assert_eq!(read_all(&mut client), (b"* OK\r\n".to_vec(), false));
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn a_cut_at_a_line_looks_past_literals_and_counts_octets_inside_them() {
    let before = At::BeforeLine {
        contains: "append".to_owned(),
        nth: 2,
    };
    let inside = At::AfterLine {
        contains: "append".to_owned(),
        nth: 2,
        octets: 4,
    };
    let sent = b"a1 APPEND x {11+}\r\nAPPEND\r\nabc\r\na2 append y {9+}\r\n012345678\r\n";
    for (at, passed) in [(before, 32), (inside, 54)] {
        let Pair {
            proxy: _proxy,
            mut client,
            mut server,
            ..
        } = pair(with(Direction::ToServer, at, Action::Close));
        for octet in sent {
            // Octet by octet, so that lines arrive in pieces; the last ones may meet a closed connection.
            client.write_all(&[*octet]).ok();
        }
        let (octets, reset) = read_all(&mut server);
        assert_eq!(octets, sent[..passed]);
        assert!(!reset);
    }
}

#[test]
fn the_pieces_of_a_dialogue_are_its_lines_and_literals() {
    let Pair {
        proxy,
        mut client,
        mut server,
        ..
    } = pair(ProxySettings::default());
    for octets in b"a1 LOGIN {2+}\r\nal pw\r\na2 APPEND x {0+}\r\n\r\na3 APPEND x {5}\r\n".chunks(3)
    {
        client.write_all(octets).unwrap();
    }
    let mut command = [0; 57];
    server.read_exact(&mut command).unwrap();
    server.write_all(b"a3 NO too large\r\n").unwrap();
    let mut answer = [0; 17];
    client.read_exact(&mut answer).unwrap();
    // The literal was refused and does not come.
    client.write_all(b"a4 NOOP\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    read_all(&mut server);
    let pieces = proxy.pieces();
    let of = |direction| {
        pieces
            .iter()
            .filter(|piece| piece.direction == direction)
            .map(|piece| (piece.number, piece.is_literal, piece.octets, &*piece.text))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(Direction::ToServer),
        [
            (0, false, 15, "a1 LOGIN {2+}"),
            (1, true, 2, ""),
            (2, false, 5, " pw"),
            (3, false, 18, "a2 APPEND x {0+}"),
            (4, false, 2, ""),
            (5, false, 17, "a3 APPEND x {5}"),
            (6, false, 9, "a4 NOOP"),
        ]
    );
    assert_eq!(of(Direction::ToClient), [(0, false, 17, "a3 NO too large")]);
    assert!(pieces.iter().all(|piece: &Piece| piece.connection == 0));
}

/// Every piece, every place, however the octets arrive: what passes is exactly what stands before it.
#[test]
fn a_cut_at_a_piece_passes_exactly_the_octets_before_its_place() {
    let pieces: [&[u8]; 4] = [
        b"a1 APPEND x {11+}\r\n",
        b"APPEND\r\nabc",
        b"\r\n",
        b"a2 NOOP\r\n",
    ];
    let sent = pieces.concat();
    let mut start = 0;
    for (number, piece) in pieces.iter().enumerate() {
        let length = piece.len();
        for (place, passed) in [
            (Place::Before, 0),
            (Place::First, 1),
            (Place::Middle, length / 2),
            (Place::Last, length - 1),
            (Place::After, length),
        ] {
            for step in [1, 4, 100] {
                let at = At::Piece { number, place };
                let Pair {
                    proxy,
                    mut client,
                    mut server,
                    ..
                } = pair(with(Direction::ToServer, at, Action::Reset));
                for octets in sent.chunks(step) {
                    // The last ones may meet a closed connection.
                    client.write_all(octets).ok();
                }
                // What has left the proxy before a reset may be dropped by the receiver's system; the count is exact.
                let (octets, reset) = read_all(&mut server);
                assert!(reset, "{number} {place:?} {step}");
                assert!(sent[..start + passed].starts_with(&octets));
                assert_eq!(
                    proxy.octets(Direction::ToServer),
                    (start + passed) as u64,
                    "{number} {place:?} {step}"
                );
                assert_eq!(proxy.faults_happened(), 1);
            }
        }
        start += length;
    }
}

#[test]
fn a_cut_after_a_line_waits_for_nothing_more() {
    let at = At::Piece {
        number: 1,
        place: Place::After,
    };
    let Pair {
        proxy: _proxy,
        mut client,
        mut server,
        ..
    } = pair(with(Direction::ToClient, at, Action::HalfClose));
    server.write_all(b"* OK\r\n* BYE\r\n").unwrap();
    assert_eq!(
        read_all(&mut client),
        (b"* OK\r\n* BYE\r\n".to_vec(), false)
    );
    // The other way is still open.
    client.write_all(b"a1 NOOP\r\n").unwrap();
    let mut got = [0; 9];
    server.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"a1 NOOP\r\n");
}

#[test]
fn a_cut_at_a_piece_meets_only_the_connection_that_was_named() {
    let fault = Fault {
        direction: Direction::ToClient,
        at: At::Piece {
            number: 0,
            place: Place::Before,
        },
        action: Action::Close,
        connection: Some(1),
    };
    let Pair {
        proxy,
        listener,
        mut client,
        mut server,
        ..
    } = pair(ProxySettings {
        faults: vec![fault],
        ..ProxySettings::default()
    });
    server.write_all(b"* OK first\r\n").unwrap();
    let mut greeting = [0; 12];
    client.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"* OK first\r\n");
    assert_eq!(proxy.faults_happened(), 0);
    let (mut second, mut its_server) = connect(&proxy, &listener);
    its_server.write_all(b"* OK second\r\n").unwrap();
    assert_eq!(read_all(&mut second), (Vec::new(), false));
    assert_eq!(proxy.faults_happened(), 1);
}

#[test]
fn silence_stops_both_ways_and_ends_nothing() {
    let at = At::AfterLine {
        contains: "FETCH".to_owned(),
        nth: 1,
        octets: 0,
    };
    let Pair {
        proxy,
        mut client,
        mut server,
        ..
    } = pair(with(Direction::ToServer, at, Action::Silence));
    client.write_all(b"a1 FETCH 1 UID\r\na2 NOOP\r\n").unwrap();
    let mut got = [0; 16];
    server.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"a1 FETCH 1 UID\r\n");
    server.write_all(b"a1 OK\r\n").unwrap();
    for socket in [&mut client, &mut server] {
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let kind = socket.read(&mut [0; 1]).unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{kind:?}"
        );
    }
    proxy.cut_all();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    assert_eq!(read_all(&mut client), (Vec::new(), true));
}

#[test]
fn a_half_close_ends_one_way_only() {
    let Pair {
        proxy: _proxy,
        mut client,
        mut server,
        ..
    } = pair(with(Direction::ToServer, At::Octets(5), Action::HalfClose));
    client.write_all(b"hello, server").unwrap();
    assert_eq!(read_all(&mut server), (b"hello".to_vec(), false));
    server.write_all(b"still here").unwrap();
    drop(server);
    let mut got = [0; 10];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"still here");
}

#[test]
fn a_line_can_be_replaced() {
    let at = At::BeforeLine {
        contains: "a1 OK".to_owned(),
        nth: 1,
    };
    let Pair {
        proxy: _proxy,
        mut client,
        mut server,
        ..
    } = pair(with(
        Direction::ToClient,
        at,
        Action::Say(b"a1 NO [OVERQUOTA] full\r\n".to_vec()),
    ));
    server
        .write_all(b"* 1 EXISTS\r\na1 OK done\r\na2 OK done\r\n")
        .unwrap();
    drop(server);
    let expected = b"* 1 EXISTS\r\na1 NO [OVERQUOTA] full\r\na2 OK done\r\n";
    assert_eq!(read_all(&mut client), (expected.to_vec(), false));
}

#[test]
fn a_delay_lets_octets_enter_long_before_any_leaves() {
    let Pair {
        proxy,
        mut client,
        mut server,
        ..
    } = pair(ProxySettings::default());
    proxy.set_delay(Duration::from_secs(3_600));
    // Far more than socket buffers hold: it can only be written because the line takes it up.
    client.write_all(&vec![b'x'; 12 * 1024 * 1024]).unwrap();
    server.set_nonblocking(true).unwrap();
    assert_eq!(
        server.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn a_round_trip_takes_at_least_twice_the_delay() {
    let delay = Duration::from_millis(30);
    let Pair {
        proxy: _proxy,
        mut client,
        mut server,
        ..
    } = pair(ProxySettings {
        delay,
        ..ProxySettings::default()
    });
    let start = Instant::now();
    let mut got = [0; 1];
    client.write_all(b"?").unwrap();
    server.read_exact(&mut got).unwrap();
    assert!(start.elapsed() >= delay);
    server.write_all(b"!").unwrap();
    client.read_exact(&mut got).unwrap();
    assert!(start.elapsed() >= 2 * delay);
}

#[test]
fn the_transcript_shows_the_commands_that_a_real_server_saw() {
    let server = Dovecot::start(DovecotOptions::default()).unwrap();
    let account = server.create_account("alice").unwrap();
    let proxy = Proxy::start(server.instance().address(), ProxySettings::default()).unwrap();
    let mut judge = Judge::connect(proxy.address(), &account.user, &account.password).unwrap();
    let refused = judge
        .append("nowhere", &["\\Seen"], None, b"Subject: refused\r\n\r\n")
        .unwrap();
    assert!(!refused.is_ok());
    judge
        .append(
            "INBOX",
            &["\\Seen"],
            None,
            b"Subject: x\r\n\r\na9 SELECT INBOX\r\n",
        )
        .unwrap()
        .accepted()
        .unwrap();
    assert!(!judge.create([0xe6, 0x97, 0xa5]).unwrap().is_ok());
    assert!(!judge.command("UID FETCH 1:* (FLAGS)").unwrap().is_ok());
    let commands = proxy.commands();
    assert_eq!(
        commands,
        [
            "LOGIN \"alice\" \"pw-of-alice\"",
            "APPEND \"nowhere\" (\\Seen) {20}",
            "APPEND \"INBOX\" (\\Seen) {31}<31 octets>",
            "CREATE {3}日",
            "UID FETCH 1:* (FLAGS)"
        ]
    );
    let answers = proxy
        .transcript()
        .iter()
        .filter(|line| line.direction == Direction::ToClient)
        .count();
    assert!(answers >= 6, "the greeting and five answers");
}
