//! The table in `docs/testing.md`: which tests cover which fault, kept true.
//!
//! A row begins with the fault's number and names tests as `path#function`. The check
//! asks that every fault has its row, that every test named there exists and is a test,
//! and that a fault is met at several places.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::step::root;

/// Where the table stands.
const PAGE: &str = "docs/testing.md";

/// Faults of the model, and its security requirements but for the supply chain.
const ROWS: &[(&str, u32)] = &[("", 38), ("S", 13)];

/// Least tests of a fault: each is met at three or more places of the protocol.
const LEAST: usize = 3;

/// Fails with everything that is wrong with the table.
pub(crate) fn check() -> Result<()> {
    let page =
        fs::read_to_string(root().join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let wrong = faults_of(&page, &|path| fs::read_to_string(root().join(path)).ok());
    ensure!(wrong.is_empty(), "{PAGE}: {}", wrong.join("; "));
    Ok(())
}

/// What is wrong with a page, given how to read the files of the project.
fn faults_of(page: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let number = line[2..].split('|').next().unwrap_or_default().trim();
        if is_row(number) && rows.insert(number, tests_in(line)).is_some() {
            wrong.push(format!("row {number} stands there twice"));
        }
    }
    for number in all_rows() {
        let Some(tests) = rows.get(number.as_str()) else {
            wrong.push(format!("there is no row {number}"));
            continue;
        };
        let least = match number.starts_with('S') {
            true => 1,
            false => LEAST,
        };
        if tests.len() < least {
            wrong.push(format!("row {number} names fewer than {least} tests"));
        }
    }
    for test in rows.values().flatten() {
        let (path, name) = test.split_once('#').unwrap_or((test, ""));
        let found = read(path).is_some_and(|text| is_test(&text, name));
        if !found {
            wrong.push(format!("there is no test {test}"));
        }
    }
    wrong
}

fn all_rows() -> impl Iterator<Item = String> {
    ROWS.iter()
        .flat_map(|(class, last)| (1..=*last).map(move |n| format!("{class}{n}")))
}

fn is_row(number: &str) -> bool {
    let digits = number.strip_prefix('S').unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The texts between backticks that name a test.
fn tests_in(line: &str) -> Vec<&str> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.contains('#'))
        .collect()
}

/// Whether a file has a function of this name with a test attribute right above it.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let heads = [format!("fn {name}("), format!("async fn {name}(")];
    lines.iter().enumerate().any(|(n, line)| {
        heads.iter().any(|head| line.starts_with(head.as_str()))
            && lines[..n]
                .iter()
                .rev()
                .take_while(|above| above.starts_with("#[") || above.starts_with("//"))
                .any(|above| above.starts_with("#[test") || above.starts_with("#[tokio::test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_faults_and_tests_is_complete() {
        check().expect("docs/testing.md");
    }

    fn page(rows: impl Iterator<Item = (String, Vec<&'static str>)>) -> String {
        rows.map(|(number, tests)| {
            let tests: Vec<String> = tests.iter().map(|t| format!("`{t}`")).collect();
            format!("| {number} | a fault | {} |\n", tests.join(", "))
        })
        .collect()
    }

    fn complete() -> Vec<(String, Vec<&'static str>)> {
        all_rows()
            .map(|number| (number, vec!["a.rs#one", "a.rs#two", "a.rs#three"]))
            .collect()
    }

    const FILE: &str = "#[test]\nfn one() {}\n#[tokio::test(start_paused = true)]\n\
        async fn two() {}\n#[test]\n#[cfg(unix)]\nfn three() {}\nfn helper() {}\n";

    fn wrong(rows: Vec<(String, Vec<&'static str>)>) -> Vec<String> {
        let read = |path: &str| (path == "a.rs").then(|| FILE.to_owned());
        faults_of(&page(rows.into_iter()), &read)
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(wrong(complete()), Vec::<String>::new());
        let mut rows = complete();
        rows.remove(4);
        rows[0].1.pop();
        rows[1].1[0] = "a.rs#helper";
        rows[2].1[0] = "b.rs#one";
        assert_eq!(
            wrong(rows),
            [
                "row 1 names fewer than 3 tests",
                "there is no row 5",
                "there is no test a.rs#helper",
                "there is no test b.rs#one",
            ]
        );
    }
}
