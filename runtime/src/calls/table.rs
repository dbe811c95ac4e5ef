//! The table of all rows, and what is looked up in it.

use super::arg::Arg::*;
use super::arg::Ret;
use super::arg::Shape::*;
use super::links::{FAN_MARK_DONT_FOLLOW, Link, OPEN_TO_WRITE};
use super::route::{Clock, Filter, Operation, Route, Value};
use super::row::{Held, Mark, Row};
use super::sets::Set;
use super::switch::Cases;
use super::traits::Traits;
use linux_raw_sys::general as k;

/// Of a row that names a handler.
macro_rules! row_treatment {
    ($row:expr) => {
        $row
    };
    ($row:expr, $handler:ident) => {
        $row.handled()
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
    clippy::cast_possible_truncation,
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
pub const SAMPLED_COUNT: usize = 15;
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

/// Whether the kernel may write guest memory for the call; a cheap test before `outputs`.
#[must_use]
pub fn may_write(nr: u64) -> bool {
    traits(nr).is_some_and(Traits::may_write)
}
