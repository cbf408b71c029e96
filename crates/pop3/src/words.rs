//! What servers say, as faults: by the code in brackets where there is one (RFC 2449 §8,
//! RFC 3206), else by words that servers are known to use.

use crate::reply::Reply;
use hikyaku_core::{Code, Fault, Key, Reach, Remedy};
use std::time::Duration;

/// How long to wait before a locked mailbox is knocked at again. Locks end with the other
/// program's session, so mostly within a minute; some servers count every knock.
const LOCKED: Duration = Duration::from_secs(30);

/// How long to wait when a server counts logins and does not say how many.
const DELAYED: Duration = Duration::from_secs(60);

/// Words that stand for a code which the server does not send. The first row counts.
const WORDS: &[(&[&str], Code)] = &[
    // qpopper, UW ipop3d, Courier, MDaemon and hMailServer let in one session at a time.
    (
        &[
            "mailbox is locked",
            "maildrop is locked",
            "mailbox locked",
            "maildrop already locked",
            "unable to lock",
            "cannot lock",
            "can't lock",
            "could not lock",
            "couldn't lock",
            "failed to lock",
            "lock busy",
            "is locked by",
            "mailbox in use",
            "mailbox is in use",
            "maildrop in use",
            "in use by another",
            "already in use",
            "another pop3 session",
            "another session",
            "already logged in",
            "mailbox is already open",
        ],
        Code::MailboxLocked,
    ),
    (
        &[
            "too many simultaneous connections",
            "too many connections",
            "maximum number of connections",
            "connection limit",
        ],
        Code::ServerConnections,
    ),
    (
        &[
            "bandwidth limits",
            "bandwidth limit",
            "daily limit",
            "daily download limit",
        ],
        Code::ServerBudget,
    ),
    // Gmail, Yahoo and iCloud refuse the account's own password.
    (
        &[
            "application-specific password",
            "app password",
            "app-specific password",
        ],
        Code::LoginAppPassword,
    ),
    // Outlook.com and Gmail switched passwords off.
    (
        &[
            "basicauthblocked",
            "basic authentication is disabled",
            "log in via your web browser",
            "web login required",
        ],
        Code::LoginOauth,
    ),
    (
        &[
            "not enabled for pop",
            "pop access is disabled",
            "pop is disabled",
            "pop3 is disabled",
            "pop3 access is disabled",
            "pop not enabled",
            "pop3 not enabled",
            "pop access not",
            "pop3 access not",
        ],
        Code::LoginPopDisabled,
    ),
    (
        &[
            "too many login failures",
            "too many failed",
            "temporarily locked",
            "account is locked",
            "temporarily blocked",
        ],
        Code::LoginLocked,
    ),
    // Logins are counted by many hosts: "wait 5 minutes between checks".
    (
        &[
            "login delay",
            "minutes between",
            "too frequent",
            "too often",
            "rate limit",
            "too busy",
            "server busy",
            "server is busy",
            "temporarily unavailable",
            "temporary failure",
            "try again later",
        ],
        Code::ServerBusy,
    ),
];

/// What the words of a refusal mean, where that is known.
fn words(reply: &Reply) -> Option<Code> {
    let text = reply.text.to_lowercase();
    let has = |words: &&[&str]| words.iter().any(|word| text.contains(word));
    WORDS
        .iter()
        .find(|(words, _)| has(words))
        .map(|(_, code)| *code)
}

/// A fault of the whole side; what helps follows from the code.
fn side(code: Code, after: Option<Duration>, detail: &str, reply: &Reply) -> Fault {
    let after = match code {
        Code::MailboxLocked => after.or(Some(LOCKED)),
        _ => after,
    };
    let remedy = match code.asks_for_a_pause() {
        true => Remedy::Retry { after },
        false => Remedy::AskUser,
    };
    Fault::new(code, Reach::Side, remedy, detail).said(reply.said())
}

/// A refusal that wants nothing but time, whatever was asked. `delay` is the shortest time
/// between two logins that the server told.
fn pause(reply: &Reply, delay: Option<Duration>) -> Option<Fault> {
    let (code, after) = match (reply.code.as_deref(), words(reply)) {
        (Some("IN-USE"), _) => (Code::MailboxLocked, None),
        (Some("LOGIN-DELAY"), _) => (Code::ServerBusy, delay.or(Some(DELAYED))),
        // The password was looked at: whatever else is said, it is not asked for again.
        (Some("AUTH"), _) => return None,
        (Some("SYS/TEMP"), Some(code)) | (None, Some(code)) if code.asks_for_a_pause() => {
            (code, None)
        }
        (Some("SYS/TEMP"), _) => (Code::ServerBusy, None),
        _ => return None,
    };
    let detail = match code {
        Code::MailboxLocked => "another program has the mailbox open",
        _ => "the server asks for a pause",
    };
    Some(side(code, after, detail, reply))
}

/// The fault of a greeting that turns everybody away.
pub(crate) fn greeting(reply: &Reply) -> Fault {
    let known = words(reply).filter(|code| code.asks_for_a_pause());
    pause(reply, None).unwrap_or_else(|| {
        let code = known.unwrap_or(Code::ServerBusy);
        side(
            code,
            None,
            "the server turns everybody away at the door",
            reply,
        )
    })
}

/// The fault of a refused login. It is never tried again with the same secret.
pub(crate) fn login(reply: &Reply, by_token: bool, delay: Option<Duration>) -> Fault {
    if let Some(fault) = pause(reply, delay) {
        return fault;
    }
    let known = words(reply).filter(|code| !code.asks_for_a_pause());
    let code = match (known, reply.code.as_deref()) {
        (Some(code), _) => code,
        (None, Some("SYS/PERM")) => Code::ServerRefused,
        (None, _) if by_token => Code::LoginExpired,
        (None, _) => Code::LoginRejected,
    };
    let detail = match code {
        Code::ServerRefused => {
            "the server cannot open this account, and says that this will not pass"
        }
        _ => "the login was refused",
    };
    side(code, None, detail, reply)
}

/// The fault of any other command that was refused.
pub(crate) fn refused(reply: &Reply, delay: Option<Duration>) -> Fault {
    pause(reply, delay).unwrap_or_else(|| {
        let fault = Fault::new(
            Code::ServerRefused,
            Reach::Side,
            Remedy::AskUser,
            "the server refused a command that every server must have",
        );
        fault.said(reply.said())
    })
}

/// The fault of a message that is not handed out.
pub(crate) fn message(reply: &Reply, key: Key) -> Fault {
    let detail = "the server does not hand out this message";
    let retry = Remedy::Retry { after: None };
    Fault::new(Code::MessageUnreadable, Reach::Message, retry, detail)
        .message(key)
        .said(reply.said())
}

/// The fault of a server that does not follow the protocol.
pub(crate) fn confused(detail: &str) -> Fault {
    let retry = Remedy::Retry { after: None };
    Fault::new(Code::ServerProtocol, Reach::Side, retry, detail)
}

/// The fault of a server that sends more than any server should.
pub(crate) fn excess(detail: impl Into<String>) -> Fault {
    let retry = Remedy::Retry { after: None };
    Fault::new(Code::ServerExcess, Reach::Side, retry, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> Reply {
        Reply::parse(line.as_bytes()).expect("an answer")
    }

    #[test]
    fn a_refused_login_says_what_helps() {
        let seconds = |n| Some(Duration::from_secs(n));
        let retry = |after| Remedy::Retry { after };
        let delay = seconds(900);
        for (line, code, remedy) in [
            (
                "-ERR [IN-USE] Mailbox is locked",
                Code::MailboxLocked,
                retry(seconds(30)),
            ),
            (
                "-ERR mailbox is locked by POP server",
                Code::MailboxLocked,
                retry(seconds(30)),
            ),
            (
                "-ERR [LOGIN-DELAY] minimum time between mail checks violation",
                Code::ServerBusy,
                retry(delay),
            ),
            (
                "-ERR [SYS/TEMP] Temporary failure",
                Code::ServerBusy,
                retry(None),
            ),
            (
                "-ERR [SYS/TEMP] Unable to lock maildrop",
                Code::MailboxLocked,
                retry(seconds(30)),
            ),
            (
                "-ERR Server busy, try again later",
                Code::ServerBusy,
                retry(None),
            ),
            (
                "-ERR Too many connections from your address",
                Code::ServerConnections,
                retry(None),
            ),
            (
                "-ERR [AUTH] Username and password not accepted.",
                Code::LoginRejected,
                Remedy::AskUser,
            ),
            // It was refused; "later" is no promise.
            (
                "-ERR [AUTH] Login failed, try again later",
                Code::LoginRejected,
                Remedy::AskUser,
            ),
            (
                "-ERR [AUTH] Application-specific password required",
                Code::LoginAppPassword,
                Remedy::AskUser,
            ),
            (
                "-ERR [AUTH] Web login required",
                Code::LoginOauth,
                Remedy::AskUser,
            ),
            (
                "-ERR [SYS/PERM] Your account is not enabled for POP access.",
                Code::LoginPopDisabled,
                Remedy::AskUser,
            ),
            (
                "-ERR [SYS/PERM] Mailbox is damaged",
                Code::ServerRefused,
                Remedy::AskUser,
            ),
            (
                "-ERR Logon failure: unknown user name or bad password.",
                Code::LoginRejected,
                Remedy::AskUser,
            ),
            ("-ERR account is locked", Code::LoginLocked, Remedy::AskUser),
            ("-ERR", Code::LoginRejected, Remedy::AskUser),
        ] {
            let fault = login(&reply(line), false, delay);
            assert_eq!(
                (fault.code, fault.remedy, fault.reach),
                (code, remedy, Reach::Side),
                "{line}"
            );
            assert!(fault.said.is_some(), "{line}");
        }
        assert_eq!(
            login(&reply("-ERR no"), true, None).code,
            Code::LoginExpired
        );
        assert_eq!(
            login(&reply("-ERR [LOGIN-DELAY] x"), false, None).remedy,
            retry(seconds(60))
        );
    }

    #[test]
    fn other_refusals_say_whether_time_helps() {
        assert_eq!(greeting(&reply("-ERR go away")).code, Code::ServerBusy);
        assert!(greeting(&reply("-ERR go away")).is_temporary());
        assert_eq!(
            greeting(&reply("-ERR too many connections")).code,
            Code::ServerConnections
        );
        assert_eq!(
            refused(&reply("-ERR [SYS/TEMP] x"), None).code,
            Code::ServerBusy
        );
        let fault = refused(&reply("-ERR unknown command"), None);
        assert_eq!(
            (fault.code, fault.remedy),
            (Code::ServerRefused, Remedy::AskUser)
        );
        let fault = message(&reply("-ERR no such message"), Key(7));
        assert_eq!(
            (fault.reach, fault.at.message),
            (Reach::Message, Some(Key(7)))
        );
    }
}
