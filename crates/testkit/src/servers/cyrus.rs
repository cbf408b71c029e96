//! Cyrus IMAP from Debian's packages, unpacked aside.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{
    Account, AdminLogin, Instance, Kind, MailServer, mail_owner, password_for, require_program,
    require_root,
};
use crate::certificates::Shown;
use crate::install::prefix as installed_below;
use crate::judge::Judge;
use crate::process::{Running, run_with_input, set_mode};

/// What an instance of Cyrus should be like. The default has `/` and no prefix.
#[derive(Debug, Clone, Default)]
pub struct CyrusOptions {
    /// `.` with the prefix `INBOX.` in place of `/` without one (altnamespace and unixhierarchysep off).
    pub dotted: bool,
    /// Keeps 8-bit octets in headers, which Cyrus replaces by `X` by default.
    pub keep_8bit_headers: bool,
    /// The largest message that is taken, in octets; no limit when `None`.
    pub max_message_size: Option<u64>,
    /// A storage limit for every account, in KiB.
    pub quota_kib: Option<u64>,
    /// Keeps the whole instance on the machine's tmpfs.
    pub in_memory: bool,
    /// The certificate that the server shows.
    pub certificate: Shown,
    /// Further lines at the end of `imapd.conf`.
    pub extra: String,
}

/// A running Cyrus.
#[derive(Debug)]
pub struct Cyrus {
    // Order matters: the processes end before their directory goes.
    _running: Running,
    instance: Instance,
    options: CyrusOptions,
}

const DOMAIN: &str = "example.test";
const ADMIN: &str = "cyrus";
/// May log in as anybody by SASL's authorisation identity.
const PROXY: &str = "proxy";

impl Cyrus {
    /// Starts an instance and waits until it greets.
    pub fn start(options: CyrusOptions) -> Result<Self> {
        let program = below("usr/lib/cyrus/bin/master");
        require_program(&program)?;
        require_root()?;
        let instance = Instance::create(options.in_memory, options.certificate)?;
        let owner = mail_owner()?;
        for name in [
            "conf",
            "conf/proc",
            "conf/lock",
            "conf/socket",
            "conf/log",
            "mail",
            "sieve",
        ] {
            instance.directory.subdirectory(name, 0o755, Some(owner))?;
        }
        let path = instance.path();
        fs::write(
            path.join("imapd.conf"),
            imapd_configuration(&options, &instance)?,
        )?;
        fs::write(path.join("cyrus.conf"), cyrus_configuration(&instance))?;
        for file in ["imapd.conf", "cyrus.conf"] {
            set_mode(&path.join(file), 0o644)?;
        }
        for name in [ADMIN, PROXY] {
            set_password(&instance, name)?;
        }
        let configured = |command: &mut Command| {
            command
                .arg("-C")
                .arg(path.join("imapd.conf"))
                .arg("-M")
                .arg(path.join("cyrus.conf"));
            command.arg("-p").arg(path.join("conf/master.pid"));
            environment(command);
        };
        let mut running = Running::start(&program, configured, path)?;
        running
            .wait_until(|| instance.greeting())
            .with_context(|| format!("Cyrus does not start:\n{}", instance.log_tail()))?;
        Ok(Self {
            _running: running,
            instance,
            options,
        })
    }

    /// As [`MailServer::create_account`], with a storage limit of its own in KiB.
    pub fn create_account_with_quota(&self, name: &str, quota_kib: Option<u64>) -> Result<Account> {
        ensure!(
            !name.is_empty()
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)),
            "{name:?} cannot be the name of an account here: letters, digits, - and _ only"
        );
        set_password(&self.instance, name)?;
        let mut admin = self.admin()?;
        let mailbox = format!("user{}{name}@{DOMAIN}", self.separator());
        admin.create(&mailbox)?.accepted()?;
        if let Some(limit) = quota_kib.or(self.options.quota_kib) {
            admin
                .command(format!("SETQUOTA \"{mailbox}\" (STORAGE {limit})"))?
                .accepted()?;
        }
        Ok(Account {
            user: name.to_owned(),
            password: password_for(name),
        })
    }

    /// A judge logged in as the administrator, who sees all accounts as `user/NAME@example.test`.
    pub fn admin(&self) -> Result<Judge> {
        Judge::connect(self.instance.address(), ADMIN, &password_for(ADMIN))
    }
}

impl MailServer for Cyrus {
    fn kind(&self) -> Kind {
        Kind::Cyrus
    }

    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn create_account(&self, name: &str) -> Result<Account> {
        self.create_account_with_quota(name, None)
    }

    /// The whole partition: Cyrus keeps mailboxes below it by ids, not by the names of accounts.
    fn mail_directory(&self, _: &Account) -> PathBuf {
        self.instance.path().join("mail")
    }

    fn admin_login(&self, account: &Account) -> Option<AdminLogin> {
        Some(AdminLogin::ProxyAuthorisation {
            authorise_as: format!("{}@{DOMAIN}", account.user),
            login: PROXY.to_owned(),
            password: password_for(PROXY),
        })
    }

    fn separator(&self) -> char {
        if self.options.dotted { '.' } else { '/' }
    }

    fn prefix(&self) -> &str {
        if self.options.dotted { "INBOX." } else { "" }
    }
}

fn below(path: &str) -> PathBuf {
    installed_below().join("cyrus").join(path)
}

/// Libraries and SASL mechanisms are unpacked aside too, but for those that the system had before.
fn environment(command: &mut Command) {
    const MECHANISMS: &str = "usr/lib/x86_64-linux-gnu/sasl2";
    let libraries = [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib",
    ]
    .map(below);
    let joined = libraries
        .map(|path| path.to_string_lossy().into_owned())
        .join(":");
    let mechanisms = format!("{}:/{MECHANISMS}", below(MECHANISMS).display());
    command
        .env("LD_LIBRARY_PATH", joined)
        .env("SASL_PATH", mechanisms);
}

fn set_password(instance: &Instance, name: &str) -> Result<()> {
    let file = instance.path().join("sasldb");
    let mut command = Command::new(below("usr/sbin/saslpasswd2"));
    command
        .args(["-p", "-c", "-u", DOMAIN, "-f"])
        .arg(&file)
        .arg(name);
    environment(&mut command);
    run_with_input(&mut command, password_for(name).as_bytes())?;
    let (user, group) = mail_owner()?;
    chown(&file, Some(user), Some(group))?;
    Ok(())
}

fn imapd_configuration(options: &CyrusOptions, instance: &Instance) -> Result<String> {
    let directory = instance.path().display();
    let slashed = if options.dotted { "no" } else { "yes" };
    let mut text = format!(
        "configdirectory: {directory}/conf
proc_path: {directory}/conf/proc
mboxname_lockpath: {directory}/conf/lock
defaultpartition: default
partition-default: {directory}/mail
sievedir: {directory}/sieve
lmtpsocket: {directory}/conf/socket/lmtp
idlesocket: {directory}/conf/socket/idle
notifysocket: {directory}/conf/socket/notify
cyrus_user: mail
admins: {ADMIN}
proxyservers: {PROXY} {ADMIN}
virtdomains: userid
defaultdomain: {DOMAIN}
servername: {DOMAIN}
unixhierarchysep: {slashed}
altnamespace: {slashed}
allowplaintext: yes
failedloginpause: 0
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {directory}/sasldb
sasl_log_level: 0
tls_server_cert: {directory}/cert.pem
tls_server_key: {directory}/key.pem
maxmessagesize: {size}
munge8bit: {munge}
",
        size = options.max_message_size.unwrap_or(0),
        munge = if options.keep_8bit_headers {
            "no"
        } else {
            "yes"
        },
    );
    writeln!(text, "{}", options.extra)?;
    Ok(text)
}

fn cyrus_configuration(instance: &Instance) -> String {
    let configuration = instance.path().join("imapd.conf");
    let service = |name: &str, program: &str, options: &str, port: u16| {
        format!(
            "  {name} cmd=\"{program} -C {configuration}{options}\" listen=\"127.0.0.1:{port}\" prefork=0\n",
            program = below("usr/lib/cyrus/bin").join(program).display(),
            configuration = configuration.display(),
        )
    };
    format!(
        "START {{\n}}\nSERVICES {{\n{}{}{}{}}}\nEVENTS {{\n}}\n",
        service("imap", "imapd", "", instance.port()),
        service("imaps", "imapd", " -s", instance.tls_port()),
        service("pop3", "pop3d", "", instance.pop3_port()),
        service("pop3s", "pop3d", " -s", instance.pop3_tls_port()),
    )
}
