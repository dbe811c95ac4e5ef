//! Decodes x86-64 user code and rewrites it for a code cache.
//!
//! The crate is pure: it makes no system call, owns no global and holds no unsafe code. One pass, no intermediate
//! representation: most instructions are copied; each reason not to copy is a module of `rewrite`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
// The code runs on guest threads, where a panic would end the guest.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)
)]

extern crate alloc;

pub mod addr;
pub mod block;
pub mod decode;
pub mod emit;
pub mod layout;
pub(crate) mod rewrite;
pub mod scan;
pub mod source;
pub mod translation;
