//! Two real mail servers with an account each, and what the service is told about them.

use hikyaku_testkit::dns::{Dns, Record};
use hikyaku_testkit::generate::{GeneratedAccount, fill, profiles};
use hikyaku_testkit::judge::{AccountSnapshot, CompareOptions, Judge, MailboxSnapshot, compare};
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, MailServer};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The address that is copied from, and signed in with.
pub(crate) const ADDRESS: &str = "taro@example.jp";
/// Where notices go.
pub(crate) const NOTIFY: &str = "hanako@example.com";

/// An old server, a new one, and the directory of the service.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) old: Dovecot,
    pub(crate) new: Dovecot,
    pub(crate) source: Account,
    pub(crate) destination: Account,
    /// What stands between the old server and everybody else.
    pub(crate) line: Proxy,
    /// What names stand for.
    dns: Dns,
    directory: TempDir,
}

/// What is special about a world.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) old: DovecotOptions,
    pub(crate) new: DovecotOptions,
    /// Octets a second from the old server, where its mail is not to arrive at once.
    pub(crate) bandwidth: Option<u64>,
    /// Storage limit of the destination account.
    pub(crate) quota_kib: Option<u64>,
    /// Lines of the brand's plan.
    pub(crate) plan: &'static str,
    /// Lines at the end of the configuration.
    pub(crate) config: &'static str,
}

impl Default for Terms {
    fn default() -> Self {
        let uses = [
            ("Sent", "\\Sent"),
            ("Drafts", "\\Drafts"),
            ("Junk", "\\Junk"),
            ("Trash", "\\Trash"),
        ];
        let special_uses = uses.map(|(name, r#use)| (name.to_owned(), r#use.to_owned()));
        Self {
            old: DovecotOptions::default(),
            new: DovecotOptions {
                special_uses: special_uses.to_vec(),
                ..DovecotOptions::default()
            },
            bandwidth: None,
            quota_kib: None,
            plan: "",
            config: "",
        }
    }
}

impl World {
    /// Both servers, with accounts that hold nothing.
    pub(crate) fn new(terms: Terms) -> Self {
        let old = Dovecot::start(terms.old).unwrap();
        let new = Dovecot::start(terms.new).unwrap();
        let settings = ProxySettings {
            bandwidth: terms.bandwidth,
            record: false,
            ..ProxySettings::default()
        };
        let dns = Dns::start().unwrap();
        dns.set_addresses("localhost", &["127.0.0.1"]);
        for (domain, host) in [
            ("example.com", "mx.example.com"),
            ("example.jp", "mx.old.example.jp"),
        ] {
            dns.set(domain, [Record::Mail(10, host.to_owned())]);
            dns.set_addresses(host, &["192.0.2.25"]);
        }
        let world = Self {
            dns,
            line: Proxy::start(old.instance().tls_address(), settings).unwrap(),
            source: old.create_account(ADDRESS).unwrap(),
            destination: new
                .create_account_with_quota(ADDRESS, terms.quota_kib)
                .unwrap(),
            old,
            new,
            directory: TempDir::new().unwrap(),
        };
        // The two passwords are not the same, so that a mix-up is noticed.
        assert_eq!(world.source.user, world.destination.user);
        fs::write(world.file("brand.toml"), world.brand(terms.plan)).unwrap();
        fs::write(world.file("config.toml"), world.config(terms.config)).unwrap();
        world
    }

    /// The usual world with a mailbox that is copied in a second or two.
    pub(crate) fn with_mail() -> Self {
        let world = Self::new(Terms::default());
        world.fill(&modest());
        world
    }

    /// The usual world behind a line that lets a copy of [`modest`] take ten seconds or more.
    pub(crate) fn behind_a_narrow_line() -> Self {
        let world = Self::new(Terms {
            bandwidth: Some(250_000),
            ..Terms::default()
        });
        world.fill(&modest());
        world
    }

    fn brand(&self, plan: &str) -> String {
        format!(
            r#"id = "test"
name = {{ ja = "見本サーバー", en = "Sample Hosting" }}

[destination]
host = "127.0.0.1"
port = {port}
ca_file = "{ca}"
networks = ["127.0.0.0/8", "::1/128"]

[notices]
from = "見本サーバー <noreply@example.jp>"

[[plans]]
id = "standard"
name = {{ ja = "スタンダード", en = "Standard" }}
reruns = ["differential", "fresh_replace", "fresh_folder"]
{plan}
"#,
            port = self.new.instance().tls_port(),
            ca = self.new.instance().ca_file().display(),
        )
    }

    fn config(&self, more: &str) -> String {
        format!(
            r#"listen = "127.0.0.1:0"
brands = ["brand.toml"]
catch_mail = true

[egress]
allow = ["127.0.0.0/8", "::1/128"]
ports = [{}, {}, {}, {}, 143, 993]
resolver = "{}"
{more}
"#,
            self.line.port(),
            self.old.instance().port(),
            self.new.instance().port(),
            self.new.instance().tls_port(),
            self.dns.address(),
        )
    }

    /// A file in the service's directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The service's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What a person types into ②.
    pub(crate) fn old_host(&self) -> String {
        format!("localhost:{}", self.line.port())
    }

    /// Brings mail to the old server.
    pub(crate) fn fill(&self, mail: &GeneratedAccount) {
        let filled = fill(&self.old, &self.source, mail).unwrap();
        assert_eq!(filled.refusals, [], "the old server takes all");
    }

    pub(crate) fn old_judge(&self) -> Judge {
        self.old.judge(&self.source).unwrap()
    }

    pub(crate) fn new_judge(&self) -> Judge {
        self.new.judge(&self.destination).unwrap()
    }

    pub(crate) fn source_now(&self) -> AccountSnapshot {
        self.old_judge().snapshot().unwrap()
    }

    pub(crate) fn destination_now(&self) -> AccountSnapshot {
        self.new_judge().snapshot().unwrap()
    }

    /// The destination holds exactly what the source holds, each message once.
    pub(crate) fn assert_copied(&self) {
        self.assert_holds(&self.destination_now());
    }

    /// The same of what the destination is seen to hold.
    pub(crate) fn assert_holds(&self, destination: &AccountSnapshot) {
        let options = CompareOptions {
            may_be_extra: Box::new(is_born_with),
            ..CompareOptions::default()
        };
        let differences = compare(&self.source_now(), destination, &options);
        assert_eq!(differences, [] as [String; 0]);
    }
}

/// A mailbox that every account of the new server has from the start, empty.
fn is_born_with(mailbox: &MailboxSnapshot) -> bool {
    let usual = ["INBOX", "Sent", "Drafts", "Junk", "Trash"];
    usual.contains(&mailbox.name.as_str()) && mailbox.messages.is_empty()
}

/// 300 messages in seven folders with Japanese names among them.
pub(crate) fn modest() -> GeneratedAccount {
    profiles::small_mixed(4, 300, 3_000_000, 7)
}

/// How many messages an account holds.
pub(crate) fn messages(account: &AccountSnapshot) -> usize {
    account.mailboxes.values().map(|m| m.messages.len()).sum()
}
