//! Filling a Dovecot account by writing its files, as fast as the disk takes them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use super::load::wire_name;
use super::{GeneratedAccount, GeneratedMailbox, GeneratedMessage};
use crate::judge::{date, name};
use crate::servers::{Account, Dovecot, MailServer, mail_owner};

/// Writes the account's Maildir, subscribes through the judge and has Dovecot index it, so that a benchmark starts from
/// an account in use. The instance must keep Maildir with the account not yet used.
///
/// Lines end with LF in the files, as Dovecot writes them itself; the octets over IMAP are those of the bodies, which
/// must have CRLF at every line end.
pub fn fill_maildir(
    server: &Dovecot,
    account: &Account,
    generated: &GeneratedAccount,
) -> Result<()> {
    let root = server.mail_directory(account);
    ensure!(
        root.ends_with("Maildir"),
        "the instance does not keep Maildir"
    );
    let owner = mail_owner()?;
    for (index, mailbox) in generated.mailboxes.iter().enumerate() {
        let mut path = root.clone();
        if mailbox.levels != ["INBOX"] {
            let encoded: Vec<String> = mailbox
                .levels
                .iter()
                .map(|level| String::from_utf8_lossy(&name::encode(level)).into_owned())
                .collect();
            path.push(format!(".{}", encoded.join(".")));
        }
        write_mailbox(&path, mailbox, 1_700_000_000 + index as u32)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    give(root.parent().context("a Maildir has a home")?, owner)?;
    let mut judge = server.judge(account)?;
    for mailbox in generated
        .mailboxes
        .iter()
        .filter(|mailbox| mailbox.subscribed)
    {
        judge
            .subscribe(wire_name(server, &mailbox.levels))?
            .accepted()?;
    }
    server.doveadm(&["index", "-u", &account.user, "*"])?;
    Ok(())
}

fn write_mailbox(path: &Path, mailbox: &GeneratedMailbox, uid_validity: u32) -> Result<()> {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(path.join(part))?;
    }
    File::create(path.join("maildirfolder"))?;
    let count = mailbox.messages.len();
    let mut list = format!(
        "3 V{uid_validity} N{} G{:032x}\n",
        count + 1,
        u128::from(uid_validity) << 64
    );
    let mut keywords: Vec<&str> = Vec::new();
    let mut message_octets = Vec::new();
    for (index, message) in mailbox.messages.iter().enumerate() {
        let size = unix_lines(message, &mut message_octets)?;
        let base = format!(
            "{}.M{index}P1.hikyaku,S={},W={size}",
            1_600_000_000 + index,
            message_octets.len()
        );
        writeln!(list, "{} :{base}", index + 1)?;
        let file = path
            .join("cur")
            .join(format!("{base}:2,{}", letters(message, &mut keywords)?));
        let mut file = File::create(file)?;
        file.write_all(&message_octets)?;
        let seconds = message
            .internal_date
            .as_deref()
            .and_then(date::parse)
            .context("a message without a date")?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds)?))?;
    }
    fs::write(path.join("dovecot-uidlist"), list)?;
    let lines = keywords
        .iter()
        .enumerate()
        .map(|(index, keyword)| format!("{index} {keyword}\n"));
    fs::write(path.join("dovecot-keywords"), lines.collect::<String>())?;
    Ok(())
}

/// Fills `octets` with the message, CRLF made LF, and returns its size with CRLF.
fn unix_lines(message: &GeneratedMessage, octets: &mut Vec<u8>) -> Result<usize> {
    octets.clear();
    message.body.reader().read_to_end(octets)?;
    let size = octets.len();
    ensure!(
        octets
            .iter()
            .enumerate()
            .all(|(at, octet)| *octet != b'\n' || (at > 0 && octets[at - 1] == b'\r')),
        "a message with a bare LF cannot be written as a file"
    );
    ensure!(
        octets.iter().filter(|octet| **octet == b'\r').count()
            == octets.iter().filter(|octet| **octet == b'\n').count(),
        "a message with a bare CR cannot be written as a file"
    );
    octets.retain(|octet| *octet != b'\r');
    Ok(size)
}

/// The letters after `:2,`, which stand in alphabetic order (`D` draft, `F` flagged, `R` answered, `S` seen, `T` deleted;
/// small ones for keywords).
fn letters<'a>(message: &'a GeneratedMessage, keywords: &mut Vec<&'a str>) -> Result<String> {
    let mut letters = Vec::new();
    for flag in &message.flags {
        letters.push(match flag.as_str() {
            "\\Draft" => 'D',
            "\\Flagged" => 'F',
            "\\Answered" => 'R',
            "\\Seen" => 'S',
            "\\Deleted" => 'T',
            keyword => {
                let index = keywords
                    .iter()
                    .position(|known| *known == keyword)
                    .unwrap_or_else(|| {
                        keywords.push(keyword);
                        keywords.len() - 1
                    });
                ensure!(index < 26, "a Maildir has room for 26 keywords");
                char::from(b'a' + u8::try_from(index)?)
            }
        });
    }
    letters.sort_unstable();
    Ok(letters.into_iter().collect())
}

/// Gives a directory and all below it to the mail's owner.
fn give(path: &Path, (user, group): (u32, u32)) -> Result<()> {
    chown(path, Some(user), Some(group))?;
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), (user, group))?;
        }
    }
    Ok(())
}
