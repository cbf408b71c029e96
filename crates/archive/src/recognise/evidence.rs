//! What speaks for which kind.
//!
//! A kind that has files of its own (an index of Thunderbird, a bundle of Apple Mail)
//! takes the plain formats inside it for itself; two of them beside each other are told
//! as two.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;

use super::place::{HEAD, Place};
use crate::apple;
use crate::becky;
use crate::dbx;
use crate::dirs::{Dir, name_of, without_ending};
use crate::kind::Kind;
use crate::takeout;

/// How much of a kind there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) folders: u64,
    pub(super) messages: u64,
    pub(super) is_exact: bool,
    pub(super) octets: u64,
}

impl Amount {
    fn add(&mut self, folders: u64, messages: u64, is_exact: bool, octets: u64) {
        self.is_exact &= is_exact;
        self.folders += folders;
        self.messages += messages;
        self.octets += octets;
    }
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) kinds: BTreeMap<Kind, Amount>,
    pub(super) outlook: u64,
    pub(super) files: u64,
    pub(super) is_complete: bool,
    by_ending: HashMap<String, u64>,
}

impl Evidence {
    /// Up to three endings, the most frequent first.
    pub(super) fn endings(&self) -> Vec<String> {
        let mut all: Vec<(&String, &u64)> = self.by_ending.iter().collect();
        all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        all.into_iter()
            .take(3)
            .map(|(ending, _)| ending.clone())
            .collect()
    }

    fn amount(&mut self, kind: Kind) -> &mut Amount {
        self.kinds.entry(kind).or_insert(Amount {
            is_exact: true,
            ..Amount::default()
        })
    }
}

/// Looks through a tree.
pub(super) fn of(place: &mut dyn Place) -> Evidence {
    let mut out = Evidence {
        is_complete: place.is_complete(),
        ..Evidence::default()
    };
    let dirs = place.dirs().to_vec();
    let thunderbird = dirs.iter().any(is_thunderbird);
    let live = crate::wlm::looks_like_one(&dirs);
    let mh = dirs.iter().any(is_mh);
    let newest = dirs
        .first()
        .and_then(|top| apple::newest_version(&top.dirs));
    let newest = newest.map(|dir| name_of(dir));
    let is_maildir = |dir: &&Dir| dir.has_dir("cur") && dir.has_dir("new");
    let maildirs: HashSet<&[String]> = dirs
        .iter()
        .filter(is_maildir)
        .map(|dir| dir.levels.as_slice())
        .collect();
    let mut mailboxes = HashSet::new();
    for (d, dir) in dirs.iter().enumerate() {
        if maildirs.contains(dir.levels.as_slice()) {
            out.amount(Kind::Maildir).folders += 1;
        }
        let in_maildir = dir.levels.split_last().is_some_and(|(last, above)| {
            (last == "cur" || last == "new") && maildirs.contains(above)
        });
        let is_bundle = dir
            .levels
            .last()
            .or(own_name(dir).as_ref())
            .is_some_and(|l| apple::is_mailbox(l));
        let mut eml = 0;
        let mut numbered = 0;
        for (f, file) in dir.files.iter().enumerate() {
            out.files += 1;
            let name = name_of(file);
            let lower = name.to_lowercase();
            *out.by_ending.entry(ending(&lower)).or_default() += 1;
            let octets = place.octets(d, f);
            if in_maildir && !lower.starts_with('.') {
                out.amount(Kind::Maildir).add(0, 1, true, octets);
            } else if lower.ends_with(".emlx") {
                let Some(levels) = in_apple_store(dir, newest.as_deref()) else {
                    continue;
                };
                // A mailbox has many directories with messages.
                let mailbox = levels[..apple::mailbox_levels(levels)].to_vec();
                let is_new = mailboxes.insert(mailbox);
                out.amount(Kind::AppleMail)
                    .add(u64::from(is_new), 1, true, octets);
            } else if lower.ends_with(".eml") {
                eml += 1;
                let kind = if live {
                    Kind::WindowsLiveMail
                } else {
                    Kind::Eml
                };
                out.amount(kind).add(u64::from(eml == 1), 1, true, octets);
            } else if becky::is_bmf(file) {
                let head = place.head(d, f);
                let (messages, is_exact) = estimate(&head, octets, b"\n.\r\n");
                out.amount(Kind::Becky).add(1, messages, is_exact, octets);
            } else if is_outlook(&lower) && is_outlook_inside(&place.head(d, f)) {
                out.outlook += 1;
            } else if is_never_mail(&lower) {
            } else if dbx::is_ours(file) || could_be_mail(&lower) {
                let head = place.head(d, f);
                if let Some((is_mail, messages)) = dbx::told(&head) {
                    if is_mail {
                        out.amount(Kind::OutlookExpress)
                            .add(1, messages, true, octets);
                    }
                } else if let Some(front) = as_mbox(&head) {
                    let (messages, is_exact) = estimate(front, octets, b"\nFrom ");
                    let messages = messages + 1;
                    let kind = match front {
                        _ if thunderbird => Kind::Thunderbird,
                        _ if is_bundle && lower == "mbox" => Kind::AppleMail,
                        _ if takeout::has_labels(front) => Kind::Takeout,
                        _ => Kind::Mbox,
                    };
                    out.amount(kind).add(1, messages, is_exact, octets);
                } else if head.is_empty() && (is_bundle && lower == "mbox" || is_mbox_name(&lower))
                {
                    let kind = if is_bundle {
                        Kind::AppleMail
                    } else {
                        Kind::Mbox
                    };
                    out.amount(kind).folders += 1;
                } else if begins_like_a_message(&head) {
                    if is_number(file) {
                        numbered += 1;
                        out.amount(Kind::Mh)
                            .add(u64::from(numbered == 1), 1, true, octets);
                    } else if dirs.len() == 1 && dir.files.len() == 1 {
                        out.amount(Kind::Eml).add(1, 1, true, octets);
                    }
                }
            }
        }
    }
    if thunderbird {
        // Its stores are mbox files or Maildirs; both are its own.
        for plain in [Kind::Mbox, Kind::Maildir] {
            if let Some(amount) = out.kinds.remove(&plain) {
                let Amount {
                    folders,
                    messages,
                    is_exact,
                    octets,
                } = amount;
                out.amount(Kind::Thunderbird)
                    .add(folders, messages, is_exact, octets);
            }
        }
        out.amount(Kind::Thunderbird);
    }
    // Numbered files in a tree without any mark of MH are mail only where nothing else is.
    if !mh && out.kinds.len() > 1 {
        out.kinds.remove(&Kind::Mh);
    }
    // A Takeout of several labels has files without labels only when they are empty.
    for (special, plain) in [
        (Kind::Takeout, Kind::Mbox),
        (Kind::AppleMail, Kind::Mbox),
        (Kind::WindowsLiveMail, Kind::Eml),
    ] {
        if out.kinds.contains_key(&special)
            && out
                .kinds
                .get(&plain)
                .is_some_and(|a| a.messages == 0 || special != Kind::Takeout)
        {
            out.kinds.remove(&plain);
        }
    }
    out
}

/// The levels of a directory inside the store of Apple Mail, where it is one that is read.
fn in_apple_store<'a>(dir: &'a Dir, newest: Option<&str>) -> Option<&'a [String]> {
    let levels = match newest {
        Some(newest) => {
            dir.levels
                .split_first()
                .filter(|(top, _)| *top == newest)?
                .1
        }
        None => dir.levels.as_slice(),
    };
    (!apple::is_apart(levels)).then_some(levels)
}

fn own_name(dir: &Dir) -> Option<String> {
    let name = dir.path.file_name().filter(|_| dir.levels.is_empty())?;
    Some(name_of(name))
}

/// Thunderbird keeps an index beside every folder.
fn is_thunderbird(dir: &Dir) -> bool {
    let has_index = dir
        .files
        .iter()
        .any(|f| without_ending(&name_of(f), ".msf").is_some());
    has_index || dir.has_file("prefs.js") && (dir.has_dir("Mail") || dir.has_dir("ImapMail"))
}

/// Files that programs with MH folders leave in them.
fn is_mh(dir: &Dir) -> bool {
    [
        ".mh_sequences",
        ".sylpheed_mark",
        ".sylpheed_cache",
        ".claws_mark",
        ".claws_cache",
        ".xmhcache",
        ".mew-summary",
    ]
    .iter()
    .any(|name| dir.has_file(name))
}

fn ending(lower: &str) -> String {
    match lower.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && end.len() <= 12 => format!(".{end}"),
        _ => lower.chars().take(24).collect(),
    }
}

fn is_outlook(lower: &str) -> bool {
    [".pst", ".ost", ".msg", ".olm"]
        .iter()
        .any(|end| lower.ends_with(end))
}

/// Personal folders, a compound file, or the zip of an `.olm`; the parts of a mail that
/// somebody named `.msg` are none of these.
fn is_outlook_inside(head: &[u8]) -> bool {
    head.starts_with(b"!BDN")
        || head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0])
        || head.starts_with(b"PK")
}

/// Files that are not opened to find mail in them.
fn is_never_mail(lower: &str) -> bool {
    const ENDINGS: [&str; 24] = [
        ".msf", ".html", ".htm", ".json", ".js", ".css", ".sqlite", ".db", ".idx", ".index",
        ".log", ".lock", ".plist", ".xml", ".jpg", ".png", ".gif", ".pdf", ".zip", ".gz", ".exe",
        ".dll", ".ini", ".fol",
    ];
    ENDINGS.iter().any(|end| lower.ends_with(end)) || lower.starts_with("dovecot")
}

/// Names that mbox files and single messages have: no ending, or one that is theirs.
fn could_be_mail(lower: &str) -> bool {
    let known = [
        ".mbox", ".mbx", ".mail", ".msg", ".txt", ".dbx", ".bak", ".old",
    ];
    let has_ending = lower.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty()
            && (2..=4).contains(&end.len())
            && end.bytes().all(|b| b.is_ascii_lowercase())
    });
    !has_ending || known.iter().any(|end| lower.ends_with(end))
}

fn is_mbox_name(lower: &str) -> bool {
    lower.ends_with(".mbox")
}

fn is_number(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.is_empty() && name.iter().all(u8::is_ascii_digit)
}

/// The octets from the first line of an mbox on.
fn as_mbox(head: &[u8]) -> Option<&[u8]> {
    let front = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    front.starts_with(b"From ").then_some(front)
}

/// Two header fields at the beginning: one line with a colon has many a text.
fn begins_like_a_message(head: &[u8]) -> bool {
    let fields = hikyaku_core::identity::header_fields(head).take(8);
    let known = [
        "from",
        "to",
        "date",
        "subject",
        "received",
        "return-path",
        "message-id",
        "mime-version",
        "delivered-to",
    ];
    let is_known = |name: &[u8]| {
        known
            .iter()
            .any(|k| name.eq_ignore_ascii_case(k.as_bytes()))
    };
    fields.filter(|(name, _)| is_known(name)).count() >= 2
}

/// How often the mark occurs in the file: counted in its first octets, and in proportion.
fn estimate(head: &[u8], octets: u64, mark: &[u8]) -> (u64, bool) {
    let counted = memchr::memmem::find_iter(head, mark).count() as u64;
    if octets <= HEAD as u64 {
        return (counted, true);
    }
    let seen = (head.len() as u64).max(1);
    let estimated = u128::from(counted) * u128::from(octets) / u128::from(seen);
    (u64::try_from(estimated).unwrap_or(u64::MAX), false)
}
