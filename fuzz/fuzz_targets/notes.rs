#![no_main]

use hikyaku_archive::properties::notes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| hikyaku_fuzz::holds(notes, input));
