//! The server's half of the SASL mechanisms, without the connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The digest of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// Rounds of PBKDF2; RFC 7677 §4 asks for 4096 at least.
pub(super) const ROUNDS: u32 = 4096;

impl Hash {
    fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => {
                let mut mac =
                    Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
                mac.update(octets);
                mac.finalize().into_bytes().to_vec()
            }
            Self::Sha256 => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
                mac.update(octets);
                mac.finalize().into_bytes().to_vec()
            }
        }
    }

    fn salted(self, password: &str, salt: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => {
                let mut key = [0; 20];
                pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, ROUNDS, &mut key);
                key.to_vec()
            }
            Self::Sha256 => {
                let mut key = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, ROUNDS, &mut key);
                key.to_vec()
            }
        }
    }
}

/// A SCRAM exchange after the client's first message (RFC 5802).
pub(super) struct Scram {
    hash: Hash,
    pub(super) user: String,
    /// The identity asked for, when it is not the user's own.
    pub(super) authzid: Option<String>,
    gs2: String,
    client_first: String,
    server_first: String,
    nonce: String,
    salt: Vec<u8>,
}

impl Scram {
    /// Reads `n,a=…,n=user,r=nonce`; `None` when it is not that.
    pub(super) fn begin(hash: Hash, first: &[u8], own_nonce: &str, salt: &[u8]) -> Option<Self> {
        let first = std::str::from_utf8(first).ok()?;
        let mut parts = first.splitn(3, ',');
        let (binding, authzid, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if binding != "n" && binding != "y" {
            return None;
        }
        let user = field(bare, "n=")?.replace("=2C", ",").replace("=3D", "=");
        let nonce = format!("{}{own_nonce}", field(bare, "r=")?);
        let server_first = format!("r={nonce},s={},i={ROUNDS}", STANDARD.encode(salt));
        Some(Self {
            hash,
            user,
            authzid: authzid
                .strip_prefix("a=")
                .map(|a| a.replace("=2C", ",").replace("=3D", "=")),
            gs2: format!("{binding},{authzid},"),
            client_first: bare.to_owned(),
            server_first,
            nonce,
            salt: salt.to_vec(),
        })
    }

    /// What the server says next.
    pub(super) fn challenge(&self) -> &str {
        &self.server_first
    }

    /// Checks the client's proof; the server's own proof when it is right.
    pub(super) fn finish(&self, last: &[u8], password: &str) -> Option<String> {
        let last = std::str::from_utf8(last).ok()?;
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        let binding = STANDARD.decode(field(without_proof, "c=")?).ok()?;
        if binding != self.gs2.as_bytes() || field(without_proof, "r=")? != self.nonce {
            return None;
        }
        let message = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let salted = self.hash.salted(password, &self.salt);
        let stored = self.hash.digest(&self.hash.hmac(&salted, b"Client Key"));
        let signature = self.hash.hmac(&stored, message.as_bytes());
        let proof = STANDARD
            .decode(proof)
            .ok()
            .filter(|p| p.len() == signature.len())?;
        let key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if self.hash.digest(&key) != stored {
            return None;
        }
        let server_key = self.hash.hmac(&salted, b"Server Key");
        Some(format!(
            "v={}",
            STANDARD.encode(self.hash.hmac(&server_key, message.as_bytes()))
        ))
    }
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(name))
}

/// The answer to a CRAM-MD5 challenge (RFC 2195), in hexadecimal.
pub(super) fn cram_md5(password: &str, challenge: &str) -> String {
    let mut mac =
        Hmac::<Md5>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(challenge.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// User and token of XOAUTH2 (`user=…^Aauth=Bearer …^A^A`) or OAUTHBEARER
/// (`n,a=…,^A…^Aauth=Bearer …^A^A`, RFC 7628 §3.1). OAUTHBEARER may name no user.
pub(super) fn bearer(message: &[u8]) -> Option<(Option<String>, String)> {
    let message = std::str::from_utf8(message).ok()?;
    let mut user = None;
    let mut token = None;
    for part in message.split('\u{1}') {
        if let Some(name) = part.strip_prefix("user=") {
            user = Some(name.to_owned());
        } else if let Some(bearer) = part.strip_prefix("auth=Bearer ") {
            token = Some(bearer.to_owned());
        } else if let Some(name) = part.strip_prefix("n,a=") {
            user = Some(name.trim_end_matches(',').to_owned());
        }
    }
    Some((user, token?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scram_sha_1_accepts_the_proof_of_rfc_5802() {
        // RFC 5802 §5.
        let salt = STANDARD.decode("QSXCR+Q6sek8bf92").unwrap();
        let first = b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL";
        let scram = Scram::begin(Hash::Sha1, first, "3rfcNHYJY1ZVvWVs7j", &salt).unwrap();
        assert_eq!(
            scram.challenge(),
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
        );
        let last =
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        assert_eq!(
            scram.finish(last, "pencil").as_deref(),
            Some("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")
        );
        assert_eq!(scram.finish(last, "pencils"), None);
    }

    #[test]
    fn scram_sha_256_accepts_the_proof_of_rfc_7677() {
        // RFC 7677 §3.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let first = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let own = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let scram = Scram::begin(Hash::Sha256, first, own, &salt).unwrap();
        let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let proof = scram.finish(last, "pencil");
        assert_eq!(
            proof.as_deref(),
            Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
    }

    #[test]
    fn cram_md5_gives_the_digest_of_rfc_2195() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(
            cram_md5("tanstaaftanstaaf", challenge),
            "b913a602c7eda7a495b4e6e7334d3890"
        );
    }

    #[test]
    fn bearer_tokens_are_found_in_both_forms() {
        let xoauth2 = b"user=a@b\x01auth=Bearer tok\x01\x01";
        assert_eq!(bearer(xoauth2), Some((Some("a@b".into()), "tok".into())));
        let oauthbearer = b"n,a=a@b,\x01host=h\x01port=993\x01auth=Bearer tok\x01\x01";
        assert_eq!(
            bearer(oauthbearer),
            Some((Some("a@b".into()), "tok".into()))
        );
        assert_eq!(
            bearer(b"n,,\x01auth=Bearer tok\x01\x01"),
            Some((None, "tok".into()))
        );
        assert_eq!(bearer(b"user=a@b\x01\x01"), None);
    }
}
