//! Where the file of a message is that is not where its line says: a mail program may have given
//! it other flags, and an interrupted run may have left it where it was written.
//!
//! Every look at the directory is remembered for the next of the keys that ascend, so that a
//! folder of which every name was changed is not looked through once for each message; and for
//! so many only, so that memory does not grow with the folder.

use super::files::Found;
use std::collections::BTreeMap;
use std::io;

/// Files that are remembered.
const MOST: usize = 20_000;

/// The files of some keys, as the last look showed them.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Of all keys between these two, if any.
    known: Option<(u32, u32)>,
    /// Below the folder's directory.
    places: BTreeMap<u32, (bool, String)>,
}

impl Elsewhere {
    /// The place of a key's file below the folder's directory. `look` shows every file.
    pub(crate) fn find(
        &mut self,
        key: u32,
        look: impl FnOnce(&mut dyn FnMut(Found)) -> io::Result<()>,
    ) -> io::Result<Option<String>> {
        if self.known.is_none_or(|(from, to)| key < from || to < key) {
            self.look(key, MOST, look)?;
        }
        Ok(self.places.get(&key).map(|(_, place)| place.clone()))
    }

    /// What was seen counts no more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn look(
        &mut self,
        from: u32,
        most: usize,
        look: impl FnOnce(&mut dyn FnMut(Found)) -> io::Result<()>,
    ) -> io::Result<()> {
        self.forget();
        let (places, mut to) = (&mut self.places, from);
        let mut is_cut = false;
        look(&mut |file: Found| {
            if file.key < from {
                return;
            }
            to = to.max(file.key);
            let known = places.entry(file.key).or_default();
            // The one in its place is better.
            if known.1.is_empty() || (file.is_in_place && !known.0) {
                *known = (file.is_in_place, file.place);
            }
            if places.len() > most {
                places.pop_last();
                is_cut = true;
            }
        })?;
        if is_cut {
            to = places.last_key_value().map_or(from, |(key, _)| *key);
        }
        self.known = Some((from, to));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: u32, place: &str) -> Found {
        Found {
            key,
            octets: None,
            place: place.to_owned(),
            is_in_place: place.starts_with("cur"),
        }
    }

    #[test]
    fn a_folder_whose_names_all_changed_is_looked_through_a_few_times() {
        let count = 3 * MOST as u32;
        let mut elsewhere = Elsewhere::default();
        let mut looks = 0;
        for key in 1..=count {
            let place = elsewhere.find(key, |told| {
                looks += 1;
                // In no order, and every tenth is gone.
                (1..=count)
                    .rev()
                    .filter(|key| key % 10 != 0)
                    .for_each(|key| told(found(key, &format!("cur/{key}"))));
                Ok(())
            });
            let wanted = (key % 10 != 0).then(|| format!("cur/{key}"));
            assert_eq!(place.expect("looked"), wanted);
            assert!(elsewhere.places.len() <= MOST);
        }
        // One look for the last key, which is behind every file.
        assert_eq!(looks, 4);
    }

    #[test]
    fn what_is_in_its_place_counts_and_what_was_seen_can_be_forgotten() {
        let mut elsewhere = Elsewhere::default();
        let find = |elsewhere: &mut Elsewhere, places: &[&str]| {
            let look = |told: &mut dyn FnMut(Found)| {
                places.iter().for_each(|place| told(found(7, place)));
                Ok(())
            };
            elsewhere.find(7, look).expect("looked")
        };
        let first = find(&mut elsewhere, &["tmp/a", "cur/b", "tmp/c"]);
        assert_eq!(first.as_deref(), Some("cur/b"));
        assert_eq!(find(&mut elsewhere, &[]).as_deref(), Some("cur/b"));
        elsewhere.forget();
        assert_eq!(find(&mut elsewhere, &["tmp/a"]).as_deref(), Some("tmp/a"));
        elsewhere.forget();
        assert_eq!(find(&mut elsewhere, &[]), None);
    }
}
