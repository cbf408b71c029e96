//! One message of a report by name: as a row of the list, and as the name of a file.

use super::ROW;
use crate::web::shown;
use hikyaku_core::Code;
use hikyaku_core::report::{Exception, Outcome};
use hikyaku_text::page::result as words;
use hikyaku_text::{Count, Lang, Show, Size, page, report};
use hikyaku_view::{ExceptionView, Heading};

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its place in the report: names it in the form.
    pub(crate) place: usize,
    /// Source folder.
    pub(crate) folder: String,
    /// The day, as the message says.
    pub(crate) date: String,
    /// What the message calls itself, or what stands in for that.
    pub(crate) subject: String,
    /// Sender, by name where there is one.
    pub(crate) from: String,
    /// Size.
    pub(crate) size: String,
    /// What happened.
    pub(crate) cause: &'static str,
    /// Whether it can be saved as a file.
    pub(crate) saves: bool,
    /// The button's words for those who do not see the row.
    pub(crate) save_words: String,
}

impl Named {
    /// The row of an exception.
    pub(crate) fn of(place: usize, exception: &Exception, lang: Lang) -> Self {
        let heading = exception
            .head
            .as_deref()
            .map(Heading::of)
            .unwrap_or_default();
        let lacks_room = exception.fault.code == Code::QuotaReserve;
        let subject = match (heading.subject, exception.key) {
            (Some(subject), _) => shown::short(&subject),
            (None, Some(_)) if exception.head.is_some() => report::no_subject(lang),
            (None, Some(key)) => words::unnamed(Count(key.0), lang),
            (None, None) if lacks_room => report::without_room(lang),
            (None, None) => report::whole_mailbox(lang),
        };
        let saves = can_be_saved(exception.key.is_some(), exception.outcome);
        Self {
            place,
            folder: shown::folder(&exception.mailbox.to_string(), lang),
            date: heading
                .date
                .map(|date| shown::day(&date))
                .unwrap_or_default(),
            from: heading
                .from
                .map(|from| shown::sender(&from))
                .unwrap_or_default(),
            size: exception
                .octets
                .map(|octets| Size(octets).show(lang))
                .unwrap_or_default(),
            cause: page::explain(exception.fault.code, lang).title,
            saves,
            save_words: match saves {
                true => words::save_which(&subject, lang),
                false => String::new(),
            },
            subject,
        }
    }

    /// Octets of the row in a page.
    pub(super) fn octets(&self) -> usize {
        let texts = [
            &self.folder,
            &self.date,
            &self.subject,
            &self.from,
            &self.size,
            &self.save_words,
        ];
        2 * ROW + self.cause.len() + texts.iter().map(|text| shown::octets(text)).sum::<usize>()
    }
}

/// A message that is still at the source and not at the destination.
fn can_be_saved(is_message: bool, outcome: Option<Outcome>) -> bool {
    let is_missing = matches!(
        outcome,
        Some(Outcome::FailedPermanent | Outcome::FailedTemporary | Outcome::Skipped)
    );
    is_message && is_missing
}

/// What a message is called, where anything is known of it.
pub(crate) fn subject_of(exception: &ExceptionView) -> Option<&str> {
    exception.heading.as_ref()?.subject.as_deref()
}

/// Characters that no file system minds, at most this many of them.
const LONGEST_FILE: usize = 60;

/// The name of a file for a message: only letters, digits and a few signs of its subject, so that nothing in it can be a
/// path, a device, a second extension or hidden.
pub(crate) fn file_name(subject: Option<&str>, key: u64, lang: Lang) -> String {
    let mut stem = String::new();
    for c in subject.unwrap_or_default().chars().take(LONGEST_FILE) {
        match c {
            _ if c.is_alphanumeric() => stem.push(c),
            '-' | '_' if !stem.is_empty() => stem.push(c),
            _ if stem.is_empty() || stem.ends_with('_') => {}
            _ => stem.push('_'),
        }
    }
    let stem = stem.trim_end_matches(['_', '-']);
    match stem.is_empty() {
        true => format!("{}-{key}.eml", words::file_of_message(lang)),
        false => format!("{stem}-{key}.eml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_named_after_its_subject() {
        for (subject, name) in [
            (Some("請求書 11月分"), "請求書_11月分-7.eml"),
            (Some("Re: [a/b] ..\\c"), "Re_a_b_c-7.eml"),
            (Some("../../etc/passwd"), "etc_passwd-7.eml"),
            (Some("x.exe\u{202e}lme"), "x_exe_lme-7.eml"),
            (Some("CON"), "CON-7.eml"),
            (Some("a\"; filename=\"b\r\nX: y"), "a_filename_b_X_y-7.eml"),
            (Some("..."), "メール-7.eml"),
            (None, "メール-7.eml"),
        ] {
            assert_eq!(file_name(subject, 7, Lang::Ja), name);
        }
        assert_eq!(file_name(None, 7, Lang::En), "message-7.eml");
    }

    proptest! {
        #[test]
        fn no_subject_makes_a_path(subject in any::<String>(), key in any::<u64>()) {
            let name = file_name(Some(&subject), key, Lang::En);
            let stem = name.strip_suffix(".eml").expect("an extension");
            prop_assert!(stem.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'), "{name}");
            prop_assert!(!stem.starts_with(['-', '_']), "{name}");
            prop_assert!(name.chars().count() <= LONGEST_FILE + 25);
        }
    }
}
