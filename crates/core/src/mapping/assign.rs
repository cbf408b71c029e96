//! The order of the rules: who gets a name, and who has to give way.

use super::fit::{Fitter, Placed};
use super::{Mapped, roles};
use crate::mailbox::Role;
use crate::name::MailboxName;
use crate::plan::{NameChange, Sides};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use unicode_normalization::UnicodeNormalization;

/// Deepest source tree that is looked at level by level; what lies deeper counts as
/// one level. Keeps time and memory bounded for hostile listings.
const DEEPEST: usize = 128;

type Levels = Vec<String>;

/// Maps every source mailbox, with or without regard to earlier pairings.
pub(super) fn assign(
    sides: Sides<'_>,
    under: Option<&MailboxName>,
    keep_pairings: bool,
) -> Vec<Mapped> {
    let mut assignment = Assignment::new(sides, under);
    if keep_pairings {
        assignment.keep_pairings(sides, under);
    }
    assignment.fix_inbox();
    if under.is_none() {
        assignment.match_roles(sides);
    }
    assignment.descend();
    assignment.twins(sides);
    sides
        .source
        .iter()
        .map(|m| assignment.result(&m.name, m.wire.as_bytes()))
        .collect()
}

/// What became of one source name.
#[derive(Clone, Debug, Default)]
struct Spot {
    levels: Levels,
    changes: BTreeSet<NameChange>,
    role: Option<Role>,
    /// Its children go where it would have gone by its own name, because none
    /// can be made below `levels`.
    is_barren: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Nobody else may have the name.
    Owned,
    /// A special use was put here; the mailbox of this very name may still come.
    Merged,
}

/// How far a wished name is from the source's own. The nearer one goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    Inherited,
    Own,
}

struct Assignment<'a> {
    fitter: Fitter<'a>,
    ignores_case: bool,
    /// Every level path of the destination, parents that are not listed included.
    existing: HashSet<Levels>,
    /// The same by their key for other spellings, sorted.
    spellings: HashMap<Levels, BTreeSet<Levels>>,
    /// Destination mailboxes that cannot have children.
    closed: HashSet<Levels>,
    claims: HashMap<Levels, Claim>,
    /// Where to go on counting for a name with many collisions.
    counters: HashMap<Levels, usize>,
    /// Every level path of the source by depth, parents that are not listed included.
    tree: BTreeMap<usize, BTreeSet<Levels>>,
    /// The source paths that are mailboxes of their own.
    listed: HashSet<Levels>,
    /// Nothing can be made in the destination's container for its own mailboxes.
    has_reserved_container: bool,
    /// The destination's namespace is INBOX itself: its children are the top.
    inbox_is_root: bool,
    /// The spot of the top.
    root: Spot,
    spots: HashMap<Levels, Spot>,
    /// Further mailboxes that decode to the same name, by name and wire.
    twins: HashMap<(Levels, Vec<u8>), Spot>,
}

impl<'a> Assignment<'a> {
    fn new(sides: Sides<'a>, under: Option<&MailboxName>) -> Self {
        let rules = &sides.destination_abilities.names;
        let mut made = Self {
            fitter: Fitter::new(rules),
            ignores_case: rules.ignores_case,
            existing: HashSet::new(),
            spellings: HashMap::new(),
            closed: HashSet::new(),
            claims: HashMap::new(),
            counters: HashMap::new(),
            tree: BTreeMap::new(),
            listed: sides.source.iter().map(|m| path_of(&m.name)).collect(),
            has_reserved_container: false,
            inbox_is_root: under.is_none() && rules.prefix == [INBOX],
            root: Spot::default(),
            spots: HashMap::new(),
            twins: HashMap::new(),
        };
        for mailbox in sides.destination {
            let levels = mailbox.name.levels();
            for depth in (1..=levels.len().min(DEEPEST)).rev() {
                if !made.existing.insert(levels[..depth].to_vec()) {
                    break;
                }
                let key = made.spelling_key(&levels[..depth]);
                let same = made.spellings.entry(key).or_default();
                same.insert(levels[..depth].to_vec());
            }
            if mailbox.no_children {
                made.closed.insert(levels.to_vec());
            }
            // Other servers may hold a copy of such a tree; only the real one shows a view.
            if mailbox.role == Some(Role::All) && roles::is_reserved_container(&levels[0]) {
                made.has_reserved_container = true;
            }
        }
        for mailbox in sides.source {
            let levels = path_of(&mailbox.name);
            for depth in (1..=levels.len()).rev() {
                if !made
                    .tree
                    .entry(depth)
                    .or_default()
                    .insert(levels[..depth].to_vec())
                {
                    break;
                }
            }
        }
        match under {
            Some(under) => {
                made.root.changes.insert(NameChange::Under);
                for level in under.levels() {
                    made.root.levels = made.lead(&made.root.levels, level);
                }
            }
            // Nothing but INBOX may become INBOX, whatever is replaced in its name.
            None => made.claim(&[INBOX.to_owned()], Claim::Owned),
        }
        made
    }

    fn keep_pairings(&mut self, sides: Sides<'_>, under: Option<&MailboxName>) {
        for pairing in sides.pairings {
            let path = path_of(&pairing.source);
            let is_listed = self
                .tree
                .get(&path.len())
                .is_some_and(|t| t.contains(&path));
            let is_wanted = under.is_none_or(|u| pairing.destination.is_within(u));
            if !is_listed || !is_wanted {
                continue;
            }
            let levels = pairing.destination.levels().to_vec();
            self.claim(&levels, Claim::Owned);
            let changes = BTreeSet::from([NameChange::Earlier]);
            let spot = Spot {
                levels,
                changes,
                ..Spot::default()
            };
            self.spots.insert(path, spot);
        }
    }

    fn fix_inbox(&mut self) {
        let inbox = vec![INBOX.to_owned()];
        let is_listed = self.tree.get(&1).is_some_and(|t| t.contains(&inbox));
        if self.root.levels.is_empty() && is_listed {
            let levels = inbox.clone();
            let spot = Spot {
                levels,
                ..Spot::default()
            };
            self.spots.entry(inbox).or_insert(spot);
        }
    }

    fn match_roles(&mut self, sides: Sides<'_>) {
        for found in roles::matches(sides.source, sides.destination) {
            let path = path_of(&found.source);
            let role = (!found.role.is_view()).then_some(found.role);
            let to = found.destination.map(|d| d.levels().to_vec());
            let found_nothing = to.is_none();
            if let Some(paired) = self.spots.get_mut(&path) {
                let to = to.filter(|to| *to == paired.levels);
                if to.is_some() || found_nothing {
                    paired.role = role;
                }
                // As in the run that made the pairing, unless another one came there too.
                let is_alone =
                    |to: &Levels| self.spots.values().filter(|s| s.levels == *to).count() == 1;
                if let Some(to) = to.filter(is_alone) {
                    let key = self.claim_key(&to);
                    self.claims.remove(&key);
                    self.merge(&path, &to);
                }
                continue;
            }
            let Some(levels) = to else {
                // Made under its own name, by the rules for every other mailbox.
                let spot = Spot {
                    role,
                    ..Spot::default()
                };
                self.spots.insert(path, spot);
                continue;
            };
            self.merge(&path, &levels);
            let is_barren = self.is_reserved(&levels);
            let changes = BTreeSet::from([NameChange::Role(found.role)]);
            self.spots.insert(
                path,
                Spot {
                    levels,
                    changes,
                    role,
                    is_barren,
                },
            );
        }
    }

    /// Places everything else, parents before children.
    fn descend(&mut self) {
        for tier in std::mem::take(&mut self.tree).into_values() {
            let mut open: Vec<(Levels, Placed)> = tier
                .into_iter()
                .filter(|path| self.spots.get(path).is_none_or(|s| s.levels.is_empty()))
                .map(|path| (self.base_of(&path), path))
                .map(|(base, path)| (path, base))
                .collect();
            // 1. Whoever finds a mailbox of exactly its name gets it.
            let mut rest = Vec::new();
            open.sort_by_key(|(_, base)| is_renamed(&base.changes));
            for (path, base) in open {
                let mut levels = base.levels;
                levels.extend(path.last().cloned());
                let by_right = !is_renamed(&base.changes);
                if self.existing.contains(&levels) && self.is_free(&levels, by_right) {
                    self.settle(path, levels, base.changes);
                } else {
                    rest.push((path, levels));
                }
            }
            // 2. Names that need no change go before names that do, existing before new
            //    ones, mailboxes before mere parents, and all of them before those that find
            //    theirs taken: who keeps a name does not depend on the order of listings,
            //    and is the same in the next run.
            let mut placed: Vec<(Levels, Placed, Change)> = rest
                .into_iter()
                .map(|(path, wish)| {
                    let base = self.base_of(&path);
                    let level = path.last().map_or("", String::as_str);
                    let mut placed = self.place(&base.levels, level, &path);
                    placed.changes.extend(base.changes);
                    let change = if placed.levels != wish {
                        Change::Own
                    } else if is_renamed(&placed.changes) {
                        Change::Inherited
                    } else {
                        Change::None
                    };
                    (path, placed, change)
                })
                .collect();
            placed.sort_by_key(|(path, placed, change)| {
                let exists = self.existing.contains(&placed.levels);
                (*change, !exists, !self.listed.contains(path))
            });
            let mut taken = Vec::new();
            for (path, placed, change) in placed {
                match self.resolve(&placed, change == Change::None) {
                    Some(found) => self.settle(path, found.levels, found.changes),
                    None => taken.push((path, placed)),
                }
            }
            for (path, placed) in taken {
                let found = self.resolve_numbered(&placed, &path);
                self.settle(path, found.levels, found.changes);
            }
        }
    }

    /// Several mailboxes that decode to one name keep their mail apart.
    fn twins(&mut self, sides: Sides<'_>) {
        let mut wires: BTreeMap<&MailboxName, BTreeSet<&[u8]>> = BTreeMap::new();
        for mailbox in sides.source {
            wires
                .entry(&mailbox.name)
                .or_default()
                .insert(mailbox.wire.as_bytes());
        }
        let mut seen: BTreeSet<Levels> = BTreeSet::new();
        for (name, wires) in wires {
            let path = path_of(name);
            let first_is_mapped = !seen.insert(path.clone());
            for wire in wires.into_iter().skip(usize::from(!first_is_mapped)) {
                let Some(spot) = self.spots.get(&path).cloned() else {
                    continue;
                };
                let placed = Placed {
                    levels: spot.levels,
                    changes: spot.changes,
                };
                let found = self.resolve_numbered(&placed, &path);
                self.claim(&found.levels, Claim::Owned);
                let spot = Spot {
                    levels: found.levels,
                    changes: found.changes,
                    ..Spot::default()
                };
                self.twins
                    .insert((name.levels().to_vec(), wire.to_vec()), spot);
            }
        }
    }

    fn result(&self, name: &MailboxName, wire: &[u8]) -> Mapped {
        let twin = self.twins.get(&(name.levels().to_vec(), wire.to_vec()));
        let spot = twin.or_else(|| self.spots.get(&path_of(name)));
        let mapped = spot.and_then(|s| Some((MailboxName::new(s.levels.clone())?, s)));
        let Some((destination, spot)) = mapped else {
            // Every source path has a spot with at least one level.
            return Mapped {
                destination: name.clone(),
                role: None,
                changes: Vec::new(),
            };
        };
        let mut changes: Vec<NameChange> = spot.changes.iter().cloned().collect();
        if destination == *name {
            changes.clear();
        } else if name.levels().len() > DEEPEST && !changes.contains(&NameChange::Depth) {
            changes.push(NameChange::Depth);
            changes.sort();
        }
        Mapped {
            destination,
            role: spot.role,
            changes,
        }
    }

    /// Where the children of a path's parent go.
    fn base_of(&self, path: &[String]) -> Placed {
        let Some((_, above)) = path.split_last().filter(|(_, above)| !above.is_empty()) else {
            return Placed {
                levels: self.root.levels.clone(),
                changes: self.root.changes.clone(),
            };
        };
        if self.inbox_is_root && above == [INBOX] {
            // On the wire everything lies below INBOX already; `INBOX.INBOX.x` is a
            // name that some of these servers cannot list.
            return Placed {
                levels: Levels::new(),
                changes: BTreeSet::from([NameChange::Prefix]),
            };
        }
        match self.spots.get(above) {
            Some(spot) if spot.is_barren => {
                let base = self.base_of(above);
                let level = above.last().map_or("", String::as_str);
                let mut placed = self.place(&base.levels, level, above);
                placed.changes.extend(base.changes);
                placed
            }
            Some(spot) => Placed {
                levels: spot.levels.clone(),
                changes: spot.changes.clone(),
            },
            None => Placed {
                levels: above.to_vec(),
                changes: BTreeSet::new(),
            },
        }
    }

    fn place(&self, base: &[String], level: &str, identity: &[String]) -> Placed {
        self.fitter
            .place(base, level, identity, &|levels| self.is_closed(levels))
    }

    fn is_closed(&self, levels: &[String]) -> bool {
        self.closed.contains(levels) || self.is_reserved(levels)
    }

    fn is_reserved(&self, levels: &[String]) -> bool {
        let container = levels.first().filter(|_| self.has_reserved_container);
        container.is_some_and(|level| roles::is_reserved_container(level))
    }

    /// One level of the way to `under`: an existing mailbox, or a name that can be made.
    fn lead(&self, base: &[String], level: &str) -> Levels {
        let mut wish = base.to_vec();
        wish.push(level.to_owned());
        if self.existing.contains(&wish) {
            return wish;
        }
        let placed = self.place(base, level, &wish);
        match self
            .spellings
            .get(&self.spelling_key(&placed.levels))
            .and_then(BTreeSet::first)
        {
            Some(spelled) if !self.existing.contains(&placed.levels) => spelled.clone(),
            _ => placed.levels,
        }
    }

    /// The place as it is, or the existing mailbox that differs in spelling only;
    /// `None` when another mailbox has the name. `by_right` says that it is the source's
    /// own name.
    fn resolve(&self, placed: &Placed, by_right: bool) -> Option<Placed> {
        let exists = self.existing.contains(&placed.levels);
        if exists && self.is_free(&placed.levels, by_right) {
            return Some(placed.clone());
        }
        let spelled = self.spellings.get(&self.spelling_key(&placed.levels));
        let spelled = spelled.and_then(|s| s.iter().find(|levels| self.is_free(levels, by_right)));
        if let Some(levels) = spelled {
            let mut found = Placed {
                levels: levels.clone(),
                changes: placed.changes.clone(),
            };
            found.changes.insert(NameChange::Spelling);
            return Some(found);
        }
        (!exists && self.is_free(&placed.levels, by_right)).then(|| placed.clone())
    }

    fn resolve_numbered(&mut self, placed: &Placed, identity: &[String]) -> Placed {
        let key = self.claim_key(&placed.levels);
        let mut number = self.counters.get(&key).copied().unwrap_or(2);
        loop {
            let numbered = self.fitter.number(placed, number, identity);
            number += 1;
            if let Some(found) = self.resolve(&numbered, false) {
                self.counters.insert(key, number);
                return found;
            }
        }
    }

    fn settle(&mut self, path: Levels, levels: Levels, changes: BTreeSet<NameChange>) {
        self.claim(&levels, Claim::Owned);
        let role = self.spots.get(&path).and_then(|s| s.role);
        let spot = Spot {
            levels,
            changes,
            role,
            is_barren: false,
        };
        self.spots.insert(path, spot);
    }

    /// A special use goes to a mailbox that may have another name: whoever has that
    /// name by right may still come.
    fn merge(&mut self, path: &[String], levels: &[String]) {
        if self.spelling_key(path) == self.spelling_key(levels) {
            self.claim(levels, Claim::Owned);
        } else {
            let key = self.claim_key(levels);
            self.claims.entry(key).or_insert(Claim::Merged);
        }
    }

    fn claim(&mut self, levels: &[String], claim: Claim) {
        self.claims.insert(self.claim_key(levels), claim);
    }

    fn is_free(&self, levels: &[String], by_right: bool) -> bool {
        match self.claims.get(&self.claim_key(levels)) {
            None => true,
            Some(Claim::Merged) => by_right,
            Some(Claim::Owned) => false,
        }
    }

    /// Two names with this key in common are one mailbox at the destination.
    fn claim_key(&self, levels: &[String]) -> Levels {
        if self.ignores_case {
            folded(levels)
        } else {
            levels.to_vec()
        }
    }

    /// Two names with this key in common look the same to a person.
    fn spelling_key(&self, levels: &[String]) -> Levels {
        if self.ignores_case {
            folded(levels)
        } else {
            levels.iter().map(|l| l.nfc().collect()).collect()
        }
    }
}

const INBOX: &str = "INBOX";

/// Whether more happened than putting everything below one mailbox.
fn is_renamed(changes: &BTreeSet<NameChange>) -> bool {
    changes.iter().any(|c| *c != NameChange::Under)
}

fn folded(levels: &[String]) -> Levels {
    levels
        .iter()
        .map(|l| {
            // By way of capitals, so that letters with two small forms (σ, ς) agree.
            let capitals = l.nfc().flat_map(char::to_uppercase);
            capitals.flat_map(char::to_lowercase).nfc().collect()
        })
        .collect()
}

/// The levels of a source name, with what is deeper than [`DEEPEST`] in one.
fn path_of(name: &MailboxName) -> Levels {
    let levels = name.levels();
    if levels.len() <= DEEPEST {
        return levels.to_vec();
    }
    let mut path = levels[..DEEPEST - 1].to_vec();
    path.push(levels[DEEPEST - 1..].join("／"));
    path
}
