//! What the runtime knows and does about system calls.

pub mod table;
