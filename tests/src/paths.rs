//! Where things are.

use std::path::{Path, PathBuf};

/// The `tests` directory.
pub fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The workspace.
pub fn workspace() -> &'static Path {
    sources().parent().unwrap_or_else(sources)
}

/// Cargo's output directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// The launcher under test: `$BT_RUN`, else the release build.
pub fn launcher() -> PathBuf {
    std::env::var_os("BT_RUN").map_or_else(|| target().join("release/bt-run"), PathBuf::from)
}

/// `PATH` of every test: the distribution's directories only, so that what runs is what the packages
/// hold.
pub const SEARCH_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds a command along [`SEARCH_PATH`].
pub fn find_command(name: &str) -> Option<PathBuf> {
    SEARCH_PATH.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}
