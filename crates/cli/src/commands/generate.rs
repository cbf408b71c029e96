//! Completion scripts and manual pages, made from the command line's own definition.

use super::Context;
use crate::args::Args;
use crate::exit;
use crate::problem::{Failure, Problem};
use clap::CommandFactory;
use std::fs;
use std::path::Path;

/// Prints the completion script of a shell.
pub(super) fn completions(context: &Context, shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "hikyaku", &mut script);
    context.output.result(&String::from_utf8_lossy(&script));
    Ok(exit::DONE)
}

/// Prints the main manual page, or writes the pages of all commands.
pub(super) fn man(context: &Context, out: Option<&Path>) -> Result<u8, Failure> {
    let pages = pages();
    let Some(directory) = out else {
        let (_, page) = pages.into_iter().next().unwrap_or_default();
        context.output.result(&String::from_utf8_lossy(&page));
        return Ok(exit::DONE);
    };
    let written = fs::create_dir_all(directory).and_then(|()| {
        pages
            .iter()
            .try_for_each(|(name, page)| fs::write(directory.join(name), page))
    });
    written.map_err(|e| Problem::Output(directory.to_owned(), e.kind()))?;
    Ok(exit::DONE)
}

/// File names and roff text, the main page first.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut root = Args::command();
    root.build();
    let mut pages = Vec::new();
    collect(&root, &mut pages);
    pages
}

fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .ok();
    pages.push((format!("{name}.1"), page));
    for sub in command.get_subcommands() {
        if !sub.is_hide_set() && sub.get_name() != "help" {
            collect(sub, pages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_every_command() {
        let names: Vec<String> = pages().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[0], "hikyaku.1");
        for name in ["hikyaku-copy.1", "hikyaku-config-check.1"] {
            assert!(names.iter().any(|n| n == name), "{names:?}");
        }
    }
}
