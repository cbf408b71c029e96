//! Two servers in this process and the real binary between them.

#[allow(dead_code, reason = "not every test file compares whole accounts")]
pub(crate) mod held;

use crate::run::{Home, Said};
use hikyaku_memserver::{MemServer, NewMessage, Options, Personality};
use tokio::runtime::Runtime;

pub(crate) const PASSWORD: &str = "planted-4711";

/// Two accounts, the first with mail.
pub(crate) struct Servers {
    /// The servers run on it until it is dropped.
    _runtime: Runtime,
    pub(crate) old: MemServer,
    pub(crate) new: MemServer,
}

impl Servers {
    pub(crate) fn start() -> Self {
        Self::with(|options| options)
    }

    /// The same with other options of the destination.
    pub(crate) fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let usual = || Options::new(Personality::dovecot_like());
        let start = |options| {
            runtime
                .block_on(MemServer::start(options))
                .expect("a server")
        };
        let (old, new) = (start(usual()), start(change(usual())));
        let account = old.add_account("taro", PASSWORD);
        for n in 0..30 {
            let text = format!("Subject: m{n}\r\nMessage-ID: <{n}@x>\r\n\r\ntext {n}\r\n");
            account.add_message("INBOX", NewMessage::new(text).flags(&["\\Seen"]));
        }
        account.add_message("請求書/2024年", NewMessage::new("Subject: a\r\n\r\nb\r\n"));
        new.add_account("taro", PASSWORD);
        Self {
            _runtime: runtime,
            old,
            new,
        }
    }

    #[allow(dead_code, reason = "not every test file reads from a server")]
    pub(crate) fn source(&self) -> String {
        format!("imap+insecure://taro@127.0.0.1:{}", self.old.port())
    }

    pub(crate) fn destination(&self) -> String {
        format!("imap+insecure://taro@127.0.0.1:{}", self.new.port())
    }

    /// Messages at the destination.
    #[allow(dead_code, reason = "not every test file copies")]
    pub(crate) fn arrived(&self) -> usize {
        let account = self.new.account("taro").expect("the account");
        let names = account.mailboxes();
        names.into_iter().map(|name| account.uids(name).len()).sum()
    }
}

/// A command between both accounts with the right passwords.
#[allow(dead_code, reason = "not every test file has two servers")]
pub(crate) fn with_passwords<'a>(
    command: &'a str,
    from: &'a str,
    to: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let mut arguments = vec![command, from, to];
    arguments.extend([
        "--source-password-env",
        "PW",
        "--destination-password-env",
        "PW",
    ]);
    arguments.extend(more);
    arguments
}

pub(crate) fn run(home: &Home, arguments: &[&str]) -> Said {
    home.finish(home.command(arguments).env("PW", PASSWORD))
}

#[allow(dead_code, reason = "not every test file has two servers")]
pub(crate) fn copy(home: &Home, servers: &Servers, more: &[&str]) -> Said {
    let (old, new) = (servers.source(), servers.destination());
    run(home, &with_passwords("copy", &old, &new, more))
}
