//! What fits into the columns of a terminal.

use hikyaku_text::escape::clean;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that the text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text within so many columns, with `…` where something was cut off.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut left = columns.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        short.push(c);
    }
    if columns > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

/// On which side of a column its cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Names and remarks.
    Left,
    /// Figures.
    Right,
}

/// Rows of cells under a heading, aligned by what a terminal shows.
#[derive(Debug)]
pub(crate) struct Table {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

/// Widest name that is shown whole.
const WIDEST: usize = 48;

impl Table {
    /// A table with one heading per column.
    pub(crate) fn new<'h>(columns: impl IntoIterator<Item = (&'h str, Align)>) -> Self {
        let (heading, align): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|(heading, align)| (heading.to_owned(), align))
            .unzip();
        Self {
            align,
            rows: vec![heading],
        }
    }

    /// Adds a row; cells are made safe, and cut where they are very wide. The last
    /// column is never cut.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let last = self.align.len() - 1;
        let cells = cells.into_iter().enumerate().map(|(n, cell)| {
            let cell = clean(&cell);
            match n == last {
                true => cell.into_owned(),
                false => shorten(&cell, WIDEST).into_owned(),
            }
        });
        self.rows.push(cells.collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.align.len()).map(widest).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, &columns), align) in row.iter().zip(&widths).zip(&self.align) {
                let gap = " ".repeat(columns - width(cell));
                match align {
                    Align::Left => line.extend([cell, gap.as_str(), "  "]),
                    Align::Right => line.extend([gap.as_str(), cell, "  "]),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        let mut table = Table::new([
            ("名前", Align::Left),
            ("通数", Align::Right),
            ("x", Align::Left),
        ]);
        table.row(["受信トレイ".into(), "1,200".into(), String::new()]);
        table.row(["A\u{1b}".into(), "7".into(), "備考".into()]);
        let expected = "名前         通数  x\n\
                        受信トレイ  1,200\n\
                        A\u{fffd}              7  備考\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn cutting_never_splits_a_wide_letter() {
        assert_eq!(shorten("受信トレイ", 10), "受信トレイ");
        assert_eq!(shorten("受信トレイ", 8), "受信ト…");
        assert_eq!(shorten("受信トレイ", 7), "受信ト…");
        assert_eq!(shorten("受", 0), "");
    }
}
