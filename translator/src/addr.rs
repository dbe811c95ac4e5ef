//! Guest and cache addresses are different types.

use core::fmt;

/// An address of guest code, as the guest sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GuestPc(pub u64);

/// An address in the code cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CachePc(pub u64);

macro_rules! address {
    ($t:ident) => {
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($t), "({:#x})"), self.0)
            }
        }

        impl fmt::LowerHex for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&self.0, f)
            }
        }

        impl $t {
            /// The address `n` bytes further on; addresses wrap as the CPU's do.
            #[must_use]
            pub const fn plus(self, n: u64) -> Self {
                Self(self.0.wrapping_add(n))
            }

            /// Distance in bytes from `origin` to here.
            #[must_use]
            pub const fn since(self, origin: Self) -> i64 {
                self.0.wrapping_sub(origin.0).cast_signed()
            }
        }
    };
}
address!(GuestPc);
address!(CachePc);
