//! What was measured, as it is kept between runs in `docs/performance.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::exact::Exactness;
use super::measure::Usage;
use super::rows::{MEMORY, ROWS, Row, Target};
use super::tools::Tool;

/// All rows that were measured on one machine, each side by side in one run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) machine: Vec<String>,
    pub(super) rows: BTreeMap<String, Measured>,
}

/// One row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    /// The day, `2026-01-31`.
    pub(super) date: String,
    /// Which hikyaku.
    pub(super) commit: String,
    /// The versions of all programs.
    pub(super) versions: Vec<String>,
    pub(super) messages: usize,
    pub(super) octets: u64,
    pub(super) mailboxes: usize,
    pub(super) tools: BTreeMap<Tool, Runs>,
    /// How long the whole row took, accounts and judging included, in seconds.
    pub(super) took: f64,
}

/// The runs of one program in one row.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Runs {
    /// In the order in which they ran.
    pub(super) good: Vec<Usage>,
    /// Why others failed.
    pub(super) failures: Vec<String>,
    /// What the judge found after the last run.
    pub(super) exactness: Option<Exactness>,
    /// Messages that are rightly there although the source has them no more.
    pub(super) kept: usize,
}

impl Runs {
    /// The median of a figure over all runs; `None` when there was none or any failed.
    pub(super) fn median(&self, figure: impl Fn(&Usage) -> f64) -> Option<f64> {
        let mut all: Vec<f64> = self.good.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        match (self.failures.is_empty(), all.len() % 2) {
            (false, _) => None,
            (true, 1) => all.get(middle).copied(),
            (true, _) => Some((all.get(middle.checked_sub(1)?)? + all.get(middle)?) / 2.0),
        }
    }

    /// The wall time in seconds: the median, of the limit the least.
    pub(super) fn seconds(&self, tool: Tool) -> Option<f64> {
        if tool == Tool::Limit && self.failures.is_empty() {
            let all = self.good.iter().map(|usage| usage.seconds);
            return all.min_by(f64::total_cmp);
        }
        self.median(|usage| usage.seconds)
    }

    /// The highest memory of any run, in octets.
    pub(super) fn peak(&self) -> Option<u64> {
        self.good.iter().map(|usage| usage.peak).max()
    }

    /// Whether the judge found nothing different.
    pub(super) fn is_exact(&self) -> Option<bool> {
        Some(self.exactness?.is_whole(self.kept))
    }
}

impl Measured {
    pub(super) fn seconds(&self, tool: Tool) -> Option<f64> {
        self.tools.get(&tool)?.seconds(tool)
    }

    /// hikyaku's time over another's.
    pub(super) fn ratio(&self, other: Tool) -> Option<f64> {
        Some(self.seconds(Tool::Hikyaku)? / self.seconds(other)?)
    }
}

impl Results {
    /// Reads what is kept; nothing when there is no file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is not what this tool writes", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The measured rows in their order.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&'static Row, &Measured)> {
        ROWS.iter()
            .filter_map(|row| Some((row, self.rows.get(row.name)?)))
    }

    /// Whether hikyaku reached the figure in this row; `None` when something needed is missing.
    pub(super) fn reached(&self, target: Target, measured: &Measured) -> Option<bool> {
        let seconds = measured.seconds(Tool::Hikyaku);
        if measured
            .tools
            .get(&Tool::Hikyaku)
            .is_some_and(|runs| !runs.failures.is_empty())
        {
            return Some(false);
        }
        Some(match target {
            Target::Times(times, tool) => measured.ratio(tool)? <= times,
            Target::Seconds(limit, _) => seconds? <= limit,
            Target::SameAs(row) => {
                let other = self.rows.get(row)?.seconds(Tool::Hikyaku)?;
                seconds? <= (other * 1.25).max(other + 0.02)
            }
        })
    }

    /// The highest memory of a program over all rows, in octets.
    pub(super) fn peak(&self, tool: Tool) -> Option<u64> {
        let rows = self
            .rows
            .values()
            .filter_map(|row| row.tools.get(&tool)?.peak());
        rows.max().filter(|peak| *peak > 0)
    }

    /// Whether hikyaku stayed below the figure of [`MEMORY`] that `choose` takes.
    pub(super) fn memory_reached(&self, choose: fn((u64, u64)) -> u64) -> Option<bool> {
        Some(self.peak(Tool::Hikyaku)? <= choose(MEMORY))
    }
}

#[cfg(test)]
mod tests {
    use super::{Runs, Tool, Usage};

    fn runs(seconds: &[f64], failures: usize) -> Runs {
        Runs {
            good: seconds
                .iter()
                .map(|seconds| Usage {
                    seconds: *seconds,
                    user: 0.0,
                    system: 0.0,
                    peak: 1,
                })
                .collect(),
            failures: vec![String::new(); failures],
            ..Runs::default()
        }
    }

    #[test]
    fn the_median_is_the_middle_and_a_failed_run_has_none() {
        let seconds = |all: &[f64], failures| runs(all, failures).seconds(Tool::Mbsync);
        assert_eq!(seconds(&[3.0, 1.0, 2.0], 0), Some(2.0));
        assert_eq!(seconds(&[4.0, 1.0], 0), Some(2.5));
        assert_eq!(seconds(&[], 0), None);
        assert_eq!(seconds(&[1.0, 2.0], 1), None);
    }

    #[test]
    fn the_limit_is_the_fastest_run() {
        assert_eq!(runs(&[3.0, 1.0, 2.0], 0).seconds(Tool::Limit), Some(1.0));
        assert_eq!(runs(&[1.0], 1).seconds(Tool::Limit), None);
    }
}
