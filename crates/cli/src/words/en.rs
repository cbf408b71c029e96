//! English.

use crate::config::{ConfigProblem, Expected, Why};
use crate::locator::LocatorProblem;
use crate::problem::Problem;
use crate::secret::{SecretProblem, SecretRemark};
use hikyaku_core::Side;
use std::io::ErrorKind;

const EXAMPLE: &str = "Example: imaps://taro@mail.example.jp";

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

fn option(side_: Side) -> String {
    format!("--{}", side(side_))
}

pub(super) fn problem(problem: &Problem) -> (String, String) {
    match problem {
        Problem::Locator(text, why) => {
            let (cause, remedy) = locator(why);
            (format!("\"{text}\" cannot be used: {cause}."), remedy)
        }
        Problem::NotYet(kind) => (
            format!("\"{kind}\" is not in this version."),
            "This version reads IMAP (imaps://), POP3 (pop3s://), mail in files (PATH, mbox:PATH and others) and backups, and writes to IMAP and backups."
                .into(),
        ),
        Problem::Place(text) => (
            format!("There is no file or folder \"{text}\"."),
            format!("Check the path. {EXAMPLE}, or a saved account as name:"),
        ),
        Problem::OnlySource(text) => (
            format!("\"{text}\" can only be read; mail cannot be copied into it."),
            "To save mail on this computer, use `hikyaku backup SOURCE DIR`.".into(),
        ),
        Problem::BackupWithin(backup, files) => (
            format!(
                "The backup ({}) and the mail ({}) lie within one another: every run would save the backup again as if it were mail.",
                backup.display(),
                files.display()
            ),
            "Choose a directory for the backup outside of the mail, best on another disk.".into(),
        ),
        Problem::NothingToCompare => (
            "There is nothing to compare with: one account alone was given.".into(),
            "Name the destination as well. A directory alone has to be a backup that hikyaku made."
                .into(),
        ),
        Problem::NoHome => (
            "Nobody says where your files are: HOME is not set.".into(),
            "Name the home directory: `hikyaku find DIR`.".into(),
        ),
        Problem::NoSource => (
            "No mail was found on this computer, and no other source is named.".into(),
            "Name the POP account or the place of the mail: hikyaku leave-pop pop3s://taro@pop.example.jp --to …".into(),
        ),
        Problem::SavedName(name, Some(like)) => (
            format!("The configuration has no account \"{name}\"."),
            format!("Did you mean {like}:?"),
        ),
        Problem::SavedName(name, None) => (
            format!("The configuration has no account \"{name}\"."),
            format!(
                "Add [accounts.{name}] to the configuration, or write the locator itself. {EXAMPLE}"
            ),
        ),
        Problem::Config(problem) => config(problem),
        Problem::Secret(side, why) => secret(*side, why),
        Problem::CaFile(path, why) => (
            format!(
                "The certificate file {} cannot be used: {why}.",
                path.display()
            ),
            "Name a PEM file with at least one certificate.".into(),
        ),
        Problem::EmptyTime => (
            "--since is not before --before, so no message is inside.".into(),
            "Check the two dates.".into(),
        ),
        Problem::UnderTwice => (
            "The destination's folder is given twice: in the locator and by --under.".into(),
            "Leave one of them out.".into(),
        ),
        Problem::LabelPriority => (
            "--label-priority decides nothing where messages are copied for every label.".into(),
            "Leave it out, or choose --labels one.".into(),
        ),
        Problem::State(path, kind) => (
            format!(
                "The ledger's directory {} cannot be used: {}.",
                path.display(),
                io(*kind)
            ),
            "Name another with --state, or correct its owner and permissions.".into(),
        ),
        Problem::NoState => (
            "There is no place for the ledger: neither XDG_STATE_HOME nor HOME is set.".into(),
            "Name a directory with --state.".into(),
        ),
        Problem::UnknownCode(code, Some(like)) => (
            format!("There is no error code \"{code}\"."),
            format!("Did you mean {like}?"),
        ),
        Problem::UnknownCode(code, None) => (
            format!("There is no error code \"{code}\"."),
            "`hikyaku explain` lists all of them.".into(),
        ),
        Problem::UnknownRun(run) => (
            format!("The ledger knows no run or job \"{run}\"."),
            "`hikyaku jobs` lists what it knows.".into(),
        ),
        Problem::NoRun => (
            "The ledger knows no run yet.".into(),
            "Run `hikyaku copy` first, or name the ledger's directory with --state.".into(),
        ),
        Problem::Unended(run) => (
            format!("Run {run} has no report: it still goes on, or it was killed."),
            "Run the same command again: it continues where the run stopped.".into(),
        ),
        Problem::Unconfirmed => (
            "There is no terminal on which to ask whether this is meant.".into(),
            "Add --yes when it is.".into(),
        ),
        Problem::Output(path, kind) => (
            format!("{} cannot be written: {}.", path.display(), io(*kind)),
            "Check the place and its permissions.".into(),
        ),
        Problem::Service(problem) => (
            format!("The settings of the service cannot be used: {problem}."),
            "Mend the line named, then start again.".into(),
        ),
        Problem::Listen(address, kind) => (
            format!("The page cannot be offered at {address}: {}.", io(*kind)),
            "Choose another address or port with --listen, such as 127.0.0.1:8081.".into(),
        ),
    }
}

fn locator(why: &LocatorProblem) -> (String, String) {
    use LocatorProblem as P;
    let example = || EXAMPLE.to_owned();
    match why {
        P::Empty => ("it is empty".into(), example()),
        P::Control => ("it holds a control character".into(), example()),
        P::Scheme(scheme, Some(like)) => (
            format!("there is no kind \"{scheme}://\""),
            format!("Did you mean {like}://?"),
        ),
        P::Scheme(scheme, None) => (format!("there is no kind \"{scheme}://\""), example()),
        P::Kind(kind) => (
            format!("\"{kind}:\" is neither a kind of account nor a saved name"),
            format!("{EXAMPLE}, or a saved account as name: or name:/folder."),
        ),
        P::Bare(proposal) => (
            "it does not say how to connect".into(),
            format!("Write the kind in front and the server behind: {proposal}@mail.example.jp, or {proposal} if the server is named already."),
        ),
        P::User => ("the user name before the @ is missing".into(), example()),
        P::Password => (
            "it holds a password, which other users of this computer could see".into(),
            "Leave the password out: you will be asked for it, or name a file with --source-password-file or --destination-password-file. A : in a user name is written %3A.".into(),
        ),
        P::HostMissing => ("the server after the @ is missing".into(), example()),
        P::Host(host) => (
            format!("\"{host}\" is no server name or address"),
            format!("{EXAMPLE}. An IPv6 address stands in brackets: imaps://taro@[2001:db8::1]"),
        ),
        P::Port(port) => (
            format!("\"{port}\" is no port from 1 to 65535"),
            "Example: imaps://taro@mail.example.jp:993".into(),
        ),
        P::Percent(text) => (
            format!("after a % in \"{text}\" two hexadecimal digits of UTF-8 have to follow"),
            "A percent sign itself is written %25.".into(),
        ),
        P::Mailbox => (
            "POP3 has no folders".into(),
            "Leave out what follows the server's name.".into(),
        ),
        P::Path(kind) => (
            format!("no path follows \"{kind}:\""),
            format!("Example: {kind}:./mail"),
        ),
    }
}

fn config(problem: &ConfigProblem) -> (String, String) {
    let place = match problem.line {
        Some(line) => format!("{}, line {line}", problem.path.display()),
        None => problem.path.display().to_string(),
    };
    let (cause, remedy) = match &problem.why {
        Why::Unreadable(kind) => (
            format!("the configuration cannot be read: {}", io(*kind)),
            "Check the path and its permissions.".into(),
        ),
        Why::Syntax(words) => (format!("this is no TOML: {words}"), "Correct the line.".into()),
        Why::Key(key, Some(like)) => (
            format!("there is no setting \"{key}\""),
            format!("Did you mean \"{like}\"?"),
        ),
        Why::Key(key, None) => (
            format!("there is no setting \"{key}\""),
            "Remove the line, or see docs/cli.md for all settings.".into(),
        ),
        Why::Type(key, expected) => (
            format!("\"{key}\" has to be {}", expected_words(*expected)),
            "Correct the value.".into(),
        ),
        Why::Password(key) => (
            format!("passwords are not kept in the configuration (\"{key}\")"),
            "Use password-file, password-command or password-env instead, and change the password if others could read this file.".into(),
        ),
        Why::Both(one, other) if one == other => {
            (format!("more than one {one} is set"), "Keep one of them.".into())
        }
        Why::Both(one, other) => (
            format!("{one} and {other} are both set"),
            "Keep one of them.".into(),
        ),
        Why::Name(name) => (
            format!("\"{name}\" cannot be the name of an account"),
            "Use at least two letters, digits, hyphens or underscores, and no kind such as imaps or maildir.".into(),
        ),
        Why::Missing(name) => (
            format!("the account \"{name}\" has no locator"),
            "Add a line such as locator = \"imaps://taro@mail.example.jp\"".into(),
        ),
        Why::Locator(text, why) => {
            let (cause, remedy) = locator(why);
            (format!("\"{}\" cannot be used: {cause}", crate::locator::masked(text)), remedy)
        }
        Why::OnDisk => (
            "mail on this computer has no password, certificate or connections".into(),
            "Remove those lines, or write the locator of a server.".into(),
        ),
        Why::Kind(kind) => (
            format!("an account of the kind \"{kind}\" cannot be saved in this version"),
            EXAMPLE.into(),
        ),
    };
    (format!("{place}: {cause}."), remedy)
}

fn expected_words(expected: Expected) -> &'static str {
    match expected {
        Expected::Table => "a table",
        Expected::Text => "a text in quotes",
        Expected::Count => "a whole number from 1 to 32",
        Expected::Lang => "\"ja\" or \"en\"",
        Expected::Rate => "a rate such as \"2M\"",
        Expected::Pin => "a SHA-256 fingerprint: 64 hexadecimal digits",
    }
}

fn secret(at: Side, why: &SecretProblem) -> (String, String) {
    let of = side(at);
    let option = option(at);
    match why {
        SecretProblem::File(path, kind) => (
            format!(
                "The {of} password's file {} cannot be read: {}.",
                path.display(),
                io(*kind)
            ),
            "Check the path and its permissions.".into(),
        ),
        SecretProblem::Command(Some(code)) => (
            format!("The command for the {of} password ended with exit code {code}."),
            "Run the command by itself and correct it.".into(),
        ),
        SecretProblem::Command(None) => (
            format!("The command for the {of} password could not be run."),
            "Run the command by itself and correct it.".into(),
        ),
        SecretProblem::Env(name) => (
            format!("The environment variable {name} for the {of} password is not set."),
            "Set and export it, or choose another way.".into(),
        ),
        SecretProblem::Empty => (
            format!("The {of} password is empty."),
            "The password has to stand on the first line.".into(),
        ),
        SecretProblem::NoTerminal => (
            format!("There is no terminal on which to ask for the {of} password."),
            format!(
                "Use {option}-password-file, {option}-password-command or {option}-password-env."
            ),
        ),
        SecretProblem::TooLong => (
            format!("What was read as the {of} password is longer than 64 KiB."),
            "Check that the right file or command is named.".into(),
        ),
    }
}

pub(super) fn remark(remark: SecretRemark, at: Side) -> String {
    let of = side(at);
    let what = match remark {
        SecretRemark::ByteOrderMark => "begins with a byte order mark",
        SecretRemark::FullWidth => "holds full-width letters or digits",
        SecretRemark::OddSpace => "holds a no-break or ideographic space",
        SecretRemark::EdgeBlank => "begins or ends with a blank",
        SecretRemark::Unseen => "holds characters that cannot be seen",
        SecretRemark::Readable => {
            return format!("Note: everybody on this computer can read the {of} password's file.");
        }
    };
    format!("Note: the {of} password {what}. It is used as it is.")
}

fn io(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "it does not exist".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::IsADirectory => "it is a directory".into(),
        ErrorKind::NotADirectory => "a part of its path is no directory".into(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::AddrInUse => "another program uses it".into(),
        ErrorKind::AddrNotAvailable => "it is no address of this computer".into(),
        ErrorKind::InvalidData => "it is not UTF-8".into(),
        other => other.to_string(),
    }
}
