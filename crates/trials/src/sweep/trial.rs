//! One case from beginning to end: the run that is cut, one re-run, and, unless the first run had ended complete, one more
//! that must find nothing to do. Then the judge reads what is there.

use std::time::Duration;

use anyhow::Result;
use hikyaku_core::Fault;
use hikyaku_core::report::Report;
use hikyaku_testkit::judge::{CompareOptions, compare};
use hikyaku_testkit::proxy::{Direction, Piece, Proxy};

use super::account::MESSAGES;
use super::case::Case;
use super::station::{Pace, Pair, Ran, Station};

/// What one case came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Whether the dialogue came to the place of the cut.
    pub reached: bool,
    /// Whether the run that was cut ended with a complete report.
    pub healed: bool,
    /// Whether an append was in doubt and had to be looked up.
    pub doubted: bool,
    /// How long the longest run took.
    pub slowest: Duration,
    /// What must not be, in sentences.
    pub violations: Vec<String>,
    /// The results of the runs, for one who looks into a violation.
    pub story: Vec<String>,
}

/// The dialogues of both sides of a run that nothing disturbs: source, destination.
pub(super) fn rehearse(station: &mut Station<'_>) -> Result<[Vec<Piece>; 2]> {
    let pair = station.pair()?;
    let ran = pair.run(&Pace::unhurried())?;
    let report = ran.result.map_err(broken)?;
    anyhow::ensure!(report.is_complete(), "without any cut: {report:#?}");
    let pieces = [pair.source_proxy.pieces(), pair.destination_proxy.pieces()];
    pair.remove()?;
    Ok(pieces)
}

/// Tries one case. `cut` is the pace of the run that is cut, `after` that of the ones that follow.
///
/// # Errors
/// What keeps the case from being tried at all, such as a run that does not end.
pub(super) fn attempt(
    station: &mut Station<'_>,
    case: &Case,
    cut: &Pace,
    after: &Pace,
) -> Result<Verdict> {
    let pair = station.pair()?;
    pair.proxy(case.side).add_fault(case.fault());
    let mut verdict = Verdict::default();
    let first = pair.run(cut)?;
    verdict.reached = pair.proxy(case.side).faults_happened() == 1;
    verdict.doubted = first.doubts > 0;
    verdict.tell("the run that was cut", &first);
    if let Ok(report) = &first.result {
        verdict.healed = report.is_complete();
        verdict.expect(report.adds_up(), "the cut run's report does not add up");
    }
    let mut before = changes(&pair.destination_proxy);
    let mut last = pair.run(after)?;
    verdict.doubted |= last.doubts > 0;
    verdict.tell("the re-run", &last);
    verdict.complete("the re-run", &last);
    if !verdict.healed {
        before = changes(&pair.destination_proxy);
        last = pair.run(after)?;
        verdict.tell("the third run", &last);
        verdict.complete("the third run", &last);
    }
    // With the judge's word below it follows that a run which called itself complete was so.
    let nothing = last.result.as_ref().is_ok_and(|r| r.copied_now() == 0);
    let untouched = changes(&pair.destination_proxy) == before;
    verdict.expect(
        nothing && untouched,
        "after a run that called itself complete, the next one changed the destination",
    );
    verdict.equal(station, &pair)?;
    if station.looks_now() || !verdict.violations.is_empty() {
        let source = station.look()?;
        verdict.expect(source == station.truth, "the source has changed");
    }
    verdict
        .violations
        .extend(more_than_read(&pair.source_proxy));
    if verdict.violations.is_empty() {
        pair.remove()?;
    } else {
        verdict.dialogue("source", &pair.source_proxy);
        verdict.dialogue("destination", &pair.destination_proxy);
    }
    Ok(verdict)
}

impl Verdict {
    /// The results of the runs.
    pub fn runs(&self) -> &[String] {
        &self.story[..self.story.len().min(3)]
    }

    fn expect(&mut self, holds: bool, otherwise: &str) {
        if !holds {
            self.violations.push(otherwise.to_owned());
        }
    }

    /// The run ended with every message at its place.
    fn complete(&mut self, name: &str, ran: &Ran) {
        match &ran.result {
            Err(fault) => self.violations.push(format!("{name} failed: {fault}")),
            Ok(report) => {
                let all = report.scanned() == MESSAGES as u64;
                if !report.is_complete() || !all {
                    let words = shown(report);
                    self.violations
                        .push(format!("{name} is not complete: {words}"));
                }
            }
        }
    }

    /// Nothing is lost, doubled or altered.
    fn equal(&mut self, station: &Station<'_>, pair: &Pair<'_>) -> Result<()> {
        // What was sent anew after a cut stands behind what was not.
        let options = CompareOptions {
            order: false,
            ..CompareOptions::default()
        };
        let found = compare(&station.truth, &pair.look()?, &options);
        self.violations.extend(found);
        Ok(())
    }

    fn tell(&mut self, name: &str, ran: &Ran) {
        let (doubts, seconds) = (ran.doubts, ran.took.as_secs_f64());
        let result = match &ran.result {
            Ok(report) => shown(report),
            Err(fault) => format!("no report: {fault}"),
        };
        self.slowest = self.slowest.max(ran.took);
        self.story.push(format!(
            "{name} ({doubts} doubts, {seconds:.1} s): {result}"
        ));
    }

    fn dialogue(&mut self, name: &str, proxy: &Proxy) {
        self.story.push(format!("the dialogue with the {name}:"));
        for line in proxy.transcript() {
            let by = match line.direction {
                Direction::ToServer => 'C',
                Direction::ToClient => 'S',
            };
            let text: String = line.text.chars().take(300).collect();
            self.story
                .push(format!("  {} {by}: {text}", line.connection));
        }
    }
}

fn broken(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{fault}")
}

fn shown(report: &Report) -> String {
    let words = if report.is_complete() {
        "complete"
    } else {
        "not complete"
    };
    let mut text = format!(
        "{words}, {} scanned, {} copied now, {} retries",
        report.scanned(),
        report.copied_now(),
        report.retries
    );
    if let Some(fault) = &report.stopped {
        text.push_str(&format!(", stopped: {fault}"));
    }
    for exception in &report.exceptions {
        text.push_str(&format!(
            "; {} {:?}: {}",
            exception.mailbox, exception.outcome, exception.fault
        ));
    }
    text
}

/// Commands to the destination so far that change something there.
fn changes(proxy: &Proxy) -> usize {
    let commands = proxy.commands();
    let changes = |command: &&String| {
        let upper = command.to_ascii_uppercase();
        let reads = READING.iter().any(|verb| upper.starts_with(verb));
        // Opening for writing changes nothing, and what answers AUTHENTICATE has no verb.
        !reads && !upper.starts_with("SELECT ") && upper.contains(' ')
    };
    commands.iter().filter(changes).count()
}

/// The verbs that a source may ever see.
const READING: [&str; 21] = [
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "ENABLE",
    "AUTHENTICATE",
    "LOGIN",
    "NAMESPACE",
    "LIST",
    "LSUB",
    "STATUS",
    "EXAMINE",
    "UNSELECT",
    "CLOSE",
    "UID FETCH",
    "UID SEARCH",
    "FETCH",
    "SEARCH",
    "GETQUOTAROOT",
    "GETQUOTA",
    "IDLE",
];

/// Commands to the source that could change it.
fn more_than_read(proxy: &Proxy) -> Vec<String> {
    let mut wrong = Vec::new();
    for command in proxy.commands() {
        let upper = command.to_ascii_uppercase();
        // What answers a challenge of AUTHENTICATE has no verb.
        let reads = !upper.contains(' ') || READING.iter().any(|verb| upper.starts_with(verb));
        let marks = ["BODY[", "RFC822 ", "RFC822.TEXT"]
            .iter()
            .any(|item| upper.contains(item));
        if !reads || marks {
            wrong.push(format!("the source saw: {command}"));
        }
    }
    wrong
}
