//! The holes of a `.partial.emlx`: parts whose content Mail keeps in files of their own.
//!
//! Such a part has a header and no body; `X-Apple-Content-Length` tells how long the
//! encoded body is, with LF line ends. Its file lies in `Attachments/<message>/<part>/`,
//! decoded, where `<part>` is the part's number as in IMAP (RFC 9051 §6.4.5.1).

use std::ops::Range;

/// Parts inside parts, at most.
const MAX_DEPTH: usize = 32;
/// Parts of one message, at most.
const MAX_PARTS: usize = 10_000;

/// How the content of a part is written in the message (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary or nothing said.
    Plain,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

/// One part without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// Number of the part, such as `2.3`.
    pub(crate) part: String,
    /// The header field that announces the length, its line end included.
    pub(crate) field: Range<usize>,
    /// Where the content belongs.
    pub(crate) at: usize,
    /// Whether a line end has to follow the content.
    pub(crate) needs_line_end: bool,
    /// How the content is written.
    pub(crate) encoding: Encoding,
    /// Length of the written content with LF line ends, as announced.
    pub(crate) announced: Option<u64>,
}

/// The holes of a message with LF line ends, in its order.
pub(crate) fn holes(text: &[u8]) -> Vec<Hole> {
    let mut found = Vec::new();
    let mut budget = MAX_PARTS;
    walk(text, 0..text.len(), "", 0, &mut budget, &mut found);
    found.sort_by_key(|hole| hole.at);
    found
}

fn walk(
    text: &[u8],
    range: Range<usize>,
    number: &str,
    depth: usize,
    budget: &mut usize,
    found: &mut Vec<Hole>,
) {
    if depth > MAX_DEPTH || *budget == 0 {
        return;
    }
    *budget -= 1;
    // The empty line behind the header may be the line end that belongs to the boundary.
    let header_end = (range.start + header_end(&text[range.start..])).min(range.end + 1);
    let header_end = header_end.min(text.len());
    let head = &text[range.start..header_end];
    let body = header_end..range.end.max(header_end);
    let mut part = Part::default();
    for (name, field) in fields(head) {
        let value = &head[field.start + name.len() + 1..field.end];
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if is("content-type") {
            let value = unfold(value);
            part.boundary = parameter(&value, b"boundary");
            let kind = value.trim_ascii_start().to_ascii_lowercase();
            part.is_multipart = kind.starts_with(b"multipart/");
            part.is_message = kind.starts_with(b"message/rfc822");
        } else if is("content-transfer-encoding") {
            part.encoding = encoding(value);
        } else if is("x-apple-content-length") {
            let digits = value.trim_ascii();
            part.announced = std::str::from_utf8(digits)
                .ok()
                .and_then(|d| d.parse().ok());
            part.field = Some(range.start + field.start..range.start + field.end);
        }
    }
    if let (true, Some(boundary)) = (part.is_multipart, &part.boundary) {
        for (n, inner) in pieces(text, body, boundary).into_iter().enumerate() {
            let number = child(number, n + 1);
            walk(text, inner, &number, depth + 1, budget, found);
        }
    } else if part.is_message && part.field.is_none() {
        // The message inside has the numbers of its container.
        walk(text, body, number, depth + 1, budget, found);
    } else if let Some(field) = part.field
        && text[body.clone()].trim_ascii().is_empty()
    {
        // A boundary begins a line: where nothing ends the line before it, that is made.
        let next = text.get(body.start);
        let needs_line_end = body.is_empty() && next.is_some_and(|octet| *octet != b'\n');
        found.push(Hole {
            part: if number.is_empty() { "1" } else { number }.to_owned(),
            field,
            at: body.start,
            needs_line_end,
            encoding: part.encoding,
            announced: part.announced,
        });
    }
}

#[derive(Debug)]
struct Part {
    boundary: Option<Vec<u8>>,
    is_multipart: bool,
    is_message: bool,
    encoding: Encoding,
    announced: Option<u64>,
    field: Option<Range<usize>>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            boundary: None,
            is_multipart: false,
            is_message: false,
            encoding: Encoding::Plain,
            announced: None,
            field: None,
        }
    }
}

fn child(number: &str, n: usize) -> String {
    if number.is_empty() {
        n.to_string()
    } else {
        format!("{number}.{n}")
    }
}

/// Length of the header with the empty line that ends it.
fn header_end(text: &[u8]) -> usize {
    if text.first() == Some(&b'\n') {
        return 1;
    }
    memchr::memmem::find(text, b"\n\n").map_or(text.len(), |at| at + 2)
}

/// Names and places of the fields of a header; a field ends with its line end.
fn fields(head: &[u8]) -> Vec<(&[u8], Range<usize>)> {
    let mut fields: Vec<(&[u8], Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < head.len() {
        let end = memchr::memchr(b'\n', &head[at..]).map_or(head.len(), |n| at + n + 1);
        let line = &head[at..end];
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(last) = fields.last_mut() {
                last.1.end = end;
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            fields.push((&line[..colon], at..end));
        }
        at = end;
    }
    fields
}

fn unfold(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .map(|o| if *o == b'\n' { b' ' } else { *o })
        .collect()
}

/// A parameter of a header field (RFC 2045 §5.1), quoted or not.
fn parameter(value: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    while let Some(semicolon) = memchr::memchr(b';', rest) {
        rest = rest[semicolon + 1..].trim_ascii_start();
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest[..equals].trim_ascii();
        let after = rest[equals + 1..].trim_ascii_start();
        let (value, next) = match after.strip_prefix(b"\"") {
            Some(quoted) => {
                let mut value = Vec::new();
                let mut octets = quoted.iter().enumerate();
                let mut end = quoted.len();
                while let Some((at, octet)) = octets.next() {
                    match octet {
                        b'"' => {
                            end = at + 1;
                            break;
                        }
                        b'\\' => value.extend(octets.next().map(|(_, octet)| *octet)),
                        other => value.push(*other),
                    }
                }
                (value, &quoted[end..])
            }
            None => {
                let end = memchr::memchr(b';', after).unwrap_or(after.len());
                (after[..end].trim_ascii().to_vec(), &after[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value).filter(|value| !value.is_empty());
        }
        rest = next;
    }
    None
}

fn encoding(value: &[u8]) -> Encoding {
    let value = value.trim_ascii();
    if value.eq_ignore_ascii_case(b"base64") {
        Encoding::Base64
    } else if value.eq_ignore_ascii_case(b"quoted-printable") {
        Encoding::QuotedPrintable
    } else {
        Encoding::Plain
    }
}

/// The pieces between the boundary lines of a multipart body (RFC 2046 §5.1.1), each
/// without the line end before the next boundary.
fn pieces(text: &[u8], body: Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = body.start;
    while at < body.end {
        let end = memchr::memchr(b'\n', &text[at..body.end]).map_or(body.end, |n| at + n + 1);
        let line = text[at..end].trim_ascii_end();
        let after = line
            .strip_prefix(b"--")
            .and_then(|rest| rest.strip_prefix(boundary));
        if let Some(after) = after
            && (after.is_empty() || after == b"--")
        {
            if let Some(start) = open.take() {
                pieces.push(start..at.saturating_sub(1).max(start));
            }
            if !after.is_empty() {
                return pieces;
            }
            open = Some(end);
        }
        at = end;
    }
    // The last boundary is missing.
    pieces.extend(open.map(|start| start..body.end));
    pieces
}

#[cfg(test)]
#[path = "holes/tests.rs"]
mod tests;
