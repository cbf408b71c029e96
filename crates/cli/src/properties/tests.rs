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

corpus!(config, "config", 2_000);
corpus!(locator, "locator", 4_000);
corpus!(content, "content", 2_000);
