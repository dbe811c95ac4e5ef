//! Every x86-64 system call, described once.
//!
//! A row says what the arguments are; from it follow the memory that the kernel writes ([`outputs`])
//! and the line that a trace prints. Numbers come from the kernel's headers. The rows are grouped into
//! files as the manual groups the calls; [`row`] finds one by its number.

#![deny(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, unsafe_code)]

mod arg;
mod cases;
mod files;
mod guest;
mod io;
mod ipc;
mod legacy;
mod memory;
mod nested;
mod net;
mod outputs;
mod process;
mod sets;
mod signal;
mod system;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail by panicking")]
mod tests;
mod time;

use crate::options::EmulateLevel;
use linux_raw_sys::general::{__NR_file_setattr, __NR_pidfd_send_signal, __NR_uretprobe};

pub use arg::{Arg, Ret, Shape};
pub use cases::Cases;
pub use guest::GuestMemory;
pub(crate) use guest::{read_bytes, read_u32, read_u64};
pub use outputs::{may_write, outputs};
pub use sets::{Meaning, Names, Set};

/// How many arguments a system call has at most.
pub const MAX_ARGS: usize = 6;

/// What becomes of a call that is not answered in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The kernel answers it.
    Passthrough,
    /// The runtime carries it out, or changes its arguments or its result.
    Rewritten,
    /// It is refused.
    Denied,
}

/// State held in the process that a call, or what it lets others see, could miss: given back to the kernel first. (What pipes and eventfds
/// hold goes back before every call but those of [`rings::is_blind`](crate::emulate::rings::is_blind).)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Held {
    /// Everything, and no other process of ours may share this memory any more.
    All = 1,
    /// Offsets and mappings of files, contents of pipes: every descriptor is the kernel's again.
    Descriptors = 2,
    /// Times of files that were written through a mapping.
    Times = 8,
}

impl Held {
    /// Every kind.
    pub const KINDS: [(Self, &'static str); 3] =
        [(Self::All, "all"), (Self::Descriptors, "descriptors"), (Self::Times, "times")];
}

/// One system call.
///
/// Rows hold no pointer, so the table needs no relocation and stays a clean page of the file.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    number: u16,
    name_len: u8,
    name: [u8; Row::NAME_LEN_MAX],
    /// Who answers it if the process does not.
    pub treatment: Treatment,
    /// From which level on the process may answer it.
    pub answered: Option<EmulateLevel>,
    /// What is handed back before it is passed on, a set of [`Held`].
    pub hands_back: u8,
    /// What the result is.
    pub ret: Ret,
    /// What the arguments are, ended by [`Arg::End`].
    pub args: [Arg; MAX_ARGS],
}

impl Row {
    const NAME_LEN_MAX: usize = 24;

    /// The call's number.
    pub fn number(&self) -> u64 {
        u64::from(self.number)
    }

    /// Which arguments are descriptors.
    pub fn descriptor_args(&self) -> impl Iterator<Item = usize> + '_ {
        self.args.iter().enumerate().filter(|(_, arg)| matches!(arg, Arg::Fd)).map(|(at, _)| at)
    }

    /// The call's name, without a prefix.
    pub fn name(&self) -> &str {
        self.name
            .get(..usize::from(self.name_len))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Makes a row; `constant` is the name of the number's constant, `__NR_` and the call's name.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a wrong index is an error of the build"
    )]
    const fn new(number: u32, constant: &str, fate: Fate, args: &[Arg], ret: Ret) -> Row {
        let constant = constant.as_bytes();
        let prefix_len = "__NR_".len();
        let name_len = constant.len() - prefix_len;
        assert!(number <= u16::MAX as u32 && name_len <= Row::NAME_LEN_MAX && args.len() <= MAX_ARGS);
        let mut name = [0; Row::NAME_LEN_MAX];
        let mut at = 0;
        while at < name_len {
            name[at] = constant[prefix_len + at];
            at += 1;
        }
        Row {
            number: number as u16,
            name_len: name_len as u8,
            name,
            treatment: fate.treatment,
            answered: fate.answered,
            hands_back: fate.hands_back,
            ret,
            args: pad_args(args),
        }
    }

    const fn missing() -> Row {
        let fate = Fate { treatment: Treatment::Passthrough, answered: None, hands_back: 0 };
        Row::new(0, "__NR_", fate, &[], Ret::Int)
    }
}

/// What a row says before its arguments.
struct Fate {
    treatment: Treatment,
    answered: Option<EmulateLevel>,
    hands_back: u8,
}

/// The list with [`Arg::End`] up to the greatest length.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
const fn pad_args(args: &[Arg]) -> [Arg; MAX_ARGS] {
    let mut padded = [Arg::End; MAX_ARGS];
    let mut at = 0;
    while at < args.len() {
        padded[at] = args[at];
        at += 1;
    }
    padded
}

/// The level that a row names, if it names one.
macro_rules! level {
    () => {
        None
    };
    ($level:ident) => {
        Some(crate::options::EmulateLevel::$level)
    };
}
use level;

/// The rows of one file: `__NR_name: Treatment [Level] [{Held, …}] (arguments) -> Result;`.
macro_rules! rows {
    ($($number:ident: $treatment:ident $($level:ident)? $({$($held:ident),*})? ($($arg:expr),* $(,)?) -> $ret:ident $(($set:expr))?;)*) => {
        pub(super) const ROWS: &[Row] = &[$(Row::new(
            linux_raw_sys::general::$number,
            stringify!($number),
            $crate::calls::Fate {
                treatment: $crate::calls::Treatment::$treatment,
                answered: $crate::calls::level!($($level)?),
                hands_back: 0 $($(| $crate::calls::Held::$held as u8)*)?,
            },
            &[$($arg),*],
            Ret::$ret $(($set))?,
        )),*];
    };
}
use rows;

/// How many numbers precede the gap that x86-64 shares with no other architecture.
const LOW_COUNT: usize = __NR_uretprobe as usize + 1;
/// The first number after the gap.
const HIGH_FIRST: usize = __NR_pidfd_send_signal as usize;
/// How many calls there are.
const COUNT: usize = LOW_COUNT + __NR_file_setattr as usize + 1 - HIGH_FIRST;

/// Where a number stands in the table.
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
    let families: [&[Row]; 10] = [
        files::ROWS,
        io::ROWS,
        memory::ROWS,
        process::ROWS,
        signal::ROWS,
        net::ROWS,
        time::ROWS,
        ipc::ROWS,
        system::ROWS,
        legacy::ROWS,
    ];
    let mut table = [const { Row::missing() }; COUNT];
    let mut filled = 0;
    let mut family = 0;
    while family < families.len() {
        let rows = families[family];
        let mut at = 0;
        while at < rows.len() {
            let Some(index) = index(rows[at].number as usize) else { panic!("a number outside the table") };
            assert!(table[index].name_len == 0, "two rows of one number");
            table[index] = rows[at];
            filled += 1;
            at += 1;
        }
        family += 1;
    }
    assert!(filled == COUNT, "a number without a row");
    table
};

/// What the gate's pointers depend on, of all calls together: a start looks at each of them, and the rows are many pages.
#[derive(Clone, Copy)]
pub struct Traits(u8);

impl Traits {
    const OWNED: u8 = 1;
    const SEES: u8 = 2;
    const LEVEL_SHIFT: u32 = 2;

    #[allow(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a wrong index is an error of the build"
    )]
    const fn of(row: &Row) -> Self {
        let mut traits = match row.answered {
            None => 0,
            Some(level) => (level as u8 + 1) << Self::LEVEL_SHIFT,
        };
        if !matches!(row.treatment, Treatment::Passthrough) {
            traits |= Self::OWNED;
        }
        if row.hands_back != 0 {
            traits |= Self::SEES;
        }
        let mut at = 0;
        while at < MAX_ARGS {
            if matches!(row.args[at], Arg::Fd) {
                traits |= Self::SEES;
            }
            at += 1;
        }
        Self(traits)
    }

    /// The runtime carries it out itself, or looks at its arguments.
    #[must_use]
    pub fn is_owned(self) -> bool {
        self.0 & Self::OWNED != 0
    }

    /// It names a descriptor, or something is handed back before it: it may see what is held in the process.
    #[must_use]
    pub fn may_see(self) -> bool {
        self.0 & Self::SEES != 0
    }

    /// From which level on the process may answer it.
    #[must_use]
    pub fn answered_from(self, level: EmulateLevel) -> bool {
        let needed = self.0 >> Self::LEVEL_SHIFT;
        needed != 0 && needed <= level as u8 + 1
    }
}

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
static TRAITS: [Traits; COUNT] = {
    let mut traits = [Traits(0); COUNT];
    let mut at = 0;
    while at < COUNT {
        traits[at] = Traits::of(&TABLE[at]);
        at += 1;
    }
    traits
};

/// The traits of a call, if the number is known.
pub fn traits(nr: u64) -> Option<Traits> {
    TRAITS.get(index(usize::try_from(nr).ok()?)?).copied()
}

/// The row of a call, if the number is known.
pub fn row(nr: u64) -> Option<&'static Row> {
    TABLE.get(index(usize::try_from(nr).ok()?)?)
}

/// The name of a call, if the number is known.
pub fn name(nr: u64) -> Option<&'static str> {
    row(nr).map(Row::name)
}

/// Every row, by ascending number.
pub fn all_rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter()
}

/// A call's arguments after every [`Arg::Switch`] has been decided.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What the arguments are, ended by [`Arg::End`].
    pub args: [Arg; MAX_ARGS],
    /// What the result is.
    pub ret: Ret,
}

impl Row {
    /// Decides what depends on the arguments' values.
    pub fn signature(&self, args: &[u64; MAX_ARGS]) -> Signature {
        let mut signature = Signature { args: self.args, ret: self.ret };
        let switch = self.args.iter().enumerate().find_map(|(at, arg)| match arg {
            Arg::Switch(cases) => Some((at, *cases)),
            _ => None,
        });
        if let Some((at, cases)) = switch {
            let case = cases.choose(args);
            for (slot, arg) in signature.args.iter_mut().skip(at).zip(case.args) {
                *slot = arg;
            }
            signature.ret = case.ret;
        }
        signature
    }
}
