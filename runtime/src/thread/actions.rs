//! What the guest wants done on each signal: the table that threads share as CLONE_SIGHAND says. `signal::action` uses
//! it.

use crate::mem::lock::Mutex;
use crate::sys::types::SigAction;

/// Signals 1 … 64.
pub const SIGNALS: usize = 64;
const SIG_DFL: u64 = 0;
/// In the flags of a table entry: the kernel has not been asked yet what the image started with. No SA_ flag.
pub const NOT_ASKED: u64 = 1 << 63;
const INITIAL: SigAction = SigAction { handler: SIG_DFL, flags: NOT_ASKED, restorer: 0, mask: 0 };

/// The guest's actions, by signal number minus one.
pub struct ActionTable(pub(crate) Mutex<[SigAction; SIGNALS]>);

impl ActionTable {
    const fn new() -> Self {
        Self(Mutex::new([INITIAL; SIGNALS]))
    }

    /// The same actions in another table (clone(2) without CLONE_SIGHAND).
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(*self.0.lock()))
    }
}

/// The table of the first process.
pub static FIRST: ActionTable = ActionTable::new();
