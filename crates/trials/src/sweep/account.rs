//! The 24 messages whose copy is cut: few enough to be copied thousands of times, odd enough to be mistaken.

use hikyaku_testkit::generate::{Body, GeneratedAccount, GeneratedMailbox, GeneratedMessage};

/// How many messages there are.
pub(super) const MESSAGES: usize = 24;

/// Two messages of this size travel alone: what is above 256 KiB is streamed, never held.
const STREAMED: u64 = 300_000;

/// Five mailboxes: twins, messages without header or final line end, flags, keywords, odd dates, one that is streamed,
/// a Japanese name below a parent that holds nothing, one mailbox that is empty and one that is not subscribed.
pub(super) fn account() -> GeneratedAccount {
    GeneratedAccount {
        mailboxes: vec![
            mailbox("INBOX", true, inbox()),
            mailbox("請求書/2024年度", true, invoices()),
            mailbox("Sent", false, sent()),
            mailbox("Archive", true, archive()),
            mailbox("Empty", true, Vec::new()),
        ],
    }
}

fn mailbox(path: &str, subscribed: bool, messages: Vec<GeneratedMessage>) -> GeneratedMailbox {
    GeneratedMailbox {
        levels: path.split('/').map(str::to_owned).collect(),
        subscribed,
        messages,
    }
}

fn inbox() -> Vec<GeneratedMessage> {
    let text = |note: &str, octets: &[u8]| message(note, "\\Seen", Body::Octets(octets.to_vec()));
    vec![
        computed(1, 3_000, "\\Seen \\Answered"),
        twin(),
        computed(2, 900, ""),
        twin(),
        text("no header", b"\r\nA body without a header.\r\n"),
        text(
            "no final line end",
            b"From: a@example.com\r\nSubject: cut short\r\n\r\nno end of line",
        ),
        text(
            "no body",
            b"From: a@example.com\r\nSubject: only a header\r\n\r\n",
        ),
        text(
            "eight bits in header and body",
            "From: 送信者 <a@example.com>\r\nSubject: 件名\r\n\r\n本文\r\n".as_bytes(),
        ),
        text(
            "looks like protocol",
            b"From: a@example.com\r\nSubject: a7 OK\r\n\r\n)\r\n* 9 EXISTS\r\na9 SELECT INBOX\r\n{3}\r\n+ \r\n",
        ),
    ]
}

fn invoices() -> Vec<GeneratedMessage> {
    vec![
        computed(11, 1_200, "\\Seen $Forwarded"),
        dated(
            computed(12, 2_000, "\\Flagged"),
            " 2-Jan-1980 00:00:01 +0000",
        ),
        dated(computed(13, 4_100, ""), "31-Dec-2037 23:59:59 +0000"),
        dated(computed(14, 700, "\\Draft"), "29-Feb-2024 12:00:00 +1245"),
        computed(15, 66_000, "\\Seen NonJunk"),
        twin(),
    ]
}

fn sent() -> Vec<GeneratedMessage> {
    vec![
        computed(21, 1_500, "\\Seen"),
        computed(22, STREAMED, "\\Seen"),
        computed(23, 1_600, "\\Seen"),
        computed(24, STREAMED + 1, "\\Seen \\Flagged"),
        computed(25, 5_000, "\\Seen \\Deleted"),
    ]
}

fn archive() -> Vec<GeneratedMessage> {
    vec![
        computed(31, 600, "one two three"),
        computed(31, 600, "one"),
        computed(32, 8_000, "\\Seen"),
        dated(
            computed(31, 600, "one two three"),
            " 1-May-2001 10:00:00 -0330",
        ),
    ]
}

/// Equal in octets, flags and date wherever it stands.
fn twin() -> GeneratedMessage {
    let octets = b"From: twin@example.com\r\nMessage-ID: <twin@example.com>\r\n\r\nThe same.\r\n";
    message("a twin", "\\Seen", Body::Octets(octets.to_vec()))
}

fn computed(seed: u64, octets: u64, flags: &str) -> GeneratedMessage {
    message("ordinary", flags, Body::Computed { seed, octets })
}

fn message(note: &str, flags: &str, body: Body) -> GeneratedMessage {
    GeneratedMessage {
        note: note.to_owned(),
        flags: flags.split_whitespace().map(str::to_owned).collect(),
        internal_date: Some("14-Jul-2021 10:20:30 +0900".to_owned()),
        body,
    }
}

fn dated(message: GeneratedMessage, date: &str) -> GeneratedMessage {
    GeneratedMessage {
        internal_date: Some(date.to_owned()),
        ..message
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_account_has_as_many_messages_as_it_says() {
        assert_eq!(super::account().messages(), super::MESSAGES);
    }
}
