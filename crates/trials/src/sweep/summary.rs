//! What a sweep came to, in a table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use hikyaku_testkit::proxy::Place;

use super::case::{Case, Cut, Manner, side_word, speaker};
use super::trial::Verdict;

/// Counts of cases; the failed ones by name.
#[derive(Debug)]
pub struct Summary {
    planned: usize,
    started: Instant,
    /// By side and speaker.
    rows: BTreeMap<(&'static str, &'static str), Row>,
    ways: BTreeMap<(Manner, Cut), Way>,
    /// Cases that broke an invariant: each with the command that replays it and what was wrong.
    failed: Vec<String>,
    not_reached: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    cases: usize,
    before: usize,
    inside: usize,
    after: usize,
    not_reached: usize,
    violations: usize,
}

#[derive(Debug, Default)]
struct Way {
    cases: usize,
    healed: usize,
    doubted: usize,
    violations: usize,
}

impl Summary {
    pub(super) fn new(planned: usize) -> Self {
        Self {
            planned,
            started: Instant::now(),
            rows: BTreeMap::new(),
            ways: BTreeMap::new(),
            failed: Vec::new(),
            not_reached: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, case: &Case, said: &str, verdict: &Verdict) {
        let wrong = usize::from(!verdict.violations.is_empty());
        let row = self
            .rows
            .entry((side_word(case.side), speaker(case.direction)))
            .or_default();
        row.cases += 1;
        match case.place {
            Place::Before => row.before += 1,
            Place::After => row.after += 1,
            Place::First | Place::Middle | Place::Last => row.inside += 1,
        }
        row.not_reached += usize::from(!verdict.reached);
        row.violations += wrong;
        let way = self.ways.entry((case.manner, case.cut)).or_default();
        way.cases += 1;
        way.healed += usize::from(verdict.healed);
        way.doubted += usize::from(verdict.doubted);
        way.violations += wrong;
        if wrong == 1 {
            self.failed.push(format!(
                "cargo xtask sweep --case {case}\n    at: {said}\n    {}",
                verdict.violations.join("\n    ")
            ));
        }
        if !verdict.reached {
            self.not_reached.push(format!("{case} at: {said}"));
        }
    }

    /// Cases that were tried.
    pub fn cases(&self) -> usize {
        self.rows.values().map(|row| row.cases).sum()
    }

    /// Cases that broke an invariant.
    pub fn violations(&self) -> usize {
        self.failed.len()
    }

    /// Cases whose place the dialogue did not come to, however often they were tried.
    pub fn not_reached(&self) -> usize {
        self.not_reached.len()
    }

    /// One line for the one who waits.
    pub(super) fn progress(&self) -> String {
        let seconds = self.started.elapsed().as_secs();
        format!(
            "{} of {} cases, {} violations, {} not reached, {}:{:02}",
            self.cases(),
            self.planned,
            self.violations(),
            self.not_reached(),
            seconds / 60,
            seconds % 60
        )
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}\n", self.progress())?;
        writeln!(
            f,
            "| side | whose words | before | inside | after | cases | not reached | violations |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|")?;
        for ((side, speaker), row) in &self.rows {
            writeln!(
                f,
                "| {side} | {speaker} | {} | {} | {} | {} | {} | {} |",
                row.before, row.inside, row.after, row.cases, row.not_reached, row.violations
            )?;
        }
        writeln!(
            f,
            "\n| the run that is cut | cut | cases | it ended complete | an append was in doubt | violations |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|")?;
        for ((manner, cut), way) in &self.ways {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} |",
                manner.word(),
                cut.word(),
                way.cases,
                way.healed,
                way.doubted,
                way.violations
            )?;
        }
        for line in &self.not_reached {
            writeln!(f, "\nnot reached: {line}")?;
        }
        for line in &self.failed {
            writeln!(f, "\nVIOLATION: {line}")?;
        }
        Ok(())
    }
}
