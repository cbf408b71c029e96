//! Servers, accounts and lines: everything that stands before a program is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hikyaku_testkit::generate::{Body, GeneratedAccount, fill_maildir, profiles};
use hikyaku_testkit::judge::AccountSnapshot;
use hikyaku_testkit::proxy::{Proxy, ProxySettings};
use hikyaku_testkit::servers::{Account, Dovecot, DovecotOptions, Fsync, MailServer};
use tempfile::TempDir;

use super::limit::{self, End, Load};
use super::measure::{self, Usage};
use super::tools::{self, Task, Tool};
use crate::step::output;

/// What the source account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Profile {
    /// 10,000 messages, 634 MB.
    Office,
    /// 1,000 messages, 52 MB.
    Modest,
    /// 100,000 messages of 2 KB.
    Many,
    /// 20 messages of 50 to 95 MB.
    Large,
}

impl Profile {
    fn user(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Modest => "modest",
            Self::Many => "many",
            Self::Large => "large",
        }
    }

    /// The account as data; quick ones are about a twentieth.
    fn generate(self, quick: bool) -> GeneratedAccount {
        const PART: usize = 20;
        let mut account = match self {
            Self::Office => profiles::office(),
            Self::Modest => profiles::modest(),
            Self::Many => profiles::many_small(),
            Self::Large => profiles::large(),
        };
        for mailbox in account.mailboxes.iter_mut().filter(|_| quick) {
            if self == Self::Large {
                for message in &mut mailbox.messages {
                    if let Body::Computed { octets, .. } = &mut message.body {
                        *octets /= PART as u64;
                    }
                }
            } else {
                let messages = std::mem::take(&mut mailbox.messages);
                mailbox.messages = messages.into_iter().step_by(PART).collect();
            }
        }
        account
    }
}

/// Where the destination keeps its mail and the programs what they remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// On tmpfs.
    Ram,
    /// On disk, flushed as servers do by default.
    Disk,
}

/// What lies between the programs and the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// Loopback.
    Direct,
    /// 50 ms of round trip and 100 Mbit/s on each side.
    Long,
}

/// A filled source account.
#[derive(Debug)]
pub(super) struct Source {
    account: Account,
    /// What it holds now, without octets.
    pub(super) snapshot: AccountSnapshot,
    /// How many messages were expunged so far.
    pub(super) gone: usize,
}

impl Source {
    pub(super) fn messages(&self) -> usize {
        self.loads().iter().map(|load| load.messages).sum()
    }

    pub(super) fn octets(&self) -> u64 {
        self.loads().iter().map(|load| load.octets).sum()
    }

    pub(super) fn mailboxes(&self) -> usize {
        self.loads().len()
    }

    fn loads(&self) -> Vec<Load> {
        let selectable = self
            .snapshot
            .mailboxes
            .values()
            .filter(|mailbox| mailbox.is_selectable());
        selectable
            .map(|mailbox| Load {
                wire: String::from_utf8_lossy(&mailbox.wire).into_owned(),
                messages: mailbox.messages.len(),
                octets: mailbox
                    .messages
                    .iter()
                    .map(|message| message.content.length())
                    .sum(),
            })
            .collect()
    }
}

/// A destination account with what its program remembers about it.
#[derive(Debug)]
pub(super) struct Destination {
    account: Account,
    place: Place,
    state: PathBuf,
    /// What had gone from the source before the first copy.
    gone_before: usize,
}

/// Which destination a later row goes on with.
pub(super) type Key = (Profile, Line, Tool);

/// Everything that is running.
pub(super) struct Scene {
    // Order matters: proxies end before the servers behind them.
    line: Option<(Proxy, Proxy)>,
    source: Dovecot,
    ram: Dovecot,
    disk: Option<Dovecot>,
    ram_work: TempDir,
    disk_work: TempDir,
    sources: BTreeMap<Profile, Source>,
    kept: BTreeMap<Key, Destination>,
    quick: bool,
    under: Vec<String>,
    serial: usize,
}

impl Scene {
    /// Starts the servers that every row needs; hikyaku runs as an argument of the command `under`, unless it is empty.
    pub(super) fn start(quick: bool, under: &[String]) -> Result<Self> {
        let options = || DovecotOptions {
            in_memory: true,
            ..plain()
        };
        let work = |base: &str| {
            let directory = tempfile::Builder::new()
                .prefix("hikyaku-bench-")
                .tempdir_in(base);
            directory.with_context(|| format!("cannot create a directory in {base}"))
        };
        Ok(Self {
            line: None,
            source: Dovecot::start(options())?,
            ram: Dovecot::start(options())?,
            disk: None,
            ram_work: work("/dev/shm")?,
            disk_work: work("/tmp")?,
            sources: BTreeMap::new(),
            kept: BTreeMap::new(),
            quick,
            under: under.to_vec(),
            serial: 0,
        })
    }

    /// The source account, made and read once so that the server's caches are warm.
    pub(super) fn source(&mut self, profile: Profile) -> Result<&Source> {
        if !self.sources.contains_key(&profile) {
            let generated = profile.generate(self.quick);
            let account = self
                .source
                .create_account(&format!("src-{}", profile.user()))?;
            fill_maildir(&self.source, &account, &generated)?;
            let snapshot = snapshot(&self.source, &account)?;
            let source = Source {
                account,
                snapshot,
                gone: 0,
            };
            ensure!(
                source.messages() == generated.messages(),
                "the source shows {} of {} messages",
                source.messages(),
                generated.messages()
            );
            self.sources.insert(profile, source);
        }
        self.known_source(profile)
    }

    fn known_source(&self, profile: Profile) -> Result<&Source> {
        self.sources
            .get(&profile)
            .context("the source has not been made")
    }

    /// A new empty account.
    pub(super) fn destination(&mut self, place: Place, profile: Profile) -> Result<Destination> {
        self.serial += 1;
        let name = format!("dst-{}", self.serial);
        let state = match place {
            Place::Ram => self.ram_work.path().join(&name),
            Place::Disk => self.disk_work.path().join(&name),
        };
        fs::create_dir(&state)?;
        Ok(Destination {
            account: self.server(place)?.create_account(&name)?,
            place,
            state,
            gone_before: self.known_source(profile)?.gone,
        })
    }

    fn server(&mut self, place: Place) -> Result<&Dovecot> {
        if place == Place::Ram {
            return Ok(&self.ram);
        }
        if self.disk.is_none() {
            let kind = output(Command::new("stat").args(["-f", "-c", "%T", "/tmp"]))?;
            ensure!(kind.trim() != "tmpfs", "/tmp is not on a disk here");
            self.disk = Some(Dovecot::start(plain())?);
        }
        self.disk
            .as_ref()
            .context("the server on disk has just been started")
    }

    /// Deletes an account's mail and what its program remembers.
    pub(super) fn remove(&mut self, destination: Destination) -> Result<()> {
        let directory = self
            .server(destination.place)?
            .mail_directory(&destination.account);
        if let Some(home) = directory.parent().filter(|home| home.exists()) {
            fs::remove_dir_all(home)?;
        }
        fs::remove_dir_all(&destination.state)?;
        Ok(())
    }

    /// Leaves a filled destination for later rows.
    pub(super) fn keep(&mut self, key: Key, destination: Destination) -> Result<()> {
        match self.kept.insert(key, destination) {
            Some(earlier) => self.remove(earlier),
            None => Ok(()),
        }
    }

    /// Takes a destination that an earlier row filled.
    pub(super) fn take(&mut self, key: Key) -> Option<Destination> {
        self.kept.remove(&key)
    }

    /// Deletes what is kept of a profile, when no further row needs it.
    pub(super) fn forget(&mut self, profile: Profile) -> Result<()> {
        let keys: Vec<Key> = self
            .kept
            .keys()
            .copied()
            .filter(|key| key.0 == profile)
            .collect();
        for key in keys {
            if let Some(destination) = self.kept.remove(&key) {
                self.remove(destination)?;
            }
        }
        if let Some(source) = self.sources.remove(&profile) {
            let directory = self.source.mail_directory(&source.account);
            if let Some(home) = directory.parent() {
                fs::remove_dir_all(home)?;
            }
        }
        Ok(())
    }

    /// Runs the program once, and fails unless it ended well and the number of messages is right.
    pub(super) fn run(
        &mut self,
        tool: Tool,
        (profile, line): (Profile, Line),
        destination: &Destination,
        repetition: usize,
    ) -> Result<Usage> {
        if destination.place == Place::Disk {
            // What earlier runs left unwritten is not this run's affair.
            crate::step::output(&mut Command::new("sync"))?;
        }
        let (from, to) = self.ends(profile, line, destination)?;
        let loads = self.known_source(profile)?.loads();
        let server = self.server(destination.place)?.configuration();
        let task = Task {
            source: &from,
            destination: &to,
            server: &server,
            state: &destination.state,
        };
        let usage = match tools::command(tool, &task)? {
            Some(mut command) => {
                if let (Tool::Hikyaku, [program, arguments @ ..]) = (tool, &*self.under) {
                    let mut outer = Command::new(program);
                    outer
                        .args(arguments)
                        .arg(command.get_program())
                        .args(command.get_args());
                    outer.envs(
                        command
                            .get_envs()
                            .filter_map(|(name, value)| Some((name, value?))),
                    );
                    command = outer;
                }
                let limit = Duration::from_secs(if self.quick { 120 } else { 900 });
                measure::run(&command, &destination.state.join("output"), limit)?
            }
            None => {
                let started = Instant::now();
                limit::copy(&from, &to, &loads, repetition)?;
                Usage {
                    seconds: started.elapsed().as_secs_f64(),
                    user: 0.0,
                    system: 0.0,
                    peak: 0,
                }
            }
        };
        let (there, wanted) = (
            self.count(destination)?,
            self.wanted(tool, profile, destination)?,
        );
        ensure!(
            there == wanted,
            "ended well, but {there} messages are there, not {wanted}"
        );
        Ok(usage)
    }

    /// How many messages more than the source the destination should have: what has gone since.
    pub(super) fn extra(
        &self,
        tool: Tool,
        profile: Profile,
        destination: &Destination,
    ) -> Result<usize> {
        let gone = self.known_source(profile)?.gone - destination.gone_before;
        Ok(if tool.mirrors() { 0 } else { gone })
    }

    fn wanted(&self, tool: Tool, profile: Profile, destination: &Destination) -> Result<usize> {
        Ok(self.known_source(profile)?.messages() + self.extra(tool, profile, destination)?)
    }

    /// How many messages the server counts. A mailbox that is listed but not there, as dsync's second run leaves them,
    /// makes doveadm complain; it holds nothing.
    fn count(&mut self, destination: &Destination) -> Result<usize> {
        let user = destination.account.user.clone();
        let server = self.server(destination.place)?;
        let output = Command::new("doveadm")
            .arg("-c")
            .arg(server.configuration())
            .args(["mailbox", "status", "-u", &user, "-t", "messages", "*"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = text.trim().rsplit('=').next().unwrap_or_default();
        let wrong = || format!("doveadm: {text}{}", String::from_utf8_lossy(&output.stderr));
        number.parse().with_context(wrong)
    }

    /// Where the two sides are reached over this line.
    fn ends(
        &mut self,
        profile: Profile,
        line: Line,
        destination: &Destination,
    ) -> Result<(End, End)> {
        let source = self.known_source(profile)?.account.clone();
        let mut from = self.source.instance().address();
        let mut to = self.server(destination.place)?.instance().address();
        if line == Line::Long {
            if self.line.is_none() {
                let proxy = |to| Proxy::start(to, ProxySettings::long_line());
                self.line = Some((proxy(from)?, proxy(to)?));
            }
            if let Some((source, destination)) = &self.line {
                (from, to) = (source.address(), destination.address());
            }
        }
        let end = |account: &Account, address| End {
            address,
            user: account.user.clone(),
            password: account.password.clone(),
        };
        Ok((end(&source, from), end(&destination.account, to)))
    }

    /// Everything the destination holds.
    pub(super) fn judge(
        &mut self,
        tool: Tool,
        destination: &Destination,
    ) -> Result<AccountSnapshot> {
        let account = destination.account.clone();
        let server = self.server(destination.place)?;
        if tool.mirrors() {
            // dsync's second run leaves parents listed that cannot be opened; without its index, the server looks itself.
            let directory = server.mail_directory(&account);
            for file in ["dovecot.list.index", "dovecot.list.index.log"] {
                fs::remove_file(directory.join(file)).ok();
            }
        }
        snapshot(server, &account)
    }

    /// Changes the source, differently each round, and reads it again.
    pub(super) fn change(&mut self, profile: Profile, round: usize) -> Result<()> {
        let mut source = self
            .sources
            .remove(&profile)
            .context("the source has not been made")?;
        let mut judge = self.source.judge(&source.account)?;
        source.gone += super::change::apply(&mut judge, &source.snapshot, round)?;
        source.snapshot = snapshot(&self.source, &source.account)?;
        self.sources.insert(profile, source);
        Ok(())
    }
}

/// A Maildir server that flushes and signs in as Dovecot does by default.
fn plain() -> DovecotOptions {
    DovecotOptions {
        fsync: Fsync::Optimized,
        extra: "auth_mechanisms = plain login\n".to_owned(),
        ..DovecotOptions::default()
    }
}

fn snapshot(server: &Dovecot, account: &Account) -> Result<AccountSnapshot> {
    let mut judge = server.judge(account)?;
    judge.keep_octets_up_to(0);
    let mut snapshot = judge.snapshot()?;
    for mailbox in snapshot.mailboxes.values_mut() {
        for message in &mut mailbox.messages {
            message.content.forget_octets();
        }
    }
    Ok(snapshot)
}

/// The file system under a directory, in words.
pub(super) fn file_system(directory: &Path) -> String {
    output(
        Command::new("findmnt")
            .args(["-n", "-o", "FSTYPE", "-T"])
            .arg(directory),
    )
    .map_or_else(|_| "unknown".to_owned(), |kind| kind.trim().to_owned())
}
