//! Unmodified programs of the distribution.

use crate::spec::{Action, Kind, Test};

/// A program test.
fn program(name: &str) -> Test {
    Test::new(name, Kind::Program, Action::Program)
}

/// All of them.
pub fn collect() -> Vec<Test> {
    vec![
        program("coreutils/ls_lists_root")
            .run(&["ls", "/usr"])
            .calls_equal(),
    ]
}
