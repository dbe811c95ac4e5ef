//! The system as a whole: names, modules, keys, tracing.

macro_rules! system_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_uname: [blind] (Out(Utsname)) -> Int;
            __NR_sysinfo: (Out(Sysinfo)) -> Int;
            __NR_sethostname: (Bytes(1), Int) -> Int;
            __NR_setdomainname: (Bytes(1), Int) -> Int;
            __NR_syslog: (Flags(Set::Syslog), Switch(Cases::Syslog)) -> Int;
            __NR_getrandom: [blind] (OutHexBytes(1), Size, Flags(Set::Getrandom)) -> Int;
            __NR_vhangup: () -> Int;
            __NR_reboot: (Hex, Int, Hex, Ptr) -> Int;
            __NR_kexec_load: (Ptr, Size, Ptr, Hex) -> Int;
            __NR_kexec_file_load: (Fd, Fd, Size, Path, Hex) -> Int;
            __NR_init_module: (Ptr, Size, Path) -> Int;
            __NR_finit_module: (Fd, Path, Hex) -> Int;
            __NR_delete_module: (Path, Flags(Set::Open)) -> Int;
            __NR_add_key: (Path, Path, Bytes(3), Size, Int) -> Int;
            __NR_request_key: (Path, Path, Path, Int) -> Int;
            __NR_keyctl: (Flags(Set::Keyctl), Switch(Cases::Keyctl)) -> Int;
            __NR_bpf: (Flags(Set::Bpf), BpfAttr(2), Uint) -> Int;
            __NR_perf_event_open: (Touched(8), Int, Int, Fd, Flags(Set::PerfOpen)) -> Int;
        ] $($rest)* }
    };
}
