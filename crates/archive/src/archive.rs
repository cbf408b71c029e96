//! From a kind and a path to a source.

use crate::apple::AppleMail;
use crate::becky::Becky;
use crate::dbx::OutlookExpress;
use crate::fault;
use crate::files::{FileTree, Flavor};
use crate::kind::Kind;
use crate::maildir::Maildir;
use crate::mbox::MboxTree;
use crate::options::Options;
use crate::packed::Packed;
use crate::source::ArchiveSource;
use crate::store::Store;
use crate::takeout::Takeout;
use crate::thunderbird::Thunderbird;
use crate::unpack;
use crate::wlm::WindowsLiveMail;
use hikyaku_core::Fault;
use std::path::Path;

/// Opens archives.
#[derive(Debug)]
pub enum Archive {}

impl Archive {
    /// Opens what lies at the path, as that kind. Blocks for a moment: no message is
    /// looked at, but a zip or tar file is unpacked.
    ///
    /// # Faults
    /// `archive.missing` and `archive.kind`, with the path as the place.
    pub fn open(kind: Kind, path: &Path, options: Options) -> Result<ArchiveSource, Fault> {
        let path = std::path::absolute(path).map_err(|e| fault::missing(path, &e))?;
        std::fs::metadata(&path).map_err(|e| fault::missing(&path, &e))?;
        let store = Self::store(kind, &path, &options)?;
        Ok(ArchiveSource::new(
            store,
            path.display().to_string(),
            options,
        ))
    }

    /// The format's own reader.
    pub(crate) fn store(
        kind: Kind,
        path: &Path,
        options: &Options,
    ) -> Result<Box<dyn Store>, Fault> {
        if kind != Kind::Takeout && path.is_file() && unpack::is_packed(path) {
            let open = |root: &Path| Self::store(kind, root, options);
            return Ok(Box::new(Packed::open(path, options, open)?));
        }
        match kind {
            Kind::AppleMail => Ok(Box::new(AppleMail::open(path, options)?)),
            Kind::Becky => Ok(Box::new(Becky::open(path, options.now)?)),
            Kind::WindowsLiveMail => Ok(Box::new(WindowsLiveMail::open(path, options.now)?)),
            Kind::Takeout => Ok(Box::new(Takeout::open(path, options)?)),
            Kind::Hidemaru => Err(crate::hidemaru::refused(path)),
            Kind::OutlookExpress => Ok(Box::new(OutlookExpress::open(path, options.now)?)),
            Kind::Mbox => Ok(Box::new(MboxTree::open(path, options)?)),
            Kind::Maildir => Ok(Box::new(Maildir::open(path, options)?)),
            Kind::Eml => Ok(Box::new(FileTree::open(path, Flavor::Eml, options)?)),
            Kind::Mh => Ok(Box::new(FileTree::open(path, Flavor::Mh, options)?)),
            Kind::Thunderbird => Ok(Box::new(Thunderbird::open(path, options)?)),
        }
    }
}
