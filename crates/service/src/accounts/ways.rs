//! Which ports and encryptions are tried at a source, and in which order. No I/O.

use crate::job::{Accepted, Protocol, Transport};

/// One try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// TCP port.
    pub(crate) port: u16,
    /// Encryption.
    pub(crate) transport: Transport,
}

/// The usual ports: for TLS from the first octet, and for STARTTLS and clear text.
const fn usual(protocol: Protocol) -> (u16, u16) {
    match protocol {
        Protocol::Imap => (993, 143),
        Protocol::Pop3 => (995, 110),
    }
}

/// What a port that was written means by itself.
pub(crate) fn protocol_of(port: Option<u16>) -> Protocol {
    let (tls, clear) = usual(Protocol::Pop3);
    match port {
        Some(port) if port == tls || port == clear => Protocol::Pop3,
        _ => Protocol::Imap,
    }
}

/// What is tried, in order. Nothing of it is in clear text: that comes only after a server was seen that offers nothing
/// else, and only where it was accepted.
pub(crate) fn ways(
    protocol: Protocol,
    port: Option<u16>,
    transport: Option<Transport>,
) -> Vec<Way> {
    let (tls, clear) = usual(protocol);
    let way = |port, transport| Way { port, transport };
    match (port, transport) {
        (None, None) => vec![way(tls, Transport::Tls), way(clear, Transport::StartTls)],
        (Some(port), None) if port == tls => vec![way(port, Transport::Tls)],
        (Some(port), None) if port == clear => vec![way(port, Transport::StartTls)],
        (Some(port), None) => vec![way(port, Transport::Tls), way(port, Transport::StartTls)],
        (port, Some(Transport::Tls)) => vec![way(port.unwrap_or(tls), Transport::Tls)],
        // Whoever chose clear text gets encryption all the same where there is any.
        (port, Some(Transport::StartTls | Transport::Clear)) => {
            vec![way(port.unwrap_or(clear), Transport::StartTls)]
        }
    }
}

/// Whether two ports of one address lead to the same server: the usual ones do, those of POP3 as well.
pub(crate) fn is_same_server(one: u16, other: u16) -> bool {
    let is_usual = |port| matches!(port, 143 | 993 | 110 | 995);
    one == other || (is_usual(one) && is_usual(other))
}

impl Way {
    /// The same server without encryption, where that was accepted.
    pub(crate) fn in_clear(self, accepted: Option<&Accepted>) -> Option<Self> {
        (accepted == Some(&Accepted::ClearText)).then_some(Self {
            transport: Transport::Clear,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_is_tried_first_and_clear_text_never_by_itself() {
        use Transport::{Clear, StartTls, Tls};
        for (port, transport, expected) in [
            (None, None, vec![(993, Tls), (143, StartTls)]),
            (Some(993), None, vec![(993, Tls)]),
            (Some(143), None, vec![(143, StartTls)]),
            (Some(10993), None, vec![(10993, Tls), (10993, StartTls)]),
            (None, Some(Tls), vec![(993, Tls)]),
            (Some(143), Some(Tls), vec![(143, Tls)]),
            (None, Some(StartTls), vec![(143, StartTls)]),
            (None, Some(Clear), vec![(143, StartTls)]),
            (Some(10143), Some(Clear), vec![(10143, StartTls)]),
        ] {
            let found: Vec<_> = ways(Protocol::Imap, port, transport)
                .into_iter()
                .map(|way| (way.port, way.transport))
                .collect();
            assert_eq!(found, expected, "{port:?} {transport:?}");
        }
        let pop3 = |port| ways(Protocol::Pop3, port, None);
        let found: Vec<_> = pop3(None).iter().map(|w| (w.port, w.transport)).collect();
        assert_eq!(found, [(995, Tls), (110, StartTls)]);
        assert_eq!(pop3(Some(995)).len(), 1);
        assert_eq!(pop3(Some(110))[0].transport, StartTls);
        for (port, protocol) in [
            (None, Protocol::Imap),
            (Some(995), Protocol::Pop3),
            (Some(110), Protocol::Pop3),
            (Some(10_995), Protocol::Imap),
        ] {
            assert_eq!(protocol_of(port), protocol, "{port:?}");
        }
        let way = ways(Protocol::Imap, Some(143), None)[0];
        let certificate = Accepted::Certificate(String::new());
        assert_eq!(way.in_clear(None), None);
        assert_eq!(way.in_clear(Some(&certificate)), None);
        let clear = way.in_clear(Some(&Accepted::ClearText));
        assert_eq!(
            clear.map(|way| (way.port, way.transport)),
            Some((143, Clear))
        );
    }
}
