//! What a message holds, small enough to keep by the thousand.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// The octets of a message, or proof of them.
///
/// Two contents are equal when length and SHA-256 are equal; the octets themselves are kept only for small messages, to
/// show in a difference and to compute what a server's rewriting makes of them.
#[derive(Clone)]
pub struct Content {
    length: u64,
    sha256: [u8; 32],
    octets: Option<Vec<u8>>,
}

impl Content {
    /// Reads `length` octets, keeping them when there are at most `keep` of them.
    ///
    /// Fails with [`io::ErrorKind::UnexpectedEof`] when the reader ends before.
    pub fn read(reader: &mut impl Read, length: u64, keep: u64) -> io::Result<Self> {
        let mut digest = Sha256::new();
        let mut octets = (length <= keep).then(Vec::new);
        let mut left = length;
        let mut buffer = vec![0; usize::try_from(length.clamp(1, 64 * 1024)).unwrap_or(64 * 1024)];
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let got = reader.read(&mut buffer[..wanted])?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            digest.update(&buffer[..got]);
            if let Some(octets) = &mut octets {
                octets.extend_from_slice(&buffer[..got]);
            }
            left -= got as u64;
        }
        Ok(Self {
            length,
            sha256: digest.finalize().into(),
            octets,
        })
    }

    /// How many octets the message has.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 over the octets.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The octets, if they were kept.
    pub fn octets(&self) -> Option<&[u8]> {
        self.octets.as_deref()
    }

    /// Drops the octets and keeps the proof, to save memory.
    pub fn forget_octets(&mut self) {
        self.octets = None;
    }
}

impl From<&[u8]> for Content {
    fn from(octets: &[u8]) -> Self {
        Self {
            length: octets.len() as u64,
            sha256: Sha256::digest(octets).into(),
            octets: Some(octets.to_vec()),
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        (self.length, self.sha256) == (other.length, other.sha256)
    }
}

impl Eq for Content {}

impl Hash for Content {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sha256.hash(state);
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} octets, SHA-256 {}…",
            self.length,
            crate::certificates::hexadecimal(&self.sha256[..6])
        )?;
        if let Some(octets) = &self.octets {
            let start = &octets[..octets.len().min(80)];
            write!(f, ", \"{}\"", start.escape_ascii())?;
        }
        Ok(())
    }
}
