//! Client of the btshim kernel module, which runs code of this process in ring 0.
//!
//! [`uapi`] mirrors the module's header; [`Device`] owns one open file. The crate makes no system call itself: who uses
//! it brings a [`Host`], because code on guest threads has its own way into the kernel.
#![no_std]
#![warn(unreachable_pub)]
// The code runs on guest threads, where a panic would end the guest.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]

mod device;
pub mod uapi;

pub use device::{Device, Errno, Error, Host, Loaded, Refusal};
