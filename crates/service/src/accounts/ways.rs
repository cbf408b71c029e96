//! Which ports and encryptions are tried at a source, and in which order. No I/O.

use crate::job::{Accepted, Transport};

/// One try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// TCP port.
    pub(crate) port: u16,
    /// Encryption.
    pub(crate) transport: Transport,
}

/// The usual port for TLS from the first octet.
const TLS_PORT: u16 = 993;

/// The usual port for STARTTLS and clear text.
const CLEAR_PORT: u16 = 143;

/// What is tried, in order. Nothing of it is in clear text: that comes only after a server was seen that offers nothing
/// else, and only where it was accepted.
pub(crate) fn ways(port: Option<u16>, transport: Option<Transport>) -> Vec<Way> {
    let way = |port, transport| Way { port, transport };
    match (port, transport) {
        (None, None) => vec![
            way(TLS_PORT, Transport::Tls),
            way(CLEAR_PORT, Transport::StartTls),
        ],
        (Some(TLS_PORT), None) => vec![way(TLS_PORT, Transport::Tls)],
        (Some(CLEAR_PORT), None) => vec![way(CLEAR_PORT, Transport::StartTls)],
        (Some(port), None) => vec![way(port, Transport::Tls), way(port, Transport::StartTls)],
        (port, Some(Transport::Tls)) => vec![way(port.unwrap_or(TLS_PORT), Transport::Tls)],
        // Whoever chose clear text gets encryption all the same where there is any.
        (port, Some(Transport::StartTls | Transport::Clear)) => {
            vec![way(port.unwrap_or(CLEAR_PORT), Transport::StartTls)]
        }
    }
}

/// Whether two ports of one address lead to the same server: the usual ones do.
pub(crate) fn is_same_server(one: u16, other: u16) -> bool {
    let is_usual = |port| matches!(port, CLEAR_PORT | TLS_PORT);
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
            let found: Vec<_> = ways(port, transport)
                .into_iter()
                .map(|way| (way.port, way.transport))
                .collect();
            assert_eq!(found, expected, "{port:?} {transport:?}");
        }
        let way = ways(Some(143), None)[0];
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
