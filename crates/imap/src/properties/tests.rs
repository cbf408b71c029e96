//! The fuzz targets' properties without a fuzzer: their seeds, the seeds with edits, and
//! octets of no kind.

use hikyaku_testkit::corpus::Corpus;
use proptest::prelude::*;
use std::sync::LazyLock;

macro_rules! corpus {
    ($target:ident, $dictionary:literal, $cases:literal) => {
        mod $target {
            use super::*;

            static CORPUS: LazyLock<Corpus> =
                LazyLock::new(|| Corpus::of(stringify!($target), $dictionary));

            #[test]
            fn holds_for_every_seed() {
                for seed in CORPUS.seeds() {
                    crate::properties::$target(seed);
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases($cases))]

                #[test]
                fn holds_for_seeds_with_edits(choices in prop::collection::vec(any::<u8>(), 0..80)) {
                    crate::properties::$target(&CORPUS.mutated(&choices));
                }

                #[test]
                fn holds_for_any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
                    crate::properties::$target(&octets);
                }
            }
        }
    };
}

corpus!(framer, "imap", 2_000);
corpus!(parser, "imap", 4_000);
corpus!(utf7, "names", 4_000);
corpus!(dialogue, "imap", 300);

#[test]
fn a_visit_without_faults_hands_out_every_message() {
    // Else the visits above would prove little.
    for (seed, messages) in [
        ("whole", 2),
        ("no_esearch", 2),
        ("large", 2),
        ("fully_equipped", 2),
    ] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/dialogue/");
        let seed = std::fs::read(format!("{path}{seed}")).expect("a seed");
        assert_eq!(
            super::dialogue::dialogue(&seed),
            messages,
            "{}",
            seed.escape_ascii()
        );
    }
}
