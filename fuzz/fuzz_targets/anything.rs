#![no_main]

use hikyaku_archive::properties::anything;

libfuzzer_sys::fuzz_target!(|input: &[u8]| hikyaku_fuzz::holds(anything, input));
