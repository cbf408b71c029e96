//! What holds whatever a server sends while somebody logs in, as functions over octets that
//! panic where it does not.
//!
//! The fuzz targets (`fuzz/`) and the tests beside this file call the same functions. Not a
//! part of the product: compiled for tests and by cargo-fuzz only.

#[cfg(test)]
mod tests;

use crate::Secret;
use crate::sasl::{self, Credentials, Mechanism, Setting};
use hikyaku_core::{Fault, Remedy};

/// The password and token; the example of RFC 5802 §5 uses it too.
const PLANTED: &str = "pencil";

/// The nonce of the same example.
const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

/// With them the server of the example proves itself; there is no other way here.
const RFC_FIRST: &[u8] = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const RFC_FINAL: &[u8] = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

const MECHANISMS: [&str; 7] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "XOAUTH2",
    "OAUTHBEARER",
];

/// The first octet chooses a mechanism, the rest are challenges, divided by line feeds.
///
/// Every challenge gets an answer or a fault; after a few answers there are no more; a
/// server that proves itself has the password; hashing is bounded; and no secret is in a
/// fault or a `Debug` text.
pub fn sasl(input: &[u8]) {
    let [which, rest @ ..] = input else {
        return;
    };
    let name = MECHANISMS[usize::from(which % 7)];
    let challenges: Vec<&[u8]> = rest.split(|octet| *octet == b'\n').take(8).collect();
    let in_base64 = which & 0x40 != 0;
    let meant: Vec<Vec<u8>> = challenges
        .iter()
        .map(|challenge| match in_base64 {
            true => sasl::decode(challenge).unwrap_or_default(),
            false => challenge.to_vec(),
        })
        .collect();
    // Up to a second of hashing is allowed, and is no news: the time is better spent.
    if meant.iter().filter_map(|c| rounds(c)).any(is_slow) {
        return;
    }
    let user = match which & 0x80 {
        0 => "user".to_owned(),
        _ => String::from_utf8_lossy(challenges.first().copied().unwrap_or_default()).into_owned(),
    };
    let credentials = match name {
        "XOAUTH2" | "OAUTHBEARER" => Credentials::token(user, PLANTED),
        _ => Credentials::password(user, PLANTED),
    };
    let setting = Setting {
        host: "server.example.com",
        port: 143,
        nonce: NONCE,
    };
    let mut said = format!("{credentials:?}");
    match sasl::start(name, &credentials, &setting) {
        Ok(mut mechanism) if in_base64 => {
            exchange(
                mechanism.as_mut(),
                &challenges,
                &meant,
                in_transit,
                &mut said,
            );
        }
        Ok(mut mechanism) => {
            let step: Answer = |mechanism, challenge| mechanism.step(challenge);
            exchange(mechanism.as_mut(), &challenges, &meant, step, &mut said);
        }
        Err(fault) => hear(&fault, &mut said),
    }
    // What the server said itself is no secret.
    for secret in [PLANTED, "cGVuY2ls"] {
        let is_theirs = [rest]
            .into_iter()
            .chain(meant.iter().map(Vec::as_slice))
            .any(|octets| String::from_utf8_lossy(octets).contains(secret));
        assert!(is_theirs || !said.contains(secret), "{said}");
    }
}

/// How a challenge is answered: as it is, or as it travels.
type Answer = fn(&mut (dyn Mechanism + 'static), &[u8]) -> Result<Secret, Fault>;

fn in_transit(
    mechanism: &mut (dyn Mechanism + 'static),
    challenge: &[u8],
) -> Result<Secret, Fault> {
    sasl::answer(mechanism, challenge)
}

fn exchange(
    mechanism: &mut (dyn Mechanism + 'static),
    challenges: &[&[u8]],
    meant: &[Vec<u8>],
    answer: Answer,
    said: &mut String,
) {
    if let Some(first) = mechanism.initial() {
        is_well_formed(mechanism.name(), &first);
        *said += &format!("{first:?}");
    }
    let mut answers = 0;
    for (challenge, meant) in challenges.iter().zip(meant) {
        let answer = answer(mechanism, challenge);
        *said += &format!("{mechanism:?} {answer:?}");
        match answer {
            Ok(_) => {
                answers += 1;
                assert!(answers <= 2, "{} answers for ever", mechanism.name());
            }
            Err(fault) => {
                hear(&fault, said);
                break;
            }
        }
        if mechanism.name().starts_with("SCRAM") && answers == 1 {
            let asked = rounds(meant);
            assert!(
                asked.is_none_or(|n| n <= 1_000_000),
                "hashed {asked:?} times"
            );
        }
    }
    if let Err(fault) = mechanism.finish() {
        hear(&fault, said);
    } else if mechanism.name().starts_with("SCRAM") {
        assert!(meant[0] == RFC_FIRST && meant[1].starts_with(RFC_FINAL));
    }
    if let Some(fault) = mechanism.refusal() {
        hear(&fault, said);
    }
}

/// What frames the parts of a first message stands in it as often as it has to.
fn is_well_formed(name: &str, first: &Secret) {
    let count = |octet: u8| first.expose().iter().filter(|o| **o == octet).count();
    match name {
        "PLAIN" => assert_eq!(count(0), 2),
        "XOAUTH2" => assert_eq!(count(1), 3),
        "OAUTHBEARER" => assert_eq!((count(1), count(b',')), (5, 2)),
        "SCRAM-SHA-1" | "SCRAM-SHA-256" => assert_eq!((count(0), count(b',')), (0, 3)),
        _ => {}
    }
}

fn hear(fault: &Fault, said: &mut String) {
    assert_ne!(fault.remedy, Remedy::Bug, "{fault:?}");
    let words = fault.said.as_ref().map(ToString::to_string);
    assert!(
        !words.unwrap_or_default().contains(char::is_control),
        "{fault:?}"
    );
    assert!(fault.detail.len() < 1_000, "{fault:?}");
    *said += &format!("{fault:?} {fault}");
}

/// The hashing that a SCRAM challenge asks for.
fn rounds(challenge: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(challenge).ok()?;
    text.split(',')
        .find_map(|field| field.strip_prefix("i="))?
        .parse()
        .ok()
}

fn is_slow(rounds: u64) -> bool {
    (10_000..=1_000_000).contains(&rounds)
}
