#![no_main]

use hikyaku_cli::properties::locator;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(locator, octets));
