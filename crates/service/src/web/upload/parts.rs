//! The parts of a form that brings a file along (RFC 7578), one after the other, without keeping them: memory does not
//! follow the size of the file, nor anything else that is sent.

use axum::body::{Body, BodyDataStream};
use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use memchr::memmem;
use std::time::Duration;

/// Longest head of a part in octets.
const MOST_HEAD: usize = 8 << 10;

/// Longest boundary (RFC 2046 §5.1.1).
const MOST_BOUNDARY: usize = 70;

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wrong with what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It breaks off, or is no such form.
    Off,
    /// Nothing came for long.
    Silent,
}

/// Head of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Name of the field.
    pub(super) name: String,
    /// Name of the file, without its directories; empty where none was chosen.
    pub(super) file: String,
}

/// A form that comes in.
pub(super) struct Parts {
    pieces: BodyDataStream,
    /// What stands before each part but for the line's end behind it: `CRLF -- boundary`.
    line: Vec<u8>,
    came: BytesMut,
    /// Whether the rest of a part stands before the next one.
    inside: bool,
}

/// The boundary that a content type names; `None` where it is no such form.
pub(super) fn boundary(kind: &str) -> Option<&str> {
    let mut words = kind.split(';').map(str::trim);
    let is_form = words
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"));
    let named = words.find_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    });
    let boundary = named?.trim_matches('"');
    let fits = |b: u8| b.is_ascii_graphic() || b == b' ';
    let is_one = (1..=MOST_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(fits);
    (is_form && is_one).then_some(boundary)
}

impl Parts {
    pub(super) fn new(boundary: &str, body: Body) -> Self {
        Self {
            pieces: body.into_data_stream(),
            line: format!("\r\n--{boundary}").into_bytes(),
            // The first line has none before it.
            came: BytesMut::from(&b"\r\n"[..]),
            inside: true,
        }
    }

    /// The next part; what is left of the one before is passed over. `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Head>, Broken> {
        while self.chunk().await?.is_some() {}
        while self.came.len() < self.line.len() + 2 {
            self.more().await?;
        }
        self.came.advance(self.line.len());
        if self.came.starts_with(b"--") {
            return Ok(None);
        }
        if !self.came.starts_with(b"\r\n") {
            return Err(Broken::Off);
        }
        // The line's end may be that of an empty head.
        let end = loop {
            if let Some(end) = memmem::find(&self.came, b"\r\n\r\n") {
                break end;
            }
            if self.came.len() > MOST_HEAD {
                return Err(Broken::Off);
            }
            self.more().await?;
        };
        let head = self.came.split_to(end + 4);
        self.inside = true;
        head_of(&head).map(Some)
    }

    /// The next octets of this part; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Broken> {
        while self.inside {
            if let Some(end) = memmem::find(&self.came, &self.line) {
                self.inside = false;
                let last = self.came.split_to(end).freeze();
                return Ok((!last.is_empty()).then_some(last));
            }
            // The line may have begun.
            let sure = self.came.len().saturating_sub(self.line.len() - 1);
            if sure > 0 {
                return Ok(Some(self.came.split_to(sure).freeze()));
            }
            self.more().await?;
        }
        Ok(None)
    }

    /// All of this part, which is short.
    pub(super) async fn text(&mut self, most: usize) -> Result<String, Broken> {
        let mut text = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if text.len() + chunk.len() > most {
                return Err(Broken::Off);
            }
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).map_err(|_| Broken::Off)
    }

    async fn more(&mut self) -> Result<(), Broken> {
        let piece = tokio::time::timeout(PATIENCE, self.pieces.next()).await;
        match piece.map_err(|_| Broken::Silent)? {
            Some(Ok(piece)) => {
                self.came.extend_from_slice(&piece);
                Ok(())
            }
            Some(Err(_)) | None => Err(Broken::Off),
        }
    }
}

fn head_of(head: &[u8]) -> Result<Head, Broken> {
    let head = std::str::from_utf8(head).map_err(|_| Broken::Off)?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    });
    let disposition = disposition.ok_or(Broken::Off)?;
    let name = parameter(disposition, "name").ok_or(Broken::Off)?;
    let file = parameter(disposition, "filename").unwrap_or_default();
    // Some browsers once sent the whole path.
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    Ok(Head {
        name,
        file: file.to_owned(),
    })
}

/// A parameter as browsers write it: a quote in it is `%22`, as are line ends (`%0D`, `%0A`), and nothing else is changed.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let mut words = disposition.match_indices(&start);
    let at = words.find_map(|(at, _)| {
        let before = disposition[..at].chars().next_back();
        before.is_some_and(|c| c == ';' || c == ' ').then_some(at)
    })?;
    let value = disposition[at + start.len()..].split('"').next()?;
    let value = value.replace("%22", "\"");
    Some(value.replace("%0D", "").replace("%0A", ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    fn body(octets: &[u8], piece: usize) -> Body {
        let pieces: Vec<Result<Bytes, std::io::Error>> = octets
            .chunks(piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    /// Every part with its head, however the octets come.
    async fn read(octets: &[u8], piece: usize) -> Result<Vec<(Head, Vec<u8>)>, Broken> {
        let mut parts = Parts::new("B-1", body(octets, piece));
        let mut all = Vec::new();
        while let Some(head) = parts.next().await? {
            let mut content = Vec::new();
            while let Some(chunk) = parts.chunk().await? {
                content.extend_from_slice(&chunk);
            }
            all.push((head, content));
        }
        Ok(all)
    }

    fn head(name: &str, file: &str) -> Head {
        Head {
            name: name.to_owned(),
            file: file.to_owned(),
        }
    }

    #[tokio::test]
    async fn parts_are_the_same_however_they_come() {
        let content = b"\r\n--B-\r\n--B-2\r\n\r\n--\r\0\xff\r\n-";
        let mut form = b"--B-1\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nt0ken\r\n--B-1\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"C:\\x\\\xe5\x8f\x97\xe4\xbf\xa1 %22a%22;name=.mbox\"\r\n\
            Content-Type: application/mbox\r\n\r\n"
            .to_vec();
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n--B-1\r\nContent-Disposition: form-data; name=\"e\"; filename=\"\"\r\n\r\n\r\n--B-1--\r\n");
        for piece in [1, 2, 3, 5, 7, 64, 10_000] {
            let read = read(&form, piece).await.expect("a form");
            let expected = [
                (head("csrf", ""), b"t0ken".to_vec()),
                (head("file", "受信 \"a\";name=.mbox"), content.to_vec()),
                (head("e", ""), Vec::new()),
            ];
            assert_eq!(read, expected, "{piece}");
            // Cut anywhere: what breaks off is never taken for whole.
            for end in 0..form.len() - 4 {
                let cut = self::read(&form[..end], piece).await;
                assert_eq!(cut, Err(Broken::Off), "{piece} {end}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_form_ends_and_takes_no_room() {
        let long = [
            b"--B-1\r\nContent-Disposition: ".to_vec(),
            vec![b'x'; 1 << 20],
        ]
        .concat();
        for wrong in [
            &b""[..],
            b"nothing",
            b"--B-1",
            b"--B-1x\r\n\r\n",
            b"--B-1\r\n\r\n\r\n--B-1--",
            b"--B-1\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B-1--",
            b"--B-1\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--B-1--",
            &long,
        ] {
            assert_eq!(read(wrong, 1_000).await, Err(Broken::Off));
        }
        let mut parts = Parts::new("B-1", body(&long, 1_000));
        assert_eq!(parts.next().await, Err(Broken::Off));
        assert!(parts.came.len() < 2 * MOST_HEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_without_end() {
        let mut parts = Parts::new(
            "B-1",
            Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()),
        );
        assert_eq!(parts.next().await, Err(Broken::Silent));
    }

    #[test]
    fn boundaries_are_read_as_browsers_write_them() {
        for (kind, found) in [
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryX1",
                Some("----WebKitFormBoundaryX1"),
            ),
            (
                "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=x", None),
            ("application/x-www-form-urlencoded; boundary=x", None),
            ("multipart/form-data; boundary=é", None),
        ] {
            assert_eq!(boundary(kind), found, "{kind}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }
}
