//! The guest of the instruction differential: see `bt_tests::blocks`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match bt_tests::blocks::run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("blocks: {error:#}");
            ExitCode::from(2)
        }
    }
}
