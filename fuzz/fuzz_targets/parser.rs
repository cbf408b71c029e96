#![no_main]

use hikyaku_imap::properties::parser;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(parser, octets));
