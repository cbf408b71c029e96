//! Response codes (RFC 9051 §7.1, RFC 5530 and extensions), and capabilities.

use super::MAX_WORDS;
use super::number::{digits, ranges};
use crate::response::{Capabilities, ReplyCode};
use hikyaku_core::flags::PermanentFlags;
use hikyaku_core::{Epoch, Flags, Key};

/// Understands what stood between the brackets; `None` when that was nothing. A known code
/// with unreadable arguments is `Other`.
pub(super) fn code(text: &[u8]) -> Option<ReplyCode> {
    let text = text.trim_ascii();
    let name_end = text
        .iter()
        .position(|b| b.is_ascii_whitespace() || *b == b'(')
        .unwrap_or(text.len());
    let (name, arguments) = text.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]).to_ascii_uppercase();
    let arguments = arguments.trim_ascii();
    Some(
        without_arguments(&name)
            .or_else(|| with_arguments(&name, arguments))
            .unwrap_or(ReplyCode::Other(name)),
    )
}

fn without_arguments(name: &str) -> Option<ReplyCode> {
    Some(match name {
        "ALERT" => ReplyCode::Alert,
        "ALREADYEXISTS" => ReplyCode::AlreadyExists,
        "AUTHENTICATIONFAILED" => ReplyCode::AuthenticationFailed,
        "AUTHORIZATIONFAILED" => ReplyCode::AuthorizationFailed,
        "BADCHARSET" => ReplyCode::BadCharset,
        "CANNOT" => ReplyCode::Cannot,
        "CLIENTBUG" => ReplyCode::ClientBug,
        "CLOSED" => ReplyCode::Closed,
        "COMPRESSIONACTIVE" => ReplyCode::CompressionActive,
        "CONTACTADMIN" => ReplyCode::ContactAdmin,
        "CORRUPTION" => ReplyCode::Corruption,
        "EXPIRED" => ReplyCode::Expired,
        "EXPUNGEISSUED" => ReplyCode::ExpungeIssued,
        "HASCHILDREN" => ReplyCode::HasChildren,
        "INUSE" => ReplyCode::InUse,
        "LIMIT" => ReplyCode::Limit,
        "NOMODSEQ" => ReplyCode::NoModSeq,
        "NONEXISTENT" => ReplyCode::NonExistent,
        "NOPERM" => ReplyCode::NoPerm,
        "OVERQUOTA" => ReplyCode::OverQuota,
        "PARSE" => ReplyCode::Parse,
        "PRIVACYREQUIRED" => ReplyCode::PrivacyRequired,
        "READ-ONLY" => ReplyCode::ReadOnly,
        "READ-WRITE" => ReplyCode::ReadWrite,
        "REFERRAL" => ReplyCode::Referral,
        "SERVERBUG" => ReplyCode::ServerBug,
        "THROTTLED" => ReplyCode::Throttled,
        "TOOBIG" => ReplyCode::TooBig,
        "TRYCREATE" => ReplyCode::TryCreate,
        "UIDNOTSTICKY" => ReplyCode::UidNotSticky,
        "UNAVAILABLE" => ReplyCode::Unavailable,
        "USEATTR" => ReplyCode::UseAttr,
        "WEBALERT" => ReplyCode::WebAlert,
        _ => return None,
    })
}

fn with_arguments(name: &str, arguments: &[u8]) -> Option<ReplyCode> {
    let mut words = arguments
        .split(u8::is_ascii_whitespace)
        .filter(|w| !w.is_empty());
    let mut next = || words.next().unwrap_or(&[]);
    Some(match name {
        "APPENDUID" => ReplyCode::AppendUid {
            epoch: Epoch(digits(next())?),
            uids: ranges(next())?,
        },
        "CAPABILITY" => ReplyCode::Capability(capabilities(arguments)),
        "COPYUID" => ReplyCode::CopyUid {
            epoch: Epoch(digits(next())?),
            from: ranges(next())?,
            to: ranges(next())?,
        },
        // Zero is no mod-sequence (RFC 7162 §7).
        "HIGHESTMODSEQ" => ReplyCode::HighestModSeq(digits(next()).filter(|&n| n > 0)?),
        "MAILBOXID" => {
            let id = arguments
                .strip_prefix(b"(")
                .and_then(|a| a.strip_suffix(b")"))
                .unwrap_or(arguments);
            ReplyCode::MailboxId(String::from_utf8_lossy(id.trim_ascii()).into_owned())
        }
        "MODIFIED" => ReplyCode::Modified(ranges(next())?.to_set()),
        "PERMANENTFLAGS" => ReplyCode::PermanentFlags(permanent_flags(arguments)),
        "UIDNEXT" => ReplyCode::UidNext(Key(digits(next())?)),
        "UIDVALIDITY" => ReplyCode::UidValidity(Epoch(digits(next())?)),
        "UNSEEN" => ReplyCode::Unseen(digits(next())?),
        _ => return None,
    })
}

/// The list may lack a parenthesis, and its keywords may be anything.
fn permanent_flags(list: &[u8]) -> PermanentFlags {
    let list = list.strip_prefix(b"(").unwrap_or(list);
    let list = list.strip_suffix(b")").unwrap_or(list);
    let mut permanent = PermanentFlags::default();
    let mut named = Flags::new();
    for word in words(list) {
        if word == b"\\*" {
            permanent.any_keyword = true;
        } else {
            named.add_wire(&String::from_utf8_lossy(word));
        }
    }
    permanent.named = named;
    permanent
}

/// Capability names divided by blanks.
pub(super) fn capabilities(text: &[u8]) -> Capabilities {
    Capabilities(
        words(text)
            .map(|word| String::from_utf8_lossy(word).to_ascii_uppercase())
            .collect(),
    )
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
}
