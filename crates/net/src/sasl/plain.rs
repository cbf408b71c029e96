//! PLAIN (RFC 4616) and the older LOGIN: the password itself, for TLS.

use super::{Credentials, Mechanism, confused, join, unsendable};
use crate::Secret;
use hikyaku_core::Fault;

pub(super) struct Plain(Option<Secret>);

impl Plain {
    pub(super) fn new(credentials: &Credentials, password: &Secret) -> Result<Self, Fault> {
        let act_as = credentials.act_as.as_deref().unwrap_or_default();
        let parts = [
            act_as.as_bytes(),
            credentials.user.as_bytes(),
            password.expose(),
        ];
        if parts.iter().any(|part| part.contains(&0)) {
            return Err(unsendable("user name and password must not contain NUL"));
        }
        let [act_as, user, password] = parts;
        Ok(Self(Some(join(&[act_as, b"\0", user, b"\0", password]))))
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &'static str {
        "PLAIN"
    }

    fn ignores_challenges(&self) -> bool {
        true
    }

    fn initial(&mut self) -> Option<Secret> {
        self.0.take()
    }

    fn step(&mut self, _: &[u8]) -> Result<Secret, Fault> {
        self.0
            .take()
            .ok_or_else(|| confused("the server asks for more than PLAIN has to say"))
    }
}

/// Not standardised; the server asks for the name, then for the password. What it
/// writes in its questions differs and does not matter.
pub(super) struct Login {
    answers: std::vec::IntoIter<Secret>,
}

impl Login {
    pub(super) fn new(credentials: &Credentials, password: &Secret) -> Result<Self, Fault> {
        if credentials.act_as.is_some() {
            return Err(unsendable("LOGIN cannot act as another account"));
        }
        let answers = vec![Secret::from(credentials.user.as_str()), password.clone()];
        Ok(Self {
            answers: answers.into_iter(),
        })
    }
}

impl Mechanism for Login {
    fn name(&self) -> &'static str {
        "LOGIN"
    }

    fn ignores_challenges(&self) -> bool {
        true
    }

    fn initial(&mut self) -> Option<Secret> {
        None
    }

    fn step(&mut self, _: &[u8]) -> Result<Secret, Fault> {
        self.answers
            .next()
            .ok_or_else(|| confused("the server asks for more than LOGIN has to say"))
    }
}
