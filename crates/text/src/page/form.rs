//! The form: five fields and a button.

use crate::sentence::sentences;

sentences! {
    /// Above the fields.
    introduction() {
        ja: "コピー先とコピー元の情報を入力し、最下部の【確認する】をクリックしてください。確認の画面で内容をお確かめいただくまで、コピーは始まりません。",
        en: "Enter what is asked below, then click [Check] at the bottom. Nothing is copied before you have seen and confirmed the plan.",
    }
    /// Heading of the first block.
    destination() {
        ja: "コピー先",
        en: "Destination",
    }
    /// Heading of the second block.
    source() {
        ja: "コピー元",
        en: "Source",
    }
    /// ①
    password() {
        ja: "メールパスワード",
        en: "Mail password",
    }
    /// Below ①.
    password_hint(destination: &str) {
        ja: "いまログインしているメールアドレス（{destination}）のパスワードです。",
        en: "The password of the address that you are signed in with ({destination}).",
    }
    /// In the place of ① where it is not needed.
    password_not_needed(destination: &str) {
        ja: "コピー先は {destination} です。コントロールパネルからログイン済みのため、パスワードの入力は不要です。",
        en: "The destination is {destination}. You came from the control panel, so no password is needed.",
    }
    /// ②
    source_host() {
        ja: "メールサーバー名 またはIPアドレス",
        en: "Mail server name or IP address",
    }
    /// Below ②.
    source_host_hint() {
        ja: "例：imap.example.jp　わからないときは空欄のまま「サーバーを自動で探す」をクリックしてください。",
        en: "For example imap.example.jp. If you do not know it, leave it empty and click “Find the server”.",
    }
    /// Button beside ②.
    find_server() {
        ja: "サーバーを自動で探す",
        en: "Find the server",
    }
    /// ※ below ②.
    name_or_address() {
        ja: "※サーバー名（ホスト名）でつながる場合はサーバー名を、つながらない場合や、サーバー名がすでに新しいサーバーを指している場合は、前のサーバーのIPアドレスをご入力ください。",
        en: "Note: use the server's name as long as it leads to the old server. If the name is not found, or already leads to the new server, enter the old server's IP address.",
    }
    /// ③
    source_address() {
        ja: "メールアドレス",
        en: "Mail address",
    }
    /// Below ③.
    source_address_hint() {
        ja: "ログイン中のメールアドレスが入力されています。コピー元のアドレスが異なる場合は書き換えてください。",
        en: "Already filled in with the address you are signed in with. Change it if the mailbox on the old server has another address.",
    }
    /// Below ③ where it cannot be changed.
    source_address_locked() {
        ja: "ログイン中のメールアドレスです。ご利用のプランでは変更できません。",
        en: "The address you are signed in with. It cannot be changed with your plan.",
    }
    /// ④
    source_password() {
        ja: "メールパスワード",
        en: "Mail password",
    }
    /// Below ④.
    source_password_hint() {
        ja: "コピー元のサーバーで設定した、メールアドレスのパスワードです。",
        en: "The password of that mail address on the old server.",
    }
    /// Below that: services that want a password made for programs.
    app_password_hint() {
        ja: "Gmail、Yahoo!メール、iCloudなどでは、いつものパスワードの代わりに「アプリ パスワード」が必要な場合があります。",
        en: "Gmail, Yahoo Mail, iCloud and some others want an “app password” in place of your usual one.",
    }
    /// Link to the help on that.
    app_password_link() {
        ja: "作り方を見る",
        en: "How to get one",
    }
    /// ⑤
    notify() {
        ja: "コピー完了の通知先メールアドレス",
        en: "Mail address for the result",
    }
    /// Below ⑤.
    notify_hint() {
        ja: "コピーの結果をお知らせするメールアドレスです。いつも確認できるアドレスをご入力ください。引っ越し中のアドレスとは別のものをおすすめします。",
        en: "The result is sent there. Choose an address that you can read at any time, best another one than the address being moved.",
    }
    /// Summary of the part that is closed at first.
    details() {
        ja: "詳しい設定",
        en: "More settings",
    }
    /// About it.
    details_hint() {
        ja: "通常は変更する必要はありません。",
        en: "Usually nothing has to be changed here.",
    }
    /// Field: TCP port.
    port() {
        ja: "ポート番号",
        en: "Port",
    }
    /// Below it.
    port_hint() {
        ja: "空欄のときは、993番と143番（POPでは995番と110番）を順に試します。",
        en: "If empty, 993 and then 143 are tried (POP: 995, then 110).",
    }
    /// Field: how the server is spoken to.
    protocol() {
        ja: "受信方法",
        en: "Protocol",
    }
    /// Below it.
    protocol_hint() {
        ja: "POPのサーバーからは受信トレイのメールだけをコピーできます。フォルダや既読・未読の情報はPOPにはありません。",
        en: "From a POP server only the inbox can be copied: POP has neither folders nor tells what was read.",
    }
    /// Choice.
    protocol_auto() {
        ja: "自動で選ぶ（IMAPで接続できないときはPOP）",
        en: "Choose by itself (POP where IMAP does not answer)",
    }
    /// Choice.
    protocol_pop3() {
        ja: "POP（通常は995番または110番）",
        en: "POP (usually port 995 or 110)",
    }
    /// Label.
    read() {
        ja: "既読・未読（POPとファイルのみ）",
        en: "Read or unread (POP and files only)",
    }
    /// Below it.
    read_hint() {
        ja: "記録のないメールは、30日より古いものを既読とします。IMAPのサーバーからは、いつもそのままコピーします。",
        en: "Where nothing is recorded, mail older than 30 days counts as read. From an IMAP server it is always copied as it is.",
    }
    /// Choice.
    read_as_recorded() {
        ja: "記録のとおり（おすすめ）",
        en: "As recorded (recommended)",
    }
    /// Choice.
    read_all() {
        ja: "すべて既読にする",
        en: "Everything as read",
    }
    /// Choice.
    read_none() {
        ja: "すべて未読にする",
        en: "Everything as unread",
    }
    /// Box: consent that mail may disappear from the source.
    accept_deletion() {
        ja: "読み取ったメールが、POPのサーバーから削除されてもよい",
        en: "Mail may be deleted from the POP server once it was read",
    }
    /// Below it.
    accept_deletion_hint() {
        ja: "一部のPOPのサーバーは、読み取られたメールを自動で削除します。確認の画面でそのように表示されたときだけ、先にバックアップを取ってから、チェックを入れてください。",
        en: "Some POP servers delete by themselves what was read. Tick this only if the check says so, and after you have made a backup.",
    }
    /// Field: encryption.
    transport() {
        ja: "暗号化",
        en: "Encryption",
    }
    /// Choice.
    transport_auto() {
        ja: "自動で選ぶ（おすすめ）",
        en: "Choose by itself (recommended)",
    }
    /// Choice.
    transport_tls() {
        ja: "SSL/TLS（通常は993番）",
        en: "SSL/TLS (usually port 993)",
    }
    /// Choice.
    transport_starttls() {
        ja: "STARTTLS（通常は143番）",
        en: "STARTTLS (usually port 143)",
    }
    /// Field: login name.
    login() {
        ja: "ログイン名（ユーザー名）",
        en: "Login name (user name)",
    }
    /// Below it.
    login_hint() {
        ja: "メールアドレスと異なる場合だけご入力ください。",
        en: "Only if it is not the mail address.",
    }
    /// Field: mailboxes.
    folders() {
        ja: "対象のフォルダ",
        en: "Folders",
    }
    /// Below it.
    folders_hint() {
        ja: "一部のフォルダだけをコピーする場合に、1行に1つずつご入力ください。空欄のときは、すべてのフォルダが対象です。",
        en: "To copy some folders only, write one per line. If empty, all folders are copied.",
    }
    /// Field: first day.
    since() {
        ja: "この日以降に届いたメール",
        en: "Mail that arrived on or after",
    }
    /// Field: the day after the last one.
    before() {
        ja: "この日より前に届いたメール",
        en: "Mail that arrived before",
    }
    /// Below both.
    dates_hint() {
        ja: "空欄のときは、すべての期間が対象です。",
        en: "If empty, mail of any time is copied.",
    }
    /// Heading: a second run.
    rerun() {
        ja: "2回目以降の動作",
        en: "What a second run does",
    }
    /// Choice.
    rerun_differential() {
        ja: "差分だけをコピーする",
        en: "Copy only what is new",
    }
    /// About it.
    rerun_differential_hint() {
        ja: "まだコピーされていないメールだけをコピーします。コピー先でメールが重複することはありません。",
        en: "Only mail that was not copied yet is copied. Nothing is doubled at the destination.",
    }
    /// Choice.
    rerun_fresh() {
        ja: "最初からコピーし直す",
        en: "Copy everything again",
    }
    /// About it.
    rerun_fresh_hint() {
        ja: "すべてのメールをコピーし直し、新しいコピーを確かめてから、前回このサービスがコピーしたメールを取り除きます。お客様が手作業で削除する必要はありません。ご自身で受信・移動されたメールや、コピー元から消えたメールのコピーには触れません。",
        en: "Everything is copied again and verified; then the copies that this service made before are taken away. You do not have to delete anything by hand. Mail that you received or moved yourself, and copies whose original is gone, stay untouched.",
    }
    /// Choice.
    rerun_folder() {
        ja: "別のフォルダへ最初からコピーする",
        en: "Copy everything into another folder",
    }
    /// About it.
    rerun_folder_hint() {
        ja: "日付の付いた新しいフォルダの中へ、すべてのメールをコピーします。これまでのメールはそのまま残ります。",
        en: "Everything is copied below a new folder that carries the date. What is there already stays as it is.",
    }
    /// Above the explanation of what happens where nobody chooses.
    rerun_of_plan(plan: &str) {
        ja: "【{plan}】同じ条件で2回以上コピーした場合",
        en: "{plan}: when the same copy is run again",
    }
    /// What happens to the passwords.
    agreement() {
        ja: "入力いただいたパスワードはコピーのためだけに暗号化して保管し、終了後に消去します。自動実行を予約された場合は、その終了まで（最長30日間）保管します。",
        en: "The passwords that you enter are kept encrypted, for this copy only, and erased when it is over. If you arrange a run by itself, they are kept until that is over, for at most 30 days.",
    }
    /// Link to the help.
    agreement_link() {
        ja: "パスワードの扱いと注意事項を見る",
        en: "About passwords, and what to know before copying",
    }
    /// The button.
    check() {
        ja: "確認する",
        en: "Check",
    }
    /// A required field.
    required() {
        ja: "必須",
        en: "required",
    }
    /// The values of an earlier form are shown, without the passwords.
    type_passwords_again() {
        ja: "安全のため、パスワードは画面に残りません。もう一度ご入力ください。",
        en: "For safety, passwords are not kept on the page. Please enter them again.",
    }
}

/// What is wrong with a field: cause and next step in one sentence each.
pub mod wrong {
    use crate::figures::Count;
    use crate::sentence::sentences;

    sentences! {
        /// ① is empty.
        password_missing() {
            ja: "① コピー先のメールパスワードが入力されていません。いまログインしているメールアドレスのパスワードをご入力ください。",
            en: "① The destination's mail password is missing. Enter the password of the address that you are signed in with.",
        }
        /// ② is empty, and nobody asked to find it.
        host_missing() {
            ja: "② メールサーバー名が入力されていません。サーバー名かIPアドレスをご入力いただくか、「サーバーを自動で探す」をクリックしてください。",
            en: "② The mail server is missing. Enter its name or IP address, or click “Find the server”.",
        }
        /// ② is not the name of a server.
        host_odd() {
            ja: "② メールサーバー名の形が正しくありません。「imap.example.jp」のようなサーバー名か、「192.0.2.10」のようなIPアドレスをご入力ください。",
            en: "② This is not a server's name. Enter a name like imap.example.jp or an IP address like 192.0.2.10.",
        }
        /// ② is a mail address.
        host_is_address() {
            ja: "② メールアドレスが入力されています。ここには「imap.example.jp」のようなメールサーバー名をご入力ください。",
            en: "② This is a mail address. Enter the name of the mail server here, like imap.example.jp.",
        }
        /// ③ is empty.
        address_missing() {
            ja: "③ コピー元のメールアドレスが入力されていません。前のサーバーでお使いのメールアドレスをご入力ください。",
            en: "③ The source's mail address is missing. Enter your address on the old server.",
        }
        /// ③ is not an address.
        address_odd() {
            ja: "③ メールアドレスの形が正しくありません。「taro@example.jp」のように、半角文字でご入力ください。",
            en: "③ This is not a complete mail address. Enter it like taro@example.jp.",
        }
        /// ③ is locked by the plan.
        address_locked() {
            ja: "③ ご利用のプランでは、ログイン中のメールアドレス以外からコピーすることはできません。",
            en: "③ With your plan, only mail of the address you are signed in with can be copied.",
        }
        /// ④ is empty.
        source_password_missing() {
            ja: "④ コピー元のメールパスワードが入力されていません。前のサーバーで設定したパスワードをご入力ください。",
            en: "④ The source's mail password is missing. Enter the password that is set on the old server.",
        }
        /// ⑤ is empty.
        notify_missing() {
            ja: "⑤ 通知先のメールアドレスが入力されていません。いつも確認できるメールアドレスをご入力ください。",
            en: "⑤ The address for the result is missing. Enter a mail address that you can read at any time.",
        }
        /// ⑤ is not an address.
        notify_odd() {
            ja: "⑤ 通知先メールアドレスの形が正しくありません。「taro@example.jp」のように、半角文字でご入力ください。",
            en: "⑤ This is not a complete mail address. Enter it like taro@example.jp.",
        }
        /// ⑤ has a domain that takes no mail.
        notify_no_domain(domain: &str) {
            ja: "⑤ 「{domain}」はメールを受け取れるドメインではないようです。つづりをご確認ください。",
            en: "⑤ No mail can be delivered to “{domain}”, it seems. Check its spelling.",
        }
        /// A password holds characters that look like others.
        full_width(mark: &str) {
            ja: "{mark} パスワードに全角文字が含まれています。パスワードの一部でなければ「半角に直す」を選び、もう一度ご入力ください。",
            en: "{mark} The password contains full-width characters. Unless they belong to it, choose “Make them half-width” and enter it again.",
        }
        /// A password has blanks at an end.
        blanks(mark: &str) {
            ja: "{mark} パスワードの前後に空白が含まれています。パスワードの一部でなければ「空白を取り除く」を選び、もう一度ご入力ください。",
            en: "{mark} The password begins or ends with a blank. Unless it belongs to it, choose “Remove the blanks” and enter it again.",
        }
        /// Choice: as typed.
        keep_as_typed() {
            ja: "入力したとおりに使う",
            en: "Use it as typed",
        }
        /// Choice: ASCII.
        make_narrow() {
            ja: "全角文字を半角に直し、前後の空白を取り除いて使う",
            en: "Make full-width characters half-width, and remove blanks at the ends",
        }
        /// Question above the two choices.
        full_width_question() {
            ja: "全角文字・空白の扱い",
            en: "Full-width characters and blanks",
        }
        /// The port is no port.
        port_odd() {
            ja: "ポート番号は、1から65535までの数字でご入力ください。通常は空欄のままで問題ありません。",
            en: "The port must be a number from 1 to 65535. Usually it can stay empty.",
        }
        /// A date is none.
        date_odd() {
            ja: "日付の形が正しくありません。「2024-01-31」のようにご入力ください。",
            en: "This is not a date. Write it like 2024-01-31.",
        }
        /// The dates leave no time between them.
        dates_crossed() {
            ja: "期間の終わりが始まりより前になっています。日付をご確認ください。",
            en: "The time ends before it begins. Check the dates.",
        }
        /// A choice that the plan does not have.
        rerun_odd() {
            ja: "2回目以降の動作を選び直してください。ご利用のプランでは、この動作はお選びいただけません。",
            en: "Choose again what a second run does: your plan does not have this choice.",
        }
        /// A text that is too long.
        too_long(most: Count) {
            ja: "入力が長すぎます。{most}文字以内でご入力ください。",
            en: "This is too long. Enter at most {most} characters.",
        }
        /// Control characters.
        odd_characters() {
            ja: "使えない文字（改行や制御文字）が含まれています。貼り付けた場合は、手で入力し直してください。",
            en: "There are characters that cannot be used here (line breaks or control characters). If you pasted it, type it instead.",
        }
    }
}
