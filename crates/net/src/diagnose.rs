//! Why a clear-text connection stays silent.

use crate::connect::open;
use crate::fault::{self, Phase};
use crate::socket::Socket;
use crate::{Endpoint, tls};
use futures::future::{Either, select};
use hikyaku_core::{Code, Fault};
use std::net::SocketAddr;
use std::pin::pin;
use tokio::time::timeout;

/// Waits for the server's first octet, which stays unread. When none comes for
/// a while a second connection tries TLS, so that a port that expects TLS is
/// recognised instead of waited for.
///
/// # Faults
/// `tls.mismatch`, `link.silent`, `link.lost`.
pub(crate) async fn await_greeting(
    socket: &Socket,
    endpoint: &Endpoint,
    address: SocketAddr,
) -> Result<(), Fault> {
    let mut buffer = [0u8; 2];
    let mut greeting = pin!(timeout(
        endpoint.timeouts.greeting,
        socket.peek(&mut buffer)
    ));
    let probe = pin!(async {
        tokio::time::sleep(endpoint.timeouts.probe).await;
        speaks_tls(endpoint, address).await
    });
    let greeted = match select(greeting.as_mut(), probe).await {
        Either::Left((greeted, _)) => greeted,
        Either::Right((true, _)) => return Err(fault::tls_on_clear_text(endpoint)),
        Either::Right((false, _)) => greeting.await,
    };
    match greeted {
        Err(_) => Err(fault::no_greeting(endpoint)),
        Ok(Err(error)) => Err(endpoint.link_fault(&error)),
        Ok(Ok([])) => Err(fault::closed_at_once(endpoint)),
        // A TLS record: alert or handshake (RFC 8446 §5.1). No line begins so.
        Ok(Ok([0x15 | 0x16, ..])) => Err(fault::tls_on_clear_text(endpoint)),
        Ok(Ok(_)) => Ok(()),
    }
}

/// Whether a TLS handshake is answered as such, with whatever result.
async fn speaks_tls(endpoint: &Endpoint, address: SocketAddr) -> bool {
    let Ok(Ok((socket, _))) = timeout(endpoint.timeouts.connect, open(endpoint, address)).await
    else {
        return false;
    };
    match tls::handshake(socket, endpoint, Phase::Implicit).await {
        Ok(_) => true,
        Err(fault) => matches!(
            fault.code,
            Code::TlsFailed | Code::TlsName | Code::TlsUntrusted | Code::TlsExpired | Code::TlsPin
        ),
    }
}
