//! Dovecot from Debian's packages, with nothing of `/etc/dovecot`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::oauth::Tokens;
use super::{
    Account, AdminLogin, Instance, Kind, MailServer, mail_owner, password_for, require_program,
    require_root,
};
use crate::certificates::Shown;
use crate::process::{Running, run, set_mode};

/// How Dovecot keeps mail on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailFormat {
    /// One file a message.
    #[default]
    Maildir,
    /// Many messages a file.
    Mdbox,
    /// One file a message, Dovecot's own.
    Sdbox,
}

/// When Dovecot waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// Never: fastest, for tests about anything else.
    #[default]
    Never,
    /// Dovecot's own default: when a message is stored, not for flags.
    Optimized,
    /// Always.
    Always,
}

/// What an instance of Dovecot should be like. The default is a plain Maildir server with `/` and no prefix, kept on
/// disk and never flushed.
#[derive(Debug, Clone)]
pub struct DovecotOptions {
    /// The hierarchy separator; `.` with the prefix `INBOX.` is the layout of many control panels.
    pub separator: char,
    /// The prefix of the namespace.
    pub prefix: String,
    /// The format on disk.
    pub format: MailFormat,
    /// Replaces the advertised capabilities, a leading `+` adds to them.
    pub capability: Option<String>,
    /// A storage limit for every account, in KiB.
    pub quota_kib: Option<u64>,
    /// The largest message that is taken, in octets.
    pub max_mail_size: Option<u64>,
    /// Offers COMPRESS=DEFLATE.
    pub compress: bool,
    /// Keeps the whole instance on the machine's tmpfs.
    pub in_memory: bool,
    /// When mail is flushed to disk.
    pub fsync: Fsync,
    /// Connections that one user may have from one address (Dovecot's default is 10).
    pub max_userip_connections: u32,
    /// Mailboxes with a special use, such as `("Sent", "\\Sent")`, made and subscribed at the first login.
    pub special_uses: Vec<(String, String)>,
    /// Offers XOAUTH2 and OAUTHBEARER; [`Dovecot::issue_token`] makes tokens.
    pub oauth: bool,
    /// The certificate that the server shows.
    pub certificate: Shown,
    /// Further lines at the end of the configuration.
    pub extra: String,
}

impl Default for DovecotOptions {
    fn default() -> Self {
        Self {
            separator: '/',
            prefix: String::new(),
            format: MailFormat::default(),
            capability: None,
            quota_kib: None,
            max_mail_size: None,
            compress: false,
            in_memory: false,
            fsync: Fsync::default(),
            max_userip_connections: 10,
            special_uses: Vec::new(),
            oauth: false,
            certificate: Shown::default(),
            extra: String::new(),
        }
    }
}

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    // Order matters: the processes end before their directory goes.
    running: Running,
    instance: Instance,
    options: DovecotOptions,
    tokens: Option<Tokens>,
}

const ADMIN: &str = "admin";
const ADMIN_PASSWORD: &str = "pw-of-the-admin";

impl Dovecot {
    /// Starts an instance and waits until it greets.
    pub fn start(options: DovecotOptions) -> Result<Self> {
        let program = Path::new("/usr/sbin/dovecot");
        require_program(program)?;
        require_root()?;
        let instance = Instance::create(options.in_memory, options.certificate)?;
        let owner = mail_owner()?;
        for (name, mode, owner) in [
            ("run", 0o755, None),
            ("log", 0o777, None),
            ("users", 0o755, None),
            ("mail", 0o755, Some(owner)),
        ] {
            instance.directory.subdirectory(name, mode, owner)?;
        }
        let masters = instance.path().join("masters");
        fs::write(
            &masters,
            format!("{ADMIN}:{{PLAIN}}{ADMIN_PASSWORD}::::::\n"),
        )?;
        let tokens = options.oauth.then(Tokens::serve).transpose()?;
        if let Some(tokens) = &tokens {
            let endpoint = format!(
                "introspection_url = http://127.0.0.1:{}/\nintrospection_mode = post\nusername_attribute = username\n\
                 active_attribute = active\nactive_value = true\n",
                tokens.port()
            );
            fs::write(instance.path().join("oauth2.conf"), endpoint)?;
        }
        let config = instance.path().join("dovecot.conf");
        fs::write(&config, configuration(&options, &instance)?)?;
        set_mode(&config, 0o644)?;
        let mut running = Running::start(
            program,
            |command| {
                command.arg("-F").arg("-c").arg(&config);
            },
            instance.path(),
        )?;
        running
            .wait_until(|| instance.greeting())
            .with_context(|| format!("Dovecot does not start:\n{}", instance.log_tail()))?;
        Ok(Self {
            running,
            instance,
            options,
            tokens,
        })
    }

    /// The configuration file, for `doveadm -c`.
    pub fn configuration(&self) -> PathBuf {
        self.instance.path().join("dovecot.conf")
    }

    /// Runs `doveadm` against this instance and returns what it printed.
    pub fn doveadm(&self, arguments: &[&str]) -> Result<String> {
        run(Command::new("/usr/bin/doveadm")
            .arg("-c")
            .arg(self.configuration())
            .args(arguments))
    }

    /// As [`MailServer::create_account`], with a storage limit of its own in KiB.
    pub fn create_account_with_quota(&self, name: &str, quota_kib: Option<u64>) -> Result<Account> {
        ensure!(
            !name.is_empty() && !name.contains(['/', ':', '*', '\n']),
            "{name:?} cannot be the name of an account"
        );
        let account = Account {
            user: name.to_owned(),
            password: password_for(name),
        };
        let (user, group) = mail_owner()?;
        let rule = match quota_kib {
            Some(limit) => format!("userdb_quota_rule=*:storage={limit}K"),
            None => String::new(),
        };
        let home = self.home(&account);
        let line = format!(
            "{name}:{{PLAIN}}{}:{user}:{group}::{}::{rule}\n",
            account.password,
            home.display()
        );
        fs::write(self.instance.path().join("users").join(name), line)?;
        Ok(account)
    }

    /// Makes an access token for the account, good for XOAUTH2 and OAUTHBEARER; needs [`DovecotOptions::oauth`].
    pub fn issue_token(&self, account: &Account) -> Result<String> {
        let tokens = self
            .tokens
            .as_ref()
            .context("the instance was started without `oauth`")?;
        Ok(tokens.issue(&account.user))
    }

    /// Makes a token worthless, as an expired one is.
    pub fn revoke_token(&self, token: &str) {
        if let Some(tokens) = &self.tokens {
            tokens.revoke(token);
        }
    }

    /// Ends the server at once and starts it again on the same mail and ports.
    pub fn restart(&mut self) -> Result<()> {
        self.running.kill();
        let config = self.configuration();
        self.running = Running::start(
            Path::new("/usr/sbin/dovecot"),
            |command| {
                command.arg("-F").arg("-c").arg(&config);
            },
            self.instance.path(),
        )?;
        let instance = &self.instance;
        self.running
            .wait_until(|| instance.greeting())
            .with_context(|| instance.log_tail())?;
        Ok(())
    }

    fn home(&self, account: &Account) -> PathBuf {
        self.instance.path().join("mail").join(&account.user)
    }
}

impl MailServer for Dovecot {
    fn kind(&self) -> Kind {
        Kind::Dovecot
    }

    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn create_account(&self, name: &str) -> Result<Account> {
        self.create_account_with_quota(name, None)
    }

    fn mail_directory(&self, account: &Account) -> PathBuf {
        self.home(account).join(match self.options.format {
            MailFormat::Maildir => "Maildir",
            MailFormat::Mdbox => "mdbox",
            MailFormat::Sdbox => "sdbox",
        })
    }

    fn admin_login(&self, account: &Account) -> Option<AdminLogin> {
        let login = format!("{}*{ADMIN}", account.user);
        Some(AdminLogin::MasterUser {
            login,
            password: ADMIN_PASSWORD.to_owned(),
        })
    }

    fn separator(&self) -> char {
        self.options.separator
    }

    fn prefix(&self) -> &str {
        &self.options.prefix
    }
}

fn configuration(options: &DovecotOptions, instance: &Instance) -> Result<String> {
    let directory = instance.path().display();
    let location = match options.format {
        MailFormat::Maildir => "maildir:~/Maildir",
        MailFormat::Mdbox => "mdbox:~/mdbox",
        MailFormat::Sdbox => "sdbox:~/sdbox",
    };
    let fsync = match options.fsync {
        Fsync::Never => "never",
        Fsync::Optimized => "optimized",
        Fsync::Always => "always",
    };
    let zlib = if options.compress { " imap_zlib" } else { "" };
    let (user, _) = mail_owner()?;
    let mut text = format!(
        "base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log/dovecot
listen = 127.0.0.1
protocols = imap pop3
ssl = yes
ssl_cert = <{directory}/cert.pem
ssl_key = <{directory}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256{oauth}
auth_master_user_separator = *
# The default of two seconds makes tests with a wrong password slow.
auth_failure_delay = 0
first_valid_uid = {user}
default_vsz_limit = 1G
mail_location = {location}
mail_fsync = {fsync}
mail_max_userip_connections = {connections}
mail_plugins = quota{mail_zlib}
mailbox_list_index = yes
protocol imap {{
  mail_plugins = $mail_plugins imap_quota{zlib}
  mail_max_userip_connections = {connections}
}}
protocol pop3 {{
  mail_max_userip_connections = {connections}
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
}}
passdb {{
  driver = passwd-file
  master = yes
  args = {directory}/masters
  result_success = continue
}}
# One file a user: a shared one is read again at most once a second.
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users/%u
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users/%u
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
# Wrong passwords would slow down every later login from this address.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
",
        oauth = if options.oauth {
            " xoauth2 oauthbearer"
        } else {
            ""
        },
        mail_zlib = if options.compress { " zlib" } else { "" },
        connections = options.max_userip_connections,
        separator = options.separator,
        prefix = options.prefix,
        imap = instance.port(),
        imaps = instance.tls_port(),
        pop3 = instance.pop3_port(),
        pop3s = instance.pop3_tls_port(),
    );
    for (mailbox, attribute) in &options.special_uses {
        writeln!(
            text,
            "namespace inbox {{\n  mailbox \"{mailbox}\" {{\n    special_use = {attribute}\n    auto = subscribe\n  }}\n}}"
        )?;
    }
    if options.oauth {
        writeln!(
            text,
            "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {directory}/oauth2.conf\n}}"
        )?;
    }
    if let Some(limit) = options.quota_kib {
        writeln!(text, "plugin {{\n  quota_rule = *:storage={limit}K\n}}")?;
    }
    if let Some(size) = options.max_mail_size {
        writeln!(text, "plugin {{\n  quota_max_mail_size = {size}B\n}}")?;
    }
    if let Some(capability) = &options.capability {
        writeln!(
            text,
            "protocol imap {{\n  imap_capability = {capability}\n}}"
        )?;
    }
    text.push_str(&options.extra);
    text.push('\n');
    Ok(text)
}
