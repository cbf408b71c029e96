#![no_main]

use hikyaku_imap::properties::framer;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(framer, octets));
