//! The field ② as people fill it: a name in any script, an address, perhaps a port.

use hikyaku_net::{Host, HostProblem};

/// What was typed, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The server.
    pub host: Host,
    /// After a colon.
    pub port: Option<u16>,
    /// What was put right.
    pub remarks: Remarks,
}

/// What was put right in a field, so that the page can say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Full-width letters, digits or signs were taken for their usual forms.
    pub full_width: bool,
    /// Blanks were taken away.
    pub blanks: bool,
}

/// Why a field names no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedProblem {
    /// Neither a name nor an address.
    Host,
    /// A port that is none.
    Port,
}

impl Typed {
    /// Reads the field; `None` when it is empty: the server is to be found.
    ///
    /// # Errors
    /// See [`TypedProblem`]. Only the dotted form of an IPv4 address is one; `127.1`, `0x7f000001` and the like are
    /// neither addresses nor names.
    pub fn parse(text: &str) -> Result<Option<Self>, TypedProblem> {
        let mut remarks = Remarks::default();
        let mut usual = String::with_capacity(text.len());
        for c in text.chars() {
            let narrow = half_width(c);
            if narrow.is_whitespace() {
                // Around the name they mean nothing; inside they were not meant.
                continue;
            }
            remarks.full_width |= narrow != c;
            usual.push(narrow);
        }
        remarks.blanks = text.chars().any(char::is_whitespace);
        if usual.is_empty() {
            return Ok(None);
        }
        // An IPv6 address is often copied without its brackets; then nothing of it is a port.
        let bracketed = usual
            .parse::<std::net::Ipv6Addr>()
            .is_ok()
            .then(|| format!("[{usual}]"));
        let (host, port) = Host::parse(bracketed.as_deref().unwrap_or(&usual)).map_err(
            |problem| match problem {
                HostProblem::Missing | HostProblem::Host(_) => TypedProblem::Host,
                HostProblem::Port(_) => TypedProblem::Port,
            },
        )?;
        Ok(Some(Self {
            host,
            port,
            remarks,
        }))
    }
}

/// The usual form of full-width ASCII (U+FF01 to U+FF5E), of the ideographic blank and full stop.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xff01 + u32::from('!')).unwrap_or(c)
        }
        '\u{3000}' => ' ',
        '\u{3002}' | '\u{ff61}' => '.',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let typed = Typed::parse(text).expect(text)?;
        let (host, remarks) = (typed.host.ascii(), typed.remarks);
        let port = typed.port.map(|p| format!(" {p}")).unwrap_or_default();
        let full = if remarks.full_width {
            " full-width"
        } else {
            ""
        };
        let blank = if remarks.blanks { " blanks" } else { "" };
        Some(format!("{host}{port}{full}{blank}"))
    }

    #[test]
    fn fields_are_read_as_they_are_meant() {
        for (text, meaning) in [
            ("imap.example.jp", Some("imap.example.jp")),
            (" Imap.Example.jp ", Some("imap.example.jp blanks")),
            ("imap.example.jp:143", Some("imap.example.jp 143")),
            (
                "imap.example.jp：９９３",
                Some("imap.example.jp 993 full-width"),
            ),
            (
                "ｉｍａｐ．ｅｘａｍｐｌｅ．ｊｐ",
                Some("imap.example.jp full-width"),
            ),
            ("imap。example。jp", Some("imap.example.jp full-width")),
            ("　imap.example.jp", Some("imap.example.jp blanks")),
            ("メール.例え.jp", Some("xn--4dkua4c.xn--r8jz45g.jp")),
            ("203.0.113.5:993", Some("203.0.113.5 993")),
            ("２０３．０．１１３．５", Some("203.0.113.5 full-width")),
            ("2001:db8::5", Some("[2001:db8::5]")),
            ("[2001:db8::5]:143", Some("[2001:db8::5] 143")),
            ("", None),
            (" 　\t", None),
        ] {
            assert_eq!(read(text).as_deref(), meaning, "{text}");
        }
    }

    #[test]
    fn what_names_no_server_is_told_apart() {
        for (text, problem) in [
            ("imap.example.jp:0", TypedProblem::Port),
            ("imap.example.jp:99999", TypedProblem::Port),
            ("imap.example.jp:imap", TypedProblem::Port),
            ("https://imap.example.jp/", TypedProblem::Port),
            (":993", TypedProblem::Host),
            ("imap..example.jp", TypedProblem::Host),
            ("imap.example.jp/x", TypedProblem::Host),
            ("taro@example.jp", TypedProblem::Host),
            ("fe80::1%eth0", TypedProblem::Port),
            ("[::1", TypedProblem::Host),
            ("300.1.1.1", TypedProblem::Host),
            ("2130706433", TypedProblem::Host),
        ] {
            assert_eq!(Typed::parse(text), Err(problem), "{text}");
        }
    }
}
