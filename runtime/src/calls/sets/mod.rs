//! Names of the constants that arguments are made of: flags, enumerations, and words that hold both.
//!
//! A set keeps its names in one string and its values in one array, so it needs no relocation when
//! the program starts.

#[macro_use]
mod files;
#[macro_use]
mod process;
#[macro_use]
mod time;
#[macro_use]
mod net;
#[macro_use]
mod system;

use linux_raw_sys::{general::*, ioctl::*, prctl::*};

/// Constants of one kind, in the order in which they are tried.
#[derive(Clone, Copy)]
pub struct Names {
    /// The names, each followed by a space.
    pub text: &'static str,
    /// Their values, in the same order.
    pub values: &'static [u64],
}

impl Names {
    /// Every name with its value.
    pub fn iter(self) -> impl Iterator<Item = (&'static str, u64)> {
        self.text.split_ascii_whitespace().zip(self.values.iter().copied())
    }
}

/// What the bits of one argument mean.
#[derive(Clone, Copy)]
pub struct Meaning {
    /// Printed beside a value that has no name.
    pub unknown: &'static str,
    /// The bits that hold one value out of `choices`; the others are flags of their own.
    pub choice_mask: u64,
    /// Names of whole values under `choice_mask`.
    pub choices: Names,
    /// Names of flags; one that contains others comes first.
    pub flags: Names,
}

macro_rules! value {
    ($name:ident) => {
        $name as u64
    };
    ($name:ident = $value:expr) => {
        $value as u64
    };
}

macro_rules! sets {
    ($($(#[$doc:meta])* $set:ident $unknown:literal
        [$($choice:ident $(= $choice_value:expr)?),* $(,)?] mask $mask:expr,
        [$($flag:ident $(= $flag_value:expr)?),* $(,)?];)*) => {
        /// The kinds of flags and enumerations that arguments are made of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Set { $($(#[$doc])* $set),* }

        impl Set {
            /// What the bits of this set mean.
            #[allow(clippy::cast_lossless, clippy::cast_sign_loss, clippy::unnecessary_cast,
                reason = "constants of several integer types, widened as the kernel reads them")]
            pub fn meaning(self) -> Meaning {
                match self {
                    $(Set::$set => Meaning {
                        unknown: $unknown,
                        choice_mask: $mask,
                        choices: Names {
                            text: concat!($(stringify!($choice), " "),*),
                            values: const { &[$(value!($choice $(= $choice_value)?)),*] },
                        },
                        flags: Names {
                            text: concat!($(stringify!($flag), " "),*),
                            values: const { &[$(value!($flag $(= $flag_value)?)),*] },
                        },
                    }),*
                }
            }
        }
    };
}

/// The mask of an argument that is one value as a whole.
const ALL: u64 = u64::MAX;
/// The mask of an argument that is flags only.
const NONE: u64 = 0;

macro_rules! end_of_sets {
    ($then:ident [$($sets:tt)*]) => { $then! { $($sets)* } };
}

files_sets! { sets [] process_sets time_sets net_sets system_sets end_of_sets }
