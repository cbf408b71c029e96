//! The part of a server's names that belongs to the user, and how it is written.
//!
//! A name belongs to the namespace with the longest prefix that fits (RFC 2342).
//! Only personal ones are copied: mailboxes of other users and shared ones belong to
//! somebody else, and would be copied once per user. INBOX is always personal.
//!
//! The prefix of the first personal namespace (such as `INBOX.`) is taken off when
//! names are read and put on when they are written: `INBOX.Sent` is *Sent*.

use crate::names::{NameEncoding, decode_name, encode_name};
use crate::quirks::Product;
use crate::response::{ListRow, Namespace as Wire};
use crate::session::Facts;
use hikyaku_core::mailbox::NameRules;
use hikyaku_core::{MailboxInfo, MailboxName, WireName};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    encoding: NameEncoding,
    separator: Option<char>,
    prefix: Vec<u8>,
    personal: Vec<Wire>,
    foreign: Vec<Wire>,
}

impl Namespace {
    /// From what the server told; `separator` is that of LIST, for servers without
    /// NAMESPACE.
    pub(super) fn new(facts: &Facts, separator: Option<char>) -> Self {
        let told = &facts.namespaces;
        let first = told.personal.first();
        Self {
            encoding: encoding(facts),
            separator: first.map_or(separator, |n| n.separator),
            prefix: first.map_or_else(Vec::new, |n| n.prefix.as_bytes().to_vec()),
            personal: told.personal.clone(),
            foreign: told.others.iter().chain(&told.shared).cloned().collect(),
        }
    }

    /// How this server spells names.
    pub(super) fn encoding(&self) -> NameEncoding {
        self.encoding
    }

    /// The name as people see it; `None` when it is not the user's own.
    pub(super) fn read(&self, row: &ListRow) -> Option<MailboxName> {
        let wire = row.name.as_bytes();
        if wire.eq_ignore_ascii_case(b"INBOX") {
            return Some(MailboxName::inbox());
        }
        if !self.is_personal(row) {
            return None;
        }
        let own = match strip(wire, &self.prefix) {
            // The root of the namespace itself is no mailbox of its own.
            Some([]) => return None,
            Some(rest) => WireName::new(rest),
            None => row.name.clone(),
        };
        // A server may have one separator per namespace.
        let separator = row.separator.or(self.separator);
        decode_name(&own, separator, self.encoding)
    }

    /// The name as the server writes it; `None` when it cannot.
    pub(super) fn write(&self, name: &MailboxName) -> Option<WireName> {
        if name.is_inbox() {
            return Some(WireName::new("INBOX"));
        }
        let own = encode_name(name, self.separator, self.encoding)?;
        let mut wire = self.prefix.clone();
        wire.extend_from_slice(own.as_bytes());
        Some(WireName::new(wire))
    }

    /// What this server lets names be. `seen` are names that it has already: what is
    /// there cannot be forbidden.
    pub(super) fn rules(&self, facts: &Facts, seen: &[MailboxInfo]) -> NameRules {
        let mut forbidden: Vec<char> = match (facts.product, self.separator) {
            // A full stop divides the directories of a Maildir, whatever separator is shown.
            (Product::Dovecot, Some('/')) => vec!['.', '\t'],
            (Product::Dovecot, _) => vec!['/', '\t'],
            (Product::Cyrus, _) => "!\"%*;<>\\^`{|}\t".chars().collect(),
            (Product::Courier, _) => vec!['/'],
            (Product::Gmail, _) => vec!['\\', '^'],
            (Product::Other, _) => vec!['*', '%', '"', '\\', '\t'],
        };
        let levels = || seen.iter().flat_map(|m| m.name.levels());
        forbidden.retain(|c| Some(*c) != self.separator && !levels().any(|l| l.contains(*c)));
        let prefix = decode_name(
            &WireName::new(self.prefix.clone()),
            self.separator,
            self.encoding,
        );
        NameRules {
            separator: self.separator,
            prefix: prefix.map_or_else(Vec::new, |p| {
                p.levels()
                    .iter()
                    .filter(|l| !l.is_empty())
                    .cloned()
                    .collect()
            }),
            forbidden,
            strict_edges: facts.product != Product::Cyrus,
            // Courier takes them after ENABLE UTF8=ACCEPT, and then closes the connection of every
            // client that lists mailboxes without it: the owner would be locked out.
            astral: facts.product != Product::Courier,
            ..NameRules::default()
        }
    }

    fn is_personal(&self, row: &ListRow) -> bool {
        let wire = row.name.as_bytes();
        let longest = |namespaces: &[Wire]| {
            namespaces
                .iter()
                .filter(|n| is_inside(wire, n, row))
                .map(|n| n.prefix.as_bytes().len())
                .max()
        };
        match (longest(&self.personal), longest(&self.foreign)) {
            (Some(own), Some(foreign)) => own >= foreign,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            // Outside every namespace that the server told: without any, all is ours.
            (None, None) => self.personal.is_empty(),
        }
    }
}

/// How names are spelled.
fn encoding(facts: &Facts) -> NameEncoding {
    if facts.utf8 {
        NameEncoding::Utf8
    } else {
        NameEncoding::Utf7
    }
}

/// Whether a name lies in a namespace, or is its bare root that holds nothing.
fn is_inside(wire: &[u8], namespace: &Wire, row: &ListRow) -> bool {
    let prefix = namespace.prefix.as_bytes();
    if strip(wire, prefix).is_some() {
        return true;
    }
    let mut buffer = [0; 4];
    let Some(separator) = namespace.separator else {
        return false;
    };
    let divider = separator.encode_utf8(&mut buffer).as_bytes();
    prefix.strip_suffix(divider) == Some(wire) && !row.attributes.is_selectable()
}

/// What follows a prefix; the word INBOX in it has no case.
fn strip<'a>(wire: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = wire.split_at_checked(prefix.len())?;
    let same = head == prefix
        || (head.eq_ignore_ascii_case(prefix)
            && prefix
                .get(..5)
                .is_some_and(|p| p.eq_ignore_ascii_case(b"INBOX")));
    same.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::{Capabilities, ListAttributes, Namespaces};

    fn wire(prefix: &str, separator: char) -> Wire {
        Wire {
            prefix: WireName::new(prefix),
            separator: Some(separator),
        }
    }

    fn namespace(
        personal: &[(&str, char)],
        others: &[(&str, char)],
        shared: &[(&str, char)],
    ) -> Namespace {
        let all = |list: &[(&str, char)]| list.iter().map(|(p, s)| wire(p, *s)).collect();
        let mut facts = Facts::new(Capabilities::default());
        facts.namespaces = Namespaces {
            personal: all(personal),
            others: all(others),
            shared: all(shared),
        };
        Namespace::new(&facts, Some('/'))
    }

    fn row(name: &str, separator: char) -> ListRow {
        ListRow {
            separator: Some(separator),
            name: WireName::new(name),
            attributes: ListAttributes::default(),
            child_info: Vec::new(),
            old_name: None,
        }
    }

    fn reads(namespace: &Namespace, name: &str, separator: char) -> Option<String> {
        namespace.read(&row(name, separator)).map(|n| n.to_string())
    }

    #[test]
    fn the_prefix_of_the_user_is_taken_off_and_put_on() {
        let courier = namespace(
            &[("INBOX.", '.')],
            &[("#shared.", '.'), ("shared.", '.')],
            &[],
        );
        for (name, seen) in [
            ("INBOX", Some("INBOX")),
            ("INBOX.Sent", Some("Sent")),
            ("Inbox.&U9dP4TDIMOwwpA-.2024", Some("受信トレイ/2024")),
            ("INBOX.INBOX.x", Some("INBOX/x")),
            ("#shared.team", None),
            ("shared.x", None),
            ("elsewhere", None),
        ] {
            assert_eq!(reads(&courier, name, '.').as_deref(), seen, "{name}");
        }
        for (name, written) in [
            ("INBOX", "INBOX"),
            ("Sent", "INBOX.Sent"),
            ("受信トレイ/2024", "INBOX.&U9dP4TDIMOwwpA-.2024"),
            ("INBOX/x", "INBOX.INBOX.x"),
        ] {
            let name = MailboxName::parse(name).expect("a name");
            assert_eq!(courier.write(&name), Some(WireName::new(written)));
        }
    }

    #[test]
    fn mailboxes_of_others_are_left_out() {
        let dovecot = namespace(&[("", '/')], &[("user/", '/')], &[("Public/", '/')]);
        assert_eq!(reads(&dovecot, "a/b", '/').as_deref(), Some("a/b"));
        assert_eq!(reads(&dovecot, "user/hanako/INBOX", '/'), None);
        assert_eq!(reads(&dovecot, "Public/x", '/'), None);
        let mut root = row("Public", '/');
        assert_eq!(
            dovecot.read(&root).map(|n| n.to_string()).as_deref(),
            Some("Public")
        );
        root.attributes = ListAttributes {
            no_select: true,
            ..ListAttributes::default()
        };
        assert_eq!(
            dovecot.read(&root),
            None,
            "the bare root of a shared namespace"
        );
    }

    #[test]
    fn a_shared_namespace_without_a_prefix_takes_what_is_not_personal() {
        let cyrus = namespace(&[("INBOX.", '.')], &[("user.", '.')], &[("", '.')]);
        assert_eq!(reads(&cyrus, "INBOX.a", '.').as_deref(), Some("a"));
        assert_eq!(reads(&cyrus, "common", '.'), None);
        assert_eq!(reads(&cyrus, "user.x", '.'), None);
    }

    #[test]
    fn without_namespaces_everything_is_ours() {
        let plain = namespace(&[], &[], &[]);
        assert_eq!(reads(&plain, "a/b", '/').as_deref(), Some("a/b"));
        assert_eq!(
            plain.write(&MailboxName::parse("a/b").expect("a name")),
            Some(WireName::new("a/b"))
        );
    }

    #[test]
    fn what_the_server_has_already_cannot_be_forbidden() {
        let plain = namespace(&[("", '/')], &[], &[]);
        let mut facts = Facts::new(Capabilities::default());
        facts.product = Product::Dovecot;
        assert_eq!(plain.rules(&facts, &[]).forbidden, ['.', '\t']);
        let seen = MailboxInfo {
            name: MailboxName::parse("v1.0").expect("a name"),
            wire: WireName::new("v1.0"),
            role: None,
            selectable: true,
            subscribed: false,
            no_children: false,
            state: None,
        };
        assert_eq!(plain.rules(&facts, &[seen]).forbidden, ['\t']);
    }
}
