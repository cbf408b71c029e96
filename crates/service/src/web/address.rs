//! Mail addresses, as far as a form has to know them.

/// Longest address in octets (RFC 5321 §4.5.3.1.3).
const MOST_OCTETS: usize = 254;

/// Whether a text has the form of a mail address that a mailbox can have: ASCII before the `@`, a domain of any script
/// behind it, nothing that a person would not see.
pub(crate) fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let fits = |c: char| {
        c.is_ascii_graphic()
            && !matches!(
                c,
                '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']' | '@'
            )
    };
    let local_fits = !local.is_empty() && local.len() <= 64 && local.chars().all(fits);
    text.len() <= MOST_OCTETS && local_fits && is_domain(domain)
}

/// Whether a text has the form of a domain's name with at least two labels.
pub(crate) fn is_domain(text: &str) -> bool {
    let Ok(ascii) = idna::domain_to_ascii_strict(text) else {
        return false;
    };
    let labels: Vec<&str> = ascii.split('.').collect();
    labels.len() >= 2
        && labels.iter().all(|label| !label.is_empty())
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mailboxes_are_known_from_other_texts() {
        for (text, is_address) in [
            ("taro@example.jp", true),
            ("taro.yamada+x@mail.example.co.jp", true),
            ("o'brien@example.jp", true),
            ("a..b.@docomo.ne.jp", true),
            ("taro@日本語.jp", true),
            ("taro@xn--wgv71a119e.jp", true),
            ("", false),
            ("taro", false),
            ("@example.jp", false),
            ("taro@", false),
            ("taro@localhost", false),
            ("taro@example..jp", false),
            ("taro@exa mple.jp", false),
            ("taro @example.jp", false),
            ("ta\u{202e}ro@example.jp", false),
            ("taro@example.jp\r\nBcc: x@example.jp", false),
            ("Taro <taro@example.jp>", false),
            ("<script>@example.jp", false),
            ("taro@example.jp,jiro@example.jp", false),
            ("ｔａｒｏ@example.jp", false),
            ("a@b@example.jp", false),
        ] {
            assert_eq!(is_mail_address(text), is_address, "{text}");
        }
        assert!(!is_mail_address(&format!("{}@example.jp", "a".repeat(65))));
        assert!(!is_mail_address(&format!("a@{}.jp", "b.".repeat(130))));
    }
}
