//! The table of words that stand for a code, and the pauses that servers name.

use crate::response::Reply;
use hikyaku_core::Code;
use std::time::Duration;

/// In which situation a server spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// While logging in, the greeting included.
    Login,
    /// In answer to an append.
    Append,
    /// At any time, by BYE too.
    Any,
}

/// Words that stand for a code which the server does not send.
pub(super) struct Words {
    /// Name of the quirk.
    pub(super) name: &'static str,
    /// Which servers, and why.
    pub(super) reason: &'static str,
    /// When the words count.
    pub(super) when: When,
    /// Any of these, in lower case, anywhere in the text.
    pub(super) any: &'static [&'static str],
    /// What they mean.
    pub(super) code: Code,
}

/// The table. The first row that fits counts.
pub(super) const WORDS: &[Words] = &[
    Words {
        name: "connections-words",
        reason: "Dovecot, Gmail, Courier and Exchange count connections and say so in prose",
        when: When::Any,
        any: &[
            "maximum number of connections",
            "too many simultaneous connections",
            "too many connections",
            "concurrent connections",
            "connection limit",
        ],
        code: Code::ServerConnections,
    },
    Words {
        name: "budget-words",
        reason: "Gmail closes an account for up to a day when the day's volume is used up, and calls it OVERQUOTA; nothing is full",
        when: When::Any,
        any: &[
            "exceeded command or bandwidth limits",
            "exceeded the bandwidth limit",
            "daily bandwidth",
            "daily download limit",
            "daily upload limit",
            "daily limit",
        ],
        code: Code::ServerBudget,
    },
    Words {
        name: "throttle-words",
        reason: "Exchange Online, Yahoo and iCloud ask for a pause in prose, Exchange with BAD",
        when: When::Any,
        any: &[
            "request is throttled",
            "suggested backoff time",
            "rate limit",
            "bandwidth limits",
            "server busy",
            "server is busy",
            "too busy",
            "server unavailable",
            "temporarily unavailable",
            "try again later",
        ],
        code: Code::ServerBusy,
    },
    Words {
        name: "not-connected-words",
        reason: "Exchange Online takes a login and then has no mailbox server for the session; another connection has",
        when: When::Any,
        any: &["user is authenticated but not connected"],
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
pub(super) fn words(reply: &Reply, when: When) -> Option<Code> {
    let text = reply.text.to_lowercase();
    let row = WORDS
        .iter()
        .filter(|row| row.when == When::Any || row.when == when)
        .find(|row| row.any.iter().any(|words| text.contains(words)))?;
    tracing::debug!(quirk = row.name, reason = row.reason, "known words");
    Some(row.code)
}

/// The longest pause that is believed: nobody counts in more than days.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Words behind which a pause is named.
const PAUSES: &[&str] = &[
    "backoff time",
    "again in",
    "again after",
    "retry after",
    "retry-after",
    "retry in",
    "please wait",
];

/// Octets between those words and the number.
const GAP: usize = 16;

/// The pause that a text asks for: *Suggested Backoff Time: 299910 milliseconds*, *try
/// again in 5 minutes*. A number without a unit is seconds, as in HTTP.
pub(super) fn pause(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    PAUSES.iter().find_map(|words| {
        let at = text.find(words)? + words.len();
        length(text.get(at..)?)
    })
}

/// The first number within reach, by its unit.
fn length(text: &str) -> Option<Duration> {
    let start = text.bytes().take(GAP).position(|b| b.is_ascii_digit())?;
    let rest = text.get(start..)?;
    let end = rest
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(end);
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    let unit = unit.trim_start_matches([' ', '-']);
    let millis = match unit {
        _ if unit.starts_with("ms") || unit.starts_with("milli") => 1,
        _ if unit.starts_with("min") => 60_000,
        _ if unit.starts_with('h') => 3_600_000,
        _ if unit.starts_with("day") => 86_400_000,
        _ => 1_000,
    };
    let pause = Duration::from_millis(number.saturating_mul(millis)).min(LONGEST);
    (!pause.is_zero()).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::ReplyKind;

    fn reply(text: &str) -> Reply {
        Reply {
            kind: ReplyKind::No,
            code: None,
            raw_code: None,
            text: text.to_owned(),
        }
    }

    /// One text for each row, as servers sent it.
    const SAMPLES: &[(&str, When, &str, Code)] = &[
        (
            "connections-words",
            When::Login,
            "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            Code::ServerConnections,
        ),
        (
            "budget-words",
            When::Any,
            "Account exceeded command or bandwidth limits.",
            Code::ServerBudget,
        ),
        (
            "throttle-words",
            When::Append,
            "Request is throttled. Suggested Backoff Time: 299609 milliseconds",
            Code::ServerBusy,
        ),
        (
            "not-connected-words",
            When::Any,
            "User is authenticated but not connected.",
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

    #[test]
    fn known_words_stand_for_codes() {
        assert_eq!(
            WORDS.iter().map(|w| w.name).collect::<Vec<_>>(),
            SAMPLES.iter().map(|s| s.0).collect::<Vec<_>>(),
            "each quirk has a sample, in order"
        );
        assert!(WORDS.iter().all(|w| !w.reason.is_empty()));
        for (name, when, text, code) in SAMPLES {
            assert_eq!(words(&reply(text), *when), Some(*code), "{name}");
        }
        assert_eq!(words(&reply("Over quota"), When::Login), None);
    }

    #[test]
    fn words_of_servers_that_were_seen_throttling() {
        for text in [
            "CAPABILITY Rate limit hit.",
            "Server Unavailable. 15",
            "Service temporarily unavailable",
            "Request is throttled. Suggested Backoff Time: 89117 milliseconds",
        ] {
            assert_eq!(
                words(&reply(text), When::Any),
                Some(Code::ServerBusy),
                "{text}"
            );
        }
    }

    #[test]
    fn a_pause_is_taken_from_the_text() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (text, expected) in [
            (
                "Request is throttled. Suggested Backoff Time: 299910 milliseconds",
                Some(Duration::from_millis(299_910)),
            ),
            ("Try again in 5 minutes.", seconds(300)),
            ("Too many requests, try again in 30 seconds", seconds(30)),
            ("please try again after 2 hours", seconds(7_200)),
            ("Retry-After: 120", seconds(120)),
            ("Please wait 90s", seconds(90)),
            ("retry after 999999999999999999999 days", seconds(86_400)),
            ("Suggested Backoff Time: 0 milliseconds", None),
            ("Please try again later", None),
            ("try again in a while; error 15 of 20", None),
            ("Connection closed. 14", None),
        ] {
            assert_eq!(pause(text), expected, "{text}");
        }
    }
}
