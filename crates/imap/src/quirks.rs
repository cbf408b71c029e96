//! What servers do that no RFC asks for: a table of named leniencies, chosen at run
//! time, and the one place where a server's *words* may decide anything.
//!
//! Each row of [`words`] says what is recognised, why, and when it applies; its tests
//! name each row once. What follows from a code, a status or a word is decided here.

mod words;

use crate::response::{Reply, ReplyCode, ReplyKind};
use hikyaku_core::{Code, Fault, Reach, Remedy};
use words::{When, pause, words};

/// The fault of a greeting or login that was refused.
pub(crate) fn login_fault(reply: &Reply, by_token: bool) -> Fault {
    let code = match &reply.code {
        // Yahoo says LIMIT of the rate of commands too.
        Some(ReplyCode::Limit) => words(reply, When::Login).unwrap_or(Code::ServerConnections),
        Some(
            ReplyCode::Unavailable | ReplyCode::InUse | ReplyCode::ServerBug | ReplyCode::Throttled,
        ) => words(reply, When::Login).unwrap_or(Code::ServerBusy),
        Some(ReplyCode::PrivacyRequired) => Code::LoginMechanism,
        Some(ReplyCode::Expired) => Code::LoginExpired,
        Some(ReplyCode::ContactAdmin) => Code::LoginDisabled,
        Some(ReplyCode::WebAlert) => Code::LoginOauth,
        // Whatever the words beside it promise: this is not to be tried again.
        Some(ReplyCode::AuthenticationFailed) => words(reply, When::Login)
            .filter(|code| !is_pause(*code))
            .unwrap_or(match by_token {
                true => Code::LoginExpired,
                false => Code::LoginRejected,
            }),
        _ => words(reply, When::Login).unwrap_or(match (reply.kind, by_token) {
            (ReplyKind::Bye, _) => Code::ServerBusy,
            (_, true) => Code::LoginExpired,
            (_, false) => Code::LoginRejected,
        }),
    };
    let detail = match code {
        Code::LoginRejected => "user name or password was refused; check both",
        Code::LoginExpired => "the access token was refused; get a new one",
        Code::LoginAppPassword => "the provider wants an app password instead of the account's own",
        Code::LoginOauth => "the provider accepts sign-in by OAuth only",
        Code::LoginDisabled => "IMAP is switched off for this account",
        Code::LoginLocked => "logins are blocked for a while; wait before trying again",
        Code::LoginMechanism => "the server wants an encrypted connection before login",
        Code::ServerConnections => "too many connections of this user at once",
        _ => "the server does not take a login now",
    };
    side_fault(code, detail, reply)
}

/// The fault of an unasked BYE.
pub(crate) fn bye_fault(reply: &Reply) -> Fault {
    let code = match &reply.code {
        Some(ReplyCode::Throttled | ReplyCode::Unavailable | ReplyCode::Limit) => {
            words(reply, When::Any).unwrap_or(Code::ServerBusy)
        }
        _ => words(reply, When::Any).unwrap_or(Code::LinkLost),
    };
    side_fault(code, "the server ended the connection", reply)
}

/// The fault of a reply that asks for a pause, whatever it answers; `None` for any other.
pub(crate) fn throttled(reply: &Reply) -> Option<Fault> {
    let code = match words(reply, When::Any) {
        Some(code) => code,
        None if reply.code.as_ref().is_some_and(is_busy) => Code::ServerBusy,
        None => return None,
    };
    let detail = match code {
        Code::ServerBudget => "the volume that the server lets through in a day is used up",
        Code::ServerConnections => "too many connections of this user at once",
        _ => "the server asks for a pause",
    };
    Some(side_fault(code, detail, reply))
}

/// The same for a FETCH, where some codes that ask for a pause elsewhere tell of one
/// broken message: Dovecot says SERVERBUG of it.
pub(crate) fn throttled_fetch(reply: &Reply) -> Option<Fault> {
    let is_about_one = matches!(
        reply.code,
        Some(ReplyCode::ServerBug | ReplyCode::InUse | ReplyCode::Unavailable)
    ) && words(reply, When::Any).is_none();
    throttled(reply).filter(|_| !is_about_one)
}

/// The fault of an append that was answered NO or BAD.
pub(crate) fn append_fault(reply: &Reply) -> Fault {
    let known = words(reply, When::Append);
    let fault = match &reply.code {
        // Gmail says OVERQUOTA, and Yahoo LIMIT, of what goes by in a time too.
        Some(ReplyCode::OverQuota | ReplyCode::Limit)
            if matches!(known, Some(Code::ServerBudget | Code::ServerBusy)) =>
        {
            return throttled(reply).unwrap_or_else(quota_fault);
        }
        Some(ReplyCode::OverQuota) => quota_fault(),
        Some(ReplyCode::TooBig | ReplyCode::Limit) => too_large(),
        Some(ReplyCode::TryCreate | ReplyCode::NonExistent) => Fault::new(
            Code::MailboxMissing,
            Reach::Mailbox,
            Remedy::Retry { after: None },
            "the mailbox is gone from the destination",
        ),
        Some(ReplyCode::NoPerm | ReplyCode::ReadOnly) => Fault::new(
            Code::MailboxReadOnly,
            Reach::Mailbox,
            Remedy::AskUser,
            "the destination does not let this user append here",
        ),
        _ => match known {
            Some(Code::QuotaExceeded) => quota_fault(),
            Some(Code::MessageTooLarge) => too_large(),
            _ => match throttled(reply) {
                Some(fault) => return fault,
                None => Fault::new(
                    Code::MessageRefused,
                    Reach::Message,
                    Remedy::Skip,
                    "the destination did not accept the message",
                ),
            },
        },
    };
    fault.said(reply.said())
}

/// The fault of any other command that was answered NO or BAD.
pub(crate) fn command_fault(reply: &Reply, what: &str) -> Fault {
    if let Some(fault) = throttled(reply) {
        return Fault {
            detail: format!("{what}: {}", fault.detail),
            ..fault
        };
    }
    let fault = match &reply.code {
        Some(ReplyCode::NonExistent | ReplyCode::TryCreate) => Fault::new(
            Code::MailboxMissing,
            Reach::Mailbox,
            Remedy::AskUser,
            format!("{what}: there is no such mailbox"),
        ),
        Some(ReplyCode::OverQuota) => quota_fault(),
        _ => Fault::new(
            Code::ServerRefused,
            Reach::Mailbox,
            Remedy::Skip,
            format!("{what} was refused"),
        ),
    };
    fault.said(reply.said())
}

fn is_busy(code: &ReplyCode) -> bool {
    matches!(
        code,
        ReplyCode::Throttled
            | ReplyCode::Limit
            | ReplyCode::Unavailable
            | ReplyCode::InUse
            | ReplyCode::ServerBug
    )
}

fn quota_fault() -> Fault {
    Fault::new(
        Code::QuotaExceeded,
        Reach::Side,
        Remedy::AskUser,
        "the destination is full",
    )
}

fn too_large() -> Fault {
    Fault::new(
        Code::MessageTooLarge,
        Reach::Message,
        Remedy::Skip,
        "the message is larger than the destination takes",
    )
}

/// A fault of the whole side; what helps follows from the code, and how long to wait
/// from the server's words.
fn side_fault(code: Code, detail: &str, reply: &Reply) -> Fault {
    let remedy = match code == Code::LinkLost || is_pause(code) {
        true => Remedy::Retry {
            after: pause(&reply.text),
        },
        false => Remedy::AskUser,
    };
    Fault::new(code, Reach::Side, remedy, detail).said(reply.said())
}

/// Whether waiting helps.
fn is_pause(code: Code) -> bool {
    matches!(
        code,
        Code::ServerBusy | Code::ServerBudget | Code::ServerConnections
    )
}

/// Programs whose rules for names are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Dovecot,
    Cyrus,
    Courier,
    Gmail,
    Other,
}

impl Product {
    /// From what the server says of itself.
    pub(crate) fn recognise(greeting: &str, id_name: Option<&str>) -> Self {
        let says = format!("{} {greeting}", id_name.unwrap_or_default()).to_lowercase();
        let knows = |word: &str| says.contains(word);
        if knows("dovecot") {
            Product::Dovecot
        } else if knows("cyrus") {
            Product::Cyrus
        } else if knows("courier") {
            Product::Courier
        } else if knows("gimap") {
            Product::Gmail
        } else {
            Product::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(kind: ReplyKind, code: Option<ReplyCode>, text: &str) -> Reply {
        Reply {
            kind,
            code,
            raw_code: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_refused_append_says_what_helps() {
        let of = |code, text: &str| {
            let fault = append_fault(&reply(ReplyKind::No, code, text));
            (fault.code, fault.reach, fault.remedy)
        };
        let retry = Remedy::Retry { after: None };
        assert_eq!(
            of(Some(ReplyCode::OverQuota), "Full"),
            (Code::QuotaExceeded, Reach::Side, Remedy::AskUser)
        );
        assert_eq!(
            of(None, "Over quota"),
            (Code::QuotaExceeded, Reach::Side, Remedy::AskUser)
        );
        assert_eq!(
            of(Some(ReplyCode::Limit), "x"),
            (Code::MessageTooLarge, Reach::Message, Remedy::Skip)
        );
        assert_eq!(
            of(Some(ReplyCode::TryCreate), "x"),
            (Code::MailboxMissing, Reach::Mailbox, retry)
        );
        assert_eq!(
            of(Some(ReplyCode::Unavailable), "x"),
            (Code::ServerBusy, Reach::Side, retry)
        );
        // Gmail's block for a day is no full mailbox, and Yahoo's pace no large message.
        assert_eq!(
            of(
                Some(ReplyCode::OverQuota),
                "Account exceeded command or bandwidth limits."
            ),
            (Code::ServerBudget, Reach::Side, retry)
        );
        assert_eq!(
            of(Some(ReplyCode::Limit), "APPEND Rate limit hit."),
            (Code::ServerBusy, Reach::Side, retry)
        );
        assert_eq!(
            of(
                None,
                "Request is throttled. Suggested Backoff Time: 299609 milliseconds"
            ),
            (
                Code::ServerBusy,
                Reach::Side,
                Remedy::Retry {
                    after: Some(std::time::Duration::from_millis(299_609))
                }
            )
        );
        assert_eq!(
            of(None, "Message contains NUL characters"),
            (Code::MessageRefused, Reach::Message, Remedy::Skip)
        );
    }

    #[test]
    fn a_refused_login_is_never_tried_again_but_a_busy_server_is() {
        let of = |kind, code, text: &str| {
            let fault = login_fault(&reply(kind, code, text), false);
            (fault.code, fault.is_temporary())
        };
        assert_eq!(
            of(ReplyKind::No, Some(ReplyCode::AuthenticationFailed), "x"),
            (Code::LoginRejected, false)
        );
        assert_eq!(
            of(
                ReplyKind::No,
                Some(ReplyCode::AuthenticationFailed),
                "Wrong password, please try again later"
            ),
            (Code::LoginRejected, false)
        );
        assert_eq!(
            of(ReplyKind::No, None, "Login failed."),
            (Code::LoginRejected, false)
        );
        assert_eq!(
            of(ReplyKind::No, Some(ReplyCode::Limit), "x"),
            (Code::ServerConnections, true)
        );
        assert_eq!(
            of(ReplyKind::No, Some(ReplyCode::Unavailable), "x"),
            (Code::ServerBusy, true)
        );
        assert_eq!(
            of(
                ReplyKind::No,
                Some(ReplyCode::Limit),
                "LOGIN Rate limit hit."
            ),
            (Code::ServerBusy, true)
        );
        assert_eq!(
            of(ReplyKind::Bye, None, "Autologout"),
            (Code::ServerBusy, true)
        );
    }
}
