//! Figures, times and names as people of each language write them.

use crate::Lang;
use crate::escape;
use hikyaku_core::{InternalDate, MailboxName, Side};
use std::time::Duration;

/// Something that knows how it is written in a sentence.
pub trait Show {
    /// In the words of a language.
    fn show(&self, lang: Lang) -> String;
}

/// A bare number.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

/// So many messages, with the noun.
#[derive(Clone, Copy, Debug)]
pub struct Messages(pub u64);

/// So many of the messages that the sentence is about: the noun only where the language
/// needs one.
#[derive(Clone, Copy, Debug)]
pub struct Share(pub u64);

/// So many mailboxes, with the noun; people call them folders.
#[derive(Clone, Copy, Debug)]
pub struct Mailboxes(pub u64);

/// So often.
#[derive(Clone, Copy, Debug)]
pub struct Times(pub u64);

/// Octets, in steps of 1024, two or three digits.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

/// Octets per second.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub u64);

/// A length of time as measured, in its two largest units.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Duration);

/// A length of time as guessed: nobody believes the seconds of an hour.
#[derive(Clone, Copy, Debug)]
pub struct About(pub Duration);

/// The calendar day and time of a moment in its own zone.
#[derive(Clone, Copy, Debug)]
pub struct Day(pub InternalDate);

/// A moment soon to come, seen from now: the time of day alone while it is today.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// The moment, in the reader's zone.
    pub at: InternalDate,
    /// Now, in the same zone.
    pub now: InternalDate,
}

impl Show for Count {
    fn show(&self, _: Lang) -> String {
        thousands(self.0)
    }
}

impl Show for Messages {
    fn show(&self, lang: Lang) -> String {
        match (lang, self.0) {
            (Lang::Ja, n) => format!("{}通", thousands(n)),
            (Lang::En, 1) => "1 message".to_owned(),
            (Lang::En, n) => format!("{} messages", thousands(n)),
        }
    }
}

impl Show for Share {
    fn show(&self, lang: Lang) -> String {
        match lang {
            Lang::Ja => Messages(self.0).show(lang),
            Lang::En => thousands(self.0),
        }
    }
}

impl Show for Mailboxes {
    fn show(&self, lang: Lang) -> String {
        match (lang, self.0) {
            (Lang::Ja, n) => format!("{}個", thousands(n)),
            (Lang::En, 1) => "1 folder".to_owned(),
            (Lang::En, n) => format!("{} folders", thousands(n)),
        }
    }
}

impl Show for Times {
    fn show(&self, lang: Lang) -> String {
        match (lang, self.0) {
            (Lang::Ja, n) => format!("{}回", thousands(n)),
            (Lang::En, 1) => "once".to_owned(),
            (Lang::En, n) => format!("{} times", thousands(n)),
        }
    }
}

impl Show for Size {
    fn show(&self, lang: Lang) -> String {
        const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
        let gap = match lang {
            Lang::Ja => "",
            Lang::En => " ",
        };
        let mut value = self.0 as f64;
        let mut unit = 0;
        // From 999.5 on it would be shown with four digits.
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        match unit > 0 && value < 9.95 {
            true => format!("{value:.1}{gap}{}", UNITS[unit]),
            false => format!("{value:.0}{gap}{}", UNITS[unit]),
        }
    }
}

impl Show for Rate {
    fn show(&self, lang: Lang) -> String {
        let size = Size(self.0).show(lang);
        match lang {
            Lang::Ja => format!("{size}/秒"),
            Lang::En => format!("{size}/s"),
        }
    }
}

impl Show for Span {
    fn show(&self, lang: Lang) -> String {
        let seconds = self.0.as_secs();
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let tenths = self.0.subsec_millis() / 100;
        match lang {
            Lang::Ja if hours > 0 => format!("{}時間{minutes}分", thousands(hours)),
            Lang::Ja if minutes > 0 => format!("{minutes}分{rest}秒"),
            Lang::Ja => format!("{rest}.{tenths}秒"),
            Lang::En if hours > 0 => format!("{} h {minutes} min", thousands(hours)),
            Lang::En if minutes > 0 => format!("{minutes} min {rest} s"),
            Lang::En => format!("{rest}.{tenths} s"),
        }
    }
}

impl Show for About {
    fn show(&self, lang: Lang) -> String {
        let seconds = self.0.as_secs().max(1);
        let minutes = seconds.div_ceil(60);
        let hours = minutes.div_ceil(60);
        match lang {
            Lang::Ja if minutes > 48 * 60 => format!("約{}日", hours.div_ceil(24)),
            Lang::Ja if minutes > 90 => format!("約{hours}時間"),
            Lang::Ja if seconds >= 60 => format!("約{minutes}分"),
            Lang::Ja => format!("約{seconds}秒"),
            Lang::En if minutes > 48 * 60 => format!("about {} days", hours.div_ceil(24)),
            Lang::En if minutes > 90 => format!("about {hours} h"),
            Lang::En if seconds >= 60 => format!("about {minutes} min"),
            Lang::En => format!("about {seconds} s"),
        }
    }
}

impl Show for Day {
    fn show(&self, lang: Lang) -> String {
        let (year, month, day, hour, minute, _) = self.0.civil();
        match lang {
            Lang::Ja => format!("{year}年{month}月{day}日 {hour}:{minute:02}"),
            Lang::En => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
        }
    }
}

impl Show for Until {
    fn show(&self, lang: Lang) -> String {
        let day_of = |date: InternalDate| {
            (date.seconds + i64::from(date.offset_minutes) * 60).div_euclid(86_400)
        };
        let (_, _, _, hour, minute, _) = self.at.civil();
        match (day_of(self.at) - day_of(self.now), lang) {
            (0, Lang::Ja) => format!("{hour}:{minute:02}"),
            (0, Lang::En) => format!("{hour:02}:{minute:02}"),
            (1, Lang::Ja) => format!("明日 {hour}:{minute:02}"),
            (1, Lang::En) => format!("tomorrow {hour:02}:{minute:02}"),
            _ => Day(self.at).show(lang),
        }
    }
}

impl Show for Side {
    fn show(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::Ja, Side::Source) => "コピー元",
            (Lang::Ja, Side::Destination) => "コピー先",
            (Lang::En, Side::Source) => "source",
            (Lang::En, Side::Destination) => "destination",
        }
        .to_owned()
    }
}

/// Names come from servers: what is not seen in them is replaced.
impl Show for MailboxName {
    fn show(&self, lang: Lang) -> String {
        self.to_string().show(lang)
    }
}

/// Text may come from anywhere: what is not seen in it is replaced.
impl Show for str {
    fn show(&self, _: Lang) -> String {
        escape::clean(self).into_owned()
    }
}

impl Show for String {
    fn show(&self, lang: Lang) -> String {
        self.as_str().show(lang)
    }
}

/// One character, as it would be seen.
impl Show for char {
    fn show(&self, lang: Lang) -> String {
        match (lang, *self) {
            (Lang::Ja, ' ') => "空白".to_owned(),
            (Lang::En, ' ') => "blank".to_owned(),
            (_, c) if escape::is_unseen(c) => format!("U+{:04X}", u32::from(c)),
            (_, c) => c.to_string(),
        }
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, lang: Lang) -> String {
        (**self).show(lang)
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(shown: &dyn Show) -> (String, String) {
        (shown.show(Lang::Ja), shown.show(Lang::En))
    }

    #[track_caller]
    fn check(shown: &dyn Show, ja: &str, en: &str) {
        assert_eq!(both(shown), (ja.to_owned(), en.to_owned()));
    }

    #[test]
    fn counts_are_divided_and_have_their_nouns() {
        check(&Count(1_234_567), "1,234,567", "1,234,567");
        check(&Count(0), "0", "0");
        check(&Messages(12_408), "12,408通", "12,408 messages");
        check(&Messages(1), "1通", "1 message");
        check(&Messages(0), "0通", "0 messages");
        check(&Share(1_000), "1,000通", "1,000");
        check(&Mailboxes(27), "27個", "27 folders");
        check(&Mailboxes(1), "1個", "1 folder");
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        check(&Size(0), "0B", "0 B");
        check(&Size(999), "999B", "999 B");
        check(&Size(1000), "1.0KB", "1.0 KB");
        check(&Size(3_435_973_837), "3.2GB", "3.2 GB");
        check(&Size(100 << 20), "100MB", "100 MB");
        check(&Size(1023 << 20), "1.0GB", "1.0 GB");
        check(&Size(u64::MAX), "16777216TB", "16777216 TB");
        check(&Rate(12 << 20), "12MB/秒", "12 MB/s");
    }

    #[test]
    fn measured_times_are_exact_and_guessed_ones_are_not() {
        check(&Span(Duration::from_millis(1_450)), "1.4秒", "1.4 s");
        check(&Span(Duration::from_secs(61)), "1分1秒", "1 min 1 s");
        check(&Span(Duration::from_secs(3_660)), "1時間1分", "1 h 1 min");
        check(&About(Duration::ZERO), "約1秒", "about 1 s");
        check(&About(Duration::from_secs(1_500)), "約25分", "about 25 min");
        check(&About(Duration::from_secs(61)), "約2分", "about 2 min");
        check(&About(Duration::from_secs(6_000)), "約2時間", "about 2 h");
        check(
            &About(Duration::from_secs(300_000)),
            "約4日",
            "about 4 days",
        );
    }

    #[test]
    fn moments_are_as_near_as_they_are() {
        let at = |day, hour, minute| {
            InternalDate::from_civil((2026, 11, day), (hour, minute, 0), 540).expect("a date")
        };
        check(
            &Day(at(22, 9, 5)),
            "2026年11月22日 9:05",
            "2026-11-22 09:05",
        );
        for (moment, ja, en) in [
            (at(22, 14, 5), "14:05", "14:05"),
            (at(23, 9, 40), "明日 9:40", "tomorrow 09:40"),
            (at(25, 0, 0), "2026年11月25日 0:00", "2026-11-25 00:00"),
        ] {
            check(
                &Until {
                    at: moment,
                    now: at(22, 13, 0),
                },
                ja,
                en,
            );
        }
    }

    #[test]
    fn names_cannot_hide_anything() {
        let name = MailboxName::parse("a\u{202e}b/請求書").expect("a name");
        check(&name, "a\u{fffd}b/請求書", "a\u{fffd}b/請求書");
        check(&'/', "/", "/");
        check(&' ', "空白", "blank");
        check(&'\t', "U+0009", "U+0009");
    }
}
