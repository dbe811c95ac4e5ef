//! Every x86-64 system call, described once.
//!
//! A row says what the arguments are, who answers the call, what must be handed back before it, how the gate deals with
//! it, and which function carries it out. From the rows follow the memory that the kernel writes ([`outputs`]), the
//! line that a trace prints, the gate's routes (`gate::routes`), the dispatch to the handlers (`syscall`), and the
//! support page. The rows are grouped into files as the manual groups the calls; [`row`] finds one by its number.
//!
//! A row is `__NR_name: [words] {what is handed back} (arguments) -> result => handler;`. The words are methods of
//! [`Row`]; words, braces and handler may be missing. Above the rows, in lines that begin with `//:`, is said what
//! becomes of the calls, why, and which tests show it (`cargo xtask docs` makes a page of that). `all_rows!` hands all
//! of them to a macro, so that each layer makes of them what it needs.

#![deny(unsafe_code)]

mod arg;
mod cases;
mod guest;
mod links;
mod nested;
mod outputs;
pub mod route;
mod row;
mod sets;
mod signature;
mod switch;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail by panicking")]
mod tests;
mod traits;
mod writes;

#[macro_use]
mod files;
#[macro_use]
mod io;
#[macro_use]
mod memory;
#[macro_use]
mod process;
#[macro_use]
mod signal;
#[macro_use]
mod net;
#[macro_use]
mod time;
#[macro_use]
mod ipc;
#[macro_use]
mod system;
#[macro_use]
mod legacy;

/// Ends the chain of the row files' macros: hands what they gathered to the macro that was asked for.
macro_rules! end_of_rows {
    ($then:ident [$($rows:tt)*]) => { $then! { $($rows)* } };
}

/// Calls a macro with the rows of every file.
macro_rules! all_rows {
    ($then:ident) => {
        files_rows! { $then [] io_rows memory_rows process_rows signal_rows net_rows time_rows ipc_rows system_rows
        legacy_rows end_of_rows }
    };
}

mod table;

pub use arg::{Arg, MAX_ARGS, Ret, Shape};
pub use guest::GuestMemory;
pub(crate) use guest::{read_u32, read_u64};
pub use links::Link;
pub use outputs::outputs;
pub use row::{Held, Mark, Row, Treatment};
pub use sets::Set;
pub use signature::Signature;
pub use table::{SAMPLED, SAMPLED_COUNT, VALUE_COUNT, VALUES, all, is, may_write, name, row, traits};
pub use traits::Traits;
