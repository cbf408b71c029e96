//! The retry budget: a dying server is not hammered with repetitions.

/// So many retries are always allowed, so that short runs can retry at all.
const FLOOR: u64 = 10;

/// How many retries there may be for what was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryBudget {
    share: f64,
    retries: u64,
}

impl RetryBudget {
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share: share.max(0.0),
            retries: 0,
        }
    }

    /// Counts a retry; whether it is within the budget, `done` operations having
    /// succeeded so far.
    pub(crate) fn spend(&mut self, done: u64) -> bool {
        self.retries += 1;
        let earned = (done as f64 * self.share) as u64;
        self.retries <= earned.saturating_add(FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_what_was_done_and_a_few_more() {
        let mut budget = RetryBudget::new(0.1);
        let within = (0..100).take_while(|_| budget.spend(0)).count();
        assert_eq!(within as u64, FLOOR);
        let mut budget = RetryBudget::new(0.1);
        let within = (0..1_000).take_while(|_| budget.spend(990)).count();
        assert_eq!(within as u64, FLOOR + 99);
    }

    #[test]
    fn later_work_earns_later_retries() {
        let mut budget = RetryBudget::new(0.1);
        while budget.spend(0) {}
        assert!(!budget.spend(0));
        assert!(budget.spend(1_000));
    }
}
