//! Logging in: one way is chosen, and tried once.

use crate::command::{Command, Word};
use crate::reply::{Capabilities, Reply};
use crate::wire::{Turn, Wire};
use crate::words;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use hikyaku_net::Secret;
use hikyaku_net::sasl::{self, Credentials, Proof};
use md5::{Digest, Md5};
use std::fmt::Write;

/// Challenges of one login: no mechanism has as many.
const MOST_TURNS: usize = 10;

/// How a login is made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// AUTH with this mechanism.
    Sasl(&'static str),
    /// USER and PASS.
    User,
    /// APOP with the greeting's timestamp.
    Apop(String),
}

/// Logs in.
///
/// # Faults
/// The A and L classes, with the server's words; `config.invalid` for a name or a password that
/// cannot be sent.
pub(crate) async fn log_in(
    wire: &mut Wire,
    credentials: &Credentials,
    told: &Capabilities,
    timestamp: Option<&str>,
) -> Result<(), Fault> {
    let is_encrypted = wire.stream().is_encrypted();
    let Some(way) = choose(told, credentials, is_encrypted, timestamp) else {
        return Err(no_way(told, is_encrypted));
    };
    tracing::debug!(server = %wire.endpoint().server(), ?way, "logging in");
    let by_token = matches!(credentials.proof, Proof::Token(_));
    let (reply, explained) = match way {
        Way::Sasl(name) => exchange(wire, credentials, name).await?,
        Way::User => (user_and_password(wire, credentials).await?, None),
        Way::Apop(timestamp) => (apop(wire, credentials, &timestamp).await?, None),
    };
    match (reply.is_ok, explained) {
        (true, _) => Ok(()),
        (false, Some(fault)) => Err(fault.said(reply.said())),
        (false, None) => Err(words::login(&reply, by_token, told.login_delay())),
    }
}

/// The best way that both sides know.
fn choose(
    told: &Capabilities,
    credentials: &Credentials,
    is_encrypted: bool,
    timestamp: Option<&str>,
) -> Option<Way> {
    let offered = told.mechanisms();
    let is_simple = credentials.act_as.is_none() && matches!(credentials.proof, Proof::Password(_));
    // Old servers do not tell what goes without saying; those that want TLS first do not say USER.
    let says_nothing = offered.is_empty() && (is_encrypted || !told.has("STLS"));
    let user = is_simple && (!told.are_known || told.has("USER") || says_nothing);
    for &name in sasl::preference(credentials, is_encrypted) {
        let is_bare = matches!(name, "PLAIN" | "LOGIN");
        if let (true, true, false, Some(timestamp)) = (is_simple, is_bare, is_encrypted, timestamp)
        {
            return Some(Way::Apop(timestamp.to_owned()));
        }
        if offered.iter().any(|offered| offered == name) {
            return Some(Way::Sasl(name));
        }
    }
    user.then_some(Way::User)
}

fn no_way(told: &Capabilities, is_encrypted: bool) -> Fault {
    let offered = told.mechanisms();
    let hint = match is_encrypted {
        true => "",
        false => "; it may want encryption first: use STLS or implicit TLS",
    };
    Fault::new(
        Code::LoginMechanism,
        Reach::Side,
        Remedy::AskUser,
        format!("no way to log in fits: the server offers {offered:?}{hint}"),
    )
}

fn password(credentials: &Credentials) -> Result<&Secret, Fault> {
    match &credentials.proof {
        Proof::Password(password) => Ok(password),
        Proof::Token(_) => Err(Fault::bug("a token in place of a password")),
    }
}

async fn user_and_password(wire: &mut Wire, credentials: &Credentials) -> Result<Reply, Fault> {
    let user = Word::new(credentials.user.as_bytes())?;
    let password = Word::new(password(credentials)?.expose())?;
    let reply = wire.ask(Command::User(user)).await?;
    match reply.is_ok {
        true => wire.ask(Command::Pass(password)).await,
        false => Ok(reply),
    }
}

async fn apop(wire: &mut Wire, credentials: &Credentials, timestamp: &str) -> Result<Reply, Fault> {
    let user = Word::new(credentials.user.as_bytes())?;
    let digest = digest(timestamp, password(credentials)?);
    wire.ask(Command::Apop(user, Word::new(digest.as_bytes())?))
        .await
}

/// RFC 1939 §7: MD5 over timestamp and password, in hexadecimal digits.
fn digest(timestamp: &str, password: &Secret) -> String {
    let mut md5 = Md5::new();
    md5.update(timestamp.as_bytes());
    md5.update(password.expose());
    md5.finalize().iter().fold(String::new(), |mut hex, octet| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}

/// One exchange of a mechanism: its end, and what the server told the mechanism about a refusal.
///
/// The first message is never sent along with AUTH: servers from before RFC 5034 do not take it.
async fn exchange(
    wire: &mut Wire,
    credentials: &Credentials,
    name: &'static str,
) -> Result<(Reply, Option<Fault>), Fault> {
    let nonce = sasl::nonce()?;
    let setting = sasl::Setting {
        host: &wire.endpoint().host,
        port: wire.endpoint().port,
        nonce: &nonce,
    };
    let mut mechanism = sasl::start(name, credentials, &setting)?;
    let mut initial = mechanism.initial();
    wire.send(&[Command::Auth(name)]).await?;
    for _ in 0..MOST_TURNS {
        let challenge = match wire.challenge().await? {
            Turn::Challenge(challenge) => challenge,
            Turn::Done(reply) if reply.is_ok => {
                mechanism.finish()?;
                return Ok((reply, None));
            }
            Turn::Done(reply) => return Ok((reply, mechanism.refusal())),
        };
        let answer = match initial.take() {
            Some(first) => sasl::encode(&first),
            None => {
                let (back, answer) = sasl::step(mechanism, challenge.to_vec()).await?;
                mechanism = back;
                match answer {
                    Ok(answer) => answer,
                    Err(fault) => {
                        wire.send(&[Command::Cancel]).await?;
                        return Err(fault);
                    }
                }
            }
        };
        wire.write(&sasl::line(&answer)).await?;
    }
    Err(words::confused("the server asks on and on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str]) -> Capabilities {
        let mut told = Capabilities::known();
        lines.iter().for_each(|line| told.take(line.as_bytes()));
        told
    }

    #[test]
    fn the_best_way_that_both_know_is_taken() {
        let user = Credentials::password("taro", "secret");
        let other = Credentials::password("admin", "secret").acting_as("taro");
        let token = Credentials::token("taro", "ya29");
        let stamp = Some("<1@b>");
        let apop = Some(Way::Apop("<1@b>".to_owned()));
        let all = [
            "USER",
            "SASL LOGIN PLAIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER",
        ];
        for (lines, who, is_encrypted, timestamp, expected) in [
            (&all[..], &user, true, stamp, Some(Way::Sasl("PLAIN"))),
            (&all, &user, false, stamp, Some(Way::Sasl("SCRAM-SHA-256"))),
            (&all, &token, true, None, Some(Way::Sasl("OAUTHBEARER"))),
            (&all, &other, true, None, Some(Way::Sasl("PLAIN"))),
            (&["SASL PLAIN"], &user, false, stamp, apop.clone()),
            (
                &["SASL PLAIN"],
                &user,
                false,
                None,
                Some(Way::Sasl("PLAIN")),
            ),
            (
                &["SASL XOAUTH2"],
                &token,
                true,
                None,
                Some(Way::Sasl("XOAUTH2")),
            ),
            (&["USER"], &token, true, None, None),
            (&["USER"], &other, true, None, None),
            (&["USER"], &user, true, stamp, Some(Way::User)),
            (&["USER"], &user, false, stamp, apop),
            (&["TOP"], &user, true, None, Some(Way::User)),
            (&["TOP"], &user, false, None, Some(Way::User)),
            // Dovecot before TLS, where TLS is asked for.
            (&["STLS", "SASL"], &user, false, None, None),
            (&["SASL GSSAPI"], &user, true, None, None),
        ] {
            let way = choose(&told(lines), who, is_encrypted, timestamp);
            assert_eq!(way, expected, "{lines:?} {is_encrypted} {timestamp:?}");
        }
        let unknown = Capabilities::default();
        assert_eq!(choose(&unknown, &user, true, None), Some(Way::User));
        assert_eq!(choose(&unknown, &token, true, None), None);
    }

    #[test]
    fn the_digest_of_the_rfc() {
        let stamp = "<1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(
            digest(stamp, &Secret::from("tanstaaf")),
            "c4c9334bac560ecc979e58001b3e22fb"
        );
    }
}
