//! Faults in words: what failed, why, who can do something about it, and what.
//!
//! The code decides the text; the server's own words are quoted beside it, never inside.
//! `docs/faults.md` is made from here.

mod en;
mod ja;

use crate::Lang;
use crate::figures::Show;
use crate::sentence::sentences;
use hikyaku_core::{Code, Fault};

/// Who can do something about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The person who started the copy.
    User,
    /// Whoever runs the server that failed: the old host or the new one.
    Host,
    /// The person, at the settings page of the mail service.
    Settings,
    /// Nobody has to: hikyaku goes on by itself.
    Nobody,
    /// Waiting helps.
    Time,
    /// Nobody can; the report names what is concerned.
    Report,
    /// Whoever develops hikyaku.
    Developers,
}

impl Show for Who {
    fn show(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::Ja, Who::User) => "お客様",
            (Lang::Ja, Who::Host) => "メールサーバーの管理者",
            (Lang::Ja, Who::Settings) => "お客様（メールサービスの設定画面）",
            (Lang::Ja, Who::Nobody) => "自動（操作は不要です）",
            (Lang::Ja, Who::Time) => "しばらく待つ",
            (Lang::Ja, Who::Report) => "レポートで確認",
            (Lang::Ja, Who::Developers) => "hikyakuの開発元",
            (Lang::En, Who::User) => "you",
            (Lang::En, Who::Host) => "the mail server's administrator",
            (Lang::En, Who::Settings) => "you, in the settings of the mail service",
            (Lang::En, Who::Nobody) => "nobody; it goes on by itself",
            (Lang::En, Who::Time) => "time",
            (Lang::En, Who::Report) => "see the report",
            (Lang::En, Who::Developers) => "the developers of hikyaku",
        }
        .to_owned()
    }
}

/// A code in words: whole sentences without names or figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// A heading, without a full stop.
    pub title: &'static str,
    /// What happened and what may be behind it.
    pub cause: &'static str,
    /// What to do next.
    pub remedy: &'static str,
    /// Who can.
    pub who: Who,
}

/// What a code means.
pub fn explain(code: Code, lang: Lang) -> Explained {
    let (title, cause, remedy) = match lang {
        Lang::Ja => ja::explain(code),
        Lang::En => en::explain(code),
    };
    Explained {
        title,
        cause,
        remedy,
        who: who(code),
    }
}

/// Whether it is about a backup in a directory.
pub(crate) fn is_about_a_backup(code: Code) -> bool {
    matches!(
        code,
        Code::BackupMissing
            | Code::BackupForeign
            | Code::BackupFormat
            | Code::BackupBusy
            | Code::BackupVersion
            | Code::BackupUnwritable
            | Code::BackupUnreadable
            | Code::BackupDamaged
            | Code::BackupFull
    )
}

fn who(code: Code) -> Who {
    match code {
        Code::HostNotFound
        | Code::HostSame
        | Code::TlsMismatch
        | Code::TlsName
        | Code::TlsPin
        | Code::LoginRejected
        | Code::LoginExpired
        | Code::QuotaExceeded
        | Code::QuotaReserve
        | Code::MessageTooLarge
        | Code::MailboxMissing
        | Code::SourceEmpty
        | Code::SourceDeletes
        | Code::DeliveryElsewhere
        | Code::LedgerBusy
        | Code::LedgerDamaged
        | Code::LedgerVersion
        | Code::LedgerUnwritable
        | Code::DiskFull
        | Code::BackupMissing
        | Code::BackupForeign
        | Code::BackupFormat
        | Code::BackupBusy
        | Code::BackupVersion
        | Code::BackupUnwritable
        | Code::BackupUnreadable
        | Code::BackupDamaged
        | Code::BackupFull
        | Code::ConfigInvalid
        | Code::LocatorInvalid
        | Code::SecretUnreadable
        | Code::ArchiveMissing
        | Code::ArchiveKind
        | Code::ArchiveEncrypted
        | Code::ArchiveChanged
        | Code::ArchiveExcess
        | Code::ArchiveExport
        | Code::Interrupted => Who::User,
        Code::HostUnreachable
        | Code::TlsFailed
        | Code::TlsUntrusted
        | Code::TlsExpired
        | Code::TlsUnavailable
        | Code::LoginMechanism
        | Code::MailboxRefused
        | Code::MailboxUnreadable
        | Code::MailboxReadOnly
        | Code::UndoUnsupported
        | Code::ServerRefused
        | Code::ServerExcess
        | Code::ServerProtocol => Who::Host,
        Code::LoginAppPassword
        | Code::LoginOauth
        | Code::LoginDisabled
        | Code::LoginPopDisabled => Who::Settings,
        Code::LinkLost
        | Code::LinkSilent
        | Code::MailboxLocked
        | Code::ServerBusy
        | Code::ServerConnections
        | Code::ServerBudget
        | Code::MailboxListing
        | Code::MessageLength
        | Code::MessageUnknown
        | Code::UndoUnfinished
        | Code::VerifyDifference => Who::Nobody,
        Code::LoginLocked => Who::Time,
        Code::MessageRefused
        | Code::MessageUnreadable
        | Code::ArchiveDamaged
        | Code::ArchivePartial => Who::Report,
        Code::Bug => Who::Developers,
    }
}

/// A fault that happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened, with the place where it did.
    pub cause: String,
    /// What to do next.
    pub remedy: String,
    /// What the server said, quoted; nothing in it can act on a terminal.
    pub quote: Option<String>,
}

/// Tells a fault.
pub fn tell(fault: &Fault, lang: Lang) -> Told {
    tell_as(fault, explain(fault.code, lang), lang)
}

/// Tells a fault in these words.
pub(crate) fn tell_as(fault: &Fault, explained: Explained, lang: Lang) -> Told {
    let at = &fault.at;
    let cause = match (at.side, &at.server, &at.mailbox) {
        (Some(side), Some(server), Some(mailbox)) => {
            at_mailbox_of_server(side, server, mailbox, explained.cause, lang)
        }
        (Some(side), Some(server), None) => at_server(side, server, explained.cause, lang),
        (Some(side), None, Some(mailbox)) => at_mailbox(side, mailbox, explained.cause, lang),
        (Some(side), None, None) => at_side(side, explained.cause, lang),
        (None, Some(place), _) | (None, None, Some(place)) => {
            at_place(place, explained.cause, lang)
        }
        (None, None, None) => explained.cause.to_owned(),
    };
    let said = fault.said.as_ref().map(|said| said.to_string());
    Told {
        cause,
        remedy: explained.remedy.to_owned(),
        quote: said.map(|said| server_said(&said, lang)),
    }
}

sentences! {
    /// A cause at a mailbox of a named server.
    at_mailbox_of_server(side: hikyaku_core::Side, server: &str, mailbox: &str, cause: &str) {
        ja: "{side}（{server}）のフォルダ「{mailbox}」：{cause}",
        en: "At the {side} ({server}), folder {mailbox}: {cause}",
    }
    /// A cause at a named server.
    at_server(side: hikyaku_core::Side, server: &str, cause: &str) {
        ja: "{side}（{server}）：{cause}",
        en: "At the {side} ({server}): {cause}",
    }
    /// A cause at a mailbox.
    at_mailbox(side: hikyaku_core::Side, mailbox: &str, cause: &str) {
        ja: "{side}のフォルダ「{mailbox}」：{cause}",
        en: "At the {side}, folder {mailbox}: {cause}",
    }
    /// A cause at one side.
    at_side(side: hikyaku_core::Side, cause: &str) {
        ja: "{side}：{cause}",
        en: "At the {side}: {cause}",
    }
    /// A cause at a place that belongs to neither side.
    at_place(place: &str, cause: &str) {
        ja: "{place}：{cause}",
        en: "{place}: {cause}",
    }
    /// The server's own words.
    server_said(said: &str) {
        ja: "サーバーからの応答：{said}",
        en: "The server said: {said}",
    }
    /// What the log says; for people who report a defect.
    detail(detail: &str) {
        ja: "詳細：{detail}",
        en: "Detail: {detail}",
    }
}

#[cfg(test)]
mod tests;
