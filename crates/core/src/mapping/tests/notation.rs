//! Listings and results in a compact notation.
//!
//! A listing is names divided by `;`, in text form (`/` between levels, `\/` inside one,
//! `␠` for a blank at an edge). After a name: `{sent}` its role, `-select` and `-children`
//! what it cannot do, `=wire` its wire name where several decode to the same. A result adds
//! `!` and the changes.

use crate::ledger::{Pairing, PairingId};
use crate::mailbox::{Abilities, MailboxInfo, NameRules, Role};
use crate::mapping::{Mapped, map_names};
use crate::name::{MailboxName, WireName};
use crate::plan::{NameChange, Sides};

fn role_of(word: &str) -> Role {
    match word {
        "inbox" => Role::Inbox,
        "sent" => Role::Sent,
        "drafts" => Role::Drafts,
        "archive" => Role::Archive,
        "junk" => Role::Junk,
        "trash" => Role::Trash,
        "all" => Role::All,
        "flagged" => Role::Flagged,
        "important" => Role::Important,
        _ => panic!("role {word}"),
    }
}

fn role_word(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

pub(super) fn info(text: &str) -> MailboxInfo {
    let mut words = text.split_whitespace().rev().peekable();
    let (mut selectable, mut no_children, mut role, mut wire) = (true, false, None, None);
    let mut cut = text.len();
    while let Some(word) = words.next_if(|w| w.starts_with(['{', '-', '='])) {
        match word {
            "-select" => selectable = false,
            "-children" => no_children = true,
            _ if word.starts_with('=') => wire = Some(word.to_owned()),
            _ => role = Some(role_of(word.trim_matches(['{', '}']))),
        }
        cut = text[..cut].rfind(word).expect("a word of the text") - 1;
    }
    let name = MailboxName::parse(&text[..cut].replace('␠', " ")).expect("a name");
    MailboxInfo {
        wire: WireName::new(wire.unwrap_or_else(|| name.to_string())),
        name,
        role,
        selectable,
        subscribed: false,
        no_children,
        state: None,
    }
}

fn listing(text: &str) -> Vec<MailboxInfo> {
    let names = text
        .split(';')
        .map(|n| n.trim_matches(' '))
        .filter(|n| !n.is_empty());
    names.map(info).collect()
}

pub(super) fn show(mapped: &Mapped) -> String {
    let mut out = mapped.destination.to_string().replace(' ', "␠");
    if let Some(role) = mapped.role {
        out += &format!(" {{{}}}", role_word(role));
    }
    for change in &mapped.changes {
        out += &match change {
            NameChange::Role(_) => " !role".to_owned(),
            NameChange::Spelling => " !spelling".to_owned(),
            NameChange::Character(' ') => " !blank".to_owned(),
            NameChange::Character(c) => format!(" !{}", c.escape_default()),
            NameChange::Edge => " !edge".to_owned(),
            NameChange::Length => " !length".to_owned(),
            NameChange::Depth => " !depth".to_owned(),
            NameChange::Collision => " !collision".to_owned(),
            NameChange::Prefix => " !prefix".to_owned(),
            NameChange::Under => " !under".to_owned(),
            NameChange::Earlier => " !earlier".to_owned(),
        };
    }
    out
}

fn rules(text: &str) -> NameRules {
    let mut rules = NameRules::default();
    for word in text.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "flat" => rules.separator = None,
            "sep" => rules.separator = value.chars().next(),
            "no" => rules.forbidden = value.replace('␠', " ").chars().collect(),
            "prefix" => rules.prefix = vec![value.to_owned()],
            "level" => rules.max_level_octets = value.parse().expect("a number"),
            "name" => rules.max_name_octets = value.parse().expect("a number"),
            "levels" => rules.max_levels = value.parse().expect("a number"),
            "lax" => rules.strict_edges = false,
            "bmp" => rules.astral = false,
            "nocase" => rules.ignores_case = true,
            _ => {}
        }
    }
    rules
}

pub(super) struct Case {
    pub(super) source: Vec<MailboxInfo>,
    pub(super) destination: Vec<MailboxInfo>,
    pub(super) abilities: Abilities,
    pub(super) under: Option<MailboxName>,
    pub(super) pairings: Vec<Pairing>,
}

impl Case {
    pub(super) fn map(&self) -> Vec<Mapped> {
        self.map_onto(&self.source, &self.destination)
    }

    pub(super) fn map_onto(
        &self,
        source: &[MailboxInfo],
        destination: &[MailboxInfo],
    ) -> Vec<Mapped> {
        let sides = Sides {
            source,
            source_abilities: &self.abilities,
            destination,
            destination_abilities: &self.abilities,
            pairings: &self.pairings,
        };
        map_names(sides, self.under.as_ref())
    }

    /// The destination after a run that made what was mapped.
    pub(super) fn destination_after(
        &self,
        mapped: &[Mapped],
        tells_roles: bool,
    ) -> Vec<MailboxInfo> {
        let mut after = self.destination.clone();
        for mapped in mapped {
            if !after.iter().any(|d| d.name == mapped.destination) {
                let mut made = info(&mapped.destination.to_string().replace(' ', "␠"));
                made.role = mapped.role.filter(|_| tells_roles);
                after.push(made);
            }
        }
        after
    }
}

/// `source | destination | rules, under=…, pair=a>b`.
pub(super) fn case(text: &str) -> Case {
    let mut parts = text.split('|');
    let mut next = || parts.next().unwrap_or("").trim_matches(' ');
    let (source, destination, options) = (listing(next()), listing(next()), next());
    let name = |t: &str| MailboxName::parse(&t.replace('␠', " ")).expect("a name");
    let valued = |key: &str| -> Vec<String> {
        let words = options
            .split_whitespace()
            .filter_map(|w| w.strip_prefix(key));
        words.map(str::to_owned).collect()
    };
    let pairings = valued("pair=").into_iter().enumerate().map(|(n, pair)| {
        let (from, to) = pair.split_once('>').expect("a pair");
        Pairing {
            id: PairingId(n as i64),
            source: name(from),
            destination: name(to),
            checkpoint: None,
        }
    });
    Case {
        source,
        destination,
        abilities: Abilities {
            lanes: 1,
            max_octets: None,
            reports_keys: true,
            appends_batches: true,
            tracks_changes: true,
            exact_sizes: true,
            names: rules(options),
        },
        under: valued("under=").first().map(|u| name(u)),
        pairings: pairings.collect(),
    }
}
