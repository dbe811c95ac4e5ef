//! Input files that are made once and kept from run to run.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Makes a directory's files, unless they are there and the recipe is the one they were made by.
///
/// # Errors
/// The directory cannot be written, or `make` fails.
pub(crate) fn make_once(directory: &Path, recipe: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let marker = directory.join("made-by");
    if fs::read_to_string(&marker).is_ok_and(|text| text == recipe) {
        return Ok(());
    }
    make()?;
    fs::write(marker, recipe)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_recipe_makes_the_files_anew_and_a_failure_is_no_recipe() {
        let directory = std::env::temp_dir().join(format!("bt-bench-inputs-{}", std::process::id()));
        let mut made = 0;
        let mut make = |recipe: &str, works: bool| {
            let done = make_once(&directory, recipe, || {
                made += 1;
                if works { Ok(()) } else { anyhow::bail!("full") }
            });
            (done.is_ok(), made)
        };
        assert_eq!(make("one", false), (false, 1));
        assert_eq!(make("one", true), (true, 2));
        assert_eq!(make("one", true), (true, 2));
        assert_eq!(make("two", true), (true, 3));
        fs::remove_dir_all(&directory).unwrap();
    }
}
