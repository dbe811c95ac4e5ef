//! Whether a file may be written in place.

use crate::sys::stat::Stat;
use crate::sys::{Fd, process};
use linux_raw_sys::general as k;

/// A store into a mapping of the file does what write(2) would do there, times and events apart.
pub(super) fn may_store(fd: i32, stat: &Stat) -> bool {
    // These rights a write takes away (fs/attr.c, file_remove_privs). A store into a hole allocates more than a write does, and
    // finds a full disk too late. A write past RLIMIT_FSIZE ends the process, also in place. While a writable mapping exists
    // nobody can seal a memory file against writes (fcntl(2), F_ADD_SEALS): only those that allow no seals are mapped.
    !has_rights(fd, stat)
        && stat.allocated >= stat.size
        && stat.size <= process::soft_limit(k::RLIMIT_FSIZE)
        && Fd(fd).fcntl(k::F_GET_SEALS, 0).map_or(true, |seals| seals & u64::from(k::F_SEAL_SEAL) != 0)
}

/// The file gives rights to who executes it: set-user-id, set-group-id, capabilities.
fn has_rights(fd: i32, stat: &Stat) -> bool {
    const SET_ID: u32 = 0o6000;
    stat.mode & SET_ID != 0 || Fd(fd).has_attribute(c"security.capability")
}
