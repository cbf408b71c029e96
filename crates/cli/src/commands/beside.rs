//! Whether IMAP answers beside a POP3 server: looked for while other things happen, and told as
//! soon as both is known, that it does and that the account could be opened.

use crate::json;
use crate::output::Output;
use crate::side::Server;
use futures::FutureExt;
use hikyaku_net::Endpoint;
use hikyaku_text::pop3;
use hikyaku_view::Line;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long whoever answers late is waited for, from the beginning: it is only a hint.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look that is under way.
#[derive(Debug)]
pub(super) struct Beside {
    server: Server,
    looking: JoinHandle<Option<Endpoint>>,
    until: Instant,
}

/// The account as it is written for IMAP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found(String);

impl Beside {
    /// Begins to look.
    pub(super) fn look(endpoint: &Endpoint, server: &Server) -> Self {
        let endpoint = endpoint.clone();
        Self {
            server: server.clone(),
            looking: tokio::spawn(async move { hikyaku_pop3::imap_beside(&endpoint).await }),
            until: Instant::now() + PATIENCE,
        }
    }

    /// Whether the look is over.
    pub(super) fn is_known(&self) -> bool {
        self.looking.is_finished()
    }

    /// What is known now.
    pub(super) fn now(mut self) -> Option<Found> {
        let imap = (&mut self.looking).now_or_never()?.ok()??;
        Some(Found(as_written(&self.server, &imap)))
    }

    /// What is known when its time is over.
    pub(super) async fn at_last(mut self) -> Option<Found> {
        let looked = tokio::time::timeout_at(self.until, &mut self.looking).await;
        let imap = looked.ok()?.ok()??;
        Some(Found(as_written(&self.server, &imap)))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

impl Found {
    /// Says so.
    pub(super) fn tell(self, output: Output) {
        let Self(account) = self;
        match output.json {
            true => json::line(output, &Line::ImapBeside { account }),
            false => output.note(&pop3::imap_beside(&account, output.lang)),
        }
    }
}

/// The same account as it is written for IMAP.
fn as_written(server: &Server, imap: &Endpoint) -> String {
    use crate::locator::{Host, Protocol, Security, ServerLocator};
    let (host, _) = match Host::parse(&imap.host) {
        Ok(host) => host,
        Err(_) => (server.locator.host.clone(), None),
    };
    let locator = ServerLocator {
        protocol: Protocol::Imap,
        security: match imap.security {
            hikyaku_net::Security::ImplicitTls => Security::Tls,
            hikyaku_net::Security::StartTls => Security::StartTls,
            hikyaku_net::Security::Plain => Security::Clear,
        },
        user: server.locator.user.clone(),
        host,
        port: imap.port,
        mailbox: None,
    };
    locator.to_string()
}
