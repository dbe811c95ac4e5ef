//! Numbers that the kernel keeps for calls it no longer has, or never had: all give ENOSYS.

macro_rules! legacy_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: uselib _sysctl create_module get_kernel_syms query_module nfsservctl getpmsg putpmsg afs_syscall tuxcall
            //:     security lookup_dcookie epoll_ctl_old epoll_wait_old vserver: The kernel answers: ENOSYS, unless it
            //:     is old enough to know the call.
            //:     test: syscalls/unknown_numbers_are_enosys
            __NR_uselib: (Path) -> Int;
            __NR__sysctl: (Ptr) -> Int;
            __NR_create_module: (Path, Size) -> Int;
            __NR_get_kernel_syms: (Ptr) -> Int;
            __NR_query_module: (Path, Int, Ptr, Size, Ptr) -> Int;
            __NR_nfsservctl: (Int, Ptr, Ptr) -> Int;
            __NR_getpmsg: (Hex, Hex, Hex, Hex, Hex) -> Int;
            __NR_putpmsg: (Hex, Hex, Hex, Hex, Hex) -> Int;
            __NR_afs_syscall: (Hex, Hex, Hex, Hex, Hex) -> Int;
            __NR_tuxcall: (Hex, Hex, Hex) -> Int;
            __NR_security: (Hex, Hex, Hex) -> Int;
            __NR_lookup_dcookie: (Size, TouchedBy(2), Size) -> Int;
            __NR_epoll_ctl_old: (Hex, Hex, Hex, Hex) -> Int;
            __NR_epoll_wait_old: (Hex, Hex, Hex, Hex) -> Int;
            __NR_vserver: (Hex, Hex, Hex, Hex, Hex) -> Int;
            //: uretprobe: Made by the kernel's own code behind probed functions; from anywhere else it is SIGILL.
            __NR_uretprobe: () -> Int;
        ] $($rest)* }
    };
}
