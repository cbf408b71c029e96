use super::*;
use crate::job::{FolderProgress, Waiting};
use crate::web::sample;
use crate::web::shown::tests::{NOW, eyes};
use hikyaku_core::{Code, Reach, Remedy, Side};
use hikyaku_text::Lang;
use hikyaku_view::FaultView;

fn look(change: impl FnOnce(&mut Job)) -> Progressing {
    let mut job = sample::job();
    change(&mut job);
    progressing(&job, eyes(Lang::Ja))
}

fn busy(until_millis: i64) -> Waiting {
    let fault = Fault::new(
        Code::ServerBudget,
        Reach::Side,
        Remedy::Retry { after: None },
        "",
    );
    Waiting {
        until_millis,
        because: FaultView::from(&fault.on(Side::Source)),
    }
}

#[test]
fn a_copy_is_told_with_all_its_figures() {
    let seen = look(|_| {});
    let folder = |name: &str, messages: &str, done: &str, word: &str, state| Folder {
        name: name.to_owned(),
        messages: messages.to_owned(),
        done: done.to_owned(),
        word: word.to_owned(),
        state,
    };
    let whole = Progressing {
        heading: "コピーしています".to_owned(),
        line: "12,408通中 5,120通・残り約14分・いま：受信トレイ 2023年".to_owned(),
        octets: "3.0GB中 1.0GB".to_owned(),
        copied: "今回新しくコピーしたメール：5,117通".to_owned(),
        hint: String::new(),
        bar: Some((1 << 30, 3 << 30)),
        controls: Controls::Pause,
        folders: vec![
            folder("受信トレイ", "5,000", "5,000", "完了", "finished"),
            folder("受信トレイ 2023年", "7,000", "120", "コピー中", "begun"),
            folder("Sent", "408", "0", "これから", "open"),
        ],
        more_folders: String::new(),
    };
    assert_eq!(seen, whole);
}

#[test]
fn every_state_has_its_heading_line_hint_and_buttons() {
    type Change = fn(&mut Job);
    let tomorrow = "2026年12月22日 13:00";
    let table: [(Change, &str, &str, &str, Controls); 10] = [
        (
            |job| job.state = State::Verifying,
            "コピー結果を確認しています",
            "12,408通中 5,120通・残り約14分・いま：受信トレイ 2023年",
            "",
            Controls::Pause,
        ),
        (
            |job| job.progress = Progress::default(),
            "サーバーへ接続しています",
            "",
            "",
            Controls::Pause,
        ),
        (
            |job| job.progress.waiting = Some(busy(NOW + 20 * 3_600_000 + 2_400_000)),
            "待機しています",
            "12,408通中 5,120通",
            "待機中です（コピー元：1日の転送量の上限です）。明日 9:40に自動で再開します。操作は不要です。",
            Controls::Pause,
        ),
        (
            |job| {
                job.state = State::Queued;
                job.progress.waiting = Some(busy(NOW + 300_000));
            },
            "待機しています",
            "12,408通中 5,120通",
            "待機中です（コピー元：1日の転送量の上限です）。13:05に自動で再開します。操作は不要です。",
            Controls::Pause,
        ),
        (
            |job| job.state = State::Queued,
            "順番を待っています",
            "12,408通中 5,120通",
            "まもなく自動で始まります。操作は不要です。",
            Controls::Pause,
        ),
        (
            |job| {
                job.state = State::Queued;
                job.paused = true;
            },
            "一時停止しています",
            "12,408通中 5,120通",
            "「再開する」をクリックすると、続きからコピーします。24時間操作がない場合は、安全のため保管中のパスワードを消去します。",
            Controls::Resume,
        ),
        (
            |job| job.paused = true,
            "一時停止の準備をしています",
            "12,408通中 5,120通",
            "「再開する」をクリックすると、続きからコピーします。24時間操作がない場合は、安全のため保管中のパスワードを消去します。",
            Controls::Resume,
        ),
        (
            |job| {
                job.state = State::Scheduled;
                job.begins_millis = Some(NOW + 30 * 86_400_000);
                job.progress = Progress::default();
                job.order.choices.final_run = Some(FinalRun::MxMoved);
            },
            "自動コピーを予約しています",
            "",
            "メールの届け先が新しいサーバーへ切り替わったことを確認してから、自動で始まります。2026年12月22日 13:00 までに切り替わらない場合は、コピーせずに終了してお知らせします。",
            Controls::Cancel,
        ),
        (
            |job| {
                job.state = State::Scheduled;
                job.begins_millis = Some(NOW + 30 * 86_400_000);
                job.progress = Progress::default();
            },
            "自動コピーを予約しています",
            "",
            "2026年12月22日 13:00 に自動で始まります。操作は不要です。",
            Controls::Cancel,
        ),
        (
            |job| job.kind = Kind::Undo,
            "コピーを取り消しています",
            "12,408通中 5,120通・残り約14分・いま：受信トレイ 2023年",
            "",
            Controls::Pause,
        ),
    ];
    assert!(table.iter().any(|row| row.3.contains(tomorrow)));
    for (change, heading, line, hint, controls) in table {
        let seen = look(change);
        assert_eq!(
            (
                seen.heading.as_str(),
                seen.line.as_str(),
                seen.hint.as_str(),
                seen.controls
            ),
            (heading, line, hint, controls)
        );
    }
}

#[test]
fn the_bar_counts_octets_or_else_messages_and_never_overflows() {
    assert_eq!(
        look(|job| job.progress.octets = 0).bar,
        Some((5_120, 12_408))
    );
    assert_eq!(
        look(|job| job.progress.octets_done = 9 << 30).bar,
        Some((3 << 30, 3 << 30))
    );
    assert_eq!(look(|job| job.progress = Progress::default()).bar, None);
    let over = look(|job| job.progress.messages_done = 99_999);
    assert!(
        over.line.starts_with("12,408通中 12,408通・"),
        "{}",
        over.line
    );
}

#[test]
fn a_thousand_hostile_folders_leave_the_page_small() {
    let seen = look(|job| {
        job.progress.folders = (0..1_000)
            .map(|n| FolderProgress {
                name: format!("<script>\"&'{}", "\u{202e}&".repeat(200 + n)),
                messages: u64::MAX,
                done: 1,
                finished: false,
            })
            .collect();
    });
    let shown = seen.folders.len() as u64;
    assert!((20..1_000).contains(&shown), "{shown}");
    assert_eq!(
        seen.more_folders,
        format!("ほかに{}個のフォルダがあります。", 1_000 - shown)
    );
    let octets: usize = seen
        .folders
        .iter()
        .map(|f| ROW + shown::octets(&f.name))
        .sum();
    assert!(octets <= ROOM, "{octets}");
    assert!(!seen.folders[0].name.contains('\u{202e}'));
}

#[test]
fn a_list_says_how_each_job_stands() {
    let word = |change: fn(&mut Job)| {
        let mut job = sample::job();
        change(&mut job);
        (
            state_word(&job, eyes(Lang::Ja)),
            state_word(&job, eyes(Lang::En)),
        )
    };
    let both = |ja: &str, en: &str| (ja.to_owned(), en.to_owned());
    assert_eq!(word(|_| {}), both("コピー中", "copying"));
    assert_eq!(
        word(|job| job.kind = Kind::Undo),
        both("取り消し中", "undoing")
    );
    assert_eq!(word(|job| job.paused = true), both("一時停止中", "paused"));
    assert_eq!(
        word(|job| job.progress.waiting = Some(busy(NOW))),
        both("待機中", "on hold")
    );
    let stopped = |job: &mut Job| {
        job.state = State::Stopped;
        job.paused = true;
    };
    assert_eq!(
        word(stopped),
        both("中断（操作が必要です）", "stopped, needs you")
    );
}
