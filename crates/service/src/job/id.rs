//! Names of jobs and uploads: 128 bits in 26 digits.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Digits of identities: no I, L, O or U, in lower case for addresses.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Digits of 128 bits.
const LENGTH: usize = 26;

/// Names a job in addresses: 128 random bits, which nobody guesses; the owner is asked for all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u128);

impl JobId {
    /// A new one.
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..LENGTH).rev().try_for_each(|n| {
            let digit = DIGITS[(self.0 >> (5 * n) & 31) as usize];
            write!(f, "{}", char::from(digit))
        })
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for JobId {
    type Err = NoJobId;

    fn from_str(text: &str) -> Result<Self, NoJobId> {
        if text.len() != LENGTH {
            return Err(NoJobId);
        }
        let mut number: u128 = 0;
        for (place, c) in text.bytes().enumerate() {
            let value = DIGITS.iter().position(|d| *d == c).ok_or(NoJobId)?;
            // The first digit carries three bits.
            if place == 0 && value > 7 {
                return Err(NoJobId);
            }
            number = number << 5 | value as u128;
        }
        Ok(Self(number))
    }
}

/// A text that names no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoJobId;

impl fmt::Display for NoJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a name of 26 digits")
    }
}

/// Names an uploaded file: 128 random bits, written like a job's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadId(pub JobId);

impl UploadId {
    /// A new one.
    pub fn random() -> Self {
        Self(JobId::random())
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for UploadId {
    type Err = NoJobId;

    fn from_str(text: &str) -> Result<Self, NoJobId> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for UploadId {
    type Error = NoJobId;

    fn try_from(text: String) -> Result<Self, NoJobId> {
        text.parse()
    }
}

impl From<UploadId> for String {
    fn from(id: UploadId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_survive_being_written() {
        for id in [JobId(0), JobId(u128::MAX), JobId::random(), JobId(31)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(JobId(u128::MAX).to_string(), "7zzzzzzzzzzzzzzzzzzzzzzzzz");
        for wrong in [
            "",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "7zzzzzzzzzzzzzzzzzzzzzzzz",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "７zzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(wrong.parse::<JobId>(), Err(NoJobId), "{wrong}");
        }
    }
}
