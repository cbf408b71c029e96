//! OAUTHBEARER (RFC 7628) and its forerunner XOAUTH2: an access token.

use super::{Credentials, Mechanism, Setting, confused, join, scram, unsendable};
use crate::Secret;
use hikyaku_core::{Code, Fault, Reach, Remedy, Said};

pub(super) struct Bearer {
    name: &'static str,
    first: Option<Secret>,
    /// What ends the exchange after the server explained its refusal.
    acknowledgement: &'static [u8],
    explained: Option<String>,
}

impl Bearer {
    pub(super) fn xoauth2(credentials: &Credentials, token: &Secret) -> Result<Self, Fault> {
        if credentials.act_as.is_some() {
            return Err(unsendable("XOAUTH2 cannot act as another account"));
        }
        check(&credentials.user, token)?;
        let user = credentials.user.as_bytes();
        Ok(Self {
            name: "XOAUTH2",
            first: Some(join(&[
                b"user=",
                user,
                b"\x01auth=Bearer ",
                token.expose(),
                b"\x01\x01",
            ])),
            acknowledgement: b"",
            explained: None,
        })
    }

    /// The token says who logs in, so the identity sent is the account to act
    /// on (RFC 7628 §3.1): the user's own unless another was named.
    pub(super) fn oauthbearer(
        credentials: &Credentials,
        token: &Secret,
        setting: &Setting<'_>,
    ) -> Result<Self, Fault> {
        let account = credentials.act_as.as_ref().unwrap_or(&credentials.user);
        check(account, token)?;
        let account = scram::saslname(account);
        let port = setting.port.to_string();
        Ok(Self {
            name: "OAUTHBEARER",
            first: Some(join(&[
                b"n,a=",
                account.as_bytes(),
                b",\x01host=",
                setting.host.as_bytes(),
                b"\x01port=",
                port.as_bytes(),
                b"\x01auth=Bearer ",
                token.expose(),
                b"\x01\x01",
            ])),
            acknowledgement: b"\x01",
            explained: None,
        })
    }
}

fn check(account: &str, token: &Secret) -> Result<(), Fault> {
    if account.bytes().any(|b| b.is_ascii_control()) {
        return Err(unsendable(
            "the user name must not contain control characters",
        ));
    }
    // RFC 6750 §2.1: a token is printable ASCII without blanks.
    if token.is_empty() || !token.expose().iter().all(u8::is_ascii_graphic) {
        return Err(unsendable(
            "the access token is empty or contains blanks or line ends; give the token alone",
        ));
    }
    Ok(())
}

impl Mechanism for Bearer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&mut self) -> Option<Secret> {
        self.first.take()
    }

    /// A challenge after the token is the server's explanation of its refusal
    /// (RFC 7628 §3.2.3). It has to be answered before the server ends the login.
    fn step(&mut self, challenge: &[u8]) -> Result<Secret, Fault> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        if self.explained.is_some() {
            return Err(confused("the server explains its refusal again and again"));
        }
        self.explained = Some(String::from_utf8_lossy(challenge).into_owned());
        Ok(Secret::new(self.acknowledgement))
    }

    fn refusal(&self) -> Option<Fault> {
        let text = self.explained.as_deref()?;
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let status = json.as_ref().and_then(|json| json.get("status")?.as_str());
        let (code, detail) = match status {
            // The registered word, and the HTTP codes that Google and Microsoft send.
            Some("invalid_token" | "400" | "401") => (
                Code::LoginExpired,
                "the access token was refused: sign in again for a new one",
            ),
            Some("insufficient_scope" | "403") => (
                Code::LoginRejected,
                "the access token does not cover mail: sign in again and grant access to mail",
            ),
            _ => (Code::LoginRejected, "the access token was refused"),
        };
        let said = Said::new("NO", status, text);
        Some(Fault::new(code, Reach::Side, Remedy::AskUser, detail).said(said))
    }
}
