//! The whole program with a Gmail account as source: what becomes of labels is chosen and said.

mod run;

use hikyaku_memserver::{MemServer, NewMessage, Options, Personality};
use run::{Home, Said};
use tokio::runtime::Runtime;

/// A Gmail account with two messages, one of them under two labels, and a new account.
struct Servers {
    /// The servers run on it until it is dropped.
    _runtime: Runtime,
    gmail: MemServer,
    new: MemServer,
}

impl Servers {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let start = |personality| runtime.block_on(MemServer::start(Options::new(personality)));
        let gmail = start(Personality::gmail_like()).expect("a server");
        let new = start(Personality::dovecot_like()).expect("a server");
        let account = gmail.add_account("taro", "secret");
        for label in ["INBOX", "仕事"] {
            account.add_message(label, NewMessage::new("Subject: both\r\n\r\na\r\n"));
        }
        let archived = NewMessage::new("Subject: archived\r\n\r\nb\r\n");
        account.add_message("[Gmail]/All Mail", archived);
        new.add_account("taro", "secret");
        Self {
            _runtime: runtime,
            gmail,
            new,
        }
    }

    fn run(&self, home: &Home, command: &str, more: &[&str]) -> Said {
        let at = |server: &MemServer| format!("imap+insecure://taro@127.0.0.1:{}", server.port());
        let (from, to) = (at(&self.gmail), at(&self.new));
        let mut arguments = vec![command, &from, &to, "--lang", "en"];
        for option in ["--source-password-env", "--destination-password-env"] {
            arguments.extend([option, "PW"]);
        }
        arguments.extend(more);
        home.finish(home.command(&arguments).env("PW", "secret"))
    }

    /// How many messages each mailbox of the destination has.
    fn arrived(&self, names: [&str; 3]) -> [usize; 3] {
        let shot = self.new.account("taro").expect("the account").snapshot();
        names.map(|name| shot.mailbox(name).map_or(0, |m| m.messages.len()))
    }
}

const NAMES: [&str; 3] = ["INBOX", "仕事", "Archive"];

#[test]
fn a_copy_says_what_becomes_of_labels_and_does_it() {
    let (home, servers) = (Home::new(), Servers::start());
    let plan = servers.run(&home, "plan", &[]);
    assert!(
        plan.err.contains("every message is copied once"),
        "{plan:?}"
    );
    assert!(plan.out.contains("Archive"), "{plan:?}");
    assert_eq!(servers.arrived(NAMES), [0, 0, 0]);
    let copied = servers.run(&home, "copy", &["--label-priority", "INBOX,nowhere"]);
    assert_eq!(copied.exit, 0, "{copied:?}");
    assert!(copied.err.contains("no label \"nowhere\""), "{copied:?}");
    assert!(!copied.err.contains("no label \"INBOX\""), "{copied:?}");
    assert_eq!(servers.arrived(NAMES), [1, 0, 1]);
    let checked = servers.run(&home, "check", &["--label-priority", "INBOX"]);
    assert_eq!(checked.exit, 0, "{checked:?}");
}

#[test]
fn labels_can_be_copied_each_or_as_the_folders_they_look_like() {
    for (labels, arrived) in [("each", [1, 1, 1]), ("mailboxes", [1, 1, 0])] {
        let (home, servers) = (Home::new(), Servers::start());
        let copied = servers.run(&home, "copy", &["--labels", labels]);
        assert_eq!(copied.exit, 0, "{copied:?}");
        assert!(copied.err.contains("Gmail labels: "), "{copied:?}");
        assert_eq!(servers.arrived(NAMES), arrived, "{labels}");
    }
}

#[test]
fn a_priority_that_decides_nothing_is_a_mistake() {
    let (home, servers) = (Home::new(), Servers::start());
    let given = ["--labels", "each", "--label-priority", "仕事"];
    let said = servers.run(&home, "copy", &given);
    assert_eq!(said.exit, 1, "{said:?}");
    assert!(said.err.contains("--labels one"), "{said:?}");
    assert_eq!(servers.gmail.commands(), 0, "nobody was asked");
    assert!(!home.has_ledger());
}
