//! A new secret in the middle of a run: the command is run again, the file is read
//! again, the person is asked once more. A secret never enters a log or an error.

use crate::output::Output;
use crate::progress::Stage;
use crate::secret::{self, SecretFrom, SecretProblem, SecretRemark};
use crate::side::Server;
use crate::words;
use futures::FutureExt;
use futures::future::BoxFuture;
use hikyaku_core::Fault;
use hikyaku_net::Secret;
use hikyaku_net::sasl::{Credentials, Proof, Renewal};
use hikyaku_text::run;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where one side's secret comes from, to be asked again.
#[derive(Debug)]
pub(crate) struct Again(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    side: Server,
    output: Output,
    stage: Stage,
    /// What was used last: the same again would only be refused again.
    used: Mutex<Secret>,
    /// Whether the person was asked; nobody is asked twice in one run.
    asked: AtomicBool,
}

impl Again {
    /// For a side that has just signed in with these credentials.
    pub(crate) fn new(side: &Server, used: &Credentials, output: Output, stage: Stage) -> Self {
        Self(Arc::new(Inner {
            side: side.clone(),
            output,
            stage,
            used: Mutex::new(secret_of(used).clone()),
            asked: AtomicBool::new(false),
        }))
    }
}

impl Renewal for Again {
    fn renew<'a>(&'a self, _: &'a Fault) -> BoxFuture<'a, Option<Credentials>> {
        let inner = Arc::clone(&self.0);
        // Commands and people take their time; nobody else has to wait for them.
        let found = tokio::task::spawn_blocking(move || inner.renew());
        found.map(|found| found.ok().flatten()).boxed()
    }
}

impl Inner {
    fn renew(&self) -> Option<Credentials> {
        let (which, lang) = (self.side.which, self.output.lang);
        self.stage.say(self.output, &run::renewing(which, lang));
        let found = self.look().ok().filter(|(found, _)| self.is_other(found));
        let Some((found, remarks)) = found else {
            self.stage.say(self.output, &run::not_renewed(which, lang));
            return None;
        };
        for remark in remarks {
            let text = words::remark(remark, which, lang);
            self.stage.say(self.output, &text);
        }
        self.stage.say(self.output, &run::renewed(which, lang));
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = found.clone();
        Some(self.side.credentials_of(found))
    }

    fn look(&self) -> Result<(Secret, Vec<SecretRemark>), SecretProblem> {
        match self.side.secret_from() {
            // The surroundings of a process do not change while it runs.
            Some(SecretFrom::Env(name)) => Err(SecretProblem::Env(name.clone())),
            Some(from) => secret::read(from),
            None if self.asked.swap(true, Ordering::Relaxed) => Err(SecretProblem::NoTerminal),
            None => {
                let prompt =
                    words::prompt_again(self.side.which, &self.side.login(), self.output.lang);
                self.stage.aside(|| secret::ask(&prompt))
            }
        }
    }

    fn is_other(&self, found: &Secret) -> bool {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.expose() != found.expose()
    }
}

fn secret_of(credentials: &Credentials) -> &Secret {
    match &credentials.proof {
        Proof::Password(secret) | Proof::Token(secret) => secret,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountOptions;
    use crate::locator::Locator;
    use hikyaku_core::{Code, Reach, Remedy};
    use hikyaku_text::Lang;

    fn again(password: Option<SecretFrom>, token: Option<SecretFrom>, used: &Credentials) -> Again {
        let options = AccountOptions {
            password,
            token,
            authzid: Some("hanako".into()),
            ..AccountOptions::default()
        };
        let text = "imaps://taro@mail.example.jp";
        let Ok(Locator::Server(locator)) = Locator::parse(text) else {
            panic!("{text}");
        };
        let side = Server {
            which: hikyaku_core::Side::Source,
            locator,
            options,
            typed: None,
        };
        let output = Output {
            lang: Lang::En,
            json: true,
            verbose: false,
        };
        Again::new(&side, used, output, Stage::default())
    }

    async fn renew(again: &Again) -> Option<Credentials> {
        let refused = Fault::new(Code::LoginExpired, Reach::Side, Remedy::AskUser, "x");
        again.renew(&refused).await
    }

    #[tokio::test]
    async fn a_file_is_read_again_and_only_another_secret_counts() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pass");
        std::fs::write(&path, "planted-1\n").expect("a file");
        let used = Credentials::password("taro", "planted-1");
        let again = again(Some(SecretFrom::File(path.clone())), None, &used);
        assert!(renew(&again).await.is_none(), "the same as was refused");
        std::fs::write(&path, "planted-2\n").expect("a file");
        let found = renew(&again).await.expect("another secret");
        assert_eq!(secret_of(&found).expose(), b"planted-2");
        assert!(matches!(found.proof, Proof::Password(_)));
        assert_eq!(
            (found.user.as_str(), found.act_as.as_deref()),
            ("taro", Some("hanako"))
        );
        assert!(renew(&again).await.is_none(), "refused as well");
        std::fs::remove_file(&path).expect("it is there");
        assert!(renew(&again).await.is_none(), "nothing to read");
        assert!(!format!("{again:?}").contains("planted"), "{again:?}");
    }

    #[tokio::test]
    async fn a_command_is_run_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let counter = directory.path().join("n");
        let command = format!(
            "echo x >> '{0}'; echo token-planted-$(wc -l < '{0}' | tr -d ' ')",
            counter.display()
        );
        let used = Credentials::token("taro", "token-planted-0");
        let again = again(None, Some(SecretFrom::Command(command)), &used);
        for n in 1..=2 {
            let found = renew(&again).await.expect("another token");
            assert!(matches!(found.proof, Proof::Token(_)));
            let expected = format!("token-planted-{n}");
            assert_eq!(secret_of(&found).expose(), expected.as_bytes());
        }
        assert!(!format!("{again:?}").contains("planted"), "{again:?}");
    }

    #[tokio::test]
    async fn what_cannot_change_or_nobody_answers_is_no_new_secret() {
        let used = Credentials::password("taro", "planted-1");
        // Set for every test; surely not the password that was used.
        let env = Some(SecretFrom::Env("PATH".into()));
        assert!(renew(&again(env, None, &used)).await.is_none());
        let failing = Some(SecretFrom::Command("exit 3".into()));
        assert!(renew(&again(failing, None, &used)).await.is_none());
    }
}
