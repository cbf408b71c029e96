use super::*;
use hikyaku_core::report::{MailboxReport, Note, Tally};
use hikyaku_core::{Fault, Key, MailboxName, Reach, Remedy, Said, Side};

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a name")
}

fn mailbox(
    source: &str,
    destination: &str,
    outcomes: &[(Outcome, u64)],
    now: u64,
) -> MailboxReport {
    let mut tally = Tally::default();
    for (outcome, messages) in outcomes {
        tally.add(*outcome, *messages, messages * 2048);
    }
    MailboxReport {
        source: name(source),
        destination: name(destination),
        scanned: tally.total(),
        tally,
        copied_now: now,
        octets_now: now * 2048,
        flags_updated: 0,
        read_back: 0,
    }
}

fn refused(key: u64, head: Option<&str>, said: &str) -> Exception {
    let fault = Fault::new(Code::MessageRefused, Reach::Message, Remedy::Skip, "")
        .on(Side::Destination)
        .server("mail.example.jp:993")
        .mailbox("受信トレイ")
        .said(Said::new("NO", None, said));
    Exception {
        mailbox: MailboxName::inbox(),
        key: Some(Key(key)),
        octets: Some(3 << 20),
        head: head.map(|head| head.as_bytes().to_vec()),
        outcome: Some(Outcome::FailedPermanent),
        fault,
    }
}

fn with_exceptions() -> Report {
    let head = "Subject: =?UTF-8?B?6KaL56mN5pu4?=\r\nFrom: taro@example.jp\r\n\
        Date: Mon, 1 Apr 2024 09:00:00 +0900\r\n";
    Report {
        mailboxes: vec![
            mailbox(
                "INBOX",
                "INBOX",
                &[(Outcome::Copied, 1200), (Outcome::FailedPermanent, 2)],
                1200,
            ),
            mailbox("送信済みトレイ", "Sent", &[(Outcome::AlreadyThere, 3)], 0),
        ],
        exceptions: vec![
            refused(7, Some(head), "contains NUL"),
            refused(9, None, "\u{1b}[2Jgone"),
        ],
        notes: vec![Note::Arrived {
            mailbox: MailboxName::inbox(),
            messages: 4,
        }],
        elapsed_millis: 61_000,
        ..Report::default()
    }
}

#[test]
fn a_report_with_exceptions_names_each_with_cause_and_remedy() {
    let text = report(&with_exceptions(), &[], Kind::Copy, Some("8F3K2"), Lang::Ja);
    let wanted = [
        "1,203通を確認しました。2通はコピーできませんでした。",
        "コピー元のメール 1,205通＝新しくコピー 1,200通＋コピー先にすでにあったもの 3通＋コピーできなかったもの 2通",
        "[M501]",
        "  → ",
        "      INBOX  2024-04-01T09:00:00+09:00  taro@example.jp  見積書  3.0MB  (NO contains NUL)",
        "      INBOX  UID 9  3.0MB  (NO \u{fffd}[2Jgone)",
        "コピー中に「",
        "実行番号：8F3K2",
    ];
    for line in wanted {
        assert!(text.contains(line), "{line}\n--\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    // Nothing suggests that the old account could be given up.
    assert!(!text.contains("切り替えた"), "{text}");
}

#[test]
fn figures_stand_under_their_headings() {
    let text = report(&with_exceptions(), &[], Kind::Copy, None, Lang::En);
    let table: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("Source folder"))
        .take(3)
        .collect();
    assert_eq!(
        table,
        [
            "Source folder   Destination folder  Messages  Copied now  There before  Not copied",
            "INBOX           INBOX                  1,202       1,200             0           2",
            "送信済みトレイ  Sent                       3           0             3           0",
        ]
    );
}

#[test]
fn a_complete_copy_ends_with_the_next_step() {
    let complete = Report {
        mailboxes: vec![mailbox("INBOX", "INBOX", &[(Outcome::Copied, 2)], 2)],
        ..Report::default()
    };
    let text = report(&complete, &[], Kind::Copy, None, Lang::En);
    assert!(
        text.starts_with("Every message is accounted for and verified.\n"),
        "{text}"
    );
    assert!(
        text.contains("Next: when new mail goes to the new server"),
        "{text}"
    );
    let text = report(&complete, &[], Kind::Check, None, Lang::En);
    assert!(!text.contains("Next:"), "{text}");
}

#[test]
fn many_exceptions_of_one_cause_are_counted_not_poured_out() {
    let mut many = with_exceptions();
    many.exceptions = (0..50).map(|key| refused(key, None, "no")).collect();
    let text = report(&many, &[], Kind::Copy, Some("8F3K2"), Lang::En);
    assert_eq!(text.matches("UID ").count(), SHOWN);
    assert!(text.contains("and 30 more"), "{text}");
}

/// Whatever ends a run, or is wrong with a message: the person finds its code, what
/// happened, what to do, and where.
#[test]
fn every_fault_of_a_run_is_told_with_code_cause_and_remedy() {
    for code in Code::ALL {
        let fault = Fault::new(*code, Reach::Side, Remedy::Retry { after: None }, "")
            .on(Side::Destination)
            .server("mail.example.jp:993")
            .said(Said::new("NO", None, "\u{1b}]0;title\u{7}=cmd()"));
        let exception = Exception {
            fault: fault.clone(),
            ..refused(7, None, "")
        };
        let stopped = Report {
            stopped: Some(fault),
            ..Report::default()
        };
        let excepted = Report {
            exceptions: vec![exception],
            ..Report::default()
        };
        for lang in Lang::ALL {
            let explained = hikyaku_text::explain(*code, lang);
            for one in [&stopped, &excepted] {
                let text = report(one, &[], Kind::Copy, None, lang);
                for part in [
                    explained.cause,
                    explained.remedy,
                    &format!("[{}]", code.short()),
                    "mail.example.jp:993",
                    "]0;title",
                ] {
                    assert!(text.contains(part), "{code}: {part} is not in\n{text}");
                }
                assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
            }
        }
    }
}

#[test]
fn a_certificate_that_only_its_fingerprint_vouches_for_is_recorded() {
    let address = "192.0.2.1:993";
    let pinned = Connected::new(Side::Source, "old.example.jp:993", address).encrypted(
        "TLS 1.3",
        "ab".repeat(32),
        true,
    );
    let usual = Connected::new(Side::Destination, "new.example.jp:993", address).encrypted(
        "TLS 1.3",
        "cd".repeat(32),
        false,
    );
    for lang in Lang::ALL {
        let servers = [pinned.clone(), usual.clone()];
        let text = report(&Report::default(), &servers, Kind::Copy, None, lang);
        assert!(text.contains(&"ab".repeat(32)), "{text}");
        assert!(text.contains("old.example.jp:993"), "{text}");
        assert!(!text.contains(&"cd".repeat(32)), "{text}");
    }
}
