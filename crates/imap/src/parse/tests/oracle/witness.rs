//! What `imap-codec` has read, as facts.

use super::{Facts, mailbox_text, our_reply, text};
use crate::parse::tests::reply;
use crate::response::Tag;
use hikyaku_core::{Key, KeySet};
use imap_types::core::{NString, QuotedChar};
use imap_types::extensions::binary;
use imap_types::fetch::{MessageDataItem as Item, Section as TheirSection};
use imap_types::flag::{Flag as TheirFlag, FlagFetch, FlagNameAttribute, FlagPerm};
use imap_types::mailbox::Mailbox;
use imap_types::response::{
    Code, CommandContinuationRequest as Continue, Data, Response as Theirs, Status, StatusBody,
    StatusKind,
};
use imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};
use imap_types::status::StatusDataItem;

/// The facts of a response.
pub(super) fn theirs(response: &Theirs<'_>) -> Facts {
    match response {
        Theirs::CommandContinuationRequest(Continue::Basic(_) | Continue::Base64(_)) => {
            vec!["continue".to_owned()]
        }
        Theirs::Status(Status::Untagged(body)) => their_reply(body),
        Theirs::Status(Status::Tagged(tagged)) => {
            let mut facts = their_reply(&tagged.body);
            let ours = Tag::parse(tagged.tag.inner().as_bytes());
            facts.push(format!(
                "tag {}",
                ours.map_or_else(String::new, |t| t.to_string())
            ));
            facts
        }
        Theirs::Status(Status::Bye(bye)) => vec![
            "BYE".to_owned(),
            bye.code.as_ref().map_or_else(String::new, their_code),
            bye.text.inner().trim().to_owned(),
        ],
        Theirs::Data(data) => their_data(data),
    }
}

fn their_reply(body: &StatusBody<'_>) -> Facts {
    let kind = match body.kind {
        StatusKind::Ok => "OK",
        StatusKind::No => "NO",
        StatusKind::Bad => "BAD",
    };
    vec![
        kind.to_owned(),
        body.code.as_ref().map_or_else(String::new, their_code),
        body.text.inner().trim().to_owned(),
    ]
}

fn their_code(code: &Code<'_>) -> String {
    match code {
        Code::AppendUid { uid_validity, uid } => format!("appenduid {uid_validity} {uid}"),
        Code::Capability(list) => capability_text(list.as_ref().iter()),
        Code::CopyUid {
            uid_validity,
            source,
            destination,
        } => format!(
            "copyuid {uid_validity} {} {}",
            uid_text(source),
            uid_text(destination)
        ),
        Code::HighestModSeq(n) => format!("highestmodseq {n}"),
        Code::Modified(set) => format!("modified {}", sequence_text(set)),
        Code::PermanentFlags(flags) => {
            let mut named = hikyaku_core::Flags::new();
            for flag in flags {
                if let FlagPerm::Flag(flag) = flag {
                    named.add_wire(&flag.to_string());
                }
            }
            format!("{named} {}", flags.contains(&FlagPerm::Asterisk))
        }
        Code::UidNext(n) => format!("uidnext {n}"),
        Code::UidValidity(n) => format!("uidvalidity {n}"),
        Code::Unseen(n) => format!("unseen {n}"),
        // What they keep as octets may have a type here.
        Code::Other(other) => {
            let line = format!("* OK [{}] x", String::from_utf8_lossy(other.inner()));
            our_reply(&reply(line))[1].clone()
        }
        _ => "another".to_owned(),
    }
}

fn their_data(data: &Data<'_>) -> Facts {
    match data {
        Data::Capability(list) => vec![capability_text(list.as_ref().iter())],
        Data::Enabled { capabilities } => vec![capability_text(capabilities.iter())],
        Data::List {
            items,
            delimiter,
            mailbox,
        }
        | Data::Lsub {
            items,
            delimiter,
            mailbox,
        } => vec![
            format!("name {}", their_name(mailbox)),
            format!("separator {:?}", delimiter.map(|d: QuotedChar| d.inner())),
            format!("noselect {}", items.contains(&FlagNameAttribute::Noselect)),
            format!(
                "noinferiors {}",
                items.contains(&FlagNameAttribute::Noinferiors)
            ),
        ],
        Data::Status { mailbox, items } => {
            let mut values: [Option<u64>; 5] = [None; 5];
            for item in items.iter() {
                match item {
                    StatusDataItem::Messages(n) => values[0] = Some(u64::from(*n)),
                    StatusDataItem::UidNext(n) => values[1] = Some(u64::from(n.get())),
                    StatusDataItem::UidValidity(n) => values[2] = Some(u64::from(n.get())),
                    StatusDataItem::Unseen(n) => values[3] = Some(u64::from(*n)),
                    StatusDataItem::HighestModSeq(n) => values[4] = Some(*n).filter(|&n| n > 0),
                    _ => {}
                }
            }
            let [messages, next, epoch, unseen, modseq] = values;
            vec![
                format!("name {}", their_name(mailbox)),
                format!("{messages:?} {next:?} {epoch:?} {unseen:?} {modseq:?}"),
            ]
        }
        Data::Search(found, modseq) => {
            let set: KeySet = found.iter().map(|n| Key(u64::from(n.get()))).collect();
            vec![format!("search {set} {:?}", modseq.map(|n| n.get()))]
        }
        Data::Flags(flags) => vec![format!("flags {}", flag_text(flags.iter()))],
        Data::Exists(n) => vec![format!("exists {n}")],
        Data::Recent(n) => vec![format!("recent {n}")],
        Data::Expunge(n) => vec![format!("expunge {n}")],
        Data::Fetch { seq, items } => their_row(seq.get(), items.as_ref()),
        Data::Quota { root, quotas } => quotas
            .as_ref()
            .iter()
            .map(|q| {
                format!(
                    "{} {} {}",
                    q.resource.to_string().to_ascii_uppercase(),
                    q.usage,
                    q.limit
                )
            })
            .chain([text(root)])
            .collect(),
        Data::QuotaRoot { mailbox, roots } => roots
            .iter()
            .map(text)
            .chain([their_name(mailbox)])
            .collect(),
        Data::Id { parameters } => {
            let lossy = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let fields: Vec<(String, String)> = parameters
                .iter()
                .flatten()
                .filter_map(|(key, value)| {
                    Some((lossy(key.as_ref()), lossy(value.0.as_ref()?.as_ref())))
                })
                .collect();
            vec![format!("id {fields:?}")]
        }
        Data::Vanished {
            earlier,
            known_uids,
        } => vec![format!("vanished {earlier} {}", sequence_text(known_uids))],
        Data::Namespace {
            personal,
            other,
            shared,
        } => [personal, other, shared]
            .map(|list| {
                list.iter()
                    .map(|n| format!("{} {:?};", text(&n.prefix), n.delimiter.map(|d| d.inner())))
                    .collect::<String>()
            })
            .to_vec(),
        other => vec![format!("{other:?}")],
    }
}

fn their_row(number: u32, items: &[Item<'_>]) -> Facts {
    let mut facts = vec![format!("number {number} skipped 0")];
    for item in items {
        facts.extend(match item {
            Item::Uid(uid) => Some(format!("uid {uid}")),
            Item::Flags(flags) => {
                let stored = flags.iter().filter_map(|flag| match flag {
                    FlagFetch::Flag(flag) => Some(flag),
                    FlagFetch::Recent => None,
                });
                Some(format!("flags {}", flag_text(stored)))
            }
            Item::InternalDate(date) => Some(format!("date {}", date.as_ref().timestamp())),
            Item::Rfc822Size(octets) => Some(format!("octets {octets}")),
            Item::ModSeq(modseq) => Some(format!("modseq {modseq}")),
            Item::BodyExt {
                section,
                origin,
                data,
            } => {
                let kind = match section {
                    None => "whole",
                    Some(TheirSection::Header(None)) => "header",
                    Some(TheirSection::HeaderFields(None, _)) => "fields",
                    Some(TheirSection::Text(None)) => "text",
                    Some(_) => "other",
                };
                Some(format!(
                    "{kind} {:?} {}",
                    origin.map(u64::from),
                    content_text(data)
                ))
            }
            Item::Rfc822(data) => Some(format!("whole None {}", content_text(data))),
            Item::Rfc822Header(data) => Some(format!("header None {}", content_text(data))),
            Item::Rfc822Text(data) => Some(format!("text None {}", content_text(data))),
            Item::Binary { section, value } => {
                let kind = if section.is_empty() { "whole" } else { "other" };
                let content = match value {
                    imap_types::core::NString8::NString(data) => content_text(data),
                    imap_types::core::NString8::Literal8(data) => literal8_text(data),
                };
                Some(format!("{kind} None {content}"))
            }
            _ => None,
        });
    }
    facts.sort();
    facts
}

fn literal8_text(data: &binary::Literal8<'_>) -> String {
    format!("={}", text(&data.data))
}

fn content_text(data: &NString<'_>) -> String {
    data.0
        .as_ref()
        .map_or_else(|| "NIL".to_owned(), |octets| format!("={}", text(octets)))
}

fn their_name(mailbox: &Mailbox<'_>) -> String {
    match mailbox {
        Mailbox::Inbox => "INBOX".to_owned(),
        Mailbox::Other(other) => mailbox_text(other.as_ref()),
    }
}

fn flag_text<'a>(flags: impl Iterator<Item = &'a TheirFlag<'a>>) -> String {
    let mut out = hikyaku_core::Flags::new();
    for flag in flags {
        out.add_wire(&flag.to_string());
    }
    out.to_string()
}

fn capability_text<'a, T: ToString + 'a>(list: impl Iterator<Item = &'a T>) -> String {
    let set: std::collections::BTreeSet<String> =
        list.map(|c| c.to_string().to_ascii_uppercase()).collect();
    format!("{set:?}")
}

fn uid_text(set: &imap_types::extensions::uidplus::UidSet) -> String {
    use imap_types::extensions::uidplus::UidElement;
    let mut out = KeySet::new();
    for element in set.0.as_ref() {
        let (low, high) = match element {
            UidElement::Single(n) => (n.get(), n.get()),
            UidElement::Range(a, b) => (a.min(b).get(), a.max(b).get()),
        };
        out.insert_range(u64::from(low)..=u64::from(high));
    }
    out.to_string()
}

fn sequence_text(set: &SequenceSet) -> String {
    let value = |n: &SeqOrUid| match n {
        SeqOrUid::Value(n) => u64::from(n.get()),
        SeqOrUid::Asterisk => u64::MAX,
    };
    let mut out = KeySet::new();
    for element in set.0.as_ref() {
        let (a, b) = match element {
            Sequence::Single(n) => (value(n), value(n)),
            Sequence::Range(a, b) => (value(a), value(b)),
        };
        out.insert_range(a.min(b)..=a.max(b));
    }
    out.to_string()
}
