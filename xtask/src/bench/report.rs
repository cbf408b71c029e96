//! The tables that people read: at the terminal, and in `docs/performance.md`.

use std::fmt::Write;

use super::exact::{Exactness, percent};
use super::results::{Results, Runs};
use super::rows::{MEMORY, Target};
use super::tools::Tool;

/// What stands between these lines is written by hand and stays when the document is written anew.
const NOTES: (&str, &str) = ("<!-- notes: begin -->", "<!-- notes: end -->");

/// The whole document; `earlier` is what it was, for its notes.
pub(super) fn document(results: &Results, earlier: &str) -> String {
    let notes = earlier
        .split_once(NOTES.0)
        .and_then(|(_, rest)| rest.split_once(NOTES.1))
        .map_or("\n", |(notes, _)| notes);
    format!(
        "<!-- Written by `cargo xtask bench` from performance.json; only the notes are written by hand. -->\n\
         # Performance\n\n\
         hikyaku beside Debian's mbsync and Dovecot's dsync, on two Dovecot servers on loopback, all in one run:\n\
         `cargo xtask bench`. Times are wall times of whole processes, medians of the runs, in turn.\n\
         *limit* is the fastest that the two servers allow: raw pipelined FETCH and MULTIAPPEND of the same messages at\n\
         once, by a client that knows everything in advance and checks nothing, with 4, 1 and 2 connections to each side in\n\
         turn, the fastest of all runs. dsync writes the destination's files\n\
         itself, without IMAP. \"ram\" is tmpfs; \"long\" is 50 ms of round trip and 100 Mbit/s on each side.\n\n\
         ## Times\n\n{}\n\
         ## Figures to reach\n\n{}\n\
         ## Exactness\n\n{}\n\
         ## Memory and processor\n\n{}\n\
         ## Notes\n\n{}{notes}{}\n\n\
         ## How it was measured\n\n{}",
        times(results),
        targets(results),
        exactness(results),
        resources(results),
        NOTES.0,
        NOTES.1,
        circumstances(results),
    )
}

/// Times and ratios.
pub(super) fn times(results: &Results) -> String {
    let mut text = String::from(
        "| scenario | limit | mbsync | dsync | hikyaku | ÷ limit | ÷ mbsync | ÷ dsync |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (row, measured) in results.in_order() {
        write!(text, "| {} |", row.title).ok();
        for tool in Tool::ALL {
            let cell = measured
                .tools
                .get(&tool)
                .map_or_else(|| "–".to_owned(), |runs| time_cell(tool, runs));
            write!(text, " {cell} |").ok();
        }
        for tool in [Tool::Limit, Tool::Mbsync, Tool::Dsync] {
            let ratio = measured.ratio(tool).map_or_else(|| "–".to_owned(), two);
            write!(text, " {ratio} |").ok();
        }
        text.push('\n');
    }
    text
}

/// What hikyaku must reach and aims at.
pub(super) fn targets(results: &Results) -> String {
    let mut text = String::from(
        "| scenario | hikyaku | must | reached | aims at | reached |\n|---|---|---|---|---|---|\n",
    );
    for (row, measured) in results.in_order() {
        let runs = measured.tools.get(&Tool::Hikyaku);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            row.title,
            runs.map_or_else(|| "–".to_owned(), |runs| time_cell(Tool::Hikyaku, runs)),
            target(row.must),
            yes_no(results.reached(row.must, measured)),
            target(row.aim),
            yes_no(results.reached(row.aim, measured)),
        )
        .ok();
    }
    writeln!(
        text,
        "| peak memory in these rows | {} | ≤ {} | {} | ≤ {} | {} |",
        results
            .peak(Tool::Hikyaku)
            .map_or_else(|| "–".to_owned(), megabytes),
        megabytes(MEMORY.0),
        yes_no(results.memory_reached(|both| both.0)),
        megabytes(MEMORY.1),
        yes_no(results.memory_reached(|both| both.1)),
    )
    .ok();
    let judged: Vec<(Exactness, bool)> = results
        .in_order()
        .filter_map(|(_, measured)| {
            let runs = measured.tools.get(&Tool::Hikyaku)?;
            Some((runs.exactness?, runs.is_exact()?))
        })
        .collect();
    let all = (!judged.is_empty()).then(|| judged.iter().all(|(_, exact)| *exact));
    let lowest = judged
        .iter()
        .map(|(exactness, _)| exactness.percent())
        .min_by(f64::total_cmp);
    writeln!(
        text,
        "| octets, flags, keywords, dates, subscriptions exact | {} | 100 % | {} | 100 % | {} |",
        lowest.map_or_else(|| "–".to_owned(), |percent| format!("{percent} %")),
        yes_no(all),
        yes_no(all),
    )
    .ok();
    text
}

/// What the judge found.
pub(super) fn exactness(results: &Results) -> String {
    let mut text = String::from(
        "In percent of the source's messages, of its mailboxes for subscriptions. \"Extra\" are messages that the\n\
         source does not have; where mail vanished from the source, a program that only copies keeps it.\n\n\
         | scenario | program | exact | octets | flags | keywords | dates | subscriptions | extra |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (row, measured) in results.in_order() {
        for (tool, runs) in &measured.tools {
            let Some(found) = runs.exactness else {
                continue;
            };
            let of = |part| format!("{}", percent(part, found.messages));
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.title,
                tool.name(),
                of(found.exact),
                of(found.octets),
                of(found.flags),
                of(found.keywords),
                of(found.dates),
                percent(found.subscriptions, found.mailboxes),
                found.extra,
            )
            .ok();
        }
    }
    text
}

/// Peak memory and processor time.
pub(super) fn resources(results: &Results) -> String {
    let mut text = String::from(
        "Peak resident memory of the program's largest process, and its processor time (own + kernel); the servers'\n\
         is not counted.\n\n\
         | scenario | mbsync | dsync | hikyaku |\n|---|---|---|---|\n",
    );
    for (row, measured) in results.in_order() {
        write!(text, "| {} |", row.title).ok();
        for tool in [Tool::Mbsync, Tool::Dsync, Tool::Hikyaku] {
            let runs = measured.tools.get(&tool);
            let cell = runs.and_then(|runs| {
                let (user, system) = (runs.median(|run| run.user)?, runs.median(|run| run.system)?);
                let peak = megabytes(runs.peak()?);
                Some(format!("{peak}, {} + {} s", two(user), two(system)))
            });
            write!(text, " {} |", cell.unwrap_or_else(|| "–".to_owned())).ok();
        }
        text.push('\n');
    }
    text
}

fn circumstances(results: &Results) -> String {
    let mut text = String::new();
    for line in &results.machine {
        writeln!(text, "- {line}").ok();
    }
    text.push_str(
        "- Every program signs in without encryption and has the same servers with the same settings. mbsync: `Sync Pull New\n  \
         Flags`, `Create Near`, `CopyArrivalDate yes`, unlimited pipelining. dsync: `backup -R` from `imapc:` with\n  \
         `rfc822.size fetch-headers` and 20 messages of prefetch. hikyaku: `copy` without options.\n\
         - Each run's exit code and number of messages are checked; a run that fails is shown as failed, never as a time.\n  \
         The judge reads the account back after the last run.\n\n\
         | scenario | messages | octets | mailboxes | runs of each, slowest and fastest | hikyaku | day |\n|---|---|---|---|---|---|---|\n",
    );
    for (row, measured) in results.in_order() {
        let spread: Vec<String> = measured
            .tools
            .iter()
            .filter(|(_, runs)| !runs.good.is_empty())
            .map(|(tool, runs)| {
                let mut all: Vec<f64> = runs.good.iter().map(|run| run.seconds).collect();
                all.sort_by(f64::total_cmp);
                let (first, last) = (all.first().copied(), all.last().copied());
                format!(
                    "{} {} × {}–{}",
                    tool.name(),
                    all.len(),
                    seconds(first.unwrap_or_default()),
                    seconds(last.unwrap_or_default())
                )
            })
            .collect();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.title,
            grouped(measured.messages as u64),
            grouped(measured.octets),
            measured.mailboxes,
            spread.join(", "),
            measured.commit,
            measured.date,
        )
        .ok();
    }
    for (row, measured) in results.in_order() {
        for (tool, runs) in &measured.tools {
            for failure in &runs.failures {
                writeln!(
                    text,
                    "\nFailed: {} in \"{}\": {failure}",
                    tool.name(),
                    row.title
                )
                .ok();
            }
        }
    }
    let took: f64 = results.rows.values().map(|measured| measured.took).sum();
    writeln!(text, "\nAll rows together took {:.0} minutes.", took / 60.0).ok();
    let mut versions: Vec<&String> = results
        .rows
        .values()
        .flat_map(|measured| &measured.versions)
        .collect();
    versions.sort();
    versions.dedup();
    text.push('\n');
    for version in versions {
        writeln!(text, "- {version}").ok();
    }
    text
}

fn time_cell(tool: Tool, runs: &Runs) -> String {
    match (runs.seconds(tool), runs.failures.is_empty()) {
        (Some(time), _) => seconds(time),
        (None, false) => {
            let (failed, all) = (runs.failures.len(), runs.failures.len() + runs.good.len());
            format!("failed ({failed} of {all})")
        }
        (None, true) => "–".to_owned(),
    }
}

fn target(target: Target) -> String {
    match target {
        Target::Times(times, tool) => format!("≤ {times} × {}", tool.name()),
        Target::Seconds(limit, "") => format!("≤ {limit} s"),
        Target::Seconds(limit, why) => format!("≤ {why} ({limit} s)"),
        Target::SameAs(row) => format!("same as `{row}`"),
    }
}

fn yes_no(reached: Option<bool>) -> &'static str {
    match reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "–",
    }
}

fn seconds(time: f64) -> String {
    match time {
        time if time < 1.0 => format!("{time:.3} s"),
        time if time < 10.0 => format!("{time:.2} s"),
        time => format!("{time:.1} s"),
    }
}

fn two(number: f64) -> String {
    format!("{number:.2}")
}

fn megabytes(octets: u64) -> String {
    format!("{:.1} MB", octets as f64 / 1e6)
}

/// `10,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Results, document, grouped};

    #[test]
    fn notes_stay_when_the_document_is_written_anew() {
        let results = Results::default();
        let first = document(&results, "");
        let noted = first.replace(
            "<!-- notes: begin -->\n<!-- notes: end -->",
            "<!-- notes: begin -->\nWhy it is so.\n<!-- notes: end -->",
        );
        assert_ne!(noted, first);
        assert_eq!(document(&results, &noted), noted);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 634_000_000].map(grouped),
            ["0", "999", "1,000", "634,000,000"]
        );
    }
}
