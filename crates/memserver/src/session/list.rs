//! LIST with its options, and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 6154).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::reply::{Halt, Outcome, Reply, flag_list};
use super::status::Item;
use super::{Session, no_arguments};
use crate::account::lock;
use crate::command::{Args, Parsed};
use crate::name;
use crate::store::Store;

#[derive(Clone, Debug, Default)]
struct Options {
    /// Only subscribed names, and also those that do not exist.
    subscribed: bool,
    /// Parents of subscribed names are told with CHILDINFO.
    recursive: bool,
    /// Only mailboxes with a special use.
    special_use: bool,
    tell_subscribed: bool,
    tell_children: bool,
    /// Only set by `RETURN (STATUS (…))`.
    status: Vec<Item>,
}

impl Session {
    pub(super) fn list(&mut self, args: Args) -> Outcome {
        let mut args = args;
        let mut options = Options {
            tell_children: self.can("CHILDREN"),
            ..Options::default()
        };
        args.space()?;
        if args.peek() == Some(b'(') {
            self.selection(&mut args, &mut options)?;
            args.space()?;
        }
        let reference = args.astring()?;
        args.space()?;
        let patterns = match args.peek() {
            Some(b'(') if self.can("LIST-EXTENDED") => args.list(Args::pattern)?,
            _ => vec![args.pattern()?],
        };
        if args.eat(b' ') {
            self.returns(&mut args, &mut options)?;
        }
        no_arguments(&args)?;
        let whole = |pattern: &Bytes| self.whole_pattern(&reference, pattern);
        let patterns: Vec<Vec<u8>> = patterns.iter().map(whole).collect();
        if patterns.iter().all(Vec::is_empty) {
            let line = format!("* LIST (\\Noselect) {} \"\"", self.told_separator());
            self.wire.put_line(line);
            return Ok(Reply::ok("List completed."));
        }
        let lines = self.listed(&patterns, &options)?;
        self.wire.put(lines);
        Ok(Reply::ok("List completed."))
    }

    /// `(SUBSCRIBED REMOTE RECURSIVEMATCH SPECIAL-USE)`.
    fn selection(&self, args: &mut Args, options: &mut Options) -> Result<(), Halt> {
        for word in args.list(Args::word)? {
            let known = match word.as_str() {
                "SUBSCRIBED" => {
                    options.subscribed = true;
                    options.tell_subscribed = true;
                    self.can("LIST-EXTENDED")
                }
                "REMOTE" => self.can("LIST-EXTENDED"),
                "RECURSIVEMATCH" => {
                    options.recursive = true;
                    self.can("LIST-EXTENDED")
                }
                "SPECIAL-USE" => {
                    options.special_use = true;
                    self.can("SPECIAL-USE")
                }
                _ => false,
            };
            if !known {
                return Err(Halt::Malformed);
            }
        }
        match options.recursive && !options.subscribed {
            true => Err(Halt::Malformed),
            false => Ok(()),
        }
    }

    /// `RETURN (SUBSCRIBED CHILDREN SPECIAL-USE STATUS (…))`.
    fn returns(&self, args: &mut Args, options: &mut Options) -> Result<(), Halt> {
        if args.word()? != "RETURN" {
            return Err(Halt::Malformed);
        }
        args.space()?;
        let mut status = None;
        let words = args.list(|args| -> Parsed<String> {
            let word = args.word()?;
            if word == "STATUS" {
                args.space()?;
                status = Some(args.clone());
                args.skip_value()?;
            }
            Ok(word)
        })?;
        for word in words {
            let known = match word.as_str() {
                "SUBSCRIBED" => {
                    options.tell_subscribed = true;
                    self.can("LIST-EXTENDED")
                }
                "CHILDREN" => {
                    options.tell_children = true;
                    self.can("LIST-EXTENDED")
                }
                "SPECIAL-USE" => self.can("SPECIAL-USE"),
                "STATUS" => self.can("LIST-STATUS"),
                _ => false,
            };
            if !known {
                return Err(Halt::Malformed);
            }
        }
        if let Some(mut at) = status {
            options.status = self.status_items(&mut at)?;
        }
        Ok(())
    }

    fn listed(&self, patterns: &[Vec<u8>], options: &Options) -> Result<Vec<u8>, Halt> {
        let account = self.account.as_ref().ok_or(Halt::Unknown)?;
        let store = lock(&account.cell.store);
        let mut lines = Vec::new();
        for wire in self.names(&store, patterns, options.subscribed, options.recursive) {
            let mailbox = store.mailbox(&wire);
            let special: &[String] = mailbox
                .map(|m| m.special_use.as_slice())
                .unwrap_or_default();
            let subscribed = store.subscribed.contains(&wire);
            if options.special_use && special.is_empty() {
                continue;
            }
            let attributes = self.attributes(&store, &wire, options, subscribed);
            lines.extend(
                format!(
                    "* LIST {} {} ",
                    flag_list(attributes.iter().map(String::as_str)),
                    self.told_separator()
                )
                .bytes(),
            );
            lines.extend(self.told_name(&wire));
            if options.recursive && has_subscribed_below(&store, &wire) {
                lines.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
            }
            lines.extend_from_slice(b"\r\n");
            if let Some(mailbox) = mailbox.filter(|m| m.selectable && !options.status.is_empty()) {
                lines.extend(self.status_line(&wire, mailbox, &options.status, store.append_limit));
            }
        }
        Ok(lines)
    }

    fn attributes(
        &self,
        store: &Store,
        wire: &[u8],
        options: &Options,
        subscribed: bool,
    ) -> Vec<String> {
        let mut attributes = Vec::new();
        let mailbox = store.mailbox(wire);
        match mailbox {
            Some(mailbox) if !mailbox.selectable => attributes.push("\\Noselect".to_owned()),
            Some(_) => {}
            None => attributes.push("\\NonExistent".to_owned()),
        }
        if options.tell_children {
            let children = match store.has_children(wire) {
                true => "\\HasChildren",
                false => "\\HasNoChildren",
            };
            attributes.push(children.to_owned());
        }
        if options.tell_subscribed && subscribed {
            attributes.push("\\Subscribed".to_owned());
        }
        if let Some(mailbox) = mailbox.filter(|_| self.can("SPECIAL-USE")) {
            attributes.extend(mailbox.special_use.iter().cloned());
        }
        attributes
    }

    fn whole_pattern(&self, reference: &[u8], pattern: &[u8]) -> Vec<u8> {
        let whole = [reference, pattern].concat();
        name::inbox_folded(&whole, self.personality().separator)
    }

    /// Whether a stored name matches a pattern as the client wrote it: a piece
    /// of a UTF-8 name is no piece of its modified UTF-7.
    fn name_matches(&self, pattern: &[u8], wire: &[u8]) -> bool {
        let separator = self.personality().separator;
        match self.utf8().then(|| name::decode(wire)).flatten() {
            Some(name) => name::matches(pattern, name.as_bytes(), separator),
            None => name::matches(pattern, wire, separator),
        }
    }

    /// The names to tell, in the server's order.
    fn names(
        &self,
        store: &Store,
        patterns: &[Vec<u8>],
        subscribed: bool,
        recursive: bool,
    ) -> Vec<Vec<u8>> {
        let wanted = |name: &[u8]| patterns.iter().any(|p| self.name_matches(p, name));
        let mut names: BTreeSet<&Vec<u8>> = match subscribed {
            true => store.subscribed.iter().collect(),
            false => store.mailboxes.keys().collect(),
        };
        if recursive {
            names.extend(
                store
                    .mailboxes
                    .keys()
                    .filter(|name| has_subscribed_below(store, name)),
            );
        }
        let mut names: Vec<Vec<u8>> = names.into_iter().filter(|n| wanted(n)).cloned().collect();
        if self.personality().unsorted_list {
            // As a directory would give them: by no rule a client could rely on.
            names.sort_by_key(|name| {
                crate::body::mix(
                    name.iter()
                        .fold(7, |h, b| crate::body::mix(h) ^ u64::from(*b)),
                )
            });
        }
        names
    }

    /// RFC 3501 §6.3.9.
    pub(super) fn lsub(&mut self, args: Args) -> Outcome {
        let mut args = args;
        args.space()?;
        let reference = args.astring()?;
        args.space()?;
        let pattern = args.pattern()?;
        no_arguments(&args)?;
        let pattern = self.whole_pattern(&reference, &pattern);
        let account = self.account.clone().ok_or(Halt::Unknown)?;
        let separator = self.personality().separator;
        let mut lines = Vec::new();
        {
            let store = lock(&account.cell.store);
            let mut told: BTreeSet<(Vec<u8>, bool)> = BTreeSet::new();
            for name in &store.subscribed {
                if self.name_matches(&pattern, name) {
                    told.insert((name.clone(), true));
                } else if pattern.ends_with(b"%") {
                    // A level above a subscribed name is told as \Noselect.
                    let parents = name::parents(name, separator);
                    let above = parents.filter(|p| {
                        self.name_matches(&pattern, p) && !store.subscribed.contains(*p)
                    });
                    told.extend(above.map(|p| (p.to_vec(), false)));
                }
            }
            for (name, own) in told {
                let attribute = if own { "" } else { "\\Noselect" };
                lines.extend(format!("* LSUB ({attribute}) {} ", self.told_separator()).bytes());
                lines.extend(self.told_name(&name));
                lines.extend_from_slice(b"\r\n");
            }
        }
        self.wire.put(lines);
        Ok(Reply::ok("Lsub completed."))
    }
}

fn has_subscribed_below(store: &Store, wire: &[u8]) -> bool {
    let Some(separator) = store.separator else {
        return false;
    };
    let mut below = wire.to_vec();
    below.push(separator);
    store
        .subscribed
        .range(below.clone()..)
        .next()
        .is_some_and(|name| name.starts_with(&below))
}
