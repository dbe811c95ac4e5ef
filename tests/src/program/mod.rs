//! Unmodified programs of the distribution.

mod archives;
mod browsers;
mod compilers;
mod containers;
mod coreutils;
mod languages;
mod loaders;
mod sandboxes;
mod shells;
mod text;
mod tools;
mod virtual_machines;

use crate::spec::Test;

/// All of them.
pub fn collect() -> Vec<Test> {
    [
        coreutils::tests(),
        shells::tests(),
        text::tests(),
        archives::tests(),
        languages::tests(),
        tools::tests(),
        compilers::tests(),
        virtual_machines::tests(),
        sandboxes::tests(),
        loaders::tests(),
        containers::tests(),
        browsers::tests(),
    ]
    .concat()
}
