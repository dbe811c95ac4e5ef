//! The runtime of bt-run: everything that lives in the guest's process.
//!
//! It shares the address space with the guest and nothing else: no libc, no thread-local storage, no heap of the
//! guest's. ARCHITECTURE.md shows the data's way, README where to find what.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(not(test), deny(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

extern crate alloc;

#[macro_use]
pub mod calls;
pub mod elf;
pub mod emulate;
pub mod engine;
pub mod gate;
pub mod mem;
pub mod observe;
pub mod options;
pub mod process;
pub mod report;
pub mod signal;
pub mod start;
pub mod sys;
pub mod syscall;
pub mod thread;
