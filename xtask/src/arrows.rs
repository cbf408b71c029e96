//! The arrows between the crates point down only: `cargo metadata` against the table of the design.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::step::{cargo, output};

/// A crate and which crates of the workspace it may use, tests aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("engine", &["core"]),
    ("net", &["core"]),
    ("imap", &["core", "net"]),
    ("pop3", &["core", "net"]),
    ("archive", &["core"]),
    ("backup", &["core"]),
    ("cell", &["archive", "core"]),
    ("outlook", &["core"]),
    ("ledger", &["core"]),
    ("survey", &["core", "imap", "net", "pop3"]),
    ("view", &["core"]),
    ("text", &["core"]),
    (
        "service",
        &[
            "archive", "backup", "cell", "core", "engine", "imap", "ledger", "net", "outlook",
            "pop3", "survey", "text", "view",
        ],
    ),
    (
        "cli",
        &[
            "archive",
            "backup",
            "cell",
            "core",
            "engine",
            "imap",
            "ledger",
            "memserver",
            "net",
            "outlook",
            "pop3",
            "service",
            "survey",
            "text",
            "view",
        ],
    ),
    ("memserver", &["core", "net"]),
    ("testkit", &["core", "memserver", "net"]),
    (
        "trials",
        &[
            "core",
            "engine",
            "imap",
            "ledger",
            "memserver",
            "net",
            "testkit",
        ],
    ),
    ("xtask", &["testkit"]),
];

/// What a crate must not reach by any way, tests aside: the pure ones no I/O, the engine no protocol and no database.
const MUST_NOT_REACH: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "tokio",
            "mio",
            "socket2",
            "rustls",
            "sqlx",
            "libsqlite3-sys",
        ],
    ),
    (
        "text",
        &[
            "tokio",
            "mio",
            "socket2",
            "rustls",
            "sqlx",
            "libsqlite3-sys",
        ],
    ),
    (
        "view",
        &[
            "tokio",
            "mio",
            "socket2",
            "rustls",
            "sqlx",
            "libsqlite3-sys",
        ],
    ),
    (
        "engine",
        &["rustls", "hickory-resolver", "sqlx", "libsqlite3-sys"],
    ),
];

/// Crates that tests must not use either, because everything else is below them.
const TOP: &[&str] = &["cli", "service"];

/// Fails with every arrow that the table does not have.
pub(crate) fn check() -> Result<()> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1"]))?;
    let wrong = wrong_arrows(&Graph::read(&serde_json::from_str(&metadata)?)?);
    ensure!(
        wrong.is_empty(),
        "dependencies against the design:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// What `cargo metadata` tells, reduced to names.
#[derive(Debug, Default)]
struct Graph {
    /// Crates of the workspace: what they use in the product, and what in tests.
    workspace: BTreeMap<String, Uses>,
    /// Every package and what it uses in the product.
    uses: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Uses {
    product: BTreeSet<String>,
    tests: BTreeSet<String>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), short(&text(&package["name"]))))
            .collect();
        let members: BTreeSet<String> = list(&metadata["workspace_members"])
            .iter()
            .map(text)
            .collect();
        let mut graph = Self::default();
        for node in list(&metadata["resolve"]["nodes"]) {
            let id = text(&node["id"]);
            let name = names.get(&id).context("a package without a name")?;
            let mut uses = Uses::default();
            for dependency in list(&node["deps"]) {
                let used = names
                    .get(&text(&dependency["pkg"]))
                    .context("a dependency without a name")?;
                for kind in list(&dependency["dep_kinds"]) {
                    let set = if kind["kind"] == "dev" {
                        &mut uses.tests
                    } else {
                        &mut uses.product
                    };
                    set.insert(used.clone());
                }
            }
            graph
                .uses
                .entry(name.clone())
                .or_default()
                .extend(uses.product.iter().cloned());
            if members.contains(&id) {
                graph.workspace.insert(name.clone(), uses);
            }
        }
        Ok(graph)
    }

    fn reach(&self, name: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            for used in self.uses.get(next).into_iter().flatten() {
                if reached.insert(used.as_str()) {
                    open.push(used);
                }
            }
        }
        reached
    }
}

/// The crate's name as in the design: `hikyaku-core` is `core`, `hikyaku` is `cli`.
fn short(package: &str) -> String {
    match package {
        "hikyaku" => "cli".to_owned(),
        _ => package
            .strip_prefix("hikyaku-")
            .unwrap_or(package)
            .to_owned(),
    }
}

fn wrong_arrows(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, uses) in &graph.workspace {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("{name} is not in the table of crates"));
            continue;
        };
        let of_the_workspace = |used: &&String| graph.workspace.contains_key(*used);
        for used in uses.product.iter().filter(of_the_workspace) {
            if !allowed.contains(&used.as_str()) {
                wrong.push(format!("{name} may not use {used}"));
            }
        }
        for used in uses.tests.iter().filter(of_the_workspace) {
            if TOP.contains(&used.as_str()) {
                wrong.push(format!("the tests of {name} may not use {used}"));
            }
        }
    }
    for (name, forbidden) in MUST_NOT_REACH {
        if graph.workspace.contains_key(*name) {
            let reached = graph.reach(name);
            for package in forbidden
                .iter()
                .filter(|package| reached.contains(**package))
            {
                wrong.push(format!("{name} must not reach {package}"));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Graph, wrong_arrows};

    #[test]
    fn the_workspace_follows_the_design() {
        super::check().unwrap();
    }

    #[test]
    fn arrows_against_the_table_are_named() {
        let package = |name: &str| json!({"id": format!("{name} 1"), "name": name});
        let node = |name: &str, uses: &[(&str, Option<&str>)]| {
            let deps: Vec<_> = uses
                .iter()
                .map(|(used, kind)| json!({"pkg": format!("{used} 1"), "dep_kinds": [{"kind": kind}]}))
                .collect();
            json!({"id": format!("{name} 1"), "deps": deps})
        };
        let packages = [
            "hikyaku",
            "hikyaku-core",
            "hikyaku-engine",
            "hikyaku-odd",
            "bytes",
            "tokio",
        ];
        let metadata = json!({
            "packages": packages.map(package),
            "workspace_members": ["hikyaku 1", "hikyaku-core 1", "hikyaku-engine 1", "hikyaku-odd 1"],
            "resolve": {"nodes": [
                node("hikyaku", &[("hikyaku-engine", None)]),
                node("hikyaku-core", &[("bytes", None), ("hikyaku", Some("dev"))]),
                node("hikyaku-engine", &[("hikyaku-core", None), ("hikyaku", None), ("tokio", None)]),
                node("hikyaku-odd", &[]),
                node("bytes", &[("tokio", None)]),
                node("tokio", &[]),
            ]},
        });
        assert_eq!(
            wrong_arrows(&Graph::read(&metadata).unwrap()),
            [
                "the tests of core may not use cli",
                "engine may not use cli",
                "odd is not in the table of crates",
                "core must not reach tokio",
            ]
        );
    }
}
