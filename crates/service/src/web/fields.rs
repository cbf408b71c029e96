//! The fields of a form that was sent, read once and wiped from memory afterwards.

use super::Rejection;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use futures::StreamExt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Octets that a form may have.
pub(crate) const MOST_OCTETS: usize = 64 * 1024;

/// Fields that a form may have: the folder table is the longest.
const MOST_FIELDS: usize = 6_000;

/// What was sent, in order. Clones share it; the last one wipes it.
#[derive(Clone, Default)]
pub(crate) struct Fields(Arc<Vec<(String, Zeroizing<String>)>>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded` (URL Standard §5.1), strictly: what is not UTF-8 or breaks an escape
    /// is refused, since it would be a password that nobody typed.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let pairs = body
            .split(|octet| *octet == b'&')
            .filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            if fields.len() == MOST_FIELDS {
                return None;
            }
            let middle = pair.iter().position(|octet| *octet == b'=');
            let (name, value) = match middle {
                Some(middle) => (&pair[..middle], &pair[middle + 1..]),
                None => (pair, &[][..]),
            };
            let (name, value) = (decode(name)?, decode(value)?);
            fields.push((String::clone(&name), value));
        }
        Some(Self(Arc::new(fields)))
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value of a name; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The first value of a name without blanks around it, of any script; empty when it was not sent.
    pub(crate) fn trimmed(&self, name: &str) -> &str {
        self.text(name).trim()
    }

    /// Every value of a name, in order.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked or a button pressed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Rejection;

    /// Put there by the check of every changing request; without that there is nothing to read.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts
            .extensions
            .get::<Fields>()
            .cloned()
            .ok_or(Rejection::Malformed)
    }
}

/// The octets of a form.
pub(crate) async fn collect(body: Body) -> Result<Zeroizing<Vec<u8>>, Rejection> {
    // Never grown: no copy is left behind unwiped.
    let mut octets = Zeroizing::new(Vec::with_capacity(MOST_OCTETS));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Rejection::Malformed)?;
        if octets.len() + piece.len() > MOST_OCTETS {
            return Err(Rejection::TooLarge);
        }
        octets.extend_from_slice(&piece);
    }
    Ok(octets)
}

fn decode(octets: &[u8]) -> Option<Zeroizing<String>> {
    let mut out = Zeroizing::new(Vec::with_capacity(octets.len()));
    let mut rest = octets.iter();
    while let Some(octet) = rest.next() {
        out.push(match octet {
            b'+' => b' ',
            b'%' => hex(*rest.next()?)? << 4 | hex(*rest.next()?)?,
            octet => *octet,
        });
    }
    // Order matters: checked first, so that no error carries the octets away unwiped.
    std::str::from_utf8(&out)
        .ok()
        .map(|text| Zeroizing::new(text.to_owned()))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let fields = Fields::parse(b"a=1&b=x+y%2Bz&a=2&c=%E5%8F%97%E4%BF%A1&d&e=p%3Dq=r&&f=%0d%0A")
            .expect("well formed");
        assert_eq!(fields.get("a"), Some("1"));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(fields.text("b"), "x y+z");
        assert_eq!(fields.text("c"), "受信");
        assert_eq!(fields.get("d"), Some(""));
        assert_eq!(fields.text("e"), "p=q=r");
        assert_eq!(fields.text("f"), "\r\n");
        assert!(!fields.has("g") && fields.text("g").is_empty());
    }

    #[test]
    fn what_no_browser_writes_is_refused() {
        for wrong in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"%f=1",
            b"a=%FF",
            b"a=\xff",
            b"a=%C0%80",
        ] {
            assert!(Fields::parse(wrong).is_none(), "{wrong:?}");
        }
        let many = "a&".repeat(MOST_FIELDS);
        assert!(Fields::parse(many.as_bytes()).is_some());
        assert!(Fields::parse(format!("{many}a").as_bytes()).is_none());
        assert!(Fields::parse(b"").is_some());
    }
}
