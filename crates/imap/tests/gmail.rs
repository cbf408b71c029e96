//! A Gmail account as source: labels become mailboxes, and no message is copied twice.

use hikyaku_core::policy::Policy;
use hikyaku_core::report::Report;
use hikyaku_core::traits::Source;
use hikyaku_core::{AccountId, KeySet, MailboxName, Role, Side};
use hikyaku_engine::{Job, Stop, SystemClock};
use hikyaku_imap::{ImapAccount, ImapOptions, Labels};
use hikyaku_ledger::Store;
use hikyaku_memserver::{Account, MemServer, NewMessage, Options, Personality};
use hikyaku_net::sasl::Credentials;
use hikyaku_net::{Endpoint, Security};
use std::collections::BTreeMap;
use std::sync::Arc;

const ALL: &str = "[Gmail]/All Mail";
const SENT: &str = "[Gmail]/Sent Mail";

/// One message, and the mailboxes (labels) in which Gmail shows it.
type Mail<'a> = (&'a str, &'a [&'a str]);

const MAILS: &[Mail<'_>] = &[
    ("new", &["INBOX"]),
    ("both", &["INBOX", "仕事"]),
    ("deep", &["INBOX", "仕事", "仕事/請求書/2024"]),
    ("family", &["家族", "仕事"]),
    ("archived", &[ALL]),
    ("archived too", &[ALL]),
    ("written", &[SENT]),
    ("to myself", &["INBOX", SENT]),
    ("half", &["[Gmail]/Drafts"]),
    ("important", &["[Gmail]/Important", "[Gmail]/Starred"]),
    ("old", &["[Gmail]/Trash"]),
    ("bad", &["[Gmail]/Spam"]),
    ("a & b", &["R&D"]),
];

struct Gmail {
    server: MemServer,
    account: Account,
}

impl Gmail {
    async fn start(mails: &[Mail<'_>]) -> Self {
        let options = Options::new(Personality::gmail_like());
        let server = MemServer::start(options).await.expect("a server");
        let account = server.add_account("taro@example.jp", "secret");
        let gmail = Self { server, account };
        for (n, (subject, labels)) in mails.iter().enumerate() {
            gmail.add(n, subject, labels);
        }
        gmail
    }

    /// The same octets under several labels are one message with several labels.
    fn add(&self, n: usize, subject: &str, labels: &[&str]) {
        let text = format!("Subject: {subject}\r\nMessage-ID: <same@x>\r\n\r\n{n}\r\n");
        for label in labels {
            let message = NewMessage::new(text.clone()).flags(&["\\Seen"]);
            self.account.add_message(*label, message);
        }
    }

    fn options(&self, labels: Labels) -> ImapOptions {
        let options = options(&self.server, "taro@example.jp", Side::Source);
        ImapOptions { labels, ..options }
    }

    async fn connect(&self, labels: Labels) -> ImapAccount {
        ImapAccount::connect(self.options(labels))
            .await
            .expect("login")
    }

    /// Only read, and never the content of a message of All Mail twice.
    fn assert_read_once(&self) {
        let transcript = self.server.transcript();
        let mut bodies = KeySet::new();
        for entry in &transcript.entries {
            let verb = entry.verb.as_str();
            let harmless = "AUTHENTICATE LOGIN CAPABILITY ID ENABLE NAMESPACE LIST LSUB STATUS EXAMINE \
                UNSELECT GETQUOTAROOT NOOP LOGOUT";
            let reads = verb == "UID FETCH" || verb == "UID SEARCH";
            assert!(
                reads || harmless.contains(verb),
                "{verb} {}",
                entry.arguments
            );
            assert!(!entry.arguments.contains("BODY["), "{}", entry.arguments);
            let is_all = entry.selected.as_deref() == Some(ALL.as_bytes());
            if is_all && verb == "UID FETCH" && entry.arguments.contains("BODY.PEEK[])") {
                let (keys, _) = entry.arguments.split_once(' ').expect("keys and items");
                let keys = KeySet::parse(keys).expect("a set of UIDs");
                assert_eq!(bodies.and(&keys), KeySet::new(), "read twice");
                bodies.extend(&keys);
            }
        }
        let all = self.account.uids(ALL).len() as u64;
        assert_eq!(bodies.len(), all, "all of All Mail was read");
    }
}

fn options(server: &MemServer, user: &str, side: Side) -> ImapOptions {
    let endpoint = Endpoint::new("127.0.0.1", server.port(), Security::Plain, side);
    ImapOptions::new(endpoint, Credentials::password(user, "secret"))
}

/// Where it goes, and what is durable between runs.
struct Goal {
    server: MemServer,
    account: Account,
    store: Store,
}

impl Goal {
    async fn start() -> Self {
        let options = Options::new(Personality::dovecot_like());
        let server = MemServer::start(options).await.expect("a server");
        let account = server.add_account("new@example.jp", "secret");
        for (name, special_use) in [
            ("Sent", "\\Sent"),
            ("Drafts", "\\Drafts"),
            ("Trash", "\\Trash"),
            ("Junk", "\\Junk"),
            ("保存", "\\Archive"),
        ] {
            account.add_mailbox_as(name, &[special_use]);
        }
        let store = Store::open_in_memory().await.expect("a ledger");
        Self {
            server,
            account,
            store,
        }
    }

    async fn copy(&self, gmail: &Gmail, labels: Labels) -> Report {
        let (old, new) = (AccountId::new("imap://old"), AccountId::new("imap://new"));
        let ledger = self.store.pair(&old, &new).await.expect("a pair");
        let options = options(&self.server, "new@example.jp", Side::Destination);
        let destination = ImapAccount::connect(options).await.expect("login");
        let job = Job {
            source: Arc::new(gmail.connect(labels).await),
            destination: Arc::new(destination),
            undo: None,
            ledger: Arc::new(ledger),
            observer: Arc::new(()),
            clock: Arc::new(SystemClock::default()),
            policy: Policy::default(),
            stop: Stop::new(),
            seed: 7,
        };
        let report = job.copy().await.expect("a report");
        assert!(report.adds_up() && report.is_complete(), "{report:#?}");
        report
    }

    /// Subjects by mailbox, empty mailboxes left out.
    fn holds(&self) -> BTreeMap<String, Vec<String>> {
        let subject = |octets: &[u8]| {
            let text = String::from_utf8_lossy(octets).into_owned();
            let line = text.lines().next().unwrap_or_default();
            line.trim_start_matches("Subject: ").to_owned()
        };
        let shot = self.account.snapshot();
        let full = shot.mailboxes.values().filter(|m| !m.messages.is_empty());
        full.map(|m| {
            let messages = m.messages.iter();
            let mut all: Vec<String> = messages.map(|m| subject(&m.body.bytes())).collect();
            all.sort();
            (m.name.clone(), all)
        })
        .collect()
    }
}

fn expected(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    all.iter()
        .map(|(name, subjects)| {
            let subjects = subjects.iter().map(|s| (*s).to_owned()).collect();
            ((*name).to_owned(), subjects)
        })
        .collect()
}

fn first(names: &[&str]) -> Labels {
    let names = names.iter().map(|n| MailboxName::parse(n).expect("a name"));
    Labels::One {
        priority: names.collect(),
    }
}

#[tokio::test]
async fn every_message_is_copied_once_into_the_mailbox_of_its_label() {
    let (gmail, goal) = (Gmail::start(MAILS).await, Goal::start().await);
    let before = gmail.account.snapshot();
    let report = goal.copy(&gmail, Labels::default()).await;
    assert_eq!(report.copied_now(), MAILS.len() as u64, "{report:#?}");
    gmail.assert_read_once();
    assert_eq!(gmail.account.snapshot(), before);
    let mut wanted = expected(&[
        // INBOX comes before Sent.
        ("INBOX", &["new", "to myself"]),
        ("仕事", &["both", "family"]),
        ("仕事/請求書/2024", &["deep"]),
        ("保存", &["archived", "archived too", "important"]),
        ("Sent", &["written"]),
        ("Drafts", &["half"]),
        ("Trash", &["old"]),
        ("Junk", &["bad"]),
        ("R&D", &["a & b"]),
    ]);
    assert_eq!(goal.holds(), wanted);

    let again = goal.copy(&gmail, Labels::default()).await;
    assert_eq!(again.copied_now(), 0, "{again:#?}");
    gmail.add(100, "next", &["INBOX", "家族"]);
    let more = goal.copy(&gmail, Labels::default()).await;
    assert_eq!(more.copied_now(), 1, "{more:#?}");
    wanted.insert("家族".into(), vec!["next".into()]);
    assert_eq!(goal.holds(), wanted);
}

#[tokio::test]
async fn the_labels_that_the_user_puts_first_win() {
    let (gmail, goal) = (Gmail::start(MAILS).await, Goal::start().await);
    let report = goal.copy(&gmail, first(&["家族", "inbox", "仕事"])).await;
    assert_eq!(report.copied_now(), MAILS.len() as u64, "{report:#?}");
    gmail.assert_read_once();
    let holds = goal.holds();
    let of = |name: &str| holds.get(name).map(|all| all.join(", "));
    assert_eq!(of("家族"), Some("family".into()));
    assert_eq!(of("INBOX"), Some("both, deep, new, to myself".into()));
    assert_eq!((of("仕事"), of("仕事/請求書/2024")), (None, None));

    // A label stands for what lies below it too; system labels go by their usual names.
    let goal = Goal::start().await;
    goal.copy(&gmail, first(&["sent", "仕事"])).await;
    let holds = goal.holds();
    let of = |name: &str| holds.get(name).map(|all| all.join(", "));
    assert_eq!(of("Sent"), Some("to myself, written".into()));
    assert_eq!(of("仕事"), Some("both, family".into()));
    assert_eq!(of("仕事/請求書/2024"), Some("deep".into()));
}

#[tokio::test]
async fn a_copy_per_label_is_made_when_asked_for() {
    let (gmail, goal) = (Gmail::start(MAILS).await, Goal::start().await);
    let report = goal.copy(&gmail, Labels::Each).await;
    assert_eq!(report.copied_now(), 18, "{report:#?}");
    let wanted = expected(&[
        ("INBOX", &["both", "deep", "new", "to myself"]),
        ("仕事", &["both", "deep", "family"]),
        ("仕事/請求書/2024", &["deep"]),
        ("家族", &["family"]),
        ("保存", &["archived", "archived too", "important"]),
        ("Sent", &["to myself", "written"]),
        ("Drafts", &["half"]),
        ("Trash", &["old"]),
        ("Junk", &["bad"]),
        ("R&D", &["a & b"]),
    ]);
    assert_eq!(goal.holds(), wanted);
    let again = goal.copy(&gmail, Labels::Each).await;
    assert_eq!(again.copied_now(), 0, "{again:#?}");
}

#[tokio::test]
async fn keys_of_another_policy_are_not_taken_for_keys_of_this_one() {
    let (gmail, goal) = (Gmail::start(MAILS).await, Goal::start().await);
    // The worst that a server may do: the same epoch everywhere.
    for name in ["INBOX", "仕事", ALL, SENT] {
        gmail.account.set_uidvalidity(name, 11);
    }
    goal.copy(&gmail, Labels::AsMailboxes).await;
    let before = goal.holds();
    assert_eq!(before.get("保存"), None);
    let report = goal.copy(&gmail, Labels::Each).await;
    assert_eq!(report.copied_now(), 3, "archived mail: {report:#?}");
    let mut wanted = before;
    let archived = ["archived", "archived too", "important"];
    wanted.insert("保存".into(), archived.map(str::to_owned).to_vec());
    assert_eq!(goal.holds(), wanted);
}

#[tokio::test]
async fn label_mailboxes_are_listed_with_what_they_will_hold() {
    let gmail = Gmail::start(MAILS).await;
    let account = gmail.connect(Labels::default()).await;
    let listed = account.mailboxes().await.expect("mailboxes");
    let told = |name: &str| {
        let name = MailboxName::parse(name).expect("a name");
        let found = listed.iter().find(|m| m.name == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not listed"));
        let state = found.state.expect("a state");
        (found.role, state.messages, state.modseq.is_some())
    };
    assert_eq!(told("INBOX"), (Some(Role::Inbox), 2, false));
    assert_eq!(told("仕事"), (None, 2, false));
    assert_eq!(told(SENT), (Some(Role::Sent), 1, false));
    assert_eq!(told("Archive"), (Some(Role::Archive), 3, false));
    assert_eq!(told("[Gmail]/Trash"), (Some(Role::Trash), 1, true));
    assert_eq!(told(ALL), (Some(Role::All), 11, true));
    // Nothing happened: the labels are not read again.
    let labels = |gmail: &Gmail| {
        let transcript = gmail.server.transcript();
        let fetches = transcript.of("UID FETCH").into_iter();
        fetches.filter(|e| e.arguments.contains("LABELS")).count()
    };
    assert_eq!(account.mailboxes().await.expect("mailboxes"), listed);
    assert_eq!(labels(&gmail), 1);
    gmail.add(100, "next", &["INBOX"]);
    account.mailboxes().await.expect("mailboxes");
    assert_eq!(labels(&gmail), 2);
    // What arrived since is not in the mailbox as it was listed, and never half in it.
    let inbox = listed.iter().find(|m| m.name.is_inbox()).expect("INBOX");
    let mut reader = account.open(inbox).await.expect("opened");
    assert_eq!(reader.state().messages, 3);
    assert_eq!(reader.keys().await.expect("keys").len(), 3);
}

#[tokio::test]
async fn without_all_mail_labels_are_mailboxes() {
    let gmail = Gmail::start(&[("both", &["INBOX", "仕事"])]).await;
    gmail.account.delete_mailbox(ALL);
    let goal = Goal::start().await;
    let report = goal.copy(&gmail, Labels::default()).await;
    assert_eq!(report.copied_now(), 2, "{report:#?}");
    let both = expected(&[("INBOX", &["both"]), ("仕事", &["both"])]);
    assert_eq!(goal.holds(), both);
}
