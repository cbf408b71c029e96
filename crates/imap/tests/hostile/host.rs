//! A peer that a test scripts line by line.

use crate::common::name;
use futures::StreamExt;
use hikyaku_core::traits::{Destination, Reader, Source, Writer};
use hikyaku_core::{Body, Fault, KeySet, MailboxInfo, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What lets a login and a list of mailboxes be one command each.
pub(crate) const FEW_WORDS: &str = "LIST-EXTENDED LIST-STATUS";

/// A port with nobody behind it yet.
pub(crate) struct Host {
    listener: TcpListener,
    capabilities: String,
}

/// One connection, seen from the server.
pub(crate) struct Peer(BufReader<TcpStream>);

impl Host {
    /// With these capabilities on top of [`FEW_WORDS`].
    pub(crate) async fn start(capabilities: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self {
            listener,
            capabilities: format!("IMAP4rev1 {FEW_WORDS} {capabilities}"),
        }
    }

    pub(crate) fn options(&self, side: Side) -> ImapOptions {
        let port = self.listener.local_addr().expect("an address").port();
        let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
        ImapOptions::new(endpoint, Credentials::password("taro", "planted-secret"))
    }

    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.expect("a client");
        Peer(BufReader::new(stream))
    }

    /// Whether nobody knocks.
    pub(crate) fn is_alone(&self) -> bool {
        use futures::FutureExt;
        self.listener.accept().now_or_never().is_none()
    }

    /// Greets, up to the answer to LOGIN, whose tag it gives.
    pub(crate) async fn greet(&self) -> (Peer, String) {
        let mut peer = self.accept().await;
        peer.says(&format!("* OK [CAPABILITY {}] hello\n", self.capabilities))
            .await;
        let tag = peer.hears("LOGIN \"taro\" \"planted-secret\"").await;
        (peer, tag)
    }

    /// The same, and lets in.
    pub(crate) async fn let_in(&self) -> Peer {
        let (mut peer, tag) = self.greet().await;
        let capabilities = &self.capabilities;
        peer.says(&format!("{tag} OK [CAPABILITY {capabilities}] in\n"))
            .await;
        peer
    }

    /// The same, and lists.
    pub(crate) async fn begin(&self, rows: &str) -> Peer {
        let mut peer = self.let_in().await;
        let tag = peer.hears("LIST \"\" \"*\"").await;
        peer.says(&format!("{rows}{tag} OK listed\n")).await;
        peer
    }

    /// An account that lists these rows, and its first connection.
    pub(crate) async fn account(&self, side: Side, rows: &str) -> (ImapAccount, Peer) {
        let (account, peer) =
            tokio::join!(ImapAccount::connect(self.options(side)), self.begin(rows));
        (account.expect("login"), peer)
    }

    /// INBOX of a source, opened; `told` is what EXAMINE tells of it.
    pub(crate) async fn reader(&self, told: &str) -> (ImapAccount, Box<dyn Reader>, Peer) {
        let (account, mut peer) = self.account(Side::Source, INBOX).await;
        let inbox = inbox(&account).await;
        let (reader, ()) = tokio::join!(account.open(&inbox), async {
            let tag = peer.hears("EXAMINE \"INBOX\"").await;
            peer.says(&format!("{told}{tag} OK [READ-ONLY] open\n"))
                .await;
        });
        (account, reader.expect("opened"), peer)
    }

    /// INBOX of a destination, opened.
    pub(crate) async fn writer(&self, told: &str) -> (ImapAccount, Box<dyn Writer>, Peer) {
        let (account, mut peer) = self.account(Side::Destination, INBOX).await;
        let inbox = inbox(&account).await;
        let (writer, ()) = tokio::join!(account.write(&inbox), async {
            let tag = peer.hears("SELECT \"INBOX\"").await;
            peer.says(&format!("{told}{tag} OK [READ-WRITE] open\n"))
                .await;
        });
        (account, writer.expect("opened"), peer)
    }
}

pub(crate) const INBOX: &str = "* LIST (\\Subscribed) \"/\" INBOX\n";

pub(crate) async fn inbox(account: &ImapAccount) -> MailboxInfo {
    let found = account.mailboxes().await.expect("mailboxes");
    let found = found.into_iter().find(|m| m.name == name("INBOX"));
    found.expect("INBOX")
}

impl Peer {
    /// The next line without its end.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await.expect("a line");
        assert!(line.ends_with(b"\r\n"), "{}", line.escape_ascii());
        line.truncate(line.len() - 2);
        String::from_utf8(line).expect("text")
    }

    /// The tag of the next command, which has to begin like this.
    pub(crate) async fn hears(&mut self, command: &str) -> String {
        let line = self.line().await;
        let (tag, rest) = line.split_once(' ').expect("a tag");
        assert!(rest.starts_with(command), "{line} instead of {command}");
        tag.to_owned()
    }

    /// Exactly so many octets.
    pub(crate) async fn takes(&mut self, octets: usize) -> Vec<u8> {
        let mut taken = vec![0; octets];
        self.0.read_exact(&mut taken).await.expect("octets");
        taken
    }

    /// Says something; `\n` is a line end.
    pub(crate) async fn says(&mut self, text: &str) {
        self.sends(text.replace('\n', "\r\n").as_bytes()).await;
    }

    /// Sends octets as they are; a client that has gone away is no failure.
    pub(crate) async fn sends(&mut self, octets: &[u8]) -> bool {
        self.0.get_mut().write_all(octets).await.is_ok()
    }

    /// What comes until the client goes, by whatever way.
    pub(crate) async fn rest(mut self) -> String {
        let mut all = Vec::new();
        // A reset ends the reading too, after what came before it.
        self.0.read_to_end(&mut all).await.ok();
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// What a reader gives, one line each.
pub(crate) async fn letters(reader: &mut dyn Reader, keys: &str) -> Vec<String> {
    let keys = KeySet::parse(keys).expect("a set");
    let mut flow = reader.read(&keys);
    let mut all = Vec::new();
    while let Some(item) = flow.next().await {
        all.push(match item {
            Err(fault) => told(&fault),
            Ok(letter) => match body(letter.body).await {
                Ok(octets) => format!("{} {}", letter.key, octets.escape_ascii()),
                Err(fault) => format!("{} {}", letter.key, told(&fault)),
            },
        });
    }
    all
}

/// The octets of a body, however they come.
pub(crate) async fn body(body: Body) -> Result<Vec<u8>, Fault> {
    match body {
        Body::Held(octets) => Ok(octets.to_vec()),
        Body::Streamed { mut chunks, .. } => {
            let mut all = Vec::new();
            while let Some(chunk) = chunks.next().await {
                all.extend_from_slice(&chunk?);
            }
            Ok(all)
        }
    }
}

/// Code, reach and whether to come back.
pub(crate) fn told(fault: &Fault) -> String {
    let key = fault
        .at
        .message
        .map_or(String::new(), |key| format!("{key} "));
    let again = if fault.is_temporary() { " again" } else { "" };
    format!("{key}{} {:?}{again}", fault.code, fault.reach)
}
