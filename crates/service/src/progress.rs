//! How far a job is: what the events of its run add up to. Pure: time is passed in.

use crate::job::{FolderProgress, Progress, Waiting};
use hikyaku_core::plan::Step;
use hikyaku_core::report::Outcome;
use hikyaku_core::{Event, Fault, MailboxName, Observer};
use hikyaku_view::FaultView;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rates are averages over this time.
const WINDOW: Duration = Duration::from_secs(30);

/// Between two samples of the rate.
const SAMPLE: Duration = Duration::from_millis(500);

/// Adds up the events of one run.
#[derive(Default)]
pub(crate) struct Tracker(Mutex<State>);

#[derive(Default)]
struct State {
    folders: Vec<Folder>,
    place: HashMap<MailboxName, usize>,
    /// `None` where a mailbox does not tell its size.
    octets: Option<u64>,
    sent: u64,
    copied_octets: u64,
    copied: u64,
    latest: Option<MailboxName>,
    waiting: Option<(i64, Fault)>,
    /// Rises with every event that shows.
    changes: u64,
    /// Octets sent up to each of the last moments, oldest first.
    samples: VecDeque<(Duration, u64)>,
}

struct Folder {
    name: MailboxName,
    messages: u64,
    octets: u64,
    /// Messages that are there already.
    known: u64,
    settled: u64,
    settled_octets: u64,
    finished: bool,
}

impl Folder {
    fn done(&self) -> u64 {
        match self.finished {
            true => self.messages,
            false => (self.known + self.settled).min(self.messages),
        }
    }

    /// What is known already has the average size.
    fn done_octets(&self) -> u64 {
        if self.finished {
            return self.octets;
        }
        let known = self.octets as f64 * self.known as f64 / self.messages.max(1) as f64;
        (known as u64)
            .saturating_add(self.settled_octets)
            .min(self.octets)
    }
}

impl Observer for Tracker {
    fn note(&self, event: &Event) {
        self.lock().take(event);
    }
}

impl Tracker {
    /// How far it is at this moment of wall clock and of monotonic time.
    pub(crate) fn progress(&self, at_millis: i64, now: Duration) -> Progress {
        let mut state = self.lock();
        state.sample(now);
        let octets_done: u64 = state.folders.iter().map(Folder::done_octets).sum();
        let octets = state.octets.unwrap_or(0);
        let under_way = state.sent.saturating_sub(state.copied_octets);
        let octets_done = octets_done.saturating_add(under_way).min(octets);
        Progress {
            messages_done: state.folders.iter().map(Folder::done).sum(),
            messages: state.folders.iter().map(|f| f.messages).sum(),
            octets_done,
            octets,
            copied: state.copied,
            folder: state.latest.as_ref().map(ToString::to_string),
            folders: state.folders.iter().map(show).collect(),
            left_seconds: state.left(octets_done, now),
            waiting: state.waiting.as_ref().map(|(until, because)| Waiting {
                until_millis: *until,
                because: FaultView::from(because),
            }),
            at_millis,
        }
    }

    /// Rises with every event that shows.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Whether every mailbox has all its outcomes: what is left is to look at both sides once more.
    pub(crate) fn is_through(&self) -> bool {
        let state = self.lock();
        !state.folders.is_empty() && state.folders.iter().all(|f| f.finished)
    }

    /// Until when nothing happens.
    pub(crate) fn waits_until(&self) -> Option<i64> {
        self.lock().waiting.as_ref().map(|(until, _)| *until)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        self.changes += 1;
        match event {
            Event::Planned(plan) => {
                self.folders.clear();
                self.place.clear();
                let mut octets = Some(0u64);
                for line in plan.copied() {
                    let state = line.source.state.unwrap_or_default();
                    let size = state.octets.or((state.messages == 0).then_some(0));
                    octets = octets.zip(size).map(|(sum, size)| sum.saturating_add(size));
                    self.place
                        .insert(line.source.name.clone(), self.folders.len());
                    self.folders.push(Folder {
                        name: line.source.name.clone(),
                        messages: state.messages,
                        octets: size.unwrap_or(0),
                        known: 0,
                        settled: 0,
                        settled_octets: 0,
                        finished: line.step == Step::Unchanged,
                    });
                }
                self.octets = octets;
            }
            Event::MailboxStarted {
                mailbox,
                messages,
                to_copy,
            } => {
                if let Some(folder) = self.folder(mailbox)
                    && !folder.finished
                {
                    folder.messages = *messages;
                    folder.known = messages.saturating_sub(*to_copy);
                    self.latest = Some(mailbox.clone());
                }
            }
            Event::Sent { octets } => self.sent += octets,
            Event::Settled {
                mailbox,
                outcome,
                messages,
                octets,
            } => {
                if *outcome == Outcome::Copied {
                    self.copied += messages;
                    self.copied_octets += octets;
                }
                if let Some(folder) = self.folder(mailbox) {
                    folder.settled += messages;
                    folder.settled_octets += octets;
                }
                if self.latest.as_ref() != Some(mailbox) {
                    self.latest = Some(mailbox.clone());
                }
            }
            Event::MailboxDone { mailbox } => {
                if let Some(folder) = self.folder(mailbox) {
                    folder.finished = true;
                }
                if self.latest.as_ref() == Some(mailbox) {
                    self.latest = None;
                }
            }
            Event::Waiting {
                until_millis,
                because,
            } => self.waiting = Some((*until_millis, because.clone())),
            Event::Resumed => self.waiting = None,
            Event::Done(_) => {
                self.latest = None;
                self.waiting = None;
            }
            Event::Phase(_) | Event::Lanes { .. } | Event::Fault(_) => self.changes -= 1,
            #[allow(unreachable_patterns, reason = "events of undoing need no entry here")]
            _ => {}
        }
    }

    fn folder(&mut self, name: &MailboxName) -> Option<&mut Folder> {
        self.folders.get_mut(*self.place.get(name)?)
    }

    /// Seconds that are left at the present rate.
    fn left(&self, done: u64, now: Duration) -> Option<u64> {
        let octets = self.octets?;
        let (start, before) = *self
            .samples
            .iter()
            .find(|(at, _)| now.saturating_sub(*at) <= WINDOW)?;
        let elapsed = now.saturating_sub(start).as_secs_f64();
        let sent = self.sent.saturating_sub(before);
        if elapsed < 1.0 || sent == 0 || self.waiting.is_some() {
            return None;
        }
        let rate = (sent as f64 / elapsed).max(1.0);
        Some((octets.saturating_sub(done) as f64 / rate).ceil() as u64)
    }

    fn sample(&mut self, now: Duration) {
        let spaced = |(at, _): &(Duration, u64)| now.saturating_sub(*at) >= SAMPLE;
        if self.samples.back().is_none_or(spaced) {
            self.samples.push_back((now, self.sent));
        }
        let most = 2 * (WINDOW.as_millis() / SAMPLE.as_millis()) as usize;
        while self.samples.len() > most {
            self.samples.pop_front();
        }
    }
}

fn show(folder: &Folder) -> FolderProgress {
    FolderProgress {
        name: folder.name.to_string(),
        messages: folder.messages,
        done: folder.done(),
        finished: folder.finished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::mailbox::MailboxState;
    use hikyaku_core::plan::{MailboxPlan, Plan};
    use hikyaku_core::policy::SkipRule;
    use hikyaku_core::{Code, MailboxInfo, Reach, Remedy, WireName};
    use std::sync::Arc;

    fn line(name: &str, messages: u64, octets: Option<u64>, step: Step) -> MailboxPlan {
        let name = MailboxName::parse(name).expect("a name");
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

    fn copy() -> Step {
        Step::Copy { create: false }
    }

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).expect("a name")
    }

    fn tracker(mailboxes: Vec<MailboxPlan>) -> Tracker {
        let tracker = Tracker::default();
        tracker.note(&Event::Planned(Arc::new(Plan { mailboxes })));
        tracker
    }

    fn started(tracker: &Tracker, mailbox: &str, messages: u64, to_copy: u64) {
        tracker.note(&Event::MailboxStarted {
            mailbox: name(mailbox),
            messages,
            to_copy,
        });
    }

    fn settled(tracker: &Tracker, mailbox: &str, outcome: Outcome, messages: u64, octets: u64) {
        tracker.note(&Event::Settled {
            mailbox: name(mailbox),
            outcome,
            messages,
            octets,
        });
    }

    fn at(tracker: &Tracker, seconds: u64) -> Progress {
        tracker.progress(seconds as i64 * 1000, Duration::from_secs(seconds))
    }

    #[test]
    fn a_copy_from_beginning_to_end() {
        let tracker = tracker(vec![
            line("INBOX", 10, Some(1_000), copy()),
            line("Old", 4, Some(400), Step::Unchanged),
            line("Spam", 7, Some(700), Step::Skip(SkipRule::Excluded)),
            line("Empty", 0, None, copy()),
        ]);
        let first = at(&tracker, 0);
        assert_eq!((first.messages_done, first.messages), (4, 14));
        assert_eq!((first.octets_done, first.octets), (400, 1_400));
        assert_eq!((first.folder, first.left_seconds), (None, None));
        started(&tracker, "INBOX", 10, 8);
        tracker.note(&Event::Sent { octets: 500 });
        settled(&tracker, "INBOX", Outcome::Copied, 3, 300);
        settled(&tracker, "INBOX", Outcome::AlreadyThere, 1, 100);
        let middle = at(&tracker, 10);
        assert_eq!((middle.messages_done, middle.copied), (10, 3));
        // 200 are known, 400 settled, 200 under way, 400 of the unchanged one.
        assert_eq!(middle.octets_done, 1_200);
        assert_eq!(middle.folder.as_deref(), Some("INBOX"));
        // 50 octets in a second, 200 are left.
        assert_eq!(middle.left_seconds, Some(4));
        assert!(!tracker.is_through());
        settled(&tracker, "INBOX", Outcome::Copied, 4, 400);
        for mailbox in ["INBOX", "Empty"] {
            tracker.note(&Event::MailboxDone {
                mailbox: name(mailbox),
            });
        }
        assert!(tracker.is_through());
        let last = at(&tracker, 20);
        assert_eq!((last.messages_done, last.octets_done), (14, 1_400));
        assert_eq!((last.copied, last.folder), (7, None));
        let folders: Vec<(&str, u64, u64, bool)> = last
            .folders
            .iter()
            .map(|f| (&*f.name, f.done, f.messages, f.finished))
            .collect();
        assert_eq!(
            folders,
            [
                ("INBOX", 10, 10, true),
                ("Old", 4, 4, true),
                ("Empty", 0, 0, true)
            ]
        );
        assert_eq!(last.at_millis, 20_000);
    }

    #[test]
    fn without_sizes_messages_are_counted_and_nothing_is_foretold() {
        let tracker = tracker(vec![line("INBOX", 10, None, copy())]);
        started(&tracker, "INBOX", 10, 10);
        at(&tracker, 0);
        tracker.note(&Event::Sent { octets: 500 });
        settled(&tracker, "INBOX", Outcome::Copied, 5, 500);
        let middle = at(&tracker, 10);
        assert_eq!((middle.messages_done, middle.messages), (5, 10));
        assert_eq!((middle.octets_done, middle.octets), (0, 0));
        assert_eq!(middle.left_seconds, None);
    }

    #[test]
    fn a_wait_is_shown_with_its_reason_until_it_is_over() {
        let tracker = tracker(vec![line("INBOX", 1, Some(1), copy())]);
        let because = Fault::new(
            Code::ServerBusy,
            Reach::Side,
            Remedy::Retry { after: None },
            "x",
        );
        let before = tracker.changes();
        tracker.note(&Event::Waiting {
            until_millis: 9_000,
            because: because.clone(),
        });
        assert!(tracker.changes() > before);
        assert_eq!(tracker.waits_until(), Some(9_000));
        let waiting = at(&tracker, 1).waiting.expect("a wait");
        assert_eq!(
            (waiting.until_millis, waiting.because),
            (9_000, FaultView::from(&because))
        );
        tracker.note(&Event::Resumed);
        assert_eq!(at(&tracker, 2).waiting, None);
    }

    /// A mailbox that arrived at its end and is looked at once more, for what came meanwhile.
    #[test]
    fn what_is_through_stays_so() {
        let tracker = tracker(vec![line("INBOX", 2, Some(2), copy())]);
        started(&tracker, "INBOX", 2, 2);
        settled(&tracker, "INBOX", Outcome::Copied, 2, 2);
        tracker.note(&Event::MailboxDone {
            mailbox: name("INBOX"),
        });
        started(&tracker, "INBOX", 3, 1);
        settled(&tracker, "INBOX", Outcome::Copied, 1, 1);
        let last = at(&tracker, 1);
        assert_eq!(
            (last.messages_done, last.messages, last.octets_done),
            (2, 2, 2)
        );
        assert!(tracker.is_through());
    }
}
