//! Progress of a run for whoever watches: a bar on a terminal, now and then a line
//! in a log, one object per event for programs.

mod state;

pub(crate) use state::State;

use crate::output::Output;
use crate::{figures, terminal};
use hikyaku_core::event::Phase;
use hikyaku_core::traits::Clock;
use hikyaku_core::{Event, Fault, Observer};
use hikyaku_engine::SystemClock;
use hikyaku_text::escape::clean;
use hikyaku_text::{About, Lang, Messages, Rate, Share, Show, Size, run};
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
            Way::Json => crate::json::event(self.output, event),
            Way::Bar(bar) => bar.set_position((share * STEPS as f64) as u64),
            Way::Lines(_) => {}
        }
        let lang = self.output.lang;
        match event {
            Event::Planned(plan) => {
                let total = hikyaku_text::plan::total_of(plan, lang);
                self.say(&format!("{}{total}", introduction(lang)));
            }
            Event::Waiting {
                until_millis,
                because,
            } if matches!(self.way, Way::Lines(_)) => {
                self.say(&waiting(*until_millis, because, lang));
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
            let text = detail(&shared.state(), shared.start.elapsed(), output);
            let text = clean(&text);
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

/// Amount and rate.
fn head(state: &State, now: Duration, output: Output) -> String {
    let lang = output.lang;
    let amount = match state.octets() {
        Some((done, total)) => format!("{} / {}", Size(done).show(lang), Size(total).show(lang)),
        None => Size(state.sent()).show(lang),
    };
    match state.rate(now) {
        Some(rate) => format!("{amount}  {}", Rate(rate).show(lang)),
        None => amount,
    }
}

/// What is going on: a wait, a mailbox, or a phase.
fn detail(state: &State, now: Duration, output: Output) -> String {
    let lang = output.lang;
    if let Some((until, fault)) = state.waiting() {
        return waiting(until, fault, lang);
    }
    match state.phase() {
        Some(Phase::Transfer | Phase::Verify) => {
            let (done, all) = state.messages();
            let (done, all) = (Share(done), Messages(all));
            let amount = match state.left(now) {
                Some(left) => run::progress_left(done, all, About(left), lang),
                None => run::progress(done, all, lang),
            };
            match state.mailbox() {
                Some((name, _, _)) => format!("{amount}  {}", run::now_in(name, lang)),
                None => amount,
            }
        }
        Some(phase) => run::phase(phase, lang),
        None => String::new(),
    }
}

/// Everything in one line, for logs.
fn line(state: &State, now: Duration, output: Output) -> String {
    let detail = detail(state, now, output);
    let begun = matches!(state.phase(), Some(Phase::Transfer | Phase::Verify));
    if !begun {
        return detail;
    }
    let percent = (state.share() * 100.0) as u64;
    format!("{percent:>3}%  {}  {detail}", head(state, now, output))
}

fn waiting(until_millis: i64, because: &Fault, lang: Lang) -> String {
    let now = SystemClock::default().unix_millis();
    run::waiting(because, figures::until(until_millis, now), lang)
}

fn introduction(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "コピー元：",
        Lang::En => "Source: ",
    }
}
