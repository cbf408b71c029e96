//! English.

use hikyaku_core::Code;

/// Heading, cause, remedy.
#[rustfmt::skip]
pub(super) fn explain(code: Code) -> (&'static str, &'static str, &'static str) {
    match code {
        Code::HostNotFound => (
            "Server name not found",
            "The server name cannot be found. It may be misspelled or missing from DNS.",
            "Check the spelling of the server name, or enter the server's IP address.",
        ),
        Code::HostUnreachable => (
            "Server cannot be reached",
            "The server does not answer. It may be down, or it may block connections from outside.",
            "Check the server name and port. If they are right, try again later or ask the server's administrator whether connections are restricted.",
        ),
        Code::HostSame => (
            "Source and destination are the same",
            "The server name leads to the destination server: this would copy an account into itself.",
            "Enter the old server as the source. If DNS has been switched already, enter the old server's IP address.",
        ),
        Code::LinkLost => (
            "Connection lost",
            "The connection to the server ended unexpectedly. What has been copied stays copied.",
            "hikyaku reconnects by itself. If it keeps happening, run the same command again later: it continues where it stopped.",
        ),
        Code::LinkSilent => (
            "Server stopped answering",
            "The server stopped answering. It may be overloaded, or the network path may be broken.",
            "hikyaku reconnects by itself. If it keeps happening, run the same command again later: it continues where it stopped.",
        ),
        Code::TlsFailed => (
            "No encrypted connection",
            "No encrypted connection could be made. The server may only support outdated encryption.",
            "Check the port. If it is right, ask the server's administrator for TLS 1.2 or later.",
        ),
        Code::TlsName => (
            "Certificate is for another name",
            "The server's certificate does not belong to the name that was entered. No password was sent.",
            "Enter the name in the certificate as the server name. To connect by IP address, give the fingerprint of the certificate that you have checked (--source-pin or --destination-pin).",
        ),
        Code::TlsMismatch => (
            "Port and encryption do not fit",
            "Port and kind of encryption do not fit together. Ports 993 (IMAP) and 995 (POP) are encrypted from the start (TLS), ports 143 and 110 after a request (STARTTLS).",
            "Use imaps:// with port 993 and imap:// with port 143; for POP, pop3s:// with port 995 and pop3:// with port 110.",
        ),
        Code::TlsUntrusted => (
            "Certificate cannot be verified",
            "The issuer of the server's certificate is not trusted. No password was sent.",
            "Ask the server's administrator. You can name the issuer's certificate (--source-ca-file, --destination-ca-file) or the fingerprint of a certificate that you have checked (--source-pin, --destination-pin).",
        ),
        Code::TlsExpired => (
            "Certificate is not valid now",
            "The server's certificate is not valid at this time. No password was sent.",
            "Check the date and time of this computer. If they are right, ask the server's administrator to renew the certificate.",
        ),
        Code::TlsUnavailable => (
            "Encryption is not offered",
            "The server does not offer encryption (STARTTLS) on this port. No password was sent.",
            "Try port 993 (imaps://), or 995 for POP (pop3s://). If that does not connect, ask the server's administrator.",
        ),
        Code::TlsPin => (
            "Certificate is not the expected one",
            "The server's certificate does not have the given fingerprint. It may have been renewed, or this may be another server. No password was sent.",
            "Ask the server's administrator for the new fingerprint and give that one.",
        ),
        Code::LoginRejected => (
            "Login refused",
            "The login was refused. The user name or the password is wrong.",
            "Check both. Some services want only the part before the @ as the user name, or IMAP or POP has to be allowed in their settings.",
        ),
        Code::LoginAppPassword => (
            "App password needed",
            "This mail service wants an app password instead of the usual one.",
            "Create an app password in the settings of the mail service and enter that one.",
        ),
        Code::LoginOauth => (
            "Passwords are not accepted",
            "This mail service does not accept passwords; it wants a sign-in on its own page (OAuth).",
            "Get an access token from the mail service and log in with it.",
        ),
        Code::LoginDisabled => (
            "IMAP is switched off",
            "IMAP is switched off for this account.",
            "Switch IMAP on in the settings of the mail service, then try again.",
        ),
        Code::LoginLocked => (
            "Logins are blocked for a while",
            "After several failed logins the server blocks this account for a while.",
            "Wait about 30 minutes, check the password, then try again.",
        ),
        Code::LoginMechanism => (
            "No common way to log in",
            "The server offers no way to log in that can be used safely.",
            "Use an encrypted connection (imaps://, or pop3s:// for POP). If you already do, ask the server's administrator which ways to log in are allowed.",
        ),
        Code::LoginExpired => (
            "Login has expired",
            "The login has expired, or the password was changed. What has been copied stays copied.",
            "Get a new password or access token, then run the same command again: it continues where it stopped.",
        ),
        Code::LoginPopDisabled => (
            "POP is switched off",
            "POP is switched off for this account.",
            "Switch POP on in the settings of the mail service, or use IMAP if the service has it, then try again.",
        ),
        Code::QuotaExceeded => (
            "Destination is full",
            "The destination has no room left. What has been copied stays copied.",
            "Delete what is not needed there or get more room, then run the same command again: it continues where it stopped.",
        ),
        Code::MessageTooLarge => (
            "Message over the size limit",
            "The message is larger than the destination accepts.",
            "The report lists it. Save attachments that you need from the source.",
        ),
        Code::QuotaReserve => (
            "Destination would be left too full",
            "Copying on would leave the destination with too little room for new mail, so hikyaku stopped before that. What has been copied stays copied.",
            "Delete what is not needed there or get more room, then run the same command again: it continues where it stopped. With --fit only what fits is copied; with --fill the reserve is used too.",
        ),
        Code::MailboxRefused => (
            "Folder could not be created",
            "The folder could not be created at the destination. Its name, its depth or the number of folders may be limited there.",
            "Check the limits of the destination. If you create a folder of that name by hand, the next run copies into it.",
        ),
        Code::MailboxMissing => (
            "No such folder",
            "There is no folder of that name.",
            "Check the name; \"hikyaku folders\" lists all of them.",
        ),
        Code::MailboxUnreadable => (
            "Folder could not be opened",
            "The folder could not be opened. Permission may be missing, its data may be damaged, or it is a link to another place. The other folders are copied.",
            "See whether webmail can open a folder of a server; if not, ask its administrator. Check the permission of a folder on a computer. Use the place that a link leads to as a source of its own.",
        ),
        Code::MailboxReadOnly => (
            "Folder cannot be written to",
            "There is no permission to write into the destination folder.",
            "Get permission to write, or choose another folder with --under.",
        ),
        Code::MailboxListing => (
            "List of messages contradicts itself",
            "The server counts more messages in this folder than it lists. No part of the folder was taken for complete.",
            "hikyaku asks again by itself. If it keeps happening, ask the server's administrator to repair the folder's index.",
        ),
        Code::MailboxLocked => (
            "Another program is reading this mail",
            "The server lets in one program at a time, and another mail program or device is connected. No mail was touched.",
            "hikyaku waits and continues by itself. If the run has ended, close other mail programs and run the same command again: it continues where it stopped.",
        ),
        Code::ServerBusy => (
            "Server is busy",
            "The server is busy, or it limits how much may be done in a while.",
            "hikyaku continues by itself. If the run has ended, run the same command again later: it continues where it stopped.",
        ),
        Code::ServerConnections => (
            "Too many connections",
            "The server allows no more connections at the same time.",
            "hikyaku continues with fewer connections. If the run has ended, close other mail programs and run the same command again: it continues where it stopped.",
        ),
        Code::ServerBudget => (
            "Daily volume used up",
            "The mail service limits how much may be moved in a day, and the limit is reached.",
            "hikyaku continues by itself when the limit is lifted. If the run has ended, run the same command again tomorrow: it continues where it stopped.",
        ),
        Code::MessageRefused => (
            "Message not accepted",
            "The destination did not accept this message. The others are copied.",
            "The report lists it. Running the command again tries once more.",
        ),
        Code::MessageUnreadable => (
            "Message could not be read",
            "The source did not hand out this message. The others are copied.",
            "The report lists it. See whether webmail can open it, then run the command again.",
        ),
        Code::MessageLength => (
            "Message has the wrong length",
            "The message arrived with another length than announced. No part of it was stored.",
            "It is read again automatically. If it keeps happening, the report lists it.",
        ),
        Code::MessageUnknown => (
            "Not known yet whether it was stored",
            "The connection ended before the server confirmed this message, so it is not known yet whether it was stored.",
            "The next run finds out by itself. Until then nothing is copied twice.",
        ),
        Code::ServerRefused => (
            "Server refused a request",
            "The server refused a request.",
            "Read the server's answer. If time does not help, send that answer to the server's administrator.",
        ),
        Code::ServerProtocol => (
            "Server answers are not valid",
            "The server's answers do not follow the mail protocol, so the connection was closed to be safe.",
            "Check that the port is that of IMAP. If it is, ask the server's administrator.",
        ),
        Code::ServerExcess => (
            "Server sent too much",
            "The server sent a line, a list or a message beyond every sensible limit. hikyaku cut the connection to protect itself; nothing of it was stored.",
            "Check that the server name and port lead to the right mail server. If they do, tell the server's administrator.",
        ),
        Code::SourceEmpty => (
            "No mail at the source",
            "There is no mail at the source. A mail program using POP may have removed it from the server.",
            "See whether the mail is in the mail program on your computer.",
        ),
        Code::DeliveryElsewhere => (
            "Mail still goes to the old server",
            "New mail is still delivered to the old server. With this plan mail can be copied once the mail server has been switched.",
            "Point the domain's mail (the MX record in DNS) to the new server. Wait until that has taken effect, then try again.",
        ),
        Code::SourceDeletes => (
            "The source may delete what is read",
            "By its own rules (EXPIRE 0) this server may delete every message once it has been read by POP. Nothing has been read yet.",
            "Use IMAP if the service has it. Whatever reads this mail by POP, a backup too, may make it disappear from the source. To copy all the same, confirm that you accept this.",
        ),
        Code::UndoUnsupported => (
            "Copies cannot be taken back here",
            "The destination server cannot remove exactly the messages that are named. Other mail could go with them, so nothing was removed.",
            "Delete what is not wanted in a mail program. To copy everything once more, choose the copy into a folder that carries the date.",
        ),
        Code::UndoUnfinished => (
            "Taking back has not ended yet",
            "Taking back the copied messages broke off half-way.",
            "Run the same command again: it continues where it stopped. Copying once more keeps what is still there.",
        ),
        Code::ArchiveMissing => (
            "Nothing to read there",
            "There is no file or folder at this path, or it may not be read.",
            "Check the path, and whether you may open it. On a Mac, the terminal needs \"Full Disk Access\" for the folders of Mail.",
        ),
        Code::ArchiveKind => (
            "Not an archive of that kind",
            "What lies at this path is not mail that can be read, or not in the format that was named.",
            "Use the file or folder that holds the mail. Without a format in front of the path, what is there gets recognised; where there are several kinds, put the one you mean in front.",
        ),
        Code::ArchiveDamaged => (
            "Part of the archive is damaged",
            "A part of the archive is damaged or cut off and cannot be read. Everything else is copied.",
            "Check whether you have an older backup of this archive, and copy it as well: nothing is copied twice.",
        ),
        Code::ArchiveEncrypted => (
            "The archive is encrypted",
            "The archive, or a part of it, is protected by a password and cannot be read.",
            "Use the program that made the archive to remove the password, or to export it again without one.",
        ),
        Code::ArchiveChanged => (
            "The archive changed",
            "The archive was changed while it was read. The mail program may be open.",
            "Close the mail program and run the same command again: it continues where it stopped.",
        ),
        Code::ArchiveExcess => (
            "The archive is too large",
            "Unpacked, the archive would be larger, or its folders deeper, than can be read at once.",
            "Try it with the unpacked folder: unpack it yourself and give that path.",
        ),
        Code::ArchivePartial => (
            "Part of a message is missing",
            "The archive holds a message without its text or one of its attachments: the mail program had not downloaded it from the server. What is there is copied.",
            "Please copy from the server as well if it still has the message. If it does not, open the message in the mail program and copy the archive once more.",
        ),
        Code::ArchiveExport => (
            "Please export the mail first",
            "This mail program keeps its messages in converted form. Copied from there, they would not be the messages that were received.",
            "Use the export of the mail program to write .eml or mbox files, and copy those.",
        ),
        Code::VerifyDifference => (
            "Verification found a difference",
            "The verification found a difference between source and destination.",
            "The report lists what is concerned. Running the command again verifies once more and copies what is missing.",
        ),
        Code::LedgerBusy => (
            "Another run is going on",
            "Another run is copying into this account.",
            "Wait for it to end, then try again.",
        ),
        Code::LedgerDamaged => (
            "Ledger cannot be read",
            "The record of earlier copies (the ledger) cannot be read. The mail on both sides is not affected.",
            "Run the copy again: the damaged ledger is kept under another name, both sides are compared and the copy goes on. Where there is a backup of the ledger file, restore it first.",
        ),
        Code::LedgerVersion => (
            "Ledger is from a newer version",
            "The ledger was written by a newer version of hikyaku.",
            "Update hikyaku, then run the command again.",
        ),
        Code::DiskFull => (
            "Local disk is full",
            "The disk of the computer that runs hikyaku is full. The copy was stopped so that no record is lost.",
            "Make room, then run the same command again: it continues where it stopped.",
        ),
        Code::LedgerUnwritable => (
            "Ledger cannot be written",
            "The record of what was copied (the ledger) cannot be written. hikyaku stopped so that nothing is copied without a record. What has been copied stays copied.",
            "Check the disk and the permissions of the ledger's directory (--state), then run the same command again: it continues where it stopped.",
        ),
        Code::BackupMissing => (
            "No backup in this folder",
            "The folder holds no backup made by hikyaku, or its file named hikyaku-backup is gone.",
            "Use the folder that was named when the backup was made: the one that holds the file hikyaku-backup.",
        ),
        Code::BackupForeign => (
            "Folder holds other things",
            "The folder is not empty and is not a backup. So that nothing in it is overwritten, nothing was written.",
            "Use an empty folder, or one that does not exist yet; on a USB stick or disk, a new folder on it.",
        ),
        Code::BackupFormat => (
            "Backup has another format",
            "The backup in this folder was begun in another format.",
            "Run the command without a format to go on with this backup, or use another folder.",
        ),
        Code::BackupBusy => (
            "Backup is being written",
            "Another run is writing to this backup.",
            "Wait for it to end, then try again.",
        ),
        Code::BackupVersion => (
            "Backup is from a newer version",
            "The backup was written by a newer version of hikyaku.",
            "Update hikyaku, then run the command again.",
        ),
        Code::BackupUnwritable => (
            "Backup cannot be written",
            "The folder of the backup cannot be written: it is read-only, belongs to somebody else, or its disk fails. What has been saved stays saved.",
            "Check the write protection of the disk, the permissions of the folder and the disk itself, then run the same command again: it continues where it stopped.",
        ),
        Code::BackupUnreadable => (
            "Backup cannot be read",
            "A file of the backup cannot be read. Nothing of the backup was changed.",
            "Check the permissions of the folder and its disk, then run the command again.",
        ),
        Code::BackupDamaged => (
            "Backup is damaged",
            "A part of the backup is not as it was written: a file was changed, cut short or taken away, or the disk lost it.",
            "Make a new backup into another folder while the original mail is still there. All other messages of this backup can be restored.",
        ),
        Code::BackupFull => (
            "Disk of the backup is full",
            "The disk that holds the backup is full. What has been saved stays saved.",
            "Make room, then run the same command again: it continues where it stopped. Or use a folder on a larger disk; that backup begins anew.",
        ),
        Code::ConfigInvalid => (
            "Configuration cannot be used",
            "The configuration or an option is wrong, so nothing was started.",
            "Correct what is shown, then run the command again.",
        ),
        Code::LocatorInvalid => (
            "Source or destination is not written correctly",
            "The source or the destination is not written correctly.",
            "Write it like imaps://taro@mail.example.jp.",
        ),
        Code::SecretUnreadable => (
            "Password could not be read",
            "The password could not be read in the way that was asked for.",
            "Check the place and permissions of the file, or the command or environment variable.",
        ),
        Code::Interrupted => (
            "Interrupted",
            "The run was stopped from outside. What has been copied stays copied.",
            "Run the same command again: it continues where it stopped.",
        ),
        Code::Bug => (
            "Unexpected problem",
            "Something impossible happened inside hikyaku. The mail at the source is not affected.",
            "Please send what is shown here to the developers of hikyaku. Running the same command again continues where it stopped.",
        ),
    }
}
