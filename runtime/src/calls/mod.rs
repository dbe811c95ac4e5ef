//! Every x86-64 system call, described once.
//!
//! A row says what the arguments are, who answers the call, what must be handed back before it, how the gate deals with it, and which
//! function carries it out. From the rows follow the memory that the kernel writes ([`outputs`]), the line that a trace prints, the gate's routes
//! (`gate::routes`), the dispatch to the handlers (`syscall`), and the support page. The rows are grouped into files as the manual groups
//! the calls; [`row`] finds one by its number.
//!
//! A row is `__NR_name: [words] {what is handed back} (arguments) -> result => handler;`. The words are methods of [`Row`]; words, braces and handler
//! may be missing. [`all_rows!`] hands all of them to a macro, so that each layer makes of them what it needs.

#![deny(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, unsafe_code)]

mod arg;
mod cases;
mod guest;
mod nested;
mod outputs;
pub mod route;
mod row;
mod sets;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail by panicking")]
mod tests;
mod traits;

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

use arg::Arg::*;
use arg::Shape::*;
use linux_raw_sys::general as k;
use route::{Clock, Filter, Operation, Route, Value};

pub use arg::{Arg, Ret, Shape};
pub use cases::Cases;
pub use guest::GuestMemory;
pub(crate) use guest::{read_bytes, read_u32, read_u64};
pub use outputs::{may_write, outputs};
pub use row::{Held, MAX_ARGS, Mark, Row, Signature, Treatment};
pub use sets::{Meaning, Names, Set};
pub use traits::Traits;

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

/// Of a row that names a handler.
macro_rules! row_treatment {
    ($row:expr) => {
        $row
    };
    ($row:expr, $handler:ident) => {
        $row.rewritten()
    };
}

/// Makes the list of the rows' records.
macro_rules! records {
    ($($number:ident: $([$($word:ident $(($value:expr))?),*])? $({$($held:ident),*})? ($($arg:expr),* $(,)?)
        -> $ret:ident $(($set:expr))? $(=> $handler:ident $(:: $more:ident)* $(($($extra:expr),*))?)?;)*) => {
        const ROWS: &[Row] = &[$(
            row_treatment!(
                Row::new(k::$number, stringify!($number), &[$($arg),*], Ret::$ret $(($set))?)
                    $($(.$word($($value)?))*)? $($(.gives_back(Held::$held))*)?
                $(, $handler)?
            )
        ),*];
    };
}
all_rows!(records);

/// How many numbers precede the gap that x86-64 shares with no other architecture.
const LOW_COUNT: usize = k::__NR_uretprobe as usize + 1;
/// The first number after the gap.
const HIGH_FIRST: usize = k::__NR_pidfd_send_signal as usize;
/// How many calls there are.
const COUNT: usize = LOW_COUNT + k::__NR_file_setattr as usize + 1 - HIGH_FIRST;

/// The place of a number in the table.
const fn index(number: usize) -> Option<usize> {
    if number < LOW_COUNT {
        Some(number)
    } else if number >= HIGH_FIRST && number - HIGH_FIRST + LOW_COUNT < COUNT {
        Some(number - HIGH_FIRST + LOW_COUNT)
    } else {
        None
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "evaluated at compile time, where a wrong index is an error of the build"
)]
static TABLE: [Row; COUNT] = {
    let mut table = [const { Row::missing() }; COUNT];
    let mut at = 0;
    while at < ROWS.len() {
        let Some(index) = index(ROWS[at].number() as usize) else { panic!("a number outside the table") };
        assert!(table[index].is_missing(), "two rows of one number");
        table[index] = ROWS[at];
        at += 1;
    }
    assert!(at == COUNT, "a number without a row");
    table
};

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
static TRAITS: [Traits; COUNT] = {
    let mut traits = [Traits::NONE; COUNT];
    let mut at = 0;
    while at < COUNT {
        traits[at] = Traits::of(&TABLE[at]);
        at += 1;
    }
    traits
};

/// Numbers of the calls that pass a test, which must be `COUNT` in number.
macro_rules! numbers_where {
    ($count:expr, |$row:ident| $test:expr) => {{
        let mut numbers = [0; $count];
        let (mut at, mut found) = (0, 0);
        while at < ROWS.len() {
            let $row = &ROWS[at];
            if $test {
                numbers[found] = $row.number() as u32;
                found += 1;
            }
            at += 1;
        }
        assert!(found == $count);
        numbers
    }};
}

/// How many calls are sampled.
pub const SAMPLED_COUNT: usize = 4;
/// The calls that are sampled.
#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where a wrong index is an error of the build"
)]
pub static SAMPLED: [u32; SAMPLED_COUNT] = numbers_where!(SAMPLED_COUNT, |row| row.is(Mark::Sampled));

/// How many calls are answered with a value of the thread's state.
pub const VALUE_COUNT: usize = 6;
/// The calls that are answered with a value of the thread's state.
#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where a wrong index is an error of the build"
)]
pub const VALUES: [u32; VALUE_COUNT] = numbers_where!(VALUE_COUNT, |row| matches!(row.route, Route::Value(_)));

/// The traits of a call, if the number is known.
#[must_use]
pub fn traits(nr: u64) -> Option<Traits> {
    TRAITS.get(index(usize::try_from(nr).ok()?)?).copied()
}

/// The row of a call, if the number is known.
#[must_use]
pub fn row(nr: u64) -> Option<&'static Row> {
    TABLE.get(index(usize::try_from(nr).ok()?)?)
}

/// The name of a call, if the number is known.
#[must_use]
pub fn name(nr: u64) -> Option<&'static str> {
    row(nr).map(Row::name)
}

/// The call has the property.
#[must_use]
pub fn is(nr: u32, mark: Mark) -> bool {
    traits(u64::from(nr)).is_some_and(|traits| traits.is(mark))
}

/// Every row, by ascending number.
pub fn all() -> impl Iterator<Item = &'static Row> {
    TABLE.iter()
}
