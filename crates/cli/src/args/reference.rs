//! `docs/cli.md`: the options of every command, from their own definition.

use super::Args;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;

/// `docs/cli.md` is what this makes; run with `HIKYAKU_BLESS=1` to write it.
#[test]
fn the_reference_of_the_command_line_is_fresh() {
    let mut page = include_str!("reference.md").to_owned();
    let mut root = Args::command();
    root.build();
    page += "## Options of every command\n\n";
    for arg in root.get_arguments().filter(|arg| is_shown(arg)) {
        option(arg, &mut page);
    }
    for command in root.get_subcommands() {
        describe(command, "hikyaku", &mut page);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    if std::env::var_os("HIKYAKU_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == page,
        "docs/cli.md is not fresh: run with HIKYAKU_BLESS=1"
    );
}

fn describe(command: &Command, above: &str, page: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{above} {}", command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let positional: String = command
        .get_positionals()
        .map(|arg| {
            let value = value(arg);
            match arg.is_required_set() {
                true => format!(" {value}"),
                false => format!(" [{value}]"),
            }
        })
        .collect();
    write!(
        page,
        "\n## `{name}{positional}`\n\n{}.\n\n",
        about
            .map(ToString::to_string)
            .unwrap_or_default()
            .trim_end_matches('.')
    )
    .expect("a String takes all");
    let own = |arg: &&Arg| is_shown(arg) && !arg.is_global_set();
    for arg in command.get_arguments().filter(own) {
        option(arg, page);
    }
    for sub in command.get_subcommands() {
        describe(sub, &name, page);
    }
}

fn is_shown(arg: &Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .iter()
        .map(|name| name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn option(arg: &Arg, page: &mut String) {
    let takes_value = arg.get_action().takes_values();
    let spelled = match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("-{short}, --{long}"),
        (Some(long), None) => format!("--{long}"),
        (None, _) => String::new(),
    };
    let value = if takes_value {
        value(arg)
    } else {
        String::new()
    };
    let spelled = format!("{spelled} {value}").trim().to_owned();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    writeln!(page, "- `{spelled}`: {help}").expect("a String takes all");
}
