//! The emulation layer: calls that the process answers itself.
//!
//! Which calls, and from which level on, the table says (`syscall/table`). What has no state and one value is answered by the
//! stub or the gate ([`crate::gate::ANSWERS`]). Reads and writes are answered by what their descriptor is: [`lane`] is what the gate's
//! assembly knows of it, [`sample`] finds the descriptors that are worth it, [`descriptors`] follows them.

pub mod descriptors;
pub mod devices;
pub mod identity;
pub mod lane;
pub mod sample;
pub mod stat;

use crate::syscall::{Call, Outcome};
use linux_raw_sys::general as k;

/// Answers a call that came to Rust, or leaves it to the kernel.
pub fn answer(call: &mut Call<'_>) -> Option<Outcome> {
    if call.ts.foreign != 0 {
        return None;
    }
    match call.nr {
        k::__NR_read | k::__NR_write => {
            devices::refill(lane::get(call.int(0)));
            None
        }
        _ => None,
    }
}
