//! `bt-bench`: measures bt-run beside native execution.
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    bt_bench::main()
}
