//! What runs inside the virtual machine of the kernel module's tests.
//!
//! `bt-vm`, started by `/init`, runs the [cases] one after the other, each in a process of its own, and
//! reports to the host over the console with the lines of [protocol].

pub mod case;
pub mod cases;
mod command;
pub mod figures;
mod kmsg;
mod limits;
mod module;
mod orphans;
pub mod protocol;
pub mod runner;
mod server;
mod softirq;
