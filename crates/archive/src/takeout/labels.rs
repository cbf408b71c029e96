//! `X-Gmail-Labels`: which labels a message of Google Takeout has, in the language of its
//! owner.
//!
//! Google describes the field as "CSV format"; it is an unstructured header field, so what
//! is not ASCII comes as encoded words (RFC 2047). System labels are recognised by the
//! words of Gmail's own pages in the languages below; in another language they are taken
//! for labels of the owner, which loses nothing.

use hikyaku_core::{Flag, Flags};

/// Longest field that is read, in octets: Gmail allows 10,000 labels of 225 characters,
/// nobody has 256 KiB of them on one message.
const MAX_FIELD: usize = 256 * 1024;
/// Longest encoded word that is read, in octets; they should have 75. Without an end to the
/// search, many beginnings without an end would take a long time.
const MAX_WORD: usize = 32 * 1024;
/// Labels of one message, at most.
const MAX_LABELS: usize = 500;

/// What a label means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Label {
    /// The inbox.
    Inbox,
    /// Sent mail.
    Sent,
    /// A draft.
    Drafts,
    /// Spam.
    Junk,
    /// The bin.
    Trash,
    /// A label of the owner, with the levels that `/` makes.
    Own(Vec<String>),
}

/// The labels of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    /// Where it is shown, in Gmail's order; empty for archived mail.
    pub(crate) places: Vec<Label>,
    /// Read, starred, draft.
    pub(crate) flags: Flags,
    /// How the labels of system mailboxes are written, for their names.
    pub(crate) words: Vec<(Label, String)>,
}

/// Reads the value of the field.
pub(crate) fn read(value: &[u8]) -> Labels {
    let text = decode(&value[..value.len().min(MAX_FIELD)]);
    let mut out = Labels::default();
    let mut is_unread = false;
    for label in split(&text).into_iter().take(MAX_LABELS) {
        let meaning = meaning(&label);
        let place = match meaning {
            Meaning::Inbox => Label::Inbox,
            Meaning::Sent => Label::Sent,
            Meaning::Drafts => Label::Drafts,
            Meaning::Junk => Label::Junk,
            Meaning::Trash => Label::Trash,
            Meaning::Starred => {
                out.flags.set(Flag::Flagged);
                continue;
            }
            Meaning::Unread => {
                is_unread = true;
                continue;
            }
            // Gmail's own affair: opened, archived, important, categories.
            Meaning::Nothing => continue,
            Meaning::Own => {
                let levels: Vec<String> = label
                    .split('/')
                    .map(str::trim)
                    .filter(|level| !level.is_empty())
                    .map(str::to_owned)
                    .collect();
                match levels.is_empty() {
                    true => continue,
                    false => Label::Own(levels),
                }
            }
        };
        if place == Label::Drafts {
            out.flags.set(Flag::Draft);
        }
        if !out.places.contains(&place) {
            if !matches!(place, Label::Own(_)) {
                out.words.push((place.clone(), label));
            }
            out.places.push(place);
        }
    }
    if !is_unread {
        out.flags.set(Flag::Seen);
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Inbox,
    Sent,
    Drafts,
    Junk,
    Trash,
    Starred,
    Unread,
    Nothing,
    Own,
}

/// English, Japanese, German, French, Spanish, Italian, Portuguese, Dutch, Chinese, Korean.
const WORDS: &[(Meaning, &[&str])] = &[
    (
        Meaning::Inbox,
        &[
            "Inbox",
            "受信トレイ",
            "Posteingang",
            "Boîte de réception",
            "Recibidos",
            "Bandeja de entrada",
            "Posta in arrivo",
            "Caixa de entrada",
            "Postvak IN",
            "Inbox",
            "收件箱",
            "收件匣",
            "받은편지함",
        ],
    ),
    (
        Meaning::Sent,
        &[
            "Sent",
            "Sent Mail",
            "送信済み",
            "送信済みメール",
            "Gesendet",
            "Messages envoyés",
            "Envoyés",
            "Enviados",
            "Inviati",
            "Posta inviata",
            "Enviado",
            "E-mails enviados",
            "Verzonden",
            "Verzonden berichten",
            "已发送",
            "已发邮件",
            "已傳送",
            "寄件備份",
            "보낸편지함",
        ],
    ),
    (
        Meaning::Drafts,
        &[
            "Drafts",
            "Draft",
            "下書き",
            "Entwürfe",
            "Brouillons",
            "Borradores",
            "Bozze",
            "Rascunhos",
            "Concepten",
            "草稿",
            "임시보관함",
        ],
    ),
    (
        Meaning::Junk,
        &[
            "Spam",
            "迷惑メール",
            "Spam-E-Mails",
            "Correo no deseado",
            "垃圾邮件",
            "垃圾郵件",
            "스팸함",
        ],
    ),
    (
        Meaning::Trash,
        &[
            "Trash",
            "Bin",
            "ゴミ箱",
            "Papierkorb",
            "Corbeille",
            "Papelera",
            "Cestino",
            "Lixeira",
            "Prullenbak",
            "已删除邮件",
            "垃圾桶",
            "휴지통",
        ],
    ),
    (
        Meaning::Starred,
        &[
            "Starred",
            "スター付き",
            "Markiert",
            "Messages suivis",
            "Suivis",
            "Destacados",
            "Speciali",
            "Com estrela",
            "Met ster",
            "已加星标",
            "已加星號",
            "별표편지함",
        ],
    ),
    (
        Meaning::Unread,
        &[
            "Unread",
            "未読",
            "Ungelesen",
            "Non lus",
            "No leído",
            "No leídos",
            "Da leggere",
            "Non letti",
            "Não lida",
            "Não lidas",
            "Ongelezen",
            "未读",
            "未讀",
            "읽지 않음",
        ],
    ),
    (
        Meaning::Nothing,
        &[
            // Opened.
            "Opened",
            "開封済み",
            "Geöffnet",
            "Ouvert",
            "Ouverts",
            "Abierto",
            "Aperto",
            "Aberto",
            "Geopend",
            "已打开",
            "已開啟",
            "열어봄",
            // Archived.
            "Archived",
            "アーカイブ済み",
            "Archiviert",
            "Archivés",
            "Archivé",
            "Archivado",
            "Archiviato",
            "Arquivada",
            "Gearchiveerd",
            "已归档",
            "已封存",
            "보관됨",
            // Important, muted, snoozed.
            "Important",
            "重要",
            "Wichtig",
            "Importants",
            "Importante",
            "Importanti",
            "Belangrijk",
            "重要邮件",
            "중요",
            "Muted",
            "ミュート",
            "Snoozed",
            "スヌーズ中",
            "Scheduled",
            "予定",
        ],
    ),
];

/// How the labels of Gmail's tabs begin.
const CATEGORIES: &[&str] = &[
    "カテゴリ:",
    "カテゴリ「",
    "Categoria:",
    "Categoría:",
    "Catégorie:",
    "Catégorie :",
    "Kategorie:",
    "Categorie:",
    "Category:",
];

/// The tabs in English, whose labels have no colon.
const TABS: &[&str] = &[
    "Personal",
    "Social",
    "Promotions",
    "Updates",
    "Forums",
    "Purchases",
    "Travel",
    "Reservations",
];

fn meaning(label: &str) -> Meaning {
    for (meaning, words) in WORDS {
        if words.contains(&label) {
            return *meaning;
        }
    }
    let is_tab = label
        .strip_prefix("Category ")
        .is_some_and(|tab| TABS.contains(&tab));
    if is_tab || CATEGORIES.iter().any(|prefix| label.starts_with(prefix)) {
        return Meaning::Nothing;
    }
    Meaning::Own
}

/// The fields of one line of CSV (RFC 4180): a field with a comma stands in quotes, a
/// quote in there is doubled.
fn split(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(now) = out.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                now.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if now.trim().is_empty() => {
                now.clear();
                is_quoted = true;
            }
            ',' if !is_quoted => out.push(String::new()),
            other => now.push(other),
        }
    }
    let trimmed = out.into_iter().map(|label| label.trim().to_owned());
    trimmed.filter(|label| !label.is_empty()).collect()
}

/// An unstructured header field as text. Encoded words next to each other are put
/// together as octets first: some writers cut inside of a character.
fn decode(value: &[u8]) -> String {
    let mut out = String::new();
    // Octets of one charset that are not decoded yet.
    let mut pending: Option<(&'static encoding_rs::Encoding, Vec<u8>)> = None;
    let mut blank = Vec::new();
    let mut rest = value;
    let flush = |pending: &mut Option<(&'static encoding_rs::Encoding, Vec<u8>)>,
                 out: &mut String| {
        if let Some((charset, octets)) = pending.take() {
            out.push_str(&charset.decode_without_bom_handling(&octets).0);
        }
    };
    while !rest.is_empty() {
        let blanks = rest.iter().take_while(|o| o.is_ascii_whitespace()).count();
        if blanks > 0 {
            blank = rest[..blanks].to_vec();
            rest = &rest[blanks..];
            continue;
        }
        if let Some((charset, octets, length)) = encoded_word(rest) {
            match &mut pending {
                // Blanks between encoded words are not there (RFC 2047 §6.2).
                Some((same, before)) if *same == charset => before.extend(octets),
                _ => {
                    let follows_text = pending.is_none();
                    flush(&mut pending, &mut out);
                    if follows_text && !blank.is_empty() && !out.is_empty() {
                        out.push(' ');
                    }
                    pending = Some((charset, octets));
                }
            }
            rest = &rest[length..];
        } else {
            flush(&mut pending, &mut out);
            if !blank.is_empty() && !out.is_empty() {
                out.push(' ');
            }
            let end = rest
                .iter()
                .position(u8::is_ascii_whitespace)
                .unwrap_or(rest.len());
            out.push_str(&String::from_utf8_lossy(&rest[..end]));
            rest = &rest[end..];
        }
        blank.clear();
    }
    flush(&mut pending, &mut out);
    out
}

/// `=?charset?Q?text?=` at the beginning: charset, octets, and how long it is.
fn encoded_word(text: &[u8]) -> Option<(&'static encoding_rs::Encoding, Vec<u8>, usize)> {
    let text = &text[..text.len().min(MAX_WORD)];
    let inner = text.strip_prefix(b"=?")?;
    let charset_end = memchr::memchr(b'?', inner)?;
    let kind = *inner.get(charset_end + 1)?;
    let body = inner.get(charset_end + 2..)?.strip_prefix(b"?")?;
    let end = memchr::memmem::find(body, b"?=")?;
    let content = &body[..end];
    if content.iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    // A language may follow the charset (RFC 2231 §5).
    let label = inner[..charset_end].split(|o| *o == b'*').next()?;
    let charset = encoding_rs::Encoding::for_label(label)?;
    let octets = match kind {
        b'Q' | b'q' => quoted(content),
        b'B' | b'b' => base64(content)?,
        _ => return None,
    };
    Some((charset, octets, text.len() - body.len() + end + 2))
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let hex = |o: u8| (o as char).to_digit(16).map(|d| d as u8);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&octet) = text.get(at) {
        let pair = (octet == b'=')
            .then(|| Some((hex(*text.get(at + 1)?)?, hex(*text.get(at + 2)?)?)))
            .flatten();
        match (octet, pair) {
            (_, Some((high, low))) => {
                out.push(high << 4 | low);
                at += 3;
                continue;
            }
            (b'_', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
        at += 1;
    }
    out
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for octet in text.iter().filter(|o| **o != b'=') {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
#[path = "labels/tests.rs"]
mod tests;
