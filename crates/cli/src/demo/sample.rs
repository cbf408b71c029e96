//! The sample mailbox inside the binary: Maildir++ and `.eml` files read into
//! messages with flags, keywords and dates.

use hikyaku_core::{Flag, Flags, InternalDate, Keyword, MailboxName, Role};
use include_dir::{Dir, File, include_dir};
use std::collections::{BTreeMap, BTreeSet};

static SAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples/sample-mailbox");

/// One mailbox of the sample.
#[derive(Debug)]
pub(crate) struct SampleMailbox {
    /// Its name.
    pub(crate) name: MailboxName,
    /// Its special use.
    pub(crate) role: Option<Role>,
    /// Whether it is subscribed.
    pub(crate) subscribed: bool,
    /// Its messages in order of arrival.
    pub(crate) messages: Vec<SampleMessage>,
}

/// One message of the sample.
#[derive(Debug)]
pub(crate) struct SampleMessage {
    /// With CRLF at the end of every line, as servers keep it.
    pub(crate) octets: Vec<u8>,
    /// Flags and keywords.
    pub(crate) flags: Flags,
    /// Arrival.
    pub(crate) date: InternalDate,
}

/// What a file that names no date arrived at: 2024-04-01 09:00 in Japan.
const FIRST_DAY: i64 = 1_711_929_600;

/// Maildir has no special uses; these names have one wherever Japanese is spoken.
const ROLES: [(&str, Role); 4] = [
    ("送信済みトレイ", Role::Sent),
    ("下書き", Role::Drafts),
    ("迷惑メール", Role::Junk),
    ("ごみ箱", Role::Trash),
];

/// The whole sample, INBOX first, then by name.
pub(crate) fn mailboxes() -> Vec<SampleMailbox> {
    let mut found: BTreeMap<MailboxName, Vec<SampleMessage>> = BTreeMap::new();
    let mut subscribed = BTreeSet::new();
    if let Some(maildir) = SAMPLE.get_dir("Maildir") {
        let keywords = keywords(maildir);
        found.insert(MailboxName::inbox(), maildir_messages(maildir, &keywords));
        for directory in maildir.dirs() {
            let Some(name) = leaf(directory.path())
                .strip_prefix('.')
                .and_then(mailbox_name)
            else {
                continue;
            };
            found.insert(name, maildir_messages(directory, &keywords));
        }
        let list = maildir.get_file("Maildir/subscriptions").map(text);
        subscribed.extend(list.unwrap_or_default().lines().filter_map(mailbox_name));
        subscribed.insert(MailboxName::inbox());
    }
    if let Some(directory) = SAMPLE.get_dir("eml") {
        let inbox = found.entry(MailboxName::inbox()).or_default();
        inbox.extend(eml_messages(directory));
        inbox.sort_by_key(|message| message.date.seconds);
    }
    let mailboxes = found.into_iter().map(|(name, messages)| SampleMailbox {
        role: role(&name),
        subscribed: subscribed.contains(&name),
        name,
        messages,
    });
    mailboxes.collect()
}

fn role(name: &MailboxName) -> Option<Role> {
    let role = ROLES.iter().find(|(usual, _)| *usual == name.leaf());
    role.map(|(_, role)| *role)
}

fn maildir_messages(mailbox: &Dir<'_>, keywords: &BTreeMap<char, Keyword>) -> Vec<SampleMessage> {
    let mut messages: Vec<SampleMessage> = mailbox
        .dirs()
        .filter(|d| matches!(leaf(d.path()), "cur" | "new"))
        .flat_map(Dir::files)
        .map(|file| maildir_message(file, keywords))
        .collect();
    messages.sort_by_key(|message| message.date.seconds);
    messages
}

/// Flags are in the file's name, behind `:2,` or a divider that every system can store.
fn maildir_message(file: &File<'_>, keywords: &BTreeMap<char, Keyword>) -> SampleMessage {
    let name = leaf(file.path());
    let letters = [":2,", ";2,", "!2,"]
        .iter()
        .find_map(|divider| name.split_once(divider))
        .map_or("", |(_, letters)| letters);
    let mut flags = Flags::new();
    for letter in letters.chars() {
        match letter {
            'D' => flags.set(Flag::Draft),
            'F' => flags.set(Flag::Flagged),
            'P' => flags.set_keyword(Keyword::new("$Forwarded")),
            'R' => flags.set(Flag::Answered),
            'S' => flags.set(Flag::Seen),
            'T' => flags.set(Flag::Deleted),
            other => {
                if let Some(keyword) = keywords.get(&other) {
                    flags.set_keyword(keyword.clone());
                }
            }
        }
    }
    let seconds = name.split('.').next().and_then(|first| first.parse().ok());
    SampleMessage {
        octets: with_crlf(file.contents()),
        flags,
        date: in_japan(seconds.unwrap_or(FIRST_DAY)),
    }
}

/// Messages without flags, one an hour.
fn eml_messages(directory: &Dir<'_>) -> Vec<SampleMessage> {
    let mut files: Vec<&File<'_>> = directory.files().collect();
    files.sort_by_key(|file| file.path().to_owned());
    let messages = files
        .into_iter()
        .zip(0i64..)
        .map(|(file, n)| SampleMessage {
            octets: with_crlf(file.contents()),
            flags: Flags::new(),
            date: in_japan(FIRST_DAY + n * 3600),
        });
    messages.collect()
}

/// `0 $Forwarded` is the keyword of the letter `a`, `1` that of `b`.
fn keywords(maildir: &Dir<'_>) -> BTreeMap<char, Keyword> {
    let list = maildir.get_file("Maildir/dovecot-keywords").map(text);
    let line = |line: &str| {
        let (number, keyword) = line.split_once(' ')?;
        let letter = char::from(b'a'.checked_add(number.parse().ok()?)?);
        Some((letter, Keyword::new(keyword)))
    };
    list.unwrap_or_default().lines().filter_map(line).collect()
}

/// Levels are divided by dots and written in modified UTF-7.
fn mailbox_name(wire: &str) -> Option<MailboxName> {
    let levels = wire
        .split('.')
        .map(|level| hikyaku_memserver::decode_name(level.as_bytes()));
    MailboxName::new(levels.collect::<Option<_>>()?)
}

fn in_japan(seconds: i64) -> InternalDate {
    InternalDate {
        seconds,
        offset_minutes: 9 * 60,
    }
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 30);
    let mut last = 0;
    for &octet in octets {
        if octet == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        last = octet;
    }
    out
}

fn leaf(path: &std::path::Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn text<'f>(file: &'f File<'_>) -> &'f str {
    file.contents_utf8().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_read_whole() {
        let mailboxes = mailboxes();
        let counts: Vec<String> = mailboxes
            .iter()
            .map(|m| {
                let mark = if m.subscribed { "*" } else { "" };
                format!("{}{mark} {}", m.name, m.messages.len())
            })
            .collect();
        assert_eq!(
            counts,
            [
                "A&B 商会* 1",
                "INBOX* 60",
                "か\u{3099}き\u{3099}* 2",
                "がぎ 1",
                "ごみ箱 2",
                "下書き* 1",
                "取引先/株式会社サンプル 1",
                "取引先/株式会社サンプル/2024年度* 2",
                "受信箱* 2",
                "絵文字📧* 3",
                "迷惑メール* 3",
                "送信済みトレイ 3",
                "ﾊﾝｶｸｶﾅ 3",
                "𠮷野 2",
            ]
        );
    }

    #[test]
    fn flags_keywords_and_dates_come_along() {
        let mailboxes = mailboxes();
        let junk = mailboxes
            .iter()
            .find(|m| m.role == Some(Role::Junk))
            .expect("junk");
        let flags: Vec<String> = junk.messages.iter().map(|m| m.flags.to_string()).collect();
        assert_eq!(
            flags,
            ["\\Deleted", "\\Seen $Forwarded", "\\Seen $Forwarded"]
        );
        let first = junk.messages[0].date;
        assert_eq!(first.to_string(), "2024-04-02T04:41:40+09:00");
        let bare = |m: &SampleMessage| m.octets.windows(2).any(|w| w[1] == b'\n' && w[0] != b'\r');
        assert!(!mailboxes.iter().flat_map(|m| &m.messages).any(bare));
    }
}
