//! CRAM-MD5 (RFC 2195): kept for old servers that offer nothing better.

use super::{Credentials, Mechanism, confused, join, unsendable};
use crate::Secret;
use hikyaku_core::Fault;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

pub(super) struct CramMd5 {
    user: String,
    password: Option<Secret>,
}

impl CramMd5 {
    pub(super) fn new(credentials: &Credentials, password: &Secret) -> Result<Self, Fault> {
        if credentials.act_as.is_some() {
            return Err(unsendable("CRAM-MD5 cannot act as another account"));
        }
        Ok(Self {
            user: credentials.user.clone(),
            password: Some(password.clone()),
        })
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &'static str {
        "CRAM-MD5"
    }

    fn initial(&mut self) -> Option<Secret> {
        None
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Secret, Fault> {
        let password = self
            .password
            .take()
            .ok_or_else(|| confused("the server asks for more than CRAM-MD5 has to say"))?;
        let mut mac = Hmac::<Md5>::new_from_slice(password.expose())
            .map_err(|_| Fault::bug("HMAC refused a key"))?;
        mac.update(challenge);
        let digest = mac.finalize().into_bytes();
        let mut hex = String::with_capacity(32);
        for octet in digest {
            for nibble in [octet >> 4, octet & 15] {
                hex.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
            }
        }
        Ok(join(&[self.user.as_bytes(), b" ", hex.as_bytes()]))
    }
}
