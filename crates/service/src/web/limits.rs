//! How often somebody may try: sign-ins and checks are logins at somebody's mail server, and must not become a way of
//! guessing passwords.

use super::Rejection;
use crate::config::Attempts;
use crate::jobs::Owner;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

/// Tries between two times that what is long ago is forgotten.
const SWEEP: u32 = 1_000;

type Limit = DefaultKeyedRateLimiter<String>;

/// Counts tries of the last hour.
pub(crate) struct Limits {
    address: Limit,
    account: Limit,
    source_account: Limit,
    source_host: Limit,
    tries: AtomicU32,
    clock: DefaultClock,
}

impl Limits {
    /// None has tried yet.
    pub(crate) fn new(attempts: Attempts) -> Self {
        let limit = |per_hour| {
            let per_hour = NonZeroU32::new(per_hour).unwrap_or(NonZeroU32::MIN);
            RateLimiter::keyed(Quota::per_hour(per_hour))
        };
        Self {
            address: limit(attempts.per_address),
            account: limit(attempts.per_account),
            source_account: limit(attempts.per_source_account),
            source_host: limit(attempts.per_source_host),
            tries: AtomicU32::new(0),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a sign-in with a destination account.
    ///
    /// # Errors
    /// [`Rejection::TooOften`].
    pub(crate) fn sign_in(&self, client: IpAddr, account: &Owner) -> Result<(), Rejection> {
        self.sweep();
        self.count(&self.address, network(client))?;
        self.count(
            &self.account,
            format!("{}\0{}", account.brand, account.address.to_lowercase()),
        )
    }

    /// Counts a login at a source account that somebody asked for.
    ///
    /// # Errors
    /// [`Rejection::TooOften`].
    pub(crate) fn check(
        &self,
        client: IpAddr,
        owner: &Owner,
        host: &str,
        account: &str,
    ) -> Result<(), Rejection> {
        self.sweep();
        let (host, account) = (host.trim().to_lowercase(), account.trim().to_lowercase());
        self.count(&self.address, network(client))?;
        self.count(
            &self.account,
            format!("check\0{}\0{}", owner.brand, owner.address),
        )?;
        self.count(&self.source_account, format!("{host}\0{account}"))?;
        self.count(&self.source_host, host)
    }

    /// Counts an upload that somebody begins.
    ///
    /// # Errors
    /// [`Rejection::TooOften`].
    pub(crate) fn upload(&self, client: IpAddr, owner: &Owner) -> Result<(), Rejection> {
        self.sweep();
        self.count(&self.address, network(client))?;
        self.count(
            &self.account,
            format!("upload\0{}\0{}", owner.brand, owner.address),
        )
    }

    fn count(&self, limit: &Limit, key: String) -> Result<(), Rejection> {
        limit
            .check_key(&key)
            .map_err(|until| Rejection::TooOften(until.wait_time_from(self.clock.now())))
    }

    /// What nobody tried for an hour needs no memory.
    fn sweep(&self) {
        if self.tries.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            for limit in [
                &self.address,
                &self.account,
                &self.source_account,
                &self.source_host,
            ] {
                limit.retain_recent();
                limit.shrink_to_fit();
            }
        }
    }
}

/// What one client can have many of counts as one: an IPv6 network of 64 bits.
fn network(client: IpAddr) -> String {
    match client.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
    }
}

/// The client's address: `peer` unless that is a proxy of ours, then the last one before our proxies.
pub(crate) fn client(peer: IpAddr, forwarded: &[&str], is_ours: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut client = peer;
    for entry in forwarded.iter().rev() {
        if !is_ours(client) {
            break;
        }
        match entry.trim().parse() {
            Ok(address) => client = address,
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(address: &str) -> Owner {
        Owner {
            brand: "hikyaku".to_owned(),
            address: address.to_owned(),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn limits() -> Limits {
        Limits::new(Attempts {
            per_address: 6,
            per_account: 3,
            per_source_account: 2,
            per_source_host: 4,
        })
    }

    fn is_stopped(done: &Result<(), Rejection>) -> bool {
        matches!(done, Err(Rejection::TooOften(wait)) if !wait.is_zero())
    }

    #[test]
    fn sign_ins_are_counted_by_account_and_by_address() {
        let limits = limits();
        for n in 0..3 {
            let from = ip(&format!("192.0.2.{n}"));
            assert!(limits.sign_in(from, &owner("a@example.jp")).is_ok());
        }
        assert!(is_stopped(
            &limits.sign_in(ip("192.0.2.9"), &owner("A@example.jp"))
        ));
        for n in 0..6 {
            let account = owner(&format!("b{n}@example.jp"));
            assert!(limits.sign_in(ip("198.51.100.1"), &account).is_ok());
        }
        assert!(is_stopped(
            &limits.sign_in(ip("198.51.100.1"), &owner("c@example.jp"))
        ));
        assert!(
            limits
                .sign_in(ip("198.51.100.2"), &owner("c@example.jp"))
                .is_ok()
        );
    }

    #[test]
    fn one_client_has_one_network() {
        let limits = limits();
        for n in 0..6 {
            let from = ip(&format!("2001:db8::{n}"));
            assert!(
                limits
                    .sign_in(from, &owner(&format!("d{n}@example.jp")))
                    .is_ok()
            );
        }
        assert!(is_stopped(
            &limits.sign_in(ip("2001:db8::ffff"), &owner("e@example.jp"))
        ));
        assert!(
            limits
                .sign_in(ip("2001:db8:0:1::1"), &owner("e@example.jp"))
                .is_ok()
        );
        assert_eq!(network(ip("::ffff:192.0.2.1")), "192.0.2.1");
    }

    #[test]
    fn logins_at_a_source_are_counted_by_account_host_and_person() {
        let limits = limits();
        let check = |n: u8, who: &str, host: &str, account: &str| {
            limits.check(ip(&format!("203.0.113.{n}")), &owner(who), host, account)
        };
        // Guessing at one account, from anywhere.
        assert!(check(1, "a@example.jp", "old.example", "x").is_ok());
        assert!(check(2, "b@example.jp", " OLD.example", "X").is_ok());
        assert!(is_stopped(&check(3, "c@example.jp", "old.example", "x")));
        // Trying many accounts of one host.
        assert!(check(4, "d@example.jp", "old.example", "y").is_ok());
        assert!(check(5, "e@example.jp", "old.example", "z").is_ok());
        assert!(is_stopped(&check(6, "f@example.jp", "old.example", "w")));
        // One person trying everywhere.
        for n in 0..3 {
            assert!(check(n, "g@example.jp", &format!("h{n}.example"), "x").is_ok());
        }
        assert!(is_stopped(&check(9, "g@example.jp", "h9.example", "x")));
    }

    #[test]
    fn only_own_proxies_are_believed() {
        let ours = |address| [ip("10.0.0.1"), ip("10.0.0.2")].contains(&address);
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.2.3.4", " 198.51.100.7 "], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["junk"], "10.0.0.1"),
        ] {
            assert_eq!(
                client(ip(peer), forwarded, ours),
                ip(expected),
                "{forwarded:?}"
            );
        }
    }
}
