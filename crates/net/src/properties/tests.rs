//! The fuzz target's properties without a fuzzer: its seeds, the seeds with edits, and
//! octets of no kind.

use super::*;
use hikyaku_core::Code;
use hikyaku_testkit::corpus::Corpus;
use proptest::prelude::*;
use std::sync::LazyLock;

static SASL: LazyLock<Corpus> = LazyLock::new(|| Corpus::of("sasl", "sasl"));

#[test]
fn every_seed_of_a_login_is_answered_or_refused() {
    for seed in SASL.seeds() {
        sasl(seed);
    }
}

#[test]
fn hashing_without_end_is_refused() {
    for rounds in [
        "1000001",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "-1",
        "0",
    ] {
        for name in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
            let credentials = Credentials::password("user", PLANTED);
            let setting = Setting {
                host: "server.example.com",
                port: 143,
                nonce: NONCE,
            };
            let mut scram = sasl::start(name, &credentials, &setting).expect("a mechanism");
            drop(scram.initial());
            let challenge = format!("r={NONCE}x,s=QSXCR+Q6sek8bf92,i={rounds}");
            let fault = scram.step(challenge.as_bytes()).expect_err("no answer");
            assert_eq!(fault.code, Code::ServerProtocol, "{rounds}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn edited_challenges_are_answered_or_refused(choices in prop::collection::vec(any::<u8>(), 0..60)) {
        sasl(&SASL.mutated(&choices));
    }

    #[test]
    fn challenges_of_no_kind_are_answered_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        sasl(&octets);
    }
}
