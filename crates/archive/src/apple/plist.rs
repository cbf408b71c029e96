//! The property list behind a message: as much of Apple's XML property lists as Mail writes.
//!
//! One dictionary with texts, numbers and dates. What is nested deeper is passed over,
//! so a list that a newer Mail extends is still understood. Format: Apple's
//! `PropertyList-1.0.dtd`.

use std::collections::HashMap;

/// Longest list that is read, in octets; those of Mail have a few hundred.
pub(crate) const MAX_OCTETS: usize = 1 << 20;

/// The values of the outermost dictionary by key, as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plist(HashMap<String, String>);

impl Plist {
    /// Reads the outermost dictionary of an XML property list. Anything else gives an
    /// empty one: these facts are useful, the message does not depend on them.
    pub(crate) fn read(octets: &[u8]) -> Self {
        let octets = &octets[..octets.len().min(MAX_OCTETS)];
        let text = String::from_utf8_lossy(octets);
        let mut values = HashMap::new();
        let mut key: Option<String> = None;
        let mut depth = 0usize;
        let mut rest = text.as_ref();
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, after)| after);
                continue;
            }
            let Some((tag, after)) = rest.split_once('>') else {
                break;
            };
            rest = after;
            let name = tag.trim_end_matches('/').trim();
            let name = name.split_ascii_whitespace().next().unwrap_or_default();
            match name {
                "dict" | "array" if tag.ends_with('/') => key = None,
                "dict" | "array" => {
                    depth += 1;
                    key = None;
                }
                "/dict" | "/array" => depth = depth.saturating_sub(1),
                "key" | "string" | "integer" | "real" | "date" if !tag.ends_with('/') => {
                    let value = unescape(rest.split('<').next().unwrap_or_default());
                    match (name, depth) {
                        ("key", 1) => key = Some(value),
                        (_, 1) => {
                            if let Some(key) = key.take() {
                                values.insert(key, value);
                            }
                        }
                        _ => {}
                    }
                }
                "true" | "false" if depth == 1 => {
                    if let Some(key) = key.take() {
                        values.insert(key, name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Self(values)
    }

    /// How much it holds.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn octets(&self) -> usize {
        self.0
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum()
    }

    /// A number; a fraction is cut off.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        let text = self.0.get(key)?.trim();
        let whole = text.split('.').next().unwrap_or(text);
        whole.parse().ok()
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_outermost_dictionary_is_read_and_nested_ones_are_passed_over() {
        let list = Plist::read(
            b"<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>\n\
              <key>flags</key>\n<integer>8590195713</integer>\n\
              <!-- <key>flags</key><integer>1</integer> -->\
              <key>nested</key><dict><key>flags</key><integer>7</integer></dict>\
              <key>list</key><array><integer>4</integer></array>\
              <key>date-received</key><real>1516985072.25</real>\
              <key>subject</key><string>a &lt;b&gt; &amp;amp;</string>\
              <key>empty</key><string/><key>yes</key><true/></dict></plist>",
        );
        assert_eq!(list.number("flags"), Some(8_590_195_713));
        assert_eq!(list.number("date-received"), Some(1_516_985_072));
        assert_eq!(list.0["subject"], "a <b> &amp;");
        assert_eq!(list.0["yes"], "true");
        assert_eq!(list.number("subject"), None);
        assert_eq!(list.0.len(), 4);
    }

    proptest! {
        #[test]
        fn nothing_panics(octets: Vec<u8>, text in "(<(/?(dict|key|integer|array|true)/?)>|[a-z&;]{0,3}|<!--|-->){0,40}") {
            Plist::read(&octets);
            Plist::read(text.as_bytes());
        }
    }
}
