//! Decodes x86-64 user code and rewrites it for a code cache.
//!
//! The crate is pure: it makes no system call, owns no global and holds no unsafe code.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod decode;
