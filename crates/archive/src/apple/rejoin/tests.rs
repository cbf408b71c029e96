use super::*;
use proptest::prelude::*;

fn whole(rejoined: Rejoined) -> Vec<u8> {
    let mut octets = Vec::new();
    rejoined.reader().read_to_end(&mut octets).unwrap();
    octets
}

fn content(dir: &std::path::Path, name: &str, octets: &[u8]) -> Content {
    let file = dir.join(name);
    std::fs::write(&file, octets).unwrap();
    Content {
        file,
        octets: octets.len() as u64,
    }
}

/// A message with three attachments, in full and as Mail keeps it.
fn pair(base64: &str, announced: usize) -> (String, String) {
    let head =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n";
    let full = format!(
        "{head}--b\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n{base64}\n\
         --b\nContent-Transfer-Encoding: 7bit\n\nshort\n\n--b\n\nend\n--b--\n"
    );
    let partial = format!(
        "{head}--b\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\
         X-Apple-Content-Length: {announced}\n\n\n\
         --b\nContent-Transfer-Encoding: 7bit\nX-Apple-Content-Length: 6\n\n\n--b\n\nend\n--b--\n"
    );
    (full, partial)
}

#[test]
fn the_original_octets_come_back_whatever_the_line_length() {
    let dir = tempfile::tempdir().unwrap();
    let raw: Vec<u8> = (0..1000u32).map(|n| (n * 7 % 251) as u8).collect();
    let file = content(dir.path(), "a", &raw);
    let short = content(dir.path(), "b", b"short\n");
    for width in WIDTHS {
        let mut lines = Vec::new();
        let letters: Vec<u8> = raw.chunks(3).flat_map(four).collect();
        for line in letters.chunks(width as usize) {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        let base64 = lines.join("\n");
        let (full, partial) = pair(&base64, base64.len());
        let rejoined = rejoin(partial.as_bytes(), |part| {
            Ok(match part {
                "2" => Some(file.clone()),
                "3" => Some(short.clone()),
                other => panic!("{other}"),
            })
        })
        .unwrap();
        assert_eq!(rejoined.missing, [""; 0]);
        let octets = whole(rejoined);
        assert_eq!(String::from_utf8_lossy(&octets), full, "{width}");
    }
}

#[test]
fn what_is_missing_is_named_and_keeps_its_header() {
    let (_, partial) = pair("", 0);
    let rejoined = rejoin(partial.as_bytes(), |_| Ok(None)).unwrap();
    assert_eq!(rejoined.missing, ["2", "3"]);
    assert_eq!(String::from_utf8_lossy(&whole(rejoined)), partial);
}

#[test]
fn an_attachment_that_shrinks_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (_, partial) = pair("", 0);
    for octets in [0, 10] {
        let mut short = content(dir.path(), "a", &vec![1; octets]);
        short.octets = 100;
        let rejoined = rejoin(partial.as_bytes(), |_| Ok(Some(short.clone()))).unwrap();
        let mut out = Vec::new();
        let error = rejoined.reader().read_to_end(&mut out).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn quoted_printable_keeps_lines_short_and_edges_visible() {
    let long = "あ".repeat(30) + "=x \t\r\nend of it ";
    let quoted = String::from_utf8(quoted_printable(long.as_bytes())).unwrap();
    assert!(
        quoted
            .lines()
            .all(|line| line.len() <= 76 && !line.ends_with(' '))
    );
    assert!(quoted.contains("=3Dx"));
    assert!(quoted.ends_with("=09\nend of it=20"), "{quoted}");
}

/// Independent of the encoder under test.
fn unquote(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'=' && text.get(at + 1) == Some(&b'\n') {
            at += 2;
        } else if text[at] == b'=' {
            let hex = std::str::from_utf8(&text[at + 1..at + 3]).unwrap();
            out.push(u8::from_str_radix(hex, 16).unwrap());
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

proptest! {
    #[test]
    fn encoded_lengths_are_as_computed(octets in prop::collection::vec(any::<u8>(), 0..400), width in prop::sample::select(&WIDTHS[..]), ends_line: bool) {
        let dir = tempfile::tempdir().unwrap();
        let Content { file, octets: length } = content(dir.path(), "x", &octets);
        let piece = Piece::Base64 { file, octets: length, width, ends_line };
        let text = whole(Rejoined { pieces: vec![piece], missing: Vec::new() });
        prop_assert_eq!(text.len() as u64, encoded_octets(length, width, ends_line));
        let letters: Vec<u8> = text.into_iter().filter(|o| *o != b'\n').collect();
        prop_assert_eq!(letters, octets.chunks(3).flat_map(four).collect::<Vec<_>>());
    }

    #[test]
    fn quoted_content_comes_back(octets in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), Just(b'='), any::<u8>()], 0..300)) {
        let mut expected = Vec::new();
        for (n, octet) in octets.iter().enumerate() {
            if *octet != b'\r' || octets.get(n + 1) != Some(&b'\n') {
                expected.push(*octet);
            }
        }
        prop_assert_eq!(unquote(&quoted_printable(&octets)), expected);
    }
}

#[test]
fn quoted_printable_parts_together_do_not_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let part = "--b\nContent-Transfer-Encoding: quoted-printable\nX-Apple-Content-Length: 6\n\n\n";
    let text = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
        part.repeat(3)
    );
    let rejoined = |octets: u64| {
        rejoin(text.as_bytes(), |part| {
            let file = content(dir.path(), part, b"short\n");
            Ok(Some(Content { octets, ..file }))
        })
    };
    assert!(rejoined(MAX_QUOTED / 3).is_ok());
    let refused = rejoined(MAX_QUOTED / 3 + 1).map_err(|e| e.kind());
    assert_eq!(refused, Err(io::ErrorKind::FileTooLarge));
}
