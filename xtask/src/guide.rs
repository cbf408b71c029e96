//! `cargo xtask guide`: the pictures of `docs/guide`, taken by the browser test that walks through the whole flow.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::step::{self, cargo, root, say};
use crate::test;

/// Where the guide lives.
const GUIDE: &str = "docs/guide";

/// Takes every picture anew, then checks that the guide shows each of them and no other.
pub(crate) fn run(_: &[String]) -> Result<()> {
    test::install(&[])?;
    let mut command = cargo(&["nextest", "run", "--workspace"]);
    command.args(["--filterset", "binary(browser) and test(guide)"]);
    command.env("HIKYAKU_GUIDE", root().join(GUIDE));
    test::as_root(&mut command)?;
    step::run(&mut command)?;
    check()?;
    say(&format!("\nthe pictures of {GUIDE} are new; look at them"));
    Ok(())
}

/// Fails when a page of the guide shows a picture that is not there, or a picture stands there that no page shows. Every
/// screen is also kept as a phone shows it, for whoever looks at all of them.
pub(crate) fn check() -> Result<()> {
    for lang in ["ja", "en"] {
        let directory = root().join(GUIDE).join(lang);
        let page = fs::read_to_string(directory.join("README.md"))
            .with_context(|| format!("cannot read {GUIDE}/{lang}/README.md"))?;
        let shown = pictures(&page);
        for picture in &shown {
            ensure!(
                directory.join(picture).is_file(),
                "{GUIDE}/{lang}/README.md shows {picture}, which is not there: run `cargo xtask guide`"
            );
        }
        for entry in fs::read_dir(&directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(
                !name.ends_with(".png")
                    || name.ends_with("-phone.png")
                    || shown.contains(&name.as_str()),
                "{GUIDE}/{lang}/README.md does not show {name}"
            );
        }
    }
    Ok(())
}

/// The targets of the pictures of a page: `![words](target)` and `<img src="target"`.
fn pictures(page: &str) -> Vec<&str> {
    let marked = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let tagged = page
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    marked
        .chain(tagged)
        .filter(|target| target.ends_with(".png"))
        .collect()
}
