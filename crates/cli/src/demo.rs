//! What the demo needs: two servers in this process, one with the sample mailbox.

mod sample;

use hikyaku_core::{AccountId, Fault, Role, Side};
use hikyaku_imap::{ImapAccount, ImapOptions};
use hikyaku_memserver::{Account, Date, MemServer, NewMessage, Octets, Options, Personality};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use hikyaku_service::brand::{Destination, Network};
use hikyaku_service::job::Transport;

/// User and password on both servers; they only listen on this computer.
pub(crate) const USER: &str = "taro@example.jp";
/// See [`USER`].
pub(crate) const PASSWORD: &str = "demo";

/// Who tries the page out: the same sample on the old server, nothing on the new one.
pub(crate) const VISITOR: &str = "hanako@example.jp";

/// Where the old server listens if it can: easily typed.
const OLD_PORT: u16 = 10_143;

/// Two servers on loopback: the old one full, the new one as a provider hands it out.
pub(crate) struct Demo {
    old: MemServer,
    new: MemServer,
}

/// What a new account has: the usual mailboxes with their special uses.
const USUAL: [(&str, Role); 4] = [
    ("Sent", Role::Sent),
    ("Drafts", Role::Drafts),
    ("Junk", Role::Junk),
    ("Trash", Role::Trash),
];

impl Demo {
    /// Starts both.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let old = start_old().await?;
        let mut personality = Personality::dovecot_like();
        // The sample holds what no ordinary server would let in unchanged.
        personality.rewriting.nul = Octets::Keep;
        personality.rewriting.bare_lf = Octets::Keep;
        personality.rewriting.bare_cr = Octets::Keep;
        let new = MemServer::start(Options::new(personality)).await?;
        for user in [USER, VISITOR] {
            fill(&old.add_account(user, PASSWORD));
            let account = new.add_account(user, PASSWORD);
            for (name, role) in USUAL {
                account.add_mailbox_as(name, &[attribute(role)]);
                account.subscribe(name);
            }
        }
        Ok(Self { old, new })
    }

    /// The server of one side.
    fn server(&self, side: Side) -> &MemServer {
        match side {
            Side::Source => &self.old,
            Side::Destination => &self.new,
        }
    }

    /// Logs in.
    pub(crate) async fn connect(&self, side: Side) -> Result<ImapAccount, Fault> {
        let port = self.server(side).port();
        let endpoint = Endpoint::new("127.0.0.1", port, Security::Plain, side);
        ImapAccount::connect(ImapOptions::new(
            endpoint,
            Credentials::password(USER, PASSWORD),
        ))
        .await
    }

    /// As the ledger names the account.
    pub(crate) fn account(&self, side: Side) -> AccountId {
        let port = self.server(side).port();
        AccountId::new(format!("imap://{USER}@127.0.0.1:{port}"))
    }

    /// Where one side listens.
    pub(crate) fn port(&self, side: Side) -> u16 {
        self.server(side).port()
    }

    /// The new server, as the page copies to it.
    pub(crate) fn destination(&self) -> Destination {
        let port = self.port(Side::Destination);
        Destination {
            networks: vec![loopback()],
            ..Destination::new("127.0.0.1", port, Transport::Clear)
        }
    }

    /// As a person would write it.
    pub(crate) fn locator(&self, side: Side) -> String {
        let port = self.server(side).port();
        format!("imap+insecure://{USER}@127.0.0.1:{port}")
    }
}

/// The addresses that only this computer reaches.
pub(crate) fn loopback() -> Network {
    "127.0.0.0/8".parse().expect("a network")
}

async fn start_old() -> std::io::Result<MemServer> {
    let mut options = Options::new(Personality::dovecot_like());
    options.port = OLD_PORT;
    match MemServer::start(options).await {
        Ok(server) => Ok(server),
        Err(_) => MemServer::start(Options::new(Personality::dovecot_like())).await,
    }
}

fn fill(account: &Account) {
    for mailbox in sample::mailboxes() {
        let name = mailbox.name.to_string();
        if !mailbox.name.is_inbox() {
            let attributes: Vec<&str> = mailbox.role.map(attribute).into_iter().collect();
            account.add_mailbox_as(&name, &attributes);
        }
        if mailbox.subscribed {
            account.subscribe(&name);
        }
        let messages = mailbox.messages.into_iter().map(|message| {
            let system = message.flags.system().map(|flag| flag.as_str());
            let keywords = message.flags.keywords().map(|keyword| keyword.as_str());
            let flags: Vec<&str> = system.chain(keywords).collect();
            let date = Date::utc(message.date.seconds).in_zone(message.date.offset_minutes);
            NewMessage::new(message.octets).flags(&flags).date(date)
        });
        account.add_messages(&name, messages);
    }
}

fn attribute(role: Role) -> &'static str {
    match role {
        Role::Inbox => "\\Inbox",
        Role::Sent => "\\Sent",
        Role::Drafts => "\\Drafts",
        Role::Archive => "\\Archive",
        Role::Junk => "\\Junk",
        Role::Trash => "\\Trash",
        Role::All => "\\All",
        Role::Flagged => "\\Flagged",
        Role::Important => "\\Important",
    }
}
