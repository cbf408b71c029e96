//! The confirmation: what will be copied, before anything is.

use crate::figures::{About, Count, Day, Mailboxes, Messages, Size};
use crate::sentence::sentences;

sentences! {
    /// Heading.
    heading() {
        ja: "コピー内容の確認",
        en: "Please confirm",
    }
    /// Below it.
    introduction() {
        ja: "次の内容でコピーします。よろしければ【実行する】をクリックしてください。",
        en: "This is what will be copied. If it is right, click [Start].",
    }
    /// The button.
    start() {
        ja: "実行する",
        en: "Start",
    }
    /// Heading: what was entered.
    order_heading() {
        ja: "入力内容",
        en: "What you entered",
    }
    /// Line: from where.
    from() {
        ja: "コピー元",
        en: "From",
    }
    /// Line: to where.
    to() {
        ja: "コピー先",
        en: "To",
    }
    /// An account at a server.
    account_at(address: &str, server: &str) {
        ja: "{address}（{server}）",
        en: "{address} at {server}",
    }
    /// Line: whereto the result is sent.
    notify() {
        ja: "完了の通知先",
        en: "Result sent to",
    }
    /// Line: the passwords, which are not shown.
    passwords() {
        ja: "パスワード",
        en: "Passwords",
    }
    /// They are not shown.
    passwords_hidden() {
        ja: "表示しません（暗号化して保管しています）",
        en: "not shown (kept encrypted)",
    }
    /// Line: what a second run does.
    mode() {
        ja: "コピーの方法",
        en: "Way of copying",
    }
    /// Heading: totals.
    totals_heading() {
        ja: "コピーする内容",
        en: "What will be copied",
    }
    /// Totals with the estimate.
    totals(messages: Messages, size: Size, mailboxes: Mailboxes, time: About) {
        ja: "メール {messages}（{size}）・フォルダ {mailboxes}　目安：{time}（お使いのサーバーの混み具合で変わります）",
        en: "{messages} ({size}) in {mailboxes}. Estimate: {time}, depending on how busy the servers are.",
    }
    /// Totals without an estimate.
    totals_only(messages: Messages, size: Size, mailboxes: Mailboxes) {
        ja: "メール {messages}（{size}）・フォルダ {mailboxes}",
        en: "{messages} ({size}) in {mailboxes}.",
    }
    /// Totals where the source tells no sizes.
    totals_unsized(messages: Messages, mailboxes: Mailboxes) {
        ja: "メール {messages}・フォルダ {mailboxes}",
        en: "{messages} in {mailboxes}.",
    }
    /// An earlier run copied everything.
    nothing_new(before: Messages) {
        ja: "前回コピー済み：{before}（追加のメールはありません。実行すると、違いがないことを確かめます）",
        en: "Copied earlier: {before}. There is no new mail; starting makes sure that nothing differs.",
    }
    /// Choice when it does not fit.
    fit() {
        ja: "新しいものから入る分だけコピーする",
        en: "Copy what fits, newest mail first",
    }
    /// About it.
    fit_hint() {
        ja: "受信トレイから順に、新しいメールから入る分だけコピーします。残りは、容量を増やしたあとに「差分」でコピーできます。",
        en: "Inbox first, newest mail first, as much as fits. The rest can be copied later, after getting more space.",
    }
    /// Choice when it does not fit.
    get_room() {
        ja: "容量を増やしてからやり直す",
        en: "Get more space first, then check again",
    }
    /// Error: no way was chosen.
    fit_missing() {
        ja: "空き容量が足りません。「新しいものから入る分だけコピーする」を選ぶか、容量を増やしてから、もう一度確認してください。",
        en: "There is too little space. Choose “Copy what fits”, or get more space and check again.",
    }
    /// Heading of the table.
    folders_heading() {
        ja: "フォルダ",
        en: "Folders",
    }
    /// How to use the boxes.
    folders_hint() {
        ja: "チェックの付いたフォルダをコピーします。不要なフォルダはチェックを外してください。",
        en: "Folders with a tick are copied. Take the tick away from what you do not want.",
    }
    /// Remark: left out unless ticked.
    hidden() {
        ja: "既定では対象外です。コピーする場合はチェックを付けてください",
        en: "left out unless you tick it",
    }
    /// Rows that are not shown.
    more_folders(mailboxes: Mailboxes) {
        ja: "このほかのフォルダ（{mailboxes}）も、これまでの選択のとおりにコピーします。",
        en: "Another {mailboxes} are copied too, as chosen before.",
    }
    /// Heading: what will not be copied.
    too_big_heading(messages: Messages, limit: Size) {
        ja: "{limit}を超えるためコピーできないメール：{messages}",
        en: "Over the limit of {limit} and not copied: {messages}",
    }
    /// The same, where the limit is not the plan's.
    too_big_heading_unlimited(messages: Messages) {
        ja: "大きすぎてコピーできないメール：{messages}",
        en: "Too big to be copied: {messages}",
    }
    /// What can be done about it.
    too_big_hint() {
        ja: "ほかのメールはすべてコピーします。これらのメールは、結果の画面からファイル（.eml）として保存できます。",
        en: "All other mail is copied. These messages can be saved as files (.eml) from the page with the result.",
    }
    /// Columns of the list.
    column_folder() {
        ja: "フォルダ",
        en: "Folder",
    }
    /// Column.
    column_date() {
        ja: "日付",
        en: "Date",
    }
    /// Column.
    column_subject() {
        ja: "件名",
        en: "Subject",
    }
    /// Column.
    column_size() {
        ja: "サイズ",
        en: "Size",
    }
    /// The list was cut.
    more_messages(messages: Messages) {
        ja: "このほか {messages}",
        en: "and {messages} more",
    }
    /// A message without a subject.
    no_subject() {
        ja: "（件名なし）",
        en: "(no subject)",
    }
    /// Messages with a mark for deletion.
    deletion_marks(messages: Messages) {
        ja: "削除マーク付きのメール：{messages}（マークを付けたままコピーします）",
        en: "Marked as deleted: {messages} (copied with the mark)",
    }
    /// The source is a POP3 server.
    pop3() {
        ja: "POPのサーバーからコピーします。フォルダと既読・未読の情報はPOPにはないため、すべて受信トレイに入ります。パソコンやスマートフォンの中にだけあるメールは、コピーされません。",
        en: "The mail comes from a POP server. POP has neither folders nor tells what was read: everything goes to the inbox. Mail that is only on a computer or phone is not copied.",
    }
    /// What counts as read then.
    pop3_old() {
        ja: "POPには既読・未読の情報がないため、30日より古いメールを既読とします（入力画面の「詳しい設定」で変更できます）。",
        en: "As POP does not tell what was read, mail older than 30 days counts as read. That can be changed in the details of the form.",
    }
    /// Everything is to count as read.
    all_read() {
        ja: "すべてのメールを既読としてコピーします。",
        en: "All mail is copied as read.",
    }
    /// Nothing is.
    all_unread() {
        ja: "すべてのメールを未読としてコピーします。",
        en: "All mail is copied as unread.",
    }
    /// The order in which a POP account is left.
    pop3_order() {
        ja: "POPのアカウントは、先にバックアップを取り、コピーの結果ですべてのメールを確認できるまで削除しないでください。iPhoneやiPadでは、アカウントを削除するとその中のメールも消えます。",
        en: "Make a backup first, and do not delete the POP account before the result says that every message was verified. On an iPhone or iPad, deleting the account deletes its mail.",
    }
    /// IMAP answers beside the POP3 server that was asked for.
    imap_beside() {
        ja: "前のサーバーは、IMAPにも対応しているようです。IMAPでは、フォルダや既読・未読もコピーできます。「入力に戻る」から「詳しい設定」の「受信方法」を「自動で選ぶ」に変更し、IMAPのサーバー名（例：imap.example.jp）でお試しください。",
        en: "The old server seems to offer IMAP as well, which brings folders and what was read along. Go back to the form, let the protocol be chosen by itself in the details, and try the name for IMAP, such as imap.example.jp.",
    }
    /// Both kinds of servers were found.
    pop3_beside() {
        ja: "前のサーバーは、IMAPとPOPの両方に対応しています。フォルダや既読・未読もコピーできるIMAPを使用します。",
        en: "The old server offers both IMAP and POP. IMAP is used, which brings folders and what was read along.",
    }
    /// Legend: before mail leaves POP.
    backup_heading() {
        ja: "バックアップはお済みですか",
        en: "Have you made a backup?",
    }
    /// Box.
    backup_made() {
        ja: "パソコンやスマートフォンの中のメールのバックアップを取ってあります（または、端末の中にメールはありません）",
        en: "I have a backup of the mail on my computer and phone, or there is none on them",
    }
    /// Link.
    backup_how() {
        ja: "バックアップの取り方と、POPからの引っ越しの順番",
        en: "How to make a backup, and in which order to leave POP",
    }
    /// The box was not ticked.
    backup_missing() {
        ja: "バックアップを取ってから、チェックを付けてください。",
        en: "Make a backup first, then tick the box.",
    }
    /// A POP3 server that deletes what was read, with consent.
    pop3_deletes() {
        ja: "読み取ったメールがPOPのサーバーから削除されることに、同意いただいています。",
        en: "You have agreed that mail may be deleted from the POP server once it was read.",
    }
    /// Heading of the notices.
    notices_heading() {
        ja: "お知らせ",
        en: "Good to know",
    }
    /// New mail still arrives at the old server.
    not_switched() {
        ja: "まだ前のサーバーに新しいメールが届く状態です。切り替え後に「差分コピー」をもう一度行うと、取りこぼしがありません。",
        en: "New mail still arrives at the old server. Copy what is new once more after the switch, and nothing is missed.",
    }
    /// The new server receives already.
    switched() {
        ja: "新しいメールは、すでに新しいサーバーに届いています。",
        en: "New mail already arrives at the new server.",
    }
    /// Heading: one more run by itself.
    final_run_heading() {
        ja: "切り替え後の差分コピー",
        en: "A last copy after the switch",
    }
    /// Choice.
    final_run_none() {
        ja: "あとで自分で行う",
        en: "I will do it myself",
    }
    /// Choice.
    final_run_moved() {
        ja: "メールの届け先が新しいサーバーに変わったら、自動で行う",
        en: "By itself, when new mail arrives at the new server",
    }
    /// Choice.
    final_run_at() {
        ja: "日時を決めて、自動で行う",
        en: "By itself, at a time",
    }
    /// Field.
    final_run_time() {
        ja: "自動で行う日時",
        en: "Date and time",
    }
    /// Below it.
    final_run_time_hint(latest: Day) {
        ja: "{latest} までの日時をお選びください。",
        en: "At the latest {latest}.",
    }
    /// Tick box.
    final_run_consent() {
        ja: "自動で行うために、パスワードを暗号化したまま最長30日間保管することに同意します。",
        en: "For this, I agree that the passwords are kept encrypted for up to 30 days.",
    }
    /// Error: no consent.
    final_run_consent_missing() {
        ja: "自動で行うには、パスワードの保管への同意が必要です。チェックを付けるか、「あとで自分で行う」をお選びください。",
        en: "A run by itself needs your consent to keep the passwords. Tick the box, or choose “I will do it myself”.",
    }
    /// Error: no time, or one that is out of range.
    final_run_time_odd() {
        ja: "自動で行う日時を、いまより後の30日以内でお選びください。",
        en: "Choose a time that is in the future and within 30 days.",
    }
    /// Error: the plan on the page is not the newest.
    plan_changed() {
        ja: "フォルダの構成が変わりました。内容をもう一度お確かめのうえ、【実行する】をクリックしてください。",
        en: "The folders have changed. Please look at the plan again and click [Start].",
    }
    /// Error: nothing is ticked.
    nothing_ticked() {
        ja: "コピーするフォルダが1つも選ばれていません。1つ以上チェックを付けてください。",
        en: "No folder is ticked. Please tick at least one.",
    }
    /// The source was reached without encryption, as accepted.
    accepted_clear_text() {
        ja: "ご同意に基づき、コピー元とは暗号化せずに通信します。",
        en: "As you agreed, the connection to the source is not encrypted.",
    }
    /// The certificate was accepted.
    accepted_certificate() {
        ja: "ご同意に基づき、確認いただいた証明書のサーバーにだけ接続します。",
        en: "As you agreed, only the server with the certificate that you accepted is connected to.",
    }
    /// ⑤ is the mailbox that is moved.
    notify_is_moved() {
        ja: "通知先が、引っ越し中のメールアドレスと同じです。切り替えの前後は、結果のメールを確認しにくいことがあります。",
        en: "The result goes to the very address that is being moved. Around the switch it may be hard to find.",
    }
    /// How many are left out by the boxes.
    excluded_count(count: Count) {
        ja: "対象外のフォルダ：{count}個",
        en: "Folders left out: {count}",
    }
}
