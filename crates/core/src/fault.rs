//! Faults: what failed, how far it reaches, and what helps.

use crate::key::Key;
use std::fmt;
use std::time::Duration;

/// Which of the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The account that is read.
    Source,
    /// The account that is written.
    Destination,
}

/// How far a fault spreads. Wider reach stops more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// One message; the others go on.
    Message,
    /// One mailbox.
    Mailbox,
    /// One connection or the whole side.
    Side,
    /// Everything.
    Job,
}

/// What helps against a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same again, not before the delay that the server asked for.
    Retry {
        /// Shortest wait that the server named.
        after: Option<Duration>,
    },
    /// A person has to change something first.
    AskUser,
    /// Nothing in this run; it is listed by name.
    Skip,
    /// A defect of this program.
    Bug,
}

macro_rules! codes {
    ($($variant:ident $short:literal $dotted:literal $doc:literal;)*) => {
        /// What kind of fault: the stable contract of CLI, API and help pages.
        /// A code is never reused for another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The number that people quote, such as `A201`.
            pub fn short(self) -> &'static str {
                match self { $(Code::$variant => $short,)* }
            }

            /// The name that programs match, such as `login.rejected`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $dotted,)* }
            }

            /// One English sentence for logs and reference pages.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $doc.trim_ascii(),)* }
            }
        }
    };
}

codes! {
    HostNotFound "N101" "host.not_found" " The server's name does not resolve.";
    HostUnreachable "N102" "host.unreachable" " No connection could be made to the server.";
    HostSame "N103" "host.same" " Source and destination are the same account.";
    LinkLost "N104" "link.lost" " The connection ended unexpectedly.";
    LinkSilent "N105" "link.silent" " The server stopped answering.";
    TlsFailed "T110" "tls.failed" " No encrypted connection could be agreed on.";
    TlsName "T111" "tls.name" " The certificate is for another name.";
    TlsMismatch "T112" "tls.mismatch" " Port and encryption mode do not fit together.";
    TlsUntrusted "T113" "tls.untrusted" " The certificate's issuer is not trusted.";
    TlsExpired "T114" "tls.expired" " The certificate is not valid at this time.";
    TlsUnavailable "T115" "tls.unavailable" " The server does not offer STARTTLS.";
    TlsPin "T116" "tls.pin" " The certificate is not the pinned one.";
    LoginRejected "A201" "login.rejected" " User name or password was refused.";
    LoginAppPassword "A202" "login.app_password" " The provider wants an app password.";
    LoginOauth "A203" "login.oauth" " The provider only accepts sign-in by OAuth.";
    LoginDisabled "A204" "login.disabled" " IMAP is switched off for this account.";
    LoginLocked "A205" "login.locked" " Logins are blocked for a while after failures.";
    LoginMechanism "A206" "login.mechanism" " Client and server share no way to log in.";
    LoginExpired "A207" "login.expired" " The access token is no longer valid.";
    LoginPopDisabled "A208" "login.pop_disabled" " POP is switched off for this account.";
    QuotaExceeded "Q301" "quota.exceeded" " The destination is full.";
    MessageTooLarge "Q302" "message.too_large" " The message is over the size limit.";
    QuotaReserve "Q303" "quota.reserve" " Going on would leave the destination with too little free space.";
    MailboxRefused "F310" "mailbox.refused" " The mailbox could not be created.";
    MailboxMissing "F311" "mailbox.missing" " There is no such mailbox.";
    MailboxUnreadable "F312" "mailbox.unreadable" " The mailbox could not be opened.";
    MailboxReadOnly "F313" "mailbox.read_only" " The mailbox cannot be written to.";
    MailboxListing "F314" "mailbox.listing" " The server's list of messages contradicts itself.";
    MailboxLocked "F315" "mailbox.locked" " Another program has the mailbox open, and the server lets in one at a time.";
    ServerBusy "L401" "server.busy" " The server asks for a pause.";
    ServerConnections "L402" "server.connections" " Too many connections at once.";
    ServerBudget "L403" "server.budget" " The volume that may be moved in a day is used up.";
    MessageRefused "M501" "message.refused" " The destination did not accept the message.";
    MessageUnreadable "M502" "message.unreadable" " The source did not hand out the message.";
    MessageLength "M503" "message.length" " The message arrived with another length than announced.";
    MessageUnknown "M504" "message.unknown" " Whether the message was stored is not known yet.";
    ServerRefused "P510" "server.refused" " The server refused a command.";
    ServerProtocol "P511" "server.protocol" " The server broke the protocol.";
    ServerExcess "P512" "server.excess" " The server sent more than any server should.";
    ArchiveMissing "R151" "archive.missing" " There is nothing to read at the path.";
    ArchiveKind "R152" "archive.kind" " What lies at the path is not an archive of that kind.";
    ArchiveDamaged "R153" "archive.damaged" " A part of the archive cannot be read.";
    ArchiveEncrypted "R154" "archive.encrypted" " The archive, or a part of it, is encrypted.";
    ArchiveChanged "R155" "archive.changed" " The archive changed while it was read.";
    ArchiveExcess "R156" "archive.excess" " The archive is larger or deeper than is read.";
    ArchivePartial "R157" "archive.partial" " A part of a message is not in the archive.";
    ArchiveExport "R158" "archive.export" " The program has to export its mail: its own files do not hold the messages as they came.";
    SourceEmpty "S601" "source.empty" " There is no mail at the source.";
    DeliveryElsewhere "S602" "delivery.elsewhere" " New mail is still delivered to another server, and the plan copies only afterwards.";
    SourceDeletes "S603" "source.deletes" " The server deletes what is read from it.";
    UndoUnsupported "U601" "undo.unsupported" " The destination cannot remove exactly the copies that are named.";
    UndoUnfinished "U602" "undo.unfinished" " Taking back a copy was begun, and its end is not known yet.";
    VerifyDifference "V701" "verify.difference" " Source and destination differ after the copy.";
    LedgerBusy "D801" "ledger.busy" " Another process is working on this pair of accounts.";
    LedgerDamaged "D802" "ledger.damaged" " The ledger cannot be read.";
    LedgerVersion "D803" "ledger.version" " The ledger was written by a newer version.";
    DiskFull "D804" "disk.full" " The local disk is full.";
    LedgerUnwritable "D805" "ledger.unwritable" " The ledger cannot be written.";
    BackupMissing "D811" "backup.missing" " There is no backup in that directory.";
    BackupForeign "D812" "backup.foreign" " The directory holds other things than a backup.";
    BackupFormat "D813" "backup.format" " The backup in the directory has another format.";
    BackupBusy "D814" "backup.busy" " Another process is writing to the backup.";
    BackupVersion "D815" "backup.version" " The backup was written by a newer version.";
    BackupUnwritable "D816" "backup.unwritable" " The backup cannot be written.";
    BackupUnreadable "D817" "backup.unreadable" " The backup cannot be read.";
    BackupDamaged "D818" "backup.damaged" " A part of the backup is not as it was written.";
    BackupFull "D819" "backup.full" " The disk that holds the backup is full.";
    ConfigInvalid "C901" "config.invalid" " The configuration cannot be used.";
    LocatorInvalid "C902" "locator.invalid" " A source or destination is not written correctly.";
    SecretUnreadable "C903" "secret.unreadable" " The password could not be read.";
    Interrupted "C904" "run.interrupted" " The run was stopped from outside.";
    Bug "B999" "bug" " Something impossible happened: a defect of this program.";
}

impl Code {
    /// Whether the server wants nothing but time.
    pub fn asks_for_a_pause(self) -> bool {
        matches!(
            self,
            Code::MailboxLocked | Code::ServerBusy | Code::ServerConnections | Code::ServerBudget
        )
    }

    /// By [`Code::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a fault happened, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which account.
    pub side: Option<Side>,
    /// Host and port, or the archive's path.
    pub server: Option<String>,
    /// Decoded mailbox name.
    pub mailbox: Option<String>,
    /// Key of the message in the source mailbox.
    pub message: Option<Key>,
    /// Where the message lies in an archive, for a person: the file, and the octet inside it at
    /// which the message begins where the file holds several.
    pub file: Option<String>,
}

/// The server's own words: status, bracketed code and text are kept apart, since
/// only the first two may decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `NO`, `BAD`, `BYE`, or `-ERR`.
    pub status: String,
    /// Response code without brackets, such as `OVERQUOTA`.
    pub code: Option<String>,
    /// Human text, with control characters removed, at most 512 characters.
    pub text: String,
}

impl Said {
    /// Cleans and shortens the text: it comes from outside.
    pub fn new(status: &str, code: Option<&str>, text: &str) -> Self {
        let clean = |s: &str| -> String {
            s.chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .take(512)
                .collect()
        };
        Self {
            status: clean(status),
            code: code.map(clean),
            text: clean(text),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)?;
        if let Some(code) = &self.code {
            write!(f, " [{code}]")?;
        }
        write!(f, " {}", self.text)
    }
}

/// One thing that went wrong.
///
/// Reach and remedy are decided where the fault is born; the sentence that a
/// person reads is made at the edge from [`Code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Fault {
    /// What kind.
    pub code: Code,
    /// How far it spreads.
    pub reach: Reach,
    /// What helps.
    pub remedy: Remedy,
    /// Where.
    pub at: Box<Place>,
    /// The server's words.
    pub said: Option<Box<Said>>,
    /// English detail for the log; never a secret, never message text.
    pub detail: String,
}

impl Fault {
    /// A fault with an empty place.
    pub fn new(code: Code, reach: Reach, remedy: Remedy, detail: impl Into<String>) -> Self {
        Self {
            code,
            reach,
            remedy,
            at: Box::default(),
            said: None,
            detail: detail.into(),
        }
    }

    /// An impossible state.
    pub fn bug(detail: impl Into<String>) -> Self {
        Self::new(Code::Bug, Reach::Job, Remedy::Bug, detail)
    }

    /// With the server's words.
    #[must_use]
    pub fn said(mut self, said: Said) -> Self {
        self.said = Some(Box::new(said));
        self
    }

    /// Names the side, unless it is named already.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.at.side.get_or_insert(side);
        self
    }

    /// Names the server, unless it is named already.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.at.server.get_or_insert_with(|| server.into());
        self
    }

    /// Names the mailbox, unless it is named already.
    #[must_use]
    pub fn mailbox(mut self, mailbox: impl fmt::Display) -> Self {
        self.at.mailbox.get_or_insert_with(|| mailbox.to_string());
        self
    }

    /// Names the message, unless it is named already.
    #[must_use]
    pub fn message(mut self, key: Key) -> Self {
        self.at.message.get_or_insert(key);
        self
    }

    /// With the file of the message, unless one is named already.
    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.at.file.get_or_insert_with(|| file.into());
        self
    }

    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        matches!(self.remedy, Remedy::Retry { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique() {
        let shorts: BTreeSet<_> = Code::ALL.iter().map(|c| c.short()).collect();
        let names: BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(shorts.len(), Code::ALL.len());
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn server_words_cannot_drive_a_terminal() {
        let said = Said::new("NO", None, "a\u{1b}[2Jb\r\nc");
        assert_eq!(said.to_string(), "NO a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
        assert!(Said::new("NO", None, &"x".repeat(9000)).text.len() <= 512);
    }
}
