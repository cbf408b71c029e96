//! Which addresses are not on the open internet: nobody's mail server is there, and what is
//! there is not meant to be reached from outside.

use super::network::{Network, v4, v6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The special blocks of IPv4 (RFC 6890 and the IANA registry), and metadata services that
/// providers put among ordinary addresses.
const V4: &[Network] = &[
    // "This" network, the unspecified address.
    v4(0, 0, 0, 0, 8),
    // Private (RFC 1918).
    v4(10, 0, 0, 0, 8),
    v4(172, 16, 0, 0, 12),
    v4(192, 168, 0, 0, 16),
    // Shared by carriers (RFC 6598); Alibaba's metadata is in it.
    v4(100, 64, 0, 0, 10),
    // Loopback.
    v4(127, 0, 0, 0, 8),
    // Link-local (RFC 3927); the metadata of most clouds is in it.
    v4(169, 254, 0, 0, 16),
    // Protocol assignments; Oracle's metadata is in it.
    v4(192, 0, 0, 0, 24),
    // Documentation (RFC 5737).
    v4(192, 0, 2, 0, 24),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // AS112 and AMT: anycast helpers, no hosts.
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 175, 48, 0, 24),
    // Relays of 6to4 (RFC 7526).
    v4(192, 88, 99, 0, 24),
    // Benchmarks (RFC 2544).
    v4(198, 18, 0, 0, 15),
    // Azure's platform services.
    v4(168, 63, 129, 16, 32),
    // Multicast, reserved, broadcast.
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// What IPv6 gives to hosts.
const GLOBAL: Network = v6(0x2000, 0, 0, 0, 3);

/// Special blocks inside [`GLOBAL`].
const V6: &[Network] = &[
    // Protocol assignments: Teredo, benchmarks, ORCHID (RFC 2928, 4380, 5180, 7343).
    v6(0x2001, 0, 0, 0, 23),
    // Documentation (RFC 3849, 9637).
    v6(0x2001, 0xdb8, 0, 0, 32),
    v6(0x3fff, 0, 0, 0, 20),
    // 6to4: any IPv4 address is in it, and no mail server (RFC 7526).
    v6(0x2002, 0, 0, 0, 16),
    // AS112.
    v6(0x2620, 0x4f, 0x8000, 0, 48),
];

/// The well-known prefix of NAT64 (RFC 6052): where it is routed, it leads to the IPv4 address in it.
const NAT64: Network = v6(0x64, 0xff9b, 0, 0, 96);

/// The address that a packet ends at, as far as the spelling hides it: `::ffff:a.b.c.d` is IPv4.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => address,
        },
        IpAddr::V4(_) => address,
    }
}

/// Whether an address is on the open internet. Takes what [`plain`] gives.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !V4.iter().any(|block| block.contains(address)),
        IpAddr::V6(v6) => match inside(v6) {
            Some(v4) if !is_public(v4.into()) => false,
            _ if NAT64.contains(address) => true,
            _ => GLOBAL.contains(address) && !V6.iter().any(|block| block.contains(address)),
        },
    }
}

/// The IPv4 address that an IPv6 address leads to: behind NAT64, or in an interface identifier of
/// ISATAP (RFC 5214).
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let groups = address.segments();
    let is_isatap = groups[5] == 0x5efe && matches!(groups[4], 0 | 0x200);
    (NAT64.contains(address.into()) || is_isatap).then(|| {
        let low = u32::from(groups[6]) << 16 | u32::from(groups[7]);
        Ipv4Addr::from(low)
    })
}

/// Whether this machine itself has the address. Asked anew each time: addresses come and go.
pub(super) fn is_own(address: IpAddr) -> bool {
    let own = |address: IpAddr| UdpSocket::bind(SocketAddr::new(address, 0)).is_ok();
    // Where any address can be bound (net.ipv4.ip_nonlocal_bind), binding tells nothing; then the
    // route does: it begins and ends at an address of our own.
    let nobodys: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    own(address) && (!own(nobodys) || begins_and_ends_at(address))
}

/// Nothing is sent: connecting a datagram socket only chooses a route.
fn begins_and_ends_at(address: IpAddr) -> bool {
    let from: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let route = || -> std::io::Result<SocketAddr> {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0))?;
        // Discard (RFC 863); never reached.
        socket.connect(SocketAddr::new(address, 9))?;
        socket.local_addr()
    };
    route().is_ok_and(|local| local.ip() == address)
}
