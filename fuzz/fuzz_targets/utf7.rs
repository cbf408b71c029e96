#![no_main]

use hikyaku_imap::properties::utf7;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(utf7, octets));
