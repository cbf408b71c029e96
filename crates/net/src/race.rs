//! Happy eyeballs (RFC 8305): several addresses of one server, the first that answers wins.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How long one address has the field to itself (RFC 8305 §5).
pub(crate) const STAGGER: Duration = Duration::from_millis(250);

/// Alternates the families, starting with the resolver's first choice (RFC 8305
/// §4). Within a family the resolver's order stays; repeated addresses go.
pub(crate) fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !unique.contains(address) {
            unique.push(*address);
        }
    }
    let Some(first) = unique.first().copied() else {
        return unique;
    };
    let (preferred, other): (Vec<_>, Vec<_>) = unique
        .into_iter()
        .partition(|a| a.is_ipv4() == first.is_ipv4());
    let longest = preferred.len().max(other.len());
    (0..longest)
        .flat_map(|i| [preferred.get(i), other.get(i)])
        .flatten()
        .copied()
        .collect()
}

/// Tries the addresses in order, each [`STAGGER`] after the one before or as
/// soon as one has failed. The first success cancels the others; otherwise every
/// failure is returned, in the order in which they came.
pub(crate) async fn race<T, F, A>(
    addresses: &[SocketAddr],
    attempt: F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Fn(SocketAddr) -> A,
    A: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let connecting = attempt(address);
            running.push(async move { (address, connecting.await) });
        }
        let ended = if waiting.len() == 0 {
            running.next().await
        } else {
            match tokio::time::timeout(STAGGER, running.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some((_, Ok(connected))) => return Ok(connected),
            Some((address, Err(error))) => failures.push((address, error)),
            None => return Err(failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::sync::Mutex;
    use tokio::time::Instant;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| a.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate_from_the_resolvers_first_choice() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "[::1]:1"]);
        let expect = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleave(&given), expect);
        let given = addresses(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]);
        let expect = addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]);
        assert_eq!(interleave(&given), expect);
        assert_eq!(interleave(&[]), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_ipv6_address_costs_a_quarter_of_a_second() {
        let list = addresses(&["[2001:db8::1]:993", "192.0.2.1:993"]);
        let start = Instant::now();
        let winner = race(&list, |address| async move {
            if address.is_ipv6() {
                std::future::pending::<()>().await;
            }
            Ok(address)
        })
        .await
        .unwrap();
        assert_eq!(winner, list[1]);
        assert_eq!(start.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_starts_the_next_address_at_once() {
        let list = addresses(&["[::1]:1", "127.0.0.1:1", "127.0.0.2:1"]);
        let start = Instant::now();
        let tried = Mutex::new(Vec::new());
        let failures = race(&list, |address| {
            tried.lock().unwrap().push(address);
            async { Err::<(), _>(io::Error::from(ErrorKind::ConnectionRefused)) }
        })
        .await
        .unwrap_err();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(*tried.lock().unwrap(), list);
        assert_eq!(failures.iter().map(|f| f.0).collect::<Vec<_>>(), list);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_can_still_win() {
        let list = addresses(&["[::1]:1", "127.0.0.1:1"]);
        let winner = race(&list, |address| async move {
            let delay = if address.is_ipv6() { 400 } else { 900 };
            tokio::time::sleep(Duration::from_millis(delay)).await;
            Ok(address)
        })
        .await
        .unwrap();
        assert_eq!(winner, list[0]);
    }
}
