//! How a side was reached: its address, its encryption, and how many connections it
//! let in.

use super::Context;
use crate::json;
use hikyaku_core::traits::Clock;
use hikyaku_engine::SystemClock;
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_ledger::Store;
use hikyaku_net::{Endpoint, PeerInfo, Trust};
use hikyaku_text::{Count, run};
use hikyaku_view::{Connected, Line};

/// Says how a side was reached; what is returned belongs into the report.
pub(super) fn tell(context: &Context, endpoint: &Endpoint, peer: &PeerInfo) -> Connected {
    let PeerInfo { address, tls } = peer;
    let (output, lang) = (context.output, context.output.lang);
    let mut reached = Connected::new(endpoint.side, endpoint.server(), address.to_string());
    let mut protection = run::not_encrypted(lang);
    if let Some(tls) = tls {
        let certificate = tls.certificate.to_string();
        let is_pinned = matches!(endpoint.trust, Trust::Pinned(_));
        protection = run::encrypted(tls.version, &certificate, lang);
        reached = reached.encrypted(tls.version, certificate, is_pinned);
    }
    if output.json {
        json::line(output, &Line::Connected(reached.clone()));
    } else if output.verbose {
        let (server, address) = (&reached.server, &reached.address);
        let text = run::connected_at(endpoint.side, server, address, &protection, lang);
        output.note(&text);
    }
    reached
}

/// Begins with as many connections as the server let in lately, where that was fewer
/// than wanted.
pub(super) async fn recall(context: &Context, store: &Store, options: &mut ImapOptions) {
    let (server, now) = (
        options.endpoint.server(),
        SystemClock::default().unix_millis(),
    );
    // A number that cannot be read is learnt again.
    options.let_in = store.let_in(&server, now).await.ok().flatten();
    if let (Some(n), true, false) = (options.let_in, context.output.verbose, context.output.json) {
        let connections = Count(n as u64);
        let text = run::let_in_earlier(options.endpoint.side, connections, context.output.lang);
        context.output.note(&text);
    }
}

/// Remembers how many connections the server lets in, where that is fewer than wanted.
pub(super) async fn remember(store: &Store, options: &ImapOptions, account: &ImapAccount) {
    let Some(connections) = account.connections() else {
        return;
    };
    let (server, now) = (
        options.endpoint.server(),
        SystemClock::default().unix_millis(),
    );
    // It only saves the next run some refusals: nothing that a run could fail for.
    store.remember_let_in(&server, connections, now).await.ok();
}
