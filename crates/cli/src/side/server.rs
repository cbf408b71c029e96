//! An account on a server as one side: how it is reached, and who signs in.

use crate::account::AccountOptions;
use crate::locator::{Security, ServerLocator};
use crate::output::Output;
use crate::problem::{Failure, Problem};
use crate::secret::{self, SecretFrom};
use crate::words;
use hikyaku_core::AccountId;
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Anchors, Endpoint, Secret, Trust};

/// An account on a server, before anything is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Which side it is.
    pub(crate) which: hikyaku_core::Side,
    /// Where it is.
    pub(crate) locator: ServerLocator,
    /// How it is reached.
    pub(crate) options: AccountOptions,
    /// A password that the person has typed already.
    pub(crate) typed: Option<Secret>,
}

impl Server {
    /// The identity that the ledger keeps.
    pub(crate) fn account(&self) -> AccountId {
        self.locator.account(self.options.authzid.as_deref())
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
        if let Some(typed) = &self.typed {
            return Ok(self.credentials_of(typed.clone()));
        }
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

    /// Asks for the password now, where the person is to be asked, and for no other time.
    pub(crate) fn ask_once(&mut self, output: Output) -> Result<(), Failure> {
        if self.secret_from().is_none() && self.typed.is_none() {
            let found = secret::ask(&words::prompt(self.which, &self.login(), output.lang));
            let (secret, remarks) = found.map_err(|why| Problem::Secret(self.which, why))?;
            for remark in remarks {
                output.note(&words::remark(remark, self.which, output.lang));
            }
            self.typed = Some(secret);
        }
        Ok(())
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
