//! The command line. What it means is DESIGN's contract; this file is its spelling.

mod labels;
mod reading;
#[cfg(all(test, feature = "demo"))]
mod reference;
mod side;

pub(crate) use labels::LabelArgs;
pub(crate) use reading::Reading;
pub(crate) use side::{AccountArgs, DestinationArgs, SourceArgs};

use crate::values;
use clap::{Args as ArgGroup, Parser, Subcommand, ValueEnum, ValueHint};
use hikyaku_core::MailboxName;
use hikyaku_text::Lang;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Most connections to one account that anybody may ask for.
pub(crate) const MOST_CONNECTIONS: usize = 32;

const LOCATORS: &str = "\
Locators:
  imaps://user@host[:993][/folder]           TLS from the start
  imap://user@host[:143][/folder]            STARTTLS, required
  imap+insecure://user@host[:143][/folder]   no encryption
  pop3s://user@host[:995]                    POP3, TLS from the start (source only)
  pop3://user@host[:110]                     POP3, STLS required (source only)
  pop3+insecure://user@host[:110]            POP3, no encryption (source only)
  old:  old:/folder                          a saved account of the configuration
  PATH                                       mail in files, recognised (source only)
  mbox:PATH maildir:PATH thunderbird:PATH    the same as a kind that you name: also eml, mh,
                                             applemail, takeout, dbx, wlm, becky
  backup:DIR                                 a backup that hikyaku made
An @ inside the user name may stand as it is: imaps://taro@example.jp@mail.example.jp";

const EXIT_CODES: &str = "\
Exit codes:
   0  every message accounted for and verified
   1  usage or configuration
   2  refused by the checks before start
   3  finished with exceptions, which are listed
   4  login
   5  network or TLS
   6  quota
   7  a server asked for a pause, with --no-wait
   8  interrupted or gave up for now: run again to continue
   9  verification found a difference
  10  another run holds the account
  70  a defect of hikyaku";

const EXAMPLES: &str = "\
Examples:
  hikyaku plan imaps://taro@old.example.jp imaps://taro@new.example.jp
  hikyaku copy imaps://taro@old.example.jp imaps://taro@new.example.jp
  hikyaku copy old: new: --since 2024-01-01 --exclude 迷惑メール
  hikyaku check old: new: --full
  hikyaku find
  hikyaku leave-pop pop3s://taro@pop.example.jp ~/.thunderbird/abcd.default --to imaps://taro@new.example.jp --backup ./taro-mail
  hikyaku copy ~/.thunderbird/abcd.default imaps://taro@new.example.jp
  hikyaku backup imaps://taro@old.example.jp ./taro-mail";

/// Copies whole mailboxes from servers and files to servers and backups: exactly, incrementally,
/// resumably.
#[derive(Debug, Parser)]
#[command(
    name = "hikyaku",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_long_help = format!("{LOCATORS}\n\n{EXAMPLES}\n\n{EXIT_CODES}"),
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, ArgGroup)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Write one JSON object per event to standard output, the report last.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of messages [default: by LC_ALL, LC_MESSAGES, LANG].
    #[arg(long, global = true, value_name = "ja|en", value_parser = lang)]
    pub(crate) lang: Option<Lang>,
    /// Directory of the ledger [default: $XDG_STATE_HOME/hikyaku].
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) state: Option<PathBuf>,
    /// Configuration file [default: $XDG_CONFIG_HOME/hikyaku/config.toml].
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Most connections to each account [default: 4].
    #[arg(long, global = true, value_name = "N", value_parser = connections)]
    pub(crate) connections: Option<usize>,
    /// Most octets per second, such as 2M.
    #[arg(long, global = true, value_name = "RATE", value_parser = values::rate)]
    pub(crate) bwlimit: Option<u64>,
    /// End with exit code 7 when a server asks for a pause, instead of waiting.
    #[arg(long, global = true)]
    pub(crate) no_wait: bool,
    /// Log to standard error; twice for the details of every connection.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copy what is not there yet, verify it, and report.
    ///
    /// The source is only ever read. A run that was interrupted continues where it
    /// stopped; a second run copies only what is new.
    #[command(after_long_help = LOCATORS)]
    Copy(CopyArgs),
    /// Show what `copy` would do; nothing is written.
    #[command(after_long_help = LOCATORS)]
    Plan(PlanArgs),
    /// Compare both sides without copying, or a backup with its own list.
    #[command(after_long_help = LOCATORS)]
    Check(CheckArgs),
    /// Save all mail of an account into a directory.
    ///
    /// Every octet, flag, date and folder is kept. Running it again adds what is new and follows
    /// changed flags; nothing is ever removed from a backup.
    #[command(after_long_help = LOCATORS)]
    Backup(BackupArgs),
    /// Bring the mail of a backup into an account.
    #[command(after_long_help = LOCATORS)]
    Restore(RestoreArgs),
    /// Move from POP to IMAP: save, check, copy and verify, in this order.
    ///
    /// At the end it says which sources may be given up. Every step is announced and asked for; nothing
    /// is skipped, nothing is changed or deleted at the sources, and the same command goes on
    /// wherever it was stopped. Several sources (the POP server, this computer, an old computer's disk)
    /// come together in one account, each message once.
    #[command(name = "leave-pop", after_long_help = LOCATORS)]
    LeavePop(LeavePopArgs),
    /// List the mail that programs keep on this computer.
    Find(FindArgs),
    /// Take back what `copy` brought to the destination.
    ///
    /// Only copies that the ledger proves, that nobody changed or moved since, and that the source
    /// still has. Everything else stays, and so do the folders. Shows what would go and asks first.
    #[command(after_long_help = LOCATORS)]
    Undo(UndoArgs),
    /// List the folders of an account.
    Folders(ListArgs),
    /// Show how much mail an account holds: by folder, by year, largest messages.
    Size(ListArgs),
    /// Show the report of a run again.
    Report(ReportArgs),
    /// List the pairs of accounts that the ledger knows, with their runs.
    Jobs,
    /// Delete what the ledger knows about a pair of accounts. Mail is not touched.
    Forget(ForgetArgs),
    /// Explain an error code such as A201.
    Explain {
        /// The code; without it, all are listed.
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page per command into a directory.
    Man {
        /// Write the pages as files into this directory.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
    /// Work with the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Offer copying as a web page: pages, workers and database in one process.
    ///
    /// `--config` names the file of the service, which is another one than that of the
    /// other commands.
    Serve(ServeArgs),
    /// Copy a sample mailbox between two servers inside this program, then open the
    /// web page to try it out.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
}

/// `serve`.
#[derive(Debug, ArgGroup)]
pub(crate) struct ServeArgs {
    /// A brand: name, texts, plans and the server to copy to; repeatable, the first is the usual one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) brand: Vec<PathBuf>,
    /// Address and port of the page [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Show mails on the page /mail instead of sending them, for trying out.
    #[arg(long)]
    pub(crate) catch_mail: bool,
}

/// `demo`.
#[cfg(feature = "demo")]
#[derive(Debug, ArgGroup)]
pub(crate) struct DemoArgs {
    /// Leave the page open even where nobody watches a terminal.
    #[arg(long)]
    pub(crate) stay: bool,
    /// Address and port of the page [default: 127.0.0.1:8080, or a free port].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration and show what it says.
    Check,
}

/// `copy`.
#[derive(Debug, ArgGroup)]
pub(crate) struct CopyArgs {
    /// Only show the plan.
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// `plan`.
#[derive(Debug, ArgGroup)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) pair: Pair,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Put everything below this folder of the destination.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) under: Option<MailboxName>,
    /// Copy the newest messages first.
    #[arg(long)]
    pub(crate) newest_first: bool,
    /// Where the destination has too little room for all: copy what fits, INBOX first, newest first.
    #[arg(long)]
    pub(crate) fit: bool,
    /// Use all room of the destination; keep nothing free there for new mail.
    #[arg(long)]
    pub(crate) fill: bool,
    /// Where a message that is at the destination already is looked for. account: when it is not in
    /// the folder that it would be copied into, in all others but the trash and the junk too. Usual:
    /// account for files and POP3 servers, mailbox for IMAP servers.
    #[arg(long = "match", value_enum, value_name = "WHERE")]
    pub(crate) matching: Option<Matching>,
    /// Look nothing up in the ledger; compare everything by content.
    #[arg(long)]
    pub(crate) stateless: bool,
    /// Copy again what was moved or deleted at the destination since.
    #[arg(long)]
    pub(crate) recopy: bool,
    /// Copy everything again. replace: when all is verified, earlier copies that nobody touched are
    /// removed. folder: below a folder that carries the date; nothing is removed.
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "stateless")]
    pub(crate) fresh: Option<Fresh>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
}

/// Where a message that is at the destination already is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Matching {
    /// In the folder that it would be copied into.
    Mailbox,
    /// In all folders.
    Account,
}

/// How everything is copied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fresh {
    /// In place of the earlier copies.
    Replace,
    /// Beside them, below a folder of today.
    Folder,
}

/// `undo`.
#[derive(Debug, ArgGroup)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) pair: Pair,
    /// Only show what would go.
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
}

/// `check`.
#[derive(Debug, ArgGroup)]
pub(crate) struct CheckArgs {
    /// Where the mail was copied from; or a backup, to compare it with its own list.
    #[arg(value_name = "SOURCE")]
    pub(crate) from: String,
    /// Where it was copied to.
    #[arg(value_name = "DESTINATION")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Read every message back from both sides and compare its octets.
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// The folder of the destination below which everything was put.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) under: Option<MailboxName>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
}

/// `backup`.
#[derive(Debug, ArgGroup)]
pub(crate) struct BackupArgs {
    /// Where the mail is; only read.
    #[arg(value_name = "SOURCE")]
    pub(crate) from: String,
    /// The directory: empty, not there yet, or with a backup to go on with.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// How the messages lie there [default: as in the backup that is there, else maildir].
    #[arg(long, value_name = "maildir|mbox|eml", value_parser = format)]
    pub(crate) format: Option<hikyaku_backup::Format>,
    /// Only show what would be saved.
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// `restore`.
#[derive(Debug, ArgGroup)]
pub(crate) struct RestoreArgs {
    /// The directory of the backup; only read.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// Where the mail goes.
    #[arg(value_name = "DESTINATION")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Put everything below this folder of the destination.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) under: Option<MailboxName>,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
}

/// `leave-pop`.
#[derive(Debug, ArgGroup)]
#[command(group = clap::ArgGroup::new("saved").required(true))]
pub(crate) struct LeavePopArgs {
    /// Where the mail is; only read: a POP account, mail in files, another account. Repeatable.
    #[arg(value_name = "SOURCE", required_unless_present = "find")]
    pub(crate) from: Vec<String>,
    /// The IMAP account to which it goes.
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) to: String,
    /// Where the backup of every source is made: a directory, of which each gets a part.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, group = "saved")]
    pub(crate) backup: Option<PathBuf>,
    /// You have a backup of your own; none is made or checked.
    #[arg(long, group = "saved")]
    pub(crate) have_backup: bool,
    /// Also everything that `hikyaku find` finds on this computer.
    #[arg(long)]
    pub(crate) find: bool,
    /// Do not ask before each step.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Read every message back and compare its octets when verifying.
    #[arg(long)]
    pub(crate) full: bool,
    /// How the messages lie in the backup [default: as in the backup that is there, else maildir].
    #[arg(long, value_name = "maildir|mbox|eml", value_parser = format)]
    pub(crate) format: Option<hikyaku_backup::Format>,
    /// Put everything below this folder of the destination.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) under: Option<MailboxName>,
    /// Use all room of the destination; keep nothing free there for new mail.
    #[arg(long)]
    pub(crate) fill: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
}

/// `find`.
#[derive(Debug, ArgGroup)]
pub(crate) struct FindArgs {
    /// The home directory to look in, such as that of an old computer's disk [default: your own].
    #[arg(value_name = "HOME", value_hint = ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
}

/// The two sides.
#[derive(Debug, ArgGroup)]
pub(crate) struct Pair {
    /// Where the mail is; only read.
    #[arg(value_name = "SOURCE")]
    pub(crate) from: String,
    /// Where it goes.
    #[arg(value_name = "DESTINATION")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// Which mail.
#[derive(Debug, Default, ArgGroup)]
pub(crate) struct Filters {
    /// Only this folder and what lies below it, named as `folders` lists it; repeatable.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) folder: Vec<MailboxName>,
    /// Not this folder, nor what lies below it; repeatable.
    #[arg(long, value_name = "FOLDER", value_parser = values::mailbox)]
    pub(crate) exclude: Vec<MailboxName>,
    /// Only what arrived on this day or later: 2024-01-31 (local) or RFC 3339.
    #[arg(long, value_name = "DATE", value_parser = values::moment, allow_negative_numbers = true)]
    pub(crate) since: Option<i64>,
    /// Only what arrived before this day.
    #[arg(long, value_name = "DATE", value_parser = values::moment, allow_negative_numbers = true)]
    pub(crate) before: Option<i64>,
    /// Leave larger messages out, and list them: 100M is 104,857,600 octets.
    #[arg(long, value_name = "SIZE", value_parser = values::octets)]
    pub(crate) max_message_size: Option<u64>,
}

/// `folders` and `size`.
#[derive(Debug, ArgGroup)]
pub(crate) struct ListArgs {
    /// The account or one folder of it, mail in files, or a backup.
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: String,
    #[command(flatten)]
    pub(crate) options: AccountArgs,
}

/// `report`.
#[derive(Debug, ArgGroup)]
pub(crate) struct ReportArgs {
    /// Which run, as `jobs` lists it [default: the last].
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One line per folder and per exception.
    Csv,
}

/// `forget`.
#[derive(Debug, ArgGroup)]
pub(crate) struct ForgetArgs {
    /// Which pair, as `jobs` lists it.
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

fn lang(text: &str) -> Result<Lang, String> {
    Lang::from_name(text).ok_or_else(|| "write ja or en".to_owned())
}

fn format(text: &str) -> Result<hikyaku_backup::Format, String> {
    hikyaku_backup::Format::from_name(text).ok_or_else(|| "write maildir, mbox or eml".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    let count = text.parse().ok();
    count
        .filter(|count| (1..=MOST_CONNECTIONS).contains(count))
        .ok_or_else(|| format!("write a number from 1 to {MOST_CONNECTIONS}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_password_has_no_option_of_its_own() {
        for text in ["--source-password", "--password", "--destination-password"] {
            let given = ["hikyaku", "copy", "a:", "b:", text, "x"];
            assert!(Args::try_parse_from(given).is_err(), "{text}");
        }
    }

    #[test]
    fn one_secret_per_side() {
        let given = |more: &[&str]| {
            let base = ["hikyaku", "copy", "aa:", "bb:"];
            Args::try_parse_from(base.iter().chain(more))
        };
        assert!(
            given(&[
                "--source-password-env",
                "A",
                "--destination-password-file",
                "b"
            ])
            .is_ok()
        );
        for both in [
            ["--source-password-env", "A", "--source-password-file", "b"],
            ["--source-password-env", "A", "--source-token-env", "B"],
            [
                "--destination-pin",
                &"ab".repeat(32),
                "--destination-ca-file",
                "b",
            ],
        ] {
            assert!(given(&both).is_err(), "{both:?}");
        }
    }
}
