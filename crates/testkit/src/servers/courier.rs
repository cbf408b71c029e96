//! Courier IMAP from Debian's packages, unpacked aside.
//!
//! Courier's paths are compiled in. The instance therefore runs in a mount namespace of its own, in which its
//! directories lie over `/etc/courier` and the like, and in a process namespace that ends as a whole.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use super::{
    Account, AdminLogin, Instance, Kind, MailServer, mail_owner, password_for, require_program,
    require_root,
};
use crate::certificates::Shown;
use crate::install::prefix as installed_below;
use crate::process::{Running, run_with_input, set_mode};

/// What an instance of Courier should be like. Separator and prefix cannot be chosen: `.` and `INBOX.`, always.
#[derive(Debug, Clone)]
pub struct CourierOptions {
    /// IMAP connections that one address may have (Debian's default is 20); more are closed without a word.
    pub max_per_address: u32,
    /// POP3 connections that one address may have (Debian's default is 4).
    pub max_pop3_per_address: u32,
    /// Replaces the advertised capabilities.
    pub capability: Option<String>,
    /// A storage limit for every account, in octets.
    pub quota_octets: Option<u64>,
    /// Keeps the whole instance on the machine's tmpfs.
    pub in_memory: bool,
    /// The certificate that the server shows.
    pub certificate: Shown,
    /// Further lines at the end of `/etc/courier/imapd`, such as `IMAP_MAILBOX_SANITY_CHECK=0`.
    pub extra: String,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            max_per_address: 20,
            max_pop3_per_address: 4,
            capability: None,
            quota_octets: None,
            in_memory: false,
            certificate: Shown::default(),
            extra: String::new(),
        }
    }
}

/// A running Courier.
#[derive(Debug)]
pub struct Courier {
    // Order matters: the processes end before their directory goes.
    _running: Running,
    instance: Instance,
    options: CourierOptions,
    /// Lines of the two databases: what everybody may read, and the passwords.
    accounts: Mutex<(String, String)>,
}

impl Courier {
    /// Starts an instance and waits until it greets.
    pub fn start(options: CourierOptions) -> Result<Self> {
        require_program(&below("usr/bin/imapd"))?;
        require_root()?;
        let instance = Instance::create(options.in_memory, options.certificate)?;
        let owner = mail_owner()?;
        for (name, owner) in [
            ("etc", None),
            ("run", Some(owner)),
            ("run/authdaemon", Some(owner)),
            ("mail", Some(owner)),
        ] {
            instance.directory.subdirectory(name, 0o755, owner)?;
        }
        write_configuration(&options, &instance, owner)?;
        write_databases(&instance, &(String::new(), String::new()))?;
        for mount_point in [
            "/etc/courier",
            "/run/courier",
            "/usr/lib/courier",
            "/usr/lib/courier-authlib",
        ] {
            fs::create_dir_all(mount_point)
                .with_context(|| format!("cannot create the mount point {mount_point}"))?;
        }
        let script = instance.path().join("start.sh");
        fs::write(&script, start_script(&options, &instance))?;
        let configured = |command: &mut Command| {
            command
                .args(["--mount", "--pid", "--fork", "--kill-child", "sh"])
                .arg(&script);
        };
        let mut running = Running::start(Path::new("unshare"), configured, instance.path())?;
        running
            .wait_until(|| {
                instance
                    .greeting()
                    .filter(|_| instance.path().join("run/authdaemon/socket").exists())
            })
            .with_context(|| format!("Courier does not start:\n{}", instance.log_tail()))?;
        Ok(Self {
            _running: running,
            instance,
            options,
            accounts: Mutex::default(),
        })
    }

    /// As [`MailServer::create_account`], with a storage limit of its own in octets.
    pub fn create_account_with_quota(
        &self,
        name: &str,
        quota_octets: Option<u64>,
    ) -> Result<Account> {
        ensure!(
            !name.is_empty() && !name.contains(['/', ':', '|', '\t', '\n']),
            "{name:?} cannot be the name of an account"
        );
        let account = Account {
            user: name.to_owned(),
            password: password_for(name),
        };
        let (user, group) = mail_owner()?;
        let (home, mail) = (self.home(&account), self.mail_directory(&account));
        for directory in [
            home.clone(),
            mail.clone(),
            mail.join("cur"),
            mail.join("new"),
            mail.join("tmp"),
        ] {
            fs::create_dir_all(&directory)?;
            chown(&directory, Some(user), Some(group))?;
            set_mode(&directory, 0o700)?;
        }
        if let Some(limit) = quota_octets.or(self.options.quota_octets) {
            let file = mail.join("maildirsize");
            fs::write(&file, format!("{limit}S\n"))?;
            chown(&file, Some(user), Some(group))?;
        }
        let mut hashing = Command::new(below("usr/sbin/userdbpw"));
        hashing.arg("-md5").env("LD_LIBRARY_PATH", libraries());
        let hash = run_with_input(&mut hashing, format!("{}\n", account.password).as_bytes())?;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(
            accounts.0,
            "{name}\tuid={user}|gid={group}|home={}|mail={}|_=",
            home.display(),
            mail.display()
        )?;
        writeln!(accounts.1, "{name}\tsystempw={}", hash.trim())?;
        write_databases(&self.instance, &accounts)?;
        Ok(account)
    }

    fn home(&self, account: &Account) -> PathBuf {
        self.instance.path().join("mail").join(&account.user)
    }
}

impl MailServer for Courier {
    fn kind(&self) -> Kind {
        Kind::Courier
    }

    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn create_account(&self, name: &str) -> Result<Account> {
        self.create_account_with_quota(name, None)
    }

    fn mail_directory(&self, account: &Account) -> PathBuf {
        self.home(account).join("Maildir")
    }

    fn admin_login(&self, _: &Account) -> Option<AdminLogin> {
        None
    }

    fn separator(&self) -> char {
        '.'
    }

    fn prefix(&self) -> &str {
        "INBOX."
    }
}

fn below(path: &str) -> PathBuf {
    installed_below().join("courier").join(path)
}

fn libraries() -> String {
    [
        "usr/lib/x86_64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "usr/lib",
        "usr/lib/courier-authlib",
    ]
    .map(|path| below(path).to_string_lossy().into_owned())
    .join(":")
}

/// Writes the two databases that `makeuserdb` makes of a `userdb` file.
fn write_databases(instance: &Instance, (public, secret): &(String, String)) -> Result<()> {
    for (name, lines, mode) in [
        ("userdb.dat", public, 0o644),
        ("userdbshadow.dat", secret, 0o600),
    ] {
        let file = instance.path().join("etc").join(name);
        let mut command = Command::new(below("usr/lib/courier/courier-authlib/makedatprog"));
        command
            .arg("-")
            .arg(file.with_extension("tmp"))
            .arg(&file)
            .env("LD_LIBRARY_PATH", libraries());
        // A blank line and a dot end the input.
        run_with_input(&mut command, format!("{lines}\n.\n").as_bytes())?;
        set_mode(&file, mode)?;
    }
    Ok(())
}

fn write_configuration(
    options: &CourierOptions,
    instance: &Instance,
    (user, group): (u32, u32),
) -> Result<()> {
    let etc = instance.path().join("etc");
    let capability = options.capability.as_deref().unwrap_or(
        "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    );
    fs::write(
        etc.join("authdaemonrc"),
        "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=3\n\
         authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\"\"\nLOGGEROPTS=\"\"\n",
    )?;
    // Debian's own values but for ports and paths.
    fs::write(
        etc.join("imapd"),
        format!(
            "IMAP_CAPABILITY=\"{capability}\"
IMAP_CAPABILITY_TLS=\"$IMAP_CAPABILITY AUTH=PLAIN\"
IMAP_KEYWORDS=1
IMAP_ACL=1
IMAP_PROXY=0
IMAP_IDLE_TIMEOUT=60
IMAP_MAILBOX_SANITY_CHECK=1
IMAP_DISABLETHREADSORT=0
IMAP_CHECK_ALL_FOLDERS=0
IMAP_OBSOLETE_CLIENT=0
IMAP_UMASK=022
IMAP_USELOCKS=1
IMAP_SHAREDINDEXFILE=/etc/courier/shared/index
IMAP_ENHANCEDIDLE=0
IMAP_TRASHFOLDERNAME=Trash
IMAP_EMPTYTRASH=Trash:7
IMAP_MOVE_EXPUNGE_TO_TRASH=0
IMAP_TLS_REQUIRED=0
IMAPDSTARTTLS=YES
IMAP_STARTTLS=YES
POP3_STARTTLS=YES
POP3_TLS_REQUIRED=0
POP3AUTH=\"\"
POP3AUTH_TLS=\"\"
MAILDIRPATH=Maildir
COURIERTLS={couriertls}
TLS_CERTFILE={certificate}
TLS_VERIFYPEER=NONE
{extra}
",
            couriertls = below("usr/bin/couriertls").display(),
            certificate = instance.path().join("both.pem").display(),
            extra = options.extra,
        ),
    )?;
    // STARTTLS leaves root for a user that must be called `courier`.
    for (name, line) in [
        (
            "passwd",
            format!("courier:x:{user}:{group}::/:/usr/sbin/nologin\n"),
        ),
        ("group", format!("courier:x:{group}:\n")),
    ] {
        let system = fs::read_to_string(Path::new("/etc").join(name))?;
        let others: String = system
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("courier:"))
            .collect();
        fs::write(instance.path().join(name), format!("{others}{line}"))?;
        set_mode(&instance.path().join(name), 0o644)?;
    }
    Ok(())
}

/// What runs first in the namespaces: mounts, then the daemons.
fn start_script(options: &CourierOptions, instance: &Instance) -> String {
    let directory = instance.path().display();
    let mut text = format!(
        "set -e
mount --bind {directory}/etc /etc/courier
mount --bind {directory}/run /run/courier
mount --bind {lib} /usr/lib/courier
mount --bind {authlib} /usr/lib/courier-authlib
# Where Courier's file monitor is looked for; without it every lock costs seconds.
mount --bind {libexec} /usr/libexec
mount --bind {directory}/passwd /etc/passwd
mount --bind {directory}/group /etc/group
set -a
LD_LIBRARY_PATH={libraries}
# The file monitor listens on an abstract socket, which instances would share.
GAM_CLIENT_ID=hikyaku-{monitor}
. /etc/courier/authdaemonrc
. /etc/courier/imapd
# It signals its whole process group when it ends.
setsid /usr/lib/courier/courier-authlib/authdaemond &
",
        lib = below("usr/lib/courier").display(),
        authlib = below("usr/lib/courier-authlib").display(),
        libexec = below("usr/libexec").display(),
        monitor = instance.port(),
        libraries = libraries(),
    );
    let listener = |port: u16, per_address: u32, tls: &str, login: &str, daemon: &str| {
        format!(
            "{tcpd} -address=127.0.0.1 -maxprocs=60 -maxperip={per_address} -nodnslookup -noidentlookup {port} {tls} \
             /usr/lib/courier/courier/{login} {daemon} Maildir &\n",
            tcpd = below("usr/sbin/couriertcpd").display(),
        )
    };
    let imapd = below("usr/bin/imapd").display().to_string();
    let pop3d = "/usr/lib/courier/courier/courierpop3d";
    let with_tls = format!(
        "{} -server -tcpd -user=courier",
        below("usr/bin/couriertls").display()
    );
    let (imap, pop3) = (options.max_per_address, options.max_pop3_per_address);
    text.push_str(&listener(instance.port(), imap, "", "imaplogin", &imapd));
    text.push_str(&listener(
        instance.pop3_port(),
        pop3,
        "",
        "courierpop3login",
        pop3d,
    ));
    text.push_str("IMAP_TLS=1\nPOP3_TLS=1\n");
    text.push_str(&listener(
        instance.tls_port(),
        imap,
        &with_tls,
        "imaplogin",
        &imapd,
    ));
    text.push_str(&listener(
        instance.pop3_tls_port(),
        pop3,
        &with_tls,
        "courierpop3login",
        pop3d,
    ));
    text.push_str("wait\n");
    text
}
