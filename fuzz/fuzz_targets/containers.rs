#![no_main]

use hikyaku_archive::properties::containers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| hikyaku_fuzz::holds(containers, input));
