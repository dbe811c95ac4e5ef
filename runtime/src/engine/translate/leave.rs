//! How a thread goes on that left the code cache. The engine calls nothing above it: what concerns signals or system
//! calls is the caller's.

/// How a thread goes on that left a fragment by an exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// At `resume`.
    Resumed,
    /// The instruction at the guest's pc is to be executed in place.
    Step,
    /// The instruction is `int 0x80`; the one after it is at `next`.
    Int80 {
        /// Guest pc.
        next: u64,
    },
    /// bt-run cannot run the instruction: what it is, for the user.
    Unsupported(&'static str),
}
