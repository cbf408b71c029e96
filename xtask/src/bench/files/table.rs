//! What people read of it, and its place in `docs/performance.md`.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::programs::Program;
use super::{Measured, Work};
use crate::bench::results::Runs;

/// Stand around the table, among the notes of the document.
const PLACE: (&str, &str) = ("<!-- files: begin -->", "<!-- files: end -->");

/// Most memory that hikyaku may take, in octets.
const MEMORY: u64 = 48_000_000;
/// Octets that a second of processor time has to bring from an mbox into a Maildir.
const PER_CORE: f64 = 500e6;
/// Longest time for the scan of 40,000 messages, in seconds.
const SCAN: f64 = 1.0;

/// One line for each program of each row.
pub(super) fn table(all: &[Measured]) -> String {
    let mut text = String::from(
        "| scenario | program | time | MB/s | processor time | MB per second of it | memory | to reach |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for measured in all {
        for (program, runs) in &measured.runs {
            let cells = cells(measured, *program, runs);
            // Writing to a String cannot fail.
            writeln!(
                text,
                "| {} | {} | {cells} |",
                measured.row.title,
                program.name()
            )
            .ok();
        }
    }
    text
}

fn cells(measured: &Measured, program: Program, runs: &Runs) -> String {
    let Some(seconds) = runs.median(|run| run.seconds) else {
        let why = runs.failures.first().map_or("not run", String::as_str);
        return format!("failed: {why} | – | – | – | – | –");
    };
    let octets = measured.row.octets as f64;
    let speed = octets / 1e6 / seconds;
    if program == Program::Limit {
        return format!("{seconds:.3} s | {speed:.0} | – | – | – | –");
    }
    let processor = runs.median(|run| run.user + run.system).unwrap_or(0.0);
    let peak = runs.peak().unwrap_or(0);
    let reached = match program {
        Program::Hikyaku => reached(measured, seconds, octets / processor.max(0.001), peak),
        _ => "–".to_owned(),
    };
    format!(
        "{seconds:.3} s | {speed:.0} | {processor:.2} s | {:.0} | {:.1} MB | {reached}",
        octets / 1e6 / processor.max(0.001),
        peak as f64 / 1e6,
    )
}

/// Which figures hikyaku has to reach in this row, and whether it does.
fn reached(measured: &Measured, seconds: f64, per_core: f64, peak: u64) -> String {
    let say = |what: &str, is: bool| format!("{what}: {}", if is { "yes" } else { "**no**" });
    let mut told = match measured.row.work {
        Work::Scan => vec![say("≤ 1 s", seconds <= SCAN)],
        Work::ToMaildir => vec![say("≥ 500 MB/s per core", per_core >= PER_CORE)],
        Work::Pop => Vec::new(),
    };
    told.push(say("≤ 48 MB", peak <= MEMORY));
    told.join("; ")
}

/// On what, with what, and how often.
pub(super) fn circumstances(machine: &[String], commit: &str, repetitions: usize) -> String {
    format!(
        "{}; hikyaku {commit}; medians of {repetitions} runs, files and ledger on tmpfs. *limit*: every RETR at once, every\n\
         octet thrown away. Processor time is the program's own and the kernel's for it.\n",
        machine.join("; ")
    )
}

/// The document with this table in place of the earlier one.
pub(super) fn put(document: &str, text: &str) -> Result<String> {
    let missing = || format!("docs/performance.md has no {} … {}", PLACE.0, PLACE.1);
    let (before, rest) = document.split_once(PLACE.0).with_context(missing)?;
    let (_, after) = rest.split_once(PLACE.1).with_context(missing)?;
    Ok(format!("{before}{}\n\n{text}\n{}{after}", PLACE.0, PLACE.1))
}

#[cfg(test)]
mod tests {
    use super::put;

    #[test]
    fn the_table_takes_the_place_of_the_earlier_one_only() {
        let document = "a\n<!-- files: begin -->\nold\n<!-- files: end -->\nb\n";
        let once = put(document, "new").unwrap();
        assert_eq!(
            once,
            "a\n<!-- files: begin -->\n\nnew\n<!-- files: end -->\nb\n"
        );
        assert_eq!(put(&once, "new").unwrap(), once);
        assert!(put("nothing", "new").is_err());
    }
}
