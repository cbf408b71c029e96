//! Japanese.

use crate::config::{ConfigProblem, Expected, Why};
use crate::locator::LocatorProblem;
use crate::problem::Problem;
use crate::secret::{SecretProblem, SecretRemark};
use hikyaku_core::Side;
use std::io::ErrorKind;

const EXAMPLE: &str = "例：imaps://taro@mail.example.jp";

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Source => "コピー元",
        Side::Destination => "コピー先",
    }
}

pub(super) fn problem(problem: &Problem) -> (String, String) {
    match problem {
        Problem::Locator(text, why) => {
            let (cause, remedy) = locator(why);
            (format!("「{text}」は使えません。{cause}"), remedy)
        }
        Problem::NotYet(kind) => (
            format!("「{kind}」は、このバージョンではまだ使えません。"),
            "このバージョンで読み取れるのは、IMAP（imaps://）、POP（pop3s://）、ファイルのメール（パス、mbox:パスなど）、バックアップです。コピー先にできるのは、IMAPとバックアップです。".into(),
        ),
        Problem::Place(text) => (
            format!("「{text}」というファイルやフォルダはありません。"),
            format!("パスをご確認ください。{EXAMPLE}　保存したアカウントは「名前:」とご指定ください。"),
        ),
        Problem::OnlySource(text) => (
            format!("「{text}」は読み取り専用のため、コピー先には指定できません。"),
            "メールをこのパソコンに保存する場合は「hikyaku backup コピー元 フォルダ」をお使いください。".into(),
        ),
        Problem::BackupWithin(backup, files) => (
            format!(
                "バックアップ先（{}）とメールデータ（{}）の一方が、もう一方の中にあります。このままでは、バックアップ自体がメールとして繰り返し保存されてしまいます。",
                backup.display(),
                files.display()
            ),
            "バックアップ先には、メールデータの外にあるフォルダをご指定ください。別のディスクをおすすめします。".into(),
        ),
        Problem::NothingToCompare => (
            "比較する相手が指定されていません。".into(),
            "コピー先もご指定ください。1つだけ指定できるのは、hikyakuで作成したバックアップのフォルダです。".into(),
        ),
        Problem::NoHome => (
            "ホームフォルダの場所がわかりません（HOMEが設定されていません）。".into(),
            "「hikyaku find フォルダ」のように、ホームフォルダをご指定ください。".into(),
        ),
        Problem::NoSource => (
            "このパソコンにはメールデータが見つからず、ほかのコピー元も指定されていません。".into(),
            "POPアカウントか、メールデータの場所をご指定ください。例：hikyaku leave-pop pop3s://taro@pop.example.jp --to …".into(),
        ),
        Problem::SavedName(name, Some(like)) => (
            format!("設定ファイルに「{name}」というアカウントはありません。"),
            format!("「{like}:」ではありませんか。"),
        ),
        Problem::SavedName(name, None) => (
            format!("設定ファイルに「{name}」というアカウントはありません。"),
            format!("設定ファイルに[accounts.{name}]を追加するか、サーバーを直接ご指定ください。{EXAMPLE}"),
        ),
        Problem::Config(problem) => config(problem),
        Problem::Secret(side, why) => secret(*side, why),
        Problem::CaFile(path, why) => (
            format!("証明書のファイル{}は使えません（{why}）。", path.display()),
            "証明書を1枚以上含むPEM形式のファイルをご指定ください。".into(),
        ),
        Problem::EmptyTime => (
            "--sinceが--beforeより前の日付ではないため、対象となるメールがありません。".into(),
            "2つの日付をご確認ください。".into(),
        ),
        Problem::UnderTwice => (
            "コピー先のフォルダが、アドレスの中と--underの両方で指定されています。".into(),
            "どちらか一方をご指定ください。".into(),
        ),
        Problem::LabelPriority => (
            "--label-priorityは、メールを1通ずつコピーする場合（--labels one）だけ使えます。".into(),
            "--label-priorityを外すか、--labels oneをご指定ください。".into(),
        ),
        Problem::State(path, kind) => (
            format!("台帳のフォルダ{}を使えません（{}）。", path.display(), io(*kind)),
            "--stateで別の場所を指定するか、所有者とアクセス権をご確認ください。".into(),
        ),
        Problem::NoState => (
            "台帳の保存場所が決まりません（XDG_STATE_HOMEもHOMEも設定されていません）。".into(),
            "--stateで場所をご指定ください。".into(),
        ),
        Problem::UnknownCode(code, Some(like)) => (
            format!("「{code}」というエラーコードはありません。"),
            format!("「{like}」ではありませんか。"),
        ),
        Problem::UnknownCode(code, None) => (
            format!("「{code}」というエラーコードはありません。"),
            "「hikyaku explain」で一覧を表示できます。".into(),
        ),
        Problem::UnknownRun(run) => (
            format!("台帳に「{run}」という実行記録はありません。"),
            "「hikyaku jobs」で一覧を表示できます。".into(),
        ),
        Problem::NoRun => (
            "台帳にはまだ実行記録がありません。".into(),
            "先に「hikyaku copy」を実行するか、--stateで台帳の場所をご指定ください。".into(),
        ),
        Problem::Unended(run) => (
            format!("実行番号{run}のレポートはありません（実行中か、強制終了されています）。"),
            "同じコマンドをもう一度実行すると、続きから再開します。".into(),
        ),
        Problem::Unconfirmed => (
            "確認のための端末がありません。".into(),
            "実行してよい場合は--yesを付けてください。".into(),
        ),
        Problem::Output(path, kind) => (
            format!("{}へ書き込めません（{}）。", path.display(), io(*kind)),
            "場所とアクセス権をご確認ください。".into(),
        ),
        Problem::Service(problem) => (
            format!("サービスの設定を使えません：{problem}"),
            "示された行を修正してから、もう一度起動してください。".into(),
        ),
        Problem::Listen(address, kind) => (
            format!("{address} でページを公開できません（{}）。", io(*kind)),
            "--listenで別のアドレスかポートをご指定ください（例：127.0.0.1:8081）。".into(),
        ),
    }
}

fn locator(why: &LocatorProblem) -> (String, String) {
    use LocatorProblem as P;
    let example = || EXAMPLE.to_owned();
    match why {
        P::Empty => ("何も書かれていません。".into(), example()),
        P::Control => ("制御文字が含まれています。".into(), example()),
        P::Scheme(scheme, Some(like)) => (
            format!("「{scheme}://」という種類はありません。"),
            format!("「{like}://」ではありませんか。"),
        ),
        P::Scheme(scheme, None) => (format!("「{scheme}://」という種類はありません。"), example()),
        P::Kind(kind) => (
            format!("「{kind}:」は、アカウントの種類でも保存した名前でもありません。"),
            format!("{EXAMPLE}　保存したアカウントは「名前:」または「名前:/フォルダ」とご指定ください。"),
        ),
        P::Bare(proposal) => (
            "接続方法が書かれていません。".into(),
            format!("先頭に種類、末尾にサーバー名を付けて「{proposal}@mail.example.jp」のようにご指定ください（サーバー名まで書かれている場合は「{proposal}」）。"),
        ),
        P::User => ("「@」の前のユーザー名がありません。".into(), example()),
        P::Password => (
            "パスワードが含まれています（このコンピューターのほかの利用者から見えるおそれがあります）。".into(),
            "パスワードは書かないでください。実行後に入力するか、--source-password-file（コピー元）、--destination-password-file（コピー先）でファイルをご指定ください。ユーザー名の中の「:」は「%3A」と書きます。".into(),
        ),
        P::HostMissing => ("「@」の後のサーバー名がありません。".into(), example()),
        P::Host(host) => (
            format!("「{host}」は、サーバー名としてもIPアドレスとしても正しくありません。"),
            format!("{EXAMPLE}　IPv6アドレスは[ ]で囲みます（imaps://taro@[2001:db8::1]）。"),
        ),
        P::Port(port) => (
            format!("ポート番号「{port}」は1～65535の数字ではありません。"),
            "例：imaps://taro@mail.example.jp:993".into(),
        ),
        P::Percent(text) => (
            format!("「{text}」の「%」の後には、UTF-8を表す16進数2桁が必要です。"),
            "「%」そのものは「%25」と書きます。".into(),
        ),
        P::Mailbox => (
            "POP3にはフォルダがありません。".into(),
            "サーバー名より後ろを削除してください。".into(),
        ),
        P::Path(kind) => (
            format!("「{kind}:」の後に場所がありません。"),
            format!("例：{kind}:./mail"),
        ),
    }
}

fn config(problem: &ConfigProblem) -> (String, String) {
    let place = match problem.line {
        Some(line) => format!("{}の{line}行目", problem.path.display()),
        None => problem.path.display().to_string(),
    };
    let (cause, remedy) = match &problem.why {
        Why::Unreadable(kind) => (
            format!("設定ファイルを読み込めません（{}）。", io(*kind)),
            "場所とアクセス権をご確認ください。".into(),
        ),
        Why::Syntax(words) => (
            format!("TOMLの書き方が正しくありません（{words}）。"),
            "この行を修正してください。".into(),
        ),
        Why::Key(key, Some(like)) => (
            format!("「{key}」という設定項目はありません。"),
            format!("「{like}」ではありませんか。"),
        ),
        Why::Key(key, None) => (
            format!("「{key}」という設定項目はありません。"),
            "この行を削除するか、docs/cli.mdで設定項目をご確認ください。".into(),
        ),
        Why::Type(key, expected) => (
            format!("「{key}」には{}を指定してください。", expected_words(*expected)),
            "値を修正してください。".into(),
        ),
        Why::Password(key) => (
            format!("設定ファイルにパスワードは書けません（「{key}」）。"),
            "password-file、password-command、password-envのいずれかをお使いください。ほかの人がこのファイルを読めた場合は、パスワードを変更してください。".into(),
        ),
        Why::Both(one, other) if one == other => (
            format!("{one}が2つ以上指定されています。"),
            "1つだけ残してください。".into(),
        ),
        Why::Both(one, other) => (
            format!("{one}と{other}の両方が指定されています。"),
            "どちらか一方を残してください。".into(),
        ),
        Why::Name(name) => (
            format!("「{name}」はアカウントの名前に使えません。"),
            "2文字以上の文字・数字・ハイフン・下線で付けてください（imapsやmaildirなど種類の名前は使えません）。".into(),
        ),
        Why::Missing(name) => (
            format!("アカウント「{name}」にlocatorがありません。"),
            "locator = \"imaps://taro@mail.example.jp\" のような行を追加してください。".into(),
        ),
        Why::Locator(text, why) => {
            let (cause, remedy) = locator(why);
            (format!("「{}」は使えません。{cause}", crate::locator::masked(text)), remedy)
        }
        Why::OnDisk => (
            "このパソコンの中のメールには、パスワード・証明書・接続数の設定は使えません。".into(),
            "これらの行を削除するか、locatorにメールサーバーをご指定ください。".into(),
        ),
        Why::Kind(kind) => (
            format!("「{kind}」のアカウントは、このバージョンでは保存できません。"),
            EXAMPLE.into(),
        ),
    };
    (format!("{place}：{cause}"), remedy)
}

fn expected_words(expected: Expected) -> &'static str {
    match expected {
        Expected::Table => "表（[ ]で始まる項目）",
        Expected::Text => "引用符で囲んだ文字列",
        Expected::Count => "1～32の整数",
        Expected::Lang => "\"ja\"または\"en\"",
        Expected::Rate => "\"2M\"のような速度",
        Expected::Pin => "SHA-256フィンガープリント（16進数64桁）",
    }
}

fn secret(at: Side, why: &SecretProblem) -> (String, String) {
    let of = side(at);
    let option = match at {
        Side::Source => "--source",
        Side::Destination => "--destination",
    };
    match why {
        SecretProblem::File(path, kind) => (
            format!(
                "{of}のパスワードのファイル{}を読み込めません（{}）。",
                path.display(),
                io(*kind)
            ),
            "場所とアクセス権をご確認ください。".into(),
        ),
        SecretProblem::Command(Some(code)) => (
            format!("{of}のパスワードを取得するコマンドが、終了コード{code}で終わりました。"),
            "コマンドを単独で実行し、動作をご確認ください。".into(),
        ),
        SecretProblem::Command(None) => (
            format!("{of}のパスワードを取得するコマンドを実行できません。"),
            "コマンドを単独で実行し、動作をご確認ください。".into(),
        ),
        SecretProblem::Env(name) => (
            format!("{of}のパスワードの環境変数{name}が設定されていません。"),
            "環境変数を設定するか、ほかの方法をお使いください。".into(),
        ),
        SecretProblem::Empty => (
            format!("{of}のパスワードが空です。"),
            "1行目にパスワードが必要です。".into(),
        ),
        SecretProblem::NoTerminal => (
            format!("{of}のパスワードを入力するための端末がありません。"),
            format!(
                "{option}-password-file、{option}-password-command、{option}-password-envのいずれかをお使いください。"
            ),
        ),
        SecretProblem::TooLong => (
            format!("{of}のパスワードとして読み込んだ内容が64KiBを超えています。"),
            "ファイルまたはコマンドの指定をご確認ください。".into(),
        ),
    }
}

pub(super) fn remark(remark: SecretRemark, at: Side) -> String {
    let of = side(at);
    let what = match remark {
        SecretRemark::ByteOrderMark => "の先頭にBOM（バイト順マーク）が含まれています",
        SecretRemark::FullWidth => "に全角文字が含まれています",
        SecretRemark::OddSpace => "に全角または改行なしの空白が含まれています",
        SecretRemark::EdgeBlank => "の先頭または末尾に空白が含まれています",
        SecretRemark::Unseen => "に目に見えない文字が含まれています",
        SecretRemark::Readable => {
            return format!(
                "ご注意：{of}のパスワードのファイルは、このコンピューターの全員が読める状態です。"
            );
        }
    };
    format!("ご注意：{of}のパスワード{what}。そのまま使用します。")
}

fn io(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "見つかりません".into(),
        ErrorKind::PermissionDenied => "アクセス権がありません".into(),
        ErrorKind::IsADirectory => "フォルダです".into(),
        ErrorKind::NotADirectory => "途中にフォルダではないものがあります".into(),
        ErrorKind::ReadOnlyFilesystem => "読み取り専用の場所です".into(),
        ErrorKind::StorageFull => "ディスクに空きがありません".into(),
        ErrorKind::AddrInUse => "別のプログラムが使用中です".into(),
        ErrorKind::AddrNotAvailable => "このコンピューターのアドレスではありません".into(),
        ErrorKind::InvalidData => "文字コードがUTF-8ではありません".into(),
        other => other.to_string(),
    }
}
