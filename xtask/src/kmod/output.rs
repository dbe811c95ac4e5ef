//! Where everything of these commands is.

use std::path::PathBuf;

use bt_tests::paths;

/// The absolute path of the directory.
pub fn output_directory() -> PathBuf {
    let target = paths::target();
    // Commands run in other directories: make in the headers', apt-get where it downloads to.
    std::path::absolute(&target).unwrap_or(target).join("kmod")
}
