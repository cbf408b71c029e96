use super::*;
use proptest::prelude::*;

const NESTED: &str = "\
Subject: x
Content-Type: multipart/alternative;
 boundary=\"out=er\"

preamble
--out=er
Content-Type: text/plain

text
--out=er
Content-Type: multipart/mixed; charset=x; boundary=inner

--inner
Content-Type: text/html

<p>
--inner
Content-Transfer-Encoding: BASE64
X-Apple-Content-Length: 35
Content-Type: image/png; name=\"a;b.png\"


--inner
Content-Type: message/rfc822

Content-Type: multipart/mixed; boundary=third

--third
Content-Transfer-Encoding: quoted-printable
X-Apple-Content-Length: 7

--third--

--inner
X-Apple-Content-Length: 9

still here
--inner--
--out=er--
";

#[test]
fn holes_have_the_numbers_of_imap() {
    let found = holes(NESTED.as_bytes());
    let told: Vec<_> = found
        .iter()
        .map(|h| (h.part.as_str(), h.encoding, h.announced, h.needs_line_end))
        .collect();
    assert_eq!(
        told,
        [
            ("2.2", Encoding::Base64, Some(35), false),
            ("2.3.1", Encoding::QuotedPrintable, Some(7), true),
        ]
    );
    for hole in &found {
        let field = &NESTED[hole.field.clone()];
        assert!(field.starts_with("X-Apple-Content-Length: ") && field.ends_with('\n'));
        assert_eq!(&NESTED[hole.at - 2..hole.at], "\n\n");
    }
    assert!(NESTED[found[0].at..].starts_with("\n--inner\n"));
    assert!(NESTED[found[1].at..].starts_with("--third--\n"));
}

#[test]
fn a_message_of_one_part_is_part_one() {
    let found = holes(b"Content-Transfer-Encoding: base64\nX-Apple-Content-Length: 4\n\n");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].part.as_str(), found[0].at), ("1", 61));
}

#[test]
fn the_last_boundary_may_be_missing() {
    let text = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nX-Apple-Content-Length: 1\n\n";
    let found = holes(text);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].at, found[0].needs_line_end), (text.len(), false));
}

#[test]
fn nesting_without_end_is_cut() {
    let deep = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(5_000);
    assert_eq!(holes(deep.as_bytes()), []);
    let deep = "Content-Type: message/rfc822\n\n".repeat(5_000);
    assert_eq!(holes(deep.as_bytes()), []);
}

proptest! {
    #[test]
    fn holes_lie_in_order_inside_the_message(
        text in "(Content-Type: multipart/mixed; boundary=\"?[ab]\"?\n|X-Apple-Content-Length: [0-9]{1,3}\n|\n|--[ab](--)?\n|[a-z]{0,3}\n){0,60}",
    ) {
        let found = holes(text.as_bytes());
        let mut last = 0;
        for hole in found {
            prop_assert!(last <= hole.field.start);
            prop_assert!(hole.field.end <= hole.at && hole.at <= text.len());
            last = hole.at;
        }
    }

    #[test]
    fn nothing_panics(octets: Vec<u8>) {
        crate::apple::properties::emlx(&octets);
    }

    #[test]
    fn message_files_with_holes(
        text in "[0-9]{0,3}\n(Content-Type: multipart/mixed; boundary=a\n\n)?(--a\n(X-Apple-Content-Length: 3\n)?(Content-Transfer-Encoding: base64\n)?\n){0,6}(<plist>\n</plist>)?",
    ) {
        crate::apple::properties::emlx(text.as_bytes());
    }
}
