// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

const SETTING: Setting<'_> = Setting {
    host: "server.example.com",
    port: 143,
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
};

fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose().to_vec()).unwrap()
}

fn begin(name: &str, credentials: &Credentials) -> Box<dyn Mechanism> {
    start(name, credentials, &SETTING).unwrap()
}

/// RFC 5802 §5 up to the point where the server has to prove itself.
fn scram_sha_1_with_proof_sent() -> Box<dyn Mechanism> {
    let mut scram = begin("SCRAM-SHA-1", &Credentials::password("user", "pencil"));
    assert_eq!(
        text(&scram.initial().unwrap()),
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    );
    let challenge = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
    assert_eq!(
        text(&scram.step(challenge).unwrap()),
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    scram
}

#[test]
fn rfc4616_section_4_plain() {
    let own = Credentials::password("tim", "tanstaaftanstaaf");
    assert_eq!(
        text(&begin("PLAIN", &own).initial().unwrap()),
        "\0tim\0tanstaaftanstaaf"
    );
    let other = Credentials::password("Kurt", "xipj3plmq").acting_as("Ursel");
    assert_eq!(
        text(&begin("plain", &other).initial().unwrap()),
        "Ursel\0Kurt\0xipj3plmq"
    );
}

#[test]
fn plain_answers_an_empty_challenge_where_there_is_no_initial_response() {
    let mut plain = begin("PLAIN", &Credentials::password("tim", "secret"));
    assert_eq!(text(&plain.step(b"").unwrap()), "\0tim\0secret");
    assert_eq!(plain.step(b"").unwrap_err().code, Code::ServerProtocol);
}

#[test]
fn login_tells_name_and_password_whatever_the_questions_are() {
    let mut login = begin("LOGIN", &Credentials::password("tim", "tanstaaf"));
    assert!(login.initial().is_none());
    assert_eq!(text(&login.step(b"User Name\0").unwrap()), "tim");
    assert_eq!(text(&login.step(b"Password\0").unwrap()), "tanstaaf");
    assert_eq!(
        login.step(b"Again:").unwrap_err().code,
        Code::ServerProtocol
    );
}

#[test]
fn questions_in_plain_words_are_answered_where_they_do_not_matter() {
    let user = Credentials::password("tim", "secret");
    let mut login = begin("LOGIN", &user);
    assert_eq!(
        text(&answer(login.as_mut(), b"Username please:").unwrap()),
        "dGlt"
    );
    let mut cram = begin("CRAM-MD5", &user);
    assert_eq!(
        answer(cram.as_mut(), b"no: base64").unwrap_err().code,
        Code::ServerProtocol
    );
}

#[test]
fn rfc2195_section_2_cram_md5() {
    let mut cram = begin(
        "CRAM-MD5",
        &Credentials::password("tim", "tanstaaftanstaaf"),
    );
    assert!(cram.initial().is_none());
    let answer = cram
        .step(b"<1896.697170952@postoffice.reston.mci.net>")
        .unwrap();
    assert_eq!(text(&answer), "tim b913a602c7eda7a495b4e6e7334d3890");
}

#[test]
fn rfc5802_section_5_scram_sha_1() {
    let mut scram = scram_sha_1_with_proof_sent();
    assert!(scram.finish().is_err());
    assert!(
        scram
            .step(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")
            .unwrap()
            .is_empty()
    );
    assert_eq!(scram.finish(), Ok(()));
}

#[test]
fn rfc7677_section_3_scram_sha_256() {
    let setting = Setting {
        nonce: "rOprNGfwEbeRWgbNEkqO",
        ..SETTING
    };
    let user = Credentials::password("user", "pencil");
    let mut scram = start("SCRAM-SHA-256", &user, &setting).unwrap();
    assert_eq!(
        text(&scram.initial().unwrap()),
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    );
    let answer = scram
        .step(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        .unwrap();
    assert_eq!(
        text(&answer),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    scram
        .step(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        .unwrap();
    assert_eq!(scram.finish(), Ok(()));
}

#[test]
fn scram_escapes_names_and_sends_the_account_to_act_as() {
    let user = Credentials::password("a,b=c", "x").acting_as("日本,=");
    let first = begin("SCRAM-SHA-256", &user).initial().unwrap();
    assert_eq!(
        text(&first),
        "n,a=日本=2C=3D,n=a=2Cb=3Dc,r=fyko+d2lbbFgONRv9qkxdawL"
    );
}

#[test]
fn scram_does_not_believe_a_server_without_the_password() {
    for wrong in ["v=AAAApqV8S7suAoZWja4dJRkFsKQ=", "v=", "", "v=*", "x=y"] {
        let mut scram = scram_sha_1_with_proof_sent();
        let fault = scram.step(wrong.as_bytes()).unwrap_err();
        assert_eq!(fault.code, Code::ServerProtocol, "{wrong}");
        assert!(scram.finish().is_err());
        // Nor when it shows the right signature afterwards.
        assert!(scram.step(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").is_err());
    }
}

#[test]
fn scram_refuses_challenges_that_are_hostile_or_malformed() {
    let nonce = "r=fyko+d2lbbFgONRv9qkxdawL";
    for challenge in [
        format!("{nonce}x,s=QSXCR+Q6sek8bf92,i=1000001"),
        format!("{nonce}x,s=QSXCR+Q6sek8bf92,i=4095"),
        format!("{nonce}x,s=QSXCR+Q6sek8bf92,i=99999999999"),
        format!("{nonce}x,s=QSXCR+Q6sek8bf92,i=-1"),
        format!("{nonce},s=QSXCR+Q6sek8bf92,i=4096"),
        "r=other,s=QSXCR+Q6sek8bf92,i=4096".into(),
        format!("m=ext,{nonce}x,s=QSXCR+Q6sek8bf92,i=4096"),
        format!("{nonce}x,s=???,i=4096"),
        format!("{nonce}x"),
        String::new(),
    ] {
        let mut scram = begin("SCRAM-SHA-1", &Credentials::password("user", "pencil"));
        drop(scram.initial());
        let fault = scram.step(challenge.as_bytes()).unwrap_err();
        assert_eq!(fault.code, Code::ServerProtocol, "{challenge}");
    }
    let mut scram = begin("SCRAM-SHA-1", &Credentials::password("user", "pencil"));
    drop(scram.initial());
    assert_eq!(scram.step(b"\xff").unwrap_err().code, Code::ServerProtocol);
}

#[test]
fn scram_reports_the_servers_own_error() {
    let fault = scram_sha_1_with_proof_sent()
        .step(b"e=invalid-proof")
        .unwrap_err();
    assert_eq!(fault.code, Code::LoginRejected);
    assert_eq!(fault.said.unwrap().code.as_deref(), Some("invalid-proof"));
    let fault = scram_sha_1_with_proof_sent()
        .step(b"e=other-error")
        .unwrap_err();
    assert_eq!(fault.code, Code::LoginMechanism);
}

#[test]
fn rfc7628_section_4_1_oauthbearer() {
    let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
    let first = begin(
        "OAUTHBEARER",
        &Credentials::token("user@example.com", token),
    )
    .initial();
    assert_eq!(
        text(&encode(&first.unwrap())),
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    );
}

#[test]
fn rfc7628_section_4_3_oauthbearer_error_is_acknowledged_and_told() {
    let mut bearer = begin("OAUTHBEARER", &Credentials::token("user", "t0ken"));
    drop(bearer.initial());
    assert_eq!(bearer.refusal(), None);
    let challenge = decode(b"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=").unwrap();
    assert_eq!(text(&encode(&bearer.step(&challenge).unwrap())), "AQ==");
    let fault = bearer.refusal().unwrap();
    assert_eq!(
        (fault.code, fault.remedy),
        (Code::LoginExpired, Remedy::AskUser)
    );
    assert!(fault.said.unwrap().text.contains("example_scope"));
    assert!(bearer.step(&challenge).is_err());
}

#[test]
fn xoauth2_as_google_documents_it() {
    let user = Credentials::token(
        "someuser@example.com",
        "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
    );
    let mut bearer = begin("XOAUTH2", &user);
    assert_eq!(
        text(&encode(&bearer.initial().unwrap())),
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    );
    let answer =
        bearer.step(br#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#);
    assert!(answer.unwrap().is_empty());
    assert_eq!(bearer.refusal().unwrap().code, Code::LoginExpired);
}

#[test]
fn an_explanation_that_is_no_json_is_still_told() {
    let mut bearer = begin("XOAUTH2", &Credentials::token("user", "t0ken"));
    drop(bearer.initial());
    drop(bearer.step(b"\xff{oops\r\n").unwrap());
    let fault = bearer.refusal().unwrap();
    assert_eq!(fault.code, Code::LoginRejected);
    assert!(fault.said.unwrap().text.contains("{oops"));
}

#[test]
fn every_preferred_mechanism_can_be_started() {
    for credentials in [
        Credentials::password("user", "x"),
        Credentials::password("user", "x").acting_as("other"),
        Credentials::token("user", "x"),
        Credentials::token("user", "x").acting_as("other"),
    ] {
        for encrypted in [true, false] {
            for name in preference(&credentials, encrypted) {
                assert_eq!(begin(name, &credentials).name(), *name);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let refused = |name: &str, credentials: &Credentials| {
        start(name, credentials, &SETTING).unwrap_err().code
    };
    let password = Credentials::password("user", "x");
    let token = Credentials::token("user", "x");
    assert_eq!(refused("GSSAPI", &password), Code::LoginMechanism);
    assert_eq!(refused("XOAUTH2", &password), Code::LoginMechanism);
    assert_eq!(refused("PLAIN", &token), Code::LoginMechanism);
    assert_eq!(
        refused("PLAIN", &Credentials::password("u\0", "x")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("LOGIN", &password.clone().acting_as("b")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("CRAM-MD5", &password.acting_as("b")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("XOAUTH2", &token.acting_as("b")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("OAUTHBEARER", &Credentials::token("u", "a b")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("OAUTHBEARER", &Credentials::token("u", "a\n")),
        Code::ConfigInvalid
    );
    assert_eq!(
        refused("XOAUTH2", &Credentials::token("u", "")),
        Code::ConfigInvalid
    );
}

#[test]
fn nonces_are_sendable_and_differ() {
    let (a, b) = (nonce().unwrap(), nonce().unwrap());
    assert_ne!(a, b);
    assert_eq!(a.len(), 24);
    assert!(a.bytes().all(|c| c.is_ascii_graphic() && c != b','));
}

#[test]
fn a_planted_secret_shows_in_no_debug_text_and_no_fault() {
    const PLANTED: &str = "planted-5e2f";
    let mut seen = String::new();
    for credentials in [
        Credentials::password("user", PLANTED),
        Credentials::token("user", PLANTED),
    ] {
        seen += &format!("{credentials:?}");
        for name in preference(&credentials, true) {
            let mut mechanism = begin(name, &credentials);
            seen += &format!("{mechanism:?} {:?}", mechanism.initial());
            for challenge in [
                &b"{\"status\":\"401\"}"[..],
                b"e=other-error",
                b"",
                b"again",
            ] {
                seen += &format!("{:?}", mechanism.step(challenge));
            }
            seen += &format!("{:?} {:?}", mechanism.finish(), mechanism.refusal());
        }
    }
    assert!(seen.contains("***"));
    assert!(!seen.contains(PLANTED), "{seen}");
}

proptest! {
    #[test]
    fn hostile_challenges_end_in_a_fault_or_an_answer(
        challenges in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..60),
                "(r=fyko\\+d2lbbFgONRv9qkxdawL[a-z,]{0,5})?(,?[rsievm]=[A-Za-z0-9+/=]{0,9}){0,4}".prop_map(String::into_bytes),
                "\\{\"?status\"?:[ -~]{0,20}\\}?".prop_map(String::into_bytes),
            ],
            0..5,
        ),
    ) {
        for credentials in [Credentials::password("user", "x"), Credentials::token("user", "x")] {
            for name in preference(&credentials, true) {
                let mut mechanism = begin(name, &credentials);
                drop(mechanism.initial());
                for challenge in &challenges {
                    if mechanism.step(challenge).is_err() {
                        break;
                    }
                }
                if name.starts_with("SCRAM") {
                    prop_assert!(mechanism.finish().is_err(), "nobody here knows the signature");
                }
                drop(mechanism.refusal());
            }
        }
    }
}
