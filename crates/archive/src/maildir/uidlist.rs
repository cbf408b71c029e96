//! Dovecot's list of UIDs, where there is one: keys that stay whatever happens to the files.

use std::collections::HashMap;

/// The list of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UidList {
    pub(crate) validity: u64,
    /// By the name of the file without its flags.
    uids: HashMap<String, u64>,
}

impl UidList {
    /// Reads versions 1 and 3; `None` for anything else.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.lines();
        let mut header = lines.next()?.split_ascii_whitespace();
        let version = header.next()?;
        let validity = match version {
            "1" => header.next()?.parse().ok()?,
            "3" => header.find_map(|word| word.strip_prefix('V')?.parse().ok())?,
            _ => return None,
        };
        let mut uids = HashMap::new();
        for line in lines {
            let (uid, rest) = line.split_once(' ')?;
            let name = match version {
                "1" => rest,
                // Fields, then a colon and the name.
                _ => rest.split_once(':')?.1,
            };
            let uid = uid.parse().ok().filter(|uid| *uid > 0)?;
            let base = super::name::MessageName::of(name).base;
            if uids.insert(base.to_owned(), uid).is_some() {
                return None;
            }
        }
        (validity > 0).then_some(Self { validity, uids })
    }

    /// The UID of a file; `None` when Dovecot has not seen it yet.
    pub(crate) fn uid(&self, base: &str) -> Option<u64> {
        self.uids.get(base).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_versions_are_read_and_others_refused() {
        let three = UidList::parse(b"3 V17 N9 Gabc\n1 :a,S=1\n8 W12 S11 :b:2,S\n").expect("3");
        assert_eq!(
            (
                three.validity,
                three.uid("a,S=1"),
                three.uid("b"),
                three.uid("c")
            ),
            (17, Some(1), Some(8), None)
        );
        let one = UidList::parse(b"1 17 9\n5 a\n").expect("1");
        assert_eq!((one.validity, one.uid("a")), (17, Some(5)));
        for bad in [
            &b""[..],
            b"2 V1\n",
            b"3 N1\n",
            b"3 V0 N1\n",
            b"3 V1\nx :a\n",
            b"3 V1\n1 :a\n2 :a\n",
        ] {
            assert_eq!(UidList::parse(bad), None, "{}", bad.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[13V ]{0,4}[0-9 :a\\n]{0,40}") {
            let _list = UidList::parse(text.as_bytes());
        }
    }
}
