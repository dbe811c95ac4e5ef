//! Numbers that the kernel keeps for calls it no longer has, or never had: all give ENOSYS.

use super::arg::Arg::*;
use super::{Ret, Row, rows};

rows! {
    __NR_uselib: Passthrough (Path) -> Int;
    __NR__sysctl: Passthrough (Ptr) -> Int;
    __NR_create_module: Passthrough (Path, Size) -> Int;
    __NR_get_kernel_syms: Passthrough (Ptr) -> Int;
    __NR_query_module: Passthrough (Path, Int, Ptr, Size, Ptr) -> Int;
    __NR_nfsservctl: Passthrough (Int, Ptr, Ptr) -> Int;
    __NR_getpmsg: Passthrough (Hex, Hex, Hex, Hex, Hex) -> Int;
    __NR_putpmsg: Passthrough (Hex, Hex, Hex, Hex, Hex) -> Int;
    __NR_afs_syscall: Passthrough (Hex, Hex, Hex, Hex, Hex) -> Int;
    __NR_tuxcall: Passthrough (Hex, Hex, Hex) -> Int;
    __NR_security: Passthrough (Hex, Hex, Hex) -> Int;
    __NR_lookup_dcookie: Passthrough (Size, TouchedBy(2), Size) -> Int;
    __NR_epoll_ctl_old: Passthrough (Hex, Hex, Hex, Hex) -> Int;
    __NR_epoll_wait_old: Passthrough (Hex, Hex, Hex, Hex) -> Int;
    __NR_vserver: Passthrough (Hex, Hex, Hex, Hex, Hex) -> Int;
    __NR_uretprobe: Passthrough () -> Int;
}
