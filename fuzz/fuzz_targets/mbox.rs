#![no_main]

use hikyaku_archive::properties::mbox;

libfuzzer_sys::fuzz_target!(|input: &[u8]| hikyaku_fuzz::holds(mbox, input));
