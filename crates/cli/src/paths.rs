//! Where a person's files are, by the XDG base directory rules.

use std::env;
use std::path::PathBuf;

/// The home directory.
pub(crate) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| home.is_absolute())
}

/// `$XDG_CONFIG_HOME`, else `~/.config`.
pub(crate) fn config_home() -> Option<PathBuf> {
    xdg("XDG_CONFIG_HOME").or_else(|| home().map(|h| h.join(".config")))
}

/// `$XDG_STATE_HOME`, else `~/.local/state`.
pub(crate) fn state_home() -> Option<PathBuf> {
    xdg("XDG_STATE_HOME").or_else(|| home().map(|h| h.join(".local").join("state")))
}

/// `$XDG_RUNTIME_DIR`, where there is a session.
pub(crate) fn runtime_home() -> Option<PathBuf> {
    xdg("XDG_RUNTIME_DIR").filter(|path| path.is_dir())
}

/// The rules say that a relative path is to be ignored.
fn xdg(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
