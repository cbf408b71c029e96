//! SCRAM (RFC 5802, RFC 7677): the password never travels, and the server proves that it knows it.

use super::prep::saslprep;
use super::{Credentials, Mechanism, confused, unsendable};
use crate::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hikyaku_core::{Code, Fault, Reach, Remedy, Said};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// RFC 7677 §4 asks servers for at least so many; fewer make a stolen exchange cheap to guess from.
const FEWEST_ROUNDS: u32 = 4096;

/// More would let a hostile server keep our processors busy.
const MOST_ROUNDS: u32 = 1_000_000;

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

type Digested = Zeroizing<Vec<u8>>;

impl Hash {
    fn digest(self, data: &[u8]) -> Digested {
        Zeroizing::new(match self {
            Hash::Sha1 => Sha1::digest(data).to_vec(),
            Hash::Sha256 => Sha256::digest(data).to_vec(),
        })
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Result<Digested, Fault> {
        fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<Digested, Fault> {
            let mut mac = <M as KeyInit>::new_from_slice(key)
                .map_err(|_| Fault::bug("HMAC refused a key"))?;
            mac.update(data);
            Ok(Zeroizing::new(mac.finalize().into_bytes().to_vec()))
        }
        match self {
            Hash::Sha1 => mac::<Hmac<Sha1>>(key, data),
            Hash::Sha256 => mac::<Hmac<Sha256>>(key, data),
        }
    }

    fn salted(self, password: &[u8], salt: &[u8], rounds: u32) -> Digested {
        match self {
            Hash::Sha1 => {
                let mut out = Zeroizing::new(vec![0; 20]);
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut out);
                out
            }
            Hash::Sha256 => {
                let mut out = Zeroizing::new(vec![0; 32]);
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut out);
                out
            }
        }
    }
}

pub(super) struct Scram {
    hash: Hash,
    /// `n,,` or `n,a=account,`: no channel binding.
    header: String,
    nonce: String,
    /// `n=user,r=nonce`.
    bare: String,
    password: Secret,
    state: State,
}

enum State {
    Start,
    FirstSent,
    /// With the signature that the server has to show.
    ProofSent(Digested),
    ServerProven,
    Spent,
}

impl Scram {
    pub(super) fn new(
        hash: Hash,
        credentials: &Credentials,
        password: &Secret,
        nonce: &str,
    ) -> Result<Self, Fault> {
        if nonce.is_empty() || !nonce.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
            return Err(Fault::bug(
                "a SCRAM nonce has to be printable ASCII without a comma",
            ));
        }
        let names = [Some(&credentials.user), credentials.act_as.as_ref()];
        if names.into_iter().flatten().any(|name| name.contains('\0')) {
            return Err(unsendable("user names must not contain NUL"));
        }
        let header = match &credentials.act_as {
            Some(account) => format!("n,a={},", saslname(account)),
            None => "n,,".to_owned(),
        };
        Ok(Self {
            hash,
            header,
            nonce: nonce.to_owned(),
            bare: format!("n={},r={nonce}", saslname(&credentials.user)),
            password: password.clone(),
            state: State::Start,
        })
    }

    fn first(&self) -> Secret {
        Secret::from(format!("{}{}", self.header, self.bare))
    }

    /// Answers `r=…,s=…,i=…` with the proof; keeps the signature to expect.
    fn proof(&self, challenge: &[u8]) -> Result<(Secret, Digested), Fault> {
        let challenge = text(challenge)?;
        let server = ServerFirst::read(challenge, &self.nonce)?;
        let binding = STANDARD.encode(&self.header);
        let without_proof = format!("c={binding},r={}", server.nonce);
        let signed = format!("{},{challenge},{without_proof}", self.bare);

        let password = saslprep(self.password.expose());
        let salted = self.hash.salted(&password, &server.salt, server.rounds);
        let client_key = self.hash.hmac(&salted, b"Client Key")?;
        let stored_key = self.hash.digest(&client_key);
        let mut proof = self.hash.hmac(&stored_key, signed.as_bytes())?;
        for (p, k) in proof.iter_mut().zip(client_key.iter()) {
            *p ^= k;
        }
        let server_key = self.hash.hmac(&salted, b"Server Key")?;
        let expected = self.hash.hmac(&server_key, signed.as_bytes())?;
        let answer = format!("{without_proof},p={}", STANDARD.encode(&proof[..]));
        Ok((Secret::from(answer), expected))
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &'static str {
        match self.hash {
            Hash::Sha1 => "SCRAM-SHA-1",
            Hash::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn initial(&mut self) -> Option<Secret> {
        self.state = State::FirstSent;
        Some(self.first())
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Secret, Fault> {
        // Whatever goes wrong below, the exchange cannot be taken up again.
        match std::mem::replace(&mut self.state, State::Spent) {
            State::Start => {
                self.state = State::FirstSent;
                Ok(self.first())
            }
            State::FirstSent => {
                let (answer, expected) = self.proof(challenge)?;
                self.state = State::ProofSent(expected);
                Ok(answer)
            }
            State::ProofSent(expected) => {
                check_server(text(challenge)?, &expected)?;
                self.state = State::ServerProven;
                Ok(Secret::new(""))
            }
            State::ServerProven | State::Spent => {
                Err(confused("the server asks for more than SCRAM has to say"))
            }
        }
    }

    fn finish(&self) -> Result<(), Fault> {
        match self.state {
            State::ServerProven => Ok(()),
            _ => Err(impostor("it ended the login early")),
        }
    }
}

struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    rounds: u32,
}

impl<'a> ServerFirst<'a> {
    /// RFC 5802 §7, `server-first-message`. Extensions after the round count
    /// are optional and passed over; a mandatory one comes first and is refused.
    fn read(message: &'a str, ours: &str) -> Result<Self, Fault> {
        let odd = || confused("the server's SCRAM challenge is malformed");
        refused(message)?;
        let mut fields = message.split(',');
        let mut field = |key| {
            fields
                .next()
                .and_then(|f| f.strip_prefix(key))
                .ok_or_else(odd)
        };
        let nonce = field("r=")?;
        let salt = STANDARD.decode(field("s=")?).map_err(|_| odd())?;
        let rounds: u32 = field("i=")?.parse().map_err(|_| odd())?;
        if nonce.len() <= ours.len() || !nonce.starts_with(ours) {
            return Err(impostor("its answer does not continue our nonce"));
        }
        if !(FEWEST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
            return Err(confused(&format!(
                "the server asks for {rounds} rounds of SCRAM hashing; between {FEWEST_ROUNDS} and {MOST_ROUNDS} are accepted"
            )));
        }
        Ok(Self {
            nonce,
            salt,
            rounds,
        })
    }
}

/// RFC 5802 §7, `server-final-message`.
fn check_server(message: &str, expected: &[u8]) -> Result<(), Fault> {
    refused(message)?;
    let shown = message
        .split(',')
        .next()
        .and_then(|field| field.strip_prefix("v="))
        .and_then(|signature| STANDARD.decode(signature).ok());
    if shown.as_deref() == Some(expected) {
        Ok(())
    } else {
        Err(impostor("its signature is wrong"))
    }
}

/// The server's own `e=` (RFC 5802 §7).
fn refused(message: &str) -> Result<(), Fault> {
    let Some(error) = message.strip_prefix("e=") else {
        return Ok(());
    };
    let error = error.split(',').next().unwrap_or_default();
    let (code, detail) = match error {
        "unknown-user" | "invalid-proof" | "invalid-username-encoding" => {
            (Code::LoginRejected, "user name or password was refused")
        }
        _ => (
            Code::LoginMechanism,
            "the server gave up the SCRAM exchange",
        ),
    };
    Err(
        Fault::new(code, Reach::Side, Remedy::AskUser, detail).said(Said::new(
            "NO",
            Some(error),
            "",
        )),
    )
}

fn impostor(why: &str) -> Fault {
    confused(&format!(
        "the server did not prove that it knows the password ({why}); it may not be the server that it claims to be"
    ))
}

fn text(message: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(message).map_err(|_| confused("the server's SCRAM message is not UTF-8"))
}

/// RFC 5802 §5.1: prepared, with `=` and `,` escaped.
pub(super) fn saslname(name: &str) -> String {
    let prepared = saslprep(name.as_bytes());
    String::from_utf8_lossy(&prepared)
        .replace('=', "=3D")
        .replace(',', "=2C")
}
