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
use hikyaku_text::{About, Count, Lang, Messages, Rate, Share, Show, Size, run};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Shows a run while it goes on.
pub(crate) struct Progress {
    output: Output,
    shared: Arc<Shared>,
    way: Way,
    /// What has to be said after the person has answered a question; `None` while
    /// nobody is asked.
    held: Mutex<Option<Vec<String>>>,
}

/// Where a run is shown, for those who may have to ask something in its middle: it is
/// known to them before there is anything to show.
#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<OnceLock<Arc<Progress>>>);

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    /// From now on the run is shown there.
    pub(crate) fn open(&self, progress: &Arc<Progress>) {
        // One run has one progress.
        self.0.set(Arc::clone(progress)).ok();
    }

    /// Says something to the person, wherever the run is shown.
    pub(crate) fn say(&self, output: Output, text: &str) {
        match self.0.get() {
            Some(progress) => progress.say(text),
            None if output.json => {}
            None => output.note(text),
        }
    }

    /// Does something on the terminal without being disturbed.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.0.get() {
            Some(progress) => progress.aside(work),
            None => work(),
        }
    }
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

/// How often the bar is drawn, at least.
const TICK: Duration = Duration::from_millis(200);

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
            held: Mutex::default(),
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
        if now.saturating_sub(last.0) < LINE_EVERY || self.held().is_some() {
            return;
        }
        let state = self.shared.state();
        // Its begin was told, with the time of its end.
        if state.waiting().is_some() {
            return;
        }
        let line = line(&state, now, self.output);
        if line != last.1 {
            self.output.note(&line);
            *last = (now, line);
        }
    }

    /// Says something without disturbing what is drawn.
    pub(crate) fn say(&self, text: &str) {
        if let Some(held) = &mut *self.held() {
            held.push(text.to_owned());
            return;
        }
        match &self.way {
            Way::Bar(bar) => bar.suspend(|| self.output.note(text)),
            Way::Lines(_) => self.output.note(text),
            Way::Json => {}
        }
    }

    /// Does something on the terminal while nothing is drawn or said. Events go on being
    /// counted meanwhile.
    fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        *self.held() = Some(Vec::new());
        let done = match &self.way {
            Way::Bar(bar) => {
                // Its ticks would wait for the answer.
                bar.disable_steady_tick();
                let done = bar.suspend(work);
                bar.enable_steady_tick(TICK);
                done
            }
            Way::Lines(_) | Way::Json => work(),
        };
        let held = self.held().take();
        for text in held.into_iter().flatten() {
            self.say(&text);
        }
        done
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (share, change) = {
            let mut state = self.shared.state();
            let change = state.note(event, now);
            (state.share(), change)
        };
        match &self.way {
            Way::Json => crate::json::event(self.output, event),
            // Under the lock: the bar cannot be drawn while somebody types.
            Way::Bar(bar) => {
                if self.held().is_none() {
                    bar.set_position((share * STEPS as f64) as u64);
                }
            }
            Way::Lines(_) => {}
        }
        let lang = self.output.lang;
        let in_lines = matches!(self.way, Way::Lines(_));
        match event {
            Event::Planned(plan) => {
                let total = hikyaku_text::plan::total_of(plan, lang);
                self.say(&format!("{}{total}", introduction(lang)));
            }
            Event::Waiting {
                until_millis,
                because,
            } if in_lines && change => self.say(&waiting(*until_millis, because, lang)),
            Event::Resumed if in_lines && change => self.say(&run::resumed(lang)),
            Event::Lanes { now, most } if self.output.verbose => {
                let (now, most) = (Count(*now as u64), Count(*most as u64));
                self.say(&run::lanes(now, most, lang));
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
    bar.enable_steady_tick(TICK);
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

/// A wait before there is anything to show.
pub(crate) fn announce(output: Output, event: &Event) {
    match event {
        _ if output.json => crate::json::event(output, event),
        Event::Waiting {
            until_millis,
            because,
        } => output.note(&waiting(*until_millis, because, output.lang)),
        Event::Resumed => output.note(&run::resumed(output.lang)),
        _ => {}
    }
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
