use super::*;
use proptest::prelude::*;

fn own(text: &str) -> Label {
    Label::Own(text.split('/').map(str::to_owned).collect())
}

fn told(value: &str) -> (Vec<Label>, String) {
    let labels = read(value.as_bytes());
    (labels.places, labels.flags.to_string())
}

#[test]
fn labels_of_several_languages_mean_places_and_flags() {
    for (value, places, flags) in [
        ("Inbox,Unread,Important", vec![Label::Inbox], ""),
        ("受信トレイ,未読,重要", vec![Label::Inbox], ""),
        ("送信済み,開封済み", vec![Label::Sent], "\\Seen"),
        (
            "アーカイブ済み,開封済み,取引先/サンプル商事",
            vec![own("取引先/サンプル商事")],
            "\\Seen",
        ),
        (
            "スター付き,受信トレイ,開封済み,カテゴリ: プロモーション",
            vec![Label::Inbox],
            "\\Seen \\Flagged",
        ),
        ("迷惑メール,未読", vec![Label::Junk], ""),
        ("ゴミ箱,開封済み", vec![Label::Trash], "\\Seen"),
        ("下書き", vec![Label::Drafts], "\\Seen \\Draft"),
        ("チャット", vec![own("チャット")], "\\Seen"),
        (
            "Arquivada,Enviado,Importante,Pessoal/Test",
            vec![Label::Sent, own("Pessoal/Test")],
            "\\Seen",
        ),
        (
            "Arquivada,Importante,Aberto,Categoria: pessoal,Pessoal/Test",
            vec![own("Pessoal/Test")],
            "\\Seen",
        ),
        ("Category Promotions,Opened", vec![], "\\Seen"),
        ("Category Theory", vec![own("Category Theory")], "\\Seen"),
        ("", vec![], "\\Seen"),
    ] {
        assert_eq!(told(value), (places, flags.to_owned()), "{value}");
    }
}

#[test]
fn commas_and_quotes_in_a_label_are_its_own() {
    let (places, _) = told("\"Smith, John\",Inbox, \"say \"\"hi\"\"\" ,a\"b,/x//y/,Inbox");
    assert_eq!(
        places,
        [
            own("Smith, John"),
            Label::Inbox,
            own("say \"hi\""),
            own("a\"b"),
            own("x/y"),
        ]
    );
}

#[test]
fn encoded_words_are_decoded_even_when_they_are_cut_inside_of_a_character() {
    for (value, text) in [
        (
            "=?UTF-8?Q?=E5=8F=97=E4=BF=A1=E3=83=88=E3=83=AC=E3=82=A4=2C=E6=9C=AA=E8=AA=AD?=",
            "受信トレイ,未読",
        ),
        ("=?UTF-8?Q?=E5=8F?=\r\n =?utf-8?q?=97a_b?=,x", "受a b,x"),
        ("a =?UTF-8?B?5Y+X?= =?UTF-8?B?5L+h?= b", "a 受信 b"),
        ("=?iso-2022-jp?B?GyRCPHU/LhsoQg==?=", "受信"),
        ("生の文字,x", "生の文字,x"),
        ("=?nonsense?Q?x?=", "=?nonsense?Q?x?="),
        ("=?UTF-8?Q?a b?=", "=?UTF-8?Q?a b?="),
        ("=?UTF-8?B?*?= =?UTF-8?Q?=4?=", "=?UTF-8?B?*?= =4"),
        ("Inbox,\r\n Two words", "Inbox, Two words"),
    ] {
        assert_eq!(decode(value.as_bytes()), text, "{value}");
    }
}

proptest! {
    #[test]
    fn whatever_labels_there_are_they_come_back(labels in prop::collection::vec("[a-z,\"é受 ]{1,8}", 1..6)) {
        let labels: Vec<String> = labels.iter().map(|l| format!("x{}x", l)).collect();
        let quote = |l: &String| format!("\"{}\"", l.replace('"', "\"\""));
        let csv: Vec<String> = labels.iter().map(quote).collect();
        prop_assert_eq!(split(&csv.join(",")), labels);
    }

    #[test]
    fn nothing_panics(octets: Vec<u8>, text in "(=\\?|utf-8|\\?[QB]\\?|\\?=|[a-zA-Z=_,\" ]){0,30}") {
        crate::takeout::properties::labels(&octets);
        crate::takeout::properties::labels(text.as_bytes());
    }
}
