//! Coming in: CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE, LOGOUT.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::reply::{Halt, Outcome, Reply};
use super::sasl::{self, Hash, Scram};
use super::{Session, no_arguments};
use crate::account::{Account, lock};
use crate::command::{Args, Malformed};
use crate::personality::has;

impl Session {
    /// What CAPABILITY tells now.
    pub(super) fn capabilities(&self) -> String {
        let personality = self.personality();
        if self.account.is_some() {
            return personality.capabilities.join(" ");
        }
        let early = personality
            .early_capabilities
            .as_ref()
            .unwrap_or(&personality.capabilities);
        let mut told = early.clone();
        if self.server.start_tls.is_some() && !self.tls {
            told.push("STARTTLS".into());
        }
        if self.may_login() {
            told.extend(personality.mechanisms.iter().map(|m| format!("AUTH={m}")));
        } else {
            told.push("LOGINDISABLED".into());
        }
        told.join(" ")
    }

    fn may_login(&self) -> bool {
        self.tls || self.server.plain_login
    }

    pub(super) fn capability(&mut self, args: Args) -> Outcome {
        no_arguments(&args)?;
        let line = format!("* CAPABILITY {}", self.capabilities());
        self.wire.put_line(line);
        Ok(Reply::ok("CAPABILITY completed."))
    }

    pub(super) fn logout(&mut self) -> Outcome {
        self.bye("Logging out")?;
        Ok(Reply::ok("Logout completed."))
    }

    pub(super) async fn start_tls(&mut self, args: Args) -> Outcome {
        no_arguments(&args)?;
        let acceptor = self
            .server
            .start_tls
            .clone()
            .filter(|_| !self.tls)
            .ok_or(Halt::Unknown)?;
        // The answer goes out before the handshake, so it is given here and not
        // by the turn.
        self.answer(&Reply::ok("Begin TLS negotiation now."));
        self.wire.start_tls(&acceptor).await?;
        self.tls = true;
        self.command.answered = true;
        Ok(Reply::ok("TLS"))
    }

    pub(super) fn login(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let user = args.astring()?;
        args.space()?;
        let password = args.astring()?;
        no_arguments(&args)?;
        if !self.may_login() {
            return Err(Reply::no(
                "[PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure connections.",
            )
            .into());
        }
        let account = self.by_password(&utf8(&user)?, &utf8(&password)?, None)?;
        self.enter(account)
    }

    pub(super) async fn authenticate(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let mechanism = args.word()?;
        let initial = match args.eat(b' ') {
            true => Some(args.astring()?),
            false => None,
        };
        no_arguments(&args)?;
        if !has(&self.personality().mechanisms, &mechanism) {
            return Err(Reply::no("Unsupported authentication mechanism.").into());
        }
        if !self.may_login() {
            return Err(Reply::no(
                "[PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure connections.",
            )
            .into());
        }
        let early = self.personality().early_capabilities.as_ref();
        let told = early.unwrap_or(&self.personality().capabilities);
        if initial.is_some() && !has(told, "SASL-IR") && !self.rev2() {
            return Err(Halt::Malformed);
        }
        let initial = match initial {
            Some(text) if text == "=" => Some(Bytes::new()),
            Some(text) => Some(STANDARD.decode(text).map_err(|_| Malformed)?.into()),
            None => None,
        };
        let account = match mechanism.as_str() {
            "PLAIN" => self.sasl_plain(initial).await?,
            "LOGIN" => self.sasl_login(initial).await?,
            "CRAM-MD5" => self.sasl_cram().await?,
            "SCRAM-SHA-1" => self.sasl_scram(Hash::Sha1, initial).await?,
            "SCRAM-SHA-256" => self.sasl_scram(Hash::Sha256, initial).await?,
            "XOAUTH2" | "OAUTHBEARER" => self.sasl_bearer(initial).await?,
            _ => return Err(Reply::no("Unsupported authentication mechanism.").into()),
        };
        self.enter(account)
    }

    async fn sasl_plain(&mut self, initial: Option<Bytes>) -> Result<Account, Halt> {
        let message = match initial {
            Some(message) => message,
            None => self.challenge(b"").await?,
        };
        let message = utf8(&message)?;
        let mut parts = message.split('\0');
        let (Some(authzid), Some(user), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Halt::Malformed);
        };
        let authzid = Some(authzid).filter(|a| !a.is_empty() && *a != user);
        self.by_password(user, password, authzid)
    }

    async fn sasl_login(&mut self, initial: Option<Bytes>) -> Result<Account, Halt> {
        let user = match initial {
            Some(user) => user,
            None => self.challenge(b"Username:").await?,
        };
        let password = self.challenge(b"Password:").await?;
        self.by_password(&utf8(&user)?, &utf8(&password)?, None)
    }

    async fn sasl_cram(&mut self) -> Result<Account, Halt> {
        let challenge = format!("<{:016x}@memserver>", rand::random::<u64>());
        let answer = utf8(&self.challenge(challenge.as_bytes()).await?)?;
        let (user, digest) = answer.rsplit_once(' ').ok_or(Halt::Malformed)?;
        let account = self.account_named(user)?;
        let right = sasl::cram_md5(&lock(&account.cell.secrets).password, &challenge);
        match right == digest {
            true => Ok(account),
            false => Err(self.login_failed()),
        }
    }

    async fn sasl_scram(&mut self, hash: Hash, initial: Option<Bytes>) -> Result<Account, Halt> {
        let first = match initial {
            Some(message) => message,
            None => self.challenge(b"").await?,
        };
        let nonce = STANDARD.encode(rand::random::<[u8; 18]>());
        let salt = rand::random::<[u8; 16]>();
        let scram = Scram::begin(hash, &first, &nonce, &salt).ok_or(Halt::Malformed)?;
        let last = self.challenge(scram.challenge().as_bytes()).await?;
        let master = self
            .server
            .masters
            .iter()
            .find(|(name, _)| *name == scram.user);
        let (account, password) = match (master.cloned(), &scram.authzid) {
            (Some((_, password)), Some(other)) => (self.account_named(other)?, password),
            (_, Some(other)) if *other != scram.user => return Err(self.login_failed()),
            _ => {
                let account = self.account_named(&scram.user)?;
                let password = lock(&account.cell.secrets).password.clone();
                (account, password)
            }
        };
        let proof = scram
            .finish(&last, &password)
            .ok_or_else(|| self.login_failed())?;
        let rest = self.challenge(proof.as_bytes()).await?;
        rest.is_empty().then_some(account).ok_or(Halt::Malformed)
    }

    async fn sasl_bearer(&mut self, initial: Option<Bytes>) -> Result<Account, Halt> {
        let message = match initial {
            Some(message) => message,
            None => self.challenge(b"").await?,
        };
        let found = sasl::bearer(&message).and_then(|(user, token)| {
            let accounts = lock(&self.server.accounts);
            let fits = |account: &&Account| {
                let known = lock(&account.cell.secrets).tokens.contains(&token);
                known && user.as_ref().is_none_or(|u| *u == account.cell.user)
            };
            accounts.values().find(fits).cloned()
        });
        match found {
            Some(account) => Ok(account),
            None => {
                // RFC 7628 §3.2.2: the error comes as a challenge, and the client
                // answers it before the exchange fails.
                self.challenge(
                    br#"{"status":"401","schemes":"bearer","scope":"https://mail.example/"}"#,
                )
                .await?;
                Err(self.login_failed())
            }
        }
    }

    /// Sends a challenge and reads the answer to it; `*` ends the exchange.
    async fn challenge(&mut self, octets: &[u8]) -> Result<Bytes, Halt> {
        self.wire.put_line(format!("+ {}", STANDARD.encode(octets)));
        let line = self.line(self.server.limits.line).await?;
        if &line[..] == b"*" {
            return Err(Reply::from(crate::personality::Refusal::bad(
                "Authentication aborted by client.",
            ))
            .into());
        }
        Ok(STANDARD.decode(&line).map_err(|_| Malformed)?.into())
    }

    /// The account that a password opens: its own, or that of a master who asks
    /// for another's mail.
    fn by_password(
        &self,
        user: &str,
        password: &str,
        authzid: Option<&str>,
    ) -> Result<Account, Halt> {
        let is_master = |name: &str| {
            let masters = &self.server.masters;
            masters.iter().any(|(n, p)| n == name && p == password)
        };
        let (wanted, by_master) = match (authzid, user.rsplit_once('*')) {
            (Some(authzid), _) => (authzid, Some(user)),
            (None, Some((wanted, master))) => (wanted, Some(master)),
            (None, None) => (user, None),
        };
        let account = self.account_named(wanted)?;
        let right = match by_master {
            Some(master) => is_master(master),
            None => lock(&account.cell.secrets).password == password,
        };
        right.then_some(account).ok_or_else(|| self.login_failed())
    }

    fn account_named(&self, user: &str) -> Result<Account, Halt> {
        let account = lock(&self.server.accounts).get(user).cloned();
        account.ok_or_else(|| self.login_failed())
    }

    fn login_failed(&self) -> Halt {
        self.personality().login_failed.clone().into()
    }

    fn enter(&mut self, account: Account) -> Outcome {
        let sessions = account.cell.sessions.fetch_add(1, Ordering::AcqRel) + 1;
        if sessions > self.server.limits.sessions_per_account {
            account.cell.sessions.fetch_sub(1, Ordering::AcqRel);
            return match self.personality().too_many.clone() {
                Some(refusal) => Err(refusal.into()),
                None => Err(Halt::Stop),
            };
        }
        self.account = Some(account);
        let capabilities = match self.personality().login_tells_capabilities {
            true => format!("[CAPABILITY {}] ", self.capabilities()),
            false => String::new(),
        };
        Ok(Reply::ok(format!("{capabilities}Logged in")))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.cell.sessions.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn utf8(octets: &[u8]) -> Result<String, Halt> {
    String::from_utf8(octets.to_vec()).map_err(|_| Halt::Malformed)
}
