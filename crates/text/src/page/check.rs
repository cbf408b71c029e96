//! While both accounts are looked at, and what the copy cannot begin with.

use crate::Lang;
use crate::sentence::sentences;

sentences! {
    /// Heading.
    heading() {
        ja: "確認中です",
        en: "Checking",
    }
    /// Heading when it cannot begin.
    heading_stopped() {
        ja: "確認できませんでした",
        en: "The check found a problem",
    }
    /// Heading when something has to be accepted first.
    heading_question() {
        ja: "続ける前にご確認ください",
        en: "Please decide before going on",
    }
    /// Below it.
    introduction() {
        ja: "コピー元とコピー先に接続し、コピーできる内容を調べています。通常は10秒ほどで終わります。",
        en: "Both accounts are being looked at. This usually takes about ten seconds.",
    }
    /// How the page goes on.
    reloads_by_itself() {
        ja: "この画面は自動で切り替わります。",
        en: "This page goes on by itself.",
    }
    /// For whoever switched that off.
    reload() {
        ja: "いまの状態を表示する",
        en: "Show how it stands now",
    }
    /// Line, not begun or gone wrong.
    step_name_named() {
        ja: "コピー元のサーバー",
        en: "Source server",
    }
    /// Line, under way.
    step_name() {
        ja: "コピー元のサーバーを探しています",
        en: "Finding the source server",
    }
    /// Line, done.
    step_name_good() {
        ja: "コピー元のサーバーが見つかりました",
        en: "The source server was found",
    }
    /// Line, not begun or gone wrong.
    step_connection_named() {
        ja: "コピー元への接続",
        en: "Connection to the source",
    }
    /// Line, under way.
    step_connection() {
        ja: "コピー元へ接続しています",
        en: "Connecting to the source",
    }
    /// Line, done.
    step_connection_good() {
        ja: "コピー元へ接続できました",
        en: "Connected to the source",
    }
    /// Line, not begun or gone wrong.
    step_archive_named() {
        ja: "アップロードされたファイル",
        en: "The uploaded file",
    }
    /// Line, under way.
    step_archive() {
        ja: "アップロードされたファイルを開いています",
        en: "Opening the uploaded file",
    }
    /// Line, done.
    step_archive_good() {
        ja: "アップロードされたファイルを開けました",
        en: "The uploaded file was opened",
    }
    /// Line, done, with what was found.
    connected_tls(server: &str) {
        ja: "コピー元へ暗号化して接続できました（{server}）",
        en: "Connected to the source, encrypted ({server})",
    }
    /// Line, not begun or gone wrong.
    step_source_login_named() {
        ja: "コピー元へのログイン",
        en: "Sign-in at the source",
    }
    /// Line, under way.
    step_source_login() {
        ja: "コピー元へログインしています",
        en: "Signing in at the source",
    }
    /// Line, done.
    step_source_login_good() {
        ja: "コピー元へログインできました",
        en: "Signed in at the source",
    }
    /// Line, not begun or gone wrong.
    step_destination_login_named() {
        ja: "コピー先へのログイン",
        en: "Sign-in at the destination",
    }
    /// Line, under way.
    step_destination_login() {
        ja: "コピー先へログインしています",
        en: "Signing in at the destination",
    }
    /// Line, done.
    step_destination_login_good() {
        ja: "コピー先へログインできました",
        en: "Signed in at the destination",
    }
    /// Line, not begun or gone wrong.
    step_folders_named() {
        ja: "フォルダの確認",
        en: "Folders",
    }
    /// Line, under way.
    step_folders() {
        ja: "フォルダを調べています",
        en: "Looking at the folders",
    }
    /// Line, done.
    step_folders_good() {
        ja: "フォルダを調べました",
        en: "The folders were looked at",
    }
    /// Line, not begun or gone wrong.
    step_sizes_named() {
        ja: "メールの大きさの確認",
        en: "Sizes of messages",
    }
    /// Line, under way.
    step_sizes() {
        ja: "メールの大きさを調べています",
        en: "Looking at the sizes of messages",
    }
    /// Line, done.
    step_sizes_good() {
        ja: "メールの大きさを調べました",
        en: "The sizes were looked at",
    }
    /// Line, not begun or gone wrong.
    step_space_named() {
        ja: "空き容量の確認",
        en: "Free space",
    }
    /// Line, under way.
    step_space() {
        ja: "空き容量を確認しています",
        en: "Looking at the free space",
    }
    /// Line, done.
    step_space_good() {
        ja: "空き容量を確認しました",
        en: "The free space was looked at",
    }
    /// Line, not begun or gone wrong.
    step_dns_named() {
        ja: "メールの届け先（DNS）の確認",
        en: "Where new mail is delivered",
    }
    /// Line, under way.
    step_dns() {
        ja: "メールの届け先（DNS）を確認しています",
        en: "Looking up where new mail is delivered",
    }
    /// Line, done.
    step_dns_good() {
        ja: "メールの届け先（DNS）を確認しました",
        en: "Where new mail is delivered was looked up",
    }
    /// Mark for screen readers.
    open() {
        ja: "未確認",
        en: "not yet",
    }
    /// Mark for screen readers.
    running() {
        ja: "確認中",
        en: "under way",
    }
    /// Mark for screen readers.
    good() {
        ja: "問題なし",
        en: "fine",
    }
    /// Mark for screen readers.
    notable() {
        ja: "要確認",
        en: "worth a look",
    }
    /// Mark for screen readers.
    bad() {
        ja: "エラー",
        en: "error",
    }
    /// Heading of the cause.
    cause() {
        ja: "原因",
        en: "What happened",
    }
    /// Heading of the remedy.
    remedy() {
        ja: "対処方法",
        en: "What to do",
    }
    /// Button.
    back_to_form() {
        ja: "入力に戻る",
        en: "Back to the form",
    }
    /// Button: the same once more.
    check_again() {
        ja: "もう一度確認する",
        en: "Check again",
    }
    /// Nothing was changed.
    nothing_copied() {
        ja: "まだ何もコピーしていません。前のサーバーのメールにも影響ありません。",
        en: "Nothing has been copied yet, and the mail on the old server is not affected.",
    }
    /// Heading of the question about a certificate.
    certificate_heading() {
        ja: "サーバーの証明書を確認できませんでした",
        en: "The server's certificate could not be verified",
    }
    /// What it means, when the names differ.
    certificate_name(host: &str) {
        ja: "サーバーの証明書の名前が、入力されたサーバー名（{host}）と異なります。IPアドレスで接続した場合や、複数のお客様で共用するサーバーではよくあることです。",
        en: "The name in the server's certificate is not the name that you entered ({host}). That is common with IP addresses and with servers that many customers share.",
    }
    /// What it means, when it cannot be trusted.
    certificate_untrusted(host: &str) {
        ja: "サーバー（{host}）の証明書の発行元を確認できませんでした。サーバーの管理者が独自に作成した証明書の可能性があります。",
        en: "The issuer of the certificate of {host} is not known. The server's administrator may have made it.",
    }
    /// What it means, when it has expired.
    certificate_expired(host: &str) {
        ja: "サーバー（{host}）の証明書の有効期限が切れています。サーバーの管理者が更新していない可能性があります。",
        en: "The certificate of {host} is out of date. The server's administrator may not have renewed it.",
    }
    /// Field of the dialogue.
    certificate_names() {
        ja: "証明書に記載されている名前",
        en: "Names in the certificate",
    }
    /// Field of the dialogue.
    certificate_fingerprint() {
        ja: "証明書の指紋（SHA-256）",
        en: "Fingerprint (SHA-256)",
    }
    /// What is at stake.
    certificate_stakes() {
        ja: "もし第三者が前のサーバーになりすましていた場合、続けるとメールのパスワードとメールの内容を読み取られるおそれがあります。上の名前が前のサーバーの会社のものであるか、指紋がサーバーの管理者から知らされたものと同じであれば、続けられます。パスワードはまだ送信していません。",
        en: "If somebody else pretends to be your old server, going on would give them your password and your mail. You can go on if the name above belongs to the company that runs the old server, or if the fingerprint is the one that its administrator told you. Your password has not been sent yet.",
    }
    /// Tick box.
    certificate_accept() {
        ja: "前のサーバーに間違いないことを確認しました。この証明書のサーバーにだけ接続します。",
        en: "I have made sure that this is my old server. Connect only to the server with this certificate.",
    }
    /// Heading of the question about clear text.
    clear_text_heading() {
        ja: "コピー元のサーバーは暗号化に対応していません",
        en: "The source server offers no encryption",
    }
    /// What is at stake.
    clear_text_stakes() {
        ja: "続けると、コピー元のメールのパスワードとメールの内容が、暗号化されないままインターネットを通ります。途中の通信を見られる立場の第三者が読み取れる状態です。パスワードはまだ送信していません。続ける場合は、コピーのあとに前のサーバーのパスワードを変更することをおすすめします。",
        en: "If you go on, your password at the source and your mail cross the Internet without encryption: whoever can watch the line can read them. Your password has not been sent yet. If you go on, change the password at the old server after the copy.",
    }
    /// Tick box.
    clear_text_accept() {
        ja: "暗号化されないことを理解しました。このコピーに限り、暗号化せずに接続します。",
        en: "I understand that nothing is encrypted. Connect without encryption for this copy only.",
    }
    /// Button.
    accept() {
        ja: "同意して続ける",
        en: "Accept and go on",
    }
    /// Error: the box was not ticked.
    accept_missing() {
        ja: "続けるには、内容をお確かめのうえチェックを入れてください。",
        en: "To go on, please read this and tick the box.",
    }
}

/// A step of the check in words.
pub fn step(step: Step, phase: Phase, lang: Lang) -> String {
    match (step, phase) {
        (Step::Name, Phase::Named) => step_name_named(lang),
        (Step::Name, Phase::UnderWay) => step_name(lang),
        (Step::Name, Phase::Done) => step_name_good(lang),
        (Step::Connection, Phase::Named) => step_connection_named(lang),
        (Step::Connection, Phase::UnderWay) => step_connection(lang),
        (Step::Connection, Phase::Done) => step_connection_good(lang),
        (Step::Archive, Phase::Named) => step_archive_named(lang),
        (Step::Archive, Phase::UnderWay) => step_archive(lang),
        (Step::Archive, Phase::Done) => step_archive_good(lang),
        (Step::SourceLogin, Phase::Named) => step_source_login_named(lang),
        (Step::SourceLogin, Phase::UnderWay) => step_source_login(lang),
        (Step::SourceLogin, Phase::Done) => step_source_login_good(lang),
        (Step::DestinationLogin, Phase::Named) => step_destination_login_named(lang),
        (Step::DestinationLogin, Phase::UnderWay) => step_destination_login(lang),
        (Step::DestinationLogin, Phase::Done) => step_destination_login_good(lang),
        (Step::Folders, Phase::Named) => step_folders_named(lang),
        (Step::Folders, Phase::UnderWay) => step_folders(lang),
        (Step::Folders, Phase::Done) => step_folders_good(lang),
        (Step::Sizes, Phase::Named) => step_sizes_named(lang),
        (Step::Sizes, Phase::UnderWay) => step_sizes(lang),
        (Step::Sizes, Phase::Done) => step_sizes_good(lang),
        (Step::Space, Phase::Named) => step_space_named(lang),
        (Step::Space, Phase::UnderWay) => step_space(lang),
        (Step::Space, Phase::Done) => step_space_good(lang),
        (Step::Dns, Phase::Named) => step_dns_named(lang),
        (Step::Dns, Phase::UnderWay) => step_dns(lang),
        (Step::Dns, Phase::Done) => step_dns_good(lang),
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not begun, or gone wrong: what it is about.
    Named,
    /// Under way.
    UnderWay,
    /// It went well.
    Done,
}

/// What is looked at before a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The source's name.
    Name,
    /// The connection to it.
    Connection,
    /// The file that was uploaded.
    Archive,
    /// The login there.
    SourceLogin,
    /// The login at the destination.
    DestinationLogin,
    /// The folders of both.
    Folders,
    /// Messages over the limit.
    Sizes,
    /// Free space.
    Space,
    /// Where mail is delivered.
    Dns,
}
