//! Who logs in, and what follows when that is refused.
//!
//! A refused secret is never tried again: a storm of retries locks the owner out. One
//! that worked before and is refused now has expired or was changed, and then a new one
//! is asked for, once for all connections of the account; it is tried by one of them
//! while the others wait.

use crate::connection::lock;
use hikyaku_core::{Code, Fault};
use hikyaku_net::sasl::{Credentials, Renewal};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A login that worked so long ago is not counted on: one connection tries again
/// before the others follow, so that a changed password is refused once.
const STALE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Login {
    renewal: Option<Arc<dyn Renewal>>,
    state: Mutex<State>,
    /// Held while a new secret is asked for and tried.
    asking: tokio::sync::Mutex<()>,
    /// Held by the one that tries whether the secret still works.
    scout: tokio::sync::Mutex<()>,
}

struct State {
    credentials: Credentials,
    /// Counts the secrets of this account.
    generation: u64,
    /// When this secret worked last.
    worked: Option<Instant>,
    /// Its refusal, which is the end of it.
    refused: Option<Fault>,
}

impl Login {
    pub(super) fn new(credentials: Credentials, renewal: Option<Arc<dyn Renewal>>) -> Self {
        Self {
            renewal,
            state: Mutex::new(State {
                credentials,
                generation: 0,
                worked: None,
                refused: None,
            }),
            asking: tokio::sync::Mutex::new(()),
            scout: tokio::sync::Mutex::new(()),
        }
    }

    /// One login, with a renewed secret where the one that worked is refused.
    ///
    /// # Faults
    /// Those of `log_in`; the same refusal again, without asking the server, once the
    /// secret was refused for good.
    pub(super) async fn attempt<T, F, A>(&self, log_in: F) -> Result<T, Fault>
    where
        F: Fn(Credentials) -> A,
        A: Future<Output = Result<T, Fault>>,
    {
        let _scout = self.wait_for_scout().await;
        let (generation, credentials) = self.current()?;
        match log_in(credentials).await {
            Ok(session) => {
                self.worked(generation);
                Ok(session)
            }
            Err(fault) if is_refusal(&fault) => self.renewed(generation, fault, log_in).await,
            Err(fault) => Err(fault),
        }
    }

    /// The guard of whoever tries first; the others come after it, all together.
    async fn wait_for_scout(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let is_fresh = {
            let worked = lock(&self.state).worked;
            worked.is_some_and(|at| at.elapsed() < STALE)
        };
        if is_fresh {
            return None;
        }
        match self.scout.try_lock() {
            Ok(guard) => Some(guard),
            Err(_) => {
                drop(self.scout.lock().await);
                None
            }
        }
    }

    fn current(&self) -> Result<(u64, Credentials), Fault> {
        let state = lock(&self.state);
        match &state.refused {
            Some(fault) => Err(fault.clone()),
            None => Ok((state.generation, state.credentials.clone())),
        }
    }

    fn worked(&self, generation: u64) {
        let mut state = lock(&self.state);
        if state.generation == generation {
            state.worked = Some(Instant::now());
        }
    }

    fn refused(&self, fault: Fault) -> Fault {
        lock(&self.state).refused = Some(fault.clone());
        fault
    }

    /// After a refusal: asks for a new secret, or waits for who asks already, and tries
    /// it once.
    async fn renewed<T, F, A>(&self, generation: u64, fault: Fault, log_in: F) -> Result<T, Fault>
    where
        F: Fn(Credentials) -> A,
        A: Future<Output = Result<T, Fault>>,
    {
        let _one = self.asking.lock().await;
        let (now, credentials) = self.current()?;
        let (generation, credentials) = if now == generation {
            let has_worked = lock(&self.state).worked.is_some();
            let renewed = match &self.renewal {
                Some(renewal) if has_worked => renewal.renew(&fault).await,
                _ => None,
            };
            let Some(renewed) = renewed else {
                return Err(self.refused(fault));
            };
            tracing::info!(code = %fault.code, "the secret was refused and has been renewed");
            let mut state = lock(&self.state);
            state.generation += 1;
            state.credentials = renewed.clone();
            state.worked = None;
            (state.generation, renewed)
        } else {
            (now, credentials)
        };
        match log_in(credentials).await {
            Ok(session) => {
                self.worked(generation);
                Ok(session)
            }
            Err(fault) if is_refusal(&fault) => Err(self.refused(fault)),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether the server refused the secret itself.
fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.code, Code::LoginRejected | Code::LoginExpired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::{BoxFuture, join_all};
    use hikyaku_core::{Reach, Remedy};
    use hikyaku_net::sasl::Proof;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Hands out secrets one after the other.
    #[derive(Debug, Default)]
    struct Vault {
        secrets: Mutex<Vec<&'static str>>,
        asked: AtomicUsize,
    }

    impl Vault {
        fn of(secrets: &[&'static str]) -> Arc<Self> {
            let secrets = secrets.iter().rev().copied().collect();
            Arc::new(Self {
                secrets: Mutex::new(secrets),
                asked: AtomicUsize::new(0),
            })
        }
    }

    impl Renewal for Vault {
        fn renew<'a>(&'a self, _: &'a Fault) -> BoxFuture<'a, Option<Credentials>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let next = lock(&self.secrets).pop();
            async move {
                tokio::task::yield_now().await;
                next.map(|secret| Credentials::password("taro", secret))
            }
            .boxed()
        }
    }

    /// A server that knows some secrets, and counts.
    #[derive(Default)]
    struct Door {
        good: Mutex<Vec<&'static str>>,
        tried: Mutex<Vec<String>>,
    }

    impl Door {
        fn opens_to(&self, secrets: &[&'static str]) {
            *lock(&self.good) = secrets.to_vec();
        }

        fn tried(&self) -> Vec<String> {
            std::mem::take(&mut *lock(&self.tried))
        }

        async fn knock(&self, credentials: Credentials) -> Result<(), Fault> {
            let Proof::Password(secret) = &credentials.proof else {
                panic!("a token")
            };
            let secret = String::from_utf8_lossy(secret.expose()).into_owned();
            lock(&self.tried).push(secret.clone());
            tokio::task::yield_now().await;
            match lock(&self.good).contains(&secret.as_str()) {
                true => Ok(()),
                false => Err(Fault::new(
                    Code::LoginRejected,
                    Reach::Side,
                    Remedy::AskUser,
                    secret,
                )),
            }
        }
    }

    async fn lanes(login: &Login, door: &Door, count: usize) -> Vec<Result<(), String>> {
        let tries = (0..count).map(|_| login.attempt(|c| door.knock(c)));
        let ends = join_all(tries).await;
        ends.into_iter()
            .map(|end| end.map_err(|fault| fault.detail))
            .collect()
    }

    fn login(vault: &Arc<Vault>) -> Login {
        Login::new(Credentials::password("taro", "old"), Some(vault.clone()))
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_serves_all_lanes() {
        let (vault, door) = (Vault::of(&["new"]), Door::default());
        let login = login(&vault);
        door.opens_to(&["old"]);
        assert_eq!(lanes(&login, &door, 1).await, [Ok(())]);
        door.tried();
        door.opens_to(&["new"]);
        assert_eq!(lanes(&login, &door, 4).await, vec![Ok(()); 4]);
        assert_eq!(vault.asked.load(Ordering::SeqCst), 1);
        // Those that were on their way were refused; nobody knocked again with the old.
        assert_eq!(
            door.tried(),
            ["old", "old", "old", "old", "new", "new", "new", "new"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_password_is_refused_once_after_a_while() {
        let (vault, door) = (Vault::of(&["new"]), Door::default());
        let login = login(&vault);
        door.opens_to(&["old"]);
        assert_eq!(lanes(&login, &door, 1).await, [Ok(())]);
        door.tried();
        door.opens_to(&["new"]);
        tokio::time::advance(STALE).await;
        assert_eq!(lanes(&login, &door, 4).await, vec![Ok(()); 4]);
        assert_eq!(door.tried(), ["old", "new", "new", "new", "new"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_login_is_tried_once() {
        let (vault, door) = (Vault::of(&["new"]), Door::default());
        door.opens_to(&["new"]);
        let login = login(&vault);
        for _ in 0..2 {
            assert_eq!(
                lanes(&login, &door, 3).await,
                vec![Err("old".to_owned()); 3]
            );
        }
        assert_eq!(door.tried(), ["old"], "one knock for all, and never again");
        assert_eq!(vault.asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_secret_that_is_refused_is_the_end() {
        let (vault, door) = (Vault::of(&["worse", "good"]), Door::default());
        let login = login(&vault);
        door.opens_to(&["old"]);
        assert_eq!(lanes(&login, &door, 1).await, [Ok(())]);
        door.opens_to(&["good"]);
        tokio::time::advance(STALE).await;
        for _ in 0..2 {
            assert_eq!(
                lanes(&login, &door, 3).await,
                vec![Err("worse".to_owned()); 3]
            );
        }
        assert_eq!(door.tried(), ["old", "old", "worse"]);
        assert_eq!(vault.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_secret_that_worked_may_be_followed_by_another() {
        let (vault, door) = (Vault::of(&["second", "third"]), Door::default());
        let login = login(&vault);
        for good in ["old", "second", "third"] {
            door.opens_to(&[good]);
            assert_eq!(lanes(&login, &door, 2).await, vec![Ok(()); 2], "{good}");
            tokio::time::advance(STALE).await;
        }
        assert_eq!(vault.asked.load(Ordering::SeqCst), 2);
        door.opens_to(&[]);
        assert_eq!(
            lanes(&login, &door, 2).await,
            vec![Err("third".to_owned()); 2],
            "nobody has a fourth"
        );
    }
}
