//! `hikyaku leave-pop`: the way out of POP as one path. Every step is one of the other commands;
//! what is added here is their order, the questions between them, and what may be given up.
//!
//! ```text
//!  sources ─► backup ─► check of the backup ─► copy ─► verify ─► which may be retired
//! ```
//!
//! Nothing is kept about the path itself: each step knows from the ledger what it did before, and
//! finds nothing to do a second time.

mod earlier;
mod sources;

use super::copy::{self, Done, Kind};
use super::pair::{self, Sides};
use super::{Context, backup};
use crate::args::{Filters, LeavePopArgs};
use crate::problem::{Failure, Problem};
use crate::side::{Backup, Side};
use crate::{exit, figures, json};
use hikyaku_core::policy::{Matching, Policy, Reserve};
use hikyaku_core::report::{Outcome, Report};
use hikyaku_core::{AccountId, Side as Which};
use hikyaku_engine::Depth;
use hikyaku_text::{Count, Lang, Messages, leave_pop as text};
use hikyaku_view::{LeavePopView, Line, SourceEndView, StepView};
use sources::Origin;
use std::io::{self, BufRead, IsTerminal};
use std::ops::ControlFlow;

/// The steps in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Backup,
    Check,
    Copy,
    Verify,
    Retire,
}

/// How many there are.
const STEPS: u64 = 5;

impl Step {
    fn number(self) -> u64 {
        self as u64 + 1
    }

    /// The word of the JSON.
    fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Check => "check",
            Self::Copy => "copy",
            Self::Verify => "verify",
            Self::Retire => "retire",
        }
    }

    fn told(self, lang: Lang) -> String {
        match self {
            Self::Backup => text::backup(lang),
            Self::Check => text::check(lang),
            Self::Copy => text::copy(lang),
            Self::Verify => text::verify(lang),
            Self::Retire => text::retire(lang),
        }
    }
}

/// Why the path ends before its end: an exit code, after the reason was told.
type Going = Result<ControlFlow<u8>, Failure>;

/// The path, with what is known of its sources so far.
struct Path<'a> {
    context: &'a Context,
    args: &'a LeavePopArgs,
    destination: Side,
    sources: Vec<Walked>,
    /// The worst of the exit codes that let the path go on.
    worst: u8,
}

/// A source on its way.
struct Walked {
    origin: Origin,
    /// What copying it came to.
    copied: Option<Report>,
    /// What comparing it came to.
    verified: Option<Done>,
}

/// `leave-pop`.
pub(super) fn run(context: &Context, args: &LeavePopArgs) -> Result<u8, Failure> {
    if !args.yes && (context.output.json || !io::stdin().is_terminal()) {
        return Err(Problem::Unconfirmed.into());
    }
    let mut path = Path::new(context, args)?;
    json::start(
        context.output,
        "leave_pop",
        None,
        path.destination.account().as_ref(),
    );
    path.introduce();
    for origin in path.sources.iter_mut().map(|walked| &mut walked.origin) {
        origin.side.ask_once(context.output)?;
    }
    path.destination.ask_once(context.output)?;
    for step in [Step::Backup, Step::Check, Step::Copy, Step::Verify] {
        let done = path.take(step).inspect_err(|_| path.not_finished(step))?;
        if let ControlFlow::Break(exit) = done {
            return Ok(exit);
        }
    }
    Ok(path.retire())
}

impl<'a> Path<'a> {
    fn new(context: &'a Context, args: &'a LeavePopArgs) -> Result<Self, Failure> {
        let origins = sources::collect(context, args)?;
        let (config, output) = (&context.config, context.output);
        let options = args.destination.options();
        let destination = Side::resolve(Which::Destination, &args.to, options, config, output)?;
        let path = Self {
            context,
            args,
            destination,
            sources: origins.into_iter().map(Walked::new).collect(),
            worst: exit::DONE,
        };
        // Mistakes come before questions: two sides that are one, files that cannot be read.
        for walked in &path.sources {
            path.to_destination(&walked.origin)?;
            path.to_backup(&walked.origin)?;
            walked.origin.side.check()?;
        }
        path.destination.check()?;
        Ok(path)
    }

    fn lang(&self) -> Lang {
        self.context.output.lang
    }

    fn say(&self, line: &str) {
        if !self.context.output.json {
            self.context.output.note(line);
        }
    }

    fn introduce(&self) {
        let lang = self.lang();
        self.say(&text::intro(lang));
        for walked in &self.sources {
            self.say(&text::source(&walked.origin.shown, lang));
        }
        self.say(&text::destination(&self.destination.shown(), lang));
    }

    /// Announces a step, asks, and does it for every source.
    fn take(&mut self, step: Step) -> Going {
        self.say("");
        let (number, of) = (Count(step.number()), Count(STEPS));
        let lang = self.lang();
        self.say(&text::step(number, of, &step.told(lang), lang));
        if self.args.have_backup && matches!(step, Step::Backup | Step::Check) {
            self.tell(step, None, "own");
            if step == Step::Backup {
                self.say(&text::own_backup(lang));
            }
            return Ok(ControlFlow::Continue(()));
        }
        if step == Step::Copy && !self.args.yes {
            for walked in &self.sources {
                self.say(&text::working_on(&walked.origin.shown, lang));
                let (sides, policy) = self.to_destination(&walked.origin)?;
                copy::plan_of(self.context, &sides, policy)?;
            }
        }
        if !self.agrees() {
            self.say(&text::stopped(lang));
            return Ok(ControlFlow::Break(exit::AGAIN));
        }
        for at in 0..self.sources.len() {
            let done = match step {
                Step::Backup => self.save(at)?,
                Step::Check => self.check(at)?,
                Step::Copy => self.copy(at)?,
                Step::Verify | Step::Retire => self.verify(at)?,
            };
            if done.is_break() {
                self.not_finished(step);
                return Ok(done);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn save(&mut self, at: usize) -> Going {
        let origin = &self.sources[at].origin;
        self.tell(Step::Backup, Some(origin), "begins");
        let Some(sides) = self.to_backup(origin)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let policy = Policy {
            // New mail arrives at servers, not on disks.
            reserve: Reserve::Nothing,
            ..pair::policy(self.context, &Filters::default(), None, &sides)?
        };
        let done = copy::run_to_report(self.context, &sides, policy, Kind::Backup)?;
        Ok(self.after(done.exit))
    }

    fn check(&mut self, at: usize) -> Going {
        let origin = &self.sources[at].origin;
        let backup = self.backup_of(origin).map(|b| Backup::at(b.directory));
        let (Some(backup), Some(source)) = (backup, origin.side.account()) else {
            return Ok(ControlFlow::Continue(()));
        };
        if let Some(when) = earlier::checked(self.context, &source, &backup)? {
            self.tell(Step::Check, Some(origin), "earlier");
            let when = figures::record(when);
            self.say(&text::checked_earlier(&when, self.lang()));
            return Ok(ControlFlow::Continue(()));
        }
        self.tell(Step::Check, Some(origin), "begins");
        let (line, is_whole) = backup::check_to_view(self.context, &backup)?;
        let exit = match is_whole {
            true => exit::DONE,
            false => exit::EXCEPTIONS,
        };
        earlier::remember(self.context, &source, &backup, &line, exit)?;
        // A backup that is not whole is none: nothing goes on without it.
        Ok(match is_whole {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(exit),
        })
    }

    fn copy(&mut self, at: usize) -> Going {
        let origin = &self.sources[at].origin;
        self.tell(Step::Copy, Some(origin), "begins");
        let (sides, policy) = self.to_destination(origin)?;
        let done = copy::run_to_report(self.context, &sides, policy, Kind::Copy)?;
        let going = self.after(done.exit);
        if going.is_continue() {
            self.sources[at].copied = Some(done.report);
            self.say(&self.where_only(at));
        }
        Ok(going)
    }

    fn verify(&mut self, at: usize) -> Going {
        let origin = &self.sources[at].origin;
        self.tell(Step::Verify, Some(origin), "begins");
        let (sides, policy) = self.to_destination(origin)?;
        let depth = match self.args.full {
            true => Depth::Full,
            false => Depth::Listed,
        };
        let done = copy::run_to_report(self.context, &sides, policy, Kind::Check(depth))?;
        // A difference is for the end of the path: the other sources are compared as well. What the
        // copy has named as an exception is no new one.
        let exit = done.exit;
        let named = self.sources[at].copied.as_ref();
        let named = named.map_or(0, |report| report.tally().failures());
        let is_named = done.report.differences <= named;
        let is_over = done.report.stopped.is_none();
        self.sources[at].verified = Some(done);
        Ok(match exit {
            exit::DIFFERENT if is_named => self.after(exit::EXCEPTIONS),
            exit::DIFFERENT => {
                self.worst = exit::DIFFERENT;
                ControlFlow::Continue(())
            }
            // A folder that cannot be opened: the source has to stay, the others are compared.
            exit::AGAIN if is_over => self.after(exit::EXCEPTIONS),
            exit => self.after(exit),
        })
    }

    /// Tells which sources may be given up; the exit code.
    fn retire(&self) -> u8 {
        let lang = self.lang();
        self.say("");
        let (number, of) = (Count(Step::Retire.number()), Count(STEPS));
        let told = Step::Retire.told(lang);
        self.tell(Step::Retire, None, "begins");
        self.say(&text::step(number, of, &told, lang));
        let ends: Vec<_> = self.sources.iter().map(Walked::end).collect();
        let complete = ends.iter().all(|end| end.may_retire);
        if self.context.output.json {
            let sources = ends;
            let view = LeavePopView { complete, sources };
            json::line(self.context.output, &Line::LeavePop(view));
        } else {
            let mut lines: Vec<String> = self
                .sources
                .iter()
                .zip(&ends)
                .map(|(walked, end)| said(&walked.origin.shown, end, lang))
                .collect();
            if ends.iter().any(|end| end.may_retire) {
                lines.extend([String::new(), text::before_you_delete(lang)]);
            }
            self.context.output.result(&lines.join("\n"));
        }
        match (complete, self.worst) {
            (true, worst) => worst,
            (false, exit::DONE) => exit::EXCEPTIONS,
            (false, worst) => worst,
        }
    }

    /// Both sides of a copy, and what holds for it.
    fn to_destination(&self, origin: &Origin) -> Result<(Sides, Policy), Failure> {
        let (source, destination) = (origin.side.clone(), self.destination.clone());
        let mut sides = Sides::of(source, destination, &self.args.reading)?;
        sides.are_a_step = true;
        let under = self.args.under.as_ref();
        let policy = Policy {
            // Several computers and the server: each message once, wherever it lies.
            matching: Matching::Account,
            reserve: match self.args.fill {
                true => Reserve::Nothing,
                false => Reserve::Usual,
            },
            ..pair::policy(self.context, &Filters::default(), under, &sides)?
        };
        Ok((sides, policy))
    }

    /// Both sides of the backup of a source, where one is made.
    fn to_backup(&self, origin: &Origin) -> Result<Option<Sides>, Failure> {
        let Some(backup) = self.backup_of(origin) else {
            return Ok(None);
        };
        let destination = Side::backup(Which::Destination, backup);
        let mut sides = Sides::of(origin.side.clone(), destination, &self.args.reading)?;
        sides.are_a_step = true;
        Ok(Some(sides))
    }

    /// Each source has a backup of its own, so that each can be compared with its own.
    fn backup_of(&self, origin: &Origin) -> Option<Backup> {
        let directory = self.args.backup.as_ref()?;
        Some(Backup {
            directory: directory.join(&origin.name),
            format: self.args.format,
            begins: true,
        })
    }

    /// Whether the path goes on after a run; exceptions are listed and let it.
    fn after(&mut self, exit: u8) -> ControlFlow<u8> {
        match exit {
            exit::DONE => ControlFlow::Continue(()),
            exit::EXCEPTIONS => {
                self.worst = self.worst.max(exit);
                ControlFlow::Continue(())
            }
            other => ControlFlow::Break(other),
        }
    }

    /// Announces a step of one source.
    fn tell(&self, step: Step, origin: Option<&Origin>, state: &str) {
        let output = self.context.output;
        if output.json {
            let view = StepView {
                step: step.word().to_owned(),
                number: step.number(),
                of: STEPS,
                source: origin
                    .and_then(|origin| origin.side.account())
                    .as_ref()
                    .map(AccountId::to_string),
                state: state.to_owned(),
            };
            json::line(output, &Line::Step(view));
        } else if let Some(origin) = origin {
            output.note(&text::working_on(&origin.shown, output.lang));
        }
    }

    /// What this source brought that none before it had.
    fn where_only(&self, at: usize) -> String {
        let (lang, walked) = (self.lang(), &self.sources[at]);
        let messages = Messages(walked.brought());
        let shown = &walked.origin.shown;
        let are_servers = self.sources[..at].iter().all(|w| w.origin.is_server);
        match (at, walked.origin.is_server) {
            (0, _) => text::from_first(shown, messages, lang),
            (_, false) if are_servers => text::only_on_the_computer(shown, messages, lang),
            (_, _) => text::only_there(shown, messages, lang),
        }
    }

    fn not_finished(&self, step: Step) {
        self.say(&text::not_finished(Count(step.number()), self.lang()));
    }

    fn agrees(&self) -> bool {
        if self.args.yes {
            return true;
        }
        self.context.output.note(&text::go_on(self.lang()));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let answer = answer.trim().to_lowercase();
        read.is_ok() && text::YES.contains(&answer.as_str())
    }
}

impl Walked {
    fn new(origin: Origin) -> Self {
        Self {
            origin,
            copied: None,
            verified: None,
        }
    }

    /// Messages that hikyaku brought from here, in this run or an earlier one.
    fn brought(&self) -> u64 {
        let copied = self.copied.as_ref().map(Report::tally);
        copied.map_or(0, |tally| tally.messages(Outcome::Copied))
    }

    fn end(&self) -> SourceEndView {
        let verified = self.verified.as_ref();
        let report = verified.map(|done| &done.report);
        let messages = report.map_or(0, Report::scanned);
        let is_whole = |report: &&Report| report.stopped.is_none() && report.unfinished == 0;
        let missing = report.filter(is_whole).map(|report| {
            let tally = report.tally();
            let there = [
                Outcome::Copied,
                Outcome::AlreadyThere,
                Outcome::RemovedAtDestination,
            ];
            let there: u64 = there.iter().map(|outcome| tally.messages(*outcome)).sum();
            messages.saturating_sub(there)
        });
        SourceEndView {
            source: match self.origin.side.account() {
                Some(account) => account.to_string(),
                None => self.origin.shown.clone(),
            },
            may_retire: missing == Some(0) && verified.is_some_and(|done| done.exit == exit::DONE),
            messages,
            copied: self.brought(),
            missing,
        }
    }
}

/// Whether a source may be given up, in words.
fn said(shown: &str, end: &SourceEndView, lang: Lang) -> String {
    match (end.may_retire, end.missing) {
        (true, _) => text::may_retire(shown, Messages(end.messages), lang),
        (false, Some(missing)) if missing > 0 => text::must_stay(shown, Messages(missing), lang),
        (false, _) => text::must_stay_unknown(shown, lang),
    }
}
