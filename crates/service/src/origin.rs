//! What a job reads: one of several kinds of source, opened behind one type.
//!
//! A [`Way`] knows how to open it and says nothing until it is asked to; [`Opened`] is what came of it. Everything
//! behind that, the engine first, knows a [`Source`] only. What only servers have (an address that is remembered, how it
//! was reached) stands in [`Opened`] and is empty for the rest.

use crate::accounts;
use futures::future::BoxFuture;
use hikyaku_core::Fault;
use hikyaku_core::traits::Source;
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::{Endpoint, PeerInfo, Trust, Witness};
use hikyaku_pop3::{Pop3Account, Pop3Options};
use hikyaku_view::Connected;
use std::sync::Arc;

/// Opens mail that is no server.
pub trait Files: Send + Sync {
    /// Opens it. What it costs besides (a process, room on the disk) is given back when the source is dropped.
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn Source>, Fault>>;
}

/// How a source is opened.
#[derive(Clone)]
pub enum Way {
    /// An account on an IMAP server.
    Imap(Box<ImapOptions>),
    /// An account on a POP3 server.
    Pop3(Box<Pop3Options>),
    /// Mail in files, such as an archive that was uploaded.
    Files(Arc<dyn Files>),
}

/// A source that is open.
#[derive(Clone)]
pub struct Opened {
    /// To be read.
    pub source: Arc<dyn Source>,
    /// The same where it is an IMAP account: it can be asked for more.
    pub imap: Option<Arc<ImapAccount>>,
    /// How a server was reached.
    pub connected: Option<Connected>,
}

impl Way {
    /// Over IMAP.
    pub fn imap(options: ImapOptions) -> Self {
        Self::Imap(Box::new(options))
    }

    /// Over POP3.
    pub fn pop3(options: Pop3Options) -> Self {
        Self::Pop3(Box::new(options))
    }

    /// Host and port, where there are some.
    pub fn server(&self) -> Option<String> {
        self.endpoint().map(Endpoint::server)
    }

    /// How the server is reached, where there is one.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Imap(options) => Some(&options.endpoint),
            Self::Pop3(options) => Some(&options.endpoint),
            Self::Files(_) => None,
        }
    }

    /// At most so many mailboxes at once, where that is a matter of connections.
    pub fn lanes(self, lanes: usize) -> Self {
        match self {
            Self::Imap(options) => Self::imap(ImapOptions { lanes, ..*options }),
            other => other,
        }
    }

    /// With the number of connections that the server let in lately.
    pub(crate) fn let_in(self, let_in: Option<usize>) -> Self {
        match self {
            Self::Imap(options) => Self::imap(ImapOptions { let_in, ..*options }),
            other => other,
        }
    }

    /// For a person who waits for the answer: no long silence.
    pub(crate) fn while_waited_for(self, lanes: usize) -> Self {
        match self {
            Self::Imap(options) => Self::imap(accounts::while_waited_for(*options, lanes)),
            Self::Pop3(options) => Self::pop3(Pop3Options {
                endpoint: accounts::soon(options.endpoint),
                ..*options
            }),
            Self::Files(files) => Self::Files(files),
        }
    }

    /// With somebody who keeps the certificate that was refused.
    pub(crate) fn witnessed_by(self, witness: &Witness) -> Self {
        let witnessed = |endpoint: Endpoint| Endpoint {
            witness: Some(witness.clone()),
            ..endpoint
        };
        match self {
            Self::Imap(options) => Self::imap(ImapOptions {
                endpoint: witnessed(options.endpoint),
                ..*options
            }),
            Self::Pop3(options) => Self::pop3(Pop3Options {
                endpoint: witnessed(options.endpoint),
                ..*options
            }),
            Self::Files(files) => Self::Files(files),
        }
    }

    /// Opens it, once.
    ///
    /// # Errors
    /// As of each kind.
    pub async fn open(&self) -> Result<Opened, Fault> {
        match self {
            Self::Imap(options) => {
                let account = ImapAccount::connect(ImapOptions::clone(options)).await?;
                Ok(Opened::imap(options, account))
            }
            Self::Pop3(options) => {
                let account = Pop3Account::connect(Pop3Options::clone(options)).await?;
                let peer = account.peer();
                Ok(Opened {
                    connected: peer.map(|peer| connected(&options.endpoint, &peer)),
                    source: Arc::new(account),
                    imap: None,
                })
            }
            Self::Files(files) => Ok(Opened {
                source: files.open().await?,
                imap: None,
                connected: None,
            }),
        }
    }
}

impl Opened {
    /// An IMAP account that is open.
    pub fn imap(options: &ImapOptions, account: ImapAccount) -> Self {
        let peer = account.peer();
        let account = Arc::new(account);
        Self {
            source: account.clone(),
            connected: peer.map(|peer| connected(&options.endpoint, &peer)),
            imap: Some(account),
        }
    }

    /// How many connections the server let in, where it is known.
    pub(crate) fn connections(&self) -> Option<usize> {
        self.imap.as_ref().and_then(|imap| imap.connections())
    }
}

/// How a side was reached, for the report.
pub(crate) fn connected(endpoint: &Endpoint, peer: &PeerInfo) -> Connected {
    let reached = Connected::new(endpoint.side, endpoint.server(), peer.address.to_string());
    match &peer.tls {
        Some(tls) => {
            let is_pinned = matches!(endpoint.trust, Trust::Pinned(_));
            reached.encrypted(tls.version, tls.certificate.to_string(), is_pinned)
        }
        None => reached,
    }
}
