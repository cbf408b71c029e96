#![no_main]

use hikyaku_cli::properties::content;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(content, octets));
