//! The programs, each with the command an experienced person would give it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::mail::{Mbox, Pop};
use super::{Work, put};
use crate::bench::tools::hikyaku_program;
use std::path::Path;

/// Debian's packages of the programs beside which POP3 is measured, each with a file that shows it is there.
pub(super) const PACKAGES: [(&str, &str); 2] =
    [("/usr/bin/mpop", "mpop"), ("/usr/bin/getmail", "getmail6")];

/// A program, in the order in which the table shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Program {
    /// What the server gives; no program but this tool's own client.
    Limit,
    /// The module of Python's own library.
    Python,
    /// mpop, which pipelines.
    Mpop,
    /// getmail, which does not.
    Getmail,
    /// The product.
    Hikyaku,
}

impl Program {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Python => "Python's mailbox",
            Self::Mpop => "mpop",
            Self::Getmail => "getmail6",
            Self::Hikyaku => "hikyaku",
        }
    }

    /// Who can do this.
    pub(super) fn for_work(work: Work) -> &'static [Self] {
        match work {
            Work::Scan | Work::ToMaildir => &[Self::Python, Self::Hikyaku],
            Work::Pop => &[Self::Limit, Self::Mpop, Self::Getmail, Self::Hikyaku],
        }
    }
}

/// What a program needs to know for one run.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) work: Work,
    pub(super) mbox: Option<&'a Mbox>,
    pub(super) pop: Option<&'a Pop>,
    /// The program's own directory; mail goes to `mail` in it.
    pub(super) state: &'a Path,
}

impl Task<'_> {
    fn mbox(&self) -> Result<&Path> {
        Ok(&self.mbox.context("there is an mbox in this row")?.path)
    }

    fn pop(&self) -> Result<&Pop> {
        self.pop.context("there is a POP3 account in this row")
    }
}

/// Writes the program's files and makes the command; the limit has none.
pub(super) fn command(program: Program, task: &Task<'_>) -> Result<Option<Command>> {
    Ok(Some(match program {
        Program::Limit => return Ok(None),
        Program::Python => python(task)?,
        Program::Mpop => mpop(task)?,
        Program::Getmail => getmail(task)?,
        Program::Hikyaku => hikyaku(task)?,
    }))
}

/// The number of messages that a program has told: the largest number in front of the word, or alone.
pub(super) fn counted(output: &str) -> usize {
    let told = output.lines().rev().find_map(|line| {
        let first = line.split_whitespace().next()?.replace(',', "");
        first.parse().ok()
    });
    told.unwrap_or(0)
}

fn python(task: &Task<'_>) -> Result<Command> {
    let program = match task.work {
        Work::Scan => "import mailbox, sys\nprint(len(mailbox.mbox(sys.argv[1])))",
        Work::ToMaildir | Work::Pop => {
            "import mailbox, os, sys\nto = mailbox.Maildir(sys.argv[2])\nat = sys.argv[1]\n\
             files = [os.path.join(at, f) for f in sorted(os.listdir(at))] if os.path.isdir(at) else [at]\n\
             for file in files:\n    for message in mailbox.mbox(file): to.add(message)"
        }
    };
    let mut command = Command::new("/usr/bin/python3");
    command
        .args(["-I", "-c", program])
        .arg(task.mbox()?)
        .arg(task.state.join("mail"));
    Ok(command)
}

/// A Maildir for programs that want one to be there.
fn maildir(task: &Task<'_>) -> Result<String> {
    let mail = task.state.join("mail");
    for directory in ["cur", "new", "tmp"] {
        fs::create_dir_all(mail.join(directory))?;
    }
    Ok(mail.display().to_string())
}

fn mpop(task: &Task<'_>) -> Result<Command> {
    let (pop, mail) = (task.pop()?, maildir(task)?);
    let file = task.state.join("mpoprc");
    put(
        &file,
        &format!(
            "account bench\nhost 127.0.0.1\nport {}\nuser {}\npassword {}\nauth user\ntls off\nkeep on\n\
             delivery maildir {mail}\nuidls_file {}\naccount default : bench\n",
            pop.port(),
            pop.user(),
            pop.password(),
            task.state.join("uidls").display(),
        ),
    )?;
    let mut command = Command::new("mpop");
    command
        .arg(format!("--file={}", file.display()))
        .arg("--quiet")
        .env("HOME", task.state);
    Ok(command)
}

fn getmail(task: &Task<'_>) -> Result<Command> {
    let (pop, mail) = (task.pop()?, maildir(task)?);
    let user = match rustix::process::geteuid().is_root() {
        true => given_to_nobody(Path::new(&mail))?,
        false => "",
    };
    put(
        &task.state.join("getmailrc"),
        &format!(
            "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = {}\nusername = {}\npassword = {}\n\
             [destination]\ntype = Maildir\npath = {mail}/\n{user}\
             [options]\ndelete = false\nread_all = true\nverbose = 0\nreceived = false\ndelivered_to = false\n",
            pop.port(),
            pop.user(),
            pop.password(),
        ),
    )?;
    let mut command = Command::new("getmail");
    command
        .arg(format!("--getmaildir={}", task.state.display()))
        .arg("--rcfile=getmailrc")
        .env("HOME", task.state);
    Ok(command)
}

/// getmail delivers nothing as the super-user: it changes to the one that its file names.
fn given_to_nobody(mail: &Path) -> Result<&'static str> {
    use std::os::unix::fs::{PermissionsExt, chown};
    /// Debian's `nobody` and `nogroup`.
    const NOBODY: Option<u32> = Some(65_534);
    for directory in ["", "cur", "new", "tmp"] {
        chown(mail.join(directory), NOBODY, NOBODY)?;
    }
    // Up to the scene's own directory, which nobody else may enter.
    for above in mail.ancestors().skip(1).take(2) {
        fs::set_permissions(above, fs::Permissions::from_mode(0o711))?;
    }
    Ok("user = nobody\n")
}

fn hikyaku(task: &Task<'_>) -> Result<Command> {
    let mut command = Command::new(hikyaku_program());
    match task.work {
        Work::Scan => {
            command
                .arg("folders")
                .arg(format!("mbox:{}", task.mbox()?.display()));
        }
        Work::ToMaildir => {
            command
                .arg("backup")
                .arg(format!("mbox:{}", task.mbox()?.display()))
                .arg(task.state.join("mail"));
        }
        Work::Pop => {
            let pop = task.pop()?;
            let file = task.state.join("password");
            put(&file, &format!("{}\n", pop.password()))?;
            command
                .arg("backup")
                .arg(format!(
                    "pop3+insecure://{}@127.0.0.1:{}",
                    pop.user(),
                    pop.port()
                ))
                .arg(task.state.join("mail"))
                .arg("--source-password-file")
                .arg(file);
        }
    }
    command
        .arg("--state")
        .arg(task.state.join("ledger"))
        .args(["--lang", "en"])
        .env("HOME", task.state)
        .env("XDG_CONFIG_HOME", task.state)
        .env_remove("HIKYAKU_LOG");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn what_was_counted_stands_in_the_last_line_that_begins_with_a_number() {
        assert_eq!(counted("40000\n"), 40_000);
        assert_eq!(
            counted("Folder  Messages\nm  40,000\n\n40,000 messages (605 MB) in 1 folder\n"),
            40_000
        );
        assert_eq!(counted("nothing"), 0);
    }
}
