//! One side of a command: from what was typed to an account that can be signed in to.

use crate::account::AccountOptions;
use crate::config::Config;
use crate::locator::{Locator, Protocol, Security, ServerLocator};
use crate::output::Output;
use crate::problem::{Failure, Problem};
use crate::secret::{self, SecretFrom};
use crate::{suggest, words};
use hikyaku_core::{AccountId, MailboxName};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Anchors, Endpoint, Secret, Trust};

/// One side, before anything is asked of a server.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Which.
    pub(crate) which: hikyaku_core::Side,
    /// Where it is.
    pub(crate) locator: ServerLocator,
    /// How it is reached.
    pub(crate) options: AccountOptions,
}

impl Side {
    /// Finds what a text of the command line means. Nothing is read or asked yet.
    pub(crate) fn resolve(
        which: hikyaku_core::Side,
        text: &str,
        options: AccountOptions,
        config: &Config,
    ) -> Result<Self, Problem> {
        let located = Locator::parse(text).map_err(|why| Problem::locator(text, why))?;
        match located {
            Locator::Server(locator) if locator.protocol == Protocol::Imap => Ok(Self {
                which,
                locator,
                options,
            }),
            Locator::Saved { name, mailbox } => {
                let Some(account) = config.accounts.get(&name) else {
                    let names = config.accounts.keys().map(String::as_str);
                    let like = suggest::nearest(&name, names).map(str::to_owned);
                    return Err(Problem::SavedName(name, like));
                };
                if account.locator.protocol != Protocol::Imap {
                    return Err(Problem::NotYet(account.locator.scheme()));
                }
                let mut locator = account.locator.clone();
                locator.mailbox = mailbox.or(locator.mailbox);
                Ok(Self {
                    which,
                    locator,
                    options: options.over(&account.options),
                })
            }
            Locator::Archive { kind: None, .. } => Err(Problem::Place(text.to_owned())),
            other => Err(Problem::NotYet(other.kind())),
        }
    }

    /// The identity that the ledger keeps.
    pub(crate) fn account(&self) -> AccountId {
        self.locator.account(self.options.authzid.as_deref())
    }

    /// The mailbox that the locator names.
    pub(crate) fn mailbox(&self) -> Option<&MailboxName> {
        self.locator.mailbox.as_ref()
    }

    /// How the server is reached. Reads the file with issuers, if there is one.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Problem> {
        let security = match self.locator.security {
            Security::Tls => hikyaku_net::Security::ImplicitTls,
            Security::StartTls => hikyaku_net::Security::StartTls,
            Security::Clear => hikyaku_net::Security::Plain,
        };
        let host = self.locator.host.bare();
        let mut endpoint = Endpoint::new(host, self.locator.port, security, self.which);
        endpoint.trust = match (&self.options.ca_file, self.options.pin) {
            (_, Some(pin)) => Trust::Pinned(pin),
            (Some(path), None) => {
                let unusable = |why| Problem::CaFile(path.clone(), why);
                let pem = std::fs::read(path).map_err(|e| unusable(e.to_string()))?;
                Trust::WithAnchors(Anchors::from_pem(&pem).map_err(|f| unusable(f.detail))?)
            }
            (None, None) => Trust::System,
        };
        Ok(endpoint)
    }

    /// Reads or asks for the secret; says what is odd about it.
    pub(crate) fn credentials(&self, output: Output) -> Result<Credentials, Failure> {
        let found = match self.secret_from() {
            Some(from) => secret::read(from),
            None => secret::ask(&words::prompt(self.which, &self.login(), output.lang)),
        };
        let (secret, remarks) = found.map_err(|why| Problem::Secret(self.which, why))?;
        for remark in remarks {
            output.note(&words::remark(remark, self.which, output.lang));
        }
        Ok(self.credentials_of(secret))
    }

    /// Where the secret is; `None` when the person is asked for it.
    pub(crate) fn secret_from(&self) -> Option<&SecretFrom> {
        self.options
            .token
            .as_ref()
            .or(self.options.password.as_ref())
    }

    /// Who signs in, and where.
    pub(crate) fn login(&self) -> String {
        format!("{}@{}", self.locator.user, self.locator.address())
    }

    /// Whoever signs in, with a secret from where this side's secrets come from.
    pub(crate) fn credentials_of(&self, secret: Secret) -> Credentials {
        let user = self.locator.user.as_str();
        let credentials = match self.options.token {
            Some(_) => Credentials::token(user, secret),
            None => Credentials::password(user, secret),
        };
        match &self.options.authzid {
            Some(owner) => credentials.acting_as(owner),
            None => credentials,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::Side as Which;
    use std::path::Path;

    fn resolve(text: &str) -> Result<Side, Problem> {
        let config = "[accounts.old]\nlocator = 'imaps://taro@old.example.jp/受信'\nauthzid = 'hanako'\n\
            [accounts.pop]\nlocator = 'pop3s://taro@old.example.jp'";
        let config = Config::parse(config, Path::new("c.toml")).expect("config");
        Side::resolve(Which::Source, text, AccountOptions::default(), &config)
    }

    #[test]
    fn saved_names_stand_for_their_locator() {
        let side = resolve("old:").expect("side");
        assert_eq!(side.locator.to_string(), "imaps://taro@old.example.jp/受信");
        assert_eq!(side.account().as_str(), "imap://hanako@old.example.jp");
        let side = resolve("old:/送信済み/2024").expect("side");
        assert_eq!(
            side.mailbox().map(ToString::to_string).as_deref(),
            Some("送信済み/2024")
        );
    }

    #[test]
    fn what_cannot_be_done_yet_is_said_by_its_kind() {
        for (text, kind) in [
            ("pop3://u@h", "pop3"),
            ("pop:", "pop3s"),
            ("gmail:u@gmail.com", "gmail"),
            ("ms:u@example.com", "ms"),
            ("pst:x.pst", "pst"),
            ("maildir:x", "maildir"),
        ] {
            let problem = resolve(text).expect_err(text);
            assert!(
                matches!(problem, Problem::NotYet(k) if k == kind),
                "{problem:?}"
            );
        }
        assert!(matches!(
            resolve("./mail").expect_err("path"),
            Problem::Place(_)
        ));
        let like = resolve("odl:").expect_err("name");
        assert!(matches!(like, Problem::SavedName(_, Some(name)) if name == "old"));
    }
}
