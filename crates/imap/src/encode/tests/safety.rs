//! What must never reach a line, and that what does comes back unchanged.

use super::*;
use proptest::prelude::*;

#[test]
fn a_string_that_cannot_be_quoted_is_a_literal_that_waits() {
    for (octets, style) in [
        (&b"a\r\nh8 DELETE x"[..], plus()),
        ("日本".as_bytes(), plus()),
        (b"\xff", plus()),
        (&[b'x'; 2000], plus()),
    ] {
        let encoded = Command::Subscribe(WireName::new(octets))
            .encode(TAG, style)
            .expect("encoded");
        let announced = format!("h7 SUBSCRIBE {{{}}}\r\n", octets.len());
        assert_eq!(
            encoded.parts,
            [
                Part::Octets(announced.into()),
                Part::Wait,
                Part::Octets(Bytes::copy_from_slice(octets)),
                Part::Octets(Bytes::from_static(b"\r\n")),
            ]
        );
        assert!(!encoded.is_immediate());
    }
    let utf8 = Style {
        utf8: true,
        ..plus()
    };
    assert_eq!(
        wire_of(&Command::Subscribe(name("日本")), utf8).as_deref(),
        Ok("h7 SUBSCRIBE \"日本\"\r\n")
    );
}

#[test]
fn what_no_line_can_say_is_refused() {
    let nul = WireName::new(&b"a\0b"[..]);
    let search = |field, value: &str| {
        Command::Search(Search {
            returns: Vec::new(),
            criteria: vec![Criterion::Header {
                field,
                value: value.to_owned(),
            }],
        })
    };
    for (command, error) in [
        (
            Command::Subscribe(nul),
            EncodeError::Nul {
                what: "the mailbox name",
            },
        ),
        (
            Command::Login {
                user: "u".to_owned(),
                password: Secret::from("a\0"),
            },
            EncodeError::Nul {
                what: "the password",
            },
        ),
        (
            Command::Authenticate {
                mechanism: "PLAIN\r\nh8 LOGOUT".to_owned(),
                initial: None,
            },
            EncodeError::NotAnAtom {
                what: "the mechanism",
            },
        ),
        (
            search("Subject", "請求書"),
            EncodeError::NotPrintable {
                what: "the text to search for",
            },
        ),
        (
            search("a b", "x"),
            EncodeError::NotAnAtom {
                what: "a header field",
            },
        ),
        (Command::Fetch(fetch("", &[])), EncodeError::BadSet),
        (Command::Fetch(fetch("0:5", &[])), EncodeError::BadSet),
        (
            Command::Fetch(fetch("5:4294967296", &[])),
            EncodeError::BadSet,
        ),
        (
            Command::Search(Search {
                returns: Vec::new(),
                criteria: vec![Criterion::Uids(UidSet::From(Key(0)))],
            }),
            EncodeError::BadSet,
        ),
        (
            Command::Search(Search {
                returns: Vec::new(),
                criteria: Vec::new(),
            }),
            EncodeError::Empty,
        ),
        (
            Command::Fetch(fetch(
                "1",
                &[FetchItem::Body(BodyPart::HeaderFields(&["A B"]))],
            )),
            EncodeError::NotAnAtom {
                what: "a header field",
            },
        ),
        (Command::Enable(Vec::new()), EncodeError::Empty),
        (
            Command::Store {
                uids: keys("1"),
                change: StoreChange::Add,
                flags: WireFlags::default(),
            },
            EncodeError::Empty,
        ),
        (
            Command::Append(Append {
                mailbox: name("x"),
                messages: Vec::new(),
            }),
            EncodeError::Empty,
        ),
    ] {
        assert_eq!(
            command.encode(TAG, plus()).err(),
            Some(error),
            "{command:?}"
        );
    }
}

#[test]
fn passwords_are_never_shown() {
    for password in ["planted-9b1c", "planted-9b1c\u{e9}"] {
        let login = Command::Login {
            user: "taro".to_owned(),
            password: Secret::from(password),
        };
        let authenticate = Command::Authenticate {
            mechanism: "PLAIN".to_owned(),
            initial: Some(Secret::from(password)),
        };
        for command in [login, authenticate] {
            let encoded = command.encode(TAG, style()).expect("encoded");
            let base64 = String::from_utf8(wire::base64_secret(password.as_bytes())).expect("text");
            for shown in [format!("{command:?} {encoded:?}"), encoded.shown()] {
                assert!(!shown.contains("planted"), "{shown}");
                assert!(!shown.contains(&base64[..8]), "{shown}");
                assert!(shown.contains("***"), "{shown}");
            }
        }
    }
}

#[test]
fn giving_up_an_authentication_is_a_star() {
    assert_eq!(format!("{:?}", authenticate_cancel()), "*\\r\\n");
}

#[test]
fn large_sets_are_divided_into_lines_that_servers_take() {
    let keys: KeySet = (1..5000).map(|n| Key(n * 3)).collect();
    let parts = split_set(&keys, 100);
    assert!(parts.len() > 100);
    assert!(parts.iter().all(|p| p.to_string().len() <= 100));
    let mut joined = KeySet::new();
    for part in &parts {
        joined.extend(part);
    }
    assert_eq!(joined, keys);
    assert_eq!(split_set(&KeySet::new(), 100), []);
    assert_eq!(split_set(&KeySet::range(1..=9), 1).len(), 1);
}

proptest! {
    #[test]
    fn nothing_from_outside_begins_a_new_line(
        mailbox in prop::collection::vec(any::<u8>(), 0..30),
        pattern in prop::collection::vec(any::<u8>(), 0..30),
        user in "\\PC{0,10}[\r\n\"\\\\]{0,2}",
        password in prop::collection::vec(any::<u8>(), 0..30),
        keyword in "\\PC{1,8}[\r\n]{0,1}",
        utf8 in any::<bool>(),
    ) {
        let style = Style { utf8, literals: LiteralMode::Plus };
        let mut flags = Flags::new();
        flags.set_keyword(Keyword::new(&keyword));
        let (flags, _) = WireFlags::divide(&flags);
        let mailbox = WireName::new(mailbox);
        for command in [
            Command::Lsub { reference: mailbox.clone(), pattern },
            Command::Login { user, password: Secret::new(password) },
            Command::Append(Append {
                mailbox,
                messages: vec![AppendMessage { flags, date: None, octets: 3, utf8: false, wait: false }],
            }),
        ] {
            let Ok(encoded) = command.encode(TAG, style) else { continue };
            // Line ends stand only at the end of a part that is no literal, and then either
            // behind an announcement or at the end of the command.
            let mut after_wait = false;
            for (n, part) in encoded.parts.iter().enumerate() {
                let octets = match part {
                    Part::Octets(octets) => octets.to_vec(),
                    Part::Secret(secret) => secret.0.expose().to_vec(),
                    Part::Wait => { after_wait = true; continue }
                    Part::Body { .. } | Part::Commit => { after_wait = false; continue }
                };
                if !std::mem::take(&mut after_wait) {
                    let line = octets.strip_suffix(b"\r\n").unwrap_or(&octets);
                    prop_assert!(!line.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)));
                    let ended = line.len() < octets.len();
                    let announces = line.ends_with(b"}");
                    prop_assert!(!ended || announces || n + 1 == encoded.parts.len());
                }
            }
        }
    }

    #[test]
    fn written_dates_are_read_back(seconds in -62_135_596_800i64..253_402_300_800, zone in -840i16..=840) {
        let date = InternalDate { seconds, offset_minutes: zone };
        if let Some(written) = WireDate::new(date) {
            prop_assert_eq!(crate::parse::internal_date(written.to_text().as_bytes()), Some(date));
        }
    }

    #[test]
    fn written_strings_are_read_back(octets in prop::collection::vec(any::<u8>(), 0..60), utf8 in any::<bool>()) {
        let style = Style { utf8, literals: LiteralMode::Synchronising };
        let command = Command::Lsub { reference: WireName::new([]), pattern: octets.clone() };
        if let Ok(wire) = command.encode(TAG, style) {
            // The same string as the name of a LIST row.
            let sent: Vec<u8> = wire.parts.iter().flat_map(|part| match part {
                Part::Octets(octets) => octets.to_vec(),
                _ => Vec::new(),
            }).collect();
            let string = sent.strip_prefix(b"h7 LSUB \"\" ").expect("prefix");
            let row = [b"* LIST () \"/\" ", string].concat();
            let mut framer = crate::frame::Framer::new(crate::frame::FrameLimits::default());
            framer.push(row);
            let Ok(Some(crate::frame::Frame::Response(raw))) = framer.next() else {
                return Err(TestCaseError::fail("no response"));
            };
            match crate::parse::parse(&raw) {
                crate::response::Response::List(row) => prop_assert_eq!(row.name, WireName::new(octets)),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
        } else {
            prop_assert!(octets.contains(&0));
        }
    }

    #[test]
    fn written_flags_are_read_back(words in prop::collection::vec("[a-zA-Z$_\\-.\\[{}<>!#&'+,/:;=?@^`|~]{1,12}", 0..8), system in 0u8..32) {
        let mut flags = Flags::new();
        for (n, flag) in Flag::ALL.into_iter().enumerate() {
            if system & 1 << n != 0 {
                flags.set(flag);
            }
        }
        for word in &words {
            flags.set_keyword(Keyword::new(word));
        }
        let (written, lost) = WireFlags::divide(&flags);
        let only_braces = lost.keywords().all(|k| k.as_str().contains('{'));
        prop_assert!(only_braces);
        let wire = match (Command::Store { uids: keys("1"), change: StoreChange::Add, flags: written.clone() }).encode(TAG, style()) {
            Ok(encoded) => encoded.shown(),
            Err(error) => {
                prop_assert!(written.is_empty() && error == EncodeError::Empty);
                return Ok(());
            }
        };
        let list = wire.split_once("SILENT ").expect("flags").1.replace("\\\\", "\\");
        let list = list.replace("\\'", "'");
        let mut framer = crate::frame::Framer::new(crate::frame::FrameLimits::default());
        framer.push(format!("* FLAGS {list}\r\n").into_bytes());
        let Ok(Some(crate::frame::Frame::Response(raw))) = framer.next() else {
            return Err(TestCaseError::fail("no response"));
        };
        prop_assert_eq!(
            crate::parse::parse(&raw),
            crate::response::Response::Flags(written.flags().clone())
        );
    }
}
