//! Progress of a run for whoever watches: a bar on a terminal, now and then a line
//! in a log, one object per event for programs.

mod state;

pub(crate) use state::State;

use crate::output::Output;
use crate::{figures, terminal, words};
use hikyaku_core::event::Phase;
use hikyaku_core::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shows a run while it goes on.
pub(crate) struct Progress {
    output: Output,
    shared: Arc<Shared>,
    way: Way,
}

struct Shared {
    start: Instant,
    state: Mutex<State>,
}

enum Way {
    /// Drawn by its own ticks.
    Bar(ProgressBar),
    /// When the last line was written, and what it said.
    Lines(Mutex<(Duration, String)>),
    /// One object per event.
    Json,
}

/// Between two lines of a log.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The bar's own steps: tenths of a percent.
const STEPS: u64 = 1000;

impl Progress {
    /// Begins to watch.
    pub(crate) fn start(output: Output) -> Self {
        let shared = Arc::new(Shared {
            start: Instant::now(),
            state: Mutex::default(),
        });
        let way = if output.json {
            Way::Json
        } else if output.is_watched() {
            Way::Bar(bar(output, &shared))
        } else {
            Way::Lines(Mutex::default())
        };
        Self {
            output,
            shared,
            way,
        }
    }

    /// Writes a line when one is due. Called about once a second, so that something is
    /// heard even when nothing happens.
    pub(crate) fn tick(&self) {
        let Way::Lines(last) = &self.way else {
            return;
        };
        let now = self.shared.start.elapsed();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(last.0) < LINE_EVERY {
            return;
        }
        let state = self.shared.state();
        let line = line(&state, now, self.output);
        if line != last.1 {
            self.output.note(&line);
            *last = (now, line);
        }
    }

    /// Says something without disturbing what is drawn.
    pub(crate) fn say(&self, text: &str) {
        match &self.way {
            Way::Bar(bar) => bar.suspend(|| self.output.note(text)),
            Way::Lines(_) => self.output.note(text),
            Way::Json => {}
        }
    }

    /// Takes down what is drawn.
    pub(crate) fn end(&self) {
        if let Way::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn note(&self, event: &Event) {
        let now = self.shared.start.elapsed();
        let share = {
            let mut state = self.shared.state();
            state.note(event, now);
            state.share()
        };
        match &self.way {
            Way::Json => crate::json::event(event, self.output),
            Way::Bar(bar) => bar.set_position((share * STEPS as f64) as u64),
            Way::Lines(_) => {}
        }
        let lang = self.output.lang;
        match event {
            Event::Planned(plan) => {
                let state = self.shared.state();
                let text = words::planned(plan, state.messages().1, lang);
                drop(state);
                self.say(&text);
            }
            Event::Waiting {
                until_millis,
                because,
            } if matches!(self.way, Way::Lines(_)) => {
                let until = figures::clock(*until_millis);
                self.say(&words::waiting(because, &until, lang));
            }
            _ => {}
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves only numbers behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bar(output: Output, shared: &Arc<Shared>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(STEPS), target);
    let head = {
        let shared = Arc::clone(shared);
        move |_: &ProgressState, out: &mut dyn Write| {
            let text = head(&shared.state(), shared.start.elapsed(), output);
            out.write_str(&text).ok();
        }
    };
    let detail = {
        let shared = Arc::clone(shared);
        move |_: &ProgressState, out: &mut dyn Write| {
            let columns = console::Term::stderr().size().1.saturating_sub(1);
            let text = detail(&shared.state(), output);
            let text = terminal::clean(&text);
            out.write_str(&terminal::shorten(&text, columns.into()))
                .ok();
        }
    };
    // The template is a constant: a mistake in it would show in every run.
    let style = ProgressStyle::with_template("{percent:>3}% [{wide_bar}] {head}\n{detail}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=>-")
        .with_key("head", head)
        .with_key("detail", detail);
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Amount, rate and the time left.
fn head(state: &State, now: Duration, output: Output) -> String {
    let lang = output.lang;
    let amount = match state.octets() {
        Some((done, total)) => format!(
            "{} / {}",
            figures::octets(done, lang),
            figures::octets(total, lang)
        ),
        None => figures::octets(state.sent(), lang),
    };
    let rate = state.rate(now).map(|rate| figures::octets(rate, lang));
    let left = state.left(now).map(|left| figures::left(left, lang));
    let rate = rate.map(|rate| format!("  {rate}/s")).unwrap_or_default();
    let left = left
        .map(|left| words::left(&left, lang))
        .unwrap_or_default();
    format!("{amount}{rate}{left}")
}

/// What is going on: a wait, a mailbox, or a phase.
fn detail(state: &State, output: Output) -> String {
    let lang = output.lang;
    if let Some((until, fault)) = state.waiting() {
        return words::waiting(fault, &figures::clock(until), lang);
    }
    if let (Some((name, done, all)), Some(Phase::Transfer | Phase::Verify)) =
        (state.mailbox(), state.phase())
    {
        return words::in_mailbox(&name.to_string(), done, all, lang);
    }
    state
        .phase()
        .map_or_else(String::new, |phase| words::phase(phase, lang).to_owned())
}

/// Everything in one line, for logs.
fn line(state: &State, now: Duration, output: Output) -> String {
    let detail = detail(state, output);
    let begun = matches!(state.phase(), Some(Phase::Transfer | Phase::Verify));
    if !begun {
        return detail;
    }
    let percent = (state.share() * 100.0) as u64;
    format!("{percent:>3}%  {}  {detail}", head(state, now, output))
}
