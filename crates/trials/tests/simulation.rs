//! The simulation's own tests, and the seeds of every build. `cargo xtask sim --seeds 10000` runs more.

use hikyaku_trials::simulation::{Options, Tamper, try_seed, try_seeds};

/// Seeds of every build.
const SEEDS: u64 = 200;

#[test]
fn two_hundred_seeds_lose_and_double_nothing() {
    let sum = try_seeds(1, SEEDS, 2);
    let violations: Vec<String> = sum
        .violations
        .iter()
        .map(|trial| {
            format!(
                "seed {0}: {1}\n{2}\nreplay: cargo xtask sim --seed {0}",
                trial.seed,
                trial.violation.as_deref().unwrap_or_default(),
                trial.words.join("\n"),
            )
        })
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
    assert_eq!(sum.seeds, SEEDS);
    // Faults that never strike would prove nothing.
    for kind in [
        "cut: close",
        "cut: reset, what was sent arrives",
        "cut: silence",
        "process dies",
        "disk full",
        "lands later",
        "stores a part, says NO",
        "deleted at the destination",
        "UIDVALIDITY of the source",
        "UIDVALIDITY of the destination",
    ] {
        assert!(sum.struck.contains_key(kind), "{kind} never struck");
    }
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in [3, 8, 14, 27, 64, 123] {
        let options = Options {
            keep_log: true,
            ..Options::default()
        };
        let (first, second) = (try_seed(seed, options), try_seed(seed, options));
        let lines = |log: &Option<String>| log.clone().unwrap_or_default();
        let difference = lines(&first.log)
            .lines()
            .zip(lines(&second.log).lines())
            .find(|(a, b)| a != b)
            .map(|(a, b)| format!("{a}\n{b}"));
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert!(lines(&first.log).lines().count() > 50, "seed {seed}");
    }
}

#[test]
fn the_judge_finds_what_is_done_behind_its_back() {
    for tamper in Tamper::ALL {
        let options = Options {
            tamper: Some(tamper),
            ..Options::default()
        };
        let trials: Vec<_> = (1..=12).map(|seed| try_seed(seed, options)).collect();
        let tampered: Vec<_> = trials.iter().filter(|t| t.tampered).collect();
        assert!(tampered.len() >= 4, "{tamper:?}: too little to tamper with");
        for trial in tampered {
            let found = trial.violation.as_deref().unwrap_or("nothing");
            let expected = match tamper {
                Tamper::Drop => "I1/I5: lost",
                Tamper::Double => "I2: doubled",
                Tamper::Alter => "I4: unknown content",
                Tamper::Flag => "flags are",
                Tamper::Date => "the date is",
                Tamper::Source => "I3: the source was changed",
            };
            assert!(
                found.contains(expected),
                "seed {}, {tamper:?}: {found}",
                trial.seed
            );
        }
    }
}
