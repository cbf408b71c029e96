//! Takes mails out of the outbox and delivers them, again and again until they are taken or can never be.

use super::catcher::Catcher;
use super::message::{Unwritable, message};
use super::relay::{Refusal, Relay};
use crate::brand::Brands;
use crate::config::Smtp;
use hikyaku_core::Fault;
use hikyaku_core::traits::Clock;
use hikyaku_ledger::Store;
use hikyaku_ledger::service::{Letter, Outbox};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::{error, info, warn};

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Waits after the first tries; the last one from then on.
const BACK_OFF: [i64; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];

/// From a mail's birth to the last try that may be followed by another one.
const LONGEST: i64 = 3 * DAY;

/// A mail that was taken and of which nothing was heard belongs to a process that died: longer than a delivery can take
/// ([`super::Patience`]), and not so long that anybody misses the mail.
const LEASE: i64 = 12 * MINUTE;

/// Between two looks into the outbox.
const PAUSE: Duration = Duration::from_secs(5);

/// In the row of a mail that has not been tried because its recipient, or everybody, had many.
const HELD: &str = "held";

/// The wait after so many tries in vain.
fn wait_after(tries: u64) -> i64 {
    let nth = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    BACK_OFF.get(nth).copied().unwrap_or(HOUR)
}

/// A mail server that nothing is sent to until a moment.
#[derive(Default)]
struct Closed {
    until: i64,
    tries: u64,
}

impl Closed {
    /// One more try in vain; gives the wait.
    fn longer(&mut self, now: i64) -> i64 {
        self.tries += 1;
        let wait = wait_after(self.tries);
        self.until = now + wait;
        wait
    }
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// To a mail server.
    Smtp(Relay),
    /// Nowhere: they are shown on a page.
    Catch(Catcher),
}

/// Delivers what is in the outbox.
#[derive(Clone)]
pub struct Sender {
    outbox: Outbox,
    brands: Brands,
    delivery: Delivery,
    per_recipient_per_day: u64,
    per_day: u64,
    clock: Arc<dyn Clock>,
    closed: Arc<Mutex<Closed>>,
}

impl Sender {
    /// Sends by the relay of a configuration.
    ///
    /// # Faults
    /// `config.invalid` where its password or authority cannot be read.
    pub fn by_smtp(
        store: &Store,
        brands: &Brands,
        smtp: &Smtp,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            outbox: store.outbox(),
            brands: brands.clone(),
            delivery: Delivery::Smtp(Relay::new(smtp)?),
            per_recipient_per_day: smtp.per_recipient_per_day.into(),
            per_day: smtp.per_day.into(),
            clock,
            closed: Arc::default(),
        })
    }

    /// Catches every mail.
    pub fn by_catcher(store: &Store, brands: &Brands, clock: Arc<dyn Clock>) -> Self {
        Self {
            outbox: store.outbox(),
            brands: brands.clone(),
            delivery: Delivery::Catch(Catcher::new(store, brands)),
            per_recipient_per_day: u64::MAX,
            per_day: u64::MAX,
            clock,
            closed: Arc::default(),
        }
    }

    /// The same with other limits of time towards the mail server.
    #[must_use]
    pub fn patient(mut self, patience: super::Patience) -> Self {
        if let Delivery::Smtp(relay) = self.delivery {
            self.delivery = Delivery::Smtp(relay.patient(patience));
        }
        self
    }

    /// Delivers until told to stop; a mail that is under way then is finished first. A database that does not answer is
    /// asked again later.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let pause = match self.next().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => PAUSE,
                Err(fault) => {
                    error!(
                        code = fault.code.short(),
                        "the outbox cannot be used: {fault}"
                    );
                    PAUSE
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = self.clock.sleep(pause) => {}
            }
        }
    }

    /// Takes one mail that is due to its end or its next try; tells whether there was one.
    ///
    /// # Faults
    /// Those of the store.
    pub async fn next(&self) -> Result<bool, Fault> {
        let now = self.clock.unix_millis();
        if now < self.closed().until {
            return Ok(false);
        }
        // One at a time: what a process that dies has in hand comes late.
        let mut letters = self.outbox.take(now, now + LEASE, 1).await?;
        let Some(letter) = letters.pop() else {
            return Ok(false);
        };
        if self.has_enough(&letter.letter.recipient, now).await? {
            info!(
                job = letter.letter.job,
                "a notice is held: too many in a day"
            );
            self.outbox.later(letter.number, now + HOUR, HELD).await?;
            return Ok(true);
        }
        match &self.delivery {
            Delivery::Smtp(relay) => self.hand_over(relay, &letter).await?,
            Delivery::Catch(_) => self.outbox.sent(letter.number, now).await?,
        }
        Ok(true)
    }

    async fn hand_over(&self, relay: &Relay, letter: &Letter) -> Result<(), Fault> {
        let mail = match message(letter, &self.brands, Some(relay.from())) {
            Ok(mail) => mail,
            Err(Unwritable(what)) => return self.give_up(letter, what, what).await,
        };
        let answer = relay.deliver(&mail).await;
        let now = self.clock.unix_millis();
        if !matches!(answer, Err(Refusal::Relay(_))) {
            *self.closed() = Closed::default();
        }
        match answer {
            Ok(()) => self.outbox.sent(letter.number, now).await,
            Err(Refusal::Never(said)) => {
                self.give_up(letter, &said.brief(), &said.to_string()).await
            }
            Err(Refusal::Later(said)) => {
                warn!(
                    job = letter.letter.job,
                    "a notice was not taken for now: {said}"
                );
                self.put_off(letter, &said.brief()).await
            }
            Err(Refusal::Relay(said)) => {
                // Another mail would fare no better, and a login that is refused too often is locked.
                let wait = self.closed().longer(now);
                error!(
                    minutes = wait / MINUTE,
                    "the mail server cannot be used for now: {said}"
                );
                self.put_off(letter, &said.brief()).await
            }
        }
    }

    fn closed(&self) -> MutexGuard<'_, Closed> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries again later, unless it has been tried for long enough.
    async fn put_off(&self, letter: &Letter, said: &str) -> Result<(), Fault> {
        let now = self.clock.unix_millis();
        let was_tried = !letter.code.is_empty() && letter.code != HELD;
        if was_tried && now - letter.created > LONGEST {
            return self.give_up(letter, said, said).await;
        }
        let due = now + wait_after(letter.tries);
        self.outbox.later(letter.number, due, said).await
    }

    async fn give_up(&self, letter: &Letter, code: &str, said: &str) -> Result<(), Fault> {
        let row = &letter.letter;
        error!(
            job = row.job,
            kind = row.kind,
            message_id = row.message_id,
            "a notice can not be delivered: {said}"
        );
        let now = self.clock.unix_millis();
        self.outbox.give_up(letter.number, code, now).await
    }

    /// Whether the recipient, or everybody together, had all mails of the last 24 hours.
    async fn has_enough(&self, recipient: &str, now: i64) -> Result<bool, Fault> {
        if matches!(self.delivery, Delivery::Catch(_)) {
            return Ok(false);
        }
        let since = now - DAY;
        Ok(
            self.outbox.sent_since(recipient, since).await? >= self.per_recipient_per_day
                || self.outbox.all_sent_since(since).await? >= self.per_day,
        )
    }
}
