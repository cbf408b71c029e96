//! Words of the report.

use super::Lang;
use crate::figures;
use hikyaku_core::Side;
use hikyaku_core::report::{Note, Outcome};

/// How a run ended, in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything is there and accounted for.
    Complete,
    /// Finished; some messages are listed.
    Exceptions,
    /// Not everything was gone through.
    Stopped,
    /// Verification found differences.
    Different,
}

/// The headline.
pub(crate) fn headline(ending: Ending, scanned: u64, listed: u64, lang: Lang) -> String {
    let (scanned, listed) = (figures::count(scanned), figures::count(listed));
    match (ending, lang) {
        (Ending::Complete, Lang::Ja) => format!("すべてのメール（{scanned}通）を確認できました。"),
        (Ending::Complete, Lang::En) => {
            format!("Complete: all {scanned} messages are accounted for.")
        }
        (Ending::Exceptions, Lang::Ja) => {
            format!("終了しました。ただし{listed}件の問題があります。")
        }
        (Ending::Exceptions, Lang::En) => format!("Finished with {listed} exceptions."),
        (Ending::Stopped, Lang::Ja) => "途中で終了しました。".into(),
        (Ending::Stopped, Lang::En) => "Not finished.".into(),
        (Ending::Different, Lang::Ja) => {
            format!("コピー結果の確認で{listed}件の違いが見つかりました。")
        }
        (Ending::Different, Lang::En) => format!("Verification found {listed} differences."),
    }
}

/// One term of the equation.
pub(crate) fn outcome(outcome: Outcome, lang: Lang) -> &'static str {
    match (outcome, lang) {
        (Outcome::Copied, Lang::Ja) => "コピー済み",
        (Outcome::Copied, Lang::En) => "copied",
        (Outcome::AlreadyThere, Lang::Ja) => "コピー先にすでにあったもの",
        (Outcome::AlreadyThere, Lang::En) => "already there",
        (Outcome::Skipped, Lang::Ja) => "対象外",
        (Outcome::Skipped, Lang::En) => "left out",
        (Outcome::FailedTemporary, Lang::Ja) => "未完了（次回に再試行）",
        (Outcome::FailedTemporary, Lang::En) => "not yet (tried again next time)",
        (Outcome::FailedPermanent, Lang::Ja) => "コピーできなかったもの",
        (Outcome::FailedPermanent, Lang::En) => "could not be copied",
        (Outcome::Vanished, Lang::Ja) => "途中でコピー元から消えたもの",
        (Outcome::Vanished, Lang::En) => "vanished from the source meanwhile",
        (Outcome::RemovedAtDestination, Lang::Ja) => "コピー後にコピー先で移動・削除されたもの",
        (Outcome::RemovedAtDestination, Lang::En) => "moved or deleted at the destination since",
    }
}

/// The equation: what was found is the sum of what became of it.
pub(crate) fn equation(scanned: u64, terms: &[(Outcome, u64)], lang: Lang) -> String {
    let scanned = figures::count(scanned);
    let term = |(of, count): &(Outcome, u64)| {
        let (count, of) = (figures::count(*count), outcome(*of, lang));
        match lang {
            Lang::Ja => format!("{of} {count}通"),
            Lang::En => format!("{count} {of}"),
        }
    };
    let terms: Vec<String> = terms.iter().map(term).collect();
    match lang {
        Lang::Ja => format!("コピー元のメール {scanned}通 ＝ {}", terms.join(" ＋ ")),
        Lang::En => format!("{scanned} messages at the source = {}", terms.join(" + ")),
    }
}

/// What this run did.
pub(crate) fn this_run(
    messages: u64,
    octets: u64,
    flags: u64,
    elapsed: &str,
    lang: Lang,
) -> String {
    let messages = figures::count(messages);
    let octets = figures::octets(octets, lang);
    match lang {
        Lang::Ja => {
            let flags = match flags {
                0 => String::new(),
                n => format!("、既読などの状態の更新 {}通", figures::count(n)),
            };
            format!("今回のコピー：{messages}通（{octets}）{flags}、所要時間 {elapsed}")
        }
        Lang::En => {
            let flags = match flags {
                0 => String::new(),
                n => format!(", flags updated on {}", figures::count(n)),
            };
            format!("This run: copied {messages} messages ({octets}){flags} in {elapsed}")
        }
    }
}

/// What a check did.
pub(crate) fn this_check(read_back: u64, elapsed: &str, lang: Lang) -> String {
    let read = figures::count(read_back);
    match (lang, read_back) {
        (Lang::Ja, 0) => format!("今回は確認だけを行いました。所要時間 {elapsed}"),
        (Lang::Ja, _) => format!(
            "今回は確認だけを行いました。両方から読み出して内容が一致したメール：{read}通、所要時間 {elapsed}"
        ),
        (Lang::En, 0) => format!("This run only compared, in {elapsed}"),
        (Lang::En, _) => {
            format!(
                "This run only compared: {read} messages were read from both sides and are the same, in {elapsed}"
            )
        }
    }
}

/// Headings of the table: folder, destination, messages, and the outcomes.
pub(crate) fn headings(lang: Lang) -> [&'static str; 8] {
    match lang {
        Lang::Ja => [
            "フォルダ",
            "通数",
            "コピー済み",
            "うち今回",
            "既存",
            "対象外",
            "失敗",
            "コピー先のフォルダ",
        ],
        Lang::En => [
            "Folder",
            "Messages",
            "Copied",
            "This run",
            "Already there",
            "Left out",
            "Failed",
            "Destination",
        ],
    }
}

/// Heading of the list of problems.
pub(crate) fn problems(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "■ 問題のあったメール・フォルダ",
        Lang::En => "Exceptions",
    }
}

/// Heading of the notes.
pub(crate) fn notes(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "■ お知らせ",
        Lang::En => "Notes",
    }
}

/// How many messages have one cause.
pub(crate) fn many(count: u64, lang: Lang) -> String {
    let count = figures::count(count);
    match lang {
        Lang::Ja => format!("{count}件"),
        Lang::En => format!("{count} ×"),
    }
}

/// Those that are not shown here.
pub(crate) fn more(count: u64, run: &str, lang: Lang) -> String {
    let count = figures::count(count);
    match lang {
        Lang::Ja => format!("ほか{count}件（全件の一覧：hikyaku report {run} --format csv）"),
        Lang::En => format!("and {count} more (all of them: hikyaku report {run} --format csv)"),
    }
}

/// A message without a subject.
pub(crate) fn no_subject(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "（件名なし）",
        Lang::En => "(no subject)",
    }
}

/// A whole mailbox is meant.
pub(crate) fn whole_mailbox(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "（フォルダ全体）",
        Lang::En => "(the whole folder)",
    }
}

/// Something worth telling.
pub(crate) fn note(note: &Note, lang: Lang) -> String {
    let n = |messages: &u64| figures::count(*messages);
    match (note, lang) {
        (
            Note::FlagsLost {
                mailbox,
                flags,
                messages,
            },
            Lang::Ja,
        ) => {
            format!(
                "{mailbox}：コピー先に保存できない印があります（{flags}、{}通）。メール本体はコピー済みです。",
                n(messages)
            )
        }
        (
            Note::FlagsLost {
                mailbox,
                flags,
                messages,
            },
            Lang::En,
        ) => {
            format!(
                "{mailbox}: the destination does not keep {flags} ({} messages); the messages themselves are there.",
                n(messages)
            )
        }
        (
            Note::Altered {
                mailbox, messages, ..
            },
            Lang::Ja,
        ) => {
            format!(
                "{mailbox}：コピー先のサーバーが保存時に書き換えたメールがあります（{}通）。",
                n(messages)
            )
        }
        (
            Note::Altered {
                mailbox, messages, ..
            },
            Lang::En,
        ) => {
            format!(
                "{mailbox}: the destination server altered {} messages while storing them.",
                n(messages)
            )
        }
        (Note::DatesLost { mailbox, messages }, Lang::Ja) => {
            format!(
                "{mailbox}：受信日時を引き継げなかったメールがあります（{}通）。",
                n(messages)
            )
        }
        (Note::DatesLost { mailbox, messages }, Lang::En) => {
            format!(
                "{mailbox}: the arrival date of {} messages could not be kept.",
                n(messages)
            )
        }
        (Note::EpochChanged { mailbox, side }, Lang::Ja) => {
            let side = super::ja::side(*side);
            format!(
                "{mailbox}：{side}のサーバーでフォルダが作り直されていたため、内容を照合して続けました。"
            )
        }
        (Note::EpochChanged { mailbox, side }, Lang::En) => {
            let side = match side {
                Side::Source => "source",
                Side::Destination => "destination",
            };
            format!(
                "{mailbox}: the {side} renumbered this folder; messages were matched by content."
            )
        }
        (Note::Arrived { mailbox, messages }, Lang::Ja) => {
            format!(
                "{mailbox}：コピー中に{}通が新しく届きました。もう一度実行するとコピーされます。",
                n(messages)
            )
        }
        (Note::Arrived { mailbox, messages }, Lang::En) => {
            format!(
                "{mailbox}: {} messages arrived meanwhile; the next run copies them.",
                n(messages)
            )
        }
        (Note::GoneAtSource { mailbox, messages }, Lang::Ja) => {
            format!(
                "{mailbox}：前回コピーした{}通は、コピー元から無くなっています（コピー先には残っています）。",
                n(messages)
            )
        }
        (Note::GoneAtSource { mailbox, messages }, Lang::En) => {
            format!(
                "{mailbox}: {} messages of an earlier run are gone from the source; they stay at the destination.",
                n(messages)
            )
        }
    }
}

/// What to do next.
pub(crate) fn next_step(ending: Ending, copied: bool, lang: Lang) -> &'static str {
    match (ending, lang) {
        (Ending::Complete, Lang::Ja) if copied => {
            "次にすること：メールの届け先を新しいサーバーへ切り替えたあと、同じコマンドをもう一度実行すると、その間に届いたメールだけがコピーされます。"
        }
        (Ending::Complete, Lang::En) if copied => {
            "Next: after new mail goes to the new server, run the same command again; only what arrived meanwhile is copied."
        }
        (Ending::Complete, _) => "",
        (Ending::Exceptions, Lang::Ja) => {
            "次にすること：上の対処のあと、同じコマンドをもう一度実行してください。残りだけがコピーされます。"
        }
        (Ending::Exceptions, Lang::En) => {
            "Next: follow the remedies above and run the same command again; only the rest is copied."
        }
        (Ending::Stopped, Lang::Ja) => {
            "次にすること：同じコマンドをもう一度実行すると、続きから再開します。"
        }
        (Ending::Stopped, Lang::En) => {
            "Next: run the same command again; it continues where it stopped."
        }
        (Ending::Different, Lang::Ja) => {
            "次にすること：copyをもう一度実行すると、足りないものがコピーされます。そのあとcheckでご確認ください。"
        }
        (Ending::Different, Lang::En) => "Next: run copy again for what is missing, then check.",
    }
}

/// The name under which the run can be looked up.
pub(crate) fn run_name(run: &str, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("実行番号：{run}（hikyaku report {run} で再表示できます）"),
        Lang::En => format!("Run {run} (hikyaku report {run} shows this again)"),
    }
}
