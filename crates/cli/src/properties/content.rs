//! What messages and servers say, on its way to people, records and digests.

use hikyaku_core::identity::{ContentHash, HeadDigest, NormalForm, header_fields};
use hikyaku_core::{MailboxName, Said};
use hikyaku_text::escape::{clean, is_unseen, spelled_out};
use hikyaku_view::Heading;

/// The first two octets say where the rest is cut; the rest is a message, a server's
/// words, and the name of a mailbox.
///
/// Digests do not depend on how the octets came, and survive what servers rewrite; what is
/// shown holds nothing unseen; and what is recorded leads back.
pub fn content(input: &[u8]) {
    let [high, low, octets @ ..] = input else {
        return;
    };
    let at = (usize::from(*high) << 8 | usize::from(*low)) % (octets.len() + 1);
    normal_form(octets, at);
    head_digest(octets);
    heading(octets);
    let text = String::from_utf8_lossy(octets);
    shown(&text);
    name(&text);
}

fn normal_form(octets: &[u8], at: usize) {
    let form = NormalForm::of(octets);
    let mut pieces = NormalForm::default();
    pieces.update(&octets[..at]);
    pieces.update(&octets[at..]);
    assert_eq!(pieces.finish(), form, "cut at {at}");
    // Lines that end otherwise, and end lines that are added or gone.
    let rewritten: Vec<u8> = octets.iter().copied().filter(|o| *o != b'\r').collect();
    assert_eq!(NormalForm::of(&rewritten), form);
    assert_eq!(NormalForm::of(&[octets, b"\r\n\r\n"].concat()), form);
    // And nothing else that could be text: a letter more is another message.
    let longer = [&octets[..at], b"q", &octets[at..]].concat();
    assert_ne!(ContentHash::of(&longer), ContentHash::of(octets));
    assert_ne!(NormalForm::of(&longer), form, "at {at}");
}

fn head_digest(octets: &[u8]) {
    let digest = HeadDigest::of(octets);
    // Only the chosen fields count, and the body not at all.
    let mut fields = Vec::new();
    for (name, value) in header_fields(octets) {
        assert!(!name.contains(&b':') && !name.contains(&b'\n'));
        if HeadDigest::FIELDS
            .iter()
            .any(|f| f.as_bytes().eq_ignore_ascii_case(name))
        {
            fields.extend_from_slice(name);
            fields.extend_from_slice(b": ");
            fields.extend_from_slice(value);
            fields.extend_from_slice(b"\r\n");
        }
    }
    fields.extend_from_slice(b"\r\nSubject: of the body\r\n");
    assert_eq!(HeadDigest::of(&fields), digest, "{}", fields.escape_ascii());
}

fn heading(octets: &[u8]) {
    let heading = Heading::of(octets);
    let fields = [
        heading.subject,
        heading.from,
        heading.date,
        heading.message_id,
    ];
    for text in fields.into_iter().flatten() {
        assert!(!text.is_empty() && text.chars().count() <= 501, "{text:?}");
    }
    assert!(hikyaku_view::decode(octets).chars().count() <= 501);
}

fn shown(text: &str) {
    assert!(!clean(text).contains(is_unseen));
    assert_eq!(clean(text).chars().count(), text.chars().count());
    let spelled = spelled_out(text);
    assert!(!spelled.contains(is_unseen));
    assert_eq!(unspelled(&spelled).as_deref(), Some(text));
    let said = Said::new("NO", Some(text), text).to_string();
    assert!(!said.contains(char::is_control), "{said:?}");
    assert!(said.chars().count() <= 2 * 512 + 8);
}

/// The way back from [`spelled_out`]: nothing is lost.
fn unspelled(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        match after.next()? {
            '\\' => out.push('\\'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (number, tail) = after.as_str().strip_prefix('{')?.split_once('}')?;
                out.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
                after = tail.chars();
            }
            _ => return None,
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    Some(out)
}

fn name(text: &str) {
    if let Some(name) = MailboxName::parse(text) {
        assert_eq!(MailboxName::parse(&name.to_string()), Some(name));
    }
    let levels = text.split('\n').map(str::to_owned).collect();
    if let Some(name) = MailboxName::new(levels)
        && !name.to_string().is_empty()
    {
        assert_eq!(MailboxName::parse(&name.to_string()), Some(name));
    }
}
