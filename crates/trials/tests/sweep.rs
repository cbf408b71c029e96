//! A part of the sweep in each run of the tests, another part with each commit; `cargo xtask sweep` makes all of it.

use std::process::Command;

use hikyaku_trials::sweep;

/// Cases of the sample.
const CASES: usize = 80;

/// Changes with the commit, so that in time everything is tried; outside a repository, with the version.
fn salt() -> String {
    let hash = Command::new("git")
        // Tests of real servers run as root, perhaps in somebody else's directory.
        .args(["-c", "safe.directory=*", "rev-parse", "HEAD"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    match hash {
        Ok(hash) if hash.status.success() => {
            String::from_utf8_lossy(&hash.stdout).trim().to_owned()
        }
        _ => env!("CARGO_PKG_VERSION").to_owned(),
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "how to make it again")]
fn a_sample_of_all_cuts_loses_doubles_and_alters_nothing() {
    let salt = salt();
    eprintln!("again: cargo xtask sweep --sample {CASES} --salt {salt}");
    let summary = sweep::sample(CASES, &salt).expect("the sweep runs");
    assert_eq!(summary.cases(), CASES);
    assert_eq!(summary.violations(), 0, "{summary}");
    assert!(summary.not_reached() <= CASES / 20, "{summary}");
}

#[test]
fn with_the_patience_of_the_product_an_append_in_doubt_is_neither_lost_nor_doubled() {
    let verdicts = sweep::patient().expect("the cases can be tried");
    assert_eq!(verdicts.len(), 4);
    for (case, verdict) in verdicts {
        let story = verdict.story.join("\n");
        assert!(verdict.reached, "{case}\n{story}");
        assert!(verdict.doubted, "{case}\n{story}");
        assert_eq!(verdict.violations, [""; 0], "{case}\n{story}");
    }
}
