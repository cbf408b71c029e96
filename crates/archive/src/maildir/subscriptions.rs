//! Which folders a Maildir's owner subscribed to.

use super::name::level;
use std::collections::BTreeSet;

/// Names as levels, from Dovecot's `subscriptions` in both versions or Courier's
/// `courierimapsubscribed`.
pub(crate) fn parse(text: &[u8]) -> BTreeSet<Vec<String>> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().peekable();
    let is_second = lines.next_if(|line| line.starts_with("V\t")).is_some();
    let mut out = BTreeSet::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let parts: Vec<String> = match is_second {
            true => line.split('\t').map(unescaped).map(|l| level(&l)).collect(),
            false => line.split(['.', '/']).map(level).collect(),
        };
        // The personal namespace of Courier and of Maildir++ is written as INBOX.
        let below = match parts.split_first() {
            Some((first, rest)) if first == "INBOX" && !rest.is_empty() => rest.to_vec(),
            _ => parts,
        };
        out.insert(below);
    }
    out
}

/// Dovecot writes tabs, line ends and its own escape behind an escape.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1}' => match chars.next() {
                Some('0') => out.push('\0'),
                Some('1') => out.push('\u{1}'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_writer_is_read() {
        let told = |text: &str| {
            parse(text.as_bytes())
                .into_iter()
                .map(|l| l.join("|"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told("V\t2\n\nA&-B\n&U9ZfFVFI-\t2024.1\n"),
            ["A&B", "取引先|2024.1"]
        );
        assert_eq!(told("A&-B\n&U9ZfFVFI-.2024\n"), ["A&B", "取引先|2024"]);
        assert_eq!(
            told("INBOX\nINBOX.Sent\nINBOX.&U9ZfFVFI-\n"),
            ["INBOX", "Sent", "取引先"]
        );
    }
}
