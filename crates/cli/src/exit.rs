//! Exit codes: part of the contract with scripts. None is ever reused.

use hikyaku_core::report::Report;
use hikyaku_core::undo::UndoReport;
use hikyaku_core::{Code, Fault};

/// Every message accounted for and verified.
pub const DONE: u8 = 0;
/// Usage or configuration.
pub const USAGE: u8 = 1;
/// Refused by the checks before start.
pub const REFUSED: u8 = 2;
/// Finished with exceptions, which are listed.
pub const EXCEPTIONS: u8 = 3;
/// Login.
pub const LOGIN: u8 = 4;
/// Network or TLS.
pub const NETWORK: u8 = 5;
/// Quota.
pub const QUOTA: u8 = 6;
/// A server asked for a pause, and `--no-wait` was given.
pub const THROTTLED: u8 = 7;
/// Interrupted or gave up for now: run again to continue.
pub const AGAIN: u8 = 8;
/// Verification found a difference.
pub const DIFFERENT: u8 = 9;
/// Another run holds the account.
pub const HELD: u8 = 10;
/// A defect of this program.
pub const BUG: u8 = 70;

/// The exit code of a run.
///
/// What happened first in this list decides: a difference found, the reason why the
/// run stopped, an equation that does not hold, exceptions, mailboxes left over.
/// `no_wait` says that the user wants an end instead of a wait.
pub fn exit_code(result: &Result<Report, Fault>, no_wait: bool) -> u8 {
    let report = match result {
        Ok(report) => report,
        Err(fault) => return without_start(fault.code, no_wait),
    };
    if report.differences > 0 {
        return DIFFERENT;
    }
    if let Some(fault) = &report.stopped {
        return match no_wait && fault.code.asks_for_a_pause() {
            true => THROTTLED,
            false => under_way(fault),
        };
    }
    if !report.adds_up() {
        return BUG;
    }
    if report.shortfalls().next().is_some() {
        return EXCEPTIONS;
    }
    if report.unfinished > 0 {
        return AGAIN;
    }
    if report.tally().failures() > 0 {
        return EXCEPTIONS;
    }
    DONE
}

/// The exit code of taking copies back: what stays for a reason is no failure.
pub fn of_undo(result: &Result<UndoReport, Fault>, no_wait: bool) -> u8 {
    let stopped = match result {
        Ok(report) => report.stopped.as_ref(),
        Err(fault) => return without_start(fault.code, no_wait),
    };
    match stopped {
        Some(fault) if no_wait && fault.code.asks_for_a_pause() => THROTTLED,
        Some(fault) => under_way(fault),
        None => DONE,
    }
}

/// A fault that kept the run from starting, where the user may want no wait.
pub fn without_start(code: Code, no_wait: bool) -> u8 {
    match no_wait && code.asks_for_a_pause() {
        true => THROTTLED,
        false => before_start(code),
    }
}

/// A fault that kept the run from starting.
pub fn before_start(code: Code) -> u8 {
    match code {
        Code::ConfigInvalid | Code::LocatorInvalid | Code::SecretUnreadable => USAGE,
        Code::HostSame
        | Code::MailboxRefused
        | Code::MailboxMissing
        | Code::MailboxUnreadable
        | Code::MailboxReadOnly
        | Code::ServerRefused
        | Code::SourceEmpty
        | Code::SourceDeletes
        | Code::DeliveryElsewhere
        | Code::UndoUnsupported
        | Code::ArchiveMissing
        | Code::ArchiveKind
        | Code::ArchiveEncrypted
        | Code::ArchiveExcess
        | Code::ArchiveExport
        | Code::LedgerDamaged
        | Code::LedgerVersion
        | Code::LedgerUnwritable
        | Code::BackupMissing
        | Code::BackupForeign
        | Code::BackupFormat
        | Code::BackupVersion
        | Code::BackupUnwritable
        | Code::BackupUnreadable
        | Code::BackupFull
        | Code::DiskFull => REFUSED,
        Code::MessageTooLarge
        | Code::BackupDamaged
        | Code::MessageRefused
        | Code::MessageUnreadable
        | Code::MessageLength
        | Code::MessageUnknown
        | Code::ArchiveDamaged
        | Code::ArchivePartial => EXCEPTIONS,
        Code::LoginRejected
        | Code::LoginAppPassword
        | Code::LoginOauth
        | Code::LoginDisabled
        | Code::LoginPopDisabled
        | Code::LoginLocked
        | Code::LoginMechanism
        | Code::LoginExpired => LOGIN,
        Code::HostNotFound
        | Code::HostUnreachable
        | Code::LinkLost
        | Code::LinkSilent
        | Code::TlsFailed
        | Code::TlsName
        | Code::TlsMismatch
        | Code::TlsUntrusted
        | Code::TlsExpired
        | Code::TlsUnavailable
        | Code::TlsPin
        | Code::ServerExcess
        | Code::ServerProtocol => NETWORK,
        Code::QuotaExceeded | Code::QuotaReserve => QUOTA,
        Code::MailboxLocked
        | Code::ServerBusy
        | Code::ServerConnections
        | Code::ServerBudget
        | Code::MailboxListing
        | Code::UndoUnfinished
        | Code::ArchiveChanged
        | Code::Interrupted => AGAIN,
        Code::VerifyDifference => DIFFERENT,
        Code::LedgerBusy | Code::BackupBusy => HELD,
        Code::Bug => BUG,
    }
}

/// A fault that ended a run which had begun: whatever may succeed by itself later
/// means "run again", even where the same fault at the start would name a side.
fn under_way(fault: &Fault) -> u8 {
    match before_start(fault.code) {
        NETWORK | REFUSED if fault.is_temporary() => AGAIN,
        // The next run sets a damaged ledger aside.
        REFUSED
            if matches!(
                fault.code,
                Code::DiskFull
                    | Code::LedgerUnwritable
                    | Code::LedgerDamaged
                    | Code::BackupFull
                    | Code::BackupUnwritable
                    | Code::BackupUnreadable
            ) =>
        {
            AGAIN
        }
        REFUSED => EXCEPTIONS,
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hikyaku_core::report::{Exception, MailboxReport, Outcome, Tally};
    use hikyaku_core::{MailboxName, Reach, Remedy};

    fn fault(code: Code, remedy: Remedy) -> Fault {
        Fault::new(code, Reach::Job, remedy, "x")
    }

    #[test]
    fn every_code_has_its_exit_code() {
        let table = "N101 5 N102 5 N103 2 N104 5 N105 5 T110 5 T111 5 T112 5 T113 5 T114 5 T115 5 \
            T116 5 A201 4 A202 4 A203 4 A204 4 A205 4 A206 4 A207 4 A208 4 Q301 6 Q302 3 Q303 6 F310 2 F311 2 F312 2 \
            F313 2 F314 8 F315 8 L401 8 L402 8 L403 8 M501 3 M502 3 M503 3 M504 3 P510 2 P511 5 P512 5 R151 2 R152 2 R153 3 R154 2 R155 8 R156 2 R157 3 R158 2 S601 2 S602 2 S603 2 U601 2 U602 8 V701 9 \
            D801 10 D802 2 D803 2 D804 2 D805 2 D811 2 D812 2 D813 2 D814 10 D815 2 D816 2 D817 2 D818 3 D819 2 C901 1 C902 1 C903 1 C904 8 B999 70";
        let made: Vec<String> = Code::ALL
            .iter()
            .map(|code| {
                let exit = exit_code(&Err(fault(*code, Remedy::AskUser)), false);
                format!("{} {exit}", code.short())
            })
            .collect();
        let wanted: Vec<&str> = table.split_whitespace().collect();
        assert_eq!(made.join(" "), wanted.join(" "));
    }

    #[test]
    fn a_run_under_way_that_may_go_on_later_says_so() {
        let temporary = Remedy::Retry { after: None };
        for (code, remedy, exit) in [
            (Code::LinkLost, temporary, AGAIN),
            (Code::HostUnreachable, temporary, AGAIN),
            (Code::TlsExpired, Remedy::AskUser, NETWORK),
            (Code::LoginRejected, Remedy::AskUser, LOGIN),
            (Code::QuotaExceeded, Remedy::AskUser, QUOTA),
            (Code::Interrupted, temporary, AGAIN),
            (Code::DiskFull, Remedy::AskUser, AGAIN),
            (Code::LedgerUnwritable, Remedy::AskUser, AGAIN),
            (Code::LedgerDamaged, Remedy::AskUser, AGAIN),
            (Code::BackupFull, Remedy::AskUser, AGAIN),
            (Code::MailboxReadOnly, Remedy::AskUser, EXCEPTIONS),
            (Code::ServerRefused, temporary, AGAIN),
            (Code::Bug, Remedy::Bug, BUG),
        ] {
            let report = Report {
                stopped: Some(fault(code, remedy)),
                ..Report::default()
            };
            assert_eq!(exit_code(&Ok(report), false), exit, "{code}");
        }
    }

    #[test]
    fn a_pause_that_nobody_wants_has_its_own_exit_code() {
        let pause = [
            Code::MailboxLocked,
            Code::ServerBusy,
            Code::ServerConnections,
            Code::ServerBudget,
        ];
        for code in Code::ALL {
            let temporary = fault(*code, Remedy::Retry { after: None });
            let stopped = Report {
                stopped: Some(temporary.clone()),
                ..Report::default()
            };
            for result in [Ok(stopped), Err(temporary)] {
                let (waits, ends) = (exit_code(&result, false), exit_code(&result, true));
                match pause.contains(code) {
                    true => assert_eq!((waits, ends), (AGAIN, THROTTLED), "{code}"),
                    false => assert_eq!(waits, ends, "{code}"),
                }
            }
        }
        // A difference that was found is worse than a pause.
        let report = Report {
            stopped: Some(fault(Code::ServerBusy, Remedy::Retry { after: None })),
            differences: 1,
            ..Report::default()
        };
        assert_eq!(exit_code(&Ok(report), true), DIFFERENT);
    }

    fn report(scanned: u64, outcomes: &[(Outcome, u64)]) -> Report {
        let mut tally = Tally::default();
        for (outcome, messages) in outcomes {
            tally.add(*outcome, *messages, 0);
        }
        let mailbox = MailboxReport {
            source: MailboxName::inbox(),
            destination: MailboxName::inbox(),
            scanned,
            tally,
            copied_now: 0,
            octets_now: 0,
            flags_updated: 0,
            read_back: 0,
        };
        Report {
            mailboxes: vec![mailbox],
            ..Report::default()
        }
    }

    #[test]
    fn only_a_report_without_exception_is_success() {
        use Outcome as O;
        let good = [
            (O::Copied, 1),
            (O::AlreadyThere, 1),
            (O::Skipped, 1),
            (O::Vanished, 1),
            (O::RemovedAtDestination, 1),
        ];
        assert_eq!(exit_code(&Ok(Report::default()), false), DONE);
        assert_eq!(exit_code(&Ok(report(5, &good)), false), DONE);
        assert_eq!(exit_code(&Ok(report(6, &good)), false), BUG);
        assert_eq!(
            exit_code(&Ok(report(1, &[(O::FailedTemporary, 1)])), false),
            EXCEPTIONS
        );
        assert_eq!(
            exit_code(&Ok(report(1, &[(O::FailedPermanent, 1)])), false),
            EXCEPTIONS
        );
        let mut listed = report(0, &[]);
        listed.exceptions.push(Exception {
            mailbox: MailboxName::inbox(),
            key: None,
            octets: None,
            head: None,
            outcome: None,
            fault: fault(Code::MailboxRefused, Remedy::AskUser),
        });
        listed.unfinished = 1;
        assert_eq!(exit_code(&Ok(listed.clone()), false), EXCEPTIONS);
        listed.exceptions.clear();
        assert_eq!(exit_code(&Ok(listed.clone()), false), AGAIN);
        listed.differences = 1;
        assert_eq!(exit_code(&Ok(listed), false), DIFFERENT);
    }
}
