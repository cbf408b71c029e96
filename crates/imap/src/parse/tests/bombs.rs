//! Responses that would take for ever if something were looked for again and again: as long
//! as a response can be, they are read in one pass. (A parser that is quadratic in one of
//! them takes hours, and the test runner ends it.)

use super::*;

/// Octets of a bomb: what the framer takes as one line.
const LARGE: usize = 8 << 20;

#[test]
fn no_response_makes_the_parser_look_at_its_end_again_and_again() {
    for (start, piece) in [
        ("* 1 FETCH (", "BODY[ "),
        ("* 1 FETCH (", "BODY[(] "),
        ("* 1 FETCH (BODY[", "\\\""),
        ("* 1 FETCH (", "\\\" "),
        ("* 1 FETCH (", "\\\""),
        ("* 1 FETCH (", "X \"\\\" "),
        ("* 1 FETCH (", "FLAGS ("),
        ("* 1 FETCH (", "FLAGS (a "),
        ("* 1 FETCH (", "X-GM-LABELS ("),
        ("* 1 FETCH (", "("),
        ("* 1 FETCH (", ")"),
        ("* 1 FETCH (", "MODSEQ ("),
        ("* 1 FETCH (", "EMAILID ("),
        ("* 1 FETCH (", "{ "),
        ("* 1 FETCH (", "~ "),
        ("* 1 FETCH (", "< "),
        ("* LIST (", "\\a "),
        ("* LIST () \"/\" ", "( "),
        ("* LIST () \"/\" ", "\\\" "),
        ("* LIST () \"/\" \"", "\\\" "),
        ("* LIST () \"/\" x (", "CHILDINFO ("),
        ("* LIST () \"/\" x (", "OLDNAME (a "),
        ("* STATUS ", "("),
        ("* STATUS x (", "MAILBOXID ("),
        ("* STATUS x (", "( "),
        ("* NAMESPACE (", "(\"\" NIL "),
        ("* NAMESPACE (", "("),
        ("* QUOTA x (", "a 1 "),
        ("* QUOTAROOT ", "x "),
        ("* ID (", "a \\\" "),
        ("* SEARCH ", "("),
        ("* SEARCH ", "( 1 "),
        ("* ESEARCH ", "ALL ("),
        ("* ESEARCH (TAG ", "\\\" "),
        ("* OK [", "\\\""),
        ("* OK [", "("),
        ("* OK [PERMANENTFLAGS (", "a "),
        ("* VANISHED ", "9,1,"),
    ] {
        let pieces = (LARGE - start.len()) / piece.len();
        let bomb = format!("{start}{}", piece.repeat(pieces));
        // Whatever it means, the meaning is there, and the next response too.
        let responses = all(format!("{bomb}\r\n* 5 EXISTS\r\n").as_bytes());
        assert_eq!(responses.len(), 2, "{start}{piece}");
        assert_eq!(responses[1], Response::Exists(5), "{start}{piece}");
    }
}
