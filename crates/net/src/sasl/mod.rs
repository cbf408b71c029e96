//! Ways to log in: SASL mechanisms (RFC 4422) as step machines without IO.
//!
//! The protocol carries the messages; [`encode`] and [`decode`] give them the
//! base64 form that all mail protocols use. Start with [`preference`], then
//! [`start`].

mod cram;
mod oauth;
mod plain;
mod prep;
mod scram;

use crate::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use hikyaku_core::{Code, Fault, Reach, Remedy};
use std::fmt;

/// Where a new secret comes from when one that worked is refused later: a token that
/// expired, a password that was changed in the middle of a run.
pub trait Renewal: Send + Sync + fmt::Debug {
    /// Gets new credentials by asking whoever has them, once. `None` when there are
    /// none, or no others than those that were refused.
    fn renew<'a>(&'a self, refused: &'a Fault) -> BoxFuture<'a, Option<Credentials>>;
}

/// One exchange of one mechanism. It serves one attempt and is then spent.
///
/// Faults name neither side nor server: the caller knows both.
pub trait Mechanism: Send {
    /// The registered name, in capitals.
    fn name(&self) -> &'static str;

    /// What the client says first, or `None` where the server begins.
    ///
    /// Where the protocol has no initial response, this answers the server's
    /// first, empty challenge. Not to be called twice.
    fn initial(&mut self) -> Option<Secret>;

    /// The answer to a challenge; it may be empty. SCRAM may compute for up to
    /// about a second, so call it where that blocks nobody.
    ///
    /// # Faults
    /// `server.protocol` for a challenge that makes no sense or a server that
    /// cannot prove itself; `login.rejected` when the server says so in SASL.
    fn step(&mut self, challenge: &[u8]) -> Result<Secret, Fault>;

    /// Whether the answers do not depend on what the server asks. Some servers
    /// then ask in plain words instead of base64; see [`answer`].
    fn ignores_challenges(&self) -> bool {
        false
    }

    /// To be called when the server reports success: whether it has proven
    /// itself, as far as the mechanism asks for that.
    ///
    /// # Faults
    /// `server.protocol` from a mutual mechanism that was cut short.
    fn finish(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// To be called when the server reports failure: what it told the
    /// mechanism about the reason, which is more than the protocol's own answer.
    fn refusal(&self) -> Option<Fault> {
        None
    }
}

impl fmt::Debug for dyn Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who logs in, and with what.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name that the secret belongs to.
    pub user: String,
    /// The account to act as, where it is another (an administrator's login).
    pub act_as: Option<String>,
    /// What proves it.
    pub proof: Proof,
}

/// What proves who somebody is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password.
    Password(Secret),
    /// An OAuth 2.0 access token.
    Token(Secret),
}

impl Credentials {
    /// A user with a password.
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            user: user.into(),
            act_as: None,
            proof: Proof::Password(password.into()),
        }
    }

    /// A user with an access token.
    pub fn token(user: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self {
            user: user.into(),
            act_as: None,
            proof: Proof::Token(token.into()),
        }
    }

    /// The same, acting as another account (RFC 4422 §2, authorization identity).
    #[must_use]
    pub fn acting_as(mut self, account: impl Into<String>) -> Self {
        self.act_as = Some(account.into());
        self
    }
}

/// Mechanisms that fit the credentials, the best first.
///
/// Over TLS the plain ones lead: servers are known to offer challenge-response
/// mechanisms without holding the secrets for them, and each failed attempt counts towards a
/// lock-out. In clear text the order is the other way round.
pub fn preference(credentials: &Credentials, encrypted: bool) -> &'static [&'static str] {
    match (&credentials.proof, credentials.act_as.is_some(), encrypted) {
        (Proof::Token(_), true, _) => &["OAUTHBEARER"],
        (Proof::Token(_), false, _) => &["OAUTHBEARER", "XOAUTH2"],
        // LOGIN and CRAM-MD5 cannot name a second account.
        (Proof::Password(_), true, true) => &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1"],
        (Proof::Password(_), true, false) => &["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"],
        (Proof::Password(_), false, true) => {
            &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "LOGIN", "CRAM-MD5"]
        }
        (Proof::Password(_), false, false) => {
            &["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
        }
    }
}

/// What a mechanism may have to know beside the credentials.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The server's host name and port: OAUTHBEARER sends them.
    pub host: &'a str,
    /// See `host`.
    pub port: u16,
    /// Random printable ASCII without a comma, never used before: SCRAM. See [`nonce`].
    pub nonce: &'a str,
}

/// Begins an exchange. The name is compared without regard to case.
///
/// # Faults
/// `login.mechanism` for a mechanism that is unknown or does not fit the
/// credentials; `config.invalid` when user name or secret contain what the
/// mechanism cannot carry.
pub fn start(
    name: &str,
    credentials: &Credentials,
    setting: &Setting<'_>,
) -> Result<Box<dyn Mechanism>, Fault> {
    let upper = name.to_ascii_uppercase();
    let mechanism: Box<dyn Mechanism> = match (upper.as_str(), &credentials.proof) {
        ("PLAIN", Proof::Password(password)) => Box::new(plain::Plain::new(credentials, password)?),
        ("LOGIN", Proof::Password(password)) => Box::new(plain::Login::new(credentials, password)?),
        ("CRAM-MD5", Proof::Password(password)) => {
            Box::new(cram::CramMd5::new(credentials, password)?)
        }
        ("SCRAM-SHA-1", Proof::Password(password)) => Box::new(scram::Scram::new(
            scram::Hash::Sha1,
            credentials,
            password,
            setting.nonce,
        )?),
        ("SCRAM-SHA-256", Proof::Password(password)) => Box::new(scram::Scram::new(
            scram::Hash::Sha256,
            credentials,
            password,
            setting.nonce,
        )?),
        ("XOAUTH2", Proof::Token(token)) => Box::new(oauth::Bearer::xoauth2(credentials, token)?),
        ("OAUTHBEARER", Proof::Token(token)) => {
            Box::new(oauth::Bearer::oauthbearer(credentials, token, setting)?)
        }
        (_, Proof::Password(_)) => return Err(unfit(&upper, "a password")),
        (_, Proof::Token(_)) => return Err(unfit(&upper, "an access token")),
    };
    Ok(mechanism)
}

/// A fresh nonce of 144 random bits.
///
/// # Faults
/// `bug` when the system has no randomness.
pub fn nonce() -> Result<String, Fault> {
    let mut random = [0u8; 18];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| Fault::bug("the system gives no random numbers"))?;
    Ok(STANDARD.encode(random))
}

/// Decodes a challenge as it travels, answers it and encodes the answer.
///
/// # Faults
/// As [`Mechanism::step`] and [`decode`].
pub fn answer(mechanism: &mut dyn Mechanism, challenge: &[u8]) -> Result<Secret, Fault> {
    let challenge = match decode(challenge) {
        Ok(challenge) => challenge,
        Err(_) if mechanism.ignores_challenges() => Vec::new(),
        Err(fault) => return Err(fault),
    };
    Ok(encode(&mechanism.step(&challenge)?))
}

/// [`answer`], away from the tasks that move mail: SCRAM computes for a while. The mechanism comes
/// back with it.
///
/// # Faults
/// Only when the computation itself failed; what [`answer`] says is inside.
pub async fn step(
    mut mechanism: Box<dyn Mechanism>,
    challenge: Vec<u8>,
) -> Result<(Box<dyn Mechanism>, Result<Secret, Fault>), Fault> {
    tokio::task::spawn_blocking(move || {
        let answer = answer(mechanism.as_mut(), &challenge);
        (mechanism, answer)
    })
    .await
    .map_err(|_| Fault::bug("the computation of a login answer failed"))
}

/// An encoded answer as a line of its own.
pub fn line(answer: &Secret) -> Secret {
    let mut line = Vec::with_capacity(answer.expose().len() + 2);
    line.extend_from_slice(answer.expose());
    line.extend_from_slice(b"\r\n");
    Secret::new(line)
}

/// A response as it travels: base64, empty when the response is empty.
pub fn encode(response: &Secret) -> Secret {
    Secret::from(STANDARD.encode(response.expose()))
}

/// A challenge as it travels, without its line end.
///
/// # Faults
/// `server.protocol` when it is not base64.
pub fn decode(challenge: &[u8]) -> Result<Vec<u8>, Fault> {
    STANDARD
        .decode(challenge.trim_ascii())
        .map_err(|_| confused("the server's login challenge is not base64"))
}

fn unfit(name: &str, what: &str) -> Fault {
    Fault::new(
        Code::LoginMechanism,
        Reach::Side,
        Remedy::AskUser,
        format!("{name:.40} is not a way to log in with {what} that is known here"),
    )
}

/// The server's part of the exchange makes no sense.
fn confused(detail: &str) -> Fault {
    Fault::new(Code::ServerProtocol, Reach::Side, Remedy::AskUser, detail)
}

/// The user's part cannot be sent.
fn unsendable(detail: &str) -> Fault {
    Fault::new(Code::ConfigInvalid, Reach::Side, Remedy::AskUser, detail)
}

/// One secret out of parts, without a reallocation that would leave a copy behind.
fn join(parts: &[&[u8]]) -> Secret {
    let mut whole = Vec::with_capacity(parts.iter().map(|p| p.len()).sum());
    for part in parts {
        whole.extend_from_slice(part);
    }
    Secret::new(whole)
}

#[cfg(test)]
mod tests;
