//! Another implementation as a witness: whatever `imap-codec` accepts means the same here.
//! Both readings are brought into one view, a list of facts.

mod witness;

use super::*;
use crate::response::{Content, ReplyCode, SectionKind};
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder as _;
use proptest::prelude::*;
use witness::theirs;

/// Lines that `imap-codec` accepts: examples of the RFCs, of the three servers in
/// this project's notes, and of their neighbourhood.
const LINES: &[&str] = &[
    // Status responses (RFC 9051 §7.1, RFC 5530).
    "* OK IMAP4rev1 server ready",
    "* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN SASL-IR] Dovecot ready.",
    "* OK [ALERT] System shutdown in 10 minutes",
    "* BYE Autologout; idle for too long",
    "* BYE [UNAVAILABLE] maintenance",
    "* NO Disk is 98% full, please delete unnecessary data",
    "* BAD Command line too long",
    "* OK [UNSEEN 12] Message 12 is first unseen",
    "* OK [UIDVALIDITY 3857529045] UIDs valid",
    "* OK [UIDNEXT 4392] Predicted next UID",
    "* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited",
    "* OK [PERMANENTFLAGS ()] Read-only mailbox.",
    "* OK [PERMANENTFLAGS (\\Answered $Label1 NonJunk)] kept",
    "* OK [HIGHESTMODSEQ 715194045007] Highest",
    "* OK [NOMODSEQ] Sorry, this mailbox format doesn't support modsequences",
    "* OK [CLOSED] Previous mailbox closed",
    "h1 OK LOGIN completed",
    "h1 OK [READ-WRITE] SELECT completed",
    "h1 OK [READ-ONLY] EXAMINE completed",
    "h1 OK [CAPABILITY IMAP4rev1 UIDPLUS] Logged in",
    "h44 NO [TRYCREATE] Mailbox doesn't exist",
    "h44 NO [OVERQUOTA] Quota exceeded",
    "h44 NO [TOOBIG] Message too large",
    "h44 NO [AUTHENTICATIONFAILED] Authentication failed.",
    "h44 NO [LIMIT] Maximum number of connections from user+IP exceeded",
    "h44 NO [X-UNKNOWN some data] text",
    "h44 BAD Error in IMAP command received by server.",
    "h5 OK [APPENDUID 38505 3955] APPEND completed",
    "h5 OK [COPYUID 38505 304,319:320 3956:3958] Done",
    "h5 OK [COMPRESSIONACTIVE] already",
    "h5 OK [MODIFIED 7,9] Conditional STORE failed",
    "h5 NO [UIDNOTSTICKY] not sticky",
    // Continuations.
    "+ Ready for literal data",
    "+ YGgGCSqGSIb3EgECAgIAb1kwV6ADAgEF",
    "+ idling",
    // Capabilities and identity.
    "* CAPABILITY IMAP4rev1 STARTTLS AUTH=GSSAPI LOGINDISABLED",
    "* CAPABILITY IMAP4rev1 IDLE UIDPLUS CONDSTORE QRESYNC ENABLE QUOTA MOVE NAMESPACE ID LITERAL-",
    "* ENABLED CONDSTORE",
    "* ID NIL",
    "* ID (\"name\" \"Cyrus\" \"version\" \"3.10\" \"os\" NIL)",
    // Mailboxes.
    "* LIST (\\Noselect) \"/\" ~/Mail/foo",
    "* LIST () \"/\" \"\"",
    "* LIST (\\HasNoChildren) \".\" INBOX",
    "* LIST (\\HasChildren \\Noinferiors) NIL \"inbox\"",
    "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"",
    "* LIST (\\Marked \\Noinferiors) \"/\" \"a \\\"b\\\" \\\\c\"",
    "* LIST () \"\\\\\" {7}\r\na \"b\\ (",
    "* LIST () \"/\" &U9dP4TDIMOwwpA-",
    "* LSUB () \".\" #news.comp.mail.misc",
    "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)",
    "* STATUS \"a b\" (MESSAGES 0 UIDVALIDITY 1 UNSEEN 3 RECENT 0)",
    "* STATUS {3}\r\na(b (HIGHESTMODSEQ 7011231777)",
    "* STATUS INBOX ()",
    "* STATUS x (DELETED 4 DELETED-STORAGE 8 MESSAGES 5) ",
    "* NAMESPACE ((\"\" \"/\")) NIL NIL",
    "* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\")(\"shared.\" \".\"))",
    "* NAMESPACE ((\"\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))) NIL ((\"#x\" NIL))",
    "* QUOTA \"\" (STORAGE 10 512)",
    "* QUOTA \"#user/alice\" (MESSAGE 42 1000 STORAGE 54 111)",
    "* QUOTAROOT INBOX \"\"",
    "* QUOTAROOT \"a b\" \"#user/alice\" shared",
    "* QUOTAROOT comp.mail.mime",
    // Messages.
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
    "* FLAGS (\\Seen $Label1 NonJunk)",
    "* 172 EXISTS",
    "* 0 EXISTS",
    "* 5 RECENT",
    "* 44 EXPUNGE",
    "* SEARCH 2 3 6",
    "* SEARCH 6 4 3",
    "* SEARCH",
    "* SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)",
    "* VANISHED (EARLIER) 300:310,405,411",
    "* VANISHED 4294967295",
    "* 23 FETCH (FLAGS (\\Seen) RFC822.SIZE 44827)",
    "* 23 FETCH (FLAGS (\\Recent \\Answered $Forwarded) UID 4827313)",
    "* 23 FETCH (FLAGS ())",
    "* 1 FETCH (UID 4294967295)",
    "* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" UID 5)",
    "* 1 FETCH (INTERNALDATE \" 9-Mar-2003 10:00:00 +0900\")",
    "* 1 FETCH (INTERNALDATE \"31-Dec-1969 23:59:59 +0000\")",
    "* 1 FETCH (UID 5 MODSEQ (624140003))",
    "* 1 FETCH (BODY[] {15}\r\nUID 9 FLAGS )\r\n UID 5)",
    "* 1 FETCH (BODY[] \"a \\\"quoted\\\" body \\\\\" UID 5)",
    "* 1 FETCH (BODY[] NIL)",
    "* 1 FETCH (BODY[] \"\")",
    "* 1 FETCH (BODY[] {0}\r\n)",
    "* 1 FETCH (BODY[]<1000> {2}\r\nab UID 5)",
    "* 1 FETCH (RFC822 {3}\r\nabc)",
    "* 1 FETCH (RFC822.HEADER {4}\r\nA:b\n UID 5 RFC822.TEXT \"x\")",
    "* 1 FETCH (BODY[HEADER] {2}\r\n\r\n)",
    "* 1 FETCH (BODY[TEXT] {2}\r\n\r\n)",
    "* 1 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] {21}\r\nMessage-ID: <a@b>\r\n\r\n UID 5)",
    "* 1 FETCH (BODY[1.2.MIME] {3}\r\nabc UID 5)",
    "* 1 FETCH (BINARY[] ~{4}\r\n\0\r\n\0 UID 5)",
    "* 1 FETCH (BINARY.SIZE[1] 5 UID 5)",
    "* 12 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 \\\"WG\\\"\" ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) NIL NIL NIL NIL NIL NIL \"<B27397@cac>\") UID 5)",
    "* 12 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92) UID 5)",
    "* 12 FETCH (BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92) FLAGS (\\Seen))",
];

type Facts = Vec<String>;

fn text(octets: impl AsRef<[u8]>) -> String {
    octets.as_ref().escape_ascii().to_string()
}

fn mailbox_text(octets: &[u8]) -> String {
    // They fold INBOX, the server's spelling is kept here.
    if octets.eq_ignore_ascii_case(b"INBOX") {
        return "INBOX".to_owned();
    }
    text(octets)
}

fn ours(response: &Response) -> Facts {
    match response {
        Response::Tagged { tag, reply } => {
            let mut facts = our_reply(reply);
            facts.push(format!(
                "tag {}",
                tag.map_or_else(String::new, |t| t.to_string())
            ));
            facts
        }
        Response::Status(reply) => our_reply(reply),
        Response::Continue(_) => vec!["continue".to_owned()],
        Response::Capability(found) | Response::Enabled(found) => vec![format!("{:?}", found.0)],
        Response::List(row) | Response::Lsub(row) => vec![
            format!("name {}", mailbox_text(row.name.as_bytes())),
            format!("separator {:?}", row.separator),
            format!("noselect {}", row.attributes.no_select),
            format!("noinferiors {}", row.attributes.no_inferiors),
        ],
        Response::MailboxStatus(status) => vec![
            format!("name {}", mailbox_text(status.mailbox.as_bytes())),
            format!(
                "{:?} {:?} {:?} {:?} {:?}",
                status.messages,
                status.uid_next.map(|k| k.0),
                status.epoch.map(|e| e.0),
                status.unseen,
                status.modseq
            ),
        ],
        Response::Namespace(found) => [&found.personal, &found.others, &found.shared]
            .map(|list| {
                list.iter()
                    .map(|n| format!("{} {:?};", text(n.prefix.as_bytes()), n.separator))
                    .collect::<String>()
            })
            .to_vec(),
        Response::Flags(flags) => vec![format!("flags {flags}")],
        Response::Exists(n) => vec![format!("exists {n}")],
        Response::Recent(n) => vec![format!("recent {n}")],
        Response::Expunge(n) => vec![format!("expunge {n}")],
        Response::Vanished { earlier, uids } => vec![format!("vanished {earlier} {uids}")],
        Response::Fetch(row) => our_row(row),
        Response::Search { found, modseq } => vec![format!("search {found} {modseq:?}")],
        Response::Id(fields) => vec![format!("id {fields:?}")],
        Response::Quota(row) => row
            .resources
            .iter()
            .map(|r| format!("{} {} {}", r.name, r.usage, r.limit))
            .chain([text(&row.root)])
            .collect(),
        Response::QuotaRoot { mailbox, roots } => roots
            .iter()
            .map(text)
            .chain([mailbox_text(mailbox.as_bytes())])
            .collect(),
        Response::Esearch(_) | Response::Unknown { .. } => vec![format!("{response:?}")],
    }
}

fn our_reply(reply: &Reply) -> Facts {
    let code = match &reply.code {
        Some(ReplyCode::AppendUid { epoch, uids }) => {
            format!("appenduid {epoch} {}", uids.to_set())
        }
        Some(ReplyCode::Capability(found)) => format!("{:?}", found.0),
        Some(ReplyCode::CopyUid { epoch, from, to }) => {
            format!("copyuid {epoch} {} {}", from.to_set(), to.to_set())
        }
        Some(ReplyCode::HighestModSeq(n)) => format!("highestmodseq {n}"),
        Some(ReplyCode::Modified(set)) => format!("modified {set}"),
        Some(ReplyCode::PermanentFlags(flags)) => format!("{} {}", flags.named, flags.any_keyword),
        Some(ReplyCode::UidNext(key)) => format!("uidnext {key}"),
        Some(ReplyCode::UidValidity(epoch)) => format!("uidvalidity {epoch}"),
        Some(ReplyCode::Unseen(n)) => format!("unseen {n}"),
        Some(_) => "another".to_owned(),
        None => String::new(),
    };
    vec![
        reply.kind.as_str().to_owned(),
        code,
        reply.text.trim().to_owned(),
    ]
}

fn our_row(row: &FetchRow) -> Facts {
    let mut facts = vec![format!("number {} skipped {}", row.number, row.skipped)];
    facts.extend(row.uid.map(|uid| format!("uid {uid}")));
    facts.extend(row.flags.iter().map(|flags| format!("flags {flags}")));
    facts.extend(row.date.map(|date| format!("date {}", date.seconds)));
    facts.extend(row.octets.map(|octets| format!("octets {octets}")));
    facts.extend(row.modseq.map(|modseq| format!("modseq {modseq}")));
    facts.extend(row.sections.iter().map(|section| {
        let kind = match &section.kind {
            SectionKind::Whole => "whole",
            SectionKind::Header => "header",
            SectionKind::HeaderFields(_) => "fields",
            SectionKind::Text => "text",
            SectionKind::Other(_) => "other",
        };
        let content = match &section.content {
            Content::Nil => "NIL".to_owned(),
            Content::Held(octets) => format!("={}", text(octets)),
            Content::Streamed(octets) => format!("{octets}"),
        };
        format!("{kind} {:?} {content}", section.origin)
    }));
    facts.sort();
    facts
}

/// Both readings of a line, when `imap-codec` accepts all of it and the framer takes it for one
/// response.
fn both(line: &[u8]) -> Option<(Facts, Facts)> {
    let wire = [line, b"\r\n"].concat();
    let codec = ResponseCodec::default();
    let (rest, response) = codec.decode(&wire).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let mut framer = Framer::new(FrameLimits::default());
    framer.push(wire.clone());
    match framer.next() {
        Ok(Some(Frame::Response(raw))) if !framer.is_inside() => {
            Some((ours(&parse(&raw)), theirs(&response)))
        }
        other => Some((vec![format!("{other:?}")], theirs(&response))),
    }
}

/// Where the witness is followed on purpose no further: a bracket in a keyword ends its code; a
/// missing text becomes dots; `*` is a number of a message.
fn is_meant_to_differ(theirs: &Facts) -> bool {
    theirs
        .iter()
        .any(|fact| fact.contains(")]") || fact == "..." || fact.contains(&u64::MAX.to_string()))
}

#[test]
fn what_the_witness_accepts_means_the_same_here() {
    let mut refused = Vec::new();
    for line in LINES {
        match both(line.as_bytes()) {
            Some((ours, theirs)) => assert_eq!(ours, theirs, "{line}"),
            None => refused.push(*line),
        }
    }
    assert_eq!(refused, [""; 0]);
    assert!(LINES.len() >= 80, "{}", LINES.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_the_witness_accepts_of_altered_lines_means_the_same_here(
        which in 0..LINES.len(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(b" ()[]\"\\{}<>0159-+.,:*%AaUNnil~\r\n\x80".to_vec()), 0..3u8),
            1..3,
        ),
    ) {
        let mut line = LINES[which].as_bytes().to_vec();
        for (place, octet, how) in changes {
            let at = place.index(line.len());
            match how {
                0 => line[at] = octet,
                1 => line.insert(at, octet),
                _ => drop(line.remove(at)),
            }
            if line.is_empty() {
                return Ok(());
            }
        }
        if let Some((ours, theirs)) = both(&line)
            && !is_meant_to_differ(&theirs)
        {
            prop_assert_eq!(ours, theirs, "{}", line.escape_ascii());
        }
    }
}
