//! The room at the destination: how much a copy may fill, and when it stops.
//!
//! The destination keeps a reserve so that new mail still arrives. The quota is
//! asked at the start, and again whenever a quarter of the room that was left may be used
//! up: often when it becomes tight, hardly ever when there is plenty. Taking room
//! costs one atomic subtraction per batch.

use hikyaku_core::mailbox::Quota;
use hikyaku_core::policy::Reserve;
use hikyaku_core::traits::Destination;
use hikyaku_core::{Code, Fault, Reach, Remedy, Side};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use tokio::sync::{Mutex, Notify};

/// What is left for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Free {
    /// Octets that the server says are free.
    pub(crate) free: u64,
    /// Octets of them that stay free.
    pub(crate) reserve: u64,
}

impl Free {
    pub(crate) fn of(quota: Quota, reserve: Reserve) -> Self {
        Self {
            free: quota.free(),
            reserve: reserve.of(quota.limit),
        }
    }

    /// Octets that may be copied.
    pub(crate) fn room(self) -> u64 {
        self.free.saturating_sub(self.reserve)
    }

    /// The fault when so many octets have no room, or nothing when they have.
    pub(crate) fn refuses(self, needed: u64) -> Option<Fault> {
        let room = self.room();
        if needed <= room {
            return None;
        }
        let code = match needed > self.free {
            true => Code::QuotaExceeded,
            false => Code::QuotaReserve,
        };
        let Self { free, reserve } = self;
        let missing = needed - room;
        let detail = format!(
            "{needed} octets are to be copied, {free} are free and {reserve} of them stay free; {missing} are missing"
        );
        let fault = Fault::new(code, Reach::Job, Remedy::AskUser, detail);
        Some(fault.on(Side::Destination))
    }

    /// Octets that may be taken before the quota is asked again, with so many pending.
    fn until_next_question(self, pending: u64) -> u64 {
        self.room().saturating_sub(pending) / 4
    }
}

/// The room of a run, shared by all lanes.
pub(crate) struct Room {
    destination: Arc<dyn Destination>,
    reserve: Reserve,
    /// Octets until the next question; `i64::MAX` when the side does not tell its quota.
    credit: AtomicI64,
    /// Octets on their way that the next answer may not show yet.
    under_way: AtomicU64,
    /// The reserve was reached: nobody takes anything any more.
    closed: AtomicBool,
    /// Octets taken since the last answer.
    since: AtomicU64,
    /// Something landed, or the reserve was reached.
    landing: Notify,
    /// The last answer; held by who asks.
    asking: Mutex<Option<Free>>,
}

impl Room {
    pub(crate) fn new(destination: Arc<dyn Destination>, reserve: Reserve) -> Self {
        Self {
            destination,
            reserve,
            credit: AtomicI64::new(i64::MAX),
            under_way: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            since: AtomicU64::new(0),
            landing: Notify::new(),
            asking: Mutex::new(None),
        }
    }

    /// Asks how much is left; `None` where the side does not tell.
    ///
    /// # Errors
    /// Those of the question.
    pub(crate) async fn ask(&self) -> Result<Option<Free>, Fault> {
        let mut last = self.asking.lock().await;
        let free = self.question(&mut last).await?;
        self.give_credit(free, 0);
        Ok(free)
    }

    async fn question(&self, last: &mut Option<Free>) -> Result<Option<Free>, Fault> {
        match self.destination.quota().await {
            Ok(quota) => {
                let free = quota.map(|quota| Free::of(quota, self.reserve));
                self.since.store(0, Ordering::Release);
                *last = free;
                Ok(free)
            }
            // No connection to spare: what is known has to do.
            Err(fault) if fault.code == Code::ServerConnections && last.is_some() => {
                let since = self.since.load(Ordering::Acquire);
                Ok(last.map(|free| Free {
                    free: free.free.saturating_sub(since),
                    ..free
                }))
            }
            Err(fault) => Err(fault.on(Side::Destination)),
        }
    }

    /// `pending` octets are on their way or about to be.
    fn give_credit(&self, free: Option<Free>, pending: u64) {
        let credit = free.map_or(i64::MAX, |free| signed(free.until_next_question(pending)));
        self.credit.store(credit, Ordering::Release);
    }

    /// Takes room for octets that are about to be sent; to be given back with
    /// [`Room::landed`] when they are answered.
    ///
    /// # Errors
    /// `quota.reserve` when they would touch the reserve; those of the question.
    pub(crate) async fn take(&self, octets: u64) -> Result<(), Fault> {
        if self.is_closed() || !self.has_credit(octets) {
            let mut last = self.asking.lock().await;
            // Somebody else may have asked in the meantime.
            if self.is_closed() || !self.has_credit(octets) {
                self.ask_for(octets, &mut last).await?;
            }
        }
        self.under_way.fetch_add(octets, Ordering::AcqRel);
        self.since.fetch_add(octets, Ordering::AcqRel);
        Ok(())
    }

    /// Asks until it is certain whether so many octets fit.
    async fn ask_for(&self, octets: u64, last: &mut Option<Free>) -> Result<(), Fault> {
        loop {
            let mut landing = pin!(self.landing.notified());
            landing.as_mut().enable();
            // Before the question: what lands while it is asked counts twice rather
            // than not at all.
            let before = self.under_way.load(Ordering::Acquire);
            let pending = octets.saturating_add(before);
            let free = self.question(last).await?;
            let Some(known) = free.filter(|free| self.is_closed() || pending > free.room()) else {
                self.give_credit(free, pending);
                return Ok(());
            };
            if self.is_closed() || octets > known.room() {
                self.credit.store(0, Ordering::Release);
                return Err(stopped(known, octets));
            }
            // The answer may show octets already that are still counted as on their way.
            landing.await;
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// From now on nothing fits any more, so that all lanes end alike.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.credit.store(0, Ordering::Release);
        self.landing.notify_waiters();
    }

    /// What was taken is at the destination, or known not to be.
    pub(crate) fn landed(&self, octets: u64) {
        self.under_way.fetch_sub(octets, Ordering::AcqRel);
        self.landing.notify_waiters();
    }

    fn has_credit(&self, octets: u64) -> bool {
        let octets = signed(octets);
        let before = self.credit.load(Ordering::Acquire);
        before == i64::MAX || self.credit.fetch_sub(octets, Ordering::AcqRel) > octets
    }
}

fn signed(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX - 1)
}

/// The fault in the middle of a run: the next octets would touch the reserve.
fn stopped(free: Free, octets: u64) -> Fault {
    let Free { free, reserve } = free;
    let detail = format!(
        "the next {octets} octets do not fit: {free} are free and {reserve} of them stay free"
    );
    Fault::new(Code::QuotaReserve, Reach::Side, Remedy::AskUser, detail).on(Side::Destination)
}

/// Which messages fit: the newest first, as long as there is room; one that is too
/// large does not keep the smaller ones behind it from coming.
pub(crate) fn fitting<K: Copy>(newest_first: &[(K, u64)], room: u64) -> Vec<K> {
    let mut left = room;
    let fits = newest_first.iter().filter(|(_, octets)| {
        let fits = *octets <= left;
        if fits {
            left -= octets;
        }
        fits
    });
    fits.map(|(key, _)| *key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{BoxFuture, FutureExt};
    use hikyaku_core::traits::{Ask, Reader, Source, Writer};
    use hikyaku_core::{Abilities, MailboxInfo, MailboxName, Role};

    fn quota(used: u64, limit: u64) -> Quota {
        Quota { used, limit }
    }

    #[test]
    fn the_reserve_stays_free() {
        let free = Free::of(quota(400, 1_000), Reserve::Usual);
        assert_eq!((free.free, free.reserve, free.room()), (600, 100, 500));
        assert_eq!(free.refuses(500), None);
        let fault = free.refuses(501).expect("one too many");
        assert_eq!(fault.code, Code::QuotaReserve);
        assert_eq!(
            fault.detail,
            "501 octets are to be copied, 600 are free and 100 of them stay free; 1 are missing"
        );
        assert_eq!(free.refuses(600).map(|f| f.code), Some(Code::QuotaReserve));
        assert_eq!(free.refuses(601).map(|f| f.code), Some(Code::QuotaExceeded));
        let all = Free::of(quota(400, 1_000), Reserve::Nothing);
        assert_eq!((all.room(), all.refuses(600)), (600, None));
        // Over its limit already, or filled into the reserve by its owner.
        assert_eq!(Free::of(quota(1_001, 1_000), Reserve::Usual).room(), 0);
        assert_eq!(Free::of(quota(950, 1_000), Reserve::Usual).room(), 0);
    }

    /// A destination of which only the quota is asked.
    struct Full(AtomicU64);

    impl Source for Full {
        fn abilities(&self) -> &Abilities {
            unreachable!("only the quota is asked")
        }

        fn mailboxes(&self) -> Ask<'_, Vec<MailboxInfo>> {
            unreachable!("only the quota is asked")
        }

        fn open<'a>(&'a self, _: &'a MailboxInfo) -> Ask<'a, Box<dyn Reader>> {
            unreachable!("only the quota is asked")
        }

        fn quota(&self) -> Ask<'_, Option<Quota>> {
            let used = self.0.load(Ordering::Acquire);
            async move { Ok(Some(quota(used, 100))) }.boxed()
        }

        fn close(&self) -> BoxFuture<'_, ()> {
            async {}.boxed()
        }
    }

    impl Destination for Full {
        fn ensure<'a>(
            &'a self,
            _: &'a MailboxName,
            _: Option<Role>,
            _: bool,
        ) -> Ask<'a, MailboxInfo> {
            unreachable!("only the quota is asked")
        }

        fn write<'a>(&'a self, _: &'a MailboxInfo) -> Ask<'a, Box<dyn Writer>> {
            unreachable!("only the quota is asked")
        }
    }

    #[tokio::test]
    async fn what_is_stored_and_not_answered_yet_does_not_count_twice() {
        let destination = Arc::new(Full(AtomicU64::new(0)));
        let room = Room::new(destination.clone(), Reserve::Nothing);
        room.ask().await.expect("a quota");
        room.take(60).await.expect("room");
        // Stored, and the answer is still on its way.
        destination.0.store(60, Ordering::Release);
        let fault = room
            .take(41)
            .await
            .expect_err("no room, whatever is on its way");
        assert_eq!(fault.code, Code::QuotaReserve);
        let mut second = pin!(room.take(40));
        assert!(futures::poll!(second.as_mut()).is_pending());
        room.landed(60);
        assert_eq!(second.await, Ok(()));
        // Nobody waits for room once the reserve was reached.
        destination.0.store(70, Ordering::Release);
        let mut third = pin!(room.take(30));
        assert!(futures::poll!(third.as_mut()).is_pending());
        room.close();
        assert!(third.await.is_err());
    }

    #[test]
    fn the_newest_that_fit_are_taken() {
        let all = [(9, 50), (8, 30), (7, 100), (6, 20), (5, 1)];
        assert_eq!(fitting(&all, 201), [9, 8, 7, 6, 5]);
        assert_eq!(fitting(&all, 100), [9, 8, 6]);
        assert_eq!(fitting(&all, 81), [9, 8, 5]);
        assert_eq!(fitting(&all, 0), [0; 0]);
    }
}
