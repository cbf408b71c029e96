#![no_main]

use hikyaku_imap::properties::dialogue;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| hikyaku_fuzz::holds(dialogue, octets));
