//! No file grows beyond what a person can take in.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::step::root;

const LIMIT: usize = 1_000;

/// Fails with the list of hand-written files of more than a thousand lines.
pub(crate) fn check() -> Result<()> {
    let mut long = Vec::new();
    for directory in [".ci", ".github", "crates", "docs", "xtask"] {
        collect(&root().join(directory), &mut long)?;
    }
    for entry in fs::read_dir(root())? {
        measure(&entry?.path(), &mut long);
    }
    ensure!(
        long.is_empty(),
        "files of more than {LIMIT} lines: {}",
        long.join(", ")
    );
    Ok(())
}

fn collect(directory: &Path, long: &mut Vec<String>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, long)?;
        } else {
            measure(&path, long);
        }
    }
    Ok(())
}

fn measure(path: &Path, long: &mut Vec<String>) {
    const WRITTEN: [&str; 9] = ["rs", "md", "sql", "toml", "yml", "sh", "html", "css", "js"];
    let written = path
        .extension()
        .is_some_and(|extension| WRITTEN.iter().any(|known| extension == *known));
    // What is not text is not counted.
    // One section for each code, made from the code: nobody reads it from end to end.
    let is_reference = path.ends_with("docs/faults.md");
    let lines = if written && !is_reference {
        fs::read_to_string(path).map_or(0, |text| text.lines().count())
    } else {
        0
    };
    if lines > LIMIT {
        let shown = path.strip_prefix(root()).unwrap_or(path).display();
        long.push(format!("{shown} ({lines})"));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_file_has_more_than_a_thousand_lines() {
        super::check().unwrap();
    }
}
