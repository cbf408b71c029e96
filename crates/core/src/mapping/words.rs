//! Well-known names of mailboxes with a special use, by language.
//!
//! Inside a role the earlier word is preferred where several mailboxes would fit.
//! Names that mean different things at different products (送信トレイ and 送信箱 are outboxes,
//! 垃圾箱 is junk at one provider and trash at another) are left out on purpose:
//! a mailbox without a role only keeps its name, a wrong role would mix mail.

use crate::mailbox::Role;
use std::collections::HashMap;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

const INBOX: &[&str] = &[
    "INBOX",
    "受信トレイ",
    "受信箱",
    "受信フォルダ",
    "受信メール",
    "Posteingang",
    "Boîte de réception",
    "Bandeja de entrada",
    "Posta in arrivo",
    "Caixa de entrada",
    "A receber",
    "Postvak IN",
    "收件箱",
    "收件匣",
    "받은편지함",
    "받은메일함",
    "Входящие",
];

const SENT: &[&str] = &[
    // Servers and clients in English: Dovecot, Thunderbird; Outlook; Apple; Gmail; pine.
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Sent Objects",
    "sent-mail",
    "送信済み",
    "送信済みアイテム",
    "送信済みトレイ",
    "送信済みメール",
    "送信済みメッセージ",
    "送信済みフォルダ",
    "送信済みフォルダー",
    "送信済",
    "送信済トレイ",
    "送信済メール",
    "送信メール",
    "送信控え",
    "送信控",
    "Gesendet",
    "Gesendete Elemente",
    "Gesendete Objekte",
    "Gesendete Nachrichten",
    "Gesendete Mails",
    "Gesendete E-Mails",
    "Envoyés",
    "Éléments envoyés",
    "Messages envoyés",
    "Courrier envoyé",
    "Envoyé",
    "Enviados",
    "Elementos enviados",
    "Mensajes enviados",
    "Correo enviado",
    "Enviado",
    "Inviata",
    "Posta inviata",
    "Inviati",
    "Messaggi inviati",
    "Elementi inviati",
    "Itens enviados",
    "E-mails enviados",
    "Mensagens enviadas",
    "Correio enviado",
    "Enviadas",
    "Verzonden",
    "Verzonden items",
    "Verzonden berichten",
    "Verzonden objecten",
    "已发送",
    "已发送邮件",
    "已发送消息",
    "已发邮件",
    "已發送",
    "已傳送",
    "已傳送的郵件",
    "寄件備份",
    "보낸편지함",
    "보낸메일함",
    "보낸 항목",
    "보낸 메시지",
    "Отправленные",
    "Wysłane",
    "Elementy wysłane",
    "Skickat",
    "Skickade objekt",
    "Sendt",
    "Sendt post",
    "Sendte elementer",
    "Lähetetyt",
    "Odeslaná pošta",
    "Odeslané",
    "Gönderilmiş Öğeler",
    "Gönderilenler",
];

const DRAFTS: &[&str] = &[
    "Drafts",
    "Draft",
    "下書き",
    "下書きトレイ",
    "下書きフォルダ",
    "下書きフォルダー",
    "下書きメール",
    "下書",
    "草稿",
    "Entwürfe",
    "Entwurf",
    "Brouillons",
    "Brouillon",
    "Borradores",
    "Borrador",
    "Bozze",
    "Rascunhos",
    "Rascunho",
    "Concepten",
    "草稿箱",
    "草稿夹",
    "草稿匣",
    "임시보관함",
    "임시 보관함",
    "초안",
    "Черновики",
    "Szkice",
    "Wersje robocze",
    "Kopie robocze",
    "Utkast",
    "Kladder",
    "Luonnokset",
    "Koncepty",
    "Rozepsané",
    "Taslaklar",
];

const TRASH: &[&str] = &[
    "Trash",
    "Deleted Items",
    "Deleted Messages",
    "Deleted",
    "Bin",
    "Trash Can",
    "Deleted Mail",
    "ゴミ箱",
    "ごみ箱",
    "削除済みアイテム",
    "削除済み",
    "削除済みメール",
    "削除済みメッセージ",
    "削除済みトレイ",
    "削除済みフォルダ",
    "削除済",
    "Papierkorb",
    "Gelöscht",
    "Gelöschte Elemente",
    "Gelöschte Objekte",
    "Gelöschte Nachrichten",
    "Corbeille",
    "Éléments supprimés",
    "Messages supprimés",
    "Supprimés",
    "Poubelle",
    "Papelera",
    "Elementos eliminados",
    "Mensajes eliminados",
    "Eliminados",
    "Papelera de reciclaje",
    "Cestino",
    "Posta eliminata",
    "Elementi eliminati",
    "Messaggi eliminati",
    "Eliminata",
    "Lixeira",
    "Itens excluídos",
    "Itens eliminados",
    "Mensagens excluídas",
    "Lixo",
    "Excluídos",
    "Prullenbak",
    "Prullenmand",
    "Verwijderde items",
    "Verwijderde berichten",
    "Verwijderd",
    "已删除",
    "已删除邮件",
    "已删除消息",
    "回收站",
    "已刪除",
    "已刪除的郵件",
    "刪除的郵件",
    "垃圾桶",
    "휴지통",
    "지운편지함",
    "지운 메일함",
    "삭제된 항목",
    "삭제한 메시지",
    "Корзина",
    "Удаленные",
    "Удалённые",
    "Kosz",
    "Elementy usunięte",
    "Papperskorg",
    "Papperskorgen",
    "Borttaget",
    "Papirkurv",
    "Slettet post",
    "Roskakori",
    "Poistetut",
    "Koš",
    "Çöp Kutusu",
    "Silinmiş Öğeler",
];

const JUNK: &[&str] = &[
    "Junk",
    "Spam",
    "Junk E-mail",
    "Junk Mail",
    "Bulk Mail",
    "Bulk",
    "Junk Messages",
    "迷惑メール",
    "迷惑メールフォルダ",
    "迷惑メールフォルダー",
    "迷惑メールトレイ",
    "迷惑メッセージ",
    "スパム",
    "スパムメール",
    "ジャンク",
    "ジャンクメール",
    "迷惑",
    "Spamverdacht",
    "Unerwünscht",
    "Unerwünschte Werbung",
    "Junk-Mails",
    "Courrier indésirable",
    "Indésirables",
    "Indésirable",
    "Pourriel",
    "Pourriels",
    "Correo no deseado",
    "Correo basura",
    "No deseado",
    "Posta indesiderata",
    "Indesiderata",
    "Posta spazzatura",
    "Lixo eletrônico",
    "Lixo eletrónico",
    "Correio eletrónico não solicitado",
    "Ongewenste e-mail",
    "Ongewenst",
    "Ongewenste reclame",
    "垃圾邮件",
    "垃圾郵件",
    "垃圾電郵",
    "스팸",
    "스팸메일함",
    "스팸편지함",
    "정크 메일",
    "정크",
    "Спам",
    "Нежелательная почта",
    "Wiadomości-śmieci",
    "Skräppost",
    "Uønsket post",
    "Søppelpost",
    "Roskaposti",
    "Nevyžádaná pošta",
    "Önemsiz E-posta",
    "Gereksiz",
];

const ARCHIVE: &[&str] = &[
    "Archive",
    "Archives",
    "Archived",
    "アーカイブ",
    "アーカイブ済み",
    "保管済み",
    "Archiv",
    "Archivieren",
    "Archivé",
    "Messages archivés",
    "Archivo",
    "Archivados",
    "Archivio",
    "Archiviati",
    "Arquivo",
    "Arquivo Morto",
    "Arquivados",
    "Arquivar",
    "Archief",
    "存档",
    "归档",
    "封存",
    "보관함",
    "보관",
    "Архив",
    "Archiwum",
    "Arkiv",
    "Arkisto",
    "Arşiv",
];

static TABLE: LazyLock<HashMap<String, (Role, usize)>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for (role, words) in [
        (Role::Inbox, INBOX),
        (Role::Sent, SENT),
        (Role::Drafts, DRAFTS),
        (Role::Trash, TRASH),
        (Role::Junk, JUNK),
        (Role::Archive, ARCHIVE),
    ] {
        for (rank, word) in words.iter().enumerate() {
            table.entry(fold(word)).or_insert((role, rank));
        }
    }
    table
});

/// The role that a level's text suggests, with its rank among the words of that role
/// (lower is better). Letter case, width, blanks, hyphens and underscores do not count.
pub(super) fn guess(level: &str) -> Option<(Role, usize)> {
    TABLE.get(&fold(level)).copied()
}

fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '‐' | '‑'))
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_for_two_roles() {
        for (role, words) in [
            (Role::Inbox, INBOX),
            (Role::Sent, SENT),
            (Role::Drafts, DRAFTS),
            (Role::Trash, TRASH),
            (Role::Junk, JUNK),
            (Role::Archive, ARCHIVE),
        ] {
            for word in words {
                assert_eq!(guess(word).map(|g| g.0), Some(role), "{word}");
            }
        }
    }

    #[test]
    fn spelling_does_not_matter_but_meaning_does() {
        for (text, role) in [
            ("SENT_ITEMS", Some(Role::Sent)),
            ("ｺﾞﾐ箱", Some(Role::Trash)),
            ("ごみ箱", Some(Role::Trash)),
            ("送信済み アイテム", Some(Role::Sent)),
            ("Junk E-Mail", Some(Role::Junk)),
            ("E\u{301}le\u{301}ments envoye\u{301}s", Some(Role::Sent)),
            ("送信トレイ", None),
            ("Outbox", None),
            ("Sent 2020", None),
            ("", None),
        ] {
            assert_eq!(guess(text).map(|g| g.0), role, "{text}");
        }
    }
}
