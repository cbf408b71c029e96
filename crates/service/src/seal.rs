//! Passwords at rest: sealed with a key that is not in the database, for one job and one side only.
//!
//! XChaCha20-Poly1305 with a random nonce of 192 bits (draft-irtf-cfrg-xchacha-03). The job's identity and the side are
//! associated data, so what was sealed for one job does not open for another.

use crate::job::JobId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use hikyaku_net::Secret;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Octets of a key.
const KEY: usize = 32;

/// Octets of a nonce, which stand before what is sealed.
const NONCE: usize = 24;

/// Names what is sealed, so that a key that is used for something else opens nothing here.
const PURPOSE: &str = "hikyaku secret 1";

/// The key of a service. Clones share it; it is overwritten with the last one.
#[derive(Clone)]
pub struct Key(Arc<Zeroizing<[u8; KEY]>>);

impl Key {
    /// A new one.
    pub fn random() -> Self {
        Self(Arc::new(Zeroizing::new(rand::random())))
    }

    /// From 32 octets in base64 (RFC 4648, section 4), as `openssl rand -base64 32` prints them.
    ///
    /// # Errors
    /// `config.invalid` for anything else.
    pub fn from_base64(text: &str) -> Result<Self, Fault> {
        let octets = STANDARD.decode(text.trim()).map(Zeroizing::new);
        let key = octets.ok().and_then(|o| <[u8; KEY]>::try_from(&o[..]).ok());
        let key = key.ok_or_else(|| invalid("the key must be 32 octets in base64"))?;
        Ok(Self(Arc::new(Zeroizing::new(key))))
    }

    /// From a file that holds such a text.
    ///
    /// # Errors
    /// `config.invalid` for a file that cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| unusable(path, &error))?;
        Self::from_base64(&text).map_err(|mut fault| {
            fault.detail = format!("{}: {}", path.display(), fault.detail);
            fault
        })
    }

    /// From a file, which is made with a new key, for its owner only, where there is none.
    ///
    /// # Errors
    /// As of [`Self::read`]; `config.invalid` when it cannot be made.
    pub fn read_or_make(path: &Path) -> Result<Self, Fault> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Self::read(path);
            }
            opened => opened.map_err(|error| unusable(path, &error))?,
        };
        let key = Self::random();
        let text = Zeroizing::new(STANDARD.encode(&key.0[..]) + "\n");
        let written = file.write_all(text.as_bytes());
        // What is sealed with a key that is lost in a power cut opens never again.
        let durable = written.and_then(|()| file.sync_all());
        durable.map_err(|error| unusable(path, &error))?;
        Ok(key)
    }

    /// Seals a secret for one side of one job.
    ///
    /// # Errors
    /// None that a secret of sane length can have.
    pub fn seal(&self, job: JobId, side: Side, secret: &Secret) -> Result<Vec<u8>, Fault> {
        let nonce: [u8; NONCE] = rand::random();
        let bound = bound_to(job, side);
        let payload = Payload {
            msg: secret.expose(),
            aad: bound.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Fault::bug("a secret could not be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for this side of this job.
    ///
    /// # Errors
    /// `secret.unreadable` for what was sealed with another key, for another job or side, or was altered.
    pub fn open(&self, job: JobId, side: Side, sealed: &[u8]) -> Result<Secret, Fault> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or_else(|| unreadable(side))?;
        let bound = bound_to(job, side);
        let payload = Payload {
            msg: sealed,
            aad: bound.as_bytes(),
        };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        opened.map(Secret::new).map_err(|_| unreadable(side))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&**self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The name of a side in rows.
pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

fn bound_to(job: JobId, side: Side) -> String {
    format!("{PURPOSE}\n{job}\n{}", side_name(side))
}

fn unreadable(side: Side) -> Fault {
    let detail =
        "the password that was kept does not open with this key; it has to be entered again";
    Fault::new(Code::SecretUnreadable, Reach::Job, Remedy::AskUser, detail).on(side)
}

fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    invalid(&format!("the key file {}: {error}", path.display()))
}

fn invalid(detail: &str) -> Fault {
    Fault::new(Code::ConfigInvalid, Reach::Job, Remedy::AskUser, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_job_side_and_key_only() {
        let (key, job) = (Key::random(), JobId::random());
        let secret = Secret::from("planted-7d1e");
        let sealed = key.seal(job, Side::Source, &secret).expect("sealed");
        let opened = key.open(job, Side::Source, &sealed).expect("opened");
        assert_eq!(opened.expose(), b"planted-7d1e");
        assert!(!sealed.windows(12).any(|w| w == b"planted-7d1e"));
        let again = key.seal(job, Side::Source, &secret).expect("sealed");
        assert_ne!(sealed, again, "a nonce serves once");

        let other = JobId(job.0 ^ 1);
        let mut bent = sealed.clone();
        bent[30] ^= 1;
        let refused = [
            key.open(other, Side::Source, &sealed),
            key.open(job, Side::Destination, &sealed),
            Key::random().open(job, Side::Source, &sealed),
            key.open(job, Side::Source, &bent),
            key.open(job, Side::Source, &sealed[..39]),
            key.open(job, Side::Source, &[]),
        ];
        for (n, refused) in refused.into_iter().enumerate() {
            let fault = refused.map(drop).expect_err("closed");
            assert_eq!(fault.code, Code::SecretUnreadable, "{n}");
        }
        assert_eq!(format!("{key:?}"), "***");
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        assert_eq!(
            Key::read(&path).expect_err("absent").code,
            Code::ConfigInvalid
        );
        let made = Key::read_or_make(&path).expect("made");
        let read = Key::read_or_make(&path).expect("read");
        let job = JobId(7);
        let sealed = made
            .seal(job, Side::Destination, &Secret::from("x"))
            .expect("sealed");
        assert!(read.open(job, Side::Destination, &sealed).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        for wrong in ["", "AAAA", "not base64 at all!"] {
            std::fs::write(&path, wrong).expect("written");
            let fault = Key::read_or_make(&path).expect_err("no key");
            assert_eq!(fault.code, Code::ConfigInvalid);
            assert!(fault.detail.contains("key"), "{fault}");
        }
    }
}
