//! Ring 0 is opened when an image starts.

use super::sites;
use crate::engine::lock;
use crate::gate::allowed;
use crate::thread::state::ThreadState;
use bt_shim::Error;

/// Opens the device, if the engine is chosen, and prepares the first thread. Where it cannot be had, a program that the
/// user started does not run, and one that a program of the family started runs in place only.
///
/// # Errors
/// Why ring 0 cannot be used.
pub fn start(ts: &mut ThreadState, is_first: bool) -> Result<(), Error> {
    if !allowed::is_chosen() {
        return Ok(());
    }
    let opened = lock().ring0.open();
    if opened.is_ok() && sites::start(ts).is_err() {
        lock().ring0.give_up();
    }
    if is_first { opened } else { Ok(()) }
}
