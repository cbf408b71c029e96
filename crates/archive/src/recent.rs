//! What was read last of a few files, so that one message after the other does not read
//! the same again.

use crate::disk;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// As many as folders are read at once, and one.
const MOST: usize = 5;

/// Things made of files, by path, as long as the file is not written to.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    made: Mutex<VecDeque<Made<T>>>,
}

/// Path, the file's stamp, and what was made of it.
type Made<T> = (PathBuf, Option<u64>, Arc<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            made: Mutex::default(),
        }
    }
}

impl<T> Recent<T> {
    /// What `make` makes of the file as it is now.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get<E>(
        &self,
        path: &Path,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let stamp = disk::stamp(path);
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(p, s, _): &&Made<T>| p == path && *s == stamp;
        if let Some((_, _, made)) = lock().iter().find(is_it) {
            return Ok(made.clone());
        }
        let fresh = Arc::new(make()?);
        let mut made = lock();
        made.retain(|(p, ..)| p != path);
        made.truncate(MOST - 1);
        made.push_front((path.to_owned(), stamp, fresh.clone()));
        Ok(fresh)
    }
}
