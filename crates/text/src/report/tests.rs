use super::*;
use hikyaku_core::report::{Exception, MailboxReport, Tally};
use hikyaku_core::{Code, Fault, Key, Reach, Remedy};

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a name")
}

fn report(outcomes: &[(Outcome, u64)], copied_now: u64) -> Report {
    let mut tally = Tally::default();
    for (outcome, messages) in outcomes {
        tally.add(*outcome, *messages, messages * 1000);
    }
    Report {
        mailboxes: vec![MailboxReport {
            source: name("INBOX"),
            destination: name("INBOX"),
            scanned: tally.total(),
            tally,
            copied_now,
            octets_now: copied_now * 1000,
            flags_updated: 0,
            read_back: 0,
        }],
        elapsed_millis: 2_000,
        ..Report::default()
    }
}

#[test]
fn a_complete_run() {
    let report = report(
        &[(Outcome::Copied, 12_405), (Outcome::AlreadyThere, 3)],
        12_405,
    );
    assert_eq!(
        summary(&report, Lang::Ja),
        [
            "すべてのメールを確認できました。",
            "コピー元のメール 12,408通＝新しくコピー 12,405通＋コピー先にすでにあったもの 3通",
            "今回のコピー：12,405通（12MB）・所要時間 2.0秒・平均 5.9MB/秒",
        ]
    );
    assert_eq!(
        summary(&report, Lang::En),
        [
            "Every message is accounted for and verified.",
            "12,408 messages at the source = 12,405 newly copied + 3 already there",
            "Copied in this run: 12,405 messages (12 MB) in 2.0 s, 5.9 MB/s on average",
        ]
    );
}

#[test]
fn what_a_rule_kept_back_by_name_is_said_at_once() {
    let mut limited = report(&[(Outcome::Copied, 294), (Outcome::Skipped, 7)], 294);
    let too_large = Exception {
        mailbox: name("INBOX"),
        key: Some(Key(1)),
        octets: None,
        head: None,
        outcome: Some(Outcome::Skipped),
        fault: Fault::new(Code::MessageTooLarge, Reach::Message, Remedy::Skip, ""),
    };
    limited.exceptions = vec![too_large; 7];
    assert!(limited.is_complete());
    assert_eq!(
        [Lang::Ja, Lang::En].map(|lang| headline(&limited, lang)),
        [
            "294通を確認しました。7通は対象外のため、コピーしていません。",
            "Accounted for and verified: 294 messages. Left out by a rule: 7 messages.",
        ]
    );
}

#[test]
fn a_second_run_and_an_empty_source() {
    let again = report(&[(Outcome::Copied, 10)], 0);
    assert_eq!(
        summary(&again, Lang::Ja),
        [
            "すべてのメールを確認できました。",
            "コピー元のメール 10通＝前回までにコピー済み 10通",
            "新しくコピーするメールはありませんでした（所要時間 2.0秒）。",
        ]
    );
    let empty = report(&[], 0);
    assert_eq!(
        summary(&empty, Lang::En)[..2],
        [
            "The source holds no mail, so there was nothing to copy.",
            "0 messages at the source = 0 newly copied",
        ]
    );
}

#[test]
fn exceptions_are_never_called_complete() {
    let mut partly = report(
        &[
            (Outcome::Copied, 8),
            (Outcome::FailedPermanent, 1),
            (Outcome::FailedTemporary, 1),
        ],
        8,
    );
    partly.exceptions.push(Exception {
        mailbox: name("INBOX"),
        key: Some(Key(1)),
        octets: None,
        head: None,
        outcome: Some(Outcome::FailedPermanent),
        fault: Fault::new(Code::MessageRefused, Reach::Message, Remedy::Skip, ""),
    });
    let lines = summary(&partly, Lang::Ja);
    assert_eq!(lines[0], "8通を確認しました。2通はコピーできませんでした。");
    assert_eq!(lines[3], "同じ操作をもう一度行うと、続きから再開します。");

    let mut broken = partly.clone();
    broken.mailboxes[0].scanned += 1;
    assert!(headline(&broken, Lang::Ja).starts_with("通数の合計が一致しません。"));
    assert!(equation(&broken, Lang::En).contains(" ≠ "));

    let mut different = report(&[(Outcome::Copied, 8)], 8);
    different.differences = 2;
    assert_eq!(
        headline(&different, Lang::Ja),
        "コピー結果の確認で、2通に違いが見つかりました。"
    );

    let mut unfinished = report(&[(Outcome::Copied, 8)], 8);
    unfinished.unfinished = 1;
    assert_eq!(
        headline(&unfinished, Lang::En),
        "Not finished yet: 1 folder."
    );

    let mut stopped = report(&[(Outcome::Copied, 8)], 8);
    stopped.stopped = Some(
        Fault::new(Code::QuotaExceeded, Reach::Side, Remedy::AskUser, "").on(Side::Destination),
    );
    let lines = summary(&stopped, Lang::Ja);
    assert!(lines[0].starts_with("途中で終了しました（コピー先の容量が足りません）。"));
    assert!(lines.iter().any(|l| l.ends_with(" [Q301]")), "{lines:?}");
    assert!(
        lines
            .last()
            .is_some_and(|l| l.contains("続きから再開します"))
    );

    let mut odd = report(&[(Outcome::Copied, 8)], 8);
    odd.exceptions = partly.exceptions;
    assert!(headline(&odd, Lang::Ja).contains("1件"));
}

#[test]
fn waits_and_retries_are_told() {
    let mut waited = report(&[(Outcome::Copied, 8)], 8);
    waited.retries = 2;
    waited.waits = vec![
        Wait {
            code: Code::ServerBusy,
            side: Some(Side::Destination),
            times: 3,
            millis: 720_000,
        },
        Wait {
            code: Code::LinkLost,
            side: None,
            times: 1,
            millis: 1_500,
        },
    ];
    let said = |lang| summary(&waited, lang).split_off(3);
    assert_eq!(
        said(Lang::Ja),
        [
            "応答がなかったため送り直した回数：2回（二重にはなっていません）",
            "待機した時間：合計 12分0秒（コピー先：サーバーの制限または混雑・3回）",
            "待機した時間：合計 1.5秒（接続が切れました・1回）",
        ]
    );
    assert_eq!(
        said(Lang::En),
        [
            "Sent again after a lost or negative answer: 2 times, nothing twice",
            "Waited 12 min 0 s in all for the destination: Server is busy (3 times).",
            "Waited 1.5 s in all: Connection lost (once).",
        ]
    );
}

#[test]
fn notes_name_the_mailbox_and_the_figure() {
    let mailbox = || name("請求書/2024");
    for made in [
        Note::FlagsLost {
            mailbox: mailbox(),
            flags: "$Label1".into(),
            messages: 7,
        },
        Note::Altered {
            mailbox: mailbox(),
            keys: vec![Key(1)],
            messages: 7,
        },
        Note::DatesLost {
            mailbox: mailbox(),
            messages: 7,
        },
        Note::Arrived {
            mailbox: mailbox(),
            messages: 7,
        },
        Note::GoneAtSource {
            mailbox: mailbox(),
            messages: 7,
        },
        Note::FoundElsewhere {
            mailbox: mailbox(),
            found_in: name("保管"),
            messages: 7,
        },
    ] {
        for (lang, figure) in [(Lang::Ja, "7通"), (Lang::En, "7 messages")] {
            let said = note(&made, lang);
            assert!(
                said.contains("請求書/2024") && said.contains(figure),
                "{said}"
            );
        }
    }
    let changed = Note::EpochChanged {
        mailbox: mailbox(),
        side: Side::Source,
    };
    assert!(note(&changed, Lang::Ja).starts_with("コピー元の「請求書/2024」"));
}
