//! The hard account: every name, message, flag and date that has ever broken a copy.

use super::{Body, GeneratedAccount, GeneratedMailbox, GeneratedMessage};

/// What of the hard account is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HardOptions {
    /// With a message of 110 MB, which takes a second or two on every side.
    pub huge_message: bool,
    /// With octets that are hard on protocols but not on files: off for servers reached over POP3 only.
    pub odd_names: bool,
}

impl Default for HardOptions {
    fn default() -> Self {
        Self {
            huge_message: true,
            odd_names: true,
        }
    }
}

/// The account in which everything is odd. No server takes all of it: what it does take is the truth to copy.
pub fn hard_account(options: HardOptions) -> GeneratedAccount {
    let mut mailboxes = vec![
        mailbox(&["INBOX"], ordinary_messages()),
        mailbox(&["Octets"], odd_messages(options.huge_message)),
        mailbox(&["Flags"], flagged_messages()),
        mailbox(&["Dates"], dated_messages()),
        mailbox(
            &["受信トレイ", "請求書", "2019年度"],
            vec![plain("deep and Japanese")],
        ),
        mailbox(&["受信トレイ"], vec![plain("the parent of others")]),
        mailbox(
            &["送信済みアイテム"],
            vec![plain("a special use by its name only")],
        ),
        mailbox(&["Empty"], Vec::new()),
    ];
    if options.odd_names {
        mailboxes.extend(odd_names());
    }
    let unsubscribed = GeneratedMailbox {
        subscribed: false,
        ..mailbox(&["Not subscribed"], vec![plain("hidden")])
    };
    mailboxes.push(unsubscribed);
    GeneratedAccount { mailboxes }
}

fn odd_names() -> Vec<GeneratedMailbox> {
    let deep: Vec<String> = (1..=30).map(|level| format!("d{level}")).collect();
    let long = "長".repeat(25) + &"x".repeat(100);
    let mut all = vec![mailbox(
        &deep.iter().map(String::as_str).collect::<Vec<_>>(),
        vec![plain("thirty levels")],
    )];
    let names: [(&[&str], &str); 25] = [
        (&["📮 郵便"], "an emoji, beyond the 16-bit characters"),
        (
            &["Parent without messages", "Child"],
            "its parent is never made",
        ),
        (&["INBOX", "Below"], "below INBOX"),
        (&["Plain"], "differs from the next in case only"),
        (&["plain"], "differs from the one before in case only"),
        // The same word composed and decomposed, as macOS writes it.
        (&["バックアップ"], "NFC"),
        (&["ハ\u{3099}ックアッフ\u{309a}"], "NFD"),
        (&["Caf\u{e9}"], "NFC"),
        (&["Cafe\u{301}"], "NFD"),
        (&["with \"quotes\""], "quotes"),
        (&["back\\slash"], "a backslash"),
        (&["100 %"], "a wildcard of LIST"),
        (&["star *"], "a wildcard of LIST"),
        (&["R&D"], "the shift character of modified UTF-7"),
        (&["trailing space "], "a space at the end"),
        (&[" leading space"], "a space at the start"),
        (&["dot.inside"], "a separator elsewhere"),
        (&["slash/inside"], "a separator elsewhere"),
        (&["~tilde"], "a home directory to some"),
        (&["(brackets) {5}"], "looks like a literal"),
        (&["NIL"], "looks like nothing"),
        (&["#hash"], "looks like another namespace"),
        (&["改行なし、全角　スペース"], "an ideographic space"),
        (
            &["[Gmail]", "すべてのメール"],
            "what a copy from Gmail leaves behind",
        ),
        (&[&long], "long in octets and in characters"),
    ];
    all.extend(
        names
            .iter()
            .map(|(levels, note)| mailbox(levels, vec![plain(note)])),
    );
    all
}

fn mailbox(levels: &[&str], messages: Vec<GeneratedMessage>) -> GeneratedMailbox {
    GeneratedMailbox {
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
        subscribed: true,
        messages,
    }
}

const USUAL_DATE: &str = "14-Jul-2021 10:20:30 +0900";

fn message(note: &str, octets: impl Into<Vec<u8>>) -> GeneratedMessage {
    GeneratedMessage {
        note: note.to_owned(),
        flags: vec!["\\Seen".to_owned()],
        internal_date: Some(USUAL_DATE.to_owned()),
        body: Body::Octets(octets.into()),
    }
}

/// A small good message whose octets depend on the note.
fn plain(note: &str) -> GeneratedMessage {
    let id = crate::certificates::hexadecimal(&note.bytes().rev().take(24).collect::<Vec<_>>());
    let text = format!(
        "From: sender@example.com\r\nTo: reader@example.jp\r\nSubject: plain\r\nDate: Wed, 14 Jul 2021 10:20:30 +0900\r\n\
         Message-ID: <{id}@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{note}\r\n"
    );
    message(note, text)
}

fn ordinary_messages() -> Vec<GeneratedMessage> {
    let mut all: Vec<_> = (0..12_u64)
        .map(|index| GeneratedMessage {
            note: format!("ordinary {index}"),
            flags: if index % 3 == 0 {
                Vec::new()
            } else {
                vec!["\\Seen".to_owned()]
            },
            internal_date: Some(format!("{:02}-Feb-2022 08:00:00 +0900", index + 1)),
            body: Body::Computed {
                seed: 7_000 + index,
                octets: 1_000 + index * index * 900,
            },
        })
        .collect();
    all.push(plain("a twin"));
    all.push(plain("a twin"));
    all.push(GeneratedMessage {
        flags: vec!["\\Flagged".to_owned()],
        ..plain("a twin")
    });
    all.push(GeneratedMessage {
        internal_date: Some("15-Jul-2021 10:20:30 +0900".to_owned()),
        ..plain("a twin")
    });
    all
}

/// Messages that are odd in their octets.
fn odd_messages(huge: bool) -> Vec<GeneratedMessage> {
    let header = "From: sender@example.com\r\nSubject: odd\r\nMessage-ID: <odd@example.com>\r\n";
    let with_body = |body: &str| format!("{header}\r\n{body}");
    let mut all = vec![
        message(
            "the same Message-ID as the next, another text",
            with_body("one\r\n"),
        ),
        message(
            "the same Message-ID as the one before, another text",
            with_body("two\r\n"),
        ),
        message(
            "no Message-ID",
            "From: sender@example.com\r\nSubject: no id\r\n\r\nbody\r\n",
        ),
        message(
            "no Message-ID, a twin but for one octet",
            "From: sender@example.com\r\nSubject: no id\r\n\r\nbodY\r\n",
        ),
        message(
            "Shift_JIS in the header",
            &b"From: sender@example.com\r\nSubject: \x93\xfa\x96\x7b\x8c\xea\r\n\r\nbody\r\n"[..],
        ),
        message(
            "UTF-8 in the header",
            "From: 送信者 <sender@example.com>\r\nSubject: 日本語\r\n\r\n本文\r\n",
        ),
        message(
            "EUC-JP in the body",
            [with_body("").as_bytes(), b"\xc6\xfc\xcb\xdc\xb8\xec\r\n"].concat(),
        ),
        message(
            "ISO-2022-JP in the body",
            [with_body("").as_bytes(), b"\x1b$BF|K\\8l\x1b(B\r\n"].concat(),
        ),
        message("all octets but NUL, CR and LF", all_octets(&with_body(""))),
        message("NUL in the body", with_body("a\0b\r\n")),
        message("bare LF", with_body("one\ntwo\nthree\r\n")),
        message(
            "bare LF everywhere",
            "From: sender@example.com\nSubject: unix\n\nbody\n",
        ),
        message("bare CR", with_body("one\rtwo\r\r\nthree\r\r\r\nfour\r\n")),
        message("no line end at the end", with_body("the last line")),
        message("a CR at the end", with_body("the last line\r")),
        message("empty", ""),
        message("one octet", "x"),
        message("only a line end", "\r\n"),
        message("a header without a body", header),
        message("a header and a blank line", with_body("")),
        message(
            "no header, only text",
            "this is not a header\r\nnor this\r\n",
        ),
        message(
            "a `From ` line at the top",
            format!(
                "From sender@example.com Wed Jul 14 10:20:30 2021\r\n{}",
                with_body("x\r\n")
            ),
        ),
        message(
            "`From ` lines in the body",
            with_body("From here on\r\n>From there\r\n\r\nFrom \r\n"),
        ),
        message("lines of dots", with_body(".\r\n..\r\n...\r\n.\r\n")),
        message(
            "what looks like IMAP",
            with_body("a1 OK done\r\n* 1 EXISTS\r\n)\r\n{100}\r\n{3+}\r\n+ go on\r\na2 LOGOUT\r\n"),
        ),
        message(
            "one line of 100,000 octets",
            with_body(&("x".repeat(100_000) + "\r\n")),
        ),
        message(
            "a header line of 20,000 octets",
            format!("{header}X-Long: {}\r\n\r\nbody\r\n", "y".repeat(20_000)),
        ),
        message(
            "folded and empty header lines",
            format!("{header}X-Empty:\r\nX-Folded: a\r\n\tb\r\n  c\r\n\r\nbody\r\n"),
        ),
        message("blank lines only in the body", with_body("\r\n\r\n\r\n")),
        message(
            "exactly 4096 octets",
            with_body(&"z".repeat(4_096 - header.len() - 2)),
        ),
        message(
            "exactly 4097 octets",
            with_body(&"z".repeat(4_097 - header.len() - 2)),
        ),
    ];
    if huge {
        all.push(GeneratedMessage {
            body: Body::Computed {
                seed: 110,
                octets: 110_000_000,
            },
            ..message("110 MB", "")
        });
    }
    // After the huge one, so that what follows it is seen to arrive.
    all.push(plain("the last one"));
    all
}

fn all_octets(start: &str) -> Vec<u8> {
    let mut octets = start.as_bytes().to_vec();
    octets.extend((1..=255_u8).filter(|octet| !matches!(octet, b'\r' | b'\n')));
    octets.extend_from_slice(b"\r\n");
    octets
}

fn flagged_messages() -> Vec<GeneratedMessage> {
    const SYSTEM: [&str; 5] = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"];
    let with = |note: &str, flags: &[&str]| GeneratedMessage {
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        ..plain(note)
    };
    let mut all = vec![with("no flags", &[]), with("all system flags", &SYSTEM)];
    all.extend(
        SYSTEM
            .iter()
            .map(|flag| with(&format!("only {flag}"), &[flag])),
    );
    all.push(with(
        "the registered keywords",
        &[
            "$Forwarded",
            "$MDNSent",
            "$Junk",
            "$NotJunk",
            "$Phishing",
            "$Important",
        ],
    ));
    all.push(with(
        "keywords of mail programs",
        &[
            "NonJunk",
            "Junk",
            "$label1",
            "$Label2",
            "$label5",
            "Old",
            "Redirected",
        ],
    ));
    const ODD: [&str; 11] = [
        "a.b", "c/d", "e:f", "g'h", "i,j", "k&l", "=", "-", "0", "~", "<x>",
    ];
    all.extend(
        ODD.iter()
            .map(|keyword| with(&format!("the keyword {keyword}"), &[keyword])),
    );
    let many: Vec<String> = (0..40).map(|index| format!("keyword-{index:02}")).collect();
    all.push(with(
        "forty keywords",
        &many.iter().map(String::as_str).collect::<Vec<_>>(),
    ));
    all.extend(
        many.iter()
            .map(|keyword| with(&format!("only {keyword}"), &[keyword, "\\Seen"])),
    );
    all
}

fn dated_messages() -> Vec<GeneratedMessage> {
    const DATES: [&str; 17] = [
        " 1-Jan-1970 00:00:00 +0000",
        " 1-Jan-1970 00:00:01 +0000",
        " 2-Jan-1970 12:00:00 +0000",
        "31-Dec-1969 23:59:59 +0000",
        " 9-Mar-2003 07:00:00 +0900",
        "09-Mar-2003 07:00:00 +0900",
        "29-Feb-2000 23:59:59 +0000",
        " 1-Jan-2021 00:00:00 +1400",
        " 1-Jan-2021 00:00:00 -1200",
        " 1-Jan-2021 00:00:00 +0545",
        " 1-Jan-2021 00:00:00 -0330",
        "28-Mar-2021 02:30:00 +0100",
        "19-Jan-2038 03:14:07 +0000",
        "19-Jan-2038 03:14:08 +0000",
        "31-Dec-2049 23:59:00 -1200",
        " 7-Feb-2106 06:28:15 +0000",
        " 1-Jan-1985 00:00:00 +0000",
    ];
    let dated = |date: &&str| GeneratedMessage {
        internal_date: Some((*date).to_owned()),
        ..plain(&format!("dated {date}"))
    };
    DATES.iter().map(dated).collect()
}
