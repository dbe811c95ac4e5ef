//! `cargo xtask kmod`: the kernel module is built for two kernels of Debian and tested in emulated machines.
//!
//! Everything is below `target/kmod`: nothing is loaded into the kernel of this machine, and root is needed for
//! the installation of packages only.

mod bench;
mod build;
mod command;
mod common;
mod console;
mod cpio;
mod drivers;
mod initramfs;
mod kernels;
mod machine;
mod output;
mod prepare;
mod programs;
mod report;
mod section;
mod test;

pub use command::{Arguments, run, suite};
