//! What the events of a run add up to, for showing. Pure: time is passed in.

use hikyaku_core::event::Phase;
use hikyaku_core::plan::Step;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Code, Event, Fault, MailboxName, Side};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Where a run stands.
#[derive(Debug, Default)]
pub(crate) struct State {
    phase: Option<Phase>,
    /// Messages and octets of the mailboxes that are to be gone through.
    planned: BTreeMap<MailboxName, (u64, u64)>,
    total_messages: u64,
    /// `None` where a mailbox does not tell its size.
    total_octets: Option<u64>,
    /// Sums over the mailboxes that have all their outcomes.
    finished_messages: u64,
    finished_octets: u64,
    /// The mailboxes that are worked on.
    open: BTreeMap<MailboxName, Open>,
    copied_octets: u64,
    sent_octets: u64,
    latest: Option<MailboxName>,
    waiting: Option<(i64, Fault)>,
    /// Octets sent up to each of the last moments, oldest first.
    samples: VecDeque<(Duration, u64)>,
}

#[derive(Debug, Default)]
struct Open {
    messages: u64,
    /// Messages that are there already.
    known: u64,
    settled: u64,
    settled_octets: u64,
}

impl Open {
    fn done(&self) -> u64 {
        (self.known + self.settled).min(self.messages)
    }

    /// Octets done, of so many in all. What is known has the average size.
    fn done_octets(&self, planned: u64) -> u64 {
        let known = planned as f64 * self.known as f64 / self.messages.max(1) as f64;
        (known as u64)
            .saturating_add(self.settled_octets)
            .min(planned)
    }
}

/// Rates are averages over this time.
const WINDOW: Duration = Duration::from_secs(15);

impl State {
    /// Takes an event in. `now` is the time since any fixed start. Whether a wait began,
    /// changed or ended that was not known: several lanes may wait for the same.
    pub(crate) fn note(&mut self, event: &Event, now: Duration) -> bool {
        let before = self.wait();
        self.take(event, now);
        before != self.wait()
    }

    /// What is waited for: until when, why, and on account of which side.
    fn wait(&self) -> Option<(i64, Code, Option<Side>)> {
        let waiting = self.waiting.as_ref();
        waiting.map(|(until, fault)| (*until, fault.code, fault.at.side))
    }

    fn take(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Phase(phase) => self.phase = Some(*phase),
            Event::Planned(plan) => {
                let mut octets = Some(0);
                for line in plan.copied().filter(|m| m.step != Step::Unchanged) {
                    let state = line.source.state.unwrap_or_default();
                    let size = state.octets.or((state.messages == 0).then_some(0));
                    octets = octets.zip(size).map(|(sum, size): (u64, u64)| sum + size);
                    let sizes = (state.messages, size.unwrap_or(0));
                    self.planned.insert(line.source.name.clone(), sizes);
                }
                self.total_octets = octets;
                self.total_messages = self.planned.values().map(|p| p.0).sum();
            }
            Event::MailboxStarted {
                mailbox,
                messages,
                to_copy,
            } => {
                let open = self.open.entry(mailbox.clone()).or_default();
                open.messages = *messages;
                open.known = messages.saturating_sub(*to_copy);
                self.latest = Some(mailbox.clone());
            }
            Event::Sent { octets } => {
                self.sent_octets += octets;
                self.sample(now);
            }
            Event::Settled {
                mailbox,
                outcome,
                messages,
                octets,
            } => {
                if *outcome == Outcome::Copied {
                    self.copied_octets += octets;
                }
                // Often one event per message: names are copied only when they change.
                if let Some(open) = self.open.get_mut(mailbox) {
                    open.settled += messages;
                    open.settled_octets += octets;
                }
                if self.latest.as_ref() != Some(mailbox) {
                    self.latest = Some(mailbox.clone());
                }
            }
            Event::MailboxDone { mailbox } => {
                self.open.remove(mailbox);
                if let Some((messages, octets)) = self.planned.get(mailbox) {
                    self.finished_messages += messages;
                    self.finished_octets += octets;
                }
                if self.latest.as_ref() == Some(mailbox) {
                    self.latest = self.open.keys().next().cloned();
                }
            }
            Event::Waiting {
                until_millis,
                because,
            } => self.waiting = Some((*until_millis, because.clone())),
            Event::Resumed => self.waiting = None,
            Event::TakenBack { .. } | Event::Lanes { .. } | Event::Fault(_) => {}
            Event::Done(_) => self.phase = None,
        }
    }

    /// The phase under way.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Octets done and in all; `None` when the whole is not known.
    pub(crate) fn octets(&self) -> Option<(u64, u64)> {
        let total = self.total_octets?;
        let open = self.open.iter().map(|(name, open)| {
            let planned = self.planned.get(name).map_or(0, |p| p.1);
            open.done_octets(planned)
        });
        let under_way = self.sent_octets.saturating_sub(self.copied_octets);
        let done = self.finished_octets + open.sum::<u64>();
        Some((done.saturating_add(under_way).min(total), total))
    }

    /// Octets sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent_octets
    }

    /// Messages with an outcome, and in all.
    pub(crate) fn messages(&self) -> (u64, u64) {
        let open: u64 = self.open.values().map(Open::done).sum();
        let done = self.finished_messages + open;
        (done.min(self.total_messages), self.total_messages)
    }

    /// How much is done, from 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let (done, total) = self.octets().unwrap_or(self.messages());
        match total {
            0 => 0.0,
            total => done as f64 / total as f64,
        }
    }

    /// The mailbox that something was last heard of: name, messages done, messages in all.
    pub(crate) fn mailbox(&self) -> Option<(&MailboxName, u64, u64)> {
        let name = self.latest.as_ref()?;
        let open = self.open.get(name)?;
        Some((name, open.done(), open.messages))
    }

    /// Until when nothing happens, and why.
    pub(crate) fn waiting(&self) -> Option<(i64, &Fault)> {
        self.waiting.as_ref().map(|(until, fault)| (*until, fault))
    }

    /// Octets per second over the last seconds.
    pub(crate) fn rate(&self, now: Duration) -> Option<u64> {
        let (start, before) = *self
            .samples
            .iter()
            .find(|(at, _)| now.saturating_sub(*at) <= WINDOW)?;
        let elapsed = now.saturating_sub(start).as_secs_f64();
        let octets = self.sent_octets.saturating_sub(before);
        (elapsed >= 0.5 && octets > 0).then(|| (octets as f64 / elapsed) as u64)
    }

    /// How long the rest will take, at the present rate.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        let (done, total) = self.octets()?;
        let rate = self.rate(now)?;
        Some(Duration::from_secs((total - done) / rate.max(1)))
    }

    /// Keeps one sample per half second.
    fn sample(&mut self, now: Duration) {
        let spaced = |(at, _): &(Duration, u64)| now.saturating_sub(*at).as_millis() >= 500;
        if self.samples.back().is_none_or(spaced) {
            self.samples.push_back((now, self.sent_octets));
        }
        while self.samples.len() > 2 * WINDOW.as_secs() as usize + 2 {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::mailbox::MailboxState;
    use hikyaku_core::plan::{MailboxPlan, Plan};
    use hikyaku_core::{MailboxInfo, Reach, Remedy, WireName};
    use std::sync::Arc;

    fn line(name: &str, messages: u64, octets: Option<u64>, step: Step) -> MailboxPlan {
        let name = MailboxName::parse(name).expect("name");
        MailboxPlan {
            source: MailboxInfo {
                name: name.clone(),
                wire: WireName::new("x"),
                role: None,
                selectable: true,
                subscribed: false,
                no_children: false,
                state: Some(MailboxState {
                    messages,
                    octets,
                    ..MailboxState::default()
                }),
            },
            destination: name,
            existing: None,
            role: None,
            changes: Vec::new(),
            step,
            pairing: None,
        }
    }

    fn planned(mailboxes: Vec<MailboxPlan>) -> State {
        let mut state = State::default();
        let plan = Event::Planned(Arc::new(Plan { mailboxes }));
        state.note(&plan, Duration::ZERO);
        state
    }

    fn settled(outcome: Outcome, messages: u64, octets: u64) -> Event {
        Event::Settled {
            mailbox: MailboxName::inbox(),
            outcome,
            messages,
            octets,
        }
    }

    fn started(name: &str, messages: u64, to_copy: u64) -> Event {
        Event::MailboxStarted {
            mailbox: MailboxName::parse(name).expect("name"),
            messages,
            to_copy,
        }
    }

    #[test]
    fn a_run_again_reaches_the_end() {
        let mut state = planned(vec![
            line("INBOX", 10, Some(1000), Step::Copy { create: false }),
            line("b", 10, Some(1000), Step::Copy { create: false }),
        ]);
        let at = Duration::ZERO;
        state.note(&started("INBOX", 10, 1), at);
        assert_eq!(
            (state.octets(), state.messages()),
            (Some((900, 2000)), (9, 20))
        );
        state.note(&settled(Outcome::Copied, 1, 100), at);
        for name in ["INBOX", "b"] {
            let mailbox = MailboxName::parse(name).expect("name");
            state.note(&Event::MailboxDone { mailbox }, at);
        }
        assert_eq!(
            (state.octets(), state.messages()),
            (Some((2000, 2000)), (20, 20))
        );
    }

    #[test]
    fn only_mailboxes_with_work_count() {
        let state = planned(vec![
            line("INBOX", 10, Some(1000), Step::Copy { create: false }),
            line("old", 90, Some(9000), Step::Unchanged),
        ]);
        assert_eq!(
            (state.octets(), state.messages()),
            (Some((0, 1000)), (0, 10))
        );
    }

    #[test]
    fn octets_under_way_count_once() {
        let mut state = planned(vec![line(
            "INBOX",
            10,
            Some(1000),
            Step::Copy { create: false },
        )]);
        let at = Duration::from_secs(1);
        state.note(&started("INBOX", 10, 10), at);
        state.note(&Event::Sent { octets: 300 }, at);
        assert_eq!(state.octets(), Some((300, 1000)));
        state.note(&settled(Outcome::Copied, 2, 200), at);
        assert_eq!(state.octets(), Some((300, 1000)));
        state.note(&settled(Outcome::AlreadyThere, 5, 500), at);
        assert_eq!(state.octets(), Some((800, 1000)));
        assert_eq!(state.messages(), (7, 10));
        // What is sent again after a lost connection never shows more than all.
        state.note(&Event::Sent { octets: 9000 }, at);
        assert_eq!(state.octets(), Some((1000, 1000)));
    }

    #[test]
    fn without_sizes_messages_are_the_measure() {
        let mut state = planned(vec![line("INBOX", 10, None, Step::Copy { create: false })]);
        state.note(&started("INBOX", 10, 10), Duration::ZERO);
        state.note(&settled(Outcome::Copied, 5, 500), Duration::ZERO);
        assert_eq!(state.octets(), None);
        assert!((state.share() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut state = planned(vec![line(
            "INBOX",
            10,
            Some(100_000),
            Step::Copy { create: false },
        )]);
        for second in 0..=60 {
            let octets = if second <= 30 { 10 } else { 1000 };
            state.note(&Event::Sent { octets }, Duration::from_secs(second));
        }
        let now = Duration::from_secs(60);
        assert_eq!(state.rate(now), Some(1000));
        let (done, total) = state.octets().expect("octets");
        assert_eq!(
            state.left(now),
            Some(Duration::from_secs((total - done) / 1000))
        );
        assert_eq!(state.rate(Duration::from_secs(90)), None);
    }

    #[test]
    fn a_wait_is_new_once() {
        let waiting = |code, until_millis| Event::Waiting {
            until_millis,
            because: Fault::new(code, Reach::Side, Remedy::Retry { after: None }, "x"),
        };
        let mut state = State::default();
        let mut changes = |event| state.note(&event, Duration::ZERO);
        let (busy, budget) = (Code::ServerBusy, Code::ServerBudget);
        assert!(!changes(Event::Resumed), "nothing was waited for");
        assert!(changes(waiting(busy, 10)));
        assert!(!changes(waiting(busy, 10)), "another lane");
        assert!(!changes(Event::Sent { octets: 1 }));
        assert!(changes(waiting(busy, 20)), "longer");
        assert!(changes(waiting(budget, 20)), "for something else");
        assert!(changes(Event::Resumed));
        assert!(!changes(Event::Resumed));
    }

    #[test]
    fn the_mailbox_last_heard_of_is_shown() {
        let mut state = State::default();
        state.note(&started("a", 10, 4), Duration::ZERO);
        state.note(&started("INBOX", 10, 4), Duration::ZERO);
        state.note(&settled(Outcome::Copied, 2, 200), Duration::ZERO);
        let shown = |state: &State| {
            let mailbox = state.mailbox();
            mailbox.map(|(name, done, all)| (name.to_string(), done, all))
        };
        assert_eq!(shown(&state), Some(("INBOX".into(), 8, 10)));
        let done = Event::MailboxDone {
            mailbox: MailboxName::inbox(),
        };
        state.note(&done, Duration::ZERO);
        assert_eq!(shown(&state), Some(("a".into(), 6, 10)));
    }
}
