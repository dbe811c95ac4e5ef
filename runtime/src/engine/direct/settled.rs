//! Whether each change of a file from now on will show in its times: only then may something be kept under them.

use crate::sys::{Fd, process, time};

/// f_type of file systems (include/uapi/linux/magic.h).
const EXT4: u64 = 0xef53;
const XFS: u64 = 0x5846_5342;
const BTRFS: u64 = 0x9123_683e;
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// A change within so many nanoseconds may have the time of the one before: that of the last tick of the kernel's clock.
const TICK_NS: u64 = 20_000_000;

/// Each change of the open file, last changed at `changed_at` (nanoseconds of CLOCK_REALTIME), will give it another time.
///
/// A write through a shared mapping sets the time when it makes a clean page dirty: so what is dirty is stored first. On
/// file systems in memory pages stay dirty, and such writes do not show at all.
pub fn shows_changes(file: Fd, changed_at: u64) -> bool {
    let Ok(system) = file.file_system() else { return false };
    if matches!(system.kind, TMPFS | RAMFS) {
        return false;
    }
    // Times that somebody has asked for are fine-grained (multigrain timestamps, Linux 6.13).
    let is_fine = matches!(system.kind, EXT4 | XFS | BTRFS) && process::kernel_release() >= (6, 13);
    let is_old = || time::date_ns().checked_sub(changed_at).is_some_and(|age| age > TICK_NS);
    (is_fine || is_old()) && file.store().is_ok()
}
