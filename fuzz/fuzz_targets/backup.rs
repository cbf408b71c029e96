#![no_main]

use hikyaku_backup::properties::octets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| hikyaku_fuzz::holds(octets, input));
