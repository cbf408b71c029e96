//! A list of sums for other programs: `sha256sum -c SHA256SUMS` in the directory of the backup.
//!
//! Made anew from the manifests whenever a run ends; what counts are the manifests. An mbox holds
//! its messages quoted, in files that grow, so there is no such list for it.

use crate::fault;
use crate::format::Format;
use crate::home::{Home, UNFINISHED, sync_directory};
use crate::manifest::Place;
use crate::names::hexadecimal;
use crate::octets::files;
use hikyaku_core::Fault;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

/// The file at the top of a backup.
pub(crate) const FILE: &str = "SHA256SUMS";

/// Records that are read together.
const PORTION: usize = 1_000;

/// Writes the list, in place of an earlier one.
pub(crate) fn write(home: &Home) -> Result<(), Fault> {
    if home.format == Format::Mbox {
        return Ok(());
    }
    let path = home.root.join(FILE);
    let unfinished = home.root.join(format!("{UNFINISHED}{FILE}"));
    let unwritable = |e: io::Error| fault::writing(&path, &e);
    crate::home::write_whole(&unfinished, b"").map_err(unwritable)?;
    let mut options = File::options();
    options.write(true);
    crate::home::without_links(&mut options);
    let mut out = BufWriter::new(options.open(&unfinished).map_err(unwritable)?);
    for folder in home.folders()? {
        let directory = folder.directory.file_name().unwrap_or_default();
        let directory = directory.to_string_lossy();
        let mut from = 0;
        loop {
            let slots = folder.slots(from..=u64::MAX, PORTION);
            let Some(last) = slots.last() else {
                break;
            };
            from = u64::from(last.key) + 1;
            for record in folder.records(&slots)? {
                if let Place::File(place) = &record.place {
                    let file = files::path("".as_ref(), place, &record.flags);
                    let sum = hexadecimal(&record.sha256);
                    // Names are made here: none has a line end or a backslash.
                    writeln!(out, "{sum}  {directory}/{}", file.display()).map_err(unwritable)?;
                }
            }
        }
    }
    let file = out.into_inner().map_err(|e| unwritable(e.into_error()))?;
    file.sync_all().map_err(unwritable)?;
    fs::rename(&unfinished, &path).map_err(unwritable)?;
    sync_directory(&home.root).map_err(unwritable)
}
