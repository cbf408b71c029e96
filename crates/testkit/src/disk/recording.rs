//! What a program did to its files, call by call, and what a disk may hold of it after a power cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::generate::Random;

/// Octets that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Files by path.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// One call, in the order of their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The file.
    pub path: PathBuf,
    /// What was done.
    pub done: Done,
}

/// What a call did to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was made, empty.
    Made,
    /// Octets were written at a place.
    Written(u64, Vec<u8>),
    /// It was cut, or made longer with zeros.
    Cut(u64),
    /// Everything that was written to it before is on the disk.
    Synced,
    /// It was removed.
    Removed,
    /// It has another path.
    Renamed(PathBuf),
}

/// The calls of a program, read from the file to which [`crate::disk::Disk::record`] wrote them.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// All calls.
    pub calls: Vec<Recorded>,
}

impl Recording {
    /// Reads a file. One that ends inside a call, because the program was killed, ends with the call before.
    pub fn read(path: &Path) -> Result<Self> {
        let octets = std::fs::read(path)?;
        let mut rest = octets.as_slice();
        let mut calls = Vec::new();
        while let Some(end) = rest.iter().position(|o| *o == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).context("no recording")?;
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().context("a line ends early");
            let (kind, place, count, path) = (word()?, word()?, word()?, word()?);
            let (place, count): (u64, usize) = (place.parse()?, count.parse()?);
            let Some(octets) = rest.get(end + 1..end + 1 + count) else {
                break;
            };
            rest = &rest[end + 1 + count..];
            let done = match kind {
                "c" => Done::Made,
                "w" => Done::Written(place, octets.to_vec()),
                "t" => Done::Cut(place),
                "s" => Done::Synced,
                "u" => Done::Removed,
                "r" => Done::Renamed(std::str::from_utf8(octets)?.into()),
                other => bail!("a call {other:?}"),
            };
            let path = path.into();
            calls.push(Recorded { path, done });
        }
        Ok(Self { calls })
    }

    /// What the disk may hold when the power goes after the first `until` calls: everything up to the last sync of each
    /// file, and of what was written to it afterwards any part, in any order of sectors. Making, cutting and removing
    /// files is taken as durable at once, or the next sync of the file would not find it.
    pub fn after_power_cut(&self, until: usize, random: &mut Random) -> Files {
        let calls = &self.calls[..until.min(self.calls.len())];
        let mut files = Files::new();
        for (index, call) in calls.iter().enumerate() {
            let later = &calls[index + 1..];
            let is_safe = || {
                let synced = |c: &Recorded| c.path == call.path && c.done == Done::Synced;
                later.iter().any(synced)
            };
            match &call.done {
                Done::Written(place, octets) if !is_safe() => {
                    tear(&mut files, &call.path, *place, octets, random);
                }
                done => apply(&mut files, &call.path, done),
            }
        }
        files
    }

    /// What the program itself would see after the first `until` calls.
    pub fn after(&self, until: usize) -> Files {
        let mut files = Files::new();
        for call in &self.calls[..until.min(self.calls.len())] {
            apply(&mut files, &call.path, &call.done);
        }
        files
    }
}

fn apply(files: &mut Files, path: &Path, done: &Done) {
    match done {
        Done::Made => drop(files.insert(path.to_owned(), Vec::new())),
        Done::Written(place, octets) => put(files, path, *place, octets),
        Done::Cut(length) => {
            let file = files.entry(path.to_owned()).or_default();
            file.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0);
        }
        Done::Synced => {}
        Done::Removed => drop(files.remove(path)),
        Done::Renamed(to) => {
            if let Some(file) = files.remove(path) {
                files.insert(to.clone(), file);
            }
        }
    }
}

fn put(files: &mut Files, path: &Path, place: u64, octets: &[u8]) {
    let file = files.entry(path.to_owned()).or_default();
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    let end = place + octets.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[place..end].copy_from_slice(octets);
}

/// Writes some sectors of a write that nothing made safe; all or none of them half of the time.
fn tear(files: &mut Files, path: &Path, place: u64, octets: &[u8], random: &mut Random) {
    match random.between(0, 3) {
        0 => {}
        1 => put(files, path, place, octets),
        _ => {
            let (mut from, mut at) = (0, place);
            while from < octets.len() {
                let to_edge = SECTOR - (at % SECTOR as u64) as usize;
                let to = octets.len().min(from + to_edge);
                if random.percent(50) {
                    put(files, path, at, &octets[from..to]);
                }
                at += (to - from) as u64;
                from = to;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, Trouble};
    use std::process::Command;

    #[test]
    fn calls_are_recorded_with_their_octets() {
        let (state, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let disk = Disk::build().unwrap();
        let mut command = Command::new("dd");
        let out = state.path().canonicalize().unwrap().join("out");
        command.args(["if=/dev/zero", "bs=700", "count=2", "conv=fsync"]);
        command.arg(format!("of={}", out.display()));
        let to = elsewhere.path().join("calls");
        disk.record(&mut command, state.path(), &to);
        assert!(command.output().unwrap().status.success());
        let recording = Recording::read(&to).unwrap();
        let done: Vec<Done> = recording.calls.iter().map(|c| c.done.clone()).collect();
        let zeros = |place| Done::Written(place, vec![0; 700]);
        assert_eq!(done, [Done::Made, zeros(0), zeros(700), Done::Synced]);
        assert_eq!(recording.after(3)[&out].len(), 1400);
        // Before the sync anything may be missing, after it nothing.
        let mut random = Random::new(1);
        let lengths: std::collections::BTreeSet<usize> = (0..50)
            .map(|_| recording.after_power_cut(3, &mut random)[&out].len())
            .collect();
        assert!(lengths.len() > 2, "{lengths:?}");
        for _ in 0..50 {
            let files = recording.after_power_cut(4, &mut random);
            assert_eq!(files[&out], vec![0; 1400]);
        }
    }

    #[test]
    fn the_nth_call_goes_wrong_and_no_other() {
        let disk = Disk::build().unwrap();
        let left = |trouble, nth| {
            let state = tempfile::tempdir().unwrap();
            let mut command = Command::new("dd");
            command.args(["if=/dev/zero", "bs=700", "count=3"]);
            command.arg(format!(
                "of={}",
                state.path().canonicalize().unwrap().join("out").display()
            ));
            disk.fail(&mut command, state.path(), trouble, nth);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let length = std::fs::metadata(state.path().join("out")).map_or(0, |m| m.len());
            (length, output.status.success(), said)
        };
        // The first call makes the file; writes are the second to the fourth.
        for (trouble, nth, length) in [
            (Trouble::KillBefore, 3, 700),
            (Trouble::KillAfter, 3, 1400),
            (Trouble::KillTorn, 3, 1050),
            (Trouble::NoSpace, 3, 700),
            (Trouble::NoSpaceOn, 1, 0),
            (Trouble::Torn, 2, 350),
            (Trouble::QuotaOn, 4, 1400),
            (Trouble::Io, 2, 0),
            (Trouble::IoOn, 4, 1400),
        ] {
            let (found, well, said) = left(trouble, nth);
            assert_eq!((found, well), (length, false), "{trouble:?} {nth}: {said}");
            let words = match trouble {
                Trouble::NoSpace | Trouble::NoSpaceOn | Trouble::Torn => "No space left",
                Trouble::QuotaOn => "quota",
                Trouble::Io | Trouble::IoOn => "Input/output error",
                _ => "",
            };
            assert!(said.contains(words), "{trouble:?}: {said}");
        }
        assert_eq!(left(Trouble::IoOn, 5).0, 2100, "there is no fifth call");
    }
}
