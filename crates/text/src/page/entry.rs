//! The first page and the sign-in.

use crate::sentence::sentences;

sentences! {
    /// Heading of the first page.
    heading() {
        ja: "メールのお引っ越し",
        en: "Move your mail",
    }
    /// What it does, below the heading.
    introduction() {
        ja: "前のサーバーのメールを、フォルダごと新しいサーバーへコピーします。前のサーバーのメールは変更も削除もいたしません。",
        en: "Copies the mail on your old server, folder by folder, to the new one. The mail on the old server is neither changed nor deleted.",
    }
    /// First choice.
    from_server() {
        ja: "前のメールサーバーから",
        en: "From the old mail server",
    }
    /// About it.
    from_server_hint() {
        ja: "前のサーバーにIMAPで接続してコピーします。POPでお使いの場合も、サーバーにメールを残していて、IMAPでも接続できるサーバーであればコピーできます。",
        en: "Copies over IMAP. If you collect mail by POP and leave it on the server, it can be copied too, as long as the server also offers IMAP.",
    }
    /// Second choice.
    from_computer() {
        ja: "パソコンの中のメールから（Outlook・Thunderbird・Appleメールなど）",
        en: "From mail on your computer (Outlook, Thunderbird, Apple Mail and others)",
    }
    /// About it.
    from_computer_hint() {
        ja: "パソコンのメールソフトのデータを、この画面からアップロードしてコピーします。パソコンの中のメールは変更も削除もいたしません。",
        en: "Uploads the data of a mail program from this page and copies it. The mail on the computer is neither changed nor deleted.",
    }
    /// In the place of that, where nothing can be uploaded.
    from_computer_not_offered() {
        ja: "このサービスでは、アップロードによるコピーはご利用いただけません。",
        en: "This service does not take uploads.",
    }
    /// Third choice.
    continue_copy() {
        ja: "以前の続き・追加分をコピーする",
        en: "Continue an earlier copy, or add what is new",
    }
    /// About it.
    continue_copy_hint() {
        ja: "これまでのコピーの一覧を開きます。途中で止まったコピーの再開や、追加分だけのコピーができます。",
        en: "Opens the list of your copies. A copy that stopped can go on, and what is new can be added.",
    }
    /// Heading and button of the sign-in.
    sign_in() {
        ja: "ログイン",
        en: "Sign in",
    }
    /// Above the fields.
    sign_in_introduction() {
        ja: "コピー先（新しいサーバー）のメールアドレスとパスワードでログインしてください。",
        en: "Sign in with the mail address and password of the destination: your mailbox on the new server.",
    }
    /// Field.
    address() {
        ja: "メールアドレス",
        en: "Mail address",
    }
    /// Below it.
    address_hint() {
        ja: "例：taro@example.jp",
        en: "For example taro@example.jp",
    }
    /// Field.
    password() {
        ja: "メールパスワード",
        en: "Mail password",
    }
    /// Below it.
    password_hint() {
        ja: "新しいサーバーでお使いのメールのパスワードです。ログインの確認にだけ使い、保存しません。",
        en: "The password of your mailbox on the new server. It is used to check the sign-in and is not kept.",
    }
    /// Field, where a brand has several plans.
    plan() {
        ja: "ご利用中のプラン",
        en: "Your plan",
    }
    /// Error: no address.
    address_missing() {
        ja: "メールアドレスが入力されていません。新しいサーバーのメールアドレスをご入力ください。",
        en: "The mail address is missing. Enter the address of your mailbox on the new server.",
    }
    /// Error: not an address.
    address_odd() {
        ja: "メールアドレスの形が正しくありません。「taro@example.jp」のように、半角文字でご入力ください。",
        en: "This is not a complete mail address. Enter it like taro@example.jp.",
    }
    /// Error: not a destination of this service.
    address_elsewhere() {
        ja: "このメールアドレスは、コピー先としてご利用いただけません。当サービスのサーバーのメールアドレスをご入力ください。",
        en: "This address cannot be a destination here. Enter an address on the servers of this service.",
    }
    /// Error: the plan is not offered.
    plan_not_supported() {
        ja: "ご利用中のプランでは、メールデータコピーをご利用いただけません。",
        en: "Mail data copy is not available with your plan.",
    }
    /// Error: no password.
    password_missing() {
        ja: "メールパスワードが入力されていません。新しいサーバーのメールのパスワードをご入力ください。",
        en: "The mail password is missing. Enter the password of your mailbox on the new server.",
    }
    /// Heading: the hand-over was not accepted.
    handover_refused() {
        ja: "画面の有効期限が切れました",
        en: "This link has expired",
    }
    /// What to do then.
    handover_refused_hint() {
        ja: "コントロールパネルに戻り、もう一度メニューからお進みください。",
        en: "Go back to the control panel and open the function from its menu again.",
    }
}
