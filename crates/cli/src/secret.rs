//! Passwords and tokens: where they come from, and what is odd about them.
//!
//! A secret never enters argv, an error, a log or the environment of a child.

use hikyaku_net::Secret;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Where a secret is to be read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretFrom {
    /// The first line of a file.
    File(PathBuf),
    /// The first line of what a shell command prints.
    Command(String),
    /// An environment variable.
    Env(String),
}

impl fmt::Debug for SecretFrom {
    /// Without the command: a careless one holds the secret itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Command(_) => f.write_str("Command"),
            Self::Env(name) => write!(f, "Env({name})"),
        }
    }
}

/// Why there is no secret.
#[derive(Debug)]
pub(crate) enum SecretProblem {
    /// The file cannot be read.
    File(PathBuf, io::ErrorKind),
    /// The command could not be started or did not succeed; its exit code.
    Command(Option<i32>),
    /// The variable is not set.
    Env(String),
    /// What was read is empty.
    Empty,
    /// There is no terminal to ask on.
    NoTerminal,
    /// It is too long to be a password.
    TooLong,
}

/// Something odd that is left as it is: it may belong to the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SecretRemark {
    /// It begins with a byte order mark.
    ByteOrderMark,
    /// It has letters or digits of full width.
    FullWidth,
    /// It has a no-break space or an ideographic space.
    OddSpace,
    /// It begins or ends with a blank.
    EdgeBlank,
    /// It has characters that are not seen.
    Unseen,
    /// The file can be read by everybody on this computer.
    Readable,
}

/// Longest secret that is read, in octets; tokens are a few thousand.
const MOST: u64 = 64 * 1024;

/// Reads a secret. The first line counts, without its line end.
pub(crate) fn read(from: &SecretFrom) -> Result<(Secret, Vec<SecretRemark>), SecretProblem> {
    let mut remarks = Vec::new();
    let octets = match from {
        SecretFrom::File(path) => {
            let wrong = |e: io::Error| SecretProblem::File(path.clone(), e.kind());
            let file = File::open(path).map_err(wrong)?;
            if is_public(&file) {
                remarks.push(SecretRemark::Readable);
            }
            first_line(file, path)?
        }
        SecretFrom::Command(command) => run(command)?,
        SecretFrom::Env(name) => match std::env::var_os(name) {
            Some(value) => Zeroizing::new(value.into_encoded_bytes()),
            None => return Err(SecretProblem::Env(name.clone())),
        },
    };
    if octets.is_empty() {
        return Err(SecretProblem::Empty);
    }
    remarks.extend(examine(&octets));
    Ok((Secret::new(octets.as_slice()), remarks))
}

/// Asks on the terminal, without echo. Where standard input is something else, a
/// script is running, and nobody would answer.
pub(crate) fn ask(prompt: &str) -> Result<(Secret, Vec<SecretRemark>), SecretProblem> {
    if !io::stdin().is_terminal() {
        return Err(SecretProblem::NoTerminal);
    }
    let typed = rpassword::prompt_password(prompt).map_err(|_| SecretProblem::NoTerminal)?;
    let typed = Zeroizing::new(typed);
    if typed.is_empty() {
        return Err(SecretProblem::Empty);
    }
    Ok((Secret::new(typed.as_bytes()), examine(typed.as_bytes())))
}

fn first_line(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretProblem> {
    let mut octets = Zeroizing::new(Vec::with_capacity(4096));
    file.take(MOST + 1)
        .read_to_end(&mut octets)
        .map_err(|e| SecretProblem::File(path.to_owned(), e.kind()))?;
    cut(octets)
}

fn run(command: &str) -> Result<Zeroizing<Vec<u8>>, SecretProblem> {
    let failed = |_| SecretProblem::Command(None);
    let mut child = shell(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(4096));
    if let Some(stdout) = child.stdout.take() {
        stdout
            .take(MOST + 1)
            .read_to_end(&mut octets)
            .map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(SecretProblem::Command(status.code()));
    }
    cut(octets)
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

fn cut(mut octets: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SecretProblem> {
    if octets.len() as u64 > MOST {
        return Err(SecretProblem::TooLong);
    }
    if let Some(end) = octets.iter().position(|&b| b == b'\n') {
        octets.truncate(end);
        if octets.last() == Some(&b'\r') {
            octets.pop();
        }
    }
    Ok(octets)
}

/// What is odd, in a fixed order, each once.
fn examine(octets: &[u8]) -> Vec<SecretRemark> {
    let Ok(text) = std::str::from_utf8(octets) else {
        return Vec::new();
    };
    let mut remarks = Vec::new();
    let inside = text.strip_prefix('\u{feff}').unwrap_or(text);
    if inside.len() < text.len() {
        remarks.push(SecretRemark::ByteOrderMark);
    }
    if inside.contains(|c| matches!(c, '\u{ff01}'..='\u{ff5e}')) {
        remarks.push(SecretRemark::FullWidth);
    }
    if inside.contains(['\u{a0}', '\u{202f}', '\u{3000}']) {
        remarks.push(SecretRemark::OddSpace);
    }
    if inside.starts_with([' ', '\t']) || inside.ends_with([' ', '\t']) {
        remarks.push(SecretRemark::EdgeBlank);
    }
    if inside.contains(|c| c != '\t' && hikyaku_text::escape::is_unseen(c)) {
        remarks.push(SecretRemark::Unseen);
    }
    remarks
}

#[cfg(unix)]
fn is_public(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_public(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(octets: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(octets).expect("write");
        file
    }

    fn from_file(octets: &[u8]) -> Result<(Vec<u8>, Vec<SecretRemark>), SecretProblem> {
        let file = file(octets);
        read(&SecretFrom::File(file.path().to_owned()))
            .map(|(secret, remarks)| (secret.expose().to_vec(), remarks))
    }

    #[test]
    fn the_first_line_is_the_secret() {
        for (octets, secret) in [
            (&b"pass"[..], &b"pass"[..]),
            (b"pass\n", b"pass"),
            (b"pass\r\n", b"pass"),
            (b"pa ss\nsecond\n", b"pa ss"),
            (b"caf\xe9\n", b"caf\xe9"),
        ] {
            let (read, remarks) = from_file(octets).expect("secret");
            assert_eq!((read.as_slice(), remarks.len()), (secret, 0));
        }
        assert!(matches!(from_file(b"\nsecond"), Err(SecretProblem::Empty)));
        assert!(matches!(
            from_file(&[b'x'; 70_000]),
            Err(SecretProblem::TooLong)
        ));
    }

    #[test]
    fn oddities_are_told_and_kept() {
        use SecretRemark as R;
        for (text, expected) in [
            ("\u{feff}pass", &[R::ByteOrderMark][..]),
            ("ｐａｓｓ１", &[R::FullWidth]),
            ("pa\u{a0}ss", &[R::OddSpace]),
            ("pass\u{3000}", &[R::OddSpace]),
            (" pass", &[R::EdgeBlank]),
            ("pass\t\n", &[R::EdgeBlank]),
            ("pa\u{200b}ss", &[R::Unseen]),
            ("パスワード", &[]),
        ] {
            let (read, remarks) = from_file(text.as_bytes()).expect("secret");
            assert_eq!(remarks, expected, "{text:?}");
            assert_eq!(read, text.trim_end_matches('\n').as_bytes());
        }
    }

    #[test]
    fn commands_print_the_secret_and_must_succeed() {
        let (secret, _) = read(&SecretFrom::Command("printf 'a b\\nc'".into())).expect("secret");
        assert_eq!(secret.expose(), b"a b");
        let failed = read(&SecretFrom::Command("echo planted; exit 3".into()));
        assert!(matches!(failed, Err(SecretProblem::Command(Some(3)))));
    }

    #[test]
    fn what_is_missing_is_named_without_showing_a_secret() {
        let missing = read(&SecretFrom::File("/nonexistent/pass".into()));
        assert!(matches!(
            missing,
            Err(SecretProblem::File(_, io::ErrorKind::NotFound))
        ));
        let unset = read(&SecretFrom::Env("HIKYAKU_TEST_NOT_SET".into()));
        assert!(matches!(unset, Err(SecretProblem::Env(_))));
        let command = SecretFrom::Command("echo planted-4711".into());
        assert!(!format!("{command:?}").contains("4711"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_everybody_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let file = file(b"pass\n");
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(file.path(), open).expect("permissions");
        let (_, remarks) = read(&SecretFrom::File(file.path().to_owned())).expect("secret");
        assert_eq!(remarks, [SecretRemark::Readable]);
    }
}
