#![no_main]

use hikyaku_net::properties::sasl;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(sasl, octets));
