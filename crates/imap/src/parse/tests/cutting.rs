//! The same responses however the octets arrive, and no panic whatever they are.

use super::*;
use proptest::prelude::*;

/// Dialogues with real servers in the manner of this project's notes.
const DIALOGUES: &[&[u8]] = &[
    b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] Dovecot ready.\r\n\
      h1 OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS MULTIAPPEND LIST-EXTENDED LIST-STATUS CONDSTORE QRESYNC] Logged in\r\n\
      * LIST (\\HasNoChildren \\UnMarked \\Sent) \"/\" Sent\r\n\
      * STATUS Sent (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1700000000 HIGHESTMODSEQ 7 SIZE 812)\r\n\
      * LIST (\\HasChildren \\NoSelect) \"/\" {6}\r\na \"b\"\\\r\n\
      * LIST () \"/\" \"&U9dP4TDIMOwwpA-/&istsQmb4-\"\r\n\
      h2 OK List completed (0.001 + 0.000 secs).\r\n",
    b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1)\r\n\
      * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1 \\*)] Flags permitted.\r\n\
      * 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1700000000] UIDs valid\r\n* OK [UIDNEXT 4] Predicted next UID\r\n\
      h3 OK [READ-WRITE] Select completed.\r\n\
      * 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {31}\r\nSubject: a {3}\r\n\r\n* 9 EXISTS)\r\n)\r\n\
      * 2 FETCH (UID 2 FLAGS () INTERNALDATE \" 9-Mar-2003 10:00:00 +0900\" BODY[] {70}\r\n0123456789012345678901234567890123456789012345678901234567890123456789 MODSEQ (5))\r\n\
      * 3 FETCH (UID 3 BODY[] NIL X-NEW (a {2}\r\n)( \"q\"))\r\n\
      h4 OK Fetch completed.\n",
    b"* OK [CAPABILITY IMAP4rev1 UIDPLUS] Courier-IMAP ready.\r\n* QUOTA \"ROOT\"\r\n* NO Error in IMAP command received by server.\r\n\
      h1 NO [ALERT] You exceeded your mail quota. {5}\r\n+ Ready\r\nh2 OK [APPENDUID 1 5:6] ok\r\n* SEARCH 1 2 3\r\n* BYE bye\r\nh3 OK x\r\n",
];

/// Everything that the wire says, with streamed content joined.
fn told(limits: FrameLimits, chunks: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut told = Vec::new();
    let mut content = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Ok(Some(frame)) = framer.next() {
            match frame {
                Frame::Response(raw) => told.push(format!("{:?}", parse(&raw))),
                Frame::LiteralStart { head, .. } => told.push(format!("{:?}", parse(&head))),
                Frame::LiteralChunk(octets) => content.extend_from_slice(&octets),
                Frame::LiteralEnd => told.push(format!("{:?}", std::mem::take(&mut content))),
            }
        }
    }
    assert!(!framer.is_inside());
    told
}

fn limits() -> [FrameLimits; 2] {
    let streaming = FrameLimits {
        held: 50,
        ..FrameLimits::default()
    };
    [FrameLimits::default(), streaming]
}

#[test]
fn octet_by_octet_says_the_same() {
    for dialogue in DIALOGUES {
        for limits in limits() {
            let whole = told(limits, [dialogue.to_vec()]);
            assert!(whole.len() >= 7, "{whole:?}");
            assert_eq!(told(limits, dialogue.iter().map(|&b| vec![b])), whole);
        }
    }
}

proptest! {
    #[test]
    fn random_cuts_say_the_same(
        which in 0..DIALOGUES.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let wire = DIALOGUES[which];
        let mut places: Vec<usize> = cuts.iter().map(|c| c.index(wire.len() + 1)).collect();
        places.extend([0, wire.len()]);
        places.sort_unstable();
        for limits in limits() {
            let pieces = places.windows(2).map(|w| wire[w[0]..w[1]].to_vec());
            prop_assert_eq!(told(limits, pieces), told(limits, [wire.to_vec()]));
        }
    }

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framer = Framer::new(FrameLimits::default());
        framer.push([&octets[..], b"\r\n"].concat());
        while let Ok(Some(Frame::Response(raw))) = framer.next() {
            parse(&raw);
        }
        // Also what no framer would hand out: line ends anywhere, literals that are too short.
        parse(&RawResponse { octets: octets.into(), streamed: Vec::new() });
    }

    #[test]
    fn almost_proper_responses_do_not_make_it_panic(
        start in prop::sample::select(vec![
            "* 1 FETCH (", "* LIST (", "* LIST () \"/\" ", "* STATUS ", "* STATUS x (", "* OK [", "* NAMESPACE (",
            "* ESEARCH ", "* SEARCH ", "* QUOTA ", "* QUOTAROOT ", "* ID (", "* VANISHED ", "* FLAGS (",
            "* 1 FETCH (BODY[", "* 1 FETCH (X-GM-LABELS (", "* OK [APPENDUID ", "* OK [PERMANENTFLAGS (", "+ ", "h1 ",
        ]),
        tokens in prop::collection::vec(prop::sample::select(vec![
            " ", "(", ")", "[", "]", "\"", "\\", "<", ">", "{", "}", "{3}\r\n", "~{0}\r\n", "~", "\r", "\n", ":", ",", "*",
            "UID", "FLAGS", "BODY", "BODY[]", "RFC822", "RFC822.SIZE", "MODSEQ", "INTERNALDATE", "NIL", "5", "0", "-1",
            "4294967295", "18446744073709551615", "99999999999999999999", "\\Seen", "(NIL)", "CHILDINFO", "OLDNAME", "TAG",
            "\"1-Jan-2000 00:00:00 +0000\"", "日", "\u{0}", "a",
        ]), 0..30),
    ) {
        let text = format!("{start}{}", tokens.concat());
        parse(&RawResponse { octets: text.clone().into(), streamed: Vec::new() });
        let mut framer = Framer::new(FrameLimits::default());
        framer.push(format!("{text}\r\n").into_bytes());
        while let Ok(Some(Frame::Response(raw))) = framer.next() {
            parse(&raw);
        }
    }
}
