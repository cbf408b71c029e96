//! What is known of one side before it is connected to: where it is, how its
//! owner signs in, and which certificates are accepted.

use crate::secret::SecretFrom;
use hikyaku_net::Fingerprint;
use std::path::PathBuf;

/// Options of one account, from the configuration or from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountOptions {
    /// Where the password is.
    pub(crate) password: Option<SecretFrom>,
    /// Where an OAuth access token is; takes the password's place.
    pub(crate) token: Option<SecretFrom>,
    /// Whose mail it is, when the user of the locator signs in for somebody else.
    pub(crate) authzid: Option<String>,
    /// PEM file with more issuers to trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// The only certificate to trust.
    pub(crate) pin: Option<Fingerprint>,
    /// Most connections.
    pub(crate) connections: Option<usize>,
}

impl AccountOptions {
    /// These options, and `base` for what they leave open. A password or token
    /// given here replaces both of the base; so do pin and CA file.
    pub(crate) fn over(self, base: &Self) -> Self {
        let signs_in = self.password.is_some() || self.token.is_some();
        let trusts = self.ca_file.is_some() || self.pin.is_some();
        let (password, token) = match signs_in {
            true => (self.password, self.token),
            false => (base.password.clone(), base.token.clone()),
        };
        let (ca_file, pin) = match trusts {
            true => (self.ca_file, self.pin),
            false => (base.ca_file.clone(), base.pin),
        };
        Self {
            password,
            token,
            authzid: self.authzid.or_else(|| base.authzid.clone()),
            ca_file,
            pin,
            connections: self.connections.or(base.connections),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_as_a_whole() {
        let base = AccountOptions {
            password: Some(SecretFrom::File("saved".into())),
            authzid: Some("taro".into()),
            ca_file: Some("ca.pem".into()),
            connections: Some(2),
            ..AccountOptions::default()
        };
        let given = AccountOptions {
            token: Some(SecretFrom::Env("TOKEN".into())),
            pin: Some(Fingerprint::of(b"x")),
            ..AccountOptions::default()
        };
        assert_eq!(AccountOptions::default().over(&base), base);
        let both = given.clone().over(&base);
        assert_eq!((both.password, both.token), (None, given.token));
        assert_eq!((both.ca_file, both.pin), (None, given.pin));
        assert_eq!((both.authzid, both.connections), (base.authzid, Some(2)));
    }
}
