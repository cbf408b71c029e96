//! One side of a command: from what was typed to what can be opened.

mod files;
mod server;

pub(crate) use files::{Backup, Files, found_view, name_of, told};
pub(crate) use server::Server;

use crate::account::AccountOptions;
use crate::config::{Config, SavedPlace};
use crate::locator::{ArchiveKind, Locator, Protocol, ServerLocator, masked};
use crate::output::Output;
use crate::problem::{Failure, Problem};
use crate::suggest;
use hikyaku_core::{AccountId, MailboxName, Side as Which};
use std::io;
use std::path::{Path, PathBuf};

/// One side, before anything is asked of a server.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Which.
    pub(crate) which: Which,
    /// What is there.
    pub(crate) place: Place,
    /// One mailbox of it.
    mailbox: Option<MailboxName>,
}

/// What a side is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// An account that is read and written over IMAP.
    Imap(Server),
    /// An account that is read over POP3.
    Pop3(Server),
    /// Mail in files.
    Files(Files),
    /// A backup in a directory.
    Backup(Backup),
}

impl Side {
    /// Finds what a text of the command line means. No server is asked; what lies at a
    /// path without a kind is looked at, and what was found is said.
    pub(crate) fn resolve(
        which: Which,
        text: &str,
        options: AccountOptions,
        config: &Config,
        output: Output,
    ) -> Result<Self, Failure> {
        let located = Locator::parse(text).map_err(|why| Problem::locator(text, why))?;
        let (place, mailbox) = match located {
            Locator::Server(locator) => (server(which, locator, options)?, None),
            Locator::Saved { name, mailbox } => {
                let Some(account) = config.accounts.get(&name) else {
                    let names = config.accounts.keys().map(String::as_str);
                    let like = suggest::nearest(&name, names).map(str::to_owned);
                    return Err(Problem::SavedName(name, like).into());
                };
                match &account.place {
                    SavedPlace::Server(locator) => {
                        let mut locator = locator.clone();
                        if mailbox.is_some() && locator.protocol == Protocol::Pop3 {
                            let why = crate::locator::LocatorProblem::Mailbox;
                            return Err(Problem::locator(text, why).into());
                        }
                        locator.mailbox = mailbox.or(locator.mailbox);
                        let options = options.over(&account.options);
                        (server(which, locator, options)?, None)
                    }
                    SavedPlace::Files(kind, path) => {
                        (on_disk(which, text, *kind, path.clone(), output)?, mailbox)
                    }
                }
            }
            Locator::Archive { kind, path } => {
                let path = at_home(path);
                (on_disk(which, text, kind, path, output)?, None)
            }
            other @ Locator::Provider { .. } => return Err(Problem::NotYet(other.kind()).into()),
        };
        Ok(Self {
            which,
            place,
            mailbox,
        })
    }

    /// A backup in a directory.
    pub(crate) fn backup(which: Which, backup: Backup) -> Self {
        Self {
            which,
            place: Place::Backup(backup),
            mailbox: None,
        }
    }

    /// Mail in files.
    pub(crate) fn files(which: Which, files: Files) -> Self {
        Self {
            which,
            place: Place::Files(files),
            mailbox: None,
        }
    }

    /// The destination of a plan for a backup that is not begun yet: an empty directory, or a
    /// path at which nothing is.
    pub(crate) fn unbegun_backup(text: &str) -> Option<Self> {
        let Ok(Locator::Archive {
            kind: None | Some(ArchiveKind::Backup),
            path,
        }) = Locator::parse(text)
        else {
            return None;
        };
        let directory = at_home(path);
        let is_free = match directory.read_dir() {
            Ok(mut entries) => entries.next().is_none(),
            Err(e) => e.kind() == io::ErrorKind::NotFound,
        };
        let backup = Backup {
            directory,
            format: None,
            begins: true,
        };
        is_free.then(|| Self::backup(Which::Destination, backup))
    }

    /// Says in the JSON of a command what was recognised at a path without a kind.
    pub(crate) fn tell_found(&self, output: Output) {
        if let (Place::Files(files), true) = (&self.place, output.json) {
            files.tell_found(output);
        }
    }

    /// The identity that the ledger keeps; `None` for a backup that is not begun yet.
    pub(crate) fn account(&self) -> Option<AccountId> {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => Some(server.account()),
            Place::Files(files) => Some(files.account()),
            Place::Backup(backup) => backup.account(),
        }
    }

    /// The mailbox that the locator names.
    pub(crate) fn mailbox(&self) -> Option<&MailboxName> {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => server.locator.mailbox.as_ref(),
            Place::Files(_) | Place::Backup(_) => self.mailbox.as_ref(),
        }
    }

    /// Most connections that its settings allow.
    pub(crate) fn connections(&self) -> Option<usize> {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => server.options.connections,
            Place::Files(_) | Place::Backup(_) => None,
        }
    }

    /// Whether the files that its settings name can be read; asks for nothing.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => server.endpoint().map(drop),
            Place::Files(_) | Place::Backup(_) => Ok(()),
        }
    }

    /// As it is written, for messages that tell several apart.
    pub(crate) fn shown(&self) -> String {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => server.locator.to_string(),
            Place::Files(files) => files.path.display().to_string(),
            Place::Backup(backup) => backup.directory.display().to_string(),
        }
    }

    /// Asks for a password now that would be asked for later, and for each run anew.
    pub(crate) fn ask_once(&mut self, output: Output) -> Result<(), Failure> {
        match &mut self.place {
            Place::Imap(server) | Place::Pop3(server) => server.ask_once(output),
            Place::Files(_) | Place::Backup(_) => Ok(()),
        }
    }

    /// Where it is, for messages.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Imap(server) | Place::Pop3(server) => server.locator.address(),
            Place::Files(files) => files.path.display().to_string(),
            Place::Backup(backup) => backup.directory.display().to_string(),
        }
    }
}

fn server(which: Which, locator: ServerLocator, options: AccountOptions) -> Result<Place, Problem> {
    let protocol = locator.protocol;
    let server = Server {
        which,
        locator,
        options,
        typed: None,
    };
    match (protocol, which) {
        (Protocol::Imap, _) => Ok(Place::Imap(server)),
        (Protocol::Pop3, Which::Source) => Ok(Place::Pop3(server)),
        (Protocol::Pop3, Which::Destination) => {
            Err(Problem::OnlySource(server.locator.to_string()))
        }
    }
}

/// Mail in files, or a backup.
fn on_disk(
    which: Which,
    text: &str,
    kind: Option<ArchiveKind>,
    path: PathBuf,
    output: Output,
) -> Result<Place, Failure> {
    match kind {
        Some(ArchiveKind::Backup) => Ok(Place::Backup(Backup::at(path))),
        Some(ArchiveKind::Mail(_)) if which == Which::Destination => {
            Err(Problem::OnlySource(text.to_owned()).into())
        }
        Some(ArchiveKind::Mail(kind)) => Ok(Place::Files(Files::open(kind, &path)?)),
        Some(other) => Err(Problem::NotYet(other.name()).into()),
        None => recognised(which, text, path, output),
    }
}

/// What lies at a path whose kind nobody wrote.
fn recognised(which: Which, text: &str, path: PathBuf, output: Output) -> Result<Place, Failure> {
    if !path.exists() {
        return Err(Problem::Place(masked(text)).into());
    }
    if path.join(hikyaku_backup::MARKER).exists() {
        return Ok(Place::Backup(Backup::at(path)));
    }
    match which {
        Which::Source => Ok(Place::Files(Files::recognise(&path, output)?)),
        Which::Destination => Err(Problem::OnlySource(text.to_owned()).into()),
    }
}

/// `~/` as the shell leaves it behind `mbox:`.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), crate::paths::home()) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_text::Lang;

    fn resolve(text: &str) -> Result<Side, Failure> {
        let config = "[accounts.old]\nlocator = 'imaps://taro@old.example.jp/受信'\nauthzid = 'hanako'\n\
            [accounts.pop]\nlocator = 'pop3s://taro@old.example.jp'";
        let config = Config::parse(config, Path::new("c.toml")).expect("config");
        let output = Output {
            lang: Lang::En,
            json: true,
            verbose: false,
        };
        let options = AccountOptions::default();
        Side::resolve(Which::Source, text, options, &config, output)
    }

    fn problem(text: &str) -> Problem {
        match resolve(text) {
            Err(Failure::Problem(problem)) => problem,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn saved_names_stand_for_their_locator() {
        let side = resolve("old:").expect("side");
        let Place::Imap(server) = &side.place else {
            panic!("{side:?}");
        };
        assert_eq!(
            server.locator.to_string(),
            "imaps://taro@old.example.jp/受信"
        );
        let account = side.account().expect("known");
        assert_eq!(account.as_str(), "imap://hanako@old.example.jp");
        let side = resolve("old:/送信済み/2024").expect("side");
        assert_eq!(
            side.mailbox().map(ToString::to_string).as_deref(),
            Some("送信済み/2024")
        );
        let side = resolve("pop:").expect("side");
        assert!(matches!(&side.place, Place::Pop3(_)), "{side:?}");
        let account = side.account().expect("known");
        assert_eq!(account.as_str(), "pop3://taro@old.example.jp");
        assert!(matches!(problem("pop:/x"), Problem::Locator(..)));
    }

    #[test]
    fn what_cannot_be_done_yet_is_said_by_its_kind() {
        for (text, kind) in [
            ("gmail:u@gmail.com", "gmail"),
            ("ms:u@example.com", "ms"),
            ("pst:x.pst", "pst"),
            ("msg:x.msg", "msg"),
        ] {
            let problem = problem(text);
            assert!(
                matches!(problem, Problem::NotYet(k) if k == kind),
                "{problem:?}"
            );
        }
        assert!(matches!(problem("./no/mail"), Problem::Place(_)));
        let like = problem("odl:");
        assert!(matches!(like, Problem::SavedName(_, Some(name)) if name == "old"));
    }
}
