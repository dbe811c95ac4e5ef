//! The system as a whole: names, modules, keys, tracing.

macro_rules! system_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: uname: Host and domain name can be changed at any moment by any process of the namespace that may.
            __NR_uname: [blind] (Out(Utsname)) -> Int;
            //: sysinfo: Load, memory and time since the start change all the time.
            __NR_sysinfo: (Out(Sysinfo)) -> Int;
            //: sethostname setdomainname: Changes names that every process of the namespace sees.
            __NR_sethostname: (Bytes(1), Int) -> Int;
            __NR_setdomainname: (Bytes(1), Int) -> Int;
            //: syslog vhangup reboot kexec_load kexec_file_load init_module finit_module delete_module: Concerns the
            //:     whole system.
            __NR_syslog: (Flags(Set::Syslog), Switch(Cases::Syslog)) -> Int;
            //: getrandom: The kernel's random numbers must be the kernel's.
            __NR_getrandom: [blind] (OutHexBytes(1), Size, Flags(Set::Getrandom)) -> Int;
            __NR_vhangup: () -> Int;
            __NR_reboot: (Hex, Int, Hex, Ptr) -> Int;
            __NR_kexec_load: (Ptr, Size, Ptr, Hex) -> Int;
            __NR_kexec_file_load: (Fd, Fd, Size, Path, Hex) -> Int;
            __NR_init_module: (Ptr, Size, Path) -> Int;
            __NR_finit_module: (Fd, Path, Hex) -> Int;
            __NR_delete_module: (Path, Flags(Set::Open)) -> Int;
            //: add_key request_key keyctl: Keys are kept by the kernel, for processes, sessions and users.
            __NR_add_key: (Path, Path, Bytes(3), Size, Int) -> Int;
            __NR_request_key: (Path, Path, Path, Int) -> Int;
            __NR_keyctl: (Flags(Set::Keyctl), Switch(Cases::Keyctl)) -> Int;
            //: bpf: Programs and maps live in the kernel and see every process.
            __NR_bpf: (Flags(Set::Bpf), BpfAttr(2), Uint) -> Int;
            //: perf_event_open: Counts what the CPU and the kernel do.
            __NR_perf_event_open: [makes] (Touched(8), Int, Int, Fd, Flags(Set::PerfOpen)) -> Int;
        ] $($rest)* }
    };
}
