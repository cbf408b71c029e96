//! What APPEND does to octets on servers that do not keep them.

use bytes::{Bytes, BytesMut};

use crate::body::header_end;
use crate::personality::{Octets, Rewriting};

/// The octets to store, or the words of a refusal.
pub(crate) fn rewrite(rules: &Rewriting, message: Bytes) -> Result<Bytes, &'static str> {
    if message.is_empty() {
        return match rules.empty {
            Octets::Keep => Ok(message),
            Octets::Change => Ok(Bytes::from_static(b"\r\n")),
            Octets::Refuse => Err("Can't save a zero byte message"),
        };
    }
    let message = mend(
        rules.nul,
        message,
        has_nul,
        "Message contains NUL characters",
        |m| m.iter().map(|b| if *b == 0 { 0x80 } else { *b }).collect(),
    )?;
    let message = mend(
        rules.headerless,
        message,
        is_headerless,
        "Message contains invalid header",
        <[u8]>::to_vec,
    )?;
    let message = mend(
        rules.eight_bit_header,
        message,
        |m| !m[..header_end(m)].is_ascii(),
        "Message contains non-ASCII characters in its header",
        |m| {
            let header = header_end(m);
            let mut mended = m.to_vec();
            for octet in mended[..header].iter_mut().filter(|b| !b.is_ascii()) {
                *octet = b'X';
            }
            mended
        },
    )?;
    let message = mend(
        rules.bare_cr,
        message,
        has_bare_cr,
        "Message contains bare CR",
        without_bare_cr,
    )?;
    let message = mend(
        rules.bare_lf,
        message,
        has_bare_lf,
        "Message contains bare newlines",
        with_crlf,
    )?;
    let message = mend(
        rules.no_final_newline,
        message,
        |m| !m.ends_with(b"\n"),
        "Message does not end with a newline",
        |m| [m, b"\r\n"].concat(),
    )?;
    Ok(match &rules.adds_header {
        None => message,
        Some(line) => {
            let mut longer = BytesMut::with_capacity(line.len() + message.len());
            longer.extend_from_slice(line.as_bytes());
            longer.extend_from_slice(&message);
            longer.freeze()
        }
    })
}

fn mend(
    rule: Octets,
    message: Bytes,
    applies: impl Fn(&[u8]) -> bool,
    refusal: &'static str,
    change: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Bytes, &'static str> {
    match rule {
        Octets::Keep => Ok(message),
        _ if !applies(&message) => Ok(message),
        Octets::Change => Ok(change(&message).into()),
        Octets::Refuse => Err(refusal),
    }
}

fn has_nul(message: &[u8]) -> bool {
    memchr::memchr(0, message).is_some()
}

/// True when the first line is neither a field nor empty.
fn is_headerless(message: &[u8]) -> bool {
    let line = message.split(|b| *b == b'\n').next().unwrap_or(message);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let field = memchr::memchr(b':', line)
        .is_some_and(|at| at > 0 && line[..at].iter().all(|b| b.is_ascii_graphic()));
    !line.is_empty() && !field && !line.starts_with(b"From ")
}

fn has_bare_lf(message: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', message).any(|at| at == 0 || message[at - 1] != b'\r')
}

fn has_bare_cr(message: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', message).any(|at| message.get(at + 1) != Some(&b'\n'))
}

fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(message.len() + message.len() / 32);
    let mut done = 0;
    for at in memchr::memchr_iter(b'\n', message) {
        if at == 0 || message[at - 1] != b'\r' {
            mended.extend_from_slice(&message[done..at]);
            mended.push(b'\r');
            done = at;
        }
    }
    mended.extend_from_slice(&message[done..]);
    mended
}

fn without_bare_cr(message: &[u8]) -> Vec<u8> {
    let keeps =
        |(at, octet): &(usize, &u8)| **octet != b'\r' || message.get(at + 1) == Some(&b'\n');
    message
        .iter()
        .enumerate()
        .filter(keeps)
        .map(|(_, octet)| *octet)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personality::Personality;

    /// (message, Dovecot, Cyrus, Courier), as measured on the real ones.
    #[test]
    fn octets_change_as_measured() {
        type Row = (
            &'static [u8],
            &'static [u8],
            Option<&'static [u8]>,
            &'static [u8],
        );
        let rows: [Row; 9] = [
            (
                b"A: b\r\n\r\nc\r\n",
                b"A: b\r\n\r\nc\r\n",
                Some(b"A: b\r\n\r\nc\r\n"),
                b"A: b\r\n\r\nc\r\n",
            ),
            (
                b"A: b\r\n\r\nc",
                b"A: b\r\n\r\nc",
                Some(b"A: b\r\n\r\nc"),
                b"A: b\r\n\r\nc\r\n",
            ),
            (
                b"A: b\n\nc\n",
                b"A: b\r\n\r\nc\r\n",
                None,
                b"A: b\r\n\r\nc\r\n",
            ),
            (
                b"A: b\r\n\r\nc\rd\r\n",
                b"A: b\r\n\r\nc\rd\r\n",
                Some(b"A: b\r\n\r\nc\rd\r\n"),
                b"A: b\r\n\r\ncd\r\n",
            ),
            (
                b"A: b\r\n\r\n\0\r\n",
                b"A: b\r\n\r\n\x80\r\n",
                None,
                b"A: b\r\n\r\n\0\r\n",
            ),
            (
                b"A: \xe9\r\n\r\n\xe9\r\n",
                b"A: \xe9\r\n\r\n\xe9\r\n",
                Some(b"A: X\r\n\r\n\xe9\r\n"),
                b"A: \xe9\r\n\r\n\xe9\r\n",
            ),
            (b"only text\r\n", b"only text\r\n", None, b"only text\r\n"),
            (b"A: b\r\n", b"A: b\r\n", Some(b"A: b\r\n"), b"A: b\r\n"),
            (
                b"From x\r\nA: b\r\n\r\n",
                b"From x\r\nA: b\r\n\r\n",
                Some(b"From x\r\nA: b\r\n\r\n"),
                b"From x\r\nA: b\r\n\r\n",
            ),
        ];
        for (message, dovecot, cyrus, courier) in rows {
            let stored = |p: Personality| rewrite(&p.rewriting, Bytes::from_static(message)).ok();
            assert_eq!(
                stored(Personality::dovecot_like()).as_deref(),
                Some(dovecot)
            );
            assert_eq!(stored(Personality::cyrus_like()).as_deref(), cyrus);
            assert_eq!(
                stored(Personality::courier_like()).as_deref(),
                Some(courier)
            );
        }
    }

    #[test]
    fn an_empty_message_is_refused_or_becomes_a_newline() {
        let stored = |p: Personality| rewrite(&p.rewriting, Bytes::new()).ok();
        assert_eq!(stored(Personality::dovecot_like()), None);
        assert_eq!(stored(Personality::cyrus_like()), None);
        assert_eq!(
            stored(Personality::courier_like()).as_deref(),
            Some(&b"\r\n"[..])
        );
        assert_eq!(stored(Personality::rev2()).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn the_rewriter_adds_its_header() {
        let rules = Personality::rewriter().rewriting;
        let stored = rewrite(&rules, Bytes::from_static(b"A: b\n\nc")).unwrap();
        assert_eq!(stored, "X-Archived-By: rewriter\r\nA: b\r\n\r\nc\r\n");
    }
}
