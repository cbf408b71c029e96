//! What a person knows a message by, read from whatever stands in its header.
//!
//! For showing only: nothing that is decoded here is ever written back or compared.

mod charset;
mod encoded_word;

use hikyaku_core::identity::header_fields;
use mail_parser::DateTime;
use serde::{Deserialize, Serialize};

/// Longest text that is shown, in characters.
const LONGEST: usize = 500;

/// The fields that name a message to a person, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Subject.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// From, as it stands there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// Date: ISO 8601 with the sender's zone, or as it stands there where it is no date.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// Message-ID.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message_id: Option<String>,
}

impl Heading {
    /// Reads a header; the first field of each name counts, empty ones do not.
    pub fn of(header: &[u8]) -> Self {
        let mut heading = Self::default();
        for (name, value) in header_fields(header) {
            let name = name.to_ascii_lowercase();
            let field = match name.as_slice() {
                b"subject" => &mut heading.subject,
                b"from" => &mut heading.from,
                b"date" => &mut heading.date,
                b"message-id" => &mut heading.message_id,
                _ => continue,
            };
            let text = decode(value);
            if field.is_none() && !text.is_empty() {
                *field = Some(text);
            }
        }
        heading.date = heading.date.map(|text| date(&text).unwrap_or(text));
        heading
    }
}

/// The value of an unstructured header field as text: unfolded, encoded words (RFC 2047)
/// decoded, raw 8-bit octets understood as UTF-8, ISO-2022-JP, EUC-JP or Shift_JIS where
/// they are, else spelled out as `\xe9`. At most 500 characters.
pub fn decode(value: &[u8]) -> String {
    let text = encoded_word::decode_all(&charset::detect(value));
    let mut out = String::new();
    for word in text.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if let Some((end, _)) = out.char_indices().nth(LONGEST) {
        out.truncate(end);
        out.push('…');
    }
    out
}

fn date(text: &str) -> Option<String> {
    let date = DateTime::parse_rfc822(text).filter(DateTime::is_valid)?;
    let zone = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
    let date = hikyaku_core::InternalDate::from_civil(
        (date.year.into(), date.month.into(), date.day.into()),
        (date.hour.into(), date.minute.into(), date.second.into()),
        if date.tz_before_gmt { -zone } else { zone },
    );
    date.map(|d| d.to_string())
}

#[cfg(test)]
mod tests;
