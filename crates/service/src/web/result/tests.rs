use super::*;
use crate::brand::Destination;
use crate::job::{Checked, Delivery, Transport, UndoLine};
use crate::web::sample;
use crate::web::shown::tests::{NOW, eyes};
use hikyaku_core::report::{Exception, Note};
use hikyaku_core::{MailboxName, Reach, Remedy, Side};
use hikyaku_text::Lang;
use hikyaku_view::{FaultView, ReportView};

fn brand() -> Brand {
    Brand {
        destination: Destination::new("imap.new.example.jp", 993, Transport::Tls),
        ..Brand::builtin()
    }
}

fn look(job: &Job) -> Ended {
    ended(job, &brand(), eyes(Lang::Ja))
}

#[test]
fn a_complete_copy_says_so_adds_up_and_lets_the_old_server_go() {
    let seen = look(&sample::ended(&sample::complete()));
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let sheet = [
        ("受信サーバー（IMAP）", "imap.new.example.jp"),
        ("ポート番号", "993"),
        ("暗号化", "最初から暗号化（SSL/TLS）"),
        ("ユーザー名", "taro@example.jp"),
        ("パスワード", "コピー先のメールパスワード"),
    ];
    let row = |cells: [&str; 6]| cells.map(str::to_owned);
    let whole = Ended {
        leaves_pop: false,
        mood: Mood::Good,
        heading: "コピーが完了しました".to_owned(),
        about: texts(&[
            "受付番号 8F3K2",
            "コピー元：taro@example.jp（mail.old.example.jp）　コピー先：taro@example.jp",
            "終了：2026年11月22日 13:00",
        ]),
        lead: texts(&[
            "すべてのメールを確認できました。",
            "コピー元のメール 12,408通＝新しくコピー 12,405通＋コピー先にすでにあったもの 3通",
            "コピー元のメールは変更も削除もしていません。",
        ]),
        stop: None,
        causes: Vec::new(),
        list: Vec::new(),
        list_more: Vec::new(),
        saves: false,
        facts: texts(&["今回のコピー：12,405通（12MB）・所要時間 1分0秒・平均 202KB/秒"]),
        folders: Some(Folders {
            headings: report::mailbox_headings(Lang::Ja),
            rows: vec![
                row(["受信トレイ", "受信トレイ", "12,003", "12,000", "3", "0"]),
                row(["Sent", "Sent", "405", "405", "0", "0"]),
            ],
            more: String::new(),
        }),
        notes: Vec::new(),
        notes_more: String::new(),
        steps: Some(Steps {
            sheet: sheet.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            manual: None,
            once_more: words::next_once_more(Lang::Ja),
            keep: "前のサーバーは、2026年12月6日 13:00 まで解約しないでください。".to_owned(),
        }),
        retire: Some((
            "taro@example.jp（mail.old.example.jp） にあるメール 12,408通は、すべて新しいサーバーにあることを確認しました。新しいメールも、すでに新しいサーバーへ届いています。2026年12月6日 13:00 を過ぎましたら、解約していただいて構いません。".to_owned(),
            Vec::new(),
        )),
        undone: None,
        ways: Ways {
            proceed: false,
            report: true,
            again: true,
            undo: true,
            final_run: true,
            form: false,
        },
    };
    assert_eq!(seen, whole);
}

#[test]
fn before_the_switch_the_old_server_stays_and_another_run_is_advised() {
    let mut job = sample::ended(&sample::complete());
    job.checked = Some(Checked {
        delivery: Delivery::Elsewhere,
        ..Checked::default()
    });
    let seen = look(&job);
    let steps = seen.steps.expect("steps");
    assert_eq!(steps.once_more, words::next_switch(Lang::Ja));
    assert_eq!(steps.keep, words::next_keep_for_now(Lang::Ja));
    assert_eq!(
        seen.retire,
        Some((
            "taro@example.jp（mail.old.example.jp） は、まだ解約しないでください。".to_owned(),
            vec![words::retire_still_delivered(Lang::Ja)],
        ))
    );
}

fn with_exceptions() -> Report {
    let mut report = sample::complete();
    report.mailboxes.push(sample::mailbox(
        "受信/<b>x</b>",
        &[(Outcome::FailedPermanent, 3)],
        0,
    ));
    report.exceptions = vec![
        sample::exception(
            Code::MessageRefused,
            "受信/<b>x</b>",
            7,
            "<script>alert(1)</script>",
        ),
        sample::exception(Code::MessageTooLarge, "受信/<b>x</b>", 8, "写真"),
        Exception {
            head: None,
            ..sample::exception(Code::MessageRefused, "受信/<b>x</b>", 9, "")
        },
    ];
    report
}

#[test]
fn exceptions_are_told_by_cause_and_by_name() {
    let seen = look(&sample::ended(&with_exceptions()));
    assert_eq!(seen.mood, Mood::Warn);
    assert_eq!(seen.heading, words::done_with_exceptions(Lang::Ja));
    assert_eq!(
        seen.lead[0],
        "12,408通を確認しました。3通はコピーできませんでした。"
    );
    let causes: Vec<_> = seen
        .causes
        .iter()
        .map(|c| (c.code, c.count.as_str()))
        .collect();
    assert_eq!(causes, [("Q302", "1"), ("M501", "2")]);
    assert!(seen.saves && seen.list_more.is_empty());
    assert_eq!(
        seen.list[0],
        Named {
            place: 0,
            folder: "受信/<b>x</b>".to_owned(),
            date: String::new(),
            subject: "<script>alert(1)</script>".to_owned(),
            from: "hana@example.jp".to_owned(),
            size: "120MB".to_owned(),
            cause: page::explain(Code::MessageRefused, Lang::Ja).title,
            saves: true,
            save_words: "「<script>alert(1)</script>」をダウンロード".to_owned(),
        }
    );
    assert_eq!(seen.list[2].subject, "（件名を読み出せないメール・番号 9）");
    let (_, reasons) = seen.retire.expect("a verdict");
    assert_eq!(reasons, ["新しいサーバーにないメールが3通あります。"]);
}

#[test]
fn ten_thousand_exceptions_and_a_thousand_folders_fit_on_a_page() {
    let subject = "\"<&>'あ".repeat(40);
    let mut report = Report {
        mailboxes: (0..1_000)
            .map(|n| {
                sample::mailbox(
                    &format!("{n}{}", "<\"&'>".repeat(50)),
                    &[(Outcome::Copied, 9)],
                    9,
                )
            })
            .collect(),
        exceptions: (0..10_000)
            .map(|n| sample::exception(Code::MessageRefused, "&".repeat(300).as_str(), n, &subject))
            .collect(),
        ..Report::default()
    };
    report.notes = (0..7_000)
        .map(|n| Note::DatesLost {
            mailbox: MailboxName::parse(&format!("{n}{}", "&".repeat(200))).expect("a name"),
            messages: 1,
        })
        .collect();
    let seen = look(&sample::ended(&report));
    let shown = seen.list.len() as u64;
    assert!(shown >= 5, "{shown}");
    assert_eq!(
        seen.list_more,
        [
            words::more_in_csv(Count(10_000 - shown), Lang::Ja),
            words::more_than_kept(Count(10_000), Lang::Ja),
        ]
    );
    let folders = seen.folders.expect("folders");
    let left = 1_000 - folders.rows.len() as u64;
    assert_eq!(folders.more, words::more_in_csv(Count(left), Lang::Ja));
    assert!(!seen.notes.is_empty() && !seen.notes_more.is_empty());
}

#[test]
fn a_copy_that_stopped_says_why_and_how_to_go_on() {
    let mut job = sample::job();
    job.state = State::Stopped;
    let fault = Fault::new(Code::LoginRejected, Reach::Side, Remedy::AskUser, "")
        .on(Side::Source)
        .server("mail.old.example.jp:993")
        .said(hikyaku_core::Said::new("NO", None, "<b>no\u{202e}</b>"));
    job.fault = Some(FaultView::from(&fault));
    let seen = look(&job);
    assert_eq!(
        (seen.mood, seen.heading.as_str()),
        (Mood::Bad, "コピーが中断しました")
    );
    assert_eq!(
        seen.lead,
        [
            "5,120通は確認済みです。コピー先にそのまま残っています。",
            "「続きから再開する」をクリックすると、残りのメールだけをコピーします。",
            "コピー元のメールは変更も削除もしていません。",
        ]
    );
    let explained = page::explain(Code::LoginRejected, Lang::Ja);
    assert_eq!(
        seen.stop,
        Some(Stop {
            cause: format!("コピー元（mail.old.example.jp:993）：{}", explained.cause),
            remedy: explained.remedy.to_owned(),
            quote: Some("サーバーからの応答：NO <b>no\u{fffd}</b>".to_owned()),
            code: "A201",
        })
    );
    assert!(seen.steps.is_none() && seen.retire.is_none());
    assert_eq!(
        seen.ways,
        Ways {
            proceed: true,
            undo: true,
            ..Ways::default()
        }
    );
}

#[test]
fn what_never_began_leads_back_to_the_form() {
    let mut job = sample::job();
    job.state = State::Stopped;
    job.started_millis = None;
    job.progress = crate::job::Progress::default();
    let fault = Fault::new(Code::HostNotFound, Reach::Side, Remedy::AskUser, "");
    job.checked = Some(Checked {
        fault: Some(FaultView::from(&fault)),
        ..Checked::default()
    });
    let seen = look(&job);
    assert_eq!(seen.heading, words::not_begun(Lang::Ja));
    assert_eq!(seen.stop.map(|stop| stop.code), Some("N101"));
    assert_eq!(seen.lead, ["コピー元のメールは変更も削除もしていません。"]);
    assert_eq!(
        seen.ways,
        Ways {
            proceed: true,
            form: true,
            ..Ways::default()
        }
    );
}

#[test]
fn every_end_has_its_heading() {
    let heading = |change: fn(&mut Job)| {
        let mut job = sample::ended(&sample::complete());
        change(&mut job);
        look(&job).heading
    };
    let remarks = |job: &mut Job| {
        job.state = State::DoneWithExceptions;
        let mut report = sample::complete();
        report.exceptions = vec![Exception {
            mailbox: MailboxName::inbox(),
            key: None,
            octets: None,
            head: None,
            outcome: None,
            fault: Fault::new(Code::MailboxRefused, Reach::Mailbox, Remedy::AskUser, ""),
        }];
        job.report = Some(ReportView::from(&report));
    };
    assert_eq!(heading(|_| {}), words::done(Lang::Ja));
    assert_eq!(heading(remarks), words::done_with_remarks(Lang::Ja));
    assert_eq!(
        heading(|job| job.state = State::Cancelled),
        words::cancelled(Lang::Ja)
    );
    let undo = |state| {
        let mut job = sample::ended(&sample::complete());
        job.kind = Kind::Undo;
        job.state = state;
        look(&job).heading
    };
    assert_eq!(undo(State::Done), words::undone(Lang::Ja));
    assert_eq!(undo(State::DoneWithExceptions), words::undone(Lang::Ja));
    assert_eq!(undo(State::Stopped), words::undo_stopped(Lang::Ja));
    assert_eq!(undo(State::Cancelled), words::undo_cancelled(Lang::Ja));
}

#[test]
fn an_undo_tells_what_went_and_what_stayed() {
    let line = |mailbox: &str, removed, touched, only_copy| UndoLine {
        mailbox: mailbox.to_owned(),
        removed,
        touched,
        only_copy,
    };
    let plan = UndoPlan {
        lines: vec![line("INBOX", 1_200, 3, 4), line("Sent", 5, 0, 0)],
    };
    let row = |cells: [&str; 4]| cells.map(str::to_owned);
    let rows = vec![
        row(["受信トレイ", "1,200", "3", "4"]),
        row(["Sent", "5", "0", "0"]),
    ];
    let planned = undone(&plan, Told::Planned, eyes(Lang::Ja));
    assert_eq!(
        planned,
        Undone {
            sum: "取り除くメール：1,205通・残すメール：7通（フォルダ 2個）".to_owned(),
            rows: rows.clone(),
            more: String::new(),
        }
    );
    let mut job = sample::job();
    job.kind = Kind::Undo;
    job.state = State::Done;
    job.undo = Some(plan);
    job.ended_millis = Some(NOW);
    let seen = look(&job);
    assert_eq!(
        seen.undone,
        Some(Undone {
            sum: "1,205通を取り除きました。7通はコピー先に残しています。".to_owned(),
            rows,
            more: String::new(),
        })
    );
    assert_eq!(seen.ways, Ways::default());
    assert!(seen.facts.is_empty() && seen.retire.is_none() && seen.steps.is_none());
}

#[test]
fn a_pinned_certificate_is_written_down() {
    let mut job = sample::ended(&sample::complete());
    let mut report = job.report.take().expect("a report");
    report.servers = vec![
        hikyaku_view::Connected::new(Side::Source, "old.example.jp:993", "192.0.2.1:993")
            .encrypted("TLS 1.3", "abcd", true),
    ];
    job.report = Some(report);
    assert_eq!(
        look(&job).notes,
        [report::pinned(
            Side::Source,
            "old.example.jp:993",
            "abcd",
            Lang::Ja
        )]
    );
}
