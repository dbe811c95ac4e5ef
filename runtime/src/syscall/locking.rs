//! mlockall(2): what is locked is the guest's memory, and what limits allow is measured by it.

use super::memory::is_ours;
use crate::emulate::call::{Call, Outcome};
use crate::sys::{Errno, fs, mem, process};
use alloc::vec::Vec;
use core::str;
use linux_raw_sys::general as k;

/// Where the kernel emulates calls of old (vsyscall(7)): no mapping of the process's.
const USER_END: u64 = 1 << 63;

/// mlockall(2).
pub fn mlockall(call: &mut Call<'_>) -> Outcome {
    const KNOWN: u32 = k::MCL_CURRENT | k::MCL_FUTURE | k::MCL_ONFAULT;
    let flags = call.int(0).cast_unsigned();
    let result =
        if flags & k::MCL_CURRENT == 0 || flags & !KNOWN != 0 { call.make().map(|_| ()) } else { lock_current(flags) };
    if result.is_ok() {
        mem::set_locks_new(flags & k::MCL_FUTURE != 0);
    }
    Outcome::Done(result.map(|()| 0))
}

/// munlockall(2).
pub fn munlockall(call: &mut Call<'_>) -> Outcome {
    mem::set_locks_new(false);
    call.pass()
}

/// MCL_CURRENT, with what else is in `flags`: every mapping of the guest's by itself.
fn lock_current(flags: u32) -> Result<(), Errno> {
    // Without /proc it is not known whose is what.
    let Some(mappings) = guest_mappings() else { return mem::lock_all(flags) };
    // Pages are made when they are first touched, so those of the runtime are not.
    let locked = mem::lock_all(flags | k::MCL_ONFAULT);
    match locked {
        Ok(()) => {}
        // The limit is for all of the process's memory (mm/mlock.c); natively that is the guest's.
        Err(Errno::ENOMEM) if bytes(&mappings) <= process::soft_limit(k::RLIMIT_MEMLOCK) => mem::unlock_all(),
        Err(error) => return Err(error),
    }
    let later = flags & (k::MCL_FUTURE | k::MCL_ONFAULT);
    if later & k::MCL_FUTURE != 0 {
        mem::lock_all(later)?;
    }
    for &Mapping { start, end, is_guests } in &mappings {
        if is_guests {
            mem::lock(start, end - start, if flags & k::MCL_ONFAULT != 0 { k::MLOCK_ONFAULT } else { 0 });
        } else if locked.is_ok() {
            mem::unlock(start, end - start);
        }
    }
    Ok(())
}

/// One mapping of the process.
struct Mapping {
    start: u64,
    end: u64,
    is_guests: bool,
}

fn bytes(mappings: &[Mapping]) -> u64 {
    mappings.iter().filter(|mapping| mapping.is_guests).map(|mapping| mapping.end - mapping.start).sum()
}

/// The mappings that the kernel names in /proc/self/maps (proc(5)).
fn guest_mappings() -> Option<Vec<Mapping>> {
    let file = fs::open(c"/proc/self/maps", k::O_RDONLY).ok()?;
    let (mut text, mut chunk) = (Vec::new(), [0u8; 4096]);
    while let Ok(got @ 1..) = file.read(&mut chunk) {
        text.extend_from_slice(chunk.get(..got).unwrap_or(&[]));
    }
    file.close();
    let mappings: Vec<Mapping> = text.split(|&byte| byte == b'\n').filter_map(mapping).collect();
    (!mappings.is_empty()).then_some(mappings)
}

/// The mapping that a line of the file is about.
fn mapping(line: &[u8]) -> Option<Mapping> {
    let range = str::from_utf8(line.split(|&byte| byte == b' ').next()?).ok()?;
    let (start, end) = range.split_once('-')?;
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    (end <= USER_END).then(|| Mapping { start, end, is_guests: !is_ours(start, end) })
}
