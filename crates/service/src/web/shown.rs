//! What fits on a page: names that are cut to a length, tables that are cut to a size, and moments in words.
//!
//! Every page stays below 50 kB whatever servers call their folders and however many there are; files hold the rest.

use hikyaku_core::{InternalDate, Role};
use hikyaku_text::escape::clean;
use hikyaku_text::{Lang, Show, Until};

/// Characters of a folder's name or a subject that are shown.
const LONGEST: usize = 80;

/// Who looks, and when.
#[derive(Clone, Copy)]
pub(crate) struct Eyes {
    /// Language of the page.
    pub(crate) lang: Lang,
    /// Milliseconds since 1970 UTC.
    pub(crate) now_millis: i64,
    /// Puts a moment (milliseconds since 1970 UTC) into the zone of the page.
    pub(crate) moment: fn(i64) -> InternalDate,
}

impl Eyes {
    /// A moment to come, as far away as it is.
    pub(crate) fn until(&self, unix_millis: i64) -> Until {
        Until {
            at: (self.moment)(unix_millis),
            now: (self.moment)(self.now_millis),
        }
    }
}

/// Text of a server or a message: nothing hidden in it, and not longer than a line or two.
pub(crate) fn short(text: &str) -> String {
    let text = clean(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// The day of a date in ISO 8601, which is enough to find a message by; any other text as it stands.
pub(crate) fn day(date: &str) -> String {
    let is_day =
        |day: &str| day.len() == 10 && day.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match date.split_once('T') {
        Some((day, _)) if is_day(day) => day.to_owned(),
        _ => short(date),
    }
}

/// A sender by name, or by address where no name is given.
pub(crate) fn sender(from: &str) -> String {
    let name = from.split('<').next().unwrap_or_default();
    let name = name.trim().trim_matches('"').trim();
    short(if name.is_empty() { from } else { name })
}

/// A folder as people know it.
pub(crate) fn folder(name: &str, lang: Lang) -> String {
    match name.eq_ignore_ascii_case("INBOX") {
        true => Role::Inbox.show(lang),
        false => short(name),
    }
}

/// Octets that a text takes in a page, once its signs are escaped.
pub(crate) fn octets(text: &str) -> usize {
    let signs = text
        .bytes()
        .filter(|b| matches!(b, b'<' | b'>' | b'&' | b'"' | b'\''));
    text.len() + 4 * signs.count()
}

/// As many of the rows as there is room for, in octets, and how many are left out. The first row is always there.
pub(crate) fn fitting<T>(
    rows: impl IntoIterator<Item = T>,
    room: usize,
    octets_of: impl Fn(&T) -> usize,
) -> (Vec<T>, u64) {
    let mut rows = rows.into_iter();
    let mut shown = Vec::new();
    let mut taken = 0;
    for row in rows.by_ref() {
        taken += octets_of(&row);
        if taken > room && !shown.is_empty() {
            return (shown, 1 + rows.count() as u64);
        }
        shown.push(row);
    }
    (shown, 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Japan, at a time that tests can be written for: 2026-11-22 13:00.
    pub(crate) const NOW: i64 = 1_795_320_000_000;

    pub(crate) fn eyes(lang: Lang) -> Eyes {
        Eyes {
            lang,
            now_millis: NOW,
            moment: |millis| InternalDate {
                seconds: millis / 1000,
                offset_minutes: 540,
            },
        }
    }

    #[test]
    fn the_time_of_these_tests_is_what_it_says() {
        assert_eq!(
            (eyes(Lang::Ja).moment)(NOW).to_string(),
            "2026-11-22T13:00:00+09:00"
        );
    }

    #[test]
    fn a_day_and_a_sender_are_what_a_message_is_found_by() {
        assert_eq!(day("2010-12-06T17:03:27+00:00"), "2010-12-06");
        assert_eq!(day("昨日の午後"), "昨日の午後");
        assert_eq!(day("2010-12 in The Hague"), "2010-12 in The Hague");
        assert_eq!(sender("\"Hana\" <hana@example.jp>"), "Hana");
        assert_eq!(sender("<hana@example.jp>"), "<hana@example.jp>");
        assert_eq!(sender("hana@example.jp"), "hana@example.jp");
    }

    #[test]
    fn names_are_cut_and_hide_nothing() {
        assert_eq!(short("請求書"), "請求書");
        assert_eq!(short("a\u{202e}b\r\nc"), "a\u{fffd}b\u{fffd}\u{fffd}c");
        let long = "あ".repeat(81);
        assert_eq!(short(&long), format!("{}…", "あ".repeat(80)));
        assert_eq!(short(&long[3..]), "あ".repeat(80));
        assert_eq!(folder("INBOX", Lang::Ja), "受信トレイ");
        assert_eq!(folder("inbox", Lang::En), "Inbox");
        assert_eq!(folder("INBOX/a", Lang::Ja), "INBOX/a");
    }

    #[test]
    fn tables_end_where_there_is_no_more_room() {
        let cut = |room| fitting(["aa", "bb", "cc"], room, |row| row.len());
        assert_eq!(cut(6), (vec!["aa", "bb", "cc"], 0));
        assert_eq!(cut(5), (vec!["aa", "bb"], 1));
        assert_eq!(cut(1), (vec!["aa"], 2));
        assert_eq!(fitting([], 9, |row: &&str| row.len()), (vec![], 0));
        assert_eq!(octets("<a&b>\"'受"), 2 + 3 + 5 * 5);
    }
}
