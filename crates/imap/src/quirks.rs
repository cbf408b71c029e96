//! What servers do that no RFC asks for: a table of named leniencies, chosen at run
//! time, and the one place where a server's *words* may decide anything.
//!
//! Each row says what is recognised, why, and when it applies; the tests below name
//! each row once.

use crate::response::{Reply, ReplyCode, ReplyKind};
use hikyaku_core::{Code, Fault, Reach, Remedy};

/// In which situation a server spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While logging in, the greeting included.
    Login,
    /// In answer to an append.
    Append,
    /// At any time, by BYE too.
    Any,
}

/// Words that stand for a code which the server does not send.
pub(crate) struct Words {
    /// Name of the quirk.
    pub(crate) name: &'static str,
    /// Which servers, and why.
    pub(crate) reason: &'static str,
    /// When the words count.
    pub(crate) when: When,
    /// Any of these, in lower case, anywhere in the text.
    pub(crate) any: &'static [&'static str],
    /// What they mean.
    pub(crate) code: Code,
}

/// The table. The first row that fits counts.
pub(crate) const WORDS: &[Words] = &[
    Words {
        name: "connections-words",
        reason: "Dovecot, Gmail, Courier and Exchange count connections and say so in prose",
        when: When::Any,
        any: &[
            "maximum number of connections",
            "too many simultaneous connections",
            "too many connections",
            "connection limit",
        ],
        code: Code::ServerConnections,
    },
    Words {
        name: "throttle-words",
        reason: "Gmail and Exchange Online announce limits of bandwidth and commands without a code",
        when: When::Any,
        any: &[
            "exceeded command or bandwidth limits",
            "bandwidth limits",
            "request is throttled",
            "server busy",
            "try again later",
            "temporarily unavailable",
        ],
        code: Code::ServerBusy,
    },
    Words {
        name: "app-password-words",
        reason: "Gmail, Yahoo and iCloud refuse the account's own password for IMAP",
        when: When::Login,
        any: &[
            "application-specific password",
            "app password",
            "app-specific password",
        ],
        code: Code::LoginAppPassword,
    },
    Words {
        name: "oauth-words",
        reason: "Exchange Online and Gmail switched passwords off altogether",
        when: When::Login,
        any: &[
            "basicauthblocked",
            "basic authentication is disabled",
            "log in via your web browser",
            "web login required",
        ],
        code: Code::LoginOauth,
    },
    Words {
        name: "imap-off-words",
        reason: "Gmail and hosting panels let IMAP be switched off per account",
        when: When::Login,
        any: &[
            "not enabled for imap",
            "imap access is disabled",
            "imap is disabled",
            "imap not enabled",
        ],
        code: Code::LoginDisabled,
    },
    Words {
        name: "locked-words",
        reason: "several hosts block logins for a while after failures",
        when: When::Login,
        any: &[
            "too many login failures",
            "too many failed",
            "temporarily locked",
            "account is locked",
            "temporarily blocked",
        ],
        code: Code::LoginLocked,
    },
    Words {
        name: "quota-words",
        reason: "Cyrus and Courier answer a full mailbox without OVERQUOTA",
        when: When::Append,
        any: &[
            "over quota",
            "exceeded your mail quota",
            "quota exceeded",
            "mailbox is full",
        ],
        code: Code::QuotaExceeded,
    },
    Words {
        name: "size-words",
        reason: "some servers refuse large messages without TOOBIG",
        when: When::Append,
        any: &[
            "message too large",
            "too large",
            "maximum message size",
            "exceeds the maximum",
        ],
        code: Code::MessageTooLarge,
    },
];

/// What the words of a reply mean in a situation, if they are known.
pub(crate) fn words(reply: &Reply, when: When) -> Option<Code> {
    let text = reply.text.to_lowercase();
    let row = WORDS
        .iter()
        .filter(|row| row.when == When::Any || row.when == when)
        .find(|row| row.any.iter().any(|words| text.contains(words)))?;
    tracing::debug!(quirk = row.name, reason = row.reason, "known words");
    Some(row.code)
}

/// The fault of a greeting or login that was refused.
pub(crate) fn login_fault(reply: &Reply, by_token: bool) -> Fault {
    let code = match &reply.code {
        Some(ReplyCode::Limit) => Code::ServerConnections,
        Some(
            ReplyCode::Unavailable | ReplyCode::InUse | ReplyCode::ServerBug | ReplyCode::Throttled,
        ) => words(reply, When::Login).unwrap_or(Code::ServerBusy),
        Some(ReplyCode::PrivacyRequired) => Code::LoginMechanism,
        Some(ReplyCode::Expired) => Code::LoginExpired,
        Some(ReplyCode::ContactAdmin) => Code::LoginDisabled,
        Some(ReplyCode::WebAlert) => Code::LoginOauth,
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
    side_fault(code, detail).said(reply.said())
}

/// The fault of an unasked BYE.
pub(crate) fn bye_fault(reply: &Reply) -> Fault {
    let code = match &reply.code {
        Some(ReplyCode::Throttled | ReplyCode::Unavailable | ReplyCode::Limit) => {
            words(reply, When::Any).unwrap_or(Code::ServerBusy)
        }
        _ => words(reply, When::Any).unwrap_or(Code::LinkLost),
    };
    side_fault(code, "the server ended the connection").said(reply.said())
}

/// The fault of an append that was answered NO or BAD.
pub(crate) fn append_fault(reply: &Reply) -> Fault {
    let fault = match &reply.code {
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
        Some(code) if is_busy(code) => side_fault(Code::ServerBusy, "the server asks for a pause"),
        _ => match words(reply, When::Append) {
            Some(Code::QuotaExceeded) => quota_fault(),
            Some(Code::MessageTooLarge) => too_large(),
            Some(code) => side_fault(code, "the server asks for a pause"),
            None => Fault::new(
                Code::MessageRefused,
                Reach::Message,
                Remedy::Skip,
                "the destination did not accept the message",
            ),
        },
    };
    fault.said(reply.said())
}

/// The fault of any other command that was answered NO or BAD.
pub(crate) fn command_fault(reply: &Reply, what: &str) -> Fault {
    let fault = match &reply.code {
        Some(ReplyCode::NonExistent | ReplyCode::TryCreate) => Fault::new(
            Code::MailboxMissing,
            Reach::Mailbox,
            Remedy::AskUser,
            format!("{what}: there is no such mailbox"),
        ),
        Some(ReplyCode::OverQuota) => quota_fault(),
        Some(code) if is_busy(code) => side_fault(
            words(reply, When::Any).unwrap_or(Code::ServerBusy),
            &format!("{what}: the server asks for a pause"),
        ),
        _ => match words(reply, When::Any) {
            Some(code) => side_fault(code, &format!("{what}: the server asks for a pause")),
            None => Fault::new(
                Code::ServerRefused,
                Reach::Mailbox,
                Remedy::Skip,
                format!("{what} was refused"),
            ),
        },
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

/// A fault of the whole side; what helps follows from the code.
fn side_fault(code: Code, detail: &str) -> Fault {
    let remedy = match code {
        Code::LinkLost | Code::LinkSilent | Code::ServerBusy | Code::ServerConnections => {
            Remedy::Retry { after: None }
        }
        _ => Remedy::AskUser,
    };
    Fault::new(code, Reach::Side, remedy, detail)
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
    fn known_words_stand_for_codes() {
        let samples = [
            (
                "connections-words",
                When::Login,
                "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
                Code::ServerConnections,
            ),
            (
                "throttle-words",
                When::Append,
                "[THROTTLED] Account exceeded command or bandwidth limits.",
                Code::ServerBusy,
            ),
            (
                "app-password-words",
                When::Login,
                "Application-specific password required: https://example.com (Failure)",
                Code::LoginAppPassword,
            ),
            (
                "oauth-words",
                When::Login,
                "LOGIN failed. BasicAuthBlocked",
                Code::LoginOauth,
            ),
            (
                "imap-off-words",
                When::Login,
                "Your account is not enabled for IMAP use. (Failure)",
                Code::LoginDisabled,
            ),
            (
                "locked-words",
                When::Login,
                "Too many login failures, account temporarily locked",
                Code::LoginLocked,
            ),
            (
                "quota-words",
                When::Append,
                "You exceeded your mail quota.",
                Code::QuotaExceeded,
            ),
            (
                "size-words",
                When::Append,
                "Message too large",
                Code::MessageTooLarge,
            ),
        ];
        assert_eq!(
            WORDS.iter().map(|w| w.name).collect::<Vec<_>>(),
            samples.iter().map(|s| s.0).collect::<Vec<_>>(),
            "each quirk has a sample, in order"
        );
        assert!(WORDS.iter().all(|w| !w.reason.is_empty()));
        for (name, when, text, code) in samples {
            assert_eq!(
                words(&reply(ReplyKind::No, None, text), when),
                Some(code),
                "{name}"
            );
        }
        assert_eq!(
            words(&reply(ReplyKind::No, None, "Over quota"), When::Login),
            None
        );
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
            of(ReplyKind::Bye, None, "Autologout"),
            (Code::ServerBusy, true)
        );
    }
}
