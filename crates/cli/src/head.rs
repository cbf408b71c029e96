//! What names a message to a person, read from its header.

use hikyaku_core::InternalDate;
use mail_parser::MessageParser;

/// Date, sender and subject, as far as the header tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The day, in the sender's own zone: `2024-04-01`.
    pub(crate) date: Option<String>,
    /// The sender's name, else the address.
    pub(crate) from: Option<String>,
    /// The subject, never empty.
    pub(crate) subject: Option<String>,
}

impl Head {
    /// Decodes header fields, whatever character set they are in.
    pub(crate) fn read(octets: &[u8]) -> Self {
        let parser = MessageParser::new().with_minimal_headers();
        let Some(message) = parser.parse_headers(octets) else {
            return Self::default();
        };
        let sender = message.from().and_then(|from| from.first());
        let date = message.date().map(|date| InternalDate {
            seconds: date.to_timestamp(),
            offset_minutes: {
                let minutes = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
                if date.tz_before_gmt {
                    -minutes
                } else {
                    minutes
                }
            },
        });
        Self {
            date: date.map(|date| {
                let (year, month, day, ..) = date.civil();
                format!("{year:04}-{month:02}-{day:02}")
            }),
            from: sender
                .and_then(|s| s.name().or(s.address()))
                .map(str::to_owned),
            subject: message
                .subject()
                .map(|subject| subject.trim().to_owned())
                .filter(|subject| !subject.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_headers_are_read() {
        let head = Head::read(
            b"Subject: =?ISO-2022-JP?B?GyRCOCs7fRsoQg==?=\r\nFrom: =?UTF-8?B?5aSq6YOO?= <taro@example.jp>\r\n\
              Date: Mon, 1 Apr 2024 00:30:00 +0900\r\n\r\n",
        );
        assert_eq!(head.subject.as_deref(), Some("見持"));
        assert_eq!(head.from.as_deref(), Some("太郎"));
        assert_eq!(head.date.as_deref(), Some("2024-04-01"));
    }

    #[test]
    fn whatever_is_missing_stays_open() {
        assert_eq!(Head::read(b"\r\n"), Head::default());
        let head = Head::read(b"From: taro@example.jp\r\nSubject:  \r\n\r\n");
        assert_eq!(
            (head.from.as_deref(), head.subject),
            (Some("taro@example.jp"), None)
        );
        drop(Head::read(b"\xff\xfe\0Subject"));
    }
}
