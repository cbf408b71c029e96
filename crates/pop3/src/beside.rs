//! Whether the same mail can be had by IMAP, which is better in every respect: folders, flags and
//! dates come along, and nothing is marked as read.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hikyaku_net::{Endpoint, Security};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// For one port, all in all. Nobody waits for what is only a hint.
const PATIENCE: Duration = Duration::from_secs(6);

/// Octets of a greeting that are looked at.
const GREETING: usize = 4096;

/// Where an IMAP server answers, on the host of a POP3 server or on the name that goes with it
/// (`imap.example.jp` beside `pop.example.jp`): an endpoint with the same trust, guard and side,
/// to be tried with the same credentials. Encrypted ports come first; clear text is looked for
/// only where the POP3 account is in clear text too.
///
/// Nothing secret is sent, and nobody is logged in: whether the account may use IMAP is known
/// after a login only. Takes six seconds at most.
pub async fn imap_beside(pop3: &Endpoint) -> Option<Endpoint> {
    let hosts = hosts(&pop3.host);
    let ports = [
        (993, Security::ImplicitTls),
        (143, Security::StartTls),
        (143, Security::Plain),
    ];
    let kinds = match pop3.security {
        Security::Plain => &ports[..],
        Security::ImplicitTls | Security::StartTls => &ports[..2],
    };
    let all = hosts.iter().flat_map(|host| {
        kinds.iter().map(move |(port, security)| Endpoint {
            host: host.clone(),
            port: *port,
            security: *security,
            ..pop3.clone()
        })
    });
    first_that_answers(all.collect()).await
}

/// The first of the candidates that answers like an IMAP server; all are asked at once.
pub(crate) async fn first_that_answers(candidates: Vec<Endpoint>) -> Option<Endpoint> {
    let mut asked: FuturesUnordered<_> = candidates
        .into_iter()
        .enumerate()
        .map(|(rank, candidate)| async move {
            let answers = timeout(PATIENCE, answers(&candidate)).await;
            (answers == Ok(true)).then_some((rank, candidate))
        })
        .collect();
    let mut best: Option<(usize, Endpoint)> = None;
    while let Some(found) = asked.next().await {
        if let Some((rank, candidate)) = found
            && best.as_ref().is_none_or(|(known, _)| rank < *known)
        {
            best = Some((rank, candidate));
        }
        if best.as_ref().is_some_and(|(rank, _)| *rank == 0) {
            break;
        }
    }
    best.map(|(_, endpoint)| endpoint)
}

/// Whether an IMAP server greets there (RFC 9051 §7.1). STARTTLS is believed to be offered.
async fn answers(candidate: &Endpoint) -> bool {
    let Ok(mut stream) = hikyaku_net::connect(candidate).await else {
        return false;
    };
    let mut greeting = Vec::new();
    while !greeting.contains(&b'\n') && greeting.len() < GREETING {
        match stream.read_buf(&mut greeting).await {
            Ok(octets) if octets > 0 => {}
            _ => return false,
        }
    }
    let greeting = greeting.to_ascii_uppercase();
    greeting.starts_with(b"* OK") || greeting.starts_with(b"* PREAUTH")
}

/// The host itself, and its sibling where it is called after POP.
fn hosts(host: &str) -> Vec<String> {
    let mut hosts = vec![host.to_owned()];
    let sibling = host.split_once('.').filter(|(first, rest)| {
        let is_pop = ["pop", "pop3", "pops"]
            .iter()
            .any(|pop| first.eq_ignore_ascii_case(pop));
        is_pop && rest.contains('.')
    });
    hosts.extend(sibling.map(|(_, rest)| format!("imap.{rest}")));
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::Side;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    /// A server that says one thing to everybody.
    async fn saying(text: &'static str) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                drop(stream.write_all(text.as_bytes()).await);
            }
        });
        Endpoint::new("127.0.0.1", port, Security::Plain, Side::Source)
    }

    #[tokio::test]
    async fn only_what_greets_like_imap_counts_and_the_first_wins() {
        let imap = saying("* OK [CAPABILITY IMAP4rev1] ready\r\n").await;
        let other = saying("* preauth hello\r\n").await;
        let pop = saying("+OK ready\r\n").await;
        let mute = saying("* OK").await;
        let found = first_that_answers(vec![pop.clone(), imap.clone(), other]).await;
        assert_eq!(found.map(|endpoint| endpoint.port), Some(imap.port));
        assert!(first_that_answers(vec![pop, mute]).await.is_none());
        assert!(first_that_answers(Vec::new()).await.is_none());
    }

    #[test]
    fn names_after_pop_have_a_sibling() {
        assert_eq!(
            hosts("pop.example.jp"),
            ["pop.example.jp", "imap.example.jp"]
        );
        assert_eq!(
            hosts("POP3.example.co.jp"),
            ["POP3.example.co.jp", "imap.example.co.jp"]
        );
        for alone in [
            "mail.example.jp",
            "pop.local",
            "popular.example.jp",
            "192.0.2.1",
            "pop",
        ] {
            assert_eq!(hosts(alone), [alone]);
        }
    }
}
