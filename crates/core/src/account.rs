//! Which account at which place: the identity that the ledger keeps.

use std::fmt;

/// One person's whole mail at one place, as a stable text such as
/// `imap://taro@mail.example.jp` (scheme without the transport's security, host
/// in lower case, port only where it is not the usual one; no password, no path).
///
/// Two runs about the same pair of accounts find each other by these texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// Takes the text as the identity.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
