#![no_main]

use hikyaku_cli::properties::config;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(config, octets));
